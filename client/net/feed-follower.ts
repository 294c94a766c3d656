/**
 * One feed as this client follows it. Owns its place (the cursor) and tells its listeners what comes; the state itself is
 * theirs. Knows no socket: `ask` subscribes, `ack` acknowledges.
 *
 * States: idle (no connection) → asking (subscribe is in flight) → following → idle …; refused from asking, until the next
 * connection. Rules FEED1 to FEED6 of protocol/SPEC.md: what comes in between subscriptions is not looked at; a repeated
 * event is dropped; a gap, or a payload that can't be read, asks again.
 */
import * as v from 'valibot';
import type { EntryOf, Feed, SnapshotOf } from '#protocol/contract.ts';
import { isFailure } from '#protocol/errors.ts';
import { EVENT } from '#protocol/frame.ts';

export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
}

export interface FeedListener<F extends Feed = Feed> {
  /** The whole state: whatever was known before is replaced. */
  onSnapshot(snapshot: SnapshotOf<F>): void;
  /** Changes since, in order; each replaces what was known under its kind and id. */
  onEntries(entries: readonly EntryOf<F>[]): void;
  /** The server refuses the feed, for the reason given. Asked again with the next connection. */
  onRefused?(error: unknown): void;
}

export interface FollowerPort {
  /**
   * Subscribes. Calls back in the very turn in which the answer comes, not by a promise: the first event may stand right
   * behind the reply, in the same turn.
   */
  ask(
    cursor: Cursor | null,
    onReply: (reply: { epoch: string; isResumed: boolean }) => void,
    onFailure: (error: unknown) => void,
  ): void;
  ack(seq: number): void;
  after(delayMs: number, action: () => void): () => void;
}

/** An acknowledgement covers what came in this time, or this many events: the server holds back at 256 unacknowledged. */
const ACK_MS = 250;
const ACK_EVENTS = 64;
/** A server that can't answer now is asked again after this. */
const ASK_AGAIN_MS = 2_000;

/** Failures that another attempt may not meet again. */
const PASSING: ReadonlySet<string> = new Set(['overloaded', 'rateLimited', 'timeout', 'internal', 'cancelled']);

export class FeedFollower {
  readonly #feed: Feed;
  readonly #port: FollowerPort;
  readonly #listeners = new Set<FeedListener>();
  #state: 'idle' | 'asking' | 'following' | 'refused' = 'idle';
  #cursor: Cursor | null = null;
  /** Epoch of the subscription that is followed. */
  #epoch = '';
  /** Counts subscriptions: the reply to one that was given up is not looked at. */
  #attempt = 0;
  /** A gap was seen, and nothing has been applied since. */
  #hadGap = false;
  #unacked = 0;
  #stopAckTimer: (() => void) | null = null;
  #stopAskTimer: (() => void) | null = null;

  constructor(feed: Feed, port: FollowerPort) {
    this.#feed = feed;
    this.#port = port;
  }

  get cursor(): Cursor | null {
    return this.#cursor;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  add(listener: FeedListener): void {
    this.#listeners.add(listener);
    // The new one needs a snapshot, and the state is with the listeners: all begin anew.
    if (this.#listeners.size === 1) return;
    this.#cursor = null;
    if (this.#state !== 'idle') this.#ask();
  }

  remove(listener: FeedListener): void {
    this.#listeners.delete(listener);
  }

  /** There is a connection, or another one than before. */
  connected(): void {
    this.#ask();
  }

  /** The connection is gone; the cursor stays. */
  disconnected(): void {
    this.#attempt++;
    this.#state = 'idle';
    this.#clearTimers();
    this.#unacked = 0;
  }

  /** Takes an event of this feed and key. */
  receive(event: number, prev: number, seq: number, payload: unknown): void {
    // Of the subscription before, still on its way.
    if (this.#state !== 'following') return;
    if (event === EVENT.snapshot) {
      const parsed = v.safeParse(this.#feed.snapshot, payload);
      if (!parsed.success) {
        return this.#refuse(new Error(`a snapshot of ${this.#feed.name} is not as the contract says`));
      }
      this.#applied(seq);
      for (const listener of [...this.#listeners]) listener.onSnapshot(parsed.output);
      return;
    }
    if (this.#cursor && seq <= this.#cursor.seq) return;
    if (!this.#cursor || prev !== this.#cursor.seq) return this.#onGap();
    const entries = this.#parseEntries(payload);
    if (!entries) return this.#onGap();
    this.#applied(seq);
    for (const listener of [...this.#listeners]) listener.onEntries(entries);
  }

  #ask(): void {
    this.#clearTimers();
    const attempt = ++this.#attempt;
    this.#state = 'asking';
    this.#port.ask(
      this.#cursor,
      ({ epoch, isResumed }) => {
        if (attempt !== this.#attempt) return;
        this.#state = 'following';
        this.#epoch = epoch;
        this.#unacked = 0;
        // Not resumed: a snapshot comes first, and until then nothing is known.
        if (!isResumed || this.#cursor?.epoch !== epoch) this.#cursor = null;
      },
      (error) => {
        if (attempt !== this.#attempt) return;
        if (isFailure(error) && PASSING.has(error.code)) {
          this.#stopAskTimer = this.#port.after(ASK_AGAIN_MS, () => this.#ask());
        } else {
          this.#refuse(error);
        }
      },
    );
  }

  #onGap(): void {
    // The second gap in a row: what this side believes can't be mended by deltas.
    if (this.#hadGap) this.#cursor = null;
    this.#hadGap = true;
    this.#ask();
  }

  #refuse(error: unknown): void {
    this.#state = 'refused';
    for (const listener of [...this.#listeners]) listener.onRefused?.(error);
  }

  #applied(seq: number): void {
    this.#cursor = { epoch: this.#epoch, seq };
    this.#hadGap = false;
    this.#unacked++;
    if (this.#unacked >= ACK_EVENTS) this.#ack();
    else this.#stopAckTimer ??= this.#port.after(ACK_MS, () => this.#ack());
  }

  #ack(): void {
    this.#stopAckTimer?.();
    this.#stopAckTimer = null;
    this.#unacked = 0;
    if (this.#cursor) this.#port.ack(this.#cursor.seq);
  }

  /** Entries of a kind that this client does not know, from a newer server, are left out. `null`: not a list at all. */
  #parseEntries(payload: unknown): unknown[] | null {
    if (!Array.isArray(payload)) return null;
    return payload.flatMap((entry: unknown) => {
      const parsed = v.safeParse(this.#feed.entry, entry);
      return parsed.success ? [parsed.output] : [];
    });
  }

  #clearTimers(): void {
    this.#stopAckTimer?.();
    this.#stopAskTimer?.();
    this.#stopAckTimer = this.#stopAskTimer = null;
  }
}
