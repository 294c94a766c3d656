/**
 * DVB subtitles, those of broadcasts: pages of regions, colour tables, and objects whose pixels are drawn into regions. Source:
 * ETSI EN 300 743; what is rare there (stuffing, ancillary pages, character objects) is passed over.
 */
import { MAX_CANVAS_PX, MAX_REGION_PIXELS, trimRegion, yuvToRgb } from './subtitle-picture.ts';
import type { PictureDecoder, PictureRegion, SubtitlePicture } from './subtitle-picture.ts';

const SEGMENT = { page: 0x10, region: 0x11, colours: 0x12, object: 0x13, display: 0x14, end: 0x80 } as const;
const MAX_REGIONS = 32;
const MAX_TABLES = 32;
const MAX_PLACED = 256;
/** What all regions of a page may hold together. */
const MAX_PAGE_PIXELS = MAX_REGION_PIXELS * 2;

interface Region {
  width: number;
  height: number;
  depth: number;
  tableId: number;
  pixels: Uint8Array;
  placed: { readonly objectId: number; readonly x: number; readonly y: number }[];
}

interface Page {
  readonly ptsUs: number;
  readonly timeoutUs: number;
  readonly regions: readonly { readonly regionId: number; readonly x: number; readonly y: number }[];
}

export class DvbSubtitleDecoder implements PictureDecoder {
  readonly #regions = new Map<number, Region>();
  /** Three tables each, for 4, 16 and 256 colours. */
  readonly #tables = new Map<number, readonly [Uint8Array, Uint8Array, Uint8Array]>();
  #page: Page | null = null;
  #width = 720;
  #height = 576;

  take(packet: Uint8Array, ptsUs: number): SubtitlePicture[] {
    // In transport streams the segments stand behind a data identifier and a stream id.
    let at = packet[0] === 0x20 && packet[1] === 0x00 ? 2 : 0;
    while (at + 6 <= packet.length && packet[at] === 0x0f) {
      const type = packet[at + 1]!;
      const length = u16(packet, at + 4);
      const body = packet.subarray(at + 6, at + 6 + length);
      if (body.length < length) break;
      at += 6 + length;
      if (type === SEGMENT.page) this.#takePage(body, ptsUs);
      else if (type === SEGMENT.region) this.#takeRegion(body);
      else if (type === SEGMENT.colours) this.#takeColours(body);
      else if (type === SEGMENT.object) this.#takeObject(body);
      else if (type === SEGMENT.display && body.length >= 5) {
        this.#width = Math.min(u16(body, 1) + 1, MAX_CANVAS_PX);
        this.#height = Math.min(u16(body, 3) + 1, MAX_CANVAS_PX);
      } else if (type === SEGMENT.end) break;
    }
    return this.#finish();
  }

  #takePage(body: Uint8Array, ptsUs: number): void {
    if (body.length < 2) return;
    const state = (body[1]! >> 2) & 3;
    // Acquisition point and mode change: everything is sent anew.
    if (state !== 0) {
      this.#regions.clear();
      this.#tables.clear();
    }
    const regions: Page['regions'][number][] = [];
    for (let at = 2; at + 6 <= body.length && regions.length < MAX_REGIONS; at += 6) {
      regions.push({ regionId: body[at]!, x: u16(body, at + 2), y: u16(body, at + 4) });
    }
    this.#page = { ptsUs, timeoutUs: body[0]! * 1_000_000, regions };
  }

  #takeRegion(body: Uint8Array): void {
    if (body.length < 10) return;
    const id = body[0]!;
    const isFilled = (body[1]! & 8) !== 0;
    const [width, height] = [u16(body, 2), u16(body, 4)];
    const depth = 1 << ((body[6]! >> 2) & 7);
    if (width === 0 || height === 0 || width * height > MAX_REGION_PIXELS || ![2, 4, 8].includes(depth)) return;
    const known = this.#regions.get(id);
    if (!known && (this.#regions.size >= MAX_REGIONS || this.#pixelCount() + width * height > MAX_PAGE_PIXELS)) return;
    const isSame = known?.width === width && known.height === height;
    const region: Region = {
      width,
      height,
      depth,
      tableId: body[7]!,
      pixels: isSame ? known.pixels : new Uint8Array(width * height),
      placed: [],
    };
    if (isFilled || !isSame) {
      region.pixels.fill(depth === 8 ? body[8]! : depth === 4 ? body[9]! >> 4 : (body[9]! >> 2) & 3);
    }
    for (let at = 10; at + 6 <= body.length && region.placed.length < MAX_PLACED;) {
      const objectType = body[at + 2]! >> 6;
      region.placed.push({ objectId: u16(body, at), x: u16(body, at + 2) & 0xfff, y: u16(body, at + 4) & 0xfff });
      at += objectType === 1 || objectType === 2 ? 8 : 6;
    }
    this.#regions.set(id, region);
  }

  #pixelCount(): number {
    return [...this.#regions.values()].reduce((sum, { pixels }) => sum + pixels.length, 0);
  }

  #takeColours(body: Uint8Array): void {
    const id = body[0];
    if (id === undefined || (!this.#tables.has(id) && this.#tables.size >= MAX_TABLES)) return;
    const tables = this.#tables.get(id) ?? defaultTables();
    for (let at = 2; at + 4 <= body.length;) {
      const entry = body[at]!;
      const flags = body[at + 1]!;
      const isFull = (flags & 1) !== 0;
      let [y, cr, cb, transparency] = [body[at + 2]!, body[at + 3]!, body[at + 4] ?? 128, body[at + 5] ?? 0];
      if (!isFull) {
        const bits = u16(body, at + 2);
        [y, cr, cb, transparency] = [
          (bits >> 10) << 2,
          ((bits >> 6) & 15) << 4,
          ((bits >> 2) & 15) << 4,
          (bits & 3) << 6,
        ];
      }
      at += isFull ? 6 : 4;
      const rgba = y === 0 ? [0, 0, 0, 0] : [...yuvToRgb(y, cb, cr, false), 255 - transparency];
      for (const [table, bit] of [
        [tables[0], 0x80],
        [tables[1], 0x40],
        [tables[2], 0x20],
      ] as const) {
        if ((flags & bit) !== 0 && entry * 4 < table.length) table.set(rgba, entry * 4);
      }
    }
    this.#tables.set(id, tables);
  }

  #takeObject(body: Uint8Array): void {
    if (body.length < 7) return;
    const id = u16(body, 0);
    const method = (body[2]! >> 2) & 3;
    if (method !== 0) return;
    const keepsOne = (body[2]! & 2) !== 0;
    const [topLength, bottomLength] = [u16(body, 3), u16(body, 5)];
    const top = body.subarray(7, 7 + topLength);
    const bottom = bottomLength === 0 ? top : body.subarray(7 + topLength, 7 + topLength + bottomLength);
    for (const region of this.#regions.values()) {
      for (const { objectId, x, y } of region.placed) {
        if (objectId !== id) continue;
        drawField(top, region, x, y, keepsOne);
        drawField(bottom, region, x, y + 1, keepsOne);
      }
    }
  }

  #finish(): SubtitlePicture[] {
    const page = this.#page;
    if (!page) return [];
    this.#page = null;
    const regions = page.regions.flatMap(({ regionId, x, y }): PictureRegion[] => {
      const region = this.#regions.get(regionId);
      if (!region) return [];
      const table = (this.#tables.get(region.tableId) ?? defaultTables())[
        region.depth === 2 ? 0 : region.depth === 4 ? 1 : 2
      ];
      const { width, height, pixels } = region;
      const trimmed = trimRegion({ x, y, width, height, pixels: pixels.slice(), palette: table.slice() });
      return trimmed ? [trimmed] : [];
    });
    const endUs = page.timeoutUs > 0 ? page.ptsUs + page.timeoutUs : Number.NaN;
    return [{ startUs: page.ptsUs, endUs, canvasWidth: this.#width, canvasHeight: this.#height, regions }];
  }
}

const MAP_2_TO_4 = [0, 7, 8, 15];
const MAP_2_TO_8 = [0x00, 0x77, 0x88, 0xff];
const MAP_4_TO_8 = Array.from({ length: 16 }, (_, value) => value * 17);

/** Pixels of every other row, in strings of codes for 2, 4 or 8 bits. */
function drawField(data: Uint8Array, region: Region, left: number, top: number, keepsOne: boolean): void {
  const { width, height, depth, pixels } = region;
  let [at, x, y] = [0, left, top];
  let map2 = depth === 8 ? MAP_2_TO_8 : depth === 4 ? MAP_2_TO_4 : [0, 1, 2, 3];
  let map4 = depth === 8 ? MAP_4_TO_8 : Array.from({ length: 16 }, (_, value) => value);
  const put = (colour: number, length: number): void => {
    if (y < height && x < width && !(keepsOne && colour === 1)) {
      pixels.fill(colour, y * width + x, y * width + Math.min(x + length, width));
    }
    x += length;
  };
  while (at < data.length && y < height) {
    const type = data[at++]!;
    if (type === 0x10) at = readRuns2(data, at, map2, put);
    else if (type === 0x11) at = readRuns4(data, at, map4, put);
    else if (type === 0x12) at = readRuns8(data, at, Math.max(0, width - x), put);
    else if (type === 0x20) {
      map2 = [data[at]! >> 4, data[at]! & 15, (data[at + 1] ?? 0) >> 4, (data[at + 1] ?? 0) & 15];
      at += 2;
    } else if (type === 0x21) {
      map2 = [...data.subarray(at, at + 4)];
      at += 4;
    } else if (type === 0x22) {
      map4 = [...data.subarray(at, at + 16)];
      at += 16;
    } else if (type === 0xf0) {
      x = left;
      y += 2;
    }
  }
}

type Put = (colour: number, length: number) => void;

class Bits {
  readonly #data: Uint8Array;
  #bit: number;

  constructor(data: Uint8Array, at: number) {
    this.#data = data;
    this.#bit = at * 8;
  }

  take(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left--, this.#bit++) {
      value = value * 2 + (((this.#data[this.#bit >> 3] ?? 0) >> (7 - (this.#bit & 7))) & 1);
    }
    return value;
  }

  get isOver(): boolean {
    return this.#bit >= this.#data.length * 8;
  }

  /** The next whole byte. */
  get at(): number {
    return (this.#bit + 7) >> 3;
  }
}

function readRuns2(data: Uint8Array, from: number, map: readonly number[], put: Put): number {
  const bits = new Bits(data, from);
  while (!bits.isOver) {
    const code = bits.take(2);
    if (code !== 0) {
      put(map[code] ?? 0, 1);
      continue;
    }
    const isRun = bits.take(1) === 1;
    if (isRun) {
      const length = bits.take(3) + 3;
      put(map[bits.take(2)] ?? 0, length);
      continue;
    }
    const isOneBlank = bits.take(1) === 1;
    const kind = isOneBlank ? 1 : bits.take(2);
    if (isOneBlank || kind === 1) put(map[0] ?? 0, isOneBlank ? 1 : 2);
    else if (kind === 0) break;
    else {
      const length = kind === 2 ? bits.take(4) + 12 : bits.take(8) + 29;
      put(map[bits.take(2)] ?? 0, length);
    }
  }
  return bits.at;
}

function readRuns4(data: Uint8Array, from: number, map: readonly number[], put: Put): number {
  const bits = new Bits(data, from);
  while (!bits.isOver) {
    const code = bits.take(4);
    if (code !== 0) {
      put(map[code] ?? 0, 1);
      continue;
    }
    const isBlankRun = bits.take(1) === 0;
    if (isBlankRun) {
      const length = bits.take(3);
      if (length === 0) break;
      put(map[0] ?? 0, length + 2);
      continue;
    }
    const isShortRun = bits.take(1) === 0;
    const kind = isShortRun ? 4 : bits.take(2);
    if (kind <= 1) put(map[0] ?? 0, kind + 1);
    else {
      const length = isShortRun ? bits.take(2) + 4 : kind === 2 ? bits.take(4) + 9 : bits.take(8) + 25;
      put(map[bits.take(4)] ?? 0, length);
    }
  }
  return bits.at;
}

/** Ends with two zeros, or where the row is full with whatever comes next: FFmpeg's own encoder writes one zero there. */
function readRuns8(data: Uint8Array, from: number, room: number, put: Put): number {
  let at = from;
  let count = 0;
  const add = (colour: number, length: number): void => {
    put(colour, length);
    count += length;
  };
  while (at < data.length && count < room) {
    const code = data[at++]!;
    if (code !== 0) {
      add(code, 1);
      continue;
    }
    const run = data[at++] ?? 0;
    if (run === 0) return at;
    if ((run & 0x80) === 0) add(0, run);
    else add(data[at++] ?? 0, run & 0x7f);
  }
  return at + 1;
}

/** The colours of section 10 of the standard, for pages without tables of their own. */
function defaultTables(): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const four = Uint8Array.from([0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 127, 127, 127, 255]);
  const sixteen = new Uint8Array(16 * 4);
  for (let index = 1; index < 16; index++) {
    const full = index < 8 ? 255 : 127;
    sixteen.set([(index & 1) * full, ((index >> 1) & 1) * full, ((index >> 2) & 1) * full, 255], index * 4);
  }
  const many = new Uint8Array(256 * 4);
  for (let index = 1; index < 256; index++) {
    if (index < 8) {
      many.set([(index & 1) * 255, ((index >> 1) & 1) * 255, ((index >> 2) & 1) * 255, 63], index * 4);
      continue;
    }
    const kind = index & 0x88;
    const [low, high] = kind === 0x80 || kind === 0x88 ? [43, 85] : [85, 170];
    const base = kind === 0x80 ? 127 : 0;
    const part = (bit: number): number =>
      Math.min(255, base + ((index >> bit) & 1) * low + ((index >> (bit + 4)) & 1) * high);
    many.set([part(0), part(1), part(2), kind === 0x08 ? 127 : 255], index * 4);
  }
  return [four, sixteen, many];
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
