/** The last `capacity` things pushed, oldest first. What falls out is handed back by `push`. */
export class RingBuffer<T> implements Iterable<T> {
  readonly capacity: number;
  readonly #slots: (T | undefined)[];
  #start = 0;
  #size = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`a ring buffer holds at least 1 element, not ${capacity}`);
    }
    this.capacity = capacity;
    this.#slots = Array.from<T | undefined>({ length: capacity });
  }

  get size(): number {
    return this.#size;
  }

  /** Appends, and returns the oldest element if that had to make room. */
  push(element: T): T | undefined {
    const end = (this.#start + this.#size) % this.capacity;
    if (this.#size < this.capacity) {
      this.#slots[end] = element;
      this.#size++;
      return undefined;
    }
    const evicted = this.#slots[end];
    this.#slots[end] = element;
    this.#start = (this.#start + 1) % this.capacity;
    return evicted;
  }

  /** Element `index` from the oldest, or from the newest when negative. `undefined` outside. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.#size + index : index;
    return place < 0 || place >= this.#size ? undefined : this.#slots[(this.#start + place) % this.capacity];
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#start = 0;
    this.#size = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.#size; index++) yield this.at(index) as T;
  }
}
