/**
 * One scan: walk, compare, hash, probe, write. Owns: what this run has seen so far. Rules: SCAN1 to SCAN14 of SPEC.md.
 *
 * Everything is a pipeline of bounded steps: batches of the walk are compared with the database, groups of files that are
 * new or changed are hashed together, single files are probed a dozen at a time, and what is known is written at the latest a
 * tenth of a second later. So the first movie is on the screens while the walk still goes on, and memory holds one
 * entry for each known file and little else.
 */
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import type { MovieName } from '#engine/media/file-name.ts';
import { encodeKeyframes } from '#engine/media/keyframe-index.ts';
import { PASSING_FAILURES } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { resolutionOf } from '#protocol/resolution.ts';
import { BatchWriter } from './batch-writer.ts';
import { Crew } from './crew.ts';
import { MovedFiles } from './moved-files.ts';
import { Sidecars } from './sidecars.ts';
import type {
  FileWrite,
  HashPort,
  KnownFile,
  LibraryRow,
  MediaPort,
  ProbedMedia,
  RootLook,
  ScanStore,
  SeenFile,
  TreeWalkPort,
} from './ports.ts';

export interface ScanPorts {
  readonly walker: TreeWalkPort;
  readonly hashes: HashPort;
  readonly media: MediaPort;
  readonly store: ScanStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ScanRequest {
  readonly library: Pick<LibraryRow, 'id' | 'path' | 'rootIdentity'>;
  /** Paths to look at, `['']` for everything. */
  readonly scopes: readonly string[];
  /** Files that are still being written: `now` probes them as they are and once more when they are quiet, `later` leaves them to a later scan. */
  readonly unsettled: 'now' | 'later';
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ScanProgress) => void;
}

export interface ScanProgress {
  /** Files seen so far. */
  readonly seen: number;
  /** New or changed files that have been dealt with. */
  readonly done: number;
  /** New or changed files known so far. */
  readonly toDo: number;
}

export interface ScanResult extends ScanProgress {
  readonly missing: number;
  /** Files that were still being written when the scan ended: to be looked at again. */
  readonly unsettled: readonly string[];
}

/** The library's folder is not there as it was. Nothing was marked as gone. */
export class LibraryUnavailable extends Error {
  /** `emptied`: the folder is there, but nothing that was known is in it. Otherwise the system's word: `ENOENT`, `EACCES` … */
  readonly code: string;

  constructor(code: string, path: string) {
    super(`the library's folder ${path} is not available: ${code}`);
    this.name = 'LibraryUnavailable';
    this.code = code;
  }
}

/** A file whose time is younger than this may still be written to. */
export const SETTLE_MS = 3_000;
/** How long a scan waits for files that are being written before it leaves them to the next one. */
const SETTLE_LIMIT_MS = 12_000;
/** Groups being hashed, and files being probed: enough that the hosts never wait while the walk and the database are asked. */
const GROUPS_AT_ONCE = 2;
const FILES_AT_ONCE = 48;
/** The first groups are small, so that the first movies appear at once. */
const GROUP_SIZES = [4, 8, 16];
const GROUP_SIZE = 32;
const NAMES_AT_ONCE = 32;
const EXTRAS_AT_ONCE = 256;
const MISSING_PAGE = 2_000;
const MISSING_BATCH = 500;
const MAX_ISSUES = 10_000;

interface Task {
  readonly file: SeenFile;
  readonly name: MovieName;
  readonly row: KnownFile | null;
}

export async function runScan(ports: ScanPorts, request: ScanRequest): Promise<ScanResult> {
  return new Scan(ports, request).run();
}

class Scan {
  readonly #ports: ScanPorts;
  readonly #request: ScanRequest;
  readonly #writer: BatchWriter;
  readonly #moved: MovedFiles;
  readonly #groups = new Crew(GROUPS_AT_ONCE);
  readonly #files = new Crew(FILES_AT_ONCE);
  readonly #seenPaths = new Set<string>();
  readonly #sidecars: Sidecars;
  /** Extras that are new or changed: dealt with when the movies are there that they may belong to. */
  readonly #extras: Task[] = [];
  readonly #unseen: string[] = [];
  readonly #issues: { path: string; reason: string }[] = [];
  /** Files that were being written, as they were when that was noticed. */
  readonly #unsettled = new Map<string, Task>();
  /** Files that were probed and written all the same, to be looked at again. */
  readonly #again = new Set<string>();
  #groupCount = 0;
  /** Files among the seen ones of which the database knew. */
  #knownSeen = 0;
  #seen = 0;
  #done = 0;
  #toDo = 0;

  constructor(ports: ScanPorts, request: ScanRequest) {
    this.#ports = ports;
    this.#request = request;
    this.#moved = new MovedFiles(ports.store, ports.walker, request.library.id);
    this.#sidecars = new Sidecars(ports.store, request.library.id);
    this.#writer = new BatchWriter(ports, request.library.id, (path) => this.#issue(path, 'internal'));
  }

  async run(): Promise<ScanResult> {
    const { library, scopes, signal } = this.#request;
    const { store } = this.#ports;
    signal.throwIfAborted();
    const look = await this.#ports.walker.look(library.path);
    if (look.kind === 'unavailable') throw new LibraryUnavailable(look.code, library.path);
    if (look.isEmpty) await this.#refuseEmptied();

    try {
      await this.#walk();
      await this.#idle();
      if (this.#request.unsettled === 'now') await this.#settle();
      await this.#dealExtras();
    } finally {
      await this.#groups.settled();
      await this.#files.settled();
      await this.#writer.close();
    }
    signal.throwIfAborted();

    const missing = await this.#markMissing(look);
    // What is elsewhere now says nothing about a part of what was here.
    if (!this.#isElsewhere(look) || scopes.includes('')) {
      await this.#sidecars.write(scopes, (path) => this.#isUnseen(path));
    }
    await store.replaceIssues(library.id, scopes, this.#issues);
    if (scopes.includes('')) await store.finish(library.id, look.identity);
    return { ...this.#progress, missing, unsettled: [...this.#unsettled.keys(), ...this.#again] };
  }

  async #walk(): Promise<void> {
    const { library, scopes, signal } = this.#request;
    try {
      // A change in a folder that came is heard of the folder and of the file.
      for await (const batch of this.#ports.walker.walk(library.path, outermost(scopes), signal)) {
        this.#unseen.push(...batch.unseen);
        for (const { path, reason } of batch.issues) this.#issue(path, reason);
        this.#sidecars.see(batch.subtitles);
        await this.#compare(batch.files);
      }
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ETIMEDOUT') {
        throw new LibraryUnavailable('ETIMEDOUT', library.path);
      }
      throw error;
    }
  }

  get #progress(): ScanProgress {
    return { seen: this.#seen, done: this.#done, toDo: this.#toDo };
  }

  /** Which of these files are new or changed; those are dealt with in groups. */
  async #compare(files: readonly SeenFile[]): Promise<void> {
    const { library } = this.#request;
    const known = await this.#ports.store.filesAt(
      library.id,
      files.map(({ path }) => path),
    );
    const tasks: Task[] = [];
    let named = 0;
    for (const file of files) {
      if (this.#seenPaths.has(file.path)) continue;
      const row = known.get(file.path) ?? null;
      if (row && isSame(row, file) && !isPassing(row)) {
        this.#see(file.path, true);
        if (row.state === 'missing') await this.#writer.add({ kind: 'kept', fileId: row.id, file });
        continue;
      }
      // Reading a name takes some 80 µs: a whole batch of them at once would be felt by everyone else.
      if (++named % NAMES_AT_ONCE === 0) await nextTurn();
      const name = movieNameOf(file.path);
      if (name.extra === 'theme') continue;
      if (name.extra !== null) {
        this.#extras.push({ file, name, row });
        continue;
      }
      this.#see(file.path, row !== null);
      tasks.push({ file, name, row });
    }
    await this.#startAll(tasks);
  }

  async #startAll(tasks: readonly Task[]): Promise<void> {
    this.#toDo += tasks.length;
    this.#tell();
    for (let at = 0; at < tasks.length;) {
      const size = GROUP_SIZES[this.#groupCount++] ?? GROUP_SIZE;
      await this.#start(tasks.slice(at, at + size));
      at += size;
    }
  }

  /** Extras whose movie is there; the others are not opened at all, and asked about again by the next scan [SCAN12]. */
  async #dealExtras(): Promise<void> {
    if (this.#extras.length === 0) return;
    await this.#writer.flush();
    for (let at = 0; at < this.#extras.length; at += EXTRAS_AT_ONCE) {
      const some = this.#extras.slice(at, at + EXTRAS_AT_ONCE);
      const homes = await this.#ports.store.homes(
        this.#request.library.id,
        some.map(({ name }) => name),
      );
      const tasks = some.filter((task, index) => task.row !== null || homes[index] !== null);
      for (const { file, row } of tasks) this.#see(file.path, row !== null);
      await this.#startAll(tasks);
    }
    await this.#idle();
  }

  #see(path: string, isKnown: boolean): void {
    this.#seenPaths.add(path);
    this.#seen++;
    if (isKnown) this.#knownSeen++;
  }

  async #start(group: readonly Task[]): Promise<void> {
    this.#request.signal.throwIfAborted();
    await this.#groups.start(() => this.#deal(group));
  }

  async #idle(): Promise<void> {
    await this.#groups.idle();
    await this.#files.idle();
  }

  /** Hashes a group and hands its files on, one by one: a slow file holds up no other. */
  async #deal(group: readonly Task[]): Promise<void> {
    const { signal, unsettled } = this.#request;
    const due = unsettled === 'now' ? group : group.filter((task) => !this.#isFresh(task.file) || !this.#wait(task));
    const outcomes = await this.#ports.hashes.identify(
      due.map(({ file }) => this.#absolute(file.path)),
      signal,
    );
    const hashed = due.map((task, index) => {
      const outcome = outcomes[index]!;
      return { task: 'hash' in outcome && isAnother(task, outcome.hash) ? { ...task, row: null } : task, outcome };
    });
    const moves = await this.#moved.find(
      hashed.flatMap(({ task, outcome }) =>
        task.row === null && 'hash' in outcome ? [{ task, file: task.file, hash: outcome.hash }] : [],
      ),
    );
    const movedByTask = new Map([...moves].map(([{ task }, row]) => [task, row]));
    this.#knownSeen += moves.size;
    for (const { task, outcome } of hashed) {
      const moved = movedByTask.get(task);
      await this.#files.start(async () => {
        if (moved) await this.#write({ kind: 'moved', fileId: moved.id, file: task.file, name: task.name });
        else if ('failure' in outcome) await this.#fail(task, outcome.failure, null);
        else if (!isSameContent(task, outcome.hash)) await this.#probe(task, outcome.hash);
        else if (task.row) await this.#write({ kind: 'kept', fileId: task.row.id, file: task.file });
      });
    }
  }

  async #probe(task: Task, hash: string): Promise<void> {
    const { signal } = this.#request;
    signal.throwIfAborted();
    const result = await this.#ports.media.probe(this.#absolute(task.file.path), { priority: 'background', signal });
    if (!result.ok) return this.#fail(task, result.failure, hash);
    const write = this.#probed(task, hash, toProbed(result, this.#ports.log));
    if (this.#isFresh(task.file)) this.#again.add(task.file.path);
    await this.#write(write);
  }

  async #fail(task: Task, failure: MediaFailure, hash: string | null): Promise<void> {
    if (failure === 'notFound') {
      // It went while we looked: the same as if it had not been seen.
      this.#seenPaths.delete(task.file.path);
      this.#countDone();
      return;
    }
    if (this.#request.unsettled === 'now' && (await this.#hasGrown(task.file)) && this.#wait(task)) return;
    await this.#write(this.#probed(task, hash, { failure }));
  }

  #probed(
    { file, name, row }: Task,
    contentHash: string | null,
    outcome: ProbedMedia | { failure: MediaFailure },
  ): FileWrite {
    return { kind: 'probed', fileId: row?.id ?? null, file, name, contentHash, outcome };
  }

  async #write(write: FileWrite): Promise<void> {
    await this.#writer.add(write);
    this.#countDone();
  }

  #countDone(): void {
    this.#done++;
    this.#tell();
  }

  #tell(): void {
    this.#request.onProgress(this.#progress);
  }

  #isFresh(file: SeenFile): boolean {
    return Math.abs(this.#ports.clock.nowMs() - file.mtimeUs / 1_000) < SETTLE_MS;
  }

  /** Whether a file is young, or no longer as the walk saw it. */
  async #hasGrown(file: SeenFile): Promise<boolean> {
    if (this.#isFresh(file)) return true;
    const [now] = await this.#ports.walker.stat(this.#request.library.path, [file.path]).catch(() => [null]);
    return now !== null && now !== undefined && !isSame(now, file);
  }

  /** Puts a file off until it is quiet. `false` where it was put off already and has had its time. */
  #wait(task: Task): boolean {
    if (this.#hasWaited) return false;
    this.#unsettled.set(task.file.path, task);
    return true;
  }

  #hasWaited = false;

  /** Waits, for a while, until the files that are being written are quiet, and deals with them then [SCAN6]. */
  async #settle(): Promise<void> {
    const { clock, walker } = this.#ports;
    const untilMs = clock.monotonicMs() + SETTLE_LIMIT_MS;
    while (this.#unsettled.size > 0 && clock.monotonicMs() < untilMs) {
      await clock.sleep(SETTLE_MS, this.#request.signal);
      const waiting = [...this.#unsettled.values()];
      const now = await walker.stat(
        this.#request.library.path,
        waiting.map(({ file }) => file.path),
      );
      const quiet: Task[] = [];
      for (const [index, task] of waiting.entries()) {
        const file = now[index];
        if (file && isSame(file, task.file) && !this.#isFresh(file)) quiet.push(task);
        else if (file) this.#unsettled.set(task.file.path, { ...task, file });
        if (!file || quiet.at(-1) === task) this.#unsettled.delete(task.file.path);
        if (!file) this.#countDone();
      }
      if (quiet.length === 0) continue;
      this.#hasWaited = true;
      for (let at = 0; at < quiet.length; at += GROUP_SIZE) await this.#start(quiet.slice(at, at + GROUP_SIZE));
      await this.#idle();
      this.#hasWaited = false;
    }
  }

  /** An empty folder where movies were known is a disk that is not mounted, until the opposite is certain [SCAN9]. */
  async #refuseEmptied(): Promise<void> {
    const { library } = this.#request;
    const known = await this.#ports.store.presentFiles(library.id, '', null, 1);
    if (known.length > 0) throw new LibraryUnavailable('emptied', library.path);
  }

  async #markMissing(look: Extract<RootLook, { kind: 'there' }>): Promise<number> {
    const { library, scopes, signal } = this.#request;
    const { store } = this.#ports;
    const isOtherPlace = this.#isElsewhere(look);
    // What is elsewhere now says nothing about a part: the next whole scan judges it all.
    if (isOtherPlace && !scopes.includes('')) return 0;
    let missing = 0;
    for (const scope of outermost(scopes)) {
      let after: string | null = null;
      for (;;) {
        signal.throwIfAborted();
        const page: readonly { id: string; path: string }[] = await store.presentFiles(
          library.id,
          scope,
          after,
          MISSING_PAGE,
        );
        const gone = page.filter(({ path }) => !this.#seenPaths.has(path) && !this.#isUnseen(path));
        // Another disk in the same place, and nothing on it that was known.
        if (isOtherPlace && this.#knownSeen === 0 && gone.length > 0) {
          throw new LibraryUnavailable('emptied', library.path);
        }
        for (let at = 0; at < gone.length; at += MISSING_BATCH) {
          await store.markMissing(
            library.id,
            gone.slice(at, at + MISSING_BATCH).map(({ id }) => id),
          );
        }
        missing += gone.length;
        after = page.at(-1)?.path ?? null;
        if (page.length < MISSING_PAGE) break;
      }
    }
    return missing;
  }

  /** Another file system, or the empty folder under a mount point, is where the library was. */
  #isElsewhere(look: Extract<RootLook, { kind: 'there' }>): boolean {
    const { rootIdentity } = this.#request.library;
    return rootIdentity !== null && rootIdentity !== look.identity;
  }

  #isUnseen(path: string): boolean {
    return this.#unseen.some((place) => isWithin(path, place));
  }

  #issue(path: string, reason: string): void {
    if (this.#issues.length < MAX_ISSUES) this.#issues.push({ path, reason });
  }

  #absolute(path: string): string {
    return `${this.#request.library.path}/${path}`;
  }
}

/** Lets everything else that waits go first. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isSame = (a: SeenFile, b: SeenFile): boolean =>
  a.sizeBytes === b.sizeBytes && a.mtimeUs === b.mtimeUs && a.inode === b.inode;

const isPassing = ({ failure }: KnownFile): boolean => failure !== null && PASSING_FAILURES.has(failure);

/** The same content as its row says, and a row that says what is in it. */
const isSameContent = ({ row, file }: Task, hash: string): boolean =>
  row !== null && row.contentHash === hash && row.sizeBytes === file.sizeBytes && row.wasProbed && !isPassing(row);

/** Not the file that went missing from this path: that one may come back elsewhere, and this one may have been elsewhere [SCAN3]. */
const isAnother = ({ row, file }: Task, hash: string): boolean =>
  row?.state === 'missing' &&
  row.contentHash !== null &&
  (row.contentHash !== hash || row.sizeBytes !== file.sizeBytes);

const isWithin = (path: string, place: string): boolean =>
  place === '' || path === place || path.startsWith(`${place}/`);

/** Without those that lie in another one. */
const outermost = (scopes: readonly string[]): string[] =>
  scopes.filter(
    (scope, index) =>
      !scopes.some((other, at) => at !== index && isWithin(scope, other) && (other !== scope || at < index)),
  );

export function toProbed(
  {
    media,
    keyframesUs,
    keyframeBytes = null,
  }: {
    media: ProbedMedia['media'];
    keyframesUs: ArrayLike<number> | null;
    keyframeBytes?: ArrayLike<number> | null;
  },
  log: Log,
): ProbedMedia {
  let keyframes: Uint8Array | null = null;
  try {
    keyframes = keyframesUs === null ? null : encodeKeyframes(keyframesUs, keyframeBytes);
  } catch (error) {
    // Found again when somebody plays it.
    log.warn('a file’s keyframes are not usable', { error });
  }
  return { media, resolution: resolutionOf(media.video[0]), keyframes };
}
