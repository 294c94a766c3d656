/** What all people have had prepared, as it happens, for who runs the server: followed for as long as it is looked at. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Failure } from '#protocol/errors.ts';
import { everyonesDownloadsFeed } from '#protocol/feeds/everyones-downloads.ts';
import { downloads as calls } from '#protocol/methods/downloads.ts';
import type { PersonsDownload } from '#protocol/schema/downloads.ts';
import { latestFirst } from './downloads.ts';
import type { Server } from './ports.ts';

/** Of all copies together. */
export interface EveryonesRoom {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export class EveryonesDownloads {
  readonly #server: Server;
  readonly #downloads = signal<readonly PersonsDownload[] | null>(null);
  readonly #room = signal<EveryonesRoom | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #unfollow: () => void;

  constructor(server: Server) {
    this.#server = server;
    this.#unfollow = server.follow(everyonesDownloadsFeed, null, {
      onSnapshot: ({ downloads, ...room }) => {
        this.#failure.value = null;
        this.#room.value = room;
        this.#downloads.value = latestFirst(downloads);
      },
      onEntries: (entries) => {
        const byId = new Map((this.#downloads.peek() ?? []).map((download) => [download.id, download]));
        for (const entry of entries) {
          if (entry.kind === 'room') this.#room.value = { usedBytes: entry.usedBytes, limitBytes: entry.limitBytes };
          else if (entry.download === null) byId.delete(entry.id);
          else byId.set(entry.id, entry.download);
        }
        this.#downloads.value = latestFirst(byId.values());
      },
      onFailure: (failure) => {
        this.#failure.value = failure;
      },
    });
  }

  /** The latest first; `null` until they are known. */
  get downloads(): ReadonlySignal<readonly PersonsDownload[] | null> {
    return this.#downloads;
  }

  get room(): ReadonlySignal<EveryonesRoom | null> {
    return this.#room;
  }

  /** Why they can't be told. */
  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** Removes one of anybody. */
  async drop(downloadId: string): Promise<void> {
    await this.#server.call(calls.drop, { downloadId });
    this.#downloads.value = this.#downloads.peek()?.filter(({ id }) => id !== downloadId) ?? null;
  }

  dispose(): void {
    this.#unfollow();
  }
}
