import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import { SERVER_FRAME_LIMITS, decode } from '#protocol/codec.ts';
import { healthFeed, libraryFeed, movieFeed, progressFeed } from '#protocol/feeds.ts';
import { EVENT } from '#protocol/frame.ts';
import { testViewer } from '#test/support/call-context.ts';
import type { FeedEvent } from './channel.ts';
import { FeedHub } from './feed-hub.ts';
import type { Change, ChangeLog, DurableSource, FeedSource, LiveSource } from './ports.ts';

type Entry = { kind: 'movie'; id: string; movie: number | null };

/** Movies as numbers that grow with each change: enough to see what is fresh and what is stale. */
class World implements ChangeLog {
  readonly epoch = 'world';
  readonly movies = new Map<string, number>();
  readonly log: Change[] = [];
  oldest = 0;
  listener: () => void = () => undefined;
  isMute = false;
  isBroken = false;
  /** Held back until released: what is read while it waits must not be lost. */
  gate: Promise<void> = Promise.resolve();
  entryReads = 0;

  change(id: string, options: { audience?: string; feed?: string } = {}): void {
    this.movies.set(id, (this.movies.get(id) ?? 0) + 1);
    const seq = this.log.length + 1;
    this.log.push({
      seq,
      feed: options.feed ?? 'library',
      audience: options.audience ?? null,
      kind: 'movie',
      entityId: id,
    });
    if (!this.isMute) this.listener();
  }

  latestSeq = async () => this.log.length;
  oldestSeq = async () => this.oldest;
  changesAfter = async (seq: number, limit: number) => this.log.slice(seq, seq + limit);
  onChange = async (listener: () => void) => {
    this.listener = listener;
    return async () => undefined;
  };

  source(): DurableSource {
    return {
      feed: libraryFeed,
      isDurable: true,
      audienceOf: (viewer) => viewer.role,
      snapshot: async () => {
        const state = Object.fromEntries(this.movies);
        await this.gate;
        if (this.isBroken) throw new Error('broken');
        return state;
      },
      concerns: (change) => change.feed === 'library',
      entries: async (changes) => {
        this.entryReads++;
        if (this.isBroken) throw new Error('broken');
        return [...new Set(changes.map(({ entityId }) => entityId))].map((id) => ({
          kind: 'movie',
          id,
          movie: this.movies.get(id) ?? null,
        }));
      },
    };
  }
}

/** A client that applies what it hears and complains of gaps. */
class Reader {
  state: Record<string, number> = {};
  seq = -1;
  readonly events: ('snapshot' | 'delta')[] = [];
  readonly frames: Uint8Array[] = [];
  room = Infinity;

  readonly send = ({ frame, seq }: FeedEvent): boolean => {
    const [, , , event, prev, frameSeq, payload] = decode(frame, SERVER_FRAME_LIMITS) as [
      6,
      number,
      null,
      0 | 1,
      number,
      number,
      unknown,
    ];
    expect(frameSeq).toBe(seq);
    this.frames.push(frame);
    if (event === EVENT.snapshot) {
      this.state = { ...(payload as Record<string, number>) };
      this.events.push('snapshot');
    } else {
      if (prev > this.seq) throw new Error(`a gap: ${this.seq} then ${prev}`);
      for (const { id, movie } of payload as Entry[]) this.state[id] = movie!;
      this.events.push('delta');
    }
    this.seq = seq;
    return --this.room > 0;
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 2));
const viewer = testViewer('01890000-0000-7000-8000-000000000001');
const start = (world: World, sources: FeedSource[] = [world.source()]) =>
  FeedHub.start({ changes: world, sources, processEpoch: 'process', log: silentLog });

async function follow(hub: FeedHub, reader: Reader, cursor?: { epoch: string; seq: number }) {
  const subscription = await hub.subscribe(viewer, 'library', null, cursor, reader);
  subscription!.start();
  await settle();
  return subscription!;
}

describe('a subscriber', () => {
  it('[HUB1] gets a snapshot, then each change', async () => {
    const world = new World();
    world.change('a');
    await using hub = await start(world);
    const reader = new Reader();
    await follow(hub, reader);
    expect(reader.state).toEqual({ a: 1 });
    world.change('a');
    world.change('b');
    await settle();
    expect(reader.state).toEqual({ a: 2, b: 1 });
    expect(reader.events[0]).toBe('snapshot');
    expect(new Set(reader.events.slice(1))).toEqual(new Set(['delta']));
  });

  it('[HUB1] hears nothing before it is started, and nothing after it is closed', async () => {
    const world = new World();
    await using hub = await start(world);
    const reader = new Reader();
    const subscription = await hub.subscribe(viewer, 'library', null, undefined, reader);
    world.change('a');
    await settle();
    expect(reader.events).toEqual([]);
    subscription!.start();
    await settle();
    subscription!.close();
    world.change('b');
    await settle();
    expect(reader.state).toEqual({ a: 1 });
    expect(hub.channelCount).toBe(0);
  });

  it('[HUB2] misses nothing that is published while its snapshot is read', async () => {
    const world = new World();
    world.change('a');
    await using hub = await start(world);
    const gate = Promise.withResolvers<void>();
    world.gate = gate.promise;
    const reader = new Reader();
    await follow(hub, reader);
    world.change('b');
    await settle();
    expect(reader.events).toEqual([]);
    gate.resolve();
    await settle();
    expect(reader.state).toEqual({ a: 1, b: 1 });
  });

  it('[HUB3] shares one frame and one read with everyone who sees the same', async () => {
    const world = new World();
    await using hub = await start(world);
    const readers = Array.from({ length: 50 }, () => new Reader());
    for (const reader of readers) await follow(hub, reader);
    world.entryReads = 0;
    world.change('a');
    await settle();
    expect(world.entryReads).toBe(1);
    expect(new Set(readers.map((reader) => reader.frames.at(-1))).size).toBe(1);
  });
});

describe('coming back', () => {
  it('[HUB1] gets what it missed, across a restart of the process', async () => {
    const world = new World();
    world.change('a');
    const reader = new Reader();
    {
      await using hub = await start(world);
      await follow(hub, reader);
    }
    world.change('b');
    world.change('b');
    await using hub = await start(world);
    const subscription = await follow(hub, reader, { epoch: 'world', seq: reader.seq });
    expect(subscription.isResumed).toBe(true);
    expect(reader.state).toEqual({ a: 1, b: 2 });
    expect(reader.events).toEqual(['snapshot', 'delta']);
    world.change('c');
    await settle();
    expect(reader.state).toEqual({ a: 1, b: 2, c: 1 });
  });

  it.each([
    ['another epoch', { epoch: 'other', seq: 1 }],
    ['the future', { epoch: 'world', seq: 1_000 }],
    ['before what was pruned', { epoch: 'world', seq: 1 }],
  ])('[HUB6] with a cursor of %s gets a snapshot', async (_what, cursor) => {
    const world = new World();
    for (const id of ['a', 'b', 'c']) world.change(id);
    world.oldest = 2;
    await using hub = await start(world);
    const reader = new Reader();
    const subscription = await follow(hub, reader, cursor);
    expect(subscription.isResumed).toBe(false);
    expect(reader.events).toEqual(['snapshot']);
  });

  it('[HUB7] a change whose notification was lost comes with the next one', async () => {
    const world = new World();
    await using hub = await start(world);
    const reader = new Reader();
    await follow(hub, reader);
    world.isMute = true;
    world.change('a');
    world.isMute = false;
    world.change('b');
    await settle();
    expect(reader.state).toEqual({ a: 1, b: 1 });
  });
});

describe('a slow reader', () => {
  it('[HUB4] is sent nothing until it has room, then the newest of each, merged', async () => {
    const world = new World();
    await using hub = await start(world);
    const reader = new Reader();
    reader.room = 1;
    const subscription = await follow(hub, reader);
    for (let n = 0; n < 20; n++) world.change(n % 2 ? 'a' : 'b');
    await settle();
    expect(reader.events).toEqual(['snapshot']);
    reader.room = Infinity;
    subscription.resume();
    expect(reader.events).toEqual(['snapshot', 'delta']);
    expect(reader.state).toEqual({ a: 10, b: 10 });
  });

  it('[HUB4] gets a fresh snapshot when too much would be owed', async () => {
    const world = new World();
    await using hub = await start(world);
    const reader = new Reader();
    reader.room = 1;
    const subscription = await follow(hub, reader);
    for (let n = 0; n < 1_200; n++) world.change(`movie ${n}`);
    await settle();
    reader.room = Infinity;
    subscription.resume();
    await settle();
    expect(reader.events).toEqual(['snapshot', 'snapshot']);
    expect(Object.keys(reader.state)).toHaveLength(1_200);
  });

  it('[HUB5] that acknowledges nothing is sent 256 events, then merged ones', async () => {
    const world = new World();
    await using hub = await start(world);
    const reader = new Reader();
    const subscription = await follow(hub, reader);
    for (let n = 0; n < 300; n++) {
      world.change('a');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settle();
    expect(reader.events).toHaveLength(256);
    expect(reader.state['a']).toBeLessThan(300);
    subscription.ack(reader.seq);
    expect(reader.state['a']).toBe(300);
  });
});

describe('who may see what', () => {
  it('[HUB8] refuses without the permission, a feed that does not exist, and a key that does not fit', async () => {
    const world = new World();
    const live: LiveSource = {
      feed: healthFeed,
      isDurable: false,
      audienceOf: () => 'all',
      snapshot: async () => ({ items: [] }),
      onEntries: () => () => undefined,
    };
    const movie: DurableSource = { ...world.source(), feed: movieFeed };
    await using hub = await start(world, [world.source(), live, movie]);
    const subscribe = (feed: string, key: string | null) => hub.subscribe(viewer, feed, key, undefined, new Reader());
    await expect(subscribe('health', null)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(subscribe('movie', 'x')).rejects.toMatchObject({ code: 'badRequest' });
    await expect(subscribe('movie', null)).rejects.toMatchObject({ code: 'badRequest' });
    await expect(subscribe('library', viewer.id)).rejects.toMatchObject({ code: 'badRequest' });
    expect(await subscribe('nonsense', null)).toBeNull();
  });

  it('[HUB8] a personal feed carries only one’s own', async () => {
    const world = new World();
    const personal: DurableSource = {
      ...world.source(),
      feed: progressFeed,
      audienceOf: ({ id }) => id,
      snapshot: async () => ({}),
      concerns: (change, audience) => change.audience === audience,
    };
    await using hub = await start(world, [personal]);
    const [own, other] = [new Reader(), new Reader()];
    const somebody = testViewer('01890000-0000-7000-8000-0000000000ff');
    (await hub.subscribe(viewer, 'progress', null, undefined, own))!.start();
    (await hub.subscribe(somebody, 'progress', null, undefined, other))!.start();
    await settle();
    world.change('a', { audience: viewer.id, feed: 'progress' });
    await settle();
    expect(own.state).toEqual({ a: 1 });
    expect(other.state).toEqual({});
  });
});

it('[HUB9] a source that fails costs a delta, not the subscriber', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const turn = () => vi.advanceTimersByTimeAsync(0);
  const world = new World();
  await using hub = await start(world);
  const reader = new Reader();
  (await hub.subscribe(viewer, 'library', null, undefined, reader))!.start();
  await turn();
  world.isBroken = true;
  world.change('a');
  await turn();
  world.isBroken = false;
  await vi.advanceTimersByTimeAsync(2_000);
  vi.useRealTimers();
  expect(reader.state).toEqual({ a: 1 });
});

it('[HUB1][HUB6] who comes back in the moment in which a change is published has it all the same', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const world = new World();
    await using hub = await start(world);
    const [stays, returns] = [new Reader(), new Reader()];
    (await hub.subscribe(viewer, 'library', null, undefined, stays))!.start();
    (await follow(hub, returns)).close();
    world.change('a');
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    (await hub.subscribe(viewer, 'library', null, { epoch: 'world', seq: returns.seq }, returns))!.start();
    await settle();
    expect([turns, returns.state]).toEqual([turns, { a: 1 }]);
  }
});

it('[HUB1][HUB2][HUB4] whatever happens in whatever order, everyone ends with the same state and sees no gap', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), id: fc.integer({ min: 0, max: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('congest' as const), reader: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('drain' as const), reader: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('reconnect' as const), reader: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('prune' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      await using hub = await start(world);
      const readers = [new Reader(), new Reader(), new Reader()];
      const subscriptions = await Promise.all(
        readers.map((reader) => hub.subscribe(viewer, 'library', null, undefined, reader)),
      );
      for (const subscription of subscriptions) subscription!.start();
      for (const one of steps) {
        if (one.do === 'change') world.change(`movie ${one.id}`);
        else if (one.do === 'prune') world.oldest = Math.max(0, world.log.length - 1);
        else if (one.do === 'wait') await new Promise((resolve) => setImmediate(resolve));
        else if (one.do === 'congest') readers[one.reader]!.room = 1;
        else if (one.do === 'drain') {
          readers[one.reader]!.room = Infinity;
          subscriptions[one.reader]!.resume();
        } else {
          const reader = readers[one.reader]!;
          subscriptions[one.reader]!.close();
          reader.room = Infinity;
          const cursor = reader.seq < 0 ? undefined : { epoch: 'world', seq: reader.seq };
          subscriptions[one.reader] = await hub.subscribe(viewer, 'library', null, cursor, reader);
          subscriptions[one.reader]!.start();
        }
      }
      for (const [index, reader] of readers.entries()) {
        reader.room = Infinity;
        subscriptions[index]!.resume();
      }
      await settle();
      for (const reader of readers) expect(reader.state).toEqual(Object.fromEntries(world.movies));
    }),
    { numRuns: 200 },
  );
});
