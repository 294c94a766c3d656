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
    // Most of what was touched shares a pair or two: only those that share the most are looked at, so only they are gathered.
    const counts = new Int32Array(pairs.length + 1);
    for (const number of touched) counts[shared[number] ?? 0]!++;
    // A swap takes three pairs with it, any other error two.
    const least = Math.max(1, pairs.length - 3 * allowed - (allowed === 2 ? 1 : 0));
    let cutoff = pairs.length;
    for (let sum = counts[cutoff] ?? 0; cutoff > least && sum < MOST_MEASURED; sum += counts[cutoff] ?? 0) cutoff -= 1;
    const above: number[] = [];
    const at: number[] = [];
    for (const number of touched) {
      const count = shared[number] ?? 0;
      shared[number] = 0;
      if (count > cutoff) above.push(number);
      else if (count === cutoff && at.length < MOST_MEASURED) at.push(number);
    }
    const found: NearWord[] = [];
    for (const number of [...above, ...at].slice(0, MOST_MEASURED)) {
      const word = this.#texts[number] ?? '';
      if (word.length < text.length - allowed || (!isOpen && word.length > text.length + allowed)) continue;
      const cost = nearness(text, word, isOpen, allowed);
      if (cost <= 2 * allowed + 1) found.push({ number, cost });
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

/** Longer words are cut before they come here; a word of an index may be as long. */
const LONGEST = 64;
const rows = [new Uint8Array(LONGEST + 2), new Uint8Array(LONGEST + 2), new Uint8Array(LONGEST + 2)] as const;
const FAR = 255;

/**
 * How far what was typed is from the word: two for each letter too many, too few, wrong, or swapped with the next. Open: to the nearest of
 * its beginnings, and one more where the word goes on behind it. More than `2 * allowed + 1`: farther than that, however far.
 * Optimal string alignment (Damerau, CACM 7(3), 1964, with no letter edited twice), given up as soon as it cannot come out well.
 */
export function nearness(typed: string, word: string, isOpen: boolean, allowed: number): number {
  const columns = Math.min(word.length, typed.length + allowed, LONGEST);
  const height = Math.min(typed.length, LONGEST);
  let [beforeLast, last, row]: readonly Uint8Array[] = rows;
  if (beforeLast === undefined || last === undefined || row === undefined) return FAR;
  for (let j = 0; j <= columns; j++) last[j] = j;
  for (let i = 1; i <= height; i++) {
    const letter = typed.charCodeAt(i - 1);
    const letterBefore = i > 1 ? typed.charCodeAt(i - 2) : -1;
    row[0] = i;
    let least = i;
    for (let j = 1; j <= columns; j++) {
      const other = word.charCodeAt(j - 1);
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (letter === other ? 0 : 1));
      const isSwap = j > 1 && other === letterBefore && letter === word.charCodeAt(j - 2);
      if (isSwap) best = Math.min(best, beforeLast[j - 2]! + 1);
      row[j] = best;
      if (best < least) least = best;
    }
    if (least > allowed) return FAR;
    const spare: Uint8Array = beforeLast;
    beforeLast = last;
    last = row;
    row = spare;
  }
  const whole = columns === word.length ? 2 * last[columns]! : FAR;
  if (!isOpen) return whole;
  let begun = FAR;
  for (let j = 0; j <= columns; j++) begun = Math.min(begun, last[j]!);
  return Math.min(whole, 2 * begun + 1);
}
