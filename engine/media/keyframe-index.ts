/**
 * A movie's keyframe times in few bytes, as they are stored with its file.
 *
 * Ten thousand keyframes of a long movie are 80 kB as numbers and about 30 kB here: microseconds from the start of the
 * file (`MediaInfo.startMs` is time 0), each as the difference from the one before, each difference as unsigned LEB128
 * (7 bits a byte, low bits first, high bit set where another byte follows).
 *
 * Where it is known how many bytes lie between one keyframe and the next, a mark and the number of keyframes stand before the times, and
 * the sizes behind them, in the same spelling. The mark is a spelling of zero that no list of times begins with.
 */

/** More keyframes than the longest movie has when every picture is one: 12 hours at 120 a second. */
const MAX_KEYFRAMES = 12 * 3600 * 120;
/** 2^53 needs eight groups of seven bits. */
const MAX_BYTES_PER_TIME = 8;
const SIZES_MARK = [0x80, 0x00] as const;

/**
 * Packs keyframe times in µs from the start of the file. Order and repeats do not matter; a fraction is rounded. A time before
 * the start (an edit list that begins inside a GOP) becomes 0: whoever plays from there decodes from the beginning
 * anyway. `bytes`: from each of these keyframes to the next, in the same order; absent where that is not known. Throws `RangeError` for
 * what is no time or no size, and for more of them than a movie can have.
 */
export function encodeKeyframes(timesUs: ArrayLike<number>, bytes: ArrayLike<number> | null = null): Uint8Array {
  if (timesUs.length > MAX_KEYFRAMES) throw new RangeError(`${timesUs.length} keyframes are more than a movie has`);
  const sizeOf = bytes !== null && bytes.length === timesUs.length ? bytes : null;
  const entries = Array.from(timesUs, (timeUs, index) => ({
    timeUs: Math.max(0, Math.round(timeUs)),
    bytes: sizeOf?.[index] ?? 0,
  })).toSorted((a, b) => a.timeUs - b.timeUs);
  const times: number[] = [];
  const sizes: number[] = [];
  for (const entry of entries) {
    if (!Number.isSafeInteger(entry.timeUs)) throw new RangeError(`${entry.timeUs} µs is no time of a keyframe`);
    if (!Number.isSafeInteger(entry.bytes) || entry.bytes < 0) throw new RangeError(`${entry.bytes} bytes are no size`);
    // Several at one time are one, with all that follows them.
    if (entry.timeUs === times.at(-1)) sizes[sizes.length - 1]! += entry.bytes;
    else {
      times.push(entry.timeUs);
      sizes.push(entry.bytes);
    }
  }
  const writer = new NumberWriter(times.length * (sizeOf === null ? 1 : 2) + 2);
  if (sizeOf !== null) {
    writer.mark();
    writer.write(times.length);
  }
  for (const [index, timeUs] of times.entries()) writer.write(timeUs - (times[index - 1] ?? 0));
  if (sizeOf !== null) for (const size of sizes) writer.write(size);
  return writer.bytes();
}

/** Unpacks `encodeKeyframes`: strictly increasing µs from the start of the file. Throws `RangeError` where the bytes are none of ours. */
export function decodeKeyframes(bytes: Uint8Array): Float64Array {
  const numbers = readNumbers(bytes);
  const deltas = hasSizes(bytes) ? timesAmong(numbers) : numbers;
  const timesUs = new Float64Array(deltas.length);
  let timeUs = 0;
  for (const [index, delta] of deltas.entries()) {
    if (index > 0 && delta === 0) throw new RangeError('a keyframe time is stored twice');
    timeUs += delta;
    if (!Number.isSafeInteger(timeUs)) throw new RangeError('a keyframe time is too large');
    timesUs[index] = timeUs;
  }
  return timesUs;
}

/** Bytes from each keyframe to the next, in the order of `decodeKeyframes`; `null` where they were not stored. Throws as that does. */
export function decodeKeyframeBytes(bytes: Uint8Array): Float64Array | null {
  if (!hasSizes(bytes)) return null;
  const numbers = readNumbers(bytes);
  return numbers.slice(1 + timesAmong(numbers).length);
}

const hasSizes = (bytes: Uint8Array): boolean => SIZES_MARK.every((byte, index) => bytes[index] === byte);

/** The count stands first. Whatever comes behind the mark must be as many sizes as times. */
function timesAmong(numbers: Float64Array): Float64Array {
  const count = numbers[0] ?? -1;
  if (numbers.length !== 1 + 2 * count) throw new RangeError('the sizes of keyframes are not as many as their times');
  return numbers.subarray(1, 1 + count);
}

class NumberWriter {
  readonly #bytes: Uint8Array;
  #size = 0;

  constructor(numbers: number) {
    this.#bytes = new Uint8Array(numbers * MAX_BYTES_PER_TIME);
  }

  mark(): void {
    for (const byte of SIZES_MARK) this.#bytes[this.#size++] = byte;
  }

  write(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#size++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#size++] = rest;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }
}

function readNumbers(bytes: Uint8Array): Float64Array {
  const from = hasSizes(bytes) ? SIZES_MARK.length : 0;
  const numbers = new Float64Array(bytes.length);
  let count = 0;
  let value = 0;
  let weight = 1;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * weight;
    if (byte >= 0x80) {
      weight *= 0x80;
      if (weight > Number.MAX_SAFE_INTEGER) throw new RangeError('a keyframe time has too many bytes');
      continue;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('a keyframe time is too large');
    numbers[count++] = value;
    value = 0;
    weight = 1;
  }
  if (weight !== 1) throw new RangeError('the last keyframe time is cut off');
  return numbers.slice(0, count);
}
