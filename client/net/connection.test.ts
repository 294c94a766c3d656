/** The client's half against a real listening gateway, through Node's own WebSocket. */
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { bindHandlers } from '#engine/gateway/dispatch.ts';
import type { GatewayOptions } from '#engine/gateway/gateway.ts';
import { defineCall } from '#protocol/contract.ts';
import { jobsFeed as jobsContract, libraryFeed } from '#protocol/feeds.ts';
import { server, session } from '#protocol/index.ts';
import { jobsFeed, startGateway, unreachedCalls, viewerOf, type RunningGateway } from '#test/support/gateway.ts';
import { Connection, type ConnectionState } from './connection.ts';
import { createHttpCalls } from './http-calls.ts';
import { ConnectionLost, ContractBreach } from './net-error.ts';
import { liveUrl, webSocketOpener } from './socket.ts';

const trial = {
  read: defineCall({
    id: 9001,
    name: 'trial.read',
    since: 1,
    summary: 'Reads.',
    permission: 'self',
    input: v.object({ id: v.string(), times: v.optional(v.number(), 1), list: v.optional(v.array(v.string()), []) }),
    output: v.object({ id: v.string(), times: v.number(), list: v.array(v.string()) }),
    failures: { gone: v.object({ since: v.number() }) },
    http: { method: 'GET', path: '/trial/{id}' },
  }),
  change: defineCall({
    id: 9002,
    name: 'trial.change',
    since: 1,
    summary: 'Changes, when it is told to.',
    permission: 'self',
    input: v.object({ id: v.string() }),
    output: v.object({}),
    failures: {},
    http: { method: 'POST', path: '/trial/{id}' },
  }),
  lie: defineCall({
    id: 9003,
    name: 'trial.lie',
    since: 1,
    summary: 'Answers what it should not.',
    permission: 'self',
    input: v.object({}),
    output: v.object({ count: v.number() }),
    failures: {},
    http: { method: 'GET', path: '/lie' },
  }),
};

const open = new Set<AsyncDisposable | Disposable>();
afterEach(async () => {
  for (const thing of [...open].toReversed()) {
    if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]();
    else thing[Symbol.dispose]();
  }
  open.clear();
});

async function start(options: Partial<GatewayOptions> = {}) {
  const go = Promise.withResolvers<void>();
  const seen: string[] = [];
  const calls = bindHandlers(
    { trial },
    {
      trial: {
        read: async (input, { fail, signal }) => {
          seen.push(`read ${input.id}`);
          if (input.id === 'gone') fail('gone', { since: 7 });
          if (input.id.startsWith('wait')) await go.promise;
          if (input.id === 'forever') {
            await new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                seen.push('stopped');
                reject(signal.reason as Error);
              });
            });
          }
          return input;
        },
        change: async ({ id }) => {
          seen.push(`change ${id}`);
          if (id.startsWith('wait')) await go.promise;
          return {};
        },
        lie: () => ({ count: 'many' }) as unknown as { count: number },
      },
    },
  );
  const running = await startGateway({ calls: [...unreachedCalls(), ...calls], ...options });
  open.add(running);
  return Object.assign(running, { go, seen });
}

function connect(running: RunningGateway, token: string = running.sessions.open(viewerOf('admin')).token): Connection {
  const connection = new Connection({
    openSocket: webSocketOpener(liveUrl(running.url), () => ({ authorization: `Bearer ${token}` })),
    client: { name: 'test', version: '0' },
  });
  open.add(connection);
  connection.start();
  return connection;
}

async function until<Name extends ConnectionState['name']>(
  connection: Connection,
  name: Name,
): Promise<Extract<ConnectionState, { name: Name }>> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = connection.onState((state) => state.name === name && resolve());
  if (connection.state.name !== name) await promise;
  stop();
  return connection.state as Extract<ConnectionState, { name: Name }>;
}

describe('calls', () => {
  it('waits for the connection, then answers, in any order', async () => {
    const running = await start();
    const connection = connect(running);
    const slow = connection.call(trial.read, { id: 'wait' });
    const quick = await connection.call(trial.read, { id: 'a', times: 3, list: ['x', 'y'] });
    expect(quick).toEqual({ id: 'a', times: 3, list: ['x', 'y'] });
    running.go.resolve();
    expect(await slow).toEqual({ id: 'wait', times: 1, list: [] });
    expect(connection.state).toMatchObject({ name: 'live', welcome: { version: 1, viewer: { role: 'admin' } } });
  });

  it('rejects with the failure, its code and its data', async () => {
    const connection = connect(await start());
    await expect(connection.call(trial.read, { id: 'gone' })).rejects.toMatchObject({
      code: 'gone',
      data: { since: 7 },
    });
    await expect(connection.call(trial.read, {} as { id: string })).rejects.toMatchObject({ code: 'badRequest' });
    await expect(connection.call(session.create, { name: '', password: '' })).rejects.toMatchObject({
      code: 'unknownMethod',
    });
  });

  it('[CON4] refuses a reply that is not what the contract says', async () => {
    await expect(connect(await start()).call(trial.lie, {})).rejects.toThrow(ContractBreach);
  });

  it('[WIRE7] an abort cancels on the server too', async () => {
    const running = await start();
    const connection = connect(running);
    const abort = new AbortController();
    const pending = connection.call(trial.read, { id: 'forever' }, { signal: abort.signal });
    await until(connection, 'live');
    while (!running.seen.includes('read forever')) await connection.call(trial.read, { id: 'a' });
    abort.abort();
    await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
    await connection.call(trial.read, { id: 'b' });
    expect(running.seen).toContain('stopped');
    await expect(connection.call(trial.read, { id: 'x' }, { signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('[WIRE8] a deadline is the server’s to keep', async () => {
    const connection = connect(await start());
    await expect(connection.call(trial.read, { id: 'forever' }, { deadlineMs: 30 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('[LIM1] a frame that the server would not take is not sent', async () => {
    const connection = connect(await start());
    await expect(connection.call(trial.read, { id: 'x'.repeat(2 << 20) })).rejects.toMatchObject({
      code: 'badRequest',
    });
    expect(await connection.call(trial.read, { id: 'a' })).toMatchObject({ id: 'a' });
  });

  it('[LIM3] waits where the server takes no more calls at once', async () => {
    const running = await start({ limits: { callsInFlight: 2 } });
    const connection = connect(running);
    const all = Array.from({ length: 6 }, (_, index) => connection.call(trial.read, { id: `wait ${index}` }));
    await until(connection, 'live');
    while (running.seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(running.seen).toEqual(['read wait 0', 'read wait 1']);
    running.go.resolve();
    expect((await Promise.all(all)).map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5].map((index) => `wait ${index}`));
  });
});

describe('losses', () => {
  it('[CLOSE5] comes back by itself; a reading call is sent again, a changing one is lost', async () => {
    const running = await start();
    const { token } = running.sessions.open(viewerOf('admin'));
    const sockets: { close(): void }[] = [];
    const opener = webSocketOpener(liveUrl(running.url), () => ({ authorization: `Bearer ${token}` }));
    const connection = new Connection({
      openSocket: (events) => {
        const socket = opener(events);
        sockets.push({
          close: () => {
            socket.close(4999, 'cut by the test');
            events.onClose(1006, '');
          },
        });
        return socket;
      },
      client: { name: 'test', version: '0' },
      random: () => 0,
    });
    open.add(connection);
    connection.start();
    await until(connection, 'live');
    const read = connection.call(trial.read, { id: 'wait' });
    const change = connection.call(trial.change, { id: 'wait' });
    while (running.seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    sockets[0]!.close();
    expect(connection.state.name).toBe('waiting');
    await expect(change).rejects.toThrow(ConnectionLost);
    running.go.resolve();
    expect(await read).toMatchObject({ id: 'wait' });
    expect(running.seen).toEqual(['read wait', 'change wait', 'read wait']);
    expect(sockets).toHaveLength(2);
  });

  it('[CLOSE2] [CLOSE5] the end of a session ends the connection, and calls say so', async () => {
    const running = await start();
    const { token } = running.sessions.open(viewerOf('user'));
    const connection = connect(running, token);
    await until(connection, 'live');
    const pending = connection.call(trial.read, { id: 'wait' });
    running.sessions.end(token);
    await expect(pending).rejects.toMatchObject({ code: 'unauthenticated' });
    await until(connection, 'signedOut');
    await expect(connection.call(trial.read, { id: 'a' })).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('[CLOSE5] without a session it does not try again and again', async () => {
    const connection = connect(await start(), 'not-a-session-of-anyone');
    await until(connection, 'signedOut');
  });

  it('[CLOSE4] [CLOSE5] a restart is waited for', async () => {
    const first = await start();
    const connection = connect(first);
    await until(connection, 'live');
    await first.gateway.drain(1_000);
    await until(connection, 'waiting');
    connection.check();
    await until(connection, 'connecting');
    await until(connection, 'waiting');
  });

  it('a stop ends calls, a start begins anew', async () => {
    const running = await start();
    const connection = connect(running);
    await until(connection, 'live');
    const pending = connection.call(trial.read, { id: 'wait' });
    connection.stop();
    await expect(pending).rejects.toThrow(ConnectionLost);
    await expect(connection.call(trial.read, { id: 'a' })).rejects.toThrow(ConnectionLost);
    connection.start();
    expect(await connection.call(trial.read, { id: 'a' })).toMatchObject({ id: 'a' });
  });

  it('estimates the clock of the server', async () => {
    const connection = connect(await start());
    expect(connection.serverNowMs()).toBeNull();
    await until(connection, 'live');
    while (connection.serverNowMs() === null) await new Promise((resolve) => setTimeout(resolve, 1));
    // The same machine: off by no more than a round trip, and not by what passes while it is asked.
    const beforeMs = Date.now();
    const serverMs = connection.serverNowMs()!;
    const marginMs = connection.roundTripMs! + 5;
    expect(serverMs).toBeGreaterThan(beforeMs - marginMs);
    expect(serverMs).toBeLessThan(Date.now() + marginMs);
  });
});

describe('feeds', () => {
  const job = (id: number, done: number = 0) => ({
    kind: 'job' as const,
    id: `0190f3a2-0000-7000-8000-${id.toString().padStart(12, '0')}`,
    job: {
      id: `0190f3a2-0000-7000-8000-${id.toString().padStart(12, '0')}`,
      kind: 'scan' as const,
      state: 'running' as const,
      subject: 'Movies',
      libraryId: null,
      done,
      total: null,
      note: null,
      createdAt: 0,
      startedAt: 0,
      endedAt: null,
    },
  });

  it('[FEED1] brings a snapshot and then what changes; a second listener a snapshot of its own', async () => {
    const running = await start();
    const jobsOf = running.feeds.add('jobs', jobsFeed());
    jobsOf.publish(job(1));
    const connection = connect(running);
    const seen: unknown[] = [];
    const changed = new (class extends EventTarget {})();
    const listener = {
      onSnapshot: (snapshot: { jobs: readonly { done: number }[] }) => {
        seen.push(snapshot.jobs.map(({ done }) => done));
        changed.dispatchEvent(new Event('seen'));
      },
      onEntries: (entries: readonly { job: { done: number } | null }[]) => {
        seen.push(entries.map((entry) => entry.job?.done));
        changed.dispatchEvent(new Event('seen'));
      },
    };
    const next = (): Promise<unknown> =>
      new Promise((resolve) => changed.addEventListener('seen', resolve, { once: true }));
    const following = connection.follow(jobsContract, null, listener);
    await next();
    jobsOf.publish(job(2, 5));
    await next();
    expect(seen).toEqual([[0], [5]]);
    const second = connection.follow(jobsContract, null, listener);
    await next();
    expect(seen).toEqual([[0], [5], [0, 5], [0, 5]]);
    expect(jobsOf.subscriberCount).toBe(1);
    following.close();
    following.close();
    expect(jobsOf.subscriberCount).toBe(1);
    second.close();
    await connection.call(trial.read, { id: 'a' });
    expect(jobsOf.subscriberCount).toBe(0);
  });

  it('tells when the server refuses', async () => {
    const running = await start();
    const connection = connect(running, running.sessions.open(viewerOf('user')).token);
    const refused = (feed: typeof jobsContract | typeof libraryFeed): Promise<unknown> =>
      new Promise((resolve) => {
        connection.follow(feed as typeof jobsContract, null, {
          onSnapshot: resolve,
          onEntries: resolve,
          onRefused: resolve,
        });
      });
    expect(await refused(jobsContract)).toMatchObject({ code: 'forbidden' });
    expect(await refused(libraryFeed)).toMatchObject({ code: 'unknownFeed' });
  });
});

describe('by HTTP', () => {
  it('fills path and query, reads output and failures by the contract', async () => {
    const running = await start();
    const { token } = running.sessions.open(viewerOf('user'));
    const http = createHttpCalls({ serverUrl: running.url, headers: () => ({ authorization: `Bearer ${token}` }) });
    expect(await http.request(trial.read, { id: 'a b&c?', times: 2, list: ['x', 'y z'] })).toEqual({
      id: 'a b&c?',
      times: 2,
      list: ['x', 'y z'],
    });
    expect(await http.request(trial.change, { id: 'a' })).toEqual({});
    await expect(http.request(trial.read, { id: 'gone' })).rejects.toMatchObject({ code: 'gone', data: { since: 7 } });
    await expect(http.request(server.info, {})).rejects.toMatchObject({ code: 'notFound' });
    await expect(http.request(trial.lie, {})).rejects.toThrow(ContractBreach);
    const anonymous = createHttpCalls({ serverUrl: running.url });
    await expect(anonymous.request(trial.read, { id: 'a' })).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('says who can’t be reached, and that something else answered', async () => {
    const nobody = createHttpCalls({ serverUrl: 'http://127.0.0.1:1' });
    await expect(nobody.request(server.info, {})).rejects.toThrow(/127\.0\.0\.1:1 can't be reached/);
    const other = createHttpCalls({
      serverUrl: 'http://x',
      fetch: async () => new Response('<html>', { status: 200 }),
    });
    await expect(other.request(server.info, {})).rejects.toThrow(/is http:\/\/x a Matinee/);
  });
});
