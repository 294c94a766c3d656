import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aheadMs, givesWay } from './encode-turns.ts';

describe('turns between encoders', () => {
  it.each<[string, number, readonly number[], boolean, boolean]>([
    ['alone', 40_000, [], false, false],
    ['far ahead of somebody with nothing', 6_000, [0], false, true],
    ['not far ahead', 5_999, [0], false, false],
    ['a little less, and at it', 4_000, [0], true, true],
    ['until it is near', 3_999, [0], true, false],
    ['somebody in no need', 40_000, [10_000], false, false],
    ['several, one of them in need', 40_000, [30_000, 2_000], false, true],
    ['in need itself', 1_000, [0], false, false],
  ])('[PLAY36] %s', (_what, mine, others, isGivingWay, expected) => {
    expect(givesWay(mine, others, isGivingWay)).toBe(expected);
  });

  it('[PLAY36] never rests the one that has the least, so that somebody always works', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 60_000 }), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (all, isGivingWay) => {
          const least = all.indexOf(Math.min(...all));
          expect(givesWay(all[least]!, all.toSpliced(least, 1), isGivingWay)).toBe(false);
        },
      ),
    );
  });

  it('[PLAY36] counts what is ready whole, and what a player should still have by half', () => {
    expect(aheadMs({ readyMs: 3_000, playsUntilMs: 14_000 }, 10_000)).toBe(5_000);
    // Paused, or standing still: what they have is not known.
    expect(aheadMs({ readyMs: 3_000, playsUntilMs: 4_000 }, 10_000)).toBe(3_000);
  });
});
