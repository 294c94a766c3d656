/** Finds the artwork that lies beside movies. Reads names, sizes and headers, and writes only what is new. Rules: IMG9, IMG10 of SPEC.md. */
import { localArtwork } from '#engine/media/local-artwork.ts';
import { localVersion } from './renditions.ts';
import type { ArtworkFolderPort, ArtworkThreadsPort, LocalPicture, MovieFolder, PictureStore } from './ports.ts';

export interface LookPorts {
  readonly store: Pick<PictureStore, 'foldersOf' | 'localOf' | 'replaceLocal' | 'noteLooked'>;
  readonly folders: ArtworkFolderPort;
  readonly threads: Pick<ArtworkThreadsPort, 'measure'>;
}

/** In one folder, of one role. */
const MAX_OF_A_ROLE = 20;

/** Looks at the folders of these movies. Movies whose folders cannot be looked at keep what is known. */
export async function lookBeside(ports: LookPorts, movieIds: readonly string[], signal: AbortSignal): Promise<void> {
  const [folders, known] = await Promise.all([ports.store.foldersOf(movieIds), ports.store.localOf(movieIds)]);
  const same: string[] = [];
  for (const movieId of movieIds) {
    signal.throwIfAborted();
    const own = folders.filter((folder) => folder.movieId === movieId);
    const before = known.get(movieId) ?? [];
    const found: LocalPicture[] = [];
    const unseen = new Set<string>();
    for (const folder of own) {
      const pictures = await lookInto(ports, folder, before, found.length);
      if (pictures === null) unseen.add(folder.libraryId);
      else found.push(...pictures);
    }
    // Libraries that no file of it is in any more are seen, too: nothing of theirs is left.
    const seen = new Set([...before, ...own].map(({ libraryId }) => libraryId).filter((id) => !unseen.has(id)));
    const here = found.filter(({ libraryId }) => seen.has(libraryId));
    const there = before.filter(({ libraryId }) => seen.has(libraryId));
    if (fingerprintOf(here) === fingerprintOf(there)) same.push(movieId);
    else await ports.store.replaceLocal(movieId, [...seen], here);
  }
  // Nearly all of a library, nearly always: no transaction for each.
  await ports.store.noteLooked(same);
}

const fingerprintOf = (pictures: readonly LocalPicture[]): string =>
  pictures
    .map(({ role, libraryId, path, version, position }) => JSON.stringify([role, libraryId, path, version, position]))
    .toSorted()
    .join();

async function lookInto(
  { folders, threads }: LookPorts,
  { libraryId, libraryPath, folder, fileNames, isOwn }: MovieFolder,
  before: readonly LocalPicture[],
  firstPosition: number,
): Promise<LocalPicture[] | null> {
  const names = await folders.names(libraryPath, folder);
  if (names === null) return null;
  const found: LocalPicture[] = [];
  const counts = new Map<string, number>();
  // The library's own folder is nobody's, also where one movie is all that lies in it.
  for (const { name, role } of localArtwork(names, { movieNames: fileNames, isOwn: isOwn && folder !== '' })) {
    const count = counts.get(role) ?? 0;
    if (count >= MAX_OF_A_ROLE) continue;
    const path = folder === '' ? name : `${folder}/${name}`;
    const file = await folders.file(libraryPath, path);
    if (file === null) continue;
    const version = localVersion(libraryId, path, file);
    const same = before.find(
      (picture) => picture.role === role && picture.path === path && picture.version === version,
    );
    const size = same?.size ?? (await sizeOf(threads, file.realPath));
    if (size === null) continue;
    counts.set(role, count + 1);
    found.push({ role, libraryId, path, version, size, position: firstPosition + found.length });
  }
  return found;
}

async function sizeOf(threads: LookPorts['threads'], path: string) {
  const outcome = await threads.measure({ kind: 'file', path });
  return outcome.ok ? outcome.size : null;
}
