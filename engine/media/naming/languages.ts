/**
 * Languages that a release name states, as BCP 47 tags. `gmq` stands for "Nordic". Sound and subtitles are not told apart: the
 * names do not do it either, and what is really in a file its probe says.
 */
import { wordSet } from './words.ts';
import type { Word } from './words.ts';

/** Written out, or in another way that is nothing else. */
const NAMES: Readonly<Record<string, string>> = {
  en: 'english inglés ingles anglais englisch',
  de: 'german deutsch swissgerman videomann',
  fr: 'french truefrench subfrench vostfr vff vfq vfi vf2 vof vf français francais french',
  'es-419': 'latino',
  es: 'spanish castellano español espanol esp',
  it: 'italian italiano',
  ja: 'japanese',
  zh: 'chinese',
  cmn: 'mandarin',
  yue: 'cantonese',
  ko: 'korean korsub korsubs',
  ru: 'russian',
  uk: 'ukrainian',
  pl: 'polish pldub plsub subpl pllek lektorpl',
  cs: 'czech',
  sk: 'slovak',
  hu: 'hungarian hundub',
  ro: 'romanian rodubbed rosubbed',
  bg: 'bulgarian bgaudio',
  sr: 'serbian',
  hr: 'croatian',
  sl: 'slovenian',
  mk: 'macedonian',
  sq: 'albanian',
  el: 'greek',
  tr: 'turkish',
  ar: 'arabic',
  fa: 'persian farsi',
  he: 'hebrew hebdub hebdubbed',
  hi: 'hindi',
  ta: 'tamil',
  te: 'telugu',
  ml: 'malayalam',
  kn: 'kannada',
  bn: 'bengali',
  mr: 'marathi',
  pa: 'punjabi',
  gu: 'gujarati',
  ur: 'urdu',
  th: 'thai',
  vi: 'vietnamese',
  id: 'indonesian',
  ms: 'malay',
  tl: 'tagalog filipino',
  mn: 'mongolian',
  ka: 'georgian',
  az: 'azerbaijani',
  kk: 'kazakh',
  uz: 'uzbek',
  nl: 'dutch',
  'nl-BE': 'flemish',
  'pt-BR': 'brazilian dublado',
  pt: 'portuguese português portugues',
  sv: 'swedish swesub swesubs',
  da: 'danish',
  no: 'norwegian',
  fi: 'finnish',
  is: 'icelandic',
  gmq: 'nordic nordicsubs',
  et: 'estonian',
  lv: 'latvian',
  lt: 'lithuanian',
  ca: 'catalan catalán català',
  eu: 'basque',
  gl: 'galician',
  rm: 'romansh romansch rumantsch',
  af: 'afrikaans',
};

/** Of three letters: only behind the title, in any case. */
const SHORT: Readonly<Record<string, string>> = {
  en: 'eng',
  de: 'ger deu',
  fr: 'fre fra',
  es: 'spa',
  it: 'ita',
  ja: 'jap jpn',
  zh: 'chi chs cht zho big5',
  ko: 'kor',
  ru: 'rus',
  uk: 'ukr',
  pl: 'pol',
  cs: 'cze ces',
  sk: 'slo slk',
  hu: 'hun',
  ro: 'rum ron',
  bg: 'bul',
  el: 'gre ell',
  tr: 'tur',
  ar: 'ara',
  he: 'heb',
  hi: 'hin',
  ta: 'tam',
  te: 'tel',
  ml: 'mal',
  kn: 'kan',
  bn: 'ben',
  mn: 'mon khk',
  ka: 'geo kat',
  th: 'tha',
  vi: 'vie',
  tl: 'tgl fil',
  nl: 'dut nld',
  pt: 'por',
  sv: 'swe',
  da: 'dan',
  no: 'nor',
  fi: 'fin',
  is: 'ice isl',
  et: 'est',
  lv: 'lav',
  lt: 'lit',
  ca: 'cat',
  rm: 'roh',
};

/** Of two letters, with the codes of countries that are written for their language: behind the title, in capitals. */
const CODES: Readonly<Record<string, string>> = {
  en: 'en',
  de: 'de',
  fr: 'fr vf',
  es: 'es',
  it: 'it',
  ja: 'ja jp',
  zh: 'zh cn',
  ko: 'ko kr',
  ru: 'ru',
  uk: 'uk ua',
  pl: 'pl',
  cs: 'cs cz',
  sk: 'sk',
  hu: 'hu',
  ro: 'ro',
  bg: 'bg',
  el: 'el gr',
  tr: 'tr',
  ar: 'ar',
  he: 'he',
  hi: 'hi',
  th: 'th',
  nl: 'nl',
  pt: 'pt',
  'pt-BR': 'br',
  sv: 'sv se',
  da: 'da dk',
  no: 'no',
  fi: 'fi',
  is: 'is',
  et: 'et',
  lv: 'lv',
  lt: 'lt',
  ca: 'ca',
  sl: 'sl',
  hr: 'hr',
  sr: 'sr',
};

const byWord = (table: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(table).flatMap(([tag, text]) => [...wordSet(text)].map((word) => [word, tag] as const)));

export const LANGUAGE_BY_NAME = byWord(NAMES);
const BY_SHORT = byWord(SHORT);
const BY_CODE = byWord(CODES);
/** The words of `NAMES` that end no title by themselves, but are taken off its end in front of a year or a format. */
export const LANGUAGE_NAMES: ReadonlySet<string> = new Set(LANGUAGE_BY_NAME.keys());

/** Those that stand in no title. */
export const STRONG_LANGUAGES = wordSet(
  'truefrench subfrench vostfr vff vfq vfi vf2 vof korsub korsubs pldub plsub lektorpl hundub hebdub hebdubbed rodubbed rosubbed bgaudio nordicsubs swesub swesubs dublado castellano videomann',
);

/** `isBeforeRelease`: whether the word behind this one belongs to the release. */
export function languageOf(words: readonly Word[], index: number, isBeforeRelease: boolean): string | null {
  const word = words[index];
  if (word === undefined) return null;
  // “2xUKR”: two tracks of it.
  const low = word.low.replace(/^\dx(?=[a-z]{3})/, '');
  const named = LANGUAGE_BY_NAME.get(low) ?? BY_SHORT.get(low);
  if (named !== undefined) return named;
  const code = BY_CODE.get(word.low);
  if (code === undefined) return null;
  // “DTS-ES” is a kind of sound, “HR.WS” a kind of picture.
  if (words[index - 1]?.low === 'dts' || words[index + 1]?.low === 'ws') return null;
  return word.text === word.text.toUpperCase() || (isBeforeRelease && word.text === word.low) ? code : null;
}
