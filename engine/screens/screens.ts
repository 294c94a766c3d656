/**
 * The screens that people have open, and what one of them asks of another. Owns: each screen with what it last said, the orders
 * on their way to it, and the one call by which it waits for them. Nothing of it outlives the process: a screen says itself again.
 *
 * A screen is there from its first word and for as long as it attends; GRACE_MS without, and it is gone [SCR1].
 * Rules: SPEC.md.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';
import type { FeedEntry } from '#protocol/contract.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { screens as calls } from '#protocol/index.ts';
import type { Screen, ScreenAction, ScreenOrder, ScreenState } from '#protocol/schema/screen.ts';

/** More than anyone has, fewer than a page in a loop can make. */
export const SCREENS_LIMIT = 20;
/** Orders that wait for one screen; who turns a wheel sends many. */
const ORDERS_LIMIT = 32;
/** Longer than a reconnect takes, shorter than anybody waits for a ghost to leave the list. */
export const GRACE_MS = 8_000;
/** Below what proxies cut an idle request at. */
export const ATTEND_MS = 25_000;
export const ANSWER_MS = 5_000;

interface Pending {
  readonly order: ScreenOrder;
  readonly settle: (outcome: 'done' | 'refused' | 'silent' | 'gone') => void;
}

interface OpenScreen {
  readonly id: string;
  readonly userId: string;
  /** Only the session that opened it speaks for it [SCR3]. */
  readonly sessionId: string;
  state: ScreenState;
  /** Tells it from others of the same name: 1 for the first, and kept until it is called something else [SCR8]. */
  number: number;
  heardAt: number;
  readonly waiting: ScreenOrder[];
  readonly pending: Map<string, Pending>;
  attend: ((order: ScreenOrder | null) => void) | null;
  grace: Timer | null;
}

export interface ScreensOptions {
  readonly clock: Clock;
  readonly newId: () => string;
}

export class Screens implements Disposable {
  readonly #clock: Clock;
  readonly #newId: () => string;
  readonly #byUser = new Map<string, Map<string, OpenScreen>>();
  readonly #listeners = new Set<(entries: readonly FeedEntry[], audience: string) => void>();

  constructor({ clock, newId }: ScreensOptions) {
    this.#clock = clock;
    this.#newId = newId;
  }

  readonly handlers: Handlers<typeof calls> = {
    show: ({ screenId, ...state }, { viewer, sessionId, fail }) => {
      const own = this.#byUser.get(viewer.id) ?? new Map<string, OpenScreen>();
      const found = own.get(screenId);
      if (found && found.sessionId !== sessionId) return fail('notFound', { what: 'screen', id: screenId });
      if (!found && own.size >= SCREENS_LIMIT) return fail('tooManyScreens', { limit: SCREENS_LIMIT });
      this.#byUser.set(viewer.id, own);
      const screen = found ?? this.#open(viewer.id, sessionId, screenId, state);
      if (!found || found.state.name !== state.name) screen.number = freeNumber(own, state.name, screenId);
      own.set(screenId, screen);
      screen.state = state;
      screen.heardAt = this.#clock.nowMs();
      if (screen.attend === null) this.#startGrace(screen);
      this.#tell(screen.userId, screenId, toScreen(screen));
      return {};
    },

    attend: async ({ screenId }, { viewer, sessionId, signal, fail }) => {
      const screen = this.#own(viewer.id, screenId, sessionId) ?? fail('notFound', { what: 'screen', id: screenId });
      // A page that asks twice has lost the first call.
      screen.attend?.(null);
      screen.grace?.[Symbol.dispose]();
      screen.grace = null;
      const order = screen.waiting.shift() ?? (await this.#nextOrder(screen, signal));
      if (screen.attend === null) this.#startGrace(screen);
      return { order };
    },

    answer: ({ screenId, orderId, isDone }, { viewer, sessionId, fail }) => {
      const screen = this.#own(viewer.id, screenId, sessionId) ?? fail('notFound', { what: 'screen', id: screenId });
      // One that came too late changes nothing: who asked was told so.
      screen.pending.get(orderId)?.settle(isDone ? 'done' : 'refused');
      return {};
    },

    order: async ({ screenId, from, action }, { viewer, signal, fail }) => {
      // Of another person it does not exist [SCR2].
      const screen = this.#byUser.get(viewer.id)?.get(screenId) ?? fail('notFound', { what: 'screen', id: screenId });
      const { isControllable } = screen.state;
      const name = shownName(screen);
      if (!isControllable) return fail('screenRefused', { name });
      if (screen.pending.size >= ORDERS_LIMIT) return fail('screenSilent', { name });
      const outcome = await this.#send(screen, { orderId: this.#newId(), from, action }, signal);
      if (outcome === 'refused') return fail('screenRefused', { name });
      if (outcome === 'silent') return fail('screenSilent', { name });
      if (outcome === 'gone') return fail('notFound', { what: 'screen', id: screenId });
      return {};
    },

    hide: ({ screenId }, { viewer, sessionId }) => {
      const screen = this.#own(viewer.id, screenId, sessionId);
      if (screen) this.#close(screen);
      return {};
    },
  };

  /** Those of one person, the one that was heard last first. */
  list(userId: string): Screen[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])].map(toScreen).toSorted((a, b) => b.heardAt - a.heardAt);
  }

  /** Told with the person whose screen it is. Returns how to stop. */
  onEntries(listener: (entries: readonly FeedEntry[], audience: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sessions ended: what they opened is gone at once. */
  end(sessionIds: readonly string[]): void {
    for (const own of [...this.#byUser.values()]) {
      for (const screen of [...own.values()]) if (sessionIds.includes(screen.sessionId)) this.#close(screen);
    }
  }

  [Symbol.dispose](): void {
    for (const own of [...this.#byUser.values()]) for (const screen of [...own.values()]) this.#close(screen);
  }

  #open(userId: string, sessionId: string, id: string, state: ScreenState): OpenScreen {
    return {
      ...{ id, userId, sessionId, state },
      ...{ number: 1, heardAt: 0, waiting: [], pending: new Map<string, Pending>(), attend: null, grace: null },
    };
  }

  #own(userId: string, screenId: string, sessionId: string): OpenScreen | null {
    const screen = this.#byUser.get(userId)?.get(screenId);
    return screen?.sessionId === sessionId ? screen : null;
  }

  /** Resolves with the next order, or `null` when the time is up, the line is lost, or the screen asks anew. */
  #nextOrder(screen: OpenScreen, signal: AbortSignal): Promise<ScreenOrder | null> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(ATTEND_MS, () => finish(null)).unref();
      const onAbort = (): void => finish(null);
      const finish = (order: ScreenOrder | null): void => {
        timer[Symbol.dispose]();
        signal.removeEventListener('abort', onAbort);
        if (screen.attend === finish) screen.attend = null;
        resolve(order);
      };
      screen.attend = finish;
      if (signal.aborted) finish(null);
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  async #send(screen: OpenScreen, order: ScreenOrder, signal: AbortSignal): Promise<Parameters<Pending['settle']>[0]> {
    const settled = Promise.withResolvers<Parameters<Pending['settle']>[0]>();
    const pending: Pending = { order, settle: settled.resolve };
    const timer = this.#clock.after(ANSWER_MS, () => pending.settle('silent')).unref();
    const onAbort = (): void => pending.settle('silent');
    signal.addEventListener('abort', onAbort, { once: true });
    screen.pending.set(order.orderId, pending);
    if (screen.attend) screen.attend(order);
    else this.#queue(screen, order);
    try {
      return await settled.promise;
    } finally {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
      screen.pending.delete(order.orderId);
      const at = screen.waiting.findIndex(({ orderId }) => orderId === order.orderId);
      // Nobody waits for it any more: done later it would only surprise [SCR5].
      if (at >= 0) screen.waiting.splice(at, 1);
    }
  }

  /** Of a wheel that is turned only the last position counts [SCR6]. */
  #queue(screen: OpenScreen, order: ScreenOrder): void {
    const last = screen.waiting.at(-1);
    if (last && isReplacedBy(last.action, order.action)) {
      screen.waiting.pop();
      screen.pending.get(last.orderId)?.settle('done');
    }
    screen.waiting.push(order);
  }

  #startGrace(screen: OpenScreen): void {
    screen.grace?.[Symbol.dispose]();
    screen.grace = this.#clock.after(GRACE_MS, () => this.#close(screen)).unref();
  }

  #close(screen: OpenScreen): void {
    const own = this.#byUser.get(screen.userId);
    if (own?.get(screen.id) !== screen) return;
    own.delete(screen.id);
    if (own.size === 0) this.#byUser.delete(screen.userId);
    screen.grace?.[Symbol.dispose]();
    for (const { settle } of screen.pending.values()) settle('gone');
    screen.attend?.(null);
    screen.grace?.[Symbol.dispose]();
    this.#tell(screen.userId, screen.id, null);
  }

  #tell(userId: string, id: string, screen: Screen | null): void {
    for (const listener of this.#listeners) listener([{ kind: 'screen', id, screen } as FeedEntry], userId);
  }
}

function isReplacedBy(before: ScreenAction, after: ScreenAction): boolean {
  return before.kind === after.kind && (after.kind === 'seek' || after.kind === 'volume');
}

function freeNumber(own: ReadonlyMap<string, OpenScreen>, name: string, but: string): number {
  const taken = new Set(
    [...own.values()].flatMap((one) => (one.state.name === name && one.id !== but ? one.number : [])),
  );
  let number = 1;
  while (taken.has(number)) number++;
  return number;
}

/** Room is left for the number: a name has at most 500 characters. */
const shownName = ({ state, number }: OpenScreen): string =>
  number === 1 ? state.name : `${state.name.slice(0, 490)} ${number}`;

const toScreen = (screen: OpenScreen): Screen => ({
  ...screen.state,
  ...{ id: screen.id, name: shownName(screen), heardAt: screen.heardAt },
});
