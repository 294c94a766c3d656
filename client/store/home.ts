/** The rows of the home screen: what to go on watching, what is new, what is best, and something else each day. Patched in place, refetched when a row may have moved. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { OutputOf } from '#protocol/contract.ts';
import type { LibraryStore } from './library.ts';
import type { MovieDetail } from './movie.ts';
import type { Tile } from './movie-list.ts';
import type { Link, Server } from './ports.ts';
import type { ProgressStore } from './progress.ts';

export type HomeRows = OutputOf<typeof movies.home>;

/** Rows of movies, from the top. */
const TILE_ROWS = ['continueWatching', 'recentlyAdded', 'topRated', 'random'] as const;

const SETTLE_MS = 300;
const SETTLE_AT_MOST_MS = 1_500;

export class HomeStore {
  readonly #server: Server;
  readonly #rows = signal<HomeRows | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];
  #settle: ReturnType<typeof setTimeout> | undefined;
  #staleSince: number | null = null;
  #isLoading = false;
  #isStaleAgain = false;

  constructor(server: Server, link: Pick<Link, 'state'>, library: LibraryStore, progress: ProgressStore) {
    this.#server = server;
    this.#disposers.push(
      link.state.subscribe((state) => {
        if (state.kind === 'live') void this.#load();
      }),
      library.listen({
        onMovie: (id, card) => {
          if (card !== null) this.#patch(id, (tile) => ({ ...card, progress: tile.progress }));
          if (card === null || !this.#has(id)) this.#makeStale();
        },
        onReset: () => this.#makeStale(),
      }),
      progress.onChange((now) => {
        this.#patch(now.movieId, (tile) => ({ ...tile, progress: now }));
        // The row is ordered by what was watched last, and loses what was finished.
        this.#makeStale();
      }),
    );
  }

  /** `null` until the first reply. */
  get rows(): ReadonlySignal<HomeRows | null> {
    return this.#rows;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** What a tile does not tell of the movie that stands large above the rows. Fails with common failures. */
  async about(movieId: string): Promise<MovieDetail> {
    return (await this.#server.call(movies.get, { movieId })).movie;
  }

  retry(): void {
    void this.#load();
  }

  dispose(): void {
    clearTimeout(this.#settle);
    for (const dispose of this.#disposers) dispose();
  }

  #has(id: string): boolean {
    const rows = this.#rows.peek();
    return rows !== null && TILE_ROWS.some((row) => rows[row].some((tile) => tile.id === id));
  }

  #patch(id: string, change: (tile: Tile) => Tile): void {
    const rows = this.#rows.peek();
    if (rows === null || !this.#has(id)) return;
    const patched = (tiles: readonly Tile[]): Tile[] => tiles.map((tile) => (tile.id === id ? change(tile) : tile));
    this.#rows.value = { ...rows, ...Object.fromEntries(TILE_ROWS.map((row) => [row, patched(rows[row])])) };
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
    if (this.#isLoading) {
      this.#isStaleAgain = true;
      return;
    }
    this.#isLoading = true;
    try {
      this.#rows.value = await this.#server.call(movies.home, { limit: 24 });
      this.#failure.value = null;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    } finally {
      this.#isLoading = false;
      if (this.#isStaleAgain) {
        this.#isStaleAgain = false;
        void this.#load();
      }
    }
  }
}
