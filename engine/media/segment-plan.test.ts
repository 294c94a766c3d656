import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlannable, planFingerprint, planPictures, planRemux, planTranscode, segmentAt } from './segment-plan.ts';
import type { SegmentPlan } from './segment-plan.ts';

const S = 1_000_000;
const seconds = (plan: SegmentPlan | null): number[] | null => plan && [...plan].map((timeUs) => timeUs / S);
const every = (stepUs: number, untilUs: number, fromUs = 0): number[] =>
  Array.from({ length: Math.ceil((untilUs - fromUs) / stepUs) }, (_, index) => fromUs + index * stepUs);
const lengths = (plan: SegmentPlan): number[] => Array.from(plan.subarray(1), (timeUs, index) => timeUs - plan[index]!);

/** A movie: keyframes at least one frame of 120/s apart, some inside the duration. */
const movie = fc
  .record({
    gapsUs: fc.array(fc.oneof(fc.integer({ min: 8_333, max: 900_000 }), fc.integer({ min: 8_333, max: 12 * S })), {
      minLength: 1,
      maxLength: 120,
    }),
    firstUs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 * S })),
    tailUs: fc.integer({ min: 1, max: 12 * S }),
  })
  .map(({ gapsUs, firstUs, tailUs }) => {
    const keyframesUs = gapsUs.reduce<number[]>((times, gapUs) => [...times, times.at(-1)! + gapUs], [firstUs]);
    return { keyframesUs, durationUs: keyframesUs.at(-1)! + tailUs };
  });

function expectCovers(plan: SegmentPlan, durationUs: number): void {
  expect(plan[0]).toBe(0);
  expect(plan.at(-1)).toBe(durationUs);
  for (const lengthUs of lengths(plan)) expect(lengthUs).toBeGreaterThan(0);
  for (const timeUs of plan) expect(Number.isSafeInteger(timeUs)).toBe(true);
}

describe('planRemux', () => {
  it.each<[string, number[], number, number[] | null]>([
    ['a keyframe every second', every(S, 30 * S), 30 * S, [0, 1, 3, 6, 11, 16, 21, 26, 30]],
    ['a keyframe every two seconds', every(2 * S, 20 * S), 20 * S, [0, 2, 4, 6, 10, 14, 20]],
    ['ten-second GOPs', every(10 * S, 40 * S), 40 * S, [0, 10, 20, 30, 40]],
    ['one keyframe in a short file', [0], 12 * S, [0, 12]],
    ['one frame', [0], 40_000, [0, 0.04]],
    ['a tail too short to stand alone', [0, 5 * S, 9.5 * S], 10 * S, [0, 5, 10]],
    ['a picture that begins later than the sound', [0.5 * S, 5 * S], 10 * S, [0, 5, 10]],
    ['scene cuts between regular keyframes', [0, 4 * S, 4.04 * S, 8 * S, 8.04 * S], 12 * S, [0, 4, 8, 12]],
    ['a GOP of 30 s', [0, 30 * S], 40 * S, [0, 30, 40]],
    ['a longer GOP: unusable', [0, 30.1 * S], 40 * S, null],
    ['a longer last GOP: unusable', [0], 31 * S, null],
    ['no keyframes: unusable', [], 10 * S, null],
    ['no duration: unusable', [0], 0, null],
    ['a duration no movie has: unusable', [0], 2 ** 53, null],
    ['keyframes after the end, which are left out', [0, 5 * S, 10 * S, 15 * S], 10 * S, [0, 5, 10]],
  ])('%s', (_what, keyframesUs, durationUs, expected) => {
    expect(seconds(planRemux(keyframesUs, durationUs))).toEqual(expected);
  });

  it('begins every segment at a keyframe, covers everything, and makes none too short', () => {
    fc.assert(
      fc.property(movie, ({ keyframesUs, durationUs }) => {
        const plan = planRemux(keyframesUs, durationUs)!;
        expectCovers(plan, durationUs);
        const keys = new Set(keyframesUs);
        for (const timeUs of plan.slice(1, -1)) expect(keys.has(timeUs)).toBe(true);
        if (plan.length > 2) for (const lengthUs of lengths(plan)) expect(lengthUs).toBeGreaterThanOrEqual(0.8 * S);
      }),
    );
  });

  it('makes no segment longer than its GOPs force', () => {
    fc.assert(
      fc.property(movie, ({ keyframesUs, durationUs }) => {
        const plan = planRemux(keyframesUs, durationUs)!;
        for (const [index, lengthUs] of lengths(plan).entries()) {
          if (lengthUs <= 10 * S) continue;
          const inside = keyframesUs.filter((timeUs) => timeUs > plan[index]! && timeUs < plan[index + 1]!);
          const edges = [plan[index]!, ...inside, plan[index + 1]!];
          const gaps = edges.slice(1).map((timeUs, at) => timeUs - edges[at]!);
          expect(Math.max(...gaps)).toBeGreaterThanOrEqual(lengthUs - 2 * 5 * S);
        }
      }),
    );
  });
});

describe('planTranscode', () => {
  const fps24 = { num: 24, den: 1 };

  it.each<[string, number[] | null, number, number[]]>([
    ['no keyframes: an even grid after a short start', null, 10 * S, [0, 1, 2, 4, 6, 8, 10]],
    ['no keyframes and an odd tail', null, 9.1 * S, [0, 1, 2, 4, 6, 7.541666, 9.1]],
    ['a GOP of 8 s, divided evenly', [0, 8 * S], 16 * S, [0, 1, 2, 4, 6, 8, 10, 12, 14, 16]],
    ['a GOP of 5 s after the start', [0, 2 * S, 7 * S], 9 * S, [0, 1, 2, 3.666666, 5.333333, 7, 9]],
    ['tiny GOPs, merged', every(0.5 * S, 8 * S), 8 * S, [0, 1, 2, 4, 6, 8]],
    ['shorter than any segment', [0], 0.3 * S, [0, 0.3]],
    ['one frame', null, 40_000, [0, 0.04]],
  ])('%s', (_what, keyframesUs, durationUs, expected) => {
    expect(seconds(planTranscode(keyframesUs, durationUs, fps24))).toEqual(expected);
  });

  it('puts borders on frames where their rate is constant', () => {
    const rate = { num: 24_000, den: 1_001 };
    const frameUs = (S * rate.den) / rate.num;
    const keyframesUs = [0, 250, 417, 700].map((frame) => Math.round(frame * frameUs));
    const plan = planTranscode(keyframesUs, Math.round(800 * frameUs), rate);
    for (const timeUs of plan.slice(0, -1)) {
      const frames = timeUs / frameUs;
      expect(Math.abs(frames - Math.round(frames)) * frameUs).toBeLessThan(2);
    }
  });

  it('covers everything in segments of at most two seconds, the first two of at most one', () => {
    const rate = fc.option(fc.constantFrom({ num: 24, den: 1 }, { num: 24_000, den: 1_001 }, { num: 60, den: 1 }));
    fc.assert(
      fc.property(movie, fc.boolean(), rate, ({ keyframesUs, durationUs }, isBlind, frameRate) => {
        const plan = planTranscode(isBlind ? null : keyframesUs, durationUs, frameRate);
        expectCovers(plan, durationUs);
        for (const [index, lengthUs] of lengths(plan).entries()) {
          // What is left at the end may join the last one; a border on a frame may lie a frame early and so the next one late.
          const limitUs = (index < 2 ? 1 : 2) * S + (index === plan.length - 2 ? 0.4 * S : 0);
          expect(lengthUs).toBeLessThanOrEqual(limitUs + 2 * 41_709);
        }
      }),
    );
  });

  it('makes no segment shorter than 0.4 s unless the movie is', () => {
    fc.assert(
      fc.property(movie, ({ keyframesUs, durationUs }) => {
        const plan = planTranscode(keyframesUs, durationUs, { num: 24, den: 1 });
        if (plan.length > 2) for (const lengthUs of lengths(plan)) expect(lengthUs).toBeGreaterThanOrEqual(0.39 * S);
      }),
    );
  });

  it('begins a segment on every keyframe that is far enough from the others', () => {
    fc.assert(
      fc.property(movie, ({ keyframesUs, durationUs }) => {
        const plan = new Set(planTranscode(keyframesUs, durationUs, null));
        for (const [index, timeUs] of keyframesUs.entries()) {
          const beforeUs = timeUs - (keyframesUs[index - 1] ?? 0);
          const afterUs = (keyframesUs[index + 1] ?? durationUs) - timeUs;
          if (beforeUs < 2 * S || afterUs <= 2 * S) continue;
          expect(plan.has(timeUs)).toBe(true);
        }
      }),
    );
  });

  it('refuses what no movie is', () => {
    expect([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53].map(isPlannable)).toEqual(Array(5).fill(false));
    expect(() => planTranscode(null, 2 ** 53, null)).toThrow(RangeError);
  });
});

describe('segmentAt', () => {
  it('finds the segment that holds a time', () => {
    const plan = Float64Array.of(0, S, 3 * S, 7 * S);
    expect([-5, 0, S - 1, S, 2.9 * S, 3 * S, 7 * S, 99 * S].map((timeUs) => segmentAt(plan, timeUs))).toEqual([
      0, 0, 0, 1, 1, 2, 2, 2,
    ]);
  });
});

describe('planFingerprint', () => {
  it('changes with any border', () => {
    fc.assert(
      fc.property(movie, fc.nat(), ({ keyframesUs, durationUs }, pick) => {
        const plan = planTranscode(keyframesUs, durationUs, null);
        const changed = plan.slice();
        changed[pick % plan.length]! += 1;
        expect(planFingerprint(changed)).not.toBe(planFingerprint(plan));
        expect(planFingerprint(plan)).toBe(planFingerprint(plan.slice()));
        expect(planFingerprint(plan)).toMatch(/^[0-9a-z]{1,11}$/);
      }),
    );
  });
});

describe('the pictures to look for a place by', () => {
  it.each<[what: string, keyframesUs: number[], durationUs: number, plan: number[]]>([
    ['each second: every other', [0, S, 2 * S, 3 * S, 4 * S], 5 * S, [0, 2 * S, 4 * S, 5 * S]],
    ['far apart: all', [0, 7 * S, 20 * S], 30 * S, [0, 7 * S, 20 * S, 30 * S]],
    ['just before the end: not the last', [0, 4 * S, 7.5 * S], 8 * S, [0, 4 * S, 8 * S]],
    ['late: the beginning is that of the first', [3 * S, 6 * S], 9 * S, [0, 3 * S, 6 * S, 9 * S]],
  ])('are keyframes, %s', (_what, keyframesUs, durationUs, plan) => {
    expect([...planPictures(keyframesUs, durationUs)!]).toEqual(plan);
  });

  it('are none where no keyframe is known', () => expect(planPictures([], 8 * S)).toBeNull());
});
