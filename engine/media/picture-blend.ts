/** Pictures of subtitles made a part of the movie's picture: scaled to it once, then mixed into each frame. 8 bit 4:2:0, limited range. */
import { canvasBox, regionBox } from '#protocol/schema/subtitle-pictures.ts';
import type { PictureRegion } from './subtitle-picture.ts';

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** A part of the frame, from an even pixel on and of even size, ready to be mixed in. */
export interface Overlay {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly luma: Uint8Array;
  readonly opacity: Uint8Array;
  /** Of half the size. */
  readonly blue: Uint8Array;
  readonly red: Uint8Array;
  readonly chromaOpacity: Uint8Array;
}

export interface Planes {
  /** Y, Cb, Cr. */
  readonly data: readonly Uint8Array[];
  /** Bytes of a row of each. */
  readonly strides: readonly number[];
}

/** Regions of a canvas as they lie on a frame. */
export function overlaysOf(regions: readonly PictureRegion[], canvas: FrameSize, frame: FrameSize): Overlay[] {
  const place = canvasBox({ x: 0, y: 0, ...frame }, canvas);
  return regions.flatMap((region) => {
    const box = regionBox(place, canvas, region, frame);
    const [left, top] = [Math.floor(box.x / 2) * 2, Math.floor(box.y / 2) * 2];
    const width = Math.min(frame.width & ~1, Math.ceil((box.x + box.width) / 2) * 2) - left;
    const height = Math.min(frame.height & ~1, Math.ceil((box.y + box.height) / 2) * 2) - top;
    return width <= 0 || height <= 0
      ? []
      : [scaled(region, box, { x: left, y: top, width, height }, frame.height > 576)];
  });
}

interface Place extends FrameSize {
  readonly x: number;
  readonly y: number;
}

/** Each pixel is the mean of what it covers: letters stay legible when they become smaller. */
function scaled(region: PictureRegion, box: Place, target: Place, isHd: boolean): Overlay {
  const { width, height } = target;
  const size = width * height;
  const [luma, opacity] = [new Uint8Array(size), new Uint8Array(size)];
  const [blueSums, redSums] = [new Float32Array(size), new Float32Array(size)];
  const colours = yuvPalette(region.palette, isHd);
  const [scaleX, scaleY] = [region.width / box.width, region.height / box.height];
  for (let row = 0; row < height; row++) {
    const [top, bottom] = span((target.y + row - box.y) * scaleY, scaleY, region.height);
    for (let column = 0; column < width; column++) {
      const [left, right] = span((target.x + column - box.x) * scaleX, scaleX, region.width);
      let [y, b, r, a, count] = [0, 0, 0, 0, 0];
      for (let sourceRow = top; sourceRow < bottom; sourceRow++) {
        for (let at = sourceRow * region.width + left; at < sourceRow * region.width + right; at++) {
          const colour = region.pixels[at]! * 4;
          const weight = colours[colour + 3]!;
          y += colours[colour]! * weight;
          b += colours[colour + 1]! * weight;
          r += colours[colour + 2]! * weight;
          a += weight;
          count++;
        }
      }
      const at = row * width + column;
      if (a === 0 || count === 0) continue;
      luma[at] = Math.round(y / a);
      opacity[at] = Math.round(a / count);
      blueSums[at] = b / a;
      redSums[at] = r / a;
    }
  }
  return { ...target, luma, opacity, ...halved(blueSums, redSums, opacity, target) };
}

/** Source pixels under a target pixel; one at least inside of the source, none outside of it. */
function span(from: number, length: number, most: number): [number, number] {
  if (from + length <= 0 || from >= most) return [0, 0];
  const begin = Math.max(0, Math.floor(from));
  return [begin, Math.min(most, Math.max(begin + 1, Math.round(from + length)))];
}

function halved(
  blues: Float32Array,
  reds: Float32Array,
  opacity: Uint8Array,
  { width, height }: FrameSize,
): Pick<Overlay, 'blue' | 'red' | 'chromaOpacity'> {
  const [columns, rows] = [width >> 1, height >> 1];
  const blue = new Uint8Array(columns * rows).fill(128);
  const red = new Uint8Array(columns * rows).fill(128);
  const chromaOpacity = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = row * 2 * width + column * 2;
      let [b, r, a] = [0, 0, 0];
      for (const at of [first, first + 1, first + width, first + width + 1]) {
        b += blues[at]! * opacity[at]!;
        r += reds[at]! * opacity[at]!;
        a += opacity[at]!;
      }
      if (a === 0) continue;
      const at = row * columns + column;
      blue[at] = Math.round(b / a);
      red[at] = Math.round(r / a);
      chromaOpacity[at] = Math.round(a / 4);
    }
  }
  return { blue, red, chromaOpacity };
}

/** Red, green, blue to Y, Cb, Cr of limited range (BT.709 for high definition, else BT.601). */
function yuvPalette(palette: Uint8Array, isHd: boolean): Float32Array {
  const [kr, kb] = isHd ? [0.2126, 0.0722] : [0.299, 0.114];
  const colours = new Float32Array(256 * 4);
  for (let at = 0; at + 3 < palette.length; at += 4) {
    const [r, g, b] = [palette[at]! / 255, palette[at + 1]! / 255, palette[at + 2]! / 255];
    const y = kr * r + (1 - kr - kb) * g + kb * b;
    colours[at] = 16 + 219 * y;
    colours[at + 1] = 128 + (224 * (b - y)) / (2 * (1 - kb));
    colours[at + 2] = 128 + (224 * (r - y)) / (2 * (1 - kr));
    colours[at + 3] = palette[at + 3]!;
  }
  return colours;
}

/** Mixes it into the frame, in place. */
export function blend({ data, strides }: Planes, overlay: Overlay): void {
  const { x, y, width, height, luma, opacity, blue, red, chromaOpacity } = overlay;
  blendPlane(data[0]!, strides[0]!, x, y, width, height, luma, opacity);
  for (const [plane, values] of [
    [1, blue],
    [2, red],
  ] as const) {
    blendPlane(data[plane]!, strides[plane]!, x >> 1, y >> 1, width >> 1, height >> 1, values, chromaOpacity);
  }
}

function blendPlane(
  plane: Uint8Array,
  stride: number,
  x: number,
  y: number,
  width: number,
  height: number,
  values: Uint8Array,
  opacity: Uint8Array,
): void {
  for (let row = 0; row < height; row++) {
    const to = (y + row) * stride + x;
    const from = row * width;
    for (let column = 0; column < width; column++) {
      const share = opacity[from + column]!;
      if (share === 0) continue;
      const present = plane[to + column]!;
      plane[to + column] = present + Math.round(((values[from + column]! - present) * share) / 255);
    }
  }
}
