/** What every still picture of a movie is made with: a keyframe found by seeking, decoded, upright, with square pixels, in SDR, as WebP. */
import {
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_TRC_UNSPECIFIED,
  AVDISCARD_ALL,
  AVSEEK_FLAG_BACKWARD,
  AV_CODEC_ID_H264,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
  AV_PIX_FMT_YUV420P,
  FF_ENCODER_LIBWEBP,
} from 'node-av/constants';
import { Codec, CodecContext, Packet, Rational } from 'node-av/lib';
import type { Frame, Stream } from 'node-av/lib';
import type { VideoTrack } from '#protocol/schema/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { FilterChain } from './filter-chain.ts';
import { openInput } from './input.ts';
import type { OpenedInput } from './input.ts';
import { QUICK_TONE_MAP } from './tone-map.ts';

const MAX_SEARCH_PACKETS = 3000;
/** Above 8K, decoding one picture takes more memory than a host may have. */
const MAX_SOURCE_PIXELS = 8192 * 5120;
/** FFmpeg's fast WebP effort: the pictures are small and made once. */
const WEBP_EFFORT = '3';

export interface ShownSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** What is done to a picture before it is shown. */
export type ShownTrack = Pick<VideoTrack, 'rotation' | 'isInterlaced' | 'hdr'>;

/** The picture track of a file, ready to be sought in: its keyframes are marked, and nothing else is read. */
export class KeyframeReader implements Disposable {
  readonly stream: Stream;
  /** Whether the container says where its keyframes are: elsewhere a seek only comes near. */
  readonly isIndexed: boolean;
  readonly #input: OpenedInput;
  readonly #decoder: CodecContext;
  readonly #packet = allocated(new Packet());

  /** Throws `MediaError`: `unsupported` where the track or its decoder is missing, `tooComplex` above 8K. */
  constructor(path: string, track: Pick<VideoTrack, 'index' | 'width' | 'height'>) {
    if (track.width * track.height > MAX_SOURCE_PIXELS) throw new MediaError('tooComplex', 'picture larger than 8K');
    this.#input = openInput(path);
    try {
      // Matroska and MP4 mark keyframes themselves; in all others FFmpeg must parse the pictures to find them.
      const { demuxer } = this.#input;
      this.isIndexed = demuxer === 'matroska,webm' || demuxer.startsWith('mov');
      if (!this.isIndexed) this.#input.analyze();
      const stream = this.#input.streams[track.index];
      if (stream === undefined) throw new MediaError('unsupported', 'the video track is gone');
      for (const other of this.#input.streams) if (other.index !== track.index) other.discard = AVDISCARD_ALL;
      this.stream = stream;
      this.#decoder = openDecoder(stream);
    } catch (thrown) {
      this.#packet.free();
      this.#input[Symbol.dispose]();
      throw thrown;
    }
  }

  /** Goes to the keyframe at or before a time of the file. A seek that fails (no index, damage) leaves the reader where it is, which may still show something. */
  seek(atUs: number): void {
    const { den, num } = this.stream.timeBase;
    const ticks = BigInt(Math.floor((atUs / 1e6) * (den / num)));
    this.#input.context.seekFrameSync(this.stream.index, ticks, AVSEEK_FLAG_BACKWARD);
  }

  /**
   * Decodes the next keyframe into `frame`. False where none comes or it can't be decoded. `isKnown` is asked with its time
   * (ticks) before anything is decoded: true ends the search with `known`.
   */
  decodeNext(
    frame: Frame,
    endsAt: number,
    isKnown: (ticks: bigint) => boolean = () => false,
  ): 'decoded' | 'known' | 'none' {
    const decoder = this.#decoder;
    const packet = this.#packet;
    decoder.flushBuffers();
    let sent = 0;
    for (let n = 0; n < MAX_SEARCH_PACKETS && performance.now() < endsAt; n += 1) {
      packet.unref();
      if (this.#input.context.readFrameSync(packet) < 0) break;
      if (packet.streamIndex !== this.stream.index || (sent === 0 && !packet.isKeyframe)) continue;
      if (sent === 0 && isKnown(packet.pts)) return 'known';
      if (decoder.sendPacketSync(packet) < 0) continue;
      sent += 1;
      frame.unref();
      if (decoder.receiveFrameSync(frame) >= 0) return 'decoded';
      // The decoder waits for pictures to reorder; the one that we want is in. H.264 may code it as two fields.
      if (sent >= (this.stream.codecpar.codecId === AV_CODEC_ID_H264 ? 2 : 1)) break;
    }
    if (sent === 0) return 'none';
    decoder.sendPacketSync(null);
    frame.unref();
    return decoder.receiveFrameSync(frame) >= 0 ? 'decoded' : 'none';
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#decoder.freeContext();
    this.#input[Symbol.dispose]();
  }
}

function openDecoder(stream: Stream): CodecContext {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null) throw new MediaError('unsupported', 'no decoder');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  context.pktTimebase = stream.timeBase;
  if (context.parametersToContext(stream.codecpar) < 0 || context.open2Sync(codec, null) < 0) {
    context.freeContext();
    throw new MediaError('unsupported', 'decoder does not open');
  }
  return context;
}

const TURNS: Readonly<Record<number, string>> = { 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' };

/** Makes pictures of one size out of decoded ones: SDR, limited-range BT.601 as WebP wants it. Keeps its filters from one to the next. */
export class SdrRenderer implements Disposable {
  readonly #stream: Stream;
  readonly #track: ShownTrack;
  readonly #size: ShownSize;
  #chain: FilterChain | null = null;
  #chainInput = '';

  constructor(stream: Stream, track: ShownTrack, size: ShownSize) {
    this.#stream = stream;
    this.#track = track;
    this.#size = size;
  }

  /** Takes the content of `frame` with it. */
  render(frame: Frame, shown: Frame): void {
    const { num, den } = this.#stream.timeBase;
    const input =
      `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=${num}/${den}:pixel_aspect=1/1` +
      `:colorspace=${frame.colorSpace}:range=${frame.colorRange}`;
    if (this.#chain === null || input !== this.#chainInput) {
      this.#chain?.[Symbol.dispose]();
      this.#chain = new FilterChain('video', input, this.#steps(), 1);
      this.#chainInput = input;
    }
    // Tone mapping goes by what the frame says, and a decoder knows only what its bitstream said.
    const { codecpar } = this.#stream;
    if (frame.colorTrc === AVCOL_TRC_UNSPECIFIED) frame.colorTrc = codecpar.colorTrc;
    if (frame.colorPrimaries === AVCOL_PRI_UNSPECIFIED) frame.colorPrimaries = codecpar.colorPrimaries;
    frame.pts = 0n;
    this.#chain.send(frame);
    // A deinterlacer waits for the next picture, which is another one here.
    if (this.#track.isInterlaced) this.#chain.send(null);
    shown.unref();
    const isOut = this.#chain.receive(shown);
    if (this.#track.isInterlaced) this[Symbol.dispose]();
    if (!isOut) throw new MediaError('unsupported', 'the picture did not come out of its filters');
  }

  [Symbol.dispose](): void {
    this.#chain?.[Symbol.dispose]();
    this.#chain = null;
  }

  #steps(): string {
    const { rotation, isInterlaced, hdr } = this.#track;
    const { widthPx, heightPx } = this.#size;
    const scaled = rotation % 180 !== 0 ? `${heightPx}:${widthPx}` : `${widthPx}:${heightPx}`;
    return [
      ...(isInterlaced ? ['yadif'] : []),
      `scale=${scaled}:flags=area`,
      ...(hdr === null ? [] : [QUICK_TONE_MAP]),
      ...(TURNS[rotation] === undefined ? [] : [TURNS[rotation]]),
      'setsar=1',
      // WebP knows limited-range BT.601 only.
      'scale=out_range=tv:out_color_matrix=bt601',
      'format=yuv420p',
    ].join(',');
  }
}

/** A picture in 4:2:0 as WebP. `quality` is 0 to 100. */
export function encodeWebp(frame: Frame, quality: number): Uint8Array {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBWEBP);
  if (codec === null) throw new MediaError('internal', 'FFmpeg was built without WebP');
  using encoder = new CodecContext();
  encoder.allocContext3(codec);
  encoder.width = frame.width;
  encoder.height = frame.height;
  encoder.pixelFormat = AV_PIX_FMT_YUV420P;
  encoder.timeBase = new Rational(1, 25);
  encoder.setOption('quality', String(quality), AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  encoder.setOption('compression_level', WEBP_EFFORT, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  // Options through a Dictionary would be freed twice at the next garbage collection.
  if (encoder.open2Sync(codec, null) < 0) throw new MediaError('unsupported', 'the picture is too large for WebP');
  using packet = allocated(new Packet());
  encoder.sendFrameSync(frame);
  encoder.sendFrameSync(null);
  if (encoder.receivePacketSync(packet) < 0 || packet.data === null) throw new MediaError('internal', 'WebP failed');
  return Uint8Array.from(packet.data);
}

export function allocated<T extends { alloc(): void }>(owned: T): T {
  owned.alloc();
  return owned;
}
