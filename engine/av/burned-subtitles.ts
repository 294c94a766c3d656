/** Pictures of subtitles, burnt into a movie's picture while it is encoded. Reads them from a file that may still be growing. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Frame } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { blend, overlaysOf } from '#engine/media/picture-blend.ts';
import type { Overlay } from '#engine/media/picture-blend.ts';
import { PictureStreamReader } from '#protocol/schema/subtitle-pictures.ts';
import type { StreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { failureOfErrno } from './input.ts';
import { decodeIndexedPng } from './indexed-png.ts';

const PIECE_BYTES = 1 << 20;
/** How often the file is looked at for more. */
const LOOK_EVERY_MS = 500;
/** Without an end, and with nothing that follows. */
const LONGEST_MS = 10_000;

export class BurnedSubtitles implements Disposable {
  readonly #file: number;
  readonly #reader = new PictureStreamReader();
  /** In order of time. */
  #pictures: StreamedPicture[] = [];
  #readBytes = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #prepared: { readonly picture: StreamedPicture; readonly overlays: readonly Overlay[] } | null = null;

  constructor(path: string) {
    try {
      this.#file = openSync(path, 'r');
    } catch (cause) {
      throw new MediaError(failureOfErrno(cause), 'the pictures of subtitles are not there', { cause });
    }
  }

  /**
   * The frame with what shows at this moment of the movie; the frame itself where nothing does. Another one is the caller's to free. Frames
   * are 8 bit 4:2:0.
   */
  drawn(frame: Frame, us: number): Frame {
    this.#readMore();
    const picture = this.#at(us / 1_000);
    if (picture === null) return frame;
    const overlays = this.#overlaysOf(picture, frame);
    const copy = frame.clone();
    if (!copy || copy.makeWritable() < 0 || !copy.data) throw new MediaError('internal', 'out of memory for pictures');
    const planes = { data: copy.data, strides: copy.linesize };
    for (const overlay of overlays) blend(planes, overlay);
    return copy;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #overlaysOf(picture: StreamedPicture, { width, height }: Frame): readonly Overlay[] {
    if (this.#prepared?.picture === picture) return this.#prepared.overlays;
    const canvas = { width: picture.canvasWidth, height: picture.canvasHeight };
    const regions = picture.regions.map(({ x, y, png }) => ({ x, y, ...decodeIndexedPng(png) }));
    const overlays = overlaysOf(regions, canvas, { width, height });
    this.#prepared = { picture, overlays };
    return overlays;
  }

  #readMore(): void {
    const now = performance.now();
    if (now - this.#lookedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = now;
    const found: StreamedPicture[] = [];
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const count = readSync(this.#file, piece, 0, PIECE_BYTES, this.#readBytes);
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
