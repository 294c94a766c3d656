/** Where a movie of Radarr's is here. */
import { joinRadarrPath, mapPath, placeIn } from './path-map.ts';
import type { Mapping } from './path-map.ts';
import type { EventFacts, LibraryPort, PlacedMovie } from './ports.ts';
import type { MovieResource } from './replies.ts';

export interface Places {
  readonly mappings: readonly Mapping[];
  readonly libraries: Awaited<ReturnType<LibraryPort['list']>>;
}

export function placeMovie(movie: MovieResource, instance: string, places: Places): PlacedMovie {
  const { path: folder, movieFile } = movie;
  const file =
    movieFile &&
    ((folder !== null && movieFile.relativePath !== null ? joinRadarrPath(folder, movieFile.relativePath) : null) ??
      movieFile.path);
  return {
    instance,
    radarrId: movie.id,
    tmdbId: movie.tmdbId,
    imdbId: movie.imdbId,
    title: movie.title,
    year: movie.year,
    ...pathsHere(folder, file ?? null, places),
    radarrFileId: movieFile?.id ?? null,
    quality: movieFile?.quality?.quality?.name ?? null,
    sizeBytes: movieFile?.size ?? null,
  };
}

/** The same from a message, where Radarr itself can't be asked. `null` where it names no movie. */
export function placeFacts(facts: EventFacts, instance: string, places: Places): PlacedMovie | null {
  if (facts.radarrId === null || facts.tmdbId === null) return null;
  return {
    instance,
    radarrId: facts.radarrId,
    tmdbId: facts.tmdbId,
    imdbId: facts.imdbId,
    title: facts.title,
    year: facts.year,
    ...pathsHere(facts.folderPath, facts.filePath, places),
    radarrFileId: facts.radarrFileId,
    quality: facts.quality,
    sizeBytes: facts.sizeBytes,
  };
}

function pathsHere(
  folder: string | null,
  file: string | null,
  { mappings, libraries }: Places,
): Pick<PlacedMovie, 'folderPath' | 'filePath' | 'libraryId' | 'path'> {
  const folderPath = pathHere(folder, mappings);
  const filePath = pathHere(file, mappings);
  const place = filePath === null ? null : placeIn(filePath, libraries);
  return { folderPath, filePath, libraryId: place?.library.id ?? null, path: place?.path ?? null };
}

function pathHere(path: string | null, mappings: readonly Mapping[]): string | null {
  const mapped = path === null ? null : mapPath(path, mappings);
  return mapped?.kind === 'mapped' ? mapped.path : null;
}

export interface Look {
  /** What to look at, by library. */
  readonly pathsByLibrary: ReadonlyMap<string, readonly string[]>;
  /** The first path that leads nowhere, and why; `null` where there is none. */
  readonly lost: { readonly path: string; readonly why: 'unmapped' | 'outsideLibraries' } | null;
}

/** Which places of our libraries these paths of Radarr's are. */
export function placesToLookAt(paths: readonly string[], { mappings, libraries }: Places): Look {
  const pathsByLibrary = new Map<string, string[]>();
  let lost: Look['lost'] = null;
  for (const path of paths) {
    const mapped = mapPath(path, mappings);
    const place = mapped.kind === 'mapped' ? placeIn(mapped.path, libraries) : null;
    if (place === null) {
      lost ??= { path, why: mapped.kind === 'mapped' ? 'outsideLibraries' : 'unmapped' };
      continue;
    }
    // The library as a whole is not looked at for one movie that lies in it without a folder: its file is named as well.
    if (place.path === '') continue;
    const known = pathsByLibrary.get(place.library.id);
    if (known) known.push(place.path);
    else pathsByLibrary.set(place.library.id, [place.path]);
  }
  return { pathsByLibrary, lost };
}
