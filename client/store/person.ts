/** A person with the movies that are here. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { people } from '#protocol/methods/people.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { OutputOf } from '#protocol/contract.ts';
import type { LibraryStore } from './library.ts';
import type { Link, Server } from './ports.ts';

export type PersonPage = OutputOf<typeof people.get>;

const SETTLE_MS = 1_000;

export class PersonStore {
  readonly #server: Server;
  readonly #personId: string;
  readonly #page = signal<PersonPage | null>(null);
  readonly #isGone = signal(false);
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];
  #settle: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(server: Server, link: Pick<Link, 'state'>, library: LibraryStore, personId: string) {
    this.#server = server;
    this.#personId = personId;
    const touch = (): void => {
      this.#settle ??= setTimeout(() => {
        this.#settle = undefined;
        void this.#load();
      }, SETTLE_MS);
    };
    this.#disposers.push(
      library.listen({
        onMovie: (id, card) => {
          const page = this.#page.peek();
          if (page === null) return;
          const isHere = page.movies.some(({ movie }) => movie.id === id);
          if (isHere && card !== null) {
            this.#page.value = {
              ...page,
              movies: page.movies.map((entry) =>
                entry.movie.id === id ? { ...entry, movie: { ...card, progress: entry.movie.progress } } : entry,
              ),
            };
          }
          // Whether a movie that was changed is one of theirs, a card does not tell.
          touch();
        },
        onReset: touch,
      }),
      link.state.subscribe((state) => {
        if (state.kind === 'live') void this.#load();
      }),
    );
  }

  get page(): ReadonlySignal<PersonPage | null> {
    return this.#page;
  }

  get isGone(): ReadonlySignal<boolean> {
    return this.#isGone;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  retry(): void {
    void this.#load();
  }

  dispose(): void {
    this.#isOver = true;
    clearTimeout(this.#settle);
    for (const dispose of this.#disposers) dispose();
  }

  async #load(): Promise<void> {
    try {
      const page = await this.#server.call(people.get, { personId: this.#personId });
      if (this.#isOver) return;
      this.#page.value = page;
      this.#failure.value = null;
      this.#isGone.value = false;
    } catch (error) {
      if (this.#isOver) return;
      if (!isFailure(error)) throw error;
      if (error.code === 'notFound') this.#isGone.value = true;
      else if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    }
  }
}
