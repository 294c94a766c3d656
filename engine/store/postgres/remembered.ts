/**
 * Answers that cost a walk through an index, remembered until something is written. Owns: the answers, as promises, so that
 * many who ask at once are one question.
 *
 * A question that was asked before a write is not answered from after it, so an answer is never older than the last write of
 * this process.
 */
export class Remembered<T> {
  readonly #answers = new Map<string, Promise<T>>();

  /** What `ask` gives for `key`, asked once for all who want it meanwhile. */
  get(key: string, ask: () => Promise<T>): Promise<T> {
    const remembered = this.#answers.get(key);
    if (remembered) return remembered;
    const answer = ask();
    this.#answers.set(key, answer);
    // A failure is told to those who wait and asked again by the next.
    answer.catch(() => {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
    });
    return answer;
  }

  forget(): void {
    this.#answers.clear();
  }
}
