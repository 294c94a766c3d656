/** Movies that are cut into several files: which files are one set, and where in the movie each of them lies. */

/** A playable file that is no extra. */
export interface CutFile {
  readonly id: string;
  /** Absolute, or from any folder that all of them have in common; "/" between names. */
  readonly path: string;
  readonly edition: string | null;
  /** Number among the files that the movie is cut into; `null` for a whole movie. */
  readonly part: number | null;
  /** Width times height of the picture; 0 where there is none. */
  readonly pixels: number;
  /** `null` where nobody knows it: such a part takes no time in the movie. */
  readonly durationMs: number | null;
}

export interface Part<File> {
  readonly file: File;
  /** As its name says. */
  readonly number: number;
  /** Where in the movie it begins. */
  readonly offsetMs: number;
  readonly durationMs: number;
}

/**
 * The set that a file belongs to, in the order of its parts; empty for a file that is a whole movie. All parts bear the same
 * edition. Of several files with one number that one is taken which lies nearest to the file, then that whose picture is most
 * like its own. A part that is not there takes no time.
 */
export function planParts<File extends CutFile>(file: File, files: readonly File[]): Part<File>[] {
  if (file.part === null) return [];
  const byNumber = new Map<number, File>([[file.part, file]]);
  for (const other of files) {
    if (other.part === null || other.part === file.part || other.edition !== file.edition) continue;
    const known = byNumber.get(other.part);
    if (known === undefined || compareFit(file, other, known) < 0) byNumber.set(other.part, other);
  }
  let offsetMs = 0;
  return [...byNumber]
    .toSorted(([a], [b]) => a - b)
    .map(([number, one]) => {
      const durationMs = one.durationMs ?? 0;
      const part = { file: one, number, offsetMs, durationMs };
      offsetMs += durationMs;
      return part;
    });
}

/** Length of the whole movie as far as its parts are there. */
export function partsDurationMs(parts: readonly Part<unknown>[]): number {
  const last = parts.at(-1);
  return last === undefined ? 0 : last.offsetMs + last.durationMs;
}

/** The part in which a position of the movie lies; beyond the end the last one. */
export function partAt<File>(parts: readonly Part<File>[], positionMs: number): Part<File> | null {
  return parts.findLast(({ offsetMs, durationMs }) => durationMs > 0 && offsetMs <= positionMs) ?? parts[0] ?? null;
}

function compareFit(file: CutFile, a: CutFile, b: CutFile): number {
  return (
    sharedFolders(file.path, b.path) - sharedFolders(file.path, a.path) ||
    Math.abs(a.pixels - file.pixels) - Math.abs(b.pixels - file.pixels) ||
    (a.id < b.id ? -1 : 1)
  );
}

/** How many folders two paths have in common, from the top. */
function sharedFolders(a: string, b: string): number {
  const [one, two] = [a.split('/').slice(0, -1), b.split('/').slice(0, -1)];
  const different = one.findIndex((name, at) => name !== two[at]);
  return different === -1 ? one.length : different;
}
