/**
 * msgpack for the browser build, in place of the `msgpackr` package (the alias is in vite.config.ts). The wire holds plain values only:
 * nil, booleans, numbers, text, bytes, arrays and maps; `protocol/codec.ts` has looked over every frame before it comes here.
 *
 * Trade: msgpackr is quicker on large frames and weighs 17 kB gzip, a quarter of what the first screen may load, and tries to compile
 * code at run time, which the page's content policy refuses. This is 1 kB and does neither. Held equal to msgpackr by its test.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text up to this length is put together from its bytes: a call into the decoder costs more. */
const SHORT_TEXT = 24;

/** msgpackr's word for "into memory that is used again". Here every result has memory of its own, whatever is asked. */
export const RESET_BUFFER_MODE = 1_024;

export class Packr {
  #bytes = new Uint8Array(1_024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** The options are those of `protocol/codec.ts`; there is no other way here. */
  constructor(_options: unknown) {
    // Nothing to choose.
  }

  pack(value: unknown, _mode?: number): Uint8Array {
    this.#at = 0;
    this.#write(value);
    return this.#bytes.slice(0, this.#at);
  }

  unpack(bytes: Uint8Array): unknown {
    return new Reader(bytes).read();
  }

  #write(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#writeText(value);
      case 'number':
        return this.#writeNumber(value);
      case 'boolean':
        return this.#writeByte(value ? 0xc3 : 0xc2);
      case 'undefined':
        return this.#writeByte(0xc0);
      case 'object':
        if (value === null) return this.#writeByte(0xc0);
        if (Array.isArray(value)) return this.#writeArray(value);
        if (value instanceof Uint8Array) return this.#writeBytes(value);
        return this.#writeMap(value as Readonly<Record<string, unknown>>);
      case 'bigint':
      case 'symbol':
      case 'function':
        throw new TypeError(`A ${typeof value} can't be sent. The contract has numbers, text, lists and maps.`);
    }
  }

  #writeArray(items: readonly unknown[]): void {
    this.#writeHead(items.length, 0x90, 16, null, 0xdc);
    for (const item of items) this.#write(item);
  }

  #writeMap(map: Readonly<Record<string, unknown>>): void {
    const entries = Object.entries(map).filter(([, value]) => value !== undefined);
    this.#writeHead(entries.length, 0x80, 16, null, 0xde);
    for (const [key, value] of entries) {
      this.#writeText(key);
      this.#write(value);
    }
  }

  #writeText(text: string): void {
    const bytes = encoder.encode(text);
    this.#writeHead(bytes.length, 0xa0, 32, 0xd9, 0xda);
    this.#copy(bytes);
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#writeHead(bytes.length, null, 0, 0xc4, 0xc5);
    this.#copy(bytes);
  }

  /** The head of what has a length: in one byte where it fits, else with 8, 16 or 32 bits behind it. */
  #writeHead(length: number, fix: number | null, fixLimit: number, head8: number | null, head16: number): void {
    if (fix !== null && length < fixLimit) this.#writeByte(fix | length);
    else if (head8 !== null && length < 0x100) {
      this.#writeByte(head8);
      this.#writeByte(length);
    } else if (length < 0x1_0000) {
      this.#writeByte(head16);
      this.#room(2);
      this.#view.setUint16(this.#at, length);
      this.#at += 2;
    } else {
      this.#writeByte(head16 + 1);
      this.#room(4);
      this.#view.setUint32(this.#at, length);
      this.#at += 4;
    }
  }

  #writeNumber(value: number): void {
    if (!Number.isInteger(value) || value >= 0x1_0000_0000 || value < -0x8000_0000 || Object.is(value, -0)) {
      this.#writeByte(0xcb);
      this.#room(8);
      this.#view.setFloat64(this.#at, value);
      this.#at += 8;
    } else if (value >= 0) {
      if (value < 0x80) this.#writeByte(value);
      else this.#writeHead(value, null, 0, 0xcc, 0xcd);
    } else if (value >= -0x20) this.#writeByte(value & 0xff);
    else if (value >= -0x80) {
      this.#writeByte(0xd0);
      this.#writeByte(value & 0xff);
    } else if (value >= -0x8000) {
      this.#writeByte(0xd1);
      this.#room(2);
      this.#view.setInt16(this.#at, value);
      this.#at += 2;
    } else {
      this.#writeByte(0xd2);
      this.#room(4);
      this.#view.setInt32(this.#at, value);
      this.#at += 4;
    }
  }

  #writeByte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = byte;
  }

  #copy(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): unknown {
    const head = this.#bytes[this.#at++]!;
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f);
    if (head < 0xa0) return this.#array(head & 0x0f);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#raw(this.#uint(1));
      case 0xc5:
        return this.#raw(this.#uint(2));
      case 0xc6:
        return this.#raw(this.#uint(4));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return Number(this.#view.getBigUint64(this.#skip(8)));
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#skip(8)));
      case 0xd9:
        return this.#text(this.#uint(1));
      case 0xda:
        return this.#text(this.#uint(2));
      case 0xdb:
        return this.#text(this.#uint(4));
      case 0xdc:
        return this.#array(this.#uint(2));
      case 0xdd:
        return this.#array(this.#uint(4));
      case 0xde:
        return this.#map(this.#uint(2));
      case 0xdf:
        return this.#map(this.#uint(4));
      default:
        throw new TypeError(`Byte 0x${head.toString(16)} begins no value of the wire.`);
    }
  }

  #array(length: number): unknown[] {
    const items: unknown[] = [];
    for (let index = 0; index < length; index++) items.push(this.read());
    return items;
  }

  #map(length: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let index = 0; index < length; index++) {
      const key = this.read() as string;
      map[key] = this.read();
    }
    return map;
  }

  #text(length: number): string {
    const start = this.#skip(length);
    if (length < SHORT_TEXT) {
      let text = '';
      let at = start;
      for (; at < start + length; at++) {
        const byte = this.#bytes[at]!;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (at === start + length) return text;
    }
    return decoder.decode(this.#bytes.subarray(start, start + length));
  }

  #raw(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.#bytes.slice(start, start + length);
  }

  #uint(width: 1 | 2 | 4): number {
    const at = this.#skip(width);
    return width === 1 ? this.#bytes[at]! : width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** Where the next `width` bytes begin; the position moves past them. */
  #skip(width: number): number {
    const at = this.#at;
    this.#at += width;
    return at;
  }
}
