import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import type { Catalogue } from '#engine/catalogue/catalogue.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import { openChangeLog } from '#engine/store/postgres/change-feed.ts';
import { createNameCards } from '#engine/store/search/name-cards.ts';
import { PostgresSearch } from '#engine/store/search/postgres-search.ts';
import type { search as searchCalls } from '#protocol/index.ts';
import type { Handlers } from '#protocol/handler.ts';
import { openBrowsing } from '#test/support/browsing.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { changeMovie, writeMovie } from '#test/support/movie-writer.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createSearchHandlers } from './handlers.ts';

describe('the calls of search', () => {
  let database: TestDatabase;
  let engine: PostgresSearch;
  let browsing: Catalogue;
  let handlers: Handlers<typeof searchCalls>;
  const ordered: string[] = [];
  const viewer = testViewer('01890000-0000-7000-8000-000000000001');
  let secretId: string;

  beforeAll(async () => {
    database = await createTestDatabase({ max: 6 });
    const { sql } = database;
    await sql`insert into app_user (id, name, role, password_hash) values (${viewer.id}, 'Ada', 'user', '')`;
    const stores = createCatalogue(sql, { newId: () => crypto.randomUUID() });
    const changes = await openChangeLog(sql, () => undefined);
    engine = new PostgresSearch({ sql, changes, log: silentLog });
    browsing = await openBrowsing(sql, stores.movies);
    handlers = createSearchHandlers({
      engine,
      browse: browsing.index,
      tiles: stores.movies,
      names: createNameCards(sql),
      queue: {
        order: async (orders) => void ordered.push(...orders.map(({ kind, key }) => `${kind} ${key ?? ''}`)),
      },
    });
    await writeMovie(sql, {
      title: 'Alien',
      year: 1979,
      votes: 9,
      cast: ['Sigourney Weaver'],
      genres: ['Horror'],
      series: 'Alien Collection',
    });
    await writeMovie(sql, {
      title: 'Aliens',
      year: 1986,
      votes: 5,
      cast: ['Sigourney Weaver'],
      genres: ['Action'],
      series: 'Alien Collection',
    });
    secretId = await writeMovie(sql, {
      title: 'Alien Secret',
      cast: ['Only Hidden'],
      isHidden: true,
      series: 'Secret Series',
    });
    await engine.caughtUp();
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await browsing[Symbol.asyncDispose]();
    await database.drop();
  });

  const find = (input: Partial<Parameters<typeof handlers.find>[0]> & { query: string }) =>
    handlers.find({ offset: 0, limit: 50, ...input }, testContext({ viewer }));
  const suggest = async (query: string, limit = 8) => {
    const { suggestions } = await handlers.suggest({ query, limit }, testContext({ viewer }));
    return suggestions.map(({ kind, text }) => `${kind} ${text}`);
  };

  it('find: movies best first, people and collections of that name, and what the answers can be narrowed to', async () => {
    const found = await find({ query: 'alien' });
    expect(found.total).toBe(2);
    expect(found.movies.map(({ title }) => title)).toEqual(['Alien', 'Aliens']);
    expect(found.collections).toEqual([
      expect.objectContaining({
        name: 'Alien Collection',
        movieCount: 2,
        partCount: 2,
        watchedCount: 0,
        kind: 'series',
      }),
    ]);
    expect(found.answeredBy).toBe('postgres');
    const genres = found.facets.find(({ name }) => name === 'genreIds')!.values;
    expect(genres.map(({ label, count }) => `${label ?? ''} ${count}`).toSorted()).toEqual(['Action 1', 'Horror 1']);
    const narrowed = await find({ query: 'alien', genreIds: [Number(genres[0]!.value)] });
    expect(narrowed.total).toBe(1);
    expect((await find({ query: 'sigourney' })).people.map(({ name }) => name)).toEqual(['Sigourney Weaver']);
    expect((await find({ query: 'sigourney' })).total).toBe(2);
  });

  it('find: a later window brings movies only', async () => {
    const second = await find({ query: 'alien', offset: 1, limit: 1 });
    expect(second).toMatchObject({ total: 2, people: [], collections: [] });
    expect(second.movies.map(({ title }) => title)).toEqual(['Aliens']);
  });

  it('[SEARCH4] what was put away, and whoever is only in it, is in no answer; who edits may ask for it', async () => {
    expect(await suggest('alien')).toEqual(['movie Alien', 'collection Alien Collection', 'movie Aliens']);
    expect(await suggest('only hidden')).toEqual([]);
    expect(await suggest('secret series')).toEqual([]);
    expect((await find({ query: 'only hidden' })).people).toEqual([]);
    expect((await find({ query: 'secret' })).collections).toEqual([]);
    await expect(find({ query: 'alien', isHidden: true })).rejects.toMatchObject({ code: 'forbidden' });
    const admin = testContext({ viewer: testViewer(viewer.id, 'admin') });
    const away = await handlers.find({ query: 'alien', offset: 0, limit: 5, isHidden: true }, admin);
    expect(away.movies.map(({ id }) => id)).toEqual([secretId]);
  });

  it('[SEARCH4] a movie that is put away while the index does not know yet is not suggested', async () => {
    const { sql } = database;
    const id = await writeMovie(sql, { title: 'Zardoz' });
    await engine.caughtUp();
    expect(await suggest('zard')).toEqual(['movie Zardoz']);
    await sql`update movie set hidden_at = now() where id = ${id}`;
    expect(await suggest('zard')).toEqual([]);
    await changeMovie(sql, id, { isHidden: false });
    await engine.caughtUp();
    expect(await suggest('zard')).toEqual(['movie Zardoz']);
  });

  it('reindex is ordered once, however often it is asked for', async () => {
    const context = testContext({ viewer: testViewer(viewer.id, 'admin') });
    expect(await handlers.reindex({}, context)).toEqual({ jobId: null });
    expect(ordered).toEqual(['reindex reindex']);
    await engine.reindex();
    expect(await suggest('aliens')).toEqual(['movie Aliens']);
  });
});
