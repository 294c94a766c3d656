import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewSubtitle, SubtitleStore } from '#engine/playback/ports.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createScanStore } from './scan-store.ts';
import { createSubtitleStore } from './subtitle-store.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [ADA, BOB, LIBRARY, MOVIE, FILE, OTHER_FILE] = [id(1), id(2), id(5), id(10), id(11), id(12)];

/** Who sees everything. */
const ALL = { withHidden: true };
const ROOM = { perFile: 10, personBytes: 1e9, totalBytes: 1e9 };

let database: TestDatabase;
let store: SubtitleStore;
let beside: Set<string>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  const { sql } = database;
  await sql`truncate app_user, movie, library cascade`;
  await sql`
    insert into app_user (id, name, role, password_hash) values (${ADA}, 'Ada', 'user', 'x'), (${BOB}, 'Bob', 'user', 'x')`;
  await sql`insert into movie (id, title) values (${MOVIE}, 'Heat')`;
  await sql`insert into library (id, name, path) values (${LIBRARY}, 'Movies', '/movies')`;
  for (const [fileId, path] of [
    [FILE, 'Heat.mkv'],
    [OTHER_FILE, 'Heat 4K.mkv'],
  ] as const) {
    await sql`
      insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, media)
      values (${fileId}, ${MOVIE}, ${LIBRARY}, ${path}, 1, 1, '1', 'playable', ${sql.json({ subtitles: [{ index: 3 }] })})`;
  }
  beside = new Set();
  store = createSubtitleStore(sql, {
    vault: { pathOf: (subtitleId) => `/vault/${subtitleId}` },
    hasFile: (path) => Promise.resolve(beside.has(path)),
  });
});

const upload = (last: number, more: Partial<NewSubtitle> = {}): NewSubtitle => ({
  id: id(last),
  fileId: FILE,
  userId: ADA,
  name: 'mine.srt',
  format: 'srt',
  language: 'fr',
  isForced: false,
  isHearingImpaired: true,
  sizeBytes: 9,
  ...more,
});
const addSidecar = (last: number, path: string, format: string): Promise<unknown> => database.sql`
  insert into sidecar (id, file_id, path, format, language, size_bytes, mtime_us)
  values (${id(last)}, ${FILE}, ${path}, ${format}, 'de', 5, 7)`;

describe('subtitles in files of their own', () => {
  it('[PLAY50] are those beside a file, then those handed in for it, the newest first', async () => {
    await addSidecar(20, 'Heat.de.srt', 'srt');
    await addSidecar(21, 'Heat.de.sub', 'sub');
    await addSidecar(22, 'Heat.sub', 'sub');
    beside.add('/movies/Heat.de.idx');
    await store.addUpload(upload(30), ROOM, ALL);
    await store.addUpload(upload(31), ROOM, ALL);
    const files = await store.filesOf(FILE);
    expect(files.map(({ path, source, indexPath }) => [path, source, indexPath])).toEqual([
      ['/movies/Heat.de.srt', 'sidecar', null],
      ['/movies/Heat.de.sub', 'sidecar', '/movies/Heat.de.idx'],
      ['/movies/Heat.sub', 'sidecar', null],
      [`/vault/${id(31)}`, 'uploaded', null],
      [`/vault/${id(30)}`, 'uploaded', null],
    ]);
    expect(files[4]).toMatchObject({ language: 'fr', isHearingImpaired: true, title: 'mine.srt', format: 'srt' });
    expect(await store.find(FILE, id(20))).toMatchObject({ id: id(20), language: 'de' });
    expect(await store.find(OTHER_FILE, id(20))).toBeNull();
    expect(await store.find(OTHER_FILE, id(30))).toBeNull();
  });

  it('[PLAY57] are as many as a file may have, also when many come at once, and of files that there are', async () => {
    const kept = await Promise.all(
      Array.from({ length: 8 }, (_, at) => store.addUpload(upload(40 + at), { ...ROOM, perFile: 3 }, ALL)),
    );
    expect(kept.filter((outcome) => outcome === 'kept')).toHaveLength(3);
    expect(kept.filter((outcome) => outcome === 'perFile')).toHaveLength(5);
    expect(await store.addUpload(upload(60, { fileId: id(99) }), ROOM, ALL)).toBe('noFile');
    expect((await store.uploadIds()).size).toBe(3);
  });

  it('[PLAY57] are changed in parts, and stay when their giver goes', async () => {
    await store.addUpload(upload(30), ROOM, ALL);
    expect(await store.editUpload(id(30), { language: null })).toMatchObject({
      language: null,
      isHearingImpaired: true,
    });
    expect(await store.editUpload(id(30), { isForced: true })).toMatchObject({ language: null, isForced: true });
    expect(await store.uploadsOf(MOVIE, ALL)).toMatchObject([{ id: id(30), userName: 'Ada', movieId: MOVIE }]);
    expect(await store.uploadsOf(id(99), ALL)).toBeNull();
    await database.sql`delete from app_user where id = ${ADA}`;
    expect(await store.upload(id(30), ALL)).toMatchObject({ userId: null, userName: null });
  });

  it('[PLAY58] offsets are kept for each person and file, and go with what they belong to', async () => {
    await store.addUpload(upload(30), ROOM, ALL);
    expect(await store.setOffset(ADA, FILE, 't3', -250, ALL)).toBe(true);
    await store.setOffset(ADA, FILE, 't3', 500, ALL);
    await store.setOffset(ADA, FILE, `s${id(30)}`, 50, ALL);
    await store.setOffset(BOB, FILE, 't3', 100, ALL);
    expect([...(await store.offsets(ADA, FILE))]).toEqual(
      expect.arrayContaining([
        ['t3', 500],
        [`s${id(30)}`, 50],
      ]),
    );
    await store.setOffset(ADA, FILE, 't3', 0, ALL);
    await store.removeUpload(id(30));
    expect((await store.offsets(ADA, FILE)).size).toBe(0);
    expect((await store.offsets(BOB, FILE)).get('t3')).toBe(100);
    expect(await store.setOffset(ADA, id(99), 't3', 5, ALL)).toBe(false);
  });

  it('[PLAY57] take no more room than a person, and all together, have; also when many come at once', async () => {
    const room = { perFile: 100, personBytes: 30, totalBytes: 50 };
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        store.addUpload(upload(40 + at, { userId: at % 2 === 0 ? ADA : BOB }), room, ALL),
      ),
    );
    // Nine bytes each: three for a person, five for all.
    expect(outcomes.filter((outcome) => outcome === 'kept')).toHaveLength(5);
    expect(await store.addUpload(upload(60), { ...room, totalBytes: 1e9, personBytes: 5 }, ALL)).toBe('person');
    expect(await store.addUpload(upload(60), room, ALL)).toMatch(/^(person|total)$/);
  });

  describe('a better release takes the place of a file', () => {
    const NEW_FILE = id(13);
    const bring = (fileId: string, path: string, more: { part?: number; extra?: string } = {}): Promise<unknown> =>
      database.sql`
        insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, part, extra_kind)
        values (${fileId}, ${MOVIE}, ${LIBRARY}, ${path}, 1, 1, '1', 'playable', ${more.part ?? null}, ${more.extra ?? null})`;
    const take = (fileId: string): Promise<unknown> =>
      database.sql`update movie_file set state = 'missing', missing_since = now() - interval '1 hour' where id = ${fileId}`;
    const purge = async (): Promise<void> =>
      await createScanStore(database.sql, { newId: () => id(900), onWrite: () => undefined }).purge(1_000);
    const shownWith = async (fileId: string): Promise<string[]> => (await store.filesOf(fileId)).map((file) => file.id);

    beforeEach(async () => {
      await database.sql`delete from movie_file where id = ${OTHER_FILE}`;
      await store.addUpload(upload(30), ROOM, ALL);
      await store.setOffset(ADA, FILE, `s${id(30)}`, 1_500, ALL);
    });

    it('[PLAY57] [PLAY58] and what was handed in follows, with how far it is out of step, also when the old one is forgotten', async () => {
      await bring(NEW_FILE, 'Heat 2160p.mkv');
      expect(await shownWith(NEW_FILE)).toEqual([]);
      await take(FILE);
      for (const isForgotten of [false, true]) {
        if (isForgotten) await purge();
        expect(await shownWith(NEW_FILE)).toEqual([id(30)]);
        expect(await store.find(NEW_FILE, id(30))).toMatchObject({ fileId: NEW_FILE, source: 'uploaded' });
        expect([...(await store.offsets(ADA, NEW_FILE))]).toEqual([[`s${id(30)}`, 1_500]]);
        expect(await store.uploadsOf(MOVIE, ALL)).toMatchObject([{ id: id(30), fileId: NEW_FILE, movieId: MOVIE }]);
        expect(await store.upload(id(30), ALL)).toMatchObject({ fileId: NEW_FILE });
      }
      expect(await database.sql`select 1 from movie_file where id = ${FILE}`).toHaveLength(0);
      expect(await store.setOffset(ADA, NEW_FILE, `s${id(30)}`, 0, ALL)).toBe(true);
      expect((await store.offsets(ADA, NEW_FILE)).size).toBe(0);
    });

    it('[PLAY57] also where there was no file for a while', async () => {
      await take(FILE);
      await purge();
      expect(await store.uploadsOf(MOVIE, ALL)).toEqual([]);
      expect((await store.uploadIds()).has(id(30))).toBe(true);
      await bring(NEW_FILE, 'Heat 2160p.mkv');
      expect(await shownWith(NEW_FILE)).toEqual([id(30)]);
    });

    it('[PLAY57] but not to a trailer, nor to another part, and it goes back with the file that comes back', async () => {
      await bring(NEW_FILE, 'Heat-trailer.mkv', { extra: 'trailer' });
      await bring(id(14), 'Heat part 2.mkv', { part: 2 });
      await bring(id(15), 'Heat 1080p.mkv');
      await take(FILE);
      expect([await shownWith(NEW_FILE), await shownWith(id(14)), await shownWith(id(15))]).toEqual([[], [], [id(30)]]);
      await database.sql`update movie_file set state = 'playable', missing_since = null where id = ${FILE}`;
      expect([await shownWith(FILE), await shownWith(id(15))]).toEqual([[id(30)], []]);
    });
  });

  it('[PLAY58] an offset is for subtitles that the file has', async () => {
    await database.sql`insert into movie (id, title) values (${id(70)}, 'Ronin')`;
    await database.sql`
      insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state)
      values (${id(71)}, ${id(70)}, ${LIBRARY}, 'Ronin.mkv', 1, 1, '1', 'playable')`;
    await store.addUpload(upload(30, { fileId: id(71) }), ROOM, ALL);
    await addSidecar(20, 'Heat.de.srt', 'srt');
    for (const theirs of ['t3', `s${id(20)}`]) expect(await store.setOffset(ADA, FILE, theirs, 5, ALL)).toBe(true);
    for (const not of ['t4', `s${id(30)}`, `s${id(99)}`]) {
      expect(await store.setOffset(ADA, FILE, not, 5, ALL)).toBe(false);
    }
    expect((await store.offsets(ADA, FILE)).size).toBe(2);
  });

  it('[HIDE2] of a movie that was put away nothing is there for who does not edit', async () => {
    await store.addUpload(upload(30), ROOM, ALL);
    await database.sql`update movie set hidden_at = now() where id = ${MOVIE}`;
    const sight = { withHidden: false };
    expect(await store.uploadsOf(MOVIE, sight)).toBeNull();
    expect(await store.upload(id(30), sight)).toBeNull();
    expect(await store.addUpload(upload(31), ROOM, sight)).toBe('noFile');
    expect(await store.setOffset(ADA, FILE, 't3', 5, sight)).toBe(false);
    expect(await store.upload(id(30), ALL)).not.toBeNull();
  });
});
