/** Long tasks, as the jobs screen shows them. */
import * as v from 'valibot';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';

/** `scan` and `pictures` are tasks; the rest are lines that stand for all orders of one kind of work. */
export const JOB_KINDS = [
  'scan',
  'pictures',
  'probe',
  'match',
  'refresh',
  'image',
  'index',
  'reindex',
  'radarrSync',
  'radarrEvent',
  'previews',
  'marks',
  'hardware',
  'downloads',
] as const;
export const JOB_STATES = ['waiting', 'running', 'succeeded', 'failed', 'cancelled'] as const;

export const Job = v.object({
  id: Id,
  kind: v.picklist(JOB_KINDS),
  state: v.picklist(JOB_STATES),
  /** What the job works on, in words: the library's name. For a line, what is being done: “Looking for movies”. */
  subject: ShortText,
  libraryId: v.nullable(Id),
  /** Units done and known so far; `total` is `null` while it is not known. */
  done: Count,
  total: v.nullable(Count),
  /** What it is doing now, or why it failed. */
  note: v.nullable(ShortText),
  createdAt: Timestamp,
  startedAt: v.nullable(Timestamp),
  endedAt: v.nullable(Timestamp),
  /** Of a line only: how many of its orders failed for good and are kept. `jobs.failures` lists them. */
  failed: v.optional(Count),
});
export type Job = v.InferOutput<typeof Job>;

/** One order that failed for good, in a line that stands for many. */
export const JobFailureItem = v.object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  /** What it was about: a movie's title. `null` where nobody said. */
  subject: v.nullable(ShortText),
  reason: ShortText,
  attempts: Count,
  failedAt: Timestamp,
});
export type JobFailureItem = v.InferOutput<typeof JobFailureItem>;
