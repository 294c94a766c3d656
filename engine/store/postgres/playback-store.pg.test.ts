import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { decodeKeyframes, encodeKeyframes } from '#engine/media/keyframe-index.ts';
import type { PlaybackStore } from '#engine/playback/ports.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createPlaybackStore } from './playback-store.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let store: PlaybackStore;
let movieId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPlaybackStore(database.sql);
});
afterAll(() => database.drop());
beforeEach(async () => {
  const { sql } = database;
  await sql`truncate movie, library cascade`;
  movieId = newId();
  await sql`insert into movie (id, title) values (${movieId}, 'Heat')`;
});

async function addLibrary(path: string): Promise<string> {
  const id = newId();
  await database.sql`insert into library (id, name, path) values (${id}, 'Movies', ${path})`;
  return id;
}

async function addFile(
  libraryId: string,
  path: string,
  part: { state?: string; failure?: string } = {},
): Promise<string> {
  const id = newId();
  const media = part.state === undefined ? database.sql.json(mediaInfo()) : null;
  await database.sql`
    insert into movie_file (id, movie_id, library_id, path, size_bytes, mtime_us, inode, state, failure, media)
    values (${id}, ${movieId}, ${libraryId}, ${path}, ${30_000_000_000}, ${1_700_000_000_123_456}, '1',
      ${part.state ?? 'playable'}, ${part.failure ?? null}, ${media})`;
  return id;
}

const SHOWN = { withHidden: false };

describe('what playback reads', () => {
  it('is null for a movie or file that does not exist, and empty for one without files', async () => {
    expect(await store.filesOf(newId(), SHOWN)).toBeNull();
    expect(await store.file(newId())).toBeNull();
    expect(await store.keyframes(newId())).toBeNull();
    expect(await store.filesOf(movieId, SHOWN)).toEqual([]);
  });

  it('has every file of a movie with its absolute path and its version', async () => {
    const [one, two] = [await addLibrary('/movies'), await addLibrary("/more \u00e9 'movies'")];
    const first = await addFile(one, 'Heat (1995)/Heat.mkv');
    const second = await addFile(two, 'Heat "4K".mkv', { state: 'unplayable', failure: 'truncated' });
    const common = {
      movieId,
      sizeBytes: 30_000_000_000,
      mtimeUs: 1_700_000_000_123_456,
      isExtra: false,
      part: null,
      edition: null,
    };
    const files = [
      {
        ...common,
        id: first,
        path: '/movies/Heat (1995)/Heat.mkv',
        state: 'playable',
        failure: null,
        media: mediaInfo(),
      },
      {
        ...common,
        id: second,
        path: '/more \u00e9 \'movies\'/Heat "4K".mkv',
        state: 'unplayable',
        failure: 'truncated',
        media: null,
      },
    ];
    expect(await store.filesOf(movieId, SHOWN)).toEqual(files);
    // [HIDE2] What was put away is played by those who edit.
    await database.sql`update movie set hidden_at = now() where id = ${movieId}`;
    expect(await store.filesOf(movieId, SHOWN)).toBeNull();
    expect(await store.filesOf(movieId, { withHidden: true })).toEqual(files);
    expect(await store.file(second)).toEqual(files[1]);
    await database.sql`update movie_file set extra_kind = 'trailer', part = 2, edition = 'Extended' where id = ${second}`;
    expect(await store.file(second)).toEqual({ ...files[1], isExtra: true, part: 2, edition: 'Extended' });
  });

  it('loses a file with its library', async () => {
    const libraryId = await addLibrary('/movies');
    const fileId = await addFile(libraryId, 'a.mkv');
    await database.sql`delete from library where id = ${libraryId}`;
    expect(await store.file(fileId)).toBeNull();
  });
});

describe('[PLAY20] keyframes', () => {
  it('are kept for the version that they were found in', async () => {
    const file = (await store.file(await addFile(await addLibrary('/movies'), 'a.mkv')))!;
    expect(await store.keyframes(file.id)).toBeNull();
    await store.saveKeyframes({ ...file, mtimeUs: file.mtimeUs + 1 }, encodeKeyframes([0]));
    expect(await store.keyframes(file.id)).toBeNull();
    await store.saveKeyframes(file, encodeKeyframes([0, 2_000_000]));
    expect([...decodeKeyframes((await store.keyframes(file.id))!)]).toEqual([0, 2_000_000]);
    await store.saveKeyframes(file, encodeKeyframes([]));
    expect(await store.keyframes(file.id)).toHaveLength(0);
  });
});
