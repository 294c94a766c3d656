import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

const policy = { firstMs: 100, maxMs: 5_000 };

describe('backoffMs', () => {
  it('doubles up to the maximum', () => {
    const steps = [1, 2, 3, 6, 7, 100, 100_000].map((failures) => backoffMs(failures, policy, () => 1));
    expect(steps).toEqual([100, 200, 400, 3_200, 5_000, 5_000, 5_000]);
  });

  it('stays between half of the step and the step, and never passes the maximum', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const stepMs = backoffMs(failures, policy, () => 1);
        const waitMs = backoffMs(failures, policy, () => random);
        expect(waitMs).toBeGreaterThanOrEqual(stepMs / 2);
        expect(waitMs).toBeLessThanOrEqual(stepMs);
        expect(waitMs).toBeLessThanOrEqual(policy.maxMs);
      }),
    );
  });
});
