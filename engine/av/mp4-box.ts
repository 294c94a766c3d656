/** Boxes of the ISO base media file format (ISO/IEC 14496-12 4.2). */
import type { ByteSource } from './byte-source.ts';

export interface BoxHeader {
  readonly type: string;
  /** Position of the box in the file. */
  readonly at: number;
  readonly headerBytes: number;
  readonly sizeBytes: number;
}

/** Boxes of the file's top level in order, at most `limit` of them. */
export function* topLevelBoxes(source: ByteSource, limit: number, from = 0): Generator<BoxHeader> {
  let at = from;
  for (let i = 0; i < limit && at + 8 <= source.sizeBytes; i += 1) {
    const head = source.read(at, 16, true);
    if (head.length < 8) return;
    let sizeBytes = head.readUInt32BE(0);
    let headerBytes = 8;
    if (sizeBytes === 1 && head.length === 16) {
      sizeBytes = Number(head.readBigUInt64BE(8));
      headerBytes = 16;
    } else if (sizeBytes === 0) {
      sizeBytes = source.sizeBytes - at;
    }
    if (sizeBytes < headerBytes) return;
    yield { type: head.toString('latin1', 4, 8), at, headerBytes, sizeBytes };
    at += sizeBytes;
  }
}

export interface Box {
  readonly type: string;
  readonly content: Buffer;
}

/** Boxes inside `bytes`, until one does not fit. */
export function* boxes(bytes: Buffer): Generator<Box> {
  let at = 0;
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    const end = size === 0 ? bytes.length : at + size;
    if ((size !== 0 && size < 8) || end > bytes.length) return;
    yield { type: bytes.toString('latin1', at + 4, at + 8), content: bytes.subarray(at + 8, end) };
    at = end;
  }
}

export function boxIn(bytes: Buffer | null, ...path: readonly string[]): Buffer | null {
  let current = bytes;
  for (const type of path) {
    if (current === null) return null;
    let found: Buffer | null = null;
    for (const box of boxes(current)) {
      if (box.type === type) {
        found = box.content;
        break;
      }
    }
    current = found;
  }
  return current;
}

/** A table box: version and flags, an entry count, then entries of equal size. Never believes more than there are bytes. */
export class Table {
  readonly length: number;
  readonly #bytes: Buffer;
  readonly #entryBytes: number;
  readonly #headerBytes: number;

  constructor(content: Buffer | null, entryBytes: number, headerBytes = 8) {
    this.#bytes = content ?? Buffer.alloc(0);
    this.#entryBytes = entryBytes;
    this.#headerBytes = headerBytes;
    const room = Math.floor((this.#bytes.length - headerBytes) / entryBytes);
    this.length = room <= 0 ? 0 : Math.min(room, this.#bytes.readUInt32BE(headerBytes - 4));
  }

  unsigned(index: number, offset = 0): number {
    return this.#bytes.readUInt32BE(this.#headerBytes + index * this.#entryBytes + offset);
  }

  signed(index: number, offset = 0): number {
    return this.#bytes.readInt32BE(this.#headerBytes + index * this.#entryBytes + offset);
  }

  unsigned64(index: number, offset = 0): number {
    return Number(this.#bytes.readBigUInt64BE(this.#headerBytes + index * this.#entryBytes + offset));
  }

  signed64(index: number, offset = 0): number {
    return Number(this.#bytes.readBigInt64BE(this.#headerBytes + index * this.#entryBytes + offset));
  }
}
