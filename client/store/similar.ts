/** Movies that are here and like another one. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Tile } from './movie-list.ts';
import type { Link, Server } from './ports.ts';

export class SimilarStore {
  readonly #tiles = signal<readonly Tile[]>([]);
  readonly #stop: () => void;

  constructor(server: Server, link: Pick<Link, 'state'>, movieId: string) {
    this.#stop = link.state.subscribe((state) => {
      if (state.kind !== 'live') return;
      server.call(movies.similar, { movieId, limit: 24 }).then(
        (reply) => {
          this.#tiles.value = reply.movies;
        },
        (error: unknown) => {
          // Nobody came for this row: without it the page is whole.
          if (!isFailure(error)) throw error;
        },
      );
    });
  }

  /** Empty until the reply, and where nothing is alike. */
  get tiles(): ReadonlySignal<readonly Tile[]> {
    return this.#tiles;
  }

  dispose(): void {
    this.#stop();
  }
}
