/**
 * Subtitles as WebVTT (W3C), from the packets of a movie file's text tracks.
 *
 * Packets are what anyone may have written into a file: any bytes, any markup, any times. What comes out holds the tags b, i and u,
 * properly nested, and text in which everything else is escaped, so that nothing of a file can end a cue, begin another, or
 * become markup in a page.
 */

/** One line or block that is shown for a while. `text` is WebVTT cue text already. */
export interface SubtitleCue {
  readonly startUs: number;
  readonly endUs: number;
  readonly text: string;
  /** Shown at the upper edge, to leave room for what is written below. */
  readonly isTop: boolean;
}

export type CueText = Pick<SubtitleCue, 'text' | 'isTop'>;

/** More than the most talkative movie has by far; typesetters reach tens of thousands with animated signs. */
export const MAX_CUES = 100_000;
/** Longest text of a cue, in characters of the source. A screen holds a few hundred. */
const MAX_SOURCE_LENGTH = 8_192;
/** What is shown without an end, is shown this long at most. */
const DEFAULT_LENGTH_US = 4_000_000;

/** FFmpeg's names of the codecs whose packets are text that we convert. */
const CONVERTERS: Readonly<Record<string, (payload: Uint8Array) => CueText>> = {
  subrip: (payload) => markupCueText(decode(payload)),
  srt: (payload) => markupCueText(decode(payload)),
  webvtt: (payload) => markupCueText(decode(payload)),
  text: (payload) => ({ text: escape(tidy(decode(payload))), isTop: false }),
  mov_text: (payload) => ({ text: escape(tidy(decodeTimedText(payload))), isTop: false }),
  ass: (payload) => assCueText(textField(decode(payload))),
  ssa: (payload) => assCueText(textField(decode(payload))),
};

/** Whether tracks of this codec can be shown as WebVTT. */
export function isConvertibleSubtitle(codec: string): boolean {
  return Object.hasOwn(CONVERTERS, codec);
}

/** The cue text of one packet; empty text where it shows nothing. `codec` must be convertible. */
export function cueText(codec: string, payload: Uint8Array): CueText {
  const convert = Object.hasOwn(CONVERTERS, codec) ? CONVERTERS[codec] : undefined;
  if (!convert) throw new RangeError(`subtitles of ${codec} are no text that we convert`);
  return convert(payload.subarray(0, MAX_SOURCE_LENGTH * 4));
}

/**
 * A whole WebVTT file. Cues are put in order; those without text, or that end before the movie begins, are left out, and so is one that
 * repeats another. A cue without a sensible end lasts until the next one begins, four seconds at most. `timelineOffsetUs`: how
 * much later the segments' own clock runs than the movie; a video element ignores it, HLS players need it.
 */
export function webVtt(cues: readonly SubtitleCue[], timelineOffsetUs: number): string {
  const blocks = [webVttHead(timelineOffsetUs)];
  const sorted = cues
    .filter(({ text, startUs }) => text !== '' && Number.isFinite(startUs))
    .toSorted((a, b) => a.startUs - b.startUs || a.endUs - b.endUs)
    .slice(0, MAX_CUES);
  const sameStart = new Set<string>();
  let lastMs = -1;
  for (const [index, cue] of sorted.entries()) {
    const startMs = Math.max(0, Math.round(cue.startUs / 1_000));
    const endMs = Math.round(endOf(cue, sorted, index) / 1_000);
    if (endMs <= startMs) continue;
    if (startMs !== lastMs) sameStart.clear();
    lastMs = startMs;
    const block = `${time(startMs)} --> ${time(endMs)}${cue.isTop ? ' line:0' : ''}\n${cue.text}\n`;
    if (sameStart.has(block)) continue;
    sameStart.add(block);
    blocks.push(block);
  }
  return blocks.join('\n');
}

/** What stands before the first cue. An empty line follows. */
export function webVttHead(timelineOffsetUs: number): string {
  const mpegTicks = Math.round((timelineOffsetUs * 9) / 100);
  return `WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:${mpegTicks},LOCAL:00:00:00.000\n`;
}

/** One cue, for files that are written while they are read: with an empty line before it. `''` for a cue that shows nothing. */
export function webVttBlock(cue: SubtitleCue): string {
  const startMs = Math.max(0, Math.round(cue.startUs / 1_000));
  const endMs = Math.round(endOf(cue, [cue], 0) / 1_000);
  if (cue.text === '' || !Number.isFinite(cue.startUs) || endMs <= startMs) return '';
  return `\n${time(startMs)} --> ${time(endMs)}${cue.isTop ? ' line:0' : ''}\n${cue.text}\n`;
}

function endOf(cue: SubtitleCue, sorted: readonly SubtitleCue[], index: number): number {
  if (Number.isFinite(cue.endUs) && cue.endUs > cue.startUs) return cue.endUs;
  let next = index + 1;
  while (next < sorted.length && sorted[next]!.startUs <= cue.startUs) next++;
  return Math.min(sorted[next]?.startUs ?? Infinity, cue.startUs + DEFAULT_LENGTH_US);
}

/** `hh:mm:ss.ttt`; hours take as many digits as they need. */
function time(totalMs: number): string {
  const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
  const hours = Math.floor(totalMs / 3_600_000);
  const minutes = Math.floor(totalMs / 60_000) % 60;
  const seconds = Math.floor(totalMs / 1_000) % 60;
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(totalMs % 1_000, 3)}`;
}

/** UTF-8, as every container asks for; what is none is taken for Windows-1252, the commonest mistake. */
function decode(payload: Uint8Array): string {
  const end = payload.indexOf(0);
  const bytes = end < 0 ? payload : payload.subarray(0, end);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** 3GPP timed text: 16 bits of length, then UTF-8, or UTF-16 behind a byte order mark; style records follow and are left out. */
function decodeTimedText(payload: Uint8Array): string {
  if (payload.length < 2) return '';
  const length = payload[0]! * 256 + payload[1]!;
  const bytes = payload.subarray(2, 2 + length);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  return decode(bytes);
}

/** Lines without control characters, and none of them empty: an empty line ends a cue. */
function tidy(text: string): string {
  return text
    .slice(0, MAX_SOURCE_LENGTH)
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029\u0085\f\v]/g, '\n')
    .replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufeff]/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!);
}

type Style = 'b' | 'i' | 'u';
const STYLES: Readonly<Record<string, Style>> = { b: 'b', strong: 'b', i: 'i', em: 'i', u: 'u' };

/** SubRip and WebVTT: HTML-like tags, and the override blocks of ASS that SubRip files borrow. */
export function markupCueText(source: string): CueText {
  const out = new CueBuilder();
  let isTop = false;
  // The look-ahead keeps a long word without its `>` from being tried at every length.
  const pieces = /<\/?([a-zA-Z]*)(?![a-zA-Z])[^<>\n]*>|\{\\([^{}\n]*)\}|\{\/?([biu])\}/g;
  let at = 0;
  const text = tidy(source);
  for (const piece of text.matchAll(pieces)) {
    const [whole, name, override, brace] = piece;
    // `<3` and `a < b` are no tags.
    if (name === '' && !/^<[\d:.]+>$/.test(whole)) continue;
    out.text(entities(text.slice(at, piece.index)));
    at = piece.index + whole.length;
    if (override !== undefined) isTop ||= isTopAlignment(override);
    const style = STYLES[(name ?? brace ?? '').toLowerCase()];
    if (style) out.style(style, !/^[<{]\//.test(whole));
  }
  out.text(entities(text.slice(at)));
  return { text: out.end(), isTop };
}

/** The `Text` field of an ASS event as Matroska stores it: eight fields before it. */
function textField(source: string): string {
  const fields = /^(?:[^,]*,){8}/.exec(source);
  return fields ? source.slice(fields[0].length) : '';
}

/** The `Text` field of an ASS event: override blocks and drawings in it are left out, but for what they say of bold, italics and place. */
export function assCueText(body: string): CueText {
  const out = new CueBuilder();
  let isTop = false;
  let isDrawing = false;
  const text = tidy(body.replace(/\\[Nn]/g, '\n').replace(/\\h/g, '\u00a0'));
  let at = 0;
  for (const block of text.matchAll(/\{([^{}]*)\}/g)) {
    if (!isDrawing) out.text(text.slice(at, block.index));
    at = block.index + block[0].length;
    for (const [, style, value] of block[1]!.matchAll(/\\([biu])(\d*)(?![a-zA-Z(])/g)) {
      // \b takes a weight, too: 0 is off, everything else on; \i and \b alone go back to the style, which is plain.
      out.style(style as Style, value !== '' && value !== '0');
    }
    const drawing = /\\p(\d+)/.exec(block[1]!);
    if (drawing) isDrawing = drawing[1] !== '0';
    isTop ||= isTopAlignment(block[1]!);
  }
  if (!isDrawing) out.text(text.slice(at));
  return { text: out.end(), isTop };
}

/** `\an7` to `\an9`, and the older `\a5` to `\a7`. */
const isTopAlignment = (override: string): boolean => /(^|\\)(an[789]|a[567])(?!\d)/.test(override);

/** The named characters of WebVTT; whatever else begins with an ampersand is text. */
function entities(text: string): string {
  const named: Readonly<Record<string, string>> = {
    amp: '&',
    lt: '<',
    gt: '>',
    nbsp: '\u00a0',
    lrm: '\u200e',
    rlm: '\u200f',
    quot: '"',
    apos: "'",
  };
  return text.replace(/&(amp|lt|gt|nbsp|lrm|rlm|quot|apos);/g, (_whole, name: string) => named[name]!);
}

/** Cue text with properly nested tags: a style that is turned off in the middle of others closes and opens them again. */
class CueBuilder {
  #out = '';
  readonly #open: Style[] = [];

  text(raw: string): void {
    this.#out += escape(raw);
  }

  style(style: Style, isOn: boolean): void {
    const at = this.#open.indexOf(style);
    if (isOn === at >= 0) return;
    if (isOn) {
      this.#open.push(style);
      this.#out += `<${style}>`;
      return;
    }
    const inner = this.#open.splice(at);
    this.#out += inner
      .toReversed()
      .map((name) => `</${name}>`)
      .join('');
    for (const name of inner.slice(1)) this.style(name, true);
  }

  /** Closes what is open. Empty where only tags and blanks would be shown. */
  end(): string {
    const closed =
      this.#out +
      this.#open
        .toReversed()
        .map((name) => `</${name}>`)
        .join('');
    const lines = closed
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n');
    return lines.replace(/<\/?[biu]>|\s/g, '') === '' ? '' : lines;
  }
}
