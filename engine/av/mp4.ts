/**
 * What FFmpeg does not hand out of an MP4 or QuickTime file: chapters, sync sample tables, field coding, language tags.
 * Reads the `moov` box only. Box names and layouts: ISO/IEC 14496-12; `chpl` is Nero's, `fiel` and text tracks QuickTime's.
 */
import { Table, boxIn, boxes, topLevelBoxes } from './mp4-box.ts';
import type { ByteSource } from './byte-source.ts';
import type { RawChapter } from './chapters.ts';

const MAX_TOP_LEVEL = 4096;
const MAX_MOOV_BYTES = 64 << 20;
const MAX_TRACKS = 512;
const MAX_RAW_CHAPTERS = 10_000;
const MAX_CHAPTER_TITLE_BYTES = 1024;

export interface Mp4Edit {
  /** Silence or blackness before the track starts, in movie ticks. */
  readonly emptyTicks: number;
  /** Media time that is shown first, in media ticks. */
  readonly mediaTime: number;
  /** Length of what is shown, in movie ticks; 0: to the end. */
  readonly durationTicks: number;
  /** Whether the file has an edit list at all. */
  readonly isStated: boolean;
}

export interface Mp4Track {
  readonly id: number;
  readonly handler: string;
  /** Media ticks per second. */
  readonly timescale: number;
  readonly languageTag: string | null;
  /** `null`: several edits, which only FFmpeg can follow. */
  readonly edit: Mp4Edit | null;
  readonly chapterTrackIds: readonly number[];
  /** From `fiel`; `null` where the file does not say. */
  readonly isInterlaced: boolean | null;
  readonly sampleTable: Buffer | null;
}

export interface Mp4File {
  readonly movieTimescale: number;
  readonly isFragmented: boolean;
  readonly tracks: readonly Mp4Track[];
  readonly chapters: readonly RawChapter[];
  readonly moov: Buffer;
  /** Position behind the `moov` box. */
  readonly moovEnd: number;
}

/** `null`: no `moov` box, or one larger than any movie's. */
export function readMp4(source: ByteSource): Mp4File | null {
  for (const box of topLevelBoxes(source, MAX_TOP_LEVEL)) {
    if (box.type !== 'moov') continue;
    const length = box.sizeBytes - box.headerBytes;
    if (length > MAX_MOOV_BYTES) return null;
    // Copied: the window that it lies in changes with the next read.
    const moov = Buffer.from(source.read(box.at + box.headerBytes, length));
    return parseMovie(source, moov, box.at + box.sizeBytes);
  }
  return null;
}

function parseMovie(source: ByteSource, moov: Buffer, moovEnd: number): Mp4File {
  const header = boxIn(moov, 'mvhd');
  const movieTimescale = header === null ? 0 : header.readUInt32BE(header[0] === 1 ? 20 : 12);
  const tracks: Mp4Track[] = [];
  for (const box of boxes(moov)) {
    if (box.type !== 'trak' || tracks.length >= MAX_TRACKS) continue;
    const track = parseTrack(box.content);
    if (track !== null) tracks.push(track);
  }
  const quickTime = quickTimeChapters(source, tracks);
  return {
    movieTimescale,
    isFragmented: boxIn(moov, 'mvex') !== null,
    tracks,
    chapters: quickTime.length > 0 ? quickTime : neroChapters(boxIn(moov, 'udta', 'chpl')),
    moov,
    moovEnd,
  };
}

function parseTrack(trak: Buffer): Mp4Track | null {
  const tkhd = boxIn(trak, 'tkhd');
  const mdia = boxIn(trak, 'mdia');
  const mdhd = boxIn(mdia, 'mdhd');
  const hdlr = boxIn(mdia, 'hdlr');
  if (tkhd === null || mdhd === null || hdlr === null) return null;
  const stbl = boxIn(mdia, 'minf', 'stbl');
  const chap = boxIn(trak, 'tref', 'chap');
  return {
    id: tkhd.readUInt32BE(tkhd[0] === 1 ? 20 : 12),
    handler: hdlr.toString('latin1', 8, 12),
    timescale: mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12),
    languageTag: parseLanguageTag(boxIn(mdia, 'elng')),
    edit: parseEdits(boxIn(trak, 'edts', 'elst')),
    chapterTrackIds:
      chap === null ? [] : Array.from({ length: Math.min(chap.length >> 2, 16) }, (_, i) => chap.readUInt32BE(i * 4)),
    isInterlaced: parseFieldCoding(boxIn(stbl, 'stsd')),
    sampleTable: stbl,
  };
}

function parseLanguageTag(elng: Buffer | null): string | null {
  if (elng === null || elng.length < 6) return null;
  const end = elng.indexOf(0, 4);
  return elng.toString('latin1', 4, end < 0 ? elng.length : end);
}

/** Any number of empty edits, then one that shows media: the form that nearly every writer uses. */
function parseEdits(elst: Buffer | null): Mp4Edit | null {
  const isLong = elst !== null && elst[0] === 1;
  const table = new Table(elst, isLong ? 20 : 12);
  let emptyTicks = 0;
  let edit: Mp4Edit | null = null;
  for (let i = 0; i < table.length; i += 1) {
    const durationTicks = isLong ? table.unsigned64(i) : table.unsigned(i);
    const mediaTime = isLong ? table.signed64(i, 8) : table.signed(i, 4);
    if (mediaTime < 0) {
      if (edit !== null) return null;
      emptyTicks += durationTicks;
    } else {
      if (edit !== null) return null;
      edit = { emptyTicks, mediaTime, durationTicks, isStated: true };
    }
  }
  return edit ?? { emptyTicks, mediaTime: 0, durationTicks: 0, isStated: table.length > 0 };
}

/** Sample entry: 8 bytes of box header, 78 of fixed fields, then boxes; `fiel` holds the number of fields per frame. */
function parseFieldCoding(stsd: Buffer | null): boolean | null {
  if (stsd === null || stsd.length < 8 + 86 + 8) return null;
  const fiel = boxIn(stsd.subarray(8 + 86), 'fiel');
  return fiel === null || fiel.length < 1 ? null : fiel[0] === 2;
}

function neroChapters(chpl: Buffer | null): RawChapter[] {
  if (chpl === null || chpl.length < 9) return [];
  const chapters: RawChapter[] = [];
  // Version 1 has four reserved bytes before the count.
  let at = chpl[0] === 1 ? 8 : 4;
  const count = chpl[at] ?? 0;
  at += 1;
  for (let i = 0; i < count && at + 9 <= chpl.length; i += 1) {
    const startUs = Number(chpl.readBigUInt64BE(at)) / 10;
    const length = chpl[at + 8] ?? 0;
    if (at + 9 + length > chpl.length) break;
    chapters.push({ startUs, endUs: null, title: chpl.toString('utf8', at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return chapters;
}

/** A text track that another track names as its chapters: one sample per chapter, its text the title. */
function quickTimeChapters(source: ByteSource, tracks: readonly Mp4Track[]): RawChapter[] {
  const ids = new Set(tracks.flatMap((track) => track.chapterTrackIds));
  const track = tracks.find((t) => ids.has(t.id) && ['text', 'sbtl', 'subt'].includes(t.handler));
  if (track === undefined || track.timescale === 0) return [];
  const sizes = new SampleSizes(boxIn(track.sampleTable, 'stsz'));
  const durations = sampleDurations(new Table(boxIn(track.sampleTable, 'stts'), 8));
  const chapters: RawChapter[] = [];
  let ticks = 0;
  let index = 0;
  for (const at of sampleOffsets(track.sampleTable, sizes)) {
    const duration = durations.next();
    if (duration.done === true || index >= MAX_RAW_CHAPTERS) break;
    const size = Math.min(sizes.at(index), MAX_CHAPTER_TITLE_BYTES);
    const title = chapterTitle(source.read(at, size, size > 64));
    const startUs = (ticks / track.timescale) * 1e6;
    ticks += duration.value;
    chapters.push({ startUs, endUs: (ticks / track.timescale) * 1e6, title });
    index += 1;
  }
  return chapters;
}

function chapterTitle(sample: Buffer): string | null {
  if (sample.length < 2) return null;
  const text = sample.subarray(2, 2 + sample.readUInt16BE(0));
  if (text.length >= 2 && (text.readUInt16BE(0) === 0xfeff || text.readUInt16BE(0) === 0xfffe)) {
    return new TextDecoder(text[0] === 0xfe ? 'utf-16be' : 'utf-16le').decode(text);
  }
  return text.toString('utf8');
}

function* sampleDurations(stts: Table): Generator<number, undefined> {
  for (let i = 0; i < stts.length; i += 1) {
    const duration = stts.unsigned(i, 4);
    for (let n = stts.unsigned(i); n > 0; n -= 1) yield duration;
  }
}

/** `stsz`: one size for all samples, or a table. */
class SampleSizes {
  readonly length: number;
  readonly #size: number;
  readonly #table: Table;

  constructor(stsz: Buffer | null) {
    this.#size = stsz === null || stsz.length < 12 ? 0 : stsz.readUInt32BE(4);
    this.#table = new Table(stsz, 4, 12);
    this.length = this.#size > 0 && stsz !== null ? stsz.readUInt32BE(8) : this.#table.length;
  }

  at(sample: number): number {
    return this.#size > 0 ? this.#size : this.#table.unsigned(sample);
  }
}

/** File positions of the samples in order: chunks from `stco`/`co64`, samples per chunk from `stsc`. */
function* sampleOffsets(stbl: Buffer | null, sizes: SampleSizes): Generator<number> {
  const short = new Table(boxIn(stbl, 'stco'), 4);
  const long = new Table(boxIn(stbl, 'co64'), 8);
  const runs = new Table(boxIn(stbl, 'stsc'), 12);
  const chunks = short.length > 0 ? short.length : long.length;
  let sample = 0;
  let run = 0;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    while (run + 1 < runs.length && runs.unsigned(run + 1) <= chunk + 1) run += 1;
    let at = short.length > 0 ? short.unsigned(chunk) : long.unsigned64(chunk);
    for (let n = runs.length > 0 ? runs.unsigned(run, 4) : 1; n > 0; n -= 1) {
      if (sample >= sizes.length) return;
      yield at;
      at += sizes.at(sample);
      sample += 1;
    }
  }
}
