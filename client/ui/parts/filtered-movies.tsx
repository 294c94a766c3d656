import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { facetsOf } from '#client/store/facets.ts';
import type { FacetStore } from '#client/store/facets.ts';
import { movieListOf } from '#client/store/movie-list.ts';
import type { MovieList } from '#client/store/movie-list.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import type { Facet, MovieFilter } from '#protocol/schema/movie-filter.ts';
import { failureText } from '../failure-text.ts';
import { useFilterNames } from '../filter-names.ts';
import { chipsOf } from '../filter-words.ts';
import type { Chip } from '../filter-words.ts';
import { useCinema } from '../house.ts';
import { useMedia } from '../media.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { FilterChips, FilterPanel } from './filter-panel.tsx';
import { moviesCounted } from './tile.tsx';
import styles from './filtered-movies.module.css';

/** Wide enough for filters beside the movies. */
const WIDE = '(width >= 62rem)';

/** Movies that a query asks for, with what its filters can be told and counted by. */
export interface FilteredMovies {
  readonly query: MovieQuery;
  readonly list: MovieList;
  /** `null` until the query is answered. */
  readonly total: number | null;
  /** What is in sight: the answer before, until the new one is there. What flickers can't be read. */
  readonly shown: { readonly list: MovieList; readonly total: number | null };
  readonly facetStore: FacetStore;
  /** In the same way those before. */
  readonly facets: readonly Facet[] | null;
  readonly names: ReadonlyMap<string, string>;
  readonly chips: readonly Chip[];
  readonly isWide: boolean;
}

export function useFilteredMovies(query: MovieQuery): FilteredMovies {
  const cinema = useCinema();
  const list = movieListOf(cinema, query);
  const total = list.total.value;
  const shown = useRef({ list, total });
  if (total !== null) shown.current = { list, total };
  const facetStore = facetsOf(cinema, query);
  const lastFacets = useRef(facetStore.facets.value);
  if (facetStore.facets.value !== null) lastFacets.current = facetStore.facets.value;
  const facets = lastFacets.current;
  const names = useFilterNames(query.filter);
  const chips = chipsOf(query.filter, facets, names);
  const isWide = useMedia(WIDE);
  return { query, list, total, shown: shown.current, facetStore, facets, names, chips, isWide };
}

interface FrameProps {
  readonly movies: FilteredMovies;
  readonly title: string;
  /** Whether the number of movies says anything yet. */
  readonly isCounted?: boolean;
  /** Beside the title: a field to search in, buttons. */
  readonly tools: ComponentChildren;
  readonly onFilter: (filter: MovieFilter) => void;
  readonly hasSidebar: boolean;
  /** Where there is no room beside the movies, filters are a sheet. */
  readonly isSheetOpen: boolean;
  readonly onSheetClosed: () => void;
  /** Between the header and the movies. */
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** The frame of a page of movies: its header with the chips of what is chosen, filters beside the movies or in a sheet above them. */
export function FilteredFrame({
  movies,
  title,
  isCounted = true,
  tools,
  onFilter,
  hasSidebar,
  isSheetOpen,
  onSheetClosed,
  lead,
  children,
}: FrameProps) {
  const { query, total, facetStore, facets, names, isWide } = movies;
  const { filter } = query;
  const panel =
    facets === null && facetStore.failure.value !== null ? (
      <div class={styles.noFacets}>
        <p>{failureText(facetStore.failure.value)}</p>
        <Button onClick={() => facetStore.retry()}>Try again</Button>
      </div>
    ) : (
      <FilterPanel facets={facets} filter={filter} onFilter={onFilter} />
    );
  return (
    <>
      <header class={styles.header} data-spatial>
        <h1>
          {title}{' '}
          <span class={styles.total} role="status">
            {isCounted && total !== null ? moviesCounted(total) : ''}
          </span>
        </h1>
        {tools}
        <div class={styles.chips}>
          <FilterChips facets={facets} filter={filter} onFilter={onFilter} names={names} />
        </div>
      </header>
      {lead}
      <div class={styles.body} data-sidebar={hasSidebar}>
        {hasSidebar && (
          <aside class={styles.sidebar} aria-label="Filters">
            {panel}
          </aside>
        )}
        <div>{children}</div>
      </div>
      {isSheetOpen && !isWide && (
        <Dialog title="Filters" isSheet onClose={onSheetClosed}>
          {panel}
          <div class={styles.sheetEnd}>
            <Button look="bright" onClick={onSheetClosed}>
              {total === null ? 'Show them' : `Show ${moviesCounted(total)}`}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
