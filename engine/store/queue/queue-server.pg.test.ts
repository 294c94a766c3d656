import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
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
