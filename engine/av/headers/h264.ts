/** H.264 sequence parameter sets and slice headers (ITU-T H.264 7.3), as far as a probe needs them. */
import { BitReader } from './bit-reader.ts';
import { avcParameterSets, packetNals, seiMessages, unescapeNal } from './nal-unit.ts';
import type { ColorDescription, VideoHeader } from './video-header.ts';

const NAL_SLICE = 1;
const NAL_IDR = 5;
const NAL_SEI = 6;
const NAL_SPS = 7;
const SEI_PIC_TIMING = 1;
/** FFmpeg's AV_PROFILE_H264_CONSTRAINED and AV_PROFILE_H264_INTRA. */
const CONSTRAINED = 1 << 9;
const INTRA = 1 << 11;
const HIGH_PROFILES = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
/** H.264 table E-1. */
const PIXEL_ASPECTS = [
  null,
  [1, 1],
  [12, 11],
  [10, 11],
  [16, 11],
  [40, 33],
  [24, 11],
  [20, 11],
  [32, 11],
  [80, 33],
  [18, 11],
  [15, 11],
  [64, 33],
  [160, 99],
  [4, 3],
  [3, 2],
  [2, 1],
] as const;

export interface AvcHeader extends VideoHeader {
  readonly lengthSize: number | null;
  /** RFC 6381, such as `avc1.640028`. */
  readonly codecString: string;
  readonly log2MaxFrameNum: number;
  readonly hasSeparatePlanes: boolean;
  readonly isMbaff: boolean;
  /** Bits before `pic_struct` in a picture timing message; `null`: the message has no `pic_struct`. */
  readonly picStructAtBit: number | null;
}

/** The first sequence parameter set in extradata or in a packet. `null`: there is none, or it makes no sense. */
export function parseAvcHeader(data: Uint8Array, lengthSize?: number | null): AvcHeader | null {
  const sets = lengthSize === undefined ? avcParameterSets(data) : { lengthSize, nals: packetNals(data, lengthSize) };
  if (sets === null) return null;
  for (const nal of sets.nals) {
    if (((nal[0] ?? 0) & 0x1f) !== NAL_SPS) continue;
    try {
      return parseSps(unescapeNal(nal), sets.lengthSize);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }
  return null;
}

function parseSps(sps: Uint8Array, lengthSize: number | null): AvcHeader {
  const r = new BitReader(sps);
  r.skip(8);
  const profileIdc = r.bits(8);
  const constraints = r.bits(8);
  const level = r.bits(8);
  r.ue();
  let chromaIdc = 1;
  let hasSeparatePlanes = false;
  let bitDepth = 8;
  if (HIGH_PROFILES.includes(profileIdc)) {
    chromaIdc = r.ue();
    if (chromaIdc === 3) hasSeparatePlanes = r.flag();
    bitDepth = r.ue() + 8;
    r.ue();
    r.skip(1);
    if (r.flag()) {
      for (let i = 0; i < (chromaIdc === 3 ? 12 : 8); i += 1) if (r.flag()) skipScalingList(r, i < 6 ? 16 : 64);
    }
  }
  const log2MaxFrameNum = r.ue() + 4;
  const pocType = r.ue();
  if (pocType === 0) r.ue();
  else if (pocType === 1) {
    r.skip(1);
    r.se();
    r.se();
    for (let n = Math.min(r.ue(), 255); n > 0; n -= 1) r.se();
  }
  r.ue();
  r.skip(1);
  const widthMbs = r.ue() + 1;
  const heightMapUnits = r.ue() + 1;
  const frameMbsOnly = r.flag();
  const isMbaff = frameMbsOnly ? false : r.flag();
  r.skip(1);
  const unitX = chromaIdc === 1 || chromaIdc === 2 ? 2 : 1;
  const unitY = (chromaIdc === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2);
  let cropX = 0;
  let cropY = 0;
  if (r.flag()) {
    cropX = (r.ue() + r.ue()) * unitX;
    cropY = (r.ue() + r.ue()) * unitY;
  }
  const vui = r.flag() ? parseVui(r) : null;
  const width = widthMbs * 16 - cropX;
  const height = heightMapUnits * 16 * (frameMbsOnly ? 1 : 2) - cropY;
  if (width <= 0 || height <= 0 || bitDepth > 14 || chromaIdc > 3) throw new RangeError('impossible picture');
  let profile = profileIdc;
  if (profileIdc === 66 && (constraints & 0x40) !== 0) profile |= CONSTRAINED;
  if ([110, 122, 244].includes(profileIdc) && (constraints & 0x10) !== 0) profile |= INTRA;
  return {
    lengthSize,
    codecString: `avc1.${[profileIdc, constraints, level].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    profile,
    level,
    width,
    height,
    chroma: (['gray', '420', '422', '444'] as const)[chromaIdc] ?? '420',
    bitDepth,
    pixelAspect: vui?.pixelAspect ?? null,
    color: vui?.color ?? null,
    isFullRange: vui?.isFullRange ?? null,
    isInterlaced: frameMbsOnly ? false : null,
    log2MaxFrameNum,
    hasSeparatePlanes,
    isMbaff,
    picStructAtBit: vui?.picStructAtBit ?? null,
  };
}

function skipScalingList(r: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i += 1) {
    if (next !== 0) next = (last + r.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

interface Vui {
  readonly pixelAspect: { num: number; den: number } | null;
  readonly color: ColorDescription | null;
  readonly isFullRange: boolean | null;
  readonly picStructAtBit: number | null;
}

function parseVui(r: BitReader): Vui {
  const pixelAspect = r.flag() ? parsePixelAspect(r) : null;
  if (r.flag()) r.skip(1);
  let color: ColorDescription | null = null;
  let isFullRange: boolean | null = null;
  if (r.flag()) {
    r.skip(3);
    isFullRange = r.flag();
    if (r.flag()) color = { primaries: r.bits(8), transfer: r.bits(8), matrix: r.bits(8) };
  }
  // Encoders exist that cut the rest off: what was read so far still counts.
  let picStructAtBit: number | null = null;
  try {
    if (r.flag()) {
      r.ue();
      r.ue();
    }
    if (r.flag()) r.skip(65);
    const nalHrdBits = r.flag() ? parseHrdDelayBits(r) : null;
    const vclHrdBits = r.flag() ? parseHrdDelayBits(r) : null;
    if (nalHrdBits !== null || vclHrdBits !== null) r.skip(1);
    if (r.flag()) picStructAtBit = nalHrdBits ?? vclHrdBits ?? 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return { pixelAspect, color, isFullRange, picStructAtBit };
}

/** Shared with HEVC: table and escape code 255 are the same. */
export function parsePixelAspect(r: BitReader): { num: number; den: number } | null {
  const index = r.bits(8);
  if (index === 255) {
    const [num, den] = [r.bits(16), r.bits(16)];
    return num > 0 && den > 0 ? { num, den } : null;
  }
  const entry = PIXEL_ASPECTS[index];
  return entry ? { num: entry[0], den: entry[1] } : null;
}

/** Bits of cpb_removal_delay plus dpb_output_delay, which precede `pic_struct`. */
function parseHrdDelayBits(r: BitReader): number {
  const count = r.ue() + 1;
  if (count > 32) throw new RangeError('impossible HRD');
  r.skip(8);
  for (let i = 0; i < count; i += 1) {
    r.ue();
    r.ue();
    r.skip(1);
  }
  r.skip(5);
  const bits = r.bits(5) + 1 + r.bits(5) + 1;
  r.skip(5);
  return bits;
}

/**
 * Whether the picture in a packet is interlaced. `null`: the packet does not tell.
 *
 * Same evidence as FFmpeg's parser: a field picture, or a frame whose timing message names two fields; and
 * macroblock-adaptive coding without such a message, which no encoder uses for progressive film.
 */
export function isAvcPacketInterlaced(packet: Uint8Array, header: AvcHeader): boolean | null {
  try {
    for (const nal of packetNals(packet, header.lengthSize)) {
      const type = (nal[0] ?? 0) & 0x1f;
      if (type === NAL_SEI && header.picStructAtBit !== null) {
        for (const message of seiMessages(nal, 1)) {
          if (message.type !== SEI_PIC_TIMING) continue;
          const r = new BitReader(message.payload);
          r.skip(header.picStructAtBit);
          const picStruct = r.bits(4);
          return picStruct >= 1 && picStruct <= 6;
        }
      }
      if (type === NAL_SLICE || type === NAL_IDR) {
        const r = new BitReader(unescapeNal(nal, 64));
        r.skip(8);
        r.ue();
        r.ue();
        r.ue();
        if (header.hasSeparatePlanes) r.skip(2);
        r.skip(header.log2MaxFrameNum);
        return r.flag() || header.isMbaff;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return null;
}
