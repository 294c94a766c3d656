/** Where a person is in a movie. Belongs to person and movie, never to a file. */
import * as v from 'valibot';
import { Count, Id, Milliseconds, Timestamp } from './scalar.ts';

export const Progress = v.object({
  movieId: Id,
  /** Where to go on. 0 after the end was reached. */
  positionMs: Milliseconds,
  durationMs: Milliseconds,
  isWatched: v.boolean(),
  /** How often the end was reached. */
  watchCount: Count,
  updatedAt: Timestamp,
});
export type Progress = v.InferOutput<typeof Progress>;

/** Share of a movie after which it counts as watched. */
export const WATCHED_SHARE = 0.9;
/** Share of a movie below which it does not show among what to continue. */
export const STARTED_SHARE = 0.01;
