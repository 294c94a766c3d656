/** Subtitles as pictures, whatever they were coded in: regions of palette colours on a canvas of their own. */

export interface PictureRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** One palette index a pixel, row by row. */
  readonly pixels: Uint8Array;
  /** 256 colours at most, four bytes each: red, green, blue, opacity. */
  readonly palette: Uint8Array;
}

/** What is shown from one moment on, instead of what was shown before. */
export interface SubtitlePicture {
  readonly startUs: number;
  /** `NaN`: until the next one begins. */
  readonly endUs: number;
  /** The whole canvas is as large as the movie's picture, whatever that measures. */
  readonly canvasWidth: number;
  readonly canvasHeight: number;
  /** Empty: nothing is shown. */
  readonly regions: readonly PictureRegion[];
}

/** Takes packets of one track in order; gives pictures as they are complete. Throws nothing, whatever the bytes: what is broken is left out. */
export interface PictureDecoder {
  take(packet: Uint8Array, ptsUs: number, durationUs: number): SubtitlePicture[];
}

/** No format goes beyond it, and a hostile file may claim 65,535 squared. */
export const MAX_CANVAS_PX = 4_096;
/** Of one region: an ultra-high picture's width times half its height. */
export const MAX_REGION_PIXELS = MAX_CANVAS_PX * 1_080;

/** Limited-range YCbCr as red, green, blue. Discs and broadcasts in high definition use BT.709, the others BT.601. */
export function yuvToRgb(y: number, cb: number, cr: number, isHd: boolean): [number, number, number] {
  const luma = (y - 16) * 1.164384;
  const [b, r] = [cb - 128, cr - 128];
  const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
  return isHd
    ? [clamp(luma + 1.792741 * r), clamp(luma - 0.213249 * b - 0.532909 * r), clamp(luma + 2.112402 * b)]
    : [clamp(luma + 1.596027 * r), clamp(luma - 0.391762 * b - 0.812968 * r), clamp(luma + 2.017232 * b)];
}

/** The smallest part of a region that holds everything that can be seen; `null` where nothing can. */
export function trimRegion(region: PictureRegion): PictureRegion | null {
  const { width, height, pixels, palette } = region;
  const isSeen = Uint8Array.from({ length: 256 }, (_, index) => ((palette[index * 4 + 3] ?? 0) > 3 ? 1 : 0));
  let [left, right, top, bottom] = [width, -1, -1, -1];
  for (let row = 0; row < height; row++) {
    const at = row * width;
    let first = -1;
    let last = -1;
    for (let column = 0; column < width; column++) {
      if (isSeen[pixels[at + column]!] === 0) continue;
      if (first < 0) first = column;
      last = column;
    }
    if (first < 0) continue;
    if (top < 0) top = row;
    bottom = row;
    left = Math.min(left, first);
    right = Math.max(right, last);
  }
  if (top < 0) return null;
  const [newWidth, newHeight] = [right - left + 1, bottom - top + 1];
  if (newWidth === width && newHeight === height) return region;
  const cut = new Uint8Array(newWidth * newHeight);
  for (let row = 0; row < newHeight; row++) {
    const from = (top + row) * width + left;
    cut.set(pixels.subarray(from, from + newWidth), row * newWidth);
  }
  return { x: region.x + left, y: region.y + top, width: newWidth, height: newHeight, pixels: cut, palette };
}
