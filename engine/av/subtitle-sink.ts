/**
 * What becomes of a track's packets: files in a folder that can be read while they are written. `t3.vtt` for text, with `t3.ass` where
 * it has styles; `t3.pics` for pictures; with `t3.read` for how far the latter two go meanwhile. `t3.done` says that they are whole.
 */
import { closeSync, fstatSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DvbSubtitleDecoder } from '#engine/media/dvb-subtitle.ts';
import { PgsDecoder } from '#engine/media/pgs.ts';
import { printReadSpans } from '#engine/media/read-spans.ts';
import type { ReadSpan } from '#engine/media/read-spans.ts';
import { PICTURE_STREAM_MAGIC, printStreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import { TELETEXT_CODEC, isStyledSubtitle } from '#engine/media/subtitle-kind.ts';
import type { PictureSubtitleKind } from '#engine/media/subtitle-kind.ts';
import { TeletextDecoder } from '#engine/media/teletext.ts';
import type { TeletextCue } from '#engine/media/teletext.ts';
import type { PictureDecoder, SubtitlePicture } from '#engine/media/subtitle-picture.ts';
import {
  linesOf,
  parseStyledScript,
  printStyledEvent,
  printStyledHead,
  printStyledScript,
  styledEventOf,
  withoutFloods,
} from '#engine/media/subtitle-script.ts';
import type { StyledEvent, StyledScript, SubtitleScript } from '#engine/media/subtitle-script.ts';
import { VobSubDecoder, parseVobSubIndex } from '#engine/media/vobsub.ts';
import { MAX_CUES, cueText, webVtt, webVttBlock, webVttHead } from '#engine/media/web-vtt.ts';
import type { SubtitleCue } from '#engine/media/web-vtt.ts';
import { encodeIndexedPng } from './indexed-png.ts';

/** The talk of the longest movie is below one megabyte; animated signs reach ten. */
const MAX_TEXT_LENGTH = 24 << 20;
/** The pictures of the longest movie are some 60 MB in the coding of discs. */
const MAX_PICTURE_BYTES = 192 << 20;
const MAX_PICTURES = 50_000;
const FLUSH_BYTES = 1 << 16;
const FLUSH_MS = 250;

/** A file that others read while it grows. */
class GrowingFile {
  readonly #path: string;
  readonly #file: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #flushedMs = performance.now();

  constructor(path: string) {
    this.#path = path;
    rmSync(path, { force: true });
    this.#file = openSync(path, 'wx', 0o600);
  }

  write(content: string | Uint8Array): void {
    const bytes = Buffer.from(content as Uint8Array);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= FLUSH_BYTES) this.flush();
  }

  flushIfDue(): void {
    if (this.#heldBytes > 0 && performance.now() - this.#flushedMs >= FLUSH_MS) this.flush();
  }

  flush(): void {
    const bytes = Buffer.concat(this.#held);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
    this.#held = [];
    this.#heldBytes = 0;
    this.#flushedMs = performance.now();
  }

  /** Whether its name still leads to it: another reading may have put its own in its place. */
  get isInPlace(): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    return there?.ino === fstatSync(this.#file).ino;
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }

  /** Puts other content in its place. Who reads the old one keeps it. */
  replace(content: string): void {
    writeFileSync(`${this.#path}.new`, content, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** Says how far a file that grows goes, for who must not go on without. Owns the `.read` beside it. */
class ReadReport {
  readonly #path: string;
  readonly #spans: ReadSpan[] = [];
  #toldMs = Number.NEGATIVE_INFINITY;

  /** Made before the file is: what an earlier reading said of itself must not be taken for ours. */
  constructor({ folder, id }: Pick<SinkFacts, 'folder' | 'id'>) {
    for (const ending of ['done', 'read']) rmSync(join(folder, `${id}.${ending}`), { force: true });
    this.#path = join(folder, `${id}.read`);
  }

  add(span: ReadSpan): void {
    const [fromMs, untilMs] = this.#spans.at(-1) ?? [Number.NaN, 0];
    if (span[0] === fromMs) this.#spans[this.#spans.length - 1] = [fromMs, Math.max(untilMs, span[1])];
    else this.#spans.push(span);
  }

  tellIfDue(file: GrowingFile): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < FLUSH_MS) return;
    this.#toldMs = nowMs;
    // In this order: what is told to be there is there.
    file.flush();
    if (this.#spans.length === 0 || !file.isInPlace) return;
    writeFileSync(`${this.#path}.new`, printReadSpans(this.#spans), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** Called once the file is known to be whole. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }
}

export interface SubtitleSink {
  /** Microseconds of the movie; `endUs` is NaN where the packet does not say. */
  take(payload: Uint8Array, startUs: number, endUs: number): void;
  /** Everything that begins in this span of the movie was taken. */
  reached?(span: ReadSpan): void;
  flushIfDue(): void;
  finish(): void;
}

export interface SinkFacts {
  readonly folder: string;
  /** `t3`. */
  readonly id: string;
  readonly codec: string;
  readonly extradata: Uint8Array | null;
}

export function textSink(facts: SinkFacts): SubtitleSink {
  if (facts.codec === TELETEXT_CODEC) return new TeletextSink(facts);
  const text = new TextSink(facts);
  return isStyledSubtitle(facts.codec) ? new StyledSink(facts, text) : text;
}

class TextSink implements SubtitleSink {
  readonly #facts: SinkFacts;
  readonly #file: GrowingFile;
  readonly #cues: SubtitleCue[] = [];
  #length = 0;
  /** Its end is the next one's beginning. */
  #open: SubtitleCue | null = null;

  constructor(facts: SinkFacts) {
    this.#facts = facts;
    this.#file = new GrowingFile(join(facts.folder, `${facts.id}.vtt`));
    this.#file.write(webVttHead(TIMELINE_OFFSET_US));
    this.#file.flush();
  }

  take(payload: Uint8Array, startUs: number, endUs: number): void {
    if (this.#cues.length >= MAX_CUES || this.#length > MAX_TEXT_LENGTH) return;
    const cue = { ...cueText(this.#facts.codec, payload), startUs, endUs };
    if (this.#open !== null) {
      this.#print({
        ...this.#open,
        endUs: startUs > this.#open.startUs ? Math.min(startUs, this.#open.startUs + 4e6) : Number.NaN,
      });
      this.#open = null;
    }
    if (cue.text === '') return;
    this.#length += cue.text.length;
    this.#cues.push(cue);
    if (endUs > startUs) this.#print(cue);
    else this.#open = cue;
  }

  #print(cue: SubtitleCue): void {
    this.#file.write(webVttBlock(cue));
    this.#file.flushIfDue();
  }

  flushIfDue(): void {
    this.#file.flushIfDue();
  }

  /** Without calling it whole. */
  leave(): void {
    this.#file.close();
  }

  finish(): void {
    if (this.#open) this.#print(this.#open);
    this.#file.close();
    this.#file.replace(webVtt(this.#cues, TIMELINE_OFFSET_US));
    markDone(this.#facts);
  }
}

class TeletextSink implements SubtitleSink {
  readonly #decoder: TeletextDecoder;
  readonly #text: TextSink;

  constructor(facts: SinkFacts) {
    this.#decoder = new TeletextDecoder(facts.extradata);
    this.#text = new TextSink({ ...facts, codec: 'text' });
  }

  take(payload: Uint8Array, startUs: number): void {
    for (const cue of this.#decoder.take(payload, startUs)) this.#print(cue);
  }

  #print({ startUs, endUs, text }: TeletextCue): void {
    this.#text.take(Buffer.from(text), startUs, endUs);
  }

  flushIfDue(): void {
    this.#text.flushIfDue();
  }

  finish(): void {
    const last = this.#decoder.finish();
    if (last !== null) this.#print(last);
    this.#text.finish();
  }
}

class StyledSink implements SubtitleSink {
  readonly #text: TextSink;
  readonly #report: ReadReport;
  readonly #file: GrowingFile;
  readonly #head: StyledScript;
  readonly #events: { readonly order: number; readonly event: StyledEvent }[] = [];
  #length = 0;

  constructor({ folder, id, extradata }: SinkFacts, text: TextSink) {
    this.#text = text;
    this.#head = parseStyledScript(linesOf(new TextDecoder().decode(extradata ?? new Uint8Array(0))));
    this.#report = new ReadReport({ folder, id });
    this.#file = new GrowingFile(join(folder, `${id}.ass`));
    this.#file.write(printStyledHead(this.#head));
    this.#file.flush();
  }

  take(payload: Uint8Array, startUs: number, endUs: number): void {
    this.#text.take(payload, startUs, endUs);
    if (this.#events.length >= MAX_CUES || this.#length > MAX_TEXT_LENGTH) return;
    const source = new TextDecoder().decode(payload);
    const event = styledEventOf(source, startUs, endUs);
    if (!event) return;
    this.#length += event.text.length;
    this.#events.push({ order: Number.parseInt(source, 10) || 0, event });
    this.#file.write(printStyledEvent(event));
    this.#file.flushIfDue();
  }

  reached(span: ReadSpan): void {
    this.#report.add(span);
    this.flushIfDue();
  }

  flushIfDue(): void {
    this.#text.flushIfDue();
    this.#report.tellIfDue(this.#file);
  }

  finish(): void {
    this.#file.flush();
    const { isInPlace } = this.#file;
    this.#file.close();
    if (!isInPlace) return this.#text.leave(); // the one in its place is somebody else's to call whole
    const events = this.#events.toSorted((a, b) => a.order - b.order).map(({ event }) => event);
    this.#file.replace(printStyledScript({ ...this.#head, events: withoutFloods(events) }));
    this.#text.finish();
    this.#report.remove();
  }
}

export function pictureSink(facts: SinkFacts, decoder: PictureDecoder): SubtitleSink {
  return new PictureSink(facts, decoder);
}

/** The decoder of a track. `extradata` of VobSub holds the text of its index. */
export function pictureDecoder(
  kind: PictureSubtitleKind,
  extradata: Uint8Array | null,
  size: { readonly width: number; readonly height: number } | null,
): PictureDecoder {
  if (kind === 'pgs') return new PgsDecoder();
  if (kind === 'dvb') return new DvbSubtitleDecoder();
  const index = parseVobSubIndex(new TextDecoder('latin1').decode(extradata ?? new Uint8Array(0)));
  // Where the index says no size, the track does.
  const isSized = extradata !== null && /size:/i.test(new TextDecoder('latin1').decode(extradata));
  return new VobSubDecoder(isSized || size === null || size.width === 0 ? index : { ...index, ...size });
}

class PictureSink implements SubtitleSink {
  readonly #facts: SinkFacts;
  readonly #decoder: PictureDecoder;
  readonly #report: ReadReport;
  readonly #file: GrowingFile;
  #count = 0;
  #bytes = 0;

  constructor(facts: SinkFacts, decoder: PictureDecoder) {
    this.#facts = facts;
    this.#decoder = decoder;
    this.#report = new ReadReport(facts);
    this.#file = new GrowingFile(join(facts.folder, `${facts.id}.pics`));
    this.#file.write(PICTURE_STREAM_MAGIC);
    this.#file.flush();
  }

  take(payload: Uint8Array, startUs: number, endUs: number): void {
    for (const picture of this.#decoder.take(payload, startUs, endUs - startUs || 0)) this.#print(picture);
  }

  #print({ startUs, endUs, canvasWidth, canvasHeight, regions }: SubtitlePicture): void {
    if (this.#count >= MAX_PICTURES || this.#bytes > MAX_PICTURE_BYTES || !Number.isFinite(startUs)) return;
    const bytes = printStreamedPicture({
      startMs: Math.round(startUs / 1_000),
      endMs: Number.isFinite(endUs) ? Math.round(endUs / 1_000) : null,
      canvasWidth,
      canvasHeight,
      regions: regions.map((region) => ({
        x: region.x,
        y: region.y,
        width: region.width,
        height: region.height,
        png: encodeIndexedPng(region),
      })),
    });
    this.#count++;
    this.#bytes += bytes.length;
    this.#file.write(bytes);
    this.#file.flushIfDue();
  }

  reached(span: ReadSpan): void {
    this.#report.add(span);
    this.flushIfDue();
  }

  flushIfDue(): void {
    this.#report.tellIfDue(this.#file);
  }

  finish(): void {
    this.#file.flush();
    const { isInPlace } = this.#file;
    this.#file.close();
    if (!isInPlace) return; // the one in its place is somebody else's to call whole
    markDone(this.#facts);
    this.#report.remove();
  }
}

/** A whole file of text at once. */
export function writeScript({ folder, id }: Pick<SinkFacts, 'folder' | 'id'>, script: SubtitleScript): void {
  writeFileSync(join(folder, `${id}.vtt`), webVtt(script.cues, TIMELINE_OFFSET_US), { mode: 0o600 });
  if (script.styled !== null) writeFileSync(join(folder, `${id}.ass`), script.styled, { mode: 0o600 });
  markDone({ folder, id });
}

function markDone({ folder, id }: Pick<SinkFacts, 'folder' | 'id'>): void {
  writeFileSync(join(folder, `${id}.done`), '', { mode: 0o600 });
}
