import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { checkServer, connectPostgres } from './connect.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

describe('a connection', () => {
  it('reads bigint as a number, and refuses one that a number cannot hold', async () => {
    const { sql } = database;
    expect(await sql`select ${5_000_000_000}::bigint as size, ${null}::bigint as none`).toEqual([
      { size: 5_000_000_000, none: null },
    ]);
    await expect(sql`select '9007199254740993'::bigint as size`).rejects.toThrow(/9007199254740993 does not fit/);
    expect(await sql`select 1 as still`).toEqual([{ still: 1 }]);
  });

  it('leaves the names of columns alone', async () => {
    expect(await database.sql`select 1 as size_bytes, 2 as "sizeBytes"`).toEqual([{ size_bytes: 1, sizeBytes: 2 }]);
  });

  it('ends a statement that runs too long', async () => {
    const sql = connectPostgres(database.address, { applicationName: 'slow', max: 1, statementTimeoutMs: 50 });
    await expect(sql`select pg_sleep(30)`).rejects.toMatchObject({ code: '57014' });
    expect(await sql`show application_name`).toEqual([{ application_name: 'slow' }]);
    await sql.end();
  });

  it('hands notices on', async () => {
    const notices: string[] = [];
    const sql = connectPostgres(database.address, {
      applicationName: 'x',
      max: 1,
      onNotice: (text) => notices.push(text),
    });
    await sql`do $$ begin raise warning 'mind the gap'; end $$`;
    expect(notices).toEqual(['WARNING: mind the gap']);
    await sql.end();
  });
});

describe('checking a server', () => {
  it('creates the extensions, with a role that is no superuser', async () => {
    await checkServer(database.sql);
    await checkServer(database.sql);
    const found =
      await database.sql`select extname from pg_extension where extname in ('pg_trgm', 'unaccent') order by 1`;
    expect(found).toHaveLength(2);
  });

  it('trigrams know letters outside ASCII', async () => {
    const [row] = await database.sql`select similarity('ЁЛКА', 'ёлка') as same, lower('É') as lower`;
    expect(row).toEqual({ same: 1, lower: 'é' });
  });

  it('refuses a database in which it may not create tables', async () => {
    const { sql, address } = database;
    const closed = connectPostgres(address, { applicationName: 'closed', max: 1 });
    await sql.unsafe(`create schema closed; revoke create on schema closed from current_user`);
    await closed`set search_path = closed`;
    await expect(checkServer(closed)).rejects.toThrow(/may not create tables in database/);
    await closed.end();
  });
});
