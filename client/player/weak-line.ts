/**
 * Tells when a line does not carry what comes over it, for sources that have nothing softer to switch to: a file as it is, one variant
 * alone. Its answer is the bit rate that the line does carry, to open the movie again with.
 */

/** Stops in a row that mean that it will go on like this. */
const STALLS = 3;
const STALLS_WITHIN_MS = 60_000;
/** One stop of this length says the same. */
const LONG_STALL_MS = 6_000;
/** The rate at which the loaded part grows is looked at over this time. */
const GROWTH_MS = 8_000;
/** Of what was measured, so much is asked for: a line that is full stands still. */
const SHARE = 0.7;
/** Less than this is no line at all, and a softer picture would not come over it either. */
const STANDSTILL = 0.02;
const LOWEST_BPS = 400_000;

export interface LineSample {
  readonly nowMs: number;
  /** The person wants it to play and nothing is loaded. Seeking and starting are no stalls. */
  readonly isStalled: boolean;
  /** How far the part is loaded that plays. */
  readonly loadedMs: number;
  /** What a second of the movie takes; `null` where nobody knows. */
  readonly bitrateBps: number | null;
}

export class WeakLine {
  #samples: LineSample[] = [];
  #stallStarts: number[] = [];
  #stalledSince: number | null = null;

  /** Another source, another line: what was seen counts no more. */
  reset(): void {
    this.#samples = [];
    this.#stallStarts = [];
    this.#stalledSince = null;
  }

  /** What to ask for instead; `null` as long as it goes well, or nobody knows what would be less. */
  add(sample: LineSample): number | null {
    const { nowMs, isStalled, loadedMs } = sample;
    // A jump to what was loaded before, or elsewhere, is no growth.
    const last = this.#samples.at(-1);
    if (last !== undefined && (loadedMs < last.loadedMs || loadedMs > last.loadedMs + 60_000)) this.#samples = [];
    this.#samples = [...this.#samples.filter((one) => nowMs - one.nowMs <= GROWTH_MS), sample];
    if (isStalled && this.#stalledSince === null) {
      this.#stalledSince = nowMs;
      this.#stallStarts = [...this.#stallStarts.filter((at) => nowMs - at <= STALLS_WITHIN_MS), nowMs];
    }
    if (!isStalled) this.#stalledSince = null;
    const isLong = this.#stalledSince !== null && nowMs - this.#stalledSince >= LONG_STALL_MS;
    if (!isLong && this.#stallStarts.length < STALLS) return null;
    return this.#carriedBps();
  }

  #carriedBps(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last?.bitrateBps == null || last.nowMs - first.nowMs < GROWTH_MS / 4) return null;
    const growth = (last.loadedMs - first.loadedMs) / (last.nowMs - first.nowMs);
    // It comes faster than it plays, or not at all: then what stands still is not a thin line.
    if (growth >= 1 || growth < STANDSTILL) return null;
    return Math.max(LOWEST_BPS, Math.round(last.bitrateBps * growth * SHARE));
  }
}
