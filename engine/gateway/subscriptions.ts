/**
 * The feeds that one connection follows, and the events that wait for a reply. Rules FEED1, FEED6 and FEED7 of
 * protocol/SPEC.md.
 */
import type { Clock } from '#engine/base/clock.ts';
import type { Feed } from '#protocol/contract.ts';
import { commonFailure } from '#protocol/errors.ts';
import { feeds as contractFeeds } from '#protocol/feeds.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { isAllowed, type Caller } from './dispatch.ts';
import type { FeedEvent, FeedPort, FeedSink, FeedSubscription } from './ports.ts';

export interface SubscriptionsOptions {
  readonly feeds: FeedPort;
  readonly viewer: Viewer;
  readonly caller: Caller;
  readonly limit: number;
  readonly clock: Clock;
  /** Sends an event frame. `false`: taken, but no more for now. */
  readonly send: (frame: Uint8Array) => boolean;
  /** True while a reply is due before any event. */
  readonly isHolding: () => boolean;
}

/** How long an event waits for the reply of the call that may have caused it. */
const HOLD_MS = 50;
/** Events held for one connection, after which its feeds pause. */
const MAX_HELD = 64;

const FEEDS_BY_NAME: ReadonlyMap<string, Feed> = new Map(contractFeeds.map((feed) => [feed.name, feed]));

interface Entry {
  readonly sink: Sink;
  /** `null` while the feed is still being looked up. */
  subscription: FeedSubscription | null;
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #entries = new Map<string, Entry>();
  #held: Sink[] = [];
  #heldFrames: Uint8Array[] = [];
  #holdTimer: Disposable | null = null;
  /** The protocol version agreed on; feeds that are newer do not exist for this client. */
  version = 0;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Opens a subscription; `start` is to be called when the reply has been sent. Fails as `feed.subscribe` declares. */
  async open(
    name: string,
    key: string | null,
    cursor: { epoch: string; seq: number } | undefined,
    fail: {
      unknownFeed(feed: string): never;
      tooMany(limit: number): never;
    },
  ): Promise<{ epoch: string; isResumed: boolean; start: () => void }> {
    const feed = FEEDS_BY_NAME.get(name);
    if (!feed || feed.since > this.version) fail.unknownFeed(name);
    if (!isAllowed(feed.permission, this.#options.caller)) {
      throw commonFailure('forbidden', { permission: feed.permission });
    }
    if ((feed.key === null) !== (key === null)) {
      const message = feed.key === null ? 'this feed has no key' : `this feed needs a key: ${feed.key}`;
      throw commonFailure('badRequest', { issues: [{ path: '/key', message }] });
    }
    const place = placeOf(feed.id, key);
    // The later subscription replaces the earlier: from here on nothing of the old one is sent [FEED6].
    this.#drop(place);
    if (this.#entries.size >= this.#options.limit) fail.tooMany(this.#options.limit);
    const entry: Entry = { sink: new Sink(this), subscription: null };
    this.#entries.set(place, entry);
    let subscription: FeedSubscription | null;
    try {
      subscription = await this.#options.feeds.subscribe(this.#options.viewer, name, key, cursor, entry.sink);
    } catch (error) {
      if (this.#entries.get(place) === entry) this.#entries.delete(place);
      throw error;
    }
    if (this.#entries.get(place) !== entry) {
      subscription?.close();
      throw commonFailure('cancelled', {}, 'The feed was subscribed to or left again meanwhile.');
    }
    if (!subscription) {
      this.#entries.delete(place);
      return fail.unknownFeed(name);
    }
    entry.subscription = subscription;
    const { epoch, isResumed } = subscription;
    return { epoch, isResumed, start: () => !entry.sink.isClosed && subscription.start() };
  }

  close(name: string, key: string | null): void {
    const feed = FEEDS_BY_NAME.get(name);
    if (feed) this.#drop(placeOf(feed.id, key));
  }

  closeAll(): void {
    for (const place of [...this.#entries.keys()]) this.#drop(place);
    this.#held = [];
    this.#heldFrames = [];
    this.#holdTimer?.[Symbol.dispose]();
    this.#holdTimer = null;
  }

  ack(feedId: number, key: string | null, seq: number): void {
    this.#entries.get(placeOf(feedId, key))?.subscription?.ack(seq);
  }

  /** There is room again: every feed that was told to pause goes on. */
  resume(): void {
    for (const { sink, subscription } of [...this.#entries.values()]) {
      if (!sink.isPaused || sink.isClosed) continue;
      sink.isPaused = false;
      subscription?.resume();
    }
  }

  /** Sends what was held, in the order in which it came. */
  releaseHeld(): void {
    this.#holdTimer?.[Symbol.dispose]();
    this.#holdTimer = null;
    if (this.#held.length === 0) return;
    const sinks = this.#held;
    const frames = this.#heldFrames;
    this.#held = [];
    this.#heldFrames = [];
    let isRoom = true;
    for (const [index, sink] of sinks.entries()) {
      if (!sink.isClosed) isRoom = this.#options.send(frames[index]!);
    }
    if (isRoom) this.resume();
  }

  /** Called by a sink. `false`: taken, but pause. */
  take(sink: Sink, frame: Uint8Array): boolean {
    if (this.#held.length === 0 && !this.#options.isHolding()) return this.#options.send(frame);
    this.#held.push(sink);
    this.#heldFrames.push(frame);
    this.#holdTimer ??= this.#options.clock.after(HOLD_MS, () => this.releaseHeld());
    return this.#held.length < MAX_HELD;
  }

  #drop(place: string): void {
    const entry = this.#entries.get(place);
    if (!entry) return;
    this.#entries.delete(place);
    entry.sink.isClosed = true;
    entry.subscription?.close();
  }
}

class Sink implements FeedSink {
  readonly #owner: Subscriptions;
  isPaused = false;
  isClosed = false;

  constructor(owner: Subscriptions) {
    this.#owner = owner;
  }

  send(event: FeedEvent): boolean {
    if (this.isClosed) return false;
    const isRoom = this.#owner.take(this, event.frame);
    if (!isRoom) this.isPaused = true;
    return isRoom;
  }
}

const placeOf = (feedId: number, key: string | null): string => (key === null ? String(feedId) : `${feedId}/${key}`);
