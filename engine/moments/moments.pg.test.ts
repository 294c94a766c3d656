/** Marks and what follows, on a real database, real files and real hosts. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { MediaHosts } from '#engine/hosts/media-hosts.ts';
import { PictureCache } from '#engine/store/files/picture-cache.ts';
import { createMomentStore } from '#engine/store/postgres/moment-store.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { JINGLE_MS, episode } from '#test/support/episodes.ts';
import { clips } from '#test/support/media.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { Moments } from './moments.ts';
import type { MomentsOptions } from './moments.ts';
import type { MomentWork } from './ports.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let folder: string;
let hosts: MediaHosts;
let ada: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'matinee-moments-'));
  hosts = new MediaHosts({ log: silentLog, probeHosts: 1, spareHosts: 0 });
});
afterAll(async () => {
  await hosts[Symbol.asyncDispose]();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const { sql } = database;
  await sql`truncate movie, library, app_user, collection, change cascade`;
  ada = newId();
  await sql`insert into app_user (id, name, role, password_hash) values (${ada}, 'Ada', 'admin', '-')`;
});

/** Orders as they were given; `run` carries them out until there are none. */
class TestWork implements MomentWork {
  readonly orders: Parameters<MomentWork['order']>[0][number][] = [];
  readonly #handlers = new Map<string, Parameters<MomentWork['handle']>[2]>();

  order(orders: Parameters<MomentWork['order']>[0]): Promise<void> {
    this.orders.push(...orders);
    return Promise.resolve();
  }
  handle(...[kind, , work]: Parameters<MomentWork['handle']>): void {
    this.#handlers.set(kind, work);
  }
  async run(): Promise<string[]> {
    const outcomes: string[] = [];
    for (let order = this.orders.shift(); order; order = this.orders.shift()) {
      const job = { signal: new AbortController().signal, progress: () => undefined };
      outcomes.push((await this.#handlers.get(order.kind)!(order.payload, job)).kind);
    }
    return outcomes;
  }
}

let opened: Moments[] = [];
afterEach(() => {
  for (const moments of opened) moments[Symbol.dispose]();
  opened = [];
});
async function open(options: Partial<MomentsOptions> = {}) {
  const work = new TestWork();
  const store = createMomentStore(database.sql);
  const moments = new Moments({
    ...{ store, hosts, work, clock: systemClock, log: silentLog, previews: 'ahead', marks: 'all' },
    cache: await PictureCache.open(join(folder, newId()), 1e8),
    previewQuotaBytes: 1e8,
    scratchFolder: join(folder, 'scratch'),
    ...options,
  });
  opened.push(moments);
  return { moments, work, store };
}

async function addLibrary(path: string): Promise<string> {
  const id = newId();
  await database.sql`insert into library (id, name, path) values (${id}, 'Movies', ${path})`;
  return id;
}

/** A movie with one file. `source` is a real one, whose name in the library does not matter to who reads it. */
async function addMovie(
  libraryId: string,
  title: string,
  part: { path?: string; media?: MediaInfo; sizeBytes?: number } = {},
): Promise<{ movieId: string; fileId: string }> {
  const [movieId, fileId] = [newId(), newId()];
  const { sql } = database;
  await sql`insert into movie (id, title, is_playable, best_file_id) values (${movieId}, ${title}, true, ${fileId})`;
  await sql`
    insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, media)
    values (${fileId}, ${movieId}, ${libraryId}, ${part.path ?? `${title}.mkv`}, ${part.sizeBytes ?? 1_000}, 1, '1', 'playable',
      ${sql.json(part.media ?? mediaInfo())})`;
  return { movieId, fileId };
}

const context = () => testContext({ viewer: testViewer(ada, 'admin') });
const changes = async () =>
  (await database.sql<{ feed: string; entityId: string }[]>`select feed, entity_id as "entityId" from change`).map(
    ({ feed, entityId }) => `${feed} ${entityId}`,
  );

const NAMED = mediaInfo({
  durationMs: 600_000,
  chapters: [
    { startMs: 0, endMs: 40_000, title: 'Opening Credits' },
    { startMs: 40_000, endMs: 560_000, title: 'The film' },
    { startMs: 560_000, endMs: 600_000, title: 'Abspann' },
  ],
});

describe('marks', () => {
  it('[PLAY67] a person’s go before those of machines, for everybody at once, until they are forgotten', async () => {
    const { moments } = await open();
    const { movieId, fileId } = await addMovie(await addLibrary('/movies'), 'Heat', { media: NAMED });
    const { handlers } = moments;
    const found = { markers: [{ kind: 'intro', endMs: 40_000, source: 'chapters' }, { kind: 'credits' }] };
    expect(await handlers.markers({ fileId }, context())).toMatchObject({ ...found, said: [] });
    expect(await changes()).toEqual([]);

    const set = await handlers.setMarker({ fileId, kind: 'intro', startMs: 5_000, endMs: 50_000 }, context());
    expect(set.said).toEqual(['intro']);
    expect(set.markers[0]).toEqual({ kind: 'intro', startMs: 5_000, endMs: 50_000, source: 'person', confidence: 100 });
    expect(await changes()).toEqual([`moments ${movieId}`]);
    const entries = await moments.feedSource.entries([], 'all', movieId);
    expect(entries).toEqual([{ kind: 'markers', id: fileId, markers: set.markers }]);

    const removed = await handlers.removeMarker({ fileId, kind: 'intro' }, context());
    expect(removed.markers.map(({ kind }) => kind)).toEqual(['credits']);
    expect((await handlers.markers({ fileId }, context())).said).toEqual(['intro']);
    expect(await handlers.resetMarker({ fileId, kind: 'intro' }, context())).toMatchObject({ ...found, said: [] });
    expect(await changes()).toHaveLength(3);
  });

  it('[PLAY67] none outside of the file, none of a file that is not there', async () => {
    const { moments } = await open();
    const { fileId } = await addMovie(await addLibrary('/movies'), 'Heat', { media: NAMED });
    const mark = (startMs: number, endMs: number) =>
      moments.handlers.setMarker({ fileId, kind: 'credits', startMs, endMs }, context());
    await expect(mark(10, 10)).rejects.toMatchObject({ code: 'notInFile', data: { durationMs: 600_000 } });
    await expect(mark(10, 602_000)).rejects.toMatchObject({ code: 'notInFile' });
    const unknown = { fileId: newId() };
    await expect(moments.handlers.markers(unknown, context())).rejects.toMatchObject({ code: 'notFound' });
  });

  it('[PLAY64] the settings say what machines may look for', async () => {
    const { fileId } = await addMovie(await addLibrary('/movies'), 'Heat', { media: NAMED });
    const { moments: off, work, store } = await open({ marks: 'off', previews: 'off' });
    expect((await off.handlers.markers({ fileId }, context())).markers).toEqual([]);
    const file = (await store.file(fileId, { withHidden: true }))!;
    expect(await off.opened(file, 0, ada)).toEqual({ previews: null, markers: [], next: null });
    await off.lookAhead();
    expect(work.orders).toEqual([]);
    const { moments: named } = await open({ marks: 'chapters' });
    expect((await named.handlers.markers({ fileId }, context())).markers).toHaveLength(2);
  });

  it('[PLAY69] say where the credits of a movie of that length begin', async () => {
    const { moments } = await open();
    const { movieId } = await addMovie(await addLibrary('/movies'), 'Heat', { media: NAMED });
    expect(await moments.creditsStartMs(movieId, 600_500)).toBe(560_000);
    expect(await moments.creditsStartMs(movieId, 900_000)).toBeNull();
    expect(await moments.creditsStartMs(newId(), 600_000)).toBeNull();
  });
});

describe('looking into files', () => {
  it('[PLAY66] finds the jingle that three of a folder share, whoever comes last, and looks once', async () => {
    const paths = [
      await episode(1, 12),
      await episode(2, 31, ['-c:a', 'libmp3lame', '-b:a', '128k']),
      await episode(3, 20, ['-c:a', 'ac3', '-b:a', '192k', '-ac', '2']),
    ];
    const starts = [12, 31, 20];
    const { moments, work, store } = await open({ previews: 'off' });
    // The cache of clips is their folder; the library lies above it.
    const root = join(paths[0]!, '../..');
    const libraryId = await addLibrary(root);
    const added: string[] = [];
    for (const path of paths) {
      const probed = await hosts.probe(path);
      if (!probed.ok) throw new Error(probed.failure);
      const { size } = await stat(path);
      const { fileId } = await addMovie(libraryId, path, {
        path: path.slice(root.length + 1),
        media: probed.media,
        sizeBytes: size,
      });
      added.push(fileId);
    }
    await moments.lookAhead();
    expect(work.orders.map(({ kind, urgency }) => `${kind} ${urgency}`)).toEqual(Array(3).fill('marks bulk'));
    expect(await work.run()).toEqual(['done', 'done', 'done']);
    for (const [i, fileId] of added.entries()) {
      const { markers } = await moments.handlers.markers({ fileId }, context());
      expect(markers).toEqual([expect.objectContaining({ kind: 'intro', source: 'detected', confidence: 90 })]);
      expect(Math.abs(markers[0]!.startMs - starts[i]! * 1_000)).toBeLessThan(1_000);
      expect(Math.abs(markers[0]!.endMs - starts[i]! * 1_000 - JINGLE_MS)).toBeLessThan(1_000);
    }
    await moments.lookAhead();
    expect(work.orders).toEqual([]);
    expect(await store.unstudied(1, 10)).toEqual([]);
  });

  it('[PLAY65] waits for a file that is away, keeps a failure to itself, and looks again into one that has changed', async () => {
    const { moments, work, store } = await open({ previews: 'off' });
    const libraryId = await addLibrary(folder);
    const { fileId } = await addMovie(libraryId, 'Gone', { media: mediaInfo({ durationMs: 600_000 }) });
    await moments.lookAhead();
    expect(await work.run()).toEqual(['later']);
    expect(await store.unstudied(1, 10)).toEqual([fileId]);
    await writeFile(join(folder, 'Gone.mkv'), 'just words');
    await moments.lookAhead();
    expect(await work.run()).toEqual(['done']);
    const file = (await store.file(fileId, { withHidden: true }))!;
    expect(await store.study(file, 1)).toEqual({ soundPrint: null, failure: 'notMedia' });
    expect(await store.unstudied(1, 10)).toEqual([]);
    await database.sql`update movie_file set mtime_us = 2`;
    expect(await store.unstudied(1, 10)).toEqual([fileId]);
  });

  it('[PLAY63] waits while somebody watches', async () => {
    const busy = Object.assign(Object.create(hosts) as MediaHosts, {
      status: () => Promise.resolve({ renditions: 1, transcodes: 1 }),
    });
    const { moments, work } = await open({ hosts: busy });
    await addMovie(await addLibrary('/movies'), 'Heat', { media: NAMED });
    await moments.lookAhead();
    expect(work.orders.map(({ kind }) => kind).toSorted()).toEqual(['marks', 'previews']);
    expect(await work.run()).toEqual(['later', 'later']);
  });
});

describe('opening a movie', () => {
  it('[PLAY61] tells what is there at once, and makes the previews around the place, then the rest', async () => {
    const clock = new FakeClock(Date.now());
    const { moments, work, store } = await open({ clock });
    const path = await clips.h264Mkv();
    const probed = await hosts.probe(path);
    if (!probed.ok) throw new Error(probed.failure);
    const root = join(path, '..');
    const { fileId } = await addMovie(await addLibrary(root), 'Film', {
      path: path.slice(root.length + 1),
      media: probed.media,
    });
    const file = (await store.file(fileId, { withHidden: true }))!;
    const { previews } = await moments.opened(file, 0, ada);
    expect(previews).toMatchObject({ intervalMs: 1_000, widthPx: 320 });
    await clock.advance(1_500);
    const signal = new AbortController().signal;
    const sheet = await moments.sheet(file, 0, signal);
    expect((await stat(sheet!)).size).toBeGreaterThan(1_000);
    expect(await moments.sheet(file, 1, signal)).toBeNull();
    // The rest is promised: it is there although this process may end.
    await expect.poll(() => work.orders.map(({ kind }) => kind).toSorted()).toEqual(['marks', 'previews']);
  });

  it('[PLAY69] names what follows in a series or list, that is there and not watched', async () => {
    const { store } = await open();
    const { sql } = database;
    const libraryId = await addLibrary('/movies');
    const ids: string[] = [];
    for (const title of ['One', 'Two', 'Three', 'Four']) ids.push((await addMovie(libraryId, title)).movieId);
    const collectionId = newId();
    await sql`insert into collection (id, kind, name) values (${collectionId}, 'series', 'Numbers')`;
    for (const [position, id] of ids.entries()) {
      await sql`insert into collection_movie (collection_id, movie_id, position) values (${collectionId}, ${id}, ${position})`;
    }
    const next = async (i: number) => (await store.nextOf(ada, ids[i]!))?.title ?? null;
    expect([await next(0), await next(3)]).toEqual(['Two', null]);
    await sql`
      insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, observed_at)
      values (${ada}, ${ids[1]!}, 0, 1000, true, now())`;
    expect(await next(0)).toBe('Three');
    await sql`update movie set is_playable = false where id = ${ids[2]!}`;
    expect(await next(0)).toBe('Four');
    expect(await store.nextOf(newId(), ids[0]!)).toMatchObject({ title: 'Two' });
  });

  it('[PLAY63] makes ahead what people are in, then what came last', async () => {
    const { store } = await open();
    const { sql } = database;
    const libraryId = await addLibrary('/movies');
    const [old, recent, begun] = [
      await addMovie(libraryId, 'Old'),
      await addMovie(libraryId, 'Recent'),
      await addMovie(libraryId, 'Begun'),
    ];
    await sql`update movie set added_at = now() - interval '1 year' where id in ${sql([old.movieId, begun.movieId])}`;
    await sql`update movie set added_at = now() - interval '2 years' where id = ${begun.movieId}`;
    await sql`
      insert into progress (user_id, movie_id, position_ms, duration_ms, observed_at)
      values (${ada}, ${begun.movieId}, 500, 1000, now())`;
    expect(await store.likelyNext(10)).toEqual([begun.fileId, recent.fileId, old.fileId]);
    expect(await store.likelyNext(2)).toEqual([begun.fileId, recent.fileId]);
  });
});
