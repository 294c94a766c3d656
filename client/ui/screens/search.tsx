import { Search, SlidersHorizontal } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { facetsOf } from '#client/store/facets.ts';
import { movieListOf } from '#client/store/movie-list.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import { namesOf } from '#client/store/search.ts';
import type { Names } from '#client/store/search.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { failureText } from '../failure-text.ts';
import { chipsOf } from '../filter-words.ts';
import { useCinema, useLobby } from '../house.ts';
import { useMedia } from '../media.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { FilterChips, FilterPanel } from '../parts/filter-panel.tsx';
import { Link } from '../parts/link.tsx';
import { GridPlaceholder, MovieGrid } from '../parts/movie-grid.tsx';
import { Portrait, Poster } from '../parts/picture.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { moviesCounted } from '../parts/tile.tsx';
import { useFilterNames } from './movies/filter-names.ts';
import styles from './search.module.css';

const TYPING_MS = 220;
/** Wide enough for filters beside the movies. */
const WIDE = '(width >= 62rem)';

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
  const list = movieListOf(cinema, query);
  const total = list.total.value;
  const failure = list.failure.value;
  const isWide = useMedia(WIDE);
  const isLive = cinema.link.state.value.kind === 'live';
  const [isSheetOpen, setSheetOpen] = useState(false);
  const [text, setText] = useState(query.search);

  // The old answer stays in sight until the new one came: what flickers can't be read.
  const shown = useRef({ list, total });
  if (total !== null) shown.current = { list, total };
  const facetStore = facetsOf(cinema, query);
  const lastFacets = useRef(facetStore.facets.value);
  if (facetStore.facets.value !== null) lastFacets.current = facetStore.facets.value;
  const facets = lastFacets.current;
  const names = namesOf(cinema, asked).names.value;

  const change = (next: MovieQuery): void => navigation.go({ screen: 'search', query: next }, { replace: true });
  const setFilter = (filter: MovieFilter): void => change({ ...query, filter });
  const filterNames = useFilterNames(query.filter);
  const chips = chipsOf(query.filter, facets, filterNames);

  const latest = useRef(query);
  latest.current = query;
  useEffect(() => setText(query.search), [query.search]);
  useEffect(() => {
    if (text === query.search) return;
    const typing = setTimeout(() => change({ ...latest.current, search: text }), TYPING_MS);
    return () => clearTimeout(typing);
  }, [text]);

  const hasNames = names !== null && names.people.length + names.collections.length > 0;
  const panel = <FilterPanel facets={facets} filter={query.filter} onFilter={setFilter} />;
  const hasSidebar = isWide && asked !== '' && (total !== 0 || chips.length > 0);

  return (
    <>
      <header class={styles.header} data-spatial>
        <h1>
          Search{' '}
          <span class={styles.total} role="status">
            {asked === '' || total === null ? '' : moviesCounted(total)}
          </span>
        </h1>
        <form
          role="search"
          aria-label="Results"
          class={styles.field}
          onSubmit={(event) => {
            event.preventDefault();
            change({ ...query, search: text });
          }}
        >
          <Search aria-hidden="true" />
          <input
            type="search"
            value={text}
            maxLength={200}
            placeholder="Movies, people, collections"
            aria-label="Search movies, people and collections"
            autoComplete="off"
            enterkeyhint="search"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </form>
        {!isWide && asked !== '' && (
          <Button
            icon={<SlidersHorizontal aria-hidden="true" />}
            aria-haspopup="dialog"
            onClick={() => setSheetOpen(true)}
          >
            {chips.length === 0 ? 'Filters' : `Filters (${chips.length})`}
          </Button>
        )}
        <div class={styles.chips}>
          <FilterChips facets={facets} filter={query.filter} onFilter={setFilter} names={filterNames} />
        </div>
      </header>
      {asked === '' ? (
        <StatePage title="What are you looking for?" level="h2">
          <p>Some letters of a title, in any order, with a typo in them. A year, an actor, the name of a series.</p>
        </StatePage>
      ) : (
        <>
          {hasNames && chips.length === 0 && <NameRows names={names} />}
          <div class={styles.body} data-sidebar={hasSidebar}>
            {hasSidebar && (
              <aside class={styles.sidebar} aria-label="Filters">
                {panel}
              </aside>
            )}
            <div class={styles.main}>
              {failure !== null && (
                <StatePage
                  title="This search has no answer"
                  level="h2"
                  actions={<Button onClick={() => list.retry()}>Try again</Button>}
                >
                  <p>{failureText(failure)}</p>
                </StatePage>
              )}
              {failure === null && shown.current.total === null && isLive && <GridPlaceholder />}
              {failure === null && shown.current.total === null && !isLive && (
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
              {failure === null && total !== 0 && shown.current.total !== null && shown.current.total > 0 && (
                <MovieGrid
                  key={hasSidebar ? 'beside' : 'alone'}
                  list={shown.current.list}
                  total={shown.current.total}
                  label={`Movies for ${asked}`}
                />
              )}
            </div>
          </div>
        </>
      )}
      {isSheetOpen && !isWide && (
        <Dialog title="Filters" isSheet onClose={() => setSheetOpen(false)}>
          {panel}
          <div class={styles.sheetEnd}>
            <Button look="bright" onClick={() => setSheetOpen(false)}>
              {total === null ? 'Show them' : `Show ${moviesCounted(total)}`}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
