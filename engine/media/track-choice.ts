/** Which tracks play, and what tracks are called. Pure: the same question always gives the same answer. */
import type { AudioTrack, SubtitleTrack } from '#protocol/schema/media.ts';
import type { AudioReason, SubtitleReason } from '#protocol/schema/playback.ts';
import type { PlaybackPreferences } from '#protocol/schema/preferences.ts';

/** Many files mark a commentary only in the track's title. Word beginnings in the languages seen most in file collections. */
const COMMENTARY_TITLE = /\b(comment(ary|aries|aire|ario|i)?|kommentar|coment[aá]rio)/i;
const DESCRIPTION_TITLE = /\b(audio ?descri|descriptive|hörfilm|visually impaired)/i;

/** What a person likes to hear and read, as far as the choice of tracks goes. */
export type TrackPreferences = Pick<
  PlaybackPreferences,
  'prefersOriginalAudio' | 'prefersAudioDescription' | 'subtitleMode' | 'prefersHearingImpaired'
> & {
  /** BCP 47, best first; empty where nothing is known. */
  readonly spokenLanguages: readonly string[];
};

/** A choice that a person made, by what it means: another file of the movie has the same under another number. */
export interface AudioMeaning {
  readonly language: string | null;
  readonly kind: 'movie' | 'commentary' | 'description';
  readonly title: string | null;
}

/** `null` for none at all. */
export type SubtitleMeaning = {
  readonly language: string | null;
  readonly kind: 'full' | 'forced' | 'hearingImpaired' | 'commentary';
  /** As it was called in the list. */
  readonly label: string;
} | null;

/** What a person chose in this movie before; a property is absent where they chose nothing. */
export interface RememberedTracks {
  readonly audio?: AudioMeaning;
  readonly subtitle?: SubtitleMeaning;
}

/** Subtitles as far as the choice among them goes. */
export interface SubtitleCandidate {
  readonly id: string;
  readonly label: string;
  readonly language: string | null;
  readonly format: 'text' | 'styled' | 'pictures' | 'none';
  readonly source: 'embedded' | 'sidecar' | 'uploaded';
  readonly isForced: boolean;
  readonly isDefault: boolean;
  readonly isHearingImpaired: boolean;
  readonly isCommentary: boolean;
  /** How much later than their file says this person wants them; absent: as it says. */
  readonly offsetMs?: number;
}

export interface AudioQuestion {
  /** Those that can be heard: `audibleTracks`. */
  readonly tracks: readonly AudioTrack[];
  /** FFmpeg's number of the one that the person wants now; `null`: they did not say. */
  readonly chosen: number | null;
  readonly remembered: RememberedTracks;
  readonly preferences: TrackPreferences;
  /** The language in which the movie was made; `null` where that is not known. */
  readonly originalLanguage: string | null;
}

export interface AudioAnswer<T> {
  readonly track: T;
  readonly reason: AudioReason;
}

/**
 * The audio track that plays, and why; `null` where there is none. The first rule that finds one decides; the table is in
 * docs/playback.md. A commentary or a description is never taken by accident: only where it was chosen, where descriptions are
 * preferred, or where there is nothing else.
 */
export function chooseAudio(question: AudioQuestion): AudioAnswer<AudioTrack> | null {
  const { tracks, chosen, remembered, preferences, originalLanguage } = question;
  const only = (track: AudioTrack | undefined, reason: AudioReason): AudioAnswer<AudioTrack> | null =>
    track === undefined ? null : { track, reason };
  const own = tracks.filter((track) => audioKind(track) === 'movie');
  const described = tracks.filter((track) => audioKind(track) === 'description');
  const inLanguage = (among: readonly AudioTrack[], language: string): AudioTrack | undefined =>
    preferred(closest(among, language));
  const spoken = (among: readonly AudioTrack[]): AudioTrack | undefined =>
    firstOf(preferences.spokenLanguages, (language) => inLanguage(among, language));
  const original = (): AudioTrack | undefined =>
    preferred(own.filter(({ disposition }) => disposition.original)) ??
    (originalLanguage === null ? undefined : inLanguage(own, originalLanguage));
  return (
    only(
      tracks.find(({ index }) => index === chosen),
      'chosen',
    ) ??
    only(remembered.audio && recall(tracks, remembered.audio), 'remembered') ??
    only(preferences.prefersAudioDescription ? spoken(described) : undefined, 'audioDescription') ??
    only(preferences.prefersOriginalAudio ? original() : undefined, 'originalLanguage') ??
    only(spoken(own), 'spokenLanguage') ??
    only(
      own.find(({ disposition }) => disposition.default),
      'fileDefault',
    ) ??
    only(own[0], 'firstTrack') ??
    only(preferred(tracks), 'nothingElse')
  );
}

export interface SubtitleQuestion {
  readonly subtitles: readonly SubtitleCandidate[];
  /** The id of those that the person wants now, `null` for none; `undefined`: they did not say. */
  readonly chosen: string | null | undefined;
  readonly remembered: RememberedTracks;
  readonly preferences: TrackPreferences;
  /** The language that is heard; `null` where the file does not say. */
  readonly audioLanguage: string | null;
  /** Whether pictures can be shown, by the client or as a part of the film's picture. */
  readonly showsPictures: boolean;
}

export interface SubtitleAnswer<T> {
  /** `null` for none. */
  readonly subtitle: T | null;
  readonly reason: SubtitleReason;
}

/**
 * The subtitles that show, and why. The first rule that fits decides; the table is in docs/playback.md. Sound in a language that the
 * file does not name counts as understood: most such files are in the language of whoever has them.
 */
export function chooseSubtitle<T extends SubtitleCandidate>(
  question: Omit<SubtitleQuestion, 'subtitles'> & { readonly subtitles: readonly T[] },
): SubtitleAnswer<T> {
  const { chosen, remembered, preferences, audioLanguage } = question;
  const { spokenLanguages, subtitleMode } = preferences;
  const subtitles = question.subtitles.filter(
    ({ format }) => format !== 'none' && (format !== 'pictures' || question.showsPictures),
  );
  const none = (reason: SubtitleReason): SubtitleAnswer<T> => ({ subtitle: null, reason });
  const best = (language: string, kind: 'full' | 'forced'): T | undefined =>
    bestOf(closest(ofKind(subtitles, kind), language), preferences.prefersHearingImpaired);

  if (chosen === null) return none('chosen');
  const wanted = subtitles.find(({ id }) => id === chosen);
  if (wanted) return { subtitle: wanted, reason: 'chosen' };
  if (remembered.subtitle === null) return none('remembered');
  const recalled = remembered.subtitle && recallSubtitle(subtitles, remembered.subtitle);
  if (recalled) return { subtitle: recalled, reason: 'remembered' };
  if (subtitleMode === 'off') return none('turnedOff');

  const isUnderstood =
    audioLanguage === null ||
    spokenLanguages.length === 0 ||
    spokenLanguages.some((language) => likeness(language, audioLanguage) > 0);
  if (subtitleMode === 'always') {
    const languages = spokenLanguages.length > 0 ? spokenLanguages : audioLanguage === null ? [] : [audioLanguage];
    const always =
      firstOf(languages, (language) => best(language, 'full')) ??
      // Who has said nothing, of a file that says nothing.
      (languages.length > 0 ? undefined : bestOf(ofKind(subtitles, 'full'), preferences.prefersHearingImpaired));
    if (always) return { subtitle: always, reason: 'always' };
  } else if (subtitleMode === 'foreign' && !isUnderstood) {
    const foreign = firstOf(spokenLanguages, (language) => best(language, 'full'));
    if (foreign) return { subtitle: foreign, reason: 'audioForeign' };
  }
  // Forced subtitles translate what is foreign in the language that is heard; to others they are at least a part.
  const forced =
    isUnderstood && audioLanguage !== null
      ? best(audioLanguage, 'forced')
      : firstOf(spokenLanguages, (language) => best(language, 'forced'));
  if (forced) return { subtitle: forced, reason: 'forced' };
  return none(subtitleMode === 'foreign' && isUnderstood ? 'audioUnderstood' : 'noneFits');
}

/** A choice as it is remembered. */
export function audioMeaning(track: AudioTrack): AudioMeaning {
  return { language: track.language, kind: audioKind(track), title: track.title };
}

/** A choice as it is remembered. */
export function subtitleMeaning(subtitle: SubtitleCandidate | null): SubtitleMeaning {
  return subtitle && { language: subtitle.language, kind: subtitleKind(subtitle), label: subtitle.label };
}

function audioKind(track: AudioTrack): AudioMeaning['kind'] {
  if (isCommentary(track)) return 'commentary';
  return isDescription(track) ? 'description' : 'movie';
}

function subtitleKind(subtitle: SubtitleCandidate): NonNullable<SubtitleMeaning>['kind'] {
  if (subtitle.isCommentary) return 'commentary';
  if (subtitle.isForced) return 'forced';
  return subtitle.isHearingImpaired ? 'hearingImpaired' : 'full';
}

/** The track of the same kind and language; of several the one with the same title. */
function recall(tracks: readonly AudioTrack[], { language, kind, title }: AudioMeaning): AudioTrack | undefined {
  const alike = sameLanguage(
    tracks.filter((track) => audioKind(track) === kind),
    language,
  );
  return alike.find((track) => track.title === title) ?? preferred(alike);
}

function recallSubtitle<T extends SubtitleCandidate>(
  subtitles: readonly T[],
  { language, kind, label: name }: NonNullable<SubtitleMeaning>,
): T | undefined {
  const alike = sameLanguage(subtitles, language);
  const found = alike.filter((subtitle) => subtitleKind(subtitle) === kind);
  // Another file may have only the other kind of whole subtitles.
  const isWhole = kind === 'full' || kind === 'hearingImpaired';
  const others = isWhole ? bestOf(ofKind(alike, 'full'), kind === 'hearingImpaired') : undefined;
  return found.find((subtitle) => subtitle.label === name) ?? found.toSorted(bySuitability)[0] ?? others;
}

/** The whole dialogue or the foreign lines only. A commentary is neither. */
function ofKind<T extends SubtitleCandidate>(subtitles: readonly T[], kind: 'full' | 'forced'): T[] {
  return subtitles.filter((subtitle) => !subtitle.isCommentary && subtitle.isForced === (kind === 'forced'));
}

function bestOf<T extends SubtitleCandidate>(among: readonly T[], prefersHearingImpaired: boolean): T | undefined {
  const ranked = among.toSorted(bySuitability);
  return ranked.find(({ isHearingImpaired }) => isHearingImpaired === prefersHearingImpaired) ?? ranked[0];
}

/** What somebody handed in is meant to be read; text is drawn by every device; then what the file marks, then its order. */
function bySuitability(a: SubtitleCandidate, b: SubtitleCandidate): number {
  const rank = ({ source, format, isDefault }: SubtitleCandidate): number =>
    (source === 'uploaded' ? 0 : 4) + (format === 'pictures' ? 2 : 0) + (isDefault ? 0 : 1);
  return rank(a) - rank(b);
}

/** Marked as default by the file, else the first. */
function preferred(tracks: readonly AudioTrack[]): AudioTrack | undefined {
  return tracks.find(({ disposition }) => disposition.default) ?? tracks[0];
}

function firstOf<T>(languages: readonly string[], find: (language: string) => T | undefined): T | undefined {
  for (const language of languages) {
    const found = find(language);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Spoken {
  readonly language: string | null;
}

/** Those in this very language, or else in another kind of it: `pt` for `pt-BR`. */
function closest<T extends Spoken>(among: readonly T[], language: string): T[] {
  const rated = among.map((one) => [one, one.language === null ? 0 : likeness(one.language, language)] as const);
  const most = Math.max(0, ...rated.map(([, likely]) => likely));
  return most === 0 ? [] : rated.filter(([, likely]) => likely === most).map(([one]) => one);
}

const sameLanguage = <T extends Spoken>(among: readonly T[], language: string | null): T[] =>
  language === null ? among.filter((one) => one.language === null) : closest(among, language);

/** 2 for one language, 1 for two kinds of it (`pt-BR` and `pt-PT`), 0 for others. */
function likeness(a: string, b: string): 0 | 1 | 2 {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()];
  if (one === other) return 2;
  return one.split('-', 1)[0] === other.split('-', 1)[0] ? 1 : 0;
}

/** Tracks that can be heard at all: those of which the file says how they are coded. */
export function audibleTracks(tracks: readonly AudioTrack[]): AudioTrack[] {
  return tracks.filter(({ codec }) => codec !== 'none' && codec !== 'unknown');
}

export function isCommentary(track: AudioTrack): boolean {
  return track.disposition.commentary || COMMENTARY_TITLE.test(track.title ?? '');
}

/** Whether it also tells what is to be seen, for people who can't see it. */
export function isDescription(track: AudioTrack): boolean {
  return track.disposition.visualImpaired || DESCRIPTION_TITLE.test(track.title ?? '');
}

/** Names for people, one a track and no two the same: `English · 5.1`, `Français · Stereo · Commentary`. */
export function audioLabels(tracks: readonly AudioTrack[]): string[] {
  return distinct(
    tracks.map((track, index) => {
      const kind = isCommentary(track) ? 'Commentary' : isDescription(track) ? 'Audio description' : null;
      return label(track, `Audio ${index + 1}`, [channelsName(track.channels), kind]);
    }),
  );
}

/** Names for people, one a track and no two the same: `English · Forced`, `Deutsch · SDH`. */
export function subtitleLabels(tracks: readonly SubtitleTrack[]): string[] {
  return distinct(
    tracks.map((track, index) =>
      label(track, `Subtitles ${index + 1}`, [
        track.disposition.forced ? 'Forced' : null,
        track.disposition.hearingImpaired ? 'SDH' : null,
      ]),
    ),
  );
}

/** Text from a file on one line: without control characters, quotes that would end an attribute, or more than `maxLength` UTF-16 units. */
export function cleanText(text: string, maxLength = 100): string {
  const line = text
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    .replaceAll('"', '\u2019')
    .trim();
  return line
    .slice(0, maxLength)
    .replace(/[\uD800-\uDBFF]$/, '') // half a character
    .trim();
}

function label(track: AudioTrack | SubtitleTrack, fallback: string, facts: readonly (string | null)[]): string {
  const language = languageName(track.language);
  const title = cleanText(track.title ?? '');
  const parts = [language ?? (title || fallback), ...facts.filter((fact) => fact !== null)];
  // A title says more only where it is not made of what is said already.
  const said = parts.join(' ').toLowerCase();
  if (language !== null && title !== '' && !said.includes(title.toLowerCase())) parts.push(title);
  return parts.join(' · ');
}

/** A language in its own words (`Deutsch`, `português (Brasil)`), as people look for it; `null` where the tag names none. */
function languageName(tag: string | null): string | null {
  if (tag === null || tag === 'und') return null;
  try {
    const name = new Intl.DisplayNames([tag, 'en'], { type: 'language', fallback: 'none' }).of(tag);
    return name === undefined ? null : name.charAt(0).toUpperCase() + name.slice(1);
  } catch {
    return null; // not a well-formed tag
  }
}

function channelsName(channels: number): string | null {
  const names: Record<number, string> = { 1: 'Mono', 2: 'Stereo', 6: '5.1', 7: '6.1', 8: '7.1' };
  return names[channels] ?? (channels > 2 ? `${channels} channels` : null);
}

function distinct(labels: readonly string[]): string[] {
  const seen = new Set<string>();
  return labels.map((text) => {
    let name = text;
    for (let count = 2; seen.has(name); count++) name = `${text} (${count})`;
    seen.add(name);
    return name;
  });
}
