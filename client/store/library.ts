/** The libraries with their scans, how many movies there are, and the stream of changed movies that lists listen to. */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { libraryFeed } from '#protocol/feeds/library.ts';
import type { Library } from '#protocol/schema/library.ts';
import type { MovieCard } from '#protocol/schema/movie.ts';
import type { Infer } from '#protocol/contract.ts';
import type { Server } from './ports.ts';

export type LibraryRow = Infer<typeof Library>;
export type Card = Infer<typeof MovieCard>;

export interface MovieListener {
  /** A movie came, changed, or (with `null`) went. */
  onMovie(id: string, card: Card | null): void;
  /** A collection came, changed or went. */
  onCollection?(id: string): void;
  /** The stream was interrupted for longer than the server remembers: what is shown may be out of date anywhere. */
  onReset(): void;
}

export class LibraryStore {
  readonly #libraries = signal<readonly LibraryRow[] | null>(null);
  readonly #movieCount = signal<number | null>(null);
  readonly #listeners = new Set<MovieListener>();
  readonly #unfollow: () => void;

  constructor(server: Server) {
    this.#unfollow = server.follow(libraryFeed, null, {
      onSnapshot: (snapshot) => {
        const isFirst = this.#libraries.peek() === null;
        batch(() => {
          this.#libraries.value = byName(snapshot.libraries);
          this.#movieCount.value = snapshot.movieCount;
        });
        if (!isFirst) for (const listener of this.#listeners) listener.onReset();
      },
      onEntries: (entries) =>
        batch(() => {
          for (const entry of entries) {
            switch (entry.kind) {
              case 'library':
                this.#replace(entry.id, entry.library);
                break;
              case 'movieCount':
                this.#movieCount.value = entry.count;
                break;
              case 'collection':
                for (const listener of this.#listeners) listener.onCollection?.(entry.id);
                break;
              case 'movie':
                for (const listener of this.#listeners) listener.onMovie(entry.id, entry.movie);
            }
          }
        }),
    });
  }

  /** `null` until the first snapshot. */
  get libraries(): ReadonlySignal<readonly LibraryRow[] | null> {
    return this.#libraries;
  }

  get movieCount(): ReadonlySignal<number | null> {
    return this.#movieCount;
  }

  listen(listener: MovieListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#unfollow();
    this.#listeners.clear();
  }

  #replace(id: string, library: LibraryRow | null): void {
    const others = (this.#libraries.value ?? []).filter((other) => other.id !== id);
    this.#libraries.value = library === null ? others : byName([...others, library]);
  }
}

const byName = (rows: readonly LibraryRow[]): readonly LibraryRow[] =>
  rows.toSorted((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
