/** A gateway that listens, with sessions and feeds in memory: for tests and benches of what is in front of the domains. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '#engine/base/log.ts';
import { bindHandlers, type BoundCall } from '#engine/gateway/dispatch.ts';
import { createGateway, type Gateway, type GatewayOptions } from '#engine/gateway/gateway.ts';
import type { FeedEvent, FeedPort, FeedSink, FeedSubscription, SessionPort, SignedIn } from '#engine/gateway/ports.ts';
import { loadUws } from '#engine/gateway/uws.ts';
import { encode } from '#protocol/codec.ts';
import type { FeedEntry } from '#protocol/contract.ts';
import { commonFailure } from '#protocol/errors.ts';
import { feeds as contractFeeds } from '#protocol/feeds.ts';
import { EVENT, FRAME } from '#protocol/frame.ts';
import { contract } from '#protocol/index.ts';
import { PERMISSIONS_BY_ROLE, type Role } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';

/** Where the patched copy of uWebSockets.js is kept between tests; each user has their own. */
export const uwsFolder = join(tmpdir(), `matinee-test-uws-${process.getuid?.() ?? 0}`);

let made = 0;
const nextId = (): string => `0190f3a2-0000-7000-8000-${(++made).toString(16).padStart(12, '0')}`;

export function viewerOf(role: Role, name: string = role): Viewer {
  return { id: nextId(), name, role, permissions: [...PERMISSIONS_BY_ROLE[role]] };
}

export class MemorySessions implements SessionPort {
  readonly #byToken = new Map<string, SignedIn>();
  readonly #listeners = new Set<(ids: readonly string[]) => void>();

  open(viewer: Viewer): { token: string; sessionId: string } {
    const token = `token-${(++made).toString().padStart(24, '0')}`;
    const sessionId = nextId();
    this.#byToken.set(token, { sessionId, viewer });
    return { token, sessionId };
  }

  end(token: string): void {
    const signedIn = this.#byToken.get(token);
    if (!signedIn) return;
    this.#byToken.delete(token);
    for (const listener of this.#listeners) listener([signedIn.sessionId]);
  }

  async authenticate(token: string): Promise<SignedIn | null> {
    return this.#byToken.get(token) ?? null;
  }

  onEnd(listener: (ids: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** State of one feed as a map of entries, with the deltas that led to it. Follows the rules of protocol/SPEC.md, section 5. */
export class MemoryFeed {
  readonly epoch: string;
  readonly #id: number;
  readonly #key: string | null;
  readonly #snapshotOf: (entries: ReadonlyMap<string, FeedEntry>) => unknown;
  readonly #entries = new Map<string, FeedEntry>();
  readonly #history: { readonly prev: number; readonly seq: number; readonly entries: readonly FeedEntry[] }[] = [];
  readonly #subscribers = new Set<MemorySubscription>();
  readonly historyLength: number;
  seq = 0;

  constructor(options: {
    id: number;
    key?: string | null;
    epoch?: string;
    historyLength?: number;
    snapshotOf: (entries: ReadonlyMap<string, FeedEntry>) => unknown;
  }) {
    this.#id = options.id;
    this.#key = options.key ?? null;
    this.epoch = options.epoch ?? 'epoch-1';
    this.historyLength = options.historyLength ?? 100;
    this.#snapshotOf = options.snapshotOf;
  }

  get entries(): ReadonlyMap<string, FeedEntry> {
    return this.#entries;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  publish(...entries: FeedEntry[]): void {
    const prev = this.seq++;
    for (const entry of entries) this.#entries.set(`${entry.kind}/${entry.id}`, entry);
    this.#history.push({ prev, seq: this.seq, entries });
    if (this.#history.length > this.historyLength) this.#history.shift();
    const event = this.delta(prev, this.seq, entries);
    for (const subscriber of this.#subscribers) subscriber.take(event);
  }

  subscribe(sink: FeedSink, cursor: { epoch: string; seq: number } | undefined): FeedSubscription {
    const isResumed = cursor?.epoch === this.epoch && cursor.seq <= this.seq && this.missed(cursor.seq) !== null;
    const subscription = new MemorySubscription(this, sink, isResumed ? cursor.seq : null, () =>
      this.#subscribers.delete(subscription),
    );
    this.#subscribers.add(subscription);
    return subscription;
  }

  /** What came after `seq` as one delta, `null` when the history does not reach back that far. */
  missed(seq: number): FeedEvent | null {
    if (seq === this.seq) return this.delta(seq, seq, []);
    if (!this.#history.some(({ prev }) => prev === seq)) return null;
    const entries = new Map<string, FeedEntry>();
    for (const delta of this.#history) {
      if (delta.prev < seq) continue;
      for (const entry of delta.entries) entries.set(`${entry.kind}/${entry.id}`, entry);
    }
    return this.delta(seq, this.seq, [...entries.values()]);
  }

  snapshot(): FeedEvent {
    const state = this.#snapshotOf(this.#entries);
    return {
      seq: this.seq,
      frame: encode([FRAME.event, this.#id, this.#key, EVENT.snapshot, this.seq, this.seq, state]),
    };
  }

  delta(prev: number, seq: number, entries: readonly FeedEntry[]): FeedEvent {
    return { seq, frame: encode([FRAME.event, this.#id, this.#key, EVENT.delta, prev, seq, entries]) };
  }
}

class MemorySubscription implements FeedSubscription {
  readonly epoch: string;
  readonly isResumed: boolean;
  readonly #feed: MemoryFeed;
  readonly #sink: FeedSink;
  readonly #leave: () => void;
  /** Place of the last event sent; `null` before the snapshot. */
  #sentSeq: number | null;
  #isStarted = false;
  #isPaused = false;
  ackedSeq = -1;

  constructor(feed: MemoryFeed, sink: FeedSink, seq: number | null, leave: () => void) {
    this.#feed = feed;
    this.#sink = sink;
    this.#sentSeq = seq;
    this.#leave = leave;
    this.epoch = feed.epoch;
    this.isResumed = seq !== null;
  }

  start(): void {
    this.#isStarted = true;
    this.#catchUp();
  }

  resume(): void {
    this.#isPaused = false;
    this.#catchUp();
  }

  ack(seq: number): void {
    this.ackedSeq = seq;
  }

  close(): void {
    this.#leave();
  }

  take(event: FeedEvent): void {
    if (!this.#isStarted || this.#isPaused) return;
    this.#send(event);
  }

  #catchUp(): void {
    if (this.#sentSeq === this.#feed.seq) return;
    this.#send((this.#sentSeq === null ? null : this.#feed.missed(this.#sentSeq)) ?? this.#feed.snapshot());
  }

  #send(event: FeedEvent): void {
    this.#sentSeq = event.seq;
    if (!this.#sink.send(event)) this.#isPaused = true;
  }
}

export class MemoryFeeds implements FeedPort {
  readonly #byPlace = new Map<string, MemoryFeed>();

  add(name: string, feed: MemoryFeed, key: string | null = null): MemoryFeed {
    this.#byPlace.set(`${name}/${key}`, feed);
    return feed;
  }

  async subscribe(
    _viewer: Viewer,
    name: string,
    key: string | null,
    cursor: { epoch: string; seq: number } | undefined,
    sink: FeedSink,
  ): Promise<FeedSubscription | null> {
    return this.#byPlace.get(`${name}/${key}`)?.subscribe(sink, cursor) ?? null;
  }
}

/** A feed of jobs, the simplest there is: entries are jobs by id. */
export function jobsFeed(options: { epoch?: string; historyLength?: number } = {}): MemoryFeed {
  const { id } = contractFeeds.find(({ name }) => name === 'jobs')!;
  return new MemoryFeed({
    id,
    ...options,
    snapshotOf: (entries) => ({
      jobs: [...entries.values()].flatMap((entry) => ('job' in entry && entry.job !== null ? [entry.job] : [])),
    }),
  });
}

/** Every call of the contract, each answering `notFound`: for tests in which none should be reached, or few matter. */
export function unreachedCalls(onReached: (name: string) => void = () => undefined): BoundCall[] {
  const { feed: _, ...groups } = contract;
  const handlers = Object.fromEntries(
    Object.entries(groups).map(([group, calls]) => [
      group,
      Object.fromEntries(
        Object.entries(calls).map(([verb, call]) => [
          verb,
          () => {
            onReached((call as { name: string }).name);
            throw commonFailure('notFound', { what: 'anything', id: '' });
          },
        ]),
      ),
    ]),
  );
  return bindHandlers(groups, handlers as unknown as Parameters<typeof bindHandlers<typeof groups>>[1]);
}

export interface RunningGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly port: number;
  readonly url: string;
  readonly sessions: MemorySessions;
  readonly feeds: MemoryFeeds;
  readonly health: GatewayOptions['health'];
}

/** Listens on a free port of the loopback. */
export async function startGateway(options: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
  const sessions = new MemorySessions();
  const feeds = new MemoryFeeds();
  const health: GatewayOptions['health'] = options.health ?? { phase: 'ready', isDatabaseUp: async () => true };
  const gateway = await createGateway({
    uws: loadUws(uwsFolder),
    calls: unreachedCalls(),
    sessions,
    feeds,
    health,
    server: { version: '0.0.0-test', startedAt: 1_700_000_000_000 },
    log: silentLog,
    ...options,
  });
  const { port } = await gateway.listen('127.0.0.1', 0);
  return {
    gateway,
    port,
    url: `http://127.0.0.1:${port}`,
    sessions,
    feeds,
    health,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
