import { Search, X } from 'lucide-preact';
import { Virtualizer, observeWindowOffset, observeWindowRect, windowScroll } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { MovieQuery, MovieSort } from '#client/store/navigation.ts';
import type { MovieList } from '#client/store/movie-list.ts';
import { failureText } from '../failure-text.ts';
import { useCinema, useLobby } from '../house.ts';
import { Button, IconButton } from '../parts/button.tsx';
import { Choice } from '../parts/field.tsx';
import { SEARCH_EVENT } from '../parts/shell.tsx';
import { StatePage, Waiting } from '../parts/state-page.tsx';
import { MovieTile, TilePlaceholder, moviesCounted } from '../parts/tile.tsx';
import styles from './movies.module.css';

const SORTS: readonly (readonly [MovieSort, string])[] = [
  ['title', 'Title'],
  ['added', 'Newest here'],
  ['year', 'Year'],
  ['duration', 'Longest'],
  ['resolution', 'Resolution'],
];

/** Typing this long without a pause is one search. */
const TYPING_MS = 220;

interface Layout {
  readonly columns: number;
  readonly gap: number;
  readonly rowHeight: number;
  readonly tileWidth: number;
}

function measure(grid: HTMLElement): Layout {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const width = grid.clientWidth;
  const gap = rem * (width < 46 * rem ? 0.75 : 1.15);
  const columns = Math.max(2, Math.floor((width + gap) / (rem * (width < 46 * rem ? 10.2 : 14.2) + gap)));
  const tileWidth = (width - gap * (columns - 1)) / columns;
  // Picture, two lines of words, and the air below them.
  const rowHeight = Math.round((tileWidth * 9) / 16 + rem * 0.5 + 1.35 * rem * (0.9375 + 0.8125) + rem * 1.4);
  return { columns, gap, rowHeight, tileWidth };
}

/** Ten thousand movies, of which only those near the window are in the document. Scrolls with the page. */
function Grid({ list, total }: { readonly list: MovieList; readonly total: number }) {
  const { navigation } = useLobby();
  const grid = useRef<HTMLUListElement>(null);
  const [layout, setLayout] = useState<Layout | null>(null);
  const [, redraw] = useState(0);
  const virtualizer = useMemo(
    () =>
      new Virtualizer<Window, HTMLLIElement>({
        count: 0,
        getScrollElement: () => window,
        estimateSize: () => 200,
        overscan: 3,
        scrollToFn: windowScroll,
        observeElementRect: observeWindowRect,
        observeElementOffset: observeWindowOffset,
        initialOffset: () => window.scrollY,
        onChange: () => redraw((count) => count + 1),
      }),
    [],
  );

  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setLayout(measure(element)));
    observer.observe(element);
    setLayout(measure(element));
    const stop = virtualizer._didMount();
    return () => {
      observer.disconnect();
      stop();
    };
  }, []);

  const rowCount = layout === null ? 0 : Math.ceil(total / layout.columns);
  useLayoutEffect(() => {
    if (layout === null || grid.current === null) return;
    virtualizer.setOptions({
      ...virtualizer.options,
      count: rowCount,
      estimateSize: () => layout.rowHeight,
      scrollMargin: grid.current.getBoundingClientRect().top + window.scrollY,
    });
    virtualizer._willUpdate();
    virtualizer.measure();
    redraw((count) => count + 1);
  }, [layout, rowCount]);

  // Back from a movie: the place in the list is found again once the list is as long as it was.
  useLayoutEffect(() => {
    if (rowCount > 0 && navigation.scrollTarget > 0) {
      window.scrollTo(0, navigation.scrollTarget);
      navigation.scrollTarget = 0;
    }
  }, [rowCount > 0]);

  const rows = layout === null ? [] : virtualizer.getVirtualItems();
  const first = (rows[0]?.index ?? 0) * (layout?.columns ?? 1);
  const last = ((rows.at(-1)?.index ?? 0) + 1) * (layout?.columns ?? 1) - 1;
  useEffect(() => list.show(first, last), [list, first, last]);

  const margin = virtualizer.options.scrollMargin;
  return (
    <ul
      ref={grid}
      class={styles.grid}
      data-spatial
      style={{ blockSize: `${rowCount * (layout?.rowHeight ?? 0)}px` }}
      aria-label="Movies"
    >
      {layout !== null &&
        rows.flatMap((row) =>
          Array.from({ length: Math.min(layout.columns, total - row.index * layout.columns) }, (_, column) => {
            const index = row.index * layout.columns + column;
            const tile = list.at(index);
            return (
              <li
                key={index}
                aria-setsize={total}
                aria-posinset={index + 1}
                style={{
                  inlineSize: `${layout.tileWidth}px`,
                  insetBlockStart: `${row.start - margin}px`,
                  insetInlineStart: `${column * (layout.tileWidth + layout.gap)}px`,
                }}
              >
                {tile === undefined ? <TilePlaceholder /> : <MovieTile tile={tile} isEager isStart={index === 0} />}
              </li>
            );
          }),
        )}
    </ul>
  );
}

function SearchBox({ query, onQuery }: { readonly query: MovieQuery; readonly onQuery: (query: MovieQuery) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query.search);
  const latest = useRef(query);
  latest.current = query;

  // The address changed by other means: back, forward, a link.
  useEffect(() => setText(query.search), [query.search]);

  useEffect(() => {
    if (text === query.search) return;
    const typing = setTimeout(() => onQuery({ ...latest.current, search: text }), TYPING_MS);
    return () => clearTimeout(typing);
  }, [text]);

  useEffect(() => {
    const focus = (): void => {
      input.current?.focus();
      input.current?.select();
    };
    addEventListener(SEARCH_EVENT, focus);
    return () => removeEventListener(SEARCH_EVENT, focus);
  }, []);

  return (
    <form
      role="search"
      class={styles.search}
      onSubmit={(event) => {
        event.preventDefault();
        onQuery({ ...query, search: text });
        input.current?.blur();
      }}
    >
      <Search aria-hidden="true" />
      <input
        ref={input}
        type="search"
        value={text}
        maxLength={200}
        placeholder="Search titles"
        aria-label="Search titles"
        autoComplete="off"
        enterkeyhint="search"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {text !== '' && (
        <IconButton
          label="Clear the search"
          onClick={() => {
            setText('');
            onQuery({ ...query, search: '' });
            input.current?.focus();
          }}
        >
          <X aria-hidden="true" />
        </IconButton>
      )}
    </form>
  );
}

const WATCHED = [
  ['all', 'All'],
  ['no', 'Not watched'],
  ['yes', 'Watched'],
] as const;

export function MoviesScreen({ query }: { readonly query: MovieQuery }) {
  const cinema = useCinema();
  const { navigation } = useLobby();
  const list = cinema.movieList(query);
  const total = list.total.value;
  const failure = list.failure.value;
  const libraries = cinema.library.libraries.value ?? [];

  // The old list stays in sight until the new one has an answer: a search that flickers can't be read.
  const shown = useRef({ list, total });
  if (total !== null) shown.current = { list, total };

  const change = (next: MovieQuery): void => navigation.go({ screen: 'movies', query: next }, { replace: true });
  const isFiltered = query.search !== '' || query.libraryId !== null || query.isWatched !== null;

  return (
    <>
      <header class={styles.header} data-spatial>
        <h1>
          Movies{' '}
          <span class={styles.total} role="status">
            {total === null ? '' : moviesCounted(total)}
          </span>
        </h1>
        <SearchBox query={query} onQuery={change} />
        <div class={styles.filters}>
          <Choice
            label="Sort"
            value={query.sort}
            options={SORTS}
            onValue={(sort) => change({ ...query, sort, order: null })}
          />
          <Choice
            label="Show"
            value={query.isWatched === null ? 'all' : query.isWatched ? 'yes' : 'no'}
            options={WATCHED}
            onValue={(value) => change({ ...query, isWatched: value === 'all' ? null : value === 'yes' })}
          />
          {libraries.length > 1 && (
            <Choice
              label="From"
              value={query.libraryId ?? ''}
              options={[['', 'All libraries'], ...libraries.map(({ id, name }) => [id, name] as const)]}
              onValue={(libraryId) => change({ ...query, libraryId: libraryId === '' ? null : libraryId })}
            />
          )}
        </div>
      </header>
      {failure !== null && (
        <StatePage
          title="This shelf can’t be read"
          level="h2"
          actions={<Button onClick={() => list.retry()}>Try again</Button>}
        >
          <p>{failureText(failure)}</p>
        </StatePage>
      )}
      {failure === null && shown.current.total === null && <Waiting />}
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
              ? `No title here resembles “${query.search}”.`
              : isFiltered
                ? 'No movie fits these filters.'
                : 'As soon as a folder with movies is added, they appear here.'}
          </p>
        </StatePage>
      )}
      {failure === null && total !== 0 && shown.current.total !== null && shown.current.total > 0 && (
        <Grid list={shown.current.list} total={shown.current.total} />
      )}
    </>
  );
}
