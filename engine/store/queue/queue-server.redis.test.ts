import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
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
