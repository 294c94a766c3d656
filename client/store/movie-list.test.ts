import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { movies, progress as progressCalls } from '#protocol/index.ts';
import { commonFailure } from '#protocol/errors.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { LibraryStore } from './library.ts';
import type { Card } from './library.ts';
import { MovieList, PAGE_SIZE } from './movie-list.ts';
import type { Tile } from './movie-list.ts';
import { ALL_MOVIES } from './navigation.ts';
import { ProgressStore } from './progress.ts';

const idOf = (number: number): string => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const card = (number: number, more: Partial<Card> = {}): Card => ({
  id: idOf(number),
  title: `Movie ${String(number).padStart(5, '0')}`,
  year: 1990,
  durationMs: 6_000_000,
  poster: null,
  picture: null,
  rating: null,
  resolution: 1080,
  hdr: null,
  isPlayable: true,
  addedAt: number,
  ...more,
});
const tile = (number: number, more: Partial<Tile> = {}): Tile => ({ ...card(number), progress: null, ...more });

describe('a window into the movies', () => {
  let server: MemoryServer;
  let library: LibraryStore;
  let progress: ProgressStore;
  let all: Tile[];
  const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const open = (query = ALL_MOVIES): MovieList => new MovieList(server, server.link, library, progress, query);
  const offsets = (): number[] => server.sentOf(movies.list).map(({ input }) => (input as { offset: number }).offset);

  beforeEach(() => {
    vi.useFakeTimers();
    server = new MemoryServer();
    server.setLive(true);
    all = Array.from({ length: 10_000 }, (_, number) => tile(number));
    server.answer(movies.list, ({ offset = 0, limit = 50 }) => ({
      total: all.length,
      movies: all.slice(offset, offset + limit),
    }));
    server.answer(progressCalls.report, ({ movieId, positionMs }) => ({
      progress: { movieId, positionMs, durationMs: 1, isWatched: false, watchCount: 0, updatedAt: 1 },
    }));
    library = new LibraryStore(server);
    progress = new ProgressStore(server, server.link, memoryOf(), 'someone');
    server.snapshot(libraryFeed, { movieCount: all.length, libraries: [] });
  });
  afterEach(() => {
    library.dispose();
    progress.dispose();
    vi.useRealTimers();
  });

  it('fetches the pages that are on screen and no others', async () => {
    const list = open();
    list.show(0, 20);
    await pass();
    expect(list.total.value).toBe(10_000);
    list.show(5 * PAGE_SIZE - 3, 5 * PAGE_SIZE + 3);
    await pass();
    expect(offsets()).toEqual([0, 4 * PAGE_SIZE, 5 * PAGE_SIZE]);
    expect(list.at(5 * PAGE_SIZE)?.id).toBe(idOf(5 * PAGE_SIZE));
    expect(list.at(9_000)).toBeUndefined();
    list.dispose();
  });

  it('pages that leave the screen before they came are cancelled', async () => {
    const list = open();
    list.show(0, 10);
    await pass();
    const aborted: number[] = [];
    server.answer(movies.list, ({ offset = 0 }, signal) => {
      signal?.addEventListener('abort', () => aborted.push(offset));
      return new Promise(() => undefined);
    });
    list.show(3_000, 3_010);
    list.show(9_000, 9_010);
    await pass();
    expect(aborted).toEqual([3_000]);
    list.dispose();
  });

  it('a changed movie is patched in place, without asking the server again', async () => {
    const list = open();
    list.show(0, 10);
    await pass();
    server.entries(libraryFeed, [
      {
        kind: 'movie',
        id: idOf(3),
        movie: card(3, { picture: { url: '/images/3', width: 1, height: 1, placeholder: null } }),
      },
    ]);
    expect(list.at(3)?.picture?.url).toBe('/images/3');
    await pass(5_000);
    expect(offsets()).toEqual([0]);
    list.dispose();
  });

  it('a new title, a new movie or a lost one fetches the window again, once for a burst', async () => {
    const list = open();
    list.show(0, 10);
    await pass();
    all = all.slice(1);
    server.entries(
      libraryFeed,
      Array.from({ length: 50 }, (_, number) => ({
        kind: 'movie' as const,
        id: idOf(20_000 + number),
        movie: card(20_000 + number),
      })),
    );
    server.entries(libraryFeed, [{ kind: 'movie', id: idOf(0), movie: null }]);
    // What was there stays in sight until the fresh page comes.
    expect(list.at(0)?.id).toBe(idOf(0));
    await pass(1_000);
    expect(offsets()).toEqual([0, 0]);
    expect(list.at(0)?.id).toBe(idOf(1));
    expect(list.total.value).toBe(9_999);
    list.dispose();
  });

  it('a steady stream of changes does not put the refresh off for ever', async () => {
    const list = open();
    list.show(0, 10);
    await pass();
    for (let step = 0; step < 40; step++) {
      server.entries(libraryFeed, [{ kind: 'movie', id: idOf(30_000 + step), movie: card(30_000 + step) }]);
      await pass(100);
    }
    const refreshes = offsets().length - 1;
    expect(refreshes).toBeGreaterThanOrEqual(2);
    expect(refreshes).toBeLessThanOrEqual(4);
    list.dispose();
  });

  it('after an interruption that the feed could not bridge, the window is fetched anew', async () => {
    const list = open();
    list.show(0, 10);
    await pass();
    server.snapshot(libraryFeed, { movieCount: 3, libraries: [] });
    await pass(1_000);
    expect(offsets()).toEqual([0, 0]);
    list.dispose();
  });

  it('waits for the line, then fetches', async () => {
    server.setLive(false);
    const list = open();
    list.show(0, 10);
    await pass();
    expect(list.failure.value).toBeNull();
    server.setLive(true);
    await pass();
    expect(list.total.value).toBe(10_000);
    list.dispose();
  });

  it('says why it could not be fetched, and tries again when asked', async () => {
    const failure = commonFailure('internal', { errorId: 'e1' });
    server.answer(movies.list, () => Promise.reject(failure));
    const list = open();
    list.show(0, 10);
    await pass();
    expect(list.failure.value).toBe(failure);
    server.answer(movies.list, () => ({ total: 1, movies: [tile(0)] }));
    list.retry();
    await pass();
    expect(list.failure.value).toBeNull();
    expect(list.total.value).toBe(1);
    list.dispose();
  });

  it('a shrunken list forgets the pages behind its end', async () => {
    const list = open();
    list.show(0, 10);
    await pass();
    list.show(600, 610);
    await pass();
    all = all.slice(0, 5);
    server.snapshot(libraryFeed, { movieCount: 5, libraries: [] });
    await pass(1_000);
    list.show(0, 4);
    await pass();
    expect(list.total.value).toBe(5);
    expect(list.at(600)).toBeUndefined();
    list.dispose();
  });

  it('progress is patched in place; with a filter for what was watched it may move rows', async () => {
    const plain = open();
    plain.show(0, 10);
    await pass();
    progress.report(idOf(2), 50, 100);
    expect(plain.at(2)?.progress?.positionMs).toBe(50);
    await pass(1_000);
    expect(offsets()).toEqual([0]);
    plain.dispose();

    const filtered = open({ ...ALL_MOVIES, filter: { isWatched: false } });
    filtered.show(0, 10);
    await pass();
    const before = offsets().length;
    progress.report(idOf(4), 95, 100);
    await pass(1_000);
    expect(offsets().length).toBe(before + 1);
    filtered.dispose();
  });
});
