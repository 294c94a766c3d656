import { describe, expect, it } from 'vitest';
import { createLog } from '#engine/base/log.ts';
import { changeMovie, writeMovie } from '#test/support/movie-writer.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { describeSearch } from '#test/support/search-contract.ts';
import { openChangeLog } from '../postgres/change-feed.ts';
import type { Sql } from '../postgres/connect.ts';
import { PostgresSearch } from './postgres-search.ts';

const log = createLog({ level: 'silent' });

async function openSearch(sql: Sql): Promise<PostgresSearch> {
  const changes = await openChangeLog(sql, () => undefined);
  return new PostgresSearch({ sql, changes, log });
}

describeSearch('Postgres', async ({ sql }) => {
  const search = await openSearch(sql);
  return {
    search,
    answeredBy: 'postgres',
    caughtUp: () => search.caughtUp(),
    [Symbol.asyncDispose]: () => search[Symbol.asyncDispose](),
  };
});

describe('PostgresSearch', () => {
  it('a search that comes before everything was read waits for it', async () => {
    await using database = await createTestDatabase();
    const id = await writeMovie(database.sql, { title: 'Solaris' });
    await using search = await openSearch(database.sql);
    expect((await search.rank('solaris', { limit: 5 })).ids).toEqual([id]);
  });

  it('reads on after the database refused once', async () => {
    await using database = await createTestDatabase();
    const { sql } = database;
    const changes = await openChangeLog(sql, () => undefined);
    let refusals = 0;
    await using search = new PostgresSearch({
      sql,
      log,
      changes: {
        latestSeq: () => changes.latestSeq(),
        onChange: (listener) => changes.onChange(listener),
        changesAfter: async (seq, limit) => {
          const found = await changes.changesAfter(seq, limit);
          if (found.length > 0 && refusals++ === 0) throw new Error('refused once');
          return found;
        },
      },
    });
    await search.caughtUp();
    const id = await writeMovie(sql, { title: 'Stalker' });
    await search.caughtUp();
    expect((await search.rank('stalker', { limit: 5 })).ids).toEqual([id]);
    expect(refusals).toBeGreaterThan(0);
  });

  it('people of a movie that got its credits later are found, and one without credits is no more', async () => {
    await using database = await createTestDatabase();
    const { sql } = database;
    await using search = await openSearch(sql);
    const id = await writeMovie(sql, { title: 'Persona', cast: ['Bibi Andersson'] });
    await search.caughtUp();
    expect(await search.people('bibi', 5)).toHaveLength(1);
    expect((await search.rank('bibi andersson', { limit: 5 })).ids).toEqual([id]);
    await sql`delete from credit`;
    await changeMovie(sql, id, { title: 'Persona!' });
    await search.caughtUp();
    expect((await search.rank('bibi andersson', { limit: 5 })).ids).toEqual([]);
  });
});
