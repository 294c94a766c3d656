/** What the feeds `library` and `movie` show; the hub's types match by shape. */
import { libraryFeed, movieFeed } from '#protocol/feeds.ts';
import type { EntryOf, SnapshotOf } from '#protocol/contract.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { LibraryDomain } from './library.ts';
import type { ShownMovies } from './ports.ts';

interface Change {
  readonly feed: string;
  readonly kind: string;
  readonly entityId: string;
}

type LibraryEntry = EntryOf<typeof libraryFeed>;
type MovieEntry = EntryOf<typeof movieFeed>;

interface Source<Feed, Snapshot, Entry> {
  readonly feed: Feed;
  readonly isDurable: true;
  audienceOf(viewer: Viewer): string;
  snapshot(audience: string, key: string | null): Promise<Snapshot>;
  concerns(change: Change, audience: string, key: string | null): boolean;
  entries(changes: readonly Change[], audience: string, key: string | null): Promise<readonly Entry[]>;
}

export interface LibraryFeedSources {
  readonly library: Source<typeof libraryFeed, SnapshotOf<typeof libraryFeed>, LibraryEntry>;
  readonly movie: Source<typeof movieFeed, SnapshotOf<typeof movieFeed>, MovieEntry>;
}

/** Classes of viewers: who manages libraries is told where they lie, who edits movies sees those that were put away. */
const MANAGER = 'manager';
const EDITOR = 'editor';
const audienceOf = ({ permissions }: Viewer): string => {
  const classes = [
    permissions.includes('libraries:manage') ? [MANAGER] : [],
    permissions.includes('movies:edit') ? [EDITOR] : [],
  ].flat();
  return classes.length === 0 ? 'all' : classes.join('+');
};
const manages = (audience: string): boolean => audience.split('+').includes(MANAGER);
const sightOf = (audience: string) => ({
  withPaths: manages(audience),
  withHidden: audience.split('+').includes(EDITOR),
});

const idsOf = (changes: readonly Change[], kind: string): string[] => [
  ...new Set(changes.filter((change) => change.kind === kind).map(({ entityId }) => entityId)),
];

export function createFeedSources(domain: Pick<LibraryDomain, 'list'>, movies: ShownMovies): LibraryFeedSources {
  return {
    library: {
      feed: libraryFeed,
      isDurable: true,
      audienceOf,
      async snapshot(audience) {
        const [movieCount, libraries] = await Promise.all([movies.count(), domain.list(manages(audience))]);
        return { movieCount, libraries };
      },
      concerns: ({ feed, kind }) =>
        feed === 'library' && (kind === 'movie' || kind === 'library' || kind === 'collection'),
      async entries(changes, audience) {
        const movieIds = idsOf(changes, 'movie');
        const libraryIds = idsOf(changes, 'library');
        const [cards, count, libraries] = await Promise.all([
          movieIds.length > 0 ? movies.cards(movieIds) : new Map<string, never>(),
          movieIds.length > 0 ? movies.count() : 0,
          libraryIds.length > 0 ? domain.list(manages(audience)) : [],
        ]);
        const entries: LibraryEntry[] = movieIds.map((id) => ({ kind: 'movie', id, movie: cards.get(id) ?? null }));
        if (movieIds.length > 0) entries.push({ kind: 'movieCount', id: 'all', count });
        for (const id of idsOf(changes, 'collection')) entries.push({ kind: 'collection', id });
        for (const id of libraryIds) {
          entries.push({ kind: 'library', id, library: libraries.find((library) => library.id === id) ?? null });
        }
        return entries;
      },
    },
    movie: {
      feed: movieFeed,
      isDurable: true,
      audienceOf,
      snapshot: async (audience, key) => ({
        movie: key === null ? null : await movies.movie(key, sightOf(audience)),
      }),
      concerns: ({ feed, kind, entityId }, _audience, key) =>
        feed === 'library' && kind === 'movie' && entityId === key,
      async entries(_changes, audience, key) {
        return key === null ? [] : [{ kind: 'movie', id: key, movie: await movies.movie(key, sightOf(audience)) }];
      },
    },
  };
}
