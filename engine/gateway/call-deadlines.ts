/**
 * The deadlines of all calls in flight, behind one timer. A timer for each call costs more than everything else that the
 * gateway does for it, and nearly all are cancelled a moment later. So a call is linked into a bucket with all that end in
 * the same tenth of a second, and unlinked by two assignments.
 *
 * The trade: a long deadline ends up to 200 ms late, never early. Short ones have a timer of their own and are exact.
 */
import type { Clock } from '#engine/base/clock.ts';

const STEP_MS = 100;
/** From here on two tenths of a second do not matter. */
const LONG_MS = 1_000;

/** What can end by its deadline. The links are its own, so that nothing is made for it; only `CallDeadlines` changes them. */
export interface Expiring {
  /** Its deadline has come. */
  expire(): void;
  previousDue: Expiring | null;
  nextDue: Expiring | null;
  /** Of a short deadline. */
  dueTimer: Disposable | null;
}

/** A ring with a link that never ends. */
class Bucket implements Expiring {
  previousDue: Expiring = this;
  nextDue: Expiring = this;
  dueTimer = null;

  expire(): void {}
}

export class CallDeadlines implements Disposable {
  readonly #clock: Clock;
  /** By the step in which they end. */
  readonly #buckets = new Map<number, Bucket>();
  #timer: Disposable | null = null;
  /** The first step that was not looked at. */
  #nextStep = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Expires `what` once when `durationMs` have passed since `nowMs` (monotonic), unless it is removed before. */
  add(what: Expiring, durationMs: number, nowMs: number): void {
    if (durationMs < LONG_MS) {
      what.dueTimer = this.#clock.after(durationMs, () => what.expire());
      return;
    }
    const step = Math.ceil((nowMs + durationMs) / STEP_MS);
    let bucket = this.#buckets.get(step);
    if (!bucket) {
      bucket = new Bucket();
      this.#buckets.set(step, bucket);
      this.#start(nowMs);
    }
    const last = bucket.previousDue;
    what.previousDue = last;
    what.nextDue = bucket;
    last.nextDue = what;
    bucket.previousDue = what;
  }

  /** Does nothing where it has expired. */
  remove(what: Expiring): void {
    const { previousDue, nextDue, dueTimer } = what;
    if (previousDue && nextDue) {
      previousDue.nextDue = nextDue;
      nextDue.previousDue = previousDue;
      what.previousDue = null;
      what.nextDue = null;
    }
    dueTimer?.[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    this.#buckets.clear();
  }

  #start(nowMs: number): void {
    if (this.#timer) return;
    this.#nextStep = Math.floor(nowMs / STEP_MS);
    this.#timer = this.#clock.every(STEP_MS, () => this.#tick()).unref();
  }

  #tick(): void {
    const untilStep = Math.floor(this.#clock.monotonicMs() / STEP_MS);
    for (; this.#nextStep <= untilStep; this.#nextStep++) {
      const bucket = this.#buckets.get(this.#nextStep);
      if (!bucket) continue;
      this.#buckets.delete(this.#nextStep);
      for (let due = bucket.nextDue; due !== bucket; due = bucket.nextDue) {
        this.remove(due);
        due.expire();
      }
    }
    if (this.#buckets.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }
}
