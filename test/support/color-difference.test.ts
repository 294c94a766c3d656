import { describe, expect, it } from 'vitest';
import { deltaE2000, fromPq, toLab, toPq } from './color-difference.ts';
import type { Triple } from './color-difference.ts';

describe('colour differences', () => {
  // Pairs 1, 7, 16, 20, 25 and 34 of the supplementary data of Sharma, Wu and Dalal (2005).
  it.each<[Triple, Triple, number]>([
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, 0, 0], [50, -1, 2], 2.3669],
    [[50, 2.5, 0], [50, 0, -2.5], 4.3065],
    [[50, 2.5, 0], [50, 3.2592, 0.335], 1],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ])('%o to %o are %d', (one, other, expected) => {
    expect(deltaE2000(one, other)).toBeCloseTo(expected, 4);
    expect(deltaE2000(other, one)).toBeCloseTo(expected, 4);
  });

  it('white is white, and PQ is its own way back', () => {
    const [l, a, b] = toLab([1, 1, 1]);
    expect(l).toBeCloseTo(100, 2);
    expect(Math.hypot(a, b)).toBeLessThan(0.02);
    expect(toPq(100)).toBeCloseTo(0.5081, 4);
    for (const nits of [0.01, 1, 100, 1000, 10_000]) expect(fromPq(toPq(nits)) / nits).toBeCloseTo(1, 6);
  });
});
