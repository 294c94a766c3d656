import {
  AVCOL_PRI_SMPTE170M,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  AVCOL_TRC_SMPTE170M,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_NOPTS_VALUE,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PICTURE_TYPE_I,
  AV_PIX_FMT_YUV420P,
  AV_PKT_FLAG_KEY,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { Codec, CodecContext, CodecParameters, Frame, Packet, Rational } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { KEYFRAMES_LEVEL, MAX_KEYFRAME_BITS, TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { KeyframesOutput, RenditionSpec } from '#engine/media/rendition-spec.ts';
import { SegmentWriter } from './fmp4-segment-writer.ts';
import { KeyframeReader, SdrRenderer, allocated } from './keyframe-picture.ts';
import type { OnSegment, SegmentProducer } from './segment-producer.ts';

const TICKS_PER_SECOND = 90_000;
/** Boundaries are keyframe times rounded to a microsecond, or to the millisecond of a container's index. */
const TOLERANCE_US = 1_500;
/** What one picture may take to find and decode: one seek and one picture, on a share that has to wake up. */
const PICTURE_LIMIT_MS = 10_000;
/** Containers without an index are sought by their bytes, and the seek ends near the place, on either side. */
const SEEK_MARGIN_US = 2_000_000;
const MAX_KEYFRAMES_BEFORE = 50;
/** Tried where the right one cannot be decoded. */
const MAX_KEYFRAMES_BEHIND = 5;

/**
 * One small picture for each boundary of its plan, each a segment of its own: what an I-frame playlist lists. Only the keyframe at
 * the boundary is read and decoded; nothing in between. Every picture has an encoder of its own, so that its bytes do not depend on
 * which were made before it.
 */
export class KeyframePictures implements SegmentProducer {
  readonly #spec: RenditionSpec;
  readonly #output: KeyframesOutput;
  readonly #onSegment: OnSegment;
  readonly #reader: KeyframeReader;
  readonly #renderer: SdrRenderer;
  readonly #writer: SegmentWriter;
  readonly #codecpar = new CodecParameters();
  readonly #frame = allocated(new Frame());
  readonly #shown = allocated(new Frame());
  #next = 0;

  constructor(spec: RenditionSpec, output: KeyframesOutput, onSegment: OnSegment) {
    this.#spec = spec;
    this.#output = output;
    this.#onSegment = onSegment;
    const { width, height, rotation, isInterlaced, hdr } = output.source;
    this.#reader = new KeyframeReader(spec.path, { index: spec.trackIndex, width, height });
    this.#renderer = new SdrRenderer(this.#reader.stream, { rotation, isInterlaced, hdr }, output);
    this.#codecpar.alloc();
    using encoder = openEncoder(output);
    this.#codecpar.fromContext(encoder);
    this.#writer = new SegmentWriter(spec.outputDir, {
      codecpar: this.#codecpar,
      timeBase: { num: 1, den: TICKS_PER_SECOND },
      tag: 'avc1',
      pixelAspect: { num: 1, den: 1 },
      delayTicks: 0,
      describedByPacket: false,
    });
  }

  get next(): number {
    return this.#next;
  }

  start(index: number): void {
    this.#next = index;
  }

  step(): boolean {
    const { boundariesUs } = this.#spec;
    const startUs = boundariesUs[this.#next];
    const endUs = boundariesUs[this.#next + 1];
    if (startUs === undefined || endUs === undefined) return false;
    this.#decode(startUs);
    this.#renderer.render(this.#frame, this.#shown);
    using packet = this.#encode();
    packet.pts = toTicks(startUs + TIMELINE_OFFSET_US);
    packet.dts = packet.pts;
    packet.duration = toTicks(endUs + TIMELINE_OFFSET_US) - packet.pts;
    packet.flags = AV_PKT_FLAG_KEY;
    this.#onSegment(this.#next, this.#writer.write(this.#next, [packet]));
    this.#next += 1;
    return this.#next < boundariesUs.length - 1;
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#shown.free();
    this.#codecpar.free();
    this.#renderer[Symbol.dispose]();
    this.#reader[Symbol.dispose]();
  }

  #decode(boundaryUs: number): void {
    const atUs = boundaryUs + this.#spec.startUs + TOLERANCE_US;
    const { num, den } = this.#reader.stream.timeBase;
    const isBefore = (ticks: bigint): boolean =>
      ticks !== AV_NOPTS_VALUE && (Number(ticks) * num * 1e6) / den < atUs - 2 * TOLERANCE_US;
    const endsAt = performance.now() + PICTURE_LIMIT_MS;
    this.#reader.seek(this.#reader.isIndexed ? atUs : atUs - SEEK_MARGIN_US);
    for (let tries = 0; tries < MAX_KEYFRAMES_BEFORE; tries += 1) {
      // The beginning of a movie may lie before its first keyframe.
      const outcome = this.#reader.decodeNext(this.#frame, endsAt, boundaryUs === 0 ? undefined : isBefore);
      if (outcome === 'decoded') return;
      if (outcome === 'none') break;
    }
    // Damaged, hidden by an edit list, or not where the index says: one near it stands for it.
    this.#reader.seek(atUs);
    for (let tries = 0; tries < MAX_KEYFRAMES_BEHIND; tries += 1) {
      if (this.#reader.decodeNext(this.#frame, endsAt) === 'decoded') return;
    }
    throw new MediaError('truncated', 'no keyframe can be decoded there');
  }

  #encode(): Packet {
    using encoder = openEncoder(this.#output);
    const shown = this.#shown;
    shown.pts = 0n;
    shown.pictType = AV_PICTURE_TYPE_I;
    const packet = allocated(new Packet());
    if (encoder.sendFrameSync(shown) < 0 || encoder.sendFrameSync(null) < 0 || encoder.receivePacketSync(packet) < 0) {
      packet.free();
      throw new MediaError('internal', 'the encoder gave no picture');
    }
    return packet;
  }
}

/** Opening one costs a millisecond or two for so small a picture. */
function openEncoder({ widthPx, heightPx }: KeyframesOutput): CodecContext {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
  if (!codec) throw new MediaError('internal', 'no H.264 encoder');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = widthPx;
  context.height = heightPx;
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  context.timeBase = new Rational(1, 1);
  context.framerate = new Rational(1, 1);
  context.sampleAspectRatio = new Rational(1, 1);
  // What `SdrRenderer` makes.
  context.colorRange = AVCOL_RANGE_MPEG;
  context.colorPrimaries = AVCOL_PRI_SMPTE170M;
  context.colorTrc = AVCOL_TRC_SMPTE170M;
  context.colorSpace = AVCOL_SPC_SMPTE170M;
  // One would say in the header that there are no other pictures, which makes it another profile.
  context.gopSize = 2;
  context.maxBFrames = 0;
  context.level = KEYFRAMES_LEVEL;
  context.rcMaxRate = BigInt(MAX_KEYFRAME_BITS);
  context.rcBufferSize = MAX_KEYFRAME_BITS;
  context.threadCount = 1;
  context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  const options = {
    preset: 'veryfast',
    profile: 'high',
    tune: 'stillimage',
    crf: '27',
    'x264-params': 'rc-lookahead=0',
  };
  for (const [name, value] of Object.entries(options)) {
    context.setOption(name, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  }
  if (context.open2Sync(codec, null) < 0) {
    context.freeContext();
    throw new MediaError('internal', 'the H.264 encoder does not open');
  }
  return context;
}

const toTicks = (us: number): bigint => BigInt(Math.round((us * TICKS_PER_SECOND) / 1e6));
