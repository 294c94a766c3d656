/**
 * The words of an index: each has a number; they are found whole, by their beginning, and by what is nearly them. A word that nothing
 * has any more stays, with nothing behind it.
 */
import { SortedKeys } from './sorted-keys.ts';

export interface NearWord {
  readonly number: number;
  /** Two for each letter too many, too few, wrong, or swapped with the next; one where the word goes on behind what was typed. */
  readonly cost: number;
}

/** Candidates that are measured letter by letter: those which share the most pairs of letters. */
const MOST_MEASURED = 600;
const NO_LETTERS: readonly number[] = [];

export class Vocabulary {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #sorted = new SortedKeys();
  /** Pair of letters → the words that hold it. The first letter stands in a pair with a space as well. */
  readonly #byPair = new Map<string, number[]>();
  #shared = new Uint8Array(1_024);

  get size(): number {
    return this.#texts.length;
  }

  /** The word's number; a new one where it was not known. */
  add(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.length;
    this.#texts.push(text);
    this.#numbers.set(text, number);
    this.#sorted.add(text, number);
    for (const pair of letterPairs(text)) {
      const words = this.#byPair.get(pair);
      if (words === undefined) this.#byPair.set(pair, [number]);
      else words.push(number);
    }
    return number;
  }

  find(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Numbers of the words that begin so, the word itself among them. */
  beginning(prefix: string): number[] {
    const found: number[] = [];
    this.#sorted.forBeginning(prefix, (number) => found.push(number));
    return found;
  }

  /** Words within as many typing errors as a word of that length is forgiven; open: words that begin nearly so. */
  near(text: string, isOpen: boolean): NearWord[] {
    const allowed = forgivenErrors(text);
    if (allowed === 0) return [];
    if (this.#shared.length < this.#texts.length) this.#shared = new Uint8Array(this.#texts.length * 2);
    const shared = this.#shared;
    const touched: number[] = [];
    const pairs = letterPairs(text);
    const lists = pairs.map((pair) => this.#byPair.get(pair) ?? NO_LETTERS).toSorted((a, b) => a.length - b.length);
    // The pair that is in the most words says the least. Two errors in a long word leave more than that one, but for two swaps.
    for (const list of allowed === 2 ? lists.slice(0, -1) : lists) {
      for (const number of list) {
        const count = shared[number] ?? 0;
        if (count === 0) touched.push(number);
        shared[number] = count + 1;
      }
    }
    const byCount: number[][] = Array.from({ length: pairs.length + 1 }, () => []);
    for (const number of touched) {
      byCount[shared[number] ?? 0]?.push(number);
      shared[number] = 0;
    }
    // A swap takes three pairs with it, any other error two.
    const least = Math.max(1, pairs.length - 3 * allowed - (allowed === 2 ? 1 : 0));
    const found: NearWord[] = [];
    let measured = 0;
    for (let count = pairs.length; count >= least && measured < MOST_MEASURED; count--) {
      for (const number of byCount[count] ?? NO_LETTERS) {
        const word = this.#texts[number] ?? '';
        if (word.length < text.length - allowed || (!isOpen && word.length > text.length + allowed)) continue;
        const begun = isOpen ? typingErrors(text, word.slice(0, text.length + allowed), true) : Infinity;
        const whole = Math.abs(word.length - text.length) > allowed ? Infinity : typingErrors(text, word, false);
        if (Math.min(begun, whole) <= allowed) found.push({ number, cost: Math.min(2 * whole, 2 * begun + 1) });
        measured += 1;
        if (measured >= MOST_MEASURED) break;
      }
    }
    return found;
  }
}

/** Of a short word every letter counts. */
function forgivenErrors(text: string): number {
  if (text.length < 4 || /^\d+$/.test(text)) return 0;
  return text.length < 6 ? 1 : 2;
}

/** None for a number, which has no typing errors. */
function letterPairs(text: string): string[] {
  if (/^\d+$/.test(text)) return [];
  const padded = ` ${text}`;
  const pairs = new Set<string>();
  for (let at = 1; at < padded.length; at++) pairs.add(padded.slice(at - 1, at + 1));
  return [...pairs];
}

/**
 * How many errors lead from what was typed to the word; open: to the nearest of its beginnings. Optimal string alignment (Damerau,
 * CACM 7(3), 1964, with no letter edited twice).
 */
export function typingErrors(typed: string, word: string, isOpen: boolean): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: word.length + 1 }, (_, column) => column);
  for (let i = 1; i <= typed.length; i++) {
    const row = [i];
    for (let j = 1; j <= word.length; j++) {
      const isSame = typed.charCodeAt(i - 1) === word.charCodeAt(j - 1);
      const isSwap =
        i > 1 &&
        j > 1 &&
        typed.charCodeAt(i - 1) === word.charCodeAt(j - 2) &&
        typed.charCodeAt(i - 2) === word.charCodeAt(j - 1);
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
  return isOpen ? Math.min(...last) : (last[word.length] ?? Infinity);
}
