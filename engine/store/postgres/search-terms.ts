/** What a person typed, as words, and how far a word may be from what is there. */

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
  const words = [...new Set(typed.normalize('NFC').match(WORD))].slice(0, MAX_TERMS);
  // Chinese and Japanese titles have no spaces: there a single character is a word.
  const isLong = (word: string) => word.length > 2 || /\p{Lo}/u.test(word);
  // Beside a longer word a short one may stand anywhere: the “e” of WALL-E.
  const place = words.some(isLong) ? 'anywhere' : 'wordStart';
  return words.map((word) => ({ text: word.slice(0, MAX_TERM_LENGTH).toWellFormed(), place }));
}

/**
 * How many typing errors (a letter too many, too few, wrong, or two swapped) lead from what was typed to words of `text`, both folded;
 * `null` where some term is farther away than a slip of the finger. What was typed may be the beginning of a word, or two
 * words written as one.
 */
export function typingErrors(terms: readonly string[], text: string): number | null {
  const words = text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const candidates = [...words, ...words.slice(1).map((word, index) => `${words[index] ?? ''}${word}`)];
  let sum = 0;
  for (const term of terms) {
    const allowed = term.length < 4 ? 0 : term.length < 6 ? 1 : 2;
    let least = allowed + 1;
    for (const word of candidates) {
      if (Math.abs(word.length - term.length) > allowed && word.length < term.length) continue;
      least = Math.min(least, distanceToBeginning(term, word.slice(0, term.length + allowed)));
      if (least === 0) break;
    }
    if (least > allowed) return null;
    sum += least;
  }
  return sum;
}

/** Optimal string alignment distance from `term` to the nearest beginning of `word`. */
function distanceToBeginning(term: string, word: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: word.length + 1 }, (_, column) => column);
  for (let i = 1; i <= term.length; i++) {
    const row = [i];
    for (let j = 1; j <= word.length; j++) {
      const isSame = term[i - 1] === word[j - 1];
      const isSwap = i > 1 && j > 1 && term[i - 1] === word[j - 2] && term[i - 2] === word[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = row;
  }
  return Math.min(...last);
}
