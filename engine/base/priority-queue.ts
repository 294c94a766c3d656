/**
 * A bounded queue of a few priority levels: level 0 leaves first, and within a level the first in is the first out.
 *
 * Each level has its own bound, so that a background scan which fills its level never takes the place of what a
 * person is waiting for. A full level refuses; it never grows and never drops what it accepted.
 */
export class PriorityQueue<T> {
  readonly #levels: Level<T>[];
  readonly #capacity: number;

  constructor(options: { readonly levels: number; readonly capacity: number }) {
    this.#levels = Array.from({ length: options.levels }, () => ({ elements: [], head: 0 }));
    this.#capacity = options.capacity;
  }

  get size(): number {
    return this.#levels.reduce((sum, level) => sum + level.elements.length - level.head, 0);
  }

  /** Appends to a level. `false` when that is full. */
  push(element: T, level: number): boolean {
    const { elements, head } = this.#level(level);
    if (elements.length - head >= this.#capacity) return false;
    elements.push(element);
    return true;
  }

  /** Puts back, before everything else of its level, an element that was taken but could not be worked on. Not bounded. */
  unshift(element: T, level: number): void {
    const target = this.#level(level);
    target.elements.splice(0, target.head, element);
    target.head = 0;
  }

  /** Takes the next element, `undefined` when all levels are empty. */
  shift(): T | undefined {
    const level = this.#levels.find(({ elements, head }) => head < elements.length);
    if (!level) return undefined;
    const element = level.elements[level.head++];
    // Array.shift moves every element; a head index moves them once for every time the dead half has grown as long as the rest.
    if (level.head * 2 >= level.elements.length) {
      level.elements.splice(0, level.head);
      level.head = 0;
    }
    return element;
  }

  /** Takes one element out of turn. `false` when it is not waiting. Costs a search through the queue. */
  remove(element: T): boolean {
    for (const { elements, head } of this.#levels) {
      const index = elements.indexOf(element, head);
      if (index < 0) continue;
      elements.splice(index, 1);
      return true;
    }
    return false;
  }

  /** Takes everything, in the order in which it would have left. */
  drain(): T[] {
    return this.#levels.flatMap((level) => {
      const waiting = level.elements.splice(0).slice(level.head);
      level.head = 0;
      return waiting;
    });
  }

  #level(index: number): Level<T> {
    const level = this.#levels[index];
    if (!level) throw new RangeError(`no priority level ${index}: levels are 0 to ${this.#levels.length - 1}`);
    return level;
  }
}

interface Level<T> {
  readonly elements: T[];
  /** Index of the next element to leave; what lies before it has left. */
  head: number;
}
