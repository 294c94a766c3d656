/**
 * HLS playlists as text (RFC 8216; version 7, which is what fragmented MP4 needs). Every media playlist is complete from the first
 * second: the plan says where segments begin before one of them exists.
 */
import type { SegmentPlan } from './segment-plan.ts';
import { cleanText } from './track-choice.ts';

export const PLAYLIST_MIME_TYPE = 'application/vnd.apple.mpegurl';

/** RFC 8216bis, section 4.4.6.2: how the values of the picture's transfer function are to be read. */
export type VideoRange = 'SDR' | 'HLG' | 'PQ';

export interface VariantStream {
  readonly uri: string;
  /** Highest bit rate of any segment together with the sound. */
  readonly peakBitrateBps: number;
  readonly averageBitrateBps: number;
  /** RFC 6381 strings of the picture and of every audio rendition; the attribute is left out where one is unknown. */
  readonly codecs: readonly (string | null)[];
  /** `null` where there is no picture. */
  readonly video: {
    /** `null` where unknown. */
    readonly size: { readonly widthPx: number; readonly heightPx: number } | null;
    /** `null` where unknown. */
    readonly framesPerSecond: number | null;
    readonly range: VideoRange;
    /** For players that know Dolby Vision: `dvh1.08.07/db1p`. */
    readonly supplementalCodecs: string | null;
  } | null;
}

export interface AudioRendition {
  readonly uri: string;
  readonly name: string;
  readonly language: string | null;
  readonly channels: number;
  readonly isDefault: boolean;
  /** Tells what is to be seen, for people who can't see it. */
  readonly isDescription: boolean;
}

export interface SubtitleRendition {
  readonly uri: string;
  readonly name: string;
  readonly language: string | null;
  /** Shows only what must be read by those who understand the sound. */
  readonly isForced: boolean;
  /** Also tells what is to be heard. */
  readonly isHearingImpaired: boolean;
  readonly isCommentary: boolean;
}

/** One small picture for each keyframe, for players that show pictures while somebody looks for a place. */
export interface PictureStream {
  readonly uri: string;
  readonly peakBitrateBps: number;
  readonly averageBitrateBps: number;
  readonly codec: string;
  readonly size: { readonly widthPx: number; readonly heightPx: number };
}

const AUDIO_GROUP = 'sound';
const SUBTITLE_GROUP = 'text';
const HEARING_CHARACTERISTICS =
  'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound';

/**
 * The multivariant playlist of the variants, the one to begin with first, and the renditions that go with each of them. Without
 * a picture there is one variant, which is the sound itself, and `audio` is empty. No subtitles are shown unless somebody chooses
 * them, or a player that goes by the language that its owner speaks.
 */
export function multivariantPlaylist(
  variants: readonly VariantStream[],
  audio: readonly AudioRendition[],
  subtitles: readonly SubtitleRendition[] = [],
  pictures: PictureStream | null = null,
): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS'];
  const names = new Set<string>();
  for (const rendition of audio) {
    lines.push(
      `#EXT-X-MEDIA:${attributes([
        ['TYPE', 'AUDIO'],
        ['GROUP-ID', quoted(AUDIO_GROUP)],
        ['NAME', quoted(uniqueName(rendition.name, names, 'Audio'))],
        ['LANGUAGE', isLanguageTag(rendition.language) ? quoted(rendition.language) : null],
        ['DEFAULT', rendition.isDefault ? 'YES' : 'NO'],
        // A player may choose by language; a description only when someone asks for one.
        ['AUTOSELECT', rendition.isDefault || !rendition.isDescription ? 'YES' : 'NO'],
        ['CHARACTERISTICS', rendition.isDescription ? quoted('public.accessibility.describes-video') : null],
        ['CHANNELS', quoted(String(rendition.channels))],
        ['URI', quoted(rendition.uri)],
      ])}`,
    );
  }
  const subtitleNames = new Set<string>();
  for (const rendition of subtitles) {
    const { language, isForced, isHearingImpaired, isCommentary } = rendition;
    lines.push(
      `#EXT-X-MEDIA:${attributes([
        ['TYPE', 'SUBTITLES'],
        ['GROUP-ID', quoted(SUBTITLE_GROUP)],
        ['NAME', quoted(uniqueName(rendition.name, subtitleNames, 'Subtitles'))],
        ['LANGUAGE', isLanguageTag(language) ? quoted(language) : null],
        ['DEFAULT', 'NO'],
        ['AUTOSELECT', isForced || !isCommentary ? 'YES' : 'NO'],
        ['FORCED', isForced ? 'YES' : 'NO'],
        ['CHARACTERISTICS', isHearingImpaired ? quoted(HEARING_CHARACTERISTICS) : null],
        ['URI', quoted(rendition.uri)],
      ])}`,
    );
  }
  for (const variant of variants) {
    const { video } = variant;
    const codecs = variant.codecs.every((codec) => codec !== null) ? [...new Set(variant.codecs)].join(',') : '';
    const average = Math.max(1, Math.round(variant.averageBitrateBps));
    lines.push(
      `#EXT-X-STREAM-INF:${attributes([
        ['BANDWIDTH', String(Math.max(average, Math.round(variant.peakBitrateBps)))],
        ['AVERAGE-BANDWIDTH', String(average)],
        ['CODECS', codecs ? quoted(codecs) : null],
        ['SUPPLEMENTAL-CODECS', video?.supplementalCodecs ? quoted(video.supplementalCodecs) : null],
        ['RESOLUTION', video?.size ? `${video.size.widthPx}x${video.size.heightPx}` : null],
        ['FRAME-RATE', video?.framesPerSecond ? video.framesPerSecond.toFixed(3) : null],
        ['VIDEO-RANGE', video && video.range],
        ['AUDIO', audio.length > 0 ? quoted(AUDIO_GROUP) : null],
        ['SUBTITLES', subtitles.length > 0 ? quoted(SUBTITLE_GROUP) : null],
        ['CLOSED-CAPTIONS', video && 'NONE'],
      ])}`,
      variant.uri,
    );
  }
  if (pictures) {
    const average = Math.max(1, Math.round(pictures.averageBitrateBps));
    lines.push(
      `#EXT-X-I-FRAME-STREAM-INF:${attributes([
        ['BANDWIDTH', String(Math.max(average, Math.round(pictures.peakBitrateBps)))],
        ['AVERAGE-BANDWIDTH', String(average)],
        ['CODECS', quoted(pictures.codec)],
        ['RESOLUTION', `${pictures.size.widthPx}x${pictures.size.heightPx}`],
        ['VIDEO-RANGE', 'SDR'],
        ['URI', quoted(pictures.uri)],
      ])}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The I-frame playlist of a plan of pictures: each a resource of its own, shown until the next (RFC 8216bis 4.4.3.6). */
export function picturePlaylist(plan: SegmentPlan): string {
  return mediaPlaylist(plan).replace('#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-I-FRAMES-ONLY');
}

/** The media playlist of subtitles: one WebVTT file for the whole movie, which is as long as the movie says. */
export function subtitlePlaylist(uri: string, durationUs: number): string {
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.round(durationUs / 1e6))}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXTINF:${decimal(Math.round(durationUs))},`,
    uri,
    '#EXT-X-ENDLIST',
  ];
  return `${lines.join('\n')}\n`;
}

/** The media playlist of a rendition: `init.mp4`, then `<n>.m4s` for each segment of its plan. */
export function mediaPlaylist(plan: SegmentPlan): string {
  const lengthsUs = Array.from(plan.subarray(1), (timeUs, index) => timeUs - plan[index]!);
  const longestS = lengthsUs.reduce((longest, lengthUs) => Math.max(longest, Math.round(lengthUs / 1e6)), 1);
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${longestS}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-MAP:URI="init.mp4"',
  ];
  // Whole microseconds, so that the sums by which players seek don't drift.
  for (const [index, lengthUs] of lengthsUs.entries()) lines.push(`#EXTINF:${decimal(lengthUs)},`, `${index}.m4s`);
  lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

function attributes(list: readonly (readonly [name: string, value: string | null])[]): string {
  return list.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])).join(',');
}

function quoted(text: string): string {
  return `"${cleanText(text, 500)}"`;
}

function uniqueName(wanted: string, taken: Set<string>, otherwise: string): string {
  const base = cleanText(wanted) || otherwise;
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base} (${count})`;
  taken.add(name);
  return name;
}

const isLanguageTag = (tag: string | null): tag is string =>
  tag !== null && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(tag);

/** Microseconds as seconds with six decimals, by whole numbers: 41708 → 0.041708. */
function decimal(timeUs: number): string {
  return `${Math.floor(timeUs / 1e6)}.${String(timeUs % 1e6).padStart(6, '0')}`;
}
