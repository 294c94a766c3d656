import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { DurableWork } from '#engine/jobs/durable-work.ts';
import type { TakenItem } from '#engine/jobs/ports.ts';
import { Cable } from '#test/support/cable.ts';
import { queueContract } from '#test/support/queue-contract.ts';
import { openRedis } from '#test/support/redis.ts';
import type { TestRedis } from '#test/support/redis.ts';
import { openQueueServer } from './queue-server.ts';

/** Redis keeps the queue, so nobody asks this one. */
const NO_POSTGRES = { host: '127.0.0.1', port: 1, database: '', user: '', password: '' };

let redis: TestRedis;
beforeAll(async () => {
  redis = await openRedis();
});
// A test that failed in the middle may have left it ended.
beforeEach(() => redis.start());
afterAll(() => redis[Symbol.asyncDispose]());

const addressOf = (port: number) => ({ redisUrl: `redis://127.0.0.1:${port}`, postgres: NO_POSTGRES });
const item = (n: number) => ({ content: { n }, urgency: 'normal' as const, key: null, delayMs: 0 });

queueContract({
  name: 'Redis',
  target: () => ({ host: '127.0.0.1', port: redis.port }),
  address: (port) => addressOf(port ?? redis.port),
});

it('[WORK1][WORK8] a Redis that is killed and started again has every order that was taken', async () => {
  await using server = await openQueueServer({ ...addressOf(redis.port), log: silentLog });
  await server.add('index', [item(1), item(2)]);
  await redis.kill();
  await expect.poll(() => server.isAway).toBe(true);
  await expect(server.add('index', [item(3)])).rejects.toThrow('Redis at 127.0.0.1');
  await redis.start();
  await expect.poll(() => server.isAway).toBe(false);
  const taken: unknown[] = [];
  server.work('index', 1, async ({ content }: TakenItem) => (taken.push(content), { kind: 'done' }));
  await expect.poll(() => taken).toEqual([{ n: 1 }, { n: 2 }]);
});

it('[WORK8] the engine starts without Redis, and uses it when it comes', async () => {
  await using cable = await Cable.to({ host: '127.0.0.1', port: redis.port });
  await cable.cut();
  await using server = await openQueueServer({ ...addressOf(cable.port), log: silentLog });
  expect(server.isAway).toBe(true);
  const taken: unknown[] = [];
  server.work('index', 1, async ({ content }: TakenItem) => (taken.push(content), { kind: 'done' }));
  await expect(server.counts('index')).rejects.toThrow('cannot be reached');
  await cable.mend();
  await expect.poll(() => server.isAway).toBe(false);
  await server.add('index', [item(1)]);
  await expect.poll(() => taken).toEqual([{ n: 1 }]);
});

it('[WORK9] a Redis that may lose orders is told of, until it is configured otherwise', async () => {
  await using server = await openQueueServer({ ...addressOf(redis.port), log: silentLog });
  const redisItself = new Redis(redis.url);
  const set = (name: string, value: string) => redisItself.config('SET', name, value);
  try {
    expect(await server.dangers()).toEqual([]);
    await set('maxmemory-policy', 'allkeys-lru');
    // Without a limit there is nothing to make room for.
    expect(await server.dangers()).toEqual([]);
    await set('maxmemory', '100mb');
    await set('appendonly', 'no');
    expect(await server.dangers()).toEqual(['evicts', 'forgets']);

    const told = new Map<string, string>();
    const health = {
      set: ({ id, action }: { id: string; action: string }) => void told.set(id, action),
      clear: (id: string) => void told.delete(id),
    };
    await using _work = new DurableWork({ server, health, clock: systemClock, newId: randomUUID, log: silentLog });
    await expect.poll(() => [...told.keys()]).toEqual(['queue/evicts', 'queue/forgets']);
    expect(told.get('queue/forgets')).toContain('appendonly yes');

    await set('maxmemory-policy', 'noeviction');
    await set('appendonly', 'yes');
    await redis.kill();
    await expect.poll(() => server.isAway).toBe(true);
    await redis.start();
    await expect.poll(() => [...told.keys()]).toEqual([]);
  } finally {
    redisItself.disconnect();
  }
});
