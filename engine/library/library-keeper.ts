/**
 * Keeps one library in step with its folder. Owns: the scan that runs, the places that changed since, the files that are
 * still being written, and the watch. Rules: KEEP1 to KEEP9 of SPEC.md.
 *
 *     idle ──scan asked, change heard, time──▶ scanning ──ended──▶ idle
 *       └──────────── the folder is away ◀── unavailable ──┘
 *     away ──the folder is back──▶ scanning (everything)
 *
 * Scans run beside the mailbox and come home as messages that carry their epoch; a late one is dropped by it.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Behavior, Reply } from '#engine/runtime/actor.ts';
import type { Library } from '#protocol/schema/library.ts';
import { unavailableFinding, unavailableId, watchFinding, watchId } from './library-health.ts';
import type {
  HealthPort,
  JobPort,
  LibraryRow,
  LibraryStore,
  RunningJob,
  SeenFile,
  TreeWatch,
  TreeWatchPort,
  WatchMode,
  WatchNews,
} from './ports.ts';
import { LibraryUnavailable, SETTLE_MS, runScan } from './scan.ts';
import type { ScanPorts, ScanProgress, ScanResult } from './scan.ts';

export interface LibraryState {
  readonly watching: Library['watching'];
  readonly scan: Library['scan'];
}

export type KeeperMessage =
  | { readonly kind: 'start' }
  /** Everything, answered with the id of the job. */
  | { readonly kind: 'scan'; readonly reply: Reply<string> }
  /** `null`: watching could not begin. `token` tells which attempt it was. */
  | { readonly kind: 'watching'; readonly watch: TreeWatch | null; readonly token: object }
  | { readonly kind: 'watch'; readonly news: WatchNews; readonly token: object }
  /** Somebody else knows that these places changed. */
  | { readonly kind: 'look'; readonly paths: readonly string[] }
  | { readonly kind: 'waitedForWatch' }
  | { readonly kind: 'flush' }
  | { readonly kind: 'lookAtGrowing' }
  | { readonly kind: 'lookForFolder' }
  | { readonly kind: 'rescan' }
  | { readonly kind: 'ended'; readonly epoch: number; readonly outcome: ScanOutcome };

type ScanOutcome =
  | { readonly kind: 'done'; readonly result: ScanResult }
  | { readonly kind: 'away'; readonly code: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed' };

export interface KeeperOptions {
  readonly library: LibraryRow;
  readonly ports: ScanPorts & {
    readonly jobs: JobPort;
    readonly health: HealthPort;
    readonly watcher: TreeWatchPort;
    readonly libraries: Pick<LibraryStore, 'list' | 'touch'>;
  };
  readonly watchMode: WatchMode;
  /** A failure whose text is for the person who looks at the job. */
  readonly jobFailure: (message: string) => Error;
  readonly tell: (message: KeeperMessage) => void;
  readonly onState: (state: LibraryState) => void;
  /** Told after each scan that ended by itself. `scopes`: the places that were looked at, `''` for all. */
  readonly onScanned: (result: ScanResult, scopes: readonly string[]) => void;
}

/** Silence after a change before it is looked at; and how long noise may put that off. */
const QUIET_MS = 1_000;
const MAX_QUIET_MS = 10_000;
/** More places than this are looked at as a whole. */
const MAX_SCOPES = 200;
/** How long the first scan waits for the watch. */
const WATCH_WAIT_MS = 2_000;
/** How often a folder that is away is looked for. */
const AWAY_LOOK_MS = 15_000;
/** Events can be lost, and files on a polled share be replaced unnoticed: everything is looked at this often all the same. */
const RESCAN_MS = 6 * 3_600_000;
const RETRY_MS = 5 * 60_000;
/** Files that grow are looked at ever more rarely, down to this. */
const MAX_GROWING_LOOK_MS = 30_000;
/** How often screens hear of a scan's progress. */
const TOUCH_EVERY_MS = 1_000;

interface RunningScan {
  readonly epoch: number;
  readonly isWhole: boolean;
  readonly scopes: readonly string[];
  readonly jobId: string;
  readonly abort: AbortController;
}

interface Growing {
  file: SeenFile | null;
  waitMs: number;
  lookAtMs: number;
}

export class LibraryKeeper implements Behavior<KeeperMessage> {
  readonly #options: KeeperOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #timers = new Map<string, Timer>();
  readonly #waitingForWhole: Reply<string>[] = [];
  readonly #changed = new Set<string>();
  readonly #growing = new Map<string, Growing>();
  #changedSinceMs = 0;
  #isWholeWanted = false;
  #scan: RunningScan | null = null;
  #watch: TreeWatch | null = null;
  /** The root as it was when a scan gave up on it; the next scan waits for it to change. */
  #away: string | null = null;
  #epoch = 0;
  /** Of the watch that counts: news of an earlier one is old. */
  #watchToken: object = {};
  #isScanDueWhenWatched = false;
  #state: LibraryState = { watching: 'off', scan: null };

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#clock = options.ports.clock;
    this.#log = options.ports.log.child({ library: options.library.name });
  }

  async onMessage(message: KeeperMessage): Promise<void> {
    switch (message.kind) {
      case 'start':
        this.#after('rescan', RESCAN_MS);
        return this.#watchAndScan();
      case 'watching':
        return this.#onWatching(message.watch, message.token);
      case 'waitedForWatch':
        return this.#wantWhole();
      case 'scan':
        if (this.#scan?.isWhole) return message.reply.resolve(this.#scan.jobId);
        this.#waitingForWhole.push(message.reply);
        return this.#wantWhole();
      case 'rescan':
        this.#after('rescan', RESCAN_MS);
        return this.#options.watchMode === 'off' ? undefined : this.#wantWhole();
      case 'watch':
        return message.token === this.#watchToken ? this.#onWatch(message.news) : undefined;
      case 'look':
        return this.#noteChanged(message.paths);
      case 'flush':
        return this.#next();
      case 'lookAtGrowing':
        return this.#lookAtGrowing();
      case 'lookForFolder':
        return this.#lookForFolder();
      case 'ended':
        return message.epoch === this.#scan?.epoch ? this.#onEnded(message.outcome) : undefined;
    }
  }

  async onStop(): Promise<void> {
    this.#stop.abort();
    this.#scan?.abort.abort(new Error('the library is no longer kept'));
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#options.ports.health.clear(unavailableId(this.#options.library));
    this.#options.ports.health.clear(watchId(this.#options.library));
    await this.#watch?.[Symbol.asyncDispose]();
  }

  // Scans.

  async #wantWhole(): Promise<void> {
    this.#isWholeWanted = true;
    await this.#next();
  }

  /** Begins what is due, unless a scan runs: its end comes back here. */
  async #next(): Promise<void> {
    if (this.#scan) return;
    if (this.#isWholeWanted) {
      this.#isWholeWanted = false;
      this.#changed.clear();
      await this.#begin(['']);
      return;
    }
    if (this.#changed.size === 0 || this.#away !== null) return;
    const scopes = [...this.#changed].filter((path) => !this.#growing.has(path));
    this.#changed.clear();
    if (scopes.length > 0) await this.#begin(scopes.length > MAX_SCOPES ? [''] : scopes);
  }

  async #begin(scopes: readonly string[]): Promise<void> {
    const { library, ports } = this.#options;
    const isWhole = scopes.includes('');
    const abort = new AbortController();
    const epoch = ++this.#epoch;
    const started = Promise.withResolvers<RunningScan>();
    const { job } = await ports.jobs.run(
      { kind: 'scan', subject: library.name, libraryId: library.id },
      async (running) => {
        await this.#work(await started.promise, running, scopes);
      },
    );
    const scan: RunningScan = { epoch, isWhole, scopes, jobId: job.id, abort };
    this.#scan = scan;
    this.#setState({
      scan: { jobId: job.id, seen: 0, done: 0, toDo: 0, startedAt: Math.trunc(this.#clock.nowMs()) },
    });
    if (isWhole) {
      for (const reply of this.#waitingForWhole.splice(0)) reply.resolve(job.id);
      await this.#touch();
    }
    started.resolve(scan);
  }

  /** Beside the mailbox: everything that this changes goes through a message, but for the progress that is shown. */
  async #work(scan: RunningScan, job: RunningJob, scopes: readonly string[]): Promise<void> {
    const { ports, jobFailure, tell } = this.#options;
    const end = (outcome: ScanOutcome): void => tell({ kind: 'ended', epoch: scan.epoch, outcome });
    try {
      const result = await runScan(ports, {
        library: await this.#row(),
        scopes,
        unsettled: scan.isWhole ? 'now' : 'later',
        signal: AbortSignal.any([job.signal, scan.abort.signal, this.#stop.signal]),
        onProgress: (progress) => this.#onProgress(scan, job, progress),
      });
      job.progress({ done: result.done, total: result.toDo, note: summary(result) });
      end({ kind: 'done', result });
    } catch (error) {
      if (error instanceof LibraryUnavailable) {
        end({ kind: 'away', code: error.code });
        throw jobFailure(unavailableFinding(this.#options.library, error.code).title);
      }
      end({
        kind: scan.abort.signal.aborted || job.signal.aborted || this.#stop.signal.aborted ? 'stopped' : 'failed',
      });
      if (this.#stop.signal.aborted && !job.signal.aborted) throw jobFailure('The library was removed.');
      throw error;
    }
  }

  /** With the identity of the last complete scan. */
  async #row(): Promise<LibraryRow> {
    const rows = await this.#options.ports.libraries.list();
    return rows.find(({ id }) => id === this.#options.library.id) ?? this.#options.library;
  }

  #onProgress(scan: RunningScan, job: RunningJob, progress: ScanProgress): void {
    if (this.#scan !== scan || !this.#state.scan) return;
    job.progress({ done: progress.done, total: progress.toDo, note: filesSeen(progress.seen) });
    this.#setState({ scan: { ...this.#state.scan, ...progress } });
    if (this.#timers.has('touch')) return;
    this.#timers.set(
      'touch',
      this.#clock.after(TOUCH_EVERY_MS, () => {
        this.#timers.delete('touch');
        if (this.#scan === scan) void this.#touch();
      }),
    );
  }

  async #onEnded(outcome: ScanOutcome): Promise<void> {
    const { library, ports, onScanned } = this.#options;
    const isWhole = this.#scan?.isWhole === true;
    const scopes = this.#scan?.scopes ?? [];
    this.#scan = null;
    this.#setState({ scan: null });
    if (outcome.kind === 'away') {
      ports.health.set(unavailableFinding(library, outcome.code));
      this.#away = await this.#lookAsText();
      this.#after('lookForFolder', AWAY_LOOK_MS);
    } else if (outcome.kind === 'done') {
      this.#away = null;
      ports.health.clear(unavailableId(library));
      this.#watchGrowing(outcome.result.unsettled);
      onScanned(outcome.result, scopes);
    }
    // What a scan that failed was to look at is looked at with everything else, a while later.
    if (outcome.kind === 'failed') this.#after('rescan', RETRY_MS);
    if (isWhole || (outcome.kind === 'done' && outcome.result.done + outcome.result.missing > 0)) await this.#touch();
    await this.#next();
  }

  // Files that are still being written.

  #watchGrowing(paths: readonly string[]): void {
    for (const path of paths) {
      this.#growing.set(path, { file: null, waitMs: SETTLE_MS, lookAtMs: this.#clock.monotonicMs() + SETTLE_MS });
    }
    if (this.#growing.size > 0 && !this.#timers.has('lookAtGrowing')) this.#after('lookAtGrowing', SETTLE_MS);
  }

  /** A file that stayed the same from one look to the next, and is not young any more, is complete [KEEP5]. */
  async #lookAtGrowing(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#growing].filter(([, { lookAtMs }]) => lookAtMs <= nowMs);
    const files = await this.#statAll(due.map(([path]) => path));
    for (const [index, [path, growing]] of due.entries()) {
      const file = files[index] ?? null;
      const isQuiet =
        file === null ||
        (growing.file?.sizeBytes === file.sizeBytes &&
          growing.file.mtimeUs === file.mtimeUs &&
          Math.abs(this.#clock.nowMs() - file.mtimeUs / 1_000) >= SETTLE_MS);
      if (isQuiet) {
        this.#growing.delete(path);
        this.#noteChanged([path]);
        continue;
      }
      growing.file = file;
      growing.lookAtMs = nowMs + growing.waitMs;
      growing.waitMs = Math.min(2 * growing.waitMs, MAX_GROWING_LOOK_MS);
    }
    if (this.#growing.size > 0) this.#after('lookAtGrowing', SETTLE_MS);
  }

  async #statAll(paths: readonly string[]): Promise<readonly (SeenFile | null)[]> {
    try {
      return await this.#options.ports.walker.stat(this.#options.library.path, paths);
    } catch (error) {
      this.#log.warn('files that are being written could not be looked at', { error });
      return [];
    }
  }

  // Watching.

  /**
   * What changes after the watch stands is heard of, so the scan comes after it [KEEP1]. On a slow disk the watch takes minutes to
   * stand; then the scan does not wait for it, and another one closes the gap.
   */
  async #watchAndScan(): Promise<void> {
    const { library, ports, watchMode, tell } = this.#options;
    await this.#watch?.[Symbol.asyncDispose]();
    this.#watch = null;
    const token = {};
    this.#watchToken = token;
    if (watchMode === 'off') return this.#wantWhole();
    ports.health.clear(watchId(library));
    this.#isScanDueWhenWatched = true;
    this.#after('waitedForWatch', WATCH_WAIT_MS);
    const onNews = (news: WatchNews): void => tell({ kind: 'watch', news, token });
    void ports.watcher.watch(library.path, watchMode, onNews).then(
      async (watch) => {
        if (this.#stop.signal.aborted) await watch[Symbol.asyncDispose]();
        else tell({ kind: 'watching', watch, token });
      },
      (error: unknown) => {
        // The folder is away: the scan says so, and when it is back the watch is started again.
        this.#log.debug('watching could not begin', { error });
        tell({ kind: 'watching', watch: null, token });
      },
    );
  }

  async #onWatching(watch: TreeWatch | null, token: object): Promise<void> {
    if (token !== this.#watchToken) return await watch?.[Symbol.asyncDispose]();
    this.#watch = watch;
    // News of a limit may have come before.
    if (watch) this.#setState({ watching: watch.mode });
    this.#timers.get('waitedForWatch')?.[Symbol.dispose]();
    this.#timers.delete('waitedForWatch');
    if (!this.#isScanDueWhenWatched) return;
    this.#isScanDueWhenWatched = false;
    await this.#wantWhole();
  }

  async #onWatch(news: WatchNews): Promise<void> {
    if (news.kind === 'changed') return this.#noteChanged(news.paths);
    const { library, ports } = this.#options;
    if (news.kind === 'failed') this.#log.warn('watching a library failed; it is polled', { error: news.error });
    ports.health.set(watchFinding(library, news));
    this.#setState({ watching: 'polling' });
    await this.#touch();
  }

  /** Looked at when it has been quiet for a moment, so that a rename is seen with both its ends. */
  #noteChanged(paths: readonly string[]): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#changed.size === 0) this.#changedSinceMs = nowMs;
    for (const path of paths) this.#changed.add(path);
    this.#after('flush', Math.max(0, Math.min(QUIET_MS, this.#changedSinceMs + MAX_QUIET_MS - nowMs)));
  }

  // A folder that is away.

  async #lookForFolder(): Promise<void> {
    if (this.#away === null) return;
    const now = await this.#lookAsText();
    if (now === this.#away) return this.#after('lookForFolder', AWAY_LOOK_MS);
    this.#away = null;
    await this.#watchAndScan();
  }

  async #lookAsText(): Promise<string> {
    try {
      return JSON.stringify(await this.#options.ports.walker.look(this.#options.library.path));
    } catch (error) {
      this.#log.warn('a library’s folder could not be looked at', { error });
      return '';
    }
  }

  #after(kind: 'flush' | 'lookAtGrowing' | 'lookForFolder' | 'rescan' | 'waitedForWatch', delayMs: number): void {
    this.#timers.get(kind)?.[Symbol.dispose]();
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(kind);
      this.#options.tell({ kind });
    });
    this.#timers.set(kind, timer.unref());
  }

  #setState(change: Partial<LibraryState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onState(this.#state);
  }

  /** Lets screens read this library anew. Nothing depends on it: the next change brings it along. */
  async #touch(): Promise<void> {
    try {
      await this.#options.ports.libraries.touch(this.#options.library.id);
    } catch (error) {
      this.#log.warn('a change of a library could not be recorded', { error });
    }
  }
}

function summary({ seen, done, missing }: ScanResult): string {
  return `${filesSeen(seen)}, ${done} new or changed, ${missing} gone`;
}

const filesSeen = (files: number): string => `${files} ${files === 1 ? 'file' : 'files'} seen`;
