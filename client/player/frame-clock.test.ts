import { describe, expect, it } from 'vitest';
import { FrameLength, frameTarget } from './frame-clock.ts';

describe('how long a frame lasts', () => {
  it('[PLAY91] is assumed until two frames were seen', () => {
    const length = new FrameLength();
    length.add(0, 1);
    expect(length.lengthMs).toBeCloseTo(1_000 / 24);
  });

  it('[PLAY91] is measured, also across frames that the page slept through', () => {
    const length = new FrameLength();
    for (const [ms, presented] of [
      [0, 1],
      [40, 2],
      [160, 5],
      [200, 6],
    ] as const) {
      length.add(ms, presented);
    }
    expect(length.lengthMs).toBe(40);
  });

  it('[PLAY91] is not taken from a jump, in either direction', () => {
    const length = new FrameLength();
    for (const [ms, presented] of [
      [0, 1],
      [20, 2],
      [90_000, 3],
      [90_020, 4],
      [10, 5],
      [30, 6],
    ] as const) {
      length.add(ms, presented);
    }
    expect(length.lengthMs).toBe(20);
  });
});

describe('a step of a frame', () => {
  it.each([
    ['forward from the beginning of a frame', 1_000, false, 1, 1_060],
    ['back from the beginning of a frame', 1_000, false, -1, 980],
    ['forward from the middle of one, while a step is on its way', 1_060, true, 1, 1_100],
    ['back from the middle of one', 1_060, true, -1, 1_020],
  ])('[PLAY91] %s goes to the middle of the next', (_, fromMs, isInside, steps, expected) => {
    expect(frameTarget(fromMs, isInside, steps, 40)).toBe(expected);
  });
});
