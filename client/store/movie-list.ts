/**
 * A window into a long list of movies. Owns the loaded pages of one query; the server owns the order.
 *
 * - A screen says which positions it shows; missing pages are fetched, those that left the screen before they came are cancelled.
 * - A change to a shown movie is patched in place. Whatever may move rows (new, gone, another title while sorted by title) makes the
 *   pages stale: they stay on screen until their fresh versions arrive, and bursts of changes cost one round of fetching.
 */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Infer, InputOf } from '#protocol/contract.ts';
import type { MovieTile } from '#protocol/schema/movie.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import type { Cinema } from './cinema.ts';
import { isUnlimited } from './filter-address.ts';
import type { Card, LibraryStore } from './library.ts';
import { routePath } from './navigation.ts';
import type { MovieQuery, MovieSort } from './navigation.ts';
import type { Link, Server } from './ports.ts';
import type { ProgressStore } from './progress.ts';

export type Tile = Infer<typeof MovieTile>;

export const PAGE_SIZE = 60;
const LARGEST_WINDOW = 200;

/** Quiet time before stale pages are fetched, and the longest that a steady stream of changes can put it off. */
const SETTLE_MS = 250;
const SETTLE_AT_MOST_MS = 1_500;

interface Page {
  readonly tiles: readonly Tile[];
  readonly generation: number;
}

interface Loading {
  readonly generation: number;
  readonly abort: AbortController;
}

/** What moves a row when a patch changes it, by the sort in force; `null`: nothing that a card tells. */
const SORT_FIELD = {
  title: 'title',
  year: 'year',
  added: 'addedAt',
  duration: 'durationMs',
  resolution: 'resolution',
  rating: 'rating',
  release: 'year',
  lastWatched: null,
  random: null,
} as const satisfies Record<MovieSort, keyof Card | null>;

export function listInput(query: MovieQuery, offset: number, limit: number): InputOf<typeof movies.list> {
  return {
    offset,
    limit,
    sort: query.sort,
    ...(query.order !== null && { order: query.order }),
    ...(query.search.trim() !== '' && { search: query.search.trim() }),
    ...(query.seed !== 0 && { seed: query.seed }),
    ...query.filter,
  };
}

/** The grid of a query, the same one as long as nobody asks for another. */
export function movieListOf(cinema: Cinema, query: MovieQuery): MovieList {
  return cinema.kept(
    'movies',
    routePath({ screen: 'movies', query }),
    () => new MovieList(cinema.server, cinema.link, cinema.library, cinema.progress, query),
  );
}

export class MovieList {
  readonly #server: Server;
  readonly #query: MovieQuery;
  readonly #total = signal<number | null>(null);
  readonly #pages = signal<ReadonlyMap<number, Page>>(new Map());
  readonly #failure = signal<Failure | null>(null);
  readonly #loading = new Map<number, Loading>();
  readonly #disposers: (() => void)[] = [];
  #generation = 0;
  #shown: readonly [first: number, last: number] = [0, 0];
  #settle: ReturnType<typeof setTimeout> | undefined;
  #staleSince: number | null = null;

  constructor(
    server: Server,
    link: Pick<Link, 'state'>,
    library: LibraryStore,
    progress: ProgressStore,
    query: MovieQuery,
  ) {
    this.#server = server;
    this.#query = query;
    this.#disposers.push(
      library.listen({
        onMovie: (id, card) => this.#onMovie(id, card),
        onReset: () => this.#makeStale(),
      }),
      progress.onChange((now, before) => this.#onProgress(now, before)),
      link.state.subscribe((state) => {
        if (state.kind === 'live') this.#load();
      }),
    );
  }

  /** How many movies match; `null` until the server has said so. */
  get total(): ReadonlySignal<number | null> {
    return this.#total;
  }

  /** Why the last window could not be fetched; `null` when it could. */
  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** The movie at a position, `undefined` while it has not been loaded. Subscribes the caller to changes. */
  at(index: number): Tile | undefined {
    return this.#pages.value.get(Math.floor(index / PAGE_SIZE))?.tiles[index % PAGE_SIZE];
  }

  /** Positions `first` to `last` are on screen: what is missing among them is fetched. */
  show(first: number, last: number): void {
    this.#shown = [Math.max(0, first), Math.max(0, last)];
    this.#load();
  }

  retry(): void {
    this.#failure.value = null;
    this.#load();
  }

  /** Every movie that matches, in order, but no more than `most`. */
  async ids(most: number): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let offset = 0; offset < most; offset += LARGEST_WINDOW) {
      const limit = Math.min(LARGEST_WINDOW, most - offset);
      const reply = await this.#server.call(movies.list, listInput(this.#query, offset, limit));
      ids.push(...reply.movies.map(({ id }) => id));
      if (ids.length >= reply.total || reply.movies.length === 0) break;
    }
    return [...new Set(ids)];
  }

  dispose(): void {
    clearTimeout(this.#settle);
    for (const dispose of this.#disposers) dispose();
    for (const { abort } of this.#loading.values()) abort.abort();
    this.#loading.clear();
  }

  #load(): void {
    const total = this.#total.peek();
    const firstPage = Math.floor(this.#shown[0] / PAGE_SIZE);
    const lastPage = Math.floor(Math.min(this.#shown[1], total === null ? 0 : Math.max(0, total - 1)) / PAGE_SIZE);
    for (const [number, loading] of this.#loading) {
      if (number < firstPage || number > lastPage) {
        this.#loading.delete(number);
        loading.abort.abort();
      }
    }
    for (let number = firstPage; number <= lastPage; number++) {
      const isFresh = this.#pages.peek().get(number)?.generation === this.#generation;
      const isComing = this.#loading.get(number)?.generation === this.#generation;
      if (!isFresh && !isComing) void this.#fetch(number);
    }
  }

  async #fetch(number: number): Promise<void> {
    const loading: Loading = { generation: this.#generation, abort: new AbortController() };
    this.#loading.get(number)?.abort.abort();
    this.#loading.set(number, loading);
    try {
      const reply = await this.#server.call(movies.list, listInput(this.#query, number * PAGE_SIZE, PAGE_SIZE), {
        signal: loading.abort.signal,
      });
      if (this.#loading.get(number) !== loading) return;
      this.#loading.delete(number);
      const totalBefore = this.#total.peek();
      batch(() => {
        const pages = new Map(this.#pages.peek()).set(number, { tiles: reply.movies, generation: loading.generation });
        const pageCount = Math.ceil(reply.total / PAGE_SIZE);
        for (const key of pages.keys()) if (key >= pageCount) pages.delete(key);
        this.#pages.value = pages;
        this.#total.value = reply.total;
        this.#failure.value = null;
      });
      if (totalBefore !== reply.total) this.#load();
    } catch (error) {
      if (this.#loading.get(number) !== loading) return;
      this.#loading.delete(number);
      if (!isFailure(error)) throw error;
      // Without a line the banner says so already, and the list goes on when it is back.
      if (error.code !== 'cancelled' && error.code !== 'disconnected') this.#failure.value = error;
    }
  }

  #makeStale(): void {
    const now = performance.now();
    this.#staleSince ??= now;
    clearTimeout(this.#settle);
    const wait = Math.min(SETTLE_MS, Math.max(0, this.#staleSince + SETTLE_AT_MOST_MS - now));
    this.#settle = setTimeout(() => {
      this.#staleSince = null;
      this.#generation += 1;
      this.#load();
    }, wait);
  }

  #find(id: string): readonly [page: number, position: number, tile: Tile] | null {
    for (const [number, page] of this.#pages.peek()) {
      const position = page.tiles.findIndex((tile) => tile.id === id);
      if (position >= 0) return [number, position, page.tiles[position]!];
    }
    return null;
  }

  #put(number: number, position: number, tile: Tile): void {
    const page = this.#pages.peek().get(number)!;
    this.#pages.value = new Map(this.#pages.peek()).set(number, { ...page, tiles: page.tiles.with(position, tile) });
  }

  #onMovie(id: string, card: Card | null): void {
    const found = this.#find(id);
    if (found === null || card === null) {
      // Gone and never shown: the rows after it move up all the same.
      this.#makeStale();
      return;
    }
    const [number, position, tile] = found;
    this.#put(number, position, { ...card, progress: tile.progress });
    const field = SORT_FIELD[this.#query.sort];
    // A card does not tell whether its movie still fits a filter, nor how well it answers a search.
    const mayMove =
      (field !== null && card[field] !== tile[field]) || this.#query.search !== '' || !isUnlimited(this.#query.filter);
    if (mayMove) this.#makeStale();
  }

  #onProgress(now: Progress, before: Progress | undefined): void {
    const found = this.#find(now.movieId);
    if (found !== null) this.#put(found[0], found[1], { ...found[2], progress: now });
    const wasWatched = before?.isWatched ?? found?.[2].progress?.isWatched ?? false;
    const isAsked = this.#query.filter.isWatched !== undefined && wasWatched !== now.isWatched;
    if (isAsked || this.#query.sort === 'lastWatched') this.#makeStale();
  }
}
