/**
 * When automatic quality goes from one codec to another. hls.js chooses only among pictures of the codec and range that it plays, so a
 * movie that comes as it is in HEVC or HDR would stop where the line is too weak for it, although there are softer pictures in H.264.
 *
 * Down at once where the line or the device can't keep up; back up only when the line has carried much more than it takes for a while, and
 * each time later than before. Who was sent down by the device stays there.
 */

/** One picture that may be chosen, as far as this has to know it. */
export interface Crossable {
  /** Pictures of one codec and range make one family: `avc1 SDR`. */
  readonly family: string;
  readonly peakBps: number;
  readonly averageBps: number;
  /** The picture of the file as it is: the only one that is worth coming back to. */
  readonly isOriginal: boolean;
}

export interface CrossingSample {
  readonly nowMs: number;
  /** The one that plays or loads. */
  readonly current: number;
  /** What the line carries; `null` where nothing was measured yet. */
  readonly lineBps: number | null;
  readonly aheadMs: number;
  /** Nothing to show, and it should play. */
  readonly isDry: boolean;
  /** Of the pictures of the last seconds, the part that was not shown. */
  readonly droppedShare: number;
}

export interface Crossing {
  readonly to: number;
  /** What is on the screen can't be waited for to end: there is none, or it stutters. */
  readonly isUrgent: boolean;
}

/** So much of what the line carries is counted on. */
const SHARE = 0.8;
/** As far ahead as this, a line that is a little too thin is left to recover. */
const COMFORT_MS = 12_000;
const DRY_MS = 2_500;
/** More than this not shown, for so long, and the device is not up to it. */
const STUTTER_SHARE = 0.3;
const STUTTER_MS = 8_000;
/** Up where the line carries so many times the average, as long as this. */
const UP_FACTOR = 1.6;
const STEADY_MS = 8_000;
const FIRST_WAIT_MS = 20_000;
const LONGEST_WAIT_MS = 600_000;

export class CodecCrossing {
  readonly #pictures: readonly Crossable[];
  #drySinceMs: number | null = null;
  #stutterSinceMs: number | null = null;
  #steadySinceMs: number | null = null;
  /** Not up again before this; `Infinity` where the device was not up to it. */
  #notBeforeMs = 0;
  #waitMs = FIRST_WAIT_MS;

  /** `pictures` as the source counts them. */
  constructor(pictures: readonly Crossable[]) {
    this.#pictures = pictures;
  }

  /** Whether there is anything to cross to. */
  get isNeeded(): boolean {
    return new Set(this.#pictures.map(({ family }) => family)).size > 1;
  }

  add(sample: CrossingSample): Crossing | null {
    const current = this.#pictures[sample.current];
    if (current === undefined) return null;
    return this.#down(current, sample) ?? this.#up(current, sample);
  }

  #down(current: Crossable, { nowMs, lineBps, aheadMs, isDry, droppedShare }: CrossingSample): Crossing | null {
    this.#drySinceMs = isDry ? (this.#drySinceMs ?? nowMs) : null;
    this.#stutterSinceMs = droppedShare > STUTTER_SHARE ? (this.#stutterSinceMs ?? nowMs) : null;
    const isDryLong = this.#drySinceMs !== null && nowMs - this.#drySinceMs >= DRY_MS;
    const isStuttering = this.#stutterSinceMs !== null && nowMs - this.#stutterSinceMs >= STUTTER_MS;
    const isThin = lineBps !== null && lineBps * SHARE < current.averageBps && aheadMs < COMFORT_MS;
    if (!isDryLong && !isThin && !isStuttering) return null;
    // What its own family has to offer is the source's to choose, and comes first.
    const isLowest = !this.#pictures.some((one) => one.family === current.family && one.peakBps < current.peakBps);
    const softer = this.#others(current).filter(({ one }) => one.peakBps < current.peakBps);
    if (!isLowest || softer.length === 0) return null;
    const roomBps = lineBps === null ? 0 : lineBps * SHARE;
    const fitting = softer.findLast(({ one }) => one.peakBps <= roomBps) ?? softer[0]!;
    this.#notBeforeMs = isStuttering && !isThin && !isDryLong ? Infinity : nowMs + this.#waitMs;
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
    this.#forget();
    return { to: fitting.index, isUrgent: isDryLong || isStuttering };
  }

  #up(current: Crossable, { nowMs, lineBps, aheadMs }: CrossingSample): Crossing | null {
    const isHighest = !this.#pictures.some((one) => one.family === current.family && one.peakBps > current.peakBps);
    const better = this.#others(current).findLast(({ one }) => one.isOriginal);
    const isCarried =
      isHighest && better !== undefined && lineBps !== null && lineBps >= better.one.averageBps * UP_FACTOR;
    this.#steadySinceMs = isCarried ? (this.#steadySinceMs ?? nowMs) : null;
    if (!isCarried || nowMs < this.#notBeforeMs || aheadMs < COMFORT_MS / 2) return null;
    if (this.#steadySinceMs === null || nowMs - this.#steadySinceMs < STEADY_MS) return null;
    this.#forget();
    return { to: better.index, isUrgent: false };
  }

  /** Of other families, the leanest first. */
  #others(current: Crossable): { readonly one: Crossable; readonly index: number }[] {
    return this.#pictures
      .map((one, index) => ({ one, index }))
      .filter(({ one }) => one.family !== current.family)
      .toSorted((a, b) => a.one.peakBps - b.one.peakBps);
  }

  #forget(): void {
    this.#drySinceMs = null;
    this.#stutterSinceMs = null;
    this.#steadySinceMs = null;
  }
}
