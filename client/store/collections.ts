/** Series, lists and saved filters: the list of them, and one with its movies. */
import { batch, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { collections } from '#protocol/methods/collections.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { InputOf } from '#protocol/contract.ts';
import type { Collection, CollectionCard } from '#protocol/schema/collection.ts';
import type { LibraryStore } from './library.ts';
import type { Tile } from './movie-list.ts';
import type { CollectionKind } from './navigation.ts';
import type { Link, Server } from './ports.ts';
import type { ProgressStore } from './progress.ts';

const WINDOW = 100;
const SETTLE_MS = 400;

/** Quiet time after a change before what is shown is fetched again. */
class Settling {
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: () => void) {
    this.#run = run;
  }

  touch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, SETTLE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

export class CollectionsStore {
  readonly #server: Server;
  readonly #kind: CollectionKind | null;
  readonly #cards = signal<readonly CollectionCard[] | null>(null);
  readonly #total = signal(0);
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];
  #isLoading = false;

  constructor(server: Server, link: Pick<Link, 'state'>, library: LibraryStore, kind: CollectionKind | null) {
    this.#server = server;
    this.#kind = kind;
    const settling = new Settling(() => void this.#load(Math.max(WINDOW, this.#cards.peek()?.length ?? 0)));
    this.#disposers.push(
      () => settling.stop(),
      library.listen({
        onMovie: () => undefined,
        onCollection: () => settling.touch(),
        onReset: () => settling.touch(),
      }),
      link.state.subscribe((state) => {
        if (state.kind === 'live') void this.#load(Math.max(WINDOW, this.#cards.peek()?.length ?? 0));
      }),
    );
  }

  /** Those that were loaded so far, by name; `null` until the first reply. */
  get cards(): ReadonlySignal<readonly CollectionCard[] | null> {
    return this.#cards;
  }

  get total(): ReadonlySignal<number> {
    return this.#total;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  retry(): void {
    void this.#load(WINDOW);
  }

  async more(): Promise<void> {
    const held = this.#cards.peek()?.length ?? 0;
    if (held < this.#total.peek()) await this.#load(held + WINDOW);
  }

  dispose(): void {
    for (const dispose of this.#disposers) dispose();
  }

  async #load(wanted: number): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      const cards: CollectionCard[] = [];
      let total = 0;
      do {
        const reply = await this.#server.call(collections.list, {
          offset: cards.length,
          limit: WINDOW,
          ...(this.#kind !== null && { kind: this.#kind }),
        });
        ({ total } = reply);
        cards.push(...reply.collections);
        if (reply.collections.length === 0) break;
      } while (cards.length < Math.min(wanted, total));
      batch(() => {
        this.#cards.value = cards;
        this.#total.value = total;
        this.#failure.value = null;
      });
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    } finally {
      this.#isLoading = false;
    }
  }
}

export type CollectionChanges = Omit<InputOf<typeof collections.update>, 'collectionId'>;

export class CollectionStore {
  readonly #server: Server;
  readonly #collectionId: string;
  readonly #collection = signal<Collection | null>(null);
  readonly #movies = signal<readonly Tile[]>([]);
  readonly #isGone = signal(false);
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];
  #generation = 0;

  constructor(
    server: Server,
    link: Pick<Link, 'state'>,
    library: LibraryStore,
    progress: ProgressStore,
    collectionId: string,
  ) {
    this.#server = server;
    this.#collectionId = collectionId;
    const settling = new Settling(() => void this.#load());
    this.#disposers.push(
      () => settling.stop(),
      library.listen({
        // A movie that came, went or changed may belong to a series or to what a filter finds.
        onMovie: (id, card) => {
          if (card !== null) {
            this.#movies.value = this.#movies
              .peek()
              .map((tile) => (tile.id === id ? { ...card, progress: tile.progress } : tile));
          }
          if (card === null || this.#collection.peek()?.kind === 'smart') settling.touch();
        },
        onCollection: (id) => {
          if (id === collectionId) settling.touch();
        },
        onReset: () => settling.touch(),
      }),
      progress.onChange((now, before) => {
        if ((before?.isWatched ?? false) !== now.isWatched) settling.touch();
      }),
      link.state.subscribe((state) => {
        if (state.kind === 'live') void this.#load();
      }),
    );
  }

  get collection(): ReadonlySignal<Collection | null> {
    return this.#collection;
  }

  get movies(): ReadonlySignal<readonly Tile[]> {
    return this.#movies;
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

  /** Shows at once what was changed, then what the server made of it. Rejects with what the call fails with, and takes it back. */
  async update(changes: CollectionChanges): Promise<void> {
    const before = this.#movies.peek();
    if (changes.movieIds !== undefined) {
      const byId = new Map(before.map((tile) => [tile.id, tile]));
      this.#movies.value = changes.movieIds.flatMap((id) => byId.get(id) ?? []);
    }
    try {
      const { collection } = await this.#server.call(collections.update, {
        collectionId: this.#collectionId,
        ...changes,
      });
      this.#collection.value = collection;
    } catch (error) {
      this.#movies.value = before;
      throw error;
    }
    await this.#load();
  }

  async remove(): Promise<void> {
    await this.#server.call(collections.remove, { collectionId: this.#collectionId });
  }

  dispose(): void {
    this.#generation += 1;
    for (const dispose of this.#disposers) dispose();
  }

  async #load(): Promise<void> {
    const generation = ++this.#generation;
    try {
      const reply = await this.#server.call(collections.get, { collectionId: this.#collectionId });
      if (generation !== this.#generation) return;
      batch(() => {
        this.#collection.value = reply.collection;
        this.#movies.value = reply.movies;
        this.#failure.value = null;
        this.#isGone.value = false;
      });
    } catch (error) {
      if (generation !== this.#generation) return;
      if (!isFailure(error)) throw error;
      if (error.code === 'notFound') this.#isGone.value = true;
      else if (error.code !== 'disconnected' && error.code !== 'cancelled') this.#failure.value = error;
    }
  }
}

/** Makes a list of movies, or saves a filter. */
export async function createCollection(server: Server, input: InputOf<typeof collections.create>): Promise<Collection> {
  return (await server.call(collections.create, input)).collection;
}

/** Fails with `wrongKind`. */
export async function updateCollection(server: Server, input: InputOf<typeof collections.update>): Promise<Collection> {
  return (await server.call(collections.update, input)).collection;
}
