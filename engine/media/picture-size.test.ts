import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodedCodecString, videoLevel } from './video-level.ts';
import { pictureSize } from './picture-size.ts';

const coded = (width: number, height: number, num = 1, den = 1, rotation = 0) => ({
  width,
  height,
  pixelAspect: { num, den },
  rotation,
});

describe('the size of an encoded picture', () => {
  it.each([
    ['as it is', coded(1920, 1080), 1080, { widthPx: 1920, heightPx: 1080 }],
    ['smaller', coded(1920, 1080), 720, { widthPx: 1280, heightPx: 720 }],
    ['never larger', coded(640, 360), 1080, { widthPx: 640, heightPx: 360 }],
    ['even sides', coded(853, 481), 1080, { widthPx: 854, heightPx: 482 }],
    ['square pixels', coded(720, 576, 64, 45), 576, { widthPx: 1024, heightPx: 576 }],
    ['narrow pixels', coded(720, 480, 8, 9), 480, { widthPx: 640, heightPx: 480 }],
    ['turned', coded(1920, 1080, 1, 1, 90), 960, { widthPx: 540, heightPx: 960 }],
    ['turned with wide pixels', coded(720, 576, 64, 45, 270), 1024, { widthPx: 576, heightPx: 1024 }],
    ['upside down', coded(1920, 1080, 1, 1, 180), 540, { widthPx: 960, heightPx: 540 }],
    ['cinema', coded(3840, 1600), 800, { widthPx: 1920, heightPx: 800 }],
    ['8K', coded(7680, 4320), 4320, { widthPx: 4096, heightPx: 2304 }],
    ['one pixel', coded(1, 1), 720, { widthPx: 2, heightPx: 2 }],
  ])('%s', (_, source, heightPx, expected) => {
    expect(pictureSize(source, heightPx)).toEqual(expected);
  });

  it('is even, within bounds and of the same shape', () => {
    const side = fc.integer({ min: 16, max: 8192 });
    fc.assert(
      fc.property(side, side, fc.integer({ min: 16, max: 4320 }), (width, height, wanted) => {
        const { widthPx, heightPx } = pictureSize(coded(width, height), wanted);
        expect((widthPx % 2) + (heightPx % 2)).toBe(0);
        expect(Math.max(widthPx, heightPx)).toBeLessThanOrEqual(4096);
        expect(heightPx).toBeLessThanOrEqual(Math.min(wanted, height) + 1);
        const exactPx = Math.max(2, (heightPx * width) / height);
        // The bound is reached, and then rounding of the numbers themselves tips it.
        expect(Math.abs(widthPx - exactPx)).toBeLessThanOrEqual(1 + width / height + 1e-9);
      }),
      { examples: [[27, 721, 721]] },
    );
  });
});

describe('the H.264 level', () => {
  it.each([
    [640, 360, 24, 1e6, 30, 'avc1.64001e'],
    [1280, 720, 24, 4e6, 31, 'avc1.64001f'],
    [1280, 720, 60, 6e6, 32, 'avc1.640020'],
    [1920, 1080, 24, 8e6, 40, 'avc1.640028'],
    [1920, 1080, 24, 40e6, 41, 'avc1.640029'],
    [1920, 1080, 60, 12e6, 42, 'avc1.64002a'],
    [3840, 2160, 24, 40e6, 51, 'avc1.640033'],
    [3840, 2160, 60, 40e6, 52, 'avc1.640034'],
    [4096, 4096, 120, 40e6, 52, 'avc1.640034'],
  ])('of %dx%d at %d/s and %d bit/s is %d: %s', (widthPx, heightPx, rate, bitrate, level, codec) => {
    expect(videoLevel('h264', { widthPx, heightPx }, rate, bitrate)).toBe(level);
    expect(encodedCodecString('h264', level)).toBe(codec);
  });
});
