/**
 * Subtitle tracks of a movie's file, read in one pass. Packets are read by FFmpeg, or by the index of Matroska, and decoded by us: any
 * subtitle packet that is given to one of FFmpeg's decoders through node-av ends the process (an assertion in libavcodec; measured).
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AVDISCARD_ALL,
  AVDISCARD_DEFAULT,
  AVDISCARD_NONKEY,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_FLAG_BACKWARD,
  AV_NOPTS_VALUE,
} from 'node-av/constants';
import { Packet, avGetCodecName } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import { fontType } from '#engine/media/font-type.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { TO_THE_END_MS, inReadingOrder } from '#engine/media/read-spans.ts';
import { isStyledSubtitle, isTextSubtitle, pictureSubtitleKind } from '#engine/media/subtitle-kind.ts';
import { ByteSource } from './byte-source.ts';
import { openInput } from './input.ts';
import type { OpenedInput } from './input.ts';
import { matroskaTrackNumber } from './keyframes.ts';
import { readBlock, subtitleCues, trackUnpackers } from './matroska-subtitles.ts';
import type { SubtitleCuePoint, Unpack } from './matroska-subtitles.ts';
import { readMatroska } from './matroska.ts';
import type { MatroskaFile } from './matroska.ts';
import { pictureDecoder, pictureSink, textSink } from './subtitle-sink.ts';
import type { SubtitleSink } from './subtitle-sink.ts';

/** What is read by index: blocks of subtitles, a page each. */
const INDEXED_BUDGET_BYTES = 4 * 1024 ** 3;
/** Packets may lie some way before the place that a seek leads to. */
const SEEK_MARGIN_MS = 15_000;
/** Subtitles may lie this much behind the picture that they belong to: writers wait for them no longer. */
const LATE_MS = 3_000;
const MAX_FONT_BYTES = 32 << 20;
const MAX_FONTS_BYTES = 128 << 20;
/** What says that it shows for longer says that it does not know. */
const LONGEST_US = 24 * 3_600e6;

export interface SubtitleOptions {
  /** Where the files go. */
  readonly folder: string;
  /** Tracks that are wanted, the most urgent first. */
  readonly wanted: readonly number[];
  /** `MediaInfo.startMs`: the file's own time at the beginning of the movie. */
  readonly startMs: number;
  /** Where in the movie somebody watches: read from there on, then what lies before. */
  readonly fromMs: number;
  readonly timeLimitMs: number;
}

export interface ExtractedSubtitles {
  /** Tracks whose files are whole. More than were wanted, where the file must be read as a whole anyway. */
  readonly made: readonly number[];
  /** How it went: by the index of the container, or through the whole file. */
  readonly way: 'index' | 'pass';
}

interface Track {
  readonly stream: Stream;
  readonly codec: string;
  /** WebVTT whose blocks hold nothing but text. Those of WebM have lines of facts before it, which FFmpeg knows how to take away. */
  readonly isBareText: boolean;
}

/**
 * Writes the wanted tracks into the folder, readable while they grow. Throws `MediaError`: `unsupported` where none of them can be
 * shown, `timeout`. A file that is cut off gives what there is.
 */
export function extractSubtitles(path: string, options: SubtitleOptions): ExtractedSubtitles {
  const endsAt = performance.now() + options.timeLimitMs;
  using input = openInput(path);
  using source = new ByteSource(path, { budgetBytes: INDEXED_BUDGET_BYTES });
  const file = input.demuxer === 'matroska,webm' ? readMatroska(source) : null;
  const showable = new Map(showableTracks(input, file).map((track) => [track.stream.index, track]));
  const wanted = options.wanted.flatMap((index) => showable.get(index) ?? []);
  if (wanted.length === 0) {
    throw new MediaError(
      'unsupported',
      `none of the tracks ${options.wanted.join(', ')} holds subtitles that can be shown`,
    );
  }
  if (wanted.some(({ codec }) => isStyledSubtitle(codec))) writeFonts(input, options.folder);

  const checkTime = (): void => {
    if (performance.now() > endsAt) throw new MediaError('timeout', `not read within ${options.timeLimitMs} ms`);
  };
  if (file !== null && extractByIndex(input, { source, file }, wanted, options, checkTime)) {
    return { made: wanted.map(({ stream }) => stream.index), way: 'index' };
  }
  // MP4 knows where each sample lies and skips the rest; of others everything is read anyway, so all tracks are taken along.
  const isMp4 = input.demuxer.startsWith('mov');
  // But for those that are there, or that another reading makes.
  const others = [...showable.values()].filter(
    (track) => !wanted.includes(track) && !isBegun(track.stream.index, options.folder),
  );
  const tracks = isMp4 ? wanted : [...wanted, ...others];
  // Without cues FFmpeg finds a place in Matroska by reading everything before it.
  const canSeek = file === null || file.cuesAt !== null;
  extractByPass(input, tracks, { ...options, fromMs: canSeek ? options.fromMs : 0, isMp4 }, checkTime);
  return { made: tracks.map(({ stream }) => stream.index), way: 'pass' };
}

function showableTracks(input: OpenedInput, file: MatroskaFile | null): Track[] {
  return input.streams.flatMap((stream): Track[] => {
    if (stream.codecpar.codecType !== AVMEDIA_TYPE_SUBTITLE) return [];
    const number = file && matroskaTrackNumber(input, file, stream.index);
    const codecId = file?.tracks.find((track) => track.number === number)?.codecId;
    // FFmpeg knows WebVTT by the name that WebM gives it, and not by Matroska's own.
    const codec = codecId === PLAIN_WEB_VTT ? 'webvtt' : (avGetCodecName(stream.codecpar.codecId) ?? '');
    return isTextSubtitle(codec) || pictureSubtitleKind(codec) !== null
      ? [{ stream, codec, isBareText: codecId === PLAIN_WEB_VTT }]
      : [];
  });
}

const PLAIN_WEB_VTT = 'S_TEXT/WEBVTT';

function isBegun(index: number, folder: string): boolean {
  return ['done', 'vtt', 'pics'].some((ending) => existsSync(join(folder, `t${index}.${ending}`)));
}

function openSink({ stream, codec }: Track, folder: string): SubtitleSink {
  const { extradata, width, height } = stream.codecpar;
  const facts = { folder, id: `t${stream.index}`, codec, extradata };
  const kind = pictureSubtitleKind(codec);
  return kind === null ? textSink(facts) : pictureSink(facts, pictureDecoder(kind, extradata, { width, height }));
}

function extractByIndex(
  input: OpenedInput,
  { source, file }: { readonly source: ByteSource; readonly file: MatroskaFile },
  wanted: readonly Track[],
  options: SubtitleOptions,
  checkTime: () => void,
): boolean {
  const numbers = wanted.map(({ stream }) => matroskaTrackNumber(input, file, stream.index));
  if (numbers.includes(null)) return false;
  const unpackers = trackUnpackers(source, file);
  const cues = subtitleCues(source, file, new Set(numbers as number[]));
  if (!cues || numbers.some((number) => !unpackers.get(number!))) return false;
  for (const [at, track] of wanted.entries()) {
    const points = cues.get(numbers[at]!)!;
    if (!isComplete(track.stream, points)) return false;
  }
  if (wanted.some(({ codec, isBareText }) => codec === 'webvtt' && !isBareText)) return false;
  for (const [at, track] of wanted.entries()) {
    const unpack = unpackers.get(numbers[at]!)!;
    readTrack(
      { source, file, track, number: numbers[at]!, unpack, points: cues.get(numbers[at]!)! },
      options,
      checkTime,
    );
  }
  return true;
}

/** Writers say in a tag how many blocks a track has: an index with fewer leaves some out. */
function isComplete(stream: Stream, points: readonly SubtitleCuePoint[]): boolean {
  const tags = Object.entries(stream.metadata?.getAll() ?? {});
  const count = Number(tags.find(([name]) => /^number_of_frames/i.test(name))?.[1] ?? 0);
  return points.length >= count;
}

function readTrack(
  read: {
    readonly source: ByteSource;
    readonly file: MatroskaFile;
    readonly track: Track;
    readonly number: number;
    readonly unpack: NonNullable<Unpack>;
    readonly points: readonly SubtitleCuePoint[];
  },
  { folder, startMs, fromMs }: SubtitleOptions,
  checkTime: () => void,
): void {
  const { source, file, track, number, unpack, points } = read;
  const toUs = (ticks: number): number => (ticks * file.tickNs) / 1_000;
  const fromTicks = ((Math.max(0, fromMs - SEEK_MARGIN_MS) + startMs) * 1e6) / file.tickNs;
  // Signs may show for as long as a scene, and the index says so.
  const { first, later } = inReadingOrder(points, fromTicks, isStyledSubtitle(track.codec));
  const sink = openSink(track, folder);
  const readPoints = (some: readonly SubtitleCuePoint[], spanFromMs: number): void => {
    for (const point of some) {
      checkTime();
      const block = readBlock(source, point, number);
      const payload = block && unpacked(block.payload, unpack);
      const startUs = toUs(point.timeTicks) - startMs * 1_000;
      const lengthUs = toUs(block?.durationTicks ?? 0);
      const endUs = lengthUs > 0 && lengthUs < LONGEST_US ? startUs + lengthUs : Number.NaN;
      if (payload) sink.take(payload, startUs, endUs);
      if (startUs / 1_000 > spanFromMs) sink.reached?.([spanFromMs, Math.floor(startUs / 1_000)]);
    }
  };
  // What was read within the margin began before it, or it would not show at the place.
  const spanFromMs = later.length === 0 ? 0 : fromMs;
  readPoints(first, spanFromMs);
  sink.reached?.([spanFromMs, TO_THE_END_MS]);
  readPoints(later, 0);
  sink.finish();
}

function unpacked(payload: Buffer, unpack: NonNullable<Unpack>): Buffer | null {
  try {
    return unpack(payload);
  } catch {
    return null; // damaged, or larger than any subtitle
  }
}

function extractByPass(
  input: OpenedInput,
  tracks: readonly Track[],
  { folder, startMs, fromMs, isMp4 }: SubtitleOptions & { readonly isMp4: boolean },
  checkTime: () => void,
): void {
  const pace = paceStream(input);
  for (const stream of input.streams) {
    // Of one other track the keyframes are kept: without them FFmpeg would read on to the next subtitle, which may be gigabytes away, in
    // one call that no time limit can end.
    stream.discard = stream === pace && !isMp4 ? AVDISCARD_NONKEY : AVDISCARD_ALL;
  }
  for (const { stream } of tracks) stream.discard = AVDISCARD_DEFAULT;

  const begin = Math.max(0, fromMs - SEEK_MARGIN_MS);
  const isSought = begin > 0 && pace !== undefined && seek(input, pace, begin + startMs);
  const sinks = new Map(tracks.map((track) => [track.stream.index, openSink(track, folder)]));
  const spanFromMs = isSought ? fromMs : 0;
  readPackets(input, sinks, { startMs, spanFromMs, untilMs: Infinity }, checkTime);
  for (const sink of sinks.values()) sink.reached?.([spanFromMs, TO_THE_END_MS]);
  // What lies before the place where somebody watches comes last, up to where the reading began.
  if (isSought && seek(input, pace, startMs)) {
    readPackets(input, sinks, { startMs, spanFromMs: 0, untilMs: begin }, checkTime);
  }
  for (const sink of sinks.values()) sink.finish();
}

function paceStream(input: OpenedInput): Stream | undefined {
  return (
    input.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_VIDEO) ??
    input.streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_AUDIO)
  );
}

function seek(input: OpenedInput, stream: Stream, fileMs: number): boolean {
  const { num, den } = stream.timeBase;
  const ticks = BigInt(Math.floor((fileMs * den) / num / 1_000));
  return input.context.seekFrameSync(stream.index, ticks, AVSEEK_FLAG_BACKWARD) >= 0;
}

function readPackets(
  input: OpenedInput,
  sinks: ReadonlyMap<number, SubtitleSink>,
  { startMs, spanFromMs, untilMs }: { readonly startMs: number; readonly spanFromMs: number; readonly untilMs: number },
  checkTime: () => void,
): void {
  const scales = new Map(input.streams.map(({ index, timeBase }) => [index, (timeBase.num * 1e6) / timeBase.den]));
  using packet = new Packet();
  packet.alloc();
  while (input.context.readFrameSync(packet) >= 0) {
    checkTime();
    const toUs = scales.get(packet.streamIndex) ?? 0;
    const sink = sinks.get(packet.streamIndex);
    if (packet.pts !== AV_NOPTS_VALUE) {
      const startUs = Number(packet.pts) * toUs - startMs * 1_000;
      const lengthUs = Number(packet.duration) * toUs;
      const endUs = lengthUs > 0 && lengthUs < LONGEST_US ? startUs + lengthUs : Number.NaN;
      if (startUs > untilMs * 1_000) {
        packet.unref();
        break;
      }
      sink?.take(packet.data ?? new Uint8Array(0), startUs, endUs);
      const reachedMs = Math.floor(startUs / 1_000) - LATE_MS;
      if (reachedMs > spanFromMs) for (const one of sinks.values()) one.reached?.([spanFromMs, reachedMs]);
    }
    packet.unref();
    for (const one of sinks.values()) one.flushIfDue();
  }
}

/** Fonts that the file brings: attachments of Matroska, taken for what their first bytes say. */
function writeFonts(input: OpenedInput, folder: string): void {
  let total = 0;
  for (const { index, codecpar } of input.streams) {
    const bytes =
      codecpar.extradataSize > 0 && codecpar.codecType !== AVMEDIA_TYPE_SUBTITLE ? codecpar.extradata : null;
    if (!bytes || bytes.length > MAX_FONT_BYTES || fontType(bytes) === null) continue;
    total += bytes.length;
    if (total > MAX_FONTS_BYTES) return;
    const path = join(folder, `f${index}`);
    if (existsSync(path)) continue;
    writeFileSync(`${path}.new`, bytes, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
