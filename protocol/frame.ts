/** The frames of the wire: msgpack arrays whose first item is the kind. Layouts and rules: SPEC.md, sections 2 and 3. */
import * as v from 'valibot';
import { Count, Id, ShortText, Timestamp } from './schema/scalar.ts';
import { Viewer } from './schema/account.ts';

/** What both sides name in `Sec-WebSocket-Protocol`. */
export const SUBPROTOCOL = 'matinee.msgpack';

export const FRAME = {
  hello: 0,
  welcome: 1,
  call: 2,
  ok: 3,
  fail: 4,
  cancel: 5,
  event: 6,
  ack: 7,
  ping: 8,
  pong: 9,
} as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** Limits that a server states in its welcome; these are the defaults. All are checked before a payload is looked at. */
export const LIMITS = {
  /** Largest frame a client may send, bytes. */
  frameBytes: 1 << 20,
  /** Deepest nesting of arrays and maps in a frame. */
  nesting: 32,
  /** Values in a frame, keys included: bounds what decoding and parsing can cost, whatever the bytes say. */
  values: 65_536,
  /** Calls in flight per connection. */
  callsInFlight: 64,
  /** Calls per second per connection, averaged over ten seconds. */
  callsPerSecond: 500,
  /** Feeds one connection may follow. */
  subscriptions: 64,
  /** A client that has not said hello after this long is closed. */
  helloMs: 5_000,
  /** A connection without any frame for this long is closed. */
  idleMs: 60_000,
} as const;

export const Limits = v.object({
  frameBytes: Count,
  nesting: Count,
  callsInFlight: Count,
  callsPerSecond: Count,
  subscriptions: Count,
  idleMs: Count,
});

export const Hello = v.object({
  /** Lowest and highest protocol version the client speaks. */
  protocol: v.tuple([Count, Count]),
  client: v.object({ name: ShortText, version: ShortText }),
});
export type Hello = v.InferOutput<typeof Hello>;

export const Welcome = v.object({
  version: Count,
  serverTime: Timestamp,
  server: v.object({ version: ShortText, startedAt: Timestamp }),
  sessionId: Id,
  viewer: Viewer,
  limits: Limits,
});
export type Welcome = v.InferOutput<typeof Welcome>;

/** Chosen by the client, unique among its calls in flight, increasing [WIRE5]. */
const CallId = Count;

export const HelloFrame = v.strictTuple([v.literal(FRAME.hello), Hello]);
export const WelcomeFrame = v.strictTuple([v.literal(FRAME.welcome), Welcome]);
/** `[2, callId, method, input, deadlineMs]`; a deadline of `null` means the call's own. */
export const CallFrame = v.strictTuple([v.literal(FRAME.call), CallId, Count, v.unknown(), v.nullable(Count)]);
export const OkFrame = v.strictTuple([v.literal(FRAME.ok), CallId, v.unknown()]);
/** `[4, callId, code, data, message]`. */
export const FailFrame = v.strictTuple([v.literal(FRAME.fail), CallId, v.string(), v.unknown(), v.string()]);
export const CancelFrame = v.strictTuple([v.literal(FRAME.cancel), CallId]);

export const EVENT = { delta: 0, snapshot: 1 } as const;
/** `[6, feedId, key, event, prev, seq, payload]`: `prev` is the seq this event follows, so a gap shows [FEED3]. A snapshot has `prev` = `seq`. */
export const EventFrame = v.strictTuple([
  v.literal(FRAME.event),
  Count,
  v.nullable(v.string()),
  v.picklist([EVENT.delta, EVENT.snapshot]),
  Count,
  Count,
  v.unknown(),
]);
/** `[7, feedId, key, seq]`: everything up to `seq` has been applied. */
export const AckFrame = v.strictTuple([v.literal(FRAME.ack), Count, v.nullable(v.string()), Count]);
/** `[8, clientTime]`, milliseconds on the client's own monotonic or wall clock, returned untouched. */
export const PingFrame = v.strictTuple([v.literal(FRAME.ping), v.pipe(v.number(), v.finite())]);
/** `[9, clientTime, serverTime]`. */
export const PongFrame = v.strictTuple([
  v.literal(FRAME.pong),
  v.pipe(v.number(), v.finite()),
  v.pipe(v.number(), v.finite()),
]);

export type ClientFrame =
  | v.InferOutput<typeof HelloFrame>
  | v.InferOutput<typeof CallFrame>
  | v.InferOutput<typeof CancelFrame>
  | v.InferOutput<typeof AckFrame>
  | v.InferOutput<typeof PingFrame>;
export type ServerFrame =
  | v.InferOutput<typeof WelcomeFrame>
  | v.InferOutput<typeof OkFrame>
  | v.InferOutput<typeof FailFrame>
  | v.InferOutput<typeof EventFrame>
  | v.InferOutput<typeof PongFrame>;
