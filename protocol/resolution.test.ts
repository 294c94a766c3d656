import { describe, expect, it } from 'vitest';
import { resolutionOf } from './resolution.ts';

const square = { num: 1, den: 1 };

describe('resolutionOf', () => {
  it.each([
    [3840, 2160, 2160],
    [3840, 1600, 2160],
    [4096, 1716, 2160],
    [2560, 1440, 1440],
    [1920, 1080, 1080],
    [1920, 1088, 1080],
    [1920, 800, 1080],
    [1440, 1080, 1080],
    [1280, 720, 720],
    [1280, 536, 720],
    [960, 720, 720],
    [1024, 576, 576],
    [720, 576, 576],
    [720, 480, 480],
    [720, 304, 480],
    [640, 480, 480],
    [640, 360, 360],
    [320, 240, 240],
    [1080, 1920, 1080],
    [64, 36, 144],
  ])('%i × %i is %i', (width, height, name) => {
    expect(resolutionOf({ width, height, pixelAspect: square })).toBe(name);
  });

  it('goes by the size that is shown', () => {
    expect(resolutionOf({ width: 1440, height: 816, pixelAspect: { num: 4, den: 3 } })).toBe(1080);
    expect(resolutionOf({ width: 1920, height: 800, pixelAspect: { num: 0, den: 1 } })).toBe(1080);
  });

  it('is unknown without a picture', () => {
    expect(resolutionOf(undefined)).toBeNull();
    expect(resolutionOf({ width: 0, height: 0, pixelAspect: square })).toBeNull();
  });
});
