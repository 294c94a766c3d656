/**
 * Texts in order, each with a number, for finding all that begin alike. Owns some sorted runs and a small heap of what was added since.
 * Adding costs nothing; when the heap has grown it becomes a run, and runs of like length are merged up to a length that is merged in some
 * milliseconds. A look reads all of them. A removed key keeps its place until half of its run is removed.
 */

/** Read one by one at each look. */
const MOST_PENDING = 1_024;
/** A longer run is merged with nothing. */
const LONG_RUN = 32_768;
const REMOVED = -1;

interface Run {
  readonly keys: readonly string[];
  readonly numbers: Int32Array;
  removed: number;
}

interface Entry {
  readonly key: string;
  readonly number: number;
}

export class SortedKeys {
  #runs: Run[] = [];
  #pending: Entry[] = [];

  add(key: string, number: number): void {
    this.#pending.push({ key, number });
    if (this.#pending.length > MOST_PENDING) this.#settle();
  }

  remove(key: string, number: number): void {
    for (const run of this.#runs) {
      for (let at = lowerBound(run, key); run.keys[at] === key; at++) {
        if (run.numbers[at] !== number) continue;
        run.numbers[at] = REMOVED;
        run.removed += 1;
        if (run.removed * 2 > run.keys.length) this.#runs = this.#runs.map((one) => (one === run ? tidied(one) : one));
        return;
      }
    }
    const at = this.#pending.findIndex((entry) => entry.number === number && entry.key === key);
    if (at >= 0) this.#pending.splice(at, 1);
  }

  /** Calls back with every key that begins so, in no order. */
  forBeginning(prefix: string, visit: (number: number) => void): void {
    for (const run of this.#runs) visitRange(run, prefix, `${prefix}\uffff`, visit);
    for (const { key, number } of this.#pending) if (key.startsWith(prefix)) visit(number);
  }

  /**
   * The same, told apart: keys that are it, those that go on with a space, and the others. Keys of one sort stand side by side, so not one
   * of them is looked at.
   */
  forNames(prefix: string, visit: Readonly<Record<'whole' | 'words' | 'others', (number: number) => void>>): void {
    for (const run of this.#runs) {
      visitRange(run, prefix, `${prefix}\u0000`, visit.whole);
      visitRange(run, `${prefix}\u0000`, `${prefix} `, visit.others);
      visitRange(run, `${prefix} `, `${prefix}!`, visit.words);
      visitRange(run, `${prefix}!`, `${prefix}\uffff`, visit.others);
    }
    for (const { key, number } of this.#pending) {
      if (!key.startsWith(prefix)) continue;
      if (key.length === prefix.length) visit.whole(number);
      else if (key.charCodeAt(prefix.length) === 0x20) visit.words(number);
      else visit.others(number);
    }
  }

  #settle(): void {
    const added = this.#pending.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.#pending = [];
    let run: Run = {
      keys: added.map(({ key }) => key),
      numbers: Int32Array.from(added, ({ number }) => number),
      removed: 0,
    };
    for (let last = this.#runs.at(-1); last !== undefined; last = this.#runs.at(-1)) {
      const isLike = last.keys.length < run.keys.length * 2 && last.keys.length + run.keys.length <= LONG_RUN;
      if (!isLike) break;
      this.#runs.pop();
      run = merged(last, run);
    }
    this.#runs.push(run);
  }
}

/** The first place whose key is not before this one. */
function lowerBound({ keys }: Run, key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function visitRange(run: Run, from: string, until: string, visit: (number: number) => void): void {
  const { numbers } = run;
  const end = lowerBound(run, until);
  for (let at = lowerBound(run, from); at < end; at++) {
    const number = numbers[at] ?? REMOVED;
    if (number !== REMOVED) visit(number);
  }
}

function merged(a: Run, b: Run): Run {
  const keys: string[] = [];
  const numbers = new Int32Array(a.keys.length + b.keys.length);
  const take = (run: Run, at: number): void => {
    const number = run.numbers[at] ?? REMOVED;
    if (number === REMOVED) return;
    numbers[keys.length] = number;
    keys.push(run.keys[at] ?? '');
  };
  let next = 0;
  a.keys.forEach((key, at) => {
    for (; next < b.keys.length && (b.keys[next] ?? '') < key; next++) take(b, next);
    take(a, at);
  });
  for (; next < b.keys.length; next++) take(b, next);
  return { keys, numbers: numbers.subarray(0, keys.length), removed: 0 };
}

const tidied = (run: Run): Run => merged(run, { keys: [], numbers: new Int32Array(0), removed: 0 });
