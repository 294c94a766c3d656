/** What the feeds of the small domains show, put together here because they do not know the hub. The library brings its own. */
import { healthFeed, jobsFeed, progressFeed } from '#protocol/feeds.ts';
import type { FeedSource } from './feeds/ports.ts';
import type { HealthBoard } from './health/health-board.ts';
import type { Jobs } from './jobs/handlers.ts';
import type { ProgressStore } from './progress/ports.ts';

/** As many as a screen shows, with room for the largest one. */
const PROGRESS_LIMIT = 2_000;
const JOBS_LIMIT = 100;

export function progressSource(progress: ProgressStore): FeedSource {
  return {
    feed: progressFeed,
    isDurable: true,
    audienceOf: ({ id }) => id,
    snapshot: async (audience) => ({ progress: await progress.latest(audience, PROGRESS_LIMIT) }),
    concerns: (change, audience) => change.feed === 'progress' && change.audience === audience,
    async entries(changes, audience) {
      const movieIds = [...new Set(changes.map(({ entityId }) => entityId))];
      const found = await progress.ofMovies(audience, movieIds);
      return found.map((one) => ({ kind: 'progress', id: one.movieId, progress: one }));
    },
  };
}

export function jobsSource(jobs: Pick<Jobs, 'list' | 'onEntries'>): FeedSource {
  return {
    feed: jobsFeed,
    isDurable: false,
    audienceOf: () => 'all',
    snapshot: async () => ({ jobs: await jobs.list(JOBS_LIMIT) }),
    onEntries: (listener) => jobs.onEntries(listener),
  };
}

export function healthSource(health: HealthBoard): FeedSource {
  return {
    feed: healthFeed,
    isDurable: false,
    audienceOf: () => 'all',
    snapshot: () => Promise.resolve({ items: health.items() }),
    onEntries: (listener) => health.onEntries(listener),
  };
}
