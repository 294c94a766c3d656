import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { createLog, silentLog } from '#engine/base/log.ts';
import { createBrowseStore } from '#engine/store/postgres/browse-store.ts';
import { openChangeLog, recordChanges } from '#engine/store/postgres/change-feed.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { BrowseIndex } from './browse-index.ts';
import type { BrowseQuery } from './browse-index.ts';
import type { BrowseStore, ChangeLog } from './ports.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let user: string;

beforeAll(async () => {
  database = await createTestDatabase({ max: 8 });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate library, movie, app_user, change restart identity cascade`;
  user = newId();
  await database.sql`insert into app_user (id, name, role, password_hash) values (${user}, 'ada', 'user', '')`;
});

const change = (entityId: string) => ({ feed: 'library', audience: null, kind: 'movie', entityId });

async function addMovie(title: string, year: number | null = null): Promise<string> {
  const id = newId();
  await database.sql.begin(async (tx) => {
    await tx`insert into movie (id, title, year, is_playable) values (${id}, ${title}, ${year}, true)`;
    await recordChanges(tx, [change(id)]);
  });
  return id;
}

async function watch(movieId: string, isWatched: boolean): Promise<void> {
  await database.sql.begin(async (tx) => {
    await tx`
      insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, observed_at)
      values (${user}, ${movieId}, 0, 1, ${isWatched}, now())
      on conflict (user_id, movie_id) do update set is_watched = excluded.is_watched, updated_at = now()`;
    await recordChanges(tx, [{ feed: 'progress', audience: user, kind: 'progress', entityId: movieId }]);
  });
}

interface Parts {
  readonly store?: Partial<BrowseStore>;
  readonly changes?: Partial<ChangeLog>;
  readonly nowMs?: () => number;
  readonly log?: typeof silentLog;
}

async function open({ store, changes, nowMs = systemClock.nowMs, log = silentLog }: Parts = {}): Promise<BrowseIndex> {
  const index = new BrowseIndex({
    store: { ...createBrowseStore(database.sql), ...store },
    changes: { ...(await openChangeLog(database.sql, () => undefined)), ...changes },
    ranking: { rank: () => Promise.reject(new Error('nobody searches here')) },
    clock: { nowMs, sleep: () => Promise.resolve() },
    log,
  });
  await index.start();
  return index;
}

const ALL: BrowseQuery = { filter: {}, search: null, sort: 'title', order: null, seed: 0, offset: 0, limit: 1_000 };
const idsOf = async (index: BrowseIndex, query: Partial<BrowseQuery> = {}) =>
  (await index.list(user, { ...ALL, ...query })).movieIds;

describe('the browse index', () => {
  it('[INDEX1] knows what was committed before the question, whoever wrote it', async () => {
    const alien = await addMovie('Alien', 1979);
    await using index = await open();
    expect(await idsOf(index)).toEqual([alien]);
    for (let year = 1990; year < 2010; year++) {
      const id = await addMovie(`Zardoz ${year}`, year);
      expect(await idsOf(index, { filter: { yearFrom: year } })).toEqual([id]);
    }
    await database.sql.begin(async (tx) => {
      await tx`update movie set deleted_at = now() where id = ${alien}`;
      await recordChanges(tx, [change(alien)]);
    });
    expect(await idsOf(index)).not.toContain(alien);
    expect(await index.count()).toBe(20);
    // What was rolled back was never there.
    await expect(
      database.sql.begin(async (tx) => {
        await tx`update movie set deleted_at = now()`;
        await recordChanges(tx, [change(alien)]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await index.count()).toBe(20);
  });

  it('[INDEX1] also where no notification comes', async () => {
    await using index = await open({ changes: { onChange: () => Promise.resolve(() => Promise.resolve()) } });
    const alien = await addMovie('Alien');
    expect(await idsOf(index)).toEqual([alien]);
  });

  it('[INDEX1] [INDEX2] answers what is there, while it is written by several at once', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, (_, place) => addMovie(`Movie ${place}`, 1950 + place)));
    await using index = await open();
    const writers = [0, 1, 2].map(async (writer) => {
      for (let round = 0; round < 25; round++) {
        const some = ids.filter((_, place) => (place * 7 + round * 3 + writer) % 5 === 0).toSorted();
        await database.sql.begin(async (tx) => {
          await tx`
            update movie set year = ${1950 + ((round * 13 + writer) % 70)}, title = ${`Movie ${round} ${writer}`},
              deleted_at = case when ${round % 4 === 0} and id = ${some[0]!} then now() end
            where id in (select id from movie where id = any(${some}::uuid[]) order by id for update)`;
          await recordChanges(tx, some.map(change));
        });
      }
    });
    const isOver = { value: false };
    const asking = (async () => {
      while (!isOver.value) {
        const windows: string[] = [];
        const { total } = await index.list(user, { ...ALL, limit: 1 });
        for (let offset = 0; offset < 40; offset += 40) windows.push(...(await idsOf(index, { sort: 'year', offset })));
        expect(new Set(windows).size).toBe(windows.length);
        expect(total).toBeLessThanOrEqual(40);
      }
    })();
    await Promise.all(writers);
    isOver.value = true;
    await asking;
    const rows = await database.sql<{ id: string }[]>`
      select id from movie where deleted_at is null order by year desc nulls last, sort_title, id`;
    expect(await idsOf(index, { sort: 'year' })).toEqual(rows.map(({ id }) => id));
  });

  it('[INDEX5] reads everything again where the change feed no longer reaches back', async () => {
    const [alien, brazil] = [await addMovie('Alien'), await addMovie('Brazil')];
    let nowMs = 1_000;
    let isAway = false;
    const log = await openChangeLog(database.sql, () => undefined);
    await using index = await open({
      nowMs: () => nowMs,
      changes: {
        // Nothing is heard, as while a connection is down.
        onChange: () => Promise.resolve(() => Promise.resolve()),
        changesAfter: (seq, limit) => (isAway ? Promise.reject(new Error('away')) : log.changesAfter(seq, limit)),
      },
    });
    await watch(alien, true);
    expect(await idsOf(index, { filter: { isWatched: true } })).toEqual([alien]);
    isAway = true;
    await database.sql`delete from movie where id = ${brazil}`;
    const casablanca = await addMovie('Casablanca');
    await watch(casablanca, true);
    await addMovie('Dune');
    await database.sql`delete from change where seq < (select max(seq) from change)`;
    nowMs += 5 * 24 * 3_600_000;
    isAway = false;
    expect(await index.count()).toBe(3);
    expect(await idsOf(index, { filter: { isWatched: true } })).toEqual([alien, casablanca]);
  });

  it('[INDEX5] [INDEX6] questions wait for the first reading, also where it fails at first', async () => {
    const alien = await addMovie('Alien');
    const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
    const warned: string[] = [];
    let attempts = 0;
    const store = createBrowseStore(database.sql);
    await using index = await open({
      log: createLog({ level: 'warn', format: 'json', write: (line) => void warned.push(line) }),
      store: {
        async rowsAfter(movieId, limit) {
          if (++attempts === 1) throw new Error('the database is not there yet');
          await gate;
          return store.rowsAfter(movieId, limit);
        },
      },
    });
    const answers = Promise.all([idsOf(index), index.count(), index.facets(user, ALL)]);
    const brazil = await addMovie('Brazil');
    openGate();
    expect(await answers).toMatchObject([[alien, brazil], 2, { total: 2 }]);
    expect(warned.join('')).toContain('could not be brought up to date');
  });

  it('[INDEX8] what a person watched is theirs, and follows', async () => {
    const [alien, brazil] = [await addMovie('Alien'), await addMovie('Brazil')];
    await watch(alien, true);
    await using index = await open();
    expect(await idsOf(index, { filter: { isWatched: true } })).toEqual([alien]);
    expect(await idsOf(index, { filter: { isWatched: false } })).toEqual([brazil]);
    await watch(brazil, true);
    expect(await idsOf(index, { sort: 'lastWatched' })).toEqual([brazil, alien]);
    await watch(alien, false);
    expect(await idsOf(index, { filter: { isWatched: true } })).toEqual([brazil]);
    expect(await idsOf(index, { sort: 'lastWatched' })).toEqual([alien, brazil]);
    const other = newId();
    expect((await index.list(other, { ...ALL, filter: { isWatched: true } })).total).toBe(0);
    // A movie that comes back is as watched as it was.
    for (const at of ['now()', 'null']) {
      await database.sql.begin(async (tx) => {
        await tx.unsafe(`update movie set deleted_at = ${at} where id = '${brazil}'`);
        await recordChanges(tx, [change(brazil)]);
      });
      await index.count();
    }
    expect(await idsOf(index, { filter: { isWatched: true } })).toEqual([brazil]);
  });

  it('ends with questions open, and leaves none waiting', async () => {
    await addMovie('Alien');
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: gate, resolve: openGate } = Promise.withResolvers<never[]>();
    const rowsAfter = () => {
      reach();
      return gate;
    };
    const index = await open({ store: { rowsAfter } });
    const waiting = expect(index.count()).rejects.toThrow('closing');
    await reached;
    const closed = index[Symbol.asyncDispose]();
    await waiting;
    openGate([]);
    await closed;
    await expect(index.count()).rejects.toThrow('closing');
  });
});
