/**
 * Keyframe times of a video track, as microseconds from the movie's beginning (`MediaInfo.startMs`).
 *
 * Three ways, from cheap to dear: the container's own index (a few small reads, equal to what a demuxer would find), a
 * walk from keyframe to keyframe by seeking, and a scan of the whole file. The last two go through FFmpeg.
 */
import { statSync } from 'node:fs';
import { AVDISCARD_ALL, AVDISCARD_NONKEY, AV_NOPTS_VALUE, AV_PKT_FLAG_DISCARD } from 'node-av/constants';
import { Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { ByteSource } from './byte-source.ts';
import { openInput } from './input.ts';
import type { OpenedInput } from './input.ts';
import { blocksFrom, keyframeBlocks, readCues, readMatroska } from './matroska.ts';
import type { Cue, MatroskaFile } from './matroska.ts';
import { readMp4 } from './mp4.ts';
import type { Mp4File } from './mp4.ts';
import { fragmentWalk, segmentIndexTimesUs, syncSampleTimesUs } from './mp4-samples.ts';

/** Blocks looked at behind a cue before it is called wrong: a cluster holds a few seconds of all tracks. */
const MAX_BLOCKS_PER_CHECK = 2000;
const INDEX_BUDGET_BYTES = 160 << 20;
const MAX_KEYFRAMES = 2_000_000;
/** Of one packet: what the clock is read for. */
const CLOCK_EVERY = 64;

/** The container's index of one video track, on the file's timeline. `null`: the file has none, or it proves wrong. */
export function matroskaKeyframesUs(
  source: ByteSource,
  file: MatroskaFile,
  cues: readonly Cue[] | null,
): number[] | null {
  if (cues === null) return null;
  const middle = cues[cues.length >> 1];
  if (middle === undefined || !isCueTrue(source, middle)) return null;
  const times = cues.map((cue) => Math.round((cue.timeTicks * file.tickNs) / 1000));
  return times.filter((time, i) => time !== times[i - 1]);
}

/** Cues go stale when a file is cut or repaired by tools that do not know them; one in the middle speaks for all. */
function isCueTrue(source: ByteSource, cue: Cue): boolean {
  let seen = 0;
  for (const block of blocksFrom(source, cue.clusterAt)) {
    if (block.trackNumber === cue.trackNumber && block.timeTicks === cue.timeTicks) return block.isKeyframe;
    seen += 1;
    if (seen > MAX_BLOCKS_PER_CHECK) return false;
  }
  return false;
}

export function mp4KeyframesUs(source: ByteSource, file: Mp4File, trackId: number): number[] | null {
  const track = file.tracks.find((t) => t.id === trackId);
  if (track === undefined) return null;
  return file.isFragmented ? segmentIndexTimesUs(source, file, track) : syncSampleTimesUs(file, track);
}

export interface KeyframeOptions {
  /** Of `MediaInfo.startMs`, times 1000: subtracted from every time. */
  readonly startUs: number;
  readonly timeLimitMs: number;
  /** As if the container had no index: for a file whose index proved wrong. */
  readonly ignoreIndex?: boolean;
}

export interface Keyframes {
  /** Rising, from the movie's beginning. */
  readonly timesUs: Float64Array;
  /** From each keyframe to the next, of all tracks together; `null` where nobody looked at the packets themselves. */
  readonly bytes: Float64Array | null;
}

/** Where a keyframe lies in the file, and when it is shown on the file's timeline. */
interface FoundKeyframe {
  readonly timeUs: number;
  /** `-1`: the demuxer does not say. */
  readonly at: number;
}

/** Keyframes of a track by whichever way works. Throws `MediaError`: `unsupported` (no such track), `timeout`, `truncated`. */
export function findKeyframes(path: string, trackIndex: number, options: KeyframeOptions): Keyframes {
  const endsAt = performance.now() + options.timeLimitMs;
  const isTimeUp = (): boolean => performance.now() > endsAt;
  using input = openInput(path);
  // MPEG-PS and FLV name their tracks only in their packets.
  if (!hasHeaders(input)) input.analyze();
  if (input.streams[trackIndex] === undefined) throw new MediaError('unsupported', `no track ${trackIndex}`);
  const times = options.ignoreIndex === true ? null : containerKeyframesUs(input, trackIndex, isTimeUp);
  if (times !== null) return { timesUs: onMovieTimeline(times, options.startUs), bytes: null };
  const found = matroskaBlocks(input, trackIndex, isTimeUp) ?? packetKeyframes(input, trackIndex, isTimeUp);
  const timesUs = onMovieTimeline(
    found.map(({ timeUs }) => timeUs),
    options.startUs,
  );
  return { timesUs, bytes: bytesBetween(found, timesUs, options.startUs, statSync(path).size) };
}

/** `null` where the places do not rise with the times: then they say nothing of what lies between. */
function bytesBetween(
  found: readonly FoundKeyframe[],
  timesUs: Float64Array,
  startUs: number,
  fileBytes: number,
): Float64Array | null {
  const placeOf = new Map<number, number>();
  for (const { timeUs, at } of found) {
    const movieUs = Math.max(0, timeUs - startUs);
    placeOf.set(movieUs, Math.min(at, placeOf.get(movieUs) ?? Infinity));
  }
  const places = Array.from(timesUs, (timeUs) => placeOf.get(timeUs) ?? -1);
  const bytes = Float64Array.from(places, (at, index) => (places[index + 1] ?? fileBytes) - at);
  return places.includes(-1) || bytes.some((size) => size < 0) ? null : bytes;
}

function packetKeyframes(input: OpenedInput, trackIndex: number, isTimeUp: () => boolean): FoundKeyframe[] {
  // These two have an index that FFmpeg can follow even where we cannot; the others are read on faster than searched.
  if (input.demuxer.startsWith('mov') || input.demuxer === 'avi') return walkKeyframes(input, trackIndex, isTimeUp);
  return scanKeyframes(input, trackIndex, isTimeUp);
}

function hasHeaders(input: OpenedInput): boolean {
  return input.demuxer.startsWith('mov') || input.demuxer === 'matroska,webm' || input.demuxer === 'avi';
}

/** From the headers of all blocks: for Matroska without cues, where FFmpeg would have to read the whole file. */
function matroskaBlocks(input: OpenedInput, trackIndex: number, isTimeUp: () => boolean): FoundKeyframe[] | null {
  if (input.demuxer !== 'matroska,webm') return null;
  using source = new ByteSource(input.path, { budgetBytes: Infinity });
  const file = readMatroska(source);
  const number = file === null ? null : matroskaTrackNumber(input, file, trackIndex);
  if (file === null || number === null) return null;
  const found: FoundKeyframe[] = [];
  let n = 0;
  for (const block of keyframeBlocks(source, file, number)) {
    n += 1;
    if (n % CLOCK_EVERY === 0 && isTimeUp()) throw new MediaError('timeout', 'block walk');
    if (block !== null) found.push({ timeUs: Math.round((block.timeTicks * file.tickNs) / 1000), at: block.at });
    if (found.length > MAX_KEYFRAMES) throw new MediaError('tooComplex', 'too many keyframes');
  }
  return found.length === 0 ? null : found;
}

function containerKeyframesUs(
  input: OpenedInput,
  trackIndex: number,
  isTimeUp: () => boolean,
): readonly number[] | null {
  using source = new ByteSource(input.path, { budgetBytes: INDEX_BUDGET_BYTES });
  const stream = input.streams[trackIndex];
  if (stream === undefined) return null;
  try {
    if (input.demuxer === 'matroska,webm') {
      const file = readMatroska(source);
      const number = file === null ? null : matroskaTrackNumber(input, file, trackIndex);
      if (file === null || number === null) return null;
      return matroskaKeyframesUs(source, file, readCues(source, file, number));
    }
    if (!input.demuxer.startsWith('mov')) return null;
    const file = readMp4(source);
    if (file === null) return null;
    const times = mp4KeyframesUs(source, file, stream.id);
    const track = file.tracks.find((t) => t.id === stream.id);
    if (times !== null || !file.isFragmented || track === undefined) return times;
    return fragmentWalk(source, file, track, isTimeUp)?.syncTimesUs ?? null;
  } catch (error) {
    // The index is damaged or absurd: the packets themselves decide.
    if (error instanceof RangeError || (error instanceof MediaError && error.failure === 'tooComplex')) return null;
    throw error;
  }
}

/** Track types of Matroska that FFmpeg makes streams of: video, audio, subtitles, metadata. */
const STREAM_TYPES = [1, 2, 0x11, 0x21];
const STREAM_TYPE_OF: Readonly<Record<number, number>> = { 0: 1, 1: 2, 3: 0x11 };

/**
 * The track behind one of FFmpeg's streams: FFmpeg numbers tracks in the order of their entries and leaves out those it
 * cannot describe. `null` where the orders do not agree.
 */
export function matroskaTrackNumber(input: OpenedInput, file: MatroskaFile, streamIndex: number): number | null {
  const tracks = file.tracks.filter((track) => STREAM_TYPES.includes(track.type));
  const track = tracks[streamIndex];
  const mediaType = input.streams[streamIndex]?.codecpar.codecType;
  if (track === undefined || mediaType === undefined || STREAM_TYPE_OF[mediaType] !== track.type) return null;
  return track.number;
}

/** File times as rising times from the movie's beginning, each once. What lies before it is at it. */
export function onMovieTimeline(timesUs: readonly number[], startUs: number): Float64Array {
  const moved = Float64Array.from(timesUs, (time) => Math.max(0, time - startUs)).toSorted();
  return moved.filter((time, i) => i === 0 || time !== moved[i - 1]);
}

/** Seeks from each keyframe to the next. Costs one seek and one packet each, which the index of the demuxer makes cheap. */
function walkKeyframes(input: OpenedInput, trackIndex: number, isTimeUp: () => boolean): FoundKeyframe[] {
  const { context } = input;
  const stream = input.streams[trackIndex];
  if (stream === undefined) throw new MediaError('unsupported', `no track ${trackIndex}`);
  discardOthers(input, trackIndex);
  const { num, den } = stream.timeBase;
  const halfSecond = BigInt(Math.max(1, Math.round(den / num / 2)));
  const found: FoundKeyframe[] = [];
  using packet = newPacket();
  let last: bigint | null = null;
  let target = -(2n ** 40n);
  for (let step = 0; step < MAX_KEYFRAMES; step += 1) {
    if (isTimeUp()) throw new MediaError('timeout', 'keyframe walk');
    if (context.seekFrameSync(trackIndex, target) < 0) break;
    if (!readKeyframe(input, packet, trackIndex, isTimeUp)) break;
    const pts = packet.pts === AV_NOPTS_VALUE ? packet.dts : packet.pts;
    const dts = packet.dts === AV_NOPTS_VALUE ? pts : packet.dts;
    if (pts === AV_NOPTS_VALUE) break;
    if (last !== null && pts <= last) {
      // The seek went back to the same keyframe: step on until it lets go.
      target = dts + 1n > target ? dts + 1n : target + halfSecond;
      continue;
    }
    last = pts;
    found.push({ timeUs: shownTimeUs(pts, num, den), at: Number(packet.pos) });
    target = (pts > dts ? pts : dts) + 1n;
  }
  if (found.length === 0) throw new MediaError('truncated', 'no keyframe found');
  return found;
}

function readKeyframe(input: OpenedInput, packet: Packet, trackIndex: number, isTimeUp: () => boolean): boolean {
  for (let n = 0; ; n += 1) {
    packet.unref();
    if (input.context.readFrameSync(packet) < 0) return false;
    if (packet.streamIndex === trackIndex && packet.isKeyframe) return true;
    if (n % CLOCK_EVERY === 0 && isTimeUp()) throw new MediaError('timeout', 'keyframe walk');
  }
}

/** Reads the file from end to end and keeps the keyframes. */
function scanKeyframes(input: OpenedInput, trackIndex: number, isTimeUp: () => boolean): FoundKeyframe[] {
  const stream = input.streams[trackIndex];
  if (stream === undefined) throw new MediaError('unsupported', `no track ${trackIndex}`);
  discardOthers(input, trackIndex);
  stream.discard = AVDISCARD_NONKEY;
  const { num, den } = stream.timeBase;
  const found: FoundKeyframe[] = [];
  using packet = newPacket();
  for (let n = 0; found.length < MAX_KEYFRAMES; n += 1) {
    packet.unref();
    if (input.context.readFrameSync(packet) < 0) break;
    if (n % CLOCK_EVERY === 0 && isTimeUp()) throw new MediaError('timeout', 'keyframe scan');
    if (packet.streamIndex !== trackIndex || !packet.isKeyframe || packet.pts === AV_NOPTS_VALUE) continue;
    if (packet.hasFlags(AV_PKT_FLAG_DISCARD)) continue;
    found.push({ timeUs: shownTimeUs(packet.pts, num, den), at: Number(packet.pos) });
  }
  if (found.length === 0) throw new MediaError('truncated', 'no keyframe found');
  return found;
}

function shownTimeUs(pts: bigint, num: number, den: number): number {
  return Math.round((Number(pts) * num * 1e6) / den);
}

function discardOthers(input: OpenedInput, trackIndex: number): void {
  for (const stream of input.streams) if (stream.index !== trackIndex) stream.discard = AVDISCARD_ALL;
}

function newPacket(): Packet {
  const packet = new Packet();
  packet.alloc();
  return packet;
}
