/**
 * VobSub, the subtitles of DVD: pictures of four colours with commands that say when and where. Source: the description of sub-picture
 * units at dvd.sourceforge.net/dvdinfo, FFmpeg's dvdsubdec.
 */
import { MAX_CANVAS_PX, MAX_REGION_PIXELS, trimRegion } from './subtitle-picture.ts';
import type { PictureDecoder, PictureRegion, SubtitlePicture } from './subtitle-picture.ts';

export interface VobSubFacts {
  readonly width: number;
  readonly height: number;
  /** 16 colours of three bytes; `null` where the file says none. */
  readonly palette: Uint8Array | null;
}

export interface VobSubIndex extends VobSubFacts {
  readonly language: string | null;
  /** Where the packets lie in the `.sub`, in order of time. */
  readonly entries: readonly { readonly startUs: number; readonly at: number }[];
}

/** Begins a file that holds both, as it is kept when it was handed in: this, the length of the index in four bytes, index, pictures. */
export const VOBSUB_MAGIC = 'VOBSUB01';

const MAX_ENTRIES = 50_000;
/** A unit's size is a 16-bit number. */
const MAX_UNIT_BYTES = 65_536;
/** What a player of discs shows where nobody says which colours: white letters with a dark edge. */
const PLAIN_COLOURS = [0x00_00_00, 0xff_ff_ff, 0x20_20_20, 0x80_80_80];
/** The text of an `.idx`, or what containers keep of one. Of several languages the first that has anything counts. */
export function parseVobSubIndex(text: string): VobSubIndex {
  let [width, height] = [720, 576];
  let palette: Uint8Array | null = null;
  let language: string | null = null;
  let delayUs = 0;
  let entries: { startUs: number; at: number }[] = [];
  for (const raw of text.slice(0, 8 << 20).split(/\r?\n/)) {
    const line = raw.slice(0, 400).trim();
    const size = /^size:\s*(\d{1,5})x(\d{1,5})/i.exec(line);
    const colours = /^palette:\s*((?:[0-9a-f]{6}[\s,]*){16})/i.exec(line);
    const id = /^id:\s*([a-z-]{2,8})?/i.exec(line);
    const delay = /^delay:\s*(-?)(\d{1,2}):(\d{1,2}):(\d{1,2}):(\d{1,3})/i.exec(line);
    const entry = /^timestamp:\s*(-?)(\d{1,3}):(\d{1,2}):(\d{1,2}):(\d{1,3}),\s*filepos:\s*([0-9a-f]{1,12})/i.exec(
      line,
    );
    if (size) [width, height] = [boundedSize(Number(size[1])), boundedSize(Number(size[2]))];
    else if (colours) {
      palette = Uint8Array.from(colours[1]!.match(/[0-9a-f]{2}/gi)!, (byte) => Number.parseInt(byte, 16));
    } else if (id) {
      if (entries.length > 0) break;
      language = id[1] ?? null;
      delayUs = 0;
    } else if (delay) delayUs += clockUs(delay);
    else if (entry && entries.length < MAX_ENTRIES) {
      entries.push({ startUs: clockUs(entry) + delayUs, at: Number.parseInt(entry[6]!, 16) });
    }
  }
  entries = entries.toSorted((a, b) => a.startUs - b.startUs);
  return { width, height, palette, language, entries };
}

const boundedSize = (px: number): number => Math.min(Math.max(px, 16), MAX_CANVAS_PX);

function clockUs([, sign, hours, minutes, seconds, fraction]: readonly string[]): number {
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000 + Number(fraction);
  return (sign === '-' ? -ms : ms) * 1_000;
}

/** Sub-picture units of a `.sub`, an MPEG program stream, in the order of its index. */
export function* vobSubUnits(
  bytes: Uint8Array,
  { entries }: VobSubIndex,
): Generator<{ readonly packet: Uint8Array; readonly ptsUs: number }> {
  for (const { at, startUs } of entries) {
    const unit = unitAt(bytes, at);
    if (unit) yield { packet: unit, ptsUs: startUs };
  }
}

/** A unit may lie in several packets of one sub-stream. */
function unitAt(bytes: Uint8Array, from: number): Uint8Array | null {
  const pieces: Uint8Array[] = [];
  let [at, got, size, stream] = [from, 0, 0, -1];
  for (let packets = 0; packets < 256 && at + 6 <= bytes.length; packets++) {
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) return null;
    const kind = bytes[at + 3]!;
    if (kind === 0xba) {
      // MPEG-2 packs begin with the bits 01 and say how much they are stuffed.
      at += (bytes[at + 4]! & 0xc0) === 0x40 ? 14 + ((bytes[at + 13] ?? 0) & 7) : 12;
      continue;
    }
    if (kind === 0xb9) return null;
    const end = at + 6 + u16(bytes, at + 4);
    if (kind === 0xbd) {
      const head = at + 9 + (bytes[at + 8] ?? 0);
      const id = bytes[head] ?? -1;
      if (id >= 0x20 && id <= 0x3f && (stream < 0 || stream === id)) {
        stream = id;
        const piece = bytes.subarray(head + 1, end);
        if (size === 0) size = u16(piece, 0);
        pieces.push(piece);
        got += piece.length;
        if (size < 4) return null;
        if (got >= size) return Buffer.concat(pieces, size);
      }
    }
    at = end;
  }
  return null;
}

export class VobSubDecoder implements PictureDecoder {
  readonly #facts: VobSubFacts;
  /** A unit that comes in several packets. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #pendingUs = 0;

  constructor(facts: VobSubFacts) {
    this.#facts = facts;
  }

  take(packet: Uint8Array, ptsUs: number, durationUs: number): SubtitlePicture[] {
    if (packet.length === 0) return [];
    if (this.#pending.length === 0) this.#pendingUs = ptsUs;
    this.#pending.push(packet.slice());
    this.#pendingBytes += packet.length;
    const unit = this.#pending.length === 1 ? packet : Buffer.concat(this.#pending);
    if (unit.length < 2 || (u16(unit, 0) > unit.length && this.#pendingBytes < MAX_UNIT_BYTES)) return [];
    const picture = decodeUnit(unit, this.#pendingUs, durationUs, this.#facts);
    this.#pending = [];
    this.#pendingBytes = 0;
    return picture ? [picture] : [];
  }
}

function decodeUnit(unit: Uint8Array, ptsUs: number, durationUs: number, facts: VobSubFacts): SubtitlePicture | null {
  const size = Math.min(u16(unit, 0), unit.length);
  let at = u16(unit, 2);
  let [startUs, endUs] = [0, Number.NaN];
  let [indices, opacities]: [number[], number[]] = [
    [0, 1, 2, 3],
    [0, 15, 15, 15],
  ];
  let area: { x: number; y: number; width: number; height: number } | null = null;
  let offsets: [number, number] | null = null;
  for (let sequences = 0; sequences < 64 && at + 4 <= size; sequences++) {
    const dateUs = (u16(unit, at) * 1_024 * 1e6) / 90_000;
    const next = u16(unit, at + 2);
    let command = at + 4;
    for (let ended = false; !ended && command < size;) {
      switch (unit[command++]) {
        case 0x00:
        case 0x01:
          startUs = dateUs;
          break;
        case 0x02:
          // Makers that know no end write the largest number there is.
          if (u16(unit, at) < 0xff00) endUs = dateUs;
          break;
        case 0x03:
          indices = nibbles(unit, command);
          command += 2;
          break;
        case 0x04:
          opacities = nibbles(unit, command);
          command += 2;
          break;
        case 0x05: {
          const [a, b, c, d, e, f] = unit.subarray(command, command + 6);
          if (f === undefined) return null;
          const [x, right] = [(a! << 4) | (b! >> 4), ((b! & 15) << 8) | c!];
          const [y, bottom] = [(d! << 4) | (e! >> 4), ((e! & 15) << 8) | f];
          area = { x, y, width: right - x + 1, height: bottom - y + 1 };
          command += 6;
          break;
        }
        case 0x06:
          offsets = [u16(unit, command), u16(unit, command + 2)];
          command += 4;
          break;
        case 0x07:
          command += Math.max(2, u16(unit, command));
          break;
        default:
          ended = true;
      }
    }
    if (next <= at) break;
    at = next;
  }
  const canvas = { canvasWidth: facts.width, canvasHeight: facts.height };
  const from = ptsUs + startUs;
  const until = endUs > startUs ? ptsUs + endUs : durationUs > 0 ? ptsUs + durationUs : Number.NaN;
  if (!area || !offsets || area.width <= 0 || area.height <= 0 || area.width * area.height > MAX_REGION_PIXELS) {
    return { startUs: from, endUs: until, ...canvas, regions: [] };
  }
  const pixels = new Uint8Array(area.width * area.height);
  for (const [field, offset] of offsets.entries()) decodeField(unit.subarray(0, size), offset, field, area, pixels);
  const region: PictureRegion = { ...area, pixels, palette: coloursOf(indices, opacities, facts.palette) };
  const trimmed = trimRegion(region);
  return { startUs: from, endUs: until, ...canvas, regions: trimmed ? [trimmed] : [] };
}

/** Four numbers of four bits, those of the highest colour first. */
function nibbles(bytes: Uint8Array, at: number): number[] {
  const [high = 0, low = 0] = bytes.subarray(at, at + 2);
  return [low & 15, low >> 4, high & 15, high >> 4];
}

function coloursOf(indices: readonly number[], opacities: readonly number[], palette: Uint8Array | null): Uint8Array {
  return Uint8Array.from(
    indices.flatMap((index, at) => {
      const rgb = palette
        ? [...palette.subarray(index * 3, index * 3 + 3)]
        : [PLAIN_COLOURS[at]! >> 16, (PLAIN_COLOURS[at]! >> 8) & 255, PLAIN_COLOURS[at]! & 255];
      return [...rgb, opacities[at]! * 17];
    }),
  );
}

/** Every other row, in runs of 2 to 14 bits of length and two of colour; a run of length 0 goes to the end of its row. */
function decodeField(
  unit: Uint8Array,
  offset: number,
  field: number,
  { width, height }: { readonly width: number; readonly height: number },
  pixels: Uint8Array,
): void {
  let nibble = offset * 2;
  const last = unit.length * 2;
  const next = (): number => {
    const byte = unit[nibble >> 1] ?? 0;
    return (nibble++ & 1) === 0 ? byte >> 4 : byte & 15;
  };
  for (let row = field; row < height && nibble < last; row += 2) {
    for (let column = 0; column < width && nibble < last;) {
      let code = next();
      for (let most = 4; code < most && most <= 64; most *= 4) code = code * 16 + next();
      const length = Math.min(code >> 2 || width, width - column);
      pixels.fill(code & 3, row * width + column, row * width + column + length);
      column += length;
    }
    nibble += nibble & 1; // rows begin at whole bytes
  }
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
