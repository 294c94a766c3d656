/** What the name of a subtitle file says: which video it belongs to, language, forced, default, for the hard of hearing. */
import { toLanguageTag } from '../language-tag.ts';
import { LANGUAGE_BY_NAME } from './languages.ts';
import { cut, wordSet } from './words.ts';

/** Endings of subtitle files that stand alone. `idx` belongs to a `sub` of the same name. */
export const SUBTITLE_EXTENSIONS: readonly string[] = ['srt', 'ass', 'ssa', 'vtt', 'sub', 'sup', 'smi', 'ttml'];

export interface SidecarName {
  /** Lower case ending. */
  readonly format: string;
  /** BCP 47, `null` where it says none. */
  readonly language: string | null;
  readonly isForced: boolean;
  readonly isDefault: boolean;
  readonly isHearingImpaired: boolean;
  /** What else it says, `null` where that is nothing. */
  readonly title: string | null;
}

const FORCED = wordSet('forced foreign');
const DEFAULT = wordSet('default');
const HEARING = wordSet('sdh cc');
const MAX_LENGTH = 400;

/**
 * Reads `name`, a file's name without its folder. `video` is the name of the video without its ending; what is behind it counts.
 * `null` tells that it is not known: then everything behind the first dot that is followed by nothing but words of subtitles.
 * `null` is the answer for a file that is no subtitle, or not of that video.
 */
export function sidecarNameOf(name: string, video: string | null): SidecarName | null {
  const text = cut(name.normalize('NFC'), MAX_LENGTH);
  const dot = text.lastIndexOf('.');
  const format = text.slice(dot + 1).toLowerCase();
  if (dot <= 0 || !SUBTITLE_EXTENSIONS.includes(format)) return null;
  const stem = text.slice(0, dot);
  const base = video?.normalize('NFC');
  if (base !== undefined && !isOf(stem, base)) return null;
  const parts = (base === undefined ? behindLastBracket(stem) : stem.slice(base.length))
    .split('.')
    .filter((part) => part.trim() !== '');
  return { format, ...readParts(parts) };
}

/** `Movie.en` is of `Movie`; `Movie 2.en` is not. */
function isOf(stem: string, video: string): boolean {
  if (stem.slice(0, video.length).toLowerCase() !== video.toLowerCase()) return false;
  const next = stem[video.length];
  return next === undefined || /[.\-_ [(]/.test(next);
}

/** Without the video's name: dots of the title stand before the first bracket's end, or there are none. */
function behindLastBracket(stem: string): string {
  const at = Math.max(stem.lastIndexOf(']'), stem.lastIndexOf(')'));
  const rest = stem.slice(at + 1);
  return rest.slice(Math.max(0, rest.indexOf('.')));
}

function readParts(parts: readonly string[]): Omit<SidecarName, 'format'> {
  let language: string | null = null;
  let [isForced, isDefault, isHearingImpaired] = [false, false, false];
  const rest: string[] = [];
  // From the end: the language stands last, and what comes before it is a title.
  for (const part of parts.map((one) => one.replace(/^\d{1,3}_/, '')).toReversed()) {
    const low = part
      .trim()
      .toLowerCase()
      .replace(/^[-_ [(]+|[\])]+$/g, '');
    if (FORCED.has(low)) isForced = true;
    else if (DEFAULT.has(low)) isDefault = true;
    else if (HEARING.has(low) || (low === 'hi' && language !== null)) isHearingImpaired = true;
    else if (language === null && languageOf(low) !== null) language = languageOf(low);
    else {
      const lead = /^([a-z]{2,3})-(.+)$/.exec(low);
      const led = lead?.[1] === undefined || languageOf(low) !== null ? null : languageOf(lead[1]);
      if (language === null && led !== null) {
        language = led;
        rest.unshift(part.trim().slice(lead![1]!.length + 1));
      } else rest.unshift(part.trim());
    }
  }
  return { language, isForced, isDefault, isHearingImpaired, title: rest.length === 0 ? null : rest.join('.') };
}

function languageOf(text: string): string | null {
  return (
    LANGUAGE_BY_NAME.get(text) ??
    (/^[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,2}$/.test(text) ? knownTag(text.replace(/_/g, '-')) : null)
  );
}

/** `toLanguageTag` takes any well-formed tag; here a word may as well be a title, so its language must be one that has a name. */
function knownTag(text: string): string | null {
  const tag = toLanguageTag(text);
  return tag !== null && isNamed(tag) ? tag : null;
}

const NAMES = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });

function isNamed(tag: string): boolean {
  try {
    return NAMES.of(tag) !== undefined;
  } catch {
    return false;
  }
}
