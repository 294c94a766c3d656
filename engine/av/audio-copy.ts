import {
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_AC3,
  AV_CODEC_ID_ALAC,
  AV_CODEC_ID_EAC3,
  AV_CODEC_ID_FLAC,
  AV_CODEC_ID_MP3,
  AV_PKT_DATA_NEW_EXTRADATA,
} from 'node-av/constants';
import { BitStreamFilter, BitStreamFilterContext, CodecParameters, Packet, Rational } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec } from '#engine/media/rendition-spec.ts';
import { silenceFor } from './audio-silence.ts';
import type { Silence } from './audio-silence.ts';
import { SegmentWriter } from './fmp4-segment-writer.ts';
import { TrackInput, owned, presentationTicks } from './rendition-input.ts';
import { SegmentPlan } from './rendition-plan.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';

/** Shorter gaps are rounding in the container; players bridge them. */
const MIN_GAP_US = 50_000;
/** How far the end of a file may lie before the end of its plan and still be no sign of damage. */
export const END_SLACK_US = 5_000_000;

interface SoundPacket {
  readonly packet: Packet;
  /** Samples of movie time. */
  readonly start: number;
  readonly samples: number;
}

/**
 * Bits of a sample of lossless sound, from its header; 0 for other sound. The sample entry has to say it, and Chromium 156 refuses
 * FLAC whose entry and header disagree.
 */
function losslessDepth({ codecId, extradata }: CodecParameters): number {
  if (codecId === AV_CODEC_ID_FLAC && extradata && extradata.length >= 34) {
    return (((extradata[12]! & 1) << 4) | (extradata[13]! >> 4)) + 1; // STREAMINFO, RFC 9639 8.2
  }
  return codecId === AV_CODEC_ID_ALAC && extradata && extradata.length >= 36 ? extradata[17]! : 0;
}

/** Samples in each packet of a codec that has no choice; 0 for the others. */
function constantPacketSamples({ codecId, sampleRate }: CodecParameters): number {
  if (codecId === AV_CODEC_ID_AAC) return 1024; // band replication doubles it, but then `TrackInput` has analysed the track
  if (codecId === AV_CODEC_ID_AC3 || codecId === AV_CODEC_ID_EAC3) return 1536;
  if (codecId === AV_CODEC_ID_MP3) return sampleRate <= 24_000 ? 576 : 1152;
  return 0;
}

/**
 * Copies an audio track, cut by when its packets begin, so that each packet is in exactly one segment. Gaps are filled with
 * silence in the track's own codec, wholly within a segment, so that every session fills them alike.
 */
export class AudioCopy implements SegmentProducer {
  readonly #input: TrackInput;
  readonly #plan: SegmentPlan;
  readonly #writer: SegmentWriter;
  readonly #onSegment: OnSegment;
  readonly #packet = new Packet();
  readonly #codecpar = new CodecParameters();
  readonly #adts: BitStreamFilterContext | null;
  readonly #rateHz: number;
  /** Length of each packet, 0 where they differ and say so themselves. */
  readonly #packetSamples: number;
  #silence: Silence | null | undefined;
  #next = 0;
  #current: SoundPacket[] = [];
  /** Movie time at which what was read last ends, in samples. */
  #end = Number.NEGATIVE_INFINITY;
  #hasEnded = false;

  constructor(spec: RenditionSpec, onSegment: OnSegment) {
    this.#plan = new SegmentPlan(spec.boundariesUs, 0);
    this.#onSegment = onSegment;
    this.#packet.alloc();
    this.#input = new TrackInput(spec);
    const { codecpar } = this.#input.stream;
    this.#codecpar.alloc();
    codecpar.copy(this.#codecpar);
    this.#codecpar.bitsPerRawSample ||= losslessDepth(codecpar);
    this.#rateHz = codecpar.sampleRate;
    if (this.#rateHz <= 0) throw new MediaError('unsupported', 'no sample rate');
    this.#packetSamples = codecpar.frameSize || constantPacketSamples(codecpar);
    const isAdts = codecpar.codecId === AV_CODEC_ID_AAC && codecpar.extradataSize === 0;
    this.#adts = isAdts ? this.#unwrapAdts() : null;
    this.#writer = new SegmentWriter(spec.outputDir, {
      codecpar: this.#codecpar,
      timeBase: { num: 1, den: this.#rateHz },
      tag: null,
      pixelAspect: null,
      delayTicks: 0,
      describedByPacket: codecpar.codecId === AV_CODEC_ID_AC3 || codecpar.codecId === AV_CODEC_ID_EAC3,
    });
  }

  get next(): number {
    return this.#next;
  }

  start(index: number): void {
    this.#drop();
    this.#next = index;
    this.#end = Number.NEGATIVE_INFINITY;
    this.#hasEnded = false;
    if (index === 0) this.#input.rewind();
    else this.#input.seekToSound(this.#plan.startUs(index));
  }

  step(): boolean {
    const outcome = this.#hasEnded ? 'end' : this.#input.read(this.#packet);
    if (outcome === 'other') return true;
    if (outcome === 'end') return this.#finishOne();
    this.#take(this.#packet);
    this.#packet.unref();
    return true;
  }

  [Symbol.dispose](): void {
    this.#drop();
    this.#silence?.packet.free();
    this.#adts?.free();
    this.#packet.free();
    this.#codecpar.free();
    this.#input[Symbol.dispose]();
  }

  #take(packet: Packet): void {
    const ticks = presentationTicks(packet);
    const start = ticks === null ? this.#end : Math.round((this.#input.movieUs(ticks) * this.#rateHz) / 1e6);
    if (start === Number.NEGATIVE_INFINITY) return; // behind a seek into MPEG-TS, until the first time stamp
    const { num, den } = this.#input.timeBase;
    const samples = this.#packetSamples || Math.round((Number(packet.duration) * num * this.#rateHz) / den);
    const us = (start * 1e6) / this.#rateHz;
    const segment = this.#plan.segmentAt(us);
    const isRepeated = start <= (this.#current.at(-1)?.start ?? Number.NEGATIVE_INFINITY);
    if (!this.#plan.holds(us) || segment < this.#next || isRepeated) return;
    if (segment > this.#next) {
      // One segment a step: behind a long gap, there are many of silence.
      this.#input.unread(packet);
      this.#write(start);
      return;
    }
    this.#end = start + samples;
    const taken = this.#unwrapped(packet);
    if (taken) this.#current.push({ packet: taken, start, samples });
  }

  /** At the end of the file: the segment in hand, and silence for those to come while other tracks go on. */
  #finishOne(): boolean {
    this.#hasEnded = true;
    if (this.#current.length === 0) {
      const us = this.#plan.startUs(this.#next);
      const isNearEnd = this.#plan.endUs - us <= END_SLACK_US;
      if (!isNearEnd && !this.#input.othersReach(us)) {
        throw new MediaError('truncated', 'the file ends before its plan');
      }
    }
    this.#write(Number.POSITIVE_INFINITY);
    return this.#next < this.#plan.count;
  }

  /** Writes segment `next`; the sound goes on at `nextStart`. */
  #write(nextStart: number): void {
    const packets = this.#withSilence(this.#current, nextStart);
    try {
      const shift = (TIMELINE_OFFSET_US / 1e6) * this.#rateHz;
      packets.forEach(({ packet, start, samples }, index) => {
        const until = packets[index + 1]?.start ?? (nextStart < start + 2 * samples ? nextStart : start + samples);
        packet.pts = packet.dts = BigInt(start + shift);
        packet.duration = BigInt(Math.max(1, until - start));
        packet.freeSideData();
      });
      const written = this.#writer.write(
        this.#next,
        packets.map(({ packet }) => packet),
      );
      this.#onSegment(this.#next++, written);
    } finally {
      for (const { packet } of packets) packet.free();
      this.#current = [];
    }
  }

  /**
   * The packets of segment `next` with silence in its gaps. What is a gap depends on this segment's packets and the next
   * one's beginning alone: a track that goes on has a packet within one packet's length of either boundary.
   */
  #withSilence(packets: readonly SoundPacket[], nextStart: number): SoundPacket[] {
    const from = Math.ceil((this.#plan.startUs(this.#next) * this.#rateHz) / 1e6);
    const isLast = this.#next + 1 === this.#plan.count;
    const until = Math.floor((this.#plan.startUs(this.#next + 1) * this.#rateHz) / 1e6);
    const filled: SoundPacket[] = [];
    let cursor = from;
    const fillTo = (begin: number): void => {
      const length = packets[0]?.samples ?? this.#packetSamples;
      if (begin - cursor < Math.max(1.5 * length, (MIN_GAP_US * this.#rateHz) / 1e6)) return;
      const silence = this.#silenceOrNull();
      if (!silence) return;
      for (; cursor + silence.samples <= begin; cursor += silence.samples) {
        filled.push({ packet: owned(silence.packet), start: cursor, samples: silence.samples });
      }
    };
    for (const sound of packets) {
      fillTo(sound.start);
      filled.push(sound);
      cursor = sound.start + sound.samples;
    }
    fillTo(Math.min(nextStart, until + (isLast ? 0 : (packets[0]?.samples ?? this.#packetSamples) - 1)));
    if (filled.length === 0) throw new MediaError('unsupported', 'a gap that no silence of this codec can fill');
    return filled;
  }

  #silenceOrNull(): Silence | null {
    this.#silence ??= silenceFor(this.#codecpar);
    return this.#silence;
  }

  /** MPEG-TS carries AAC with a header before each packet; MP4 has it once, in the track's. */
  #unwrapAdts(): BitStreamFilterContext {
    const filter = BitStreamFilter.getByName('aac_adtstoasc');
    const context = new BitStreamFilterContext();
    if (!filter || context.alloc(filter) < 0) throw new MediaError('internal', 'aac_adtstoasc is missing');
    this.#input.stream.codecpar.copy(context.inputCodecParameters!);
    context.inputTimeBase = new Rational(this.#input.timeBase.num, this.#input.timeBase.den);
    if (context.init() < 0) throw new MediaError('unsupported', 'AAC in a form that MP4 cannot hold');
    const first = this.#input.firstPacket();
    try {
      const extradata = first && this.#filtered(context, first)?.getSideData(AV_PKT_DATA_NEW_EXTRADATA);
      if (!extradata) throw new MediaError('unsupported', 'AAC without a configuration');
      this.#codecpar.extradata = Buffer.from(extradata);
    } finally {
      first?.free();
    }
    return context;
  }

  #unwrapped(packet: Packet): Packet | null {
    return this.#adts ? this.#filtered(this.#adts, packet) : owned(packet);
  }

  /** One packet in, one out; `null` for one that is damaged. */
  #filtered(context: BitStreamFilterContext, packet: Packet): Packet | null {
    const filtered = new Packet();
    filtered.alloc();
    const input = owned(packet);
    const isDone = context.sendPacketSync(input) >= 0 && context.receivePacketSync(filtered) >= 0;
    input.free();
    if (isDone) return filtered;
    filtered.free();
    return null;
  }

  #drop(): void {
    for (const { packet } of this.#current) packet.free();
    this.#current = [];
  }
}
