/**
 * A movie's keyframe times in few bytes, as they are stored with its file.
 *
 * Ten thousand keyframes of a long movie are 80 kB as numbers and about 30 kB here: microseconds from the start of the
 * file (`MediaInfo.startMs` is time 0), each as the difference from the one before, each difference as unsigned LEB128
 * (7 bits a byte, low bits first, high bit set where another byte follows).
 */

/** More keyframes than the longest movie has when every picture is one: 12 hours at 120 a second. */
const MAX_KEYFRAMES = 12 * 3600 * 120;
/** 2^53 needs eight groups of seven bits. */
const MAX_BYTES_PER_TIME = 8;

/**
 * Packs keyframe times in µs from the start of the file. Order and repeats do not matter; a fraction is rounded. A time before
 * the start (an edit list that begins inside a GOP) becomes 0: whoever plays from there decodes from the beginning
 * anyway. Throws `RangeError` for what is no time or for more times than a movie can have.
 */
export function encodeKeyframes(timesUs: ArrayLike<number>): Uint8Array {
  if (timesUs.length > MAX_KEYFRAMES) throw new RangeError(`${timesUs.length} keyframes are more than a movie has`);
  const sorted = Float64Array.from(timesUs, (timeUs) => Math.max(0, Math.round(timeUs))).toSorted();
  const bytes = new Uint8Array(sorted.length * MAX_BYTES_PER_TIME);
  let size = 0;
  let lastUs = -1;
  for (const timeUs of sorted) {
    if (!Number.isSafeInteger(timeUs)) throw new RangeError(`${timeUs} µs is no time of a keyframe`);
    if (timeUs === lastUs) continue;
    let delta = timeUs - Math.max(0, lastUs);
    while (delta >= 0x80) {
      bytes[size++] = (delta % 0x80) | 0x80;
      delta = Math.floor(delta / 0x80);
    }
    bytes[size++] = delta;
    lastUs = timeUs;
  }
  return bytes.slice(0, size);
}

/** Unpacks `encodeKeyframes`: strictly increasing µs from the start of the file. Throws `RangeError` where the bytes are none of ours. */
export function decodeKeyframes(bytes: Uint8Array): Float64Array {
  const timesUs = new Float64Array(bytes.length);
  let count = 0;
  let delta = 0;
  let weight = 1;
  let timeUs = 0;
  for (const byte of bytes) {
    delta += (byte & 0x7f) * weight;
    if (byte >= 0x80) {
      weight *= 0x80;
      if (weight > Number.MAX_SAFE_INTEGER) throw new RangeError('a keyframe time has too many bytes');
      continue;
    }
    if (count > 0 && delta === 0) throw new RangeError('a keyframe time is stored twice');
    timeUs += delta;
    if (!Number.isSafeInteger(timeUs)) throw new RangeError('a keyframe time is too large');
    timesUs[count++] = timeUs;
    delta = 0;
    weight = 1;
  }
  if (weight !== 1) throw new RangeError('the last keyframe time is cut off');
  return timesUs.slice(0, count);
}
