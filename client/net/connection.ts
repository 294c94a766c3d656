/**
 * The client's half of the socket: one connection that heals by itself. Owns: the socket of the moment, calls that wait or
 * are in flight, the feeds that are followed with their places, and the estimate of the server's clock.
 *
 * States: stopped → connecting (socket opening, hello sent) → live → waiting (for the next attempt) → connecting …, and
 * three ends that only `start` leaves: signedOut, outdated, refused. Which close leads where is its policy (close-code.ts).
 *
 * Trades: a call that only reads is sent again after a reconnect, within its deadline; one that changes something is not,
 * because it may have been done: it ends in `ConnectionLost`, and the caller decides.
 */
import { closePolicy } from '#protocol/close-code.ts';
import { SERVER_FRAME_LIMITS, decode, encode } from '#protocol/codec.ts';
import type { Call, Feed, InputOf, OutputOf } from '#protocol/contract.ts';
import { commonFailure } from '#protocol/errors.ts';
import { FRAME, LIMITS, type ServerFrame, type Welcome } from '#protocol/frame.ts';
import { feed as feedCalls } from '#protocol/methods/feeds.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '#protocol/version.ts';
import { ClockEstimate } from './clock-estimate.ts';
import { FeedFollower, type FeedListener } from './feed-follower.ts';
import { ConnectionLost, failureOf, outputOf } from './net-error.ts';
import { parseServerFrame } from './server-frame.ts';
import type { OpenSocket, Socket } from './socket.ts';
import { systemTimers, type Timers } from './timers.ts';

export type ConnectionState =
  | { readonly name: 'stopped' }
  | { readonly name: 'connecting' }
  | { readonly name: 'live'; readonly welcome: Welcome }
  /** The next attempt comes in `delayMs`, counted from when this state was entered. `failures`: attempts in a row that came to nothing. */
  | { readonly name: 'waiting'; readonly delayMs: number; readonly failures: number }
  /** No session, or it has ended. */
  | { readonly name: 'signedOut' }
  /** No protocol version in common; which side is the older. */
  | { readonly name: 'outdated'; readonly side: 'client' | 'server' }
  /** The server ended it for good: a defect on one side. */
  | { readonly name: 'refused'; readonly code: number; readonly reason: string };

export interface ConnectionOptions {
  readonly openSocket: OpenSocket;
  readonly client: { readonly name: string; readonly version: string };
  readonly timers?: Timers;
  /** 0 to 1, for the spread of attempts. */
  readonly random?: () => number;
  /** Told what should not happen: a frame that is none. For a log. */
  readonly onProblem?: (error: unknown) => void;
}

export interface CallOptions {
  /** Aborting it cancels the call. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which it fails with `timeout`, waiting for a connection included; the call's own when absent. */
  readonly deadlineMs?: number;
}

export interface Following extends Disposable {
  close(): void;
}

/** Calls that wait for a connection. One more is refused at once: nobody waits for hundreds of answers. */
const MAX_QUEUED = 256;
const DEFAULT_DEADLINE_MS = 15_000;
/** How much longer than the server this side waits, so that the server's own answer comes first. */
const DEADLINE_GRACE_MS = 1_000;
/** From the first packet to the welcome. */
const CONNECT_MS = 10_000;
const PING_MS = 15_000;
/** Without an answer after this, the line is dead, whatever the socket says. */
const PONG_MS = 10_000;
/** A clock wants several samples soon: the first round trips of a connection are its slowest. */
const FIRST_PINGS_MS = [0, 150, 300, 600, 1_200];
const BACKOFF = { firstMs: 250, maxMs: 10_000 };
/** For a server that said it has too much to do. */
const LATER = { firstMs: 5_000, maxMs: 60_000 };
/** A connection that lived this long was a good one: the next loss begins to count anew. */
const STABLE_MS = 5_000;

/** Why this side ends a socket; servers take no notice, and people who look at a trace do. */
const DEAD_LINE = 4900;
const BAD_SERVER_FRAME = 4901;

interface Pending {
  readonly call: Call;
  readonly input: unknown;
  readonly deadlineAtMs: number;
  readonly onReply: (output: unknown) => void;
  readonly onFailure: (error: unknown) => void;
  /** `null` while it waits. */
  id: number | null;
  /** Stops the timer and listens no more. */
  release: () => void;
}

export class Connection implements Disposable {
  readonly #openSocket: OpenSocket;
  readonly #client: ConnectionOptions['client'];
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #onProblem: (error: unknown) => void;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #clock = new ClockEstimate();
  readonly #followers = new Map<string, FeedFollower>();
  readonly #inFlight = new Map<number, Pending>();
  #queue: Pending[] = [];
  #state: ConnectionState = { name: 'stopped' };
  #socket: Socket | null = null;
  #isSocketOpen = false;
  #callId = 0;
  #failures = 0;
  /** How often in a row the server asked to be left alone for a while. */
  #postponements = 0;
  #liveSinceMs = 0;
  /** Timers of the state: the next attempt, the limit of this one, pings. All end with it. */
  readonly #stateTimers = new Set<() => void>();
  /** Ends the wait for a pong. */
  #stopPongTimer: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    this.#openSocket = options.openSocket;
    this.#client = options.client;
    this.#timers = options.timers ?? systemTimers;
    this.#random = options.random ?? Math.random;
    this.#onProblem = options.onProblem ?? (() => undefined);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Milliseconds of the best round trip of late, `null` before the first. */
  get roundTripMs(): number | null {
    return this.#clock.roundTripMs;
  }

  /** The server's calendar time now, as well as it can be told; `null` before the first pong. */
  serverNowMs(): number | null {
    const { offsetMs } = this.#clock;
    return offsetMs === null ? null : this.#timers.monotonicMs() + offsetMs;
  }

  /** Calls back with every new state. The function that is returned ends that. */
  onState(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Connects, also after an end such as `signedOut`. Does nothing where it runs already. */
  start(): void {
    if (this.#isRunning()) return;
    this.#failures = 0;
    this.#connect();
  }

  /** Ends the connection; calls end in `ConnectionLost`, feeds stay and go on after the next start. */
  stop(): void {
    if (this.#state.name === 'stopped') return;
    this.#drop(1000, 'closed by the client');
    this.#enter({ name: 'stopped' });
    this.#rejectAll(1000, 'the connection was stopped');
  }

  [Symbol.dispose](): void {
    this.stop();
    this.#listeners.clear();
  }

  /** Something hints that the line may have changed (the page is seen again, the network is back): looks at once. */
  check(): void {
    if (this.#state.name === 'waiting') this.#connect();
    else if (this.#state.name === 'live') this.#ping();
  }

  /** Rejects with a `Failure` of the contract, a `ConnectionLost`, or a `ContractBreach`. */
  call<C extends Call>(call: C, input: InputOf<C>, options: CallOptions = {}): Promise<OutputOf<C>> {
    const { promise, resolve, reject } = Promise.withResolvers<OutputOf<C>>();
    this.#begin(call, input, options, resolve, reject);
    return promise;
  }

  /** Follows a feed until closed, through any number of connections. `key` is `null` for a feed without one. */
  follow<F extends Feed>(feed: F, key: string | null, listener: FeedListener<F>): Following {
    const place = placeOf(feed.id, key);
    let follower = this.#followers.get(place);
    if (!follower) {
      follower = new FeedFollower(feed, {
        ask: (cursor, onReply, onFailure) =>
          this.#begin(
            feedCalls.subscribe,
            { feed: feed.name, key, ...(cursor ? { cursor } : {}) },
            {},
            (reply) => onReply(reply as OutputOf<typeof feedCalls.subscribe>),
            onFailure,
          ),
        ack: (seq) => {
          if (this.#state.name === 'live') this.#send([FRAME.ack, feed.id, key, seq]);
        },
        after: (delayMs, action) => this.#timers.after(delayMs, action),
      });
      this.#followers.set(place, follower);
    }
    const owner = follower;
    // An object of its own: the same listener may follow twice, and each of the two ends by itself. A listener of one feed
    // takes what that feed's schemas let through; nothing else reaches it.
    const anyListener: FeedListener = {
      onSnapshot: (snapshot) => listener.onSnapshot(snapshot),
      onEntries: (entries) => listener.onEntries(entries),
      onRefused: (error) => listener.onRefused?.(error),
    };
    owner.add(anyListener);
    if (owner.listenerCount === 1 && this.#state.name === 'live') owner.connected();
    let isClosed = false;
    const close = (): void => {
      if (isClosed) return;
      isClosed = true;
      owner.remove(anyListener);
      if (owner.listenerCount > 0) return;
      owner.disconnected();
      this.#followers.delete(place);
      if (this.#state.name === 'live') this.#begin(feedCalls.unsubscribe, { feed: feed.name, key }, {}, ignore, ignore);
    };
    return { close, [Symbol.dispose]: close };
  }

  #begin(
    call: Call,
    input: unknown,
    { signal, deadlineMs }: CallOptions,
    onReply: (output: unknown) => void,
    onFailure: (error: unknown) => void,
  ): void {
    if (signal?.aborted) return onFailure(commonFailure('cancelled', {}, 'Cancelled.'));
    const refusal = this.#refusal();
    if (refusal) return onFailure(refusal);
    if (this.#queue.length >= MAX_QUEUED) {
      return onFailure(commonFailure('overloaded', { retryAfterMs: 1_000 }, 'Too many calls wait for a connection.'));
    }
    const limitMs = deadlineMs ?? call.deadlineMs ?? DEFAULT_DEADLINE_MS;
    const pending: Pending = {
      call,
      input,
      deadlineAtMs: this.#timers.monotonicMs() + limitMs,
      onReply,
      onFailure,
      id: null,
      release: ignore,
    };
    const giveUp = (error: unknown): void => {
      if (pending.id !== null && this.#state.name === 'live') this.#send([FRAME.cancel, pending.id]);
      this.#forget(pending);
      onFailure(error);
    };
    const stopTimer = this.#timers.after(limitMs + DEADLINE_GRACE_MS, () =>
      giveUp(commonFailure('timeout', { afterMs: limitMs }, `No answer within ${limitMs} ms.`)),
    );
    const onAbort = (): void => giveUp(commonFailure('cancelled', {}, 'Cancelled.'));
    signal?.addEventListener('abort', onAbort, { once: true });
    pending.release = () => {
      stopTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    this.#queue.push(pending);
    this.#flush();
  }

  /** Sends what waits, as far as the server takes calls at once. */
  #flush(): void {
    if (this.#state.name !== 'live') return;
    const { limits } = this.#state.welcome;
    while (this.#queue.length > 0 && this.#inFlight.size < limits.callsInFlight && this.#state.name === 'live') {
      const pending = this.#queue.shift()!;
      const id = ++this.#callId;
      const leftMs = Math.max(1, Math.round(pending.deadlineAtMs - this.#timers.monotonicMs()));
      const bytes = encode([FRAME.call, id, pending.call.id, pending.input ?? {}, leftMs]);
      if (bytes.length > limits.frameBytes) {
        pending.release();
        const message = `must be smaller than ${limits.frameBytes} bytes`;
        pending.onFailure(commonFailure('badRequest', { issues: [{ path: '', message }] }));
        continue;
      }
      pending.id = id;
      this.#inFlight.set(id, pending);
      this.#socket?.send(bytes);
    }
  }

  #forget(pending: Pending): void {
    pending.release();
    if (pending.id === null) this.#queue = this.#queue.filter((other) => other !== pending);
    else this.#inFlight.delete(pending.id);
  }

  #connect(): void {
    this.#enter({ name: 'connecting' });
    // Events of a socket that was given up still come: each looks whether its socket is the one of the moment.
    const isCurrent = (): boolean => this.#socket === socket;
    const socket: Socket = this.#openSocket({
      onOpen: () => {
        if (!isCurrent()) return;
        this.#isSocketOpen = true;
        this.#send([FRAME.hello, { protocol: [PROTOCOL_MIN, PROTOCOL_MAX], client: this.#client }]);
      },
      onMessage: (bytes) => {
        if (isCurrent()) this.#receive(bytes);
      },
      onClose: (code, reason) => {
        if (isCurrent()) this.#onClose(code, reason);
      },
    });
    this.#socket = socket;
    this.#later(CONNECT_MS, () => this.#giveUpSocket(DEAD_LINE, 'no welcome in time'));
  }

  #receive(bytes: Uint8Array): void {
    let frame: ServerFrame | null = null;
    try {
      frame = parseServerFrame(decode(bytes, SERVER_FRAME_LIMITS));
      if (!frame) throw new Error('the server sent what is no frame');
    } catch (error) {
      this.#onProblem(error);
      return this.#giveUpSocket(BAD_SERVER_FRAME, 'not a frame');
    }
    switch (frame[0]) {
      case FRAME.welcome:
        return this.#onWelcome(frame[1]);
      case FRAME.ok:
        return this.#onOk(frame[1], frame[2]);
      case FRAME.fail:
        return this.#onFail(frame[1], frame[2], frame[3], frame[4]);
      case FRAME.event: {
        const [, feedId, key, event, prev, seq, payload] = frame;
        return this.#followers.get(placeOf(feedId, key))?.receive(event, prev, seq, payload);
      }
      case FRAME.pong:
        this.#stopPongTimer?.();
        this.#stopPongTimer = null;
        return this.#clock.add(frame[1], this.#timers.monotonicMs(), frame[2]);
    }
  }

  #onWelcome(welcome: Welcome): void {
    if (this.#state.name !== 'connecting') return;
    this.#callId = 0;
    this.#liveSinceMs = this.#timers.monotonicMs();
    this.#clock.reset();
    this.#enter({ name: 'live', welcome });
    for (const delayMs of FIRST_PINGS_MS) this.#later(delayMs, () => this.#ping());
    const pingEveryMs = Math.min(PING_MS, Math.max(1_000, (welcome.limits.idleMs || LIMITS.idleMs) / 3));
    const again = (): void => {
      this.#ping();
      this.#later(pingEveryMs, again);
    };
    this.#later(pingEveryMs, again);
    for (const follower of this.#followers.values()) follower.connected();
    this.#flush();
  }

  #onOk(id: number, value: unknown): void {
    const pending = this.#inFlight.get(id);
    // Answered after this side had given it up.
    if (!pending) return;
    this.#forget(pending);
    let output: unknown;
    try {
      output = outputOf(pending.call, value);
    } catch (error) {
      this.#onProblem(error);
      pending.onFailure(error);
      return this.#flush();
    }
    pending.onReply(output);
    this.#flush();
  }

  #onFail(id: number, code: string, data: unknown, message: string): void {
    const pending = this.#inFlight.get(id);
    if (!pending) return;
    this.#forget(pending);
    pending.onFailure(failureOf(pending.call, code, data, message));
    this.#flush();
  }

  #onClose(code: number, reason: string): void {
    const wasStable = this.#state.name === 'live' && this.#timers.monotonicMs() - this.#liveSinceMs >= STABLE_MS;
    this.#socket = null;
    this.#isSocketOpen = false;
    if (wasStable) this.#failures = this.#postponements = 0;
    this.#failures++;
    switch (closePolicy(code)) {
      case 'retry':
        this.#postponements = 0;
        return this.#wait(BACKOFF, this.#failures, code);
      case 'retryAfter':
        // Counted apart: a server that has just come back from a long absence is no busier for it.
        this.#postponements++;
        return this.#wait(LATER, this.#postponements, code);
      case 'signIn':
        return this.#end({ name: 'signedOut' }, code, 'the session has ended');
      case 'upgradeClient':
        return this.#end(
          { name: 'outdated', side: /the server must/.test(reason) ? 'server' : 'client' },
          code,
          reason,
        );
      case 'never':
        return this.#end({ name: 'refused', code, reason }, code, reason);
    }
  }

  /** Ends the socket from this side and goes on as if it had closed: a dead line would take minutes to say so itself. */
  #giveUpSocket(code: number, reason: string): void {
    if (!this.#socket) return;
    this.#drop(code, reason);
    this.#onClose(code, reason);
  }

  #drop(code: number, reason: string): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isSocketOpen = false;
    socket?.close(code, reason);
  }

  #wait({ firstMs, maxMs }: { firstMs: number; maxMs: number }, step: number, code: number): void {
    const stepMs = Math.min(maxMs, firstMs * 2 ** Math.min(step - 1, 16));
    const delayMs = stepMs / 2 + (stepMs / 2) * this.#random();
    this.#enter({ name: 'waiting', delayMs, failures: this.#failures });
    this.#lose(code);
    this.#later(delayMs, () => this.#connect());
  }

  #end(state: ConnectionState, code: number, message: string): void {
    this.#enter(state);
    this.#rejectAll(code, message);
  }

  /** The line dropped: reading calls are put back in front of those that wait, in their order; the others are lost. */
  #lose(code: number): void {
    const lost = [...this.#inFlight.values()];
    this.#inFlight.clear();
    const again = lost.filter(({ call }) => call.http?.method === 'GET');
    for (const pending of again) pending.id = null;
    this.#queue = [...again, ...this.#queue];
    for (const pending of lost) {
      if (again.includes(pending)) continue;
      pending.release();
      pending.onFailure(new ConnectionLost(code, true, 'The connection was lost before the answer came.'));
    }
  }

  #rejectAll(code: number, message: string): void {
    const all = [...this.#inFlight.values(), ...this.#queue];
    this.#inFlight.clear();
    this.#queue = [];
    for (const pending of all) {
      pending.release();
      pending.onFailure(this.#refusal() ?? new ConnectionLost(code, pending.id !== null, message));
    }
  }

  /** Why no call can be made in this state, `null` where one can, or will be able to. */
  #refusal(): Error | null {
    switch (this.#state.name) {
      case 'signedOut':
        return commonFailure('unauthenticated', {}, 'Sign in first.');
      case 'stopped':
        return new ConnectionLost(0, false, 'The connection has not been started.');
      case 'outdated':
        return new ConnectionLost(0, false, `The ${this.#state.side} must be updated.`);
      case 'refused':
        return new ConnectionLost(this.#state.code, false, `The server ended the connection: ${this.#state.reason}`);
      case 'connecting':
      case 'live':
      case 'waiting':
        return null;
    }
  }

  #ping(): void {
    if (this.#state.name !== 'live') return;
    this.#send([FRAME.ping, this.#timers.monotonicMs()]);
    this.#stopPongTimer ??= this.#timers.after(PONG_MS, () => this.#giveUpSocket(DEAD_LINE, 'no answer to a ping'));
  }

  #send(frame: readonly unknown[]): void {
    if (this.#isSocketOpen) this.#socket?.send(encode(frame));
  }

  /** Runs `action` in a while, unless the state changes before. */
  #later(delayMs: number, action: () => void): void {
    const stop = this.#timers.after(delayMs, () => {
      this.#stateTimers.delete(stop);
      action();
    });
    this.#stateTimers.add(stop);
  }

  #isRunning(): boolean {
    return this.#state.name === 'connecting' || this.#state.name === 'live' || this.#state.name === 'waiting';
  }

  #enter(state: ConnectionState): void {
    for (const stop of this.#stateTimers) stop();
    this.#stateTimers.clear();
    this.#stopPongTimer?.();
    this.#stopPongTimer = null;
    const wasLive = this.#state.name === 'live';
    this.#state = state;
    if (wasLive) for (const follower of this.#followers.values()) follower.disconnected();
    for (const listener of [...this.#listeners]) listener(state);
  }
}

const ignore = (): void => undefined;
const placeOf = (feedId: number, key: string | null): string => (key === null ? String(feedId) : `${feedId}/${key}`);
