/**
 * Durable work by BullMQ, on whichever server it is opened. Owns: one queue and one worker for each kind, and whether the server
 * can be reached. A queue of its own for each kind keeps the urgencies of one apart from those of another.
 */
import { randomUUID } from 'node:crypto';
import type { Job, JobsOptions, Processor, QueueOptions, WorkerOptions } from 'bullmq';
import { UnrecoverableError, WaitingError } from 'bullmq';
import type { Log } from '#engine/base/log.ts';
import type {
  FailedItem,
  ItemEnd,
  QueueCounts,
  QueueDanger,
  QueueItem,
  QueueServer,
  TakenItem,
  Urgency,
  WorkKind,
} from '#engine/jobs/ports.ts';

/** What is used of BullMQ's classes, which are the same on every server but for their types. */
interface BullQueue {
  addBulk(jobs: { name: string; data: unknown; opts: JobsOptions }[]): Promise<{ id?: string | undefined }[]>;
  getJob(id: string): Promise<Job | undefined>;
  getJobCounts(...states: CountedState[]): Promise<Record<string, number>>;
  getFailed(start: number, end: number): Promise<Job[]>;
  drain(isDelayedToo: boolean): Promise<void>;
  close(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface BullWorker {
  pause(doNotWaitActive: boolean): Promise<void>;
  close(force: boolean): Promise<void>;
  getBackend(): { moveStalledJobsToWait(): Promise<string[]> };
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (jobIds: string[]) => void): unknown;
}

type CountedState = (typeof COUNTED)[number];
const COUNTED = ['waiting', 'prioritized', 'delayed', 'active', 'failed'] as const;

export interface BullQueueServerOptions {
  readonly name: string;
  readonly log: Log;
  readonly lockMs: number | undefined;
  readonly queue: (name: string, options: Omit<QueueOptions, 'connection'>) => BullQueue;
  readonly worker: (name: string, run: Processor, options: Omit<WorkerOptions, 'connection'>) => BullWorker;
  /** Rejects while the server cannot be reached. */
  readonly probe: () => Promise<void>;
  readonly dangers: () => Promise<readonly QueueDanger[]>;
  /** Calls when a connection was lost. */
  readonly onLoss: (listener: (error: Error) => void) => void;
  readonly close: () => Promise<void>;
  /** Whether it could be reached when this was opened. */
  readonly isThere: boolean;
}

/** Lower goes first; 0 would be a list of its own that no priority overtakes. */
const PRIORITIES: Readonly<Record<Urgency, number>> = { click: 1, normal: 10, bulk: 100 };
/** Without a sign of life for this long, work is given to somebody else. */
const LOCK_MS = 10_000;
/** A work that takes the process with it this often is not begun again [WORK7]. */
const MAX_STALLED = 3;
/** A timer may come a little early, and BullMQ refuses a look before its interval is over. */
const LOOK_SLACK = 0.8;
const STALLED_REASON = 'job stalled more than allowable limit';
const KEEP_FAILED = { count: 1_000, age: 30 * 24 * 3_600 };
/** Each key takes a lock of the transaction, and Postgres holds some thousands for everybody. */
const BATCH = 200;
const ANSWER_WITHIN_MS = 15_000;
const PROBE_EVERY_MS = 1_000;
const RETRY_AFTER_LOSS_MS = 1_000;
/** How long an idle worker sleeps at most, in seconds. News wakes it. */
const IDLE_SLEEP_S = 30;
/** Nobody reads BullMQ's event stream. */
const KEPT_EVENTS = 100;
/** How often somebody's orders may end between being found and being raised. */
const RAISE_TRIES = 3;

/** Says, through BullMQ, when a failed work is to be tried again. */
class Again extends Error {
  readonly inMs: number;
  constructor(reason: string, inMs: number) {
    super(reason);
    // Postgres takes whole numbers only.
    this.inMs = Math.ceil(inMs);
  }
}

export class BullQueueServer implements QueueServer {
  readonly name: string;
  readonly #options: BullQueueServerOptions;
  readonly #log: Log;
  readonly #queues = new Map<WorkKind, BullQueue>();
  readonly #workers: BullWorker[] = [];
  readonly #running = new Map<string, { readonly kind: WorkKind; readonly abort: AbortController }>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #listeners = new Set<(isAway: boolean) => void>();
  #isAway: boolean;
  #probing: NodeJS.Timeout | null = null;
  #isClosing = false;

  constructor(options: BullQueueServerOptions) {
    this.#options = options;
    this.name = options.name;
    this.#log = options.log;
    this.#isAway = !options.isThere;
    options.onLoss((error) => this.#onTrouble(error));
    if (this.#isAway) this.#probeLater();
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  onAway(listener: (isAway: boolean) => void): void {
    this.#listeners.add(listener);
  }

  async add(kind: WorkKind, items: readonly QueueItem[]): Promise<void> {
    const single = joinSameKeys(items);
    for (let from = 0; from < single.length; from += BATCH) {
      let batch = single.slice(from, from + BATCH);
      for (let tries = 0; batch.length > 0; tries += 1) {
        // Found and gone that often: others order and finish the same all the time. Twice is better than never.
        if (tries === RAISE_TRIES) batch = batch.map((item) => ({ ...item, key: null }));
        batch = await this.#addBatch(this.#queue(kind), kind, batch);
      }
    }
  }

  /** Returns what is to be ordered anew: what had its key was done before it could be raised. */
  async #addBatch(queue: BullQueue, kind: WorkKind, items: readonly QueueItem[]): Promise<QueueItem[]> {
    const entries = items.map((item) => ({
      name: kind,
      data: item.content,
      opts: { jobId: randomUUID(), ...jobOptions(item) },
    }));
    const jobs = await this.#ask(() => queue.addBulk(entries));
    const isSettled = await Promise.all(
      items.map(async (item, index) => {
        const id = jobs[index]?.id;
        return id === undefined || id === entries[index]?.opts.jobId || (await this.#raise(queue, id, item));
      }),
    );
    return items.filter((_item, index) => !isSettled[index]);
  }

  async counts(kind: WorkKind): Promise<QueueCounts> {
    const queue = this.#queue(kind);
    const counts = await this.#ask(() => queue.getJobCounts(...COUNTED));
    const of = (state: CountedState): number => counts[state] ?? 0;
    return {
      waiting: of('waiting') + of('prioritized'),
      delayed: of('delayed'),
      running: of('active'),
      failed: of('failed'),
    };
  }

  work(kind: WorkKind, concurrency: number, run: (item: TakenItem) => Promise<ItemEnd>): void {
    const lockMs = this.#options.lockMs ?? LOCK_MS;
    const worker = this.#options.worker(kind, (job, token) => this.#run(run, job, token), {
      concurrency,
      lockDuration: lockMs,
      // Its own look writes every time, which keeps the disk of an idle server awake. See `#lookForStalled`.
      skipStalledCheck: true,
      stalledInterval: Math.floor(lockMs * LOOK_SLACK),
      maxStalledCount: MAX_STALLED,
      drainDelay: IDLE_SLEEP_S,
      runRetryDelay: RETRY_AFTER_LOSS_MS,
      settings: { backoffStrategy: (_attempt, _type, error) => (error instanceof Again ? error.inMs : 0) },
    });
    worker.on('error', (error) => this.#onTrouble(error));
    // Somebody else has it by now: two at once would be twice the work, though not twice the effect.
    worker.on('lockRenewalFailed', (jobIds) => jobIds.forEach((id) => this.#running.get(id)?.abort.abort()));
    this.#workers.push(worker);
    const look = (): void => void this.#lookForStalled(kind, worker);
    look();
    this.#timers.push(setInterval(look, lockMs).unref());
  }

  async clear(kind: WorkKind): Promise<void> {
    const queue = this.#queue(kind);
    await this.#ask(() => queue.drain(true));
  }

  async failures(kind: WorkKind, limit: number): Promise<FailedItem[]> {
    const queue = this.#queue(kind);
    const jobs = await this.#ask(() => queue.getFailed(0, Math.min(limit, KEEP_FAILED.count) - 1));
    return jobs.map((job) => ({
      id: job.id ?? '',
      content: job.data as unknown,
      reason: job.failedReason === STALLED_REASON ? 'The server ended every time while it ran.' : job.failedReason,
      attempts: job.attemptsMade,
      failedAtMs: job.finishedOn ?? job.timestamp,
    }));
  }

  async forget(kind: WorkKind, itemId: string): Promise<void> {
    const queue = this.#queue(kind);
    const job = await this.#ask(() => queue.getJob(itemId));
    if (job !== undefined) await this.#ask(() => job.remove());
  }

  dangers(): Promise<readonly QueueDanger[]> {
    return this.#ask(this.#options.dangers);
  }

  async pause(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#workers.map((worker) => worker.pause(true)));
  }

  /** Waits for what runs only where its end is near: what is left is taken for lost by the next process, and done again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    if (this.#probing) clearTimeout(this.#probing);
    this.#timers.forEach(clearInterval);
    const isAbrupt = this.#isAway || this.#running.size > 0;
    await Promise.all(this.#workers.map((worker) => worker.close(isAbrupt)));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    await this.#options.close();
  }

  async #run(run: (item: TakenItem) => Promise<ItemEnd>, job: Job, token: string | undefined): Promise<void> {
    // From here on the same key is another order [WORK3].
    await job.removeDeduplicationKey();
    const id = job.id ?? '';
    const abort = new AbortController();
    const running = { kind: job.queueName as WorkKind, abort };
    this.#running.set(id, running);
    let end: ItemEnd;
    try {
      end = await run({ content: job.data as unknown, attempt: job.attemptsMade + 1, signal: abort.signal });
    } finally {
      if (this.#running.get(id) === running) this.#running.delete(id);
    }
    if (end.kind === 'again') {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (end.kind === 'failed') {
      throw end.retryInMs === null ? new UnrecoverableError(end.reason) : new Again(end.reason, end.retryInMs);
    }
  }

  /**
   * Puts back what a process that is gone ran: what gave no sign of life at two looks in a row. While everything that runs
   * runs here there is nothing to look for.
   */
  async #lookForStalled(kind: WorkKind, worker: BullWorker): Promise<void> {
    if (this.#isAway || this.#isClosing) return;
    try {
      const here = [...this.#running.values()].filter((running) => running.kind === kind).length;
      const { running } = await this.counts(kind);
      if (running > here && !this.#isClosing) await worker.getBackend().moveStalledJobsToWait();
    } catch (error) {
      this.#onTrouble(error as Error);
    }
  }

  /** Makes an order that has not begun as urgent and as soon as this one. `false` where it is gone. */
  async #raise(queue: BullQueue, id: string, item: QueueItem): Promise<boolean> {
    const job = await this.#ask(() => queue.getJob(id));
    if (job === undefined) return false;
    const priority = PRIORITIES[item.urgency];
    try {
      if (priority < job.priority) await this.#ask(() => job.changePriority({ priority }));
      const dueMs = job.timestamp + job.delay;
      if (job.delay > 0 && Date.now() + item.delayMs < dueMs) {
        await this.#ask(() => (item.delayMs === 0 ? job.promote() : job.changeDelay(item.delayMs)));
      }
    } catch (error) {
      // It has begun since, which is sooner still. Its handler sees what this order is about, which was there before.
      if (this.#isAway) throw error;
    }
    return true;
  }

  #queue(kind: WorkKind): BullQueue {
    let queue = this.#queues.get(kind);
    if (queue === undefined) {
      queue = this.#options.queue(kind, { streams: { events: { maxLen: KEPT_EVENTS } } });
      queue.on('error', (error) => this.#onTrouble(error));
      this.#queues.set(kind, queue);
    }
    return queue;
  }

  /** Asks the server, which answers soon or is away. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#isAway) throw this.#awayError();
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => silence.reject(this.#awayError()), ANSWER_WITHIN_MS);
    try {
      return await Promise.race([question(), silence.promise]);
    } catch (error) {
      if (!(error instanceof Error) || !isLoss(error)) throw error;
      this.#onTrouble(error);
      throw this.#awayError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #awayError(cause?: Error): Error {
    return new Error(`${this.name} cannot be reached, so the work was not ordered. Order it again when it is back.`, {
      cause,
    });
  }

  #onTrouble(error: Error): void {
    if (this.#isClosing) return;
    if (!isLoss(error)) return this.#log.warn('the queue had trouble', { server: this.name, error });
    this.#setAway(true);
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#isClosing) return;
    this.#probing ??= setTimeout(() => void this.#probe(), PROBE_EVERY_MS).unref();
  }

  async #probe(): Promise<void> {
    const isThere = await this.#options.probe().then(
      () => true,
      () => false,
    );
    this.#probing = null;
    if (isThere) this.#setAway(false);
    else this.#probeLater();
  }

  #setAway(isAway: boolean): void {
    if (this.#isAway === isAway || this.#isClosing) return;
    this.#isAway = isAway;
    for (const listener of this.#listeners) listener(isAway);
  }
}

/** What only this process sees: a connection that was refused, cut, or ended by the server, which says so in class 57P. */
function isLoss(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return (
    (typeof code === 'string' && /^(E[A-Z]+|57P0\d|08\d{3})$/.test(code)) ||
    /connection (error|was|is)? ?(closed|terminated)|terminating connection|not queryable/i.test(error.message)
  );
}

function jobOptions({ urgency, key, delayMs }: QueueItem): JobsOptions {
  return {
    priority: PRIORITIES[urgency],
    delay: delayMs,
    ...(key === null ? {} : { deduplication: { id: key } }),
    // Who works decides how often; see `Again`.
    attempts: 1_000_000,
    backoff: { type: 'asked' },
    removeOnComplete: true,
    removeOnFail: KEEP_FAILED,
    stackTraceLimit: 0,
  };
}

/** Orders of one call with the same key as one, with the higher urgency and the earlier time. */
function joinSameKeys(items: readonly QueueItem[]): QueueItem[] {
  const byKey = new Map<string | symbol, QueueItem>();
  for (const given of items) {
    const item = { ...given, delayMs: Math.ceil(given.delayMs) };
    const key = item.key ?? Symbol('none');
    const other = byKey.get(key);
    if (other === undefined) byKey.set(key, item);
    else {
      const isMore = PRIORITIES[item.urgency] < PRIORITIES[other.urgency];
      byKey.set(key, { ...(isMore ? item : other), delayMs: Math.min(item.delayMs, other.delayMs) });
    }
  }
  return [...byKey.values()];
}
