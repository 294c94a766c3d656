/**
 * Long tasks. Owns: the jobs that run in this process, with their latest progress; everything else about jobs is in the database.
 * A job is `running` → `succeeded` | `failed` | `cancelled`. Rules: SPEC.md.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { jobs } from '#protocol/index.ts';
import type { Job } from '#protocol/schema/job.ts';
import type { JobStore } from './ports.ts';

const TELL_EVERY_MS = 200;
const WRITE_EVERY_MS = 1_000;
const KEEP_ENDED = 500;
const REWRITE_EVERY_MS = 5_000;

/** A failure whose message is for the person who looks at the job. */
export class JobFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JobFailure';
  }
}

export interface JobSpec {
  readonly kind: Job['kind'];
  /** What it works on, in words. */
  readonly subject: string;
  readonly libraryId: string | null;
}

export interface JobProgress {
  readonly done?: number;
  readonly total?: number | null;
  readonly note?: string | null;
}

/** What the work of a job is given. */
export interface RunningJob {
  readonly id: string;
  /** Aborted when somebody cancels the job, or the server stops. */
  readonly signal: AbortSignal;
  /** States progress. Cheap: call it as often as there is news [JOB2]. */
  progress(progress: JobProgress): void;
}

export interface JobEntry {
  readonly kind: 'job';
  readonly id: string;
  readonly job: Job | null;
}

interface Running {
  job: Job;
  readonly abort: AbortController;
  lastTellMs: number;
  lastWriteMs: number;
  timer: Timer | null;
  isCancelled: boolean;
  ended: Promise<Job>;
}

export class JobBoard implements AsyncDisposable {
  readonly #store: JobStore;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #log: Log;
  readonly #running = new Map<string, Running>();
  readonly #listeners = new Set<(entries: readonly JobEntry[]) => void>();
  /** Jobs that ended while the database was away: there they still seem to run [JOB8]. */
  readonly #unwritten = new Map<string, Job>();
  #rewriting: Timer | null = null;
  #isStopping = false;

  constructor(options: { store: JobStore; clock: Clock; newId: () => string; log: Log }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#newId = options.newId;
    this.#log = options.log;
  }

  /** Jobs that a process before this one left open; their owners start them again [JOB5]. Call once, before any `run`. */
  takeInterrupted(): Promise<Job[]> {
    return this.#store.endOpen('The server stopped while this ran. It was started again.');
  }

  /** Starts a job. Resolves when it is in the database and running; `ended` resolves, never rejects, with its last state. */
  async run(spec: JobSpec, work: (job: RunningJob) => Promise<void>): Promise<{ job: Job; ended: Promise<Job> }> {
    const nowMs = this.#clock.nowMs();
    const job: Job = {
      id: this.#newId(),
      ...spec,
      state: 'running',
      done: 0,
      total: null,
      note: null,
      createdAt: nowMs,
      startedAt: nowMs,
      endedAt: null,
    };
    await this.#store.add(job);
    const running: Running = {
      job,
      abort: new AbortController(),
      lastTellMs: -Infinity,
      lastWriteMs: this.#clock.monotonicMs(),
      timer: null,
      isCancelled: false,
      ended: Promise.resolve(job),
    };
    this.#running.set(job.id, running);
    this.#tell(running);
    if (this.#isStopping) running.abort.abort();
    running.ended = this.#work(running, work);
    return { job, ended: running.ended };
  }

  onEntries(listener: (entries: readonly JobEntry[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Open jobs with their live progress, then those that ended. */
  async list(limit: number): Promise<Job[]> {
    return (await this.#store.list(limit)).map((job) => this.#known(job));
  }

  readonly handlers: Pick<Handlers<typeof jobs>, 'list' | 'cancel'> = {
    list: async ({ limit }) => ({ jobs: await this.list(limit) }),
    cancel: async ({ jobId }, { fail }) => {
      const running = this.#running.get(jobId);
      if (!running) {
        const job = await this.#store.find(jobId);
        if (!job) return fail('notFound', { what: 'job', id: jobId });
        return fail('alreadyEnded', { job: this.#known(job) }, 'This job has ended already.');
      }
      running.isCancelled = true;
      running.abort.abort();
      return { job: await running.ended };
    },
  };

  /** Aborts everything and waits for it; the rows stay open for the next start [JOB7]. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    this.#rewriting?.[Symbol.dispose]();
    const ending = [...this.#running.values()].map((running) => {
      running.abort.abort();
      return running.ended;
    });
    await Promise.all(ending);
  }

  async #work(running: Running, work: (job: RunningJob) => Promise<void>): Promise<Job> {
    let state: Job['state'] = 'succeeded';
    let note: string | null | undefined;
    try {
      await work({
        id: running.job.id,
        signal: running.abort.signal,
        progress: (progress) => this.#progress(running, progress),
      });
      if (running.isCancelled && running.abort.signal.aborted) state = 'cancelled';
    } catch (error) {
      state = running.isCancelled ? 'cancelled' : 'failed';
      if (!running.abort.signal.aborted) note = this.#noteOf(error, running.job);
    }
    running.timer?.[Symbol.dispose]();
    running.timer = null;
    if (this.#isStopping && !running.isCancelled) {
      this.#running.delete(running.job.id);
      return running.job;
    }
    running.job = {
      ...running.job,
      state,
      endedAt: this.#clock.nowMs(),
      note: note === undefined ? running.job.note : note,
    };
    try {
      await this.#store.update(running.job);
      await this.#store.prune(KEEP_ENDED);
    } catch (error) {
      this.#log.error('the end of a job could not be written', { job: running.job.id, error });
      this.#unwritten.set(running.job.id, running.job);
      this.#rewriteLater();
    }
    this.#running.delete(running.job.id);
    this.#tell(running);
    return running.job;
  }

  /** A job of the database as it is. */
  #known(job: Job): Job {
    return this.#running.get(job.id)?.job ?? this.#unwritten.get(job.id) ?? job;
  }

  #rewriteLater(): void {
    // Once the server stops, the next start ends what is open [JOB5].
    if (this.#isStopping) return;
    this.#rewriting ??= this.#clock.after(REWRITE_EVERY_MS, () => void this.#rewrite()).unref();
  }

  async #rewrite(): Promise<void> {
    try {
      for (const job of this.#unwritten.values()) {
        await this.#store.update(job);
        this.#unwritten.delete(job.id);
      }
    } catch (error) {
      this.#log.warn('the end of a job still could not be written', { error });
    }
    this.#rewriting = null;
    if (this.#unwritten.size > 0) this.#rewriteLater();
  }

  #progress(running: Running, progress: JobProgress): void {
    if (running.job.state !== 'running') return;
    running.job = { ...running.job, ...progress };
    const nowMs = this.#clock.monotonicMs();
    const waitMs = running.lastTellMs + TELL_EVERY_MS - nowMs;
    if (waitMs <= 0) this.#tellAndWrite(running);
    else running.timer ??= this.#clock.after(waitMs, () => this.#tellAndWrite(running)).unref();
  }

  #tellAndWrite(running: Running): void {
    running.timer?.[Symbol.dispose]();
    running.timer = null;
    this.#tell(running);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - running.lastWriteMs < WRITE_EVERY_MS) return;
    running.lastWriteMs = nowMs;
    void this.#store.update(running.job).catch((error: unknown) => {
      this.#log.warn('the progress of a job could not be written', { job: running.job.id, error });
    });
  }

  #tell(running: Running): void {
    running.lastTellMs = this.#clock.monotonicMs();
    const { job } = running;
    for (const listener of this.#listeners) listener([{ kind: 'job', id: job.id, job }]);
  }

  #noteOf(error: unknown, job: Job): string {
    if (error instanceof JobFailure) return error.message;
    const errorId = this.#newId();
    this.#log.error('a job failed', { job: job.id, kind: job.kind, errorId, error });
    return `Something went wrong that should not (error ${errorId}; the server’s log tells more).`;
  }
}
