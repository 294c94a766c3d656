/**
 * Notices movies that wait to be recognised. Owns: which of them were handed on already, and how far the change feed was read. Both may be
 * lost: the database knows who waits, and a sweep goes through all of it.
 */
import type { Log } from '#engine/base/log.ts';
import type { ChangePort, MetadataStore } from './ports.ts';

const PAGE = 500;

export class WaitingMovies implements AsyncDisposable {
  readonly #store: Pick<MetadataStore, 'waiting' | 'waitingAmong'>;
  readonly #changes: ChangePort;
  readonly #log: Log;
  readonly #isKeyless: () => boolean;
  readonly #find: (movieIds: readonly string[]) => Promise<void>;
  readonly #handedOn = new Set<string>();
  #seenSeq = 0;
  #looking: Promise<void> | null = null;
  #isLookAgain = false;
  #isStopped = false;
  #stopListening: (() => Promise<void>) | null = null;

  /** `isKeyless`: there is nobody to ask, so those whose NFO was read are left alone. `find` gets each movie once, and again at every sweep. */
  constructor(
    ports: { readonly store: MetadataStore; readonly changes: ChangePort; readonly log: Log },
    isKeyless: () => boolean,
    find: (movieIds: readonly string[]) => Promise<void>,
  ) {
    this.#store = ports.store;
    this.#changes = ports.changes;
    this.#log = ports.log;
    this.#isKeyless = isKeyless;
    this.#find = find;
  }

  /** Follows the change feed from now on. */
  async start(): Promise<void> {
    this.#seenSeq = await this.#changes.latestSeq();
    this.#stopListening = await this.#changes.onChange(() => this.#look());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#stopListening?.();
    await this.#looking;
  }

  /** It was dealt with: the next change of it counts again. */
  forget(movieId: string): void {
    this.#handedOn.delete(movieId);
  }

  /** Hands on all that wait, or the newest `most` of them. */
  async sweep(most = Infinity): Promise<void> {
    this.#handedOn.clear();
    let after: string | null = null;
    for (let count = 0; count < most; count += PAGE) {
      const movieIds: string[] = await this.#store.waiting({ after, limit: PAGE, isUnread: this.#isKeyless() });
      await this.#handOn(movieIds);
      after = movieIds.at(-1) ?? null;
      if (movieIds.length < PAGE || this.#isStopped) return;
    }
  }

  async #handOn(movieIds: readonly string[]): Promise<void> {
    if (movieIds.length === 0) return;
    for (const movieId of movieIds) this.#handedOn.add(movieId);
    await this.#find(movieIds);
  }

  /** One look at a time, and one more where news came meanwhile. */
  #look(): void {
    if (this.#looking !== null) {
      this.#isLookAgain = true;
      return;
    }
    this.#looking = this.#lookOnce()
      .catch((error: unknown) =>
        this.#log.warn('new movies could not be looked at; the next change tries again', { error }),
      )
      .finally(() => {
        this.#looking = null;
        if (!this.#isLookAgain || this.#isStopped) return;
        this.#isLookAgain = false;
        this.#look();
      });
  }

  async #lookOnce(): Promise<void> {
    for (;;) {
      const changes = await this.#changes.changesAfter(this.#seenSeq, 1_000);
      const last = changes.at(-1);
      if (last === undefined || this.#isStopped) return;
      const novel = new Set(
        changes.flatMap(({ kind, entityId }) => (kind === 'movie' && !this.#handedOn.has(entityId) ? [entityId] : [])),
      );
      if (novel.size > 0) await this.#handOn(await this.#store.waitingAmong([...novel], this.#isKeyless()));
      this.#seenSeq = last.seq;
    }
  }
}
