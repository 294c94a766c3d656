/**
 * Who waits to be let in while every transcode slot is at work. Owns: the line of sessions, in order of arrival, and whose turn it is.
 * Rules PLAY30 and PLAY31 of SPEC.md.
 *
 * A place is kept as long as its session asks for it: whoever has stopped asking has gone. Whose turn it is has a moment to open the
 * movie, in which nobody else is let in.
 */
import type { Clock, Timer } from '#engine/base/clock.ts';

/** A session that has not asked for this long has left the line: twice as long as a client needs between two questions. */
export const LEFT_AFTER_MS = 15_000;
/** How long somebody whose turn it is may take to open the movie. */
export const TURN_MS = 10_000;
/** Who was let in needs this long to take their slot: until then it looks free. */
const SETTLE_MS = 1_000;
/** How long a question is kept open when nothing changes: shorter than proxies' patience. */
export const ASK_MS = 20_000;
/** A slot becomes free by a viewer's silence, too, which nobody tells of. */
const LOOK_MS = 500;
/** More than ever wait in one house; those beyond are told to come again. */
const MAX_WAITING = 200;

interface Waiting {
  readonly sessionId: string;
  seenMs: number;
  /** Questions of it that are open. */
  asking: number;
  /** Since when it is this one's turn; `null` while others are before it. */
  turnMs: number | null;
}

export class TranscodeQueue implements Disposable {
  readonly #clock: Clock;
  readonly #hasRoom: () => boolean;
  #line: Waiting[] = [];
  #change = Promise.withResolvers<void>();
  #look: Timer | null = null;
  #admittedMs = Number.NEGATIVE_INFINITY;

  /** `hasRoom`: whether one more viewer would get a slot now. */
  constructor(clock: Clock, hasRoom: () => boolean) {
    this.#clock = clock;
    this.#hasRoom = hasRoom;
  }

  get length(): number {
    return this.#line.length;
  }

  /** Lets a session in, and forgets it: 0. Else it joins the end of the line, or keeps its place in it: 1 is the next. */
  enter(sessionId: string): number {
    this.#tidy();
    const place = this.#placeOf(sessionId);
    if (place === 0 || (place === null && this.#line.length === 0 && this.#hasRoom())) {
      this.#admittedMs = this.#clock.monotonicMs();
      this.leave(sessionId);
      return 0;
    }
    return place ?? this.#join(sessionId);
  }

  /**
   * The place of a session, told when it is another than `known`, or after a while. 0: it is its turn. `null`: it is not in the line, or
   * has not asked for too long, and has to open anew.
   */
  async ask(sessionId: string, known: number, signal: AbortSignal): Promise<number | null> {
    const untilMs = this.#clock.monotonicMs() + ASK_MS;
    const aborted = Promise.withResolvers<void>();
    const onAbort = (): void => aborted.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    const entry = this.#line.find((each) => each.sessionId === sessionId);
    if (entry) entry.asking++;
    try {
      for (;;) {
        this.#tidy();
        const place = this.#placeOf(sessionId);
        const leftMs = untilMs - this.#clock.monotonicMs();
        if (place !== known || leftMs <= 0) return place;
        using _timer = this.#clock.after(leftMs, () => this.#wake());
        await Promise.race([this.#change.promise, aborted.promise]);
        signal.throwIfAborted();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (entry) {
        entry.asking--;
        entry.seenMs = this.#clock.monotonicMs();
      }
    }
  }

  leave(sessionId: string): void {
    const before = this.#line.length;
    this.#line = this.#line.filter((each) => each.sessionId !== sessionId);
    if (this.#line.length !== before) this.#wake();
    this.#watch();
  }

  [Symbol.dispose](): void {
    this.#line = [];
    this.#watch();
    this.#wake();
  }

  #join(sessionId: string): number {
    if (this.#line.length < MAX_WAITING) {
      this.#line.push({ sessionId, seenMs: this.#clock.monotonicMs(), asking: 0, turnMs: null });
    }
    this.#watch();
    return this.#line.length;
  }

  #placeOf(sessionId: string): number | null {
    const at = this.#line.findIndex((each) => each.sessionId === sessionId);
    if (at < 0) return null;
    return this.#line[at]!.turnMs === null ? at + 1 : 0;
  }

  /** Forgets who has gone, and gives the next one their turn where there is room. */
  #tidy(): void {
    const nowMs = this.#clock.monotonicMs();
    const stays = ({ seenMs, asking, turnMs }: Waiting): boolean =>
      turnMs === null ? asking > 0 || nowMs - seenMs < LEFT_AFTER_MS : nowMs - turnMs < TURN_MS;
    const line = this.#line.filter(stays);
    const [head] = line;
    const isTurn = head?.turnMs === null && nowMs - this.#admittedMs >= SETTLE_MS && this.#hasRoom();
    const isNews = isTurn || line.length !== this.#line.length;
    this.#line = line;
    if (isTurn) head.turnMs = nowMs;
    if (isNews) this.#wake();
    this.#watch();
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** Looks at intervals, as long as somebody waits. */
  #watch(): void {
    if (this.#line.length === 0) {
      this.#look?.[Symbol.dispose]();
      this.#look = null;
    } else {
      this.#look ??= this.#clock.every(LOOK_MS, () => this.#tidy()).unref();
    }
  }
}
