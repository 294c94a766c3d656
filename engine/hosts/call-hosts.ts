import { backoffMs } from '#engine/base/backoff.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock, Timer } from '#engine/base/clock.ts';
import { PriorityQueue } from '#engine/base/priority-queue.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { CallArgs, CallName, CallResult } from '#engine/runtime/host-wire.ts';
import { HostError, ProcessHost } from '#engine/runtime/process-host.ts';
import type { HostExit, ProcessHostLimits } from '#engine/runtime/process-host.ts';
import { RestartBudget } from '#engine/runtime/restart-budget.ts';
import type { MediaHostsRefusal, MediaHostsReport } from './media-supervisor.port.ts';
import { MAX_DEATHS } from './quarantine.ts';
import type { Quarantine } from './quarantine.ts';

/**
 * A few host processes that answer calls about one file each, and the queue before them. Its rules are CALL1 to CALL7 of SPEC.md.
 *
 * Hosts start when work waits and end when there has been none for a while. Short calls are pipelined, a few to each host,
 * so that no host waits for the wire; a heavy one has its host to itself. A host that dies costs the file in hand, at the
 * second death, and nothing else: what waited behind it is repeated elsewhere.
 */
export class CallHosts<Calls extends object> implements AsyncDisposable {
  readonly #options: CallHostsOptions;
  readonly #clock: Clock;
  readonly #queue: PriorityQueue<Job>;
  readonly #slots = new Set<Slot<Calls>>();
  /** For hosts that end without a file to blame: they do not load, or somebody kills them. */
  readonly #budget: RestartBudget;
  #started = 0;
  #pause: Timer | undefined;
  #isStopped = false;

  constructor(options: CallHostsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queue = new PriorityQueue({ levels: 2, capacity: options.capacity ?? 4_096 });
    this.#budget = new RestartBudget({ maxRestarts: 4, withinMs: 30_000 }, this.#clock);
  }

  get hostCount(): number {
    return this.#slots.size;
  }

  /** Calls that wait or are worked on. */
  get callCount(): number {
    return this.#queue.size + [...this.#slots].reduce((sum, { jobs }) => sum + jobs.size, 0);
  }

  /** Runs a call about the file at `path`. The outcome is the host's own, or a failure of the file, or a refusal. */
  async run<Name extends CallName<Calls>>(
    name: Name,
    args: CallArgs<Calls, Name>,
    options: CallOptions,
  ): Promise<CallResult<Calls, Name> | FileFailure | Refusal> {
    if (await this.#options.quarantine.has(options.path)) return { ok: false, failure: 'quarantined' };
    if (this.#isStopped || options.signal?.aborted) return { refusal: 'stopped' };
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const job: Job = { ...options, name, args, resolve, deaths: 0 };
    if (!this.#queue.push(job, job.level)) return { refusal: 'overloaded' };
    const withdraw = (): void => this.#withdraw(job);
    options.signal?.addEventListener('abort', withdraw, { once: true });
    this.#pump();
    try {
      return (await promise) as CallResult<Calls, Name> | FileFailure | Refusal;
    } finally {
      options.signal?.removeEventListener('abort', withdraw);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#pause?.[Symbol.dispose]();
    for (const job of this.#queue.drain()) job.resolve({ refusal: 'stopped' });
    await Promise.all([...this.#slots].map(({ host }) => host[Symbol.asyncDispose]()));
  }

  /** A heavy call is ended with its host, lest it reads a whole movie for nobody. Others are soon done. */
  #withdraw(job: Job): void {
    if (this.#queue.remove(job)) return job.resolve({ refusal: 'stopped' });
    if (!job.isHeavy) return;
    const slot = [...this.#slots].find(({ jobs }) => jobs.has(job));
    if (!slot || slot.jobs.size > 1) return;
    slot.isRetiring = true;
    slot.host.kill('stopped');
  }

  /** Hands out what waits, as far as there is room. */
  #pump(): void {
    while (!this.#pause && !this.#isStopped && this.#queue.size > 0) {
      const slot = this.#freeSlot();
      const job = slot && this.#queue.shift();
      if (!slot || !job) return;
      void this.#work(slot, job);
    }
  }

  /** The least loaded host with room, or a new one while there may be more and all others have work waiting. */
  #freeSlot(): Slot<Calls> | undefined {
    const open = [...this.#slots].filter((slot) => !slot.isRetiring && slot.load < WINDOW);
    const best = open.toSorted((a, b) => a.load - b.load)[0];
    if (best && (best.load < 2 || this.#slots.size >= this.#options.count)) return best;
    return this.#slots.size < this.#options.count ? this.#startSlot() : undefined;
  }

  #startSlot(): Slot<Calls> {
    const host = new ProcessHost<Calls>({
      ...this.#options.limits,
      name: `${this.#options.name} ${++this.#started}`,
      entry: this.#options.entry,
      stopWithinMs: 300, // a host that only reads has nothing to put in order
      clock: this.#clock,
    });
    const slot: Slot<Calls> = { host, jobs: new Set(), load: 0, callsLeft: CALLS_PER_HOST, isRetiring: false };
    this.#slots.add(slot);
    void host.exited.then((exit) => this.#bury(slot, exit));
    return slot;
  }

  async #work(slot: Slot<Calls>, job: Job): Promise<void> {
    const load = job.isHeavy ? WINDOW : 1;
    slot.idle?.[Symbol.dispose]();
    slot.jobs.add(job);
    slot.load += load;
    slot.callsLeft--;
    try {
      const result: unknown = await slot.host.call(job.name as CallName<Calls>, job.args as never, job.timeLimitMs);
      job.resolve(result);
    } catch (error) {
      await this.#judge(slot, job, error);
    } finally {
      slot.jobs.delete(job);
      slot.load -= load;
      this.#rest(slot);
      this.#pump();
    }
  }

  /** What becomes of a call that was not answered. */
  async #judge(slot: Slot<Calls>, job: Job, error: unknown): Promise<void> {
    const { path, resolve } = job;
    if (!(error instanceof HostError)) throw error;
    if (this.#isStopped || job.signal?.aborted) return resolve({ refusal: 'stopped' });
    if (error.code === 'lost' || error.code === 'overloaded') {
      return this.#queue.unshift(job, job.level);
    }
    if (error.code === 'failed') {
      const fault = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause);
      this.#options.onReport({ kind: 'hostFault', host: slot.host.name, call: job.name, path, error: fault });
      return resolve({ ok: false, failure: 'internal' });
    }
    if (!error.exit) throw error;
    this.#report(slot, error.exit, path);
    if (!error.exit.wasBusy) return resolve({ ok: false, failure: 'timeout' });
    if (++job.deaths < MAX_DEATHS) return this.#queue.unshift(job, job.level);
    await this.#options.quarantine.add(path, error.exit.reason);
    resolve({ ok: false, failure: 'quarantined' });
  }

  /** Sends a host without work to rest, or out of the way when it has done enough: leaks of native code must not add up. */
  #rest(slot: Slot<Calls>): void {
    if (slot.callsLeft <= 0) slot.isRetiring = true;
    if (slot.jobs.size > 0 || slot.host.exit) return;
    const retire = (): void => {
      slot.isRetiring = true;
      void slot.host[Symbol.asyncDispose]();
    };
    if (slot.isRetiring) return retire();
    slot.idle = this.#clock.after(this.#options.idleMs ?? 60_000, retire);
  }

  #bury(slot: Slot<Calls>, exit: HostExit): void {
    slot.idle?.[Symbol.dispose]();
    this.#slots.delete(slot);
    if (exit.reason === 'stopped' || this.#isStopped) return this.#pump();
    if (exit.hadCall) return this.#pump(); // reported and judged with its call
    this.#report(slot, exit, null);
    this.#holdBack();
  }

  #report(slot: Slot<Calls>, { reason, stderr }: HostExit, path: string | null): void {
    this.#options.onReport({ kind: 'hostEnded', host: slot.host.name, reason, path, stderr });
  }

  /** A host ended and no file is to blame: wait before the next, and refuse what waits when that does not help. */
  #holdBack(): void {
    const hasBudget = this.#budget.spend();
    if (!hasBudget) {
      this.#options.onReport({ kind: 'hostsUnavailable', detail: `${this.#options.name} does not start` });
      for (const job of this.#queue.drain()) job.resolve({ refusal: 'unavailable' });
    }
    this.#pause ??= this.#clock.after(backoffMs(this.#budget.recent, { firstMs: 50, maxMs: 5_000 }), () => {
      this.#pause = undefined;
      this.#pump();
    });
  }
}

/** Calls in one host at a time: one in hand, the others in the pipe. Hides the wire (0.1 ms) behind a probe of 0.3 ms or more. */
const WINDOW = 4;
const CALLS_PER_HOST = 5_000;

export interface CallHostsOptions {
  readonly name: string;
  readonly entry: URL;
  /** Most processes at a time. */
  readonly count: number;
  readonly quarantine: Quarantine;
  readonly onReport: (report: MediaHostsReport) => void;
  readonly limits?: ProcessHostLimits;
  /** Most calls waiting, of each level. */
  readonly capacity?: number;
  /** How long a host without work stays. */
  readonly idleMs?: number;
  readonly clock?: Clock;
}

export interface CallOptions {
  readonly path: string;
  /** 0: somebody waits. 1: background. */
  readonly level: 0 | 1;
  readonly timeLimitMs: number;
  /** Takes long enough that nothing should wait behind it. */
  readonly isHeavy: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface FileFailure {
  readonly ok: false;
  readonly failure: MediaFailure;
}

export interface Refusal {
  readonly refusal: MediaHostsRefusal;
}

interface Job extends CallOptions {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly resolve: (outcome: unknown) => void;
  /** Hosts that ended with it in hand. */
  deaths: number;
}

interface Slot<Calls extends object> {
  readonly host: ProcessHost<Calls>;
  /** Sent and not answered, oldest first. */
  readonly jobs: Set<Job>;
  load: number;
  callsLeft: number;
  isRetiring: boolean;
  idle?: Timer;
}
