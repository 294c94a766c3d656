/** What tracks of all kinds have in common. */
import {
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_NONE,
  AV_DISPOSITION_COMMENT,
  AV_DISPOSITION_DEFAULT,
  AV_DISPOSITION_FORCED,
  AV_DISPOSITION_HEARING_IMPAIRED,
  AV_DISPOSITION_ORIGINAL,
  AV_DISPOSITION_VISUAL_IMPAIRED,
} from 'node-av/constants';
import type { AVCodecID, AVDisposition } from 'node-av/constants';
import { Codec, avGetCodecName, avGetCodecString } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import type { Disposition } from '#protocol/schema/media.ts';
import { toLanguageTag } from '#engine/media/language-tag.ts';
import { cleanText } from './clean-text.ts';

/** Codecs that FFmpeg demuxes without having a name for them, by Matroska's codec id. */
const MATROSKA_CODECS: Readonly<Record<string, string>> = { 'S_TEXT/WEBVTT': 'webvtt', 'S_TEXT/TTML': 'ttml' };
/** The wrapper around dav1d does not name its profiles (AV1 specification, table in annex A.2). */
const AV1_PROFILES = ['Main', 'High', 'Professional'];

/** A stream's tags with lower-case names, and what the container says beside them. */
export interface TrackTags {
  readonly tags: Readonly<Record<string, string>>;
  /** A BCP 47 tag of the container, which is more precise than the three-letter code. */
  readonly languageTag: string | null;
  readonly matroskaCodecId: string | null;
}

export interface TrackBase {
  readonly index: number;
  readonly codec: string;
  readonly language: string | null;
  readonly title: string | null;
  readonly disposition: Disposition;
  readonly bitrateBps: number | null;
}

export function trackBase(stream: Stream, { tags, languageTag, matroskaCodecId }: TrackTags): TrackBase {
  return {
    index: stream.index,
    codec: codecName(stream.codecpar.codecId, matroskaCodecId),
    language: toLanguageTag(languageTag) ?? toLanguageTag(tags['language']),
    // QuickTime keeps a track's name in a `name` atom, which FFmpeg hands out under that tag.
    title: cleanText(tags['title'] ?? tags['name']),
    disposition: dispositionOf(stream.disposition),
    bitrateBps: bitrateOf(stream, tags),
  };
}

/** Matroska writers suffix statistics tags with a language (`BPS-eng`); all names come in any case. */
export function lowerCaseTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value]));
}

/** A tag of mkvmerge's track statistics as a number, `null` where it is absent or none. */
export function statistic(tags: Readonly<Record<string, string>>, name: string): number | null {
  const text = tags[name] ?? Object.entries(tags).find(([key]) => key.startsWith(`${name}-`))?.[1];
  const value = Number(text);
  return text !== undefined && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function bitrateOf(stream: Stream, tags: Readonly<Record<string, string>>): number | null {
  const stated = Number(stream.codecpar.bitRate);
  return Number.isSafeInteger(stated) && stated > 0 ? stated : statistic(tags, 'bps');
}

function codecName(codecId: AVCodecID, matroskaCodecId: string | null): string {
  if (codecId !== AV_CODEC_ID_NONE) return avGetCodecName(codecId) ?? 'unknown';
  return (matroskaCodecId === null ? undefined : MATROSKA_CODECS[matroskaCodecId]) ?? 'unknown';
}

function dispositionOf(flags: AVDisposition): Disposition {
  const has = (flag: AVDisposition): boolean => (flags & flag) !== 0;
  return {
    default: has(AV_DISPOSITION_DEFAULT),
    forced: has(AV_DISPOSITION_FORCED),
    original: has(AV_DISPOSITION_ORIGINAL),
    commentary: has(AV_DISPOSITION_COMMENT),
    hearingImpaired: has(AV_DISPOSITION_HEARING_IMPAIRED),
    visualImpaired: has(AV_DISPOSITION_VISUAL_IMPAIRED),
  };
}

const profileNames = new Map<AVCodecID, ReadonlyMap<number, string>>();

/** FFmpeg's name of a profile, `null` where it has none. */
export function profileNameOf(codecId: AVCodecID, profile: number): string | null {
  if (codecId === AV_CODEC_ID_AV1) return AV1_PROFILES[profile] ?? null;
  let names = profileNames.get(codecId);
  if (names === undefined) {
    const profiles = Codec.findDecoder(codecId)?.profiles ?? [];
    names = new Map(profiles.flatMap((p) => (p.name === undefined ? [] : [[p.profile, p.name] as const])));
    profileNames.set(codecId, names);
  }
  return names.get(profile) ?? null;
}

/** RFC 6381. `ofHeader` is what the bitstream's header gives; FFmpeg forms none for HEVC, nor without extradata. */
export function codecStringOf(stream: Stream, ofHeader: string | null): string | null {
  const par = stream.codecpar;
  // In-band parameter sets are a sample entry of their own, which some players refuse.
  if (ofHeader !== null) return par.codecTagString === 'hev1' ? ofHeader.replace('hvc1', 'hev1') : ofHeader;
  const { num, den } = stream.avgFrameRate;
  const text = num > 0 && den > 0 ? avGetCodecString(par, { num, den }) : avGetCodecString(par);
  return text === null || text.length > 64 ? null : text;
}
