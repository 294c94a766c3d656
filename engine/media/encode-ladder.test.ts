import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLadder, maxBitrateFor, usefulBitrateBps } from './encode-ladder.ts';
import type { Rung } from './encode-ladder.ts';
import { pictureSize } from './picture-size.ts';
import type { CodedPicture } from './picture-size.ts';

const picture = (width: number, height: number, part: Partial<CodedPicture> = {}): CodedPicture => ({
  width,
  height,
  pixelAspect: { num: 1, den: 1 },
  rotation: 0,
  ...part,
});
const topOf = (video: CodedPicture, heightPx: number, rate = 24): Rung => {
  const size = pictureSize(video, heightPx);
  return { ...size, maxBitrateBps: maxBitrateFor(size, rate, null) };
};
const told = (rungs: readonly Rung[]): string[] =>
  rungs.map(({ widthPx, heightPx, maxBitrateBps }) => `${widthPx}x${heightPx} ${maxBitrateBps / 1_000}k`);

describe('the ladder', () => {
  it('[PLAY27] goes from the best size down to 240p', () => {
    const video = picture(1920, 1080);
    expect(told(encodeLadder(video, topOf(video, 1080), 24))).toEqual([
      '1920x1080 7000k',
      '1280x720 3500k',
      '1024x576 2300k',
      '854x480 1500k',
      '640x360 800k',
      '426x240 400k',
    ]);
    const wide = picture(1920, 800);
    expect(told(encodeLadder(wide, topOf(wide, 800), 24)).slice(0, 3)).toEqual([
      '1920x800 7000k',
      '1282x534 3500k',
      '1022x426 2300k',
    ]);
    const upright = picture(1920, 1080, { rotation: 90 });
    expect(told(encodeLadder(upright, topOf(upright, 1280), 24)).slice(0, 2)).toEqual([
      '720x1280 3500k',
      '576x1024 2300k',
    ]);
  });

  it('[PLAY27] begins where the source ends', () => {
    const small = picture(640, 360);
    expect(told(encodeLadder(small, topOf(small, 360), 24))).toEqual(['640x360 800k', '426x240 400k']);
    const tiny = picture(160, 120);
    expect(told(encodeLadder(tiny, topOf(tiny, 120), 24))).toEqual(['160x120 400k']);
  });

  it('[PLAY27] stays under the copy that is offered above it, and never repeats it', () => {
    const video = picture(1920, 1080);
    expect(told(encodeLadder(video, topOf(video, 1080), 24, 10_000_000)).slice(0, 3)).toEqual([
      '1920x1080 5000k',
      '1280x720 2500k',
      '854x480 1500k',
    ]);
    expect(told(encodeLadder(video, topOf(video, 1080), 24, 500_000))).toEqual([]);
  });

  it('[PLAY27] steps by 1.5 to 2 times, whatever the source, and never grows', () => {
    const sizes = fc.record({
      width: fc.integer({ min: 2, max: 4_096 }),
      height: fc.integer({ min: 2, max: 4_096 }),
      capPx: fc.integer({ min: 120, max: 2_160 }),
      capBps: fc.integer({ min: 150_000, max: 60_000_000 }),
      rate: fc.constantFrom(24, 60),
      copyBps: fc.option(fc.integer({ min: 100_000, max: 100_000_000 })),
    });
    fc.assert(
      fc.property(sizes, ({ width, height, capPx, capBps, rate, copyBps }) => {
        const video = picture(width, height);
        const top = topOf(video, capPx, rate);
        const capped = { ...top, maxBitrateBps: Math.min(top.maxBitrateBps, capBps) };
        const rungs = encodeLadder(video, capped, rate, copyBps);
        if (copyBps === null) expect(rungs[0]).toEqual(capped);
        const all = copyBps === null ? rungs : [{ ...capped, maxBitrateBps: copyBps }, ...rungs];
        for (const [index, rung] of all.entries()) {
          const next = all[index + 1];
          expect(rung.widthPx <= top.widthPx && rung.heightPx <= top.heightPx).toBe(true);
          if (!next) continue;
          const step = rung.maxBitrateBps / next.maxBitrateBps;
          expect(step).toBeGreaterThanOrEqual(1.499);
          // From a copy of any bit rate down to what we encode at most may be far.
          if (index > 0 || copyBps === null) expect(step).toBeLessThanOrEqual(2.001);
          expect(next.heightPx).toBeLessThanOrEqual(rung.heightPx);
        }
      }),
    );
  });

  it('gives a picture no more than its source is worth', () => {
    expect(usefulBitrateBps('h264', 2_000_000)).toBe(2_000_000);
    expect(usefulBitrateBps('hevc', 2_000_000)).toBe(3_600_000);
    expect(usefulBitrateBps('mpeg2video', 10)).toBe(150_000);
  });
});
