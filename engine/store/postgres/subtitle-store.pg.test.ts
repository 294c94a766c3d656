import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewSubtitle, SubtitleStore } from '#engine/playback/ports.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createSubtitleStore } from './subtitle-store.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [ADA, BOB, LIBRARY, MOVIE, FILE, OTHER_FILE] = [id(1), id(2), id(5), id(10), id(11), id(12)];

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
      insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state)
      values (${fileId}, ${MOVIE}, ${LIBRARY}, ${path}, 1, 1, '1', 'playable')`;
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
    await store.addUpload(upload(30), 10);
    await store.addUpload(upload(31), 10);
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
    const kept = await Promise.all(Array.from({ length: 8 }, (_, at) => store.addUpload(upload(40 + at), 3)));
    expect(kept.filter(Boolean)).toHaveLength(3);
    expect(await store.addUpload(upload(60, { fileId: id(99) }), 3)).toBe(false);
    expect((await store.uploadIds()).size).toBe(3);
  });

  it('[PLAY57] are changed in parts, stay when their giver goes, and go with the file', async () => {
    await store.addUpload(upload(30), 10);
    expect(await store.editUpload(id(30), { language: null })).toMatchObject({
      language: null,
      isHearingImpaired: true,
    });
    expect(await store.editUpload(id(30), { isForced: true })).toMatchObject({ language: null, isForced: true });
    expect(await store.uploadsOf(MOVIE)).toMatchObject([{ id: id(30), userName: 'Ada', movieId: MOVIE }]);
    expect(await store.uploadsOf(id(99))).toBeNull();
    await database.sql`delete from app_user where id = ${ADA}`;
    expect(await store.upload(id(30))).toMatchObject({ userId: null, userName: null });
    await database.sql`delete from movie_file where id = ${FILE}`;
    expect(await store.upload(id(30))).toBeNull();
  });

  it('[PLAY58] offsets are kept for each person and file, and go with what they belong to', async () => {
    await store.addUpload(upload(30), 10);
    expect(await store.setOffset(ADA, FILE, 't3', -250)).toBe(true);
    await store.setOffset(ADA, FILE, 't3', 500);
    await store.setOffset(ADA, FILE, `s${id(30)}`, 50);
    await store.setOffset(BOB, FILE, 't3', 100);
    expect([...(await store.offsets(ADA, FILE))]).toEqual(
      expect.arrayContaining([
        ['t3', 500],
        [`s${id(30)}`, 50],
      ]),
    );
    await store.setOffset(ADA, FILE, 't3', 0);
    await store.removeUpload(id(30));
    expect((await store.offsets(ADA, FILE)).size).toBe(0);
    expect((await store.offsets(BOB, FILE)).get('t3')).toBe(100);
    expect(await store.setOffset(ADA, id(99), 't3', 5)).toBe(false);
  });
});
