/** What the stores need from the connection. `client/net` offers it by shape; tests offer it in memory. */
import type { ReadonlySignal } from '@preact/signals';
import type { Call, EntryOf, Feed, InputOf, OutputOf, SnapshotOf } from '#protocol/contract.ts';
import type { Failure } from '#protocol/errors.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface FollowHandlers<F extends Feed> {
  /** Called again after a gap or a long absence: it replaces everything. */
  onSnapshot(snapshot: SnapshotOf<F>): void;
  onEntries(entries: readonly EntryOf<F>[]): void;
  /** The server refused the subscription for good (`notFound`, `forbidden`). */
  onFailure?(failure: Failure): void;
}

/** One server, seen from the stores. Rejections are `Failure`s, `disconnected` among them. */
export interface Server {
  /** Over the socket. Waits for one within its deadline; fails with `disconnected` where none is wanted or it was lost on the way. */
  call<C extends Call>(call: C, input: InputOf<C>, options?: CallOptions): Promise<OutputOf<C>>;
  /** Over HTTP: calls that set the cookie, and those that must outlive the page (`keepalive`). */
  request<C extends Call>(
    call: C,
    input: InputOf<C>,
    options?: CallOptions & { readonly keepalive?: boolean },
  ): Promise<OutputOf<C>>;
  /** Follows a feed across reconnects until the returned function is called. */
  follow<F extends Feed>(feed: F, key: string | null, handlers: FollowHandlers<F>): () => void;
  /** Milliseconds by the server's clock, as well as it can be told from here. */
  now(): number;
}

/** How the line to the server is, as people are told. */
export type LinkState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Lost; the next try is due at `retryAt` (this device's clock). `isRestarting` when the server said goodbye itself. */
  | { readonly kind: 'lost'; readonly retryAt: number; readonly isRestarting: boolean }
  /** The server speaks another protocol: this page is too old or too new for it. */
  | { readonly kind: 'outdated' }
  /** The session has ended. */
  | { readonly kind: 'signedOut' }
  /** The server closed the line for a fault of this page; trying again would repeat it. */
  | { readonly kind: 'refused' };

export interface Link {
  readonly state: ReadonlySignal<LinkState>;
  /** Connects, now; also cuts a waiting time short. */
  open(): void;
  close(): void;
}

/** Small things that this device remembers. `localStorage` in a browser, which may be full, blocked or absent. */
export interface Memory {
  read(name: string): string | null;
  write(name: string, value: string | null): void;
}
