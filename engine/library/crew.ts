/** Work beside each other, at most so much at once. The first failure refuses what comes after it and is told at the end. */
export class Crew {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: Error | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Begins as soon as there is room, and resolves then. Throws the failure of earlier work. */
  async start(action: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    if (this.#failure) throw this.#failure;
    const work: Promise<void> = action()
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Resolves when nothing runs, whatever came of it. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Resolves when nothing runs. Throws the first failure. */
  async idle(): Promise<void> {
    await this.settled();
    if (this.#failure) throw this.#failure;
  }
}
