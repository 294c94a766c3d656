import { describe, expect, it } from 'vitest';
import { connectPostgres, parseDatabaseUrl } from '#engine/store/postgres/connect.ts';
import { createTestDatabase } from './postgres.ts';

describe('test databases', () => {
  it('are migrated, separate from each other, and gone after drop', async () => {
    const first = await createTestDatabase();
    await using second = await createTestDatabase();
    await first.sql`create table mine (n int)`;
    const [here] =
      await second.sql`select to_regclass('mine') as found, (select count(*)::int from schema_migration) as applied`;
    expect(here).toMatchObject({ found: null });
    expect(here!['applied']).toBeGreaterThan(0);
    await first.drop();
    expect(await second.sql`select from pg_database where datname = ${first.name}`).toHaveLength(0);
  });

  it('are reached by their URL too', async () => {
    await using database = await createTestDatabase({ isEmpty: true });
    const sql = connectPostgres(parseDatabaseUrl(database.url), { applicationName: 'by url', max: 1 });
    expect(await sql`select current_database()::text as name`).toEqual([{ name: database.name }]);
    await sql.end();
  });

  it('belong to a role that is no superuser, as in production', async () => {
    await using database = await createTestDatabase({ isEmpty: true });
    const [role] = await database.sql`select rolsuper as super from pg_roles where rolname = current_user`;
    expect(role).toEqual({ super: false });
  });
});
