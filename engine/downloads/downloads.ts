/**
 * Copies of movies that people take along. Owns: the copy that is being made now, who fetches which copy, and what every screen was told
 * last. What was asked for is in the store, and the files in their folder; the row comes before the file and goes before it, so that a kill
 * at any moment leaves nothing that the next start does not put right.
 *
 * A copy is made once for all who want the same, one at a time. Whatever changes is seen by looking at the store anew and telling what
 * became different: queue places, movies that were put away, and progress alike [DL10].
 * Rules: SPEC.md.
 */
import * as v from 'valibot';
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { Lane } from '#engine/runtime/lane.ts';
import type { FeedEntry, SnapshotOf } from '#protocol/contract.ts';
import { downloadsFeed } from '#protocol/feeds/downloads.ts';
import type { CallContext, Handlers } from '#protocol/handler.ts';
import type { downloads as calls } from '#protocol/methods/downloads.ts';
import type { Download, DownloadFileOffer, DownloadRoom } from '#protocol/schema/downloads.ts';
import { CopyFailed, makeCopy } from './copy-work.ts';
import type { CopyProgress } from './copy-work.ts';
import { DownloadSigner } from './download-grant.ts';
import { createDownloadRoute } from './download-routes.ts';
import type { DownloadRoute, OpenedDownload } from './download-routes.ts';
import { choiceDigest, copyName, estimatedBytes, fileOffer, notOffered } from './offers.ts';
import type {
  ChangePort,
  CopyFolder,
  DownloadChoice,
  DownloadEncoder,
  DownloadFile,
  DownloadHosts,
  DownloadJob,
  DownloadStore,
  DownloadSubtitles,
  DownloadWishes,
  DownloadWork,
  NewDownload,
  SessionPort,
  StoredCopy,
  StoredDownload,
} from './ports.ts';
import { endingOf, saveName } from './save-name.ts';

/** How long an address works. What takes longer goes on under a new one [DL4]. */
export const LINK_MS = 12 * 3_600_000;
/** What one person may have waiting. */
export const WAITING_LIMIT = 50;
/** Of one person and of all: what a screen shows. */
const SHOWN_LIMIT = 10_000;
const LOOK_AFTER_MS = 100;
/** Scans change something every moment. */
const LOOK_AFTER_CHANGE_MS = 1_000;
const SWEEP_EVERY_MS = 10 * 60_000;
const SOONEST_SWEEP_MS = 500;
/** What has ended is shown for as long. */
const ENDED_KEPT_MS = 90 * 24 * 3_600_000;

const Order = v.object({ copyId: v.string() });

export interface DownloadsOptions {
  readonly store: DownloadStore;
  readonly folder: CopyFolder;
  readonly hosts: DownloadHosts;
  readonly subtitles: DownloadSubtitles;
  readonly wishes: (userId: string, movieId: string) => Promise<DownloadWishes>;
  readonly encoder: () => DownloadEncoder;
  readonly sessions: SessionPort;
  readonly work: DownloadWork;
  readonly changes: ChangePort;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => string;
  /** 32 random bytes or more, the same after each restart. */
  readonly urlKey: Uint8Array;
  /** Of all copies together; 0: none are prepared. */
  readonly quotaBytes: number;
  readonly personQuotaBytes: number;
  /** How long a copy is kept after it was made, or fetched last. */
  readonly keptForMs: number;
}

interface Making {
  readonly copyId: string;
  /** Nobody wants it any more. */
  readonly abort: AbortController;
  progress: CopyProgress;
}

type Context = Pick<CallContext<(typeof calls)['request']>, 'fail'>;
const START: CopyProgress = { share: 0, speed: null, leftMs: null, isHeld: false };
const JOB_STEPS = 100;

export class Downloads implements AsyncDisposable {
  readonly route: DownloadRoute;
  readonly #options: DownloadsOptions;
  readonly #signer: DownloadSigner;
  /** What asks for room, and what makes it, one after the other. */
  readonly #lane = new Lane(1);
  readonly #listeners = new Set<(entries: readonly FeedEntry[], audience: string) => void>();
  /** By download, and by person for their room: as it was told. */
  readonly #told = new Map<string, { readonly userId: string; readonly text: string }>();
  readonly #toldRooms = new Map<string, string>();
  /** How many fetch a copy now. */
  readonly #fetching = new Map<string, number>();
  readonly #endings: (() => unknown)[] = [];
  #making: Making | null = null;
  #isResting = false;
  #isDisposed = false;
  #isLooking = false;
  #lookTimer: { readonly timer: Timer; readonly atMs: number } | null = null;
  #sweepTimer: Timer | null = null;

  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#signer = new DownloadSigner(options.urlKey);
    const { sessions, clock, work } = options;
    this.route = createDownloadRoute({
      ...{ signer: this.#signer, sessions, clock },
      original: (fileId, sizeBytes, mtimeUs) => this.#openOriginal(fileId, sizeBytes, mtimeUs),
      copy: (downloadId, copyId) => this.#openCopy(downloadId, copyId),
    });
    work.handle('downloads', { concurrency: 1, attempts: 3, title: 'Preparing downloads' }, async (payload, job) => {
      v.parse(Order, payload);
      await this.#makeNext(job);
      return { kind: 'done' };
    });
    this.#endings.push(
      work.onReturn(() => void this.#orderAll()),
      work.onNews((kind, news) => {
        if (kind === 'downloads' && news.kind === 'cancelled') void this.#cancelAll();
      }),
    );
  }

  /** Puts right what an earlier life left, and begins. Before the work begins. */
  async start(): Promise<void> {
    const { store, changes } = this.#options;
    await store.requeue();
    this.#endings.push(
      await changes.onChange(() => {
        if (this.#told.size > 0) this.#wake(LOOK_AFTER_CHANGE_MS);
      }),
    );
    await this.#sweep();
    await this.#look();
  }

  /** The server is about to end: what is cut short goes on in its next life. */
  rest(): void {
    this.#isResting = true;
  }

  readonly handlers: Handlers<typeof calls> = {
    options: async ({ movieId, fileId }, { viewer, fail }) => {
      const files = await this.#filesOf(movieId, fail);
      const wanted = files.filter(({ id, extra }) => (fileId === undefined ? extra === null : id === fileId));
      if (fileId !== undefined && wanted.length === 0) return fail('notFound', { what: 'file', id: fileId });
      const wishes = await this.#options.wishes(viewer.id, wanted[0]?.movieId ?? movieId);
      const offers = await Promise.all(wanted.map((file) => this.#offer(file, wishes)));
      return { files: offers, room: await this.#room(viewer.id) };
    },
    request: async ({ movieId, fileId, key, ...wish }, { viewer, fail }) =>
      await this.#lane.run(async () => {
        const { store } = this.#options;
        const before = key === undefined ? null : await store.findByKey(viewer.id, key);
        if (before !== null) return { download: this.#view(before, await this.#queue()) };
        const file = (await this.#filesOf(movieId, fail)).find(({ id }) => id === fileId);
        if (!file) return fail('notFound', { what: 'file', id: fileId });
        const offer = await this.#offer(file, await this.#options.wishes(viewer.id, file.movieId));
        const choice: DownloadChoice = { ...wish, audioTracks: wish.audioTracks ?? defaultSound(offer) };
        const copy = await this.#prepared(viewer.id, file, offer, choice, { fail });
        const downloadId = await store.add(file, {
          ...{ ...choice, ...copy, id: this.#options.newId(), userId: viewer.id, key: key ?? null },
          name: copyName(file, offer, choice),
        });
        await this.#order(copy.copyId, file.title);
        return { download: await this.#viewOf(downloadId, fail) };
      }),
    cancel: async ({ downloadId }, { viewer, fail }) => {
      const found = await this.#own(downloadId, viewer.id, fail);
      if (found.copy !== null && found.copy.state !== 'ready') {
        await this.#discard(await this.#options.store.end(downloadId, 'cancelled'));
      }
      return { download: await this.#viewOf(downloadId, fail) };
    },
    remove: async ({ downloadId }, { viewer, fail }) => {
      await this.#own(downloadId, viewer.id, fail);
      await this.#discard(await this.#options.store.remove(downloadId));
      return {};
    },
    retry: async ({ downloadId }, { viewer, fail }) =>
      await this.#lane.run(async () => {
        const found = await this.#own(downloadId, viewer.id, fail);
        if (found.copy !== null) return { download: this.#view(found, await this.#queue()) };
        const { store, wishes } = this.#options;
        const file = await store.file(found.fileId);
        if (!file) return fail('notPreparable', { hindrance: 'missing' });
        const offer = await this.#offer(file, await wishes(viewer.id, file.movieId));
        const retrying: Context = {
          // What was offered once and is no more: the file was replaced by one without it.
          fail: (code, data, message) =>
            code === 'notOffered'
              ? fail('notPreparable', { hindrance: 'noTracks' })
              : fail(code as never, data as never, message),
        };
        const copy = await this.#prepared(viewer.id, file, offer, found, retrying);
        await store.revive(downloadId, file, copy);
        await this.#order(copy.copyId, file.title);
        return { download: await this.#viewOf(downloadId, fail) };
      }),
    link: async ({ downloadId }, { viewer, sessionId, fail }) => {
      const found = await this.#own(downloadId, viewer.id, fail);
      const { copy, name } = found;
      if (copy?.state !== 'ready') return fail('notReady', { state: this.#view(found, []).state });
      const { folder, clock } = this.#options;
      const sizeBytes = await folder.sizeOf(copy.id);
      if (sizeBytes === null) {
        await this.#lost(copy.id);
        return fail('notReady', { state: 'failed' });
      }
      const expiresAtMs = clock.nowMs() + LINK_MS;
      const token = this.#signer.sign({ kind: 'copy', downloadId, copyId: copy.id, sessionId, expiresAtMs });
      return { url: addressOf(token, name), name, sizeBytes, mimeType: 'video/mp4', expiresAt: expiresAtMs };
    },
    original: async ({ movieId, fileId }, { sessionId, fail }) => {
      const file = (await this.#filesOf(movieId, fail)).find(({ id }) => id === fileId);
      if (!file) return fail('notFound', { what: 'file', id: fileId });
      if (file.state === 'missing') return fail('notThere', {});
      const { sizeBytes, mtimeUs } = file;
      const expiresAtMs = this.#options.clock.nowMs() + LINK_MS;
      const token = this.#signer.sign({ kind: 'original', fileId, sizeBytes, mtimeUs, sessionId, expiresAtMs });
      const name = saveName(file, null, endingOf(file.path));
      return { url: addressOf(token, name), name, sizeBytes, mimeType: SAVED_TYPE, expiresAt: expiresAtMs };
    },
    list: async (_, { viewer }) => await this.#snapshot(viewer.id),
    everyones: async ({ limit }) => {
      const { store, quotaBytes: limitBytes } = this.#options;
      const [all, queue, copies] = await Promise.all([store.list(limit), this.#queue(), store.copies()]);
      const downloads = all.map((one) => ({ ...this.#view(one, queue), person: one.userName }));
      return { downloads, usedBytes: sizeOf(copies), limitBytes };
    },
    drop: async ({ downloadId }, { fail }) => {
      const { store } = this.#options;
      if ((await store.find(downloadId)) === null) return fail('notFound', { what: 'download', id: downloadId });
      await this.#discard(await store.remove(downloadId));
      return {};
    },
  };

  readonly feedSource = {
    feed: downloadsFeed,
    isDurable: false as const,
    audienceOf: ({ id }: { readonly id: string }): string => id,
    snapshot: (audience: string): Promise<SnapshotOf<typeof downloadsFeed>> => this.#snapshot(audience),
    onEntries: (listener: (entries: readonly FeedEntry[], audience: string) => void): (() => void) => {
      this.#listeners.add(listener);
      return () => void this.#listeners.delete(listener);
    },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#lookTimer?.timer[Symbol.dispose]();
    this.#sweepTimer?.[Symbol.dispose]();
    for (const end of this.#endings) await end();
  }

  // What there is

  async #filesOf(movieId: string, fail: Context['fail']): Promise<DownloadFile[]> {
    return (await this.#options.store.filesOf(movieId)) ?? fail('notFound', { what: 'movie', id: movieId });
  }

  async #offer(file: DownloadFile, wishes: DownloadWishes): Promise<DownloadFileOffer> {
    const choices = file.media === null ? [] : await this.#options.subtitles.choices(file);
    return fileOffer(file, choices, wishes, this.#options.quotaBytes === 0);
  }

  async #own(downloadId: string, userId: string, fail: Context['fail']): Promise<StoredDownload> {
    const found = await this.#options.store.find(downloadId);
    // Another's is not told from one that is not there.
    return found?.userId === userId ? found : fail('notFound', { what: 'download', id: downloadId });
  }

  /** Whether there is room for it, and which copy it gets. Room that nobody needs just now is taken from who has had theirs [DL13]. */
  async #prepared(
    userId: string,
    file: DownloadFile,
    offer: DownloadFileOffer,
    choice: DownloadChoice,
    { fail }: Context,
  ): Promise<Pick<NewDownload, 'copyId' | 'digest' | 'sizeBytes'>> {
    if (offer.hindrance !== null) return fail('notPreparable', { hindrance: offer.hindrance });
    const missing = notOffered(offer, choice);
    if (missing !== null) return fail('notOffered', { what: missing });
    const { store, newId, quotaBytes, personQuotaBytes } = this.#options;
    const digest = choiceDigest(choice);
    const all = await store.list(SHOWN_LIMIT);
    const same = all.find(
      ({ copy, fileId, ...one }) =>
        copy !== null &&
        fileId === file.id &&
        copy.sourceBytes === file.sizeBytes &&
        copy.sourceMtimeUs === file.mtimeUs &&
        choiceDigest(one) === digest,
    )?.copy;
    const copyId = same?.id ?? newId();
    const sizeBytes = same?.sizeBytes ?? estimatedBytes(offer, choice);
    const own = all.filter((one) => one.userId === userId && one.copy !== null);
    if (own.some(({ copy }) => copy?.id === same?.id && same !== undefined)) return { copyId, digest, sizeBytes };
    const waiting = own.filter(({ copy }) => copy?.state !== 'ready').length;
    if (waiting >= WAITING_LIMIT) return fail('tooManyDownloads', { limit: WAITING_LIMIT });
    const usedBytes = ownBytes(own);
    if (usedBytes + sizeBytes > personQuotaBytes) {
      return fail('noRoom', { whose: 'person', usedBytes, limitBytes: personQuotaBytes, neededBytes: sizeBytes });
    }
    if (same === undefined || same === null) {
      const usedByAll = await this.#makeRoom(sizeBytes);
      if (usedByAll + sizeBytes > quotaBytes) {
        return fail('noRoom', {
          whose: 'server',
          usedBytes: usedByAll,
          limitBytes: quotaBytes,
          neededBytes: sizeBytes,
        });
      }
    }
    return { copyId, digest, sizeBytes };
  }

  /** Removes copies that were fetched, the longest unused first, until so much more has room. Returns what is used then. */
  async #makeRoom(neededBytes: number): Promise<number> {
    const { store, quotaBytes } = this.#options;
    let copies = await store.copies();
    const had = copies
      .filter(({ state, usedAtMs, id }) => state === 'ready' && usedAtMs !== null && !this.#fetching.has(id))
      .toSorted((a, b) => (a.usedAtMs ?? 0) - (b.usedAtMs ?? 0));
    // Nothing is lost where it would not help.
    if (sizeOf(copies) - sizeOf(had) + neededBytes > quotaBytes) return sizeOf(copies);
    for (const copy of had) {
      if (sizeOf(copies) + neededBytes <= quotaBytes) break;
      await this.#expire(copy);
      copies = copies.filter(({ id }) => id !== copy.id);
    }
    return sizeOf(copies);
  }

  async #room(userId: string): Promise<DownloadRoom> {
    const { store, personQuotaBytes, keptForMs, quotaBytes } = this.#options;
    const usedBytes = ownBytes(await store.ofUser(userId));
    return { usedBytes, limitBytes: Math.min(personQuotaBytes, quotaBytes), keptForMs };
  }

  // Addresses

  async #openOriginal(fileId: string, sizeBytes: number, mtimeUs: number): Promise<OpenedDownload | null> {
    const file = await this.#options.store.file(fileId);
    if (file === null || file.state === 'missing' || file.sizeBytes !== sizeBytes || file.mtimeUs !== mtimeUs) {
      return null;
    }
    return { path: file.path, name: saveName(file, null, endingOf(file.path)), contentType: SAVED_TYPE };
  }

  async #openCopy(downloadId: string, copyId: string): Promise<OpenedDownload | null> {
    const { store, folder, log } = this.#options;
    const found = await store.find(downloadId);
    if (found?.copy?.id !== copyId || found.copy.state !== 'ready') return null;
    return {
      path: folder.pathOf(copyId),
      name: found.name,
      contentType: 'video/mp4',
      using: (isBeginning) => {
        const count = (this.#fetching.get(copyId) ?? 0) + (isBeginning ? 1 : -1);
        if (count > 0) this.#fetching.set(copyId, count);
        else this.#fetching.delete(copyId);
        store.setUsed(copyId).then(
          () => this.#wake(),
          (error: unknown) => log.warn('that a copy was fetched could not be kept', { error }),
        );
      },
      lost: () => void this.#lost(copyId),
    };
  }

  async #lost(copyId: string): Promise<void> {
    this.#options.log.warn('a copy is not on the disk any more', { copyId });
    await this.#options.store.drop(copyId, 'failed', 'lost');
    this.#wake();
  }

  // Making

  async #order(copyId: string, title: string): Promise<void> {
    this.#wake();
    try {
      const order = { kind: 'downloads', payload: { copyId }, urgency: 'click', key: copyId, subject: title } as const;
      await this.#options.work.order([order]);
    } catch (error) {
      // It is in the store, and ordered again when the queue is back.
      this.#options.log.warn('a copy waits until the queue is back', { copyId, error });
    }
  }

  async #orderAll(): Promise<void> {
    for (const { id, state } of await this.#options.store.copies()) if (state === 'queued') await this.#order(id, '');
  }

  /** One order, one copy: the one that waits for longest, whichever the order was for. */
  async #makeNext(job: DownloadJob): Promise<void> {
    const { store, folder, log, quotaBytes, personQuotaBytes } = this.#options;
    const copies = await store.copies();
    const copy = copies.find(({ state }) => state === 'queued');
    if (!copy || this.#making !== null) return;
    const making: Making = { copyId: copy.id, abort: new AbortController(), progress: START };
    this.#making = making;
    try {
      const choice = await store.choiceOf(copy.id);
      if (choice === null || !(await store.setState(copy.id, 'preparing'))) return await this.#forget(copy.id);
      this.#wake();
      const others = sizeOf(copies.filter(({ id }) => id !== copy.id));
      const sizeBytes = await makeCopy(this.#options, copy, choice, {
        maxBytes: Math.max(0, Math.min(personQuotaBytes, quotaBytes - others)),
        signal: AbortSignal.any([job.signal, making.abort.signal]),
        tell: (progress) => {
          making.progress = progress;
          job.progress({ done: Math.round(progress.share * JOB_STEPS), total: JOB_STEPS });
          this.#wake();
        },
      });
      // Its row may have gone while it was made.
      if (await store.setReady(copy.id, sizeBytes)) await folder.clearWork(copy.id);
      else await folder.remove(copy.id);
    } catch (error) {
      if (making.abort.signal.aborted) return await folder.remove(copy.id);
      if (job.signal.aborted) {
        await store.setState(copy.id, 'queued');
        throw error;
      }
      const failure = error instanceof CopyFailed ? error.failure : 'trouble';
      log.warn('a copy could not be made', { copyId: copy.id, fileId: copy.fileId, failure, error });
      await store.drop(copy.id, 'failed', failure);
      await folder.remove(copy.id);
    } finally {
      this.#making = null;
      this.#wake();
      this.#planSweep(SOONEST_SWEEP_MS);
    }
  }

  async #forget(copyId: string): Promise<void> {
    await this.#options.store.drop(copyId, 'cancelled', null);
    await this.#options.folder.remove(copyId);
  }

  /** Ends the making of a copy that nobody wants any more, and removes what there is of it. */
  async #discard(copyId: string | null): Promise<void> {
    this.#wake();
    if (copyId === null) return;
    // Whoever makes it removes it, when its process has ended.
    if (this.#making?.copyId === copyId) this.#making.abort.abort(new Error('nobody wants it any more'));
    else await this.#options.folder.remove(copyId);
  }

  /** Those who run the server have stopped all of it. */
  async #cancelAll(): Promise<void> {
    for (const { id, state } of await this.#options.store.copies()) {
      if (state !== 'ready' && this.#making?.copyId !== id) await this.#forget(id);
    }
    this.#wake();
  }

  // Keeping in order

  async #expire({ id }: StoredCopy): Promise<void> {
    await this.#options.store.drop(id, 'expired', null);
    await this.#options.folder.remove(id);
    this.#wake();
  }

  #planSweep(afterMs: number): void {
    if (this.#isDisposed || this.#isResting) return;
    this.#sweepTimer?.[Symbol.dispose]();
    const { clock, log } = this.#options;
    const sweep = (): void =>
      void this.#sweep().catch((error: unknown) => log.warn('copies could not be looked through', { error }));
    this.#sweepTimer = clock.after(afterMs, sweep).unref();
  }

  /** Whose time is over, what has no row, and what nobody ordered. */
  async #sweep(): Promise<void> {
    const { store, folder, clock, keptForMs } = this.#options;
    // Files first: what has one by now had its row before.
    const files = await folder.ids();
    const copies = await store.copies();
    const known = new Set(copies.map(({ id }) => id));
    for (const id of files) if (!known.has(id) && this.#making?.copyId !== id) await folder.remove(id);
    if (this.#making && !known.has(this.#making.copyId)) await this.#discard(this.#making.copyId);
    let soonestMs = SWEEP_EVERY_MS;
    for (const copy of copies) {
      if (this.#making?.copyId === copy.id) continue;
      if (copy.state !== 'ready') {
        if ((await store.choiceOf(copy.id)) === null) await this.#forget(copy.id);
        // Not waited for: a queue that is away answers late.
        else void this.#order(copy.id, '');
        continue;
      }
      const leftMs = expiryMs(copy, keptForMs) - clock.nowMs();
      if (leftMs <= 0 && !this.#fetching.has(copy.id)) await this.#expire(copy);
      else if ((await folder.sizeOf(copy.id)) === null) await this.#lost(copy.id);
      else if ((await store.choiceOf(copy.id)) === null) await this.#forget(copy.id);
      else soonestMs = Math.min(soonestMs, Math.max(SOONEST_SWEEP_MS, leftMs));
    }
    await store.prune(ENDED_KEPT_MS);
    this.#planSweep(soonestMs);
  }

  // Telling

  async #snapshot(userId: string): Promise<SnapshotOf<typeof downloadsFeed>> {
    const [own, queue] = await Promise.all([this.#options.store.ofUser(userId), this.#queue()]);
    const { personQuotaBytes, quotaBytes, keptForMs } = this.#options;
    const room = { usedBytes: ownBytes(own), limitBytes: Math.min(personQuotaBytes, quotaBytes), keptForMs };
    return { downloads: own.map((one) => this.#view(one, queue)), room };
  }

  /** Ids of the copies that wait, the next one first. */
  async #queue(): Promise<string[]> {
    const copies = await this.#options.store.copies();
    return copies.filter(({ id, state }) => state !== 'ready' && id !== this.#making?.copyId).map(({ id }) => id);
  }

  async #viewOf(downloadId: string, fail: Context['fail']): Promise<Download> {
    const found = await this.#options.store.find(downloadId);
    return found ? this.#view(found, await this.#queue()) : fail('notFound', { what: 'download', id: downloadId });
  }

  #view(stored: StoredDownload, queue: readonly string[]): Download {
    const {
      copy,
      part,
      partCount,
      userId: _userId,
      userName: _userName,
      ended,
      failure,
      createdAtMs,
      ...rest
    } = stored;
    const making = copy !== null && this.#making?.copyId === copy.id ? this.#making : null;
    const state =
      copy === null ? (ended ?? 'failed') : copy.state === 'ready' ? 'ready' : making ? 'preparing' : 'queued';
    const progress = state === 'preparing' ? (making?.progress ?? START) : null;
    return {
      ...rest,
      audioTracks: [...rest.audioTracks],
      subtitles: [...rest.subtitles],
      part: part === null ? null : { number: part, count: partCount },
      state,
      place: state === 'queued' && copy ? Math.max(0, queue.indexOf(copy.id)) + 1 : null,
      progress: progress && Math.round(progress.share * 1_000) / 1_000,
      speed: progress?.speed == null ? null : Math.round(progress.speed * 10) / 10,
      leftMs: progress?.leftMs ?? null,
      isHeld: progress?.isHeld ?? false,
      // With neither a copy nor an end, the movie's file has gone, and the copy with it.
      failure: state !== 'failed' ? null : (failure ?? (ended === null ? 'sourceGone' : 'trouble')),
      createdAt: createdAtMs,
      readyAt: copy?.readyAtMs ?? null,
      expiresAt: copy?.state === 'ready' ? expiryMs(copy, this.#options.keptForMs) : null,
    };
  }

  #wake(afterMs: number = LOOK_AFTER_MS): void {
    if (this.#isDisposed) return;
    const { clock, log } = this.#options;
    const atMs = clock.monotonicMs() + afterMs;
    if (this.#lookTimer && this.#lookTimer.atMs <= atMs) return;
    this.#lookTimer?.timer[Symbol.dispose]();
    const look = (): void => {
      this.#lookTimer = null;
      this.#look().catch((error: unknown) => log.warn('downloads could not be told of', { error }));
    };
    this.#lookTimer = { timer: clock.after(afterMs, look).unref(), atMs };
  }

  /** [DL10] Tells each person what became different since they were told last. */
  async #look(): Promise<void> {
    // One at a time: an older answer must not come after a newer one.
    if (this.#isLooking) return this.#wake();
    this.#isLooking = true;
    try {
      const [all, queue] = await Promise.all([this.#options.store.list(SHOWN_LIMIT), this.#queue()]);
      const entries = new Map<string, FeedEntry[]>();
      const tell = (userId: string, entry: object): void => {
        entries.set(userId, [...(entries.get(userId) ?? []), entry as FeedEntry]);
      };
      const seen = new Set<string>();
      for (const stored of all) {
        seen.add(stored.id);
        const download = this.#view(stored, queue);
        const text = JSON.stringify(download);
        if (this.#told.get(stored.id)?.text === text) continue;
        this.#told.set(stored.id, { userId: stored.userId, text });
        tell(stored.userId, { kind: 'download', id: stored.id, download });
      }
      for (const [id, { userId }] of this.#told) {
        if (seen.has(id)) continue;
        this.#told.delete(id);
        tell(userId, { kind: 'download', id, download: null });
      }
      const { personQuotaBytes, quotaBytes, keptForMs } = this.#options;
      const byUser = Map.groupBy(all, ({ userId }) => userId);
      for (const userId of new Set([...byUser.keys(), ...this.#toldRooms.keys()])) {
        const usedBytes = ownBytes(byUser.get(userId) ?? []);
        const room = { usedBytes, limitBytes: Math.min(personQuotaBytes, quotaBytes), keptForMs };
        const text = JSON.stringify(room);
        if (this.#toldRooms.get(userId) === text) continue;
        this.#toldRooms.set(userId, text);
        tell(userId, { kind: 'room', id: 'mine', room });
      }
      for (const [userId, own] of entries) for (const listener of this.#listeners) listener(own, userId);
    } finally {
      this.#isLooking = false;
    }
  }
}

/** So that no browser shows it instead of saving it. */
const SAVED_TYPE = 'application/octet-stream';

const addressOf = (token: string, name: string): string => `/download/${token}/${encodeURIComponent(name)}`;

const sizeOf = (copies: readonly StoredCopy[]): number => copies.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

const ownBytes = (own: readonly StoredDownload[]): number => sizeOf(own.flatMap(({ copy }) => copy ?? []));

const expiryMs = ({ readyAtMs, usedAtMs }: StoredCopy, keptForMs: number): number =>
  Math.max(readyAtMs ?? 0, usedAtMs ?? 0) + keptForMs;

function defaultSound(offer: DownloadFileOffer): number[] {
  const heard = offer.audioTracks.find(({ isDefault }) => isDefault);
  return heard ? [heard.trackIndex] : [];
}
