/** What the gateway needs from the rest of the engine. `main.ts` hands the implementations in; their types match by shape. */
import type { Viewer } from '#protocol/schema/account.ts';

/** Who a session token belongs to. */
export interface SignedIn {
  readonly sessionId: string;
  readonly viewer: Viewer;
}

export interface SessionPort {
  /** Finds the session of a token; `null` where there is none or it has ended. Cached: called for every request. */
  authenticate(token: string): Promise<SignedIn | null>;
  /** Calls back with the ids of sessions the moment they end, so that their sockets can be closed. Returns how to stop. */
  onEnd(listener: (sessionIds: readonly string[]) => void): () => void;
}

/** One event of a feed, encoded once for all who see the same. */
export interface FeedEvent {
  /** The whole event frame, msgpack. */
  readonly frame: Uint8Array;
  readonly seq: number;
}

/** The receiving end of a subscription. */
export interface FeedSink {
  /** Takes an event at once. `false`: the connection is congested, send nothing more until `resume` is called on the subscription. */
  send(event: FeedEvent): boolean;
}

export interface FeedSubscription {
  readonly epoch: string;
  readonly isResumed: boolean;
  /** Sends the snapshot or the missed deltas, then everything that comes. Called after the subscribe reply was sent [FEED1]. */
  start(): void;
  /** The connection drained: sends what is due, merged; a fresh snapshot where too much was missed. */
  resume(): void;
  /** The client has applied everything up to `seq`. */
  ack(seq: number): void;
  close(): void;
}

export interface FeedPort {
  /** `null`: no such feed. Throws a `Failure` (`forbidden`, `notFound`, `badRequest`) where this viewer may not follow it. */
  subscribe(
    viewer: Viewer,
    feed: string,
    key: string | null,
    cursor: { epoch: string; seq: number } | undefined,
    sink: FeedSink,
  ): Promise<FeedSubscription | null>;
}
