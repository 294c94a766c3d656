/**
 * How many pictures are encoded at once. Owns: who holds a slot, and who waits for one. Rules PLAY13 and PLAY14 of SPEC.md.
 *
 * A holder that rests (its viewers have enough ahead of them) gives its slot up when somebody else needs it, and while somebody
 * waits holders make only what is waited for. So a few more viewers than slots still get on, by turns.
 */
import type { Clock } from '#engine/base/clock.ts';

/** A rendition that encodes, as far as the slots have to know it. */
export interface SlotHolder {
  /** Its host has nothing to do. */
  readonly isAtRest: boolean;
  /** Somebody asked it for a segment lately. */
  readonly isWatched: boolean;
  /** Asks it to close its host, and so to give its slot back. */
  yieldHost(): void;
  /** Asks it to think again: somebody waits for a slot now. */
  reconsider(): void;
}

/** Held as long as a host is open. */
export interface Slot extends Disposable {
  readonly holder: SlotHolder;
}

interface Waiter {
  readonly holder: SlotHolder;
  readonly resolve: (slot: Slot | null) => void;
}

/** Longer than a host needs to finish the segment in hand, shorter than a player waits for one. */
const PATIENCE_MS = 15_000;

export class TranscodeSlots {
  readonly limit: number;
  readonly #clock: Clock;
  readonly #slots = new Set<Slot>();
  readonly #queue: Waiter[] = [];

  constructor(limit: number, clock: Clock) {
    this.limit = limit;
    this.#clock = clock;
  }

  /** Slots that are held. */
  get running(): number {
    return this.#slots.size;
  }

  /** Somebody waits for a slot. */
  get isContended(): boolean {
    return this.#queue.length > 0;
  }

  isHeldBy(holder: SlotHolder): boolean {
    return [...this.#slots].some((slot) => slot.holder === holder);
  }

  /** Whether a new viewer would get on: a slot is free, or its holder rests or is watched by nobody. Those who hold one already always do. */
  hasRoomFor(holder: SlotHolder | null): boolean {
    const holders = [...this.#slots].map((slot) => slot.holder);
    if (holder && holders.includes(holder)) return true;
    if (this.limit === 0) return false;
    return holders.length < this.limit || holders.some((each) => !each.isWatched || each.isAtRest);
  }

  /** A slot, as soon as there is one; `null` where there is none for too long. */
  async acquire(holder: SlotHolder): Promise<Slot | null> {
    if (this.limit === 0) return null;
    if (this.#slots.size < this.limit && this.#queue.length === 0) return this.#grant(holder);
    const { promise, resolve } = Promise.withResolvers<Slot | null>();
    const waiter = { holder, resolve };
    this.#queue.push(waiter);
    using _timer = this.#clock.after(PATIENCE_MS, () => {
      const at = this.#queue.indexOf(waiter);
      if (at >= 0) this.#queue.splice(at, 1);
      resolve(null);
    });
    for (const slot of this.#slots) slot.holder.reconsider();
    this.reclaim();
    return await promise;
  }

  /** Takes slots back from holders that rest, as many as are waited for. Called when one comes to rest, too. */
  reclaim(): void {
    const resting = [...this.#slots].map(({ holder }) => holder).filter(({ isAtRest }) => isAtRest);
    // Those whom nobody watches first.
    const sorted = resting.toSorted((a, b) => Number(a.isWatched) - Number(b.isWatched));
    for (const holder of sorted.slice(0, this.#queue.length)) holder.yieldHost();
  }

  #grant(holder: SlotHolder): Slot {
    const slot: Slot = {
      holder,
      [Symbol.dispose]: () => {
        if (!this.#slots.delete(slot)) return;
        const next = this.#queue.shift();
        if (next) next.resolve(this.#grant(next.holder));
      },
    };
    this.#slots.add(slot);
    return slot;
  }
}
