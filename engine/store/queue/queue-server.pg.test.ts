import { afterAll, beforeAll } from 'vitest';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { queueContract } from '#test/support/queue-contract.ts';

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
