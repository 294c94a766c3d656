/** What the person who runs the server should know, each with what to do about it. */
import * as v from 'valibot';
import { ShortText, Timestamp } from './scalar.ts';

export const HealthItem = v.object({
  /** Stable name of the finding, with its subject where there can be several: `watchLimit/<libraryId>`. */
  id: ShortText,
  severity: v.picklist(['info', 'warning', 'error']),
  /** What is the matter, in one sentence. */
  title: v.string(),
  /** What to do, exactly: the command, the setting. */
  action: v.string(),
  since: Timestamp,
});
export type HealthItem = v.InferOutput<typeof HealthItem>;
