/**
 * Movies that people take along: what can be had, what is asked for, and the addresses under which it is saved. How copies are made is
 * `CopyMaking`'s, what screens are told `DownloadTelling`'s.
 * Rules: SPEC.md.
 */
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { Lane } from '#engine/runtime/lane.ts';
import type { CallContext, Handlers } from '#protocol/handler.ts';
import type { downloads as calls } from '#protocol/methods/downloads.ts';
import type { Download, DownloadFileOffer, DownloadWish } from '#protocol/schema/downloads.ts';
import { CopyMaking } from './copy-making.ts';
import { DownloadSigner } from './download-grant.ts';
import { createDownloadRoute } from './download-routes.ts';
import type { DownloadRoute, OpenedDownload } from './download-routes.ts';
import { DownloadTelling, LOOK_AFTER_CHANGE_MS } from './download-telling.ts';
import { ownBytes } from './download-view.ts';
import { choiceDigest, copyName, estimatedBytes, fileOffer, notOffered } from './offers.ts';
import type {
  ChangePort,
  CopyFolder,
  DownloadChoice,
  DownloadEncoder,
  DownloadFile,
  DownloadHosts,
  DownloadStore,
  DownloadSubtitles,
  DownloadWishes,
  DownloadWork,
  NewDownload,
  SessionPort,
  StoredDownload,
} from './ports.ts';
import { endingOf, saveName } from './save-name.ts';

/** How long an address works. What takes longer goes on under a new one [DL4]. */
export const LINK_MS = 12 * 3_600_000;
/** What one person may have waiting. */
export const WAITING_LIMIT = 50;
/** Of all people: what is looked through. */
const LOOKED_LIMIT = 10_000;

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

/** Something to be made of a file. */
interface Wanted {
  readonly file: DownloadFile;
  readonly offer: DownloadFileOffer;
  readonly choice: DownloadChoice;
}

type NewCopy = Pick<NewDownload, 'copyId' | 'digest' | 'sizeBytes'>;
type Context = Pick<CallContext<(typeof calls)['request']>, 'fail'>;

export class Downloads implements AsyncDisposable {
  readonly route: DownloadRoute;
  readonly #options: DownloadsOptions;
  readonly #signer: DownloadSigner;
  readonly #making: CopyMaking;
  readonly #telling: DownloadTelling;
  /** What asks for room, and what makes it, one after the other. */
  readonly #lane = new Lane(1);
  #unfollow: (() => Promise<void>) | null = null;

  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#signer = new DownloadSigner(options.urlKey);
    const { sessions, clock } = options;
    this.#making = new CopyMaking({ ...options, onChange: () => this.#telling.wake() });
    this.#telling = new DownloadTelling({ ...options, facts: () => this.#making.facts() });
    this.route = createDownloadRoute({
      ...{ signer: this.#signer, sessions, clock },
      original: (fileId, sizeBytes, mtimeUs) => this.#openOriginal(fileId, sizeBytes, mtimeUs),
      copy: (downloadId, copyId) => this.#openCopy(downloadId, copyId),
    });
  }

  /** Puts right what an earlier life left, and begins. Before the work begins. */
  async start(): Promise<void> {
    this.#unfollow = await this.#options.changes.onChange(() => {
      if (this.#telling.isAny) this.#telling.wake(LOOK_AFTER_CHANGE_MS);
    });
    await this.#making.start();
    await this.#telling.look();
  }

  /** The server is about to end: what is cut short goes on in its next life. */
  rest(): void {
    this.#making.rest();
  }

  readonly handlers: Handlers<typeof calls> = {
    options: async ({ movieId, fileId }, { viewer, fail }) => {
      const files = await this.#filesOf(movieId, fail);
      const wanted = files.filter(({ id, extra }) => (fileId === undefined ? extra === null : id === fileId));
      if (fileId !== undefined && wanted.length === 0) return fail('notFound', { what: 'file', id: fileId });
      const wishes = await this.#options.wishes(viewer.id, wanted[0]?.movieId ?? movieId);
      const offers = await Promise.all(wanted.map((file) => this.#offer(file, wishes)));
      return { files: offers, room: this.#telling.roomOf(await this.#options.store.ofUser(viewer.id)) };
    },
    request: async ({ movieId, key, ...wish }, { viewer, fail }) =>
      await this.#lane.run(async () => {
        const before = key === undefined ? null : await this.#options.store.findByKey(viewer.id, key);
        if (before !== null) return { download: await this.#telling.view(before) };
        const [downloadId] = await this.#add(viewer.id, movieId, [wish], key ?? null, { fail });
        return { download: await this.#viewOf(downloadId!, fail) };
      }),
    requestParts: async ({ movieId, parts }, { viewer, fail }) =>
      await this.#lane.run(async () => {
        const ids = await this.#add(viewer.id, movieId, parts, null, { fail });
        return { downloads: await Promise.all(ids.map((downloadId) => this.#viewOf(downloadId, fail))) };
      }),
    cancel: async ({ downloadId }, { viewer, fail }) => {
      const found = await this.#own(downloadId, viewer.id, fail);
      if (found.copy !== null && found.copy.state !== 'ready') {
        await this.#making.discard(await this.#options.store.end(downloadId, 'cancelled'));
      }
      return { download: await this.#viewOf(downloadId, fail) };
    },
    remove: async ({ downloadId }, { viewer, fail }) => {
      await this.#own(downloadId, viewer.id, fail);
      await this.#making.discard(await this.#options.store.remove(downloadId));
      return {};
    },
    retry: async ({ downloadId }, { viewer, fail }) =>
      await this.#lane.run(async () => {
        const found = await this.#own(downloadId, viewer.id, fail);
        if (found.copy !== null) return { download: await this.#telling.view(found) };
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
        const [copy] = await this.#prepared(viewer.id, [{ file, offer, choice: found }], retrying);
        await store.revive(downloadId, file, copy!);
        await this.#making.order(copy!.copyId, file.title);
        return { download: await this.#viewOf(downloadId, fail) };
      }),
    link: async ({ downloadId }, { viewer, sessionId, fail }) => {
      const found = await this.#own(downloadId, viewer.id, fail);
      const { copy, name } = found;
      if (copy?.state !== 'ready') return fail('notReady', { state: (await this.#telling.view(found)).state });
      const { folder, clock } = this.#options;
      const sizeBytes = await folder.sizeOf(copy.id);
      if (sizeBytes === null) {
        await this.#making.lose(copy.id);
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
    list: async (_, { viewer }) => await this.#telling.snapshot(viewer.id),
    everyones: async ({ limit }) => await this.#telling.everyones(limit),
    drop: async ({ downloadId }, { fail }) => {
      const { store } = this.#options;
      if ((await store.find(downloadId)) === null) return fail('notFound', { what: 'download', id: downloadId });
      await this.#making.discard(await store.remove(downloadId));
      return {};
    },
  };

  get feedSources(): DownloadTelling['feedSources'] {
    return this.#telling.feedSources;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#telling[Symbol.dispose]();
    this.#making[Symbol.dispose]();
    await this.#unfollow?.();
  }

  // Asking

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

  /** Puts what is wanted on the person's list, all of it or, where anything can't be had, nothing [DL35]. Returns the downloads' ids. */
  async #add(
    userId: string,
    movieId: string,
    wishes: readonly DownloadWish[],
    key: string | null,
    { fail }: Context,
  ): Promise<string[]> {
    const { store, newId, wishes: wishesOf } = this.#options;
    const files = await this.#filesOf(movieId, fail);
    const wanted: Wanted[] = [];
    for (const { fileId, ...wish } of wishes) {
      const file = files.find(({ id }) => id === fileId);
      if (!file) return fail('notFound', { what: 'file', id: fileId });
      const offer = await this.#offer(file, await wishesOf(userId, file.movieId));
      wanted.push({ file, offer, choice: { ...wish, audioTracks: wish.audioTracks ?? defaultSound(offer) } });
    }
    const copies = await this.#prepared(userId, wanted, { fail });
    const ids: string[] = [];
    for (const [index, { file, offer, choice }] of wanted.entries()) {
      const name = copyName(file, offer, choice);
      ids.push(await store.add(file, { ...choice, ...copies[index]!, id: newId(), userId, key, name }));
    }
    for (const [index, { file }] of wanted.entries()) await this.#making.order(copies[index]!.copyId, file.title);
    return ids;
  }

  /** Whether there is room for all of it, and which copies it gets. Room that nobody needs just now is taken from who has had theirs [DL13]. */
  async #prepared(userId: string, wanted: readonly Wanted[], { fail }: Context): Promise<NewCopy[]> {
    for (const { offer, choice } of wanted) {
      if (offer.hindrance !== null) return fail('notPreparable', { hindrance: offer.hindrance });
      const missing = notOffered(offer, choice);
      if (missing !== null) return fail('notOffered', { what: missing });
    }
    const { store, newId, quotaBytes, personQuotaBytes } = this.#options;
    const all = await store.list(LOOKED_LIMIT);
    const own = all.filter((one) => one.userId === userId && one.copy !== null);
    const copies = wanted.map(({ file, offer, choice }) => {
      const digest = choiceDigest(choice);
      const same = all.find(
        ({ copy, fileId, ...one }) =>
          copy !== null &&
          fileId === file.id &&
          copy.sourceBytes === file.sizeBytes &&
          copy.sourceMtimeUs === file.mtimeUs &&
          choiceDigest(one) === digest,
      )?.copy;
      const isOwn = same != null && own.some(({ copy }) => copy?.id === same.id);
      const copyId = same?.id ?? newId();
      return {
        copyId,
        digest,
        sizeBytes: same?.sizeBytes ?? estimatedBytes(offer, choice),
        isOwn,
        isNew: same == null,
      };
    });
    const added = copies.filter(({ isOwn }) => !isOwn);
    if (added.length === 0) return copies;
    const waiting = own.filter(({ copy }) => copy?.state !== 'ready').length;
    if (waiting + added.length > WAITING_LIMIT) return fail('tooManyDownloads', { limit: WAITING_LIMIT });
    const neededBytes = added.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const usedBytes = ownBytes(own);
    if (usedBytes + neededBytes > personQuotaBytes) {
      return fail('noRoom', { whose: 'person', usedBytes, limitBytes: personQuotaBytes, neededBytes });
    }
    const made = added.filter(({ isNew }) => isNew);
    const madeBytes = made.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (made.length > 0) {
      const usedByAll = await this.#making.makeRoom(madeBytes);
      if (usedByAll + madeBytes > quotaBytes) {
        const room = { usedBytes: usedByAll, limitBytes: quotaBytes, neededBytes: madeBytes };
        return fail('noRoom', { whose: 'server', ...room });
      }
    }
    return copies;
  }

  async #viewOf(downloadId: string, fail: Context['fail']): Promise<Download> {
    const found = await this.#options.store.find(downloadId);
    return found ? await this.#telling.view(found) : fail('notFound', { what: 'download', id: downloadId });
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
    const { store, folder } = this.#options;
    const found = await store.find(downloadId);
    if (found?.copy?.id !== copyId || found.copy.state !== 'ready') return null;
    return {
      path: folder.pathOf(copyId),
      name: found.name,
      contentType: 'video/mp4',
      using: (isBeginning) => this.#making.use(copyId, isBeginning),
      lost: () => void this.#making.lose(copyId),
    };
  }
}

/** So that no browser shows it instead of saving it. */
const SAVED_TYPE = 'application/octet-stream';

const addressOf = (token: string, name: string): string => `/download/${token}/${encodeURIComponent(name)}`;

function defaultSound(offer: DownloadFileOffer): number[] {
  const heard = offer.audioTracks.find(({ isDefault }) => isDefault);
  return heard ? [heard.trackIndex] : [];
}
