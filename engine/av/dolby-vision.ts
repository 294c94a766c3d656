/**
 * Dolby Vision over a picture that others can show: the metadata of each picture and the enhancement layer are taken out, and the record
 * that announces them. What is left is plain HDR10, HLG or SDR.
 */
import {
  AV_CODEC_ID_HEVC,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PIX_FMT_YUV420P10LE,
  AV_PKT_DATA_DOVI_CONF,
} from 'node-av/constants';
import { BitStreamFilter, BitStreamFilterContext, Rational } from 'node-av/lib';
import type { CodecParameters } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { annexBNals, hevcParameterSets, lengthPrefixedNals } from './headers/nal-unit.ts';

/** NAL unit types that ITU-T H.265 leaves to others, and that Dolby took: metadata (RPU) and enhancement layer. */
const RPU = 62;
const ENHANCEMENT_LAYER = 63;
/** Two layers in one track. No player of segments takes them: Dolby's own specification for streams has no such profile. */
const TWO_LAYERS = 7;
const START_CODE = Buffer.from([0, 0, 0, 1]);

/** Profile of a track's Dolby Vision, `null` where it is none, and whether other decoders see a right picture without it. */
export function dolbyVisionOf(codecpar: CodecParameters): { profile: number; hasBaseLayer: boolean } | null {
  const record = codecpar.getCodedSideData(AV_PKT_DATA_DOVI_CONF);
  if (!record || record.length < 8) return null;
  return { profile: record[2] ?? 0, hasBaseLayer: (record[7] ?? 0) !== 0 };
}

/** Whether a copied track has to lose its Dolby Vision. It can't where nothing is left without it. */
export function mustLoseDolbyVision(codecpar: CodecParameters, isUnwanted: boolean): boolean {
  const found = dolbyVisionOf(codecpar);
  return found !== null && found.hasBaseLayer && (isUnwanted || found.profile === TWO_LAYERS);
}

/** FFmpeg's muxer leaves the record out where it does not know how pixels lie. All streams with Dolby Vision are alike in that. */
export function announceDolbyVision(codecpar: CodecParameters): void {
  if (dolbyVisionOf(codecpar) !== null && codecpar.format < 0) codecpar.format = AV_PIX_FMT_YUV420P10LE;
}

/** Takes the record out of a track's parameters: FFmpeg's muxer would write it. */
export function forgetDolbyVision(codecpar: CodecParameters): void {
  const filter = BitStreamFilter.getByName('dovi_rpu');
  const context = new BitStreamFilterContext();
  try {
    // The API removes no side data. This filter does, before its first packet; it never gets one.
    if (!filter || context.alloc(filter) < 0) throw new MediaError('internal', 'dovi_rpu is missing');
    codecpar.copy(context.inputCodecParameters!);
    context.inputTimeBase = new Rational(1, 90_000);
    context.setOption('strip', '1', AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
    if (context.init() < 0) throw new MediaError('unsupported', 'Dolby Vision that cannot be taken out');
    const { extradata } = codecpar;
    context.outputCodecParameters!.copy(codecpar);
    // It also writes the parameter sets anew, with start codes, and the packets have none.
    if (extradata) codecpar.extradata = Buffer.from(extradata);
  } finally {
    context.free();
  }
}

/** How the pictures of a track are divided: bytes of the length before each part, `null` for start codes. */
export function hevcLengthSize(codecpar: CodecParameters): number | null {
  return hevcParameterSets(codecpar.extradata ?? new Uint8Array(0))?.lengthSize ?? null;
}

/** A picture of HEVC without what is Dolby's, `null` where it has nothing such. In AV1 it lies in messages that decoders skip. */
export function withoutDolbyVision(
  picture: Buffer,
  { codecId }: CodecParameters,
  lengthSize: number | null,
): Buffer | null {
  if (codecId !== AV_CODEC_ID_HEVC) return null;
  const units = [...(lengthSize === null ? annexBNals(picture) : lengthPrefixedNals(picture, lengthSize))];
  const kept = units.filter((unit) => !isDolbys(unit));
  if (kept.length === units.length || kept.length === 0) return null;
  return Buffer.concat(kept.flatMap((unit) => [prefixOf(unit, lengthSize), unit]));
}

function isDolbys(unit: Uint8Array): boolean {
  const type = ((unit[0] ?? 0) >> 1) & 0x3f;
  return type === RPU || type === ENHANCEMENT_LAYER;
}

function prefixOf(unit: Uint8Array, lengthSize: number | null): Buffer {
  if (lengthSize === null) return START_CODE;
  const prefix = Buffer.alloc(lengthSize);
  prefix.writeUIntBE(unit.length, 0, lengthSize);
  return prefix;
}
