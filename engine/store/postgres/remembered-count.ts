/**
 * Counts that cost a walk through an index, remembered until something is written. Owns: the numbers and the age of what
 * they were counted from.
 *
 * A count that began before a write is not remembered after it, so an answer is never older than the last write of this
 * process; writes of others are told by `forget`, as the change feed hears of them.
 */
export class RememberedCount {
  readonly #counts = new Map<string, Promise<number>>();

  /** What `count` gives for `key`, asked once for all who ask meanwhile. */
  get(key: string, count: () => Promise<number>): Promise<number> {
    const remembered = this.#counts.get(key);
    if (remembered) return remembered;
    const asked = count();
    this.#counts.set(key, asked);
    // A failure is answered to those who wait and asked again by the next.
    asked.catch(() => {
      if (this.#counts.get(key) === asked) this.#counts.delete(key);
    });
    return asked;
  }

  forget(): void {
    this.#counts.clear();
  }
}
