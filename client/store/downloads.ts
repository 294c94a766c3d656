/**
 * The copies of movies that this person asked for, as the server tells of them, and what can be done with them. Files as they are leave no
 * trace here: their address is all there is.
 */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { InputOf } from '#protocol/contract.ts';
import type { Failure } from '#protocol/errors.ts';
import { downloadsFeed } from '#protocol/feeds/downloads.ts';
import { downloads as calls } from '#protocol/methods/downloads.ts';
import type { Download, DownloadFileOffer, DownloadLink, DownloadRoom } from '#protocol/schema/downloads.ts';
import type { Cinema } from './cinema.ts';
import type { Server } from './ports.ts';

export type DownloadRequest = InputOf<typeof calls.request>;
/** What is asked for of one file. */
export type PartRequest = InputOf<typeof calls.requestParts>['parts'][number];

/** `before`: as it was known here; absent for one that is new. */
export type DownloadListener = (download: Download, before: Download | undefined) => void;

export interface DownloadOptions {
  readonly files: readonly DownloadFileOffer[];
  readonly room: DownloadRoom;
}

/** It is on its way: it waits, or is being made. */
export const isUnderWay = ({ state }: Download): boolean => state === 'queued' || state === 'preparing';

export const latestFirst = <D extends Download>(downloads: Iterable<D>): readonly D[] =>
  [...downloads].toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));

/** The same for every part of the page. `null` for people who may not download. */
export function downloadsOf(cinema: Cinema): DownloadsStore | null {
  if (!cinema.viewer.permissions.includes('movies:download')) return null;
  return cinema.kept('downloads', '', () => new DownloadsStore(cinema.server));
}

export class DownloadsStore {
  readonly #server: Server;
  readonly #downloads = signal<readonly Download[] | null>(null);
  readonly #room = signal<DownloadRoom | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #fresh = signal<ReadonlySet<string>>(new Set());
  readonly #listeners = new Set<DownloadListener>();
  readonly #unfollow: () => void;

  constructor(server: Server) {
    this.#server = server;
    this.#unfollow = server.follow(downloadsFeed, null, {
      onSnapshot: ({ downloads, room }) => {
        const known = this.#byId();
        const isFirst = this.#downloads.peek() === null;
        this.#room.value = room;
        this.#failure.value = null;
        this.#downloads.value = latestFirst(downloads);
        // What happened while the line was away is told as well; what was so before anyone looked is not news.
        if (!isFirst) for (const download of downloads) this.#tell(download, known.get(download.id));
      },
      onEntries: (entries) => {
        for (const entry of entries) {
          if (entry.kind === 'room') this.#room.value = entry.room;
          else if (entry.download === null) this.#forget(entry.id);
          else this.#take(entry.download);
        }
      },
      onFailure: (failure) => {
        this.#failure.value = failure;
      },
    });
  }

  /** The latest first; `null` until they are known. */
  get downloads(): ReadonlySignal<readonly Download[] | null> {
    return this.#downloads;
  }

  get room(): ReadonlySignal<DownloadRoom | null> {
    return this.#room;
  }

  /** Why the server does not tell of them; `null` while it does. */
  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** Ids of those that became ready while nobody looked at the list. */
  get fresh(): ReadonlySignal<ReadonlySet<string>> {
    return this.#fresh;
  }

  /** The list is looked at. */
  look(): void {
    if (this.#fresh.peek().size > 0) this.#fresh.value = new Set();
  }

  onChange(listener: DownloadListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What can be had of a movie; fails with `notFound`. */
  async options(movieId: string): Promise<DownloadOptions> {
    return await this.#server.call(calls.options, { movieId });
  }

  /** Fails with `notPreparable`, `notOffered`, `noRoom` or `tooManyDownloads`. */
  async request(wish: DownloadRequest): Promise<Download> {
    return this.#take((await this.#server.call(calls.request, wish)).download);
  }

  /** Asks for several files of a movie at once: all or none. Fails as `request` does. */
  async requestParts(movieId: string, parts: readonly PartRequest[]): Promise<readonly Download[]> {
    const { downloads } = await this.#server.call(calls.requestParts, { movieId, parts: [...parts] });
    return downloads.map((download) => this.#take(download));
  }

  async cancel(downloadId: string): Promise<void> {
    this.#take((await this.#server.call(calls.cancel, { downloadId })).download);
  }

  /** Makes again what failed, was cancelled or has expired. Fails as `request` does. */
  async retry(downloadId: string): Promise<void> {
    this.#take((await this.#server.call(calls.retry, { downloadId })).download);
  }

  async remove(downloadId: string): Promise<void> {
    await this.#server.call(calls.remove, { downloadId });
    this.#forget(downloadId);
  }

  /** An address that saves a copy; good for a while. Fails with `notReady`. */
  async link(downloadId: string): Promise<DownloadLink> {
    return await this.#server.call(calls.link, { downloadId });
  }

  /** An address that saves a file as it is. Fails with `notThere`. */
  async original(movieId: string, fileId: string): Promise<DownloadLink> {
    return await this.#server.call(calls.original, { movieId, fileId });
  }

  dispose(): void {
    this.#unfollow();
    this.#listeners.clear();
  }

  #byId(): Map<string, Download> {
    return new Map((this.#downloads.peek() ?? []).map((download) => [download.id, download]));
  }

  #take(download: Download): Download {
    const byId = this.#byId();
    const before = byId.get(download.id);
    this.#downloads.value = latestFirst(byId.set(download.id, download).values());
    this.#tell(download, before);
    return download;
  }

  #forget(downloadId: string): void {
    const rows = this.#downloads.peek();
    this.#fresh.value = new Set([...this.#fresh.peek()].filter((id) => id !== downloadId));
    if (rows !== null) this.#downloads.value = rows.filter(({ id }) => id !== downloadId);
  }

  #tell(download: Download, before: Download | undefined): void {
    const fresh = new Set(this.#fresh.peek());
    if (download.state !== 'ready') fresh.delete(download.id);
    else if (before !== undefined && before.state !== 'ready') fresh.add(download.id);
    if (fresh.size !== this.#fresh.peek().size) this.#fresh.value = fresh;
    for (const listener of this.#listeners) listener(download, before);
  }
}
