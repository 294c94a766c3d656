import {
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_VP9,
  AV_NOPTS_VALUE,
  AV_PKT_DATA_DOVI_CONF,
  AV_PKT_FLAG_DISCARD,
} from 'node-av/constants';
import type { AVCodecID } from 'node-av/constants';
import { CodecParameters, Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec } from '#engine/media/rendition-spec.ts';
import {
  announceDolbyVision,
  forgetDolbyVision,
  hevcLengthSize,
  mustLoseDolbyVision,
  withoutDolbyVision,
} from './dolby-vision.ts';
import { fromTheBeginning, stampVideo } from './fmp4-decode-times.ts';
import type { TimedPacket } from './fmp4-decode-times.ts';
import { SegmentWriter } from './fmp4-segment-writer.ts';
import { TrackInput, owned, presentationTicks } from './rendition-input.ts';
import { SegmentPlan } from './rendition-plan.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';
import { headerOf, stateColors } from './video-track.ts';
import { isAnnexB, parameterSets, withoutKnownParameterSets } from './video-parameter-sets.ts';

/** Boundaries are keyframe times rounded to a microsecond, or to the millisecond of a container's index. */
const TOLERANCE_US = 1_500;
/** Leading pictures follow their keyframe in the file; no codec reorders further than this. */
const MAX_LEADING = 32;
/** Packets of a segment that may lack a time stamp: what a damaged broadcast has, not what a container leaves out. */
const MAX_UNSTAMPED = 1 / 8;
/** A segment is held in memory until it is whole. Nobody's ten seconds are larger than this. */
const MAX_SEGMENT_BYTES = 512 * 1024 ** 2;

interface CopiedPacket extends TimedPacket {
  /** The container says nothing; `ticks` follow the packet before. */
  readonly isGuess: boolean;
  /** An edit list hides it. */
  readonly isHidden: boolean;
}

/**
 * Copies a video track, cut at keyframes of its own. A segment is what follows its keyframe in the file up to the next
 * boundary's keyframe: with open GOPs that includes pictures shown before the keyframe, which belong to the segment all the
 * same, since nobody can decode them without it.
 */
export class VideoCopy implements SegmentProducer {
  readonly #input: TrackInput;
  readonly #plan: SegmentPlan;
  readonly #writer: SegmentWriter;
  readonly #onSegment: OnSegment;
  readonly #packet = new Packet();
  readonly #codecpar = new CodecParameters();
  /** Parameter sets of an H.264 track with start codes; empty for all others. */
  readonly #knownSets: readonly Buffer[];
  readonly #ticksPerSecond: number;
  readonly #startUs: number;
  readonly #losesDolbyVision: boolean;
  /** Bytes of the lengths in pictures of HEVC, `null` for start codes. */
  readonly #lengthSize: number | null;
  readonly #delayTicks: number;
  readonly #frameTicks: number;
  /** From the file's ticks to those of a segment. */
  readonly #shiftTicks: number;
  #next = 0;
  /** Packets of segment `next`, and those from the following boundary's keyframe on. */
  #current: CopiedPacket[] = [];
  #ahead: CopiedPacket[] = [];
  #aheadSegment = 0;
  #bytes = 0;
  #lastTicks = 0;

  constructor(spec: RenditionSpec, onSegment: OnSegment) {
    this.#plan = new SegmentPlan(spec.boundariesUs, TOLERANCE_US);
    this.#onSegment = onSegment;
    this.#packet.alloc();
    this.#input = new TrackInput(spec);
    const { stream, timeBase } = this.#input;
    this.#codecpar.alloc();
    stream.codecpar.copy(this.#codecpar);
    stateColors(this.#codecpar, headerOf(stream, null));
    const { extradata, codecId } = this.#codecpar;
    const hasSets = codecId === AV_CODEC_ID_H264 || codecId === AV_CODEC_ID_HEVC;
    if (hasSets && (extradata?.length ?? 0) < 8) throw new MediaError('unsupported', 'no parameter sets found');
    this.#lengthSize = codecId === AV_CODEC_ID_HEVC ? hevcLengthSize(this.#codecpar) : null;
    const isUnwanted = spec.output.method === 'copy' && spec.output.withoutDolbyVision === true;
    this.#losesDolbyVision = mustLoseDolbyVision(this.#codecpar, isUnwanted);
    if (this.#losesDolbyVision) forgetDolbyVision(this.#codecpar);
    else announceDolbyVision(this.#codecpar);
    this.#knownSets = codecId === AV_CODEC_ID_H264 && extradata && isAnnexB(extradata) ? parameterSets(extradata) : [];

    const ticksPerSecond = timeBase.den / timeBase.num;
    this.#ticksPerSecond = ticksPerSecond;
    this.#startUs = spec.startUs;
    const rate = stream.avgFrameRate.num > 0 ? stream.avgFrameRate : stream.rFrameRate;
    this.#frameTicks = Math.max(1, Math.round(ticksPerSecond * (rate.num > 0 ? rate.den / rate.num : 0.04)));
    this.#delayTicks = reorderDepth(this.#codecpar) * this.#frameTicks;
    this.#shiftTicks =
      Math.round((TIMELINE_OFFSET_US / 1e6) * ticksPerSecond) -
      Math.round((spec.startUs / 1e6) * ticksPerSecond) +
      this.#delayTicks;
    this.#writer = new SegmentWriter(spec.outputDir, {
      codecpar: this.#codecpar,
      timeBase: { num: timeBase.num, den: timeBase.den },
      tag: sampleEntry(this.#codecpar),
      pixelAspect: stream.sampleAspectRatio,
      delayTicks: this.#delayTicks,
      describedByPacket: (codecId === AV_CODEC_ID_AV1 || codecId === AV_CODEC_ID_VP9) && !extradata?.length,
    });
  }

  get next(): number {
    return this.#next;
  }

  start(index: number): void {
    this.#drop();
    this.#next = index;
    if (index === 0) this.#input.rewind();
    else this.#input.seekToKeyframe(this.#plan.startUs(index));
  }

  step(): boolean {
    const outcome = this.#input.read(this.#packet);
    if (outcome === 'other') return true;
    if (outcome === 'end') return this.#finish();
    this.#take(this.#packet);
    this.#packet.unref();
    return true;
  }

  [Symbol.dispose](): void {
    this.#drop();
    this.#packet.free();
    this.#codecpar.free();
    this.#input[Symbol.dispose]();
  }

  #take(packet: Packet): void {
    const isKey = packet.isKeyframe;
    const ticks = presentationTicks(packet) ?? this.#lastTicks + this.#frameTicks;
    const us = this.#input.movieUs(ticks);
    if (!this.#plan.holds(us)) return;
    const segment = isKey ? this.#plan.segmentAt(us) : null;
    if (this.#current.length === 0) {
      // On the way from where the seek ended to the wanted keyframe; or what a cut recording begins with.
      if (segment === null || segment < this.#next) return;
      this.#expect(segment);
    }
    if (this.#ahead.length > 0 && (ticks > this.#ahead[0]!.ticks || this.#ahead.length >= MAX_LEADING)) {
      this.#write(this.#ahead.reduce((least, { ticks: at }) => Math.min(least, at), ticks));
      this.#expect(this.#aheadSegment);
      this.#current = this.#ahead;
      this.#ahead = [];
    }
    this.#lastTicks = ticks;
    const isGuess = packet.pts === AV_NOPTS_VALUE && this.#codecpar.videoDelay > 0;
    const isHidden = packet.hasFlags(AV_PKT_FLAG_DISCARD);
    const taken = { packet: this.#cleaned(packet, isKey), ticks, isGuess, isHidden };
    const goesAhead = this.#ahead.length > 0 || (segment !== null && segment > this.#next);
    if (goesAhead && this.#ahead.length === 0) this.#aheadSegment = segment!;
    (goesAhead ? this.#ahead : this.#current).push(taken);
    this.#bytes += taken.packet.size;
    if (this.#bytes > MAX_SEGMENT_BYTES) throw new MediaError('tooComplex', 'a segment larger than 512 MiB');
  }

  #finish(): boolean {
    if (this.#ahead.length > 0) {
      this.#write(this.#ahead.reduce((least, { ticks }) => Math.min(least, ticks), Number.POSITIVE_INFINITY));
      this.#expect(this.#aheadSegment);
      this.#current = this.#ahead;
      this.#ahead = [];
    }
    if (this.#current.length > 0) this.#write(null);
    if (this.#next < this.#plan.count) throw new MediaError('truncated', 'the track ends before its plan');
    return false;
  }

  /** The plan is the file's own list of keyframes. Where the packets disagree with it, copying cannot serve the plan. */
  #expect(segment: number): void {
    if (segment === this.#next) return;
    throw new MediaError('unsupported', `no keyframe at the boundary, the next begins ${segment}`);
  }

  #write(nextTicks: number | null): void {
    const taken = this.#current;
    this.#current = [];
    try {
      const shown = nextTicks === null ? withoutHiddenEnd(taken) : taken;
      const timed = withTimes(shown, this.#frameTicks);
      const packets = this.#next === 0 ? fromTheBeginning(timed, this.#toTicks(0)) : timed;
      const last = packets.reduce((most, { ticks }) => Math.max(most, ticks), Number.NEGATIVE_INFINITY);
      // The last picture is shown to the end of the movie: where the sound goes on, a player must find one there.
      const end = Math.max(last + this.#frameTicks, this.#toTicks(this.#plan.endUs));
      stampVideo(packets, this.#delayTicks, this.#shiftTicks, nextTicks ?? end);
      for (const { packet } of packets) packet.freeSideData();
      const written = this.#writer.write(
        this.#next,
        packets.map(({ packet }) => packet),
      );
      this.#onSegment(this.#next++, written);
    } finally {
      free(taken);
      this.#bytes = this.#ahead.reduce((sum, { packet }) => sum + packet.size, 0);
    }
  }

  #toTicks(us: number): number {
    return Math.round(((us + this.#startUs) * this.#ticksPerSecond) / 1e6);
  }

  /** The packet, without what must not be in it. */
  #cleaned(packet: Packet, isKey: boolean): Packet {
    const taken = owned(packet);
    const hasSets = isKey && this.#knownSets.length > 0;
    if ((!hasSets && !this.#losesDolbyVision) || !taken.data) return taken;
    const bytes = hasSets
      ? withoutKnownParameterSets(taken.data, this.#knownSets)
      : withoutDolbyVision(taken.data, this.#codecpar, this.#lengthSize);
    if (bytes) {
      // Setting the bytes makes a new packet of it: no keyframe, no times (node-av 6.1.1, measured). Times are set later.
      const { flags } = taken;
      taken.data = bytes;
      taken.flags = flags;
    }
    return taken;
  }

  #drop(): void {
    free(this.#current);
    free(this.#ahead);
    this.#current = [];
    this.#ahead = [];
    this.#bytes = 0;
  }
}

/**
 * Puts pictures without a time stamp where one is missing among the others. Where many lack it, it is the container that
 * does not say when reordered pictures are shown: a decoder finds out, so encoding works.
 */
function withTimes(packets: readonly CopiedPacket[], frameTicks: number): readonly TimedPacket[] {
  const guesses = packets.filter(({ isGuess }) => isGuess).length;
  if (guesses === 0) return packets;
  if (guesses > packets.length * MAX_UNSTAMPED) {
    throw new MediaError('unsupported', 'the container does not say when pictures are shown');
  }
  const known = packets.filter(({ isGuess }) => !isGuess).map(({ ticks }) => ticks);
  const sorted = known.toSorted((a, b) => a - b);
  const holes = sorted.filter((ticks, index) => (sorted[index + 1] ?? ticks) - ticks > 1.5 * frameTicks);
  return packets.map((packet) => {
    const before = packet.isGuess ? holes.shift() : undefined;
    return before === undefined ? packet : { packet: packet.packet, ticks: before + frameTicks };
  });
}

/** Pictures at the end that an edit list cuts off. Only what nothing else can need: the last in the order of decoding. */
function withoutHiddenEnd(packets: readonly CopiedPacket[]): readonly CopiedPacket[] {
  const end = packets.findLastIndex(({ isHidden }) => !isHidden) + 1;
  return end === 0 ? packets : packets.slice(0, end);
}

function free(packets: readonly TimedPacket[]): void {
  for (const { packet } of packets) packet.free();
}

/** How many pictures decoding must run ahead. A constant of the codec where the file does not say, so that every session agrees. */
function reorderDepth({ codecId, videoDelay }: CodecParameters): number {
  const usual = USUAL_REORDER_DEPTH.get(codecId) ?? 1;
  return Math.max(usual, videoDelay);
}

const USUAL_REORDER_DEPTH: ReadonlyMap<AVCodecID, number> = new Map([
  [AV_CODEC_ID_H264, 2],
  [AV_CODEC_ID_HEVC, 3],
  [AV_CODEC_ID_AV1, 0],
  [AV_CODEC_ID_VP9, 0],
]);

/** `hvc1`, not `hev1`: Apple's players accept only parameter sets in the header. Dolby Vision 5 has no base layer for others. */
function sampleEntry(codecpar: CodecParameters): string | null {
  if (codecpar.codecId === AV_CODEC_ID_H264) return 'avc1';
  if (codecpar.codecId !== AV_CODEC_ID_HEVC) return null;
  return codecpar.getCodedSideData(AV_PKT_DATA_DOVI_CONF)?.[2] === 5 ? 'dvh1' : 'hvc1';
}
