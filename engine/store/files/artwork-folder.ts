/** Looks at the folders of movies for artwork: names, sizes and times. Opens nothing. */
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { ArtworkFolderPort } from '#engine/images/ports.ts';

/** A folder with more than that is no movie's. */
const MAX_NAMES = 20_000;

export const artworkFolder: ArtworkFolderPort = {
  async names(libraryPath, folder) {
    if (!isInside(folder)) return null;
    try {
      const entries = await readdir(join(libraryPath, folder), { withFileTypes: true });
      return entries
        .slice(0, MAX_NAMES)
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map(({ name }) => name);
    } catch (error) {
      // A folder that went takes its artwork along, as long as the library itself is there.
      if (isGone(error) && folder !== '' && (await isThere(libraryPath))) return [];
      return null;
    }
  },
  async file(libraryPath, path) {
    if (!isInside(path)) return null;
    try {
      const wanted = join(libraryPath, path);
      const [realPath, library, folder] = await Promise.all([
        realpath(wanted),
        realpath(libraryPath),
        realpath(dirname(wanted)),
      ]);
      // A folder of a library may be a link to another disk, and what lies in it belongs to it. A link from within to anywhere else is refused.
      if (!liesIn(realPath, library) && !liesIn(realPath, folder)) return null;
      const stats = await lstat(realPath, { bigint: true });
      if (!stats.isFile()) return null;
      return { realPath, sizeBytes: Number(stats.size), mtimeUs: Number(stats.mtimeNs / 1_000n) };
    } catch {
      return null;
    }
  },
};

/** From the database, and yet: nothing that leads out, and nothing absolute. */
const isInside = (path: string): boolean =>
  !path.includes('\0') && !path.startsWith('/') && path.split('/').every((name) => name !== '..');

const liesIn = (path: string, folder: string): boolean => path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

async function isThere(libraryPath: string): Promise<boolean> {
  try {
    // The empty folder under a mount point is no library.
    return (await readdir(libraryPath)).length > 0;
  } catch {
    return false;
  }
}
