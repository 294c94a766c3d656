/** HEVC sequence parameter sets (ITU-T H.265 7.3.2.2), as far as a probe needs them. */
import { BitReader } from './bit-reader.ts';
import { parsePixelAspect } from './h264.ts';
import { hevcParameterSets, isHdr10PlusT35, packetNals, seiMessages, unescapeNal } from './nal-unit.ts';
import type { ColorDescription, VideoHeader } from './video-header.ts';

const NAL_SPS = 33;
const NAL_PREFIX_SEI = 39;
const SEI_T35 = 4;

export interface HevcHeader extends VideoHeader {
  readonly lengthSize: number | null;
  /** RFC 6381 with the parameters of ISO/IEC 14496-15 E.3, such as `hvc1.2.4.L153.B0`. */
  readonly codecString: string;
}

/** The first sequence parameter set of the base layer in extradata or in a packet. */
export function parseHevcHeader(data: Uint8Array, lengthSize?: number | null): HevcHeader | null {
  const sets = lengthSize === undefined ? hevcParameterSets(data) : { lengthSize, nals: packetNals(data, lengthSize) };
  if (sets === null) return null;
  for (const nal of sets.nals) {
    if (nalType(nal) !== NAL_SPS || layerId(nal) !== 0) continue;
    try {
      return parseSps(unescapeNal(nal), sets.lengthSize);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }
  return null;
}

function nalType(nal: Uint8Array): number {
  return ((nal[0] ?? 0) >> 1) & 0x3f;
}

function layerId(nal: Uint8Array): number {
  return ((nal[0] ?? 0) & 1) * 32 + ((nal[1] ?? 0) >> 3);
}

function parseSps(sps: Uint8Array, lengthSize: number | null): HevcHeader {
  const r = new BitReader(sps);
  r.skip(16 + 4);
  const subLayers = r.bits(3);
  r.skip(1);
  const general = parseProfileTierLevel(r, subLayers);
  r.ue();
  const chromaIdc = r.ue();
  if (chromaIdc === 3) r.skip(1);
  let width = r.ue();
  let height = r.ue();
  if (r.flag()) {
    const unitX = chromaIdc === 1 || chromaIdc === 2 ? 2 : 1;
    const unitY = chromaIdc === 1 ? 2 : 1;
    width -= (r.ue() + r.ue()) * unitX;
    height -= (r.ue() + r.ue()) * unitY;
  }
  const bitDepth = r.ue() + 8;
  r.ue();
  if (width <= 0 || height <= 0 || bitDepth > 16 || chromaIdc > 3) throw new RangeError('impossible picture');
  let vui: Vui | null = null;
  try {
    vui = parseToVui(r, subLayers, chromaIdc);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return {
    lengthSize,
    profile: general.profile,
    level: general.level,
    width,
    height,
    chroma: (['gray', '420', '422', '444'] as const)[chromaIdc] ?? '420',
    bitDepth,
    pixelAspect: vui?.pixelAspect ?? null,
    color: vui?.color ?? null,
    // H.265 E.3.1: absent means limited range, unlike H.264 where FFmpeg leaves it open.
    isFullRange: vui?.isFullRange ?? false,
    isInterlaced: vui?.isFieldSequence === true || (general.isInterlacedSource && !general.isProgressiveSource),
    codecString: general.codecString,
  };
}

interface ProfileTierLevel {
  readonly profile: number;
  readonly level: number;
  readonly isProgressiveSource: boolean;
  readonly isInterlacedSource: boolean;
  readonly codecString: string;
}

function parseProfileTierLevel(r: BitReader, subLayers: number): ProfileTierLevel {
  const space = r.bits(2);
  const tier = r.bits(1);
  const profile = r.bits(5);
  const compatibility = r.bits(32);
  const constraints = Array.from({ length: 6 }, () => r.bits(8));
  const level = r.bits(8);
  const present = Array.from({ length: subLayers }, () => ({ profile: r.flag(), level: r.flag() }));
  if (subLayers > 0) r.skip(2 * (8 - subLayers));
  for (const layer of present) r.skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0));
  let reversed = 0;
  for (let bit = 0; bit < 32; bit += 1) if (Math.floor(compatibility / 2 ** bit) % 2 === 1) reversed += 2 ** (31 - bit);
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop();
  const codecString = [
    'hvc1',
    `${['', 'A', 'B', 'C'][space] ?? ''}${profile}`,
    reversed.toString(16).toUpperCase(),
    `${tier === 1 ? 'H' : 'L'}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join('.');
  const sourceFlags = constraints[0] ?? 0;
  return {
    profile,
    level,
    isProgressiveSource: (sourceFlags & 0x80) !== 0,
    isInterlacedSource: (sourceFlags & 0x40) !== 0,
    codecString,
  };
}

interface Vui {
  readonly pixelAspect: { num: number; den: number } | null;
  readonly color: ColorDescription | null;
  readonly isFullRange: boolean | null;
  readonly isFieldSequence: boolean;
}

function parseToVui(r: BitReader, subLayers: number, chromaIdc: number): Vui | null {
  const log2MaxPoc = r.ue() + 4;
  const allLayers = r.flag();
  for (let i = allLayers ? 0 : subLayers; i <= subLayers; i += 1) {
    r.ue();
    r.ue();
    r.ue();
  }
  for (let i = 0; i < 6; i += 1) r.ue();
  if (r.flag() && r.flag()) skipScalingLists(r, chromaIdc);
  r.skip(2);
  if (r.flag()) {
    r.skip(8);
    r.ue();
    r.ue();
    r.skip(1);
  }
  skipReferencePictureSets(r);
  if (r.flag()) {
    for (let n = r.ue(); n > 0; n -= 1) r.skip(log2MaxPoc + 1);
  }
  r.skip(2);
  if (!r.flag()) return null;
  const pixelAspect = r.flag() ? parsePixelAspect(r) : null;
  if (r.flag()) r.skip(1);
  let color: ColorDescription | null = null;
  let isFullRange: boolean | null = null;
  if (r.flag()) {
    r.skip(3);
    isFullRange = r.flag();
    if (r.flag()) color = { primaries: r.bits(8), transfer: r.bits(8), matrix: r.bits(8) };
  }
  if (r.flag()) {
    r.ue();
    r.ue();
  }
  r.skip(1);
  return { pixelAspect, color, isFullRange, isFieldSequence: r.flag() };
}

function skipScalingLists(r: BitReader, chromaIdc: number): void {
  for (let size = 0; size < 4; size += 1) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 && chromaIdc !== 3 ? 3 : 1) {
      if (!r.flag()) {
        r.ue();
        continue;
      }
      if (size > 1) r.se();
      for (let n = Math.min(64, 1 << (4 + 2 * size)); n > 0; n -= 1) r.se();
    }
  }
}

function skipReferencePictureSets(r: BitReader): void {
  const count = r.ue();
  if (count > 64) throw new RangeError('too many reference picture sets');
  let deltaPocs = 0;
  for (let set = 0; set < count; set += 1) {
    if (set > 0 && r.flag()) {
      r.skip(1);
      r.ue();
      let kept = 0;
      for (let i = 0; i <= deltaPocs; i += 1) {
        const isUsed = r.flag();
        if (isUsed || r.flag()) kept += 1;
      }
      deltaPocs = kept;
      continue;
    }
    const negative = r.ue();
    const positive = r.ue();
    if (negative > 16 || positive > 16) throw new RangeError('too many reference pictures');
    for (let i = negative + positive; i > 0; i -= 1) {
      r.ue();
      r.skip(1);
    }
    deltaPocs = negative + positive;
  }
}

export function hasHevcHdr10Plus(packet: Uint8Array, lengthSize: number | null): boolean {
  for (const nal of packetNals(packet, lengthSize)) {
    if (nalType(nal) !== NAL_PREFIX_SEI) continue;
    for (const message of seiMessages(nal, 2)) {
      if (message.type === SEI_T35 && isHdr10PlusT35(message.payload)) return true;
    }
  }
  return false;
}
