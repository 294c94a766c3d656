/** What the segments around the place that plays took on the wire: picture and sound together. */

const WINDOW_S = 30;

interface Segment {
  readonly startS: number;
  readonly durationS: number;
  readonly bytes: number;
}

export class LiveBitrate {
  readonly #segmentsByKind = new Map<string, Segment[]>();

  add(kind: string, startS: number, durationS: number, bytes: number): void {
    if (durationS <= 0 || bytes <= 0) return;
    const segments = this.#segmentsByKind.get(kind) ?? [];
    // Loaded again, as another variant is: the newer one counts.
    const others = segments.filter(
      (one) => Math.abs(one.startS - startS) > durationS / 2 && Math.abs(one.startS - startS) < 4 * WINDOW_S,
    );
    this.#segmentsByKind.set(kind, [...others, { startS, durationS, bytes }]);
  }

  /** Of the segments within half a minute around this place; `null` while there are none. */
  bps(atS: number): number | null {
    let bps = 0;
    for (const segments of this.#segmentsByKind.values()) {
      const near = segments.filter(({ startS }) => Math.abs(startS - atS) <= WINDOW_S / 2);
      const seconds = near.reduce((sum, { durationS }) => sum + durationS, 0);
      const bytes = near.reduce((sum, one) => sum + one.bytes, 0);
      if (seconds > 0) bps += (bytes * 8) / seconds;
    }
    return bps === 0 ? null : bps;
  }
}
