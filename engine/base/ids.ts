import type { Clock } from './clock.ts';

/**
 * Makes UUIDs of version 7 (RFC 9562, section 5.7): they sort by the time they were made, so the newest rows of an
 * index lie together. Lowercase, with dashes.
 *
 * Inside one millisecond, and when the clock goes back, a 26-bit counter keeps the order (section 6.2, method 1). It
 * starts at a random value below 2^25 in each millisecond, so at least 33 million ids fit before the timestamp has to
 * run ahead of the clock. 48 random bits remain, which keeps two processes apart.
 *
 *     48 bits Unix time in ms │ 4 version │ 12 counter high │ 2 variant │ 14 counter low │ 48 random
 */
export function createUuidFactory(clock: Pick<Clock, 'nowMs'>): () => string {
  const random = randomWords();
  let lastMs = -1;
  let counter = 0;
  return () => {
    const nowMs = Math.trunc(clock.nowMs());
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = random() >>> 7;
    } else if (++counter >= 2 ** 26) {
      lastMs++;
      counter = random() >>> 7;
    }
    const time = hex(lastMs, 12);
    const high = hex(0x7000 | (counter >>> 14), 4);
    const low = hex(0x8000 | (counter & 0x3fff), 4);
    return `${time.slice(0, 8)}-${time.slice(8)}-${high}-${low}-${hex(random(), 8)}${hex(random() >>> 16, 4)}`;
  };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** 32-bit words from the system's generator, fetched 256 at a time: one call for each word costs ten times as much. */
function randomWords(): () => number {
  const words = new Uint32Array(256);
  let next = words.length;
  return () => {
    if (next === words.length) {
      crypto.getRandomValues(words);
      next = 0;
    }
    return words[next++]!;
  };
}
