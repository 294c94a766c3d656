/** The calls of `collections`. Rules COLL1 to COLL7 of SPEC.md. */
import type { Handlers } from '#protocol/handler.ts';
import type { collections } from '#protocol/index.ts';
import type { Collection, CollectionCard, SmartQuery } from '#protocol/schema/collection.ts';
import type { MovieTile } from '#protocol/schema/movie.ts';
import type { BrowseIndex, CollectionCounts } from './browse-index.ts';
import type { CollectionStore, MovieReader, PictureChoices, SavedQuery, StoredCollection } from './ports.ts';

export interface CollectionOptions {
  readonly index: BrowseIndex;
  readonly collections: CollectionStore;
  readonly reader: Pick<MovieReader, 'tiles' | 'cards'>;
  readonly pictures: Pick<PictureChoices, 'offerPaths'>;
}

/** More than a person looks at; the rest of a saved filter is in the grid. */
const MOVIES_SHOWN = 500;

export class Collections {
  readonly #options: CollectionOptions;

  constructor(options: CollectionOptions) {
    this.#options = options;
  }

  /** Cards of those that are there, by id, as this person sees them. */
  async cards(userId: string, collectionIds: readonly string[]): Promise<Map<string, CollectionCard>> {
    const { index, collections: store, reader } = this.#options;
    if (collectionIds.length === 0) return new Map();
    const [stored, counts] = await Promise.all([
      store.collections(collectionIds),
      index.collectionCounts(userId, collectionIds),
    ]);
    // A saved filter has no pictures of its own: its first movie lends them.
    const first = [...counts.values()].flatMap(({ firstMovieId }) => firstMovieId ?? []);
    const lent = first.length === 0 ? new Map<string, never>() : await reader.cards(first);
    const cards = new Map<string, CollectionCard>();
    for (const collectionId of collectionIds) {
      const collection = stored.get(collectionId);
      const count = counts.get(collectionId);
      if (!collection || !count) continue;
      const lender = count.firstMovieId === null ? undefined : lent.get(count.firstMovieId);
      const card = toCard(collection, count);
      cards.set(collectionId, {
        ...card,
        poster: card.poster ?? lender?.poster ?? null,
        backdrop: card.backdrop ?? lender?.picture ?? null,
      });
    }
    return cards;
  }

  async #collection(userId: string, collectionId: string): Promise<Collection | null> {
    const { index, collections: store, pictures } = this.#options;
    const [cards, stored, row, missing] = await Promise.all([
      this.cards(userId, [collectionId]),
      store.collections([collectionId]),
      index.collection(collectionId),
      store.missing(collectionId),
    ]);
    const card = cards.get(collectionId);
    const collection = stored.get(collectionId);
    if (!card || !collection || !row) return null;
    const paths = missing.flatMap(({ posterPath }) => posterPath ?? []);
    const posters = paths.length === 0 ? new Map<string, never>() : await pictures.offerPaths(paths, 'poster');
    return {
      ...card,
      overview: collection.overview,
      tmdbId: collection.tmdbId,
      query: row.query && toSmartQuery(row.query),
      missing: missing.map(({ posterPath, ...part }) => ({
        ...part,
        poster: posterPath === null ? null : (posters.get(posterPath) ?? null),
      })),
    };
  }

  async #movies(userId: string, collectionId: string, query: SavedQuery | null): Promise<MovieTile[]> {
    const { index, collections: store, reader } = this.#options;
    if (query === null) return reader.tiles(userId, await store.movieIds(collectionId, MOVIES_SHOWN));
    const filter = { ...query.filter, isHidden: false };
    const { movieIds } = await index.list(userId, { ...query, filter, seed: 0, offset: 0, limit: MOVIES_SHOWN });
    return reader.tiles(userId, movieIds);
  }

  readonly handlers: Handlers<typeof collections> = {
    list: async ({ offset, limit, kind }, { viewer }) => {
      const ids = await this.#options.index.collectionIds(kind ?? null);
      const cards = await this.cards(viewer.id, ids.slice(offset, offset + limit));
      return { total: ids.length, collections: [...cards.values()] };
    },
    get: async ({ collectionId }, { viewer, fail }) => {
      const collection = await this.#collection(viewer.id, collectionId);
      if (!collection) return fail('notFound', { what: 'collection', id: collectionId });
      const query = collection.query && toSavedQuery(collection.query);
      return { collection, movies: await this.#movies(viewer.id, collectionId, query) };
    },
    create: async ({ name, overview = null, movieIds = [], query }, { viewer, fail }) => {
      if (query && movieIds.length > 0) {
        const message = 'must be absent where a query is given: a saved filter has no list';
        return fail('badRequest', { issues: [{ path: '/movieIds', message }] });
      }
      const id = await this.#options.collections.create(viewer.id, {
        name,
        overview,
        movieIds,
        query: query ? toSavedQuery(query) : null,
      });
      const collection = await this.#collection(viewer.id, id);
      return collection ? { collection } : fail('notFound', { what: 'collection', id });
    },
    update: async ({ collectionId, name, overview, movieIds, query, posterOf }, { viewer, fail }) => {
      const outcome = await this.#options.collections.update(collectionId, {
        ...(name !== undefined && { name }),
        ...(overview !== undefined && { overview }),
        ...(movieIds && { movieIds }),
        ...(query && { query: toSavedQuery(query) }),
        ...(posterOf !== undefined && { coverMovieId: posterOf }),
      });
      if (typeof outcome === 'object') {
        return fail(
          'wrongKind',
          { kind: outcome.wrongKind },
          `A collection of kind ${outcome.wrongKind} has none of that.`,
        );
      }
      const collection = outcome === 'done' ? await this.#collection(viewer.id, collectionId) : null;
      return collection ? { collection } : fail('notFound', { what: 'collection', id: collectionId });
    },
    remove: async ({ collectionId }, { fail }) =>
      (await this.#options.collections.remove(collectionId))
        ? {}
        : fail('notFound', { what: 'collection', id: collectionId }),
  };
}

function toCard(
  { id, kind, name, poster, backdrop, partCount }: StoredCollection,
  { movieCount, watchedCount }: CollectionCounts,
): CollectionCard {
  // A list of parts may be older than the last movie that came.
  const parts = kind === 'series' ? Math.max(partCount, movieCount) : movieCount;
  return { id, kind, name, poster, backdrop, movieCount, partCount: parts, watchedCount };
}

const toSavedQuery = ({ filter, search, sort, order }: SmartQuery): SavedQuery => ({
  // What was put away is in no collection, whoever saves the filter [HIDE1].
  filter: { ...filter, isHidden: undefined },
  search: search === undefined || search.trim() === '' ? null : search,
  sort,
  order: order ?? null,
});

const toSmartQuery = ({ filter, search, sort, order }: SavedQuery): SmartQuery => ({
  filter,
  sort,
  ...(search !== null && { search }),
  ...(order !== null && { order }),
});
