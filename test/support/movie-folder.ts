/** Folders of movies for tests of the whole engine: few clips, many different files. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';

/** A quarter of an hour ago: nobody is writing to such a file any more. */
const SETTLED_MS = 15 * 60_000;

/**
 * Writes a movie that plays like `source` and has other content, so that it counts as another file. It appears whole, under
 * its own name, and looks as if it had been there for a while.
 */
export async function putMovie(path: string, source: string): Promise<void> {
  const bytes = distinct(await readFile(source), extname(source));
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.part`;
  await writeFile(draft, bytes);
  const settled = new Date(Date.now() - SETTLED_MS);
  await utimes(draft, settled, settled);
  await rename(draft, path);
}

/** The same movie with something of its own at the end that players pass over. */
export function distinct(bytes: Buffer, extension: string): Buffer {
  const own = randomBytes(16);
  switch (extension) {
    case '.mp4':
      // A `free` box: ISO/IEC 14496-12, section 8.1.2.
      return Buffer.concat([bytes, Buffer.from([0, 0, 0, 24]), Buffer.from('free'), own]);
    case '.mkv':
    case '.webm':
      // A Void element: RFC 8794, section 11.3.2.
      return Buffer.concat([bytes, Buffer.from([0xec, 0x90]), own]);
    case '.avi':
      // A JUNK chunk.
      return Buffer.concat([bytes, Buffer.from('JUNK'), Buffer.from([16, 0, 0, 0]), own]);
    default:
      throw new Error(`no way is known to make ${extension} files different`);
  }
}

/** `Movie 007 (1957).mp4` and so on: names that belong to as many movies. */
export function movieNames(count: number, extension = '.mp4', from = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(from + index).padStart(3, '0');
    return `Movie ${number} (${1950 + ((from + index) % 70)})${extension}`;
  });
}
