import { Piscina } from 'piscina';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import { PriorityQueue } from '#engine/base/priority-queue.ts';
import type { CallName, CallResult } from './host-wire.ts';

/**
 * Threads for seconds of work that would hold up the main loop. A task names a function that the worker entry exports; it
 * takes one structured clone and returns another. Its rules are POOL1 to POOL5 of SPEC.md.
 *
 * The queue is here and not in piscina: a task is handed over when a thread is free, so that its time limit counts from
 * its start, and what waits can be ordered and withdrawn. Threads start when needed and end after half a minute of rest.
 *
 * Never for node-av: ending a thread inside a native call ends the process.
 */
export class WorkerPool<Tasks extends object> implements AsyncDisposable {
  readonly #name: string;
  readonly #threads: number;
  readonly #clock: Clock;
  readonly #piscina: Piscina;
  readonly #queue: PriorityQueue<Job>;
  readonly #running = new Map<Job, AbortController>();
  #isStopped = false;

  constructor(options: WorkerPoolOptions) {
    this.#name = options.name;
    this.#threads = options.threads;
    this.#clock = options.clock ?? systemClock;
    this.#queue = new PriorityQueue({ levels: 2, capacity: options.capacity ?? 1_024 });
    this.#piscina = new Piscina({
      filename: options.entry.href,
      minThreads: 0,
      maxThreads: options.threads,
      idleTimeout: 30_000,
      // With the default, `sync`, an idle thread sleeps in Atomics.wait: its timers and ports are dead.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: options.heapLimitMiB ?? 256 },
    });
    // A thread that ends while loading its entry has no task yet, and piscina would leave the waiting ones waiting.
    this.#piscina.on('error', (error) => {
      for (const job of this.#running.keys()) this.#end(job, new PoolError('failed', this.#name, error));
    });
  }

  /** Tasks that are running or waiting. */
  get size(): number {
    return this.#running.size + this.#queue.size;
  }

  /**
   * Runs a task and waits for its result. Rejects with the signal's reason when it is aborted, otherwise with a PoolError:
   * `overloaded` (its level is full), `timeLimit`, `stopped`, or `failed` (it threw, or its thread ended; see `cause`).
   */
  async run<Name extends CallName<Tasks>>(
    name: Name,
    input: TaskInput<Tasks, Name>,
    options: TaskOptions,
  ): Promise<CallResult<Tasks, Name>> {
    const { level = 0, timeLimitMs, signal } = options;
    signal?.throwIfAborted();
    if (this.#isStopped) throw new PoolError('stopped', this.#name);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const job: Job = { name, input, timeLimitMs, resolve, reject };
    if (!this.#queue.push(job, level)) throw new PoolError('overloaded', this.#name);
    const onAbort = (): void => this.#end(job, signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#pump();
    try {
      return (await promise) as CallResult<Tasks, Name>;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    for (const job of [...this.#queue.drain(), ...this.#running.keys()]) {
      this.#end(job, new PoolError('stopped', this.#name));
    }
    await this.#piscina.destroy();
  }

  #pump(): void {
    while (this.#running.size < this.#threads) {
      const job = this.#queue.shift();
      if (!job) return;
      void this.#work(job);
    }
  }

  async #work(job: Job): Promise<void> {
    const abort = new AbortController();
    this.#running.set(job, abort);
    using _timer = this.#clock.after(job.timeLimitMs, () => this.#end(job, new PoolError('timeLimit', this.#name)));
    try {
      job.resolve(await this.#piscina.run(job.input, { name: job.name, signal: abort.signal }));
    } catch (error) {
      job.reject(new PoolError('failed', this.#name, error));
    } finally {
      this.#running.delete(job);
      this.#pump();
    }
  }

  /** Rejects a task first, then takes it out of the queue or ends the thread that runs it. */
  #end(job: Job, reason: unknown): void {
    job.reject(reason);
    if (!this.#queue.remove(job)) this.#running.get(job)?.abort();
  }
}

export interface WorkerPoolOptions {
  /** For people, in errors and logs. */
  readonly name: string;
  /** The worker entry, a `.ts` file that exports the tasks. */
  readonly entry: URL;
  readonly threads: number;
  /** Most tasks waiting in each level, 1,024 unless told. */
  readonly capacity?: number;
  /** JavaScript heap of a thread. */
  readonly heapLimitMiB?: number;
  readonly clock?: Clock;
}

export interface TaskOptions {
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** 0 (unless told): somebody waits. 1: background. */
  readonly level?: 0 | 1;
}

export type TaskInput<Tasks, Name extends keyof Tasks> = Tasks[Name] extends (input: infer Input) => unknown
  ? Input
  : never;

export class PoolError extends Error {
  readonly code: 'overloaded' | 'timeLimit' | 'failed' | 'stopped';

  constructor(code: PoolError['code'], pool: string, cause?: unknown) {
    super(`${pool}: ${code}`, { cause });
    this.name = 'PoolError';
    this.code = code;
  }
}

interface Job {
  readonly name: string;
  readonly input: unknown;
  readonly timeLimitMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}
