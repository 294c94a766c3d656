/** Sets of slots, which are the places of movies in the browse index: bits where they are many, a sorted list while they are few. */

/** Bit `slot & 31` of word `slot >>> 5`. */
export type Bits = Uint32Array;

export const wordsFor = (slots: number): number => (slots + 31) >>> 5;

export const hasBit = (bits: Bits, slot: number): boolean => ((bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0;

export function setBit(bits: Bits, slot: number): void {
  const word = slot >>> 5;
  bits[word] = bits[word]! | (1 << (slot & 31));
}

export function clearBit(bits: Bits, slot: number): void {
  const word = slot >>> 5;
  bits[word] = bits[word]! & ~(1 << (slot & 31));
}

/** `into` keeps what `other` has too. */
export function intersect(into: Bits, other: Bits): void {
  const shared = Math.min(into.length, other.length);
  for (let word = 0; word < shared; word++) into[word] = into[word]! & other[word]!;
  into.fill(0, shared);
}

/** `into` loses what `other` has. */
export function subtract(into: Bits, other: Bits): void {
  const shared = Math.min(into.length, other.length);
  for (let word = 0; word < shared; word++) into[word] = into[word]! & ~other[word]!;
}

export function countBits(bits: Bits): number {
  let count = 0;
  for (let word = 0; word < bits.length; word++) count += ones(bits[word]!);
  return count;
}

export function countShared(a: Bits, b: Bits): number {
  const shared = Math.min(a.length, b.length);
  let count = 0;
  for (let word = 0; word < shared; word++) {
    const both = a[word]! & b[word]!;
    if (both !== 0) count += ones(both);
  }
  return count;
}

/** Calls back with each slot, upwards. */
export function eachBit(bits: Bits, visit: (slot: number) => void): void {
  for (let word = 0; word < bits.length; word++) {
    for (let rest = bits[word]!; rest !== 0; rest &= rest - 1) visit((word << 5) | (31 - Math.clz32(rest & -rest)));
  }
}

/** Set bits of a word, all at once (Hacker’s Delight, 5-1). */
function ones(value: number): number {
  let word = value - ((value >>> 1) & 0x5555_5555);
  word = (word & 0x3333_3333) + ((word >>> 2) & 0x3333_3333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** A list of this length takes as long to count as the bits of 60,000 slots. Becoming a list again waits for a quarter of it. */
const LIST_MAX = 2_048;

/** A set that grows and shrinks. Owns its memory. */
export class SlotSet {
  #list: Uint32Array | null = new Uint32Array(4);
  #bits: Bits = new Uint32Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(slot: number): boolean {
    if (!this.#list) return hasBit(this.#bits, slot);
    const place = this.#placeOf(slot);
    return place < this.#size && this.#list[place] === slot;
  }

  /** The slot must not be in it. */
  add(slot: number): void {
    if (this.#list && this.#size === LIST_MAX) this.#toBits();
    if (this.#list) {
      if (this.#size === this.#list.length) this.#list = grown(this.#list, this.#size * 2);
      const place = this.#placeOf(slot);
      this.#list.copyWithin(place + 1, place, this.#size);
      this.#list[place] = slot;
    } else {
      const word = slot >>> 5;
      if (word >= this.#bits.length) this.#bits = grown(this.#bits, Math.max(this.#bits.length * 2, word + 1));
      setBit(this.#bits, slot);
    }
    this.#size++;
  }

  /** The slot must be in it. */
  delete(slot: number): void {
    if (this.#list) {
      const place = this.#placeOf(slot);
      this.#list.copyWithin(place, place + 1, this.#size);
    } else {
      clearBit(this.#bits, slot);
    }
    this.#size--;
    if (!this.#list && this.#size < LIST_MAX / 4) this.#toList();
  }

  /** How many of these are in `among`. */
  countIn(among: Bits): number {
    if (!this.#list) return countShared(this.#bits, among);
    const list = this.#list;
    let count = 0;
    for (let place = 0; place < this.#size; place++) {
      const slot = list[place]!;
      count += ((among[slot >>> 5] ?? 0) >>> (slot & 31)) & 1;
    }
    return count;
  }

  /** Adds all of these to `into`, which is large enough. */
  addTo(into: Bits): void {
    if (this.#list) {
      for (let place = 0; place < this.#size; place++) setBit(into, this.#list[place]!);
      return;
    }
    const shared = Math.min(into.length, this.#bits.length);
    for (let word = 0; word < shared; word++) into[word] = into[word]! | this.#bits[word]!;
  }

  each(visit: (slot: number) => void): void {
    if (!this.#list) return eachBit(this.#bits, visit);
    for (let place = 0; place < this.#size; place++) visit(this.#list[place]!);
  }

  /** First place in the list whose slot is not below this one. */
  #placeOf(slot: number): number {
    const list = this.#list!;
    let low = 0;
    let high = this.#size;
    // Mostly they come in order.
    if (high > 0 && list[high - 1]! < slot) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (list[middle]! < slot) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #toBits(): void {
    const list = this.#list!;
    this.#bits = new Uint32Array((list[this.#size - 1]! >>> 5) + 1);
    for (let place = 0; place < this.#size; place++) setBit(this.#bits, list[place]!);
    this.#list = null;
  }

  #toList(): void {
    const list = new Uint32Array(LIST_MAX);
    let place = 0;
    eachBit(this.#bits, (slot) => {
      list[place++] = slot;
    });
    this.#list = list;
    this.#bits = new Uint32Array(0);
  }
}

export function grown(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}
