/** A sheet of small pictures, side by side as one WebP: keyframes found by seeking, nothing in between is read or decoded. */
import { AV_PIX_FMT_YUV420P } from 'node-av/constants';
import { Frame } from 'node-av/lib';
import type { VideoTrack } from '#protocol/schema/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { KeyframeReader, SdrRenderer, allocated, encodeWebp } from './keyframe-picture.ts';
import type { ShownSize } from './keyframe-picture.ts';

const WEBP_QUALITY = 68;
const MAX_PICTURES = 400;
const BLACK_LUMA = 16;
const NO_CHROMA = 128;

export interface PreviewSheetOptions extends ShownSize {
  readonly track: VideoTrack;
  /** `MediaInfo.startMs`. */
  readonly startMs: number;
  /** Of the movie, one for each picture, rising. */
  readonly timesMs: readonly number[];
  readonly columns: number;
  readonly timeLimitMs: number;
}

export interface PreviewSheet {
  readonly bytes: Uint8Array;
  /** Pictures that were decoded; the others repeat the one before them. */
  readonly decoded: number;
}

/**
 * Throws `MediaError`: `unsupported` without track or decoder, `timeout`, `truncated` when nothing can be decoded. Where a
 * keyframe is missing or damaged the picture before it stands in.
 */
export function makePreviewSheet(path: string, options: PreviewSheetOptions): PreviewSheet {
  const { track, timesMs, columns, widthPx, heightPx } = options;
  if (timesMs.length === 0 || timesMs.length > MAX_PICTURES || widthPx % 2 !== 0 || heightPx % 2 !== 0) {
    throw new MediaError('internal', 'no such sheet');
  }
  const endsAt = performance.now() + options.timeLimitMs;
  const canvas = new Canvas(Math.min(columns, timesMs.length), Math.ceil(timesMs.length / columns), options);
  using reader = new KeyframeReader(path, track);
  using renderer = new SdrRenderer(reader.stream, track, options);
  using frame = allocated(new Frame());
  using shown = allocated(new Frame());
  let decoded = 0;
  let lastTicks: bigint | null = null;
  for (const [i, timeMs] of timesMs.entries()) {
    if (performance.now() > endsAt) throw new MediaError('timeout', `${i} of ${timesMs.length} pictures in time`);
    reader.seek((options.startMs + timeMs) * 1_000);
    let ticks: bigint | null = null;
    const outcome = reader.decodeNext(frame, endsAt, (found) => {
      ticks = found;
      return found === lastTicks && decoded > 0;
    });
    if (outcome === 'decoded') {
      renderer.render(frame, shown);
      decoded += 1;
      lastTicks = ticks;
    }
    if (decoded > 0) canvas.put(shown, i);
    // What could not be decoded at the beginning looks like the first that could.
    if (decoded === 1 && outcome === 'decoded') for (let before = 0; before < i; before += 1) canvas.put(shown, before);
  }
  if (decoded === 0) throw new MediaError('truncated', 'no picture could be decoded');
  using sheet = canvas.toFrame();
  return { bytes: encodeWebp(sheet, WEBP_QUALITY), decoded };
}

/** Pictures in 4:2:0 side by side. FFmpeg's own `tile` knows no place for a picture that is missing. */
class Canvas {
  readonly #size: ShownSize;
  readonly #columns: number;
  readonly #widthPx: number;
  readonly #heightPx: number;
  readonly #bytes: Buffer;

  constructor(columns: number, rows: number, size: ShownSize) {
    this.#size = size;
    this.#columns = columns;
    this.#widthPx = columns * size.widthPx;
    this.#heightPx = rows * size.heightPx;
    const lumaBytes = this.#widthPx * this.#heightPx;
    this.#bytes = Buffer.alloc((lumaBytes * 3) / 2, NO_CHROMA);
    this.#bytes.fill(BLACK_LUMA, 0, lumaBytes);
  }

  put(frame: Frame, index: number): void {
    const planes = frame.data;
    if (planes === null) return;
    const [column, row] = [index % this.#columns, Math.floor(index / this.#columns)];
    let planeAt = 0;
    for (const plane of [0, 1, 2]) {
      const half = plane === 0 ? 1 : 2;
      const [width, height] = [this.#size.widthPx / half, this.#size.heightPx / half];
      const stride = this.#widthPx / half;
      const source = planes[plane];
      const sourceStride = frame.linesize[plane] ?? 0;
      if (source === undefined || sourceStride < width) return;
      const start = planeAt + row * height * stride + column * width;
      for (let y = 0; y < height; y += 1) {
        source.copy(this.#bytes, start + y * stride, y * sourceStride, y * sourceStride + width);
      }
      planeAt += stride * (this.#heightPx / half);
    }
  }

  toFrame(): Frame {
    return Frame.fromVideoBuffer(this.#bytes, {
      width: this.#widthPx,
      height: this.#heightPx,
      format: AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: 25 },
    });
  }
}
