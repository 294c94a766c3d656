/** Downloads on a real database and a real folder. What makes the files is a stand-in that does as it is told. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import type { DownloadEvent, DownloadSpec } from '#engine/hosts/download.port.ts';
import { encodeKeyframes } from '#engine/media/keyframe-index.ts';
import { DownloadFolder } from '#engine/store/files/download-folder.ts';
import { createDownloadStore } from '#engine/store/postgres/download-store.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { audioTrack, mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { Downloads } from './downloads.ts';
import type { DownloadsOptions } from './downloads.ts';
import type { DownloadHosts, DownloadJob, DownloadWork } from './ports.ts';

const newId = createUuidFactory(systemClock);
const DAY_MS = 86_400_000;
/** 100 s at 800 kbit/s of picture, and 64 kbit/s of sound: some 10.8 MB as it is. */
const MEDIA: MediaInfo = mediaInfo({
  durationMs: 100_000,
  video: [videoTrack({ bitrateBps: 800_000 })],
  audio: [audioTrack({ bitrateBps: 64_000 })],
});
const SOURCE_BYTES = 11_000;
/** No subtitles. */
const PLAIN: { subtitles: string[]; burnedSubtitle: string | null } = { subtitles: [], burnedSubtitle: null };

let database: TestDatabase;
let base: string;
let people: Record<'ada' | 'bob', string>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'matinee-downloads-'));
  const { sql } = database;
  await sql`truncate movie, library, app_user, change cascade`;
  people = { ada: newId(), bob: newId() };
  for (const [name, id] of Object.entries(people)) {
    await sql`insert into app_user (id, name, role, password_hash) values (${id}, ${name}, 'user', '-')`;
  }
});
const begun: Downloads[] = [];
afterEach(async () => {
  // Their timers must not come into the next test.
  for (const downloads of begun.splice(0)) await downloads[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

/** Carries out orders one after the other when it is told to. */
class TestWork implements DownloadWork {
  readonly orders: string[] = [];
  readonly stop = new AbortController();
  #work: ((payload: unknown, job: DownloadJob) => Promise<unknown>) | null = null;
  #onNews: Parameters<DownloadWork['onNews']>[0] = () => undefined;

  order(orders: Parameters<DownloadWork['order']>[0]): Promise<void> {
    this.orders.push(...orders.map(({ key }) => key ?? ''));
    return Promise.resolve();
  }
  handle(...[, , work]: Parameters<DownloadWork['handle']>): void {
    this.#work = work;
  }
  onReturn(): () => void {
    return () => undefined;
  }
  onNews(listener: Parameters<DownloadWork['onNews']>[0]): () => void {
    this.#onNews = listener;
    return () => undefined;
  }
  cancelled(): void {
    this.#onNews('downloads', { kind: 'cancelled' });
  }
  async run(): Promise<void> {
    const copyId = this.orders.shift();
    await this.#work!({ copyId }, { signal: this.stop.signal, progress: () => undefined });
  }
  async runAll(): Promise<void> {
    while (this.orders.length > 0) await this.run();
  }
}

type Opening = {
  readonly spec: DownloadSpec;
  readonly tell: (event: DownloadEvent) => void;
  isClosed: boolean;
  held: boolean[];
};

/** Makes a file of so many bytes at once, or leaves it to the test. */
class TestHosts implements DownloadHosts {
  readonly opened: Opening[] = [];
  /** `null`: the test tells what comes of it. */
  sizeBytes: number | null = 1_000;
  transcodes = 0;
  onOpen: (opening: Opening) => void = () => undefined;

  async openDownload(spec: DownloadSpec, onEvent: (event: DownloadEvent) => void) {
    const opening: Opening = { spec, tell: onEvent, isClosed: false, held: [] };
    this.opened.push(opening);
    await mkdir(spec.workFolder, { recursive: true });
    await writeFile(join(spec.workFolder, 'segment'), 'half');
    if (this.sizeBytes !== null) {
      await writeFile(spec.resultPath, Buffer.alloc(this.sizeBytes));
      queueMicrotask(() => onEvent({ kind: 'finished', sizeBytes: this.sizeBytes! }));
    }
    this.onOpen(opening);
    const close = (): Promise<void> => {
      opening.isClosed = true;
      return Promise.resolve();
    };
    return { hold: (isHeld: boolean) => void opening.held.push(isHeld), close, [Symbol.asyncDispose]: close };
  }
  keyframes() {
    return Promise.resolve({ ok: false as const, failure: 'unsupported' as const });
  }
  status() {
    return Promise.resolve({ transcodes: this.transcodes });
  }
}

async function open(options: Partial<DownloadsOptions> = {}) {
  const work = new TestWork();
  const hosts = new TestHosts();
  const folder = await DownloadFolder.open(join(base, 'downloads'));
  const store = createDownloadStore(database.sql);
  const downloads = new Downloads({
    ...{ store, folder, hosts, work, newId, log: silentLog, clock: systemClock },
    subtitles: {
      choices: () => Promise.resolve([]),
      vtt: () => Promise.reject(new Error('none')),
      pictures: () => Promise.reject(new Error('none')),
    },
    wishes: () => Promise.resolve({ preferences: DEFAULT_PREFERENCES, remembered: {}, originalLanguage: null }),
    encoder: () => ({ h264: 'software', hardware: null }),
    sessions: { isAlive: () => Promise.resolve(true) },
    changes: { onChange: () => Promise.resolve(() => Promise.resolve()) },
    urlKey: new Uint8Array(32).fill(3),
    quotaBytes: 1e9,
    personQuotaBytes: 1e9,
    keptForMs: 7 * DAY_MS,
    ...options,
  });
  begun.push(downloads);
  await downloads.start();
  const files = async (): Promise<string[]> =>
    (await readdir(join(base, 'downloads'), { recursive: true })).filter((name) => name !== 'work').toSorted();
  return { downloads, work, hosts, folder, store, files, calls: downloads.handlers };
}

async function addMovie(
  title: string,
  media: MediaInfo = MEDIA,
): Promise<{ movieId: string; fileId: string; path: string }> {
  const [libraryId, movieId, fileId] = [newId(), newId(), newId()];
  const { sql } = database;
  const root = join(base, libraryId);
  await mkdir(root);
  const path = join(root, `${title}.mkv`);
  await writeFile(path, Buffer.alloc(SOURCE_BYTES));
  await sql`insert into library (id, name, path) values (${libraryId}, 'Movies', ${root})`;
  await sql`insert into movie (id, title, year, is_playable, best_file_id) values (${movieId}, ${title}, 1995, true, ${fileId})`;
  const keyframes = encodeKeyframes(Float64Array.from({ length: 50 }, (_, index) => index * 2_000_000));
  await sql`
    insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, media, keyframes)
    values (${fileId}, ${movieId}, ${libraryId}, ${`${title}.mkv`}, ${SOURCE_BYTES}, 1, '1', 'playable', ${sql.json(media)}, ${keyframes})`;
  return { movieId, fileId, path };
}

const as = (name: 'ada' | 'bob') => testContext({ viewer: testViewer(people[name]) });
const stateOf = async (part: Awaited<ReturnType<typeof open>>, name: 'ada' | 'bob', downloadId: string) =>
  (await part.calls.list({}, as(name))).downloads.find(({ id }) => id === downloadId);

describe('asking', () => {
  it('[DL7] [DL8] the same is the same; another’s is shared and stays for them', async () => {
    const part = await open();
    const target = await addMovie('Heat');
    const asked = { ...target, quality: '480p' as const, ...PLAIN };
    const one = (await part.calls.request(asked, as('ada'))).download;
    const key = newId();
    expect((await part.calls.request({ ...asked, key }, as('ada'))).download.id).toBe(one.id);
    const other = (await part.calls.request({ ...asked, key }, as('bob'))).download;
    expect((await part.calls.request({ ...asked, key }, as('bob'))).download.id).toBe(other.id);
    expect(other.id).not.toBe(one.id);
    expect([one.audioTracks, one.name]).toEqual([[1], 'Heat (1995) - 480p.mp4']);
    await part.work.runAll();
    expect(part.hosts.opened).toHaveLength(1);
    expect((await stateOf(part, 'ada', one.id))!.state).toBe('ready');
    expect(await part.files()).toHaveLength(1);
    await part.calls.remove({ downloadId: one.id }, as('ada'));
    expect((await stateOf(part, 'bob', other.id))!.state).toBe('ready');
    await part.calls.remove({ downloadId: other.id }, as('bob'));
    expect(await part.files()).toEqual([]);
  });

  it('[DL12] [DL13] no more than there is room for; who has had theirs makes room, the longest unused first', async () => {
    const part = await open({ quotaBytes: 25e6, personQuotaBytes: 22e6 });
    part.hosts.sizeBytes = 10_000_000;
    const [first, second, third] = [await addMovie('One'), await addMovie('Two'), await addMovie('Three')];
    const ask = (target: { movieId: string; fileId: string }, name: 'ada' | 'bob') =>
      part.calls.request({ ...target, quality: 'copy', ...PLAIN }, as(name));
    const a = (await ask(first, 'ada')).download;
    const b = (await ask(second, 'ada')).download;
    expect(a.sizeBytes).toBe(10_800_000);
    await part.work.runAll();
    await expect(ask(third, 'ada')).rejects.toMatchObject({
      code: 'noRoom',
      data: { whose: 'person', usedBytes: 20_000_000, limitBytes: 22_000_000, neededBytes: 10_800_000 },
    });
    await expect(ask(third, 'bob')).rejects.toMatchObject({ code: 'noRoom', data: { whose: 'server' } });
    expect((await stateOf(part, 'ada', a.id))!.state).toBe('ready');
    const { sql } = database;
    await sql`update prepared_copy set used_at = now() - interval '1 day' where file_id = ${first.fileId}`;
    await sql`update prepared_copy set used_at = now() where file_id = ${second.fileId}`;
    await ask(third, 'bob');
    expect(await stateOf(part, 'ada', a.id)).toMatchObject({ state: 'expired', expiresAt: null });
    expect((await stateOf(part, 'ada', b.id))!.state).toBe('ready');
    expect((await part.calls.list({}, as('ada'))).room.usedBytes).toBe(10_000_000);
  });

  it('[DL9] [DL10] each is told what is theirs, also that a movie was put away', async () => {
    const part = await open();
    const target = await addMovie('Heat');
    const told: [string, { kind: string; id: string; download?: { state: string } | null }][] = [];
    part.downloads.feedSources[0].onEntries((entries, audience) => {
      for (const entry of entries) told.push([audience, entry]);
    });
    const { download } = await part.calls.request({ ...target, quality: 'copy', ...PLAIN }, as('ada'));
    expect(download).toMatchObject({ state: 'queued', place: 1, progress: null, expiresAt: null });
    await part.work.runAll();
    const states = () => told.flatMap(([, { download: one }]) => (one === undefined ? [] : [one?.state ?? null]));
    await expect.poll(() => states().at(-1)).toBe('ready');
    expect(new Set(told.map(([audience]) => audience))).toEqual(new Set([people.ada]));
    await database.sql`update movie set hidden_at = now()`;
    await expect(part.calls.link({ downloadId: download.id }, as('ada'))).rejects.toMatchObject({ code: 'notFound' });
    await part.calls.request({ ...(await addMovie('Other')), quality: 'copy', ...PLAIN }, as('bob'));
    await expect.poll(() => told.some(([who, entry]) => who === people.ada && entry.download === null)).toBe(true);
  });

  it('[DL34] who runs the server is told of everybody’s as it happens, and of the room of all', async () => {
    const part = await open();
    const target = await addMovie('Heat');
    const [, everyones] = part.downloads.feedSources;
    type Entry = { kind: string; id: string; usedBytes?: number; download?: { state: string; person: string } | null };
    const told: Entry[] = [];
    everyones.onEntries((entries, audience) => {
      expect(audience).toBe(everyones.audienceOf());
      told.push(...(entries as unknown as Entry[]));
    });
    expect(await everyones.snapshot()).toEqual({ downloads: [], usedBytes: 0, limitBytes: 1e9 });
    const asked = { ...target, quality: 'copy' as const, ...PLAIN };
    const { download: adas } = await part.calls.request(asked, as('ada'));
    await part.calls.request(asked, as('bob'));
    await part.work.runAll();
    const lastOf = (person: string) => told.findLast(({ download }) => download?.person === person)?.download?.state;
    await expect.poll(() => [lastOf('ada'), lastOf('bob')]).toEqual(['ready', 'ready']);
    await expect.poll(() => told.findLast(({ kind }) => kind === 'room')?.usedBytes).toBe(1_000);
    const { downloads, usedBytes } = await everyones.snapshot();
    expect(downloads.map(({ person, state }) => [person, state])).toEqual([
      ['bob', 'ready'],
      ['ada', 'ready'],
    ]);
    expect(usedBytes).toBe(1_000);
    await part.calls.drop({ downloadId: adas.id }, as('ada'));
    await expect.poll(() => told.some(({ id, download }) => id === adas.id && download === null)).toBe(true);
  });

  it('[DL35] parts are asked for at once: all of them, or none where one can’t be had', async () => {
    const target = await addMovie('Cut in two');
    const { sql } = database;
    const secondId = newId();
    await sql`
      insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, media, keyframes, part)
      select ${secondId}, movie_id, library_id, 'second.mkv', size_bytes, mtime_us, '2', state, media, keyframes, 2 from movie_file`;
    await sql`update movie_file set part = 1 where id = ${target.fileId}`;
    const part = await open({ quotaBytes: 15_000_000 });
    const wish = (fileId: string) => ({ fileId, quality: '480p' as const, ...PLAIN });
    const both = { movieId: target.movieId, parts: [wish(target.fileId), wish(secondId)] };
    const none = async (): Promise<void> => {
      expect((await part.calls.list({}, as('ada'))).downloads).toEqual([]);
      expect(part.work.orders).toEqual([]);
    };
    await sql`update movie_file set state = 'missing' where id = ${secondId}`;
    await expect(part.calls.requestParts(both, as('ada'))).rejects.toMatchObject({ code: 'notPreparable' });
    await none();
    await sql`update movie_file set state = 'playable' where id = ${secondId}`;
    // There is room for one of them.
    const { files } = await part.calls.options({ movieId: target.movieId }, as('ada'));
    expect(files[0]!.qualities.find(({ quality }) => quality === '480p')!.estimatedBytes).toBeLessThan(15_000_000);
    await expect(part.calls.requestParts(both, as('ada'))).rejects.toMatchObject({
      code: 'noRoom',
      data: { whose: 'server', usedBytes: 0 },
    });
    await none();

    const roomy = await open();
    const { downloads } = await roomy.calls.requestParts(both, as('ada'));
    expect(downloads.map(({ fileId, part: one }) => [fileId, one])).toEqual([
      [target.fileId, { number: 1, count: 2 }],
      [secondId, { number: 2, count: 2 }],
    ]);
    expect(downloads.map(({ place }) => place)).toEqual([1, 2]);
    const again = await roomy.calls.requestParts(both, as('ada'));
    expect(again.downloads.map(({ id }) => id)).toEqual(downloads.map(({ id }) => id));
    expect(roomy.work.orders.length).toBeGreaterThanOrEqual(2);
  });

  it('[DL36] pictures are burnt into what is encoded, and nowhere else; it is another copy than the one without', async () => {
    const choice = { source: 'embedded', trackIndex: 2, label: 'English', language: 'en', isForced: false } as const;
    const more = { isHearingImpaired: false, isDefault: false, isCommentary: false };
    const choices = [
      { ...choice, ...more, id: 't2', format: 'pictures' as const },
      { ...choice, ...more, id: 't3', trackIndex: 3, format: 'text' as const },
    ];
    await writeFile(join(base, 'read.pics'), 'pictures');
    const part = await open({
      subtitles: {
        choices: () => Promise.resolve(choices as never),
        vtt: () => Promise.reject(new Error('none')),
        pictures: () => Promise.resolve(join(base, 'read.pics')),
      },
      encoder: () => ({ h264: 'nvenc', hardware: { kind: 'nvenc' } as never }),
    });
    const target = await addMovie('Heat');
    const ask = (quality: 'copy' | '480p', burnedSubtitle: string | null) =>
      part.calls.request({ ...target, quality, subtitles: [], burnedSubtitle }, as('ada'));
    await expect(ask('copy', 't2')).rejects.toMatchObject({ code: 'notOffered', data: { what: 'subtitles' } });
    await expect(ask('480p', 't3')).rejects.toMatchObject({ code: 'notOffered', data: { what: 'subtitles' } });
    let kept: string[] = [];
    part.hosts.onOpen = ({ spec }) => {
      const path = spec.video!.burnInPath;
      if (path !== undefined) kept = [readFileSync(path, 'utf8'), readFileSync(path.replace('.pics', '.done'), 'utf8')];
    };
    const { download } = await ask('480p', 't2');
    expect(download.burnedSubtitle).toBe('t2');
    const { download: plain } = await ask('480p', null);
    expect(plain.id).not.toBe(download.id);
    await part.work.runAll();
    expect(kept).toEqual(['pictures', '']);
    const [burned, without] = part.hosts.opened.map(({ spec }) => spec);
    expect(burned).toMatchObject({ hardware: null, video: { output: { burnIn: 't2', encoder: 'software' } } });
    expect(without).toMatchObject({ hardware: { kind: 'nvenc' }, video: { output: { encoder: 'nvenc' } } });
    expect(without!.video).not.toHaveProperty('burnInPath');
    expect(await stateOf(part, 'ada', download.id)).toMatchObject({ state: 'ready', burnedSubtitle: 't2' });
    expect(await part.files()).toHaveLength(2);
  });

  it('[DL12] nothing is prepared where there is no room for it at all', async () => {
    const part = await open({ quotaBytes: 0 });
    const target = await addMovie('Heat');
    const { files } = await part.calls.options({ movieId: target.movieId }, as('ada'));
    expect(files[0]).toMatchObject({ hindrance: 'turnedOff', qualities: [], original: { sizeBytes: SOURCE_BYTES } });
    const asked = part.calls.request({ ...target, quality: 'copy', ...PLAIN }, as('ada'));
    await expect(asked).rejects.toMatchObject({ code: 'notPreparable', data: { hindrance: 'turnedOff' } });
  });
});

describe('making', () => {
  it('[DL11] what is cancelled in the middle is ended and removed; made again when it is asked for again', async () => {
    const part = await open();
    part.hosts.sizeBytes = null;
    const target = await addMovie('Heat');
    const { download } = await part.calls.request({ ...target, quality: '480p', ...PLAIN }, as('ada'));
    const opened = Promise.withResolvers<Opening>();
    part.hosts.onOpen = opened.resolve;
    const working = part.work.runAll();
    const opening = await opened.promise;
    opening.tell({ kind: 'progress', doneUs: 50_000_000, sizeBytes: 1 });
    expect(await stateOf(part, 'ada', download.id)).toMatchObject({ state: 'preparing', progress: 0.475 });
    expect((await part.calls.cancel({ downloadId: download.id }, as('ada'))).download.state).toBe('cancelled');
    await working;
    expect([opening.isClosed, await part.files()]).toEqual([true, []]);
    part.hosts.sizeBytes = 500;
    expect((await part.calls.retry({ downloadId: download.id }, as('ada'))).download).toMatchObject({
      id: download.id,
      state: 'queued',
    });
    await part.work.runAll();
    expect(await stateOf(part, 'ada', download.id)).toMatchObject({ state: 'ready', sizeBytes: 500 });
  });

  it('[DL16] [DL28] [DL29] what fails says why and leaves nothing', async () => {
    const part = await open();
    part.hosts.sizeBytes = null;
    const failing = async (
      title: string,
      spoil: (target: Awaited<ReturnType<typeof addMovie>>) => Promise<unknown>,
    ) => {
      const target = await addMovie(title);
      const { download } = await part.calls.request({ ...target, quality: 'copy', ...PLAIN }, as('ada'));
      await spoil(target);
      await part.work.runAll();
      return (await stateOf(part, 'ada', download.id))!.failure;
    };
    const { sql } = database;
    expect(await failing('Gone', ({ path }) => rm(path))).toBe('sourceGone');
    expect(
      await failing('Missing', ({ fileId }) => sql`update movie_file set state = 'missing' where id = ${fileId}`),
    ).toBe('sourceGone');
    expect(await failing('Newer', ({ fileId }) => sql`update movie_file set mtime_us = 2 where id = ${fileId}`)).toBe(
      'sourceChanged',
    );
    expect(await failing('Longer', ({ path }) => writeFile(path, 'another'))).toBe('sourceChanged');
    expect(
      await failing('Keyless', ({ fileId }) => sql`update movie_file set keyframes = null where id = ${fileId}`),
    ).toBe('cannotCopy');
    for (const [trouble, failure] of [
      ['diskFull', 'diskFull'],
      ['tooLarge', 'noRoom'],
      ['sourceDamaged', 'sourceDamaged'],
      ['trouble', 'trouble'],
    ] as const) {
      part.hosts.onOpen = ({ tell }) => queueMicrotask(() => tell({ kind: 'failed', trouble, detail: '' }));
      expect(await failing(trouble, () => Promise.resolve())).toBe(failure);
    }
    expect(await part.files()).toEqual([]);
    const full = await open();
    full.folder.freeBytes = () => Promise.resolve(20_000_000);
    const { download } = await full.calls.request(
      { ...(await addMovie('Full')), quality: 'copy', ...PLAIN },
      as('bob'),
    );
    await full.work.runAll();
    expect(await stateOf(full, 'bob', download.id)).toMatchObject({ state: 'failed', failure: 'diskFull' });
  });

  it('[DL30] encoding rests while somebody watches what is encoded for them', async () => {
    const clock = new FakeClock();
    const part = await open({ clock });
    part.hosts.sizeBytes = null;
    part.hosts.transcodes = 1;
    await part.calls.request({ ...(await addMovie('Heat')), quality: '480p', ...PLAIN }, as('ada'));
    const opened = Promise.withResolvers<Opening>();
    part.hosts.onOpen = opened.resolve;
    const working = part.work.runAll();
    const opening = await opened.promise;
    await expect.poll(() => opening.held).toEqual([true]);
    part.hosts.transcodes = 0;
    await expect
      .poll(async () => {
        await clock.advance(3_000);
        return opening.held;
      })
      .toEqual([true, false]);
    await writeFile(opening.spec.resultPath, 'movie');
    opening.tell({ kind: 'finished', sizeBytes: 5 });
    await working;
  });

  it('[DL31] [DL32] after a kill: what was published is ready, what was begun is made first, and what is nobody’s is gone', async () => {
    const before = await open();
    const [first, second] = [await addMovie('One'), await addMovie('Two')];
    const a = (await before.calls.request({ ...first, quality: 'copy', ...PLAIN }, as('ada'))).download;
    const b = (await before.calls.request({ ...second, quality: 'copy', ...PLAIN }, as('ada'))).download;
    expect([a.place, b.place]).toEqual([1, 2]);
    const { sql } = database;
    const [copyA, copyB] = (await before.store.copies()).map(({ id }) => id) as [string, string];
    // The kill came after the file of one was put in its place, and while the other was made.
    await sql`update prepared_copy set state = 'preparing'`;
    await writeFile(before.folder.pathOf(copyA), 'whole');
    await mkdir(before.folder.workFolderOf(copyB), { recursive: true });
    await writeFile(before.folder.partPathOf(copyB), 'half');
    const stranger = newId();
    await writeFile(before.folder.pathOf(stranger), 'nobody’s');

    const after = await open();
    expect(after.work.orders).toEqual([copyA, copyB]);
    expect(await after.files()).not.toContain(`${stranger}.mp4`);
    await after.work.runAll();
    // Only the other was made, on top of what was there.
    expect(after.hosts.opened.map(({ spec }) => spec.workFolder)).toEqual([after.folder.workFolderOf(copyB)]);
    expect(await stateOf(after, 'ada', a.id)).toMatchObject({ state: 'ready', sizeBytes: 5 });
    expect(await stateOf(after, 'ada', b.id)).toMatchObject({ state: 'ready', sizeBytes: 1_000 });
    expect(await after.files()).toEqual([`${copyA}.mp4`, `${copyB}.mp4`].toSorted());

    // Another kill, between a copy's being ready and the clearing away of what it was made from.
    await mkdir(after.folder.workFolderOf(copyA), { recursive: true });
    await writeFile(after.folder.partPathOf(copyA), 'half');
    const last = await open();
    expect(await last.files()).toEqual([`${copyA}.mp4`, `${copyB}.mp4`].toSorted());
    expect(await readdir(dirname(last.folder.workFolderOf(copyA)))).toEqual([]);
  });

  it('[DL31] [DL33] the end of the server keeps what was made; who stops the work cancels it', async () => {
    const part = await open();
    part.hosts.sizeBytes = null;
    const { download } = await part.calls.request(
      { ...(await addMovie('Heat')), quality: 'copy', ...PLAIN },
      as('ada'),
    );
    const opened = Promise.withResolvers<Opening>();
    part.hosts.onOpen = opened.resolve;
    const working = part.work.runAll();
    await opened.promise;
    part.downloads.rest();
    part.work.stop.abort(new Error('the server ends'));
    await expect(working).rejects.toThrow('the server ends');
    expect((await part.store.copies()).map(({ state }) => state)).toEqual(['queued']);
    expect((await part.files()).some((name) => name.endsWith('segment'))).toBe(true);
    part.work.cancelled();
    await expect.poll(async () => (await stateOf(part, 'ada', download.id))!.state).toBe('cancelled');
    await expect.poll(() => part.files()).toEqual([]);
  });

  it('[DL14] [DL15] copies go when their time is over, and are told to be lost when their file is', async () => {
    const part = await open();
    const [first, second, third] = [await addMovie('One'), await addMovie('Two'), await addMovie('Three')];
    const ask = async (target: { movieId: string; fileId: string }) =>
      (await part.calls.request({ ...target, quality: 'copy', ...PLAIN }, as('ada'))).download;
    const [a, b, c] = [await ask(first), await ask(second), await ask(third)];
    await part.work.runAll();
    const { sql } = database;
    await sql`update prepared_copy set ready_at = now() - interval '8 days'`;
    await sql`update prepared_copy set used_at = now() where file_id = ${second.fileId}`;
    await sql`update prepared_copy set ready_at = now() where file_id = ${third.fileId}`;
    const { copy } = (await part.store.find(c.id))!;
    await rm(part.folder.pathOf(copy!.id));
    const after = await open();
    expect(await stateOf(after, 'ada', a.id)).toMatchObject({ state: 'expired', failure: null });
    expect((await stateOf(after, 'ada', b.id))!.state).toBe('ready');
    expect(await stateOf(after, 'ada', c.id)).toMatchObject({ state: 'failed', failure: 'lost' });
    expect(await after.files()).toHaveLength(1);
    // The row of the file goes, and with it the copy.
    await sql`delete from movie_file where id = ${second.fileId}`;
    expect(await (await open()).files()).toEqual([]);
  });
});
