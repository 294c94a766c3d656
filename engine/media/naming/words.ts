/** A name cut into words, and what is done with words everywhere in this folder. */

export interface Word {
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

export const CLOSING = ')]}';
const OPENING = '([{';
const SEPARATOR = /[\s._\-–—+,;:~|()[\]{}<>"“”*/\\=]/;
/** What may stand between two words that are written as one elsewhere: `WEB-DL`, `WEB DL`, `WEBDL`. */
const JOINT = /^[\s._\-:+]$/;

export function splitWords(text: string): Word[] {
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

/** The next `count` words as one, lower case; `null` where more than a single separator stands between them. */
export function joined(text: string, words: readonly Word[], index: number, count: number): string | null {
  let out = '';
  for (let at = index; at < index + count; at++) {
    const word = words[at];
    if (word === undefined) return null;
    if (at > index && !JOINT.test(text.slice(words[at - 1]?.end, word.start))) return null;
    out += word.low;
  }
  return out;
}

/** Cuts at whole characters: half a surrogate pair is no text that a database takes. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return text.slice(0, /[\ud800-\udbff]/.test(text[length - 1] ?? '') ? length - 1 : length);
}

/** For comparing names: without case, marks above letters, and everything that is no letter or digit. */
export function keyOf(title: string): string {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/&/g, 'and')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Lower case, separators as single spaces. */
export const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[._\s-]+/g, ' ')
    .trim();

export const wordSet = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));
