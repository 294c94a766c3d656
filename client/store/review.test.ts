import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { Failure } from '#protocol/errors.ts';
import { metadata } from '#protocol/methods/metadata.ts';
import type { ReviewItem } from '#protocol/schema/match.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { LibraryStore } from './library.ts';
import { ReviewCount, ReviewStore } from './review.ts';

const idOf = (number: number): string => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const item = (number: number): ReviewItem => ({
  movieId: idOf(number),
  title: `Movie ${number}`,
  year: null,
  picture: null,
  fileNames: [`movie.${number}.mkv`],
  match: {
    state: number % 2 === 0 ? 'doubtful' : 'unmatched',
    score: null,
    reasons: [],
    tmdbId: null,
    imdbId: null,
    refreshedAt: null,
  },
  candidates:
    number % 2 === 0
      ? [number * 10, number * 10 + 1].map((tmdbId) => ({
          tmdbId,
          title: `Movie ${number}`,
          originalTitle: null,
          year: 1990,
          overview: null,
          poster: null,
          score: 0.7,
          reasons: [],
        }))
      : [],
});

describe('the review', () => {
  let server: MemoryServer;
  let library: LibraryStore;
  let waiting: ReviewItem[];
  const pass = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const matched = (): unknown[] =>
    server.sentOf(metadata.match).map(({ input }) => (input as { choices: unknown }).choices);

  beforeEach(() => {
    vi.useFakeTimers();
    server = new MemoryServer();
    server.setLive(true);
    waiting = Array.from({ length: 60 }, (_, number) => item(number));
    server.answer(metadata.review, ({ offset = 0, limit = 25, state }) => {
      const all = waiting.filter(({ match }) => state === undefined || match.state === state);
      const unmatched = waiting.filter(({ match }) => match.state === 'unmatched').length;
      return {
        total: all.length,
        unmatched,
        doubtful: waiting.length - unmatched,
        items: all.slice(offset, offset + limit),
      };
    });
    server.answer(metadata.match, ({ choices }) => {
      waiting = waiting.filter(({ movieId }) => !choices.some((choice) => choice.movieId === movieId));
      return { movieIds: choices.map(({ movieId }) => movieId) };
    });
    library = new LibraryStore(server);
    server.snapshot(libraryFeed, { movieCount: 60, libraries: [] });
  });
  afterEach(() => {
    library.dispose();
    vi.useRealTimers();
  });
  const open = async (state: 'unmatched' | 'doubtful' | null = null): Promise<ReviewStore> => {
    const store = new ReviewStore(server, server.link, library, state);
    await pass();
    return store;
  };

  it('begins with a part of the list, and gives more', async () => {
    const store = await open();
    expect(store.items.value).toHaveLength(25);
    expect(store.counts.value).toEqual({ total: 60, unmatched: 30, doubtful: 30 });
    await store.more();
    expect(store.items.value).toHaveLength(50);
    store.dispose();
  });

  it('what is confirmed leaves at once, before the list is fetched again', async () => {
    const store = await open();
    store.pick(idOf(2), 20);
    const asked = server.sentOf(metadata.review).length;
    await store.confirm([idOf(2)]);
    expect(server.sentOf(metadata.review)).toHaveLength(asked);
    expect(store.items.value?.some(({ movieId }) => movieId === idOf(2))).toBe(false);
    expect(store.counts.value).toEqual({ total: 59, unmatched: 30, doubtful: 29 });
    expect(store.picks.value.size).toBe(0);
    await pass(2_000);
    expect(store.items.value).toHaveLength(25);
    store.dispose();
  });

  it('the likeliest of everything are picked, but not over a pick of the person', async () => {
    const store = await open('doubtful');
    store.pick(idOf(4), 41);
    store.pickLikeliest();
    expect(store.picks.value.size).toBe(25);
    expect(store.picks.value.get(idOf(4))).toBe(41);
    await store.confirm();
    expect(matched()).toHaveLength(1);
    store.dispose();
  });

  it('a refused confirmation keeps the pick and the movie', async () => {
    const store = await open();
    store.pick(idOf(2), 20);
    server.answer(metadata.match, () => Promise.reject(new Failure('notReachable', { reason: 'away' })));
    await expect(store.confirm()).rejects.toMatchObject({ code: 'notReachable' });
    expect(store.picks.value.get(idOf(2))).toBe(20);
    expect(store.items.value?.some(({ movieId }) => movieId === idOf(2))).toBe(true);
    store.dispose();
  });

  it('what somebody else confirmed disappears with its pick; other picks stay', async () => {
    const store = await open();
    store.pick(idOf(2), 20);
    store.pick(idOf(4), 40);
    waiting = waiting.filter(({ movieId }) => movieId !== idOf(2));
    server.entries(libraryFeed, [{ kind: 'movie', id: idOf(2), movie: null }]);
    await pass(1_100);
    expect([...store.picks.value.keys()]).toEqual([idOf(4)]);
    store.dispose();
  });

  it('what was found by hand takes the place of what was proposed, and nothing of it is picked', async () => {
    const store = await open();
    store.pick(idOf(2), 20);
    const found = { ...item(2).candidates[0]!, tmdbId: 777 };
    server.answer(metadata.search, () => ({ candidates: [found] }));
    await store.search(idOf(2), 'Something else', 1991);
    expect(server.sentOf(metadata.search)[0]?.input).toEqual({ query: 'Something else', year: 1991 });
    expect(store.candidatesOf(item(2)).map(({ tmdbId }) => tmdbId)).toEqual([777]);
    expect(store.picks.value.has(idOf(2))).toBe(false);
    store.dispose();
  });

  it('the badge counts both kinds, and again after the library changed', async () => {
    const badge = new ReviewCount(server, server.link, library);
    await pass();
    expect(badge.count.value).toBe(60);
    waiting = waiting.slice(0, 3);
    for (let burst = 0; burst < 5; burst++) server.entries(libraryFeed, [{ kind: 'movie', id: idOf(9), movie: null }]);
    await pass(3_100);
    expect(badge.count.value).toBe(3);
    expect(server.sentOf(metadata.review)).toHaveLength(2);
    badge.dispose();
  });
});
