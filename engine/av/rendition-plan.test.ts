import { describe, expect, it } from 'vitest';
import { SegmentPlan } from './rendition-plan.ts';

describe('a segment plan', () => {
  const plan = new SegmentPlan([0, 1_000_000, 3_000_000, 4_000_000], 10_000);

  it.each([
    [-500_000, 0],
    [0, 0],
    [989_999, 0],
    [990_000, 1],
    [1_000_000, 1],
    [2_989_999, 1],
    [2_990_000, 2],
    [9_000_000, 2],
  ])(
    'puts %d µs into segment %d: a little before a boundary is behind it, the ends take everything [SEG1]',
    (us, index) => {
      expect(plan.segmentAt(us)).toBe(index);
    },
  );

  it('knows where to cut', () => {
    expect(plan.count).toBe(3);
    expect(plan.cutUs(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(plan.cutUs(2)).toBe(2_990_000);
    expect(plan.endUs).toBe(4_000_000);
  });

  it.each([[[]], [[0]], [[0, 0]], [[0, 2, 1]], [[0, Number.NaN]]])('refuses %j', (boundaries) => {
    expect(() => new SegmentPlan(boundaries, 0)).toThrow('rising');
  });
});
