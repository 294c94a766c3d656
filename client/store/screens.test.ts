import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { screensFeed } from '#protocol/feeds.ts';
import { screens as calls } from '#protocol/methods/screens.ts';
import type { Screen, ScreenAction, ScreenOrder, ScreenPlay } from '#protocol/schema/screen.ts';
import { MemoryServer, memoryOf } from '#test/support/memory-server.ts';
import { Preferences } from './preferences.ts';
import { ScreenStore, placeNow } from './screens.ts';
import type { Stage } from './screens.ts';

const uuid = (n: number): string => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const MOVIE = uuid(7);

const play = (more: Partial<ScreenPlay> = {}): ScreenPlay => ({
  ...{ movieId: MOVIE, title: 'Metropolis', positionMs: 10_000, durationMs: 60_000, isPlaying: true, rate: 1 },
  tracks: { audio: [], audioTrack: null, subtitles: [], subtitle: null },
  ...more,
});
const screen = (id: string, more: Partial<Screen> = {}): Screen => ({
  ...{ id, heardAt: 1_000, name: 'Television', isControllable: true, volume: 1, isMuted: false, playing: null },
  ...more,
});

describe('screens of a person', () => {
  let server: MemoryServer;
  let preferences: Preferences;
  let store: ScreenStore;
  let opened: (readonly [string, string | null])[];
  let orders: PromiseWithResolvers<{ order: ScreenOrder | null }>[];

  /** Hands the screen an order, as the server does, and waits until it has answered. */
  async function ask(action: ScreenAction): Promise<boolean> {
    const before = server.sentOf(calls.answer).length;
    orders.at(-1)!.resolve({ order: { orderId: uuid(90), from: 'Phone', action } });
    await vi.advanceTimersByTimeAsync(0);
    const answer = server.sentOf(calls.answer)[before]?.input as { isDone: boolean };
    return answer.isDone;
  }
  const lastShown = () => server.sentOf(calls.show).at(-1)!.input as Screen;

  beforeEach(async () => {
    vi.useFakeTimers();
    server = new MemoryServer();
    preferences = new Preferences(memoryOf());
    opened = [];
    orders = [];
    server.answer(calls.show, () => ({}));
    server.answer(calls.answer, () => ({}));
    server.answer(calls.hide, () => ({}));
    server.answer(calls.attend, () => {
      const next = Promise.withResolvers<{ order: ScreenOrder | null }>();
      orders.push(next);
      return next.promise;
    });
    store = new ScreenStore({
      ...{ server, link: server.link, preferences, name: 'Firefox on Linux' },
      openMovie: (movieId, fileId) => opened.push([movieId, fileId]),
    });
    server.setLive(true);
    await vi.advanceTimersByTimeAsync(300);
  });
  afterEach(() => {
    store.dispose();
    vi.useRealTimers();
  });

  it('says itself, attends, and does so again when the line comes back', async () => {
    expect(lastShown()).toMatchObject({ screenId: store.id, name: 'Firefox on Linux', playing: null });
    expect(orders).toHaveLength(1);
    server.setLive(false);
    server.setLive(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(orders).toHaveLength(2);
  });

  it('[SCR9] is called what somebody calls it, here or from another screen, and by its browser’s name again', async () => {
    expect(await ask({ kind: 'rename', name: 'Living room' })).toBe(true);
    await vi.advanceTimersByTimeAsync(300);
    expect(lastShown().name).toBe('Living room');
    expect(preferences.screenName.value).toBe('Living room');
    store.rename('');
    await vi.advanceTimersByTimeAsync(300);
    expect(lastShown().name).toBe('Firefox on Linux');
    preferences.isControllable.value = false;
    expect(await ask({ kind: 'rename', name: 'Mine' })).toBe(false);
    expect(preferences.screenName.value).toBe('');
  });

  it('[SCR8] asks others under the name by which they know it', async () => {
    server.answer(calls.order, () => ({}));
    expect(store.name).toBe('Firefox on Linux');
    server.entries(screensFeed, [
      { kind: 'screen', id: store.id, screen: screen(store.id, { name: 'Firefox on Linux 2' }) },
    ]);
    expect(store.name).toBe('Firefox on Linux 2');
    await store.order(uuid(5), { kind: 'pause' });
    expect(server.sentOf(calls.order).at(-1)!.input).toMatchObject({ from: 'Firefox on Linux 2' });
  });

  it('[SCR1] where there are more than there may be, waits until one of them leaves, and asks no more meanwhile', async () => {
    const many = Array.from({ length: 20 }, (_, at) => uuid(100 + at));
    server.answer(calls.show, () => {
      throw new Failure('tooManyScreens', { limit: 20 });
    });
    server.setLive(false);
    server.setLive(true);
    server.entries(
      screensFeed,
      many.map((id) => ({ kind: 'screen' as const, id, screen: screen(id) })),
    );
    await vi.advanceTimersByTimeAsync(2_000);
    const before = server.sentOf(calls.show).length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.sentOf(calls.show)).toHaveLength(before);
    server.answer(calls.show, () => ({}));
    const attended = orders.length;
    server.entries(screensFeed, [{ kind: 'screen', id: many[3]!, screen: null }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(server.sentOf(calls.show)).toHaveLength(before + 1);
    expect(orders).toHaveLength(attended + 1);
  });

  it('tells what changes, once for many changes', async () => {
    const before = server.sentOf(calls.show).length;
    preferences.volume.value = 0.5;
    preferences.volume.value = 0.4;
    preferences.isMuted.value = true;
    await vi.advanceTimersByTimeAsync(300);
    expect(server.sentOf(calls.show)).toHaveLength(before + 1);
    expect(lastShown()).toMatchObject({ volume: 0.4, isMuted: true });
  });

  it('opens a movie that another screen orders, and begins it where it was told to, once', async () => {
    expect(await ask({ kind: 'play', movieId: MOVIE, fileId: null, positionMs: 42_000 })).toBe(true);
    expect(opened).toEqual([[MOVIE, null]]);
    expect(store.controller.value).toBe('Phone');
    expect(store.takeStart(MOVIE)).toBe(42_000);
    expect(store.takeStart(MOVIE)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(13_000);
    expect(store.controller.value).toBeNull();
  });

  it('a start that nobody took is forgotten, and one of another movie is not taken', async () => {
    await ask({ kind: 'play', movieId: MOVIE, fileId: null, positionMs: 42_000 });
    expect(store.takeStart(uuid(8))).toBeUndefined();
    await ask({ kind: 'play', movieId: MOVIE, fileId: null, positionMs: 42_000 });
    await vi.advanceTimersByTimeAsync(16_000);
    expect(store.takeStart(MOVIE)).toBeUndefined();
  });

  it('hands everything else to the stage, and refuses it without one', async () => {
    expect(await ask({ kind: 'pause' })).toBe(false);
    const done: ScreenAction[] = [];
    const playing = signal<ScreenPlay | null>(play());
    const stage: Stage = {
      playing,
      placeMs: () => 10_000,
      obey: (action) => {
        done.push(action);
        return true;
      },
      playFrom: () => true,
    };
    const leave = store.takeStage(stage);
    await vi.advanceTimersByTimeAsync(300);
    expect(lastShown().playing).toMatchObject({ title: 'Metropolis' });
    expect(await ask({ kind: 'seek', positionMs: 5 })).toBe(true);
    expect(await ask({ kind: 'play', movieId: MOVIE, fileId: null, positionMs: 1 })).toBe(true);
    expect(done).toEqual([{ kind: 'seek', positionMs: 5 }]);
    expect(opened).toEqual([]);
    leave();
    await vi.advanceTimersByTimeAsync(300);
    expect(lastShown().playing).toBeNull();
  });

  it('tells the place of the moment, also when it tells again what has not changed', async () => {
    let placeMs = 12_000;
    const leave = store.takeStage({
      playing: signal<ScreenPlay | null>(play({ positionMs: 10_000, isPlaying: true })),
      placeMs: () => placeMs,
      obey: () => true,
      playFrom: () => true,
    });
    await vi.advanceTimersByTimeAsync(300);
    expect(lastShown().playing).toMatchObject({ positionMs: 12_000 });
    placeMs = 22_000;
    await vi.advanceTimersByTimeAsync(10_500);
    expect(lastShown().playing).toMatchObject({ positionMs: 22_000 });
    leave();
  });

  it('does nothing for others where the person does not want it', async () => {
    preferences.isControllable.value = false;
    expect(await ask({ kind: 'play', movieId: MOVIE, fileId: null, positionMs: 0 })).toBe(false);
    expect(opened).toEqual([]);
    expect(store.controller.value).toBeNull();
  });

  it('shows the others without itself, and forgets the one it controls when that goes', () => {
    const tv = uuid(10);
    server.snapshot(screensFeed, { screens: [screen(store.id), screen(tv), screen(uuid(11), { heardAt: 5_000 })] });
    expect(store.others.value.map(({ id }) => id)).toEqual([uuid(11), tv]);
    store.control(tv);
    expect(store.controlled.value?.id).toBe(tv);
    server.entries(screensFeed, [{ kind: 'screen', id: tv, screen: null }]);
    expect(store.controlled.value).toBeNull();
  });

  it('knows where another screen is by now', () => {
    expect(placeNow(screen(uuid(1), { playing: play({ rate: 2 }) }), 6_000)).toBe(20_000);
    expect(placeNow(screen(uuid(1), { playing: play({ isPlaying: false }) }), 6_000)).toBe(10_000);
    expect(placeNow(screen(uuid(1), { playing: play() }), 900_000)).toBe(60_000);
    expect(placeNow(screen(uuid(1)), 6_000)).toBe(0);
  });
});
