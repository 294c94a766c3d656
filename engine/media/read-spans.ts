/**
 * How far a track of subtitles has been read while its file still grows: spans of the movie in which everything that begins there is in
 * the file. Written beside it (`t3.read`) by whoever reads, looked at by whoever must not go on without: an encoder that burns it in.
 */

/** Milliseconds of the movie: everything that begins at `from` or later, and before `until`, is there. */
export type ReadSpan = readonly [fromMs: number, untilMs: number];

/** To the end of the movie, however long it is. */
export const TO_THE_END_MS = Number.MAX_SAFE_INTEGER;

export function printReadSpans(spans: readonly ReadSpan[]): string {
  return JSON.stringify(spans.map(([fromMs, untilMs]) => [Math.floor(fromMs), Math.floor(untilMs)]));
}

/** In the order in which they were read, the present one last; none for what is no such text. */
export function parseReadSpans(text: string): ReadSpan[] {
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) return [];
    return found.filter(
      (span): span is [number, number] => Array.isArray(span) && span.length === 2 && span.every(Number.isSafeInteger),
    );
  } catch {
    return [];
  }
}

/** Whether every moment from `fromMs` up to, and without, `untilMs` has been read. */
export function areRead(spans: readonly ReadSpan[], fromMs: number, untilMs: number): boolean {
  let atMs = fromMs;
  for (const [from, until] of spans.toSorted((a, b) => a[0] - b[0])) {
    if (from > atMs) break;
    atMs = Math.max(atMs, until);
  }
  return atMs >= untilMs && spans.some(([from, until]) => from <= fromMs && until > fromMs);
}

/** Where something lies that is to be read, in whatever ticks; `durationTicks`: how long it shows, `null` where nobody says. */
interface Place {
  readonly timeTicks: number;
  readonly durationTicks: number | null;
}

/**
 * What to read first for somebody who watches from `fromTicks` on, of places in order of time, and what then. `withLong`: also what began
 * before and still shows.
 */
export function inReadingOrder<P extends Place>(
  places: readonly P[],
  fromTicks: number,
  withLong: boolean,
): { readonly first: readonly P[]; readonly later: readonly P[] } {
  const isFirst = ({ timeTicks, durationTicks }: P): boolean =>
    timeTicks >= fromTicks || (withLong && durationTicks !== null && timeTicks + durationTicks > fromTicks);
  return { first: places.filter(isFirst), later: places.filter((place) => !isFirst(place)) };
}
