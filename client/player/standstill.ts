/**
 * Tells when a movie that should play stands still although the line is up, and what to try next: nobody is left before a turning wheel.
 * The steps are the gentlest first; each is given time to work. Nothing of it counts while something moves.
 */

/**
 * - `restart`: ask for what is missing anew
 * - `reopen`: open the movie anew, at the same place
 * - `soften`: open it in a picture that is easier to make and to send
 * - `giveUp`: tell the person what happened
 */
export const STANDSTILL_STEPS = ['restart', 'reopen', 'soften', 'giveUp'] as const;
export type StandstillStep = (typeof STANDSTILL_STEPS)[number];

/** After so long without a sign. A server may need half a minute for a segment on a bad day, and what it has begun it goes on with. */
const AFTER_MS: Readonly<Record<StandstillStep, number>> = {
  restart: 15_000,
  reopen: 32_000,
  soften: 50_000,
  giveUp: 75_000,
};
/** Where data does arrive and yet no picture comes of it, a thin line is likelier than a fault. */
const ARRIVING_FACTOR = 3;
/** A page that was put to sleep has not waited. */
const LONGEST_LOOK_MS = 5_000;

export interface StandstillSample {
  readonly nowMs: number;
  /** There should be a picture that moves, or one of another place, and there is none. */
  readonly isWaiting: boolean;
  /** Bytes that have arrived since the source was made. */
  readonly arrivedBytes: number;
}

export class Standstill {
  #lastMs: number | null = null;
  #arrivedBytes = 0;
  /** How long it has waited, and how long of that nothing has arrived. */
  #waitedMs = 0;
  #silentMs = 0;
  #steps = 0;

  /** The step to take now, if any. */
  add({ nowMs, isWaiting, arrivedBytes }: StandstillSample): StandstillStep | null {
    const passedMs = this.#lastMs === null ? 0 : Math.min(LONGEST_LOOK_MS, Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    // Fewer than before: another source, which has brought nothing yet.
    const hasArrived = arrivedBytes > this.#arrivedBytes;
    this.#arrivedBytes = arrivedBytes;
    if (!isWaiting) {
      this.reset();
      return null;
    }
    this.#waitedMs += passedMs;
    this.#silentMs = hasArrived ? 0 : this.#silentMs + passedMs;
    const next = STANDSTILL_STEPS[this.#steps];
    if (next === undefined) return null;
    // What has been tried already stays tried: a few bytes of the next attempt are no picture.
    const sinceMs = this.#steps === 0 ? 0 : AFTER_MS[STANDSTILL_STEPS[this.#steps - 1]!];
    const isSilent = this.#silentMs >= AFTER_MS[next] - sinceMs && this.#waitedMs >= AFTER_MS[next];
    if (!isSilent && this.#waitedMs < AFTER_MS[next] * ARRIVING_FACTOR) return null;
    this.#steps += 1;
    this.#silentMs = 0;
    return next;
  }

  /** It plays, or somebody wants something else: what was tried counts no more. */
  reset(): void {
    this.#waitedMs = 0;
    this.#silentMs = 0;
    this.#steps = 0;
  }
}
