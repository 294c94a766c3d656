/**
 * Bytes to values and back: the one place that knows msgpack. Runs unchanged in Node and in a browser.
 *
 * What comes in is walked once before it is decoded [CON5]: nothing is allocated for a frame that claims more than it
 * holds, nests too deeply, or carries what another language could not read. See SPEC.md, section 3.
 */
import { Packr } from 'msgpackr';

/** What one frame may hold. Bytes, levels of arrays and maps, and values in all (each key counts as one). */
export interface FrameLimits {
  readonly frameBytes: number;
  readonly nesting: number;
  readonly values: number;
}

/**
 * What a client takes from its server. Wider than what a server takes (`LIMITS` in frame.ts), because a snapshot is
 * larger than any call; still bounded, because a server may be broken or not ours.
 */
export const SERVER_FRAME_LIMITS: FrameLimits = { frameBytes: 64 << 20, nesting: 32, values: 4_000_000 };

/** Why bytes are not a frame. Closed. */
export const FRAME_PROBLEMS = [
  'empty',
  'tooLarge',
  'tooDeep',
  'tooManyValues',
  'truncated',
  'trailingBytes',
  'extensionType',
  'reservedByte',
  'keyNotText',
  'forbiddenKey',
  'integerOutOfRange',
] as const;
export type FrameProblem = (typeof FRAME_PROBLEMS)[number];

export class FrameError extends Error {
  readonly problem: FrameProblem;
  constructor(problem: FrameProblem) {
    super(`not a frame: ${problem}`);
    this.name = 'FrameError';
    this.problem = problem;
  }
}

/** `skipValues` is msgpackr's, though its types do not name it. */
const options: ConstructorParameters<typeof Packr>[0] & { skipValues: unknown[] } = {
  // Records are msgpackr's own extension: no other language could read them.
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  // An optional property that is `undefined` is left out, as JSON does; an `undefined` in an array is nil.
  skipValues: [undefined],
  encodeUndefinedAsNil: true,
  // 64-bit integers are numbers here; those beyond 2^53 - 1 are refused before.
  int64AsType: 'number',
  // uWebSockets.js takes its memory back after the handler: a view into it must not outlive the frame.
  copyBuffers: true,
};
const packr = new Packr(options);

/** The bytes of a value that JSON could carry, plus `Uint8Array`. The result is never written to again. */
export function encode(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** The value of one whole frame. Throws `FrameError` when it is not exactly one value inside the limits. */
export function decode(bytes: Uint8Array, limits: FrameLimits): unknown {
  const problem = findProblem(bytes, limits);
  if (problem !== null) throw new FrameError(problem);
  return packr.unpack(bytes);
}

/** One level: how many values it still wants, and whether it is a map (then keys come at even counts). */
let wanted = new Int32Array(64);
let isMapAt = new Uint8Array(64);

const PROTO = [0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f] as const;

/**
 * What is wrong with the bytes of a frame, `null` when nothing is. Looks at every value's head and skips what it
 * holds, so the cost is the number of values, not of bytes; allocates nothing.
 */
export function findProblem(bytes: Uint8Array, limits: FrameLimits): FrameProblem | null {
  const end = bytes.length;
  if (end === 0) return 'empty';
  if (end > limits.frameBytes) return 'tooLarge';
  if (wanted.length <= limits.nesting) {
    wanted = new Int32Array(limits.nesting + 1);
    isMapAt = new Uint8Array(limits.nesting + 1);
  }
  let depth = 0;
  wanted[0] = 1;
  isMapAt[0] = 0;
  let position = 0;
  let values = 0;

  for (;;) {
    if (position >= end) return 'truncated';
    if (++values > limits.values) return 'tooManyValues';
    const head = bytes[position++]!;
    const isKey = isMapAt[depth] === 1 && (wanted[depth]! & 1) === 0;
    wanted[depth]!--;

    /** Bytes of content to skip; children are pushed instead. */
    let skip = 0;
    let children = -1;
    let isMap = false;
    let isText = false;

    if (head < 0x80 || head >= 0xe0) {
      // A small integer: the head is all.
    } else if (head < 0x90) {
      children = head & 0x0f;
      isMap = true;
    } else if (head < 0xa0) {
      children = head & 0x0f;
    } else if (head < 0xc0) {
      skip = head & 0x1f;
      isText = true;
    } else {
      const sizeBytes = SIZE_BYTES[head - 0xc0]!;
      if (position + sizeBytes > end) return 'truncated';
      switch (head) {
        case 0xc0:
        case 0xc2:
        case 0xc3:
          break;
        case 0xc1:
          return 'reservedByte';
        case 0xc4:
        case 0xc5:
        case 0xc6:
          skip = readSize(bytes, position, sizeBytes);
          position += sizeBytes;
          break;
        case 0xd9:
        case 0xda:
        case 0xdb:
          skip = readSize(bytes, position, sizeBytes);
          position += sizeBytes;
          isText = true;
          break;
        case 0xdc:
        case 0xdd:
          children = readSize(bytes, position, sizeBytes);
          position += sizeBytes;
          break;
        case 0xde:
        case 0xdf:
          children = readSize(bytes, position, sizeBytes);
          position += sizeBytes;
          isMap = true;
          break;
        case 0xcf:
          // Unsigned 64 bits: the high word may use 21 bits (2^53 - 1).
          if (readSize(bytes, position, 4) > 0x1f_ffff) return 'integerOutOfRange';
          position += 8;
          break;
        case 0xd3: {
          // Signed 64 bits: the high word, as a signed number, between -2^21 and 2^21 - 1; -2^53 itself is just outside.
          const high = readSize(bytes, position, 4) | 0;
          if (high > 0x1f_ffff || high < -0x20_0000) return 'integerOutOfRange';
          if (high === -0x20_0000 && readSize(bytes, position + 4, 4) === 0) return 'integerOutOfRange';
          position += 8;
          break;
        }
        case 0xca:
        case 0xcb:
        case 0xcc:
        case 0xcd:
        case 0xce:
        case 0xd0:
        case 0xd1:
        case 0xd2:
          position += sizeBytes;
          break;
        default:
          return 'extensionType';
      }
    }

    if (isKey) {
      if (!isText) return 'keyNotText';
      if (skip === PROTO.length && isProto(bytes, position)) return 'forbiddenKey';
    }
    if (children < 0) {
      // A claim larger than the frame shows here, before anything was allocated for it.
      if (skip > end - position) return 'truncated';
      position += skip;
    } else {
      const count = isMap ? children * 2 : children;
      if (count > end - position) return 'truncated';
      if (depth >= limits.nesting) return 'tooDeep';
      depth++;
      wanted[depth] = count;
      isMapAt[depth] = isMap ? 1 : 0;
    }
    while (wanted[depth] === 0) {
      if (depth === 0) return position === end ? null : 'trailingBytes';
      depth--;
    }
  }
}

/** Bytes that follow the head from 0xc0 on: of a number its content, of anything else its length. Extensions are refused before. */
const SIZE_BYTES = [
  0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
] as const;

/** A big-endian unsigned number of 1, 2 or 4 bytes. */
function readSize(bytes: Uint8Array, position: number, width: number): number {
  let size = 0;
  for (let index = 0; index < width; index++) size = size * 256 + bytes[position + index]!;
  return size;
}

/** `__proto__` as a key could reach the prototype of an object that is merged later; no schema has such a key. */
function isProto(bytes: Uint8Array, position: number): boolean {
  return PROTO.every((byte, index) => bytes[position + index] === byte);
}
