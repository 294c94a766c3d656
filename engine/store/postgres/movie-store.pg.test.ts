import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import type { Catalogue as Browsing } from '#engine/catalogue/catalogue.ts';
import type { FileWrite } from '#engine/library/ports.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import type { InputOf } from '#protocol/contract.ts';
import { movies as movieCalls } from '#protocol/index.ts';
import { MOVIE_SORTS, SORT_ORDERS } from '#protocol/schema/movie-sort.ts';
import { openBrowsing } from '#test/support/browsing.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { parse } from 'valibot';
import { createCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { recordChanges } from './change-feed.ts';
import { Remembered } from './remembered.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let catalogue: Catalogue;
let browsing: Browsing;
let libraryId: string;
let otherId: string;
let ada: string;
let bob: string;

beforeAll(async () => {
  database = await createTestDatabase();
  catalogue = createCatalogue(database.sql, { newId });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate library, movie, app_user, change restart identity cascade`;
  catalogue.forgetCounts();
  libraryId = (await catalogue.libraries.add({ id: newId(), name: 'Movies', path: '/movies' }))!.id;
  otherId = (await catalogue.libraries.add({ id: newId(), name: 'More', path: '/more' }))!.id;
  [ada, bob] = [await addUser(), await addUser()];
  browsing = await openBrowsing(database.sql, catalogue.movies);
});
afterEach(() => browsing[Symbol.asyncDispose]());

async function addUser(): Promise<string> {
  const id = newId();
  await database.sql`insert into app_user (id, name, role, password_hash) values (${id}, ${id}, 'user', '')`;
  return id;
}

/** Adds movies by their file names, one transaction each, so that each is younger than the one before. */
async function add(
  ...paths: (string | { path: string; durationMs?: number; resolution?: number; library?: string })[]
): Promise<void> {
  for (const one of paths) {
    const {
      path,
      durationMs = 6_000_000,
      resolution = 1080,
      library = libraryId,
    } = typeof one === 'string' ? { path: one } : one;
    const write: FileWrite = {
      kind: 'probed',
      fileId: null,
      file: { path, sizeBytes: 1, mtimeUs: 1, inode: '1' },
      name: movieNameOf(path),
      contentHash: null,
      outcome: {
        media: mediaInfo({ durationMs, video: [videoTrack({ height: resolution })] }),
        resolution,
        keyframes: null,
      },
    };
    await catalogue.scans.write(library, [write]);
  }
}

type Query = InputOf<typeof movieCalls.list>;
const context = (user: string) => testContext({ viewer: testViewer(user) });
const list = async (parts: Query = {}, user = ada) =>
  browsing.handlers.movies.list(parse(movieCalls.list.input, parts), context(user));
const home = async (limit = 20) => browsing.handlers.movies.home({ limit }, context(ada));
const get = async (movieId: string) => browsing.handlers.movies.get({ movieId }, context(ada));
const titles = async (parts: Query = {}) => (await list(parts)).movies.map(({ title }) => title);
const idOf = async (title: string) => (await list()).movies.find((movie) => movie.title === title)!.id;

async function watch(
  user: string,
  title: string,
  share: number,
  options: { isWatched?: boolean; ageDays?: number } = {},
): Promise<void> {
  const { isWatched = false, ageDays = 0 } = options;
  const movieId = await idOf(title);
  await database.sql.begin(async (tx) => {
    await tx`
      insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, observed_at, updated_at)
      values (${user}, ${movieId}, ${Math.round(share * 6_000_000)}, 6000000, ${isWatched}, now() - ${ageDays} * interval '1 day',
        now() - ${ageDays} * interval '1 day')`;
    await recordChanges(tx, [{ feed: 'progress', audience: user, kind: 'progress', entityId: movieId }]);
  });
}

describe('order and windows', () => {
  beforeEach(() =>
    add(
      { path: 'The Matrix (1999).mkv', durationMs: 3, resolution: 720 },
      { path: 'alien (1979).mkv', durationMs: 2, resolution: 2160 },
      { path: 'Élan (2001).mkv', durationMs: 1, resolution: 1080 },
      { path: 'Zardoz.mkv', durationMs: 4, resolution: 480 },
      { path: '8½ (1963).mkv', durationMs: 5, resolution: 1080 },
    ),
  );

  it.each<[Query['sort'], Query['order'] | null, string[]]>([
    ['title', null, ['8½', 'alien', 'Élan', 'The Matrix', 'Zardoz']],
    ['title', 'descending', ['Zardoz', 'The Matrix', 'Élan', 'alien', '8½']],
    ['year', null, ['Élan', 'The Matrix', 'alien', '8½', 'Zardoz']],
    ['year', 'ascending', ['8½', 'alien', 'The Matrix', 'Élan', 'Zardoz']],
    ['added', null, ['8½', 'Zardoz', 'Élan', 'alien', 'The Matrix']],
    ['added', 'ascending', ['The Matrix', 'alien', 'Élan', 'Zardoz', '8½']],
    ['duration', null, ['8½', 'Zardoz', 'The Matrix', 'alien', 'Élan']],
    ['duration', 'ascending', ['Élan', 'alien', 'The Matrix', 'Zardoz', '8½']],
    ['resolution', null, ['alien', '8½', 'Élan', 'The Matrix', 'Zardoz']],
    ['resolution', 'ascending', ['Zardoz', 'The Matrix', '8½', 'Élan', 'alien']],
  ])('[CAT5] by %s, %s', async (sort, order, expected) => {
    expect(await titles({ sort, ...(order && { order }) })).toEqual(expected);
  });

  it.each(MOVIE_SORTS.flatMap((sort) => SORT_ORDERS.map((order) => [sort, order] as const)))(
    '[CAT3] windows by %s, %s neither overlap nor leave gaps, also between equals',
    async (sort, order) => {
      await add(...Array.from({ length: 9 }, (_, index) => `folder ${index}/Same.mkv`));
      await database.sql.begin(async (tx) => {
        const same = await tx<{ id: string }[]>`
          update movie set added_at = '2026-01-01', duration_ms = null where title = 'Same' returning id`;
        const change = { feed: 'library', audience: null, kind: 'movie' };
        await recordChanges(
          tx,
          same.map(({ id }) => ({ ...change, entityId: id })),
        );
      });
      const whole = (await list({ sort, order })).movies.map(({ id }) => id);
      const windows: string[] = [];
      for (let offset = 0; offset < 14; offset += 3) {
        windows.push(...(await list({ sort, order, offset, limit: 3 })).movies.map(({ id }) => id));
      }
      expect(windows).toEqual(whole);
      expect(new Set(windows).size).toBe(14);
    },
  );

  it('[CAT4] total is the size of the whole, wherever the window is', async () => {
    expect(await list({ limit: 2 })).toMatchObject({ total: 5 });
    expect(await list({ offset: 100 })).toEqual({ total: 5, movies: [] });
    await add('New (2020).mkv');
    expect((await list({ limit: 1 })).total).toBe(6);
    expect(await browsing.shown.count()).toBe(6);
  });

  it('[CAT8] a movie without a file is nowhere', async () => {
    const id = await idOf('alien');
    const files = await catalogue.scans.filesAt(libraryId, ['alien (1979).mkv']);
    await watch(ada, 'alien', 0.5);
    await catalogue.scans.markMissing(
      libraryId,
      [...files.values()].map((file) => file.id),
    );
    expect(await titles()).not.toContain('alien');
    expect((await list()).total).toBe(4);
    expect(await titles({ search: 'alien' })).toEqual([]);
    expect(await catalogue.movies.movie(id, { withPaths: true, withHidden: true })).toBeNull();
    expect((await catalogue.movies.cards([id])).size).toBe(0);
    const shown = await home();
    expect([...shown.continueWatching, ...shown.recentlyAdded].map(({ title }) => title)).not.toContain('alien');
    expect(shown.movieCount).toBe(4);
  });
});

describe('filters', () => {
  beforeEach(async () => {
    await add('Alien (1979).mkv', 'Brazil (1985).mkv', 'Casablanca (1942).mkv');
    await add({ path: 'Brazil (1985).mkv', library: otherId }, { path: 'Dune (1984).mkv', library: otherId });
    await watch(ada, 'Alien', 1, { isWatched: true });
    await watch(ada, 'Dune', 1, { isWatched: true });
    await watch(ada, 'Brazil', 0.5);
    await watch(bob, 'Casablanca', 1, { isWatched: true });
  });

  it('by library', async () => {
    expect(await titles({ libraryId })).toEqual(['Alien', 'Brazil', 'Casablanca']);
    expect(await list({ libraryId: otherId })).toMatchObject({
      total: 2,
      movies: [{ title: 'Brazil' }, { title: 'Dune' }],
    });
    expect(await list({ libraryId: newId() })).toEqual({ total: 0, movies: [] });
  });

  it('[CAT4] by what this person has watched, and nobody else', async () => {
    expect(await titles({ isWatched: true })).toEqual(['Alien', 'Dune']);
    expect(await titles({ isWatched: false })).toEqual(['Brazil', 'Casablanca']);
    expect(await list({ isWatched: true, limit: 1 })).toMatchObject({ total: 2 });
    expect(await list({ isWatched: false, limit: 1 })).toMatchObject({ total: 2 });
    expect(await list({ isWatched: true, libraryId: otherId })).toMatchObject({
      total: 1,
      movies: [{ title: 'Dune' }],
    });
    expect(await list({ isWatched: false, libraryId })).toMatchObject({ total: 2 });
    expect(await list({ isWatched: true, search: 'alien' })).toMatchObject({ total: 1 });
    expect(await list({ isWatched: false, search: 'alien' })).toMatchObject({ total: 0 });
    expect((await list({ isWatched: true }, bob)).movies.map(({ title }) => title)).toEqual(['Casablanca']);
  });

  it('tiles carry the progress of who asks', async () => {
    const [alien, brazil] = (await list()).movies;
    expect(alien!.progress).toMatchObject({ movieId: alien!.id, isWatched: true, positionMs: 0 });
    expect(brazil!.progress).toMatchObject({
      positionMs: 3_000_000,
      durationMs: 6_000_000,
      isWatched: false,
      updatedAt: expect.any(Number) as number,
    });
    expect((await list({}, bob)).movies[0]!.progress).toBeNull();
    const got = await get(brazil!.id);
    expect(got).toMatchObject({
      movie: { title: 'Brazil', files: [{ libraryId }, { libraryId: otherId }] },
      progress: { positionMs: 3_000_000 },
    });
  });
});

describe('search', () => {
  beforeEach(() =>
    add(
      'The Matrix (1999).mkv',
      'The Matrix Reloaded (2003).mkv',
      'Dot Matrix Printers (1985).mkv',
      'Amélie (2001).mkv',
      'Spider-Man (2002).mkv',
      'WALL·E (2008).mkv',
      'Ocean’s Eleven (2001).mkv',
      'The Lord of the Rings The Two Towers (2002).mkv',
      '8½ (1963).mkv',
      '東京物語 (1953).mkv',
      '100% Wolf (2020).mkv',
      'Gladiator (2000).mkv',
      'It (2017).mkv',
    ),
  );

  it.each<[string, string[]]>([
    ['matrix', ['The Matrix', 'The Matrix Reloaded', 'Dot Matrix Printers']],
    ['the matrix', ['The Matrix', 'The Matrix Reloaded']],
    ['MATRIX 1999', ['The Matrix']],
    ['reloaded matrix', ['The Matrix Reloaded']],
    ['matr', ['The Matrix', 'The Matrix Reloaded', 'Dot Matrix Printers']],
    ['amelie', ['Amélie']],
    ['AMÉLIE', ['Amélie']],
    ['spider man', ['Spider-Man']],
    ['spider-man', ['Spider-Man']],
    ['spiderman', ['Spider-Man']],
    ['wall-e', ['WALL·E']],
    ["ocean's", ['Ocean’s Eleven']],
    ['lord towers', ['The Lord of the Rings The Two Towers']],
    ['8½', ['8½']],
    ['東京', ['東京物語']],
    ['物', ['東京物語']],
    ['100%', ['100% Wolf']],
    ['it', ['It']],
    ['2001', ['Amélie', 'Ocean’s Eleven']],
    // Small typing errors.
    ['matirx', ['The Matrix', 'Dot Matrix Printers', 'The Matrix Reloaded']],
    ['gladaitor', ['Gladiator']],
    ['glladiator', ['Gladiator']],
    ['amleie', ['Amélie']],
    ['gldiator', ['Gladiator']],
    ['gladai', ['Gladiator']],
    // Most of the words.
    ['teh matrix', ['The Matrix', 'Dot Matrix Printers', 'The Matrix Reloaded']],
    ['matirx relaoded', ['The Matrix Reloaded']],
    ['oceans eleven', ['Ocean’s Eleven']],
    // Nothing, and nothing that could be more than text.
    ['xyzzy', []],
    ['%', []],
    ["'; drop table movie; --", []],
    ['\\', []],
    ['_', []],
  ])('[CAT6] %s', async (text, expected) => {
    expect(await titles({ search: text })).toEqual(expected);
    expect((await list({ search: text, limit: 1 })).total).toBe(expected.length);
  });

  it('[CAT6] takes the order that is asked for, and windows', async () => {
    expect(await titles({ search: 'matrix', sort: 'year' })).toEqual([
      'The Matrix Reloaded',
      'The Matrix',
      'Dot Matrix Printers',
    ]);
    expect(await titles({ search: 'matrix', order: 'ascending' })).toEqual([
      'Dot Matrix Printers',
      'The Matrix',
      'The Matrix Reloaded',
    ]);
    expect(await titles({ search: 'matirx', sort: 'year' })).toEqual([
      'The Matrix Reloaded',
      'The Matrix',
      'Dot Matrix Printers',
    ]);
    expect(await titles({ search: 'matrix', offset: 1, limit: 1 })).toEqual(['The Matrix Reloaded']);
    expect(await list({ search: 'matrix', offset: 9 })).toEqual({ total: 3, movies: [] });
  });

  it('reads the longest texts as words without end', async () => {
    expect(await titles({ search: 'matrix '.repeat(60) })).toEqual([
      'The Matrix',
      'The Matrix Reloaded',
      'Dot Matrix Printers',
    ]);
    expect(await titles({ search: 'x'.repeat(500) })).toEqual([]);
    expect(await titles({ search: 'a b c d e f g h i j k' })).toEqual([]);
    expect(await titles({ search: '\ud800 …' })).toEqual([]);
  });
});

describe('the home screen', () => {
  it('[CAT7] goes on with what was begun and not finished, the latest first', async () => {
    await add(
      'Begun (2001).mkv',
      'Hardly (2002).mkv',
      'Almost (2003).mkv',
      'Over (2004).mkv',
      'Old (2005).mkv',
      'Again (2006).mkv',
      'New (2007).mkv',
    );
    await watch(ada, 'Begun', 0.5, { ageDays: 2 });
    await watch(ada, 'Hardly', 0.009);
    await watch(ada, 'Almost', 0.899, { ageDays: 1 });
    await watch(ada, 'Over', 0.9);
    await watch(ada, 'Old', 0.5, { ageDays: 91 });
    await watch(ada, 'Again', 0.3, { isWatched: true, ageDays: 3 });
    await watch(bob, 'New', 0.5);
    const shown = await home();
    expect(shown.continueWatching.map(({ title }) => title)).toEqual(['Almost', 'Begun', 'Again']);
    expect(shown.continueWatching[1]!.progress).toMatchObject({ positionMs: 3_000_000 });
    expect(shown.recentlyAdded.map(({ title }) => title)).toEqual([
      'New',
      'Again',
      'Old',
      'Over',
      'Almost',
      'Hardly',
      'Begun',
    ]);
    expect(shown.movieCount).toBe(7);
    expect((await home(2)).continueWatching).toHaveLength(2);
  });
});

describe('what is remembered', () => {
  it('is asked once for all, and again after a write or a failure', async () => {
    const remembered = new Remembered<number>();
    let asked = 0;
    const ask = async () => ++asked;
    expect(await Promise.all([remembered.get('a', ask), remembered.get('a', ask)])).toEqual([1, 1]);
    remembered.forget();
    expect(await remembered.get('a', ask)).toBe(2);
    const slow = Promise.withResolvers<number>();
    const before = remembered.get('b', () => slow.promise);
    remembered.forget();
    const after = remembered.get('b', ask);
    slow.resolve(99);
    // A count from before the write is told to who asked before it, and to nobody later.
    expect([await before, await after, await remembered.get('b', ask)]).toEqual([99, 3, 3]);
    await expect(remembered.get('c', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await remembered.get('c', ask)).toBe(4);
  });
});
