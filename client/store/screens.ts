/**
 * The screens that this person has open: this one, as it tells itself to the server and does what others ask; and the others, as
 * they are told here, to be asked.
 *
 * This screen is there for others as long as the page is: it says itself whenever the line comes up and whenever something changes,
 * and waits for orders all the time.
 */
import { computed, effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { isFailure } from '#protocol/errors.ts';
import { screensFeed } from '#protocol/feeds.ts';
import { screens as calls } from '#protocol/methods/screens.ts';
import type { Screen, ScreenAction, ScreenOrder, ScreenPlay } from '#protocol/schema/screen.ts';
import type { Link, Server } from './ports.ts';
import type { Preferences } from './preferences.ts';
import { randomId } from './random-id.ts';

/** What is on this screen, for as long as a movie is. */
export interface Stage {
  /** Changes of it are told to the others. */
  readonly playing: ReadonlySignal<ScreenPlay | null>;
  /** Where in the whole movie it is at this moment: `playing` has the place of its last change. */
  placeMs(): number;
  /** Whether it was done. */
  obey(action: Exclude<ScreenAction, { kind: 'play' | 'rename' }>): boolean;
  /** Plays this from there instead. Whether it is this very movie, so that the stage could do it. */
  playFrom(action: Extract<ScreenAction, { kind: 'play' }>): boolean;
}

export interface ScreenStoreOptions {
  readonly server: Server;
  readonly link: Pick<Link, 'state'>;
  readonly preferences: Pick<Preferences, 'isControllable' | 'volume' | 'isMuted' | 'screenName'>;
  /** How this device is called by itself: `Firefox on Linux`. */
  readonly name: string;
  /** Opens the player; where it begins is asked of `takeStart`. */
  readonly openMovie: (movieId: string, fileId: string | null) => void;
}

/** Turning a wheel says more than anyone has to hear. */
const TELL_DELAY_MS = 200;
/** A place is told again while it plays, so that nobody drifts. */
const TELL_AGAIN_MS = 10_000;
const RETRY_MS = 1_500;
/** How long it is shown who had a hand in what plays. */
const CONTROLLED_MS = 12_000;
/** A movie that was ordered and never opened is not begun there the next time. */
const START_MS = 15_000;

export class ScreenStore {
  readonly id = randomId();
  readonly #options: ScreenStoreOptions;
  readonly #screens = signal<ReadonlyMap<string, Screen>>(new Map());
  readonly #controlledId = signal<string | null>(null);
  readonly #controller = signal<string | null>(null);
  readonly #stage = signal<Stage | null>(null);
  readonly #disposers: (() => void)[] = [];
  readonly #ending = new AbortController();
  #start: { readonly movieId: string; readonly positionMs: number; readonly untilMs: number } | null = null;
  #tellLater: ReturnType<typeof setTimeout> | undefined;
  #controllerEnd: ReturnType<typeof setTimeout> | undefined;
  /** Of the loops that wait for orders only the latest goes on. */
  #attending = 0;

  /** All but this one, the one that was heard last first. */
  readonly others: ReadonlySignal<readonly Screen[]> = computed(() =>
    [...this.#screens.value.values()].filter(({ id }) => id !== this.id).toSorted((a, b) => b.heardAt - a.heardAt),
  );

  /** The one that this screen controls, as long as it is there. */
  readonly controlled: ReadonlySignal<Screen | null> = computed(
    () => this.#screens.value.get(this.#controlledId.value ?? '') ?? null,
  );

  constructor(options: ScreenStoreOptions) {
    this.#options = options;
    const { server, link } = options;
    this.#disposers.push(
      server.follow(screensFeed, null, {
        onSnapshot: ({ screens }) => {
          this.#screens.value = new Map(screens.map((screen) => [screen.id, screen]));
        },
        onEntries: (entries) => {
          const next = new Map(this.#screens.peek());
          for (const { id, screen } of entries) {
            if (screen === null) next.delete(id);
            else next.set(id, screen);
          }
          this.#screens.value = next;
        },
      }),
      effect(() => {
        const isLive = link.state.value.kind === 'live';
        if (isLive) void this.#attendWhileLive();
      }),
      effect(() => {
        const { volume, isMuted, isControllable, screenName } = options.preferences;
        // Read so that a change of any of them is told.
        void [volume.value, isMuted.value, isControllable.value, screenName.value, this.#stage.value?.playing.value];
        this.#tellSoon();
      }),
    );
    const again = setInterval(() => {
      if (this.#stage.peek()?.playing.peek()?.isPlaying === true) this.#tellSoon();
    }, TELL_AGAIN_MS);
    this.#disposers.push(() => clearInterval(again));
  }

  /** How the person's other screens know this one. */
  get name(): string {
    return this.#screens.value.get(this.id)?.name ?? this.#ownName;
  }

  /** This one is called so from now on, on this device; empty: as its browser calls itself. */
  rename(name: string): void {
    this.#options.preferences.screenName.value = name;
  }

  /** Who had a hand in what plays here a moment ago; `null` for nobody. */
  get controller(): ReadonlySignal<string | null> {
    return this.#controller;
  }

  /** A movie is on this screen until the returned function is called. */
  takeStage(stage: Stage): () => void {
    this.#stage.value = stage;
    return () => {
      if (this.#stage.peek() === stage) this.#stage.value = null;
    };
  }

  /** Where a movie that another screen ordered is to begin; `undefined` where nobody ordered it. Asked once. */
  takeStart(movieId: string): number | undefined {
    const start = this.#start;
    this.#start = null;
    return start?.movieId === movieId && Date.now() < start.untilMs ? start.positionMs : undefined;
  }

  control(screenId: string | null): void {
    this.#controlledId.value = screenId;
  }

  /** Rejects with a `Failure`: `screenRefused`, `screenSilent`, or `notFound` where it has gone. */
  async order(screenId: string, action: ScreenAction): Promise<void> {
    await this.#options.server.call(calls.order, { screenId, from: this.name, action });
  }

  /** The page goes away: the others hear of it before it does. */
  hideOnLeave(): void {
    this.#options.server.request(calls.hide, { screenId: this.id }, { keepalive: true }).catch(() => undefined);
  }

  dispose(): void {
    this.#ending.abort();
    clearTimeout(this.#tellLater);
    clearTimeout(this.#controllerEnd);
    for (const dispose of this.#disposers) dispose();
    this.#options.server.call(calls.hide, { screenId: this.id }).catch(() => undefined);
  }

  get #ownName(): string {
    return this.#options.preferences.screenName.value || this.#options.name;
  }

  #tellSoon(): void {
    clearTimeout(this.#tellLater);
    this.#tellLater = setTimeout(() => {
      // What is not told now is told when the line is back.
      this.#tell().catch(() => undefined);
    }, TELL_DELAY_MS);
  }

  async #tell(): Promise<void> {
    const { server, preferences } = this.#options;
    const stage = this.#stage.peek();
    const playing = stage?.playing.peek() ?? null;
    await server.call(calls.show, {
      screenId: this.id,
      name: this.#ownName,
      isControllable: preferences.isControllable.peek(),
      volume: preferences.volume.peek(),
      isMuted: preferences.isMuted.peek(),
      // The server takes what it hears for what is true when it hears it.
      playing: stage && playing && { ...playing, positionMs: stage.placeMs() },
    });
  }

  async #attendWhileLive(): Promise<void> {
    const { server, link } = this.#options;
    const { signal: end } = this.#ending;
    const attending = ++this.#attending;
    const isWanted = (): boolean => !end.aborted && attending === this.#attending && link.state.peek().kind === 'live';
    while (isWanted()) {
      try {
        await this.#tell();
        while (isWanted()) {
          const { order } = await server.call(calls.attend, { screenId: this.id }, { signal: end });
          if (order !== null) void this.#obey(order);
        }
      } catch (error) {
        if (!isFailure(error)) throw error;
        // Without a line, or with a server that has other things to do: a moment later it may be another matter.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        // Without a place on the list: when one of the others leaves it.
        const limit: unknown = error.code === 'tooManyScreens' ? (error.data as { limit?: unknown }).limit : null;
        if (typeof limit === 'number') await this.#untilRoom(limit, isWanted);
      }
    }
  }

  #untilRoom(limit: number, isWanted: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = effect(() => {
      void this.#options.link.state.value;
      if (this.#screens.value.size < limit || !isWanted()) resolve();
    });
    this.#ending.signal.addEventListener('abort', () => resolve(), { once: true });
    return promise.finally(stop);
  }

  async #obey({ orderId, from, action }: ScreenOrder): Promise<void> {
    const isDone = this.#options.preferences.isControllable.peek() && this.#do(action);
    if (isDone) {
      this.#controller.value = from;
      clearTimeout(this.#controllerEnd);
      this.#controllerEnd = setTimeout(() => {
        this.#controller.value = null;
      }, CONTROLLED_MS);
    }
    await this.#options.server.call(calls.answer, { screenId: this.id, orderId, isDone }).catch(() => undefined);
  }

  #do(action: ScreenAction): boolean {
    if (action.kind === 'rename') {
      this.rename(action.name);
      return true;
    }
    const stage = this.#stage.peek();
    if (action.kind !== 'play') return stage?.obey(action) ?? false;
    if (stage?.playFrom(action) === true) return true;
    this.#start = { movieId: action.movieId, positionMs: action.positionMs, untilMs: Date.now() + START_MS };
    this.#options.openMovie(action.movieId, action.fileId);
    return true;
  }
}

/** Where a screen is in its movie by now. */
export function placeNow(screen: Screen, nowMs: number): number {
  const { playing, heardAt } = screen;
  if (playing === null) return 0;
  const passedMs = playing.isPlaying ? Math.max(0, nowMs - heardAt) * playing.rate : 0;
  return Math.min(playing.durationMs, playing.positionMs + passedMs);
}
