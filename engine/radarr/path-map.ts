/**
 * Radarr's paths and ours. Radarr often runs in another container, or under Windows, and sees the same folder by another
 * name. What cannot be said for certain is refused: a path that climbs, is not whole, or is of another system and has no mapping.
 */

export interface Mapping {
  readonly from: string;
  readonly to: string;
}

export type MappedPath =
  | { readonly kind: 'mapped'; readonly path: string }
  /** Of Windows, and no mapping says where that is. */
  | { readonly kind: 'unmapped' }
  /** Not a whole path, or one that climbs. */
  | { readonly kind: 'refused' };

interface WholePath {
  /** `/`, `c:` or `\\server\share`, comparable. */
  readonly root: string;
  readonly isWindows: boolean;
  readonly names: readonly string[];
}

const WINDOWS_DRIVE = /^([A-Za-z]):(?=[\\/]|$)/;
const WINDOWS_SHARE = /^\\\\([^\\/]+)[\\/]([^\\/]+)/;
/** The database takes paths of this length; the kernel none that are longer. */
const MAX_LENGTH = 4_096;

function parsePath(text: string): WholePath | null {
  if (text.length > MAX_LENGTH || text.includes('\0')) return null;
  const drive = WINDOWS_DRIVE.exec(text);
  const share = drive ? null : WINDOWS_SHARE.exec(text);
  const windows = drive ?? share;
  if (!windows && !text.startsWith('/')) return null;
  const root = drive ? `${drive[1]!.toLowerCase()}:` : share ? share[0].replaceAll('/', '\\').toLowerCase() : '/';
  // On a system of ours a backslash is a letter like any other.
  const names = (windows ? text.slice(windows[0].length).split(/[\\/]/) : text.split('/')).filter(
    (name) => name !== '',
  );
  return names.some((name) => name === '..' || name === '.') ? null : { root, isWindows: windows !== null, names };
}

const isSameName = (a: string, b: string, isWindows: boolean): boolean =>
  a === b || (isWindows && a.toLowerCase() === b.toLowerCase());

/** Names of `path` below `folder`; `null` where it does not lie there. */
function namesBelow(path: WholePath, folder: WholePath): readonly string[] | null {
  if (path.root !== folder.root || path.names.length < folder.names.length) return null;
  const isInside = folder.names.every((name, index) => isSameName(name, path.names[index]!, path.isWindows));
  return isInside ? path.names.slice(folder.names.length) : null;
}

const join = (names: readonly string[]): string => `/${names.join('/')}`;

/** Where Radarr's path is here: by the mapping with the longest fitting `from`. A path of a system like ours that no mapping speaks of is the same here. */
export function mapPath(text: string, mappings: readonly Mapping[]): MappedPath {
  const path = parsePath(text);
  if (path === null) return { kind: 'refused' };
  let best: { readonly length: number; readonly names: readonly string[] } | null = null;
  for (const mapping of mappings) {
    const from = parsePath(mapping.from);
    const to = parsePath(mapping.to);
    const below = from && to && namesBelow(path, from);
    if (!below || (best && best.length >= from.names.length)) continue;
    best = { length: from.names.length, names: [...to.names, ...below] };
  }
  if (best) return { kind: 'mapped', path: join(best.names) };
  return path.isWindows ? { kind: 'unmapped' } : { kind: 'mapped', path: join(path.names) };
}

/** A file of a movie as Radarr names it: its folder and the path within. `null` where that climbs. */
export function joinRadarrPath(folder: string, relative: string): string | null {
  const parsed = parsePath(folder);
  if (parsed === null || relative === '') return null;
  const names = relative.split(parsed.isWindows ? /[\\/]/ : '/');
  if (names.some((name) => name === '..' || name === '.' || name.includes('\0'))) return null;
  const separator = parsed.isWindows && !folder.includes('/') ? '\\' : '/';
  return `${folder.replace(parsed.isWindows ? /[\\/]+$/ : /\/+$/, '')}${separator}${names.filter((name) => name !== '').join(separator)}`;
}

/** What is wrong with a mapping that a person typed; `null` where nothing is. */
export function mappingProblem(mapping: Mapping, earlier: readonly Mapping[]): 'from' | 'to' | 'twice' | null {
  const from = parsePath(mapping.from);
  const to = parsePath(mapping.to);
  if (from === null) return 'from';
  if (to === null || to.isWindows) return 'to';
  const isTwice = earlier.some((other) => {
    const known = parsePath(other.from);
    return known !== null && known.names.length === from.names.length && namesBelow(known, from) !== null;
  });
  return isTwice ? 'twice' : null;
}

/** The library that a path of ours lies in, with the path within: the innermost one. `null` where it lies in none. */
export function placeIn<L extends { readonly path: string }>(
  path: string,
  libraries: readonly L[],
): { readonly library: L; readonly path: string } | null {
  let best: L | null = null;
  for (const library of libraries) {
    if (isAtOrBelow(path, library.path) && library.path.length > (best?.path.length ?? -1)) best = library;
  }
  return best && { library: best, path: path.slice(best.path === '/' ? 1 : best.path.length + 1) };
}

export const isAtOrBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/**
 * The mapping that would bring a folder of Radarr's here: for each movie folder below it, folders of ours that end in the same
 * names say where it could be, and the place that most of them say wins. `null` where no two agree, unless there is only one to ask.
 */
export function proposeMapping(
  root: string,
  radarrFolders: readonly string[],
  ourFolders: readonly string[],
): Mapping | null {
  const parsedRoot = parsePath(root);
  if (parsedRoot === null) return null;
  const oursByName = Map.groupBy(ourFolders, (folder) => folder.slice(folder.lastIndexOf('/') + 1).normalize());
  const votes = new Map<string, number>();
  let asked = 0;
  for (const folder of new Set(radarrFolders)) {
    const parsed = parsePath(folder);
    const below = parsed && namesBelow(parsed, parsedRoot);
    if (!below || below.length === 0) continue;
    const tail = join(below);
    const places = new Set(
      (oursByName.get(below.at(-1)!.normalize()) ?? []).flatMap((ours) =>
        ours.normalize().endsWith(tail.normalize()) ? [ours.slice(0, -tail.length) || '/'] : [],
      ),
    );
    if (places.size > 0) asked++;
    for (const place of places) votes.set(place, (votes.get(place) ?? 0) + 1);
  }
  const [best, second] = [...votes].toSorted((a, b) => b[1] - a[1]);
  if (!best || best[1] === second?.[1] || (best[1] < 2 && asked > 1)) return null;
  return best[0] === root ? null : { from: root, to: best[0] };
}
