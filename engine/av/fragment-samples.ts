/**
 * The samples of one track that lies in an init segment and media segments of our own making (fmp4-segment-writer.ts), read without
 * FFmpeg, so that they can be put into one file in a single pass. Box layouts: ISO/IEC 14496-12 8.6 and 8.8.
 */
import { boxIn, boxes } from './mp4-box.ts';

export interface FragmentInit {
  /** Ticks a second. */
  readonly timescale: number;
  /** What `stsd` holds. */
  readonly sampleDescription: Buffer;
  /** From `tkhd`: how the picture is turned, and its size as shown, 16.16. */
  readonly matrix: Buffer;
  readonly width: number;
  readonly height: number;
  /** By how many ticks presentation is earlier than sample times say: the edit list. */
  readonly delayTicks: number;
  readonly defaults: SampleDefaults;
}

interface SampleDefaults {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

/** `null` for what is no init segment of one track. */
export function readFragmentInit(bytes: Buffer): FragmentInit | null {
  const trak = boxIn(bytes, 'moov', 'trak');
  const tkhd = boxIn(trak, 'tkhd');
  const mdhd = boxIn(trak, 'mdia', 'mdhd');
  const stsd = boxIn(trak, 'mdia', 'minf', 'stbl', 'stsd');
  const trex = boxIn(bytes, 'moov', 'mvex', 'trex');
  if (!tkhd || !mdhd || !stsd || tkhd.length < 84 || mdhd.length < 24) return null;
  const at = tkhd[0] === 1 ? 52 : 40;
  const elst = boxIn(trak, 'edts', 'elst');
  return {
    timescale: mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12),
    sampleDescription: stsd,
    matrix: tkhd.subarray(at, at + 36),
    width: tkhd.readUInt32BE(at + 36),
    height: tkhd.readUInt32BE(at + 40),
    delayTicks: elst && elst.length >= 20 ? elst.readInt32BE(12) : 0,
    defaults:
      trex && trex.length >= 24
        ? { durationTicks: trex.readUInt32BE(12), sizeBytes: trex.readUInt32BE(16), flags: trex.readUInt32BE(20) }
        : { durationTicks: 0, sizeBytes: 0, flags: 0 },
  };
}

const SAMPLE_IS_NON_SYNC = 0x0001_0000;

/** Samples of a track in the order of decoding. A film has some hundred thousand, so they are columns and not objects. */
export class SampleList {
  #count = 0;
  #room = 4_096;
  #sizes = new Uint32Array(this.#room);
  #offsets = new Int32Array(this.#room);
  #durations = new Uint32Array(this.#room);
  #isSync = new Uint8Array(this.#room);
  #decodeTicks = new Float64Array(this.#room);
  #segments = new Uint32Array(this.#room);
  #positions = new Float64Array(this.#room);

  get count(): number {
    return this.#count;
  }
  sizeBytes(index: number): number {
    return this.#sizes[index]!;
  }
  /** From decoding to presentation. */
  offsetTicks(index: number): number {
    return this.#offsets[index]!;
  }
  decodeTicks(index: number): number {
    return this.#decodeTicks[index]!;
  }
  /** As its segment says; the next sample decides. */
  durationTicks(index: number): number {
    return this.#durations[index]!;
  }
  isSync(index: number): boolean {
    return this.#isSync[index] === 1;
  }
  /** Number of the segment that holds it. */
  segment(index: number): number {
    return this.#segments[index]!;
  }
  /** In that segment's file. */
  position(index: number): number {
    return this.#positions[index]!;
  }

  add(sample: {
    readonly sizeBytes: number;
    readonly offsetTicks: number;
    readonly durationTicks: number;
    readonly decodeTicks: number;
    readonly isSync: boolean;
    readonly segment: number;
    readonly position: number;
  }): void {
    if (this.#count === this.#room) this.#grow();
    const at = this.#count++;
    // Decoding goes forward: a segment that overlaps the one before it by a tick of rounding is decoded a tick later.
    const decodeTicks = at === 0 ? sample.decodeTicks : Math.max(sample.decodeTicks, this.#decodeTicks[at - 1]! + 1);
    this.#decodeTicks[at] = decodeTicks;
    this.#offsets[at] = sample.offsetTicks - (decodeTicks - sample.decodeTicks);
    this.#sizes[at] = sample.sizeBytes;
    this.#durations[at] = sample.durationTicks;
    this.#isSync[at] = sample.isSync ? 1 : 0;
    this.#segments[at] = sample.segment;
    this.#positions[at] = sample.position;
  }

  #grow(): void {
    this.#room *= 2;
    const grown = <T extends Uint32Array | Int32Array | Uint8Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#sizes = grown(new Uint32Array(this.#room), this.#sizes);
    this.#offsets = grown(new Int32Array(this.#room), this.#offsets);
    this.#durations = grown(new Uint32Array(this.#room), this.#durations);
    this.#isSync = grown(new Uint8Array(this.#room), this.#isSync);
    this.#decodeTicks = grown(new Float64Array(this.#room), this.#decodeTicks);
    this.#segments = grown(new Uint32Array(this.#room), this.#segments);
    this.#positions = grown(new Float64Array(this.#room), this.#positions);
  }
}

/** What of a segment's file is read: where its boxes begin, and the bytes of `moof`. */
export interface SegmentBoxes {
  readonly sizeBytes: number;
  /** Without their headers; `at` is where the box begins. */
  readonly fragments: readonly { readonly at: number; readonly content: Buffer }[];
}

/** Adds the samples of a segment. False where it is damaged, as after a power cut; then nothing was added. */
export function addSegment(list: SampleList, segment: number, from: SegmentBoxes, init: FragmentInit): boolean {
  const found: Parameters<SampleList['add']>[0][] = [];
  try {
    for (const { at, content } of from.fragments) {
      for (const { type, content: traf } of boxes(content)) {
        if (type === 'traf') found.push(...samplesOf(traf, at, segment, init.defaults));
      }
    }
  } catch (error) {
    if (error instanceof RangeError) return false; // it ends before its tables do
    throw error;
  }
  const isWhole = found.length > 0 && found.every(({ position, sizeBytes }) => position + sizeBytes <= from.sizeBytes);
  if (isWhole) for (const sample of found) list.add(sample);
  return isWhole;
}

function samplesOf(
  traf: Buffer,
  moofAt: number,
  segment: number,
  trex: SampleDefaults,
): Parameters<SampleList['add']>[0][] {
  const tfhd = boxIn(traf, 'tfhd');
  const tfdt = boxIn(traf, 'tfdt');
  if (!tfhd || !tfdt) throw new RangeError('a fragment without its header');
  const has = tfhd.readUInt32BE(0) & 0xff_ffff;
  let at = 8;
  const next = (isThere: boolean, otherwise: number): number => {
    if (!isThere) return otherwise;
    at += 4;
    return tfhd.readUInt32BE(at - 4);
  };
  let base = moofAt;
  if (has & 0x1) {
    base = Number(tfhd.readBigUInt64BE(at));
    at += 8;
  }
  next((has & 0x2) !== 0, 0);
  const defaults: SampleDefaults = {
    durationTicks: next((has & 0x8) !== 0, trex.durationTicks),
    sizeBytes: next((has & 0x10) !== 0, trex.sizeBytes),
    flags: next((has & 0x20) !== 0, trex.flags),
  };
  let decodeTicks = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
  let position = base;
  const samples: Parameters<SampleList['add']>[0][] = [];
  for (const { type, content } of boxes(traf)) {
    if (type !== 'trun') continue;
    const run = readRun(content, defaults);
    if (run.dataOffset !== null) position = base + run.dataOffset;
    for (const sample of run.samples) {
      const isSync = (sample.flags & SAMPLE_IS_NON_SYNC) === 0;
      const { sizeBytes, offsetTicks, durationTicks } = sample;
      samples.push({ sizeBytes, offsetTicks, durationTicks, decodeTicks, isSync, segment, position });
      decodeTicks += durationTicks;
      position += sizeBytes;
    }
  }
  return samples;
}

function readRun(trun: Buffer, defaults: SampleDefaults) {
  const has = trun.readUInt32BE(0) & 0xff_ffff;
  const isSigned = trun[0] === 1;
  const count = trun.readUInt32BE(4);
  let at = 8;
  const next = (): number => {
    at += 4;
    return trun.readUInt32BE(at - 4);
  };
  const dataOffset = has & 0x1 ? next() | 0 : null;
  const firstFlags = has & 0x4 ? next() : null;
  const samples: { sizeBytes: number; offsetTicks: number; durationTicks: number; flags: number }[] = [];
  for (let index = 0; index < count; index++) {
    const durationTicks = has & 0x100 ? next() : defaults.durationTicks;
    const sizeBytes = has & 0x200 ? next() : defaults.sizeBytes;
    const ownFlags = has & 0x400 ? next() : defaults.flags;
    const offset = has & 0x800 ? next() : 0;
    const flags = index === 0 && firstFlags !== null ? firstFlags : ownFlags;
    samples.push({ durationTicks, sizeBytes, flags, offsetTicks: isSigned ? offset | 0 : offset });
  }
  return { dataOffset, samples };
}
