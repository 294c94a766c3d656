/** A stretch of a movie's sound as plain samples, for listening to and not for playing. */
import { AVDISCARD_ALL, AVSEEK_FLAG_BACKWARD, AV_CHANNEL_ORDER_UNSPEC, AV_NOPTS_VALUE } from 'node-av/constants';
import type { AVSampleFormat } from 'node-av/constants';
import {
  Codec,
  CodecContext,
  Frame,
  Packet,
  avChannelLayoutDefault,
  avChannelLayoutDescribe,
  avGetSampleFmtName,
} from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { FilterChain } from './filter-chain.ts';
import { openInput } from './input.ts';
import { allocated } from './keyframe-picture.ts';

/** What Chromaprint works at; plenty for telling silence from sound. */
export const LISTEN_RATE_HZ = 11_025;
/** A seek in an interleaved file ends at a keyframe of the picture; sound of that moment may lie before it. */
const SEEK_MARGIN_MS = 1_000;
const CHECK_CLOCK_EVERY = 256;

export interface ListenRequest {
  /** FFmpeg's number of the track. */
  readonly trackIndex: number;
  /** `MediaInfo.startMs`. */
  readonly startMs: number;
  /** On the movie's timeline. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly timeLimitMs: number;
}

/**
 * Decodes a stretch to mono, 16 bit, `LISTEN_RATE_HZ`, and hands it out piece by piece with the movie time of each piece's
 * first sample. The bytes are FFmpeg's: used before the callback returns. Throws `MediaError`: `unsupported`, `timeout`.
 */
export function listen(path: string, request: ListenRequest, hear: (samples: Int16Array, atMs: number) => void): void {
  const endsAt = performance.now() + request.timeLimitMs;
  using input = openInput(path);
  if (input.demuxer !== 'matroska,webm' && !input.demuxer.startsWith('mov')) input.analyze();
  const stream = input.streams[request.trackIndex];
  if (stream === undefined) throw new MediaError('unsupported', 'the sound track is gone');
  for (const other of input.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL;
  const { num, den } = stream.timeBase;
  const toMovieMs = (ticks: bigint): number => (Number(ticks) * num * 1_000) / den - request.startMs;
  using decoder = openDecoder(stream);
  if (request.fromMs > SEEK_MARGIN_MS) {
    const fileMs = request.fromMs - SEEK_MARGIN_MS + request.startMs;
    input.context.seekFrameSync(stream.index, BigInt(Math.floor((fileMs * den) / num / 1_000)), AVSEEK_FLAG_BACKWARD);
  }
  using packet = allocated(new Packet());
  using frame = allocated(new Frame());
  using heard = allocated(new Frame());
  let chain: FilterChain | null = null;
  let chainInput = '';

  const flushChain = (): void => {
    while (chain !== null && chain.receive(heard)) {
      const bytes = heard.data?.[0];
      if (bytes !== undefined) {
        const sinkBase = chain.sink.buffersinkGetTimeBase();
        const atMs = (Number(heard.pts) * sinkBase.num * 1_000) / sinkBase.den - request.startMs;
        hear(new Int16Array(bytes.buffer, bytes.byteOffset, heard.nbSamples), atMs);
      }
      heard.unref();
    }
  };
  const take = (): void => {
    while (decoder.receiveFrameSync(frame) >= 0) {
      if (frame.pts === AV_NOPTS_VALUE) frame.pts = frame.bestEffortTimestamp;
      const atMs = toMovieMs(frame.pts);
      if (frame.pts === AV_NOPTS_VALUE || atMs < request.fromMs || atMs >= request.untilMs) {
        frame.unref();
        continue;
      }
      const text = chainInputOf(frame, stream);
      if (chain === null || text !== chainInput) {
        // The track changes its form in the middle: what the old filter holds is a few milliseconds.
        chain?.[Symbol.dispose]();
        chain = new FilterChain('audio', text, CHAIN, 1);
        chainInput = text;
      }
      chain.send(frame);
      frame.unref();
      flushChain();
    }
  };

  try {
    for (let n = 0; ; n += 1) {
      if (n % CHECK_CLOCK_EVERY === 0 && performance.now() > endsAt) throw new MediaError('timeout', 'listening');
      packet.unref();
      if (input.context.readFrameSync(packet) < 0) break;
      if (packet.streamIndex !== stream.index) continue;
      if (packet.pts !== AV_NOPTS_VALUE && toMovieMs(packet.pts) >= request.untilMs) break;
      if (decoder.sendPacketSync(packet) >= 0) take();
    }
    decoder.sendPacketSync(null);
    take();
    (chain as FilterChain | null)?.send(null);
    flushChain();
  } finally {
    (chain as FilterChain | null)?.[Symbol.dispose]();
  }
}

/** Gaps between time stamps become silence, so that samples can be counted. */
const CHAIN = `aresample=${LISTEN_RATE_HZ}:async=1,aformat=sample_fmts=s16:channel_layouts=mono,asetnsamples=4096:p=0`;

function chainInputOf(frame: Frame, stream: Stream): string {
  const layout =
    frame.channelLayout.order === AV_CHANNEL_ORDER_UNSPEC
      ? avChannelLayoutDefault(frame.channelLayout.nbChannels)
      : frame.channelLayout;
  const { num, den } = stream.timeBase;
  const format = avGetSampleFmtName(frame.format as AVSampleFormat) ?? '';
  return (
    `time_base=${num}/${den}:sample_rate=${frame.sampleRate}:sample_fmt=${format}` +
    `:channel_layout=${avChannelLayoutDescribe(layout) ?? 'stereo'}`
  );
}

function openDecoder(stream: Stream): CodecContext {
  const codec = Codec.findDecoder(stream.codecpar.codecId);
  if (codec === null) throw new MediaError('unsupported', 'no decoder for the sound');
  const context = new CodecContext();
  context.allocContext3(codec);
  context.threadCount = 1;
  context.pktTimebase = stream.timeBase;
  if (context.parametersToContext(stream.codecpar) < 0 || context.open2Sync(codec, null) < 0) {
    context.freeContext();
    throw new MediaError('unsupported', 'the sound’s decoder does not open');
  }
  return context;
}
