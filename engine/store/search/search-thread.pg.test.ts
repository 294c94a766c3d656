import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { fillCatalogue } from '../../../bench/search/catalogue.ts';
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { KeptSearch } from '#engine/search/kept-search.ts';
import { writeMovie } from '#test/support/movie-writer.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { describeSearch } from '#test/support/search-contract.ts';
import type { PostgresAddress } from '../postgres/connect.ts';
import { SearchThread } from './search-thread.ts';
import type { SearchThreadOptions } from './search-thread.ts';

function keep(address: PostgresAddress, more: () => Partial<SearchThreadOptions> = () => ({})) {
  const lives: SearchThread[] = [];
  const health: string[] = [];
  const search = new KeptSearch({
    start: async () => {
      const life = await SearchThread.start({ address, log: silentLog, ...more() });
      lives.push(life);
      return life;
    },
    health: { set: ({ id }) => void health.push(`set ${id}`), clear: (id) => void health.push(`clear ${id}`) },
    clock: systemClock,
    log: silentLog,
  });
  return { search, lives, health, [Symbol.asyncDispose]: () => search[Symbol.asyncDispose]() };
}

const falling = new URL('../../../test/support/falling-search.worker.ts', import.meta.url);
const real = new URL('./search.worker.ts', import.meta.url);

describeSearch('Postgres, in a thread', async ({ address }) => {
  const { search } = keep(address);
  return {
    search,
    answeredBy: 'postgres',
    caughtUp: () => search.caughtUp(),
    [Symbol.asyncDispose]: () => search[Symbol.asyncDispose](),
  };
});

describe('the thread that searches', () => {
  it('[SEARCH2] a ranking finds what was committed before it was asked', async () => {
    await using database = await createTestDatabase();
    await using kept = keep(database.address);
    await kept.search.caughtUp();
    for (const title of ['Stalker', 'Solaris', 'Nostalghia']) {
      const id = await writeMovie(database.sql, { title });
      expect((await kept.search.rank(title, { limit: 5 })).ids).toEqual([id]);
    }
  });

  it('[SEARCH8] it was ended: what is asked meanwhile waits for the next, which has read everything', async () => {
    await using database = await createTestDatabase();
    const id = await writeMovie(database.sql, { title: 'Solaris' });
    await using kept = keep(database.address);
    await kept.search.caughtUp();
    await kept.lives[0]![Symbol.asyncDispose]();
    expect((await kept.search.rank('solaris', { limit: 5 })).ids).toEqual([id]);
    expect(kept.lives).toHaveLength(2);
    await expect.poll(() => kept.health.slice(-2)).toEqual(['set search', 'clear search']);
  });

  it('[SEARCH8] it throws: a question that ends it twice fails, and the next is answered', async () => {
    await using database = await createTestDatabase();
    const id = await writeMovie(database.sql, { title: 'Solaris' });
    await using kept = keep(database.address, () => ({ entry: falling }));
    await kept.search.caughtUp();
    await expect(kept.search.people('fall over', 5)).rejects.toThrow('the thread that searches ended');
    expect(kept.lives).toHaveLength(2);
    expect((await kept.search.rank('solaris', { limit: 5 })).ids).toEqual([id]);
    expect(kept.lives).toHaveLength(3);
  });

  it('[SEARCH8] a question that was under way is asked once more', async () => {
    await using database = await createTestDatabase();
    const entries = [falling];
    await using kept = keep(database.address, () => ({ entry: entries.shift() ?? real }));
    await kept.search.caughtUp();
    expect(await kept.search.people('fall over', 5)).toEqual([]);
    expect(kept.lives).toHaveLength(2);
  });

  it('[SEARCH8] one that hangs is ended all the same', async () => {
    await using database = await createTestDatabase();
    const kept = keep(database.address, () => ({ entry: falling, stopWithinMs: 50 }));
    await kept.search.caughtUp();
    const hung = expect(kept.search.people('hang', 5)).rejects.toThrow('search was closed');
    await kept.search[Symbol.asyncDispose]();
    await hung;
    expect(await kept.lives[0]!.ended).toBeTypeOf('number');
  });

  it('[SEARCH8] it leaves no connection behind', async () => {
    await using database = await createTestDatabase();
    const { sql } = database;
    const connections = async () =>
      Number(
        (
          await sql`select from pg_stat_activity where application_name = 'matinee search' and datname = ${database.name}`
        ).count,
      );
    await using kept = keep(database.address);
    await kept.search.caughtUp();
    expect(await connections()).toBeGreaterThan(1);
    expect(await connections()).toBeLessThanOrEqual(4);
    await kept.search[Symbol.asyncDispose]();
    await expect.poll(connections).toBe(0);
  });

  it('[SEARCH8] whatever it reads, the main thread hears that it is ready, that it has read, and what it asked', async () => {
    await using database = await createTestDatabase();
    await fillCatalogue(database.sql, { movies: 3_000, people: 6_000, creditsPerMovie: 4 });
    const emit = vi.spyOn(Worker.prototype, 'emit');
    await using kept = keep(database.address);
    await kept.search.caughtUp();
    const messages = emit.mock.calls.filter(([name]) => name === 'message').map(([, news]) => news as { kind: string });
    // Both the health and this test ask when it has caught up; whose answer comes first is not said.
    expect(['answer,log,ready', 'answer,answer,log,ready']).toContain(
      messages
        .map(({ kind }) => kind)
        .toSorted()
        .join(),
    );
  });

  it('[SEARCH8] the process that holds the sockets does not even load the index', async () => {
    const program = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      await import(${JSON.stringify(new URL('../../search-setup.ts', import.meta.url).href)});
      console.log(loaded.join('\\n'));
      process.exit();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(stdout).toContain('/store/search/search-thread.ts');
    expect(stdout).not.toMatch(/name-index|postgres-search|vocabulary/);
  });
});
