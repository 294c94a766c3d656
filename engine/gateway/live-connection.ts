/**
 * One client on the socket. Owns: its calls in flight, its subscriptions, what it may still ask for, and the events held
 * back for it. Knows no uWebSockets.js: what it needs of a socket is `Wire`, so that a simulation can stand in.
 *
 * States: awaitingHello → live → closed. What each frame does in each state is `TABLE`, closed; rules WIRE1 to WIRE11,
 * LIM1 to LIM8 and FEED1 to FEED8 of protocol/SPEC.md.
 *
 * The one trade: an event that arrives while this client's own changing call is in flight waits up to 50 ms for its reply,
 * so that a client hardly ever sees the effect before the answer [FEED7].
 */
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { CLOSE, type CloseName } from '#protocol/close-code.ts';
import { FrameError, decode, encode, type FrameLimits } from '#protocol/codec.ts';
import { commonFailure, type Failure } from '#protocol/errors.ts';
import { FRAME, type ClientFrame, type Hello } from '#protocol/frame.ts';
import type { Permission } from '#protocol/permission.ts';
import { agreeVersion } from '#protocol/version.ts';
import { CallBudget } from './call-budget.ts';
import type { CallDeadlines } from './call-deadlines.ts';
import { parseClientFrame } from './client-frame.ts';
import { deadlineMsOf, invoke, type BoundCall, type Caller } from './dispatch.ts';
import type { FailureMap } from './failure-map.ts';
import type { Phase } from './health-routes.ts';
import type { FeedPort, SignedIn } from './ports.ts';
import { CallsInFlight, SocketCall } from './socket-call.ts';
import { Subscriptions } from './subscriptions.ts';

/** What a connection needs of its socket. */
export interface Wire {
  /** `sent`, `queued` behind others, or `dropped` because the queue is full. */
  send(frame: Uint8Array): 'sent' | 'queued' | 'dropped';
  queuedBytes(): number;
  /** Sends a close frame and ends. Nothing is sent after it. */
  end(code: number, reason: string): void;
  /** Asks the other end for a sign of life that needs no program to answer. */
  ping(): void;
}

export interface LiveLimits extends FrameLimits {
  readonly callsInFlight: number;
  readonly callsPerSecond: number;
  readonly subscriptions: number;
  readonly helloMs: number;
  readonly idleMs: number;
}

/** What all connections of a gateway share. */
export interface LiveContext {
  readonly callsById: ReadonlyMap<number, BoundCall>;
  readonly feeds: FeedPort;
  readonly failures: FailureMap;
  readonly limits: LiveLimits;
  readonly clock: Clock;
  readonly deadlines: CallDeadlines;
  readonly log: Log;
  readonly server: { readonly version: string; readonly startedAt: number };
  readonly phase: () => Phase;
}

export interface LivePeer {
  readonly signedIn: SignedIn;
  readonly address: string;
  readonly agent: string;
  readonly isSecure: boolean;
}

type State = 'awaitingHello' | 'live' | 'closed';
type Action = 'greet' | 'call' | 'cancel' | 'ack' | 'pong' | 'refuse' | 'ignore';
type ClientKind = ClientFrame[0];

/** What a frame does, by state. `refuse` closes with `outOfOrder` [WIRE4]. */
const TABLE: Readonly<Record<State, Readonly<Record<ClientKind, Action>>>> = {
  awaitingHello: {
    [FRAME.hello]: 'greet',
    [FRAME.call]: 'refuse',
    [FRAME.cancel]: 'refuse',
    [FRAME.ack]: 'refuse',
    [FRAME.ping]: 'refuse',
  },
  live: {
    [FRAME.hello]: 'refuse',
    [FRAME.call]: 'call',
    [FRAME.cancel]: 'cancel',
    [FRAME.ack]: 'ack',
    [FRAME.ping]: 'pong',
  },
  closed: {
    [FRAME.hello]: 'ignore',
    [FRAME.call]: 'ignore',
    [FRAME.cancel]: 'ignore',
    [FRAME.ack]: 'ignore',
    [FRAME.ping]: 'ignore',
  },
};

export class LiveConnection {
  readonly #wire: Wire;
  readonly #context: LiveContext;
  readonly #peer: LivePeer;
  #caller: Caller;
  readonly #budget: CallBudget;
  readonly #running = new CallsInFlight();
  readonly #subscriptions: Subscriptions;
  readonly #helloTimer: Disposable;
  #state: State = 'awaitingHello';
  #version = 0;
  #lastCallId = -1;
  #heardAtMs: number;
  /** Since when something is queued that the client does not read; `null` when all is sent. */
  #blockedSinceMs: number | null = null;
  /** Calls in flight that may change something. */
  #changing = 0;
  #isEnding = false;

  constructor(wire: Wire, peer: LivePeer, context: LiveContext) {
    const nowMs = context.clock.monotonicMs();
    this.#wire = wire;
    this.#peer = peer;
    this.#context = context;
    this.#caller = {
      viewer: peer.signedIn.viewer,
      sessionId: peer.signedIn.sessionId,
      permissions: new Set<Permission>(peer.signedIn.viewer.permissions),
      address: peer.address,
      agent: peer.agent,
      isSecure: peer.isSecure,
    };
    this.#budget = new CallBudget(context.limits.callsPerSecond, nowMs);
    this.#heardAtMs = nowMs;
    this.#subscriptions = new Subscriptions({
      feeds: context.feeds,
      viewer: peer.signedIn.viewer,
      caller: this.#caller,
      limit: context.limits.subscriptions,
      clock: context.clock,
      send: (frame) => this.#sendEvent(frame),
      isHolding: () => this.#changing > 0,
    });
    this.#helloTimer = context.clock.after(context.limits.helloMs, () => this.close('helloTimeout'));
  }

  get sessionId(): string {
    return this.#peer.signedIn.sessionId;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Takes one message of the socket. Never throws. */
  receive(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#state === 'closed') return;
    const { limits, clock, log } = this.#context;
    const nowMs = clock.monotonicMs();
    this.#heardAtMs = nowMs;
    try {
      if (!isBinary) return this.close('badFrame', 'text messages are not understood');
      if (bytes.length > limits.frameBytes) return this.close('frameTooLarge');
      const waitMs = this.#budget.spend(nowMs);
      if (waitMs === Infinity) return this.close('tooManyCalls');
      const frame = parseClientFrame(decode(bytes, limits));
      if (!frame) return this.close('badFrame', 'not the form of any frame');
      this.#act(frame, waitMs);
    } catch (error) {
      if (error instanceof FrameError) return this.close('badFrame', error.problem);
      // A defect of the connection itself; calls never get here. It costs this one client its socket.
      log.error('a frame could not be handled', { error });
      this.close('goingAway');
    }
  }

  /** The socket sent what was queued, or some of it. */
  drained(): void {
    if (this.#state === 'closed') return;
    const queuedBytes = this.#wire.queuedBytes();
    if (queuedBytes === 0) this.#blockedSinceMs = null;
    else if (this.#blockedSinceMs !== null) this.#blockedSinceMs = this.#context.clock.monotonicMs();
    if (queuedBytes <= CONGESTED_BYTES / 2) this.#subscriptions.resume();
  }

  /** Any sign of life below the frames: a pong that the other end's socket sent by itself. */
  heard(): void {
    this.#heardAtMs = this.#context.clock.monotonicMs();
  }

  /** Called every few seconds: asks a silent client for a sign of life, and ends one that gives none [LIM7] [LIM8]. */
  checkAlive(): void {
    if (this.#state === 'closed') return;
    const nowMs = this.#context.clock.monotonicMs();
    const silentMs = nowMs - this.#heardAtMs;
    if (this.#blockedSinceMs !== null && nowMs - this.#blockedSinceMs >= BLOCKED_MS) this.close('slowReader');
    else if (silentMs >= this.#context.limits.idleMs) this.close('idle');
    else if (silentMs >= this.#context.limits.idleMs / 2) this.#wire.ping();
  }

  /** Ends as soon as no call is in flight; new calls are refused meanwhile [CLOSE4]. */
  endWhenIdle(): void {
    this.#isEnding = true;
    if (this.#running.size === 0) this.close('restart');
  }

  /** Ends the connection and everything that belongs to it. */
  close(name: CloseName, detail?: string): void {
    if (this.#state === 'closed') return;
    this.#release();
    const { code, reason } = CLOSE[name];
    this.#context.log.debug('a socket is closed', { close: name, detail: detail ?? null, sessionId: this.sessionId });
    this.#wire.end(code, cutReason(detail === undefined ? reason : `${reason}: ${detail}`));
  }

  /** The socket is gone: everything is cancelled [WIRE9]. */
  lost(): void {
    if (this.#state !== 'closed') this.#release();
  }

  #release(): void {
    this.#state = 'closed';
    this.#helloTimer[Symbol.dispose]();
    this.#subscriptions.closeAll();
    for (const call of this.#running.clear()) {
      this.#context.deadlines.remove(call);
      call.isAnswered = true;
      call.stop(CANCELLED);
    }
  }

  #act(frame: ClientFrame, waitMs: number): void {
    switch (TABLE[this.#state][frame[0]]) {
      case 'greet':
        return this.#greet(frame[1] as Hello);
      case 'call':
        return this.#call(frame as Extract<ClientFrame, readonly [typeof FRAME.call, ...unknown[]]>, waitMs);
      case 'cancel':
        // Unknown or already answered: nothing to do [WIRE7].
        return this.#running.find(frame[1] as number)?.stop(CANCELLED);
      case 'ack': {
        const [, feedId, key, seq] = frame as Extract<ClientFrame, readonly [typeof FRAME.ack, ...unknown[]]>;
        return this.#subscriptions.ack(feedId, key, seq);
      }
      case 'pong':
        return this.#send([FRAME.pong, frame[1], this.#context.clock.nowMs()]);
      case 'refuse':
        return this.close('outOfOrder');
      case 'ignore':
    }
  }

  #greet({ protocol, client }: Hello): void {
    const agreed = agreeVersion(protocol);
    if ('outdated' in agreed) return this.close('protocolVersion', `the ${agreed.outdated} must be updated`);
    this.#helloTimer[Symbol.dispose]();
    this.#state = 'live';
    if (this.#peer.agent === '') {
      this.#caller = { ...this.#caller, agent: `${client.name} ${client.version}`.slice(0, 200) };
    }
    this.#version = agreed.version;
    this.#subscriptions.version = agreed.version;
    const { limits, server, clock } = this.#context;
    this.#send([
      FRAME.welcome,
      {
        version: agreed.version,
        serverTime: Math.trunc(clock.nowMs()),
        server,
        sessionId: this.sessionId,
        viewer: this.#peer.signedIn.viewer,
        limits: {
          frameBytes: limits.frameBytes,
          nesting: limits.nesting,
          callsInFlight: limits.callsInFlight,
          callsPerSecond: limits.callsPerSecond,
          subscriptions: limits.subscriptions,
          idleMs: limits.idleMs,
        },
      },
    ]);
  }

  #call(
    [, id, method, input, wantedMs]: readonly [number, number, number, unknown, number | null],
    waitMs: number,
  ): void {
    if (id <= this.#lastCallId) return this.close('outOfOrder', 'call ids must increase');
    this.#lastCallId = id;
    const bound = this.#context.callsById.get(method);
    if (!bound || bound.call.since > this.#version || bound.call.only === 'http') {
      return this.#fail(id, commonFailure('unknownMethod', { method }));
    }
    if (waitMs > 0) return this.#fail(id, commonFailure('rateLimited', { retryAfterMs: waitMs }));
    if (
      this.#running.size >= this.#context.limits.callsInFlight ||
      this.#isEnding ||
      this.#context.phase() === 'draining'
    ) {
      return this.#fail(id, commonFailure('overloaded', { retryAfterMs: 1_000 }));
    }
    const call = new SocketCall(id, bound, this.#caller, this.#subscriptions, this.#expire);
    let result: unknown;
    try {
      result = invoke(bound, input, this.#caller, call);
    } catch (error) {
      return this.#fail(id, this.#context.failures.explain(error, bound.call, call.abortedSignal));
    }
    if (result instanceof Promise) this.#await(call, result, deadlineMsOf(bound.call, wantedMs));
    else this.#succeed(call, result);
  }

  #await(call: SocketCall, result: Promise<unknown>, deadlineMs: number): void {
    call.deadlineMs = deadlineMs;
    this.#context.deadlines.add(call, deadlineMs, this.#heardAtMs);
    this.#running.add(call);
    if (isChanging(call.bound)) this.#changing++;
    result.then(
      (output) => {
        this.#settle(call);
        if (!call.isAnswered) this.#succeed(call, output);
        this.#afterReply();
      },
      (error: unknown) => {
        this.#settle(call);
        // Explained even when nobody waits any more: a defect must reach the log.
        const failure = this.#context.failures.explain(error, call.bound.call, call.abortedSignal);
        if (!call.isAnswered) this.#fail(call.id, failure);
        this.#afterReply();
      },
    );
  }

  /** The same for all calls, so that none has to bring its own. */
  readonly #expire = (call: SocketCall): void => {
    const timeout = commonFailure('timeout', { afterMs: call.deadlineMs });
    call.isAnswered = true;
    call.stop(timeout);
    this.#fail(call.id, timeout);
  };

  #settle(call: SocketCall): void {
    this.#context.deadlines.remove(call);
    this.#running.remove(call);
    if (isChanging(call.bound)) this.#changing--;
  }

  #afterReply(): void {
    if (this.#changing === 0) this.#subscriptions.releaseHeld();
    if (this.#isEnding && this.#running.size === 0) this.close('restart');
  }

  #succeed(call: SocketCall, output: unknown): void {
    let frame: Uint8Array;
    try {
      frame = encode([FRAME.ok, call.id, output]);
    } catch (error) {
      return this.#fail(call.id, this.#context.failures.explain(error, call.bound.call));
    }
    this.#sendBytes(frame);
    // The reply has left: now the first event may [FEED1].
    call.afterReply?.();
  }

  #fail(id: number, failure: Failure): void {
    this.#send([FRAME.fail, id, failure.code, failure.data, failure.message]);
  }

  #send(frame: readonly unknown[]): void {
    this.#sendBytes(encode(frame));
  }

  /** A reply is sent or the connection ends: it never silently vanishes [LIM8]. */
  #sendBytes(frame: Uint8Array): void {
    if (this.#state === 'closed') return;
    const outcome = this.#wire.send(frame);
    if (outcome === 'dropped') this.close('slowReader');
    else if (outcome === 'queued') this.#blockedSinceMs ??= this.#context.clock.monotonicMs();
  }

  /** Sends an event frame. `false`: taken, but send no more until the connection drained. */
  #sendEvent(frame: Uint8Array): boolean {
    this.#sendBytes(frame);
    if (this.#state === 'closed') return false;
    return this.#blockedSinceMs === null || this.#wire.queuedBytes() <= CONGESTED_BYTES;
  }
}

const CANCELLED = commonFailure('cancelled', {});

/** With this much queued, feeds pause: what they have is merged meanwhile. Replies go on until the socket's own limit. */
const CONGESTED_BYTES = 256 << 10;
/** Queued data of which not a byte moves for this long: nobody reads. */
const BLOCKED_MS = 30_000;

/** Reading calls are marked by their HTTP method; those about feeds change nothing either. */
const isChanging = ({ call }: BoundCall): boolean => call.http !== undefined && call.http.method !== 'GET';

/** RFC 6455, section 5.5: the payload of a close frame is at most 125 bytes, of which the code takes two. Reasons are ASCII. */
const cutReason = (reason: string): string => reason.slice(0, 123);
