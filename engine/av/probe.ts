/**
 * Everything that `MediaInfo` holds about one file, from as few reads as the file allows.
 *
 * Matroska, WebM and MP4 say nearly all in their headers, so FFmpeg's stream analysis, which decodes pictures, is left
 * out; what is missing comes from the codec headers and, for some sound formats, from one decoded packet. All other
 * containers, and codecs whose headers are not read here, get the analysis.
 */
import {
  AVMEDIA_TYPE_ATTACHMENT,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
  AV_NOPTS_VALUE,
} from 'node-av/constants';
import { avGetCodecName } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import type {
  Attachment,
  AudioTrack,
  Container,
  MediaInfo,
  SubtitleTrack,
  VideoTrack,
} from '#protocol/schema/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { describeAudio, wantsDecodedSound } from './audio-track.ts';
import { ByteSource } from './byte-source.ts';
import { toChapters } from './chapters.ts';
import { cleanText } from './clean-text.ts';
import { readContainerFacts } from './container-facts.ts';
import type { ContainerFacts } from './container-facts.ts';
import { isCover, readFirstPackets } from './first-packets.ts';
import type { FirstPackets } from './first-packets.ts';
import { frameTiming } from './frame-timing.ts';
import type { FrameTiming } from './frame-timing.ts';
import { openInput } from './input.ts';
import { onMovieTimeline } from './keyframes.ts';
import type { OpenedInput } from './input.ts';
import { codecStringOf, lowerCaseTags, statistic, trackBase } from './track-base.ts';
import type { TrackTags } from './track-base.ts';
import { describeVideo, hasReadableHeader, headerOf, wantsDecodedPicture, wantsFirstPacket } from './video-track.ts';
import type { ParsedHeader } from './video-track.ts';

const CONTAINER_OF: Readonly<Record<string, Container>> = {
  mpegts: 'mpegts',
  mpeg: 'mpegps',
  avi: 'avi',
  asf: 'asf',
  flv: 'flv',
  ogg: 'ogg',
};
/** Bytes of index and headers that one probe reads by itself, beside what FFmpeg reads. */
const BUDGET_BYTES = 160 << 20;
const ANALYSIS_PICTURES = 60;
/** A thousand hours: longer is a false claim. */
const MAX_DURATION_US = 1000 * 3600 * 1e6;
const TEXT_SUBTITLES: ReadonlySet<string> = new Set(
  (
    'subrip srt ass ssa webvtt mov_text text ttml eia_608 sami microdvd stl subviewer subviewer1 mpl2 jacosub ' +
    'realtext vplayer pjs hdmv_text_subtitle'
  ).split(' '),
);

export interface Probe {
  readonly media: MediaInfo;
  /** Keyframes of the first video track, as `findKeyframes` would give them; `null`: the container has no index. */
  readonly keyframesUs: Float64Array | null;
  /** Bytes from each keyframe to the next, of the track or (Matroska) of all tracks together; `null`: the index does not say. */
  readonly keyframeBytes: Float64Array | null;
}

/** Throws `MediaError`; `noTracks` where there is neither picture nor sound, `truncated` where no track says what it is. */
export function probe(path: string): Probe {
  using input = openInput(path);
  using source = new ByteSource(path, { budgetBytes: BUDGET_BYTES });
  const facts = readContainerFacts(input, source);
  const isAnalyzed = needsAnalysis(input);
  if (isAnalyzed) input.analyze();

  const headers = new Map<number, ParsedHeader>();
  const of = (type: number): Stream[] =>
    input.streams.filter((stream) => stream.codecpar.codecType === type && !isCover(stream));
  for (const stream of of(AVMEDIA_TYPE_VIDEO)) headers.set(stream.index, headerOf(stream, null));
  const first = readFirstPackets(input, {
    packetOf: indices(of(AVMEDIA_TYPE_VIDEO), (s) => wantsFirstPacket(s, headers.get(s.index) ?? { kind: 'none' })),
    soundOf: isAnalyzed ? new Set() : indices(of(AVMEDIA_TYPE_AUDIO), wantsDecodedSound),
    pictureOf: isAnalyzed ? indices(of(AVMEDIA_TYPE_VIDEO), wantsDecodedPicture) : new Set(),
    timesOf: wantedTimes(input, of(AVMEDIA_TYPE_VIDEO)),
  });
  for (const [index, packet] of first.packets) {
    const stream = input.streams[index];
    if (stream !== undefined && headers.get(index)?.kind === 'none') headers.set(index, headerOf(stream, packet));
  }

  const times = movieTimes(input, facts, isAnalyzed);
  const media = describe(input, { facts, first, headers, times });
  if (media.video.length === 0 && media.audio.length === 0) throw new MediaError('noTracks', 'no picture, no sound');
  // FFmpeg makes tracks of an index that ends in the middle, and knows nothing of them.
  const isSaid = media.video.some(({ codec, width }) => codec !== 'unknown' || width > 0);
  if (!isSaid && media.audio.every(({ codec }) => codec === 'unknown')) {
    throw new MediaError('truncated', 'no track says what it is');
  }
  const trackIndex = media.video[0]?.index;
  const fileTimesUs = trackIndex === undefined ? null : facts.keyframesUs(trackIndex);
  const keyframesUs =
    fileTimesUs === null || fileTimesUs.length === 0 ? null : onMovieTimeline(fileTimesUs, times.startMs * 1000);
  const bytes =
    keyframesUs === null || trackIndex === undefined || keyframesUs.length !== fileTimesUs?.length
      ? null
      : facts.keyframeBytes(trackIndex, keyframesUs.length);
  return { media, keyframesUs, keyframeBytes: bytes && Float64Array.from(bytes) };
}

function indices(streams: readonly Stream[], isWanted: (stream: Stream) => boolean): Set<number> {
  return new Set(streams.filter(isWanted).map((stream) => stream.index));
}

function needsAnalysis(input: OpenedInput): boolean {
  const saysAll = input.demuxer === 'matroska,webm' || input.demuxer.startsWith('mov');
  if (!saysAll) return true;
  return input.streams.some(
    (stream) => stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO && !isCover(stream) && !hasReadableHeader(stream),
  );
}

/** After an analysis the first packets lie in memory anyway. AVI has no times, only a rate. */
function wantedTimes(input: OpenedInput, videos: readonly Stream[]): Map<number, number> {
  const isWanted = ['mpegts', 'mpeg', 'flv', 'asf'].includes(input.demuxer);
  return new Map(isWanted ? videos.map((stream) => [stream.index, ANALYSIS_PICTURES]) : []);
}

interface MovieTimes {
  /** Rounded down, so that nothing in the movie lies before its beginning. */
  readonly startMs: number;
  readonly durationMs: number | null;
}

function movieTimes(input: OpenedInput, facts: ContainerFacts, isAnalyzed: boolean): MovieTimes {
  const known = input.context.startTime === AV_NOPTS_VALUE ? null : Number(input.context.startTime);
  const startUs = facts.startUs ?? (isAnalyzed ? known : streamsStartUs(input)) ?? 0;
  const startMs = Math.floor(startUs / 1000);
  let durationUs: number | null = null;
  if (facts.endUs !== null) durationUs = facts.endUs - Math.max(0, startUs);
  else if (input.context.duration !== AV_NOPTS_VALUE) durationUs = Number(input.context.duration);
  else durationUs = streamsEndUs(input, startUs);
  if (durationUs === null || durationUs > MAX_DURATION_US) return { startMs, durationMs: null };
  // Less than half a millisecond is no duration.
  return { startMs, durationMs: Math.max(0, Math.round(durationUs / 1000)) || null };
}

function streamTimes(input: OpenedInput): { startUs: number; endUs: number | null }[] {
  return input.streams.flatMap((stream) => {
    const type = stream.codecpar.codecType;
    if ((type !== AVMEDIA_TYPE_VIDEO && type !== AVMEDIA_TYPE_AUDIO) || isCover(stream)) return [];
    const toUs = (ticks: bigint): number => (Number(ticks) * stream.timeBase.num * 1e6) / stream.timeBase.den;
    const startUs = stream.startTime === AV_NOPTS_VALUE ? 0 : toUs(stream.startTime);
    return [{ startUs, endUs: stream.duration === AV_NOPTS_VALUE ? null : startUs + toUs(stream.duration) }];
  });
}

function streamsStartUs(input: OpenedInput): number | null {
  const starts = streamTimes(input).map((time) => time.startUs);
  return starts.length === 0 ? null : Math.round(Math.min(...starts));
}

function streamsEndUs(input: OpenedInput, startUs: number): number | null {
  const ends = streamTimes(input).flatMap((time) => (time.endUs === null ? [] : [time.endUs]));
  return ends.length === 0 ? null : Math.round(Math.max(...ends) - startUs);
}

interface Findings {
  readonly facts: ContainerFacts;
  readonly first: FirstPackets;
  readonly headers: ReadonlyMap<number, ParsedHeader>;
  readonly times: MovieTimes;
}

function describe(input: OpenedInput, { facts, first, headers, times }: Findings): MediaInfo {
  const video: VideoTrack[] = [];
  const audio: AudioTrack[] = [];
  const subtitles: SubtitleTrack[] = [];
  const attachments: Attachment[] = [];
  for (const stream of input.streams) {
    const tags: TrackTags = {
      tags: lowerCaseTags(stream.metadata?.getAll() ?? {}),
      languageTag: facts.languageTag(stream.index),
      matroskaCodecId: facts.codecId(stream.index),
    };
    const type = stream.codecpar.codecType;
    if (isCover(stream)) {
      attachments.push(describeCover(stream, tags, first.coverSizesBytes.get(stream.index) ?? 0));
    } else if (type === AVMEDIA_TYPE_VIDEO) {
      const track = describeVideo(stream, {
        parsed: headers.get(stream.index) ?? { kind: 'none' },
        first,
        tags,
        timing: timingOf(stream, facts, first, tags),
        containerSaysInterlaced: facts.isInterlaced(stream.index),
      });
      if (track === null) throw new MediaError('tooComplex', 'impossible picture size');
      video.push(track);
    } else if (type === AVMEDIA_TYPE_AUDIO) {
      audio.push(describeAudio(stream, tags, first.sounds.get(stream.index) ?? null));
    } else if (type === AVMEDIA_TYPE_SUBTITLE) {
      const base = trackBase(stream, tags);
      subtitles.push({
        ...base,
        profile: null,
        codecString: codecStringOf(stream, null),
        isText: TEXT_SUBTITLES.has(base.codec),
      });
    } else if (type === AVMEDIA_TYPE_ATTACHMENT) {
      attachments.push(describeAttachment(stream, tags));
    }
  }
  const durationS = times.durationMs === null ? null : times.durationMs / 1000;
  return {
    container: containerOf(input, facts),
    demuxer: input.demuxer,
    durationMs: times.durationMs,
    startMs: times.startMs,
    bitrateBps: durationS === null ? null : Math.round((input.sizeBytes * 8) / durationS),
    sizeBytes: input.sizeBytes,
    title: cleanText(lowerCaseTags(input.context.metadata?.getAll() ?? {})['title']),
    video,
    audio,
    subtitles,
    chapters: toChapters(facts.chapters, { startUs: times.startMs * 1000, durationMs: times.durationMs }),
    attachments,
  };
}

function containerOf(input: OpenedInput, facts: ContainerFacts): Container {
  if (input.demuxer === 'matroska,webm') return facts.docType === 'webm' ? 'webm' : 'matroska';
  if (input.demuxer.startsWith('mov')) return 'mp4';
  return CONTAINER_OF[input.demuxer] ?? 'audio';
}

function timingOf(stream: Stream, facts: ContainerFacts, first: FirstPackets, { tags }: TrackTags): FrameTiming | null {
  const times = first.times.get(stream.index);
  if (times === undefined) return facts.timing(stream.index, statistic(tags, 'number_of_frames') !== null);
  return frameTiming([times], stream.timeBase.den / stream.timeBase.num);
}

function describeCover(stream: Stream, { tags }: TrackTags, sizeBytes: number): Attachment {
  const codec = avGetCodecName(stream.codecpar.codecId) ?? '';
  const mimeTypes: Readonly<Record<string, string>> = {
    mjpeg: 'image/jpeg',
    png: 'image/png',
    webp: 'image/webp',
    bmp: 'image/bmp',
  };
  return {
    index: stream.index,
    fileName: cleanText(tags['filename']),
    mimeType: cleanText(tags['mimetype']) ?? mimeTypes[codec] ?? null,
    kind: 'cover',
    sizeBytes,
  };
}

function describeAttachment(stream: Stream, { tags }: TrackTags): Attachment {
  const fileName = cleanText(tags['filename']);
  const mimeType = cleanText(tags['mimetype']);
  const isFont = /font|opentype|truetype/iu.test(mimeType ?? '') || /\.(?:ttf|otf|ttc|woff2?)$/iu.test(fileName ?? '');
  return {
    index: stream.index,
    fileName,
    mimeType,
    kind: isFont ? 'font' : mimeType?.startsWith('image/') === true ? 'cover' : 'other',
    sizeBytes: stream.codecpar.extradataSize,
  };
}
