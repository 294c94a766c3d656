import { PoolError, WorkerPool } from '#engine/runtime/worker-pool.ts';
import type { ArtworkOutcome, ArtworkRequest, ArtworkSource, MeasureOutcome } from './artwork.port.ts';
import type * as tasks from './artwork.worker.ts';

/** Behind the thread's own limit: libvips cuts a picture short by itself. */
const TIME_LIMIT_MS = 30_000;

/**
 * Threads that decode and resize pictures. Outcomes are values; rejects with a PoolError where too much waits or the pool was stopped.
 */
export class ArtworkThreads implements AsyncDisposable {
  readonly #pool: WorkerPool<typeof tasks>;

  constructor(options: { readonly threads: number }) {
    const entry = new URL('./artwork.worker.ts', import.meta.url);
    this.#pool = new WorkerPool({ name: 'picture threads', entry, threads: options.threads });
  }

  /** How large a picture would be served. Decodes nothing but its header. */
  measure(source: ArtworkSource): Promise<MeasureOutcome> {
    return this.#pool.run('measure', source, { timeLimitMs: TIME_LIMIT_MS, level: 1 }).catch(outcomeOf);
  }

  render(source: ArtworkSource, request: ArtworkRequest): Promise<ArtworkOutcome> {
    return this.#pool.run('render', { source, request }, { timeLimitMs: TIME_LIMIT_MS }).catch(outcomeOf);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }
}

function outcomeOf(error: unknown): { ok: false; failure: 'timeout' } {
  if (error instanceof PoolError && error.code === 'timeLimit') return { ok: false, failure: 'timeout' };
  throw error;
}
