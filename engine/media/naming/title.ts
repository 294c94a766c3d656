/**
 * What one name (of a file without its ending, or of a folder) says of title, year and part.
 *
 * A name is read as words. The title ends at the year or at the first word that only release names use, whichever comes
 * first; what remains at its end and belongs to the release (language, cut, `PROPER`) is taken off as long as a title
 * remains. Where several words could be the year, one in parentheses wins, then the last before the format: that keeps
 * years that are part of a title (`2001 A Space Odyssey (1968)`, `Blade.Runner.2049.2017.1080p`).
 */
import { ID_TAG } from './catalogue-ids.ts';
import { EDITION_TAG, editionAt } from './edition.ts';
import { LANGUAGE_NAMES, STRONG_LANGUAGES } from './languages.ts';
import { factsAt, linesOf } from './release-facts.ts';
import { AMBIGUOUS } from './release-table.ts';
import { ARTICLES, COLLECTION_WORDS, CUT_WORDS, NEVER_LAST, WEAK_WORDS } from './title-words.ts';
import { CLOSING, cut, joined, splitWords } from './words.ts';
import type { Word } from './words.ts';

const MAX_TITLE_LENGTH = 300;
/** Roundhay Garden Scene is of 1888; a decade of slack costs nothing. */
const EARLIEST_YEAR = 1878;

export interface NamePart {
  /** Never empty; NFC; at most 300 characters. */
  readonly title: string;
  readonly alternativeTitles: readonly string[];
  readonly year: number | null;
  /** The year stood in parentheses or brackets: somebody wrote this name for people to read. */
  readonly isYearMarked: boolean;
  readonly part: number | null;
  readonly hasReleaseWords: boolean;
  /** Holds a range of years or a word such as “Trilogy”: a folder of several movies. */
  readonly isCollection: boolean;
  /** What was read, without tags in front and behind. */
  readonly text: string;
  readonly words: readonly Word[];
  /** First word of the title, and the first behind it. */
  readonly first: number;
  readonly end: number;
}

export function readName(raw: string, latestYear: number): NamePart {
  const { text, front } = withoutTags(raw);
  const words = splitWords(text);
  const strongAt = firstStrong(text, words);
  const year = yearIn(text, words, strongAt, latestYear);
  const part = partIn(text, words);
  const episodeAt = words.findIndex((word, index) => index > 0 && /^s\d{1,2}e\d{1,3}(?:e\d{1,3})*$/.test(word.low));

  const ends = [bracketOf(words, strongAt), year.at, part.at].filter((index) => index >= 0);
  if (episodeAt >= 0) ends.push(episodeAt + 1);
  let first = 0;
  // “(2012) Title”: a marked year in front of the title instead of behind it.
  if (year.at === 0 && year.isMarked && words.length > 1 && strongAt !== 1) {
    ends.splice(ends.indexOf(0), 1);
    first = 1;
  }
  let end = ends.length === 0 ? words.length : Math.max(first, Math.min(...ends));
  end = withoutReleaseWords(
    text,
    words,
    first,
    end,
    end === year.at ? 'year' : end < words.length ? 'format' : 'nothing',
  );
  const start = first === 0 ? 0 : leadIn(text, words[first]?.start ?? 0);
  const stop = end < words.length ? (words[end]?.start ?? text.length) : text.length;
  // “[Group] Title - 03 [720p]”: a number behind a title that a group is named in front of is an episode's.
  const named = text
    .slice(start, stop)
    .replace(front === '' || year.at >= 0 ? /(?!)/ : /\s-\s\d{2,3}(?:v\d)?[\s([]*$/, '');
  const [title = '', ...others] = named
    .split(/[\s._]+(?:AKA|a\.k\.a\.?|[Aa]ka)[\s._]+/, 4)
    .map((spelling) => tidy(spelling));
  return {
    title: title || tidy(raw) || 'Untitled',
    alternativeTitles: title === '' ? [] : others.filter((other) => other !== '' && other !== title),
    year: year.value,
    isYearMarked: year.isMarked,
    part: part.value,
    hasReleaseWords: strongAt >= 0,
    isCollection: year.isRange || words.some(({ low }) => COLLECTION_WORDS.has(low)),
    // What stood in front is about the release, and is read behind it.
    text: front === '' ? text : `${text} [${front}]`,
    words: front === '' ? words : splitWords(`${text} [${front}]`),
    first,
    end,
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
/** `[Group] Title`: only where more than a year follows, for a movie may be called [REC]. */
const GROUP_BEFORE = /^\[([^\]]{1,40})\][\s._-]*(?=[\p{L}\d])/u;
const NUMBER_BEFORE = /^(?:0\d - |\d{1,2}\. )(?=\S)/;

function withoutTags(raw: string): { text: string; front: string } {
  let text = raw.replace(/[\p{Cc}\p{Cf}\ufffd]+/gu, ' ').trim();
  text = text.replace(ID_TAG, ' ').replace(EDITION_TAG, ' ').replace(WEBSITE_BEFORE, '').replace(WEBSITE_AFTER, '');
  const group = GROUP_BEFORE.exec(text);
  const front = group?.[1] ?? '';
  return {
    text: text
      .slice(group?.[0].length ?? 0)
      .replace(NUMBER_BEFORE, '')
      .trim(),
    front,
  };
}

/** A title ends where the bracket opens that holds the first word of the release. */
function bracketOf(words: readonly Word[], index: number): number {
  const group = words[index]?.group ?? -1;
  const first = group < 0 ? index : words.findIndex((word) => word.group === group);
  return first === 0 ? index : first;
}

/** Index of the first word, beyond the very first, that ends a title; -1 where there is none. */
function firstStrong(text: string, words: readonly Word[]): number {
  return words.findIndex((word, index) => (index > 0 || word.bracket === '[') && isStrong(text, words, index));
}

/** Whether the word is never part of a title. */
export function isStrong(text: string, words: readonly Word[], index: number): boolean {
  const word = words[index];
  if (word === undefined) return false;
  if (linesOf(word.low) !== null || STRONG_LANGUAGES.has(word.low) || /^tt\d{7,8}$/.test(word.low)) return true;
  const found = factsAt(text, words, index);
  if (found === null) return false;
  return !AMBIGUOUS.has(joined(text, words, index, found.count) ?? '');
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
    const counted = /^(\d{1,2})of\d{1,2}$/.exec(word.low)?.[1];
    if (counted !== undefined && before !== undefined && /^(?:cd|dis[ck]|dvd|part|pt)$/.test(before.low)) {
      return { value: Number(counted), at: index - 1 };
    }
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

const PACKING = /^(?:h|half|f|full)?-?(?:sbs|ou|tab)$/;
const MAX_EDITION_WORDS = 6;

/** What comes behind a stretch of words that may be the title. */
type Follower = 'year' | 'format' | 'nothing';

/** Takes words of the release off the end of the title. */
function withoutReleaseWords(
  text: string,
  words: readonly Word[],
  first: number,
  from: number,
  follower: Follower,
): number {
  let end = from;
  for (;;) {
    const count = releaseWordsBefore(
      text,
      words,
      first,
      end,
      end < from && follower === 'nothing' ? 'format' : follower,
    );
    if (count === 0) return end;
    end -= count;
  }
}

function releaseWordsBefore(
  text: string,
  words: readonly Word[],
  first: number,
  end: number,
  follower: Follower,
): number {
  const last = words[end - 1];
  if (last === undefined || end - 1 <= first) return 0;
  // A bracket that holds nothing but a note: everything between [ and ] goes, whatever it says.
  if (last.bracket === '[' || last.bracket === '{') {
    const count = countBack(words, end, (word) => word.group === last.group);
    return end - count > first ? count : 0;
  }
  for (let from = Math.max(first + 1, end - MAX_EDITION_WORDS); from < end - 1; from++) {
    const run = editionAt(text, words, from, { isBare: false, until: end });
    if (run?.to !== end || !run.hasNoun || run.hasOwnName) continue;
    const start = ARTICLES.has(words[from - 1]?.low ?? '') ? from - 1 : from;
    if (isTitleBefore(words, first, start)) return end - start;
  }
  if (!isTitleBefore(words, first, end - 1)) return 0;
  if (last.low === '3d' && words.some(({ low }) => PACKING.test(low))) return 1;
  if (LANGUAGE_NAMES.has(last.low)) return follower !== 'nothing' && isSpokenLanguage(words, first, end) ? 1 : 0;
  if (/^v[2-9]$/.test(last.low)) return 1;
  if (CUT_WORDS.has(last.low)) return follower !== 'nothing' || last.low === 'multi' || isCapital(last.text) ? 1 : 0;
  return WEAK_WORDS.has(last.low) && (follower === 'format' || (follower === 'nothing' && isCapital(last.text)))
    ? 1
    : 0;
}

const isCapital = (text: string): boolean => text.length > 2 && text === text.toUpperCase();

/** “The Good German” (2006) is a title: the language is named again behind the year, or too little would remain. */
function isSpokenLanguage(words: readonly Word[], first: number, end: number): boolean {
  if (words.slice(end).some((word) => LANGUAGE_NAMES.has(word.low))) return false;
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
  const withoutNotes = text.replace(/(?!^)[[{][^\]}]*[\]}]?/g, ' ').replace(/^[[{]([^\]}]*)[\]}]/, '$1');
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
