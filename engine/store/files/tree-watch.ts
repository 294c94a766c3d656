/**
 * Noticing changes below a folder, for a thread of its own. Owns: one kernel watch for each folder, or, where the kernel does
 * not help, each folder's time. Rules: WATCH1 to WATCH8 of engine/library/SPEC.md.
 *
 * It says where to look, never what happened: a scan of that place finds out. So an event too many costs a look, and
 * renames need no pairing. One `fs.watch` for each folder, by hand: chokidar 6 keeps a model of every file, which on 20,000
 * folders cost 3.7 s with the loop held up for 0.66 s and 440 MB, against 0.43 s and 40 MB here.
 */
import type { FSWatcher } from 'node:fs';
import { lstatSync, readFileSync, readdirSync, statSync, watch } from 'node:fs';
import type { WatchNews } from '#engine/library/ports.ts';
import { identitiesAbove, isHidden } from './tree-walk.ts';

export interface TreeWatchSettings {
  readonly root: string;
  readonly mode: 'events' | 'polling';
  readonly pollIntervalMs: number;
  /** Lower case, without the dot. */
  readonly extensions: readonly string[];
}

export type TreeWatchMessage = WatchNews | { readonly kind: 'ready' };

interface Folder {
  identity: string;
  mtimeNs: bigint;
  /** When that was read, by the calendar. */
  lookedAtMs: number;
  watcher: FSWatcher | null;
}

/** Events are told together, so that a copied folder is one message. */
const FLUSH_MS = 50;
/** More places than this are told as one: the whole. */
const MAX_PLACES = 1_000;
/** The kernel's queue holds 16,384 events and drops silently what comes on top (inotify(7)): after a burst, look everywhere. */
const BURST_EVENTS = 8_192;
/** Times of a folder that was changed twice within one tick of the file system's clock do not differ. */
const RACY_MS = 2_000;
const MARKERS = new Set(['.ignore', '.nomedia']);

export class WatchedTree implements Disposable {
  readonly #settings: TreeWatchSettings;
  readonly #tell: (message: TreeWatchMessage) => void;
  readonly #watchFolder: typeof watch;
  readonly #extensions: ReadonlySet<string>;
  readonly #folders = new Map<string, Folder>();
  /** Device and inode of each folder → its path, so that a link does not lead into one again. */
  readonly #pathsByIdentity = new Map<string, string>();
  /** A link to one of these leads back. */
  readonly #aboveRoot: ReadonlySet<string>;
  readonly #places = new Set<string>();
  #events = 0;
  #isPolling: boolean;
  readonly #isReady: boolean = false;
  #fallen: WatchNews | undefined;
  #flush: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;

  /** Throws where the root cannot be listed. */
  constructor(settings: TreeWatchSettings, tell: (message: TreeWatchMessage) => void, watchFolder = watch) {
    this.#settings = settings;
    this.#watchFolder = watchFolder;
    this.#tell = tell;
    this.#extensions = new Set(settings.extensions);
    this.#isPolling = settings.mode === 'polling';
    readdirSync(settings.root);
    this.#aboveRoot = identitiesAbove(settings.root);
    this.#add('');
    const fallen = this.#fallen;
    if (fallen) tell(fallen.kind === 'limit' ? { ...fallen, folders: this.#folders.size } : fallen);
    tell({ kind: 'ready' });
    this.#isReady = true;
    if (this.#isPolling) this.#schedulePoll();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#flush);
    clearTimeout(this.#poll);
    for (const { watcher } of this.#folders.values()) watcher?.close();
    this.#folders.clear();
  }

  /** Takes a folder and all below it under watch. What vanishes meanwhile is left out; its parent hears of it. */
  #add(start: string): void {
    const open = [start];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      try {
        // Watched before it is listed: what comes in between is in the list, what comes later is an event.
        const folder = this.#look(path);
        if (this.#aboveRoot.has(folder.identity)) continue;
        if (this.#folders.has(path) || this.#isElsewhere(folder.identity)) continue;
        this.#pathsByIdentity.set(folder.identity, path);
        this.#folders.set(path, folder);
        if (!this.#isPolling) this.#watch(path, folder);
        for (const entry of readdirSync(this.#absolute(path), { withFileTypes: true })) {
          if (isHidden(entry.name)) continue;
          const below = child(path, entry.name);
          if (entry.isDirectory() || (entry.isSymbolicLink() && this.#isFolder(below))) open.push(below);
        }
      } catch {
        // Gone or not readable: nothing to watch. The scan tells what cannot be read.
      }
    }
  }

  /** Watched under another path already. One that was renamed no longer is: its new name may be heard of before the old one. */
  #isElsewhere(identity: string): boolean {
    const other = this.#pathsByIdentity.get(identity);
    if (other === undefined) return false;
    try {
      if (this.#look(other).identity === identity) return true;
    } catch {
      // No longer there.
    }
    this.#drop(other);
    return false;
  }

  #look(path: string): Folder {
    const stats = statSync(this.#absolute(path), { bigint: true });
    if (!stats.isDirectory()) throw new Error('not a folder');
    return {
      identity: `${stats.dev}:${stats.ino}`,
      mtimeNs: stats.mtimeNs,
      lookedAtMs: Date.now(),
      watcher: null,
    };
  }

  #watch(path: string, folder: Folder): void {
    try {
      folder.watcher = this.#watchFolder(this.#absolute(path), { persistent: false });
      folder.watcher.on('change', (kind, name) => this.#onEvent(path, kind, name));
      folder.watcher.on('error', (error) => this.#fall({ kind: 'failed', error }));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOSPC') this.#fall(this.#limit('watches'));
      else if (code === 'EMFILE' || code === 'ENFILE') this.#fall(this.#limit('instances'));
      else if (code !== 'ENOENT' && code !== 'EACCES') this.#fall({ kind: 'failed', error });
    }
  }

  #limit(limit: 'watches' | 'instances'): WatchNews {
    let allowed: number | null = null;
    try {
      allowed = Number(readFileSync(`/proc/sys/fs/inotify/max_user_${limit}`, 'utf8'));
    } catch {
      // Not Linux, or no /proc: the limit is told without its number.
    }
    return { kind: 'limit', limit, allowed, folders: this.#folders.size };
  }

  /** From events to polling, for good. */
  #fall(news: WatchNews): void {
    if (this.#isPolling) return;
    this.#isPolling = true;
    for (const folder of this.#folders.values()) {
      folder.watcher?.close();
      folder.watcher = null;
    }
    this.#fallen = news;
    // While the first look goes on, it is told when all folders have been counted.
    if (!this.#isReady) return;
    this.#tell(news);
    this.#schedulePoll();
  }

  #onEvent(folder: string, kind: string, name: string | Buffer | null): void {
    this.#events++;
    if (typeof name !== 'string' || name.includes('\ufffd')) return this.#note(folder);
    if (MARKERS.has(name)) return this.#note(folder);
    if (isHidden(name)) return;
    const path = child(folder, name);
    if (kind === 'rename') this.#refresh(path);
    else if (this.#isRelevant(name)) this.#note(path);
  }

  /** A name came or went. */
  #refresh(path: string): void {
    const known = this.#folders.get(path);
    const isFolder = this.#isFolder(path);
    if (known) {
      // Gone, or another one under the same name: its watch belongs to the old one.
      this.#drop(path);
    }
    if (isFolder) this.#add(path);
    if (known || isFolder || this.#isRelevant(path)) this.#note(path);
  }

  #drop(path: string): void {
    for (const [key, folder] of this.#folders) {
      if (key !== path && !key.startsWith(`${path}/`)) continue;
      folder.watcher?.close();
      if (this.#pathsByIdentity.get(folder.identity) === key) this.#pathsByIdentity.delete(folder.identity);
      this.#folders.delete(key);
    }
  }

  #isFolder(path: string): boolean {
    try {
      const entry = lstatSync(this.#absolute(path));
      return entry.isDirectory() || (entry.isSymbolicLink() && statSync(this.#absolute(path)).isDirectory());
    } catch {
      return false;
    }
  }

  /** A file without an extension may be a movie, a link may lead to one. */
  #isRelevant(name: string): boolean {
    const dot = name.lastIndexOf('.');
    return dot <= name.lastIndexOf('/') + 1 || this.#extensions.has(name.slice(dot + 1).toLowerCase());
  }

  #note(path: string): void {
    this.#places.add(path);
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      const isEverywhere = this.#events > BURST_EVENTS || this.#places.size > MAX_PLACES;
      const paths = isEverywhere ? [''] : [...this.#places];
      this.#events = 0;
      this.#places.clear();
      this.#tell({ kind: 'changed', paths });
    }, FLUSH_MS);
  }

  #schedulePoll(): void {
    this.#poll = setTimeout(() => {
      this.#pollOnce();
      this.#schedulePoll();
    }, this.#settings.pollIntervalMs);
  }

  #pollOnce(): void {
    for (const [path, known] of [...this.#folders]) {
      if (this.#folders.get(path) !== known) continue;
      let now: Folder;
      try {
        now = this.#look(path);
      } catch {
        // Its parent's time says so too, unless this is the root.
        if (path === '') this.#note('');
        continue;
      }
      const isSame = now.mtimeNs === known.mtimeNs && now.identity === known.identity;
      const wasRacy = Number(known.mtimeNs / 1_000_000n) > known.lookedAtMs - RACY_MS;
      this.#folders.set(path, now);
      if (isSame && !wasRacy) continue;
      this.#pathsByIdentity.delete(known.identity);
      this.#pathsByIdentity.set(now.identity, path);
      this.#note(path);
      this.#relist(path);
    }
  }

  /** Folders that came to or went from a polled one. */
  #relist(path: string): void {
    for (const key of [...this.#folders.keys()]) {
      if (key !== '' && parentOf(key) === path && !this.#isFolder(key)) this.#drop(key);
    }
    try {
      for (const entry of readdirSync(this.#absolute(path), { withFileTypes: true })) {
        const below = child(path, entry.name);
        if (!isHidden(entry.name) && !this.#folders.has(below) && this.#isFolder(below)) this.#add(below);
      }
    } catch {
      // Looked at again next time.
    }
  }

  #absolute(path: string): string {
    return path === '' ? this.#settings.root : `${this.#settings.root}/${path}`;
  }
}

const child = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
