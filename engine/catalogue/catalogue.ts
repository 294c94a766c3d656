/** The catalogue, put together. Owns the browse index. `house.ts` hands in what it needs and takes out handlers. Rules: SPEC.md. */
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { movies } from '#protocol/index.ts';
import { BrowseIndex } from './browse-index.ts';
import { createMovieHandlers } from './handlers.ts';
import type { BrowseStore, ChangeLog, MovieRanking, MovieReader } from './ports.ts';

export interface CatalogueOptions {
  readonly store: BrowseStore;
  readonly reader: MovieReader;
  readonly ranking: MovieRanking;
  readonly changes: ChangeLog;
  readonly clock: Clock;
  readonly log: Log;
  /** These are on a screen without a picture. */
  readonly wantPictures: (movieIds: readonly string[]) => void;
}

export class Catalogue implements AsyncDisposable {
  readonly index: BrowseIndex;
  readonly handlers: { readonly movies: Handlers<typeof movies> };
  readonly #reader: MovieReader;

  private constructor(options: CatalogueOptions) {
    this.#reader = options.reader;
    this.index = new BrowseIndex(options);
    this.handlers = { movies: createMovieHandlers({ ...options, index: this.index }) };
  }

  static async start(options: CatalogueOptions): Promise<Catalogue> {
    const catalogue = new Catalogue(options);
    await catalogue.index.start();
    return catalogue;
  }

  /** Movies as the feeds show them; the library's port matches by shape. */
  get shown(): Pick<MovieReader, 'cards' | 'movie'> & { count(): Promise<number> } {
    const reader = this.#reader;
    return {
      cards: (movieIds) => reader.cards(movieIds),
      movie: (movieId, sight) => reader.movie(movieId, sight),
      count: () => this.index.count(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.index[Symbol.asyncDispose]();
  }
}
