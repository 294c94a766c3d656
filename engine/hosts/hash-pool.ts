import { PoolError, WorkerPool } from '#engine/runtime/worker-pool.ts';
import type { ContentHashes, HashOutcome } from './hash.port.ts';
import type * as tasks from './hash.worker.ts';

/** Paths in one task: enough to hide the hand-over (0.1 ms), few enough to spread a scan over the threads. */
const BATCH_PATHS = 32;
const BATCH_LIMIT_MS = 60_000;
/** A whole movie at 2 MB/s, the slowest disk worth having, is 100 GB in 14 hours. */
const WHOLE_LIMIT_MS = 16 * 3_600_000;

/**
 * Hashing threads. Whole files have a thread of their own, because each holds it for minutes while a scan wants its answers
 * in milliseconds.
 */
export class HashPool implements ContentHashes, AsyncDisposable {
  readonly #identities: WorkerPool<typeof tasks>;
  readonly #wholes: WorkerPool<typeof tasks>;

  constructor(options: { readonly threads: number }) {
    const entry = new URL('./hash.worker.ts', import.meta.url);
    this.#identities = new WorkerPool({ name: 'identity hashes', entry, threads: options.threads });
    this.#wholes = new WorkerPool({ name: 'whole-file hashes', entry, threads: 1 });
  }

  async identify(paths: readonly string[], signal?: AbortSignal): Promise<readonly HashOutcome[]> {
    const batches = Array.from({ length: Math.ceil(paths.length / BATCH_PATHS) }, (_, index) =>
      paths.slice(index * BATCH_PATHS, (index + 1) * BATCH_PATHS),
    );
    const outcomes = await Promise.all(
      batches.map((batch) =>
        this.#identities
          .run('identify', batch, { timeLimitMs: BATCH_LIMIT_MS, signal })
          .catch((error: unknown): HashOutcome[] => batch.map(() => outcomeOf(error))),
      ),
    );
    return outcomes.flat();
  }

  async whole(path: string, signal?: AbortSignal): Promise<HashOutcome> {
    return await this.#wholes.run('whole', path, { timeLimitMs: WHOLE_LIMIT_MS, signal }).catch(outcomeOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#identities[Symbol.asyncDispose](), this.#wholes[Symbol.asyncDispose]()]);
  }
}

/** A disk that does not answer is the file's failure; a withdrawn, refused or broken task is the caller's exception. */
function outcomeOf(error: unknown): HashOutcome {
  if (error instanceof PoolError && error.code === 'timeLimit') return { failure: 'timeout' };
  throw error;
}
