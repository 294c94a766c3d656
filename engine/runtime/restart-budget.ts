import type { Clock } from '#engine/base/clock.ts';

export interface RestartLimits {
  /** Restarts that are granted within any span of `withinMs`. */
  readonly maxRestarts: number;
  readonly withinMs: number;
}

/** Tells a fault that passes from one that does not: something that fails too often in too short a time is not restarted. */
export class RestartBudget {
  readonly #limits: RestartLimits;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #spentAtMs: number[] = [];

  constructor(limits: RestartLimits, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Failures in a row, within the span: what backoff grows with. */
  get recent(): number {
    this.#forget();
    return this.#spentAtMs.length;
  }

  /** Takes one restart out of the budget. `false` when there is none left. */
  spend(): boolean {
    this.#forget();
    if (this.#spentAtMs.length >= this.#limits.maxRestarts) return false;
    this.#spentAtMs.push(this.#clock.monotonicMs());
    return true;
  }

  #forget(): void {
    const sinceMs = this.#clock.monotonicMs() - this.#limits.withinMs;
    this.#spentAtMs = this.#spentAtMs.filter((atMs) => atMs > sinceMs);
  }
}
