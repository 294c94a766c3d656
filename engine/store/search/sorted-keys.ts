/**
 * Texts in order, each with a number, for finding all that begin alike. Owns two sorted columns and a small heap of what was added since:
 * adding costs nothing, a look reads the heap as well, and when it has grown the two are merged. A removed key keeps its place
 * until then.
 */

/** Read one by one at each look; merging a million keys takes some milliseconds. */
const MOST_PENDING = 2_048;
const REMOVED = -1;

export class SortedKeys {
  #keys: string[] = [];
  #numbers = new Int32Array(0);
  #pending: { readonly key: string; readonly number: number }[] = [];

  add(key: string, number: number): void {
    this.#pending.push({ key, number });
  }

  remove(key: string, number: number): void {
    for (let at = this.#lowerBound(key); this.#keys[at] === key; at++) {
      if (this.#numbers[at] === number) {
        this.#numbers[at] = REMOVED;
        return;
      }
    }
    const at = this.#pending.findIndex((entry) => entry.number === number && entry.key === key);
    if (at >= 0) this.#pending.splice(at, 1);
  }

  /** Calls back with every key that begins so, in no order. */
  forBeginning(prefix: string, visit: (number: number) => void): void {
    this.#forRange(prefix, `${prefix}\uffff`, visit);
    for (const { key, number } of this.#pending) if (key.startsWith(prefix)) visit(number);
  }

  /**
   * The same, told apart: keys that are it, those that go on with a space, and the others. Keys of one sort stand side by side, so not one
   * of them is looked at.
   */
  forNames(prefix: string, visit: Readonly<Record<'whole' | 'words' | 'others', (number: number) => void>>): void {
    this.#forRange(prefix, `${prefix}\u0000`, visit.whole);
    this.#forRange(`${prefix}\u0000`, `${prefix} `, visit.others);
    this.#forRange(`${prefix} `, `${prefix}!`, visit.words);
    this.#forRange(`${prefix}!`, `${prefix}\uffff`, visit.others);
    for (const { key, number } of this.#pending) {
      if (!key.startsWith(prefix)) continue;
      if (key.length === prefix.length) visit.whole(number);
      else if (key.charCodeAt(prefix.length) === 0x20) visit.words(number);
      else visit.others(number);
    }
  }

  #forRange(from: string, until: string, visit: (number: number) => void): void {
    if (this.#pending.length > MOST_PENDING) this.settle();
    const numbers = this.#numbers;
    const end = this.#lowerBound(until);
    for (let at = this.#lowerBound(from); at < end; at++) {
      const number = numbers[at] ?? REMOVED;
      if (number !== REMOVED) visit(number);
    }
  }

  /** Merges what was added. After a large load, so that the first look need not. */
  settle(): void {
    const added = this.#pending.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const keys = this.#keys;
    const numbers = this.#numbers;
    const merged: string[] = [];
    const mergedNumbers = new Int32Array(keys.length + added.length);
    let next = 0;
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] ?? '';
      for (let entry = added[next]; entry !== undefined && entry.key < key; entry = added[next]) {
        mergedNumbers[merged.length] = entry.number;
        merged.push(entry.key);
        next += 1;
      }
      const number = numbers[at] ?? REMOVED;
      if (number === REMOVED) continue;
      mergedNumbers[merged.length] = number;
      merged.push(key);
    }
    for (const entry of added.slice(next)) {
      mergedNumbers[merged.length] = entry.number;
      merged.push(entry.key);
    }
    this.#keys = merged;
    this.#numbers = mergedNumbers.subarray(0, merged.length);
    this.#pending = [];
  }

  /** The first place whose key is not before this one. */
  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
