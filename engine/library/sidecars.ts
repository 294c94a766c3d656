/**
 * Which subtitle files belong to which videos. Owns: the subtitle files that one scan saw. They are told apart from what is
 * known when the scan ends, for only then are all videos written that they may belong to. Rules: SIDE1 to SIDE4 of SPEC.md.
 */
import { sidecarNameOf } from '#engine/media/naming/sidecar-name.ts';
import type { SidecarName } from '#engine/media/naming/sidecar-name.ts';
import type { KnownSidecar, ScanStore, SeenFile, SidecarChange, VideoPlace } from './ports.ts';

type SidecarStore = Pick<ScanStore, 'videosIn' | 'sidecars' | 'writeSidecars'>;

const WRITE_SIZE = 500;
const FOLDERS_AT_ONCE = 500;
/** Folders of subtitles beside a movie; one for each video may lie in them. */
const SUBTITLE_FOLDER = /^(?:subs?|subtitles?)$/i;

interface Home {
  readonly fileId: string;
  readonly name: SidecarName;
}

export class Sidecars {
  readonly #store: SidecarStore;
  readonly #libraryId: string;
  readonly #seen = new Map<string, SeenFile>();

  constructor(store: SidecarStore, libraryId: string) {
    this.#store = store;
    this.#libraryId = libraryId;
  }

  see(files: readonly SeenFile[]): void {
    for (const file of files) this.#seen.set(file.path, file);
  }

  /** Writes what is new or gone at or below `scopes`. `isUnseen`: whether nobody knows what is at a path now. */
  async write(scopes: readonly string[], isUnseen: (path: string) => boolean): Promise<void> {
    const paths = scopes.includes('') ? [] : [...this.#seen.keys()];
    const known = await this.#store.sidecars(this.#libraryId, scopes, paths);
    if (this.#seen.size === 0 && known.length === 0) return;
    const homes = await this.#homes();
    const gone = known
      .filter(({ path, fileId }) => homes.get(path)?.fileId !== fileId && !isUnseen(path))
      .map(({ id }) => id);
    const knownByKey = new Map(known.map((row) => [`${row.fileId} ${row.path}`, row]));
    const put = [...homes].flatMap(([path, { fileId, name }]): SidecarChange['put'][number][] => {
      const file = this.#seen.get(path)!;
      if (isSame(knownByKey.get(`${fileId} ${path}`), file)) return [];
      const { title: _title, ...facts } = name;
      return [{ ...facts, fileId, path, sizeBytes: file.sizeBytes, mtimeUs: file.mtimeUs }];
    });
    for (let at = 0; at < Math.max(put.length, gone.length); at += WRITE_SIZE) {
      await this.#store.writeSidecars(this.#libraryId, {
        put: put.slice(at, at + WRITE_SIZE),
        gone: gone.slice(at, at + WRITE_SIZE),
      });
    }
  }

  /** The video that each seen file belongs to; those without one are absent. */
  async #homes(): Promise<Map<string, Home>> {
    const folders = [...new Set([...this.#seen.keys()].flatMap((path) => homeFolders(path)))];
    const videosByFolder = new Map<string, VideoPlace[]>();
    for (let at = 0; at < folders.length; at += FOLDERS_AT_ONCE) {
      for (const video of await this.#store.videosIn(this.#libraryId, folders.slice(at, at + FOLDERS_AT_ONCE))) {
        const folder = folderOf(video.path);
        videosByFolder.set(folder, [...(videosByFolder.get(folder) ?? []), video]);
      }
    }
    const homes = new Map<string, Home>();
    for (const path of this.#seen.keys()) {
      for (const folder of homeFolders(path)) {
        const home = homeAmong(path, videosByFolder.get(folder) ?? []);
        if (home !== null) {
          homes.set(path, home);
          break;
        }
      }
    }
    return homes;
  }
}

/** Its own folder; for one in `Subs` or `Subs/Name` the folder that holds `Subs` as well. */
function homeFolders(path: string): string[] {
  const own = folderOf(path);
  const names = own.split('/');
  const at = names.findLastIndex((name) => SUBTITLE_FOLDER.test(name));
  return at < 0 || at < names.length - 2 ? [own] : [own, names.slice(0, at).join('/')];
}

/** The video whose name it bears, the longest where several fit; else the only movie that is there. */
function homeAmong(path: string, videos: readonly VideoPlace[]): Home | null {
  const file = nameOf(path);
  const inFolder = nameOf(folderOf(path));
  const longestFirst = videos.toSorted((a, b) => b.path.length - a.path.length);
  for (const video of longestFirst) {
    const name = sidecarNameOf(file, stemOf(video.path));
    if (name !== null) return { fileId: video.id, name };
  }
  const movies = videos.filter(({ isExtra }) => !isExtra);
  const only = movies.find((video) => stemOf(video.path) === inFolder) ?? (movies.length === 1 ? movies[0] : undefined);
  const name = sidecarNameOf(file, null);
  return only === undefined || name === null ? null : { fileId: only.id, name };
}

const isSame = (known: KnownSidecar | undefined, file: SeenFile): boolean =>
  known !== undefined && known.sizeBytes === file.sizeBytes && known.mtimeUs === file.mtimeUs;

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function stemOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? name : name.slice(0, dot);
}
