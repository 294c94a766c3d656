/** One video stream as `VideoTrack`: what its bitstream header says, then what its container says. */
import {
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_MPEG2VIDEO,
  AV_CODEC_ID_MPEG4,
  AV_CODEC_ID_VC1,
  AV_CODEC_ID_VP8,
  AV_CODEC_ID_VP9,
  AV_CODEC_ID_WMV3,
  AV_PKT_DATA_DOVI_CONF,
  AV_PKT_DATA_DYNAMIC_HDR10_PLUS,
} from 'node-av/constants';
import type {
  AVColorPrimaries,
  AVColorSpace,
  AVColorTransferCharacteristic,
  AVPixelFormat,
  AVProfile,
} from 'node-av/constants';
import { avGetPixFmtFromName, avGetPixFmtName } from 'node-av/lib';
import type { CodecParameters, Stream } from 'node-av/lib';
import type { HdrKind, Ratio, VideoTrack } from '#protocol/schema/media.ts';
import { matrixName, primariesName, rangeName, transferName } from './color-names.ts';
import type { FirstPackets } from './first-packets.ts';
import { toFrameRate } from './frame-timing.ts';
import type { FrameTiming } from './frame-timing.ts';
import { hasAv1Hdr10Plus, parseAv1Header } from './headers/av1.ts';
import { isAvcPacketInterlaced, parseAvcHeader } from './headers/h264.ts';
import type { AvcHeader } from './headers/h264.ts';
import { hasHevcHdr10Plus, parseHevcHeader } from './headers/hevc.ts';
import type { HevcHeader } from './headers/hevc.ts';
import { isMpeg2PacketInterlaced } from './headers/mpeg2.ts';
import { avcParameterSets, hevcParameterSets } from './headers/nal-unit.ts';
import { UNSPECIFIED, pixelFormatName } from './headers/video-header.ts';
import type { VideoHeader } from './headers/video-header.ts';
import { parseVp9Header } from './headers/vp9.ts';
import { rotationOf } from './stream-rotation.ts';
import { codecStringOf, profileNameOf, trackBase } from './track-base.ts';
import type { TrackTags } from './track-base.ts';

const MAX_SIDE_PX = 32_768;
const EMPTY = Buffer.alloc(0);
const TRANSFER_PQ = 'smpte2084';
const TRANSFER_HLG = 'arib-std-b67';

/** What `headerOf` found, by codec. `none`: FFmpeg's analysis must tell; `vp8` has nothing to tell. */
export type ParsedHeader =
  | { readonly kind: 'h264'; readonly header: AvcHeader }
  | { readonly kind: 'hevc'; readonly header: HevcHeader }
  | { readonly kind: 'plain'; readonly header: VideoHeader }
  | { readonly kind: 'none' };

/** Codecs whose headers are read here. All others need FFmpeg's analysis. */
export function hasReadableHeader(stream: Stream): boolean {
  const codecId = stream.codecpar.codecId;
  return [AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1, AV_CODEC_ID_VP8, AV_CODEC_ID_VP9].includes(codecId);
}

/** The header from the container's copy, or from the first packet where the container has none. */
export function headerOf(stream: Stream, packet: Buffer | null): ParsedHeader {
  const { codecId, extradata, width, height } = stream.codecpar;
  const config = extradata ?? EMPTY;
  if (codecId === AV_CODEC_ID_H264) {
    const header =
      parseAvcHeader(config) ??
      (packet === null ? null : parseAvcHeader(packet, avcParameterSets(config)?.lengthSize ?? null));
    return header === null ? { kind: 'none' } : { kind: 'h264', header };
  }
  if (codecId === AV_CODEC_ID_HEVC) {
    const header =
      parseHevcHeader(config) ??
      (packet === null ? null : parseHevcHeader(packet, hevcParameterSets(config)?.lengthSize ?? null));
    return header === null ? { kind: 'none' } : { kind: 'hevc', header };
  }
  let header: VideoHeader | null = null;
  if (codecId === AV_CODEC_ID_AV1) {
    header = parseAv1Header(config) ?? (packet === null ? null : parseAv1Header(packet, true));
  }
  if (codecId === AV_CODEC_ID_VP9 && packet !== null) header = parseVp9Header(packet);
  if (codecId === AV_CODEC_ID_VP8) {
    header = {
      profile: null,
      level: null,
      width,
      height,
      chroma: '420',
      bitDepth: 8,
      pixelAspect: null,
      color: null,
      isFullRange: null,
      isInterlaced: false,
    };
  }
  return header === null ? { kind: 'none' } : { kind: 'plain', header };
}

/** Whether the first packet could add something to what is known: interlacing, HDR10+, or the header itself. */
export function wantsFirstPacket(stream: Stream, parsed: ParsedHeader): boolean {
  if (stream.codecpar.codecId === AV_CODEC_ID_MPEG2VIDEO) return true;
  if (parsed.kind === 'none') return hasReadableHeader(stream);
  if (parsed.kind === 'h264' && parsed.header.isInterlaced === null) return true;
  const transfer = colorOf(stream, parsed).transfer;
  return transfer === TRANSFER_PQ && (parsed.kind === 'hevc' || stream.codecpar.codecId === AV_CODEC_ID_AV1);
}

/** Codecs that tell only in decoded pictures whether they are interlaced. */
export function wantsDecodedPicture(stream: Stream): boolean {
  return [AV_CODEC_ID_VC1, AV_CODEC_ID_WMV3, AV_CODEC_ID_MPEG4].includes(stream.codecpar.codecId);
}

export interface VideoEvidence {
  readonly parsed: ParsedHeader;
  readonly first: FirstPackets;
  readonly tags: TrackTags;
  readonly timing: FrameTiming | null;
  readonly containerSaysInterlaced: boolean | null;
}

/** `null`: dimensions that no picture has. */
export function describeVideo(stream: Stream, evidence: VideoEvidence): VideoTrack | null {
  const { parsed, first, timing } = evidence;
  const par = stream.codecpar;
  const header = parsed.kind === 'none' ? null : parsed.header;
  const base = trackBase(stream, evidence.tags);
  const width = header?.width ?? par.width;
  const height = header?.height ?? par.height;
  if (width > MAX_SIDE_PX || height > MAX_SIDE_PX) return null;

  const pixelFormat =
    header === null ? avGetPixFmtName(par.format as AVPixelFormat) : pixelFormatName(header, base.codec);
  const profile = header?.profile ?? par.profile;
  const level = header?.level ?? par.level;
  // FFmpeg's codec strings read these fields, which its own analysis would have filled in.
  if (header !== null) {
    par.profile = profile as AVProfile;
    par.level = level;
    if (pixelFormat !== null) par.format = avGetPixFmtFromName(pixelFormat);
  }
  const packet = first.packets.get(stream.index) ?? null;
  const color = colorOf(stream, parsed);
  const dolbyVision = dolbyVisionOf(stream);
  return {
    ...base,
    profile: profileNameOf(par.codecId, profile),
    codecString: codecStringOf(
      stream,
      parsed.kind === 'h264' || parsed.kind === 'hevc' ? parsed.header.codecString : null,
    ),
    level: level >= 0 ? level : null,
    width,
    height,
    pixelAspect: pixelAspectOf(stream, header),
    rotation: rotationOf(stream),
    pixelFormat,
    bitDepth: header?.bitDepth ?? bitDepthOf(pixelFormat, par.bitsPerRawSample),
    frameRate: frameRateOf(stream, timing),
    isVariableFrameRate: timing?.isVariable ?? false,
    isInterlaced: isInterlaced(stream, evidence, packet),
    hdr: hdrOf(stream, { parsed, transfer: color.transfer, isDolbyVision: dolbyVision !== null, packet }),
    dolbyVision,
    color,
  };
}

function colorOf(stream: Stream, parsed: ParsedHeader): VideoTrack['color'] {
  const par = stream.codecpar;
  const header = parsed.kind === 'none' ? null : parsed.header;
  const pick = (own: number | undefined, containers: number): number =>
    own === undefined || own === UNSPECIFIED ? containers : own;
  let range = rangeName(par.colorRange);
  if (header?.isFullRange !== null && header?.isFullRange !== undefined) range = header.isFullRange ? 'pc' : 'tv';
  return {
    primaries: primariesName(pick(header?.color?.primaries, par.colorPrimaries)),
    transfer: transferName(pick(header?.color?.transfer, par.colorTrc)),
    matrix: matrixName(pick(header?.color?.matrix, par.colorSpace)),
    range,
  };
}

/** Puts into `par` what the bitstream says of its colours, as `describeVideo` tells them: what is written from it then says the same. */
export function stateColors(par: CodecParameters, parsed: ParsedHeader): void {
  const header = parsed.kind === 'none' ? null : parsed.header;
  if (!header) return;
  const { color, isFullRange } = header;
  if (color && color.primaries !== UNSPECIFIED) par.colorPrimaries = color.primaries as AVColorPrimaries;
  if (color && color.transfer !== UNSPECIFIED) par.colorTrc = color.transfer as AVColorTransferCharacteristic;
  if (color && color.matrix !== UNSPECIFIED) par.colorSpace = color.matrix as AVColorSpace;
  if (isFullRange !== null) par.colorRange = isFullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

/** AVDOVIDecoderConfigurationRecord: versions, profile, level, three flags, then the compatibility id. */
function dolbyVisionOf(stream: Stream): VideoTrack['dolbyVision'] {
  const record = stream.codecpar.getCodedSideData(AV_PKT_DATA_DOVI_CONF);
  if (record === null || record.length < 8) return null;
  return { profile: record[2] ?? 0, level: record[3] ?? 0, compatibility: record[7] ?? 0 };
}

interface HdrEvidence {
  readonly parsed: ParsedHeader;
  readonly transfer: string | null;
  readonly isDolbyVision: boolean;
  readonly packet: Buffer | null;
}

function hdrOf(stream: Stream, { parsed, transfer, isDolbyVision, packet }: HdrEvidence): HdrKind | null {
  if (isDolbyVision) return 'dolbyVision';
  if (transfer === TRANSFER_HLG) return 'hlg';
  if (transfer !== TRANSFER_PQ) return null;
  if (stream.codecpar.getCodedSideData(AV_PKT_DATA_DYNAMIC_HDR10_PLUS) !== null) return 'hdr10plus';
  if (packet !== null) {
    const hasPlus =
      parsed.kind === 'hevc'
        ? hasHevcHdr10Plus(packet, parsed.header.lengthSize)
        : stream.codecpar.codecId === AV_CODEC_ID_AV1 && hasAv1Hdr10Plus(packet);
    if (hasPlus) return 'hdr10plus';
  }
  return 'hdr10';
}

function isInterlaced(stream: Stream, evidence: VideoEvidence, packet: Buffer | null): boolean {
  const { parsed, first, containerSaysInterlaced } = evidence;
  if (parsed.kind !== 'none' && parsed.header.isInterlaced !== null) return parsed.header.isInterlaced;
  if (containerSaysInterlaced === true) return true;
  if (packet !== null) {
    const told =
      parsed.kind === 'h264'
        ? isAvcPacketInterlaced(packet, parsed.header)
        : stream.codecpar.codecId === AV_CODEC_ID_MPEG2VIDEO
          ? isMpeg2PacketInterlaced(packet)
          : null;
    if (told !== null) return told;
  }
  return first.isInterlaced.get(stream.index) ?? false;
}

/** The container's word over the bitstream's, as players do; 1:1 where neither says anything usable. */
function pixelAspectOf(stream: Stream, header: VideoHeader | null): Ratio {
  for (const { num, den } of [
    stream.sampleAspectRatio,
    stream.codecpar.sampleAspectRatio,
    header?.pixelAspect ?? NONE,
  ]) {
    if (num > 0 && den > 0) return { num, den };
  }
  return { num: 1, den: 1 };
}

const NONE = { num: 0, den: 0 };

function bitDepthOf(pixelFormat: string | null, rawBits: number): number | null {
  if (rawBits > 0) return rawBits;
  if (pixelFormat === null) return null;
  const deep = /p(9|10|12|14|16)(?:le|be)?$|^gray(9|10|12|14|16)/u.exec(pixelFormat);
  return deep === null ? 8 : Number(deep[1] ?? deep[2]);
}

/** The container's average, else what the first pictures show, else FFmpeg's guess from the clock they fit. */
function frameRateOf(stream: Stream, timing: FrameTiming | null): Ratio | null {
  const counted = timing === null || timing.framesPerSecond === null ? null : toFrameRate(timing.framesPerSecond);
  return usableRate(stream, stream.avgFrameRate) ?? counted ?? usableRate(stream, stream.rFrameRate);
}

function usableRate({ timeBase }: Stream, { num, den }: Ratio): Ratio | null {
  // A rate of one picture per tick is what a demuxer says that knows nothing.
  const isTickRate = timeBase.num * num === timeBase.den * den && num >= 1000 * den;
  return num > 0 && den > 0 && num / den <= 1000 && !isTickRate ? { num, den } : null;
}
