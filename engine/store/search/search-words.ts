/**
 * What a title is found by, and what a typed text asks for. Both go through the same folding; a title is stored in every spelling that
 * people type it in (with and without marks, umlauts as two letters, other scripts in Latin letters, numerals as digits, joined
 * and parted at a hyphen), so that a question needs few.
 */
import { foldText, romanize, spellOut } from './transliteration.ts';

/** Written without spaces: pairs of characters stand for words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々]+/gu;
const PIECE = /[\p{L}\p{N}\p{M}]+/gu;
const ARTICLE = /^(?:the|an?|der|die|das|le|la|les|l|il|lo|el|los|las) (?=\S)/;

const MAX_WORDS = 12;
const MAX_WORD_LENGTH = 48;
const MAX_QUERY_WORDS = 8;

/** What stands between two spaces, with its pieces: `spider-man` has two. */
interface Chunk {
  readonly pieces: readonly string[];
}

function chunksOf(folded: string): Chunk[] {
  return (
    folded
      // “Don’t” is one word, “Ocean’s” is typed as “oceans”.
      .replace(/(?<=\p{L})['’ʼ`´](?=\p{L})/gu, '')
      .replace(/&/g, ' and ')
      .split(/\s+/)
      .map((chunk) => ({
        pieces: (chunk.match(PIECE) ?? [])
          .flatMap((piece) =>
            piece
              .replace(UNSPACED, (run) => ` ${run} `)
              .trim()
              .split(/\s+/),
          )
          .map((piece) => piece.slice(0, MAX_WORD_LENGTH).toWellFormed()),
      }))
      .filter(({ pieces }) => pieces.length > 0)
  );
}

const isUnspaced = (piece: string): boolean =>
  /^(?:\p{Lo}|\p{M}|ー|々)+$/u.test(piece) && new RegExp(UNSPACED.source, 'u').test(piece);

const NUMBER_WORDS = new Map(
  (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen ' +
    'twenty'
  )
    .split(' ')
    .map((word, number) => [word, number] as const),
);
const ROMAN_NUMERAL = /^(?=[ivx])(x{0,3})(ix|iv|v?i{0,3})$/;

/** The number that a word stands for, as digits: `ii`, `two`; `null` for what is no number or digits already. */
export function numeral(word: string, place: 'first' | 'later'): string | null {
  const spoken = NUMBER_WORDS.get(word);
  if (spoken !== undefined) return String(spoken);
  // Alone or at the beginning, these are letters: “X”, “V for Vendetta”, “I, Robot”.
  if (place === 'first' && word.length === 1) return null;
  const [, tens, ones] = ROMAN_NUMERAL.exec(word) ?? [];
  if (tens === undefined || ones === undefined) return null;
  const units = ones === 'ix' ? 9 : ones === 'iv' ? 4 : ones.startsWith('v') ? ones.length + 4 : ones.length;
  return String(tens.length * 10 + units);
}

const LOOKALIKES: readonly Readonly<Record<string, string>>[] = [
  { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 'v' },
  { 0: 'o', 1: 'l', 3: 'e', 4: 'a', 5: 's', 7: 't' },
];

/** `se7en` is `seven`, `numb3rs` is `numbers`: digits between letters that look like one. */
function withoutLookalikes(word: string): string[] {
  if (!/[a-z]\d[a-z]/.test(word)) return [];
  return LOOKALIKES.map((table) => word.replace(/\d/g, (digit) => table[digit] ?? digit));
}

function pairs(run: string): string[] {
  const characters = Array.from(run);
  return characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
}

export interface TitleTerms {
  /** The whole title in each spelling, to be compared as a whole or by its beginning. The first is the title as it is written. */
  readonly keys: readonly string[];
  readonly words: readonly string[];
}

/** How a title may be typed. */
export function titleTerms(title: string): TitleTerms {
  const keys = new Set<string>();
  const words = new Set<string>();
  const folded = foldText(title);
  const spelled = spellOut(title);
  const roman = romanize(folded);
  const forms = new Set([
    folded,
    // Where characters remain that have no spelling, half of it would be noise.
    ...(roman.search(UNSPACED) === -1 ? [roman] : []),
    ...(spelled === null ? [] : [foldText(spelled)]),
  ]);
  for (const form of forms) {
    const chunks = chunksOf(form).slice(0, MAX_WORDS);
    const pieces = chunks.flatMap((chunk) => chunk.pieces);
    if (pieces.length === 0) continue;
    const numerals = pieces.map((piece, index) => numeral(piece, index === 0 ? 'first' : 'later') ?? piece);
    const joined = chunks.map((chunk) => chunk.pieces.join(''));
    for (const variant of [pieces, numerals, joined]) {
      const key = variant.join(' ');
      keys.add(key);
      keys.add(key.replace(ARTICLE, ''));
    }
    for (const word of [...pieces, ...numerals, ...joined]) {
      if (!isUnspaced(word)) {
        words.add(word);
        for (const other of withoutLookalikes(word)) words.add(other).add(numeral(other, 'later') ?? other);
        continue;
      }
      for (const pair of pairs(word)) words.add(pair);
      // The last character alone, so that every character begins a word.
      words.add(Array.from(word).at(-1) ?? word);
    }
  }
  return { keys: [...keys], words: [...words] };
}

/** One of the things that must be there. */
export interface QueryWord {
  readonly text: string;
  /** Its number as digits, where it is one. */
  readonly number: string | null;
  /** It may be the beginning of a word. */
  readonly isOpen: boolean;
}

export interface QueryTerms {
  /** The whole text in the spellings that titles are compared with; empty where nothing was asked. */
  readonly keys: readonly string[];
  readonly words: readonly QueryWord[];
}

/** What a typed text asks for. The last word is open unless a space follows it. */
export function queryTerms(text: string): QueryTerms {
  const folded = foldText(text.slice(0, 500));
  const pieces = chunksOf(folded)
    .flatMap((chunk) => chunk.pieces)
    .slice(0, MAX_QUERY_WORDS);
  if (pieces.length === 0) return { keys: [], words: [] };
  const isOpen = !/\s$/.test(text);
  const numerals = pieces.map((piece, index) => numeral(piece, index === 0 ? 'first' : 'later'));
  const words = pieces.flatMap((piece, index): QueryWord[] => {
    const isLast = index === pieces.length - 1;
    if (isUnspaced(piece) && Array.from(piece).length > 1) {
      return pairs(piece).map((pair) => ({ text: pair, number: null, isOpen: false }));
    }
    return [{ text: piece, number: numerals[index] ?? null, isOpen: (isLast && isOpen) || isUnspaced(piece) }];
  });
  const key = pieces.join(' ');
  const numberKey = pieces.map((piece, index) => numerals[index] ?? piece).join(' ');
  const onceKey = [...new Set(pieces)].join(' ');
  const once = words.filter(({ text: word }, index) => words.findLastIndex((other) => other.text === word) === index);
  return { keys: [...new Set([key, numberKey, onceKey])], words: once.slice(0, MAX_QUERY_WORDS) };
}

/** The same question in other words: two of them written as one. For when the first finds nothing. */
export function joinedPairs(words: readonly QueryWord[]): QueryWord[][] {
  return words
    .slice(1)
    .map((word, index) => [
      ...words.slice(0, index),
      { text: `${words[index]?.text ?? ''}${word.text}`, number: null, isOpen: word.isOpen },
      ...words.slice(index + 2),
    ]);
}
