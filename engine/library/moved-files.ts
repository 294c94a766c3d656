/**
 * Finds out which new files are known ones under another path [SCAN3]. Owns: the rows that were found again in this scan, so
 * that two copies of one file do not both become it.
 */
import type { KnownFile, ScanStore, SeenFile, TreeWalkPort } from './ports.ts';

export interface NewFile {
  readonly file: SeenFile;
  readonly hash: string;
}

type Row = KnownFile & { readonly libraryPath: string };

export class MovedFiles {
  readonly #store: Pick<ScanStore, 'filesByHash'>;
  readonly #walker: Pick<TreeWalkPort, 'stat'>;
  readonly #libraryId: string;
  readonly #claimedIds = new Set<string>();

  constructor(store: Pick<ScanStore, 'filesByHash'>, walker: Pick<TreeWalkPort, 'stat'>, libraryId: string) {
    this.#store = store;
    this.#walker = walker;
    this.#libraryId = libraryId;
  }

  /** The row of each file that is a known one and no longer where it was. A file whose content is still there too is a copy. */
  async find<T extends NewFile>(files: readonly T[]): Promise<Map<T, KnownFile>> {
    const moves = new Map<T, KnownFile>();
    if (files.length === 0) return moves;
    const rows = await this.#store.filesByHash([...new Set(files.map(({ hash }) => hash))]);
    if (rows.length === 0) return moves;
    const present = await this.#presentNow(rows);
    for (const one of files) {
      const [row] = rows
        .filter((candidate) => candidate.contentHash === one.hash && candidate.sizeBytes === one.file.sizeBytes)
        .filter((candidate) => !this.#claimedIds.has(candidate.id) && hasLeft(candidate, one.file, present))
        .toSorted((a, b) => this.#likeness(b, one.file) - this.#likeness(a, one.file));
      if (!row) continue;
      this.#claimedIds.add(row.id);
      moves.set(one, row);
    }
    return moves;
  }

  /** What is at the rows' paths now, by row; rows of which nobody can tell are absent. */
  async #presentNow(rows: readonly Row[]): Promise<Map<string, SeenFile | null>> {
    const present = new Map<string, SeenFile | null>();
    for (const [root, members] of Map.groupBy(rows, ({ libraryPath }) => libraryPath)) {
      try {
        const paths = members.map(({ path }) => path);
        const files = await this.#walker.stat(root, paths);
        members.forEach((row, index) => present.set(row.id, files[index] ?? null));
      } catch {
        // A disk that does not answer: its files have not left for all we know.
      }
    }
    return present;
  }

  /** The same disk entry before the same library before the same name. */
  #likeness(row: KnownFile, file: SeenFile): number {
    const isSameEntry = row.inode === file.inode;
    return (
      (isSameEntry ? 4 : 0) +
      (row.libraryId === this.#libraryId ? 2 : 0) +
      (nameOf(row.path) === nameOf(file.path) ? 1 : 0)
    );
  }
}

/** Whether the content that a row stands for is no longer at its path: nothing is, or its disk entry now goes by the new name. */
function hasLeft(row: KnownFile, file: SeenFile, present: ReadonlyMap<string, SeenFile | null>): boolean {
  if (row.state === 'missing') return true;
  const now = present.get(row.id);
  return now === null || (now !== undefined && now.inode !== row.inode && file.inode === row.inode);
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
