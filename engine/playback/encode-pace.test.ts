import { describe, expect, it } from 'vitest';
import { EncodePace } from './encode-pace.ts';

const S = 1_000_000;

describe('the pace of an encoding', () => {
  it('[PLAY96] is how much of the movie was made in how much time', () => {
    const pace = new EncodePace();
    expect(pace.factor).toBeNull();
    pace.begin(1_000, true);
    expect(pace.factor).toBeNull();
    pace.made(4 * S, 3_000);
    pace.made(4 * S, 5_000);
    expect(pace.factor).toBe(2);
  });

  it('[PLAY96] counts no time at rest, and goes on with the segment in hand when only the end of its range moves', () => {
    const pace = new EncodePace();
    pace.begin(0, true);
    pace.made(4 * S, 2_000);
    pace.rest();
    pace.begin(60_000, false);
    // A range that is made longer while it is being made.
    pace.begin(61_000, false);
    pace.made(4 * S, 62_000);
    expect(pace.factor).toBe(2);
  });

  it('[PLAY96] forgets the segment in hand at a seek, and takes none for made of which nobody knows when it was begun', () => {
    const pace = new EncodePace();
    pace.made(4 * S, 1_000);
    expect(pace.factor).toBeNull();
    pace.begin(0, true);
    pace.begin(9_000, true);
    pace.made(4 * S, 10_000);
    expect(pace.factor).toBe(4);
  });

  it('[PLAY96] is that of the last segments', () => {
    const pace = new EncodePace();
    pace.begin(0, true);
    pace.made(S, 100_000);
    for (let at = 1; at <= 6; at++) pace.made(S, 100_000 + at * 500);
    expect(pace.factor).toBe(2);
  });
});
