/**
 * Which segments lie in the scratch space, and which of them go when it is full. Owns: the account of bytes. The files
 * themselves it only asks to be removed.
 *
 * The least recently used goes first, but never one that a viewer is about to ask for: renditions say which those are. When
 * nothing else is left, the space counts as full, and renditions stop making segments that nobody waits for [PLAY16].
 */
import type { SegmentRange } from '#engine/media/rendition-spec.ts';

interface Entry {
  readonly rendition: string;
  readonly index: number;
  readonly sizeBytes: number;
}

interface Holding {
  readonly entries: Map<number, Entry>;
  protectedRanges: readonly SegmentRange[];
}

export interface SegmentCacheOptions {
  readonly quotaBytes: number;
  /** Removes the file of a segment that has left the account. */
  readonly remove: (rendition: string, index: number) => void;
}

export class SegmentCache {
  readonly #options: SegmentCacheOptions;
  /** Least recently used first: a Map keeps the order of insertion. */
  readonly #byAge = new Map<Entry, true>();
  readonly #holdings = new Map<string, Holding>();
  #sizeBytes = 0;

  constructor(options: SegmentCacheOptions) {
    this.#options = options;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether there is room for segments that nobody waits for yet. */
  get hasRoom(): boolean {
    return this.#sizeBytes <= this.#options.quotaBytes;
  }

  has(rendition: string, index: number): boolean {
    return this.#holdings.get(rendition)?.entries.has(index) ?? false;
  }

  /** Notes that a segment was just asked for. */
  touch(rendition: string, index: number): void {
    const entry = this.#holdings.get(rendition)?.entries.get(index);
    if (!entry) return;
    this.#byAge.delete(entry);
    this.#byAge.set(entry, true);
  }

  /** Takes a segment that was just made, and makes room for it. One that was there already is replaced. */
  add(rendition: string, index: number, sizeBytes: number): void {
    const holding = this.#holdingOf(rendition);
    const replaced = holding.entries.get(index);
    if (replaced) this.#forget(replaced);
    const entry = { rendition, index, sizeBytes };
    holding.entries.set(index, entry);
    this.#byAge.set(entry, true);
    this.#sizeBytes += sizeBytes;
    this.#shrink(entry);
  }

  /** Says which segments of a rendition must stay. Replaces what was said before. */
  protect(rendition: string, ranges: readonly SegmentRange[]): void {
    if (ranges.length > 0 || this.#holdings.has(rendition)) this.#holdingOf(rendition).protectedRanges = ranges;
    if (!this.hasRoom) this.#shrink(null);
  }

  /** Takes all of a rendition out of the account, without asking for its files to be removed one by one. */
  drop(rendition: string): void {
    for (const entry of this.#holdings.get(rendition)?.entries.values() ?? []) this.#forget(entry);
    this.#holdings.delete(rendition);
  }

  #shrink(newest: Entry | null): void {
    if (this.hasRoom) return;
    for (const entry of this.#byAge.keys()) {
      if (this.hasRoom) return;
      // Somebody waits for the newest, or it would not have been made in a full space.
      if (entry === newest || this.#isProtected(entry)) continue;
      this.#forget(entry);
      this.#options.remove(entry.rendition, entry.index);
    }
  }

  #isProtected({ rendition, index }: Entry): boolean {
    const ranges = this.#holdings.get(rendition)?.protectedRanges ?? [];
    return ranges.some(({ from, until }) => index >= from && index <= until);
  }

  #forget(entry: Entry): void {
    this.#byAge.delete(entry);
    this.#holdings.get(entry.rendition)?.entries.delete(entry.index);
    this.#sizeBytes -= entry.sizeBytes;
  }

  #holdingOf(rendition: string): Holding {
    let holding = this.#holdings.get(rendition);
    if (!holding) this.#holdings.set(rendition, (holding = { entries: new Map(), protectedRanges: [] }));
    return holding;
  }
}
