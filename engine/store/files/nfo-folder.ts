/**
 * NFO files on disk: read beside movies, written to the data folder, and beside movies only where the owner lets it.
 *
 * - [NFOF1] Only a regular file of at most 1 MB that lies in its library, or in the folder of its movie, is read, whatever links say.
 * - [NFOF2] `movie.nfo` is read only where the folder holds no other movie.
 * - [NFOF3] A file is written as a whole or not at all, and one that is not ours is never replaced.
 */
import { randomBytes } from 'node:crypto';
import { constants, link, mkdir, open, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { MovieFilePlace, NfoPort } from '#engine/metadata/ports.ts';

const MAX_BYTES = 1_000_000;

/** `folder`: where NFO files of all movies go, each in a folder named by the movie's id. `isOwn`: whether the text of a file says that it is ours. */
export function createNfoFolder(folder: string, isOwn: (text: string) => boolean): NfoPort {
  return {
    async read(file) {
      const names = [`${stemOf(file.path)}.nfo`, ...(file.isAloneInFolder ? ['movie.nfo'] : [])];
      for (const name of names) {
        const bytes = await readInside(file, name);
        if (bytes !== null) return bytes;
      }
      return null;
    },
    async write(place, text) {
      const name = `${stemOf(place.file.path)}.nfo`;
      const target =
        place.kind === 'beside'
          ? join(place.file.libraryPath, dirname(place.file.path), name)
          : join(folder, place.movieId, name);
      try {
        if (place.kind === 'dataFolder') await mkdir(dirname(target), { recursive: true });
        else if (!isInside(place.file.path)) return { kind: 'failed', path: target };
        return { kind: await writeWhole(target, text, isOwn), path: target };
      } catch {
        return { kind: 'failed', path: target };
      }
    },
  };
}

/** Its name without folder and ending. */
function stemOf(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/** From the database, and yet: nothing that leads out, and nothing absolute. */
const isInside = (path: string): boolean =>
  !path.includes('\0') && !path.startsWith('/') && path.split('/').every((name) => name !== '..');

async function readInside(file: MovieFilePlace, name: string): Promise<Uint8Array | null> {
  if (!isInside(file.path)) return null;
  try {
    const wanted = join(file.libraryPath, dirname(file.path), name);
    const [path, library, parent] = await Promise.all([
      realpath(wanted),
      realpath(file.libraryPath),
      realpath(dirname(wanted)),
    ]);
    if (!path.startsWith(withEnd(library)) && !path.startsWith(withEnd(parent))) return null;
    // Without waiting, for a pipe would never open; without following, for the last name may have become a link since.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > MAX_BYTES) return null;
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > MAX_BYTES) return null;
    }
    return buffer.subarray(0, length);
  } catch {
    return null;
  }
}

const withEnd = (folder: string): string => (folder.endsWith(sep) ? folder : folder + sep);

async function writeWhole(
  target: string,
  text: string,
  isOwn: (text: string) => boolean,
): Promise<'written' | 'foreign' | 'failed'> {
  const known = await whoseIs(target, isOwn);
  if (known === 'foreign') return 'foreign';
  const draft = join(dirname(target), `.${randomBytes(6).toString('hex')}.nfo.tmp`);
  try {
    await writeFile(draft, text, { flag: 'wx', flush: true });
    if (known === 'own') await rename(draft, target);
    else await giveName(draft, target);
    return 'written';
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'foreign';
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Gives a draft its name unless somebody else's file has it by now. */
async function giveName(draft: string, target: string): Promise<void> {
  try {
    await link(draft, target);
  } catch (error) {
    // Some network disks have no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error;
    await rename(draft, target);
  }
}

async function whoseIs(path: string, isOwn: (text: string) => boolean): Promise<'nobody' | 'own' | 'foreign'> {
  try {
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (!(await handle.stat()).isFile()) return 'foreign';
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4_096), 0, 4_096, 0);
    return isOwn(buffer.subarray(0, bytesRead).toString('utf8')) ? 'own' : 'foreign';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'nobody' : 'foreign';
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
