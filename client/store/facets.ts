/**
 * What a grid can be narrowed to, with live counts. Owns the counts of one filter; the old ones stay in sight until new ones came, and a
 * burst of changes in the library costs one question.
 */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Facet, MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { Cinema } from './cinema.ts';
import type { LibraryStore } from './library.ts';
import { ALL_MOVIES, routePath } from './navigation.ts';
import type { MovieQuery } from './navigation.ts';
import type { Link, Server } from './ports.ts';
import type { ProgressStore } from './progress.ts';

/** Counts may lag behind the grid: nobody reads them while they run. */
const SETTLE_MS = 700;
const SETTLE_AT_MOST_MS = 3_000;

/** What the grid of a query can be narrowed to, the same as long as nobody asks for another; its order does not matter. */
export function facetsOf(cinema: Cinema, { search, filter }: MovieQuery): FacetStore {
  return cinema.kept(
    'facets',
    routePath({ screen: 'movies', query: { ...ALL_MOVIES, search, filter } }),
    () => new FacetStore(cinema.server, cinema.link, cinema.library, cinema.progress, search, filter),
  );
}

export class FacetStore {
  readonly #server: Server;
  readonly #facets = signal<readonly Facet[] | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];
  readonly #search: string;
  readonly #filter: MovieFilter;
  #abort = new AbortController();
  #settle: ReturnType<typeof setTimeout> | undefined;
  #staleSince: number | null = null;

  constructor(
    server: Server,
    link: Pick<Link, 'state'>,
    library: LibraryStore,
    progress: ProgressStore,
    search: string,
    filter: MovieFilter,
  ) {
    this.#server = server;
    this.#search = search.trim();
    this.#filter = filter;
    this.#disposers.push(
      library.listen({ onMovie: () => this.#makeStale(), onReset: () => this.#makeStale() }),
      progress.onChange((now, before) => {
        if ((before?.isWatched ?? false) !== now.isWatched) this.#makeStale();
      }),
      link.state.subscribe((state) => {
        if (state.kind === 'live') void this.#load();
      }),
    );
  }

  /** `null` until the first reply. */
  get facets(): ReadonlySignal<readonly Facet[] | null> {
    return this.#facets;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  retry(): void {
    void this.#load();
  }

  dispose(): void {
    clearTimeout(this.#settle);
    this.#abort.abort();
    for (const dispose of this.#disposers) dispose();
  }

  #makeStale(): void {
    const now = performance.now();
    this.#staleSince ??= now;
    clearTimeout(this.#settle);
    const wait = Math.min(SETTLE_MS, Math.max(0, this.#staleSince + SETTLE_AT_MOST_MS - now));
    this.#settle = setTimeout(() => {
      this.#staleSince = null;
      void this.#load();
    }, wait);
  }

  async #load(): Promise<void> {
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const { facets } = await this.#server.call(
        movies.facets,
        { ...(this.#search !== '' && { search: this.#search }), ...this.#filter },
        { signal: abort.signal },
      );
      if (abort.signal.aborted) return;
      batch(() => {
        this.#facets.value = facets;
        this.#failure.value = null;
      });
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!isFailure(error)) throw error;
      if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    }
  }
}
