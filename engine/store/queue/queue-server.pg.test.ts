import { afterAll, beforeAll } from 'vitest';
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

queueContract('Postgres', (options) =>
  openQueueServer({ redisUrl: null, postgres: database.address, log: silentLog, ...options }),
);
