/**
 * What every screen is told of downloads. Owns: what it was told last.
 *
 * Whatever changes is seen by looking at the store anew and telling what became different: queue places, movies that were put away, and
 * progress alike. Rules DL9, DL10 and DL34 of SPEC.md.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { FeedEntry, SnapshotOf } from '#protocol/contract.ts';
import { downloadsFeed } from '#protocol/feeds/downloads.ts';
import { everyonesDownloadsFeed } from '#protocol/feeds/everyones-downloads.ts';
import type { Download, DownloadRoom } from '#protocol/schema/downloads.ts';
import { bytesOf, downloadView, ownBytes } from './download-view.ts';
import type { MakingFacts } from './download-view.ts';
import type { DownloadStore, StoredDownload } from './ports.ts';

/** Of all people: what is told at most. */
const TOLD_LIMIT = 10_000;
const LOOK_AFTER_MS = 100;
/** Scans change something every moment. */
export const LOOK_AFTER_CHANGE_MS = 1_000;
/** What a screen of all people's begins with. */
const EVERYONES_SHOWN = 200;

export interface DownloadTellingOptions {
  readonly store: DownloadStore;
  readonly facts: () => Promise<MakingFacts>;
  readonly clock: Clock;
  readonly log: Log;
  readonly quotaBytes: number;
  readonly personQuotaBytes: number;
  readonly keptForMs: number;
}

type Listener = (entries: readonly FeedEntry[], audience: string) => void;

/** All who may see all of them see the same. */
const EVERYONE = 'all';

export class DownloadTelling implements Disposable {
  readonly #options: DownloadTellingOptions;
  readonly #listeners = new Set<Listener>();
  readonly #everyonesListeners = new Set<Listener>();
  /** By download, by person for their room, and of everybody's room: as it was told. */
  readonly #told = new Map<string, { readonly userId: string; readonly text: string }>();
  readonly #toldRooms = new Map<string, string>();
  #toldUsedBytes: number | null = null;
  #isDisposed = false;
  #isLooking = false;
  #timer: { readonly timer: Timer; readonly atMs: number } | null = null;

  constructor(options: DownloadTellingOptions) {
    this.#options = options;
  }

  /** There is anything that could change. */
  get isAny(): boolean {
    return this.#told.size > 0;
  }

  readonly feedSources = [
    {
      feed: downloadsFeed,
      isDurable: false as const,
      audienceOf: ({ id }: { readonly id: string }): string => id,
      snapshot: (audience: string): Promise<SnapshotOf<typeof downloadsFeed>> => this.snapshot(audience),
      onEntries: (listener: Listener): (() => void) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    },
    {
      feed: everyonesDownloadsFeed,
      isDurable: false as const,
      audienceOf: (): string => EVERYONE,
      snapshot: (): Promise<SnapshotOf<typeof everyonesDownloadsFeed>> => this.everyones(EVERYONES_SHOWN),
      onEntries: (listener: Listener): (() => void) => {
        this.#everyonesListeners.add(listener);
        return () => void this.#everyonesListeners.delete(listener);
      },
    },
  ] as const;

  async snapshot(userId: string): Promise<SnapshotOf<typeof downloadsFeed>> {
    const [own, facts] = await Promise.all([this.#options.store.ofUser(userId), this.#options.facts()]);
    return { downloads: own.map((one) => downloadView(one, facts)), room: this.roomOf(own) };
  }

  async everyones(limit: number): Promise<SnapshotOf<typeof everyonesDownloadsFeed>> {
    const { store, facts, quotaBytes: limitBytes } = this.#options;
    const [all, now, copies] = await Promise.all([store.list(limit), facts(), store.copies()]);
    const downloads = all.map((one) => ({ ...downloadView(one, now), person: one.userName }));
    return { downloads, usedBytes: bytesOf(copies), limitBytes };
  }

  async view(stored: StoredDownload): Promise<Download> {
    return downloadView(stored, await this.#options.facts());
  }

  roomOf(own: readonly StoredDownload[]): DownloadRoom {
    const { personQuotaBytes, quotaBytes, keptForMs } = this.#options;
    return { usedBytes: ownBytes(own), limitBytes: Math.min(personQuotaBytes, quotaBytes), keptForMs };
  }

  /** Something may have become different: looks, before long. */
  wake(afterMs: number = LOOK_AFTER_MS): void {
    if (this.#isDisposed) return;
    const { clock, log } = this.#options;
    const atMs = clock.monotonicMs() + afterMs;
    if (this.#timer && this.#timer.atMs <= atMs) return;
    this.#timer?.timer[Symbol.dispose]();
    const look = (): void => {
      this.#timer = null;
      this.look().catch((error: unknown) => log.warn('downloads could not be told of', { error }));
    };
    this.#timer = { timer: clock.after(afterMs, look).unref(), atMs };
  }

  /** Tells each person what became different since they were told last. */
  async look(): Promise<void> {
    // One at a time: an older answer must not come after a newer one.
    if (this.#isLooking) return this.wake();
    this.#isLooking = true;
    try {
      const { store, facts } = this.#options;
      const [all, now, copies] = await Promise.all([store.list(TOLD_LIMIT), facts(), store.copies()]);
      const entries = new Map<string, object[]>();
      const everyones: object[] = [];
      const tell = (userId: string, entry: object): void => {
        entries.set(userId, [...(entries.get(userId) ?? []), entry]);
      };
      const seen = new Set<string>();
      for (const stored of all) {
        const { id, userId, userName: person } = stored;
        seen.add(id);
        const download = downloadView(stored, now);
        const text = JSON.stringify([download, person]);
        if (this.#told.get(id)?.text === text) continue;
        this.#told.set(id, { userId, text });
        tell(userId, { kind: 'download', id, download });
        everyones.push({ kind: 'download', id, download: { ...download, person } });
      }
      for (const [id, { userId }] of this.#told) {
        if (seen.has(id)) continue;
        this.#told.delete(id);
        tell(userId, { kind: 'download', id, download: null });
        everyones.push({ kind: 'download', id, download: null });
      }
      const byUser = Map.groupBy(all, ({ userId }) => userId);
      for (const userId of new Set([...byUser.keys(), ...this.#toldRooms.keys()])) {
        const room = this.roomOf(byUser.get(userId) ?? []);
        const text = JSON.stringify(room);
        if (this.#toldRooms.get(userId) === text) continue;
        this.#toldRooms.set(userId, text);
        tell(userId, { kind: 'room', id: 'mine', room });
      }
      const usedBytes = bytesOf(copies);
      if (usedBytes !== this.#toldUsedBytes) {
        this.#toldUsedBytes = usedBytes;
        everyones.push({ kind: 'room', id: 'all', usedBytes, limitBytes: this.#options.quotaBytes });
      }
      const told = (listeners: ReadonlySet<Listener>, news: readonly object[], audience: string): void => {
        for (const listener of listeners) listener(news as FeedEntry[], audience);
      };
      for (const [userId, own] of entries) told(this.#listeners, own, userId);
      if (everyones.length > 0) told(this.#everyonesListeners, everyones, EVERYONE);
    } finally {
      this.#isLooking = false;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.timer[Symbol.dispose]();
  }
}
