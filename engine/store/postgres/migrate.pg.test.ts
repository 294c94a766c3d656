import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { connectPostgres } from './connect.ts';
import { migrate } from './migrate.ts';

const base = mkdtempSync(join(tmpdir(), 'matinee-migrations-'));
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(async () => {
  await database.drop();
  rmSync(base, { recursive: true });
});

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(base, 'f'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A schema of its own, so that the tests of this file do not meet. */
async function inSchema(name: string): Promise<ReturnType<typeof connectPostgres>> {
  await database.sql.unsafe(`create schema ${name}`);
  const sql = connectPostgres(database.address, { applicationName: name, max: 3 });
  await database.sql.unsafe(
    `alter role ${database.address.user} in database ${database.name} set search_path = ${name}`,
  );
  return sql;
}

describe('migrating', () => {
  it('runs each file once, also when two servers start at once', async () => {
    const folder = folderWith({
      '0001_a.sql': 'create table a (n int); select pg_sleep(0.05);',
      '0002_b.sql': 'alter table a add column m int;',
    });
    const one = await inSchema('together');
    const two = connectPostgres(database.address, { applicationName: 'two', max: 1 });
    const ran = await Promise.all([migrate(one, folder), migrate(two, folder)]);
    expect(ran.flat()).toEqual(['0001_a.sql', '0002_b.sql']);
    expect(await migrate(one, folder)).toEqual([]);
    await Promise.all([one.end(), two.end()]);
  });

  it('leaves nothing of a file that fails, and goes on when it is put right', async () => {
    const sql = await inSchema('failing');
    const bad = folderWith({
      '0001_a.sql': 'create table a (n int);',
      '0002_b.sql': 'create table b (n int); select 1/0;',
    });
    await expect(migrate(sql, bad)).rejects.toThrow('Migration 0002_b.sql failed: division by zero');
    expect(await sql`select to_regclass('b') as b`).toEqual([{ b: null }]);
    const good = folderWith({ '0001_a.sql': 'create table a (n int);', '0002_b.sql': 'create table b (n int);' });
    const told: string[] = [];
    expect(await migrate(sql, good, (name) => told.push(name))).toEqual(['0002_b.sql']);
    expect(told).toEqual(['0002_b.sql']);
    await sql.end();
  });

  it('runs a file outside a transaction where it says so', async () => {
    const sql = await inSchema('outside');
    const folder = folderWith({
      '0001_a.sql': 'create table a (n int);',
      '0002_b.sql': '-- no-transaction\ncreate index concurrently if not exists a_by_n on a (n)',
    });
    expect(await migrate(sql, folder)).toHaveLength(2);
    expect(await sql`select to_regclass('a_by_n') is not null as "isThere"`).toEqual([{ isThere: true }]);
    await sql.end();
  });

  it('gives the connection back as it was', async () => {
    const sql = await inSchema('clean');
    const timeout = () => sql`show statement_timeout`;
    const single = connectPostgres(database.address, { applicationName: 'single', max: 1, statementTimeoutMs: 1_234 });
    await migrate(single, folderWith({ '0001_a.sql': 'select 1' }));
    expect(await single`show statement_timeout`).toEqual([{ statement_timeout: '1234ms' }]);
    expect(await timeout()).toEqual([{ statement_timeout: '30s' }]);
    await Promise.all([sql.end(), single.end()]);
  });
});
