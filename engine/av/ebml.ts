/** EBML, the grammar of Matroska and WebM (RFC 8794). Numbers above 2^53 lose their lowest bits, which no valid file has. */

export interface ElementHeader {
  readonly id: number;
  /** Bytes of the content; `null`: unknown, as in live recordings. */
  readonly length: number | null;
  /** Bytes of id and length. */
  readonly headerBytes: number;
}

export interface Element {
  readonly id: number;
  readonly content: Buffer;
}

export function parseElementHeader(bytes: Buffer, at = 0): ElementHeader | null {
  const id = parseVint(bytes, at, true);
  if (id === null || id.bytes > 4) return null;
  const length = parseVint(bytes, at + id.bytes, false);
  if (length === null) return null;
  return { id: id.value ?? 0, length: length.value, headerBytes: id.bytes + length.bytes };
}

/** Variable-length integer; `value` is `null` where all bits are set: "unknown length". */
export function parseVint(
  bytes: Buffer,
  at: number,
  keepsMarker: boolean,
): { value: number | null; bytes: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const extra = Math.clz32(first) - 24;
  if (at + extra >= bytes.length) return null;
  const mask = 0xff >> (extra + 1);
  let value = keepsMarker ? first : first & mask;
  let isUnknown = (first & mask) === mask;
  for (let i = 1; i <= extra; i += 1) {
    const byte = bytes[at + i] ?? 0;
    if (byte !== 0xff) isUnknown = false;
    value = value * 256 + byte;
  }
  return { value: !keepsMarker && isUnknown ? null : value, bytes: extra + 1 };
}

/** The elements inside `bytes`, until one does not fit. */
export function* elements(bytes: Buffer): Generator<Element> {
  let at = 0;
  while (at < bytes.length) {
    const header = parseElementHeader(bytes, at);
    if (header === null || header.length === null) return;
    const start = at + header.headerBytes;
    const end = start + header.length;
    if (end > bytes.length) return;
    yield { id: header.id, content: bytes.subarray(start, end) };
    at = end;
  }
}

export function toUnsigned(content: Buffer): number {
  let value = 0;
  for (const byte of content.subarray(0, 8)) value = value * 256 + byte;
  return value;
}

export function toFloat(content: Buffer): number {
  if (content.length === 4) return content.readFloatBE(0);
  return content.length === 8 ? content.readDoubleBE(0) : 0;
}

/** UTF-8 up to the first NUL: writers pad with zeros. */
export function toText(content: Buffer): string {
  const end = content.indexOf(0);
  return content.toString('utf8', 0, end < 0 ? content.length : end);
}
