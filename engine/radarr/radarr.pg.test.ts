import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { HealthBoard } from '#engine/health/health-board.ts';
import { createRadarrStore, radarrHints } from '#engine/store/postgres/radarr-store.ts';
import { createSettingStore } from '#engine/store/postgres/setting-store.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import type { Failure } from '#protocol/errors.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';
import { testContext } from '#test/support/call-context.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { messageFile, oldDownloadMessage, radarrMessages, upgradeMessage } from '#test/support/radarr-messages.ts';
import { RadarrStandIn, STAND_IN_KEY } from '#test/support/radarr-stand-in.ts';
import type { RunningWork, WorkPort } from './ports.ts';
import { RadarrDomain } from './radarr.ts';
import type { RadarrEntry } from './radarr.ts';

type Work = Parameters<WorkPort['handle']>[2];
type Order = Parameters<WorkPort['order']>[0][number];

/** The queue in memory: orders of one key that have not begun are one, and are done when the test says so. */
class MemoryWork implements WorkPort {
  readonly handlings = new Map<string, Work>();
  orders: Order[] = [];
  readonly onReturns = new Set<() => void>();
  isAway = false;
  notes: string[] = [];

  async order(orders: readonly Order[]): Promise<void> {
    if (this.isAway) throw new Error('the queue is away');
    for (const order of orders) {
      this.orders = this.orders.filter(({ kind, key }) => kind !== order.kind || key !== order.key);
      this.orders.push(order);
    }
  }

  handle(kind: string, _options: object, work: Work): void {
    this.handlings.set(kind, work);
  }

  onReturn(listener: () => void): () => void {
    this.onReturns.add(listener);
    return () => void this.onReturns.delete(listener);
  }

  /** Does what is due, also what that brings. Orders for later stay. */
  async run(signal: AbortSignal = new AbortController().signal): Promise<void> {
    for (;;) {
      const next = this.orders.find(({ delayMs = 0 }) => delayMs === 0);
      if (!next) return;
      this.orders = this.orders.filter((order) => order !== next);
      const job: RunningWork = { attempt: 1, signal, progress: () => undefined };
      const outcome = await this.handlings.get(next.kind)!(next.payload, job);
      this.notes.push(outcome.kind === 'done' ? (outcome.note ?? '') : outcome.why);
      if (outcome.kind === 'later') this.orders.push({ ...next, delayMs: outcome.afterMs });
    }
  }
}

const newId = createUuidFactory(systemClock);
const LIBRARY = '01890000-0000-7000-8000-0000000000aa';
const key = Buffer.alloc(32, 7);
let database: TestDatabase;
let sql: Sql;
let radarr: RadarrStandIn;
let clock: FakeClock;
let work: MemoryWork;
let health: HealthBoard;
let domain: RadarrDomain;
let rescanned: [string, readonly string[]][];
let matched: string[];
let entries: RadarrEntry[];
let readable: Set<string>;

beforeAll(async () => {
  database = await createTestDatabase({ max: 6 });
  ({ sql } = database);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await sql`truncate library, movie, radarr_movie, radarr_event restart identity cascade`;
  await sql`delete from server_fact where name like 'setting.%'`;
  await sql`insert into library (id, name, path) values (${LIBRARY}, 'Films', '/mnt/films')`;
  radarr = await RadarrStandIn.start();
  clock = new FakeClock(Date.now());
  rescanned = [];
  matched = [];
  entries = [];
  readable = new Set(['/mnt/films']);
  await open();
});
afterEach(async () => {
  domain[Symbol.dispose]();
  await radarr[Symbol.asyncDispose]();
});

/** Starts Radarr's part, as a process does. */
async function open(): Promise<void> {
  work = new MemoryWork();
  health = new HealthBoard(clock);
  domain = await RadarrDomain.open({
    ports: {
      settings: createSettingStore(sql, key),
      store: createRadarrStore(sql),
      libraries: {
        list: async () => [
          ...(await sql<{ id: string; name: string; path: string }[]>`select id, name, path from library`),
        ],
        rescanPaths: (libraryId, paths) => void rescanned.push([libraryId, paths]),
      },
      matches: { wantMatch: async (movieIds) => void matched.push(...movieIds) },
      folders: { check: async (path) => folderCheck(path) },
      work,
      health,
      clock,
      log: silentLog,
    },
    newId,
    client: { timeoutMs: 1_000, retryMs: 1, restMs: 0 },
  });
  domain.feedSource.onEntries((more) => void entries.push(...more));
}

const folderCheck = (path: string): FolderCheck => ({
  path,
  problem: readable.has(path) ? null : 'notFound',
  at: null,
  runsAs: 'matinee',
  videoFiles: 0,
  isMore: false,
});

const context = () => testContext();
const MAPPINGS = [{ from: '/movies', to: '/mnt/films' }];

/** Radarr set up and synced once. */
async function setUp(mappings = MAPPINGS): Promise<void> {
  await domain.handlers.configure({ url: radarr.url, apiKey: STAND_IN_KEY, mappings }, context());
  await work.run();
}

const heat = {
  id: 12,
  tmdbId: 949,
  title: 'Heat',
  year: 1995,
  path: '/movies/Heat (1995)',
  file: { id: 57, relativePath: 'Heat (1995).mkv' },
};

/** A file of ours, with a movie for it. */
async function putFile(path: string, movie: { tmdbId?: number; match?: string } = {}): Promise<string> {
  const movieId = newId();
  const fileId = newId();
  await sql`
    insert into movie (id, title, tmdb_id, match) values (${movieId}, ${path}, ${movie.tmdbId ?? null}, ${movie.match ?? 'unmatched'})`;
  await sql`
    insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state)
    values (${fileId}, ${movieId}, ${LIBRARY}, ${path}, 1, 1, '1', 'playable')`;
  return movieId;
}

/** Numbers at TMDB that Radarr states for a file of ours. */
async function hintsOf(path: string): Promise<(number | null)[]> {
  const [known] = await sql<{ movieId: string }[]>`select movie_id as "movieId" from movie_file where path = ${path}`;
  const hints = await radarrHints(sql, known?.movieId ?? (await putFile(path)));
  return hints.map(({ tmdbId }) => tmdbId);
}

/** A message, as it comes from Radarr. */
async function send(message: unknown): Promise<number> {
  const route = domain.routes.find(({ method }) => method === 'POST')!;
  let answer = 0;
  await route.handle(
    {
      id: newId(),
      headers: { 'x-api-key': secret },
      body: Buffer.from(JSON.stringify(message)),
      address: '192.0.2.1',
    },
    { send: (status) => (answer = status) },
  );
  return answer;
}
let secret = '';
async function openWebhook(): Promise<void> {
  ({ secret } = await domain.handlers.openWebhook({}, context()));
}

const eventsOf = async () => (await domain.handlers.events({ limit: 200 }, context())).events.toReversed();
/** What is kept of Radarr's movies, without times. */
const knownMovies = () =>
  sql`select instance, radarr_id, tmdb_id, folder_path, file_path, library_id, path, radarr_file_id, gone_at is not null as gone
    from radarr_movie order by instance, radarr_id`.then((rows) => rows.map((row) => ({ ...row })));

async function failureOf(run: () => unknown): Promise<Failure> {
  try {
    await run();
  } catch (error) {
    return error as Failure;
  }
  throw new Error('nothing failed');
}

describe('settings', () => {
  it('[SET1] are there after a start, and tell neither key nor secret', async () => {
    await setUp();
    await openWebhook();
    domain[Symbol.dispose]();
    await open();
    const status = await domain.handlers.status({}, context());
    expect(status).toMatchObject({
      url: radarr.url,
      hasApiKey: true,
      mappings: MAPPINGS,
      isWebhookOpen: true,
      version: '6.1.0.10320',
    });
    expect(JSON.stringify([status, entries])).not.toMatch(new RegExp(`${STAND_IN_KEY}|${secret}`));
    const rows = await sql<{ value: string }[]>`select value from server_fact`;
    expect(rows.map(({ value }) => value).join()).not.toMatch(new RegExp(`${STAND_IN_KEY}|${secret}`));
    expect(await send(radarrMessages.Test)).toBe(202);
  });

  it('[SET1] a new secret ends the one before, and closing ends all', async () => {
    await openWebhook();
    const before = secret;
    await openWebhook();
    expect(await send(radarrMessages.Test)).toBe(202);
    secret = before;
    expect(await send(radarrMessages.Test)).toBe(401);
    await domain.handlers.closeWebhook({}, context());
    expect(await send(radarrMessages.Test)).toBe(404);
  });

  it('[SET2] a key does not go to another server', async () => {
    await setUp();
    await using other = await RadarrStandIn.start();
    const failure = await failureOf(() => domain.handlers.configure({ url: other.url }, context()));
    expect(failure.code).toBe('keyNeeded');
    await domain.handlers.sync({}, context());
    await work.run();
    expect(other.asked).toEqual([]);
    // Another path of the same server is the same server.
    await domain.handlers.configure({ url: `${radarr.url}/base` }, context());
    await domain.handlers.configure({ url: other.url, apiKey: STAND_IN_KEY }, context());
    await work.run();
    expect(other.asked).not.toEqual([]);
    const status = await domain.handlers.configure({ url: null, apiKey: null }, context());
    expect(status).toMatchObject({ url: null, hasApiKey: false, instanceName: null, lastSync: null });
    expect((await failureOf(() => domain.handlers.sync({}, context()))).data).toEqual({
      reason: 'notSet',
      detail: null,
    });
  });

  it('[SET2] what one server answered is not noted of the next', async () => {
    await using other = await RadarrStandIn.start();
    other.instanceName = 'Other';
    radarr.put(heat);
    await domain.handlers.configure({ url: radarr.url, apiKey: STAND_IN_KEY }, context());
    const answered = Promise.withResolvers<void>();
    radarr.beforeMovies = async () => {
      await domain.handlers.configure({ url: other.url, apiKey: STAND_IN_KEY }, context());
      answered.resolve();
    };
    await work.run();
    await answered.promise;
    expect(await domain.handlers.status({}, context())).toMatchObject({
      instanceName: 'Other',
      lastSync: { movies: 0 },
      trouble: null,
    });
  });

  it('[PATH4] a mapping that is none is refused, and nothing is changed', async () => {
    const failure = await failureOf(() =>
      domain.handlers.configure(
        { syncEveryHours: 12, mappings: [...MAPPINGS, { from: 'movies', to: '/x' }] },
        context(),
      ),
    );
    expect([failure.code, failure.data]).toEqual(['badMapping', { from: 'movies', problem: 'from' }]);
    expect(await domain.handlers.status({}, context())).toMatchObject({ mappings: [], syncEveryHours: 6 });
  });
});

describe('looking at everything', () => {
  it('[SYNC2] [SYNC3] gives files their movies', async () => {
    radarr.put(heat);
    radarr.put({ id: 13, tmdbId: 8195, title: 'Ronin', year: 1998, path: '/movies/Ronin (1998)', file: null });
    radarr.put({
      id: 14,
      tmdbId: 1,
      title: 'Away',
      year: 2000,
      path: '/elsewhere/Away',
      file: { id: 3, relativePath: 'a.mkv' },
    });
    radarr.badMovies.push({ id: 'x' });
    await putFile('Heat (1995)/Heat (1995).mkv');
    await setUp();
    const { lastSync } = await domain.handlers.status({}, context());
    expect(lastSync).toMatchObject({ movies: 3, files: 2, known: 1, unplaced: 1, skipped: 1 });
    expect(await hintsOf('Heat (1995)/Heat (1995).mkv')).toEqual([949]);
    expect(await hintsOf('Heat (1995)/another version.mkv')).toEqual([949]);
    expect(await hintsOf('Ronin (1998)/Ronin.mkv')).toEqual([8195]);
    expect(await hintsOf('Up (2009)/Up.mkv')).toEqual([]);
  });

  it('[SYNC3] a folder that several movies share says nothing', async () => {
    radarr.put({ ...heat, path: '/movies' });
    radarr.put({ ...heat, id: 13, tmdbId: 8195, path: '/movies', file: { id: 58, relativePath: 'Ronin.mkv' } });
    await setUp();
    expect([await hintsOf('Ronin.mkv'), await hintsOf('Up.mkv')]).toEqual([[8195], []]);
  });

  it('[SYNC4] has movies looked up that Radarr calls otherwise, and none that a person or a number named', async () => {
    const names = ['wrong', 'waiting', 'right', 'said', 'numbered'] as const;
    const movies = {
      wrong: await putFile('wrong/a.mkv', { tmdbId: 5, match: 'matched' }),
      waiting: await putFile('waiting/a.mkv', { match: 'waiting' }),
      right: await putFile('right/a.mkv', { tmdbId: 102, match: 'matched' }),
      said: await putFile('said/a.mkv', { tmdbId: 6, match: 'confirmed' }),
      numbered: await putFile('numbered/a.mkv', { tmdbId: 7, match: 'matched' }),
    };
    await sql`update movie set match_reasons = '{idInName}' where id = ${movies.numbered}`;
    for (const [index, name] of names.entries()) {
      radarr.put({
        id: index + 1,
        tmdbId: 100 + index,
        title: name,
        year: 2000,
        path: `/movies/${name}`,
        file: { id: index + 1, relativePath: 'a.mkv' },
      });
    }
    await setUp();
    expect(matched.toSorted()).toEqual([movies.wrong, movies.waiting].toSorted());
  });

  it('[SYNC5] has files looked at that Radarr has and we do not', async () => {
    radarr.put(heat);
    radarr.put({ ...heat, id: 13, path: '/elsewhere/x' });
    await setUp();
    expect(rescanned).toEqual([[LIBRARY, ['Heat (1995)/Heat (1995).mkv']]]);
  });

  it('[SYNC2] keeps the hint of a movie that Radarr dropped, and nothing twice', async () => {
    radarr.put(heat);
    radarr.put({ ...heat, id: 13, tmdbId: 8195, path: '/movies/Ronin', file: null });
    await setUp();
    radarr.movies.delete(12);
    for (let turn = 0; turn < 2; turn++) {
      await clock.advance(1_000);
      await domain.handlers.sync({}, context());
      await work.run();
    }
    expect(await knownMovies()).toMatchObject([
      { radarr_id: 12, gone: true },
      { radarr_id: 13, gone: false },
    ]);
    expect(await hintsOf('Heat (1995)/Heat (1995).mkv')).toEqual([949]);
    expect((await domain.handlers.status({}, context())).lastSync).toMatchObject({ movies: 1, files: 0 });
  });

  it('[SYNC6] loses nothing while Radarr is away or answers nonsense, says so, and asks again', async () => {
    radarr.put(heat);
    await setUp();
    const before = await knownMovies();
    for (const misbehaviour of ['failing', 'half', 'html', 'huge', 'unauthorized', 'redirect', 'hanging'] as const) {
      radarr.misbehaviour = misbehaviour;
      await domain.handlers.sync({}, context());
      await work.run();
      expect([misbehaviour, await knownMovies()]).toEqual([misbehaviour, before]);
      expect(health.items().map(({ id }) => id)).toContain('radarrAway');
      expect((await domain.handlers.status({}, context())).trouble).not.toBeNull();
    }
    expect(work.orders).toMatchObject([{ kind: 'radarrSync', delayMs: 300_000 }]);
    radarr.misbehaviour = null;
    work.orders = [{ kind: 'radarrSync', payload: {}, key: 'all' }];
    await work.run();
    expect(health.items()).toEqual([]);
    expect((await domain.handlers.status({}, context())).trouble).toBeNull();
  });

  it('[SYNC6] a list without a single movie does not mean that all are gone', async () => {
    radarr.put(heat);
    await setUp();
    radarr.movies.clear();
    await clock.advance(1_000);
    await domain.handlers.sync({}, context());
    await work.run();
    expect(await knownMovies()).toMatchObject([{ radarr_id: 12, gone: false }]);
  });

  it('[SYNC1] comes at the start and at intervals, and never unasked without Radarr', async () => {
    await domain.start();
    expect(work.orders).toEqual([]);
    await setUp();
    await domain.start();
    await work.run();
    radarr.asked.length = 0;
    await domain.handlers.configure({ syncEveryHours: 2 }, context());
    await clock.advance(2 * 3_600_000);
    await work.run();
    expect(radarr.asked).toContain('GET /api/v3/movie');
  });

  it('[SYNC1] one movie can be asked for alone', async () => {
    radarr.put(heat);
    await domain.handlers.configure({ url: radarr.url, apiKey: STAND_IN_KEY, mappings: MAPPINGS }, context());
    work.orders = [];
    await domain.handlers.sync({ radarrId: 12 }, context());
    await work.run();
    expect(await knownMovies()).toMatchObject([{ radarr_id: 12, path: 'Heat (1995)/Heat (1995).mkv' }]);
    expect(radarr.asked).not.toContain('GET /api/v3/movie');
  });

  it('[PATH2] says so where files lie in no library, until they do', async () => {
    radarr.put({ ...heat, path: 'D:\\Movies\\Heat' });
    await setUp([]);
    expect(health.items()).toMatchObject([{ id: 'radarrPaths', title: expect.stringContaining('A file') as string }]);
    await domain.handlers.configure({ mappings: [{ from: 'D:\\Movies', to: '/mnt/films' }] }, context());
    await work.run();
    expect(health.items()).toEqual([]);
    expect(await knownMovies()).toMatchObject([{ path: 'Heat/Heat (1995).mkv' }]);
  });

  it('thousands are read in parts', async () => {
    for (let id = 1; id <= 1_500; id++) {
      radarr.put({
        id,
        tmdbId: id,
        title: `Movie ${id}`,
        year: 2000,
        path: `/movies/Movie ${id}`,
        file: { id, relativePath: 'm.mkv' },
      });
    }
    await setUp();
    expect((await domain.handlers.status({}, context())).lastSync).toMatchObject({
      movies: 1_500,
      files: 1_500,
      unplaced: 0,
    });
  });
});

describe('[CHECK1] a check', () => {
  it('lists folders with how they are seen here, and proposes mappings', async () => {
    for (const [index, title] of ['Heat (1995)', 'Ronin (1998)', 'Alien (1979)'].entries()) {
      radarr.put({
        id: index + 1,
        tmdbId: index + 1,
        title,
        year: 2000,
        path: `/movies/${title}`,
        file: { id: index + 1, relativePath: 'a.mkv' },
      });
      await putFile(`${title}/a.mkv`);
    }
    radarr.rootFolders = [
      { path: '/movies', accessible: true },
      { path: '/mnt/offline', accessible: false },
      { path: 'D:\\Films', accessible: true },
    ];
    await setUp([]);
    const check = await domain.handlers.check({}, context());
    expect(check).toMatchObject({ instanceName: 'Radarr', version: '6.1.0.10320', collectionCount: 1 });
    expect(check.profiles).toEqual([{ id: 4, name: 'HD-1080p', isUpgradeAllowed: true }]);
    expect(check.rootFolders).toMatchObject([
      {
        path: '/movies',
        ours: '/movies',
        check: { problem: 'notFound' },
        proposal: { from: '/movies', to: '/mnt/films' },
      },
      { path: '/mnt/offline', isAccessible: false, proposal: null },
      { path: 'D:\\Films', ours: null, check: null, proposal: null },
    ]);
    await domain.handlers.configure({ mappings: [check.rootFolders[0]!.proposal!] }, context());
    const after = await domain.handlers.check({}, context());
    expect(after.rootFolders[0]).toMatchObject({
      ours: '/mnt/films',
      check: { problem: null },
      libraries: ['Films'],
      proposal: null,
    });
  });

  it('says what is the matter', async () => {
    expect((await failureOf(() => domain.handlers.check({}, context()))).data).toEqual({
      reason: 'notSet',
      detail: null,
    });
    await setUp();
    radarr.misbehaviour = 'other';
    expect((await failureOf(() => domain.handlers.check({}, context()))).data).toEqual({
      reason: 'notRadarr',
      detail: null,
    });
  });
});

describe('messages', () => {
  beforeEach(async () => {
    radarr.put(heat);
    await setUp();
    await openWebhook();
    rescanned = [];
    matched = [];
    entries = [];
  });

  it('[EVENT3] Test touches nothing', async () => {
    const before = await knownMovies();
    expect(await send(radarrMessages.Test)).toBe(202);
    await work.run();
    expect([await knownMovies(), rescanned, matched]).toEqual([before, [], []]);
    expect(await eventsOf()).toMatchObject([{ kind: 'Test', outcome: 'tested' }]);
  });

  it('[EVENT4] what came is looked at, after Radarr said what it is', async () => {
    radarr.put({ ...heat, file: { id: 58, relativePath: 'Heat (1995) 2160p.mkv' } });
    radarr.asked.length = 0;
    const seen: unknown[] = [];
    expect(await send({ ...upgradeMessage, movieFile: messageFile('Heat (1995) 2160p.mkv', 58) })).toBe(202);
    await work.run();
    seen.push(...(await knownMovies()));
    expect(radarr.asked).toEqual(['GET /api/v3/movie/12']);
    expect(seen).toMatchObject([{ path: 'Heat (1995)/Heat (1995) 2160p.mkv', radarr_file_id: 58 }]);
    expect(rescanned).toEqual([
      [LIBRARY, ['Heat (1995)', 'Heat (1995)/Heat (1995) 2160p.mkv', 'Heat (1995)/heat.mkv']],
    ]);
    expect(await eventsOf()).toMatchObject([
      { kind: 'Download', subject: 'Heat', isUpgrade: true, outcome: 'lookedAt', path: null },
    ]);
  });

  it.each([
    ['Rename', ['Heat (1995)', 'Heat (1995)/Heat (1995).mkv', 'Heat (1995)/heat.mkv']],
    ['MovieFileDelete', ['Heat (1995)', 'Heat (1995)/heat.mkv']],
    ['MovieDelete', ['Heat (1995)']],
  ] as const)('[EVENT4] %s has its places looked at', async (kind, paths) => {
    await send(radarrMessages[kind]);
    await work.run();
    expect(rescanned).toEqual([[LIBRARY, paths]]);
    expect(await eventsOf()).toMatchObject([{ kind, outcome: 'lookedAt' }]);
  });

  it.each([
    'Grab',
    'Health',
    'HealthRestored',
    'ApplicationUpdate',
    'ManualInteractionRequired',
    'MovieAdded',
  ] as const)('[EVENT4] %s calls for no look', async (kind) => {
    expect(await send(radarrMessages[kind])).toBe(202);
    await work.run();
    expect(rescanned).toEqual([]);
    expect(await eventsOf()).toMatchObject([{ kind, outcome: 'noted' }]);
  });

  it('[EVENT6] a kind that is not known is left alone', async () => {
    expect(await send({ eventType: 'MovieImproved', movie: radarrMessages.Download.movie })).toBe(202);
    await work.run();
    expect(rescanned).toEqual([]);
    expect(await eventsOf()).toMatchObject([{ kind: 'MovieImproved', outcome: 'unknownKind' }]);
  });

  it('[PATH3] version 3 named the download: the movie’s folder counts', async () => {
    await send(oldDownloadMessage);
    await work.run();
    expect(rescanned).toEqual([[LIBRARY, ['Heat (1995)', 'Heat (1995)/Heat (1995).mkv']]]);
  });

  it('[EVENT4] paths that lead nowhere are reported, and nothing else is looked at', async () => {
    const { movie } = radarrMessages.Download;
    await send({
      ...radarrMessages.Download,
      movie: { ...movie, folderPath: 'E:\\Movies\\Heat' },
      movieFile: undefined,
    });
    await send({ ...radarrMessages.Rename, movie: { ...movie, folderPath: '/other/Heat' }, renamedMovieFiles: [] });
    await send({ ...radarrMessages.MovieDelete, movie: { ...movie, folderPath: '/movies/../etc' } });
    await send({
      ...radarrMessages.MovieFileDelete,
      movie: { ...movie, folderPath: '/movies' },
      movieFile: { relativePath: '../../etc/passwd', path: '/etc/passwd' },
    });
    await work.run();
    expect(rescanned).toEqual([]);
    expect((await eventsOf()).map(({ outcome, path }) => [outcome, path])).toEqual([
      ['unmapped', 'E:\\Movies\\Heat'],
      ['outsideLibraries', '/other/Heat'],
      ['unmapped', '/movies/../etc'],
      ['outsideLibraries', '/etc/passwd'],
    ]);
  });

  it('[EVENT2] old, repeated and reordered messages end in the same state', async () => {
    radarr.put({ ...heat, file: { id: 58, relativePath: 'new.mkv' } });
    await putFile('Heat (1995)/new.mkv', { tmdbId: 949, match: 'matched' });
    const upgrade = { ...upgradeMessage, movieFile: messageFile('new.mkv', 58) };
    const messages = [
      radarrMessages.MovieFileDelete,
      upgrade,
      radarrMessages.Rename,
      radarrMessages.Download,
      { ...radarrMessages.MovieDelete, movie: { ...radarrMessages.MovieDelete.movie, tmdbId: 1 } },
      oldDownloadMessage,
    ];
    const states: unknown[] = [];
    for (const order of [messages, messages.toReversed(), [...messages, ...messages]]) {
      for (const message of order) expect(await send(message)).toBe(202);
      await work.run();
      states.push(await knownMovies());
    }
    expect(new Set(states.map((state) => JSON.stringify(state))).size).toBe(1);
    expect(states[0]).toMatchObject([{ radarr_id: 12, tmdb_id: 949, path: 'Heat (1995)/new.mkv', gone: false }]);
    // Radarr and we agree on what it is: a lie in a message brings nothing about.
    expect(matched).toEqual([]);
  });

  it('[EVENT5] a movie that Radarr deleted keeps its hint: its file may be here', async () => {
    radarr.movies.delete(12);
    await send({ ...radarrMessages.MovieDelete, deletedFiles: false });
    await work.run();
    expect(await knownMovies()).toMatchObject([{ gone: true }]);
    expect(await hintsOf('Heat (1995)/Heat (1995).mkv')).toEqual([949]);
  });

  it('[HOOK4] the same message while the first one waits is one; afterwards it is dealt with again', async () => {
    for (let turn = 0; turn < 5; turn++) expect(await send(radarrMessages.Download)).toBe(202);
    expect(await eventsOf()).toHaveLength(1);
    await work.run();
    await send(radarrMessages.Download);
    await work.run();
    expect((await eventsOf()).map(({ outcome }) => outcome)).toEqual(['lookedAt', 'lookedAt']);
  });

  it('[EVENT1] [HOOK3] those of one movie are dealt with in order, also after a kill', async () => {
    const messages = [
      radarrMessages.Grab,
      radarrMessages.Download,
      radarrMessages.Rename,
      radarrMessages.MovieFileDelete,
    ];
    for (const message of messages) await send(message);
    domain[Symbol.dispose]();
    // The process is gone, and the queue with it.
    await open();
    await domain.start();
    const dealtWith: string[] = [];
    domain.feedSource.onEntries((more) => {
      for (const entry of more) {
        if (entry.kind === 'event' && entry.event.outcome !== null) dealtWith.push(entry.event.kind);
      }
    });
    await work.run();
    expect(dealtWith).toEqual(['Grab', 'Download', 'Rename', 'MovieFileDelete']);
  });

  it('[EVENT1] what was cut short is done again', async () => {
    await send(radarrMessages.Download);
    await expect(work.run(AbortSignal.abort())).rejects.toThrow(/abort/);
    expect(await eventsOf()).toMatchObject([{ outcome: null }]);
    await domain.start();
    await work.run();
    expect(await eventsOf()).toMatchObject([{ outcome: 'lookedAt' }]);
  });

  it('[HOOK3] a message is kept although the queue is away, and dealt with when it is back', async () => {
    work.isAway = true;
    expect(await send(radarrMessages.Download)).toBe(202);
    expect(work.orders).toEqual([]);
    work.isAway = false;
    for (const listener of work.onReturns) listener();
    await expect.poll(() => work.orders.length).toBe(1);
    await work.run();
    expect(await eventsOf()).toMatchObject([{ outcome: 'lookedAt' }]);
  });

  it('[HOOK3] a message that cannot be kept is made up for', async () => {
    await sql`alter table radarr_event rename to radarr_event_away`;
    try {
      await expect(send(radarrMessages.Download)).rejects.toThrow('radarr_event');
      await expect(send(radarrMessages.Rename)).rejects.toThrow('radarr_event');
    } finally {
      await sql`alter table radarr_event_away rename to radarr_event`;
    }
    expect(work.orders).toEqual([]);
    await clock.advance(5 * 60_000);
    expect(work.orders).toMatchObject([{ kind: 'radarrSync', key: 'all' }]);
  });

  it('[EVENT7] while Radarr is away the message’s word counts, and a sync makes up for it', async () => {
    radarr.misbehaviour = 'failing';
    await send({ ...radarrMessages.Download, movie: { ...radarrMessages.Download.movie, id: 77, tmdbId: 8195 } });
    await work.run();
    expect(await hintsOf('Heat (1995)/Heat (1995).mkv')).toEqual([949]);
    expect(await knownMovies()).toMatchObject([{ radarr_id: 12 }, { radarr_id: 77, tmdb_id: 8195 }]);
    expect(rescanned).toHaveLength(1);
    expect(work.orders).toMatchObject([{ kind: 'radarrSync', delayMs: 300_000 }]);
  });

  it('[EVENT7] another Radarr’s numbers are its own', async () => {
    const movie = { ...radarrMessages.Download.movie, tmdbId: 8195, folderPath: '/movies/Ronin' };
    radarr.asked.length = 0;
    await send({ ...radarrMessages.Download, movie, instanceName: 'Radarr 4K' });
    await work.run();
    expect(radarr.asked).toEqual([]);
    expect(await knownMovies()).toMatchObject([
      { instance: 'Radarr', radarr_id: 12, tmdb_id: 949 },
      { instance: 'Radarr 4K', radarr_id: 12, tmdb_id: 8195 },
    ]);
    // A look at everything in the one says nothing of the other.
    await clock.advance(1_000);
    await domain.handlers.sync({}, context());
    await work.run();
    expect(await knownMovies()).toMatchObject([{ gone: false }, { gone: false }]);
  });

  it('[SET3] is on the screens when it comes and when it is dealt with', async () => {
    await send(radarrMessages.Download);
    await expect.poll(() => entries.length).toBe(1);
    await work.run();
    expect(entries.map((entry) => entry.kind === 'event' && entry.event.outcome)).toEqual([null, 'lookedAt']);
    const { status, events } = await domain.feedSource.snapshot();
    expect(status.isWebhookOpen).toBe(true);
    expect(events).toHaveLength(1);
  });
});

describe('without Radarr’s address', () => {
  it('[EVENT7] messages alone give files their movies', async () => {
    await domain.handlers.configure({ mappings: MAPPINGS }, context());
    await openWebhook();
    await send(radarrMessages.Download);
    await work.run();
    expect(await hintsOf('Heat (1995)/Heat (1995).mkv')).toEqual([949]);
    expect(rescanned).toHaveLength(1);
    await send(radarrMessages.MovieFileDelete);
    await work.run();
    expect(await knownMovies()).toMatchObject([{ path: 'Heat (1995)/Heat (1995).mkv', gone: false }]);
  });
});
