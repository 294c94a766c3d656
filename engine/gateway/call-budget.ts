/**
 * How many calls someone may still make: a bucket that holds ten seconds' worth and refills steadily [LIM4].
 *
 * Refused calls are charged too. Who is told to wait and does not, sinks until the debt is as large as the whole
 * bucket, and is then cut off: answering refusals for ever would be work done for an attacker.
 */
/** Parts of a call that adding fractions may lose: who waited as told is never refused for them. */
const ROUNDING = 1e-6;

export class CallBudget {
  readonly #perSecond: number;
  readonly #capacity: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#capacity = perSecond * 10;
    this.#left = this.#capacity;
    this.#atMs = nowMs;
  }

  /** Pays for one call. 0: go on. More: the milliseconds to wait. `Infinity`: asked on and on without waiting. */
  spend(nowMs: number): number {
    const left = Math.min(this.#capacity, this.#left + ((nowMs - this.#atMs) / 1_000) * this.#perSecond) - 1;
    this.#left = left;
    this.#atMs = nowMs;
    if (left >= -ROUNDING) return 0;
    return left < -this.#capacity ? Infinity : Math.ceil((-left / this.#perSecond) * 1_000);
  }

  /** True when nothing was spent for so long that the bucket is full: a new one would be no different. */
  isFull(nowMs: number): boolean {
    return this.#left + ((nowMs - this.#atMs) / 1_000) * this.#perSecond >= this.#capacity;
  }
}
