/** AV1 sequence headers (AV1 specification 5.5) from `av1C` records and packets. */
import { BitReader } from './bit-reader.ts';
import { isHdr10PlusT35 } from './nal-unit.ts';
import { UNSPECIFIED } from './video-header.ts';
import type { ColorDescription, VideoHeader } from './video-header.ts';

const OBU_SEQUENCE_HEADER = 1;
const OBU_METADATA = 5;
const METADATA_ITUT_T35 = 4;

/** From the record of a container (4 bytes, then OBUs) or, with `isPacket`, from a packet. */
export function parseAv1Header(data: Uint8Array, isPacket = false): VideoHeader | null {
  for (const unit of obus(isPacket ? data : data.subarray(4))) {
    if (unit.type !== OBU_SEQUENCE_HEADER) continue;
    try {
      return parseSequenceHeader(unit.payload);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }
  return null;
}

interface Obu {
  readonly type: number;
  readonly payload: Uint8Array;
}

function* obus(data: Uint8Array): Generator<Obu> {
  let at = 0;
  for (let count = 0; count < 64 && at < data.length; count += 1) {
    const head = data[at] ?? 0;
    at += (head & 4) === 0 ? 1 : 2;
    let size = data.length - at;
    if ((head & 2) !== 0) {
      size = 0;
      for (let i = 0; i < 5; i += 1) {
        const byte = data[at] ?? 0;
        at += 1;
        size += (byte & 0x7f) * 2 ** (7 * i);
        if ((byte & 0x80) === 0) break;
      }
    }
    if (size < 0 || at + size > data.length) return;
    yield { type: (head >> 3) & 15, payload: data.subarray(at, at + size) };
    at += size;
  }
}

function parseSequenceHeader(payload: Uint8Array): VideoHeader {
  const r = new BitReader(payload);
  const profile = r.bits(3);
  r.skip(1);
  const isReduced = r.flag();
  let level = 0;
  if (isReduced) {
    level = r.bits(5);
  } else {
    let delayBits: number | null = null;
    if (r.flag()) {
      r.skip(64);
      if (r.flag()) skipUvlc(r);
      if (r.flag()) {
        delayBits = r.bits(5) + 1;
        r.skip(32 + 5 + 5);
      }
    }
    const hasInitialDelay = r.flag();
    const points = r.bits(5) + 1;
    for (let i = 0; i < points; i += 1) {
      r.skip(12);
      const pointLevel = r.bits(5);
      if (i === 0) level = pointLevel;
      if (pointLevel > 7) r.skip(1);
      if (delayBits !== null && r.flag()) r.skip(2 * delayBits + 1);
      if (hasInitialDelay && r.flag()) r.skip(4);
    }
  }
  const widthBits = r.bits(4) + 1;
  const heightBits = r.bits(4) + 1;
  const width = r.bits(widthBits) + 1;
  const height = r.bits(heightBits) + 1;
  if (!isReduced && r.flag()) r.skip(7);
  r.skip(3);
  if (!isReduced) skipToolFlags(r);
  r.skip(3);
  return { profile, level, width, height, pixelAspect: null, isInterlaced: false, ...parseColorConfig(r, profile) };
}

function skipUvlc(r: BitReader): void {
  let zeros = 0;
  while (!r.flag()) zeros += 1;
  r.skip(Math.min(zeros, 32));
}

function skipToolFlags(r: BitReader): void {
  r.skip(4);
  const hasOrderHint = r.flag();
  if (hasOrderHint) r.skip(2);
  const choosesScreenTools = r.flag();
  const screenTools = choosesScreenTools ? 2 : r.bits(1);
  if (screenTools > 0 && !r.flag()) r.skip(1);
  if (hasOrderHint) r.skip(3);
}

function parseColorConfig(
  r: BitReader,
  profile: number,
): Pick<VideoHeader, 'chroma' | 'bitDepth' | 'color' | 'isFullRange'> {
  const isHigh = r.flag();
  const bitDepth = profile === 2 && isHigh ? (r.flag() ? 12 : 10) : isHigh ? 10 : 8;
  const isMono = profile === 1 ? false : r.flag();
  let color: ColorDescription = { primaries: UNSPECIFIED, transfer: UNSPECIFIED, matrix: UNSPECIFIED };
  if (r.flag()) color = { primaries: r.bits(8), transfer: r.bits(8), matrix: r.bits(8) };
  if (isMono) return { chroma: 'gray', bitDepth, color, isFullRange: r.flag() };
  const isSrgb = color.primaries === 1 && color.transfer === 13 && color.matrix === 0;
  if (isSrgb) return { chroma: '444', bitDepth, color, isFullRange: true };
  const isFullRange = r.flag();
  if (profile === 0) return { chroma: '420', bitDepth, color, isFullRange };
  if (profile === 1) return { chroma: '444', bitDepth, color, isFullRange };
  if (bitDepth < 12) return { chroma: '422', bitDepth, color, isFullRange };
  const halfX = r.flag();
  return { chroma: halfX ? (r.flag() ? '420' : '422') : '444', bitDepth, color, isFullRange };
}

export function hasAv1Hdr10Plus(packet: Uint8Array): boolean {
  for (const unit of obus(packet)) {
    if (
      unit.type === OBU_METADATA &&
      unit.payload[0] === METADATA_ITUT_T35 &&
      isHdr10PlusT35(unit.payload.subarray(1))
    ) {
      return true;
    }
  }
  return false;
}
