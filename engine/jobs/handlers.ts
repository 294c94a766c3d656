/** Jobs as calls and as a feed: the tasks of the board and the lines of durable work in one list. */
import type { CallContext, Handlers } from '#protocol/handler.ts';
import type { jobs as calls } from '#protocol/index.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { JobBoard, JobEntry } from './job-board.ts';
import type { WorkKind } from './ports.ts';
import type { WorkLines } from './work-lines.ts';

const MAX_REASON_CHARACTERS = 500;

export interface Jobs {
  readonly handlers: Handlers<typeof calls>;
  /** What goes on, then what ended, the latest first. */
  list(limit: number): Promise<Job[]>;
  onEntries(listener: (entries: readonly JobEntry[]) => void): () => void;
}

export function createJobs({ board, lines }: { board: JobBoard; lines: WorkLines }): Jobs {
  const isOpen = (job: Job): boolean => job.state === 'waiting' || job.state === 'running';

  async function list(limit: number): Promise<Job[]> {
    const all = [...lines.list(), ...(await board.list(limit))];
    return all.toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || b.createdAt - a.createdAt).slice(0, limit);
  }

  /** The line that is meant, asked while its server can be reached. */
  async function ask<T>(
    jobId: string,
    { fail }: Pick<CallContext<typeof calls.failures>, 'fail'>,
    question: (kind: WorkKind) => Promise<T>,
  ): Promise<T> {
    const kind = lines.kindOf(jobId);
    if (kind === null) return fail('notFound', { what: 'job', id: jobId });
    try {
      return await question(kind);
    } catch (error) {
      if (lines.isAway) return fail('queueAway', {}, 'The server of the queue cannot be reached just now.');
      throw error;
    }
  }

  const setOf = (ids: readonly string[] | undefined) => (ids === undefined ? null : new Set(ids));

  return {
    list,
    onEntries(listener) {
      const endings = [board.onEntries(listener), lines.onEntries(listener)];
      return () => endings.forEach((end) => end());
    },
    handlers: {
      list: async ({ limit }) => ({ jobs: await list(limit) }),
      async cancel(input, context) {
        if (lines.kindOf(input.jobId) === null) return board.handlers.cancel(input, context);
        const job = await ask(input.jobId, context, (kind) => lines.cancel(kind));
        return job === null ? context.fail('notFound', { what: 'job', id: input.jobId }) : { job };
      },
      async failures({ jobId, limit }, context) {
        const failed = await ask(jobId, context, (kind) => lines.failures(kind, limit));
        return {
          failures: failed.map(({ id, subject, reason, attempts, failedAtMs }) => ({
            id,
            subject,
            reason: reason.slice(0, MAX_REASON_CHARACTERS),
            attempts,
            failedAt: failedAtMs,
          })),
        };
      },
      retry: async ({ jobId, failureIds }, context) => ({
        count: await ask(jobId, context, (kind) => lines.retry(kind, setOf(failureIds))),
      }),
      async dismiss({ jobId, failureIds }, context) {
        await ask(jobId, context, (kind) => lines.forget(kind, setOf(failureIds)));
        return {};
      },
    },
  };
}
