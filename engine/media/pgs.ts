/**
 * Presentation Graphics, the subtitles of Blu-ray. Segments of a display set: composition (what is where), palettes, objects in
 * run-length coding, end. Source: US patent application 2009/0185789, FFmpeg's pgssubdec for what makers really write.
 */
import { MAX_CANVAS_PX, MAX_REGION_PIXELS, trimRegion, yuvToRgb } from './subtitle-picture.ts';
import type { PictureDecoder, PictureRegion, SubtitlePicture } from './subtitle-picture.ts';

const SEGMENT = { palette: 0x14, object: 0x15, composition: 0x16, end: 0x80 } as const;
/** A display set shows two objects; an epoch may hold 64. */
const MAX_OBJECTS = 64;
const MAX_PALETTES = 8;

interface CodedObject {
  readonly width: number;
  readonly height: number;
  readonly sizeBytes: number;
  data: Uint8Array[];
  gotBytes: number;
}

interface Composition {
  readonly ptsUs: number;
  readonly width: number;
  readonly height: number;
  readonly paletteId: number;
  readonly placed: readonly {
    readonly objectId: number;
    readonly x: number;
    readonly y: number;
    readonly crop: { readonly x: number; readonly y: number; readonly width: number; readonly height: number } | null;
  }[];
}

export class PgsDecoder implements PictureDecoder {
  readonly #objects = new Map<number, CodedObject>();
  /** Luma, red and blue difference, opacity: which colours they are depends on the canvas. */
  readonly #palettes = new Map<number, Uint8Array>();
  #composition: Composition | null = null;

  /** A packet holds one segment or several, with or without the headers of `.sup` files. */
  take(packet: Uint8Array, ptsUs: number): SubtitlePicture[] {
    const pictures: SubtitlePicture[] = [];
    let at = 0;
    while (at + 3 <= packet.length) {
      const type = packet[at]!;
      const length = u16(packet, at + 1);
      const segment = packet.subarray(at + 3, at + 3 + length);
      if (segment.length < length) break;
      at += 3 + length;
      if (type === SEGMENT.composition) this.#compose(segment, ptsUs);
      else if (type === SEGMENT.palette) this.#takePalette(segment);
      else if (type === SEGMENT.object) this.#takeObject(segment);
      else if (type === SEGMENT.end) {
        const picture = this.#finish();
        if (picture) pictures.push(picture);
      }
    }
    return pictures;
  }

  #compose(segment: Uint8Array, ptsUs: number): void {
    this.#composition = null;
    if (segment.length < 11) return;
    const [width, height] = [u16(segment, 0), u16(segment, 2)];
    if (width === 0 || height === 0 || width > MAX_CANVAS_PX || height > MAX_CANVAS_PX) return;
    // Epoch start and acquisition point: nothing of before is referred to.
    if ((segment[7]! & 0xc0) !== 0) {
      this.#objects.clear();
      this.#palettes.clear();
    }
    const placed: Composition['placed'][number][] = [];
    let at = 11;
    for (let count = segment[10]!; count > 0 && at + 8 <= segment.length; count--) {
      const isCropped = (segment[at + 3]! & 0x80) !== 0;
      const crop =
        isCropped && at + 16 <= segment.length
          ? {
              x: u16(segment, at + 8),
              y: u16(segment, at + 10),
              width: u16(segment, at + 12),
              height: u16(segment, at + 14),
            }
          : null;
      placed.push({ objectId: u16(segment, at), x: u16(segment, at + 4), y: u16(segment, at + 6), crop });
      at += isCropped ? 16 : 8;
    }
    this.#composition = { ptsUs, width, height, paletteId: segment[9]!, placed };
  }

  #takePalette(segment: Uint8Array): void {
    const id = segment[0];
    if (id === undefined || (!this.#palettes.has(id) && this.#palettes.size >= MAX_PALETTES)) return;
    const palette = this.#palettes.get(id) ?? new Uint8Array(256 * 4);
    for (let at = 2; at + 5 <= segment.length; at += 5) palette.set(segment.subarray(at + 1, at + 5), segment[at]! * 4);
    this.#palettes.set(id, palette);
  }

  #takeObject(segment: Uint8Array): void {
    if (segment.length < 4) return;
    const id = u16(segment, 0);
    const isFirst = (segment[3]! & 0x80) !== 0;
    if (!isFirst) {
      const object = this.#objects.get(id);
      if (!object || object.gotBytes >= object.sizeBytes) return;
      const rest = segment.slice(4, 4 + object.sizeBytes - object.gotBytes);
      object.data.push(rest);
      object.gotBytes += rest.length;
      return;
    }
    if (segment.length < 11 || (!this.#objects.has(id) && this.#objects.size >= MAX_OBJECTS)) return;
    const sizeBytes = segment[4]! * 65_536 + u16(segment, 5) - 4;
    const [width, height] = [u16(segment, 7), u16(segment, 9)];
    if (sizeBytes <= 0 || width * height > MAX_REGION_PIXELS) return;
    const data = segment.slice(11, 11 + sizeBytes);
    this.#objects.set(id, { width, height, sizeBytes, data: [data], gotBytes: data.length });
  }

  #finish(): SubtitlePicture | null {
    const composition = this.#composition;
    if (!composition) return null;
    this.#composition = null;
    const { ptsUs, width, height, placed, paletteId } = composition;
    const coded = this.#palettes.get(paletteId);
    const palette = coded && colours(coded, height > 576);
    const regions = placed.slice(0, MAX_OBJECTS).flatMap(({ objectId, x, y, crop }): PictureRegion[] => {
      const object = this.#objects.get(objectId);
      if (!object || !palette) return [];
      const pixels = decodeRuns(Buffer.concat(object.data), object.width, object.height);
      const whole = { x, y, width: object.width, height: object.height, pixels, palette };
      const region = trimRegion(crop ? cropped(whole, crop) : whole);
      return region && region.x < width && region.y < height ? [region] : [];
    });
    return { startUs: ptsUs, endUs: Number.NaN, canvasWidth: width, canvasHeight: height, regions };
  }
}

function cropped(region: PictureRegion, crop: NonNullable<Composition['placed'][number]['crop']>): PictureRegion {
  const left = Math.min(crop.x, region.width);
  const top = Math.min(crop.y, region.height);
  const width = Math.min(crop.width, region.width - left);
  const height = Math.min(crop.height, region.height - top);
  const pixels = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (top + row) * region.width + left;
    pixels.set(region.pixels.subarray(from, from + width), row * width);
  }
  return { ...region, width, height, pixels };
}

function colours(coded: Uint8Array, isHd: boolean): Uint8Array {
  const palette = new Uint8Array(coded.length);
  for (let at = 0; at < coded.length; at += 4) {
    palette.set(yuvToRgb(coded[at]!, coded[at + 2]!, coded[at + 1]!, isHd), at);
    palette[at + 3] = coded[at + 3]!;
  }
  return palette;
}

/** A byte is a pixel; a zero begins a run, or ends the row. */
function decodeRuns(data: Uint8Array, width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height);
  let [at, row, column] = [0, 0, 0];
  while (at < data.length && row < height) {
    const byte = data[at++]!;
    if (byte !== 0) {
      if (column < width) pixels[row * width + column] = byte;
      column++;
      continue;
    }
    const flags = data[at++] ?? 0;
    if (flags === 0) {
      row++;
      column = 0;
      continue;
    }
    const length = (flags & 0x40) !== 0 ? (flags & 0x3f) * 256 + (data[at++] ?? 0) : flags & 0x3f;
    const colour = (flags & 0x80) !== 0 ? (data[at++] ?? 0) : 0;
    if (colour !== 0) {
      pixels.fill(colour, row * width + Math.min(column, width), row * width + Math.min(column + length, width));
    }
    column += length;
  }
  return pixels;
}

/** A `.sup` file as packets: every segment has a header of its own, with a time of 90 kHz. */
export function* supSegments(bytes: Uint8Array): Generator<{ readonly packet: Uint8Array; readonly ptsUs: number }> {
  let at = 0;
  while (at + 13 <= bytes.length) {
    if (bytes[at] !== 0x50 || bytes[at + 1] !== 0x47) return;
    const length = u16(bytes, at + 11);
    const ticks = u16(bytes, at + 2) * 65_536 + u16(bytes, at + 4);
    yield { packet: bytes.subarray(at + 10, at + 13 + length), ptsUs: (ticks * 1e6) / 90_000 };
    at += 13 + length;
  }
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
