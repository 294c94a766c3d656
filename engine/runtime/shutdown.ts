import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';

/** How one step ended. A step that failed or ran out of time does not keep the next from running. */
export interface ShutdownStep {
  readonly name: string;
  readonly outcome: 'closed' | 'failed' | 'outOfTime';
  readonly tookMs: number;
  readonly error?: unknown;
}

/**
 * Closes what was opened, in the opposite order, one after the other, each within its time. Its rules are DOWN1 to DOWN4 of SPEC.md.
 * What is opened registers here right away, so that a start that fails halfway closes what it had opened.
 */
export class ShutdownSequence {
  readonly #clock: Clock;
  readonly #onStep: (step: ShutdownStep) => void;
  readonly #steps: { readonly name: string; readonly close: Close; readonly limitMs: number }[] = [];
  #run: Promise<readonly ShutdownStep[]> | undefined;

  constructor(options: { readonly onStep?: (step: ShutdownStep) => void; readonly clock?: Clock } = {}) {
    this.#onStep = options.onStep ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /**
   * Registers what closes something. `close` gets a signal that is aborted when its time (5 s unless told) is up; whether it
   * listens or not, the sequence then goes on without it. Throws once the shutdown has begun.
   */
  add(name: string, close: Close, limitMs: number = 5_000): void {
    if (this.#run) throw new Error(`${name} was opened while shutting down: close it yourself and stop opening things`);
    this.#steps.push({ name, close, limitMs });
  }

  /** Registers something disposable, and hands it back. */
  use<T extends AsyncDisposable>(name: string, resource: T, limitMs?: number): T {
    this.add(name, () => resource[Symbol.asyncDispose](), limitMs);
    return resource;
  }

  /** Closes everything. Never rejects. A second call waits for the same run. */
  run(): Promise<readonly ShutdownStep[]> {
    return (this.#run ??= this.#closeAll());
  }

  async #closeAll(): Promise<readonly ShutdownStep[]> {
    const done: ShutdownStep[] = [];
    for (const { name, close, limitMs } of this.#steps.toReversed()) {
      const fromMs = this.#clock.monotonicMs();
      const outcome = await this.#close(close, limitMs);
      const step = { name, ...outcome, tookMs: this.#clock.monotonicMs() - fromMs };
      done.push(step);
      this.#onStep(step);
    }
    return done;
  }

  async #close(close: Close, limitMs: number): Promise<Pick<ShutdownStep, 'outcome' | 'error'>> {
    const abort = new AbortController();
    const outOfTime = Promise.withResolvers<Pick<ShutdownStep, 'outcome'>>();
    using _timer = this.#clock.after(limitMs, () => {
      outOfTime.resolve({ outcome: 'outOfTime' });
      abort.abort();
    });
    const closed = (async () => {
      try {
        await close(abort.signal);
        return { outcome: 'closed' as const };
      } catch (error) {
        return { outcome: 'failed' as const, error };
      }
    })();
    return await Promise.race([outOfTime.promise, closed]);
  }
}

type Close = (signal: AbortSignal) => PromiseLike<unknown> | void;
