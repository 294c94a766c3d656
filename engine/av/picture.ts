/** One picture that stands for a movie until it has artwork: a keyframe that is neither black nor flat, as WebP. */
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
import { Codec, CodecContext, Frame, Packet, Rational } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import type { VideoTrack } from '#protocol/schema/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { FilterChain } from './filter-chain.ts';
import { openInput } from './input.ts';
import type { OpenedInput } from './input.ts';
import { probe } from './probe.ts';

/** Further places to look, as steps from the wanted one in parts of the movie. */
const DETOURS = [0, 0.04, 0.1, -0.06, 0.2, 0.45];
/** Luma of limited range: 16 is black. Below this mean a picture reads as black on a wall of posters. */
const MIN_MEAN_LUMA = 32;
/** Standard deviation of luma below which a picture is a plain colour, a fade or a title card's background. */
const MIN_LUMA_DEVIATION = 14;
const MIN_WIDTH_PX = 16;
const MAX_WIDTH_PX = 3840;
const MAX_SEARCH_PACKETS = 3000;
/** Above 8K, decoding one picture takes more memory than a host may have. */
const MAX_SOURCE_PIXELS = 8192 * 5120;
const WEBP_QUALITY = '82';
/** FFmpeg's fast WebP effort: the picture is small and made once. */
const WEBP_EFFORT = '3';

export interface PictureOptions {
  readonly widthPx: number;
  readonly atFraction: number;
  readonly timeLimitMs: number;
}

export interface Picture {
  readonly bytes: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Throws `MediaError`: `unsupported` without video or decoder, `timeout`, `truncated` when nothing can be decoded. */
export function takePicture(path: string, options: PictureOptions): Picture {
  const endsAt = performance.now() + options.timeLimitMs;
  const { media } = probe(path);
  const [track] = media.video;
  if (track === undefined) throw new MediaError('unsupported', 'no video track');
  if (track.width * track.height > MAX_SOURCE_PIXELS) throw new MediaError('tooComplex', 'picture larger than 8K');
  const size = shownSize(track, Math.min(MAX_WIDTH_PX, Math.max(MIN_WIDTH_PX, Math.round(options.widthPx))));

  const wanted = { path, track, size, endsAt };
  const places = DETOURS.map((detour) => options.atFraction + detour).filter((at) => at >= 0 && at < 1);
  const durationMs = media.durationMs ?? 0;
  const best =
    searchPicture(wanted, durationMs === 0 ? [] : places.map((at) => (media.startMs + durationMs * at) * 1000)) ??
    // Without an index a seek can land behind the last keyframe: then the first picture has to do.
    searchPicture(wanted, [null]);
  if (best !== null) return best;
  throw performance.now() > endsAt
    ? new MediaError('timeout', 'no picture in time')
    : new MediaError('truncated', 'no picture could be decoded');
}

interface Search {
  readonly path: string;
  readonly track: VideoTrack;
  readonly size: ShownSize;
  readonly endsAt: number;
}

/** The first good picture at one of the places (file times, `null`: where the file begins), else the least flat one. */
function searchPicture({ path, track, size, endsAt }: Search, placesUs: readonly (number | null)[]): Picture | null {
  using input = openInput(path);
  // Matroska and MP4 mark keyframes themselves; in all others FFmpeg must parse the pictures to find them.
  if (input.demuxer !== 'matroska,webm' && !input.demuxer.startsWith('mov')) input.analyze();
  const stream = input.streams[track.index];
  if (stream === undefined) throw new MediaError('unsupported', 'the video track is gone');
  for (const other of input.streams) if (other.index !== track.index) other.discard = AVDISCARD_ALL;
  using decoder = openDecoder(stream);
  using frame = allocated(new Frame());
  using best = allocated(new Frame());
  let bestDeviation = -1;
  for (const atUs of placesUs) {
    if (performance.now() > endsAt) break;
    if (!decodeKeyframe(input, stream, decoder, { atUs, endsAt, frame })) continue;
    using shown = allocated(new Frame());
    renderSdr(frame, shown, { stream, track, size });
    const luma = lumaStatistics(shown);
    const isGood = luma.mean >= MIN_MEAN_LUMA && luma.deviation >= MIN_LUMA_DEVIATION;
    if (isGood || luma.deviation > bestDeviation) {
      bestDeviation = luma.deviation;
      best.unref();
      best.ref(shown);
    }
    if (isGood) break;
  }
  return bestDeviation < 0 ? null : { bytes: encodeWebp(best), widthPx: best.width, heightPx: best.height };
}

interface ShownSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Upright and with square pixels, at most `widthPx` wide, never larger than the source. */
function shownSize(track: VideoTrack, widthPx: number): ShownSize {
  const stretchedPx = (track.width * track.pixelAspect.num) / track.pixelAspect.den;
  const isTurned = track.rotation % 180 !== 0;
  const fullWidthPx = isTurned ? track.height : stretchedPx;
  const fullHeightPx = isTurned ? stretchedPx : track.height;
  const scale = Math.min(1, widthPx / fullWidthPx);
  const heightPx = Math.min(MAX_WIDTH_PX, Math.max(MIN_WIDTH_PX, Math.round(fullHeightPx * scale)));
  return { widthPx: Math.max(MIN_WIDTH_PX, Math.round(fullWidthPx * scale)), heightPx };
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

interface DecodeRequest {
  /** On the file's timeline; `null`: from where the reader stands. */
  readonly atUs: number | null;
  readonly endsAt: number;
  readonly frame: Frame;
}

/** The first picture that decodes from the keyframe before `atUs` on. */
function decodeKeyframe(input: OpenedInput, stream: Stream, decoder: CodecContext, request: DecodeRequest): boolean {
  if (request.atUs !== null) {
    const ticks = BigInt(Math.floor((request.atUs / 1e6) * (stream.timeBase.den / stream.timeBase.num)));
    // A seek that fails (no index, damage) leaves the reader where it is, which may still show something.
    input.context.seekFrameSync(stream.index, ticks, AVSEEK_FLAG_BACKWARD);
  }
  decoder.flushBuffers();
  using packet = allocated(new Packet());
  let sent = 0;
  for (let n = 0; n < MAX_SEARCH_PACKETS && performance.now() < request.endsAt; n += 1) {
    packet.unref();
    if (input.context.readFrameSync(packet) < 0) break;
    if (packet.streamIndex !== stream.index || (sent === 0 && !packet.isKeyframe)) continue;
    if (decoder.sendPacketSync(packet) < 0) continue;
    sent += 1;
    request.frame.unref();
    if (decoder.receiveFrameSync(request.frame) >= 0) return true;
    // The decoder waits for pictures to reorder; the one that we want is in. H.264 may code it as two fields.
    if (sent >= (stream.codecpar.codecId === AV_CODEC_ID_H264 ? 2 : 1)) break;
  }
  if (sent === 0) return false;
  decoder.sendPacketSync(null);
  request.frame.unref();
  return decoder.receiveFrameSync(request.frame) >= 0;
}

interface RenderRequest {
  readonly stream: Stream;
  readonly track: VideoTrack;
  readonly size: ShownSize;
}

const TURNS: Readonly<Record<number, string>> = { 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' };

function renderSdr(frame: Frame, shown: Frame, { stream, track, size }: RenderRequest): void {
  const isTurned = track.rotation % 180 !== 0;
  const scaled = isTurned ? `${size.heightPx}:${size.widthPx}` : `${size.widthPx}:${size.heightPx}`;
  const steps = [
    ...(track.isInterlaced ? ['yadif'] : []),
    `scale=${scaled}:flags=area`,
    ...(track.hdr === null ? [] : ['tonemapx=tonemap=bt2390:desat=0:peak=100:t=bt709:m=bt709:p=bt709:format=yuv420p']),
    ...(TURNS[track.rotation] === undefined ? [] : [TURNS[track.rotation]]),
    'setsar=1',
    // WebP knows limited-range BT.601 only.
    'scale=out_range=tv:out_color_matrix=bt601',
    'format=yuv420p',
  ];
  const { num, den } = stream.timeBase;
  const source =
    `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=${num}/${den}:pixel_aspect=1/1` +
    `:colorspace=${frame.colorSpace}:range=${frame.colorRange}`;
  using chain = new FilterChain('video', source, steps.join(','), 1);
  // Tone mapping goes by what the frame says, and a decoder knows only what its bitstream said.
  if (frame.colorTrc === AVCOL_TRC_UNSPECIFIED) frame.colorTrc = stream.codecpar.colorTrc;
  if (frame.colorPrimaries === AVCOL_PRI_UNSPECIFIED) frame.colorPrimaries = stream.codecpar.colorPrimaries;
  frame.pts = 0n;
  chain.send(frame);
  chain.send(null);
  if (!chain.receive(shown)) throw new MediaError('unsupported', 'the picture did not come out of its filters');
}

interface LumaStatistics {
  readonly mean: number;
  readonly deviation: number;
}

/** Every fourth pixel of every second line says enough. */
function lumaStatistics(frame: Frame): LumaStatistics {
  const plane = frame.data?.[0];
  const stride = frame.linesize[0] ?? 0;
  if (plane === undefined || stride <= 0) return { mean: 0, deviation: 0 };
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let y = 0; y < frame.height; y += 2) {
    for (let x = 0; x < frame.width; x += 4) {
      const luma = plane[y * stride + x] ?? 0;
      sum += luma;
      squares += luma * luma;
      count += 1;
    }
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

function encodeWebp(frame: Frame): Uint8Array {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBWEBP);
  if (codec === null) throw new MediaError('internal', 'FFmpeg was built without WebP');
  using encoder = new CodecContext();
  encoder.allocContext3(codec);
  encoder.width = frame.width;
  encoder.height = frame.height;
  encoder.pixelFormat = AV_PIX_FMT_YUV420P;
  encoder.timeBase = new Rational(1, 25);
  encoder.setOption('quality', WEBP_QUALITY, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  encoder.setOption('compression_level', WEBP_EFFORT, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  // Options through a Dictionary would be freed twice at the next garbage collection.
  if (encoder.open2Sync(codec, null) < 0) throw new MediaError('unsupported', 'the picture is too large for WebP');
  using packet = allocated(new Packet());
  encoder.sendFrameSync(frame);
  encoder.sendFrameSync(null);
  if (encoder.receivePacketSync(packet) < 0 || packet.data === null) throw new MediaError('internal', 'WebP failed');
  return Uint8Array.from(packet.data);
}

function allocated<T extends { alloc(): void }>(owned: T): T {
  owned.alloc();
  return owned;
}
