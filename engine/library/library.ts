/**
 * The library domain, put together. Owns: one keeper for each library. `house.ts` hands in what it needs
 * and takes out handlers and feed sources. Rules: SPEC.md.
 */
import { basename } from 'node:path';
import { Actor } from '#engine/runtime/actor.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { libraries } from '#protocol/index.ts';
import type { FolderCheck, Library } from '#protocol/schema/library.ts';
import { createFeedSources } from './feed-sources.ts';
import type { LibraryFeedSources } from './feed-sources.ts';
import { createLibraryHandlers } from './handlers.ts';
import { LibraryKeeper } from './library-keeper.ts';
import type { KeeperMessage, KeeperOptions, LibraryState } from './library-keeper.ts';
import { RESTING, toLibrary } from './library-view.ts';
import type {
  FolderPort,
  HealthPort,
  JobPort,
  LibraryRow,
  LibraryStore,
  PicturePort,
  ShownMovies,
  TreeWatchPort,
  WatchMode,
} from './ports.ts';
import { showQuarantined } from './quarantined-files.ts';
import type { QuarantinedFile } from './quarantined-files.ts';
import type { ScanPorts } from './scan.ts';

export interface LibraryPorts extends ScanPorts {
  readonly libraries: LibraryStore;
  readonly shown: ShownMovies;
  readonly folders: FolderPort;
  readonly watcher: TreeWatchPort;
  readonly pictures: PicturePort;
  readonly jobs: JobPort;
  readonly health: HealthPort;
}

export interface LibraryOptions {
  readonly ports: LibraryPorts;
  readonly newId: () => string;
  readonly watchMode: WatchMode;
  /** How long a movie whose files are gone keeps its place. */
  readonly deletionGraceMs: number;
  /** Makes the failure of a job whose text is for the person who looks at it. */
  readonly jobFailure: KeeperOptions['jobFailure'];
}

interface Kept {
  readonly row: LibraryRow;
  readonly actor: Actor<KeeperMessage>;
  /** Tells the keeper, now or, where its mailbox is full, a moment later. */
  readonly tell: (message: KeeperMessage) => void;
  state: LibraryState;
}

/** A scan that is asked for while a part is looked at begins when that is done. */
const SCAN_REPLY_MS = 60_000;
const RESTART_MS = 5_000;
const TELL_AGAIN_MS = 1_000;

export class LibraryDomain implements AsyncDisposable {
  readonly #options: LibraryOptions;
  readonly #kept = new Map<string, Kept>();
  /** What scans left to be tidied up; never rejects. */
  readonly #afterScans = new Set<Promise<void>>();
  readonly handlers: { readonly libraries: Handlers<typeof libraries> };
  readonly feedSources: LibraryFeedSources;

  constructor(options: LibraryOptions) {
    this.#options = options;
    const { ports } = options;
    this.handlers = { libraries: createLibraryHandlers(this, ports) };
    this.feedSources = createFeedSources(this, ports.shown);
  }

  /** A library is being scanned, or a part of one. */
  get isScanning(): boolean {
    return [...this.#kept.values()].some(({ state }) => state.scan !== null);
  }

  /**
   * Adds the folders of the configuration that are no libraries yet, and begins to keep them all: each is watched and scanned, which
   * also takes up whatever scan a kill cut short [KEEP1]. Returns what is wrong with those folders, for the console.
   */
  async start(folders: readonly string[]): Promise<readonly FolderCheck[]> {
    const { libraries: store, folders: look, log } = this.#options.ports;
    const wrong: FolderCheck[] = [];
    for (const folder of folders) {
      const known = await store.list();
      const check = await look.check(
        folder,
        known.map((row) => row.path),
      );
      const { problem, path } = check;
      if (problem === 'alreadyALibrary') continue;
      if (problem !== null) {
        log.warn('a folder of the configuration cannot be used', { folder, problem });
        wrong.push(check);
      }
      if (problem === 'insideALibrary' || problem === 'insideDataFolder') continue;
      // A folder that is not there yet is a library all the same: its disk may come later, and health says so.
      await store.add({ id: this.#options.newId(), name: nameOf(path), path });
    }
    for (const row of await store.list()) this.#keep(row);
    this.#options.ports.pictures.wake();
    return wrong;
  }

  async list(withPaths: boolean): Promise<Library[]> {
    const { libraries: store } = this.#options.ports;
    const [rows, counts] = await Promise.all([store.list(), store.counts()]);
    return rows.map((row) => toLibrary(row, counts.get(row.id), this.#kept.get(row.id)?.state, withPaths));
  }

  /** Adds a folder that was checked, and begins to keep it. `null` where it is a library already. */
  async add(path: string, name: string | undefined): Promise<Library | null> {
    const row = await this.#options.ports.libraries.add({
      id: this.#options.newId(),
      name: name ?? nameOf(path),
      path,
    });
    if (!row) return null;
    this.#keep(row);
    const [library] = (await this.list(true)).filter(({ id }) => id === row.id);
    return library ?? toLibrary(row, undefined, undefined, true);
  }

  /** `false` where there is no such library. */
  async remove(libraryId: string): Promise<boolean> {
    const { libraries: store } = this.#options.ports;
    const kept = this.#kept.get(libraryId);
    if (!kept) return false;
    this.#kept.delete(libraryId);
    await kept.actor[Symbol.asyncDispose]();
    await store.remove(libraryId);
    return true;
  }

  /** Scans one library or all; ids of the jobs. `null` where there is no such library. */
  async scan(libraryId: string | undefined): Promise<string[] | null> {
    const chosen = libraryId === undefined ? [...this.#kept.values()] : [this.#kept.get(libraryId)];
    if (chosen.includes(undefined)) return null;
    return Promise.all(
      chosen.map((kept) => kept!.actor.ask<string>((reply) => ({ kind: 'scan', reply }), SCAN_REPLY_MS)),
    );
  }

  /** Has a library look at these places soon, together with what else changed there: files and folders that came, went or changed. */
  rescanPaths(libraryId: string, paths: readonly string[]): void {
    this.#kept.get(libraryId)?.tell({ kind: 'look', paths });
  }

  /** These files are left alone from now on: they are shown as such until somebody has them tried again. Never rejects. */
  async quarantined(files: readonly QuarantinedFile[]): Promise<void> {
    try {
      await showQuarantined(this.#options.ports, files);
    } catch (error) {
      this.#options.ports.log.warn('files in quarantine are not shown as such', { error });
    }
  }

  /** Stops keeping: scans that run are aborted. Stop the jobs before, so that those scans count as cut short and not as failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#kept.values()].map(({ actor }) => actor[Symbol.asyncDispose]()));
    await Promise.all(this.#afterScans);
    this.#kept.clear();
  }

  #keep(row: LibraryRow): void {
    if (this.#kept.has(row.id)) return;
    const { ports, watchMode, jobFailure } = this.#options;
    const tell = (message: KeeperMessage): void => {
      if (actor.isStopped) return;
      try {
        actor.tell(message);
      } catch {
        // A full mailbox: what comes home to a keeper must reach it, only later.
        ports.clock.after(TELL_AGAIN_MS, () => tell(message)).unref();
      }
    };
    const create = () =>
      new LibraryKeeper({
        library: row,
        ports,
        watchMode,
        jobFailure,
        tell,
        onState: (state) => {
          kept.state = state;
        },
        onScanned: (_result, scopes) => {
          ports.pictures.scanned(row.id, scopes);
          const work: Promise<void> = this.#afterScan(scopes.includes('')).finally(() => this.#afterScans.delete(work));
          this.#afterScans.add(work);
        },
      });
    const actor = new Actor<KeeperMessage>(create, {
      name: `library ${row.name}`,
      capacity: 1_024,
      clock: ports.clock,
      onFailure: (error, isFatal) => {
        kept.state = RESTING;
        ports.log.error('a library’s keeper failed', { library: row.name, isFatal, error });
        if (!isFatal) ports.clock.after(RESTART_MS, () => tell({ kind: 'start' })).unref();
      },
    });
    const kept: Kept = { row, actor, tell, state: RESTING };
    this.#kept.set(row.id, kept);
    tell({ kind: 'start' });
  }

  async #afterScan(isWhole: boolean): Promise<void> {
    if (!isWhole) return;
    const { store, log } = this.#options.ports;
    try {
      await store.purge(this.#options.deletionGraceMs);
    } catch (error) {
      log.warn('what has been gone for long could not be forgotten', { error });
    }
  }
}

const nameOf = (path: string): string => basename(path) || 'Movies';
