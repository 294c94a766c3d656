/**
 * Subtitles that are pictures (PGS, VobSub, DVB), drawn on a canvas over the picture. The server has decoded them: what comes is PNG with
 * times and places. Owns the canvas, the pictures that have come, and which of them is drawn.
 */
import { PictureStreamReader, canvasBox, regionBox } from '#protocol/schema/subtitle-pictures.ts';
import type { Box, StreamedPicture } from '#protocol/schema/subtitle-pictures.ts';
import { addressFrom } from './captions.ts';
import type { CaptionDrawing, DrawingEvents } from './captions.ts';
import { pictureBox } from './picture-place.ts';
import type { SubtitleOption } from './player-state.ts';
import { EXPIRED_STATUS } from './source.ts';

interface Kept {
  readonly startMs: number;
  readonly endMs: number | null;
  readonly canvas: { readonly width: number; readonly height: number };
  /** The browser keeps them, on disk where it likes. */
  readonly regions: readonly { readonly box: Box; readonly png: Blob }[];
}

const MAX_BYTES = 256 << 20;
/** Without an end, and with nothing that follows. */
const LONGEST_MS = 10_000;
const RETRIES = 2;
const RETRY_MS = 1_000;

export class PictureCaptions implements CaptionDrawing {
  readonly #video: HTMLVideoElement;
  readonly #onProblem: DrawingEvents;
  readonly #canvas = document.createElement('canvas');
  readonly #load = new AbortController();
  readonly #sizes: ResizeObserver;
  /** In order of time. */
  #pictures: Kept[] = [];
  #offsetMs: number;
  #drawn: Kept | null = null;
  #drawing = 0;
  #frame = 0;
  #isClosed = false;

  constructor(video: HTMLVideoElement, option: SubtitleOption, offsetMs: number, onProblem: DrawingEvents) {
    this.#video = video;
    this.#onProblem = onProblem;
    this.#offsetMs = offsetMs;
    const { style } = this.#canvas;
    style.position = 'absolute';
    style.inset = '0';
    style.inlineSize = '100%';
    style.blockSize = '100%';
    style.pointerEvents = 'none';
    this.#canvas.dataset['captions'] = 'pictures';
    video.insertAdjacentElement('afterend', this.#canvas);
    this.#sizes = new ResizeObserver(() => this.#draw(true));
    this.#sizes.observe(video);
    for (const type of ['timeupdate', 'seeked', 'loadeddata'] as const) {
      video.addEventListener(type, this.#onTime, { signal: this.#load.signal });
    }
    this.#followFrames();
    void this.#read(option, 0);
  }

  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#draw(false);
  }

  close(): void {
    this.#isClosed = true;
    this.#load.abort();
    this.#sizes.disconnect();
    if (this.#frame !== 0) this.#video.cancelVideoFrameCallback(this.#frame);
    this.#canvas.remove();
    this.#pictures = [];
  }

  readonly #onTime = (): void => this.#draw(false);

  /** Exact to the frame where the browser tells of frames, else to its time updates. */
  #followFrames(): void {
    if (!('requestVideoFrameCallback' in this.#video)) return;
    this.#frame = this.#video.requestVideoFrameCallback(() => {
      if (this.#isClosed) return;
      this.#draw(false);
      this.#followFrames();
    });
  }

  async #read(option: SubtitleOption, attempt: number): Promise<void> {
    const { signal } = this.#load;
    try {
      const response = await fetch(addressFrom(option.picturesUrl!, this.#video), { signal });
      if (!response.ok || response.body === null) {
        return this.#onProblem(EXPIRED_STATUS.has(response.status) ? 'expired' : 'broken');
      }
      const reader = new PictureStreamReader();
      const pieces = response.body.getReader();
      let bytes = 0;
      for (;;) {
        const { done, value } = await pieces.read();
        if (this.#isClosed || done) return;
        bytes += value.length;
        if (bytes > MAX_BYTES) throw new RangeError('more pictures than any movie has');
        this.#keep(reader.take(value));
      }
    } catch {
      if (this.#isClosed) return;
      if (attempt >= RETRIES) return this.#onProblem('broken');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (this.#isClosed) return;
      this.#pictures = [];
      await this.#read(option, attempt + 1);
    }
  }

  #keep(pictures: readonly StreamedPicture[]): void {
    if (pictures.length === 0) return;
    const kept = pictures.map(({ startMs, endMs, canvasWidth, canvasHeight, regions }): Kept => ({
      startMs,
      endMs,
      canvas: { width: canvasWidth, height: canvasHeight },
      regions: regions.map(({ x, y, width, height, png }) => ({
        box: { x, y, width, height },
        png: new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }),
      })),
    }));
    const last = this.#pictures.at(-1);
    this.#pictures.push(...kept);
    if (last !== undefined && kept[0]!.startMs < last.startMs) this.#pictures.sort((a, b) => a.startMs - b.startMs);
    this.#draw(false);
  }

  /** What shows at a time of the movie. */
  #at(ms: number): Kept | null {
    let [low, high] = [0, this.#pictures.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pictures[middle]!.startMs <= ms) low = middle + 1;
      else high = middle;
    }
    const found = this.#pictures[low - 1];
    if (found === undefined || found.regions.length === 0) return null;
    const endMs = Math.min(found.endMs ?? Infinity, this.#pictures[low]?.startMs ?? found.startMs + LONGEST_MS);
    return ms < endMs ? found : null;
  }

  #draw(isForced: boolean): void {
    if (this.#isClosed) return;
    const picture = this.#at(this.#video.currentTime * 1_000 - this.#offsetMs);
    if (!isForced && picture === this.#drawn) return;
    this.#drawn = picture;
    void this.#paint(picture, ++this.#drawing);
  }

  async #paint(picture: Kept | null, drawing: number): Promise<void> {
    try {
      const images = await Promise.all((picture?.regions ?? []).map(({ png }) => imageOf(png)));
      // Another one was to be drawn meanwhile.
      if (drawing === this.#drawing && !this.#isClosed) this.#compose(picture, images);
      for (const image of images) image.close();
    } catch {
      if (this.#isClosed || drawing !== this.#drawing) return;
      this.#onProblem('undrawable');
    }
  }

  #compose(picture: Kept | null, images: readonly ImageBitmap[]): void {
    const context = this.#canvas.getContext('2d');
    if (context === null) throw new Error('this device gives no canvas to draw on');
    const { clientWidth: width, clientHeight: height, videoWidth, videoHeight } = this.#video;
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    context.imageSmoothingQuality = 'high';
    context.scale(ratio, ratio);
    if (picture === null) return;
    const element = { width, height };
    const canvas = canvasBox(pictureBox(element, { width: videoWidth, height: videoHeight }), picture.canvas);
    for (const [at, { box }] of picture.regions.entries()) {
      const place = regionBox(canvas, picture.canvas, box, element);
      context.drawImage(images[at]!, place.x, place.y, place.width, place.height);
    }
  }
}

/** Asked twice: a device that was short of memory for a moment is not one that can't. */
async function imageOf(png: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(png);
  } catch {
    return await createImageBitmap(png);
  }
}
