/**
 * Subtitles and chapters as samples of an MP4 file: 3GPP timed text (3GPP TS 26.245, FFmpeg's `mov_text`) and QuickTime's chapter text.
 * Made from WebVTT of our own writing (engine/media/web-vtt.ts), whose cues hold text, the tags b, i and u, and nothing else.
 */
import { SampleList } from './fragment-samples.ts';

/** Ticks a second of every text track: milliseconds. */
export const TEXT_TIMESCALE = 1_000;
/** A sample's length field has 16 bits. */
const MAX_TEXT_BYTES = 32_768;
/** More is a typesetter's work that nobody reads; it bounds what a file may make of us. */
const MAX_CUES = 100_000;
const FACES = { b: 1, i: 2, u: 4 } as const;

interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

export interface TextTrack {
  readonly samples: SampleList;
  /** Sample after sample. */
  readonly bytes: Buffer;
}

/** Reads what `webVtt` wrote. */
function readCues(vtt: string): Cue[] {
  const cues: Cue[] = [];
  for (const block of vtt.split(/\n{2,}/)) {
    const lines = block.split('\n').filter((line) => line !== '');
    const at = lines.findIndex((line) => line.includes(' --> '));
    const [, from, to] = /^([\d:.]+) --> ([\d:.]+)/.exec(lines[at] ?? '') ?? [];
    if (at < 0 || from === undefined || to === undefined) continue;
    const [startMs, endMs] = [milliseconds(from), milliseconds(to)];
    if (endMs > startMs && cues.length < MAX_CUES) cues.push({ startMs, endMs, text: lines.slice(at + 1).join('\n') });
  }
  return cues.toSorted((a, b) => a.startMs - b.startMs);
}

function milliseconds(time: string): number {
  return Math.round(
    time
      .split(':')
      .map(Number)
      .reduce((sum, part) => sum * 60 + part, 0) * 1_000,
  );
}

/** One sample after the other from 0 to the end: an empty one where nothing is shown, all lines where several cues are at once. */
export function subtitleTrack(vtt: string, durationMs: number): TextTrack {
  const cues = readCues(vtt).filter(({ startMs }) => startMs < durationMs);
  const track = new TextBuilder();
  const borders = [...new Set([0, ...cues.flatMap(({ startMs, endMs }) => [startMs, endMs]), durationMs])]
    .filter((ms) => ms <= durationMs)
    .toSorted((a, b) => a - b);
  let next = 0;
  let shown: Cue[] = [];
  let sample = { startMs: 0, text: '' };
  for (const borderMs of borders) {
    shown = shown.filter(({ endMs }) => endMs > borderMs);
    while (next < cues.length && cues[next]!.startMs <= borderMs) shown.push(cues[next++]!);
    const text = shown.map((cue) => cue.text).join('\n');
    if (text === sample.text && borderMs !== durationMs) continue;
    if (borderMs > sample.startMs) track.add(styledSample(sample.text), sample.startMs, borderMs);
    sample = { startMs: borderMs, text };
  }
  return track.done();
}

export interface ChapterMark {
  readonly startMs: number;
  readonly title: string;
}

/** Chapters follow each other without gaps; the first one begins with the movie. */
export function chapterTrack(chapters: readonly ChapterMark[], durationMs: number): TextTrack {
  const track = new TextBuilder();
  const all = chapters[0]?.startMs === 0 ? chapters : [{ startMs: 0, title: '' }, ...chapters];
  for (const [index, { startMs, title }] of all.entries()) {
    const endMs = all[index + 1]?.startMs ?? durationMs;
    // Behind the text: it is UTF-8.
    const encoding = Buffer.from([0, 0, 0, 12, 0x65, 0x6e, 0x63, 0x64, 0, 0, 1, 0]);
    if (endMs > startMs) track.add(Buffer.concat([plainText(title), encoding]), startMs, endMs);
  }
  return track.done();
}

class TextBuilder {
  readonly #samples = new SampleList();
  readonly #pieces: Buffer[] = [];
  #position = 0;

  add(bytes: Buffer, startMs: number, endMs: number): void {
    this.#samples.add({
      sizeBytes: bytes.length,
      offsetTicks: 0,
      durationTicks: endMs - startMs,
      decodeTicks: startMs,
      isSync: true,
      segment: 0,
      position: this.#position,
    });
    this.#pieces.push(bytes);
    this.#position += bytes.length;
  }

  done(): TextTrack {
    return { samples: this.#samples, bytes: Buffer.concat(this.#pieces) };
  }
}

function plainText(text: string): Buffer {
  const bytes = boundedUtf8(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function boundedUtf8(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= MAX_TEXT_BYTES) return bytes;
  // Not in the middle of a character.
  let end = MAX_TEXT_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** The text without its tags, and a `styl` box that says where they were. Characters are counted as Unicode code points. */
function styledSample(marked: string): Buffer {
  let text = '';
  let characters = 0;
  let face = 0;
  const runs: { from: number; to: number; face: number }[] = [];
  for (const [piece] of marked.matchAll(/<\/?[biu]>|[^<]+|</g)) {
    const tag = /^<(\/?)([biu])>$/.exec(piece);
    if (tag) {
      const bit = FACES[tag[2] as keyof typeof FACES];
      face = tag[1] === '' ? face | bit : face & ~bit;
      continue;
    }
    const plain = unescape(piece);
    const { length } = Array.from(plain);
    if (face !== 0 && length > 0) runs.push({ from: characters, to: characters + length, face });
    characters += length;
    text += plain;
  }
  const sample = plainText(text);
  // The records count in 16 bits as well.
  if (runs.length === 0 || characters > 0xffff) return sample;
  const styl = Buffer.alloc(10 + runs.length * 12);
  styl.writeUInt32BE(styl.length, 0);
  styl.write('styl', 4, 'latin1');
  styl.writeUInt16BE(runs.length, 8);
  for (const [index, run] of runs.entries()) {
    const at = 10 + index * 12;
    styl.writeUInt16BE(run.from, at);
    styl.writeUInt16BE(run.to, at + 2);
    styl.writeUInt16BE(1, at + 4);
    styl.writeUInt8(run.face, at + 6);
    styl.writeUInt8(FONT_SIZE, at + 7);
    styl.writeUInt32BE(0xffff_ffff, at + 8);
  }
  return Buffer.concat([sample, styl]);
}

const unescape = (text: string): string =>
  text.replace(/&(amp|lt|gt);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>' })[name]!);

const FONT_SIZE = 18;
const SOME_FORCED = 0x4000_0000;
const ALL_FORCED = 0x8000_0000;

/** What `stsd` holds of 3GPP timed text: white, at the lower edge, in the middle. */
export function subtitleDescription(isForced: boolean): Buffer {
  const font = Buffer.from('Serif', 'latin1');
  const ftab = Buffer.alloc(13 + font.length);
  ftab.writeUInt32BE(ftab.length, 0);
  ftab.write('ftab', 4, 'latin1');
  ftab.writeUInt16BE(1, 8);
  ftab.writeUInt16BE(1, 10);
  ftab.writeUInt8(font.length, 12);
  font.copy(ftab, 13);
  const entry = Buffer.alloc(46);
  entry.writeUInt32BE(46 + ftab.length, 0);
  entry.write('tx3g', 4, 'latin1');
  entry.writeUInt16BE(1, 14); // data reference
  entry.writeUInt32BE(isForced ? (SOME_FORCED | ALL_FORCED) >>> 0 : 0, 16);
  entry.writeInt8(1, 20); // centred
  entry.writeInt8(-1, 21); // at the lower edge
  entry.writeUInt16BE(1, 38); // of the default style, behind background and box: the font
  entry.writeUInt8(FONT_SIZE, 41);
  entry.writeUInt32BE(0xffff_ffff, 42);
  return described([entry, ftab]);
}

/** What `stsd` holds of QuickTime's chapter text. */
export function chapterDescription(): Buffer {
  const entry = Buffer.alloc(60);
  entry.writeUInt32BE(60, 0);
  entry.write('text', 4, 'latin1');
  entry.writeUInt16BE(1, 14);
  entry.writeUInt32BE(1, 16);
  return described([entry]);
}

function described(parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(1, 4);
  return Buffer.concat([head, ...parts]);
}
