/** What each feed shows, put together from the domains: a composition, because domains do not know each other. */
import { commonFailure } from '#protocol/errors.ts';
import { healthFeed, jobsFeed, libraryFeed, movieFeed, progressFeed } from '#protocol/feeds.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { Library } from '#protocol/schema/library.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { Change, FeedSource } from './feeds/ports.ts';
import type { HealthBoard } from './health/health-board.ts';
import type { JobBoard } from './jobs/job-board.ts';
import type { MovieStore } from './library/ports.ts';
import type { ProgressStore } from './progress/ports.ts';

/** As many as a screen shows, with room for the largest one. */
const PROGRESS_LIMIT = 2_000;
const JOBS_LIMIT = 100;

export interface FeedParts {
  readonly movies: Pick<MovieStore, 'cards' | 'count' | 'get'>;
  /** All libraries, with paths where `withPaths`. */
  readonly libraries: (withPaths: boolean) => Promise<Library[]>;
  readonly progress: ProgressStore;
  readonly jobs: JobBoard;
  readonly health: HealthBoard;
}

const managesLibraries = (viewer: Viewer): boolean => viewer.permissions.includes('libraries:manage');
const idsOf = (changes: readonly Change[], kind: string): string[] => [
  ...new Set(changes.filter((change) => change.kind === kind).map(({ entityId }) => entityId)),
];

export function createFeedSources({ movies, libraries, progress, jobs, health }: FeedParts): FeedSource[] {
  return [
    {
      feed: libraryFeed,
      isDurable: true,
      audienceOf: (viewer) => (managesLibraries(viewer) ? 'manager' : 'viewer'),
      async snapshot(audience) {
        const [movieCount, all] = await Promise.all([movies.count(), libraries(audience === 'manager')]);
        return { movieCount, libraries: all };
      },
      concerns: (change) => change.feed === 'library',
      async entries(changes, audience) {
        const movieIds = idsOf(changes, 'movie');
        const libraryIds = idsOf(changes, 'library');
        const [cards, count, all] = await Promise.all([
          movies.cards(movieIds),
          movieIds.length > 0 ? movies.count() : null,
          libraryIds.length > 0 ? libraries(audience === 'manager') : [],
        ]);
        const byId = new Map(all.map((library) => [library.id, library]));
        return [
          ...movieIds.map((id) => ({ kind: 'movie', id, movie: cards.get(id) ?? null })),
          ...libraryIds.map((id) => ({ kind: 'library', id, library: byId.get(id) ?? null })),
          ...(count === null ? [] : [{ kind: 'movieCount', id: 'all', count }]),
        ];
      },
    },
    {
      feed: movieFeed,
      isDurable: true,
      audienceOf: (viewer) => (managesLibraries(viewer) ? 'manager' : 'viewer'),
      async snapshot(audience, key) {
        const movie = await movies.get(movieKey(key), audience === 'manager');
        return { movie };
      },
      concerns: (change, _audience, key) => change.feed === 'library' && change.entityId === key,
      async entries(_changes, audience, key) {
        const id = movieKey(key);
        return [{ kind: 'movie', id, movie: await movies.get(id, audience === 'manager') }];
      },
    },
    {
      feed: progressFeed,
      isDurable: true,
      audienceOf: ({ id }) => id,
      async snapshot(audience) {
        return { progress: await progress.latest(audience, PROGRESS_LIMIT) };
      },
      concerns: (change, audience) => change.feed === 'progress' && change.audience === audience,
      async entries(changes, audience) {
        const found = await progress.ofMovies(audience, idsOf(changes, 'progress'));
        return found.map((one) => ({ kind: 'progress', id: one.movieId, progress: one }));
      },
    },
    {
      feed: jobsFeed,
      isDurable: false,
      audienceOf: () => 'all',
      snapshot: async (): Promise<{ jobs: Job[] }> => ({ jobs: await jobs.list(JOBS_LIMIT) }),
      onEntries: (listener) => jobs.onEntries(listener),
    },
    {
      feed: healthFeed,
      isDurable: false,
      audienceOf: () => 'all',
      snapshot: () => Promise.resolve({ items: health.items() }),
      onEntries: (listener) => health.onEntries(listener),
    },
  ];
}

/** The hub has checked the key; this tells the compiler. */
function movieKey(key: string | null): string {
  if (key === null)
    throw commonFailure('badRequest', { issues: [{ path: '/key', message: 'must be the id of a movie' }] });
  return key;
}
