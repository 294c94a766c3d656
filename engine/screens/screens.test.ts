import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { safeParse } from 'valibot';
import { systemClock } from '#engine/base/clock.ts';
import { screens as calls } from '#protocol/index.ts';
import { Screen, ScreenAction } from '#protocol/schema/screen.ts';
import type { ScreenState } from '#protocol/schema/screen.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { ANSWER_MS, ATTEND_MS, GRACE_MS, SCREENS_LIMIT, Screens } from './screens.ts';

const uuid = (n: number): string => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const ADA = uuid(1);
const BOB = uuid(2);
const TV = uuid(10);
const PHONE = uuid(11);

const state = (more: Partial<ScreenState> = {}): ScreenState => ({
  ...{ name: 'Television', isControllable: true, volume: 1, isMuted: false, playing: null },
  ...more,
});

describe('screens', () => {
  let screens: Screens;
  let told: { audience: string; id: string; isThere: boolean }[];
  let ids = 100;

  const of = (userId: string, session = 50, signal?: AbortSignal) =>
    testContext({ viewer: testViewer(userId), sessionId: uuid(session), ...(signal && { signal }) });
  const show = (userId: string, screenId: string, more: Partial<ScreenState> = {}, session = 50) =>
    screens.handlers.show({ screenId, ...state(more) }, of(userId, session));
  const attend = (userId: string, screenId: string, session = 50, signal?: AbortSignal) =>
    Promise.resolve(screens.handlers.attend({ screenId }, of(userId, session, signal)));
  const order = (userId: string, screenId: string, action: ScreenAction, session = 51) =>
    Promise.resolve()
      .then(() => screens.handlers.order({ screenId, from: 'Phone', action }, of(userId, session)))
      .then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
  const answer = (userId: string, screenId: string, orderId: string, isDone = true, session = 50) =>
    screens.handlers.answer({ screenId, orderId, isDone }, of(userId, session));
  /** Takes the next order and says that it is done. */
  const obey = async (isDone = true) => {
    const { order: next } = await attend(ADA, TV);
    await answer(ADA, TV, next!.orderId, isDone);
    return next!.action;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    screens = new Screens({ clock: systemClock, newId: () => uuid(++ids) });
    screens.onEntries((entries, audience) => {
      for (const { id, screen } of entries as readonly { id: string; screen?: unknown }[]) {
        told.push({ audience, id, isThere: screen !== null });
      }
    });
  });
  afterEach(() => {
    screens[Symbol.dispose]();
    vi.useRealTimers();
  });

  it('[SCR1] is there while it attends, through a reconnect, and gone eight seconds after', async () => {
    await show(ADA, TV);
    const line = new AbortController();
    const waiting = attend(ADA, TV, 50, line.signal);
    await vi.advanceTimersByTimeAsync(GRACE_MS * 2);
    expect(screens.list(ADA)).toHaveLength(1);
    line.abort();
    expect(await waiting).toEqual({ order: null });
    await vi.advanceTimersByTimeAsync(GRACE_MS - 1);
    const again = attend(ADA, TV);
    await vi.advanceTimersByTimeAsync(ATTEND_MS);
    expect(await again).toEqual({ order: null });
    expect(screens.list(ADA)).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(GRACE_MS);
    expect(screens.list(ADA)).toEqual([]);
    expect(told.at(-1)).toEqual({ audience: ADA, id: TV, isThere: false });
  });

  it('[SCR8] screens of one name are told apart by a number, which each keeps while it is open', async () => {
    const names = () =>
      Object.fromEntries(
        screens.list(ADA).map(({ id, name }) => [id === TV ? 'tv' : id === PHONE ? 'phone' : 'third', name]),
      );
    await show(ADA, TV);
    await show(ADA, PHONE, {}, 51);
    await show(ADA, uuid(12), {}, 52);
    expect(names()).toEqual({ tv: 'Television', phone: 'Television 2', third: 'Television 3' });
    // Of another person it counts for nothing.
    await show(BOB, uuid(13), {}, 53);
    expect(screens.list(BOB).map(({ name }) => name)).toEqual(['Television']);
    await screens.handlers.hide({ screenId: TV }, of(ADA));
    await show(ADA, PHONE, { volume: 0.5 }, 51);
    expect(names()).toEqual({ phone: 'Television 2', third: 'Television 3' });
    await show(ADA, TV);
    expect(names()['tv']).toBe('Television');
    await show(ADA, PHONE, { name: 'Kitchen' }, 51);
    await show(ADA, uuid(12), { name: 'Kitchen' }, 52);
    expect(names()).toEqual({ tv: 'Television', phone: 'Kitchen', third: 'Kitchen 2' });
  });

  it('[SCR8] a name of any length has room for its number', async () => {
    const name = 'x'.repeat(500);
    await show(ADA, TV, { name });
    await show(ADA, PHONE, { name }, 51);
    for (const screen of screens.list(ADA)) expect(safeParse(Screen, screen).success).toBe(true);
    expect(new Set(screens.list(ADA).map((screen) => screen.name)).size).toBe(2);
  });

  it('[SCR9] takes names of one line and of some length', () => {
    const named = (name: string) => safeParse(ScreenAction, { kind: 'rename', name });
    expect(named(' Living room ').output).toEqual({ kind: 'rename', name: 'Living room' });
    expect(named('').success).toBe(true);
    for (const bad of ['x'.repeat(61), 'a\nb', 'a\u0000']) expect(named(bad).success).toBe(false);
  });

  it('[SCR1] is gone at once with its session', async () => {
    await show(ADA, TV, {}, 50);
    await show(ADA, PHONE, {}, 51);
    screens.end([uuid(50)]);
    expect(screens.list(ADA).map(({ id }) => id)).toEqual([PHONE]);
  });

  it('[SCR2] of another person it is not there, in no list, no word and no order', async () => {
    await show(ADA, TV);
    expect(screens.list(BOB)).toEqual([]);
    expect(await order(BOB, TV, { kind: 'pause' })).toBe('notFound');
    expect(told.every(({ audience }) => audience === ADA)).toBe(true);
    // The same name for another person's screen is another screen.
    await show(BOB, TV, { name: 'Bob’s' });
    expect(screens.list(ADA)[0]!.name).toBe('Television');
  });

  it('[SCR3] another session of the same person speaks for it in no way', async () => {
    await show(ADA, TV);
    expect(() => show(ADA, TV, { name: 'Stolen' }, 66)).toThrow(expect.objectContaining({ code: 'notFound' }));
    await expect(attend(ADA, TV, 66)).rejects.toMatchObject({ code: 'notFound' });
    const asked = order(ADA, TV, { kind: 'pause' });
    const { order: next } = await attend(ADA, TV);
    expect(() => answer(ADA, TV, next!.orderId, true, 66)).toThrow(expect.objectContaining({ code: 'notFound' }));
    void screens.handlers.hide({ screenId: TV }, of(ADA, 66));
    expect(screens.list(ADA)[0]!.name).toBe('Television');
    await answer(ADA, TV, next!.orderId);
    expect(await asked).toBe('done');
  });

  it('[SCR4] an order is done when the screen says so; refused, silent and gone are told apart', async () => {
    await show(ADA, TV);
    const done = order(ADA, TV, { kind: 'seek', positionMs: 5_000 });
    expect(await obey()).toEqual({ kind: 'seek', positionMs: 5_000 });
    expect(await done).toBe('done');

    const refused = order(ADA, TV, { kind: 'pause' });
    await obey(false);
    expect(await refused).toBe('screenRefused');

    const silent = order(ADA, TV, { kind: 'pause' });
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect(await silent).toBe('screenSilent');

    const gone = order(ADA, TV, { kind: 'pause' });
    await vi.advanceTimersByTimeAsync(0);
    void screens.handlers.hide({ screenId: TV }, of(ADA));
    expect(await gone).toBe('notFound');

    await show(ADA, TV, { isControllable: false });
    expect(await order(ADA, TV, { kind: 'pause' })).toBe('screenRefused');
  });

  it('[SCR5] what nobody waits for any more is not done later, and a late answer changes nothing', async () => {
    await show(ADA, TV);
    const silent = order(ADA, TV, { kind: 'stop' });
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect(await silent).toBe('screenSilent');
    const next = order(ADA, TV, { kind: 'resume' });
    const { order: taken } = await attend(ADA, TV);
    expect(taken!.action).toEqual({ kind: 'resume' });
    await answer(ADA, TV, uuid(ids - 1));
    await answer(ADA, TV, taken!.orderId);
    expect(await next).toBe('done');
  });

  it('[SCR6] come in order; of a wheel that is turned only the last position', async () => {
    await show(ADA, TV);
    const all = [
      order(ADA, TV, { kind: 'pause' }),
      order(ADA, TV, { kind: 'seek', positionMs: 1_000 }),
      order(ADA, TV, { kind: 'seek', positionMs: 2_000 }),
      order(ADA, TV, { kind: 'seek', positionMs: 3_000 }),
      order(ADA, TV, { kind: 'resume' }),
    ];
    await vi.advanceTimersByTimeAsync(0);
    expect([await obey(), await obey(), await obey()]).toEqual([
      { kind: 'pause' },
      { kind: 'seek', positionMs: 3_000 },
      { kind: 'resume' },
    ]);
    expect(await Promise.all(all)).toEqual(Array(5).fill('done'));
  });

  it('[SCR7] has bounds: screens of a person, orders to a screen', async () => {
    for (let n = 0; n < SCREENS_LIMIT; n++) await show(ADA, uuid(1_000 + n));
    expect(() => show(ADA, TV)).toThrow(expect.objectContaining({ code: 'tooManyScreens' }));
    const first = uuid(1_000);
    const asked = Array.from({ length: 40 }, () => order(ADA, first, { kind: 'pause' }));
    await vi.advanceTimersByTimeAsync(ANSWER_MS);
    expect(await Promise.all(asked)).toEqual(Array(40).fill('screenSilent'));
  });

  it.each<[string, object]>([
    ['a screen that is no id', { screenId: '../../etc/passwd' }],
    ['a volume beyond the end', { volume: 2 }],
    ['a volume that is no number', { volume: Number.NaN }],
    ['a name without end', { name: 'x'.repeat(501) }],
    ['a place before the beginning', { playing: { ...playing(), positionMs: -1 } }],
    ['a speed of nothing', { playing: { ...playing(), rate: 0 } }],
    ['tracks without end', { playing: { ...playing(), tracks: { ...playing().tracks, audio: many(65) } } }],
  ])('[SCR7] %s does not pass', (_, hostile) => {
    expect(safeParse(calls.show.input, { screenId: TV, ...state(), playing: playing() }).success).toBe(true);
    expect(safeParse(calls.show.input, { screenId: TV, ...state(), ...hostile }).success).toBe(false);
  });

  it.each<[string, unknown]>([
    ['a kind that there is not', { kind: 'format' }],
    ['a place that is no number', { kind: 'seek', positionMs: '12' }],
    ['a movie that is no id', { kind: 'play', movieId: 'javascript:alert(1)', fileId: null, positionMs: 0 }],
    ['no action at all', null],
  ])('[SCR7] an order of %s does not pass', (_, action) => {
    expect(safeParse(calls.order.input, { screenId: TV, from: 'x', action }).success).toBe(false);
  });
});

function playing(): NonNullable<ScreenState['playing']> {
  return {
    ...{ movieId: uuid(7), title: 'Metropolis', positionMs: 0, durationMs: 1_000, isPlaying: true, rate: 1 },
    tracks: { audio: [], audioTrack: null, subtitles: [], subtitle: null },
  };
}

const many = (count: number) => Array.from({ length: count }, (_, trackIndex) => ({ trackIndex, label: 'x' }));
