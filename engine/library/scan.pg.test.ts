import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { HashPool } from '#engine/hosts/hash-pool.ts';
import type { ProbeResult } from '#engine/hosts/probe.port.ts';
import { VIDEO_EXTENSIONS } from '#engine/media/file-name.ts';
import { SUBTITLE_EXTENSIONS } from '#engine/media/naming/sidecar-name.ts';
import { TreeWalker } from '#engine/store/files/tree-walker.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import type { LibraryStore, MediaPort, ScanStore } from './ports.ts';
import { LibraryUnavailable, runScan } from './scan.ts';
import type { ScanPorts, ScanProgress, ScanRequest } from './scan.ts';

const newId = createUuidFactory(systemClock);
const hashes = new HashPool({ threads: 1 });
const walker = new TreeWalker({
  extensions: VIDEO_EXTENSIONS,
  subtitleExtensions: SUBTITLE_EXTENSIONS,
  excluded: [],
});
let database: TestDatabase;
let libraries: LibraryStore;
let store: ScanStore;
let root: string;
let libraryId: string;
/** Paths below the library's folder, in the order in which they were probed. */
let probed: string[];
/** What stands in for the media hosts: content decides. */
let probe: (path: string, signal: AbortSignal | undefined) => Promise<ProbeResult>;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ libraries, scans: store } = createCatalogue(database.sql, { newId }));
});
afterAll(async () => {
  walker[Symbol.dispose]();
  await hashes[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  await database.sql`truncate library, movie, change restart identity cascade`;
  root = mkdtempSync(join(tmpdir(), 'scan-'));
  chmodSync(root, 0o755);
  libraryId = (await libraries.add({ id: newId(), name: 'Movies', path: root }))!.id;
  probed = [];
  probe = async (path) => byContent(path);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function byContent(path: string): Promise<ProbeResult> {
  if (!existsSync(path)) return { ok: false, failure: 'notFound' };
  const content = readFileSync(path, 'utf8');
  if (content.startsWith('broken')) return { ok: false, failure: 'truncated' };
  if (content.startsWith('crash')) return { ok: false, failure: 'crashed' };
  return {
    ok: true,
    media: mediaInfo({ title: content.includes('poison') ? 'a\0b' : content.slice(0, 20) }),
    keyframesUs: new Float64Array([0, 2_000_000]),
  };
}

const media: MediaPort = {
  probe: (path, options) => {
    probed.push(path.slice(root.length + 1));
    return probe(path, options?.signal);
  },
  release: () => Promise.resolve(false),
};

let serial = 0;
/** Writes a file with content of its own, long settled unless told. */
function put(path: string, content = `movie ${++serial}`, ageMs = 60_000): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  age(path, ageMs);
}
function age(path: string, ageMs: number): void {
  const seconds = (Date.now() - ageMs) / 1_000;
  utimesSync(join(root, path), seconds, seconds);
}

async function scan(request: Partial<ScanRequest> = {}, ports: Partial<ScanPorts> = {}) {
  const library = (await libraries.list()).find(({ id }) => id === libraryId)!;
  return runScan(
    { walker, hashes, media, store, clock: systemClock, log: silentLog, ...ports },
    {
      library,
      scopes: [''],
      unsettled: 'now',
      signal: new AbortController().signal,
      onProgress: () => undefined,
      ...request,
    },
  );
}

interface Row {
  id: string;
  movieId: string;
  path: string;
  state: string;
  failure: string | null;
  title: string;
  isHidden: boolean;
}
const rows = async () => [
  ...(await database.sql<Row[]>`
      select f.id, f.movie_id as "movieId", f.path, f.state, f.failure, m.title, m.deleted_at is not null as "isHidden"
      from movie_file f join movie m on m.id = f.movie_id order by f.path`),
];
const row = async (path: string) => (await rows()).find((one) => one.path === path);
const states = async () => Object.fromEntries((await rows()).map(({ path, state }) => [path, state]));
const issues = async () =>
  (await libraries.issues({ libraryId, offset: 0, limit: 100 })).issues.map(({ path, reason }) => [path, reason]);

describe('a scan', () => {
  it('finds everything, and opens nothing that did not change', async () => {
    put('Heat (1995)/Heat (1995).mkv');
    put('Ronin.1998.1080p.mkv');
    put('Ronin (1998)/Ronin-trailer.mkv');
    put('notes.txt');
    const told: ScanProgress[] = [];
    expect(await scan({ onProgress: (progress) => told.push(progress) })).toEqual({
      seen: 3,
      done: 3,
      toDo: 3,
      missing: 0,
      unsettled: [],
    });
    expect((await rows()).map(({ title, state }) => [title, state])).toEqual([
      ['Heat', 'playable'],
      ['Ronin', 'playable'],
      ['Ronin', 'playable'],
    ]);
    expect(told.at(-1)).toEqual({ seen: 3, done: 3, toDo: 3 });
    // [SCAN1] The second one neither hashes nor probes.
    probed = [];
    const noHashes = { identify: () => Promise.reject(new Error('opened a file')) };
    expect(await scan({}, { hashes: noHashes })).toEqual({ seen: 3, done: 0, toDo: 0, missing: 0, unsettled: [] });
    expect(probed).toEqual([]);
    expect((await libraries.list())[0]!.lastScanAtMs).toBeGreaterThan(0);
  });

  it('[SCAN2] keeps a file whose times alone changed, without probing it', async () => {
    put('Heat (1995).mkv');
    await scan();
    probed = [];
    age('Heat (1995).mkv', 3_600_000);
    expect(await scan()).toMatchObject({ toDo: 1, done: 1 });
    expect(probed).toEqual([]);
    expect(await scan()).toMatchObject({ toDo: 0 });
  });

  it('probes a file again whose content changed, and keeps its row and movie', async () => {
    put('Heat (1995).mkv');
    await scan();
    const before = (await row('Heat (1995).mkv'))!;
    put('Heat (1995).mkv', 'broken now');
    await scan();
    expect(await row('Heat (1995).mkv')).toMatchObject({
      id: before.id,
      movieId: before.movieId,
      state: 'unplayable',
      failure: 'truncated',
    });
    put('Heat (1995).mkv', 'whole again');
    await scan();
    expect(await row('Heat (1995).mkv')).toMatchObject({ id: before.id, state: 'playable', failure: null });
  });

  it('[SCAN4] writes what it has while it is still at work', async () => {
    for (let index = 0; index < 40; index++) put(`Movie ${index} (2000).mkv`);
    const last = Promise.withResolvers<void>();
    probe = async (path) => {
      if (path.includes('Movie 9 ')) await last.promise;
      return byContent(path);
    };
    const running = scan();
    while ((await rows()).length < 39) await new Promise((resolve) => setImmediate(resolve));
    last.resolve();
    expect(await running).toMatchObject({ seen: 40, done: 40 });
    expect(await rows()).toHaveLength(40);
  });

  it('[SCAN5] lists what cannot be played, and tries again what may have passed', async () => {
    put('Broken (2000).mkv', 'broken');
    put('Crashing (2001).mkv', 'crash');
    await scan();
    expect(await row('Broken (2000).mkv')).toMatchObject({
      state: 'unplayable',
      failure: 'truncated',
      isHidden: false,
    });
    expect((await issues()).toSorted(([a], [b]) => (a! < b! ? -1 : 1))).toEqual([
      ['Broken (2000).mkv', 'truncated'],
      ['Crashing (2001).mkv', 'crashed'],
    ]);
    probed = [];
    await scan();
    expect(probed).toEqual(['Crashing (2001).mkv']);
  });

  it('[SCAN14] a text that the database does not take costs its own file', async () => {
    put('Poison (2000).mkv', 'poison');
    put('Fine (2001).mkv');
    await scan();
    expect(await row('Poison (2000).mkv')).toMatchObject({ state: 'unplayable', failure: 'internal' });
    expect(await row('Fine (2001).mkv')).toMatchObject({ state: 'playable' });
  });

  it('a failure of the database ends the scan, and the next one completes it', async () => {
    for (let index = 0; index < 100; index++) put(`Movie ${index} (2000).mkv`);
    let left = 1;
    const failing: ScanStore = {
      ...store,
      write: (id, writes) => (left-- > 0 ? store.write(id, writes) : Promise.reject(new Error('gone'))),
    };
    await expect(scan({}, { store: failing })).rejects.toThrow('gone');
    expect((await rows()).length).toBeLessThan(100);
    await scan();
    expect(await rows()).toHaveLength(100);
  });
});

describe('a file that moved', () => {
  it.each([
    ['forwards', 'a/Heat (1995).mkv', 'z/Heat (1995).mkv'],
    ['backwards', 'z/Heat (1995).mkv', 'a/Heat (1995).mkv'],
  ])('[SCAN3] is found again by its content (%s), without probing', async (_, from, to) => {
    put(from);
    put('m/Other (2000).mkv');
    await scan();
    const before = (await row(from))!;
    probed = [];
    mkdirSync(dirname(join(root, to)), { recursive: true });
    renameSync(join(root, from), join(root, to));
    expect(await scan()).toMatchObject({ missing: 0 });
    expect(await row(to)).toMatchObject({ id: before.id, movieId: before.movieId, state: 'playable' });
    expect(await rows()).toHaveLength(2);
    expect(probed).toEqual([]);
  });

  it('[SCAN3] is found again although it was missing for a while', async () => {
    put('Heat (1995).mkv', 'heat');
    put('Stay (2000).mkv');
    await scan();
    const before = (await row('Heat (1995).mkv'))!;
    rmSync(join(root, 'Heat (1995).mkv'));
    await scan();
    expect(await row('Heat (1995).mkv')).toMatchObject({ state: 'missing', isHidden: true });
    put('elsewhere/Heat (1995).mkv', 'heat');
    await scan();
    expect(await row('elsewhere/Heat (1995).mkv')).toMatchObject({ id: before.id, state: 'playable', isHidden: false });
  });

  it('[SCAN3] a copy is a file of its own, also when two copies take the place of one', async () => {
    put('Heat (1995).mkv', 'heat');
    await scan();
    const before = (await row('Heat (1995).mkv'))!;
    copyFileSync(join(root, 'Heat (1995).mkv'), join(root, 'Heat (1995) copy.mkv'));
    age('Heat (1995) copy.mkv', 60_000);
    await scan();
    expect((await rows()).map(({ movieId }) => movieId)).toEqual([before.movieId, before.movieId]);
    expect(await row('Heat (1995).mkv')).toMatchObject({ id: before.id });
    renameSync(join(root, 'Heat (1995).mkv'), join(root, 'a.mkv'));
    renameSync(join(root, 'Heat (1995) copy.mkv'), join(root, 'b.mkv'));
    const ids = (await rows()).map(({ id }) => id).toSorted();
    await scan();
    expect((await rows()).map(({ id }) => id).toSorted()).toEqual(ids);
    // The same disk entry goes before another one with the same content.
    expect(await row('a.mkv')).toMatchObject({ id: before.id });
  });

  it('[SCAN3] is found again in another library', async () => {
    put('Heat (1995).mkv');
    await scan();
    const before = (await row('Heat (1995).mkv'))!;
    const other = mkdtempSync(join(tmpdir(), 'scan-other-'));
    renameSync(join(root, 'Heat (1995).mkv'), join(other, 'Heat (1995).mkv'));
    libraryId = (await libraries.add({ id: newId(), name: 'Other', path: other }))!.id;
    await scan();
    rmSync(other, { recursive: true });
    const [only] = await database.sql<
      { id: string; libraryId: string }[]
    >`select id, library_id as "libraryId" from movie_file`;
    expect(only).toEqual({ id: before.id, libraryId });
  });

  it('a whole folder that was renamed keeps all its rows', async () => {
    for (let index = 0; index < 50; index++) put(`old/Movie ${index} (2000)/x.mkv`);
    await scan();
    const before = (await rows()).map(({ id }) => id).toSorted();
    renameSync(join(root, 'old'), join(root, 'new'));
    probed = [];
    expect(await scan()).toMatchObject({ missing: 0 });
    expect((await rows()).map(({ id }) => id).toSorted()).toEqual(before);
    expect((await rows()).every(({ path }) => path.startsWith('new/'))).toBe(true);
    expect(probed).toEqual([]);
  });

  it('[SCAN12] a movie that was renamed to an extra is gone', async () => {
    put('Heat (1995).mkv');
    put('Stay (2000).mkv');
    await scan();
    renameSync(join(root, 'Heat (1995).mkv'), join(root, 'Heat-trailer.mkv'));
    await scan();
    expect((await rows()).map(({ path, title, isHidden }) => [path, title, isHidden])).toEqual([
      ['Heat-trailer.mkv', 'Heat', true],
      ['Stay (2000).mkv', 'Stay', false],
    ]);
  });
});

describe('extras', () => {
  it('[SCAN12] are not opened while their movie is not there, and found by the scan after it came', async () => {
    put('Heat (1995)/trailer.mkv');
    put('Heat (1995)/backdrops/fire.mkv');
    put('Ronin (1998).mkv');
    expect(await scan()).toMatchObject({ seen: 1 });
    expect(probed).toEqual(['Ronin (1998).mkv']);
    put('Heat (1995)/Heat (1995).mkv');
    expect(await scan()).toMatchObject({ seen: 3, toDo: 2 });
    const movieId = (await row('Heat (1995)/Heat (1995).mkv'))!.movieId;
    expect(await row('Heat (1995)/trailer.mkv')).toMatchObject({ movieId, state: 'playable' });
    expect(await row('Heat (1995)/backdrops/fire.mkv')).toBeUndefined();
  });

  it('[SCAN12] are gone when they are gone, and come back as what they were', async () => {
    put('Heat (1995)/Heat (1995).mkv');
    put('Heat (1995)/Extras/Talk.mkv', 'talk');
    await scan();
    const before = (await row('Heat (1995)/Extras/Talk.mkv'))!;
    rmSync(join(root, 'Heat (1995)/Extras'), { recursive: true });
    expect(await scan()).toMatchObject({ missing: 1 });
    put('Heat (1995)/Extras/Talk.mkv', 'talk');
    await scan();
    expect(await row('Heat (1995)/Extras/Talk.mkv')).toMatchObject({ id: before.id, state: 'playable' });
  });
});

describe('subtitles in files of their own', () => {
  const sidecars = async () => [
    ...(await database.sql<object[]>`
      select s.path, f.path as of, s.language, s.is_forced as forced from sidecar s
      join movie_file f on f.id = s.file_id order by s.path`),
  ];
  const changes = async () => (await database.sql`select from change where kind = 'movie'`).length;

  it('[SIDE1] [SIDE2] belong to the video whose name they bear, or to the only movie that is there', async () => {
    put('Heat (1995)/Heat (1995).mkv');
    put('Heat (1995)/Heat (1995).en.forced.srt');
    put('Heat (1995)/German.srt');
    put('Heat (1995)/Subs/2_French.srt');
    put('flat/Ronin.mkv');
    put('flat/Ronin 2.mkv');
    put('flat/Ronin 2.de.srt');
    put('flat/Ronin.de.srt');
    put('flat/nobody.de.srt');
    await scan();
    expect(await sidecars()).toEqual([
      { path: 'Heat (1995)/German.srt', of: 'Heat (1995)/Heat (1995).mkv', language: 'de', forced: false },
      {
        path: 'Heat (1995)/Heat (1995).en.forced.srt',
        of: 'Heat (1995)/Heat (1995).mkv',
        language: 'en',
        forced: true,
      },
      { path: 'Heat (1995)/Subs/2_French.srt', of: 'Heat (1995)/Heat (1995).mkv', language: 'fr', forced: false },
      { path: 'flat/Ronin 2.de.srt', of: 'flat/Ronin 2.mkv', language: 'de', forced: false },
      { path: 'flat/Ronin.de.srt', of: 'flat/Ronin.mkv', language: 'de', forced: false },
    ]);
  });

  it('[SIDE3] are a change of their movie when they come, change or go, and no change else', async () => {
    put('Heat (1995).mkv');
    await scan();
    const before = await changes();
    put('Heat (1995).en.srt');
    await scan({ scopes: ['Heat (1995).en.srt'] });
    expect(await sidecars()).toHaveLength(1);
    expect(await changes()).toBe(before + 1);
    await scan();
    await scan({ scopes: ['Heat (1995).en.srt'] });
    expect(await changes()).toBe(before + 1);
    put('Heat (1995).en.srt', 'other words');
    await scan();
    expect(await changes()).toBe(before + 2);
    rmSync(join(root, 'Heat (1995).en.srt'));
    await scan({ scopes: ['Heat (1995).en.srt'] });
    expect(await sidecars()).toEqual([]);
    expect(await changes()).toBe(before + 3);
  });

  it('[SIDE4] [WALK10] may be there before their video', async () => {
    put('x/Heat (1995).en.srt');
    put('x/Subs/German.srt');
    put('Stay (2000).mkv');
    await scan();
    expect(await sidecars()).toEqual([]);
    put('x/Heat (1995).mkv');
    // What the watch says when a file comes: the file alone.
    await scan({ scopes: ['x/Heat (1995).mkv'] });
    expect(await sidecars()).toHaveLength(2);
  });

  it('[SIDE3] go along with a folder that is renamed', async () => {
    put('Haet (1995)/Heat (1995).mkv');
    put('Haet (1995)/Heat (1995).en.srt');
    await scan();
    renameSync(join(root, 'Haet (1995)'), join(root, 'Heat (1995)'));
    await scan({ scopes: ['Haet (1995)', 'Heat (1995)'] });
    expect(await sidecars()).toEqual([
      { path: 'Heat (1995)/Heat (1995).en.srt', of: 'Heat (1995)/Heat (1995).mkv', language: 'en', forced: false },
    ]);
  });
});

describe('copied discs', () => {
  it('[WALK11] are issues that say why they are not played', async () => {
    put('Heat (1995)/VIDEO_TS/VTS_01_1.VOB');
    put('Ronin (1998)/BDMV/STREAM/00001.m2ts');
    put('Stay (2000).iso');
    expect(await scan()).toMatchObject({ seen: 0 });
    expect(await issues()).toEqual([
      ['Heat (1995)/VIDEO_TS', 'discFolder'],
      ['Ronin (1998)/BDMV', 'discFolder'],
      ['Stay (2000).iso', 'discImage'],
    ]);
    put('Stay (2000).mkv');
    rmSync(join(root, 'Heat (1995)'), { recursive: true });
    await scan({ scopes: ['Heat (1995)'] });
    expect(await issues()).toHaveLength(2);
  });
});

describe('a file that is gone', () => {
  it('[SCAN7] is missing at once, and the same when it comes back, without a look inside', async () => {
    put('Heat (1995).mkv', 'heat');
    put('Stay (2000).mkv');
    await scan();
    const before = (await row('Heat (1995).mkv'))!;
    const away = join(dirname(root), `away-${process.pid}.mkv`);
    renameSync(join(root, 'Heat (1995).mkv'), away);
    expect(await scan()).toMatchObject({ missing: 1 });
    expect(await row('Heat (1995).mkv')).toMatchObject({ state: 'missing', isHidden: true });
    renameSync(away, join(root, 'Heat (1995).mkv'));
    probed = [];
    await scan();
    expect(await row('Heat (1995).mkv')).toMatchObject({ id: before.id, state: 'playable', isHidden: false });
    expect(probed).toEqual([]);
  });

  it('[SCAN8] one below a folder that cannot be read is neither there nor gone', async () => {
    put('shut/Heat (1995).mkv');
    put('open/Ronin (1998).mkv');
    await scan();
    // The walk says so; that it does is held by the tests of the walk.
    const blind = {
      look: walker.look.bind(walker),
      stat: walker.stat.bind(walker),
      async *walk(...args: Parameters<TreeWalker['walk']>) {
        for await (const batch of walker.walk(...args)) {
          const files = batch.files.filter(({ path }) => !path.startsWith('shut/'));
          yield { ...batch, files, issues: [{ path: 'shut', reason: 'notReadable' as const }], unseen: ['shut'] };
        }
      },
    };
    expect(await scan({}, { walker: blind })).toMatchObject({ missing: 0 });
    expect(await states()).toEqual({ 'open/Ronin (1998).mkv': 'playable', 'shut/Heat (1995).mkv': 'playable' });
    expect(await issues()).toEqual([['shut', 'notReadable']]);
    await scan();
    expect(await issues()).toEqual([]);
  });

  it.each([
    ['is not there', () => renameSync(root, `${root}-away`), 'ENOENT'],
    ['is suddenly empty', () => rmSync(join(root, 'a'), { recursive: true }), 'emptied'],
    [
      'is an empty mount point',
      () => {
        renameSync(root, `${root}-away`);
        mkdirSync(root);
      },
      'emptied',
    ],
    [
      'is another disk',
      () => {
        renameSync(root, `${root}-away`);
        mkdirSync(root);
        put('Stray (2020).mkv');
      },
      'emptied',
    ],
  ])('[SCAN9] when the library’s folder %s, nothing is marked', async (_, happen, code) => {
    put('a/Heat (1995).mkv');
    put('a/Ronin (1998).mkv');
    await scan();
    happen();
    const failure = await scan().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LibraryUnavailable);
    expect((failure as LibraryUnavailable).code).toBe(code);
    expect(await states()).toMatchObject({ 'a/Heat (1995).mkv': 'playable', 'a/Ronin (1998).mkv': 'playable' });
    await expect(scan({ scopes: ['a'] }))
      .resolves.toMatchObject({ missing: 0 })
      .catch(() => undefined);
    expect(await states()).toMatchObject({ 'a/Heat (1995).mkv': 'playable' });
    rmSync(`${root}-away`, { recursive: true, force: true });
  });

  it('[SCAN9] a library that was empty so far is filled, whatever disk comes to its place', async () => {
    await scan();
    renameSync(root, `${root}-away`);
    put('Heat (1995).mkv');
    expect(await scan()).toMatchObject({ seen: 1, missing: 0 });
    expect(await states()).toEqual({ 'Heat (1995).mkv': 'playable' });
    rmSync(`${root}-away`, { recursive: true });
  });

  it('[SCAN7] a library where every file was replaced is no unmounted disk', async () => {
    put('Heat (1995).mkv');
    await scan();
    rmSync(join(root, 'Heat (1995).mkv'));
    put('Ronin (1998).mkv');
    await scan();
    expect(await states()).toEqual({ 'Heat (1995).mkv': 'missing', 'Ronin (1998).mkv': 'playable' });
  });
});

describe('a look at a part', () => {
  it('[SCAN7] finds what came and went there, and leaves the rest', async () => {
    put('a/Heat (1995).mkv');
    put('b/Ronin (1998).mkv');
    put('c/Alien (1979).mkv');
    await scan();
    rmSync(join(root, 'a'), { recursive: true });
    rmSync(join(root, 'b'), { recursive: true });
    put('a2/New (2020).mkv');
    put('c/More (2021).mkv');
    expect(await scan({ scopes: ['a', 'c/More (2021).mkv'] })).toMatchObject({ seen: 1, missing: 1 });
    expect(await states()).toEqual({
      'a/Heat (1995).mkv': 'missing',
      'b/Ronin (1998).mkv': 'playable',
      'c/Alien (1979).mkv': 'playable',
      'c/More (2021).mkv': 'playable',
    });
  });

  it('a file is dealt with once, however many of the places are above it', async () => {
    put('Heat (1995).mkv');
    put('Other (2000).mkv');
    await scan();
    const before = (await row('Heat (1995).mkv'))!;
    mkdirSync(join(root, 'Crime'));
    renameSync(join(root, 'Heat (1995).mkv'), join(root, 'Crime/Heat (1995).mkv'));
    put('Crime/New (2024).mkv');
    const scopes = ['Crime/Heat (1995).mkv', 'Heat (1995).mkv', 'Crime', 'Crime/New (2024).mkv', 'Crime'];
    expect(await scan({ scopes })).toMatchObject({ seen: 2, done: 2 });
    expect(await row('Crime/Heat (1995).mkv')).toMatchObject({ id: before.id, movieId: before.movieId });
    expect(await rows()).toHaveLength(3);
  });

  it('[SCAN3] follows a rename when it looks at both ends', async () => {
    put('Haet (1995).mkv');
    put('Other (2000).mkv');
    await scan();
    const before = (await row('Haet (1995).mkv'))!;
    renameSync(join(root, 'Haet (1995).mkv'), join(root, 'Heat (1995).mkv'));
    await scan({ scopes: ['Haet (1995).mkv', 'Heat (1995).mkv'] });
    expect(await row('Heat (1995).mkv')).toMatchObject({ id: before.id, movieId: before.movieId, title: 'Heat' });
  });
});

describe('a file that is still being written', () => {
  it('[SCAN6] is not shown as broken before it is quiet', async () => {
    put('Heat (1995).mkv', 'broken so far', 0);
    put('Old (2000).mkv');
    const clock = Object.create(systemClock) as typeof systemClock;
    let waits = 0;
    clock.sleep = async () => {
      // The copy goes on during the first wait and is done after it.
      waits++;
      if (waits === 1) put('Heat (1995).mkv', 'broken, but longer', 0);
      else if (waits === 2) put('Heat (1995).mkv', 'whole', 60_000);
      else age('Heat (1995).mkv', 60_000);
    };
    const seenStates: string[] = [];
    const watching: ScanStore = {
      ...store,
      write: (id, writes) => {
        seenStates.push(
          ...writes.map((write) => (write.kind === 'probed' && 'failure' in write.outcome ? 'broken' : 'fine')),
        );
        return store.write(id, writes);
      },
    };
    expect(await scan({}, { clock, store: watching })).toMatchObject({ unsettled: [] });
    expect(seenStates).toEqual(['fine', 'fine']);
    expect(await row('Heat (1995).mkv')).toMatchObject({ state: 'playable' });
  });

  it('[SCAN6] that stays broken is listed once it is quiet', async () => {
    put('Heat (1995).mkv', 'broken', 0);
    const clock = Object.create(systemClock) as typeof systemClock;
    clock.sleep = async () => age('Heat (1995).mkv', 60_000);
    await scan({}, { clock });
    expect(await row('Heat (1995).mkv')).toMatchObject({ state: 'unplayable', failure: 'truncated' });
  });

  it('[SCAN6] that already plays is shown at once, and named to be looked at again', async () => {
    put('Heat (1995).mkv', 'plays', 0);
    expect(await scan()).toMatchObject({ unsettled: ['Heat (1995).mkv'] });
    expect(await row('Heat (1995).mkv')).toMatchObject({ state: 'playable' });
  });

  it('[SCAN6] is left alone where a later look is due anyway', async () => {
    put('Heat (1995).mkv', 'plays', 0);
    put('Old (2000).mkv');
    expect(await scan({ unsettled: 'later' })).toMatchObject({ unsettled: ['Heat (1995).mkv'] });
    expect(await states()).toEqual({ 'Old (2000).mkv': 'playable' });
    appendFileSync(join(root, 'Heat (1995).mkv'), ' more');
    age('Heat (1995).mkv', 60_000);
    expect(await scan({ unsettled: 'later', scopes: ['Heat (1995).mkv'] })).toMatchObject({ unsettled: [] });
    expect(await states()).toEqual({ 'Heat (1995).mkv': 'playable', 'Old (2000).mkv': 'playable' });
  });
});

describe('stopping', () => {
  it('[SCAN10] keeps what was written and marks nothing as gone; the next scan goes on from there', async () => {
    put('Gone (1990).mkv');
    await scan();
    rmSync(join(root, 'Gone (1990).mkv'));
    for (let index = 0; index < 300; index++) put(`Movie ${index} (2000).mkv`);
    const abort = new AbortController();
    probe = async (path, signal) => {
      if (probed.length > 150) abort.abort(new Error('enough'));
      signal?.throwIfAborted();
      return byContent(path);
    };
    probed = [];
    await expect(scan({ signal: abort.signal })).rejects.toThrow('enough');
    const { length } = await rows();
    expect(length).toBeGreaterThan(1);
    expect(length).toBeLessThan(301);
    expect(await states()).toMatchObject({ 'Gone (1990).mkv': 'playable' });
    probe = async (path) => byContent(path);
    probed = [];
    expect(await scan()).toMatchObject({ seen: 300, toDo: 301 - length, missing: 1 });
    expect(probed).toHaveLength(301 - length);
  });

  it('[SCAN10] one that was stopped before it began does nothing', async () => {
    put('Heat (1995).mkv');
    const abort = new AbortController();
    abort.abort(new Error('no'));
    await expect(scan({ signal: abort.signal })).rejects.toThrow('no');
    expect(await rows()).toEqual([]);
  });
});
