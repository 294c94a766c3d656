/**
 * One feed as one group of viewers sees it. Owns: the place in the feed, and its subscribers with what each is still owed.
 * A subscriber is `idle` → `loading` (a snapshot is being read) → `live` ⇄ `congested`, and `closed` from any of them.
 */
import { encode } from '#protocol/codec.ts';
import type { FeedEntry } from '#protocol/contract.ts';
import type { AnyFeed } from '#protocol/feeds.ts';
import { EVENT, FRAME } from '#protocol/frame.ts';

const MAX_OWED = 1_000;
const MAX_UNACKED = 256;

/** An event frame, encoded once for all who see the same. */
export interface FeedEvent {
  readonly frame: Uint8Array;
  readonly seq: number;
}

export interface FeedSink {
  /** Takes an event. `false`: it was taken, but send nothing more until `resume`. */
  send(event: FeedEvent): boolean;
}

export interface ChannelOptions {
  readonly feed: AnyFeed;
  readonly key: string | null;
  readonly epoch: string;
  readonly seq: number;
  readonly snapshot: () => Promise<unknown>;
  readonly onFailure: (error: unknown) => void;
  /** Told when the last subscriber has left. */
  readonly onEmpty: () => void;
}

export class Channel {
  readonly epoch: string;
  readonly #options: ChannelOptions;
  readonly #subscribers = new Set<Subscriber>();
  #seq: number;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.epoch = options.epoch;
    this.#seq = options.seq;
  }

  /** Place of the newest delta. */
  get seq(): number {
    return this.#seq;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  /** Sends a delta to everyone, encoded once [HUB3]. */
  publish(entries: readonly FeedEntry[], seq: number): void {
    const event = this.delta(this.#seq, seq, entries);
    this.#seq = seq;
    for (const subscriber of this.#subscribers) subscriber.take(entries, event);
  }

  /** The entries of this delta could not be read: everyone needs a new beginning [HUB9]. */
  invalidate(seq: number): void {
    this.#seq = seq;
    for (const subscriber of this.#subscribers) subscriber.restart();
  }

  /** `missed`: the entries since the subscriber's cursor, or `null` when it needs a snapshot. */
  subscribe(sink: FeedSink, resume: { seq: number; missed: readonly FeedEntry[] } | null): Subscriber {
    const subscriber = new Subscriber(this, sink, resume);
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  leave(subscriber: Subscriber): void {
    if (this.#subscribers.delete(subscriber) && this.#subscribers.size === 0) this.#options.onEmpty();
  }

  readSnapshot(): Promise<unknown> {
    return this.#options.snapshot();
  }

  reportFailure(error: unknown): void {
    this.#options.onFailure(error);
  }

  delta(prev: number, seq: number, entries: readonly FeedEntry[]): FeedEvent {
    const { feed, key } = this.#options;
    return { seq, frame: encode([FRAME.event, feed.id, key, EVENT.delta, prev, seq, entries]) };
  }

  snapshot(seq: number, state: unknown): FeedEvent {
    const { feed, key } = this.#options;
    return { seq, frame: encode([FRAME.event, feed.id, key, EVENT.snapshot, seq, seq, state]) };
  }
}

/** How long a subscriber waits before it asks a source that failed again. */
const RETRY_MS = 1_000;

export class Subscriber {
  readonly isResumed: boolean;
  readonly #channel: Channel;
  readonly #sink: FeedSink;
  #state: 'idle' | 'loading' | 'live' | 'congested' | 'closed' = 'idle';
  /** Place of the last event that was sent. */
  #sentSeq: number;
  /** What is still to be sent, merged; `null` when a snapshot is due instead. */
  #owed: Map<string, FeedEntry> | null;
  /** Seqs of events that were sent and not acknowledged. */
  #unacked: number[] = [];
  #isSinkFull = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(channel: Channel, sink: FeedSink, resume: { seq: number; missed: readonly FeedEntry[] } | null) {
    this.#channel = channel;
    this.#sink = sink;
    this.isResumed = resume !== null;
    this.#sentSeq = resume?.seq ?? 0;
    this.#owed = resume && new Map(resume.missed.map((entry) => [entryKey(entry), entry]));
  }

  get epoch(): string {
    return this.#channel.epoch;
  }

  /** Sends the snapshot or what was missed, then everything that comes [HUB1]. */
  start(): void {
    if (this.#state === 'idle') this.#settle();
  }

  /** The connection has room again. */
  resume(): void {
    this.#isSinkFull = false;
    if (this.#state === 'congested') this.#settle();
  }

  /** The client has applied everything up to `seq` [HUB5]. */
  ack(seq: number): void {
    this.#unacked = this.#unacked.filter((sent) => sent > seq);
    if (this.#state === 'congested' && !this.#isSinkFull) this.#settle();
  }

  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#retry);
    this.#channel.leave(this);
  }

  /** A delta of the channel: sent at once where possible, else owed [HUB4]. */
  take(entries: readonly FeedEntry[], event: FeedEvent): void {
    if (this.#state === 'live') this.#send(event);
    else if (this.#state !== 'closed' && this.#owed) this.#owe(entries);
  }

  /** Everything this subscriber has may be stale: it gets a fresh snapshot. */
  restart(): void {
    this.#owed = null;
    if (this.#state === 'live') this.#settle();
  }

  #owe(entries: readonly FeedEntry[]): void {
    for (const entry of entries) this.#owed?.set(entryKey(entry), entry);
    if (this.#owed && this.#owed.size > MAX_OWED) this.#owed = null;
  }

  /** Sends what is owed, by delta or snapshot, and becomes live. */
  #settle(): void {
    if (this.#owed === null) {
      void this.#load();
      return;
    }
    const owed = [...this.#owed.values()];
    this.#owed = new Map();
    this.#state = 'live';
    const { seq } = this.#channel;
    if (owed.length > 0 || seq > this.#sentSeq) this.#send(this.#channel.delta(this.#sentSeq, seq, owed));
  }

  async #load(): Promise<void> {
    this.#state = 'loading';
    // From here on deltas are owed, so that nothing published while the snapshot is read is lost [HUB2].
    this.#owed = new Map();
    const { seq } = this.#channel;
    let state: unknown;
    try {
      state = await this.#channel.readSnapshot();
    } catch (error) {
      this.#channel.reportFailure(error);
      if (!this.#isClosed()) this.#retry = setTimeout(() => void this.#load(), RETRY_MS).unref();
      return;
    }
    if (this.#isClosed()) return;
    // TypeScript cannot see that `invalidate` may have run while this was waiting.
    if ((this.#owed as Map<string, FeedEntry> | null) === null) return void this.#load();
    this.#state = 'live';
    this.#send(this.#channel.snapshot(seq, state));
    if ((this.#state as string) === 'live') this.#settle();
  }

  #send(event: FeedEvent): void {
    this.#sentSeq = event.seq;
    this.#unacked.push(event.seq);
    this.#isSinkFull = !this.#sink.send(event);
    if (this.#isSinkFull || this.#unacked.length >= MAX_UNACKED) {
      // `send` may have closed the connection, and with it this subscription.
      if (!this.#isClosed()) this.#state = 'congested';
      this.#owed ??= new Map();
    }
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

/** An entry replaces an earlier one of the same kind and id. */
const entryKey = ({ kind, id }: FeedEntry): string => `${kind}\0${id}`;
