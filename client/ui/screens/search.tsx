import { SlidersHorizontal } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import { namesOf } from '#client/store/search.ts';
import type { Names } from '#client/store/search.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { failureText } from '../failure-text.ts';
import { useCinema, useLobby } from '../house.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { FilteredFrame, useFilteredMovies } from '../parts/filtered-movies.tsx';
import { Link } from '../parts/link.tsx';
import { GridPlaceholder, MovieGrid } from '../parts/movie-grid.tsx';
import { Portrait, Poster } from '../parts/picture.tsx';
import { SearchBox } from '../parts/search-box.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { moviesCounted } from '../parts/tile.tsx';
import styles from './search.module.css';

/** People and collections of that name: slim, so that the movies below them are in sight too. */
function NameRows({ names }: { readonly names: Names }) {
  return (
    <div class={styles.names}>
      {names.people.length > 0 && (
        <section aria-labelledby="people-found">
          <h2 id="people-found">People</h2>
          <ul data-spatial>
            {names.people.map((person) => (
              <li key={person.id}>
                <Link to={{ screen: 'person', personId: person.id }} class={styles.chip}>
                  <span class={styles.face}>
                    <Portrait person={person} sizes="2.5rem" />
                  </span>
                  <span class={styles.name} dir="auto">
                    {person.name}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      {names.collections.length > 0 && (
        <section aria-labelledby="collections-found">
          <h2 id="collections-found">Collections</h2>
          <ul data-spatial>
            {names.collections.map((collection) => (
              <li key={collection.id}>
                <Link to={{ screen: 'collection', collectionId: collection.id }} class={styles.chip}>
                  <span class={styles.poster}>
                    <Poster
                      movie={{ id: collection.id, title: collection.name, year: null, poster: collection.poster }}
                      sizes="2.5rem"
                    />
                  </span>
                  <span class={styles.name} dir="auto">
                    {collection.name}
                  </span>
                  <span class={styles.detail}>{moviesCounted(collection.movieCount)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

export function SearchScreen({ query }: { readonly query: MovieQuery }) {
  const cinema = useCinema();
  const { navigation } = useLobby();
  const asked = query.search.trim();
  const movies = useFilteredMovies(query);
  const { list, total, shown, chips, isWide } = movies;
  const failure = list.failure.value;
  const isLive = cinema.link.state.value.kind === 'live';
  const [isSheetOpen, setSheetOpen] = useState(false);
  const names = namesOf(cinema, asked).names.value;

  const change = (next: MovieQuery): void => navigation.go({ screen: 'search', query: next }, { replace: true });
  const setFilter = (filter: MovieFilter): void => change({ ...query, filter });

  const hasNames = names !== null && names.people.length + names.collections.length > 0;
  const hasSidebar = isWide && asked !== '' && (total !== 0 || chips.length > 0);

  return (
    <FilteredFrame
      movies={movies}
      title="Search"
      isCounted={asked !== ''}
      onFilter={setFilter}
      hasSidebar={hasSidebar}
      isSheetOpen={isSheetOpen}
      onSheetClosed={() => setSheetOpen(false)}
      tools={
        <>
          <SearchBox
            name="Results"
            label="Search movies, people and collections"
            placeholder="Movies, people, collections"
            isWide
            query={query}
            onQuery={change}
          />
          {!isWide && asked !== '' && (
            <Button
              icon={<SlidersHorizontal aria-hidden="true" />}
              aria-haspopup="dialog"
              onClick={() => setSheetOpen(true)}
            >
              {chips.length === 0 ? 'Filters' : `Filters (${chips.length})`}
            </Button>
          )}
        </>
      }
      lead={asked !== '' && hasNames && chips.length === 0 && <NameRows names={names} />}
    >
      {asked === '' ? (
        <StatePage title="What are you looking for?" level="h2">
          <p>Some letters of a title, in any order, with a typo in them. A year, an actor, the name of a series.</p>
        </StatePage>
      ) : (
        <>
          {failure !== null && (
            <StatePage
              title="This search has no answer"
              level="h2"
              actions={<Button onClick={() => list.retry()}>Try again</Button>}
            >
              <p>{failureText(failure)}</p>
            </StatePage>
          )}
          {failure === null && shown.total === null && isLive && <GridPlaceholder />}
          {failure === null && shown.total === null && !isLive && (
            <StatePage title="No line to the server" level="h2">
              <p>The search goes on by itself when it is back.</p>
            </StatePage>
          )}
          {failure === null && total === 0 && (
            <StatePage
              title={hasNames && chips.length === 0 ? 'No movie of that name' : 'Nothing found'}
              level="h2"
              actions={
                chips.length > 0 ? (
                  <Button onClick={() => setFilter({})}>Without filters</Button>
                ) : (
                  <ButtonLink to={{ screen: 'movies', query: ALL_MOVIES }}>All movies</ButtonLink>
                )
              }
            >
              <p>
                {chips.length > 0
                  ? `No movie here resembles “${asked}” and fits these filters.`
                  : `No movie here resembles “${asked}”. Fewer letters find more.`}
              </p>
            </StatePage>
          )}
          {failure === null && total !== 0 && shown.total !== null && shown.total > 0 && (
            <MovieGrid
              key={hasSidebar ? 'beside' : 'alone'}
              list={shown.list}
              total={shown.total}
              label={`Movies for ${asked}`}
            />
          )}
        </>
      )}
    </FilteredFrame>
  );
}
