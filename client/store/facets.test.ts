import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { Failure } from '#protocol/errors.ts';
import { movies } from '#protocol/methods/movies.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { FacetStore } from './facets.ts';
import { LibraryStore } from './library.ts';
import { ProgressStore } from './progress.ts';

describe('counts beside a grid', () => {
  let server: MemoryServer;
  let library: LibraryStore;
  let progress: ProgressStore;
  let total: number;
  const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const asked = (): number => server.sentOf(movies.facets).length;
  const change = (): void =>
    server.entries(libraryFeed, [{ kind: 'movie', id: '01900000-0000-7000-8000-000000000001', movie: null }]);
  const open = (): FacetStore => new FacetStore(server, server.link, library, progress, ' blue ', { genreIds: [3] });

  beforeEach(() => {
    vi.useFakeTimers();
    server = new MemoryServer();
    server.setLive(true);
    total = 0;
    server.answer(movies.facets, () => ({
      total: ++total,
      facets: [{ name: 'genreIds' as const, values: [{ value: '3', label: 'Drama', count: total }] }],
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

  it('are of the words and the filter of the grid', async () => {
    const facets = open();
    await pass();
    expect(server.sentOf(movies.facets)[0]?.input).toEqual({ search: 'blue', genreIds: [3] });
    expect(facets.facets.value?.[0]?.values[0]?.count).toBe(1);
    facets.dispose();
  });

  it('a burst of changes costs one question; a steady stream one in three seconds', async () => {
    const facets = open();
    await pass();
    for (let burst = 0; burst < 20; burst++) change();
    await pass(800);
    expect(asked()).toBe(2);
    for (let at = 0; at < 60; at++) {
      change();
      await pass(100);
    }
    expect(asked()).toBeGreaterThanOrEqual(3);
    expect(asked()).toBeLessThanOrEqual(5);
    facets.dispose();
  });

  it('old counts stay in sight while new ones come, and when they can’t be had', async () => {
    const facets = open();
    await pass();
    server.answer(movies.facets, () => Promise.reject(new Failure('overloaded', { retryAfterMs: 5 })));
    change();
    await pass(800);
    expect(facets.facets.value?.[0]?.values[0]?.count).toBe(1);
    expect(facets.failure.value?.code).toBe('overloaded');
    facets.dispose();
  });

  it('a line that comes back asks again; one that is disposed of never', async () => {
    const facets = open();
    await pass();
    server.setLive(false);
    server.setLive(true);
    await pass();
    expect(asked()).toBe(2);
    facets.dispose();
    change();
    await pass(5_000);
    expect(asked()).toBe(2);
  });
});
