/** The catalogue, put together. Owns the browse index. `house.ts` hands in what it needs and takes out handlers. Rules: SPEC.md. */
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { collections, movies, people } from '#protocol/index.ts';
import { BrowseIndex } from './browse-index.ts';
import { Collections } from './collections.ts';
import { createMovieHandlers } from './handlers.ts';
import { createPeopleHandlers } from './people.ts';
import type {
  BrowseStore,
  ChangeLog,
  CollectionStore,
  EditStore,
  MovieRanking,
  MovieReader,
  PersonStore,
  PictureChoices,
} from './ports.ts';

export interface CatalogueOptions {
  readonly store: BrowseStore;
  readonly reader: MovieReader;
  readonly edits: EditStore;
  readonly people: PersonStore;
  readonly collections: CollectionStore;
  readonly pictures: PictureChoices;
  readonly ranking: MovieRanking;
  readonly changes: ChangeLog;
  readonly clock: Clock;
  readonly log: Log;
  /** These are on a screen without a picture. */
  readonly wantPictures: (movieIds: readonly string[]) => void;
}

export class Catalogue implements AsyncDisposable {
  readonly index: BrowseIndex;
  readonly handlers: {
    readonly movies: Handlers<typeof movies>;
    readonly people: Handlers<typeof people>;
    readonly collections: Handlers<typeof collections>;
  };
  readonly #options: CatalogueOptions;

  private constructor(options: CatalogueOptions) {
    this.#options = options;
    this.index = new BrowseIndex(options);
    this.handlers = {
      movies: createMovieHandlers({ ...options, index: this.index }),
      people: createPeopleHandlers(options),
      collections: new Collections({ ...options, index: this.index }).handlers,
    };
  }

  static async start(options: CatalogueOptions): Promise<Catalogue> {
    const catalogue = new Catalogue(options);
    await catalogue.index.start();
    return catalogue;
  }

  /** Movies as the feeds show them; the library's port matches by shape. */
  get shown(): Pick<MovieReader, 'cards' | 'movie'> & { count(): Promise<number> } {
    const { reader } = this.#options;
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
