/**
 * Letters of other scripts as they are most often typed on a Latin keyboard. Made for finding and not for reading: one letter, one
 * spelling, no rules of pronunciation. Titles are stored in both forms, so what is typed is never translated.
 */

/** Letters that Unicode does not take apart. The umlauts stand in `SPELLED_OUT` too: `ö` is typed as `o` and as `oe`. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss', ẞ: 'ss', ø: 'o', æ: 'ae', œ: 'oe', đ: 'd', ð: 'd', ł: 'l', þ: 'th', ħ: 'h', ı: 'i', ŋ: 'n', ſ: 's', ə: 'a', ŀ: 'l', ĸ: 'k', ŧ: 't',
  // Arabic letters that are written one for the other.
  ى: 'ي', ة: 'ه', ک: 'ك', ی: 'ي',
}; // oxfmt-ignore

const SPELLED_OUT: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', ø: 'oe', å: 'aa' };

const CYRILLIC =
  'а a б b в v г g д d е e ж zh з z и i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ъ  ы y ь  э e ю yu я ya ' +
  'є ye ґ g ђ dj ј j љ lj њ nj ћ c џ dz ѕ dz ѐ e ѝ i';
const GREEK = 'α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o';
const KANA =
  'あ a い i う u え e お o か ka き ki く ku け ke こ ko さ sa し shi す su せ se そ so た ta ち chi つ tsu て te と to な na に ni ぬ nu ね ne の no ' +
  'は ha ひ hi ふ fu へ he ほ ho ま ma み mi む mu め me も mo や ya ゆ yu よ yo ら ra り ri る ru れ re ろ ro わ wa ゐ i ゑ e を o ん n ' +
  'が ga ぎ gi ぐ gu げ ge ご go ざ za じ ji ず zu ぜ ze ぞ zo だ da ぢ ji づ zu で de ど do ば ba び bi ぶ bu べ be ぼ bo ' +
  'ぱ pa ぴ pi ぷ pu ぺ pe ぽ po ゔ vu ぁ a ぃ i ぅ u ぇ e ぉ o';

/** `а a б b …`: a letter, a space, what it becomes (nothing where two spaces follow). */
function readTable(text: string): [string, string][] {
  const parts = text.split(' ');
  return Array.from({ length: Math.floor(parts.length / 2) }, (_, index) => [
    parts[index * 2] ?? '',
    parts[index * 2 + 1] ?? '',
  ]);
}

const ROMAN = new Map([...readTable(CYRILLIC), ...readTable(GREEK), ...readTable(KANA)]);
const SMALL_Y: Readonly<Record<string, string>> = { ゃ: 'a', ゅ: 'u', ょ: 'o' };

// Unicode 16, section 3.12: a syllable is 0xAC00 + (lead × 21 + vowel) × 28 + tail. Revised Romanization, letter by letter.
const LEADS = 'g kk n d tt r m b pp s ss  j jj ch k t p h'.split(' ');
const VOWELS = 'a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i'.split(' ');
const TAILS = ' k k k n n n t l k m p l l p l m p p t t ng t t k t p t'.split(' ');

function romanizeSyllable(code: number): string {
  const offset = code - 0xac00;
  const tail = TAILS[offset % 28] ?? '';
  const vowel = VOWELS[Math.floor(offset / 28) % 21] ?? '';
  return `${LEADS[Math.floor(offset / 588)] ?? ''}${vowel}${tail}`;
}

/** Everything but letters of the scripts below is ASCII already or stays as it is. */
const OTHER_SCRIPTS = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

const KATAKANA_TO_HIRAGANA = 0x60;

/** Folded text in Latin letters; the same text where none of its letters has a spelling here. */
export function romanize(folded: string): string {
  if (!OTHER_SCRIPTS.test(folded)) return folded;
  let roman = '';
  let isDoubled = false;
  for (const character of folded) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xac00 && code <= 0xd7a3) {
      roman += romanizeSyllable(code);
      continue;
    }
    const letter = code >= 0x30a1 && code <= 0x30f4 ? String.fromCodePoint(code - KATAKANA_TO_HIRAGANA) : character;
    if (letter === 'っ') {
      isDoubled = true;
      continue;
    }
    // The sign of a long vowel.
    if (letter === 'ー') continue;
    const small = SMALL_Y[letter];
    if (small !== undefined && /[bcdfghjklmnprstvz]i$/.test(roman)) {
      roman = `${roman.slice(0, -1)}${/(?:sh|ch|j)i$/.test(roman) ? '' : 'y'}${small}`;
      continue;
    }
    const spelled = ROMAN.get(letter) ?? letter;
    roman += isDoubled ? spelled.slice(0, 1) + spelled : spelled;
    isDoubled = false;
  }
  return roman;
}

const MARKED = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}])\p{M}+/gu;

/**
 * Lower case, full-width forms and ligatures taken apart, marks removed where they only modify a letter. Kana keep theirs (`が` is
 * not `か`), and so do scripts whose vowels are marks.
 */
export function foldText(text: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\u0000-\u007f]*$/.test(text)) return text.toLowerCase();
  // As digits, fractions and powers are words of their own: “8½”, “Alien³”.
  const spaced = text.replace(/[¼-¾⅐-⅞²³¹⁰⁴-⁹]/g, (digit) => ` ${digit.normalize('NFKC').replace('⁄', ' ')}`);
  const lower = spaced.normalize('NFKC').toLowerCase();
  const bare = lower.normalize('NFD').replace(MARKED, '$1').normalize('NFC');
  // Only now: what a letter is written as may have had marks (`Ǣ`).
  return bare.replace(/[^\u0000-\u007f]/g, (letter) => LETTERS[letter] ?? letter);
}

/** The text with its umlauts written as two letters, as who has no key for them does; `null` where it has none. */
export function spellOut(text: string): string | null {
  const lower = text.normalize('NFC').toLowerCase();
  const spelled = lower.replace(/[äöüøå]/g, (letter) => SPELLED_OUT[letter] ?? letter);
  return spelled === lower ? null : spelled;
}
