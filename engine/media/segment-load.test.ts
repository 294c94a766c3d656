import { describe, expect, it } from 'vitest';
import { segmentLoad } from './segment-load.ts';

const S = 1_000_000;
const plan = Float64Array.of(0, 1 * S, 5 * S, 9 * S, 13 * S);

describe('the load of copied segments', () => {
  it('is the sum of what lies between keyframes, with what packing adds', () => {
    const load = segmentLoad(plan, [0, 1 * S, 3 * S, 5 * S, 9 * S], [1_000, 500_000, 500_000, 250_000, 250_000])!;
    // The run of the first two: 1,001,000 bytes in 5 s; the second alone: 1,000,000 in 4 s.
    expect(load.peakBps).toBe((1_000_000 * 8) / 4 + 10_000);
    expect(load.averageBps).toBe((1_501_000 * 8) / 13 + 10_000);
  });

  it('does not take a splinter for a peak', () => {
    const load = segmentLoad(plan, [0, 1 * S, 5 * S, 9 * S], [1_000_000, 400_000, 400_000, 400_000])!;
    expect(load.peakBps).toBe((1_400_000 * 8) / 5 + 10_000);
  });

  it('gives what comes before the first border to the first segment', () => {
    const load = segmentLoad(Float64Array.of(0, 4 * S, 8 * S), [500_000, 4 * S], [100, 900_000])!;
    expect(load.peakBps).toBe((900_000 * 8) / 4 + 10_000);
  });

  it('of a single segment is that of the segment', () => {
    expect(segmentLoad(Float64Array.of(0, 0.3 * S), [0], [30_000])!.peakBps).toBe(810_000);
  });

  it.each<[string, number[], number[]]>([
    ['nothing is known', [], []],
    ['times and sizes do not belong together', [0, 1], [5]],
    ['the index says that all is empty', [0], [0]],
  ])('is not known where %s', (_what, times, bytes) => expect(segmentLoad(plan, times, bytes)).toBeNull());
});
