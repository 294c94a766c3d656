import { backoffMs } from '#engine/base/backoff.ts';
import type { BackoffPolicy } from '#engine/base/backoff.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import { RestartBudget } from './restart-budget.ts';
import type { RestartLimits } from './restart-budget.ts';

/** Something that runs until it ends by itself or is disposed. */
export interface Supervised extends AsyncDisposable {
  /** Settles when it has ended, however that came; a rejection carries the reason. */
  readonly ended: Promise<unknown>;
}

/**
 * Keeps one thing running: what ends by itself is started again, after a wait that grows, inside a restart budget. One
 * supervisor has one child, so the end of one child never touches another (one-for-one). Its rules are SUP1 to SUP5 of SPEC.md.
 *
 * States: starting → running → waiting → starting …, and from each of them `failed` (budget spent) or `stopped` (disposed).
 */
export class Supervisor<Child extends Supervised> implements AsyncDisposable {
  readonly #start: (signal: AbortSignal) => Promise<Child>;
  readonly #options: Required<SupervisorOptions>;
  readonly #budget: RestartBudget;
  readonly #abort = new AbortController();
  readonly #stopping = Promise.withResolvers<void>();
  readonly #loop: Promise<void>;
  #next = Promise.withResolvers<Child>();
  #state: SupervisorState = 'starting';

  /** Starts the child at once. `start` gets a signal that is aborted on disposal; a throw in it counts as an end. */
  constructor(start: (signal: AbortSignal) => Promise<Child>, options: SupervisorOptions) {
    this.#start = start;
    this.#options = { ...DEFAULTS, ...options };
    this.#budget = new RestartBudget(this.#options, this.#options.clock);
    this.#next.promise.catch(() => undefined);
    this.#loop = this.#run();
  }

  get state(): SupervisorState {
    return this.#state;
  }

  /** The running child, or the next one that comes up. Rejects once there will be none any more. */
  running(): Promise<Child> {
    return this.#next.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#stopping.resolve();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const reason = await this.#live(signal);
      if (signal.aborted) break;
      if (!this.#budget.spend()) return this.#finish('failed', reason);
      const waitMs = backoffMs(this.#budget.recent, this.#options.backoff);
      this.#state = 'waiting';
      this.#options.onRestart(reason, waitMs);
      await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
    }
    this.#finish('stopped', undefined);
  }

  /** One life of the child. Resolves with the reason of its end. */
  async #live(signal: AbortSignal): Promise<unknown> {
    this.#state = 'starting';
    try {
      await using child = await this.#start(signal);
      if (signal.aborted) return undefined;
      this.#state = 'running';
      this.#next.resolve(child);
      try {
        return await Promise.race([child.ended, this.#stopping.promise]);
      } finally {
        this.#expectNext(); // before the release, which may take a while: nobody is to get what has ended
      }
    } catch (error) {
      return error;
    }
  }

  #expectNext(): void {
    this.#next = Promise.withResolvers<Child>();
    this.#next.promise.catch(() => undefined);
  }

  #finish(state: 'failed' | 'stopped', reason: unknown): void {
    this.#state = state;
    this.#next.reject(new SupervisorError(state, this.#options.name, reason));
    if (state === 'failed') this.#options.onGiveUp(reason);
  }
}

export const SUPERVISOR_STATES = ['starting', 'running', 'waiting', 'failed', 'stopped'] as const;
export type SupervisorState = (typeof SUPERVISOR_STATES)[number];

export interface SupervisorOptions extends Partial<RestartLimits> {
  readonly name: string;
  readonly backoff?: BackoffPolicy;
  /** The child ended with `reason` and is started again after `waitMs`. */
  readonly onRestart?: (reason: unknown, waitMs: number) => void;
  /** The budget is spent: the child stays down. */
  readonly onGiveUp?: (reason: unknown) => void;
  readonly clock?: Clock;
}

const DEFAULTS = {
  maxRestarts: 5,
  withinMs: 60_000,
  backoff: { firstMs: 100, maxMs: 10_000 },
  onRestart: () => undefined,
  onGiveUp: () => undefined,
  clock: systemClock,
};

export class SupervisorError extends Error {
  readonly code: 'failed' | 'stopped';

  constructor(code: SupervisorError['code'], supervisor: string, cause: unknown) {
    super(`${supervisor}: ${code}`, { cause });
    this.name = 'SupervisorError';
    this.code = code;
  }
}
