/**
 * How fast a rendition is made: of the last segments, how much of the movie in how much time. Time at rest does not count, and a host is
 * at rest most of the time, since it is faster than the movie and stops when enough is ready.
 */

/** Enough that one hard scene does not make the number jump, few enough that it is of now. */
const SEGMENTS = 6;

export class EncodePace {
  #made: readonly { readonly movieUs: number; readonly tookMs: number }[] = [];
  /** Since when the segment in hand is being made; `null` at rest. */
  #sinceMs: number | null = null;

  /** `isElsewhere`: what was in hand is given up. */
  begin(nowMs: number, isElsewhere: boolean): void {
    if (isElsewhere || this.#sinceMs === null) this.#sinceMs = nowMs;
  }

  made(movieUs: number, nowMs: number): void {
    if (this.#sinceMs === null) return;
    this.#made = [...this.#made, { movieUs, tookMs: nowMs - this.#sinceMs }].slice(-SEGMENTS);
    this.#sinceMs = nowMs;
  }

  rest(): void {
    this.#sinceMs = null;
  }

  /** Times real time: 2 makes a minute of the movie in half a minute. `null` while nothing was made. */
  get factor(): number | null {
    const tookMs = this.#made.reduce((sum, one) => sum + one.tookMs, 0);
    const movieUs = this.#made.reduce((sum, one) => sum + one.movieUs, 0);
    return tookMs <= 0 ? null : movieUs / 1_000 / tookMs;
  }
}
