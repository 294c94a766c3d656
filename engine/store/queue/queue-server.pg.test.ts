import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import type { QueueItem } from '#engine/jobs/ports.ts';
import { Cable } from '#test/support/cable.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { queueContract } from '#test/support/queue-contract.ts';
import { openQueueServer } from './queue-server.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

queueContract({
  name: 'Postgres',
  target: () => {
    const { host, port } = database.address;
    return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  },
  address: (port) => ({
    redisUrl: null,
    postgres: port === null ? database.address : { ...database.address, host: '127.0.0.1', port },
  }),
});

it('a user who may not create a schema is told what to run', async () => {
  // Somebody else’s: this user may look, and make nothing.
  const address = { ...database.address, database: 'postgres' };
  await expect(openQueueServer({ redisUrl: null, postgres: address, log: silentLog })).rejects.toThrow(
    `grant create on database postgres to ${address.user};`,
  );
});

it('[WORK8] a queue that is first asked for while the server is away works when it is back', async () => {
  const { address } = database;
  const { host, port } = address;
  await using cable = await Cable.to(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
  const postgres = { ...address, host: '127.0.0.1', port: cable.port };
  await using queue = await openQueueServer({ redisUrl: null, postgres, log: silentLog });
  await cable.cut();
  const done: unknown[] = [];
  queue.work('image', 1, async ({ content }) => {
    done.push(content);
    return { kind: 'done' };
  });
  const item: QueueItem = { content: { payload: 'a poster' }, urgency: 'click', key: null, delayMs: 0 };
  await expect(queue.add('image', [item])).rejects.toThrow('Postgres cannot be reached');
  await cable.mend();
  await expect.poll(() => queue.add('image', [item]).then(() => 'added', String)).toBe('added');
  await expect.poll(() => done).toEqual([{ payload: 'a poster' }]);
});
