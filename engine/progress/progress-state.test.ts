import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProgressState } from './ports.ts';
import { clearPosition, endAtCredits, markWatched, observe, resumePositionMs } from './progress-state.ts';
import type { Observation } from './progress-state.ts';

const HOUR_MS = 3_600_000;
const at = (positionMs: number, observedAtMs: number): Observation => ({
  positionMs,
  durationMs: HOUR_MS,
  observedAtMs,
});
const after = (...observations: Observation[]): ProgressState =>
  observations.reduce<ProgressState | null>(observe, null) as ProgressState;

const observation = fc.record({
  positionMs: fc.integer({ min: 0, max: 2 * HOUR_MS }),
  durationMs: fc.constant(HOUR_MS),
  observedAtMs: fc.integer({ min: 0, max: 20 }),
});

describe('which report wins', () => {
  it('[PROG1] every order of arrival ends at the same position', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 8 }), fc.nat(), (observations, seed) => {
        const shuffled = observations
          .map((one, index) => ({ one, key: (index * 7919 + seed) % 104_729 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ one }) => one);
        const place = ({ positionMs, observedAtMs }: ProgressState) => ({ positionMs, observedAtMs });
        expect(place(after(...shuffled))).toEqual(place(after(...observations)));
      }),
    );
  });

  it('[PROG1] an older report changes nothing at all', () => {
    const stored = after(at(10_000, 5));
    expect(observe(stored, at(20_000, 4))).toBe(stored);
    expect(observe(stored, at(10_000, 5))).toBe(stored);
  });
});

describe('the end', () => {
  it('[PROG3] at 90 % it is watched, once', () => {
    const almost = after(at(HOUR_MS * 0.9 - 1, 1));
    expect(almost).toMatchObject({ isWatched: false, watchCount: 0 });
    const watched = observe(almost, at(HOUR_MS * 0.9, 2));
    expect(watched).toMatchObject({ isWatched: true, watchCount: 1 });
    expect(observe(observe(watched, at(HOUR_MS, 3)), at(HOUR_MS * 0.95, 4)).watchCount).toBe(1);
  });

  it('[PROG3][PROG4] seen again from the beginning it stays watched and counts a second time', () => {
    const again = after(at(HOUR_MS, 1), at(1_000, 2));
    expect(again).toMatchObject({ isWatched: true, watchCount: 1, positionMs: 1_000 });
    expect(observe(again, at(HOUR_MS, 3)).watchCount).toBe(2);
  });

  it('[PROG5] a position is never beyond the length, and the resume point never at the end', () => {
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 8 }), (observations) => {
        const state = after(...observations);
        expect(state.positionMs).toBeLessThanOrEqual(HOUR_MS);
        expect(resumePositionMs(state)).toBeLessThan(HOUR_MS * 0.9);
      }),
    );
  });

  it('is never reached in a movie of unknown length', () => {
    const state = observe(null, { positionMs: HOUR_MS, durationMs: 0, observedAtMs: 1 });
    expect(state).toMatchObject({ isWatched: false, positionMs: HOUR_MS });
    expect(resumePositionMs(state)).toBe(HOUR_MS);
  });
});

describe('by hand', () => {
  it('[PROG6] marking counts one viewing and goes back to the beginning; unmarking forgets both', () => {
    const marked = markWatched(after(at(10_000, 1)), true, 2);
    expect(marked).toMatchObject({ isWatched: true, watchCount: 1, positionMs: 0 });
    expect(markWatched(marked, true, 3).watchCount).toBe(1);
    expect(markWatched(marked, false, 3)).toMatchObject({ isWatched: false, positionMs: 0 });
  });

  it('[PROG7] clearing forgets the position only, and a report from before does not bring it back', () => {
    const cleared = clearPosition(after(at(HOUR_MS, 1), at(10_000, 2)), 5);
    expect(cleared).toMatchObject({ positionMs: 0, isWatched: true, watchCount: 1 });
    expect(observe(cleared, at(20_000, 4))).toBe(cleared);
  });
});

describe('credits', () => {
  it('[PROG11] reached early count as the end of the movie', () => {
    const creditsMs = HOUR_MS * 0.85;
    const before = after(endAtCredits(at(creditsMs - 1, 1), creditsMs));
    expect(before).toMatchObject({ isWatched: false, positionMs: creditsMs - 1 });
    const there = observe(before, endAtCredits(at(creditsMs, 2), creditsMs));
    expect(there).toMatchObject({ isWatched: true, watchCount: 1 });
    expect(resumePositionMs(there)).toBe(0);
    // To their end it is one viewing.
    expect(observe(there, endAtCredits(at(HOUR_MS, 3), creditsMs))).toMatchObject({ watchCount: 1 });
    expect(endAtCredits(at(creditsMs, 2), null)).toEqual(at(creditsMs, 2));
  });
});
