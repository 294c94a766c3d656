import {
  AV_CHANNEL_ORDER_UNSPEC,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_CODEC_ID_VORBIS,
  AV_NOPTS_VALUE,
  AV_SAMPLE_FMT_FLTP,
  FF_ENCODER_AAC,
  FF_ENCODER_AC3,
  FF_ENCODER_EAC3,
} from 'node-av/constants';
import type { AVSampleFormat, FFEncoderCodec } from 'node-av/constants';
import {
  Codec,
  CodecContext,
  CodecParameters,
  Frame,
  Packet,
  Rational,
  avChannelLayoutDefault,
  avChannelLayoutDescribe,
  avGetSampleFmtName,
} from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec, SoundCodec, SoundOutput } from '#engine/media/rendition-spec.ts';
import { END_SLACK_US } from './audio-copy.ts';
import { FilterChain } from './filter-chain.ts';
import { SegmentWriter } from './fmp4-segment-writer.ts';
import { TrackInput, owned, presentationTicks } from './rendition-input.ts';
import { SegmentPlan } from './rendition-plan.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';
import { SOUND_RATE_HZ as RATE_HZ, layoutName, soundChain } from './sound-chain.ts';

interface Grid {
  readonly encoder: FFEncoderCodec;
  /** Samples of a packet. */
  readonly frame: number;
  /** Samples by which the encoder's packets begin earlier than the sound that it was given, modulo `frame`. */
  readonly lead: number;
}

const GRIDS: Readonly<Record<SoundCodec, Grid>> = {
  aac: { encoder: FF_ENCODER_AAC, frame: 1024, lead: 0 },
  ac3: { encoder: FF_ENCODER_AC3, frame: 1536, lead: 256 },
  eac3: { encoder: FF_ENCODER_EAC3, frame: 1536, lead: 256 },
};
/**
 * Frames encoded before the first that is kept. The encoder's first packet is priming, the second overlaps with a frame it
 * never saw (MDCT); from the third on it has seen what an encoder would have that had run from the beginning.
 */
const RUN_IN_FRAMES = 3;
/** Sound decoded before that, so that decoders with a memory (MP3 reservoir, Opus 80 ms, TrueHD sync) have settled. */
const PRE_ROLL_US = 400_000;
/** A compressor remembers longer: after this, what came before no longer shows. */
const NIGHT_PRE_ROLL_US = 2_000_000;
/** As long as a decoder may refuse everything before the track counts as one that it can't decode. */
const MAX_DEAF_US = 3_000_000;
/** Differences up to this between time stamps and samples are rounding; above, silence is put in or sound taken out. */
const MAX_DRIFT_US = 50_000;
/** Containers with millisecond time stamps round twice, the track's beginning and the packet's. */
const MAX_ROUNDING_US = 2_000;
/** Longer gaps are filled in pieces of this length, so that neither memory nor time is spent on them at once. */
const FILL_US = 500_000;

/**
 * Any audio track as AAC-LC, AC-3 or E-AC-3, in two channels or six. Packets lie on a grid that begins with the movie, so that a
 * packet has the same place whoever makes it, and segments of different sessions meet without a sample between them.
 *
 * Two filter chains: one turns what the decoder gives into the channels wanted at 48 kHz and is rebuilt when the track changes its form;
 * the other puts the sound on the grid, with silence where there is none.
 */
export class AudioTranscode implements SegmentProducer {
  readonly #input: TrackInput;
  readonly #plan: SegmentPlan;
  readonly #spec: RenditionSpec;
  readonly #output: SoundOutput;
  readonly #grid: Grid;
  readonly #onSegment: OnSegment;
  readonly #decoder: CodecContext;
  /** Movie time of the track's first packet, on which the packets' own grid begins. */
  readonly #originUs: number;
  readonly #read = allocated(new Packet());
  readonly #encoded = allocated(new Packet());
  readonly #decoded = allocated(new Frame());
  readonly #formed = allocated(new Frame());
  readonly #gridded = allocated(new Frame());
  readonly #codecpar = allocated(new CodecParameters());
  #writer: SegmentWriter | null = null;
  #toForm: FilterChain | null = null;
  #toFormInput = '';
  #toGrid: FilterChain | null = null;
  #encoder: CodecContext | null = null;
  #next = 0;
  /** Grid number of the first packet to keep. */
  #firstFrame = 0;
  #packets: Packet[] = [];
  /** Sound that ends before this is of no use. */
  #neededUs = 0;
  /** Movie time at which the decoded sound ends; `null` when a seek has just been made. */
  #heardUs: number | null = null;
  /** Movie time at which what was put on the grid ends, or has to begin. */
  #griddedUs = 0;
  /** Sound that waits for its place on the grid. */
  #queue: Frame[] = [];
  #hasEnded = false;
  /** Whether anything of the track could be decoded, ever, and where the first packet lies that could not. */
  #hasHeard = false;
  #refusedFromUs: number | null = null;
  /** Where silence after the track's end has to lead; `null` while there is sound. */
  #padUntilUs: number | null = null;

  constructor(spec: RenditionSpec, output: SoundOutput, onSegment: OnSegment) {
    this.#spec = spec;
    this.#plan = new SegmentPlan(spec.boundariesUs, 0);
    this.#output = output;
    this.#grid = GRIDS[output.method];
    this.#onSegment = onSegment;
    this.#input = new TrackInput(spec);
    const first = this.#input.firstPacket();
    const ticks = first && presentationTicks(first);
    this.#originUs = ticks === null ? 0 : this.#input.movieUs(ticks);
    first?.free();
    this.#decoder = openDecoder(this.#input);
  }

  get next(): number {
    return this.#next;
  }

  start(index: number): void {
    this.#drop();
    this.#next = index;
    this.#firstFrame = this.#frameAt(index);
    this.#decoder.flushBuffers();
    this.#neededUs = (this.#runInStart * 1e6) / RATE_HZ - (this.#output.isNight ? NIGHT_PRE_ROLL_US : PRE_ROLL_US);
    this.#griddedUs = (this.#runInStart * 1e6) / RATE_HZ;
    this.#heardUs = this.#padUntilUs = this.#refusedFromUs = null;
    this.#hasEnded = false;
    if (index === 0 || this.#neededUs <= 0) this.#input.rewind();
    else this.#input.seekToSound(this.#neededUs);
  }

  step(): boolean {
    if (this.#queue.length > 0) {
      this.#placeNext();
      return this.#next < this.#plan.count;
    }
    if (this.#hasEnded && this.#padUntilUs === null) this.#padUntilUs = this.#endOfPadding();
    if (this.#padUntilUs !== null) return this.#pad(this.#padUntilUs);
    const outcome = this.#input.read(this.#read);
    if (outcome === 'end') this.#end();
    if (outcome !== 'packet') return true;
    const ticks = presentationTicks(this.#read);
    const isEarly = ticks !== null && this.#next > 0 && this.#input.movieUs(ticks) < this.#neededUs;
    // A packet that cannot be decoded leaves a gap, which is filled like any other.
    if (!isEarly && this.#decoder.sendPacketSync(this.#read) >= 0) this.#decode();
    else if (!isEarly && ticks !== null) this.#refuse(this.#input.movieUs(ticks));
    this.#read.unref();
    return true;
  }

  [Symbol.dispose](): void {
    this.#drop();
    this.#decoder.freeContext();
    for (const native of [this.#read, this.#encoded, this.#decoded, this.#formed, this.#gridded, this.#codecpar]) {
      native.free();
    }
    this.#input[Symbol.dispose]();
  }

  /** Grid number of the first packet of a segment: packets are cut by when they begin, like copied ones. */
  #frameAt(index: number): number {
    if (index >= this.#plan.count) return Number.POSITIVE_INFINITY;
    return Math.ceil(Math.round((this.#plan.startUs(index) * RATE_HZ) / 1e6) / this.#grid.frame);
  }

  /** A gap is silence, but a track that is nothing but gaps is one that nobody can decode, and must not pass for a silent one. */
  #refuse(us: number): void {
    this.#refusedFromUs ??= us;
    if (this.#hasHeard || us - this.#refusedFromUs < MAX_DEAF_US) return;
    throw new MediaError('unsupported', 'no sound could be decoded');
  }

  #decode(): void {
    while (this.#decoder.receiveFrameSync(this.#decoded) >= 0) {
      this.#hasHeard = true;
      this.#hear(this.#decoded);
      this.#decoded.unref();
    }
  }

  #hear(frame: Frame): void {
    if (frame.sampleRate <= 0 || frame.nbSamples <= 0) return;
    const us = this.#placeOf(frame);
    if (us === null || !this.#plan.holds(us)) return;
    const format = avGetSampleFmtName(frame.format as AVSampleFormat) ?? '';
    const input = `time_base=1/1000000:sample_rate=${frame.sampleRate}:sample_fmt=${format}:channel_layout=${layoutOf(frame)}`;
    if (input !== this.#toFormInput) {
      this.#dropForm();
      const form = { channels: this.#output.channels, isNight: this.#output.isNight === true };
      const chain = `${this.#inPhase(us, frame.sampleRate)}${soundChain(frame.channels, form)}`;
      this.#toForm = new FilterChain('audio', input, chain, 1);
      this.#toFormInput = input;
    }
    frame.pts = BigInt(Math.round(us));
    this.#heardUs = us + (frame.nbSamples * 1e6) / frame.sampleRate;
    this.#toForm?.send(frame);
    this.#pullFormed();
  }

  /** Movie time at which a decoded frame begins: where the one before ended, unless its time stamp clearly disagrees. */
  #placeOf(frame: Frame): number | null {
    const { bestEffortTimestamp } = frame;
    const stampedUs = bestEffortTimestamp === AV_NOPTS_VALUE ? null : this.#input.movieUs(Number(bestEffortTimestamp));
    if (this.#heardUs !== null) {
      return stampedUs === null || Math.abs(stampedUs - this.#heardUs) <= MAX_DRIFT_US ? this.#heardUs : stampedUs;
    }
    return stampedUs === null ? null : this.#onGrid(frame, stampedUs);
  }

  /**
   * Time stamps are rounded (Matroska: to a millisecond), a track's frames are not. On the frames' own grid, which begins with
   * the track's first packet, every session puts a sample in the same place. Where the file strays from that grid, the time
   * stamp holds.
   */
  #onGrid(frame: Frame, stampedUs: number): number {
    if (this.#input.stream.codecpar.codecId === AV_CODEC_ID_VORBIS) return stampedUs; // packets of two lengths
    const { num, den } = this.#input.timeBase;
    const packetSamples = Math.round((Number(this.#read.duration) * num * frame.sampleRate) / den);
    // The decoder has cut priming samples off the beginning: it is the end of a frame that lies on the grid.
    const isCut = packetSamples - frame.nbSamples > (2 * num * frame.sampleRate) / den;
    const lengthUs = ((isCut ? packetSamples : frame.nbSamples) * 1e6) / frame.sampleRate;
    const endUs = stampedUs + (frame.nbSamples * 1e6) / frame.sampleRate;
    const endOnGridUs = this.#originUs + Math.round((endUs - this.#originUs) / lengthUs) * lengthUs;
    return Math.abs(endOnGridUs - endUs) <= MAX_ROUNDING_US ? stampedUs + endOnGridUs - endUs : stampedUs;
  }

  /**
   * Lets the resampler begin at a sample from which all sessions' output samples lie in the same places, and not up to half a
   * sample apart: 44.1 kHz meets 48 kHz every 147 samples.
   */
  #inPhase(us: number, rateHz: number): string {
    if (rateHz === RATE_HZ) return '';
    const period = rateHz / greatestDivisor(rateHz, RATE_HZ);
    const sample = Math.round(((us - this.#originUs) * rateHz) / 1e6);
    const surplus = (((-sample % period) + period) % period) % period;
    return surplus === 0 ? '' : `atrim=start_sample=${surplus},`;
  }

  #pullFormed(): void {
    while (this.#toForm?.receive(this.#formed)) {
      this.#queue.push(cloned(this.#formed));
      this.#formed.unref();
    }
  }

  /** Puts the sound at the head of the queue on the grid, or half a second of the silence before it: a gap may be long. */
  #placeNext(): void {
    const sound = this.#queue[0]!;
    const us = (Number(sound.pts) * 1e6) / RATE_HZ;
    if (us - this.#griddedUs > FILL_US) return this.#sendSilence(this.#griddedUs);
    this.#queue.shift();
    this.#sendToGrid(sound);
    sound.free();
  }

  #sendSilence(us: number): void {
    using silence = new Frame();
    silence.alloc();
    silence.format = AV_SAMPLE_FMT_FLTP;
    silence.sampleRate = RATE_HZ;
    silence.channelLayout = avChannelLayoutDefault(this.#output.channels);
    silence.nbSamples = (FILL_US * RATE_HZ) / 1e6;
    if (silence.getBuffer() < 0) throw new MediaError('internal', 'out of memory for silence');
    for (const plane of silence.data ?? []) plane.fill(0);
    silence.pts = BigInt(Math.round((us * RATE_HZ) / 1e6));
    this.#sendToGrid(silence);
  }

  #sendToGrid(sound: Frame): void {
    this.#toGrid ??= this.#openGrid();
    this.#griddedUs = ((Number(sound.pts) + sound.nbSamples) * 1e6) / RATE_HZ;
    this.#toGrid.send(sound);
    this.#pullGrid();
  }

  #openGrid(): FilterChain {
    const layout = layoutName(this.#output.channels);
    const input = `time_base=1/${RATE_HZ}:sample_rate=${RATE_HZ}:sample_fmt=fltp:channel_layout=${layout}`;
    return new FilterChain('audio', input, gridChain(this.#runInStart, this.#grid.frame), 1);
  }

  /** Sample at which the encoder begins. */
  get #runInStart(): number {
    return (this.#firstFrame - RUN_IN_FRAMES) * this.#grid.frame + this.#grid.lead;
  }

  #pullGrid(): void {
    while (this.#toGrid?.receive(this.#gridded)) {
      this.#encoder ??= openEncoder(this.#output);
      const code = this.#encoder.sendFrameSync(this.#gridded);
      this.#gridded.unref();
      if (code < 0) throw new MediaError('internal', `the sound encoder refused a frame with ${code}`);
      this.#pullEncoder();
    }
  }

  #pullEncoder(): void {
    while (this.#encoder && this.#encoder.receivePacketSync(this.#encoded) >= 0) {
      const start = Number(this.#encoded.pts);
      const frame = Math.round(start / this.#grid.frame);
      const isPadding = this.#padUntilUs !== null && (start * 1e6) / RATE_HZ >= this.#padUntilUs;
      while (this.#packets.length > 0 && frame >= this.#frameAt(this.#next + 1)) this.#write();
      if (frame >= this.#firstFrame && !isPadding) this.#packets.push(owned(this.#encoded));
      this.#encoded.unref();
    }
  }

  #end(): void {
    this.#decoder.sendPacketSync(null);
    this.#decode();
    if (!this.#hasHeard && this.#refusedFromUs !== null) {
      throw new MediaError('unsupported', 'no sound could be decoded');
    }
    this.#dropForm();
    this.#hasEnded = true;
  }

  /** The track has ended. Silence follows to the end of the plan if other tracks go on, else to the end of this segment. */
  #endOfPadding(): number {
    const following = Math.max(this.#next, this.#plan.segmentAt(this.#griddedUs)) + 1;
    const hasMore = following < this.#plan.count && this.#plan.endUs - this.#plan.startUs(following) > END_SLACK_US;
    const isCutOff = hasMore && !this.#input.othersReach(this.#plan.startUs(following));
    return isCutOff ? this.#plan.startUs(following) : this.#plan.endUs;
  }

  #pad(untilUs: number): boolean {
    if (this.#next >= this.#plan.count) return false;
    const runOutUs = (RUN_IN_FRAMES * this.#grid.frame * 1e6) / RATE_HZ;
    if (this.#griddedUs < untilUs + runOutUs) {
      this.#sendSilence(this.#griddedUs);
      return true;
    }
    this.#toGrid?.send(null);
    this.#pullGrid();
    this.#encoder?.sendFrameSync(null);
    this.#pullEncoder();
    if (this.#packets.length > 0) this.#write();
    if (this.#next < this.#plan.count) throw new MediaError('truncated', 'the file ends before its plan');
    return false;
  }

  #write(): void {
    const packets = this.#packets;
    this.#packets = [];
    try {
      this.#writer ??= this.#openWriter();
      for (const packet of packets) {
        packet.pts = packet.dts = packet.pts + BigInt((TIMELINE_OFFSET_US / 1e6) * RATE_HZ);
        packet.duration = BigInt(this.#grid.frame);
        packet.freeSideData();
      }
      const written = this.#writer.write(this.#next, packets);
      this.#onSegment(this.#next++, written);
    } finally {
      for (const packet of packets) packet.free();
    }
  }

  #openWriter(): SegmentWriter {
    this.#codecpar.fromContext(this.#encoder!);
    return new SegmentWriter(this.#spec.outputDir, {
      codecpar: this.#codecpar,
      timeBase: { num: 1, den: RATE_HZ },
      tag: null,
      pixelAspect: null,
      delayTicks: 0,
      describedByPacket: this.#output.method !== 'aac',
    });
  }

  #dropForm(): void {
    this.#toForm?.send(null);
    this.#pullFormed();
    this.#toForm?.[Symbol.dispose]();
    this.#toForm = null;
    this.#toFormInput = '';
  }

  #drop(): void {
    this.#toForm?.[Symbol.dispose]();
    this.#toForm = null;
    this.#toFormInput = '';
    this.#toGrid?.[Symbol.dispose]();
    this.#toGrid = null;
    this.#encoder?.freeContext();
    this.#encoder = null;
    for (const packet of this.#packets) packet.free();
    for (const frame of this.#queue) frame.free();
    this.#packets = [];
    this.#queue = [];
  }
}

function gridChain(firstSample: number, frame: number): string {
  const resync = `async=1:min_comp=0.00001:min_hard_comp=${MAX_DRIFT_US / 2e6}:first_pts=${firstSample}`;
  return `aresample=${resync},asetnsamples=n=${frame}:p=1`;
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

function layoutOf(frame: Frame): string {
  const { channelLayout, channels } = frame;
  const layout = channelLayout.order === AV_CHANNEL_ORDER_UNSPEC ? avChannelLayoutDefault(channels) : channelLayout;
  return avChannelLayoutDescribe(layout) ?? 'stereo';
}

function openDecoder(input: TrackInput): CodecContext {
  const { codecpar } = input.stream;
  const codec = Codec.findDecoder(codecpar.codecId);
  if (!codec) throw new MediaError('unsupported', 'no decoder for this audio codec');
  const decoder = new CodecContext();
  decoder.allocContext3(codec);
  decoder.parametersToContext(codecpar);
  decoder.pktTimebase = new Rational(input.timeBase.num, input.timeBase.den);
  decoder.threadCount = 1;
  if (decoder.open2Sync(codec, null) < 0) {
    decoder.freeContext();
    throw new MediaError('unsupported', 'the audio decoder does not open');
  }
  return decoder;
}

function openEncoder(output: SoundOutput): CodecContext {
  const codec = Codec.findEncoderByName(GRIDS[output.method].encoder);
  if (!codec) throw new MediaError('internal', `no encoder of ${output.method}`);
  const encoder = new CodecContext();
  encoder.allocContext3(codec);
  encoder.sampleRate = RATE_HZ;
  encoder.sampleFormat = AV_SAMPLE_FMT_FLTP;
  encoder.channelLayout = avChannelLayoutDefault(output.channels);
  encoder.timeBase = new Rational(1, RATE_HZ);
  encoder.bitRate = BigInt(output.bitrateBps);
  encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  if (encoder.open2Sync(codec, null) < 0) {
    encoder.freeContext();
    throw new MediaError('internal', `the encoder of ${output.method} does not open`);
  }
  return encoder;
}

function cloned(frame: Frame): Frame {
  const clone = frame.clone();
  if (!clone) throw new MediaError('internal', 'out of memory for sound');
  return clone;
}

function allocated<Native extends { alloc(): void }>(native: Native): Native {
  native.alloc();
  return native;
}
