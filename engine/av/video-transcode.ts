import { availableParallelism } from 'node:os';
import { CodecParameters, Frame, Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { pictureSize } from '#engine/media/picture-size.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { RenditionSpec, VideoCodec, VideoOutput } from '#engine/media/rendition-spec.ts';
import { END_SLACK_US } from './audio-copy.ts';
import { BurnedScript } from './burned-script.ts';
import { BurnedSubtitles } from './burned-subtitles.ts';
import type { BurnedIn } from './burned-subtitles.ts';
import type { ChipRung, PictureEncoder, PictureFilter } from './chip.ts';
import { FilterChain } from './filter-chain.ts';
import { fromTheBeginning, stampVideo } from './fmp4-decode-times.ts';
import type { TimedPacket } from './fmp4-decode-times.ts';
import { SegmentWriter } from './fmp4-segment-writer.ts';
import { DecodeSharing, MAX_TOLERANCE_US } from './picture-source.ts';
import type { PictureSink, PictureSource } from './picture-source.ts';
import { owned } from './rendition-input.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';
import { rotationOf } from './stream-rotation.ts';
import { VIDEO_TICKS_PER_SECOND, VideoEncoder } from './video-encoder.ts';
import type { FrameRate } from './video-encoder.ts';
import { nameColors, pictureChain, pictureInput } from './video-picture.ts';
import type { PicturePlan } from './video-picture.ts';

/** A segment whose first picture comes later than this behind its boundary begins with the picture shown until then. */
const MAX_LATE_US = 250_000;
/** A deinterlacer looks at the pictures before; these are enough, and are given to it before the first that is kept. */
const DEINTERLACE_RUN_IN_US = 200_000;
/**
 * Scaling is a third of what the one thread does that hands pictures on, while decoder and encoder wait for it: in two slices a picture is
 * made 3 % sooner on two cores, for the same processor time (nine runs of each in turns, medians 3.72 and 3.61 s). More bring nothing there.
 */
const FILTER_THREADS = Math.min(4, availableParallelism(), Math.max(2, availableParallelism() >> 2));
/** Decoding ahead of presentation: B-pictures that other B-pictures refer to. */
const REORDER_DEPTH = 2;

/**
 * Encodes the pictures of a video track as H.264, with a closed GOP from each boundary on. Frames keep their own times, none is
 * added or left out, but for one: where a boundary falls into a picture that is shown for long, the picture is repeated at it.
 *
 * The first segment after a start has an encoder of its own, which is emptied as soon as the segment's last picture is in:
 * else the segment would wait for the dozen pictures of the next one that the encoder looks ahead to. From then on, one
 * encoder serves all.
 *
 * Where another rung of the same track is at work at the same place in this process, both get their pictures from one decoder:
 * whichever is asked to step works for all of them, the one with most pictures waiting first.
 */
export class VideoTranscode implements SegmentProducer, PictureSink {
  readonly #spec: RenditionSpec;
  readonly #output: VideoOutput;
  readonly #onSegment: OnSegment;
  readonly #sharing: DecodeSharing;
  readonly #encoded = allocated(new Packet());
  /** The picture in hand, as decoded: ours to change. */
  readonly #taken = allocated(new Frame());
  /** The last picture before the wanted ones, as decoded; empty when there is none. */
  readonly #before = allocated(new Frame());
  readonly #filtered = allocated(new Frame());
  /** The last picture before the one in hand, filtered, for repeating; empty when there is none. */
  readonly #shown = allocated(new Frame());
  readonly #codecpar = allocated(new CodecParameters());
  /** `null`: at rest while others went on with it. */
  #source: PictureSource | null = null;
  /** What hardware does for us, of the source that we are at. */
  #chip: ChipRung | null = null;
  #picture: PicturePlan | null = null;
  #writer: SegmentWriter | null = null;
  /** What goes before each segment's first picture; see `inBandHeader`. */
  #header: Buffer | null = null;
  #filter: PictureFilter | null = null;
  #filterInput = '';
  #encoder: PictureEncoder | null = null;
  /** Filtered pictures that wait for the encoder. */
  #queue: Picture[] = [];
  #next = 0;
  /** The last segment that is asked for; -1 at rest. */
  #until = -1;
  #wantedFromUs = 0;
  /** Where the wanted pictures begin, in microseconds of movie time. */
  #cutUs = 0;
  /** Segment and time of the frame that the encoder got last. */
  #sent = -1;
  #sentTicks = Number.NEGATIVE_INFINITY;
  /** First pictures of segments that are in the encoder and have not come out. */
  #starts: number[] = [];
  /** Encoded packets of segment `next`. */
  #packets: TimedPacket[] = [];
  #isFirst = true;
  #hasEnded = false;
  /** What went wrong while another rung worked for us. */
  #failure: Error | undefined;
  readonly #burned: BurnedIn | null;

  constructor(
    spec: RenditionSpec,
    output: VideoOutput,
    onSegment: OnSegment,
    sharing: DecodeSharing = new DecodeSharing(),
  ) {
    this.#spec = spec;
    this.#output = output;
    this.#onSegment = onSegment;
    this.#sharing = sharing;
    this.#burned = burnedInto(spec, output);
  }

  get next(): number {
    return this.#next;
  }

  get wantedFromUs(): number {
    return this.#wantedFromUs;
  }

  get isWorking(): boolean {
    return this.#next <= this.#until;
  }

  get waitingCount(): number {
    return this.#queue.length;
  }

  get isHeldUp(): boolean {
    const source = this.#source;
    if (this.#burned === null || source === null || this.#failure !== undefined) return false;
    const head = this.#queue[0];
    if (head) return !this.#isDrawable(toUs(head.ticks));
    return this.#hasEnded && this.#next < source.plan.count && !this.#isDrawable(source.plan.startUs(this.#next));
  }

  /** Pictures are not decoded ahead of one that is held up: memory is finite. */
  get mustWait(): boolean {
    const sinks = [...(this.#source?.sinks ?? [])].filter(({ isWorking }) => isWorking);
    return sinks.some(({ isHeldUp }) => isHeldUp) && !mostWaiting(sinks);
  }

  start(index: number): void {
    this.#drop();
    this.#next = index;
    this.#sent = index - 1;
    this.#sentTicks = Number.NEGATIVE_INFINITY;
    this.#isFirst = true;
    this.#hasEnded = false;
    this.#failure = undefined;
    const runInUs = this.#output.deinterlace ? 2 * DEINTERLACE_RUN_IN_US : 0;
    this.#wantedFromUs =
      index === 0 ? Number.NEGATIVE_INFINITY : this.#spec.boundariesUs[index]! - MAX_TOLERANCE_US - runInUs;
    const present = this.#source;
    this.#source = this.#sharing.attach(this, this.#spec, present, index);
    if (this.#source !== present) this.#meetChip(this.#source);
    this.#cutUs = this.#source.plan.cutUs(index);
  }

  #meetChip({ chip }: PictureSource): void {
    if (this.#chip) this.#dropFilter(); // it works with pictures of another device
    this.#chip = chip?.rung(this.#output) ?? null;
  }

  aim(until: number): void {
    this.#until = until;
  }

  rest(): void {
    this.#until = -1;
    const source = this.#source;
    if (!source || source.sinks.size < 2) return; // alone: what is decoded and begun is there to go on with
    this.#drop();
    this.#source = null;
    this.#sharing.detach(this, source);
  }

  step(): boolean {
    if (this.#source === null) this.start(this.#next);
    if (this.#failure !== undefined) throw this.#failure;
    const source = this.#from;
    const busiest = mostWaiting(source.sinks);
    if (busiest === this) this.encodeNext();
    else if (busiest) busiest.encodeNext();
    else if (this.#hasEnded) this.#finishNext();
    else source.advance();
    return this.#next < source.plan.count;
  }

  [Symbol.dispose](): void {
    this.#drop();
    this.#filter?.[Symbol.dispose]();
    if (this.#source) this.#sharing.detach(this, this.#source);
    this.#source = null;
    for (const native of [this.#encoded, this.#taken, this.#before, this.#filtered, this.#shown]) native.free();
    this.#codecpar.free();
    this.#burned?.[Symbol.dispose]();
  }

  get #from(): PictureSource {
    if (!this.#source) throw new MediaError('internal', 'a rung at rest was asked to work');
    return this.#source;
  }

  take(frame: Frame, us: number): void {
    this.#guarded(() => {
      if (us < this.#cutUs - (this.#output.deinterlace ? DEINTERLACE_RUN_IN_US : 0)) {
        this.#before.unref();
        this.#before.ref(frame);
        return;
      }
      // What is shown when the first wanted picture comes late.
      if (us - this.#cutUs > MAX_LATE_US) this.#filterBefore();
      this.#taken.ref(frame);
      this.#sendToFilter(this.#taken);
      this.#taken.unref();
      this.#before.unref();
    });
  }

  takeEnd(): void {
    this.#hasEnded = true;
    this.#guarded(() => {
      this.#filterBefore();
      this.#filter?.send(null);
      this.#pullFilter();
    });
  }

  /** Others' work must not fail for what is wrong with ours: it is told when we are asked. */
  #guarded(work: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      work();
    } catch (thrown) {
      this.#failure = thrown instanceof Error ? thrown : new MediaError('internal', String(thrown));
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
      const chain = pictureChain(frame, this.#picture);
      const { size } = this.#picture;
      this.#filter =
        this.#chip?.openFilter({
          first: frame,
          softwareInput: input,
          softwareChain: chain,
          size,
          threads: FILTER_THREADS,
        }) ?? new FilterChain('video', input, chain, FILTER_THREADS);
      this.#filterInput = input;
    }
    this.#filter?.send(frame);
    this.#pullFilter();
  }

  #planPicture(frame: Frame): PicturePlan {
    const { stream } = this.#from.input;
    const { width, height, sampleAspectRatio } = stream.codecpar;
    const rotation = rotationOf(stream);
    const pixelAspect = [stream.sampleAspectRatio, sampleAspectRatio, frame.sampleAspectRatio].find(isFrameRate);
    const coded = { width, height, rotation, pixelAspect: pixelAspect ?? { num: 1, den: 1 } };
    const folder = this.#spec.outputDir;
    const stored = rotation % 180 === 0 ? { widthPx: width, heightPx: height } : { widthPx: height, heightPx: width };
    return { size: pictureSize(coded, this.#output.heightPx), stored, rotation, output: this.#output, folder };
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

  encodeNext(): void {
    this.#guarded(() => this.#encodeHead());
  }

  #isDrawable(us: number): boolean {
    let isRead = false;
    this.#guarded(() => (isRead = this.#burned?.isRead(us) ?? true));
    return isRead || this.#failure !== undefined;
  }

  /** Encodes the picture at the head of the queue, or one that has to be shown before it. */
  #encodeHead(): void {
    const { plan } = this.#from;
    const { frame, ticks } = this.#queue[0]!;
    const segment = plan.segmentAt(toUs(ticks));
    if (segment > this.#sent) {
      const begun = this.#sent + 1;
      const boundaryUs = plan.startUs(begun);
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
    const drawn = this.#burned?.drawn(frame, toUs(ticks), this.#picture!.stored) ?? frame;
    try {
      this.#encoder.send(drawn, ticks, isIdr);
    } finally {
      if (drawn !== frame) drawn.free();
    }
    this.#pullEncoder(this.#encoder);
  }

  #pullEncoder(encoder: PictureEncoder): void {
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
    const { plan, frameUs, input } = this.#from;
    if (this.#encoder) {
      // To the end of its segment, also of the last one: where the sound goes on, a player must find a picture there.
      const endUs = plan.startUs(Math.min(this.#sent + 1, plan.count));
      this.#emptyEncoder(Math.max(toTicks(endUs), this.#sentTicks + toTicks(frameUs)));
      return;
    }
    const us = plan.startUs(this.#next);
    if (plan.endUs - us > END_SLACK_US && !input.othersReach(us)) {
      throw new MediaError('truncated', 'the file ends before its plan');
    }
    if (this.#shown.width === 0) throw new MediaError('unsupported', 'no picture could be decoded');
    this.#encode(this.#shown, toTicks(us), this.#next);
  }

  #openEncoder(first: Frame): PictureEncoder {
    const { rate } = this.#from;
    const { size } = this.#picture!;
    const chip = this.#chip?.encodes === true ? this.#chip : null;
    const isSubstitute = chip === null && this.#output.encoder !== 'software';
    const encoder =
      chip?.openEncoder(size, rate, first) ?? new VideoEncoder(this.#output, size, rate, first, isSubstitute);
    if (this.#writer) return encoder;
    encoder.describe(this.#codecpar);
    this.#header = inBandHeader(this.#codecpar, this.#output);
    // Should the chip fail later, the segments from then on are described by the same init segment.
    if (chip) describeSubstitute(this.#codecpar, this.#output, size, rate, first);
    this.#writer = new SegmentWriter(this.#spec.outputDir, {
      codecpar: this.#codecpar,
      timeBase: { num: 1, den: VIDEO_TICKS_PER_SECOND },
      tag: TAGS[this.#output.method],
      pixelAspect: { num: 1, den: 1 },
      delayTicks: this.#delayTicks,
      describedByPacket: false,
      keepsInit: isSubstitute,
    });
    return encoder;
  }

  get #delayTicks(): number {
    return toTicks(REORDER_DEPTH * this.#from.frameUs);
  }

  #write(nextTicks: number): void {
    const packets = this.#packets;
    this.#packets = [];
    try {
      const [first] = packets;
      if (this.#header && first) {
        first.packet.data = Buffer.concat([this.#header, first.packet.data ?? Buffer.alloc(0)]);
      }
      const timed = this.#next === 0 ? fromTheBeginning(packets, 0) : packets;
      stampVideo(timed, this.#delayTicks, toTicks(TIMELINE_OFFSET_US) + this.#delayTicks, nextTicks);
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
    if (this.#output.deinterlace || this.#hasEnded) this.#dropFilter();
    this.#before.unref();
    this.#shown.unref();
  }

  #dropFilter(): void {
    this.#filter?.[Symbol.dispose]();
    this.#filter = null;
    this.#filterInput = '';
  }
}

function burnedInto({ burnInPath, fontsPath, outputDir }: RenditionSpec, output: VideoOutput): BurnedIn | null {
  if (output.burnIn === undefined || burnInPath === undefined) return null;
  const { burnInOffsetMs: offsetMs = 0 } = output;
  if (fontsPath === undefined) return new BurnedSubtitles(burnInPath, offsetMs);
  return new BurnedScript({ path: burnInPath, offsetMs, folder: outputDir, fontsPath });
}

/**
 * HEVC's headers cannot stand beside each other in an init segment as H.264's do: where hardware and processor may follow on each other, each
 * segment brings its own. AV1's do so by themselves.
 */
function inBandHeader({ extradata }: CodecParameters, { method, encoder }: VideoOutput): Buffer | null {
  const isList = extradata !== null && extradata[0] !== 1;
  return method === 'hevc' && encoder !== 'software' && isList ? Buffer.from(extradata) : null;
}

/** Adds to an H.264 header what x264 would write in the encoder's place, so that either may follow on the other. */
function describeSubstitute(
  codecpar: CodecParameters,
  output: VideoOutput,
  size: PictureSize,
  rate: FrameRate,
  first: Frame,
): void {
  const own = codecpar.extradata;
  // Length-prefixed headers begin with 1 and are no list that could be added to.
  if (output.method !== 'h264' || own === null || own[0] === 1) return;
  using substitute = new VideoEncoder(output, size, rate, first, true);
  const described = allocated(new CodecParameters());
  try {
    substitute.describe(described);
    if (described.extradata) codecpar.extradata = Buffer.concat([own, described.extradata]);
  } finally {
    described.free();
  }
}

const TAGS = { h264: 'avc1', hevc: 'hvc1', av1: 'av01' } as const satisfies Record<VideoCodec, string>;

interface Picture {
  readonly frame: Frame;
  readonly ticks: number;
}

/** The rung whose encoder has most to do, of those that have something to make; `undefined` where all wait for pictures. */
function mostWaiting(sinks: Iterable<PictureSink>): PictureSink | undefined {
  let found: PictureSink | undefined;
  for (const sink of sinks) {
    if (sink.isWorking && sink.waitingCount > (found?.waitingCount ?? 0) && !sink.isHeldUp) found = sink;
  }
  return found;
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
