import {
  ArrowDownWideNarrow,
  ArrowUpNarrowWide,
  BookmarkPlus,
  Dices,
  ListChecks,
  SlidersHorizontal,
} from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { MOVIE_SORTS } from '#protocol/schema/movie-sort.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { isUnlimited } from '#client/store/filter-address.ts';
import { ALL_MOVIES, moviesWith } from '#client/store/navigation.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import { editsOf } from '#client/store/edits.ts';
import type { Tile } from '#client/store/movie-list.ts';
import { useEditing } from '../editing.ts';
import { failureText } from '../failure-text.ts';
import { SORT_NAMES, usualOrder } from '../filter-words.ts';
import { useCinema, useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';
import { Button, IconButton } from '../parts/button.tsx';
import { Choice } from '../parts/field.tsx';
import { FilteredFrame, useFilteredMovies } from '../parts/filtered-movies.tsx';
import { GridPlaceholder, MovieGrid } from '../parts/movie-grid.tsx';
import { SearchBox } from '../parts/search-box.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { count, counted } from '../wording.ts';
import { BulkBar, MOST_CHOSEN } from './movies/bulk-bar.tsx';
import type { BulkKind } from './movies/bulk-edit.tsx';
import styles from './movies.module.css';

const saveFilter = lazyScreen(() => import('./movies/save-filter.tsx').then((module) => module.SaveFilterDialog), {
  isQuiet: true,
});
const bulkEdit = lazyScreen(() => import('./movies/bulk-edit.tsx').then((module) => module.BulkEditDialog), {
  isQuiet: true,
});

/** Among answers to a search, the best come first until somebody says otherwise. */
const sortOptions = ({ search, order }: MovieQuery) =>
  MOVIE_SORTS.map(
    (sort) => [sort, sort === 'title' && search !== '' && order === null ? 'Best match' : SORT_NAMES[sort]] as const,
  );

/** Several movies chosen at once. `null`: nobody is choosing. */
type Chosen = ReadonlySet<string> | null;

export function MoviesScreen({ query }: { readonly query: MovieQuery }) {
  const cinema = useCinema();
  const { navigation, notices, session, preferences } = useLobby();
  const { make } = useEditing();
  const movies = useFilteredMovies(query);
  const { list, total, shown, facets, chips, isWide } = movies;
  const failure = list.failure.value;
  const [isSheetOpen, setSheetOpen] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const [chosen, setChosen] = useState<Chosen>(null);
  const [editing, setEditing] = useState<BulkKind | null>(null);
  const lastChosen = useRef<number | null>(null);
  const mayEdit = session.may('movies:edit');

  const change = (next: MovieQuery): void => navigation.go({ screen: 'movies', query: next }, { replace: true });
  const setFilter = (filter: MovieFilter): void => change({ ...query, filter });
  const isFiltered = query.search !== '' || !isUnlimited(query.filter);
  const isAscending = (query.order ?? usualOrder(query.sort)) === 'ascending';
  const hasSidebar = isWide && preferences.showsFilters.value;
  const endChoosing = (): void => {
    setChosen(null);
    lastChosen.current = null;
  };

  useEffect(() => {
    if (chosen === null) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && document.querySelector('dialog[open]') === null) endChoosing();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [chosen === null]);

  const toggle = (tile: Tile, index: number, isRange: boolean): void => {
    const next = new Set(chosen);
    const isOn = !next.has(tile.id);
    const from = isRange && lastChosen.current !== null ? lastChosen.current : index;
    for (let at = Math.min(from, index); at <= Math.max(from, index); at++) {
      const id = list.at(at)?.id;
      if (id === undefined) continue;
      if (isOn) next.add(id);
      else next.delete(id);
    }
    if (next.size > MOST_CHOSEN) {
      notices.show(`At most ${count(MOST_CHOSEN)} movies can be changed at once.`, 'bad');
      return;
    }
    lastChosen.current = index;
    setChosen(next);
  };

  const chooseAll = async (): Promise<void> => {
    try {
      setChosen(new Set(await list.ids(MOST_CHOSEN)));
    } catch (error) {
      if (!isFailure(error)) throw error;
      notices.show(failureText(error), 'bad');
    }
  };

  const isHiddenShown = query.filter.isHidden === true;
  const hide = async (): Promise<void> => {
    if (chosen === null) return;
    const what = counted(chosen.size, 'movie');
    const isDone = await make(
      () => editsOf(cinema).editMany([...chosen], { isHidden: !isHiddenShown }),
      isHiddenShown ? `${what} taken out again.` : `${what} put away. Their files stay where they are.`,
      isHiddenShown
        ? undefined
        : { label: 'All that is put away', run: () => navigation.go(moviesWith({ isHidden: true })) },
    );
    if (isDone) endChoosing();
  };

  return (
    <>
      <FilteredFrame
        movies={movies}
        title={isHiddenShown ? 'Put away' : 'Movies'}
        onFilter={setFilter}
        hasSidebar={hasSidebar}
        isSheetOpen={isSheetOpen}
        onSheetClosed={() => setSheetOpen(false)}
        tools={
          <>
            <SearchBox
              name="These movies"
              label="Find among these movies"
              placeholder="Find among these"
              query={query}
              onQuery={change}
            />
            <div class={styles.tools}>
              <Button
                icon={<SlidersHorizontal aria-hidden="true" />}
                {...(isWide ? { 'aria-expanded': hasSidebar } : { 'aria-haspopup': 'dialog' as const })}
                onClick={() => {
                  if (isWide) preferences.showsFilters.value = !preferences.showsFilters.value;
                  else setSheetOpen(true);
                }}
              >
                {chips.length === 0 ? 'Filters' : `Filters (${chips.length})`}
              </Button>
              <span class={styles.sort}>
                <Choice
                  label="Sort"
                  value={query.sort}
                  options={sortOptions(query)}
                  onValue={(sort) => change({ ...query, sort, order: null, seed: sort === 'random' ? newSeed() : 0 })}
                />
                {query.sort === 'random' ? (
                  <IconButton label="Shuffle again" onClick={() => change({ ...query, seed: newSeed() })}>
                    <Dices aria-hidden="true" />
                  </IconButton>
                ) : (
                  <IconButton
                    label={isAscending ? 'Ascending; turn it around' : 'Descending; turn it around'}
                    onClick={() => change({ ...query, order: isAscending ? 'descending' : 'ascending' })}
                  >
                    {isAscending ? (
                      <ArrowUpNarrowWide aria-hidden="true" />
                    ) : (
                      <ArrowDownWideNarrow aria-hidden="true" />
                    )}
                  </IconButton>
                )}
              </span>
              {mayEdit && (
                <>
                  <IconButton
                    label={chosen === null ? 'Choose several' : 'Stop choosing'}
                    aria-pressed={chosen !== null}
                    class={chosen === null ? undefined : styles.isOn}
                    onClick={() => (chosen === null ? setChosen(new Set()) : endChoosing())}
                  >
                    <ListChecks aria-hidden="true" />
                  </IconButton>
                  {isFiltered && (
                    <IconButton label="Save as a smart collection" onClick={() => setSaving(true)}>
                      <BookmarkPlus aria-hidden="true" />
                    </IconButton>
                  )}
                </>
              )}
            </div>
          </>
        }
      >
        {failure !== null && (
          <StatePage
            title="This shelf can’t be read"
            level="h2"
            actions={<Button onClick={() => list.retry()}>Try again</Button>}
          >
            <p>{failureText(failure)}</p>
          </StatePage>
        )}
        {failure === null && shown.total === null && <GridPlaceholder />}
        {failure === null && total === 0 && (
          <StatePage
            title={isFiltered ? 'Nothing matches' : 'No movies yet'}
            level="h2"
            actions={
              isFiltered && <Button onClick={() => change({ ...ALL_MOVIES, sort: query.sort })}>Show all movies</Button>
            }
          >
            <p>
              {query.search !== ''
                ? `Nothing here resembles “${query.search}”.`
                : isFiltered
                  ? 'No movie fits these filters.'
                  : 'As soon as a folder with movies is added, they appear here.'}
            </p>
          </StatePage>
        )}
        {failure === null && total !== 0 && shown.total !== null && shown.total > 0 && (
          <MovieGrid
            // Rows are as wide as the room beside the filters leaves.
            key={hasSidebar ? 'beside' : 'alone'}
            list={shown.list}
            total={shown.total}
            choosing={
              chosen === null
                ? null
                : (tile, index) => ({
                    isChosen: chosen.has(tile.id),
                    onToggle: (isRange) => toggle(tile, index, isRange),
                  })
            }
          />
        )}
      </FilteredFrame>
      {chosen !== null && (
        <BulkBar
          chosen={chosen}
          total={total ?? 0}
          onAll={() => void chooseAll()}
          onEnd={endChoosing}
          onEdit={setEditing}
          isHidden={isHiddenShown}
          onHide={() => void hide()}
        />
      )}
      {isSaving && (
        <saveFilter.Screen
          query={query}
          proposal={[query.search, ...chips.map(({ text }) => text)]
            .filter((text) => text !== '')
            .join(', ')
            .slice(0, 120)}
          onClose={() => setSaving(false)}
        />
      )}
      {editing !== null && chosen !== null && (
        <bulkEdit.Screen
          kind={editing}
          movieIds={[...chosen]}
          genres={(facets?.find(({ name }) => name === 'genreIds')?.values ?? []).flatMap(({ label }) => label ?? [])}
          onClose={() => setEditing(null)}
          onDone={() => {
            setEditing(null);
            endChoosing();
          }}
        />
      )}
    </>
  );
}

/** Another of the random orders. */
const newSeed = (): number => Math.floor(Math.random() * 4_294_967_295) + 1;
