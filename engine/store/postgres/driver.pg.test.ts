import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { connectPostgres } from './connect.ts';
import type { Sql, TransactionSql } from './connect.ts';

// Whatever escapes from the driver is an uncaught exception, and fails the run.

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
  await database.sql`create table note (text text)`;
});
afterAll(() => database.drop());
beforeEach(() => {
  sql = connectPostgres(database.address, { applicationName: 'victim', max: 1 });
});
afterEach(() => sql.end({ timeout: 5 }));

const pidOf = async (tx: TransactionSql | Sql): Promise<number> =>
  (await tx<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]!.pid;
/** Ends sessions of the server, and returns when they are gone. */
async function end(...pids: number[]): Promise<void> {
  await database.sql`select pg_terminate_backend(pid, 10000) from unnest(${pids}::int[]) pid`;
}

/** The code of the error that it ends in. */
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'succeeded',
    (error: unknown) => (error as { code?: string }).code,
  );
const LOST = expect.stringMatching(/^(?:CONNECTION_CLOSED|CONNECTION_DESTROYED|57P01|ECONNRESET|EPIPE)$/);

describe('a connection that is lost', () => {
  it('[LOST1] in the middle of a statement of a transaction costs that transaction and nothing else', async () => {
    const pid = Promise.withResolvers<number>();
    const running = codeOf(
      sql.begin(async (tx) => {
        pid.resolve(await pidOf(tx));
        await tx`select pg_sleep(30)`;
      }),
    );
    await end(await pid.promise);
    expect(await running).toEqual(LOST);
    await nextTurn();
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it('[LOST2] under a transaction at rest fails its next statement, and none of it runs anywhere else', async () => {
    const hasReconnected = Promise.withResolvers<void>();
    const pid = Promise.withResolvers<number>();
    let statement: unknown;
    const dead = codeOf(
      sql.begin(async (tx) => {
        pid.resolve(await pidOf(tx));
        await hasReconnected.promise;
        statement = await codeOf(tx`insert into note values ('of the dead')`);
        await tx`insert into note values ('of the dead, too')`;
      }),
    );
    await end(await pid.promise);
    // The pool has one connection: this one gets it, as soon as it stands again.
    const living = sql.begin(async (tx) => {
      hasReconnected.resolve();
      await dead;
      await tx`insert into note values ('of the living')`;
    });
    expect(await dead).toEqual(LOST);
    await living;
    await expect.poll(() => statement).toEqual(LOST);
    expect(await sql`select text from note`).toEqual([{ text: 'of the living' }]);
  });

  it('[LOST3] leaves nothing behind for the statement that comes next', async () => {
    const pid = await pidOf(sql);
    const running = codeOf(sql`select pg_sleep(30)`);
    await end(pid);
    expect(await running).toEqual(LOST);
    expect(await codeOf(sql`select 1`)).toBe('succeeded');
    expect(await codeOf(sql`select ${'text'}::text`)).toBe('succeeded');
  });

  it('[LOST4] together with all others comes back together with all others', async () => {
    const many = connectPostgres(database.address, { applicationName: 'victims', max: 8 });
    const pids: number[] = [];
    const all = Promise.withResolvers<void>();
    const running = Array.from({ length: 8 }, () =>
      codeOf(
        many.begin(async (tx) => {
          if (pids.push(await pidOf(tx)) === 8) all.resolve();
          await tx`select pg_sleep(30)`;
        }),
        // As callers do: what failed is tried again at once, while the other connections fall.
      ).then(async (code) => [code, await codeOf(many`select 1`)]),
    );
    await all.promise;
    await end(...pids);
    for (const [code] of await Promise.all(running)) expect(code).toEqual(LOST);
    const used = new Set(
      await Promise.all(
        Array.from({ length: 8 }, () =>
          many.begin(async (tx) => {
            await tx`select pg_sleep(0.3)`;
            return await pidOf(tx);
          }),
        ),
      ),
    );
    expect(used.size).toBe(8);
    await many.end({ timeout: 5 });
  });

  it('[LOST5] is no reason for the end of the pool to wait', async () => {
    const other = connectPostgres(database.address, { applicationName: 'ended', max: 1 });
    const pid = await pidOf(other);
    const running = codeOf(other`select pg_sleep(30)`);
    await end(pid);
    expect(await running).toEqual(LOST);
    await other.end();
  });
});
