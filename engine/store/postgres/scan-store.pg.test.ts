import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createUuidFactory } from '#engine/base/ids.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { FileWrite, LibraryStore, ScanStore, SeenFile } from '#engine/library/ports.ts';
import { movieNameOf } from '#engine/media/file-name.ts';
import { partsDurationMs, planParts } from '#engine/media/part-plan.ts';
import { audioTrack, mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { createPlaybackStore } from './playback-store.ts';

const newId = createUuidFactory(systemClock);
let database: TestDatabase;
let catalogue: Catalogue;
let libraries: LibraryStore;
let scans: ScanStore;
let movies: Catalogue['movies'];
let libraryId: string;
const ANYBODY = { withPaths: false, withHidden: false };
const MANAGER = { withPaths: true, withHidden: true };
let otherLibraryId: string;

beforeAll(async () => {
  database = await createTestDatabase({ max: 8 });
  catalogue = createCatalogue(database.sql, { newId });
  ({ libraries, scans, movies } = catalogue);
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate library, movie, app_user, change restart identity cascade`;
  catalogue.forgetCounts();
  libraryId = (await libraries.add({ id: newId(), name: 'Movies', path: '/movies' }))!.id;
  otherLibraryId = (await libraries.add({ id: newId(), name: 'More', path: '/more' }))!.id;
});

let serial = 0;
const seen = (path: string): SeenFile => ({
  path,
  sizeBytes: 1_000,
  mtimeUs: 1_700_000_000_000_000,
  inode: String(++serial),
});

function probed(path: string, overrides: Partial<Extract<FileWrite, { kind: 'probed' }>> = {}): FileWrite {
  return {
    kind: 'probed',
    fileId: null,
    file: seen(path),
    name: movieNameOf(path),
    contentHash: `hash of ${path}`,
    outcome: { media: mediaInfo(), resolution: 1080, keyframes: null },
    ...overrides,
  };
}
const playable = (resolution: number) => ({
  outcome: { media: mediaInfo({ video: [videoTrack({ height: resolution })] }), resolution, keyframes: null },
});

const add = async (...paths: string[]) =>
  scans.write(
    libraryId,
    paths.map((path) => probed(path)),
  );
const fileAt = async (path: string, library = libraryId) => (await scans.filesAt(library, [path])).get(path);
const movieIdAt = async (path: string) => (await fileAt(path))?.movieId;

async function move(from: string, to: string, library = libraryId): Promise<void> {
  const file = (await fileAt(from))!;
  await scans.write(library, [{ kind: 'moved', fileId: file.id, file: seen(to), name: movieNameOf(to) }]);
}

/** As if TMDB had been asked. */
async function describeAs(
  movieId: string,
  { title, match, locked = [] }: { title: string; match: string; locked?: readonly string[] },
): Promise<void> {
  const { sql } = database;
  const person = newId();
  await sql`
    update movie set title = ${title}, match = ${match}, tmdb_id = ${++serial}, refreshed_at = now(), matched_at = now(),
      tagline = 'Said of it', overview = 'What happens', rating = 7, vote_count = 100, locked_fields = ${[...locked]}
    where id = ${movieId}`;
  await sql`
    with term as (insert into term (kind, name) values ('genre', ${`Genre of ${movieId}`}) returning id)
    insert into movie_term (movie_id, term_id) select ${movieId}, id from term`;
  await sql`insert into person (id, name) values (${person}, 'Somebody')`;
  await sql`insert into credit (movie_id, person_id, kind, position) values (${movieId}, ${person}, 'cast', 0)`;
  await sql`
    insert into picture (movie_id, role, source, location, version, width, height)
    values (${movieId}, 'poster', 'tmdb', ${`/${serial}.jpg`}, ${String(serial)}, 500, 750)`;
}

const shownOf = async (movieId: string): Promise<object | undefined> =>
  (
    await database.sql<object[]>`
      select title, tagline, overview, rating, refreshed_at is not null as "isFetched",
        (select count(*)::int from movie_term where movie_id = m.id) as terms,
        (select count(*)::int from credit where movie_id = m.id) as credits,
        (select count(*)::int from picture where movie_id = m.id) as pictures
      from movie m where id = ${movieId}`
  )[0];

async function remove(...paths: string[]): Promise<void> {
  const files = await scans.filesAt(libraryId, paths);
  await scans.markMissing(
    libraryId,
    [...files.values()].map(({ id }) => id),
  );
}

async function visible(): Promise<string[]> {
  const rows = await database.sql<{ name: string }[]>`
    select title || coalesce(' (' || year || ')', '') as name from movie where deleted_at is null order by name`;
  return rows.map(({ name }) => name);
}

async function addUser(): Promise<string> {
  const id = newId();
  await database.sql`insert into app_user (id, name, role, password_hash) values (${id}, ${id}, 'user', '')`;
  return id;
}

async function watch(userId: string, movieId: string, positionMs: number, at = new Date()): Promise<void> {
  await database.sql`
    insert into progress (user_id, movie_id, position_ms, duration_ms, observed_at)
    values (${userId}, ${movieId}, ${positionMs}, 6000000, ${at})`;
}

async function matchOf(movieId: string) {
  const [row] = await database.sql<object[]>`
    select match, tmdb_id as "tmdbId", file_title as "fileTitle", file_year as "fileYear" from movie where id = ${movieId}`;
  return row;
}

const positions = async (movieId: string) =>
  (await database.sql<{ at: number }[]>`select position_ms as at from progress where movie_id = ${movieId}`).map(
    ({ at }) => at,
  );

describe('the length of a movie that is cut into several files', () => {
  const lengthOf = async (movieId: string) =>
    (await database.sql<{ ms: number | null }[]>`select duration_ms as ms from movie where id = ${movieId}`)[0]?.ms;
  const lasting = (durationMs: number, resolution = 480) => ({
    outcome: {
      media: mediaInfo({ durationMs, video: [videoTrack({ height: resolution })] }),
      resolution,
      keyframes: null,
    },
  });

  it('[PLAY25] is that of its parts together, as far as they are there', async () => {
    await scans.write(libraryId, [probed('Ben-Hur (1959) cd2.avi', lasting(500))]);
    const movieId = (await movieIdAt('Ben-Hur (1959) cd2.avi'))!;
    expect(await lengthOf(movieId)).toBe(500);
    await scans.write(libraryId, [
      probed('Ben-Hur (1959) cd1.avi', lasting(1_000)),
      probed('Ben-Hur (1959) cd1-trailer.avi', lasting(60)),
    ]);
    expect(await movieIdAt('Ben-Hur (1959) cd1.avi')).toBe(movieId);
    expect(await lengthOf(movieId)).toBe(1_500);
    await remove('Ben-Hur (1959) cd2.avi');
    expect(await lengthOf(movieId)).toBe(1_000);
  });

  it('[PLAY25] is that of the best version, be it whole or cut', async () => {
    await scans.write(libraryId, [
      probed('Small/Ben-Hur (1959) cd1.avi', lasting(1_000)),
      probed('Small/Ben-Hur (1959) cd2.avi', lasting(500)),
      probed('Large/Ben-Hur (1959) cd1.avi', lasting(1_010, 720)),
      probed('Large/Ben-Hur (1959) cd2.avi', lasting(502, 720)),
    ]);
    const movieId = (await movieIdAt('Large/Ben-Hur (1959) cd1.avi'))!;
    expect(await lengthOf(movieId)).toBe(1_512);
    await scans.write(libraryId, [probed('Ben-Hur (1959).mkv', lasting(1_508, 1080))]);
    expect(await lengthOf(movieId)).toBe(1_508);
  });

  it('[PLAY25] counts the parts that playing it takes', async () => {
    const folders = ['', 'A', 'A/B', 'A/C', 'D'];
    const editions = ['', ' Extended'];
    const playback = createPlaybackStore(database.sql);
    for (let round = 0; round < 12; round++) {
      const paths = [1, 2, 3].flatMap((part) =>
        folders.flatMap((folder, at) =>
          editions.map((edition, other) => ({
            path: join(folder, `Round ${round} (1959)${edition} cd${part}.avi`),
            // Any mix of what is there and how large it is, the same at each run.
            isThere: (at * 7 + other * 5 + part * 3 + round * 11) % 4 > 0,
            height: [360, 480, 486][(at + other * 2 + part + round) % 3]!,
          })),
        ),
      );
      const there = paths.filter(({ isThere }) => isThere);
      await scans.write(
        libraryId,
        there.map(({ path, height }, at) => probed(path, lasting(1_000 + 2 ** at, height))),
      );
      const movieId = (await movieIdAt(there[0]!.path))!;
      const files = ((await playback.filesOf(movieId, { withHidden: true })) ?? []).map(({ media, ...file }) => ({
        ...file,
        pixels: (media?.video[0]?.width ?? 0) * (media?.video[0]?.height ?? 0),
        durationMs: media?.durationMs ?? null,
      }));
      const [best] = await database.sql<{ id: string }[]>`select best_file_id as id from movie where id = ${movieId}`;
      const parts = planParts(
        files.find(({ id }) => id === best!.id)!,
        files,
      );
      expect(parts.length).toBeGreaterThan(1);
      expect(await lengthOf(movieId)).toBe(partsDurationMs(parts));
    }
  });
});

describe('writing files', () => {
  it('stores what a probe found, and gives it back', async () => {
    const keyframes = new Uint8Array([0, 1, 255]);
    const media = mediaInfo({ video: [videoTrack({ hdr: 'hdr10', width: 3840, height: 1600 })] });
    expect(
      await scans.write(libraryId, [probed('Heat (1995).mkv', { outcome: { media, resolution: 2160, keyframes } })]),
    ).toEqual([]);
    const file = (await fileAt('Heat (1995).mkv'))!;
    expect(file).toMatchObject({
      sizeBytes: 1_000,
      mtimeUs: 1_700_000_000_000_000,
      state: 'playable',
      failure: null,
      wasProbed: true,
    });
    const movie = (await movies.movie(file.movieId, MANAGER))!;
    expect(movie).toMatchObject({
      title: 'Heat',
      year: 1995,
      sortTitle: 'heat',
      match: { state: 'waiting' },
      resolution: 2160,
      hdr: 'hdr10',
      isPlayable: true,
      durationMs: 60_000,
      picture: null,
    });
    expect(movie.files).toEqual([
      expect.objectContaining({
        id: file.id,
        name: 'Heat (1995).mkv',
        path: 'Heat (1995).mkv',
        libraryId,
        sizeBytes: 1_000,
        state: 'playable',
        failure: null,
        container: 'mp4',
        media,
      }),
    ]);
    expect((await movies.movie(file.movieId, ANYBODY))!.files[0]!.path).toBeNull();
    const [row] = await database.sql<
      { keyframes: Uint8Array }[]
    >`select keyframes from movie_file where id = ${file.id}`;
    expect(new Uint8Array(row!.keyframes)).toEqual(keyframes);
  });

  it('[SCAN5] lists a file that cannot be played, with its failure, and forgets that when it can', async () => {
    await scans.write(libraryId, [probed('Heat (1995).mkv', { outcome: { failure: 'truncated' } })]);
    const file = (await fileAt('Heat (1995).mkv'))!;
    expect(await movies.movie(file.movieId, ANYBODY)).toMatchObject({
      isPlayable: false,
      files: [{ state: 'unplayable', failure: 'truncated', media: null }],
    });
    expect(await libraries.issues({ libraryId, offset: 0, limit: 10 })).toMatchObject({
      total: 1,
      issues: [{ fileId: file.id, path: 'Heat (1995).mkv', reason: 'truncated', libraryId }],
    });
    await scans.write(libraryId, [probed('Heat (1995).mkv', { fileId: file.id })]);
    expect(await movies.movie(file.movieId, ANYBODY)).toMatchObject({
      isPlayable: true,
      files: [{ id: file.id, failure: null }],
    });
  });

  it('[SCAN14] a text that cannot be stored costs its own file and no other', async () => {
    const poison = probed('Poison (2001).mkv', {
      outcome: { media: mediaInfo({ title: 'a\0b' }), resolution: 1080, keyframes: null },
    });
    const paths = ['A (2001).mkv', 'B (2001).mkv', 'C (2001).mkv', 'D (2001).mkv'];
    const refused = await scans.write(libraryId, [
      ...paths.slice(0, 3).map((path) => probed(path)),
      poison,
      probed(paths[3]!),
    ]);
    expect(refused).toEqual([poison]);
    expect([...(await scans.filesAt(libraryId, paths)).keys()].toSorted()).toEqual(paths);
  });

  it('records one change for each movie, in the same transaction', async () => {
    await database.sql`truncate change`;
    await add('A (2001).mkv', 'A (2001) 720p.mkv', 'B (2002).mkv');
    const changes = await database.sql<
      { kind: string; id: string }[]
    >`select kind, entity_id as id from change order by seq`;
    expect(changes.map(({ kind }) => kind)).toEqual(['movie', 'movie']);
    expect(new Set(changes.map(({ id }) => id))).toEqual(
      new Set([await movieIdAt('A (2001).mkv'), await movieIdAt('B (2002).mkv')]),
    );
  });

  it('the best file of a movie is one that plays, then the sharpest', async () => {
    await scans.write(libraryId, [
      probed('Heat (1995) 720p.mkv', playable(720)),
      probed('Heat (1995) 1080p.mkv', playable(1080)),
      probed('Heat (1995) 2160p.mkv', { outcome: { failure: 'truncated' } }),
    ]);
    const movie = (await movies.movie((await movieIdAt('Heat (1995) 720p.mkv'))!, ANYBODY))!;
    expect(movie.resolution).toBe(1080);
    expect(movie.files.map(({ name }) => name)).toEqual([
      'Heat (1995) 1080p.mkv',
      'Heat (1995) 720p.mkv',
      'Heat (1995) 2160p.mkv',
    ]);
  });
});

describe('which movie a file belongs to', () => {
  it('[MATCH1] the same name and year is one movie, in all libraries and however it is spelled', async () => {
    await add('Spider-Man (2002).mkv', 'Spider.Man.2002.1080p.mkv');
    await scans.write(otherLibraryId, [probed('spider man 2002.mkv')]);
    await add('Amélie (2001).mkv', 'Amelie.2001.720p.mkv', 'Spider-Man (2012).mkv');
    expect(await visible()).toEqual(['Amélie (2001)', 'Spider-Man (2002)', 'Spider-Man (2012)']);
    const [row] = await database.sql<
      { ids: string[] }[]
    >`select library_ids as ids from movie where title = 'Spider-Man' and year = 2002`;
    expect(new Set(row!.ids)).toEqual(new Set([libraryId, otherLibraryId]));
  });

  it('[MATCH1] two libraries scanned at once never make the same movie twice', async () => {
    const paths = Array.from({ length: 30 }, (_, index) => `Movie ${index % 10} (2000).v${index}.mkv`);
    await Promise.all(
      paths.flatMap((path) =>
        [libraryId, otherLibraryId].map((id) =>
          scans.write(id, [probed(path, { name: { ...movieNameOf(path), title: path.slice(0, 7), year: 2000 } })]),
        ),
      ),
    );
    expect(await visible()).toHaveLength(10);
  });

  it('[MATCH2] without a year only files of the same folder are one movie', async () => {
    await add('a/Holiday.mkv', 'b/Holiday.mkv', 'b/holiday.avi');
    expect(await visible()).toEqual(['Holiday', 'Holiday']);
    expect(await movieIdAt('b/Holiday.mkv')).toBe(await movieIdAt('b/holiday.avi'));
    await add('b/HOLIDAY 720p.mkv');
    expect(await movieIdAt('b/HOLIDAY 720p.mkv')).toBe(await movieIdAt('b/Holiday.mkv'));
  });

  it.each([
    ['at once', [['x/Heat (1995).mkv', 'x/Heat.mkv']]],
    ['the year first', [['x/Heat (1995).mkv'], ['x/Heat.mkv']]],
    ['the year last', [['x/Heat.mkv'], ['x/Heat (1995).mkv']]],
  ])('[MATCH3] a name without a year joins the movie of that name in its folder (%s)', async (_, batches) => {
    for (const batch of batches) await add(...batch);
    expect(await visible()).toEqual(['Heat (1995)']);
  });

  it('[MATCH8] a movie that was hidden is the same movie when a file of that name comes', async () => {
    await add('Heat (1995).avi');
    const movieId = await movieIdAt('Heat (1995).avi');
    await remove('Heat (1995).avi');
    expect(await visible()).toEqual([]);
    await add('better/Heat.1995.2160p.mkv');
    expect(await visible()).toEqual(['Heat (1995)']);
    expect(await movieIdAt('better/Heat.1995.2160p.mkv')).toBe(movieId);
  });
});

describe('names with an id', () => {
  it('[MATCH9] files that name the same id are one movie, in one batch or in two', async () => {
    await add('Le Samourai (1967) [tmdbid-5511].mkv', 'The Samurai [tmdbid-5511].mkv');
    await add('x/Samurai.1080p.{tmdb-5511}.mkv');
    expect(await visible()).toHaveLength(1);
  });

  it('[MATCH9] files that name different ids are never one, and a name without one joins the first', async () => {
    await add('Heat (1995) [tmdbid-949].mkv');
    await add('Heat (1995) [tmdbid-950].mkv', 'b/Heat (1995).mkv');
    expect(await visible()).toHaveLength(2);
    expect(await movieIdAt('b/Heat (1995).mkv')).toBe(await movieIdAt('Heat (1995) [tmdbid-949].mkv'));
  });

  it('[MATCH9] an id joins a movie that the catalogue knows by it', async () => {
    await add('Le Samourai (1967).mkv');
    await database.sql`update movie set tmdb_id = 5511, match = 'matched', title = 'The Samurai'`;
    await add('Whatever [tmdbid-5511].mkv');
    expect(await visible()).toEqual(['The Samurai (1967)']);
  });

  it('[MATCH10] a file finds its movie by the title that is shown, and by that of its other files', async () => {
    await add('Le Samourai (1967).mkv');
    await database.sql`update movie set match = 'matched', title = 'The Samurai'`;
    await add('Le.Samourai.1967.720p.mkv', 'The Samurai (1967).mkv');
    expect(await visible()).toEqual(['The Samurai (1967)']);
  });

  it('[MATCH3] a name without a year is none of several movies of that name in its folder', async () => {
    await add('x/Heat.mkv', 'x/Heat (1995).mkv', 'x/Heat (2013).mkv');
    expect(await visible()).toEqual(['Heat', 'Heat (1995)', 'Heat (2013)']);
  });

  it('[MATCH8] a movie that was merged into another one is not taken for itself again', async () => {
    await add('Haet (1995).mkv', 'Heat (1995).mkv');
    const [from, to] = [(await movieIdAt('Haet (1995).mkv'))!, (await movieIdAt('Heat (1995).mkv'))!];
    await database.sql`update movie_file set movie_id = ${to} where movie_id = ${from}`;
    await database.sql`update movie set merged_into = ${to}, deleted_at = now() where id = ${from}`;
    await add('b/Haet (1995).mkv');
    expect(await movieIdAt('b/Haet (1995).mkv')).toBe(to);
  });

  it('[MATCH8] a movie that was put away stays put away', async () => {
    await add('Heat (1995).mkv');
    await database.sql`update movie set hidden_at = now()`;
    await add('better/Heat (1995).mkv');
    const rows = await database.sql<{ hidden: boolean }[]>`select hidden_at is not null as hidden from movie`;
    expect([...rows]).toEqual([{ hidden: true }]);
  });
});

describe('extras', () => {
  const extras = async (movieId: string) =>
    (await movies.movie(movieId, MANAGER))!.files
      .filter(({ extra }) => extra !== null)
      .map(({ name, extra }) => [name, extra!.kind, extra!.title]);

  it('[SCAN12] [MATCH11] are files of their movie, in one batch with it and in whichever order', async () => {
    await add('Heat (1995)/trailer.mkv', 'Heat (1995)/Featurettes/On the Streets.mkv', 'Heat (1995)/Heat (1995).mkv');
    const movieId = (await movieIdAt('Heat (1995)/Heat (1995).mkv'))!;
    expect(await visible()).toEqual(['Heat (1995)']);
    expect(await extras(movieId)).toEqual(
      expect.arrayContaining([
        ['trailer.mkv', 'trailer', ''],
        ['On the Streets.mkv', 'featurette', 'On the Streets'],
      ]),
    );
  });

  it('[SCAN12] [MATCH11] make no movie, and keep none there', async () => {
    await add('Heat (1995)/trailer.mkv');
    expect(await visible()).toEqual([]);
    expect(await fileAt('Heat (1995)/trailer.mkv')).toBeUndefined();
    await add('Heat (1995)/Heat (1995).mkv');
    await add('Heat (1995)/trailer.mkv');
    await remove('Heat (1995)/Heat (1995).mkv');
    expect(await visible()).toEqual([]);
  });

  it('[MATCH11] belong to the only movie of their folder, or to that of their name, and to none of many', async () => {
    await add('a/Heat (1995).mkv', 'flat/Heat.mkv', 'flat/Ronin.mkv');
    await add('a/sample.mkv', 'flat/Heat-trailer.mkv', 'flat/trailer.mkv');
    expect(await movieIdAt('a/sample.mkv')).toBe(await movieIdAt('a/Heat (1995).mkv'));
    expect(await movieIdAt('flat/Heat-trailer.mkv')).toBe(await movieIdAt('flat/Heat.mkv'));
    expect(await fileAt('flat/trailer.mkv')).toBeUndefined();
  });

  it('[MATCH11] are never the best file', async () => {
    await scans.write(libraryId, [
      probed('Heat (1995)/Heat (1995).mkv', playable(480)),
      probed('Heat (1995)/trailer.mkv', playable(2160)),
    ]);
    const movie = (await movies.movie((await movieIdAt('Heat (1995)/trailer.mkv'))!, MANAGER))!;
    expect(movie.resolution).toBe(480);
    expect(movie.files.map(({ name }) => name)).toEqual(['Heat (1995).mkv', 'trailer.mkv']);
  });

  it('[MATCH11] go along when the last file of their movie goes to another, and become movies when they are named so', async () => {
    await add('Haet (1995)/Haet (1995).mkv', 'Heat (1995)/Heat (1995).mkv');
    await add('Haet (1995)/trailer.mkv');
    await move('Haet (1995)/Haet (1995).mkv', 'Heat (1995)/Heat (1995) 720p.mkv');
    const movieId = await movieIdAt('Heat (1995)/Heat (1995).mkv');
    expect(await movieIdAt('Haet (1995)/trailer.mkv')).toBe(movieId);
    await move('Haet (1995)/trailer.mkv', 'Trailer Park (2006).mkv');
    expect(await visible()).toEqual(['Heat (1995)', 'Trailer Park (2006)']);
    await move('Trailer Park (2006).mkv', 'Heat (1995)/Heat (1995)-trailer.mkv');
    expect(await visible()).toEqual(['Heat (1995)']);
  });
});

describe('what names say of files', () => {
  it('is kept with the file, and the facts of the best file with the movie', async () => {
    const media = mediaInfo({
      audio: [audioTrack({ language: 'de' }), audioTrack({ language: 'en' }), audioTrack({ language: 'de' })],
    });
    await scans.write(libraryId, [
      probed("Heat (1995) Director's Cut 1080p cd1.mkv", { outcome: { media, resolution: 1080, keyframes: null } }),
      probed("Heat (1995) Director's Cut 1080p cd2.mkv", { outcome: { media, resolution: 2160, keyframes: null } }),
    ]);
    const movieId = (await movieIdAt("Heat (1995) Director's Cut 1080p cd1.mkv"))!;
    const [row] = await database.sql<object[]>`
      select m.audio_languages as "languages", m.video_codec as codec, m.match, m.file_title as title, f.path, f.edition, f.part,
        f.name_facts -> 'resolution' as lines
      from movie m join movie_file f on f.id = m.best_file_id where m.id = ${movieId}`;
    expect(row).toEqual({
      languages: ['de', 'en'],
      codec: 'h264',
      match: 'waiting',
      title: 'Heat',
      path: "Heat (1995) Director's Cut 1080p cd1.mkv",
      edition: "Director's Cut",
      part: 1,
      lines: 1080,
    });
  });
});

describe('a file that moved', () => {
  it('[MATCH4] keeps its id and its movie, and the movie takes the new name', async () => {
    const user = await addUser();
    await add('Haet (1995).mkv');
    const before = (await fileAt('Haet (1995).mkv'))!;
    await watch(user, before.movieId, 5_000);
    await move('Haet (1995).mkv', 'Heat (1995)/Heat (1995).mkv');
    const after = (await fileAt('Heat (1995)/Heat (1995).mkv'))!;
    expect(after).toMatchObject({ id: before.id, movieId: before.movieId, state: 'playable' });
    expect(await visible()).toEqual(['Heat (1995)']);
    expect(await positions(after.movieId)).toEqual([5_000]);
    expect(await fileAt('Haet (1995).mkv')).toBeUndefined();
  });

  it('[MATCH4] all versions moved at once keep their movie', async () => {
    await add('Haet (1995)/Haet (1995) 720p.mkv', 'Haet (1995)/Haet (1995) 1080p.mkv');
    const movieId = await movieIdAt('Haet (1995)/Haet (1995) 720p.mkv');
    const known = await scans.filesAt(libraryId, [
      'Haet (1995)/Haet (1995) 720p.mkv',
      'Haet (1995)/Haet (1995) 1080p.mkv',
    ]);
    await scans.write(
      libraryId,
      [...known.values()].map(({ id, path }) => {
        const to = path.replaceAll('Haet', 'Heat');
        return { kind: 'moved', fileId: id, file: seen(to), name: movieNameOf(to) };
      }),
    );
    expect(await visible()).toEqual(['Heat (1995)']);
    expect(await movieIdAt('Heat (1995)/Heat (1995) 720p.mkv')).toBe(movieId);
  });

  it('[MATCH5] goes to the movie that has the new name already, and takes along what people did, the newest first', async () => {
    const [early, late] = [await addUser(), await addUser()];
    await add('Haet (1995).mkv', 'Heat (1995).avi');
    const [from, to] = [(await movieIdAt('Haet (1995).mkv'))!, (await movieIdAt('Heat (1995).avi'))!];
    await watch(early, from, 1_000, new Date('2026-01-01'));
    await watch(early, to, 2_000, new Date('2026-01-02'));
    await watch(late, from, 3_000, new Date('2026-01-04'));
    await watch(late, to, 4_000, new Date('2026-01-03'));
    await database.sql`truncate change`;
    await move('Haet (1995).mkv', 'Heat (1995).mkv');
    expect(await movieIdAt('Heat (1995).mkv')).toBe(to);
    expect(await visible()).toEqual(['Heat (1995)']);
    expect((await positions(to)).toSorted((a, b) => a - b)).toEqual([2_000, 3_000]);
    const told = await database.sql<{ audience: string }[]>`select audience from change where feed = 'progress'`;
    expect(told.map(({ audience }) => audience)).toEqual([late]);
  });

  it('[MATCH5] watched stays watched, whichever of the two was seen later', async () => {
    const user = await addUser();
    await add('Haet (1995).mkv', 'Heat (1995).avi');
    const [from, to] = [(await movieIdAt('Haet (1995).mkv'))!, (await movieIdAt('Heat (1995).avi'))!];
    await watch(user, from, 1_000, new Date('2026-01-01'));
    await database.sql`update progress set is_watched = true, watch_count = 2 where movie_id = ${from}`;
    await watch(user, to, 2_000, new Date('2026-01-02'));
    await move('Haet (1995).mkv', 'Heat (1995).mkv');
    const [place] =
      await database.sql`select position_ms::int, is_watched, watch_count from progress where movie_id = ${to}`;
    expect(place).toEqual({ position_ms: 2_000, is_watched: true, watch_count: 2 });
  });

  it('[MATCH6] one of several versions goes alone', async () => {
    await add('Heat (1995) a.mkv', 'Heat (1995) b.mkv');
    const movieId = await movieIdAt('Heat (1995) a.mkv');
    await move('Heat (1995) b.mkv', 'Ronin (1998).mkv');
    expect(await visible()).toEqual(['Heat (1995)', 'Ronin (1998)']);
    expect(await movieIdAt('Heat (1995) a.mkv')).toBe(movieId);
  });

  it('[MATCH7] keeps a movie that a person confirmed, whatever its name says now', async () => {
    await add('Heat (1995).mkv');
    await database.sql`update movie set match = 'confirmed', title = 'Heat!', tmdb_id = 949`;
    const movieId = await movieIdAt('Heat (1995).mkv');
    await move('Heat (1995).mkv', 'Something else (2001).mkv');
    expect(await movieIdAt('Something else (2001).mkv')).toBe(movieId);
    expect(await visible()).toEqual(['Heat! (1995)']);
    expect(await matchOf(movieId!)).toMatchObject({ match: 'confirmed', tmdbId: 949 });
  });

  it('[MATCH4] [MATCH7] makes a movie wait to be looked for again, but for what people locked', async () => {
    await add('Haet (1995).mkv');
    const movieId = (await movieIdAt('Haet (1995).mkv'))!;
    await database.sql`update movie set match = 'matched', tmdb_id = 949, title = 'My Heat', locked_fields = '{title}'`;
    // The same name with other facts beside it is no new name.
    await move('Haet (1995).mkv', 'Haet (1995) 1080p.mkv');
    expect(await matchOf(movieId)).toMatchObject({ match: 'matched', tmdbId: 949 });
    await move('Haet (1995) 1080p.mkv', 'Heat (1996).mkv');
    expect(await movieIdAt('Heat (1996).mkv')).toBe(movieId);
    expect(await visible()).toEqual(['My Heat (1996)']);
    expect(await matchOf(movieId)).toEqual({ match: 'waiting', tmdbId: null, fileTitle: 'Heat', fileYear: 1996 });
  });

  it('[MATCH12] called something else, a movie has nothing of what it was taken for, but what people locked', async () => {
    await add('1971 (2014).mp4');
    const movieId = (await movieIdAt('1971 (2014).mp4'))!;
    await describeAs(movieId, { title: '1971', match: 'matched', locked: ['tagline'] });
    await database.sql`truncate change`;
    await move('1971 (2014).mp4', 'Nineteen Seventy One (2014).mp4');
    expect(await matchOf(movieId)).toEqual({
      match: 'waiting',
      tmdbId: null,
      fileTitle: 'Nineteen Seventy One',
      fileYear: 2014,
    });
    expect(await shownOf(movieId)).toEqual({
      title: 'Nineteen Seventy One',
      tagline: 'Said of it',
      overview: null,
      rating: null,
      terms: 0,
      credits: 0,
      pictures: 0,
      isFetched: false,
    });
    expect(await database.sql`select from change where kind = 'movie' and entity_id = ${movieId}`).toHaveLength(1);
    // Once more: there is nothing left to forget.
    await move('Nineteen Seventy One (2014).mp4', 'Another One (2014).mp4');
    expect(await shownOf(movieId)).toMatchObject({ title: 'Another One', tagline: 'Said of it' });
  });

  it('[MATCH12] spelled better, or as it is shown already, it keeps what it has until it was looked for', async () => {
    await add('Haet (1995).mkv', 'ronin (1998).mkv');
    const [heat, ronin] = [(await movieIdAt('Haet (1995).mkv'))!, (await movieIdAt('ronin (1998).mkv'))!];
    await describeAs(heat, { title: 'Heat', match: 'matched' });
    await describeAs(ronin, { title: 'Ronin', match: 'matched' });
    const whole = {
      tagline: 'Said of it',
      overview: 'What happens',
      terms: 1,
      credits: 1,
      pictures: 1,
      isFetched: true,
    };
    await move('Haet (1995).mkv', 'Heat (1995).mkv');
    await move('ronin (1998).mkv', 'Rónin (1998).mkv');
    expect(await shownOf(heat)).toMatchObject({ ...whole, title: 'Heat' });
    expect(await shownOf(ronin)).toMatchObject(whole);
    expect(await matchOf(heat)).toMatchObject({ match: 'waiting', tmdbId: null });
  });

  it('[MATCH7] [MATCH12] of a movie that a person confirmed nothing is forgotten', async () => {
    await add('1971 (2014).mp4');
    const movieId = (await movieIdAt('1971 (2014).mp4'))!;
    await describeAs(movieId, { title: '1971', match: 'confirmed' });
    await move('1971 (2014).mp4', 'Nineteen Seventy One (2014).mp4');
    expect(await shownOf(movieId)).toMatchObject({
      title: '1971',
      overview: 'What happens',
      pictures: 1,
      isFetched: true,
    });
  });

  it('[MATCH4] may go to another library', async () => {
    await add('Heat (1995).mkv');
    const before = (await fileAt('Heat (1995).mkv'))!;
    await move('Heat (1995).mkv', 'Heat (1995).mkv', otherLibraryId);
    expect(await fileAt('Heat (1995).mkv')).toBeUndefined();
    expect(await fileAt('Heat (1995).mkv', otherLibraryId)).toMatchObject({ id: before.id, movieId: before.movieId });
  });
});

describe('files that are gone', () => {
  it('[SCAN7] hide their movie with the last of them, and bring back the same', async () => {
    await add('Heat (1995) a.mkv', 'Heat (1995) b.mkv');
    const before = (await fileAt('Heat (1995) a.mkv'))!;
    await remove('Heat (1995) a.mkv');
    expect(await visible()).toEqual(['Heat (1995)']);
    expect((await movies.movie(before.movieId, ANYBODY))!.files.map(({ state }) => state)).toEqual([
      'playable',
      'missing',
    ]);
    await remove('Heat (1995) b.mkv');
    expect(await visible()).toEqual([]);
    expect(await movies.movie(before.movieId, ANYBODY)).toBeNull();
    await scans.write(libraryId, [{ kind: 'kept', fileId: before.id, file: before }]);
    expect(await visible()).toEqual(['Heat (1995)']);
    expect(await fileAt('Heat (1995) a.mkv')).toMatchObject({ id: before.id, state: 'playable' });
  });

  it('[SCAN7] an unplayable file comes back as unplayable', async () => {
    await scans.write(libraryId, [probed('Heat (1995).mkv', { outcome: { failure: 'empty' } })]);
    const file = (await fileAt('Heat (1995).mkv'))!;
    await remove('Heat (1995).mkv');
    await scans.write(libraryId, [{ kind: 'kept', fileId: file.id, file }]);
    expect(await fileAt('Heat (1995).mkv')).toMatchObject({ state: 'unplayable', failure: 'empty' });
  });

  it('[SCAN13] are forgotten after the grace period, but no movie that somebody has progress in', async () => {
    const user = await addUser();
    await add('Old (1990).mkv', 'Seen (1991).mkv', 'New (1992).mkv', 'There (1993).mkv');
    await watch(user, (await movieIdAt('Seen (1991).mkv'))!, 1_000);
    await remove('Old (1990).mkv', 'Seen (1991).mkv');
    await database.sql`update movie_file set missing_since = now() - interval '40 days' where state = 'missing'`;
    await database.sql`update movie set deleted_at = now() - interval '40 days' where deleted_at is not null`;
    await remove('New (1992).mkv');
    await scans.purge(30 * 86_400_000);
    const rows = await database.sql<{ title: string }[]>`select title from movie order by title`;
    expect(rows.map(({ title }) => title)).toEqual(['New', 'Seen', 'There']);
    expect([
      ...(await scans.filesAt(libraryId, ['Old (1990).mkv', 'Seen (1991).mkv', 'New (1992).mkv'])).keys(),
    ]).toEqual(['New (1992).mkv']);
    await add('Seen (1991) again.mkv');
    expect(await positions((await movieIdAt('Seen (1991) again.mkv'))!)).toEqual([1_000]);
  });
});

describe('scopes', () => {
  it('a scope is the file or what lies below the folder, and nothing beside it', async () => {
    await add('a/1 (2001).mkv', 'a/b/2 (2002).mkv', 'a.mkv', 'a b/3 (2003).mkv', 'a0/4 (2004).mkv', 'ä/5 (2005).mkv');
    const inside = async (scope: string) =>
      (await scans.presentFiles(libraryId, scope, null, 100)).map(({ path }) => path);
    expect(await inside('a')).toEqual(['a/1 (2001).mkv', 'a/b/2 (2002).mkv']);
    expect(await inside('a.mkv')).toEqual(['a.mkv']);
    expect(await inside('ä')).toEqual(['ä/5 (2005).mkv']);
    expect(await inside('')).toHaveLength(6);
    const [first] = await scans.presentFiles(libraryId, '', null, 1);
    expect(await scans.presentFiles(libraryId, '', first!.path, 100)).toHaveLength(5);
  });

  it('issues are replaced for what was looked at and stay for the rest', async () => {
    await scans.replaceIssues(
      libraryId,
      [''],
      [
        { path: 'a/x', reason: 'notReadable' },
        { path: 'b/y', reason: 'symlinkLoop' },
      ],
    );
    await scans.replaceIssues(libraryId, ['a'], [{ path: 'a/z', reason: 'nameNotUtf8' }]);
    const { total, issues } = await libraries.issues({ libraryId, offset: 0, limit: 10 });
    expect(total).toBe(2);
    expect(issues.map(({ path, reason, fileId }) => [path, reason, fileId])).toEqual([
      ['a/z', 'nameNotUtf8', null],
      ['b/y', 'symlinkLoop', null],
    ]);
    expect((await libraries.counts()).get(libraryId)).toMatchObject({ issueCount: 2 });
  });
});

describe('libraries', () => {
  it('are counted, refused twice, and forgotten with all but what people did', async () => {
    const user = await addUser();
    await add('Heat (1995).mkv', 'Heat (1995) b.mkv', 'Ronin (1998).mkv');
    await scans.write(otherLibraryId, [probed('Ronin (1998).mkv')]);
    await watch(user, (await movieIdAt('Heat (1995).mkv'))!, 7_000);
    expect((await libraries.counts()).get(libraryId)).toEqual({ movieCount: 2, fileCount: 3, issueCount: 0 });
    expect(await libraries.add({ id: newId(), name: 'Again', path: '/movies' })).toBeNull();
    await libraries.remove(libraryId);
    expect((await libraries.list()).map(({ id }) => id)).toEqual([otherLibraryId]);
    expect(await visible()).toEqual(['Ronin (1998)']);
    libraryId = (await libraries.add({ id: newId(), name: 'Movies', path: '/movies' }))!.id;
    await add('Heat (1995).mkv');
    expect(await positions((await movieIdAt('Heat (1995).mkv'))!)).toEqual([7_000]);
  });
});

describe('whatever happens to files', () => {
  it('[MATCH4] [MATCH5] [SCAN7] nobody’s progress in a movie that is there is lost, and no visible movie is there twice', async () => {
    const names = ['Heat (1995)', 'Ronin (1998)', 'Alien (1979)'];
    const slots = names.flatMap((name) => [`${name}.mkv`, `${name}/x.mkv`]);
    const step = fc.record({ kind: fc.constantFrom('add', 'move', 'remove', 'watch'), from: fc.nat(5), to: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        await database.sql`truncate movie_file, movie, app_user cascade`;
        const user = await addUser();
        /** What is on the disk: slot → the movie that its content was watched as. */
        const watched = new Map<string, number>();
        const there = new Set<string>();
        let position = 0;
        for (const { kind, from, to } of steps) {
          const [source, target] = [slots[from]!, slots[to]!];
          if (kind === 'add' && !there.has(source)) {
            const known = await fileAt(source);
            await scans.write(libraryId, [probed(source, { fileId: known?.id ?? null })]);
            there.add(source);
          } else if (kind === 'remove' && there.has(source)) {
            await remove(source);
            there.delete(source);
          } else if (
            kind === 'move' &&
            there.has(source) &&
            !there.has(target) &&
            (await fileAt(target)) === undefined
          ) {
            await move(source, target);
            there.delete(source);
            there.add(target);
          } else if (kind === 'watch' && there.has(source)) {
            const movieId = (await movieIdAt(source))!;
            position += 1_000;
            await database.sql`
              insert into progress (user_id, movie_id, position_ms, duration_ms, observed_at)
              values (${user}, ${movieId}, ${position}, 6000000, now() + ${position} * interval '1 second')
              on conflict (user_id, movie_id) do update set position_ms = excluded.position_ms, observed_at = excluded.observed_at`;
            watched.set(movieId, position);
          }
        }
        const shown = await visible();
        expect(new Set(shown).size).toBe(shown.length);
        // Every place that still exists has at least the progress that was made in its movie.
        for (const slot of there) {
          const movieId = (await movieIdAt(slot))!;
          const expected = watched.get(movieId);
          if (expected !== undefined) expect((await positions(movieId))[0]).toBeGreaterThanOrEqual(expected);
        }
        // And the newest of all is never gone altogether.
        const [newest] = await database.sql<{ at: number | null }[]>`select max(position_ms) as at from progress`;
        expect(newest?.at ?? 0).toBe(position);
      }),
      { numRuns: 60 },
    );
  });
});
