import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId, openMetadataStage } from '#test/support/metadata.ts';
import type { MetadataStage } from '#test/support/metadata.ts';
import { TmdbStandIn } from '#test/support/tmdb-stand-in.ts';
import { createCatalogue } from './catalogue.ts';
import { createPlaybackStore } from './playback-store.ts';
import { createProgressStore } from './progress-store.ts';

let standIn: TmdbStandIn;
let stage: MetadataStage;
let users: string[];
beforeAll(async () => {
  standIn = await TmdbStandIn.open();
  stage = await openMetadataStage(standIn);
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await standIn[Symbol.asyncDispose]();
});
beforeEach(() => fresh());

async function fresh(): Promise<void> {
  await stage.clear();
  users = [newId(), newId()];
  for (const [index, id] of users.entries()) {
    await stage.sql`insert into app_user (id, name, role, password_hash) values (${id}, ${`user ${index}`}, 'user', 'x')`;
  }
}

const MINUTE = 60_000;
const watch = (userId: string, movieId: string, atMinute: number, seenAt: number, isWatched = false, count = 0) =>
  stage.sql`
    insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, watch_count, observed_at)
    values (${userId}, ${movieId}, ${atMinute * MINUTE}, ${100 * MINUTE}, ${isWatched}, ${count}, to_timestamp(${seenAt}))`;
const placeOf = async (userId: string, movieId: string) => {
  const [row] = await stage.sql`
    select position_ms / 60000 as minute, is_watched as "isWatched", watch_count as count from progress where user_id = ${userId} and movie_id = ${movieId}`;
  return row && { minute: Number(row['minute']), isWatched: row['isWatched'] as boolean, count: Number(row['count']) };
};
const tag = (movieId: string, name: string) => stage.sql`
  with t as (insert into term (kind, name) values ('tag', ${name}) on conflict (kind, name_key) do update set name = term.name returning id)
  insert into movie_term (movie_id, term_id) select ${movieId}, id from t`;
const tagsOf = async (movieId: string) =>
  (
    await stage.sql`select t.name from movie_term mt join term t on t.id = mt.term_id where mt.movie_id = ${movieId} and t.kind = 'tag' order by t.name`
  ).map((row) => String(row['name']));
const matched = (tmdbId: number) => ({ tmdbId, imdbId: null, state: 'matched', score: 1, reasons: [] }) as const;
const confirmed = (tmdbId: number) => ({ ...matched(tmdbId), state: 'confirmed' }) as const;
const name = () => ({ title: 'Taken out', year: 2000 });

describe('movies that are one', () => {
  it('[ONE1] the one that was there takes the files of the other, which is hidden', async () => {
    const [first, second] = [await stage.add({ title: 'A' }), await stage.add({ title: 'B' })];
    expect(await stage.store.identify(first, matched(7))).toEqual({ movieId: first });
    expect(await stage.store.identify(second, matched(7))).toEqual({ movieId: first });
    expect(await stage.sql`select from movie_file where movie_id = ${first}`).toHaveLength(2);
    expect(await stage.movie(second)).toMatchObject({
      merged_into: first,
      tmdb_id: null,
      deleted_at: expect.any(Date),
    });
    expect(await stage.store.movie(second)).toBeNull();
    expect(await stage.store.identify(second, matched(8))).toBeNull();
    const changes = await stage.sql`select distinct entity_id from change where kind = 'movie'`;
    expect(changes.map((row) => String(row['entity_id']))).toEqual(expect.arrayContaining([first, second]));
  });

  it('[ONE2] joins what people did: the newest place, watched for ever, tags and lists', async () => {
    const [a, b, c] = [
      await stage.add({ title: 'A' }),
      await stage.add({ title: 'B' }),
      await stage.add({ title: 'C' }),
    ];
    const [ada, bo] = users as [string, string];
    await watch(ada, a, 10, 100, true, 2);
    await watch(ada, b, 50, 200);
    await watch(ada, c, 30, 150, false, 3);
    await watch(bo, c, 20, 100);
    await tag(a, 'cosy');
    await tag(b, 'rainy');
    const list = newId();
    await stage.sql`insert into collection (id, kind, name) values (${list}, 'manual', 'List')`;
    await stage.sql`insert into collection_movie values (${list}, ${b}, 4)`;
    expect(await stage.store.merge([a, b, c])).toBe(true);
    expect(await placeOf(ada, a)).toEqual({ minute: 50, isWatched: true, count: 3 });
    expect(await placeOf(bo, a)).toEqual({ minute: 20, isWatched: false, count: 0 });
    expect(await tagsOf(a)).toEqual(['cosy', 'rainy']);
    expect(await stage.sql`select movie_id as id from collection_movie where collection_id = ${list}`).toEqual([
      { id: a },
    ]);
    expect(await stage.sql`select from progress`).toHaveLength(2);
    const told = await stage.sql`select distinct audience from change where kind = 'progress' and entity_id = ${a}`;
    expect(told).toHaveLength(2);
  });

  it('[ONE2] what a person locked in one is theirs in the other', async () => {
    const [a, b] = [await stage.add({ title: 'A' }), await stage.add({ title: 'B' })];
    await stage.sql`update movie set locked_fields = '{title,genres}', title = 'Mine' where id = ${b}`;
    await stage.sql`update movie set locked_fields = '{tagline}', tagline = 'Ours' where id = ${a}`;
    await stage.sql`with t as (insert into term (kind, name) values ('genre', 'Own') returning id) insert into movie_term select ${b}, id from t`;
    await stage.store.merge([a, b]);
    expect(await stage.movie(a)).toMatchObject({
      title: 'Mine',
      tagline: 'Ours',
      locked_fields: ['tagline', 'title', 'genres'],
    });
    expect(await stage.sql`select from movie_term where movie_id = ${a}`).toHaveLength(1);
  });

  it('[ONE2] [ONE5] the tracks that people chose go along, the later choice first, and stay on both sides of a split', async () => {
    const [first, second] = [await stage.add({ title: 'A' }), await stage.add({ title: 'B' })];
    const choose = (userId: string, movieId: string, language: string, at: number) => stage.sql`
      insert into track_choice (user_id, movie_id, audio, updated_at)
      values (${userId}, ${movieId}, ${stage.sql.json({ language })}, to_timestamp(${at}))`;
    await choose(users[0]!, first, 'de', 1_000);
    await choose(users[0]!, second, 'fr', 2_000);
    await choose(users[1]!, second, 'it', 500);
    const chosen = async (movieId: string) =>
      (
        await stage.sql<{ language: string }[]>`
          select audio ->> 'language' as language from track_choice where movie_id = ${movieId} order by 1`
      ).map(({ language }) => language);
    await stage.store.merge([first, second]);
    expect(await chosen(first)).toEqual(['fr', 'it']);
    expect(await chosen(second)).toEqual([]);
    const [file] = await stage.sql<{ id: string }[]>`select id from movie_file where movie_id = ${first} limit 1`;
    const parted = await stage.store.split(first, [file!.id], name);
    expect(await chosen(first)).toEqual(['fr', 'it']);
    expect(await chosen((parted as { movieId: string }).movieId)).toEqual(['fr', 'it']);
  });

  it('[ONE2] a picture that a person chose in one is shown, where nobody chose another', async () => {
    const [first, second, third] = [
      await stage.add({ title: 'A' }),
      await stage.add({ title: 'B' }),
      await stage.add({ title: 'C' }),
    ];
    const put = (movieId: string, role: string, location: string, isChosen: boolean) => stage.sql`
      insert into picture (movie_id, role, source, location, version, width, height, is_chosen)
      values (${movieId}, ${role}, 'tmdb', ${location}, '1', 500, 750, ${isChosen})`;
    await put(first, 'backdrop', '/mine.jpg', true);
    await put(first, 'poster', '/known.jpg', false);
    await put(second, 'poster', '/known.jpg', true);
    await put(second, 'backdrop', '/theirs.jpg', true);
    await put(third, 'poster', '/later.jpg', true);
    await put(third, 'logo', '/logo.png', true);
    expect(await stage.store.merge([first, second, third])).toBe(true);
    const shown = await stage.sql<{ role: string; location: string }[]>`
      select role, location from picture where owner_id = ${first} and is_chosen order by role`;
    expect(shown.map(({ role, location }) => [role, location])).toEqual([
      ['backdrop', '/mine.jpg'],
      ['logo', '/logo.png'],
      ['poster', '/known.jpg'],
    ]);
  });

  it('[ONE2] a merge by hand keeps what one of them was found to be', async () => {
    const [a, b] = [await stage.add({ title: 'A' }), await stage.add({ title: 'B' })];
    await stage.store.identify(b, matched(9));
    await stage.store.merge([a, b]);
    expect(await stage.movie(a)).toMatchObject({ tmdb_id: 9, match: 'matched', refreshed_at: null });
  });

  it('[ONE3] a link to the old id leads to the movie, and plays its files', async () => {
    const [first, second] = [await stage.add({ title: 'A' }), await stage.add({ title: 'B' })];
    await stage.store.merge([first, second]);
    const catalogue = createCatalogue(stage.sql, { newId });
    const found = await catalogue.movies.get(second, { withPaths: false, withHidden: false }, users[0]!);
    expect(found?.movie).toMatchObject({ id: first, title: 'A' });
    expect(await createPlaybackStore(stage.sql).filesOf(second, { withHidden: false })).toHaveLength(2);
    expect(await catalogue.movies.get(newId(), { withPaths: false, withHidden: false }, users[0]!)).toBeNull();
  });

  it('[ONE3] who watches on under the old id is not lost', async () => {
    const [a, b, c] = [
      await stage.add({ title: 'A' }),
      await stage.add({ title: 'B' }),
      await stage.add({ title: 'C' }),
    ];
    await stage.store.merge([b, c]);
    await stage.store.merge([a, b]);
    const progress = createProgressStore(stage.sql);
    for (const [index, id] of [b, c].entries()) {
      await progress.update(users[index]!, id, () => ({
        positionMs: 5 * MINUTE,
        durationMs: 100 * MINUTE,
        isWatched: false,
        watchCount: 0,
        observedAtMs: 1_000,
      }));
      expect(await placeOf(users[index]!, a)).toMatchObject({ minute: 5 });
    }
  });

  it('[ONE4] [ONE5] what was taken apart stays apart unless a person says otherwise, and keeps what people did in both', async () => {
    const a = await stage.add({ title: 'A' });
    const fileId = await stage.addFile(a, 'a/second.mkv');
    await stage.store.identify(a, matched(7));
    await watch(users[0]!, a, 40, 100);
    await tag(a, 'cosy');
    const outcome = await stage.store.split(a, [fileId], name);
    if (outcome === null || outcome === 'nothingLeft') throw new Error('it was not split');
    const b = outcome.movieId;
    expect(await stage.movie(b)).toMatchObject({
      title: 'Taken out',
      match: 'waiting',
      is_playable: true,
      deleted_at: null,
    });
    expect(await placeOf(users[0]!, a)).toMatchObject({ minute: 40 });
    expect(await placeOf(users[0]!, b)).toMatchObject({ minute: 40 });
    expect(await tagsOf(b)).toEqual(['cosy']);
    expect(await stage.store.movie(b)).toMatchObject({ apartFrom: [7] });
    expect(await stage.store.identify(b, matched(7))).toBe('apart');
    expect(await stage.store.identify(b, confirmed(7))).toEqual({ movieId: a });
    expect(await stage.store.split(a, [newId()], name)).toBeNull();
    const [own] = await stage.sql`select array_agg(id) as ids from movie_file where movie_id = ${a}`;
    expect(await stage.store.split(a, own!['ids'] as string[], name)).toBe('nothingLeft');
  });

  it('a machine changes nothing that a person confirmed', async () => {
    const a = await stage.add({ title: 'A' });
    await stage.store.identify(a, confirmed(5));
    expect(await stage.store.identify(a, matched(6))).toEqual({ movieId: a });
    expect(await stage.movie(a)).toMatchObject({ tmdb_id: 5, match: 'confirmed' });
    await stage.store.unmatch(a);
    expect(await stage.store.identify(a, matched(6))).toEqual({ movieId: a });
    expect(await stage.movie(a)).toMatchObject({ tmdb_id: null, match: 'confirmed' });
  });

  it('two that are found to be one at the same time become one, and not two', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, index) => stage.add({ title: `T${index}` })));
    const outcomes = await Promise.all(ids.map((id) => stage.store.identify(id, matched(77))));
    const winners = new Set(
      outcomes.map((outcome) => (outcome !== null && outcome !== 'apart' ? outcome.movieId : '')),
    );
    expect(winners.size).toBe(1);
    expect(await stage.sql`select from movie where deleted_at is null`).toHaveLength(1);
    expect(await stage.sql`select distinct movie_id from movie_file`).toHaveLength(1);
  });

  it('[ONE2] [ONE5] merging, splitting and finding in any order lose no place and no view of anybody', async () => {
    type Step =
      | { kind: 'watch'; user: number; movie: number; minute: number; isWatched: boolean }
      | { kind: 'merge'; movies: number[] }
      | { kind: 'split'; movie: number }
      | { kind: 'identify'; movie: number; tmdbId: number; isPerson: boolean }
      | { kind: 'unmatch'; movie: number };
    const index = fc.nat({ max: 5 });
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({
        kind: fc.constant('watch' as const),
        user: fc.nat({ max: 1 }),
        movie: index,
        minute: fc.integer({ min: 1, max: 89 }),
        isWatched: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('merge' as const), movies: fc.uniqueArray(index, { minLength: 2, maxLength: 3 }) }),
      fc.record({ kind: fc.constant('split' as const), movie: index }),
      fc.record({
        kind: fc.constant('identify' as const),
        movie: index,
        tmdbId: fc.integer({ min: 1, max: 3 }),
        isPerson: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('unmatch' as const), movie: index }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        await fresh();
        const progress = createProgressStore(stage.sql);
        const files: string[] = [];
        for (let at = 0; at < 4; at++) {
          const id = await stage.add({ title: `M${at}` });
          files.push(String((await stage.sql`select id from movie_file where movie_id = ${id}`)[0]!['id']));
        }
        /** What each person saw last of each file's movie, when it was seen; and what they watched to the end. */
        const seen = new Map<string, { minute: number; at: number }>();
        const watched = new Set<string>();
        const moviesOf = async () =>
          new Map(
            (await stage.sql`select id, movie_id from movie_file`).map((row) => [
              String(row['id']),
              String(row['movie_id']),
            ]),
          );
        const there = async () =>
          (await stage.sql`select id from movie where deleted_at is null order by id`).map((row) => String(row['id']));
        for (const [at, one] of steps.entries()) {
          const ids = await there();
          const idOf = (number: number): string => ids[number % ids.length]!;
          if (one.kind === 'watch') {
            const movieId = idOf(one.movie);
            const state = {
              positionMs: one.minute * MINUTE,
              durationMs: 100 * MINUTE,
              isWatched: one.isWatched,
              watchCount: one.isWatched ? 1 : 0,
              observedAtMs: at * 1_000,
            };
            await progress.update(users[one.user]!, movieId, (stored) => ({
              ...state,
              isWatched: state.isWatched || (stored?.isWatched ?? false),
            }));
            for (const [file, movie] of await moviesOf()) {
              if (movie !== movieId) continue;
              seen.set(`${one.user} ${file}`, { minute: one.minute, at });
              if (one.isWatched) watched.add(`${one.user} ${file}`);
            }
          } else if (one.kind === 'merge') {
            await stage.store.merge([...new Set(one.movies.map(idOf))]);
          } else if (one.kind === 'split') {
            const movieId = idOf(one.movie);
            const own = (await stage.sql`select id from movie_file where movie_id = ${movieId} order by id`).map(
              (row) => String(row['id']),
            );
            if (own.length > 1) await stage.store.split(movieId, own.slice(1), name);
          } else if (one.kind === 'identify') {
            await stage.store.identify(idOf(one.movie), one.isPerson ? confirmed(one.tmdbId) : matched(one.tmdbId));
          } else {
            await stage.store.unmatch(idOf(one.movie));
          }
        }
        const now = await moviesOf();
        expect([...now.keys()].toSorted()).toEqual(files.toSorted());
        for (const [key, { minute, at }] of seen) {
          const [user = '', file = ''] = key.split(' ');
          const [row] = await stage.sql`
            select position_ms / 60000 as minute, extract(epoch from observed_at) as at, is_watched as watched from progress
            where user_id = ${users[Number(user)]!} and movie_id = ${now.get(file)!}`;
          // The place of a file's movie is what was seen last in any movie that it was a part of.
          expect(row).toBeDefined();
          expect(Number(row!['at'])).toBeGreaterThanOrEqual(at);
          if (Number(row!['at']) === at) expect(Number(row!['minute'])).toBe(minute);
          if (watched.has(key)) expect(row!['watched']).toBe(true);
        }
        const [twice] =
          await stage.sql`select count(*)::int - count(distinct tmdb_id)::int as twice from movie where tmdb_id is not null`;
        expect(twice).toEqual({ twice: 0 });
        expect(
          await stage.sql`select from movie_file f join movie m on m.id = f.movie_id where m.deleted_at is not null`,
        ).toHaveLength(0);
      }),
      { numRuns: 25 },
    );
  });
});
