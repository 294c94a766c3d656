/** What people watched, by slot. Owns: the states of the people who looked last, each loaded when it is first asked for. */
import { LRUCache } from 'lru-cache';
import type { BrowseTable, SlotListener } from './browse-table.ts';
import type { WatchRow } from './ports.ts';
import { clearBit, grown, setBit } from './slot-set.ts';
import type { Bits } from './slot-set.ts';

/** One person’s. */
export class WatchState {
  watched: Bits = new Uint32Array(0);
  readonly #rows = new Map<string, WatchRow>();
  readonly #lastAt = new Map<number, number>();
  #latest: number[] | null = null;

  apply(rows: readonly WatchRow[], slotOf: (movieId: string) => number | undefined): void {
    for (const row of rows) {
      this.#rows.set(row.movieId, row);
      const slot = slotOf(row.movieId);
      if (slot !== undefined) this.#place(row, slot);
    }
  }

  added(movieId: string, slot: number): void {
    const row = this.#rows.get(movieId);
    if (row) this.#place(row, slot);
  }

  removed(_movieId: string, slot: number): void {
    if (!this.#lastAt.delete(slot)) return;
    this.#latest = null;
    if (slot >>> 5 < this.watched.length) clearBit(this.watched, slot);
  }

  lastAt(slot: number): number | undefined {
    return this.#lastAt.get(slot);
  }

  /** Everything that was played or marked, the latest first. */
  latest(): readonly number[] {
    return (this.#latest ??= [...this.#lastAt]
      .sort(([a, left], [b, right]) => right - left || a - b)
      .map(([slot]) => slot));
  }

  #place({ isWatched, atMs }: WatchRow, slot: number): void {
    if (slot >>> 5 >= this.watched.length) this.watched = grown(this.watched, (slot >>> 5) * 2 + 32);
    if (isWatched) setBit(this.watched, slot);
    else clearBit(this.watched, slot);
    if (this.#lastAt.get(slot) !== atMs) this.#latest = null;
    this.#lastAt.set(slot, atMs);
  }
}

const MAX_PEOPLE = 64;

interface Entry {
  readonly state: WatchState;
  readonly loaded: Promise<void>;
}

export class WatchStates implements SlotListener {
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_PEOPLE });
  readonly #watched: (userId: string, movieIds: readonly string[] | null) => Promise<WatchRow[]>;
  #slotOf: BrowseTable['slotOf'] = () => undefined;

  constructor(watched: (userId: string, movieIds: readonly string[] | null) => Promise<WatchRow[]>) {
    this.#watched = watched;
  }

  /** Slots mean those of this table from now on. */
  follow(table: BrowseTable): void {
    this.#entries.clear();
    this.#slotOf = (movieId) => table.slotOf(movieId);
  }

  async of(userId: string): Promise<WatchState> {
    let entry = this.#entries.get(userId);
    if (!entry) {
      const state = new WatchState();
      const loaded = this.#watched(userId, null).then((rows) => state.apply(rows, this.#slotOf));
      entry = { state, loaded };
      this.#entries.set(userId, entry);
      const own = entry;
      loaded.catch(() => {
        if (this.#entries.peek(userId) === own) this.#entries.delete(userId);
      });
    }
    await entry.loaded;
    return entry.state;
  }

  /** Reads again what changed, where it was read before. */
  async refresh(userId: string, movieIds: readonly string[]): Promise<void> {
    const entry = this.#entries.peek(userId);
    if (!entry) return;
    // What is being read may be from before the change: what is read after it is written after it.
    try {
      await entry.loaded;
    } catch {
      return;
    }
    entry.state.apply(await this.#watched(userId, movieIds), this.#slotOf);
  }

  added(movieId: string, slot: number): void {
    for (const { state } of this.#entries.values()) state.added(movieId, slot);
  }

  removed(movieId: string, slot: number): void {
    for (const { state } of this.#entries.values()) state.removed(movieId, slot);
  }
}
