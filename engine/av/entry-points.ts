/**
 * Whether copied segments of a track can be played from wherever a player wants to begin. Two things stand against it.
 *
 * Containers mark every picture that decoding may begin at. H.264 knows two kinds: IDR, before which nothing is remembered, and recovery
 * points of open GOPs. Media Source Extensions take the first kind only: Chromium 156 drops everything up to the next IDR
 * after a seek, and where there is none shows nothing at all (measured). HEVC, VP9 and AV1 have no such difference there.
 *
 * An MP4 that was cut without encoding begins with pictures that its edit list hides. Players of segments would show them, and
 * put everything else later by as much.
 */
import { AVSEEK_FLAG_BACKWARD, AV_CODEC_ID_H264, AV_NOPTS_VALUE } from 'node-av/constants';
import { Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { avcParameterSets, packetNals } from './headers/nal-unit.ts';
import { openInput } from './input.ts';

const IDR_SLICE = 5;
/** A keyframe may be off from its place in the index by rounding. */
const TOLERANCE_US = 2_000;
/** Pictures that begin this much before the movie are hidden ones; less is rounding, or the delay of a sound encoder. */
const HIDDEN_US = 100_000;
/** Packets read from where a seek lands to the wanted keyframe: a few seconds of all tracks. */
const MAX_PACKETS = 20_000;

export interface EntryPointOptions {
  readonly trackIndex: number;
  /** `MediaInfo.startMs`. */
  readonly startMs: number;
  /** Keyframes to look at, µs from the beginning of the movie. */
  readonly timesUs: readonly number[];
  readonly timeLimitMs: number;
}

/** False where one of these keyframes, or of those behind them, was seen and can't be begun at, or where hidden pictures come first. Throws `MediaError`: `unsupported` for no such track, `timeout`. */
export function areEntryPoints(path: string, options: EntryPointOptions): boolean {
  const endsAt = performance.now() + options.timeLimitMs;
  using input = openInput(path);
  const stream = input.streams[options.trackIndex];
  if (!stream) throw new MediaError('unsupported', `no track ${options.trackIndex}`);
  const ticksPerUs = stream.timeBase.den / stream.timeBase.num / 1e6;
  const { context } = input;
  using packet = new Packet();
  packet.alloc();
  do {
    packet.unref();
    if (context.readFrameSync(packet) < 0) return true;
  } while (packet.streamIndex !== options.trackIndex);
  const hiddenTicks = (options.startMs * 1_000 - HIDDEN_US) * ticksPerUs;
  if (packet.pts !== AV_NOPTS_VALUE && Number(packet.pts) < hiddenTicks) return false;
  if (stream.codecpar.codecId !== AV_CODEC_ID_H264) return true;
  const lengthSize = avcParameterSets(stream.codecpar.extradata ?? new Uint8Array(0))?.lengthSize ?? null;
  return options.timesUs.every((timeUs) => {
    const ticks = (timeUs + options.startMs * 1_000) * ticksPerUs;
    const tolerance = TOLERANCE_US * ticksPerUs;
    context.seekFrameSync(options.trackIndex, BigInt(Math.ceil(ticks + tolerance)), AVSEEK_FLAG_BACKWARD);
    for (let count = 0; count < MAX_PACKETS; count += 1) {
      packet.unref();
      if (performance.now() > endsAt) throw new MediaError('timeout', `not read within ${options.timeLimitMs} ms`);
      // A search by time in a file without an index may end too late. What was not seen says nothing.
      if (context.readFrameSync(packet) < 0) return true;
      if (packet.streamIndex !== options.trackIndex || !packet.isKeyframe) continue;
      if (packet.pts === AV_NOPTS_VALUE || Number(packet.pts) < ticks - tolerance) continue;
      return hasIdr(packet.data, lengthSize);
    }
    return true;
  });
}

function hasIdr(data: Uint8Array | null, lengthSize: number | null): boolean {
  for (const unit of packetNals(data ?? new Uint8Array(0), lengthSize)) {
    if (((unit[0] ?? 0) & 0x1f) === IDR_SLICE) return true;
  }
  return false;
}
