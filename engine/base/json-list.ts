/**
 * Splits a JSON array that arrives in pieces into its elements, holding one of them at a time. A list of ten thousand
 * objects is 60 MB: parsed at once it stops everybody else for half a second, and one bad element loses all.
 */

export type JsonListItem =
  | { readonly kind: 'item'; readonly value: unknown }
  /** An element that was too large, or no JSON. */
  | { readonly kind: 'skipped' }
  /** What came is no array, or ended before its end. Nothing follows. */
  | { readonly kind: 'notAList' };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Space, tab, line feed, carriage return, and the bytes of a mark of byte order. */
const isBlank = (byte: number): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0xef || byte === 0xbb || byte === 0xbf;

export async function* splitJsonList(
  chunks: AsyncIterable<Uint8Array>,
  maxItemBytes: number,
): AsyncGenerator<JsonListItem> {
  const decoder = new TextDecoder();
  let state: 'before' | 'inside' | 'after' = 'before';
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  /** Of the element that is being read: its pieces from earlier chunks, and whether it has anything but blanks. */
  let pieces: Uint8Array[] = [];
  let pieceBytes = 0;
  let hasContent = false;

  const finish = (last: Uint8Array): JsonListItem => {
    const size = pieceBytes + last.byteLength;
    const parts = pieces;
    pieces = [];
    pieceBytes = 0;
    hasContent = false;
    if (size > maxItemBytes) return { kind: 'skipped' };
    try {
      const text = parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode(last);
      return { kind: 'item', value: JSON.parse(text) as unknown };
    } catch {
      return { kind: 'skipped' };
    }
  };

  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInString = false;
        continue;
      }
      if (state !== 'inside') {
        if (isBlank(byte)) continue;
        if (state === 'after' || byte !== OPEN_LIST) {
          yield { kind: 'notAList' };
          return;
        }
        state = 'inside';
        start = at + 1;
        continue;
      }
      if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) {
        // `[]` and a comma before the end hold nothing.
        if (hasContent) yield finish(chunk.subarray(start, at));
        else if (byte === COMMA) yield { kind: 'skipped' };
        pieces = [];
        pieceBytes = 0;
        start = at + 1;
        if (byte === CLOSE_LIST) state = 'after';
        continue;
      }
      if (byte === QUOTE) isInString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth--;
      hasContent ||= !isBlank(byte);
    }
    if (state !== 'inside') continue;
    const rest = chunk.subarray(start);
    pieceBytes += rest.byteLength;
    // What is too large already is only counted.
    if (pieceBytes > maxItemBytes) pieces = [];
    else pieces.push(rest);
  }
  if (state !== 'after') yield { kind: 'notAList' };
}
