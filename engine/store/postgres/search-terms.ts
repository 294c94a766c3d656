/** What a person typed, as words for `like` patterns. */
export interface SearchTerm {
  /** Letters, digits and marks, so nothing that `like` gives a meaning. */
  readonly text: string;
  /** Found anywhere, or only where a word begins: one or two letters are in almost every title. */
  readonly place: 'anywhere' | 'wordStart';
}

const MAX_TERMS = 8;
const MAX_TERM_LENGTH = 64;
const WORD = /[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{N}\p{M}]+)*/gu;

/** The words of a search, without what only separates them; empty for a text without any. */
export function searchTerms(typed: string): SearchTerm[] {
  const words = (typed.normalize('NFC').match(WORD) ?? []).slice(0, MAX_TERMS);
  // Chinese and Japanese titles have no spaces: there a single character is a word.
  const isLong = (word: string) => word.length > 2 || /\p{Lo}/u.test(word);
  // Beside a longer word a short one may stand anywhere: the “e” of WALL-E.
  const place = words.some(isLong) ? 'anywhere' : 'wordStart';
  return words.map((word) => ({ text: word.slice(0, MAX_TERM_LENGTH).toWellFormed(), place }));
}
