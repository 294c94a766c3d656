/**
 * Client and server halves over a simulated network, by seed: packets take their time, lines drop in the middle of what they
 * carry, dead sockets go on delivering, events vanish, the server forgets its history or restarts, a second connection of
 * the same client comes and goes. At the end the client's state is the server's, and on the way nothing was lost or
 * applied twice.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { CallDeadlines } from '#engine/gateway/call-deadlines.ts';
import { bindHandlers, type BoundCall } from '#engine/gateway/dispatch.ts';
import { FailureMap } from '#engine/gateway/failure-map.ts';
import { feedCalls } from '#engine/gateway/feed-calls.ts';
import { LiveConnection, type LiveContext, type Wire } from '#engine/gateway/live-connection.ts';
import { CLOSE } from '#protocol/close-code.ts';
import type { FeedEntry } from '#protocol/contract.ts';
import { jobsFeed as jobsContract } from '#protocol/feeds.ts';
import { LIMITS } from '#protocol/frame.ts';
import { contract } from '#protocol/index.ts';
import type { Job } from '#protocol/schema/job.ts';
import { MemoryFeeds, jobsFeed, viewerOf, type MemoryFeed } from '#test/support/gateway.ts';
import { Connection } from './connection.ts';
import type { OpenSocket, SocketEvents } from './socket.ts';

/** Small, quick, and the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const jobId = (number: number): string => `0190f3a2-0000-7000-8000-${number.toString().padStart(12, '0')}`;
const jobEntry = (number: number, done: number): FeedEntry & { job: Job } => ({
  kind: 'job',
  id: jobId(number),
  job: {
    id: jobId(number),
    kind: 'scan',
    state: 'running',
    subject: 'Movies',
    libraryId: null,
    done,
    total: null,
    note: null,
    createdAt: 0,
    startedAt: null,
    endedAt: null,
  },
});

/** One direction of one line: in order, each packet after its own delay. */
class Lane {
  readonly #clock: FakeClock;
  #lastMs = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  send(delayMs: number, deliver: () => void): void {
    const nowMs = this.#clock.monotonicMs();
    this.#lastMs = Math.max(this.#lastMs, nowMs + delayMs);
    this.#clock.after(this.#lastMs - nowMs, deliver);
  }
}

interface Line {
  readonly server: LiveConnection;
  readonly events: SocketEvents;
  isCut: boolean;
  queuedBytes: number;
}

class World {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly feeds = new MemoryFeeds();
  readonly lines: Line[] = [];
  feed: MemoryFeed;
  /** Share of event frames that vanish: what a defect, not a network, would do. */
  vanish = 0;
  #epoch = 1;
  readonly #calls: ReadonlyMap<number, BoundCall>;

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.feed = this.feeds.add('jobs', jobsFeed({ epoch: 'epoch-1', historyLength: 8 }));
    this.#calls = new Map(
      bindHandlers({ feed: contract.feed }, { feed: feedCalls }).map((bound) => [bound.call.id, bound]),
    );
  }

  /** Another server process: the state is durable, the history is not. */
  restart(): void {
    const { entries } = this.feed;
    this.feed = this.feeds.add('jobs', jobsFeed({ epoch: `epoch-${++this.#epoch}`, historyLength: 8 }));
    this.feed.publish(...entries.values());
    for (const line of [...this.lines]) line.server.close('restart');
  }

  readonly openSocket: OpenSocket = (events) => {
    const { clock, random } = this;
    const up = new Lane(clock);
    const down = new Lane(clock);
    const context: LiveContext = {
      callsById: this.#calls,
      feeds: this.feeds,
      failures: new FailureMap(silentLog, () => 'id'),
      limits: LIMITS,
      clock,
      deadlines: new CallDeadlines(clock),
      log: silentLog,
      server: { version: '0', startedAt: 0 },
      phase: () => 'ready',
    };
    const wire: Wire = {
      send: (frame) => {
        const bytes = Uint8Array.from(frame);
        const isEvent = bytes[1] === 6;
        if (isEvent && random() < this.vanish) return 'sent';
        line.queuedBytes += bytes.length;
        down.send(random() * 80, () => {
          line.queuedBytes -= bytes.length;
          if (!line.isCut) events.onMessage(bytes);
          line.server.drained();
        });
        return line.queuedBytes === bytes.length ? 'sent' : 'queued';
      },
      queuedBytes: () => line.queuedBytes,
      end: (code, reason) => {
        this.#forget(line);
        down.send(random() * 80, () => this.#closeClient(line, code, reason));
      },
      ping: () => undefined,
    };
    const server = new LiveConnection(
      wire,
      { signedIn: { sessionId: jobId(1), viewer: viewerOf('admin') }, address: '', agent: '', isSecure: false },
      context,
    );
    const line: Line = { server, events, isCut: false, queuedBytes: 0 };
    this.lines.push(line);
    up.send(random() * 80, () => !line.isCut && events.onOpen());
    return {
      send: (frame) => {
        const bytes = Uint8Array.from(frame);
        up.send(random() * 80, () => !line.isCut && server.receive(bytes, true));
      },
      close: (code, reason) => {
        up.send(random() * 80, () => {
          server.lost();
          this.#forget(line);
        });
        this.#closeClient(line, code, reason);
      },
    };
  };

  /** The line drops. What is under way is lost; each side notices when it notices. */
  cut(line: Line): void {
    line.isCut = true;
    this.#forget(line);
    this.clock.after(this.random() * 3_000, () => line.server.lost());
    this.clock.after(this.random() * 3_000, () => line.events.onClose(1006, ''));
  }

  #closeClient(line: Line, code: number, reason: string): void {
    if (!line.isCut) line.events.onClose(code, reason);
  }

  #forget(line: Line): void {
    const index = this.lines.indexOf(line);
    if (index >= 0) this.lines.splice(index, 1);
  }
}

/** What a screen would hold, and every way in which it could be wrong. */
class Screen {
  readonly jobs = new Map<string, number>();
  readonly problems: string[] = [];
  snapshots = 0;
  deltas = 0;

  readonly listener = {
    onSnapshot: ({ jobs }: { jobs: readonly Job[] }): void => {
      this.snapshots++;
      const before = new Map(this.jobs);
      this.jobs.clear();
      for (const job of jobs) this.jobs.set(job.id, job.done);
      for (const [id, done] of before) {
        if ((this.jobs.get(id) ?? -1) < done) this.problems.push(`a snapshot took ${id} back from ${done}`);
      }
    },
    onEntries: (entries: readonly { readonly id: string; readonly job: Job | null }[]): void => {
      this.deltas++;
      for (const { id, job } of entries) {
        const before = this.jobs.get(id) ?? -1;
        // Every change of the simulation raises `done`: a value seen again, or an older one, was applied twice.
        if (job!.done <= before) this.problems.push(`${id}: ${job!.done} after ${before}`);
        this.jobs.set(id, job!.done);
      }
    },
    onRefused: (error: unknown): void => void this.problems.push(`refused: ${String(error)}`),
  };
}

async function simulate(seed: number, vanish: number): Promise<{ world: World; screen: Screen; client: Connection }> {
  const world = new World(seed);
  const { clock, random } = world;
  const timers = {
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs: number, action: () => void) => {
      const timer = clock.after(delayMs, action);
      return () => timer[Symbol.dispose]();
    },
  };
  const connect = (): Connection => {
    const connection = new Connection({
      openSocket: world.openSocket,
      client: { name: 'simulation', version: '0' },
      timers,
      random,
      onProblem: (error) => screen.problems.push(`problem: ${String(error)}`),
    });
    connection.start();
    return connection;
  };
  const screen = new Screen();
  const second = new Screen();
  const client = connect();
  client.follow(jobsContract, null, screen.listener);
  let other: Connection | null = null;
  let done = 0;
  world.vanish = vanish;
  for (let step = 0; step < 300; step++) {
    const dice = random();
    if (dice < 0.55) {
      const numbers = new Set(Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * 12)));
      world.feed.publish(...[...numbers].map((number) => jobEntry(number, ++done)));
    } else if (dice < 0.62) {
      const line = world.lines[Math.floor(random() * world.lines.length)];
      if (line) world.cut(line);
    } else if (dice < 0.64) {
      world.restart();
    } else if (dice < 0.68) {
      other?.stop();
      other = other ? null : connect();
      other?.follow(jobsContract, null, second.listener);
    } else if (dice < 0.7) {
      client.check();
    } else if (dice < 0.71) {
      client.stop();
      client.start();
    }
    await clock.advance(random() * 200);
  }
  world.vanish = 0;
  // One change more, so that a gap at the very end is seen; then time for every backoff.
  world.feed.publish(jobEntry(0, ++done));
  await clock.advance(60_000);
  world.feed.publish(jobEntry(0, ++done));
  await clock.advance(10_000);
  other?.stop();
  return { world, screen, client };
}

const stateOf = (feed: MemoryFeed): Map<string, number> =>
  new Map([...feed.entries.values()].map((entry) => [entry.id, (entry as FeedEntry & { job: Job }).job.done]));

async function expectSame(seed: number, vanish: number): Promise<void> {
  const { world, screen, client } = await simulate(seed, vanish);
  expect(screen.problems).toEqual([]);
  expect(client.state.name).toBe('live');
  expect(Object.fromEntries(screen.jobs)).toEqual(Object.fromEntries(stateOf(world.feed)));
  expect(screen.deltas).toBeGreaterThan(0);
  client.stop();
  await world.clock.advance(5_000);
  expect(world.feed.subscriberCount, 'the server has forgotten who left').toBe(0);
}

describe('simulation', () => {
  it('[FEED2] [FEED3] [FEED4] whatever the network does, the client ends with the state of the server', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), (seed) => expectSame(seed, 0)),
      { numRuns: 25 },
    );
  });

  it('[FEED3] events that vanish leave a gap that is seen and mended', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), (seed) => expectSame(seed, 0.1)),
      { numRuns: 25 },
    );
  });

  it('[CLOSE5] two clients that were cut off together do not come back together', async () => {
    const delays = await Promise.all(
      [1, 2].map(async (seed) => {
        const world = new World(seed);
        const connection = new Connection({
          openSocket: (events) => {
            world.clock.after(1, () => events.onClose(CLOSE.restart.code, CLOSE.restart.reason));
            return { send: () => undefined, close: () => undefined };
          },
          client: { name: 'simulation', version: '0' },
          timers: {
            monotonicMs: () => world.clock.monotonicMs(),
            after: (delayMs, action) => {
              const timer = world.clock.after(delayMs, action);
              return () => timer[Symbol.dispose]();
            },
          },
          random: world.random,
        });
        const waits: number[] = [];
        connection.onState((state) => state.name === 'waiting' && waits.push(state.delayMs));
        connection.start();
        await world.clock.advance(60_000);
        connection.stop();
        expect(world.clock.pendingCount).toBe(0);
        return waits;
      }),
    );
    const [first = [], second = []] = delays;
    expect(first[0]).not.toBe(second[0]);
    for (const waits of delays) {
      for (const [index, waitMs] of waits.entries()) {
        const stepMs = Math.min(10_000, 250 * 2 ** index);
        expect(waitMs).toBeGreaterThanOrEqual(stepMs / 2);
        expect(waitMs).toBeLessThanOrEqual(stepMs);
      }
    }
  });
});
