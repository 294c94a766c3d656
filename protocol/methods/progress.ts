/** Remembering where everyone was. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Progress } from '../schema/progress.ts';
import { Id, Milliseconds, Timestamp } from '../schema/scalar.ts';

const outcome = v.object({ progress: Progress });

export const progress = {
  report: defineCall({
    id: 100,
    name: 'progress.report',
    since: 1,
    summary: 'Says where this person is in a movie. The newest observation wins (rules in the domain’s SPEC.md).',
    permission: 'self',
    input: v.object({
      movieId: Id,
      positionMs: Milliseconds,
      /** Length as the player knows it; absent: the length of the movie's best file. */
      durationMs: v.optional(Milliseconds),
      /** When the position was seen, by the server's clock as the client estimates it; absent: now. A time in the future counts as now. */
      observedAt: v.optional(Timestamp),
    }),
    output: outcome,
    failures: {},
    http: { method: 'PUT', path: '/movies/{movieId}/progress' },
  }),
  setWatched: defineCall({
    id: 101,
    name: 'progress.setWatched',
    since: 1,
    summary: 'Marks a movie as watched, or as not watched.',
    permission: 'self',
    input: v.object({ movieId: Id, isWatched: v.boolean() }),
    output: outcome,
    failures: {},
    http: { method: 'PUT', path: '/movies/{movieId}/watched' },
  }),
  clear: defineCall({
    id: 102,
    name: 'progress.clear',
    since: 1,
    summary: 'Forgets the position in a movie, so that it leaves “continue watching”. Whether it was watched stays.',
    permission: 'self',
    input: v.object({ movieId: Id }),
    output: outcome,
    failures: {},
    http: { method: 'DELETE', path: '/movies/{movieId}/progress' },
  }),
};
