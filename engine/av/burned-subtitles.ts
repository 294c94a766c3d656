/**
 * Pictures of subtitles, burnt into a movie's picture while it is encoded. Owns the reading of a file that may not be there yet, that may
 * still grow, and in whose place another may be put: a reading that somebody gave up begins anew, elsewhere in the movie.
 *
 * Who draws asks `isRead` first: a picture whose subtitles have not been read must wait, since what is encoded without them stays so.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Frame } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { blend, overlaysOf } from '#engine/media/picture-blend.ts';
import type { Overlay } from '#engine/media/picture-blend.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import { areRead, parseReadSpans } from '#engine/media/read-spans.ts';
import type { ReadSpan } from '#engine/media/read-spans.ts';
import { PictureStreamReader } from '#protocol/schema/subtitle-pictures.ts';
import type { StreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { failureOfErrno } from './input.ts';
import { decodeIndexedPng } from './indexed-png.ts';

const PIECE_BYTES = 1 << 20;
/** How often the file is looked at for more, by one who waits for it. */
const LOOK_EVERY_MS = 100;
/** Without an end, and with nothing that follows. */
const LONGEST_MS = 10_000;

/** Subtitles of either kind that become a part of the picture. */
export interface BurnedIn extends Disposable {
  /** Whether everything is known that shows at this moment of the movie. Looks at the disk from time to time where it is not. */
  isRead(us: number): boolean;
  /**
   * The frame with what shows at this moment of the movie; the frame itself where nothing does. Another one is the caller's to free. Frames
   * are 8 bit 4:2:0. `stored`: the movie's picture as the file has it, upright.
   */
  drawn(frame: Frame, us: number, stored: PictureSize): Frame;
}

/** How far a reading of subtitles has come, that writes this file. */
export function readingProgress(path: string): { readonly isWhole: boolean; readonly spans: readonly ReadSpan[] } {
  const stem = path.replace(/\.[a-z]+$/, '');
  if (existsSync(`${stem}.done`)) return { isWhole: true, spans: [] };
  try {
    return { isWhole: false, spans: parseReadSpans(readFileSync(`${stem}.read`, 'utf8')) };
  } catch {
    return { isWhole: false, spans: [] };
  }
}

export class BurnedSubtitles implements BurnedIn {
  readonly #path: string;
  readonly #offsetMs: number;
  /** `null`: not there yet. */
  #file: number | null = null;
  #reader = new PictureStreamReader();
  /** In order of time. */
  #pictures: StreamedPicture[] = [];
  #readBytes = 0;
  /** What of the movie `#pictures` is complete for. */
  #spans: readonly ReadSpan[] = [];
  #isWhole = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #prepared: { readonly picture: StreamedPicture; readonly overlays: readonly Overlay[] } | null = null;

  /** `path`: of a `.pics`, as `PictureSink` writes it; absolute. `offsetMs`: how much later than it says they are shown. */
  constructor(path: string, offsetMs = 0) {
    this.#path = path;
    this.#offsetMs = offsetMs;
  }

  isRead(us: number): boolean {
    if (this.#isReadAt(us)) return true;
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return false;
    this.#lookedMs = nowMs;
    this.#look();
    return this.#isReadAt(us);
  }

  drawn(frame: Frame, us: number): Frame {
    const picture = this.#at(us / 1_000 - this.#offsetMs);
    if (picture === null) return frame;
    const overlays = this.#overlaysOf(picture, frame);
    const copy = frame.clone();
    if (!copy || copy.makeWritable() < 0 || !copy.data) throw new MediaError('internal', 'out of memory for pictures');
    const planes = { data: copy.data, strides: copy.linesize };
    for (const overlay of overlays) blend(planes, overlay);
    return copy;
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #isReadAt(us: number): boolean {
    // Also of what the file's clock puts before its beginning.
    const ms = Math.max(0, Math.floor(us / 1_000 - this.#offsetMs));
    return this.#isWhole || areRead(this.#spans, ms, ms + 1);
  }

  #overlaysOf(picture: StreamedPicture, { width, height }: Frame): readonly Overlay[] {
    if (this.#prepared?.picture === picture) return this.#prepared.overlays;
    const canvas = { width: picture.canvasWidth, height: picture.canvasHeight };
    const regions = picture.regions.map(({ x, y, png }) => ({ x, y, ...decodeIndexedPng(png) }));
    const overlays = overlaysOf(regions, canvas, { width, height });
    this.#prepared = { picture, overlays };
    return overlays;
  }

  #look(): void {
    try {
      // How far first, what is there then: all that the first speaks of is in the second, if both are of the same reading.
      const before = readingProgress(this.#path);
      const isSame = this.#isInPlace();
      if (!isSame) this.#reopen();
      const progress = isSame ? before : readingProgress(this.#path);
      if (this.#file === null || !this.#isInPlace()) return;
      this.#readMore(this.#file);
      this.#isWhole = progress.isWhole;
      this.#spans = progress.spans;
    } catch (cause) {
      if (cause instanceof RangeError) throw new MediaError('unsupported', 'no pictures of subtitles', { cause });
      throw new MediaError(failureOfErrno(cause), 'the pictures of subtitles can’t be read', { cause });
    }
  }

  #isInPlace(): boolean {
    if (this.#file === null) return false;
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(this.#file).ino;
  }

  /** What an earlier reading found is forgotten with how far it went. */
  #reopen(): void {
    this.#close();
    this.#reader = new PictureStreamReader();
    this.#pictures = [];
    this.#readBytes = 0;
    this.#spans = [];
    this.#prepared = null;
    if (existsSync(this.#path)) this.#file = openSync(this.#path, 'r');
  }

  #close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #readMore(file: number): void {
    const found: StreamedPicture[] = [];
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const count = readSync(file, piece, 0, PIECE_BYTES, this.#readBytes);
      if (count === 0) break;
      this.#readBytes += count;
      found.push(...this.#reader.take(piece.subarray(0, count)));
    }
    if (found.length > 0) this.#pictures = [...this.#pictures, ...found].toSorted((a, b) => a.startMs - b.startMs);
  }

  #at(ms: number): StreamedPicture | null {
    const next = this.#pictures.findIndex(({ startMs }) => startMs > ms);
    const picture = this.#pictures.at(next < 0 ? -1 : next - 1);
    if (next === 0 || !picture || picture.regions.length === 0) return null;
    const untilMs = next < 0 ? picture.startMs + LONGEST_MS : this.#pictures[next]!.startMs;
    return ms < Math.min(picture.endMs ?? Number.POSITIVE_INFINITY, untilMs) ? picture : null;
  }
}
