/**
 * Pauses near the end of a movie in which the picture is black and the sound is silent: behind one of them the credits begin.
 * The sound is listened to first, because that is cheap; pictures are decoded only where it is silent, and as keyframes after that.
 */
import {
  AVDISCARD_ALL,
  AVSEEK_FLAG_BACKWARD,
  AV_NOPTS_VALUE,
  AV_OPT_SEARCH_CHILDREN,
  AV_OPT_TYPE_STRING,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet } from 'node-av/lib';
import type { VideoTrack } from '#protocol/schema/media.ts';
import type { DarkPause } from '#engine/media/marker-finding.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { FilterChain } from './filter-chain.ts';
import { openInput } from './input.ts';
import { KeyframeReader, SdrRenderer, allocated } from './keyframe-picture.ts';
import { LISTEN_RATE_HZ, listen } from './sound.ts';

/** −40 dB of full scale. */
const SILENT_PEAK = 327;
const WINDOW_SAMPLES = Math.round(LISTEN_RATE_HZ / 20);
const MIN_PAUSE_MS = 2_000;
/** Silences looked into; a movie that is silent all along has no more to say. */
const MAX_SILENCES = 12;
const MAX_SILENCE_MS = 30_000;
/** Around a silence: the picture fades before the sound, or after it. */
const AROUND_MS = 1_000;
/** As FFmpeg's blackdetect: a point is dark below a tenth of the way from black to white, a picture is black with 98 % of them dark. */
const DARK_LUMA = 16 + 0.1 * 219;
const BLACK_SHARE = 0.98;
/** A picture of white words on black. */
const MOSTLY_DARK_SHARE = 0.7;
const MAX_LOOKS_AFTER = 24;
const SMALL = { widthPx: 96, heightPx: 54 };

export interface DarkPauseRequest {
  readonly video: VideoTrack;
  /** FFmpeg's number of the sound track. */
  readonly audioIndex: number;
  /** `MediaInfo.startMs`. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Nothing before this is looked at. */
  readonly fromMs: number;
  readonly timeLimitMs: number;
}

/** In order. Throws `MediaError`: `unsupported`, `timeout`. */
export function findDarkPauses(path: string, request: DarkPauseRequest): DarkPause[] {
  const endsAt = performance.now() + request.timeLimitMs;
  const silences = findSilences(path, request)
    .filter(({ startMs, endMs }) => endMs - startMs >= MIN_PAUSE_MS)
    .slice(0, MAX_SILENCES);
  return silences.flatMap((silence): DarkPause[] => {
    if (performance.now() > endsAt) throw new MediaError('timeout', 'looking for the end');
    const black = longestBlack(path, request, silence, endsAt);
    const startMs = Math.max(silence.startMs, black?.startMs ?? Infinity);
    const endMs = Math.min(silence.endMs, black?.endMs ?? -Infinity);
    if (endMs - startMs < MIN_PAUSE_MS) return [];
    return [{ startMs, endMs, darkAfterShare: darkShareAfter(path, request, endMs, endsAt) }];
  });
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

function findSilences(
  path: string,
  { audioIndex, startMs, durationMs, fromMs, timeLimitMs }: DarkPauseRequest,
): Span[] {
  const silences: Span[] = [];
  let silentSinceMs: number | null = null;
  const end = (atMs: number): void => {
    if (silentSinceMs !== null) silences.push({ startMs: silentSinceMs, endMs: atMs });
    silentSinceMs = null;
  };
  const stretch = { trackIndex: audioIndex, startMs, fromMs, untilMs: durationMs + 1_000, timeLimitMs };
  listen(path, stretch, (samples, atMs) => {
    for (let at = 0; at < samples.length; at += WINDOW_SAMPLES) {
      let peak = 0;
      const until = Math.min(samples.length, at + WINDOW_SAMPLES);
      for (let i = at; i < until; i += 1) peak = Math.max(peak, Math.abs(samples[i]!));
      const windowMs = atMs + (at * 1_000) / LISTEN_RATE_HZ;
      if (peak >= SILENT_PEAK) end(windowMs);
      else silentSinceMs ??= windowMs;
    }
  });
  end(durationMs);
  return silences;
}

/** The longest black stretch in and around a silence; `null` where the picture goes on. Pictures that no other needs are left out: some 0.1 s exact. */
function longestBlack(path: string, request: DarkPauseRequest, silence: Span, endsAt: number): Span | null {
  const { video, startMs, durationMs } = request;
  const fromMs = Math.max(0, silence.startMs - AROUND_MS);
  const untilMs = Math.min(durationMs, silence.endMs + AROUND_MS, silence.startMs + MAX_SILENCE_MS);
  using input = openInput(path);
  if (input.demuxer !== 'matroska,webm' && !input.demuxer.startsWith('mov')) input.analyze();
  const stream = input.streams[video.index];
  if (stream === undefined) throw new MediaError('unsupported', 'the video track is gone');
  for (const other of input.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL;
  const { num, den } = stream.timeBase;
  const toMovieMs = (ticks: bigint): number => (Number(ticks) * num * 1_000) / den - startMs;
  const ticks = BigInt(Math.floor(((fromMs + startMs) * den) / num / 1_000));
  input.context.seekFrameSync(stream.index, ticks, AVSEEK_FLAG_BACKWARD);

  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null) throw new MediaError('unsupported', 'no decoder');
  using decoder = new CodecContext();
  decoder.allocContext3(codec);
  decoder.threadCount = 1;
  decoder.pktTimebase = stream.timeBase;
  if (decoder.parametersToContext(stream.codecpar) < 0) throw new MediaError('unsupported', 'no such picture');
  decoder.setOption('skip_frame', 'noref', AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  decoder.setOption('skip_loop_filter', 'all', AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  if (decoder.open2Sync(codec, null) < 0) throw new MediaError('unsupported', 'decoder does not open');

  using packet = allocated(new Packet());
  using frame = allocated(new Frame());
  using small = allocated(new Frame());
  let chain: FilterChain | null = null;
  let chainInput = '';
  let best: Span | null = null;
  let blackSinceMs: number | null = null;
  let lastMs = fromMs;
  const end = (atMs: number): void => {
    if (blackSinceMs !== null && (best === null || atMs - blackSinceMs > best.endMs - best.startMs)) {
      best = { startMs: blackSinceMs, endMs: atMs };
    }
    blackSinceMs = null;
  };
  const look = (): void => {
    while (decoder.receiveFrameSync(frame) >= 0) {
      const atMs = toMovieMs(frame.bestEffortTimestamp);
      if (frame.bestEffortTimestamp !== AV_NOPTS_VALUE && atMs >= fromMs && atMs <= untilMs) {
        const text =
          `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=${num}/${den}:pixel_aspect=1/1` +
          `:colorspace=${frame.colorSpace}:range=${frame.colorRange}`;
        if (chain === null || text !== chainInput) {
          chain?.[Symbol.dispose]();
          chain = new FilterChain(
            'video',
            text,
            `scale=${SMALL.widthPx}:${SMALL.heightPx}:flags=fast_bilinear:out_range=tv,format=gray`,
            1,
          );
          chainInput = text;
        }
        frame.pts = 0n;
        chain.send(frame);
        small.unref();
        if (chain.receive(small)) {
          lastMs = atMs;
          if (darkShare(small) >= BLACK_SHARE) blackSinceMs ??= atMs;
          else end(atMs);
        }
      }
      frame.unref();
    }
  };
  try {
    while (performance.now() < endsAt) {
      packet.unref();
      if (input.context.readFrameSync(packet) < 0) break;
      if (packet.streamIndex !== stream.index) continue;
      // By decode time: pictures come out of order.
      if (packet.dts !== AV_NOPTS_VALUE && toMovieMs(packet.dts) > untilMs) break;
      const isUndated = packet.dts === AV_NOPTS_VALUE && packet.pts !== AV_NOPTS_VALUE;
      if (isUndated && toMovieMs(packet.pts) > untilMs + 2_000) break;
      if (decoder.sendPacketSync(packet) >= 0) look();
    }
    decoder.sendPacketSync(null);
    look();
  } finally {
    (chain as FilterChain | null)?.[Symbol.dispose]();
  }
  end(lastMs >= untilMs - 500 ? untilMs : lastMs);
  return best;
}

/** How many of the keyframes from here to the end are mostly dark, 0 to 1; 0 where there are none to look at. */
function darkShareAfter(
  path: string,
  { video, startMs, durationMs }: DarkPauseRequest,
  fromMs: number,
  endsAt: number,
): number {
  using reader = new KeyframeReader(path, video);
  using renderer = new SdrRenderer(reader.stream, video, SMALL);
  using frame = allocated(new Frame());
  using shown = allocated(new Frame());
  const { num, den } = reader.stream.timeBase;
  const stepMs = Math.max(1_000, (durationMs - fromMs) / MAX_LOOKS_AFTER);
  let lastTicks: bigint | null = null;
  let looks = 0;
  let dark = 0;
  for (let atMs = fromMs + stepMs / 2; atMs < durationMs && performance.now() < endsAt; atMs += stepMs) {
    reader.seek((startMs + atMs) * 1_000);
    let ticks: bigint | null = null;
    const outcome = reader.decodeNext(frame, endsAt, (found) => {
      ticks = found;
      return found === lastTicks;
    });
    if (outcome !== 'decoded' || ticks === null) continue;
    lastTicks = ticks;
    // A keyframe of the pause itself, or of before it.
    if ((Number(ticks) * num * 1_000) / den - startMs < fromMs) continue;
    renderer.render(frame, shown);
    looks += 1;
    if (darkShare(shown) >= MOSTLY_DARK_SHARE) dark += 1;
  }
  return looks === 0 ? 0 : dark / looks;
}

function darkShare(frame: Frame): number {
  const plane = frame.data?.[0];
  const stride = frame.linesize[0] ?? 0;
  if (plane === undefined || stride < frame.width) return 0;
  let dark = 0;
  for (let y = 0; y < frame.height; y += 1) {
    for (let x = 0; x < frame.width; x += 1) if ((plane[y * stride + x] ?? 255) <= DARK_LUMA) dark += 1;
  }
  return dark / (frame.width * frame.height);
}
