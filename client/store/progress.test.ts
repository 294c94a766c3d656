import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressFeed } from '#protocol/feeds.ts';
import { progress as calls } from '#protocol/index.ts';
import { Failure, commonFailure } from '#protocol/errors.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { ProgressStore } from './progress.ts';

const MOVIE = '01900000-0000-7000-8000-000000000001';
const OTHER = '01900000-0000-7000-8000-000000000002';
const USER = '01900000-0000-7000-8000-0000000000aa';
const BACKLOG = `unsentProgress.${USER}`;

const at = (positionMs: number, more: Partial<Progress> = {}): Progress => ({
  movieId: MOVIE,
  positionMs,
  durationMs: 100_000,
  isWatched: false,
  watchCount: 0,
  updatedAt: 1,
  ...more,
});

describe('progress', () => {
  let server: MemoryServer;
  let memory: ReturnType<typeof memoryOf>;
  let store: ProgressStore;
  const settled = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

  beforeEach(() => {
    vi.useFakeTimers();
    server = new MemoryServer();
    memory = memoryOf();
    server.setLive(true);
    server.answer(calls.report, ({ movieId, positionMs }) => ({ progress: at(positionMs, { movieId, updatedAt: 2 }) }));
    store = new ProgressStore(server, server.link, memory, USER);
  });
  afterEach(() => {
    store.dispose();
    vi.useRealTimers();
  });

  it('a report shows at once and is confirmed by the server', async () => {
    store.report(MOVIE, 40_000.4, 100_000);
    expect(store.of(MOVIE)).toMatchObject({ positionMs: 40_000, isWatched: false });
    await settled();
    expect(server.sentOf(calls.report)[0]?.input).toEqual({
      movieId: MOVIE,
      positionMs: 40_000,
      durationMs: 100_000,
      observedAt: server.timeMs,
    });
    expect(store.of(MOVIE)?.updatedAt).toBe(2);
    expect(memory.values.has(BACKLOG)).toBe(false);
  });

  it('reports made while one is on its way are coalesced to the newest of each movie', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.answer(calls.report, async ({ movieId, positionMs }) => {
      await promise;
      return { progress: at(positionMs, { movieId }) };
    });
    store.report(MOVIE, 1_000, 100_000);
    for (let second = 2; second <= 9; second++) store.report(MOVIE, second * 1_000, 100_000);
    store.report(OTHER, 5_000, 100_000);
    resolve();
    await settled();
    const sent = server.sentOf(calls.report).map(({ input }) => input as { movieId: string; positionMs: number });
    expect(sent.map(({ movieId, positionMs }) => [movieId, positionMs])).toEqual([
      [MOVIE, 1_000],
      [MOVIE, 9_000],
      [OTHER, 5_000],
    ]);
  });

  it('the answer to an older report does not move the position back', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.answer(calls.report, async ({ positionMs }) => {
      if (positionMs === 1_000) await promise;
      return { progress: at(positionMs) };
    });
    store.report(MOVIE, 1_000, 100_000);
    store.report(MOVIE, 9_000, 100_000);
    const seen: number[] = [];
    store.onChange(({ positionMs }) => seen.push(positionMs));
    resolve();
    await settled();
    expect(seen).toEqual([9_000]);
  });

  it('without a line reports are kept on the device, and sent when the line is back', async () => {
    server.setLive(false);
    store.report(MOVIE, 10_000, 100_000);
    store.report(MOVIE, 20_000, 100_000);
    await settled();
    expect(server.sentOf(calls.report)).toHaveLength(0);
    expect(JSON.parse(memory.values.get(BACKLOG)!)).toEqual([
      [MOVIE, { positionMs: 20_000, durationMs: 100_000, observedAt: server.timeMs }],
    ]);
    server.timeMs += 60_000;
    server.setLive(true);
    await settled();
    // Seen a minute ago, and said so: another device may have been later.
    expect(server.sentOf(calls.report)[0]?.input).toMatchObject({
      positionMs: 20_000,
      observedAt: server.timeMs - 60_000,
    });
    expect(memory.values.has(BACKLOG)).toBe(false);
  });

  it('what an earlier page could not send is sent by the next', async () => {
    memory.values.set(BACKLOG, JSON.stringify([[OTHER, { positionMs: 7, durationMs: 9, observedAt: 5 }]]));
    const next = new ProgressStore(server, server.link, memory, USER);
    await settled();
    expect(server.sentOf(calls.report)[0]?.input).toMatchObject({ movieId: OTHER, positionMs: 7 });
    next.dispose();
  });

  it.each(['', 'null', '{}', '[[1,2]]', '[["x",{"positionMs":-1}]]', '{broken'])(
    'a spoilt memory %j counts as empty',
    async (text) => {
      memory.values.set(BACKLOG, text);
      const next = new ProgressStore(server, server.link, memory, USER);
      await settled();
      expect(server.sentOf(calls.report)).toHaveLength(0);
      next.dispose();
    },
  );

  it('a passing failure is tried again, a lasting one is dropped', async () => {
    let tries = 0;
    server.answer(calls.report, ({ movieId, positionMs }) => {
      if (++tries === 1) throw commonFailure('overloaded', { retryAfterMs: 10 });
      return { progress: at(positionMs, { movieId }) };
    });
    store.report(MOVIE, 1_000, 100_000);
    await settled();
    expect(memory.values.has(BACKLOG)).toBe(true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tries).toBe(2);
    expect(memory.values.has(BACKLOG)).toBe(false);

    server.answer(calls.report, () => {
      throw commonFailure('notFound', { what: 'movie', id: MOVIE });
    });
    store.report(MOVIE, 2_000, 100_000);
    await settled();
    expect(memory.values.has(BACKLOG)).toBe(false);
  });

  it('leaving the page sends what is unsent by a request that outlives it', async () => {
    server.setLive(false);
    store.report(MOVIE, 30_000, 100_000);
    store.flushOnLeave();
    await settled();
    expect(server.sentOf(calls.report)).toMatchObject([
      { way: 'request', isKeptAlive: true, input: { positionMs: 30_000 } },
    ]);
    expect(memory.values.has(BACKLOG)).toBe(false);
  });

  it('marking as watched shows at once and is taken back when the server refuses', async () => {
    server.snapshot(progressFeed, { progress: [at(50_000)] });
    const refused = new Failure('forbidden', { permission: 'self' });
    server.answer(calls.setWatched, () => Promise.reject(refused));
    const attempt = store.setWatched(MOVIE, true);
    expect(store.of(MOVIE)?.isWatched).toBe(true);
    await expect(attempt).rejects.toBe(refused);
    expect(store.of(MOVIE)).toEqual(at(50_000));
  });

  it('a movie that was never played leaves no trace of a refused mark', async () => {
    server.answer(calls.setWatched, () => Promise.reject(commonFailure('overloaded', { retryAfterMs: 1 })));
    await expect(store.setWatched(MOVIE, true)).rejects.toThrow();
    expect(store.of(MOVIE)).toBeNull();
  });

  it('the newer of what a list carried and what was heard wins', () => {
    server.snapshot(progressFeed, { progress: [at(50_000, { updatedAt: 10 })] });
    expect(store.of(MOVIE, at(1, { updatedAt: 9 }))?.positionMs).toBe(50_000);
    expect(store.of(MOVIE, at(2, { updatedAt: 11 }))?.positionMs).toBe(2);
    expect(store.of(OTHER, at(3))?.positionMs).toBe(3);
  });
});
