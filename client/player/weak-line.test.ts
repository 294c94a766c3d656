import { describe, expect, it } from 'vitest';
import { WeakLine } from './weak-line.ts';

const BITRATE_BPS = 8_000_000;

/** Samples a second apart; `growth` is how many seconds of the movie come in one. */
function watch(stalls: readonly boolean[], growth: number): (number | null)[] {
  const line = new WeakLine();
  return stalls.map((isStalled, second) =>
    line.add({ nowMs: second * 1_000, isStalled, loadedMs: second * 1_000 * growth, bitrateBps: BITRATE_BPS }),
  );
}

describe('a line that does not carry the movie', () => {
  it('[PLAY97] is known by a long stop, and what it carries by how fast the movie comes', () => {
    const verdicts = watch([false, false, true, true, true, true, true, true, true], 0.5);
    expect(verdicts.slice(0, 8)).toEqual(Array(8).fill(null));
    expect(verdicts[8]).toBeCloseTo(BITRATE_BPS * 0.5 * 0.7, -2);
  });

  it('[PLAY97] is known by three short stops within a minute', () => {
    const verdicts = watch([false, true, false, true, false, true], 0.8);
    expect(verdicts.findIndex((verdict) => verdict !== null)).toBe(5);
  });

  it('[PLAY97] is not blamed where the movie comes faster than it plays or not at all, nor for stops that lie far apart', () => {
    const stop = [false, true, true, true, true, true, true, true, true];
    expect(watch(stop, 1.2).every((one) => one === null)).toBe(true);
    expect(watch(stop, 0).every((one) => one === null)).toBe(true);
    const rare = Array.from({ length: 200 }, (_, second) => second % 50 === 49);
    expect(watch(rare, 0.5).every((one) => one === null)).toBe(true);
  });

  it('[PLAY97] a seek to elsewhere starts the measuring anew', () => {
    const line = new WeakLine();
    line.add({ nowMs: 0, isStalled: false, loadedMs: 10_000, bitrateBps: BITRATE_BPS });
    line.add({ nowMs: 1_000, isStalled: true, loadedMs: 900_000, bitrateBps: BITRATE_BPS });
    let verdict: number | null = null;
    for (let second = 2; second <= 8; second++) {
      const loadedMs = 900_000 + second * 250;
      verdict = line.add({ nowMs: second * 1_000, isStalled: true, loadedMs, bitrateBps: BITRATE_BPS });
    }
    expect(verdict).toBeGreaterThan(1_000_000);
    expect(verdict).toBeLessThan(2_000_000);
  });
});
