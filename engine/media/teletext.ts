/**
 * Subtitles of teletext (ETSI EN 300 706, in transport streams by EN 300 472): pages of 24 rows with 40 characters, of which one is the
 * subtitles. A page is whole when its next header comes; it shows from its own header to that one.
 *
 * Level 1 with the accents of X/26, in the Latin alphabets of Western and Central Europe. Pages in Cyrillic, Greek, Arabic or Hebrew
 * letters are left out: their codes would come out as other letters.
 */

/** A page as it shows. `text` is empty where it shows nothing. */
export interface TeletextCue {
  readonly startUs: number;
  readonly endUs: number;
  /** Its lines, without colours. */
  readonly text: string;
}

/** Data unit of 46 bytes: its id, its length, a line number, the framing code, then what the line carries. */
const UNIT_BYTES = 46;
const UNIT_LENGTH = 44;
const PAGE_UNITS = new Set([0x02, 0x03]);
const COLUMNS = 40;
/** Row 24 holds key colours, never talk. */
const LAST_ROW = 23;
/** A page that is not taken away: whoever made it went off the air. */
const LONGEST_US = 10_000_000;
const START_BOX = 0x0b;
const END_BOX = 0x0a;
/** Where national alphabets put their own letters (table 36). */
const NATIONAL_PLACES = [0x23, 0x24, 0x40, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f, 0x60, 0x7b, 0x7c, 0x7d, 0x7e] as const;
const NATIONAL: Readonly<Record<string, string>> = {
  english: '£$@←½→↑#—¼‖¾÷',
  french: 'éïàëêùî#èâôûç',
  swedish: '#¤ÉÄÖÅÜ_éäöåü',
  czech: '#ůčťžýířéáěúš',
  german: '#$§ÄÖÜ^_°äöüß',
  spanish: 'ç$¡áéíóú¿üñèà',
  italian: '£$é°ç→↑#ùàòèì',
  romanian: '#¤ŢÂŞĂÎıţâşăî',
  polish: '#ńąƵŚŁćóężśłź',
  turkish: '₺ğİŞÖÇÜĞışöçü',
  serbian: '#ËČĆŽĐŠëčćžđš',
  estonian: '#õŠÄÖŽÜÕšäöžü',
  latvian: '#$ŠėęŽčūšąųžį',
};
/** By region and the three bits of the header (table 32); what is not here is not in Latin letters, or in none. */
const ALPHABETS: Readonly<Record<number, string>> = {
  ...{ 0: 'english', 1: 'french', 2: 'swedish', 3: 'czech', 4: 'german', 5: 'spanish', 6: 'italian' },
  ...{ 8: 'polish', 9: 'french', 10: 'swedish', 11: 'czech', 12: 'german', 14: 'italian' },
  ...{ 16: 'english', 17: 'french', 18: 'swedish', 19: 'turkish', 20: 'german', 21: 'spanish', 22: 'italian' },
  ...{ 29: 'serbian', 31: 'romanian', 34: 'estonian', 35: 'latvian', 54: 'turkish' },
};
/** Marks of X/26 (table 38), to be joined with the letter before them. */
const MARKS = ['', '\u0300', '\u0301', '\u0302', '\u0303', '\u0304', '\u0306', '\u0307', '\u0308', '\u0323'] as const;
const MORE_MARKS = ['\u030a', '\u0327', '\u0332', '\u030b', '\u0328', '\u030c'] as const;
const ACCENTS = [...MARKS, ...MORE_MARKS];

export class TeletextDecoder {
  /** Magazine and number, as `0x888`; `null` until a page says that it is subtitles. */
  #page: number | null;
  /** Region of the alphabet, and the header's three bits. */
  #region = 0;
  #national = 0;
  #rows: (string[] | null)[] = [];
  #shownFromUs = Number.NaN;
  #isReceiving = false;
  #takenUs = Number.NaN;

  /** `extradata`: two bytes for each page that the stream announces, its kind with its magazine, and its number. */
  constructor(extradata: Uint8Array | null) {
    this.#page = announcedPage(extradata ?? new Uint8Array(0));
  }

  /** What ends with this packet. Anything may be in it. Times that go back are another stretch of the movie. */
  take(payload: Uint8Array, timeUs: number): TeletextCue[] {
    const cues: TeletextCue[] = [];
    if (timeUs < this.#takenUs) {
      const last = this.finish();
      if (last !== null) cues.push(last);
      this.#rows = [];
      this.#isReceiving = false;
    }
    this.#takenUs = timeUs;
    // The first byte says how the units lie in it.
    for (let at = 1; at + 2 <= payload.length; at += 2 + payload[at + 1]!) {
      const isLine = PAGE_UNITS.has(payload[at]!) && payload[at + 1] === UNIT_LENGTH;
      if (!isLine || at + UNIT_BYTES > payload.length) continue;
      const line = Uint8Array.from(payload.subarray(at + 4, at + UNIT_BYTES), reversed);
      const cue = this.#takeLine(line, timeUs);
      if (cue !== null) cues.push(cue);
    }
    return cues;
  }

  /** What shows at the end. */
  finish(): TeletextCue | null {
    return this.#cueUntil(Number.POSITIVE_INFINITY);
  }

  #takeLine(line: Uint8Array, timeUs: number): TeletextCue | null {
    const [low, high] = [nibble(line[0]!), nibble(line[1]!)];
    if (low < 0 || high < 0) return null;
    const magazine = low & 7 || 8;
    const row = (high << 1) | (low >> 3);
    const data = line.subarray(2);
    if (row === 0) return this.#takeHeader(magazine, data, timeUs);
    if (this.#page === null || magazine !== this.#page >> 8) return null;
    if (row >= 28) this.#takeRegion(row, data);
    else if (!this.#isReceiving) return null;
    else if (row <= LAST_ROW) this.#takeRow(row, data);
    else if (row === 26) this.#takeAccents(data);
    return null;
  }

  #takeHeader(magazine: number, data: Uint8Array, timeUs: number): TeletextCue | null {
    const nibbles = Array.from(data.subarray(0, 8), nibble);
    if (nibbles.some((one) => one < 0)) return null;
    const number = (magazine << 8) | (nibbles[1]! << 4) | nibbles[0]!;
    const isSubtitle = (nibbles[5]! & 8) !== 0;
    // 0xff is a header that only fills time.
    const isFiller = (number & 0xff) === 0xff;
    if (this.#page === null && isSubtitle && !isFiller) this.#page = number;
    if (number !== this.#page) {
      // In serial transmission any header ends the page before it, in parallel one of the same magazine.
      const isSerial = (nibbles[7]! & 1) !== 0;
      if (this.#page !== null && (isSerial || magazine === this.#page >> 8)) this.#isReceiving = false;
      return null;
    }
    const ended = this.#cueUntil(timeUs);
    this.#rows = [];
    this.#shownFromUs = timeUs;
    this.#isReceiving = true;
    this.#national = (nibbles[7]! >> 1) & 7;
    return ended;
  }

  /** The region of the alphabet, which a whole magazine or a page tells in its own packet. */
  #takeRegion(row: number, data: Uint8Array): void {
    const designation = nibble(data[0]!);
    if (row > 29 || (designation !== 0 && designation !== 4)) return;
    const first = triplet(data, 0);
    if (first !== null && (row === 29 || (first & 0xf) === 0)) this.#region = (first >> 10) & 0xf;
  }

  #takeRow(row: number, data: Uint8Array): void {
    if (data.length < COLUMNS) return;
    const before = this.#rows[row];
    // Accents may have come before the row that they belong to.
    this.#rows[row] = Array.from(data, (byte, column) => before?.[column] || this.#letter(byte));
  }

  #takeAccents(data: Uint8Array): void {
    let row = 0;
    for (let place = 0; place < 13; place++) {
      const value = triplet(data, place);
      if (value === null) continue;
      const [address, mode, code] = [value & 0x3f, (value >> 6) & 0x1f, value >> 11];
      if (address >= 40) {
        // Modes of rows: 4 goes to one, 7 to the first; the end of all is 31.
        if (mode === 0x1f) return;
        if (mode === 4) row = address === 40 ? 24 : address - 40;
        continue;
      }
      if (row < 1 || row > LAST_ROW || mode < 0x10 || code < 0x20) continue;
      const letters = (this.#rows[row] ??= Array.from({ length: COLUMNS }, () => ''));
      letters[address] = `${asciiOf(code)}${ACCENTS[mode & 0xf]!}`.normalize('NFC');
    }
  }

  /** Bytes of odd parity, or a mark for what came damaged. */
  #letter(byte: number): string {
    const code = byte & 0x7f;
    if (!hasOddParity(byte)) return ' ';
    if (code < 0x20) return String.fromCharCode(code);
    const place = NATIONAL_PLACES.indexOf(code as (typeof NATIONAL_PLACES)[number]);
    const alphabet = NATIONAL[ALPHABETS[(this.#region << 3) | this.#national] ?? 'english']!;
    return place < 0 ? asciiOf(code) : Array.from(alphabet)[place]!;
  }

  #cueUntil(endUs: number): TeletextCue | null {
    const startUs = this.#shownFromUs;
    // The first four regions are Latin throughout.
    const isLatin = this.#region < 4 || ALPHABETS[(this.#region << 3) | this.#national] !== undefined;
    const text = isLatin ? this.#rows.map((row) => (row ? boxed(row) : '')).filter((line) => line !== '') : [];
    if (text.length === 0 || !(endUs > startUs)) return null;
    return { startUs, endUs: Math.min(endUs, startUs + LONGEST_US), text: text.join('\n') };
  }
}

/** The page of subtitles that the stream announces first: for all (2), then for people who are hard of hearing (5). */
function announcedPage(extradata: Uint8Array): number | null {
  const pages: { readonly kind: number; readonly page: number }[] = [];
  for (let at = 0; at + 2 <= extradata.length; at += 2) {
    const [head, number] = [extradata[at]!, extradata[at + 1]!];
    pages.push({ kind: head >> 3, page: ((head & 7 || 8) << 8) | number });
  }
  return (pages.find(({ kind }) => kind === 2) ?? pages.find(({ kind }) => kind === 5))?.page ?? null;
}

/** What of a row lies in its boxes; all else is the film. */
function boxed(row: readonly string[]): string {
  let isInside = false;
  const shown = row.map((letter) => {
    const code = letter.length === 1 ? letter.charCodeAt(0) : 0x20;
    if (code === START_BOX) isInside = true;
    else if (code === END_BOX) isInside = false;
    // What sets colours and sizes takes a place of its own.
    return isInside && code >= 0x20 ? letter : ' ';
  });
  return shown.join('').replaceAll(/ {2,}/g, ' ').trim();
}

function asciiOf(code: number): string {
  return code === 0x7f ? '■' : String.fromCharCode(code);
}

/** Lines are sent with their least bit first. */
function reversed(byte: number): number {
  let turned = 0;
  for (let bit = 0; bit < 8; bit++) turned |= ((byte >> bit) & 1) << (7 - bit);
  return turned;
}

function hasOddParity(byte: number): boolean {
  let ones = 0;
  for (let bit = 0; bit < 8; bit++) ones ^= (byte >> bit) & 1;
  return ones === 1;
}

/** The sixteen words of Hamming 8/4 (section 8.2), by what they stand for. */
const HAMMING = [0x15, 0x02, 0x49, 0x5e, 0x64, 0x73, 0x38, 0x2f, 0xd0, 0xc7, 0x8c, 0x9b, 0xa1, 0xb6, 0xfd, 0xea];
/** By the byte: what it stands for, with one wrong bit put right; -1 for two. */
const NIBBLES = Int8Array.from({ length: 256 }, (_, byte) => {
  const distance = (word: number): number => (word ^ byte).toString(2).replaceAll('0', '').length;
  return HAMMING.findIndex((word) => distance(word) <= 1);
});

function nibble(byte: number): number {
  return NIBBLES[byte]!;
}

/** Eighteen bits in twenty-four (section 8.3), with one wrong bit put right; `null` for two. */
function triplet(data: Uint8Array, place: number): number | null {
  const at = 1 + place * 3;
  if (at + 3 > data.length) return null;
  let word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16);
  let test = 0;
  for (let bit = 0; bit < 23; bit++) if (((word >> bit) & 1) === 1) test ^= bit + 33;
  if (((word >> 23) & 1) === 1) test ^= 32;
  if ((test & 0x1f) !== 0x1f) {
    if ((test & 0x20) === 0x20) return null;
    word ^= 1 << (30 - test);
  }
  return ((word >> 2) & 1) | ((word >> 3) & 0xe) | ((word >> 4) & 0x7f0) | ((word >> 5) & 0x3f800);
}
