/** Long tasks, for those who may see them. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { jobsFeed } from '#protocol/feeds/jobs.ts';
import { jobs as calls } from '#protocol/methods/jobs.ts';
import type { Infer } from '#protocol/contract.ts';
import type { Job, JobFailureItem } from '#protocol/schema/job.ts';
import type { Cinema } from './cinema.ts';
import type { Server } from './ports.ts';

export type JobRow = Infer<typeof Job>;
export type FailedRow = Infer<typeof JobFailureItem>;

/** A line stands for all that is to be done of one kind; the rest are tasks. */
export const isLine = (job: JobRow): boolean => job.failed !== undefined;

export const isOpen = (job: JobRow): boolean => job.state === 'waiting' || job.state === 'running';

/** Open ones first, then the latest. */
const inOrder = (rows: readonly JobRow[]): readonly JobRow[] =>
  rows.toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));

/** `null` for people who may not see them. The same for every screen. */
export function jobsOf(cinema: Cinema): JobsStore | null {
  if (!cinema.viewer.permissions.includes('jobs:read')) return null;
  return cinema.kept('jobs', '', () => new JobsStore(cinema.server));
}

export class JobsStore {
  readonly #server: Server;
  readonly #jobs = signal<readonly JobRow[] | null>(null);
  readonly #unfollow: () => void;

  constructor(server: Server) {
    this.#server = server;
    this.#unfollow = server.follow(jobsFeed, null, {
      onSnapshot: (snapshot) => {
        this.#jobs.value = inOrder(snapshot.jobs);
      },
      onEntries: (entries) => {
        const byId = new Map((this.#jobs.peek() ?? []).map((job) => [job.id, job]));
        for (const { id, job } of entries) {
          if (job === null) byId.delete(id);
          else byId.set(id, job);
        }
        this.#jobs.value = inOrder([...byId.values()]);
      },
    });
  }

  /** `null` until the first snapshot. */
  get jobs(): ReadonlySignal<readonly JobRow[] | null> {
    return this.#jobs;
  }

  async cancel(jobId: string): Promise<void> {
    await this.#server.call(calls.cancel, { jobId });
  }

  /** What failed in a line, the latest first. */
  async failures(jobId: string, limit: number): Promise<readonly FailedRow[]> {
    return (await this.#server.call(calls.failures, { jobId, limit })).failures;
  }

  /** Has one of a line, or all of it, done again. Returns how many. */
  async retry(jobId: string, failureId: string | null): Promise<number> {
    return (await this.#server.call(calls.retry, { jobId, ...idsOf(failureId) })).count;
  }

  async dismiss(jobId: string, failureId: string | null): Promise<void> {
    await this.#server.call(calls.dismiss, { jobId, ...idsOf(failureId) });
  }

  dispose(): void {
    this.#unfollow();
  }
}

const idsOf = (failureId: string | null) => (failureId === null ? {} : { failureIds: [failureId] });
