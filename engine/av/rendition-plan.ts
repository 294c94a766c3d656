import { MediaError } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';

/** How far behind the end of its plan a file may go on: durations in headers are rounded, and some leave out the last packets. */
const MAX_BEHIND_US = 5_000_000;
/** How far before its beginning: as much as the timeline's offset keeps above zero, less what decoding runs ahead. */
const MAX_BEFORE_US = TIMELINE_OFFSET_US - 1_000_000;

/**
 * Which segment a moment of the movie belongs to. The answer depends on the moment alone, never on what was read before it:
 * that is what makes segments of different sessions interchangeable.
 */
export class SegmentPlan {
  readonly count: number;
  readonly #boundariesUs: Float64Array;
  readonly #toleranceUs: number;

  /**
   * `toleranceUs`: how much before a boundary a packet or frame may begin and still belong behind it. Boundaries are
   * rounded, and the frames of a transcode need not lie on them.
   */
  constructor(boundariesUs: readonly number[] | Float64Array, toleranceUs: number) {
    this.#boundariesUs = Float64Array.from(boundariesUs);
    this.#toleranceUs = toleranceUs;
    this.count = this.#boundariesUs.length - 1;
    if (this.count < 1 || this.#boundariesUs.some((us, index, all) => index > 0 && !(us > all[index - 1]!))) {
      throw new MediaError('internal', 'a segment plan needs at least two rising boundaries');
    }
  }

  startUs(index: number): number {
    return this.#boundariesUs[index]!;
  }

  /** Where the first packet or frame of a segment may begin. The first segment takes everything before it, too. */
  cutUs(index: number): number {
    return index === 0 ? Number.NEGATIVE_INFINITY : this.#boundariesUs[index]! - this.#toleranceUs;
  }

  get endUs(): number {
    return this.#boundariesUs[this.count]!;
  }

  /** Whether a moment can be part of this movie. A damaged time stamp may say any; filling the time up to it would take for ever. */
  holds(us: number): boolean {
    return us >= -MAX_BEFORE_US && us <= this.endUs + MAX_BEHIND_US;
  }

  /** The last segment takes everything behind it, too. */
  segmentAt(us: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (us >= this.cutUs(middle)) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
