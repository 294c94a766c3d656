/** Which values each slot has, one list after the other in one array: 100,000 small arrays would take three times as much. */
import { grown } from './slot-set.ts';
import type { Bits } from './slot-set.ts';

export class ValueLists {
  #starts = new Uint32Array(1_024);
  #lengths = new Uint32Array(1_024);
  #pool = new Uint32Array(16_384);
  #end = 0;
  #wasted = 0;

  /** Valid until the next `set`. */
  of(slot: number): Uint32Array {
    const start = this.#starts[slot] ?? 0;
    return this.#pool.subarray(start, start + (this.#lengths[slot] ?? 0));
  }

  /** Adds one to the count of each value of each slot of a mask. */
  tally(mask: Bits, counts: Uint32Array): void {
    const pool = this.#pool;
    for (let word = 0; word < mask.length; word++) {
      for (let rest = mask[word]!; rest !== 0; rest &= rest - 1) {
        const slot = (word << 5) | (31 - Math.clz32(rest & -rest));
        const start = this.#starts[slot]!;
        const end = start + this.#lengths[slot]!;
        for (let place = start; place < end; place++) {
          const value = pool[place]!;
          counts[value] = counts[value]! + 1;
        }
      }
    }
  }

  set(slot: number, values: readonly number[]): void {
    if (slot >= this.#starts.length) {
      this.#starts = grown(this.#starts, Math.max(slot + 1, this.#starts.length * 2));
      this.#lengths = grown(this.#lengths, this.#starts.length);
    }
    const before = this.#lengths[slot]!;
    if (values.length > before) {
      this.#wasted += before;
      this.#lengths[slot] = 0;
      if (this.#end + values.length > this.#pool.length) this.#makeRoom(values.length);
      this.#starts[slot] = this.#end;
      this.#end += values.length;
    } else {
      this.#wasted += before - values.length;
    }
    this.#pool.set(values, this.#starts[slot]);
    this.#lengths[slot] = values.length;
  }

  #makeRoom(more: number): void {
    const isWorthPacking = this.#wasted > this.#end / 3;
    const needed = this.#end - (isWorthPacking ? this.#wasted : 0) + more;
    const length = Math.max(needed, isWorthPacking ? this.#pool.length : this.#pool.length * 2);
    if (!isWorthPacking) {
      this.#pool = grown(this.#pool, length);
      return;
    }
    const pool = new Uint32Array(length);
    let end = 0;
    for (let slot = 0; slot < this.#starts.length; slot++) {
      pool.set(this.of(slot), end);
      this.#starts[slot] = end;
      end += this.#lengths[slot]!;
    }
    this.#pool = pool;
    this.#end = end;
    this.#wasted = 0;
  }
}
