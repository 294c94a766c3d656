/** What a probe reads out of Matroska and MP4 files itself, because FFmpeg's interface does not hand it out. */
import type { OpenedInput } from './input.ts';
import type { ByteSource } from './byte-source.ts';
import type { RawChapter } from './chapters.ts';
import { frameTiming } from './frame-timing.ts';
import type { FrameTiming } from './frame-timing.ts';
import { matroskaKeyframeBytes, mp4KeyframeBytes } from './keyframe-sizes.ts';
import { matroskaKeyframesUs, matroskaTrackNumber, mp4KeyframesUs } from './keyframes.ts';
import { blocksFrom, clusterNear, readCues, readLastBlockTicks, readMatroska } from './matroska.ts';
import type { Cue, MatroskaFile, MatroskaTrack } from './matroska.ts';
import { readMp4 } from './mp4.ts';
import type { Mp4File, Mp4Track } from './mp4.ts';
import { fragmentWalk, hasVariableDurations, hasVariableFragment, segmentIndexEndUs } from './mp4-samples.ts';
import { MediaError } from '#engine/media/media-failure.ts';

/** Blocks read to find where each track begins. Tracks that begin later do not decide where the movie begins. */
const MAX_START_BLOCKS = 300;
/** Pictures looked at in each place of the file to see whether the frame rate varies. */
const WINDOW_PICTURES = 40;
/** Where the file states no frame rate, its beginning must also tell the average. */
const UNSTATED_WINDOW_PICTURES = 1000;
const BLOCKS_PER_PICTURE = 15;
const FURTHER_WINDOWS = [0.35, 0.7];
/** A fragmented file without an index is walked box by box; on slow storage that must end. */
const FRAGMENT_WALK_LIMIT_MS = 2000;

export interface ContainerFacts {
  readonly chapters: readonly RawChapter[];
  /** File time at which the first picture or sound is shown; `null`: ask FFmpeg. */
  readonly startUs: number | null;
  /** File time at which the last one ends; `null`: ask FFmpeg. */
  readonly endUs: number | null;
  /** Doctype of Matroska files. */
  readonly docType: string | null;
  languageTag(streamIndex: number): string | null;
  /** `null`: the container does not say. */
  isInterlaced(streamIndex: number): boolean | null;
  timing(streamIndex: number, hasFrameCount: boolean): FrameTiming | null;
  /** Codec id of Matroska, for codecs that FFmpeg has no name for. */
  codecId(streamIndex: number): string | null;
  /** File times; `null`: no index. */
  keyframesUs(streamIndex: number): readonly number[] | null;
  /** Bytes from each of that many keyframes to the next; `null`: the index does not say. */
  keyframeBytes(streamIndex: number, keyframes: number): readonly number[] | null;
}

const NOTHING: ContainerFacts = {
  chapters: [],
  startUs: null,
  endUs: null,
  docType: null,
  languageTag: () => null,
  isInterlaced: () => null,
  timing: () => null,
  codecId: () => null,
  keyframesUs: () => null,
  keyframeBytes: () => null,
};

/** Never fails because of what the file says: what cannot be read is simply not known. I/O failures are thrown. */
export function readContainerFacts(input: OpenedInput, source: ByteSource): ContainerFacts {
  return orNothing(NOTHING, () => {
    if (input.demuxer === 'matroska,webm') {
      const file = readMatroska(source);
      return file === null ? NOTHING : matroskaFacts(input, source, file);
    }
    if (input.demuxer.startsWith('mov')) {
      const file = readMp4(source);
      return file === null ? NOTHING : mp4Facts(input, source, file);
    }
    return NOTHING;
  });
}

/** Damaged structures surface as `RangeError`, absurd ones as `tooComplex`; FFmpeg has opened the file all the same. */
function orNothing<T>(nothing: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || (error instanceof MediaError && error.failure === 'tooComplex')) return nothing;
    throw error;
  }
}

function matroskaFacts(input: OpenedInput, source: ByteSource, file: MatroskaFile): ContainerFacts {
  const trackOf = (streamIndex: number): MatroskaTrack | null => {
    const number = matroskaTrackNumber(input, file, streamIndex);
    return number === null ? null : (file.tracks.find((track) => track.number === number) ?? null);
  };
  const cues = new Map<number, readonly Cue[] | null>();
  const cuesOf = (trackNumber: number): readonly Cue[] | null => {
    const known = cues.get(trackNumber);
    if (known !== undefined) return known;
    const read = readCues(source, file, trackNumber);
    cues.set(trackNumber, read);
    return read;
  };
  const startTicks = orNothing(null, () => firstShownTicks(source, file));
  const toUs = (ticks: number): number => Math.round((ticks * file.tickNs) / 1000);
  const endTicks = file.durationTicks ?? orNothing(null, () => readLastBlockTicks(source, file));
  return {
    chapters: file.chapters,
    startUs: startTicks === null ? null : toUs(startTicks),
    endUs: endTicks === null ? null : toUs(endTicks),
    docType: file.docType,
    languageTag: (index) => trackOf(index)?.languageBcp47 ?? null,
    isInterlaced: (index) => (trackOf(index)?.isInterlaced === true ? true : null),
    codecId: (index) => trackOf(index)?.codecId ?? null,
    keyframesUs: (index) => {
      const track = trackOf(index);
      return track === null ? null : orNothing(null, () => matroskaKeyframesUs(source, file, cuesOf(track.number)));
    },
    keyframeBytes: (index, keyframes) => {
      const track = trackOf(index);
      if (track === null) return null;
      return orNothing(null, () => matroskaKeyframeBytes(source, file, cuesOf(track.number), keyframes));
    },
    timing: (index, hasFrameCount) => {
      const track = trackOf(index);
      if (track === null) return null;
      return orNothing(null, () => matroskaTiming({ source, file, track, cuesOf, hasFrameCount }));
    },
  };
}

/** Earliest first block of any picture or sound track. The delay of an audio codec is priming, which is never shown. */
function firstShownTicks(source: ByteSource, file: MatroskaFile): number | null {
  if (file.firstClusterAt === null) return null;
  const waiting = new Set(file.tracks.filter((t) => t.type === 1 || t.type === 2).map((t) => t.number));
  let first: number | null = null;
  let seen = 0;
  for (const block of blocksFrom(source, file.firstClusterAt)) {
    if (waiting.delete(block.trackNumber)) first = Math.min(first ?? Infinity, block.timeTicks);
    seen += 1;
    if (waiting.size === 0 || seen >= MAX_START_BLOCKS) break;
  }
  return first;
}

interface TimingRequest {
  readonly source: ByteSource;
  readonly file: MatroskaFile;
  readonly track: MatroskaTrack;
  readonly cuesOf: (trackNumber: number) => readonly Cue[] | null;
  /** Whether the file counts its frames: then its stated rate can be believed. */
  readonly hasFrameCount: boolean;
}

/** The beginning tells most; where nothing vouches for the stated rate, two more places are looked at. */
function matroskaTiming({ source, file, track, cuesOf, hasFrameCount }: TimingRequest): FrameTiming | null {
  if (file.firstClusterAt === null) return null;
  const ticksPerSecond = 1e9 / file.tickNs;
  const stated = track.defaultDurationNs === null ? null : 1e9 / track.defaultDurationNs;
  const pictures = stated === null ? UNSTATED_WINDOW_PICTURES : WINDOW_PICTURES;
  const windows = [pictureTimes(source, file.firstClusterAt, { trackNumber: track.number, pictures })];
  const head = frameTiming(windows, ticksPerSecond);
  const differs = (rate: number | null): boolean =>
    stated !== null && rate !== null && Math.abs(rate / stated - 1) > 0.05 && stated < ticksPerSecond / 4;
  if (head.isVariable || differs(head.framesPerSecond)) return { ...head, isVariable: true };
  if (hasFrameCount && stated !== null) return head;
  const cues = cuesOf(track.number) ?? [];
  for (const fraction of FURTHER_WINDOWS) {
    const cue = cues[Math.floor(cues.length * fraction)];
    const clusterAt = cue?.clusterAt ?? clusterNear(source, file, Math.floor(source.sizeBytes * fraction));
    if (clusterAt === null || clusterAt === file.firstClusterAt) continue;
    windows.push(pictureTimes(source, clusterAt, { trackNumber: track.number, pictures: WINDOW_PICTURES }));
  }
  const { isVariable } = frameTiming(windows, ticksPerSecond);
  return { ...head, isVariable };
}

function pictureTimes(
  source: ByteSource,
  clusterAt: number,
  { trackNumber, pictures }: { trackNumber: number; pictures: number },
): number[] {
  const times: number[] = [];
  let seen = 0;
  for (const block of blocksFrom(source, clusterAt)) {
    if (block.trackNumber === trackNumber) times.push(block.timeTicks);
    seen += 1;
    if (times.length >= pictures || seen >= pictures * BLOCKS_PER_PICTURE) break;
  }
  return times;
}

function mp4Facts(input: OpenedInput, source: ByteSource, file: Mp4File): ContainerFacts {
  const trackOf = (streamIndex: number): Mp4Track | null => {
    const id = input.streams[streamIndex]?.id;
    return file.tracks.find((track) => track.id === id) ?? null;
  };
  const fragmented = file.isFragmented ? orNothing(null, () => fragmentedFacts(input, source, file)) : null;
  return {
    chapters: file.chapters,
    startUs: null,
    endUs: fragmented?.endUs ?? null,
    docType: null,
    languageTag: (index) => trackOf(index)?.languageTag ?? null,
    isInterlaced: (index) => trackOf(index)?.isInterlaced ?? null,
    codecId: () => null,
    keyframesUs: (index) => {
      if (fragmented !== null && fragmented.streamIndex === index && fragmented.keyframesUs !== null) {
        return fragmented.keyframesUs;
      }
      const track = trackOf(index);
      return track === null ? null : orNothing(null, () => mp4KeyframesUs(source, file, track.id));
    },
    keyframeBytes: (index, keyframes) => {
      const track = trackOf(index);
      return track === null ? null : orNothing(null, () => mp4KeyframeBytes(file, track.id, keyframes));
    },
    timing: (index) => {
      const track = trackOf(index);
      if (track === null) return null;
      const varies = orNothing(false, () =>
        file.isFragmented ? hasVariableFragment(source, file, track) : hasVariableDurations(track),
      );
      return { framesPerSecond: null, isVariable: varies };
    },
  };
}

interface FragmentedFacts {
  readonly streamIndex: number;
  readonly endUs: number | null;
  readonly keyframesUs: readonly number[] | null;
}

/** Length and keyframes of a file whose `moov` says neither: from its segment index, else from its fragments' headers. */
function fragmentedFacts(input: OpenedInput, source: ByteSource, file: Mp4File): FragmentedFacts | null {
  const stream =
    input.streams.find((s) => s.codecpar.codecType === 0) ?? input.streams.find((s) => s.codecpar.codecType === 1);
  const track = file.tracks.find((t) => t.id === stream?.id);
  if (stream === undefined || track === undefined) return null;
  const indexEndUs = segmentIndexEndUs(source, file, track);
  if (indexEndUs !== null) return { streamIndex: stream.index, endUs: indexEndUs, keyframesUs: null };
  const endsAt = performance.now() + FRAGMENT_WALK_LIMIT_MS;
  const walk = fragmentWalk(source, file, track, () => performance.now() > endsAt);
  return walk === null ? null : { streamIndex: stream.index, endUs: walk.endUs, keyframesUs: walk.syncTimesUs };
}
