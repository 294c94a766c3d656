import { describe, expect, it } from 'vitest';
import { Loop } from './loop.ts';

describe('a part that repeats', () => {
  it('[PLAY92] takes a beginning, then an end, then is off', () => {
    const loop = new Loop();
    loop.mark(10_000);
    expect(loop.marks.value).toEqual({ startMs: 10_000, endMs: null });
    expect(loop.isOn.value).toBe(false);
    loop.mark(14_000);
    expect(loop.marks.value).toEqual({ startMs: 10_000, endMs: 14_000 });
    expect(loop.isOn.value).toBe(true);
    loop.mark(12_000);
    expect(loop.marks.value).toBeNull();
  });

  it('[PLAY92] an end before the beginning makes them change places, one at the same place is none', () => {
    const loop = new Loop();
    loop.mark(10_000);
    loop.mark(10_100);
    expect(loop.isOn.value).toBe(false);
    loop.mark(4_000);
    expect(loop.marks.value).toEqual({ startMs: 4_000, endMs: 10_000 });
  });

  it('[PLAY92] playing over the end returns to the beginning; seeking beyond it by hand does not', () => {
    const loop = new Loop();
    loop.mark(4_000);
    loop.mark(10_000);
    expect(loop.returnFrom(9_990, 9_950)).toBeNull();
    expect(loop.returnFrom(10_010, 9_990)).toBe(4_000);
    // Marked on the frame that was on the screen.
    expect(loop.returnFrom(10_040, 10_000)).toBe(4_000);
    expect(loop.returnFrom(10_000, 10_000)).toBeNull();
    expect(loop.returnFrom(60_000, 9_990)).toBeNull();
    expect(loop.returnFrom(60_040, 60_000)).toBeNull();
    expect(loop.returnFrom(3_040, 3_000)).toBeNull();
  });
});
