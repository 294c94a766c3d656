import type { PictureSize } from './picture-size.ts';

/** ITU-T H.264 Table A-1: level × 10, macroblocks per second, macroblocks per frame, bits per second at High profile. */
const LEVELS = [
  [30, 40_500, 1_620, 12_500_000],
  [31, 108_000, 3_600, 17_500_000],
  [32, 216_000, 5_120, 25_000_000],
  [40, 245_760, 8_192, 25_000_000],
  [41, 245_760, 8_192, 62_500_000],
  [42, 522_240, 8_704, 62_500_000],
  [50, 589_824, 22_080, 168_750_000],
  [51, 983_040, 36_864, 300_000_000],
  [52, 2_073_600, 36_864, 300_000_000],
] as const;

/** The lowest level that admits such a video, times ten. 52 where none does. */
export function h264Level(size: PictureSize, framesPerSecond: number, maxBitrateBps: number): number {
  const macroblocks = Math.ceil(size.widthPx / 16) * Math.ceil(size.heightPx / 16);
  const fitting = LEVELS.find(
    ([, perSecond, perFrame, bitrateBps]) =>
      macroblocks <= perFrame && macroblocks * framesPerSecond <= perSecond && maxBitrateBps <= bitrateBps,
  );
  return fitting?.[0] ?? 52;
}

/** RFC 6381 name of what a rendition host's H.264 output is: High profile at this level. */
export function h264CodecString(level: number): string {
  return `avc1.6400${level.toString(16).padStart(2, '0')}`;
}
