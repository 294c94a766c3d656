import { movieNameOf } from '#engine/media/file-name.ts';
import type { FileWrite, KnownFile, LibraryStore, ScanStore } from './ports.ts';

/** A file that the media hosts leave alone; the type matches theirs by shape. */
export interface QuarantinedFile {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Modification time, whole milliseconds since 1970. */
  readonly modifiedMs: number;
}

export interface QuarantinedFilesPorts {
  readonly store: Pick<ScanStore, 'filesAt' | 'write'>;
  readonly libraries: Pick<LibraryStore, 'list'>;
}

/**
 * Shows files as unplayable that were quarantined by other work than a probe: while they were played, or a picture of them
 * was made [SCAN15]. A row that is about another version of its file, or says so already, stays as it is.
 */
export async function showQuarantined(
  { store, libraries }: QuarantinedFilesPorts,
  files: readonly QuarantinedFile[],
): Promise<void> {
  if (files.length === 0) return;
  for (const { id, path: root } of await libraries.list()) {
    const prefix = root.endsWith('/') ? root : `${root}/`;
    const byPath = new Map(
      files.filter(({ path }) => path.startsWith(prefix)).map((file) => [file.path.slice(prefix.length), file]),
    );
    if (byPath.size === 0) continue;
    const known = await store.filesAt(id, [...byPath.keys()]);
    const writes = [...known.values()]
      .filter((row) => row.state === 'playable' && isSameVersion(row, byPath.get(row.path)))
      .map((row): FileWrite => ({
        kind: 'probed',
        fileId: row.id,
        file: row,
        name: movieNameOf(row.path),
        contentHash: row.contentHash,
        outcome: { failure: 'quarantined' },
      }));
    if (writes.length > 0) await store.write(id, writes);
  }
}

/** The two times are rounded in different ways. */
const isSameVersion = (row: KnownFile, file: QuarantinedFile | undefined): boolean =>
  file !== undefined && file.sizeBytes === row.sizeBytes && Math.abs(file.modifiedMs - row.mtimeUs / 1_000) <= 1;
