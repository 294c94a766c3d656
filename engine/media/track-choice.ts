/** Which track plays when nobody chose one, and what tracks are called. Pure: the same file always gives the same answer. */
import type { AudioTrack, SubtitleTrack } from '#protocol/schema/media.ts';

/** Many files mark a commentary only in the track's title. Word beginnings in the languages seen most in file collections. */
const COMMENTARY_TITLE = /\b(comment(ary|aries|aire|ario|i)?|kommentar|coment[aá]rio)/i;
const DESCRIPTION_TITLE = /\b(audio ?descri|descriptive|hörfilm|visually impaired)/i;

/**
 * The audio track that plays when nobody chose one, `null` where there is none. In order: what the file marks as default and is the
 * movie's own sound; the first that is the movie's own sound; what the file marks as default; the first.
 */
export function chooseAudioTrack(tracks: readonly AudioTrack[]): AudioTrack | null {
  const own = tracks.filter((track) => !isCommentary(track) && !isDescription(track));
  return (
    own.find(({ disposition }) => disposition.default) ??
    own[0] ??
    tracks.find(({ disposition }) => disposition.default) ??
    tracks[0] ??
    null
  );
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
