/**
 * A script with styles (ASS, SSA), drawn by libass into a movie's picture while it is encoded. Owns what was read of a file that may still
 * grow, and in whose place another may be put; the filter that draws, and what that reads: a copy of the script in a folder of its own.
 *
 * libass reads a script once. What has grown is taken over when a picture comes to what was not there yet, all of it anew: what is read lies
 * far ahead of what is encoded, so that is seldom.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Frame } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import { areRead } from '#engine/media/read-spans.ts';
import type { ReadSpan } from '#engine/media/read-spans.ts';
import {
  MAX_SCRIPT_BYTES,
  linesOf,
  parseStyledScript,
  printStyledScript,
  withoutFloods,
} from '#engine/media/subtitle-script.ts';
import type { StyledEvent } from '#engine/media/subtitle-script.ts';
import { readingProgress } from './burned-subtitles.ts';
import type { BurnedIn } from './burned-subtitles.ts';
import { FilterChain, escapedPath } from './filter-chain.ts';
import { failureOfErrno } from './input.ts';
import { announceFonts, gatherFonts } from './script-fonts.ts';

/** How often the file is looked at for more, by one who waits for it. */
const LOOK_EVERY_MS = 200;
/** What is printed has times and names besides the text that is limited. */
const MAX_FILE_BYTES = 3 * MAX_SCRIPT_BYTES;
/** Processor time that drawing a picture may take for as long as anyone likes. With more it can't be watched, however fast the rest is. */
const FREE_CPU_MS = 100;
/** What is beyond that adds up, and is paid back by quick ones: at this a script asks for more than can be drawn. */
const MAX_DEBT_CPU_MS = 6_000;
/** Events at once, which are drawn in one go that nothing can end. */
const MAX_OVERLAPS = 300;
/** Times of a script are hundredths of a second, pictures' are rounded: one that falls on a beginning belongs to it. */
const ROUNDING_MS = 0.05;

export interface BurnedScriptOptions {
  /** Of an `.ass`, as `StyledSink` and `writeScript` write it, with the fonts of the movie beside it; absolute. */
  readonly path: string;
  /** How much later than it says it is shown. */
  readonly offsetMs: number;
  /** An existing folder of this rendition alone. */
  readonly folder: string;
  /** Where what is known of the machine's fonts is kept. */
  readonly fontsPath: string;
}

interface Script {
  readonly copy: string;
  /** When something shows: neither touching nor overlapping, in order of time. */
  readonly shownMs: readonly ReadSpan[];
  /** The picture that its places are meant for, where it says so. */
  readonly layout: PictureSize | null;
}

export class BurnedScript implements BurnedIn {
  readonly #options: BurnedScriptOptions;
  readonly #folder: string;
  #script: Script | null = null;
  /** What of the movie the script is complete for. */
  #spans: readonly ReadSpan[] = [];
  #isWhole = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #filter: FilterChain | null = null;
  #filterInput = '';
  #debtMs = 0;

  constructor(options: BurnedScriptOptions) {
    this.#options = options;
    this.#folder = join(options.folder, '.script');
  }

  isRead(us: number): boolean {
    if (this.#isReadAt(us)) return true;
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return false;
    this.#look(us);
    this.#lookedMs = performance.now();
    return this.#isReadAt(us);
  }

  drawn(frame: Frame, us: number, stored: PictureSize): Frame {
    const ms = Math.floor(us / 1_000 - this.#options.offsetMs + ROUNDING_MS);
    const script = this.#script;
    if (script === null || !script.shownMs.some(([from, until]) => from <= ms && ms < until)) {
      this.#account(0);
      return frame;
    }
    const filter = this.#filterFor(frame, script, stored);
    const drawn = new Frame();
    drawn.alloc();
    const given = frame.clone();
    if (!given) throw new MediaError('internal', 'out of memory for subtitles');
    given.pts = BigInt(ms);
    const before = process.threadCpuUsage();
    try {
      filter.send(given);
      if (!filter.receive(drawn)) throw new MediaError('internal', 'subtitles were drawn into no picture');
    } catch (error) {
      drawn.free();
      throw error;
    } finally {
      given.free();
    }
    try {
      const { user, system } = process.threadCpuUsage(before);
      this.#account((user + system) / 1_000);
    } catch (error) {
      drawn.free();
      throw error;
    }
    return drawn;
  }

  [Symbol.dispose](): void {
    this.#dropFilter();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #isReadAt(us: number): boolean {
    const ms = Math.max(0, Math.floor(us / 1_000 - this.#options.offsetMs));
    return this.#isWhole || areRead(this.#spans, ms, ms + 1);
  }

  /** The time of this thread alone: a busy machine is not the script's fault. */
  #account(tookMs: number): void {
    this.#debtMs = Math.max(0, this.#debtMs + tookMs - FREE_CPU_MS);
    if (this.#debtMs > MAX_DEBT_CPU_MS) throw new MediaError('tooComplex', 'subtitles that take too long to draw');
  }

  #look(us: number): void {
    const { path, offsetMs } = this.#options;
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new MediaError(failureOfErrno(cause), 'the script can’t be read', { cause });
    }
    try {
      // How far first, what is there then: all that the first speaks of is in the second, if both are of the same reading.
      const { isWhole, spans } = readingProgress(path);
      const ms = Math.max(0, Math.floor(us / 1_000 - offsetMs));
      if (!isWhole && !areRead(spans, ms, ms + 1)) return;
      if (fstatSync(file).size > MAX_FILE_BYTES) throw new MediaError('tooComplex', 'a script larger than any');
      const text = readFileSync(file, 'utf8');
      if (statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(file).ino) return;
      // Half a line is no event yet; those that it speaks of are whole.
      this.#take(isWhole ? text : text.slice(0, text.lastIndexOf('\n') + 1));
      this.#isWhole = isWhole;
      this.#spans = spans;
    } catch (cause) {
      if (cause instanceof MediaError) throw cause;
      throw new MediaError(failureOfErrno(cause), 'the script can’t be read', { cause });
    } finally {
      closeSync(file);
    }
  }

  #take(text: string): void {
    this.#dropFilter();
    // Read and printed by us, so that libass gets nothing that our limits would not let through.
    const read = parseStyledScript(linesOf(text));
    // Colours of a script that says nothing of their matrix are those of the picture, as in the browser; FFmpeg would take it for BT.601.
    const matrix = fact(read.info, 'YCbCr Matrix') === null ? ['YCbCr Matrix: None'] : [];
    const script = { ...read, info: [...read.info, ...matrix], events: withoutFloods(read.events, MAX_OVERLAPS) };
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const copy = join(this.#folder, 'script.ass');
    writeFileSync(copy, printStyledScript(script), { mode: 0o600 });
    gatherFonts(dirname(this.#options.path), join(this.#folder, 'fonts'));
    const [width, height] = [fact(script.info, 'LayoutResX'), fact(script.info, 'LayoutResY')].map(Number);
    this.#script = {
      copy,
      shownMs: shownSpans(script.events),
      layout: width! > 0 && height! > 0 ? { widthPx: width!, heightPx: height! } : null,
    };
  }

  #filterFor(frame: Frame, { copy, layout }: Script, stored: PictureSize): FilterChain {
    const { widthPx, heightPx } = layout ?? stored;
    const input =
      `video_size=${frame.width}x${frame.height}:pix_fmt=${frame.format}:time_base=1/1000:pixel_aspect=1/1:` +
      `colorspace=${frame.colorSpace}:range=${frame.colorRange}`;
    if (this.#filter !== null && input === this.#filterInput) return this.#filter;
    this.#dropFilter();
    announceFonts(this.#options.fontsPath);
    const fonts = escapedPath(join(this.#folder, 'fonts'));
    const chain = `ass=filename=${escapedPath(copy)}:fontsdir=${fonts}:original_size=${widthPx}x${heightPx}`;
    this.#filter = new FilterChain('video', input, chain, 1);
    this.#filterInput = input;
    return this.#filter;
  }

  #dropFilter(): void {
    this.#filter?.[Symbol.dispose]();
    this.#filter = null;
  }
}

function fact(info: readonly string[], name: string): string | null {
  const line = info.find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line?.slice(name.length + 1).trim() ?? null;
}

function shownSpans(events: readonly StyledEvent[]): ReadSpan[] {
  const spans: [number, number][] = [];
  for (const { startUs, endUs } of events.toSorted((a, b) => a.startUs - b.startUs)) {
    const [fromMs, untilMs] = [startUs / 1_000, endUs / 1_000];
    const last = spans.at(-1);
    if (last && fromMs <= last[1]) last[1] = Math.max(last[1], untilMs);
    else spans.push([fromMs, untilMs]);
  }
  return spans;
}
