/**
 * How many pictures are encoded at once. Owns: who holds a slot, who waits for one, and which holders rest for others. Rules PLAY13, PLAY14
 * and PLAY36 of SPEC.md.
 *
 * A holder that rests (its viewers have enough ahead of them) gives its slot up when somebody else needs it, and while somebody
 * waits holders make only what is waited for. So a few more viewers than slots still get on, by turns.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import { givesWay } from './encode-turns.ts';

/** A rendition that encodes, as far as the slots have to know it. */
export interface SlotHolder {
  /** Its host has nothing to do. */
  readonly isAtRest: boolean;
  /** Somebody asked it for a segment lately. */
  readonly isWatched: boolean;
  /** What is encoded. Pictures of one source share what is decoded, and never rest for each other. */
  readonly source: string;
  /** What the viewer who is nearest to waiting has before they do, in milliseconds; `null` where nobody watches. */
  readonly aheadMs: number | null;
  /** When it last made something, or began with it, by the monotonic clock. */
  readonly progressMs: number;
  /** Asks it to close its host, and so to give its slot back. */
  yieldHost(): void;
  /** Asks it to think again: somebody waits for a slot now, or it is to rest for somebody, or not any more. */
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
/** What viewers have is played, which nobody tells of: as long as one rests for another, they are weighed this often. */
const WEIGH_MS = 500;
/** Nobody rests for one that gets nowhere: it waits for a disk, or for subtitles, and not for the processor. */
const STUCK_MS = 10_000;

export class TranscodeSlots {
  readonly limit: number;
  readonly #clock: Clock;
  readonly #slots = new Set<Slot>();
  readonly #queue: Waiter[] = [];
  /** Those that rest for others. */
  readonly #givingWay = new Set<SlotHolder>();
  #weighing: Timer | null = null;

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

  /** Whether a holder is to make nothing for now: somebody else's viewers are nearer to waiting [PLAY36]. */
  givesWay(holder: SlotHolder): boolean {
    return this.#givingWay.has(holder);
  }

  /** Finds out who rests for whom. Called when what a holder's viewers have has changed, too. */
  weigh(): void {
    const stuckMs = this.#clock.monotonicMs() - STUCK_MS;
    const atWork = [...this.#slots].flatMap(({ holder }) => {
      const { aheadMs, source } = holder;
      return holder.isAtRest || aheadMs === null ? [] : { holder, aheadMs, source };
    });
    const before = new Set(this.#givingWay);
    this.#givingWay.clear();
    for (const { holder, aheadMs, source } of atWork) {
      const others = atWork.filter((each) => each.source !== source && each.holder.progressMs > stuckMs);
      const isGiving = givesWay(
        aheadMs,
        others.map((each) => each.aheadMs),
        before.has(holder),
      );
      if (isGiving) this.#givingWay.add(holder);
    }
    for (const holder of new Set([...before, ...this.#givingWay])) {
      if (before.has(holder) !== this.#givingWay.has(holder)) holder.reconsider();
    }
    if (this.#givingWay.size > 0) this.#weighing ??= this.#clock.every(WEIGH_MS, () => this.weigh()).unref();
    else this.#stopWeighing();
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
        this.weigh();
      },
    };
    this.#slots.add(slot);
    return slot;
  }

  #stopWeighing(): void {
    this.#weighing?.[Symbol.dispose]();
    this.#weighing = null;
  }
}
