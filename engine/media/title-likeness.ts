/**
 * Titles made comparable: what spelling, punctuation, marks above letters, articles and ways of writing numbers leave out or
 * change does not count. Pure and total; both sides of a comparison go through the same steps, so a step only has to be
 * consistent, not right about the language.
 */

const MAX_LENGTH = 300;

/** Letters that NFKD does not take apart. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i', ŋ: 'n',
}; // prettier-ignore

/** Only those that seldom begin a title as a word of another language (“Die Hard”, “Las Vegas”). */
const ARTICLES: ReadonlySet<string> = new Set(['the', 'a', 'an', 'der', 'das', 'le', 'les', 'il', 'el', 'het', 'een']);
const CONJUNCTIONS: ReadonlySet<string> = new Set(['and', 'und', 'et', 'y']);
/** Before a number they say nothing: “Part II” is “2”. */
const COUNTERS: ReadonlySet<string> = new Set([
  'part', 'pt', 'vol', 'volume', 'chapter', 'episode', 'teil', 'kapitel', 'partie', 'parte', 'no', 'nr',
]); // prettier-ignore
const NUMBER_WORDS = [
  'zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten',
  'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen', 'twenty',
]; // prettier-ignore
const NUMBERS: ReadonlyMap<string, string> = new Map(NUMBER_WORDS.map((word, number) => [word, String(number)]));
/** II to XXXIX; longer ones name no sequel. One letter alone counts only at the end of a title. */
const ROMAN = /^(?=[ivx]{2,7}$)(x{0,3})(ix|iv|v?i{0,3})$/;
const ONE_LETTER_ROMAN: Readonly<Record<string, string>> = { i: '1', v: '5', x: '10' };

/** The words of a title, in order, in the form in which they are compared. Empty where it has no letter and no digit. */
export function titleWords(title: string): string[] {
  const folded = title
    .slice(0, MAX_LENGTH)
    .replace(/(\d)(?=[¼-¾⅐-⅞])/g, '$1 ')
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[ßæœøłđðþıŋ]/g, (letter) => LETTERS[letter]!)
    // “Matrix, The”
    .replace(/,\s*(?:the|a|an|der|die|das|le|la|les|el|los|las|il)\s*$/, '')
    .replace(/(\d),(?=\d{3}(?!\d))/g, '$1')
    .replace(/(?<!\p{L})(\p{L})\.(?=\p{L}(?!\p{L}))/gu, '$1')
    .replace(/['’‘`´ʼ]/g, '')
    .replace(/&/g, ' and ');
  const words = joinLetters(folded.split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== ''));
  const last = words.length - 1;
  const numbered = words.map((word, index) => NUMBERS.get(word) ?? romanOf(word, index > 0 && index === last) ?? word);
  const spare = numbered.filter((word, index) => {
    if (CONJUNCTIONS.has(word)) return index === 0 || index === last;
    return !(COUNTERS.has(word) && isNumber(numbered[index + 1] ?? ''));
  });
  const first = spare[0] ?? '';
  return spare.length > 1 && ARTICLES.has(first) ? spare.slice(1) : spare;
}

/** Titles with the same key are the same title, spelled differently. */
export function titleKey(title: string): string {
  const words = titleWords(title);
  return words.length === 0 ? title.trim().toLowerCase() : words.join('');
}

export const isNumber = (word: string): boolean => /^\p{Nd}+$/u.test(word);

/** `a i artificial` → `ai artificial`: an abbreviation whose dots became spaces. */
function joinLetters(words: readonly string[]): string[] {
  const joined: string[] = [];
  let isRun = false;
  for (const word of words) {
    const isLetter = /^[a-z]$/.test(word);
    if (isLetter && isRun) joined[joined.length - 1] += word;
    else joined.push(word);
    isRun = isLetter;
  }
  return joined;
}

function romanOf(word: string, isAtEnd: boolean): string | null {
  if (word.length === 1) return isAtEnd ? (ONE_LETTER_ROMAN[word] ?? null) : null;
  const match = ROMAN.exec(word);
  if (!match) return null;
  const [, tens = '', ones = ''] = match;
  const onesValue =
    ones === 'ix' ? 9 : ones === 'iv' ? 4 : (ones.startsWith('v') ? 5 : 0) + ones.replace('v', '').length;
  return String(tens.length * 10 + onesValue);
}

/**
 * How alike two titles are, 0 to 1; 1 only for the same key. Numbers that differ make sequels of each other, whatever else is
 * the same, and a title that begins as the other one and goes on is at most likely.
 */
export function titleSimilarity(a: string, b: string): number {
  const wordsA = titleWords(a);
  const wordsB = titleWords(b);
  const keyA = titleKey(a);
  const keyB = titleKey(b);
  if (keyA === keyB) return keyA === '' ? 0 : 1;
  const edit = editSimilarity(keyA, keyB);
  const sorted = editSimilarity(wordsA.toSorted().join(''), wordsB.toSorted().join(''));
  const alike = Math.max(edit, 0.98 * sorted, 0.98 * wordOverlap(wordsA, wordsB), isBeginningOf(a, b) ? 0.82 : 0);
  return Math.min(alike, numberLimit(wordsA, wordsB), isPluralOf(wordsA, wordsB) ? 0.78 : 0.99);
}

/** “Alien” and “Aliens”: one letter, and another movie. */
function isPluralOf(wordsA: readonly string[], wordsB: readonly string[]): boolean {
  const singular = (words: readonly string[]): string => words.map((word) => word.replace(/s$/, '')).join('');
  return singular(wordsA) === singular(wordsB);
}

/** What the numbers in two titles leave possible. */
function numberLimit(wordsA: readonly string[], wordsB: readonly string[]): number {
  const of = (words: readonly string[]): string => words.filter(isNumber).toSorted().join(' ');
  const [numbersA, numbersB] = [of(wordsA), of(wordsB)];
  if (numbersA === numbersB) return 1;
  // A first part is mostly called like the whole.
  const onlyFirst = [numbersA, numbersB].every((numbers) => numbers === '' || numbers === '1');
  return onlyFirst ? 0.9 : 0.65;
}

/** One is what stands before a colon or a dash in the other: “Borat”. */
function isBeginningOf(a: string, b: string): boolean {
  const main = (title: string): string => titleKey(title.split(/:|\s[-–—|]\s/)[0] ?? '');
  const [keyA, keyB] = [titleKey(a), titleKey(b)];
  return (main(a) === keyB && keyB.length > 1) || (main(b) === keyA && keyA.length > 1);
}

/** Dice's coefficient of words by their length, where a word also equals one that is a typing mistake away. */
function wordOverlap(wordsA: readonly string[], wordsB: readonly string[]): number {
  if (wordsA.length > 40 || wordsB.length > 40) return 0;
  const left = [...wordsB];
  const weight = (words: readonly string[]): number => words.reduce((sum, word) => sum + word.length, 0);
  let common = 0;
  for (const word of wordsA) {
    let best = -1;
    let bestAlike = 0;
    for (const [index, other] of left.entries()) {
      const alike = word === other ? 1 : isNumber(word) || isNumber(other) ? 0 : typoSimilarity(word, other);
      if (alike > bestAlike) [best, bestAlike] = [index, alike];
    }
    if (best < 0) continue;
    common += bestAlike * (word.length + left[best]!.length);
    left.splice(best, 1);
  }
  const all = weight(wordsA) + weight(wordsB);
  return all === 0 ? 0 : common / all;
}

function typoSimilarity(a: string, b: string): number {
  const longest = Math.max(a.length, b.length);
  if (longest < 4 || Math.abs(a.length - b.length) > 2) return 0;
  const distance = editDistance(a, b);
  return distance <= (longest >= 8 ? 2 : 1) ? 1 - distance / longest : 0;
}

function editSimilarity(a: string, b: string): number {
  const longest = Math.max(a.length, b.length);
  return longest === 0 ? 0 : 1 - editDistance(a, b) / longest;
}

/** Optimal string alignment: insertions, deletions, replacements, and neighbours that changed places. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let cost = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (isSame ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, before[column - 2]! + 1);
      }
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length]!;
}
