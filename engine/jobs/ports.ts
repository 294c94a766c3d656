/** What jobs need from a store. */
import type { Job } from '#protocol/schema/job.ts';

export interface JobStore {
  add(job: Job): Promise<void>;
  update(job: Job): Promise<void>;
  /** `null` where there is none. */
  find(jobId: string): Promise<Job | null>;
  /** Open ones first, then those that ended, the latest first. */
  list(limit: number): Promise<Job[]>;
  /** Ends all open jobs as failed with this note, and returns them as they were [JOB5]. */
  endOpen(note: string): Promise<Job[]>;
  /** Removes ended jobs but the `keep` latest [JOB6]. */
  prune(keep: number): Promise<void>;
}
