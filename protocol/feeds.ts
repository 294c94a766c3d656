/** The feeds: synchronized state, by name. */
import * as v from 'valibot';
import { defineFeed } from './contract.ts';
import { HealthItem } from './schema/health.ts';
import { Job } from './schema/job.ts';
import { Library } from './schema/library.ts';
import { Marker } from './schema/moments.ts';
import { Movie, MovieCard } from './schema/movie.ts';
import { PlaybackLesson, PlaybackPreferences } from './schema/preferences.ts';
import { Progress } from './schema/progress.ts';
import { RadarrEvent, RadarrStatus } from './schema/radarr.ts';
import { Count, Id } from './schema/scalar.ts';
import { Screen } from './schema/screen.ts';

export const libraryFeed = defineFeed({
  id: 1,
  name: 'library',
  since: 1,
  summary:
    'Libraries with their scans, how many movies there are, and every movie and collection that comes, changes or goes.',
  permission: 'libraries:read',
  key: null,
  snapshot: v.object({ movieCount: Count, libraries: v.array(Library) }),
  entry: v.variant('kind', [
    /** `null`: the movie is gone. */
    v.object({ kind: v.literal('movie'), id: Id, movie: v.nullable(MovieCard) }),
    v.object({ kind: v.literal('library'), id: Id, library: v.nullable(Library) }),
    /** A collection came, changed or went: look at it again. */
    v.object({ kind: v.literal('collection'), id: Id }),
    v.object({ kind: v.literal('movieCount'), id: v.literal('all'), count: Count }),
  ]),
});

export const movieFeed = defineFeed({
  id: 2,
  name: 'movie',
  since: 1,
  summary: 'One movie with its files.',
  permission: 'movies:read',
  key: 'movieId',
  snapshot: v.object({ movie: v.nullable(Movie) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('movie'), id: Id, movie: v.nullable(Movie) })]),
});

export const progressFeed = defineFeed({
  id: 3,
  name: 'progress',
  since: 1,
  summary: 'Where this person is in each movie: the 2,000 latest at first, then every change on any of their devices.',
  permission: 'self',
  key: null,
  snapshot: v.object({ progress: v.array(Progress) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('progress'), id: Id, progress: Progress })]),
});

export const jobsFeed = defineFeed({
  id: 4,
  name: 'jobs',
  since: 1,
  summary: 'Long tasks with their progress.',
  permission: 'jobs:read',
  key: null,
  snapshot: v.object({ jobs: v.array(Job) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('job'), id: Id, job: v.nullable(Job) })]),
});

export const healthFeed = defineFeed({
  id: 5,
  name: 'health',
  since: 1,
  summary: 'What the person who runs the server should know.',
  permission: 'server:manage',
  key: null,
  snapshot: v.object({ items: v.array(HealthItem) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('health'), id: v.string(), item: v.nullable(HealthItem) })]),
});

export const preferencesFeed = defineFeed({
  id: 6,
  name: 'preferences',
  since: 1,
  summary: 'How this person likes to watch, and what failed on their devices.',
  permission: 'self',
  key: null,
  snapshot: v.object({ preferences: PlaybackPreferences, lessons: v.array(PlaybackLesson) }),
  entry: v.variant('kind', [
    v.object({ kind: v.literal('preferences'), id: v.literal('mine'), preferences: PlaybackPreferences }),
    /** `null`: it is forgotten. */
    v.object({ kind: v.literal('lesson'), id: Id, lesson: v.nullable(PlaybackLesson) }),
  ]),
});

export const radarrFeed = defineFeed({
  id: 22,
  name: 'radarr',
  since: 1,
  summary: 'How Radarr is reached, and its latest messages.',
  permission: 'server:manage',
  key: null,
  snapshot: v.object({ status: RadarrStatus, events: v.array(RadarrEvent) }),
  entry: v.variant('kind', [
    v.object({ kind: v.literal('status'), id: v.literal('status'), status: RadarrStatus }),
    v.object({ kind: v.literal('event'), id: Id, event: RadarrEvent }),
  ]),
});

export const momentsFeed = defineFeed({
  id: 7,
  name: 'moments',
  since: 1,
  summary: 'Where the intro, the recap and the credits of a movie’s files are.',
  permission: 'playback:play',
  key: 'movieId',
  snapshot: v.object({ files: v.array(v.object({ fileId: Id, markers: v.array(Marker) })) }),
  /** `id` is the file’s. */
  entry: v.variant('kind', [v.object({ kind: v.literal('markers'), id: Id, markers: v.array(Marker) })]),
});

export const screensFeed = defineFeed({
  id: 24,
  name: 'screens',
  since: 1,
  summary: 'The screens that this person has open now: what each plays, and where.',
  permission: 'self',
  key: null,
  snapshot: v.object({ screens: v.array(Screen) }),
  /** `null`: the screen is gone. */
  entry: v.variant('kind', [v.object({ kind: v.literal('screen'), id: Id, screen: v.nullable(Screen) })]),
});

export const feeds = [
  libraryFeed,
  movieFeed,
  progressFeed,
  jobsFeed,
  healthFeed,
  preferencesFeed,
  momentsFeed,
  radarrFeed,
  screensFeed,
] as const;
export type AnyFeed = (typeof feeds)[number];
export type FeedName = AnyFeed['name'];
