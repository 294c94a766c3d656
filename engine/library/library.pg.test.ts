import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import type { Catalogue as Browsing } from '#engine/catalogue/catalogue.ts';
import { FeedHub } from '#engine/feeds/feed-hub.ts';
import { HealthBoard } from '#engine/health/health-board.ts';
import { HashPool } from '#engine/hosts/hash-pool.ts';
import type { ProbeResult } from '#engine/hosts/probe.port.ts';
import { JobBoard, JobFailure } from '#engine/jobs/job-board.ts';
import { VIDEO_EXTENSIONS } from '#engine/media/file-name.ts';
import { FolderLook } from '#engine/store/files/folder-look.ts';
import { TreeWalker } from '#engine/store/files/tree-walker.ts';
import { TreeWatcher } from '#engine/store/files/tree-watcher.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import type { Catalogue } from '#engine/store/postgres/catalogue.ts';
import { openChangeLog } from '#engine/store/postgres/change-feed.ts';
import { createJobStore } from '#engine/store/postgres/job-store.ts';
import type { Failure } from '#protocol/errors.ts';
import { parse } from 'valibot';
import { libraryFeed, movieFeed } from '#protocol/feeds.ts';
import { libraries as libraryCalls, movies as movieCalls } from '#protocol/index.ts';
import { openBrowsing } from '#test/support/browsing.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { LibraryDomain } from './library.ts';
import type { LibraryPorts } from './library.ts';
import type { MediaPort, WatchMode } from './ports.ts';

const newId = createUuidFactory(systemClock);
const hashes = new HashPool({ threads: 1 });
let database: TestDatabase;
let base: string;
let movies: string;
let domain: LibraryDomain;
let jobs: JobBoard;
let health: HealthBoard;
let catalogue: Catalogue;
let browsing: Browsing;
let walker: TreeWalker;
/** What the media hosts would do. */
let probe: (path: string) => ProbeResult | Promise<ProbeResult>;
let released: string[];
let scanned: { libraryId: string; scopes: readonly string[] }[];

beforeAll(async () => {
  database = await createTestDatabase({ max: 8 });
});
afterAll(async () => {
  await hashes[Symbol.asyncDispose]();
  await database.drop();
});
beforeEach(async () => {
  await database.sql`truncate library, movie, change, job, app_user restart identity cascade`;
  base = realpathSync(mkdtempSync(join(tmpdir(), 'library-')));
  movies = join(base, 'Movies');
  mkdirSync(movies);
  mkdirSync(join(base, 'data'));
  probe = () => ({ ok: true, media: mediaInfo(), keyframesUs: null });
  released = [];
  scanned = [];
  await open();
});
afterEach(async () => {
  await close();
  rmSync(base, { recursive: true, force: true });
});

async function open(watchMode: WatchMode = 'off'): Promise<void> {
  catalogue = createCatalogue(database.sql, { newId });
  browsing = await openBrowsing(database.sql, catalogue.movies);
  walker = new TreeWalker({ extensions: VIDEO_EXTENSIONS, excluded: [join(base, 'data')] });
  jobs = new JobBoard({ store: createJobStore(database.sql), clock: systemClock, newId, log: silentLog });
  health = new HealthBoard(systemClock);
  const media: MediaPort = {
    probe: async (path) => probe(path),
    release: async (path) => released.push(path) > 0,
  };
  const ports: LibraryPorts = {
    walker,
    hashes,
    media,
    store: catalogue.scans,
    clock: systemClock,
    log: silentLog,
    libraries: catalogue.libraries,
    shown: browsing.shown,
    folders: new FolderLook({ dataFolder: join(base, 'data'), extensions: VIDEO_EXTENSIONS }),
    watcher: new TreeWatcher({ pollIntervalMs: 60_000, extensions: VIDEO_EXTENSIONS }),
    pictures: {
      wake: () => undefined,
      scanned: (libraryId, scopes) => void scanned.push({ libraryId, scopes }),
    },
    jobs,
    health,
  };
  domain = new LibraryDomain({
    ports,
    newId,
    watchMode,
    deletionGraceMs: 30 * 86_400_000,
    jobFailure: (message) => new JobFailure(message),
  });
}

async function close(): Promise<void> {
  await jobs[Symbol.asyncDispose]();
  await domain[Symbol.asyncDispose]();
  await browsing[Symbol.asyncDispose]();
  walker[Symbol.dispose]();
}

function put(path: string, content = path): void {
  const file = join(movies, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  utimesSync(file, 1_700_000_000, 1_700_000_000);
}

const admin = testViewer('01890000-0000-7000-8000-00000000000a', 'admin');
const user = testViewer('01890000-0000-7000-8000-00000000000b', 'user');
const asAdmin = () => testContext({ viewer: admin });
const asUser = () => testContext({ viewer: user });

/** Waits until a job of this kind has ended, and what it changed was told. */
async function jobEnded(kind: string, count = 1): Promise<void> {
  for (;;) {
    const next = Promise.withResolvers<void>();
    const stop = jobs.onEntries(() => next.resolve());
    const ended = (await jobs.list(100)).filter((job) => job.kind === kind && job.endedAt !== null);
    if (ended.length >= count) return stop();
    await next.promise;
    stop();
  }
}

const titles = async () =>
  (await browsing.handlers.movies.list(parse(movieCalls.list.input, {}), asUser())).movies.map(({ title }) => title);

async function addLibrary(path = movies) {
  return (await domain.handlers.libraries.add({ path }, asAdmin())).library;
}

describe('starting', () => {
  it('[KEEP1] makes libraries of the folders in the configuration, once, and scans them', async () => {
    put('Heat (1995).mkv');
    await domain.start([movies]);
    await jobEnded('scan');
    expect(await titles()).toEqual(['Heat']);
    await close();
    put('Ronin (1998).mkv');
    await open();
    await domain.start([`${movies}/`]);
    await jobEnded('scan', 2);
    expect((await domain.list(true)).map(({ name, path, movieCount }) => [name, path, movieCount])).toEqual([
      ['Movies', movies, 2],
    ]);
    // Leaving the folder out of the configuration forgets nothing.
    await close();
    await open();
    await domain.start([]);
    expect(await domain.list(true)).toHaveLength(1);
  });

  it('[KEEP1] keeps a library whose folder is not there yet, and says so', async () => {
    const later = join(base, 'later');
    expect(await domain.start([later])).toMatchObject([{ path: later, problem: 'notFound' }]);
    await jobEnded('scan');
    expect((await domain.list(true)).map(({ name }) => name)).toEqual(['later']);
    expect(health.items().map(({ id }) => id)).toEqual([expect.stringMatching(/^libraryUnavailable\//)]);
  });

  it('[SCAN11] a scan that was cut short by a kill is run again, and finds the rest', async () => {
    for (let index = 0; index < 60; index++) put(`Movie ${index} (2000).mkv`);
    const library = (await catalogue.libraries.add({ id: newId(), name: 'Movies', path: movies }))!;
    const script = join(import.meta.dirname, '../../test/support/hosts/killed-scan.host.ts');
    const child = spawn(process.execPath, [script, database.url, library.id, movies, '30'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const left = await catalogue.libraries.counts();
    expect(left.get(library.id)!.fileCount).toBeGreaterThan(0);
    expect(left.get(library.id)!.fileCount).toBeLessThan(60);
    expect((await jobs.takeInterrupted()).map(({ kind, libraryId }) => [kind, libraryId])).toEqual([
      ['scan', library.id],
    ]);
    let probes = 0;
    probe = () => {
      probes++;
      return { ok: true, media: mediaInfo(), keyframesUs: null };
    };
    await domain.start([]);
    await jobEnded('scan', 2);
    expect((await domain.list(true))[0]).toMatchObject({ movieCount: 60, fileCount: 60 });
    expect(probes).toBe(60 - left.get(library.id)!.fileCount);
  });
});

describe('watching', () => {
  beforeEach(async () => {
    await close();
    await open('auto');
  });

  it('[WATCH1] [KEEP3] movies come, move and go by themselves', async () => {
    await addLibrary();
    await jobEnded('scan');
    put('Heat (1995).mkv');
    // One look or several: what is told of a rename or of two files may come by and by.
    await expect.poll(titles).toEqual(['Heat']);
    const [before] = (await browsing.handlers.movies.list(parse(movieCalls.list.input, {}), asUser())).movies;
    expect(before).toMatchObject({ title: 'Heat', isPlayable: true });
    renameSync(join(movies, 'Heat (1995).mkv'), join(movies, 'Heat II (1995).mkv'));
    await expect.poll(titles).toEqual(['Heat II']);
    const [after] = (await browsing.handlers.movies.list(parse(movieCalls.list.input, {}), asUser())).movies;
    expect(after).toMatchObject({ id: before!.id, title: 'Heat II' });
    put('Stay (2000).mkv');
    rmSync(join(movies, 'Heat II (1995).mkv'));
    await expect.poll(titles).toEqual(['Stay']);
    expect((await domain.list(false))[0]).toMatchObject({ watching: 'events', path: null });
  });
});

describe('the calls of libraries', () => {
  it('add, list, scan and remove', async () => {
    put('Heat (1995).mkv');
    const library = await addLibrary();
    expect(library).toMatchObject({ name: 'Movies', path: movies });
    await jobEnded('scan');
    expect(parse(libraryCalls.list.output, await domain.handlers.libraries.list({}, asUser()))).toMatchObject({
      libraries: [{ id: library.id, path: null, movieCount: 1, fileCount: 1, issueCount: 0, scan: null }],
    });
    expect((await domain.handlers.libraries.list({}, asAdmin())).libraries[0]!.path).toBe(movies);
    const { jobIds } = await domain.handlers.libraries.scan({}, asAdmin());
    expect(jobIds).toHaveLength(1);
    await jobEnded('scan', 2);
    expect(await domain.handlers.libraries.remove({ libraryId: library.id }, asAdmin())).toEqual({});
    expect(await domain.list(true)).toEqual([]);
    expect(await titles()).toEqual([]);
  });

  it('a folder that cannot be a library is refused with everything that is known of it', async () => {
    await addLibrary();
    const failure = await Promise.resolve(domain.handlers.libraries.add({ path: movies }, asAdmin())).catch(
      (error: unknown) => error as Failure,
    );
    expect(failure).toMatchObject({
      code: 'folderProblem',
      data: { problem: 'alreadyALibrary', check: { path: movies } },
    });
    expect(await domain.handlers.libraries.check({ path: join(base, 'gone') }, asAdmin())).toMatchObject({
      problem: 'notFound',
      at: { path: base },
    });
    expect(await domain.handlers.libraries.browse({ path: base }, asAdmin())).toMatchObject({
      folders: [{ name: 'data' }, { name: 'Movies' }],
    });
  });

  it('what is not there is not found', async () => {
    const libraryId = newId();
    for (const call of [
      () => domain.handlers.libraries.remove({ libraryId }, asAdmin()),
      () => domain.handlers.libraries.scan({ libraryId }, asAdmin()),
      () => domain.handlers.libraries.retryFile({ fileId: libraryId }, asAdmin()),
      () => domain.handlers.libraries.browse({ path: join(base, 'gone') }, asAdmin()),
      () => browsing.handlers.movies.get({ movieId: libraryId }, asUser()),
    ]) {
      await expect(Promise.resolve().then(call)).rejects.toMatchObject({ code: 'notFound' });
    }
  });

  it('[SCAN5] an unplayable file is named with its reason, and tried again when asked, also from quarantine', async () => {
    put('Heat (1995).mkv');
    probe = () => ({ ok: false, failure: 'quarantined' });
    await addLibrary();
    await jobEnded('scan');
    const { total, issues } = await domain.handlers.libraries.issues({ offset: 0, limit: 50 }, asAdmin());
    expect(parse(libraryCalls.issues.output, { total, issues })).toMatchObject({
      total: 1,
      issues: [{ path: 'Heat (1995).mkv', reason: 'quarantined' }],
    });
    const fileId = issues[0]!.fileId!;
    expect(await domain.handlers.libraries.retryFile({ fileId }, asAdmin())).toEqual({
      isPlayable: false,
      failure: 'quarantined',
    });
    probe = () => ({ ok: true, media: mediaInfo(), keyframesUs: null });
    expect(await domain.handlers.libraries.retryFile({ fileId }, asAdmin())).toEqual({
      isPlayable: true,
      failure: null,
    });
    expect(released).toEqual([join(movies, 'Heat (1995).mkv'), join(movies, 'Heat (1995).mkv')]);
    expect((await domain.handlers.libraries.issues({ offset: 0, limit: 50 }, asAdmin())).total).toBe(0);
    rmSync(join(movies, 'Heat (1995).mkv'));
    expect(await domain.handlers.libraries.retryFile({ fileId }, asAdmin())).toEqual({
      isPlayable: false,
      failure: 'notFound',
    });
  });

  it('[SCAN15] a file that was quarantined by playing it is named like any other', async () => {
    put('Heat (1995).mkv');
    put('Ronin (1998).mkv');
    await addLibrary();
    await jobEnded('scan');
    const issues = async () => (await domain.handlers.libraries.issues({ offset: 0, limit: 50 }, asAdmin())).issues;
    const heat = { path: join(movies, 'Heat (1995).mkv'), sizeBytes: 15, modifiedMs: 1_699_999_999_999 };
    // Of another version of the file, of no file, of no library.
    await domain.quarantined([
      { ...heat, sizeBytes: 14 },
      { ...heat, path: '/elsewhere/Heat (1995).mkv' },
    ]);
    expect(await issues()).toEqual([]);

    await domain.quarantined([heat]);
    const [issue, ...others] = await issues();
    expect([issue, others]).toMatchObject([{ path: 'Heat (1995).mkv', reason: 'quarantined' }, []]);
    const { movies: tiles } = await browsing.handlers.movies.list(parse(movieCalls.list.input, {}), asUser());
    expect(tiles.map(({ title, isPlayable }) => [title, isPlayable])).toEqual([
      ['Heat', false],
      ['Ronin', true],
    ]);
    expect(await domain.handlers.libraries.retryFile({ fileId: issue!.fileId! }, asAdmin())).toEqual({
      isPlayable: true,
      failure: null,
    });
    expect(await issues()).toEqual([]);
  });

  it('[SCAN10] a scan can be cancelled', async () => {
    for (let index = 0; index < 40; index++) put(`Movie ${index} (2000).mkv`);
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    probe = async () => {
      begun.resolve();
      await held.promise;
      return { ok: true, media: mediaInfo(), keyframesUs: null };
    };
    await addLibrary();
    await begun.promise;
    const [running] = await jobs.list(1);
    const cancelling = jobs.handlers.cancel({ jobId: running!.id }, asAdmin());
    held.resolve();
    await cancelling;
    await jobEnded('scan');
    expect((await jobs.list(10)).find(({ kind }) => kind === 'scan')!.state).toBe('cancelled');
    await domain.handlers.libraries.scan({}, asAdmin());
    await jobEnded('scan', 2);
    expect((await domain.list(true))[0]!.fileCount).toBe(40);
  });
});

describe('movies', () => {
  it('[CAT1] paths are told to those who manage libraries, to nobody else', async () => {
    put('a/Heat (1995).mkv');
    await addLibrary();
    await jobEnded('scan');
    const { movies: tiles } = await browsing.handlers.movies.list(parse(movieCalls.list.input, {}), asUser());
    const movieId = tiles[0]!.id;
    const seen = parse(movieCalls.get.output, await browsing.handlers.movies.get({ movieId }, asUser()));
    expect(seen.movie.files[0]).toMatchObject({ name: 'Heat (1995).mkv', path: null });
    expect(seen.progress).toBeNull();
    expect((await browsing.handlers.movies.get({ movieId }, asAdmin())).movie.files[0]!.path).toBe('a/Heat (1995).mkv');
    expect(JSON.stringify(await browsing.handlers.movies.home({ limit: 5 }, asUser()))).not.toContain(base);
  });
});

describe('the feeds', () => {
  it('[CAT2] every change of a scan is on the screens that follow it', async () => {
    const changes = await openChangeLog(database.sql, () => undefined);
    const hub = await FeedHub.start({
      changes,
      sources: [domain.feedSources.library, domain.feedSources.movie] as never,
      processEpoch: 'p',
      log: silentLog,
    });
    const { library, movie } = domain.feedSources;
    expect(library.audienceOf(user)).not.toBe(library.audienceOf(admin));
    put('Heat (1995).mkv');
    const added = await addLibrary();
    await jobEnded('scan');
    const all = await changes.changesAfter(0, 1_000);
    const entries = await library.entries(all, library.audienceOf(user), null);
    for (const entry of entries) parse(libraryFeed.entry, entry);
    const movieEntry = entries.find(({ kind }) => kind === 'movie')!;
    expect(movieEntry).toMatchObject({ movie: { title: 'Heat', year: 1995, isPlayable: true } });
    expect(entries).toContainEqual({ kind: 'movieCount', id: 'all', count: 1 });
    expect(entries.find(({ kind }) => kind === 'library')).toMatchObject({
      library: { id: added.id, path: null, movieCount: 1 },
    });
    expect(parse(libraryFeed.snapshot, await library.snapshot(library.audienceOf(admin), null))).toMatchObject({
      movieCount: 1,
      libraries: [{ path: movies }],
    });
    const key = movieEntry.id;
    expect(all.some((change) => movie.concerns(change, 'all', key))).toBe(true);
    expect(all.some((change) => movie.concerns(change, 'all', newId()))).toBe(false);
    const [page] = await movie.entries([], movie.audienceOf(admin), key);
    expect(parse(movieFeed.entry, page)).toMatchObject({ movie: { files: [{ path: 'Heat (1995).mkv' }] } });
    expect(parse(movieFeed.snapshot, await movie.snapshot('all', newId()))).toEqual({ movie: null });
    await domain.handlers.libraries.remove({ libraryId: added.id }, asAdmin());
    const later = await changes.changesAfter(all.at(-1)!.seq, 1_000);
    const gone = await library.entries(later, 'all', null);
    expect(gone).toContainEqual({ kind: 'movie', id: key, movie: null });
    expect(gone).toContainEqual({ kind: 'library', id: added.id, library: null });
    await hub[Symbol.asyncDispose]();
  });
});

describe('pictures', () => {
  it('[KEEP1] are told of every scan, and of what was looked at', async () => {
    put('Heat (1995).mkv');
    const { id } = await addLibrary();
    await jobEnded('scan');
    await expect.poll(() => scanned).toEqual([{ libraryId: id, scopes: [''] }]);
    expect(domain.isScanning).toBe(false);
  });
});
