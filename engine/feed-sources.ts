/** What the feeds of the small domains show, put together here because they do not know the hub. The library brings its own. */
import { healthFeed, jobsFeed, preferencesFeed, progressFeed, screensFeed } from '#protocol/feeds.ts';
import type { FeedSource } from './feeds/ports.ts';
import type { HealthBoard } from './health/health-board.ts';
import type { Jobs } from './jobs/handlers.ts';
import { readPreferences } from './playback/person-wishes.ts';
import type { PreferenceStore } from './playback/ports.ts';
import type { ProgressStore } from './progress/ports.ts';
import type { Screens } from './screens/screens.ts';

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

export function preferencesSource(people: Pick<PreferenceStore, 'read' | 'lessons'>): FeedSource {
  return {
    feed: preferencesFeed,
    isDurable: true,
    audienceOf: ({ id }) => id,
    snapshot: async (audience) => ({
      preferences: readPreferences(await people.read(audience)),
      lessons: await people.lessons(audience),
    }),
    concerns: (change, audience) => change.feed === 'preferences' && change.audience === audience,
    async entries(changes, audience) {
      const lessonIds = [...new Set(changes.flatMap(({ kind, entityId }) => (kind === 'lesson' ? [entityId] : [])))];
      const known = new Map(
        lessonIds.length === 0 ? [] : (await people.lessons(audience)).map((lesson) => [lesson.id, lesson] as const),
      );
      const isChanged = changes.some(({ kind }) => kind === 'preferences');
      return [
        ...(isChanged
          ? [{ kind: 'preferences', id: 'mine', preferences: readPreferences(await people.read(audience)) }]
          : []),
        ...lessonIds.map((id) => ({ kind: 'lesson', id, lesson: known.get(id) ?? null })),
      ];
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

export function screensSource(screens: Pick<Screens, 'list' | 'onEntries'>): FeedSource {
  return {
    feed: screensFeed,
    isDurable: false,
    audienceOf: ({ id }) => id,
    snapshot: (audience) => Promise.resolve({ screens: screens.list(audience) }),
    onEntries: (listener) => screens.onEntries(listener),
  };
}
