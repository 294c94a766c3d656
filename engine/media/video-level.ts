/** The level of an encoded picture and the name of its codec, known before the first picture is made. */
import type { PictureSize } from './picture-size.ts';
import type { VideoCodec } from './rendition-spec.ts';

type Level = readonly [level: number, samples: number, samplesPerSecond: number, bitrateBps: number];

/** ITU-T H.264 table A-1, High profile, its macroblocks as 256 samples: level × 10. */
const H264_LEVELS: readonly Level[] = [
  [30, 414_720, 10_368_000, 12_500_000],
  [31, 921_600, 27_648_000, 17_500_000],
  [32, 1_310_720, 55_296_000, 25_000_000],
  [40, 2_097_152, 62_914_560, 25_000_000],
  [41, 2_097_152, 62_914_560, 62_500_000],
  [42, 2_228_224, 133_693_440, 62_500_000],
  [50, 5_652_480, 150_994_944, 168_750_000],
  [51, 9_437_184, 251_658_240, 300_000_000],
  [52, 9_437_184, 530_841_600, 300_000_000],
];
/** ITU-T H.265 tables A.8 and A.9, Main tier: general_level_idc. */
const HEVC_LEVELS: readonly Level[] = [
  [90, 552_960, 16_588_800, 6_000_000],
  [93, 983_040, 33_177_600, 10_000_000],
  [120, 2_228_224, 66_846_720, 12_000_000],
  [123, 2_228_224, 133_693_440, 20_000_000],
  [150, 8_912_896, 267_386_880, 25_000_000],
  [153, 8_912_896, 534_773_760, 40_000_000],
  [156, 8_912_896, 1_069_547_520, 60_000_000],
];
/** AV1 specification, annex A.3, Main tier: seq_level_idx. */
const AV1_LEVELS: readonly Level[] = [
  [4, 665_856, 19_975_680, 6_000_000],
  [5, 1_065_024, 31_950_720, 10_000_000],
  [8, 2_359_296, 70_778_880, 12_000_000],
  [9, 2_359_296, 141_557_760, 20_000_000],
  [12, 8_912_896, 267_386_880, 30_000_000],
  [13, 8_912_896, 534_773_760, 40_000_000],
  [14, 8_912_896, 1_069_547_520, 60_000_000],
];

const LEVELS = { h264: H264_LEVELS, hevc: HEVC_LEVELS, av1: AV1_LEVELS } as const;

/** The lowest level of a codec, in its own numbers, that admits such a video; the highest we name where none does. */
export function videoLevel(
  codec: VideoCodec,
  size: PictureSize,
  framesPerSecond: number,
  maxBitrateBps: number,
): number {
  // Coded in blocks of 16 and more; the round number is what counts against the limits.
  const samples = Math.ceil(size.widthPx / 16) * Math.ceil(size.heightPx / 16) * 256;
  const levels = LEVELS[codec];
  const fitting = levels.find(
    ([, most, mostPerSecond, mostBps]) =>
      samples <= most && samples * framesPerSecond <= mostPerSecond && maxBitrateBps <= mostBps,
  );
  return (fitting ?? levels.at(-1)!)[0];
}

/** RFC 6381 name of what a rendition host makes: H.264 High, HEVC Main or AV1 Main, 8 bit, at this level. */
export function encodedCodecString(codec: VideoCodec, level: number): string {
  switch (codec) {
    case 'h264':
      return `avc1.6400${level.toString(16).padStart(2, '0')}`;
    case 'hevc':
      return `hvc1.1.6.L${level}.90`;
    case 'av1':
      return `av01.0.${String(level).padStart(2, '0')}M.08`;
  }
}
