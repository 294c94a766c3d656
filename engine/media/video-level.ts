/** The level of an encoded picture and the name of its codec, known before the first picture is made. */
import { h264CodecString, h264Level } from './h264-level.ts';
import type { PictureSize } from './picture-size.ts';
import type { VideoCodec } from './rendition-spec.ts';

type Level = readonly [level: number, samples: number, samplesPerSecond: number, bitrateBps: number];

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

/** The lowest level of a codec, in its own numbers, that admits such a video; the highest we name where none does. */
export function videoLevel(
  codec: VideoCodec,
  size: PictureSize,
  framesPerSecond: number,
  maxBitrateBps: number,
): number {
  if (codec === 'h264') return h264Level(size, framesPerSecond, maxBitrateBps);
  const levels = codec === 'hevc' ? HEVC_LEVELS : AV1_LEVELS;
  // Coded in blocks of 16 and more; the round number is what counts against the limits.
  const samples = Math.ceil(size.widthPx / 16) * Math.ceil(size.heightPx / 16) * 256;
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
      return h264CodecString(level);
    case 'hevc':
      return `hvc1.1.6.L${level}.90`;
    case 'av1':
      return `av01.0.${String(level).padStart(2, '0')}M.08`;
  }
}
