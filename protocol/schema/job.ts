/** Long tasks, as the jobs screen shows them. */
import * as v from 'valibot';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';

export const JOB_KINDS = ['scan', 'pictures'] as const;
export const JOB_STATES = ['waiting', 'running', 'succeeded', 'failed', 'cancelled'] as const;

export const Job = v.object({
  id: Id,
  kind: v.picklist(JOB_KINDS),
  state: v.picklist(JOB_STATES),
  /** What the job works on, in words: the library's name. */
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
});
export type Job = v.InferOutput<typeof Job>;
