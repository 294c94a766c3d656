/**
 * One piece of work for all who ask for the same thing at the same time. Owns: what is under way, and how much of it at once. What waits
 * for its turn and is wanted by nobody any more does not begin; what has begun is finished for whoever asks next.
 */
import { Lane } from '#engine/runtime/lane.ts';

interface Shared<T> {
  readonly result: Promise<T>;
  waiters: number;
}

export class SharedWork<T> {
  readonly #capacity: number;
  readonly #lane: Lane;
  readonly #shared = new Map<string, Shared<T>>();

  constructor(options: { readonly atOnce: number; readonly capacity: number }) {
    this.#capacity = options.capacity;
    this.#lane = new Lane(options.atOnce);
  }

  /** `null` where too much waits already. Rejects with the signal's reason, or as the work does. */
  async ask(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | null> {
    signal.throwIfAborted();
    const shared = this.#shared.get(key) ?? this.#begin(key, work);
    if (shared === null) return null;
    shared.waiters++;
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([shared.result, aborted.promise]);
    } finally {
      shared.waiters--;
      signal.removeEventListener('abort', onAbort);
    }
  }

  #begin(key: string, work: () => Promise<T>): Shared<T> | null {
    if (this.#shared.size >= this.#capacity) return null;
    const run = async (): Promise<T> => {
      // Whoever began it is counted by then.
      await Promise.resolve();
      try {
        if (shared.waiters === 0) throw new Error('nobody waits for it any more');
        return await work();
      } finally {
        this.#shared.delete(key);
      }
    };
    const result = this.#lane.run(run);
    // Nobody may be left to hear of it.
    result.catch(() => undefined);
    const shared: Shared<T> = { result, waiters: 0 };
    this.#shared.set(key, shared);
    return shared;
  }
}
