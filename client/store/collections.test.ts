import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { Failure } from '#protocol/errors.ts';
import { collections } from '#protocol/methods/collections.ts';
import type { Collection } from '#protocol/schema/collection.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { CollectionStore, CollectionsStore } from './collections.ts';
import { LibraryStore } from './library.ts';
import type { Tile } from './movie-list.ts';
import { ProgressStore } from './progress.ts';

const idOf = (number: number): string => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const tile = (number: number): Tile => ({
  id: idOf(number),
  title: `Movie ${number}`,
  year: 1990,
  durationMs: 1,
  poster: null,
  picture: null,
  resolution: 1080,
  hdr: null,
  rating: null,
  isPlayable: true,
  addedAt: 1,
  progress: null,
});
const collection: Collection = {
  id: idOf(500),
  kind: 'manual',
  name: 'For Sunday',
  poster: null,
  backdrop: null,
  movieCount: 3,
  partCount: 3,
  watchedCount: 0,
  overview: null,
  tmdbId: null,
  query: null,
  missing: [],
};

describe('collections', () => {
  let server: MemoryServer;
  let library: LibraryStore;
  let progress: ProgressStore;
  let held: Tile[];
  const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    server = new MemoryServer();
    server.setLive(true);
    held = [tile(1), tile(2), tile(3)];
    server.answer(collections.get, () => ({ collection: { ...collection, movieCount: held.length }, movies: held }));
    server.answer(collections.update, ({ movieIds }) => {
      if (movieIds !== undefined) held = movieIds.flatMap((id) => held.find((one) => one.id === id) ?? []);
      return { collection: { ...collection, movieCount: held.length } };
    });
    server.answer(collections.list, ({ offset = 0, limit = 50 }) => ({
      total: 250,
      collections: Array.from({ length: Math.min(limit, 250 - offset) }, (_, at) => ({
        ...collection,
        id: idOf(1_000 + offset + at),
      })),
    }));
    library = new LibraryStore(server);
    progress = new ProgressStore(server, server.link, memoryOf(), 'someone');
    server.snapshot(libraryFeed, { movieCount: 1, libraries: [] });
  });
  afterEach(() => {
    library.dispose();
    progress.dispose();
    vi.useRealTimers();
  });
  const ids = (store: CollectionStore): string[] => store.movies.value.map(({ id }) => id);
  const open = async (): Promise<CollectionStore> => {
    const store = new CollectionStore(server, server.link, library, progress, collection.id);
    await pass();
    return store;
  };

  it('a new order shows at once', async () => {
    const store = await open();
    const order = [idOf(3), idOf(1), idOf(2)];
    const attempt = store.update({ movieIds: order });
    expect(ids(store)).toEqual(order);
    await attempt;
    expect(ids(store)).toEqual(order);
    store.dispose();
  });

  it('a refused order is taken back', async () => {
    const store = await open();
    server.answer(collections.update, () => Promise.reject(new Failure('wrongKind', { kind: 'series' })));
    await expect(store.update({ movieIds: [idOf(3)] })).rejects.toMatchObject({ code: 'wrongKind' });
    expect(ids(store)).toEqual([idOf(1), idOf(2), idOf(3)]);
    store.dispose();
  });

  it('what others change in it arrives by itself', async () => {
    const store = await open();
    held = [tile(9)];
    server.entries(libraryFeed, [{ kind: 'collection', id: idOf(501) }]);
    await pass(1_000);
    expect(ids(store)).toHaveLength(3);
    server.entries(libraryFeed, [{ kind: 'collection', id: collection.id }]);
    await pass(1_000);
    expect(ids(store)).toEqual([idOf(9)]);
    store.dispose();
  });

  it('one that was removed is gone', async () => {
    const store = await open();
    server.answer(collections.get, () => Promise.reject(new Failure('notFound', { what: 'collection', id: 'x' })));
    server.entries(libraryFeed, [{ kind: 'collection', id: collection.id }]);
    await pass(1_000);
    expect(store.isGone.value).toBe(true);
    store.dispose();
  });

  it('the list of them grows as it is looked at, and keeps its length when something changes', async () => {
    const store = new CollectionsStore(server, server.link, library, null);
    await pass();
    expect(store.cards.value).toHaveLength(100);
    await store.more();
    expect(store.cards.value).toHaveLength(200);
    server.entries(libraryFeed, [{ kind: 'collection', id: idOf(1_000) }]);
    await pass(1_000);
    expect(store.cards.value).toHaveLength(200);
    await store.more();
    await store.more();
    expect(store.cards.value).toHaveLength(250);
    store.dispose();
  });
});
