import { describe, expect, it } from 'vitest';
import { median, quantile } from './quantile.ts';

describe('quantile', () => {
  it('is a value that was measured, by the nearest rank', () => {
    const values = [40, 10, 30, 20, 50];
    expect(median(values)).toBe(30);
    expect([0, 0.2, 0.21, 0.99, 1].map((share) => quantile(values, share))).toEqual([10, 10, 20, 50, 50]);
    expect(median([1, 2, 3, 4])).toBe(2);
    expect(values, 'what was handed in stays as it was').toEqual([40, 10, 30, 20, 50]);
  });

  it('of nothing is an error, not a number', () => {
    expect(() => median([])).toThrow('measured no round');
  });
});
