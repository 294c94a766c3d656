import { movieNameOf } from '#engine/media/file-name.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { LibraryStore } from './ports.ts';
import { toProbed } from './scan.ts';
import type { ScanPorts } from './scan.ts';

/**
 * Probes one file again while somebody waits, also one that was quarantined. `null` where there is no such file. Rejects
 * with what the media hosts reject with, or with the signal's reason.
 */
export async function retryFile(
  { walker, hashes, media, store, libraries, log }: ScanPorts & { readonly libraries: Pick<LibraryStore, 'file'> },
  fileId: string,
  signal: AbortSignal,
): Promise<{ isPlayable: boolean; failure: MediaFailure | null } | null> {
  const row = await libraries.file(fileId);
  if (!row) return null;
  const path = `${row.libraryPath}/${row.path}`;
  const [file] = await walker.stat(row.libraryPath, [row.path]);
  // A disk that is away marks nothing here either: the next scan decides.
  if (!file) return { isPlayable: false, failure: 'notFound' };
  await media.release(path);
  const [identity] = await hashes.identify([path], signal);
  const contentHash = identity && 'hash' in identity ? identity.hash : null;
  const probe =
    identity && 'failure' in identity
      ? ({ ok: false, failure: identity.failure } as const)
      : await media.probe(path, { priority: 'interactive', signal });
  const outcome = probe.ok ? toProbed(probe, log) : { failure: probe.failure };
  const refused = await store.write(row.libraryId, [
    { kind: 'probed', fileId, file, name: movieNameOf(row.path), contentHash, outcome },
  ]);
  if (refused.length > 0) return { isPlayable: false, failure: 'internal' };
  return { isPlayable: probe.ok, failure: probe.ok ? null : probe.failure };
}
