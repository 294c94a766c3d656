/**
 * Time as something handed in, so that a test decides what time it is.
 *
 * Two clocks, never mixed: `nowMs` is the calendar and may jump when somebody sets the machine's clock; `monotonicMs`
 * only moves forward and says nothing about the calendar. Durations, limits and backoff use the second one.
 */
export interface Clock {
  /** Milliseconds since 1970 in UTC. May jump in both directions. */
  nowMs(): number;
  /** Milliseconds since an arbitrary moment. Never goes back. */
  monotonicMs(): number;
  /** Runs `action` once after `delayMs`. Disposing the timer before that cancels it. */
  after(delayMs: number, action: () => void): Timer;
  /** Runs `action` every `periodMs` until the timer is disposed. */
  every(periodMs: number, action: () => void): Timer;
  /** Resolves after `delayMs`. Rejects with the signal's reason when that is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Timer extends Disposable {
  /** Lets the process end although this timer is still pending. */
  unref(): Timer;
}

/** Longest delay that timers hold: a larger one overflows 32 bits and fires at once (HTML, timer initialization steps). */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    let handle: ReturnType<typeof setTimeout>;
    let isRef = true;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, MAX_DELAY_MS);
      handle = setTimeout(() => (stepMs < leftMs ? arm(leftMs - stepMs) : action()), stepMs);
      if (!isRef) handle.unref();
    };
    arm(delayMs);
    const timer: Timer = {
      unref() {
        isRef = false;
        handle.unref();
        return timer;
      },
      [Symbol.dispose]: () => clearTimeout(handle),
    };
    return timer;
  },
  every(periodMs, action) {
    const handle = setInterval(action, Math.min(periodMs, MAX_DELAY_MS));
    const timer: Timer = {
      unref() {
        handle.unref();
        return timer;
      },
      [Symbol.dispose]: () => clearInterval(handle),
    };
    return timer;
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

async function sleepOn(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  using _timer = clock.after(delayMs, resolve);
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

interface Pending {
  dueMs: number;
  readonly order: number;
  readonly action: () => void;
  readonly periodMs: number | null;
}

/** A clock that stands still until a test moves it. Both of its clocks move together; `jumpMs` moves the calendar alone. */
export class FakeClock implements Clock {
  #monotonicMs = 0;
  #offsetMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#offsetMs = startMs;
  }

  nowMs(): number {
    return this.#offsetMs + this.#monotonicMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, action: () => void): Timer {
    return this.#add(delayMs, action, null);
  }

  every(periodMs: number, action: () => void): Timer {
    return this.#add(periodMs, action, Math.max(1, periodMs));
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Timers still to run. A test asserts 0 to show that nothing was left behind. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Sets the machine's clock, as an administrator or NTP would: timers and durations do not notice. */
  jumpMs(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** Moves time on and runs what falls due, in order of due time. Promises settle before, and after each of them. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + byMs;
    await settle();
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#monotonicMs = next.dueMs;
      if (next.periodMs === null) this.#pending.delete(next);
      else next.dueMs += next.periodMs;
      next.action();
      await settle();
    }
    this.#monotonicMs = untilMs;
    await settle();
  }

  #add(delayMs: number, action: () => void, periodMs: number | null): Timer {
    const pending = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, action, periodMs };
    this.#pending.add(pending);
    const timer: Timer = { unref: () => timer, [Symbol.dispose]: () => void this.#pending.delete(pending) };
    return timer;
  }

  #next(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs > untilMs) continue;
      if (!first || pending.dueMs < first.dueMs || (pending.dueMs === first.dueMs && pending.order < first.order)) {
        first = pending;
      }
    }
    return first;
  }
}

/** One turn of the event loop: every promise that can settle has settled. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
