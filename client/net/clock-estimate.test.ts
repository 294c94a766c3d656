import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockEstimate } from './clock-estimate.ts';

describe('clock estimate', () => {
  it('knows nothing before the first sample', () => {
    const estimate = new ClockEstimate();
    expect([estimate.offsetMs, estimate.roundTripMs]).toEqual([null, null]);
  });

  it('believes the shortest round trip, the newest of equals', () => {
    const estimate = new ClockEstimate();
    estimate.add(0, 100, 5_050);
    estimate.add(1_000, 1_010, 6_006);
    estimate.add(2_000, 2_300, 9_999);
    expect([estimate.offsetMs, estimate.roundTripMs]).toEqual([5_001, 10]);
    estimate.add(3_000, 3_010, 8_007);
    expect(estimate.offsetMs).toBe(5_002);
  });

  it('forgets samples that are old, or of another server', () => {
    const estimate = new ClockEstimate();
    estimate.add(0, 2, 1_001);
    estimate.add(700_000, 700_100, 702_050);
    expect([estimate.offsetMs, estimate.roundTripMs]).toEqual([2_000, 100]);
    estimate.reset();
    expect(estimate.offsetMs).toBeNull();
  });

  it('takes no pong that came before its ping', () => {
    const estimate = new ClockEstimate();
    estimate.add(10, 5, 0);
    estimate.add(Number.NaN, 5, 0);
    expect(estimate.offsetMs).toBeNull();
  });

  it('is never off by more than half of its round trip, however lopsided the delays', () => {
    const delays = fc.array(fc.tuple(fc.nat(500), fc.nat(500)), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(delays, fc.integer({ min: -1e9, max: 1e9 }), (trips, offsetMs) => {
        const estimate = new ClockEstimate();
        let nowMs = 0;
        for (const [upMs, downMs] of trips) {
          estimate.add(nowMs, nowMs + upMs + downMs, nowMs + upMs + offsetMs);
          nowMs += 1_000;
        }
        expect(Math.abs(estimate.offsetMs! - offsetMs)).toBeLessThanOrEqual(estimate.roundTripMs! / 2);
      }),
    );
  });
});
