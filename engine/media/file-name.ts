/**
 * Title and year from the names of a file and the folders above it. Pure, total and quick: any text gives an answer, and
 * the work is linear in its length, which is cut at `MAX_LENGTH`.
 *
 * A name is read as words. The title ends at the year or at the first word that only release names use, whichever comes
 * first; what remains at its end and belongs to the release (language, cut, `PROPER`) is taken off as long as a title
 * remains. Where several words could be the year, one in parentheses wins, then the last before the format: that keeps
 * years that are part of a title (`2001 A Space Odyssey (1968)`, `Blade.Runner.2049.2017.1080p`).
 */
import {
  ARTICLES,
  COLLECTION_WORDS,
  CUT_WORDS,
  EDITION_PHRASES,
  GENERIC_STEM,
  LANGUAGE_WORDS,
  NEVER_LAST,
  STRONG_PAIRS,
  STRONG_WORDS,
  STRUCTURE_FOLDER,
  WEAK_WORDS,
} from './release-words.ts';

/** Endings by which a file is taken for a movie. Lower case, without the dot. */
export const VIDEO_EXTENSIONS: readonly string[] = [
  'mkv', 'mk3d', 'webm', 'mp4', 'm4v', 'mov', '3gp', '3g2', 'avi', 'divx', 'ts', 'm2ts', 'mts', 'mpg', 'mpeg', 'vob', 'wmv', 'asf', 'flv', 'ogv', 'ogm',
]; // prettier-ignore

/** Material beside a movie that is no movie of its own. */
export const EXTRA_KINDS = [
  'trailer',
  'sample',
  'deletedScene',
  'behindTheScenes',
  'interview',
  'scene',
  'featurette',
  'short',
  'clip',
  'theme',
  'other',
] as const;
export type ExtraKind = (typeof EXTRA_KINDS)[number];

export interface MovieName {
  /** Never empty; NFC; at most 300 characters. */
  readonly title: string;
  readonly year: number | null;
  /** Number of this file in a movie that is cut into several (`cd2` → 2), `null` for a whole one. */
  readonly part: number | null;
  /** Set where the file is an extra and no movie. */
  readonly extra: ExtraKind | null;
}

export interface NameOptions {
  /** Latest year that a movie can have; the next calendar year unless told. Later numbers belong to the title. */
  readonly latestYear?: number;
}

const MAX_LENGTH = 400;
const MAX_TITLE_LENGTH = 300;
/** Roundhay Garden Scene is of 1888; a decade of slack costs nothing. */
const EARLIEST_YEAR = 1878;

/** What one name (of a file without its ending, or of a folder) says. */
interface NamePart {
  readonly title: string;
  readonly year: number | null;
  /** The year stood in parentheses or brackets: somebody wrote this name for people to read. */
  readonly isYearMarked: boolean;
  readonly part: number | null;
  readonly hasReleaseWords: boolean;
  /** Holds a range of years or a word such as “Trilogy”: a folder of several movies. */
  readonly isCollection: boolean;
}

/** Reads `path`, relative to the library's folder with `/` between names. The library's own folder names nothing. */
export function movieNameOf(path: string, options: NameOptions = {}): MovieName {
  const latestYear = options.latestYear ?? new Date().getUTCFullYear() + 1;
  const names = path
    .normalize('NFC')
    .split('/')
    .filter((name) => name !== '');
  const stem = stemOf(names.pop() ?? '');
  const folders = names.slice(-4);
  const file = readName(stem, latestYear);
  const partFolder = folders.findLast((name) => STRUCTURE_FOLDER.test(name.toLowerCase()));
  const folderName = folders.findLast(
    (name) => !STRUCTURE_FOLDER.test(name.toLowerCase()) && extraOfFolder(name) === null,
  );
  const folder = folderName === undefined ? null : readName(cut(folderName), latestYear);
  const named = folder === null ? file : choose(stem, file, folder);
  return {
    title: named.title,
    year: named.year,
    part: file.part ?? partOfFolder(partFolder ?? ''),
    extra: extraOf(stem, folders, file),
  };
}

function partOfFolder(name: string): number | null {
  const digits = /^(?:cd|dis[ck]|dvd|part|pt)[ ._-]?(\d{1,2})$/i.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Which of a file's own name and its folder's name is the movie's. */
function choose(stem: string, file: NamePart, folder: NamePart): { title: string; year: number | null } {
  const isGeneric = GENERIC_STEM.test(plain(stem));
  if (folder.isCollection && !isGeneric) return file;
  const fileKey = keyOf(file.title);
  const folderKey = keyOf(folder.title);
  if (isGeneric) return folder.year === null ? { title: folder.title, year: file.year } : folder;
  if (fileKey === folderKey) {
    const year = folder.isYearMarked && !file.isYearMarked ? folder.year : (file.year ?? folder.year);
    return { title: betterCased(file.title, folder.title), year };
  }
  if (folder.year === null) return folder.hasReleaseWords && file.year === null && isPoor(stem) ? folder : file;
  if (file.year === null) return folder;
  // “Wonder Woman 1984.mkv” in “Wonder Woman 1984 (2020)”: what looked like the file's year is part of the title.
  if (folder.isYearMarked && !file.isYearMarked && folderKey === keyOf(`${file.title} ${file.year}`)) return folder;
  if (file.year !== folder.year) return file;
  return folder.isYearMarked && !file.isYearMarked ? folder : file;
}

/** Stems without anything that reads like a title: one short word, digits, a hash. */
const isPoor = (stem: string): boolean => /^(?:[a-z0-9]{1,8}|[\d._-]+|[0-9a-f-]{12,})$/i.test(stem);

/** For comparing titles: without case, marks above letters, and everything that is no letter or digit. */
function keyOf(title: string): string {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/&/g, 'and')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[._-]+/g, ' ')
    .trim();

function betterCased(first: string, second: string): string {
  const isMixed = (text: string): boolean => text !== text.toLowerCase() && text !== text.toUpperCase();
  return !isMixed(first) && isMixed(second) ? second : first;
}

function stemOf(name: string): string {
  const dot = name.lastIndexOf('.');
  const isVideo = dot > 0 && VIDEO_EXTENSIONS.includes(name.slice(dot + 1).toLowerCase());
  return cut(isVideo ? name.slice(0, dot) : name);
}

/** Cuts at whole characters: half a surrogate pair is no text that a database takes. */
function cut(text: string, length: number = MAX_LENGTH): string {
  if (text.length <= length) return text;
  return text.slice(0, /[\ud800-\udbff]/.test(text[length - 1] ?? '') ? length - 1 : length);
}

interface Word {
  readonly text: string;
  /** Lower case. */
  readonly low: string;
  readonly start: number;
  readonly end: number;
  /** The bracket it stands in, the innermost: `(`, `[`, `{` or none. */
  readonly bracket: string;
  /** Number of the bracket group, -1 outside. */
  readonly group: number;
}

const OPENING = '([{';
const CLOSING = ')]}';
const SEPARATOR = /[\s._\-–—+,;:~|()[\]{}<>"“”*]/;

function splitWords(text: string): Word[] {
  const found: Word[] = [];
  const open: { bracket: string; group: number }[] = [];
  let group = -1;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at] ?? ' ';
    if (!SEPARATOR.test(character)) continue;
    if (at > start) {
      const word = text.slice(start, at);
      const inside = open.at(-1);
      found.push({
        text: word,
        low: word.toLowerCase(),
        start,
        end: at,
        bracket: inside?.bracket ?? '',
        group: inside?.group ?? -1,
      });
    }
    start = at + 1;
    if (OPENING.includes(character)) open.push({ bracket: character, group: ++group });
    else if (CLOSING.includes(character)) open.pop();
  }
  return found;
}

function readName(raw: string, latestYear: number): NamePart {
  const text = withoutTags(raw);
  const words = splitWords(text);
  const strongAt = firstStrong(words);
  const year = yearIn(text, words, strongAt, latestYear);
  const part = partIn(text, words);
  const episodeAt = words.findIndex((word, index) => index > 0 && /^s\d{1,2}e\d{1,3}(?:e\d{1,3})*$/.test(word.low));

  const ends = [strongAt, year.at, part.at].filter((index) => index >= 0);
  if (episodeAt >= 0) ends.push(episodeAt + 1);
  let first = 0;
  // “(2012) Title”: a marked year in front of the title instead of behind it.
  if (year.at === 0 && year.isMarked && words.length > 1 && strongAt !== 1) {
    ends.splice(ends.indexOf(0), 1);
    first = 1;
  }
  let end = ends.length === 0 ? words.length : Math.max(first, Math.min(...ends));
  end = withoutReleaseWords(words, first, end, end === year.at ? 'year' : end < words.length ? 'format' : 'nothing');
  const start = first === 0 ? 0 : leadIn(text, words[first]?.start ?? 0);
  const stop = end < words.length ? (words[end]?.start ?? text.length) : text.length;
  return {
    title: tidy(text.slice(start, stop)) || tidy(raw) || 'Untitled',
    year: year.value,
    isYearMarked: year.isMarked,
    part: part.value,
    hasReleaseWords: strongAt >= 0,
    isCollection: year.isRange || words.some(({ low }) => COLLECTION_WORDS.has(low)),
  };
}

/** A title may begin with an opening parenthesis that is no word: “(500) Days of Summer”. */
function leadIn(text: string, start: number): number {
  return start > 0 && text[start - 1] === '(' && text.indexOf(')', start) > 0 ? start - 1 : start;
}

const DOMAIN = String.raw`(?:www\.[^\s\[\](){}]{3,60}|[a-z0-9][a-z0-9-]{1,40}\.(?:com|net|org|to|cc|me|tv|info|ws|ca|de|fr|it|es|nl|pl|ru|se|co\.[a-z]{2}|xn--[a-z0-9]{2,20}))`;
const WEBSITE_BEFORE = new RegExp(
  String.raw`^(?:\[\s*${DOMAIN}\s*\]|\(\s*${DOMAIN}\s*\)|${DOMAIN}(?=\s+-))[\s._-]*`,
  'i',
);
const WEBSITE_AFTER = new RegExp(String.raw`[\s._-]*\[\s*${DOMAIN}\s*\]$`, 'i');
/** `[tmdbid-1]`, `{imdb-tt0133093}`, `[tt0133093]`, `(tvdb=5)`. */
const ID_TAG =
  /[[({]\s*(?:(?:tmdb|imdb|tvdb|anidb|trakt|wikidata)(?:id)?\s*[-=: ]\s*[a-z]{0,2}\d{1,10}|tt\d{5,10})\s*[\])}]/gi;
/** `[Group] Title`: only where more than a year follows, for a movie may be called [REC]. */
const GROUP_BEFORE = /^\[[^\]]{1,40}\][\s._-]*(?=[^\s[({])/;
const NUMBER_BEFORE = /^(?:0\d - |\d{1,2}\. )(?=\S)/;

function withoutTags(raw: string): string {
  let text = raw.replace(/[\p{Cc}\p{Cf}\ufffd]+/gu, ' ').trim();
  text = text.replace(ID_TAG, ' ').replace(WEBSITE_BEFORE, '').replace(WEBSITE_AFTER, '');
  return text.replace(GROUP_BEFORE, '').replace(NUMBER_BEFORE, '').trim();
}

/** Index of the first word, beyond the very first, that ends a title; -1 where there is none. */
function firstStrong(words: readonly Word[]): number {
  return words.findIndex((word, index) => (index > 0 || word.bracket === '[') && isStrong(words, index));
}

function isStrong(words: readonly Word[], index: number): boolean {
  const word = words[index];
  if (word === undefined) return false;
  if (STRONG_WORDS.has(word.low)) return true;
  if (/^(?:240|360|480|540|576|720|900|1080|1440|2160|4320)[pi](?:\d{2,3})?$/.test(word.low)) return true;
  if (/^\d{3,4}x\d{3,4}$/.test(word.low)) return true;
  if (/^(?:bluray|dvd|bd|web)(?:480|576|720|1080|2160)[pi]$/.test(word.low)) return true;
  const next = words[index + 1];
  return next !== undefined && STRONG_PAIRS.has(`${word.low}-${next.low}`);
}

interface FoundYear {
  readonly value: number | null;
  /** Index of its word, -1 where there is none. */
  readonly at: number;
  readonly isMarked: boolean;
  readonly isRange: boolean;
}

function yearIn(text: string, words: readonly Word[], strongAt: number, latestYear: number): FoundYear {
  const years = words.map(({ low }) => /^(?:18|19|20)\d\d$/.test(low) && +low >= EARLIEST_YEAR && +low <= latestYear);
  const isYear = (index: number): boolean => years[index] === true;
  const isRangeAt = (index: number): boolean => {
    if (!isYear(index) || !isYear(index + 1)) return false;
    return /^\s?[-–]\s?$/.test(text.slice(words[index]?.end, words[index + 1]?.start));
  };
  const isDateAt = (index: number): boolean => {
    const [year, month, day] = [words[index], words[index + 1], words[index + 2]];
    if (year === undefined || month === undefined || day === undefined) return false;
    const between = text.slice(year.end, month.start);
    return (
      between === text.slice(month.end, day.start) &&
      /^[-._]$/.test(between) &&
      /^(?:0\d|1[0-2])$/.test(month.low) &&
      /^[0-3]\d$/.test(day.low)
    );
  };
  const candidates = words.flatMap((_word, index) =>
    isYear(index) && !isRangeAt(index) && !isRangeAt(index - 1) && !isDateAt(index) ? [index] : [],
  );
  const isRange = words.some((_word, index) => isRangeAt(index));
  const found = (index: number | undefined, isMarked: boolean): FoundYear =>
    index === undefined
      ? { value: null, at: -1, isMarked: false, isRange }
      : { value: Number(words[index]?.low), at: index, isMarked, isRange };

  // Marked: alone between its brackets. Parentheses before square brackets, the first before a later one.
  for (const bracket of ['(', '[', '{']) {
    const marked = candidates.find((index) => {
      const word = words[index];
      return word?.bracket === bracket && text[word.start - 1] === bracket && CLOSING.includes(text[word.end] ?? ' ');
    });
    if (marked !== undefined) return found(marked, true);
  }
  const bare = candidates.filter((index) => index > 0);
  const beforeFormat = bare.findLast((index) => strongAt < 0 || index < strongAt);
  if (beforeFormat !== undefined) return found(beforeFormat, false);
  // Behind the format only where it is no group's name: “x264-1920”.
  return found(
    bare.findLast((index) => text[(words[index]?.start ?? 1) - 1] !== '-'),
    false,
  );
}

/** `cd1`, `disc 2` anywhere; `part1`, `pt2` only at the very end, where it is glued or something else precedes it. */
function partIn(text: string, words: readonly Word[]): { value: number | null; at: number } {
  const number = (label: string): number | null =>
    /^\d{1,2}$/.test(label) ? Number(label) : /^[a-d]$/.test(label) ? label.charCodeAt(0) - 96 : null;
  for (let index = words.length - 1; index > 0; index--) {
    const word = words[index];
    if (word === undefined) break;
    const isLast = index === words.length - 1;
    const glued = /^(cd|dis[ck]|dvd|part|pt)(\d{1,2}|[a-d])$/.exec(word.low);
    if (glued?.[1] !== undefined && glued[2] !== undefined) {
      const isDisc = !glued[1].startsWith('p');
      const value = number(glued[2]);
      const isPart = isDisc ? glued[1] !== 'dvd' || (value ?? 5) < 5 : isLast;
      if (value !== null && value > 0 && isPart) return { value, at: index };
    }
    const before = words[index - 1];
    if (index > 1 && before !== undefined && /^(?:cd|dis[ck])$/.test(before.low) && /^\d{1,2}$/.test(word.low)) {
      return { value: Number(word.low), at: index - 1 };
    }
    // “Title (2006) part 1”, but never “Mockingjay Part 1”: a year or the format has to stand before it.
    if (isLast && index > 1 && before !== undefined && /^(?:part|pt)$/.test(before.low) && /^\d$/.test(word.low)) {
      const earlier = text.slice(0, before.start);
      if (/\(\d{4}\)[\s._-]*$/.test(earlier)) return { value: Number(word.low), at: index - 1 };
    }
  }
  return { value: null, at: -1 };
}

/** What comes behind a stretch of words that may be the title. */
type Follower = 'year' | 'format' | 'nothing';

/** Takes words of the release off the end of the title. */
function withoutReleaseWords(words: readonly Word[], first: number, from: number, follower: Follower): number {
  let end = from;
  for (;;) {
    const count = releaseWordsBefore(words, first, end, end < from && follower === 'nothing' ? 'format' : follower);
    if (count === 0) return end;
    end -= count;
  }
}

function releaseWordsBefore(words: readonly Word[], first: number, end: number, follower: Follower): number {
  const last = words[end - 1];
  if (last === undefined || end - 1 <= first) return 0;
  // A bracket that holds nothing but a note: everything between [ and ] goes, whatever it says.
  if (last.bracket === '[' || last.bracket === '{') {
    const count = countBack(words, end, (word) => word.group === last.group);
    return end - count > first ? count : 0;
  }
  for (const [lastWord, before] of EDITION_PHRASES) {
    const previous = words[end - 2];
    if (last.low !== lastWord || previous === undefined || !before.test(previous.low)) continue;
    const count = ARTICLES.has(words[end - 3]?.low ?? '') ? 3 : 2;
    if (isTitleBefore(words, first, end - count)) return count;
  }
  if (!isTitleBefore(words, first, end - 1)) return 0;
  if (LANGUAGE_WORDS.has(last.low)) return follower !== 'nothing' && isSpokenLanguage(words, first, end) ? 1 : 0;
  if (/^v[2-9]$/.test(last.low)) return 1;
  if (CUT_WORDS.has(last.low)) return follower !== 'nothing' || last.low === 'multi' || isCapital(last.text) ? 1 : 0;
  return WEAK_WORDS.has(last.low) && (follower === 'format' || (follower === 'nothing' && isCapital(last.text)))
    ? 1
    : 0;
}

const isCapital = (text: string): boolean => text.length > 2 && text === text.toUpperCase();

/** “The Good German” (2006) is a title: the language is named again behind the year, or too little would remain. */
function isSpokenLanguage(words: readonly Word[], first: number, end: number): boolean {
  if (words.slice(end).some((word) => LANGUAGE_WORDS.has(word.low))) return false;
  return end - 1 - first > 2 || !ARTICLES.has(words[first]?.low ?? '');
}

function countBack(words: readonly Word[], end: number, matches: (word: Word) => boolean): number {
  let count = 0;
  for (let index = end - 1; index >= 0; index--) {
    const word = words[index];
    if (word === undefined || !matches(word)) break;
    count++;
  }
  return count;
}

const isTitleBefore = (words: readonly Word[], first: number, end: number): boolean =>
  end > first && !NEVER_LAST.has(words[end - 1]?.low ?? '');

/** From the raw stretch of a name to a title: separators become spaces, initials keep their dots. */
function tidy(raw: string): string {
  let text = raw.replace(/[\p{Cc}\p{Cf}\ufffd]+/gu, ' ');
  const withoutNotes = text.replace(/[[{][^\]}]*[\]}]?/g, ' ');
  // A movie may be called [REC].
  text = /[\p{L}\p{N}]/u.test(withoutNotes) ? withoutNotes : text.replace(/[[\]{}]/g, ' ');
  text = text.replace(/_/g, ' ').trim();
  if (!/\s/.test(text.replace(/[\s.\-–—]+$/, ''))) {
    text = text.includes('.') ? dotsToSpaces(text) : hyphensToSpaces(text);
  }
  text = text.replace(/\s+/g, ' ');
  text = withoutLooseEnds(text);
  return cut(text, MAX_TITLE_LENGTH).trim();
}

/** `The.Man.from.U.N.C.L.E` → `The Man from U.N.C.L.E.` */
function dotsToSpaces(text: string): string {
  const words = text.split('.').filter((word) => word !== '');
  const isInitial = (word: string | undefined): boolean => word !== undefined && /^\p{Lu}$/u.test(word);
  let out = '';
  words.forEach((word, index) => {
    const isRun = isInitial(word) && (isInitial(words[index - 1]) || isInitial(words[index + 1]));
    const followsRun = isRun && isInitial(words[index - 1]);
    out += (out === '' || followsRun ? '' : ' ') + word + (isRun ? '.' : '');
  });
  return out;
}

const hyphensToSpaces = (text: string): string =>
  (text.match(/-/g) ?? []).length > 1 ? text.replace(/-+/g, ' ') : text;

/** Separators and half-open brackets at both ends, and a lone dot behind a word that is no initial. */
function withoutLooseEnds(text: string): string {
  let out = text.replace(/^[\s\-–—_,;:|~+*]+/, '').replace(/[\s\-–—_,;:|~+*([{]+$/, '');
  if (out.includes('(') && !out.includes(')')) {
    out = out.slice(0, out.lastIndexOf('(')).trim() || out.replaceAll('(', '');
  }
  if (out.includes(')') && !out.includes('(')) out = out.replace(/\)/g, ' ').trim();
  const isAbbreviation = /(?:^|[\s.])(?:\p{Lu}|inc|jr|sr|dr|co|ltd|etc|bros)\.$/iu.test(out);
  if (/[^.]\.$/.test(out) && !isAbbreviation) out = out.slice(0, -1);
  return out
    .replace(/\(\s*\)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const EXTRA_BY_SUFFIX: Readonly<Record<string, ExtraKind>> = {
  trailer: 'trailer',
  sample: 'sample',
  scene: 'scene',
  clip: 'clip',
  interview: 'interview',
  behindthescenes: 'behindTheScenes',
  deleted: 'deletedScene',
  deletedscene: 'deletedScene',
  featurette: 'featurette',
  short: 'short',
  other: 'other',
  extra: 'other',
};

const EXTRA_BY_FOLDER: Readonly<Record<string, ExtraKind>> = {
  trailers: 'trailer',
  trailer: 'trailer',
  samples: 'sample',
  sample: 'sample',
  'deleted scenes': 'deletedScene',
  'behind the scenes': 'behindTheScenes',
  interviews: 'interview',
  scenes: 'scene',
  featurettes: 'featurette',
  shorts: 'short',
  clips: 'clip',
  backdrops: 'theme',
  'theme music': 'theme',
  extras: 'other',
  extra: 'other',
  other: 'other',
  others: 'other',
};

function extraOfFolder(name: string): ExtraKind | null {
  return EXTRA_BY_FOLDER[plain(name)] ?? null;
}

/** Folders that people also use for movies (“Shorts/Geri's Game (1997).mkv”): a year of its own makes a file a movie there. */
const AMBIGUOUS_EXTRA: ReadonlySet<ExtraKind> = new Set<ExtraKind>(['short', 'other', 'clip', 'scene', 'interview']);

function extraOf(stem: string, folders: readonly string[], file: NamePart): ExtraKind | null {
  const low = stem.toLowerCase();
  const whole = /^(trailer|sample)\d{0,2}$/.exec(low) ?? /^(sample)[._-]/.exec(low);
  // A space alone is no mark: “The DNA Sample” is a movie.
  const suffix = whole ?? /(?:-|\s-\s|[._](?=trailer|sample))([a-z]{4,15})\d{0,2}$/.exec(low);
  const bySuffix = suffix?.[1] === undefined ? undefined : EXTRA_BY_SUFFIX[suffix[1]];
  if (bySuffix !== undefined) return bySuffix;
  for (const folder of folders.toReversed()) {
    const kind = extraOfFolder(folder);
    if (kind !== null && !(AMBIGUOUS_EXTRA.has(kind) && file.year !== null)) return kind;
  }
  return null;
}
