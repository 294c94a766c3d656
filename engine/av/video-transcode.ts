import { availableParallelism } from 'node:os';
import { AV_NOPTS_VALUE } from 'node-av/constants';
import { CodecParameters, Frame, Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { VideoOutput, RenditionSpec } from '#engine/media/rendition-spec.ts';
import { END_SLACK_US } from './audio-copy.ts';
import { FilterChain } from './filter-chain.ts';
import { stampVideo } from './fmp4-decode-times.ts';
import type { TimedPacket } from './fmp4-decode-times.ts';
import { SegmentWriter } from './fmp4-segment-writer.ts';
import { TrackInput, owned } from './rendition-input.ts';
import { SegmentPlan } from './rendition-plan.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';
import { rotationOf } from './stream-rotation.ts';
import { VideoDecoder } from './video-decoder.ts';
import { VIDEO_TICKS_PER_SECOND, VideoEncoder } from './video-encoder.ts';
import type { FrameRate } from './video-encoder.ts';
import { nameColors, pictureChain, pictureInput } from './video-picture.ts';
import type { PicturePlan } from './video-picture.ts';

/** A picture this much before a boundary, or half its own length, still begins the segment behind it. */
const MAX_TOLERANCE_US = 21_000;
/** A segment whose first picture comes later than this behind its boundary begins with the picture shown until then. */
const MAX_LATE_US = 250_000;
/** A deinterlacer looks at the pictures before; these are enough, and are given to it before the first that is kept. */
const DEINTERLACE_RUN_IN_US = 200_000;
/** A picture is not shown later than this after it is decoded. */
const MAX_REORDER_US = 1_000_000;
/** Decoder and encoder keep small machines busy; slicing a picture for scaling costs more there than it brings. */
const FILTER_THREADS = Math.min(4, Math.max(1, availableParallelism() >> 2));
/** Decoding ahead of presentation: B-pictures that other B-pictures refer to. */
const REORDER_DEPTH = 2;
const USUAL_RATE: FrameRate = { num: 24, den: 1 };

/**
 * Decodes a video track and encodes it as H.264, with a closed GOP from each boundary on. Frames keep their own times, none is
 * added or left out, but for one: where a boundary falls into a picture that is shown for long, the picture is repeated at it.
 *
 * The first segment after a start has an encoder of its own, which is emptied as soon as the segment's last picture is in:
 * else the segment would wait for the dozen pictures of the next one that the encoder looks ahead to. From then on, one
 * encoder serves all.
 */
export class VideoTranscode implements SegmentProducer {
  readonly #spec: RenditionSpec;
  readonly #output: VideoOutput;
  readonly #onSegment: OnSegment;
  readonly #input: TrackInput;
  readonly #plan: SegmentPlan;
  readonly #decoder: VideoDecoder;
  readonly #rate: FrameRate;
  readonly #frameUs: number;
  readonly #read = allocated(new Packet());
  readonly #encoded = allocated(new Packet());
  readonly #decoded = allocated(new Frame());
  /** The last picture before the wanted ones, as decoded; empty when there is none. */
  readonly #before = allocated(new Frame());
  readonly #filtered = allocated(new Frame());
  /** The last picture before the one in hand, filtered, for repeating; empty when there is none. */
  readonly #shown = allocated(new Frame());
  readonly #codecpar = allocated(new CodecParameters());
  #picture: PicturePlan | null = null;
  #writer: SegmentWriter | null = null;
  #filter: FilterChain | null = null;
  #filterInput = '';
  #encoder: VideoEncoder | null = null;
  /** Filtered pictures that wait for the encoder. */
  #queue: Picture[] = [];
  #next = 0;
  /** Where the wanted pictures begin, in microseconds of movie time. */
  #cutUs = 0;
  /** Segment and time of the frame that the encoder got last. */
  #sent = -1;
  #sentTicks = Number.NEGATIVE_INFINITY;
  /** First pictures of segments that are in the encoder and have not come out. */
  #starts: number[] = [];
  /** Encoded packets of segment `next`. */
  #packets: TimedPacket[] = [];
  #lastUs = 0;
  #isFirst = true;
  #hasEnded = false;

  constructor(spec: RenditionSpec, output: VideoOutput, onSegment: OnSegment) {
    this.#spec = spec;
    this.#output = output;
    this.#onSegment = onSegment;
    this.#input = new TrackInput(spec);
    const { avgFrameRate, rFrameRate } = this.#input.stream;
    this.#rate = [avgFrameRate, rFrameRate].find(isFrameRate) ?? USUAL_RATE;
    this.#frameUs = (this.#rate.den * 1e6) / this.#rate.num;
    this.#plan = new SegmentPlan(spec.boundariesUs, Math.min(this.#frameUs / 2, MAX_TOLERANCE_US));
    this.#decoder = new VideoDecoder(this.#input);
  }

  get next(): number {
    return this.#next;
  }

  start(index: number): void {
    this.#drop();
    this.#next = index;
    this.#sent = index - 1;
    this.#sentTicks = Number.NEGATIVE_INFINITY;
    this.#cutUs = this.#plan.cutUs(index);
    this.#isFirst = true;
    this.#hasEnded = false;
    this.#decoder.flush();
    if (index === 0) this.#input.rewind();
    else this.#input.seekToKeyframe(this.#plan.startUs(index));
  }

  step(): boolean {
    if (this.#queue.length > 0) this.#encodeNext();
    else if (this.#hasEnded) this.#finishNext();
    else this.#readNext();
    return this.#next < this.#plan.count;
  }

  [Symbol.dispose](): void {
    this.#drop();
    this.#filter?.[Symbol.dispose]();
    this.#decoder[Symbol.dispose]();
    for (const native of [this.#read, this.#encoded, this.#decoded, this.#before, this.#filtered, this.#shown]) {
      native.free();
    }
    this.#codecpar.free();
    this.#input[Symbol.dispose]();
  }

  #readNext(): void {
    const outcome = this.#input.read(this.#read);
    if (outcome === 'other') return;
    if (outcome === 'end') {
      this.#decoder.send(null);
      this.#decode();
      this.#filterBefore();
      this.#filter?.send(null);
      this.#pullFilter();
      this.#hasEnded = true;
      return;
    }
    // On the way from the keyframe to the first wanted picture, only what others refer to is decoded.
    const runInUs = this.#output.deinterlace ? 2 * DEINTERLACE_RUN_IN_US : 0;
    this.#decoder.skipUnreferenced(this.#isBefore(this.#read, this.#cutUs - runInUs));
    const isDecoded = this.#decoder.send(this.#read);
    this.#read.unref();
    if (isDecoded) this.#decode();
  }

  #isBefore({ pts, dts }: Packet, us: number): boolean {
    if (pts !== AV_NOPTS_VALUE) return this.#input.movieUs(Number(pts)) < us;
    return dts !== AV_NOPTS_VALUE && this.#input.movieUs(Number(dts)) < us - MAX_REORDER_US;
  }

  #decode(): void {
    while (this.#decoder.receive(this.#decoded)) {
      const { bestEffortTimestamp } = this.#decoded;
      const isStamped = bestEffortTimestamp !== AV_NOPTS_VALUE;
      const us = isStamped ? this.#input.movieUs(Number(bestEffortTimestamp)) : this.#lastUs + this.#frameUs;
      if (!this.#plan.holds(us)) {
        this.#decoded.unref();
        continue;
      }
      this.#lastUs = us;
      this.#decoded.pts = BigInt(toTicks(us));
      if (us >= this.#cutUs - (this.#output.deinterlace ? DEINTERLACE_RUN_IN_US : 0)) {
        // What is shown when the first wanted picture comes late.
        if (us - this.#cutUs > MAX_LATE_US) this.#filterBefore();
        this.#sendToFilter(this.#decoded);
        this.#before.unref();
      } else {
        this.#before.unref();
        this.#before.ref(this.#decoded);
      }
      this.#decoded.unref();
    }
  }

  #filterBefore(): void {
    if (this.#before.width > 0) this.#sendToFilter(this.#before);
    this.#before.unref();
  }

  #sendToFilter(frame: Frame): void {
    if (!this.#output.toneMap) nameColors(frame);
    const input = pictureInput(frame);
    if (input !== this.#filterInput) {
      // A recording may change its picture in the middle. The new one is brought to the size of the old.
      this.#filter?.send(null);
      this.#pullFilter();
      this.#filter?.[Symbol.dispose]();
      this.#picture ??= this.#planPicture(frame);
      this.#filter = new FilterChain('video', input, pictureChain(frame, this.#picture), FILTER_THREADS);
      this.#filterInput = input;
    }
    this.#filter?.send(frame);
    this.#pullFilter();
  }

  #planPicture(frame: Frame): PicturePlan {
    const { stream } = this.#input;
    const { width, height, sampleAspectRatio } = stream.codecpar;
    const rotation = rotationOf(stream);
    const pixelAspect = [stream.sampleAspectRatio, sampleAspectRatio, frame.sampleAspectRatio].find(isFrameRate);
    const coded = { width, height, rotation, pixelAspect: pixelAspect ?? { num: 1, den: 1 } };
    return { size: pictureSize(coded, this.#output.heightPx), rotation, output: this.#output };
  }

  #pullFilter(): void {
    const filter = this.#filter;
    if (!filter) return;
    const { num, den } = filter.sink.buffersinkGetTimeBase();
    while (filter.receive(this.#filtered)) {
      const ticks = Math.round((Number(this.#filtered.pts) * num * VIDEO_TICKS_PER_SECOND) / den);
      if (toUs(ticks) >= this.#cutUs) this.#queue.push({ frame: cloned(this.#filtered), ticks });
      else this.#show(this.#filtered);
      this.#filtered.unref();
    }
  }

  #show(frame: Frame): void {
    this.#shown.unref();
    this.#shown.ref(frame);
  }

  /** Encodes the picture at the head of the queue, or one that has to be shown before it. */
  #encodeNext(): void {
    const { frame, ticks } = this.#queue[0]!;
    const segment = this.#plan.segmentAt(toUs(ticks));
    if (segment > this.#sent) {
      const begun = this.#sent + 1;
      const boundaryUs = this.#plan.startUs(begun);
      if (segment > begun || toUs(ticks) - boundaryUs > MAX_LATE_US) {
        this.#encode(this.#shown.width > 0 ? this.#shown : frame, toTicks(boundaryUs), begun);
        return;
      }
    }
    // x264 wants rising times; a picture that steps back was never to be seen.
    if (ticks > this.#sentTicks) this.#encode(frame, ticks, Math.max(segment, this.#sent));
    this.#show(frame);
    frame.free();
    this.#queue.shift();
  }

  #encode(frame: Frame, ticks: number, segment: number): void {
    const isIdr = segment > this.#sent;
    if (isIdr && this.#encoder && this.#isFirst) this.#emptyEncoder(ticks);
    else if (isIdr && this.#encoder) this.#starts.push(ticks);
    this.#encoder ??= this.#openEncoder(frame);
    this.#sent = segment;
    this.#sentTicks = ticks;
    this.#encoder.send(frame, ticks, isIdr);
    this.#pullEncoder(this.#encoder);
  }

  #pullEncoder(encoder: VideoEncoder): void {
    while (encoder.receive(this.#encoded)) {
      const ticks = Number(this.#encoded.pts);
      if (ticks === this.#starts[0]) {
        this.#starts.shift();
        this.#write(ticks);
      }
      this.#packets.push({ packet: owned(this.#encoded), ticks });
      this.#encoded.unref();
    }
  }

  /** Gets everything out of the encoder, and with it the segment in hand. */
  #emptyEncoder(nextTicks: number): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    encoder.end();
    this.#pullEncoder(encoder);
    encoder[Symbol.dispose]();
    this.#encoder = null;
    this.#isFirst = false;
    this.#write(nextTicks);
  }

  /** After the track's last picture: the segment in hand, then those to come, one by one, while other tracks go on. */
  #finishNext(): void {
    if (this.#encoder) {
      // To the end of its segment, also of the last one: where the sound goes on, a player must find a picture there.
      const endUs = this.#plan.startUs(Math.min(this.#sent + 1, this.#plan.count));
      this.#emptyEncoder(Math.max(toTicks(endUs), this.#sentTicks + toTicks(this.#frameUs)));
      return;
    }
    const us = this.#plan.startUs(this.#next);
    if (this.#plan.endUs - us > END_SLACK_US && !this.#input.othersReach(us)) {
      throw new MediaError('truncated', 'the file ends before its plan');
    }
    if (this.#shown.width === 0) throw new MediaError('unsupported', 'no picture could be decoded');
    this.#encode(this.#shown, toTicks(us), this.#next);
  }

  #openEncoder(first: Frame): VideoEncoder {
    const encoder = new VideoEncoder(this.#output, this.#picture!.size, this.#rate, first);
    if (this.#writer) return encoder;
    encoder.describe(this.#codecpar);
    this.#writer = new SegmentWriter(this.#spec.outputDir, {
      codecpar: this.#codecpar,
      timeBase: { num: 1, den: VIDEO_TICKS_PER_SECOND },
      tag: 'avc1',
      pixelAspect: { num: 1, den: 1 },
      delayTicks: this.#delayTicks,
      describedByPacket: false,
    });
    return encoder;
  }

  get #delayTicks(): number {
    return toTicks(REORDER_DEPTH * this.#frameUs);
  }

  #write(nextTicks: number): void {
    const packets = this.#packets;
    this.#packets = [];
    try {
      stampVideo(packets, this.#delayTicks, toTicks(TIMELINE_OFFSET_US) + this.#delayTicks, nextTicks);
      for (const { packet } of packets) packet.freeSideData();
      const written = this.#writer!.write(
        this.#next,
        packets.map(({ packet }) => packet),
      );
      this.#onSegment(this.#next++, written);
    } finally {
      for (const { packet } of packets) packet.free();
    }
  }

  #drop(): void {
    for (const { packet } of this.#packets) packet.free();
    for (const { frame } of this.#queue) frame.free();
    this.#packets = [];
    this.#queue = [];
    this.#starts = [];
    this.#encoder?.[Symbol.dispose]();
    this.#encoder = null;
    // One that remembers pictures must not show them in another place; and none takes frames behind its end.
    if (this.#output.deinterlace || this.#hasEnded) {
      this.#filter?.[Symbol.dispose]();
      this.#filter = null;
      this.#filterInput = '';
    }
    this.#before.unref();
    this.#shown.unref();
  }
}

interface Picture {
  readonly frame: Frame;
  readonly ticks: number;
}

function toTicks(us: number): number {
  return Math.round((us * VIDEO_TICKS_PER_SECOND) / 1e6);
}

function toUs(ticks: number): number {
  return (ticks * 1e6) / VIDEO_TICKS_PER_SECOND;
}

function isFrameRate({ num, den }: FrameRate): boolean {
  return num > 0 && den > 0;
}

function cloned(frame: Frame): Frame {
  const clone = frame.clone();
  if (!clone) throw new MediaError('internal', 'out of memory for pictures');
  return clone;
}

function allocated<Native extends { alloc(): void }>(native: Native): Native {
  native.alloc();
  return native;
}
