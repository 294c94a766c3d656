/** Content hashes of files. Runs in a pool thread, so it reads synchronously: nothing else waits for this event loop. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { createXXHash3 } from 'hash-wasm';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { HashOutcome } from './hash.port.ts';

const PART_BYTES = 64 * 1024;
const CHUNK_BYTES = 1024 * 1024;

const hasher = await createXXHash3();
const sizePrefix = Buffer.alloc(8);
const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/**
 * XXH3-64 of the size (8 bytes, little-endian), the first 64 KiB, the 64 KiB around the middle (from
 * floor((size − 65,536) / 2)) and the last 64 KiB; of the size and the whole content where that is less than 192 KiB.
 */
export function identify(paths: readonly string[]): HashOutcome[] {
  return paths.map((path) =>
    hashFile(path, (file, sizeBytes) => {
      sizePrefix.writeBigUInt64LE(BigInt(sizeBytes));
      hasher.update(sizePrefix);
      if (sizeBytes < 3 * PART_BYTES) return update(file, 0, sizeBytes);
      for (const startBytes of [0, Math.floor((sizeBytes - PART_BYTES) / 2), sizeBytes - PART_BYTES]) {
        update(file, startBytes, PART_BYTES);
      }
    }),
  );
}

/** XXH3-64 of every byte. Cancelled by ending the thread. */
export function whole(path: string): HashOutcome {
  return hashFile(path, (file, sizeBytes) => update(file, 0, sizeBytes));
}

function hashFile(path: string, feed: (file: number, sizeBytes: number) => void): HashOutcome {
  let file: number | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file);
    if (!stats.isFile()) return { failure: 'notAFile' };
    hasher.init();
    feed(file, stats.size);
    return { hash: hasher.digest() };
  } catch (error) {
    return { failure: failureOf(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function update(file: number, startBytes: number, lengthBytes: number): void {
  for (let doneBytes = 0; doneBytes < lengthBytes;) {
    const wantedBytes = Math.min(CHUNK_BYTES, lengthBytes - doneBytes);
    const readBytes = readSync(file, buffer, 0, wantedBytes, startBytes + doneBytes);
    if (readBytes === 0) throw new ShrunkError();
    hasher.update(buffer.subarray(0, readBytes));
    doneBytes += readBytes;
  }
}

/** The file became shorter while it was read: a hash of the rest would stand for no state that the file ever had. */
class ShrunkError extends Error {}

const FAILURES: Readonly<Record<string, MediaFailure>> = {
  ENOENT: 'notFound',
  ENOTDIR: 'notFound',
  ELOOP: 'notFound',
  ENXIO: 'notAFile',
};

function failureOf(error: unknown): MediaFailure {
  if (error instanceof ShrunkError) return 'truncated';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // Whatever else the system says (EACCES, EIO, ESTALE …) comes down to bytes that cannot be had.
  return FAILURES[code] ?? (code.startsWith('E') ? 'notReadable' : 'internal');
}
