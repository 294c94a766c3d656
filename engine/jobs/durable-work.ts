/**
 * Work that outlives the process. Owns: who does which kind, and what runs here now; the orders themselves are with the server
 * of the queue (ports.ts). Trades a moment per order for the promise that it is carried out. Rules: SPEC.md, WORK1 to WORK9.
 */
import * as v from 'valibot';
import { backoffMs } from '#engine/base/backoff.ts';
import type { BackoffPolicy } from '#engine/base/backoff.ts';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { JobFailure } from './job-board.ts';
import { URGENCIES } from './ports.ts';
import type {
  FailedItem,
  ItemEnd,
  JobsHealth,
  QueueDanger,
  QueueItem,
  QueueServer,
  RunningWork,
  TakenItem,
  WorkKind,
  WorkOptions,
  WorkOrder,
  WorkOutcome,
  WorkProgress,
  WorkQueue,
} from './ports.ts';

const ATTEMPTS = 5;
const RETRY = { firstMs: 4_000, maxMs: 10 * 60_000, factor: 4 };
const MAX_LATER_MS = 24 * 3_600_000;
/** Ids and a few words, and not content: every order is read and written several times. */
const MAX_PAYLOAD_CHARACTERS = 16_384;
const MAX_SUBJECT_CHARACTERS = 200;
const STOP_WITHIN_MS = 8_000;
const HEALTH_ID = 'queue';
/** What the person who runs the server is told; the name of the queue's server goes before the title. */
const DANGERS: Readonly<Record<QueueDanger, { readonly title: string; readonly action: string }>> = {
  evicts: {
    title: 'throws work in the background away when its memory is full.',
    action: 'Set “maxmemory-policy noeviction” in its configuration, or give the queue a server of its own.',
  },
  forgets: {
    title: 'loses work in the background when it is stopped.',
    action: 'Set “appendonly yes” and “appendfsync always” in its configuration, and start it again.',
  },
};

/** What is kept of an order. */
const Content = v.object({
  payload: v.record(v.string(), v.unknown()),
  urgency: v.optional(v.picklist(URGENCIES), 'normal'),
  key: v.optional(v.nullable(v.string()), null),
  subject: v.optional(v.nullable(v.string()), null),
});

/** What happened to the work of a kind in this process. */
export type WorkNews =
  | { readonly kind: 'ordered' | 'began' | 'done' | 'failed' | 'cancelled' }
  | { readonly kind: 'later' | 'retrying'; readonly why: string }
  | { readonly kind: 'progress'; readonly progress: WorkProgress };

/** An order that failed for good. */
export interface FailedWork {
  readonly id: string;
  readonly kind: WorkKind;
  readonly subject: string | null;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAtMs: number;
}

interface Handling {
  readonly options: WorkOptions;
  readonly work: (payload: unknown, job: RunningWork) => Promise<WorkOutcome>;
}

interface Running {
  readonly kind: WorkKind;
  readonly abort: AbortController;
  isCancelled: boolean;
  readonly ended: Promise<unknown>;
}

export class DurableWork implements WorkQueue, AsyncDisposable {
  readonly #server: QueueServer;
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #log: Log;
  readonly #retry: BackoffPolicy;
  readonly #handlings = new Map<WorkKind, Handling>();
  readonly #running = new Set<Running>();
  readonly #news = new Set<(kind: WorkKind, news: WorkNews) => void>();
  readonly #returns = new Set<() => void>();
  #isStarted = false;
  #stopping: Promise<void> | null = null;

  constructor(options: {
    server: QueueServer;
    health: JobsHealth;
    clock: Clock;
    newId: () => string;
    log: Log;
    /** How long what failed waits; for tests. */
    retry?: BackoffPolicy;
  }) {
    this.#server = options.server;
    this.#clock = options.clock;
    this.#newId = options.newId;
    this.#log = options.log;
    this.#retry = options.retry ?? RETRY;
    const tell = (isAway: boolean): void => {
      if (!isAway) return options.health.clear(HEALTH_ID);
      options.health.set({
        id: HEALTH_ID,
        severity: 'error',
        title: `Work in the background stands still: ${this.#server.name} cannot be reached.`,
        action:
          'Start it again, or look at the network between the two. What was asked for is kept and goes on by itself.',
      });
    };
    if (this.#server.isAway) tell(true);
    else void this.#tellDangers(options.health);
    this.#server.onAway((isAway) => {
      tell(isAway);
      if (!isAway) void this.#tellDangers(options.health);
      if (isAway) this.#log.warn('the server of the queue is away', { server: this.#server.name });
      else this.#log.info('the server of the queue is back', { server: this.#server.name });
      if (!isAway) for (const listener of this.#returns) listener();
    });
  }

  /** [WORK9] Looked at when the server is met, which is when its configuration can have changed. */
  async #tellDangers(health: JobsHealth): Promise<void> {
    let dangers: readonly QueueDanger[];
    try {
      dangers = await this.#server.dangers();
    } catch (error) {
      return this.#log.info('the server of the queue does not say how it keeps orders', { error });
    }
    for (const [danger, { title, action }] of Object.entries(DANGERS)) {
      const id = `${HEALTH_ID}/${danger}`;
      if (!dangers.includes(danger as QueueDanger)) health.clear(id);
      else health.set({ id, severity: 'warning', title: `${this.#server.name} ${title}`, action });
    }
  }

  async order(orders: readonly WorkOrder[]): Promise<void> {
    const itemsByKind = Map.groupBy(orders, ({ kind }) => kind);
    for (const [kind, ofKind] of itemsByKind) {
      await this.#server.add(kind, ofKind.map(orderToItem));
      this.#tell(kind, { kind: 'ordered' });
    }
  }

  handle(
    kind: WorkKind,
    options: WorkOptions,
    work: (payload: unknown, job: RunningWork) => Promise<WorkOutcome>,
  ): void {
    if (this.#isStarted) throw new Error(`the work “${kind}” came after the start: nobody would begin it`);
    if (this.#handlings.has(kind)) throw new Error(`the work “${kind}” is done by somebody already`);
    this.#handlings.set(kind, { options, work });
  }

  async waiting(kind: WorkKind): Promise<number> {
    const { waiting, delayed, running } = await this.#server.counts(kind);
    return waiting + delayed + running;
  }

  onReturn(listener: () => void): () => void {
    this.#returns.add(listener);
    return () => void this.#returns.delete(listener);
  }

  /** Begins to work, on what earlier processes left too. Once, when every kind has its handler. */
  start(): void {
    this.#isStarted = true;
    for (const [kind, handling] of this.#handlings) {
      this.#server.work(kind, handling.options.concurrency, (item) => this.#take(kind, handling, item));
    }
  }

  /** Whether the server of the queue is away, so that everything below rejects. */
  get isAway(): boolean {
    return this.#server.isAway;
  }

  /** Kinds that somebody does, with their titles. */
  kinds(): { readonly kind: WorkKind; readonly title: string }[] {
    return [...this.#handlings].map(([kind, { options }]) => ({ kind, title: options.title }));
  }

  counts(kind: WorkKind): ReturnType<QueueServer['counts']> {
    return this.#server.counts(kind);
  }

  onNews(listener: (kind: WorkKind, news: WorkNews) => void): () => void {
    this.#news.add(listener);
    return () => void this.#news.delete(listener);
  }

  /** Removes what has not begun, and stops what runs [WORK6]. */
  async cancel(kind: WorkKind): Promise<void> {
    await this.#server.clear(kind);
    const ofKind = [...this.#running].filter((running) => running.kind === kind);
    for (const running of ofKind) {
      running.isCancelled = true;
      running.abort.abort();
    }
    await Promise.all(ofKind.map(({ ended }) => ended));
    this.#tell(kind, { kind: 'cancelled' });
  }

  /** What failed for good, the latest first. */
  async failures(kind: WorkKind, limit: number): Promise<FailedWork[]> {
    return (await this.#server.failures(kind, limit)).map((item) => ({
      id: item.id,
      kind,
      subject: contentOf(item)?.subject ?? null,
      reason: item.reason,
      attempts: item.attempts,
      failedAtMs: item.failedAtMs,
    }));
  }

  /** Orders again what failed, as a click: the named ones, or all. Returns how many; what nobody can read is left. */
  async retry(kind: WorkKind, ids: ReadonlySet<string> | null): Promise<number> {
    let count = 0;
    for (const item of await this.#server.failures(kind, Infinity)) {
      const content = contentOf(item);
      if (content === null || (ids !== null && !ids.has(item.id))) continue;
      // The order first: a kill between the two does it twice rather than never.
      await this.#server.add(kind, [{ content, urgency: 'click', key: content.key, delayMs: 0 }]);
      await this.#server.forget(kind, item.id);
      count += 1;
    }
    if (count > 0) this.#tell(kind, { kind: 'ordered' });
    return count;
  }

  /** Forgets what failed: the named ones, or all. */
  async forget(kind: WorkKind, ids: ReadonlySet<string> | null): Promise<void> {
    for (const { id } of await this.#server.failures(kind, Infinity)) {
      if (ids === null || ids.has(id)) await this.#server.forget(kind, id);
    }
    this.#tell(kind, { kind: 'ordered' });
  }

  /** Takes nothing new, and cuts short what runs, which is done again by the next process [WORK5]. Orders are still taken. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    await this.#server.pause();
    const ending = [...this.#running].map((running) => {
      running.abort.abort();
      return running.ended;
    });
    const outOfTime = Promise.withResolvers<void>();
    using _timer = this.#clock.after(STOP_WITHIN_MS, outOfTime.resolve);
    await Promise.race([Promise.all(ending), outOfTime.promise]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#server[Symbol.asyncDispose]();
  }

  async #take(kind: WorkKind, handling: Handling, item: TakenItem): Promise<ItemEnd> {
    if (this.#stopping) return { kind: 'again' };
    const abort = new AbortController();
    const ended = Promise.withResolvers<void>();
    const running: Running = { kind, abort, isCancelled: false, ended: ended.promise };
    const onTakenOver = (): void => abort.abort();
    item.signal.addEventListener('abort', onTakenOver, { once: true });
    this.#running.add(running);
    this.#tell(kind, { kind: 'began' });
    try {
      return await this.#work(kind, handling, item, running);
    } finally {
      item.signal.removeEventListener('abort', onTakenOver);
      this.#running.delete(running);
      ended.resolve();
    }
  }

  async #work(kind: WorkKind, { options, work }: Handling, item: TakenItem, running: Running): Promise<ItemEnd> {
    const content = contentOf(item);
    if (content === null) return this.#refuse(kind, 'It is not an order that this version knows.');
    const { signal } = running.abort;
    try {
      const outcome = await work(content.payload, {
        attempt: item.attempt,
        signal,
        progress: (progress) => this.#tell(kind, { kind: 'progress', progress }),
      });
      if (outcome.kind === 'later' && !running.isCancelled) {
        await this.#putOff(kind, content, outcome.afterMs);
        this.#tell(kind, { kind: 'later', why: outcome.why });
      } else {
        this.#tell(kind, { kind: 'done' });
      }
      return { kind: 'done' };
    } catch (error) {
      if (running.isCancelled) return { kind: 'done' };
      // Cut short by the end of the server, or taken over by somebody else.
      if (signal.aborted) return { kind: 'again' };
      if (error instanceof v.ValiError) {
        return this.#refuse(kind, 'It is from another version, and this one cannot read it.');
      }
      const isFinal = error instanceof JobFailure || item.attempt >= (options.attempts ?? ATTEMPTS);
      if (!isFinal) {
        this.#log.warn('work failed and is tried again', { kind, attempt: item.attempt, error });
        this.#tell(kind, { kind: 'retrying', why: 'Something went wrong, and is tried again in a while.' });
        return {
          kind: 'failed',
          reason: error instanceof Error ? error.message : 'Something else than an error was thrown.',
          retryInMs: backoffMs(item.attempt, this.#retry),
        };
      }
      return this.#refuse(kind, this.#reasonOf(error, kind));
    }
  }

  /** Orders the same again for later: the key is one with what was ordered meanwhile, and the attempts begin anew [WORK4]. */
  async #putOff(kind: WorkKind, content: v.InferOutput<typeof Content>, afterMs: number): Promise<void> {
    const delayMs = Math.min(Math.max(0, afterMs), MAX_LATER_MS);
    await this.#server.add(kind, [{ content, urgency: content.urgency, key: content.key, delayMs }]);
  }

  #refuse(kind: WorkKind, reason: string): ItemEnd {
    this.#tell(kind, { kind: 'failed' });
    return { kind: 'failed', reason, retryInMs: null };
  }

  #reasonOf(error: unknown, kind: WorkKind): string {
    if (error instanceof JobFailure) return error.message;
    const errorId = this.#newId();
    this.#log.error('work failed for good', { kind, errorId, error });
    return `Something went wrong that should not (error ${errorId}; the server’s log tells more).`;
  }

  #tell(kind: WorkKind, news: WorkNews): void {
    for (const listener of this.#news) listener(kind, news);
  }
}

function orderToItem({ payload, urgency = 'normal', key, delayMs = 0, subject }: WorkOrder): QueueItem {
  const content = { payload, urgency, key: key ?? null, subject: subject?.slice(0, MAX_SUBJECT_CHARACTERS) ?? null };
  const { length } = JSON.stringify(content);
  if (length > MAX_PAYLOAD_CHARACTERS) {
    throw new RangeError(`an order of ${length} characters: order ids, and read the content when the work begins`);
  }
  return { content, urgency, key: content.key, delayMs };
}

function contentOf({ content }: Pick<TakenItem | FailedItem, 'content'>): v.InferOutput<typeof Content> | null {
  const parsed = v.safeParse(Content, content);
  return parsed.success ? parsed.output : null;
}
