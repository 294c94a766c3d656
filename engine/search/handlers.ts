/** The calls of `search`. Rules: SPEC.md. */
import type { Handlers } from '#protocol/handler.ts';
import type { search } from '#protocol/index.ts';
import type { BrowsePort, NameCardPort, SearchPort, TilePort, WorkQueuePort } from './ports.ts';

export interface SearchHandlerOptions {
  readonly engine: SearchPort;
  readonly browse: BrowsePort;
  readonly tiles: TilePort;
  readonly names: NameCardPort;
  readonly queue: Pick<WorkQueuePort, 'order'>;
}

/** An index may still name what is gone: some more are asked for than are shown. */
const SPARE = 4;
const PEOPLE_SHOWN = 12;
const COLLECTIONS_SHOWN = 8;

export function createSearchHandlers(options: SearchHandlerOptions): Handlers<typeof search> {
  const { engine, browse, tiles, names, queue } = options;

  /** The catalogue knows how many movies a saved filter finds. */
  const collections = async (userId: string, ids: readonly string[]) => {
    const cards = await names.collections(userId, ids);
    return Promise.all(
      cards.map(async (card) => {
        if (card.kind !== 'smart') return card;
        const query = { ...BEST_FIRST, filter: { collectionId: card.id }, search: '', offset: 0, limit: 1 };
        const { total } = await browse.list(userId, query);
        return { ...card, movieCount: total, partCount: total };
      }),
    );
  };

  return {
    async suggest({ query, limit }) {
      const found = await engine.suggest(query, limit + SPARE);
      const pictures = await names.pictures(found);
      return {
        suggestions: found
          .flatMap((suggestion) => {
            const picture = pictures.get(suggestion.id);
            return picture === undefined ? [] : [{ ...suggestion, picture }];
          })
          .slice(0, limit),
      };
    },
    async find({ query, offset, limit, ...filter }, { viewer, fail }) {
      if (filter.isHidden === true && !viewer.permissions.includes('movies:edit')) {
        return fail('forbidden', { permission: 'movies:edit' });
      }
      const isFirstWindow = offset === 0;
      const [{ total, movieIds, answeredBy }, { facets }, people, series] = await Promise.all([
        browse.list(viewer.id, { ...BEST_FIRST, filter, search: query, offset, limit }),
        browse.facets(viewer.id, { filter, search: query }),
        isFirstWindow ? engine.people(query, PEOPLE_SHOWN + SPARE).then((ids) => names.people(ids)) : [],
        isFirstWindow ? engine.collections(query, COLLECTIONS_SHOWN).then((ids) => collections(viewer.id, ids)) : [],
      ]);
      return {
        total,
        movies: movieIds.length === 0 ? [] : await tiles.tiles(viewer.id, movieIds),
        facets,
        people: people.slice(0, PEOPLE_SHOWN),
        collections: series,
        answeredBy: answeredBy ?? 'postgres',
      };
    },
    async reindex() {
      await queue.order([{ kind: 'reindex', payload: {}, urgency: 'click', key: 'reindex' }]);
      return { jobId: null };
    },
  };
}

const BEST_FIRST = { sort: 'title', order: null, seed: 0 } as const;
