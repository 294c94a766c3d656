import { describe, expect, it } from 'vitest';
import { makingMs } from './served-loader.ts';

describe('the line is judged', () => {
  it.each([
    ['make;dur=812', 812],
    ['make;dur=0.5', 0.5],
    ['cache;desc="x", make;dur=12', 12],
    ['remake;dur=12', 0],
    ['make;dur=-1', 0],
    ['', 0],
    [null, 0],
  ])('[PLAY29] without the time that a segment took to make: %j', (header, ms) => {
    expect(makingMs(header)).toBe(ms);
  });
});
