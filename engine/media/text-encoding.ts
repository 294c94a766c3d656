/**
 * Text of unknown encoding, as files of subtitles are: UTF-8 today, whatever the maker's system had for thirty years before.
 *
 * In order: a byte order mark; UTF-8 where every byte fits it, which text of another encoding does not by chance; UTF-16 without a mark;
 * the encodings of the language that the file's name tells, as far as the bytes are text in them; what the frequency of letters says.
 */
import { analyse } from 'chardet';

export interface DecodedText {
  readonly text: string;
  /** Label of the WHATWG Encoding Standard: `utf-8`, `windows-1250`, `gb18030` … */
  readonly encoding: string;
}

/** Legacy encodings of languages, the commonest in files of subtitles first. */
const BY_LANGUAGE: Readonly<Record<string, readonly string[]>> = {
  ...each('cs hr hu pl ro sk sl bs sq', ['windows-1250', 'iso-8859-2']),
  ...each('ru bg uk mk be sr', ['windows-1251', 'koi8-r', 'iso-8859-5']),
  ...each('el', ['windows-1253']),
  ...each('tr az', ['windows-1254']),
  ...each('he yi', ['windows-1255']),
  ...each('ar fa ur', ['windows-1256']),
  ...each('et lt lv', ['windows-1257']),
  ...each('vi', ['windows-1258']),
  ...each('th', ['windows-874']),
  ...each('ja', ['shift_jis', 'euc-jp', 'iso-2022-jp']),
  ...each('ko', ['euc-kr']),
  ...each('zh', ['gb18030', 'big5']),
  ...each('en de fr es it pt nl da sv nb nn no fi is ca ga', ['windows-1252']),
};

function each(languages: string, encodings: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(languages.split(' ').map((language) => [language, encodings]));
}

/** How much of a file is looked at to guess: letters repeat themselves. */
const SAMPLE_BYTES = 256 << 10;
/** `language` is a BCP 47 tag, `null` where none is known. Never throws: what fits nowhere is read as Windows-1252. */
export function decodeText(bytes: Uint8Array, language: string | null): DecodedText {
  const marked = markOf(bytes);
  if (marked !== null) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  const utf8 = decodeAs('utf-8', bytes);
  // ISO-2022-JP is made of ASCII alone, and tells itself by its escapes.
  if (utf8 !== null && !utf8.includes('\u001b$')) return { text: utf8, encoding: 'utf-8' };
  const wide = wideEncoding(bytes);
  if (wide !== null) return { text: new TextDecoder(wide).decode(bytes), encoding: wide };

  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const guesses = analyse(sample).flatMap(({ name, confidence }) => {
    const encoding = labelOf(name);
    return encoding === null || encoding.startsWith('utf-') ? [] : [{ encoding, confidence }];
  });
  const named = namedEncodings(language, guesses);
  if (named.length === 0 && looksCentralEuropean(sample)) {
    guesses.unshift({ encoding: 'windows-1250', confidence: 100 });
  }
  // A name that the letters deny is wrong: Russian text in a file that is called English.
  const isDenied = named.every(isLatin) && isHardlyLatin(sample);
  const guessed = guesses.map(({ encoding }) => encoding);
  for (const encoding of new Set(isDenied ? [...guessed, ...named] : [...named, ...guessed])) {
    const text = decodeAs(encoding, bytes);
    if (text !== null) return { text, encoding };
  }
  return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'windows-1252' };
}

const isLatin = (encoding: string): boolean => /^(?:windows-125[0247]|iso-8859-(?:1|2|4|9|13|15))$/.test(encoding);

/**
 * Letters of Poland, Bohemia, Croatia, Hungary … in Windows-1250, which statistics take for Windows-1252: there they would be signs in
 * the middle of words (`³`, `¹`, `¿`), or š and ž beside è, æ and ð, which no language has together.
 */
function looksCentralEuropean(bytes: Uint8Array): boolean {
  let [signs, carons, others] = [0, 0, 0];
  const isLetter = (byte: number | undefined): boolean => byte !== undefined && ((byte | 32) - 97) >>> 0 < 26;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 0x80) continue;
    const isInside = isLetter(bytes[at - 1]) || isLetter(bytes[at + 1]);
    if (!isInside) continue;
    if (SIGNS_IN_WORDS.has(byte)) signs++;
    else if (byte === 0x9a || byte === 0x9e) carons++;
    else if (byte === 0xe8 || byte === 0xe6 || byte === 0xf0 || byte === 0xf8 || byte === 0xec) others++;
  }
  return signs >= 3 || (carons >= 3 && others >= 3);
}

/** Whether most letters lie outside of ASCII, as in no language that is written in Latin letters. */
function isHardlyLatin(bytes: Uint8Array): boolean {
  let [plain, others] = [0, 0];
  for (const byte of bytes) {
    if (byte >= 0xa0) others++;
    else if (((byte | 32) - 97) >>> 0 < 26) plain++;
  }
  return others > plain;
}

/** ą ł ż ś ź Ą Ł ľ in Windows-1250. */
const SIGNS_IN_WORDS: ReadonlySet<number> = new Set([0xb9, 0xb3, 0xbf, 0x9f, 0xa5, 0xa3, 0xbe]);

/** Of the language's own encodings the one that the letters speak for most, then the others of its row. */
function namedEncodings(
  language: string | null,
  guesses: readonly { readonly encoding: string; readonly confidence: number }[],
): readonly string[] {
  if (language === null) return [];
  const isTraditional = /^zh\b.*(?:hant|tw|hk|mo)/i.test(language);
  const row = isTraditional ? ['big5', 'gb18030'] : (BY_LANGUAGE[language.split('-')[0]!.toLowerCase()] ?? []);
  const confidenceOf = (encoding: string): number =>
    Math.max(0, ...guesses.filter((guess) => guess.encoding === encoding).map(({ confidence }) => confidence));
  return row.toSorted((a, b) => confidenceOf(b) - confidenceOf(a));
}

function markOf(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return null;
}

/** Times, digits and line ends are ASCII in every subtitle: in UTF-16 every other byte of them is zero. */
function wideEncoding(bytes: Uint8Array): string | null {
  const length = Math.min(bytes.length, 4_096) & ~1;
  let [even, odd] = [0, 0];
  for (let at = 0; at < length; at += 2) {
    if (bytes[at] === 0) even++;
    if (bytes[at + 1] === 0) odd++;
  }
  const enough = length / 8;
  if (odd > enough && odd > even * 4) return 'utf-16le';
  return even > enough && even > odd * 4 ? 'utf-16be' : null;
}

/** `null` where a byte does not fit, or where letters are control characters in it. */
function decodeAs(encoding: string, bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return /[\u0080-\u0084\u0086-\u009f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function labelOf(name: string): string | null {
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return null; // UTF-32, EBCDIC
  }
}
