/**
 * Subtitle pictures as one stream of bytes (`application/vnd.matinee.subtitle-pictures`): made once for every format they can be
 * in, read while it is still being written, by the browser and by the encoder that burns them in.
 *
 *     "MSP1"                                     magic
 *     u32, big end first                         length of the head that follows
 *     JSON, UTF-8                                { s, e, w, h, r }
 *     PNG …                                      one for each region, in order
 *
 * `s` and `e` are milliseconds of the movie, `e` null until the next one begins. `w` and `h` measure the canvas; it covers the whole
 * picture of the movie. `r` holds `[x, y, width, height, bytes of its PNG]`. Nothing in it means that nothing is shown from `s` on.
 */

export const PICTURE_STREAM_MIME_TYPE = 'application/vnd.matinee.subtitle-pictures';
export const PICTURE_STREAM_MAGIC = 'MSP1';
const MAX_HEAD_BYTES = 64 << 10;
const MAX_PNG_BYTES = 32 << 20;

export interface StreamedRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

export interface StreamedPicture {
  readonly startMs: number;
  readonly endMs: number | null;
  readonly canvasWidth: number;
  readonly canvasHeight: number;
  readonly regions: readonly StreamedRegion[];
}

export function printStreamedPicture(picture: StreamedPicture): Uint8Array {
  const head = new TextEncoder().encode(
    JSON.stringify({
      s: picture.startMs,
      e: picture.endMs,
      w: picture.canvasWidth,
      h: picture.canvasHeight,
      r: picture.regions.map(({ x, y, width, height, png }) => [x, y, width, height, png.length]),
    }),
  );
  const size = 4 + head.length + picture.regions.reduce((sum, { png }) => sum + png.length, 0);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  let at = 4 + head.length;
  for (const { png } of picture.regions) {
    bytes.set(png, at);
    at += png.length;
  }
  return bytes;
}

/** Takes the stream in pieces of any size. Throws a RangeError for bytes that are no such stream. */
export class PictureStreamReader {
  #held = new Uint8Array(0);
  #isBegun = false;

  take(piece: Uint8Array): StreamedPicture[] {
    const bytes = new Uint8Array(this.#held.length + piece.length);
    bytes.set(this.#held);
    bytes.set(piece, this.#held.length);
    const pictures: StreamedPicture[] = [];
    let at = 0;
    if (!this.#isBegun) {
      if (bytes.length < 4) {
        this.#held = bytes;
        return pictures;
      }
      if (String.fromCharCode(...bytes.subarray(0, 4)) !== PICTURE_STREAM_MAGIC) {
        throw new RangeError('no stream of pictures');
      }
      this.#isBegun = true;
      at = 4;
    }
    for (;;) {
      const read = readPicture(bytes, at);
      if (read === null) break;
      pictures.push(read.picture);
      at = read.end;
    }
    this.#held = bytes.slice(at);
    return pictures;
  }
}

/** `null` where it is not there whole yet. */
function readPicture(
  bytes: Uint8Array,
  at: number,
): { readonly picture: StreamedPicture; readonly end: number } | null {
  if (at + 4 > bytes.length) return null;
  const headLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
  if (headLength > MAX_HEAD_BYTES) throw new RangeError('no stream of pictures');
  if (at + 4 + headLength > bytes.length) return null;
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + headLength))) as {
    s: number;
    e: number | null;
    w: number;
    h: number;
    r: [number, number, number, number, number][];
  };
  let end = at + 4 + headLength;
  const regions: StreamedRegion[] = [];
  for (const [x, y, width, height, length] of head.r) {
    if (!(length >= 0 && length <= MAX_PNG_BYTES)) throw new RangeError('no stream of pictures');
    if (end + length > bytes.length) return null;
    regions.push({ x, y, width, height, png: bytes.slice(end, end + length) });
    end += length;
  }
  return { picture: { startMs: head.s, endMs: head.e, canvasWidth: head.w, canvasHeight: head.h, regions }, end };
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Where the canvas of subtitles lies. Those of discs in standard definition have pixels as wide as the movie's and cover it exactly. Others
 * have square pixels, and a movie whose black bars were cut off is a part of their canvas: it goes over the picture on all sides.
 */
export function canvasBox(picture: Box, canvas: { readonly width: number; readonly height: number }): Box {
  if (canvas.width <= 768 && canvas.height <= 576) return picture;
  const scale = Math.max(picture.width / canvas.width, picture.height / canvas.height);
  const [width, height] = [canvas.width * scale, canvas.height * scale];
  // A pixel of difference is rounding, not cropping.
  if (
    Math.abs(width - picture.width) < picture.width * 0.01 &&
    Math.abs(height - picture.height) < picture.height * 0.01
  ) {
    return picture;
  }
  return { x: picture.x + (picture.width - width) / 2, y: picture.y + (picture.height - height) / 2, width, height };
}

/** A region of the canvas in the element. What would lie outside of it, since bars were cut off, is moved inside. */
export function regionBox(
  canvas: Box,
  size: { readonly width: number; readonly height: number },
  region: Box,
  element: { readonly width: number; readonly height: number },
): Box {
  const [scaleX, scaleY] = [canvas.width / size.width, canvas.height / size.height];
  const [width, height] = [region.width * scaleX, region.height * scaleY];
  const inside = (at: number, length: number, most: number): number => Math.max(Math.min(at, most - length), 0);
  return {
    x: inside(canvas.x + region.x * scaleX, width, element.width),
    y: inside(canvas.y + region.y * scaleY, height, element.height),
    width,
    height,
  };
}
