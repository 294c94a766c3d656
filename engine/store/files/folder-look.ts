/**
 * Looking at folders for the person who chooses one: reads names and permissions, never writes. What is wrong is named
 * exactly, with the place, its owner, group and mode, and the user that the server runs as: most people whose library
 * stays empty have a permission problem that nobody told them of.
 */
import type { Stats } from 'node:fs';
import { lstat, opendir, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { FolderPort } from '#engine/library/ports.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';
import { isHidden } from './tree-walk.ts';

export interface FolderLookOptions {
  readonly dataFolder: string;
  /** Lower case, without the dot. */
  readonly extensions: readonly string[];
}

const MAX_FOLDERS = 1_000;
/** A look for movies stops here: the person waits for it. */
const LOOK_ENTRIES = 5_000;
const LOOK_MS = 1_000;
/** Where people and NAS boxes keep movies. */
const USUAL_PLACES = [
  '/media',
  '/mnt',
  '/srv',
  '/data',
  '/movies',
  '/films',
  '/videos',
  '/volume1',
  '/volume2',
  '/share',
  '/storage',
  '/home',
];

type Problem = FolderCheck['problem'];

export class FolderLook implements FolderPort {
  readonly #options: FolderLookOptions;

  constructor(options: FolderLookOptions) {
    this.#options = options;
  }

  async check(path: string, libraries: readonly string[]): Promise<FolderCheck> {
    const asked = fromHome(path);
    const clean = isAbsolute(asked) ? withoutTrailingSlash(normalize(asked)) : path;
    const answer = async (problem: Problem, at: string | null): Promise<FolderCheck> => ({
      path: clean,
      problem,
      at: at === null ? null : await describe(at),
      runsAs: runsAs(),
      videoFiles: 0,
      isMore: false,
    });
    if (!isAbsolute(asked)) return answer('notFound', null);
    const stop = await whereItStops(clean);
    if (stop) return answer(stop.problem, stop.at);
    const real = await realpath(clean);
    const data = await realpath(this.#options.dataFolder).catch(() => this.#options.dataFolder);
    if (isInside(real, data)) return answer('insideDataFolder', null);
    for (const library of libraries) {
      const realLibrary = await realpath(library).catch(() => library);
      if (real === realLibrary) return answer('alreadyALibrary', null);
      if (isInside(real, realLibrary) || isInside(realLibrary, real)) return answer('insideALibrary', null);
    }
    return { ...(await answer(null, null)), ...(await this.#countMovies(clean)) };
  }

  async browse(wanted: string | null): ReturnType<FolderPort['browse']> {
    const path = wanted === null ? null : fromHome(wanted);
    if (path === null) {
      const places = await Promise.all([homePlace(), ...USUAL_PLACES].map((place) => this.#folder(place, place)));
      const known = new Set<string>();
      const folders = places.filter(
        (folder) => folder !== null && !known.has(folder.path) && known.add(folder.path),
      ) as Folder[];
      return { path: null, parent: null, folders, isMore: false };
    }
    if (!isAbsolute(path)) return null;
    const clean = withoutTrailingSlash(normalize(path));
    let names: string[];
    try {
      const entries = await readdir(clean, { withFileTypes: true });
      names = entries
        .filter(
          (entry) =>
            !isHidden(entry.name) && !entry.name.includes('\ufffd') && (entry.isDirectory() || entry.isSymbolicLink()),
        )
        .map(({ name }) => name)
        .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return null;
      names = [];
    }
    const folders = await Promise.all(names.slice(0, MAX_FOLDERS).map((name) => this.#folder(join(clean, name), name)));
    return {
      path: clean,
      parent: clean === '/' ? null : dirname(clean),
      folders: folders.filter((folder) => folder !== null),
      isMore: names.length > MAX_FOLDERS,
    };
  }

  async #folder(path: string, name: string): Promise<Folder | null> {
    try {
      if (!(await stat(path)).isDirectory()) return null;
    } catch (error) {
      // There, but not for us: shown, so that the person sees why it cannot be chosen.
      return codeOf(error) === 'EACCES' ? { name, path, isReadable: false } : null;
    }
    return { name, path, isReadable: await isListable(path) };
  }

  async #countMovies(path: string): Promise<{ videoFiles: number; isMore: boolean }> {
    const extensions = new Set(this.#options.extensions);
    const untilMs = performance.now() + LOOK_MS;
    const open = [path];
    let videoFiles = 0;
    let entries = 0;
    for (let folder = open.shift(); folder !== undefined; folder = open.shift()) {
      try {
        for await (const entry of await opendir(folder)) {
          if (++entries > LOOK_ENTRIES || performance.now() > untilMs) return { videoFiles, isMore: true };
          if (isHidden(entry.name)) continue;
          if (entry.isDirectory()) open.push(join(folder, entry.name));
          else if (extensions.has(entry.name.slice(entry.name.lastIndexOf('.') + 1).toLowerCase())) videoFiles++;
        }
      } catch {
        // A folder below that cannot be read is no reason to refuse the whole; the scan names it.
      }
    }
    return { videoFiles, isMore: false };
  }
}

interface Folder {
  readonly name: string;
  readonly path: string;
  readonly isReadable: boolean;
}

/** Goes down from the root and names the first place that does not let us on. */
async function whereItStops(path: string): Promise<{ problem: Problem; at: string } | null> {
  const names = path.split('/').filter((name) => name !== '');
  let reached = '/';
  for (const name of names) {
    const next = join(reached, name);
    try {
      const stats = await stat(next);
      if (!stats.isDirectory()) return { problem: 'notADirectory', at: next };
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EACCES') return { problem: 'notReachable', at: await closedPlace(reached, next) };
      // A link to nowhere is there itself; what it names is not.
      return { problem: code === 'ENOTDIR' ? 'notADirectory' : 'notFound', at: (await isThere(next)) ? next : reached };
    }
    reached = next;
  }
  return (await isListable(path)) ? null : { problem: 'notReadable', at: path };
}

/** `stat` of `next` was refused: by its folder, or, where it is a link, by a folder on the way to its target. */
async function closedPlace(folder: string, next: string): Promise<string> {
  return (await isThere(next)) ? next : folder;
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** Tried, not asked: access control lists and network shares follow rules that the mode does not show. */
async function isListable(path: string): Promise<boolean> {
  try {
    await (await opendir(path)).close();
    // Its own dot can be reached only by whoever may enter it.
    await stat(`${path}/.`);
    return true;
  } catch {
    return false;
  }
}

async function describe(path: string): Promise<FolderCheck['at']> {
  try {
    const stats = await stat(path).catch(() => lstat(path));
    const [owner, group] = await Promise.all([nameOf('/etc/passwd', stats.uid), nameOf('/etc/group', stats.gid)]);
    return { path, owner, group, mode: modeText(stats) };
  } catch {
    return { path, owner: '?', group: '?', mode: '?' };
  }
}

/** The line of a user's or group's number (passwd(5), group(5)); the number itself where there is none, as in containers. */
async function nameOf(file: string, id: number): Promise<string> {
  try {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      const [name, , number] = line.split(':');
      if (name !== undefined && Number(number) === id && number !== '') return name;
    }
  } catch {
    // No such file: the number says enough.
  }
  return String(id);
}

function runsAs(): string {
  const uid = process.geteuid?.();
  try {
    const { username } = userInfo();
    return uid === undefined || uid === process.getuid?.() ? username : String(uid);
  } catch {
    // A number without a line in /etc/passwd.
    return String(uid ?? 'unknown');
  }
}

/** As `ls -l` shows it: `drwxr-x---`. */
function modeText(stats: Stats): string {
  const bits = 'rwxrwxrwx'.replace(/./g, (letter, index: number) => (stats.mode & (1 << (8 - index)) ? letter : '-'));
  return `${stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : '-'}${bits}`;
}

function homePlace(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

/** `~` as people type it: a shell would have put the home there. */
const fromHome = (path: string): string => (/^~(?=\/|$)/.test(path) ? `${homePlace()}${path.slice(1)}` : path);

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
const withoutTrailingSlash = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
