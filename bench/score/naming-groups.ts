/** Files that lie together as movies with versions, parts and extras: rules MATCH1 to MATCH3 of engine/library/SPEC.md in memory. */
import { VIDEO_EXTENSIONS, movieNameOf } from '#engine/media/file-name.ts';
import type { MovieName, NameOptions } from '#engine/media/file-name.ts';
import { keyOf } from '#engine/media/naming/words.ts';

export interface FileGroup {
  readonly title: string;
  /** One entry for each version; several files where it is cut into parts. */
  readonly versions: readonly { readonly files: readonly string[] }[];
  /** Kinds of its extras. */
  readonly extras: readonly string[];
}

interface Read {
  readonly path: string;
  readonly name: MovieName;
  readonly folder: string;
}

export function groupFiles(paths: readonly string[], options: NameOptions): FileGroup[] {
  const read = paths
    .filter((path) => VIDEO_EXTENSIONS.includes(path.slice(path.lastIndexOf('.') + 1).toLowerCase()))
    .map((path): Read => ({
      path,
      name: movieNameOf(path, options),
      folder: path.slice(0, Math.max(0, path.lastIndexOf('/'))),
    }));
  const groups = new Map<string, Read[]>();
  /** `null`: several movies of that name lie there, so a name without a year is none of them. */
  const keyByFolder = new Map<string, string | null>();
  const inOrder = read.toSorted((a, b) => Number(a.name.year === null) - Number(b.name.year === null));
  for (const file of inOrder) {
    const { name, folder } = file;
    const local = `${keyOf(name.title)} in ${folder}`;
    const key =
      name.tmdbId !== null
        ? `tmdb ${name.tmdbId}`
        : name.year !== null
          ? `${keyOf(name.title)} ${name.year}`
          : (keyByFolder.get(local) ?? local);
    const known = keyByFolder.get(local);
    keyByFolder.set(local, known === undefined || known === key ? key : null);
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()].map((files) => ({
    title: files[0]!.name.title,
    versions: versionsOf(files.filter(({ name }) => name.extra === null)),
    extras: files.filter(({ name }) => name.extra !== null).map(({ name }) => name.extra!),
  }));
}

/** Parts belong together where they say the same of everything else. */
function versionsOf(files: readonly Read[]): { files: string[] }[] {
  const versions = new Map<string, string[]>();
  for (const { path, name, folder } of files) {
    const { resolution, editions, sources, packing3d } = name.release;
    const key =
      name.part === null
        ? path
        : JSON.stringify([name.part === null ? folder : '', resolution, editions, sources, packing3d]);
    versions.set(key, [...(versions.get(key) ?? []), path]);
  }
  return [...versions.values()].map((parts) => ({ files: parts }));
}
