import { describe, expect, it } from 'vitest';
import { CodecCrossing } from './codec-crossing.ts';
import type { CrossingSample } from './codec-crossing.ts';

const M = 1_000_000;
const rung = (peakBps: number) => ({ family: 'avc1 SDR', peakBps, averageBps: peakBps * 0.4, isOriginal: false });
/** Four rungs of H.264, and the movie as it is in HEVC: 12 Mbit/s, 24 at most. */
const pictures = [
  rung(1 * M),
  rung(2 * M),
  rung(4 * M),
  rung(8 * M),
  { family: 'hvc1 PQ', peakBps: 24 * M, averageBps: 12 * M, isOriginal: true },
];
const ORIGINAL = 4;

/** Once a second, as `at` tells it; what is chosen plays from then on. */
function watch(
  crossing: CodecCrossing,
  lengthS: number,
  at: (second: number) => Partial<CrossingSample>,
  first: number = ORIGINAL,
  fromS = 0,
): string[] {
  const seen: string[] = [];
  let current = first;
  for (let second = fromS; second < fromS + lengthS; second++) {
    const calm = { lineBps: 60 * M, aheadMs: 30_000, isDry: false, droppedShare: 0 };
    const chosen = crossing.add({ nowMs: second * 1_000, current, ...calm, ...at(second) });
    if (chosen === null) continue;
    current = chosen.to;
    seen.push(`${second} s: ${chosen.to}${chosen.isUrgent ? ' at once' : ''}`);
  }
  return seen;
}

describe('going from one codec to another', () => {
  it('[PLAY34] is for movies that come in more than one', () => {
    expect(new CodecCrossing(pictures).isNeeded).toBe(true);
    expect(new CodecCrossing(pictures.slice(0, 4)).isNeeded).toBe(false);
  });

  it('[PLAY34] does nothing where the line carries it', () => {
    expect(watch(new CodecCrossing(pictures), 600, () => ({}))).toEqual([]);
    // A little too thin, and far ahead.
    expect(watch(new CodecCrossing(pictures), 600, () => ({ lineBps: 11 * M }))).toEqual([]);
  });

  it('[PLAY34] goes to the best rung that the line carries before the picture stops', () => {
    const weak = { lineBps: 6 * M, aheadMs: 9_000 };
    expect(watch(new CodecCrossing(pictures), 10, () => weak)).toEqual(['0 s: 2']);
  });

  it('[PLAY34] goes to the leanest at once where nothing is there to show, whatever was measured', () => {
    const dry = { lineBps: null, aheadMs: 0, isDry: true };
    expect(watch(new CodecCrossing(pictures), 10, () => dry)).toEqual(['3 s: 0 at once']);
  });

  it('[PLAY34] leaves a family only at its lowest: the rest is not its business', () => {
    const weak = { lineBps: 1.1 * M, aheadMs: 3_000 };
    expect(watch(new CodecCrossing(pictures), 60, () => weak, 3)).toEqual([]);
    expect(watch(new CodecCrossing(pictures), 60, () => weak, 0)).toEqual([]);
  });

  it('[PLAY34] comes back when the line has carried much more for a while, and each time later', () => {
    const crossing = new CodecCrossing(pictures);
    const seen: string[] = [];
    // The line is weak in the first second of each quarter of an hour.
    for (let hour = 0; hour < 4; hour++) {
      const fromS = hour * 900;
      seen.push(...watch(crossing, 1, () => ({ lineBps: 6 * M, aheadMs: 5_000 }), ORIGINAL, fromS));
      const [back] = watch(crossing, 899, () => ({}), 3, fromS + 1);
      seen.push(back ?? 'never');
    }
    expect(seen).toEqual([
      ...['0 s: 2', '20 s: 4'],
      ...['900 s: 2', '940 s: 4'],
      ...['1800 s: 2', '1880 s: 4'],
      ...['2700 s: 2', '2860 s: 4'],
    ]);
  });

  it('[PLAY34] does not come back for a line that carries little more, or only from time to time', () => {
    const back = (at: (second: number) => Partial<CrossingSample>): string[] => {
      const crossing = new CodecCrossing(pictures);
      watch(crossing, 1, () => ({ lineBps: 6 * M, aheadMs: 5_000 }));
      return watch(crossing, 600, at, 3, 1);
    };
    expect(back(() => ({ lineBps: 15 * M }))).toEqual([]);
    expect(back((second) => ({ lineBps: second % 7 === 0 ? 8 * M : 40 * M }))).toEqual([]);
  });

  it('[PLAY34] leaves what the device can’t keep up with for good', () => {
    const crossing = new CodecCrossing(pictures);
    expect(watch(crossing, 60, () => ({ droppedShare: 0.5 }))).toEqual(['8 s: 3 at once']);
    expect(watch(crossing, 3_600, () => ({}), 3, 60)).toEqual([]);
    // A hitch is none.
    expect(watch(new CodecCrossing(pictures), 60, (second) => ({ droppedShare: second % 6 === 0 ? 0 : 0.9 }))).toEqual(
      [],
    );
  });
});
