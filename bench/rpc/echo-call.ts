/** The call that the bench makes: as large as `progress.report`, and answered with what it was asked. */
import type * as v from 'valibot';
import { defineCall } from '#protocol/contract.ts';
import { progress } from '#protocol/methods/progress.ts';

/** Far above the ids of the contract, which the gateway serves beside them. */
const FIRST_ID = 1_000_000;

export const echo = {
  /** Its handler answers in the same turn, as those do that only look into memory. */
  atOnce: defineCall({
    id: FIRST_ID,
    name: 'echo.atOnce',
    since: 1,
    summary: 'Answers with its input.',
    permission: 'movies:read',
    input: progress.report.input,
    output: progress.report.input,
    failures: {},
  }),
  /** Its handler is asynchronous, as those are that ask the database: the deadline and the place among those in flight are real. */
  later: defineCall({
    id: FIRST_ID + 1,
    name: 'echo.later',
    since: 1,
    summary: 'Answers with its input, by a promise.',
    permission: 'movies:read',
    input: progress.report.input,
    output: progress.report.input,
    failures: {},
  }),
};

export const ECHO_INPUT: v.InferInput<typeof progress.report.input> = {
  movieId: '0190f3a2-5c1e-7b44-9d1f-3a6f0c2b8e71',
  positionMs: 2_634_210,
  durationMs: 5_903_616,
  observedAt: 1_795_428_000_123,
};
