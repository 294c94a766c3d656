import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isFailure } from '#protocol/errors.ts';
import { nfoText } from '#engine/media/nfo-text.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { STAGE_KEY, newId, openMetadataStage } from '#test/support/metadata.ts';
import type { MetadataStage } from '#test/support/metadata.ts';
import { standInMovies } from '#test/support/tmdb-movies.ts';
import { HOSTILE_TEXT, TmdbStandIn } from '#test/support/tmdb-stand-in.ts';
import { MetadataPreferences } from './preferences.ts';

let standIn: TmdbStandIn;
let stage: MetadataStage;
const stops: (() => void)[] = [];
const context = () => testContext({ viewer: testViewer('01890000-0000-7000-8000-000000000001', 'admin') });
beforeAll(async () => {
  standIn = await TmdbStandIn.open();
  stage = await openMetadataStage(standIn);
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await standIn[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await stage.clear();
  stage.queue.orders.length = 0;
  stage.queue.outcomes.length = 0;
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});
const misbehave = (...rule: Parameters<TmdbStandIn['misbehave']>) => void stops.push(standIn.misbehave(...rule));

const termsOf = async (movieId: string): Promise<string[]> =>
  (
    await stage.sql`select t.kind || ': ' || t.name as name from movie_term mt join term t on t.id = mt.term_id
      where mt.movie_id = ${movieId} order by t.kind, mt.position`
  ).map((row) => String(row['name']));
/** Looks for everything that waits, and fetches what was found. */
const recognise = async (): Promise<void> => {
  await stage.domain.waiting.sweep();
  await stage.queue.run();
};
const failureOf = async (promise: unknown): Promise<{ code: string; data: unknown }> => {
  try {
    await promise;
  } catch (error) {
    if (isFailure(error)) return { code: error.code, data: error.data };
    throw error;
  }
  throw new Error('it did not fail');
};

describe('recognising', () => {
  it('[META1] finds a movie by its name and writes all that is known of it', async () => {
    const id = await stage.add({ title: 'orbit', year: 2012, minutes: 132 });
    await recognise();
    expect(await stage.movie(id)).toMatchObject({
      title: 'Orbit',
      year: 2012,
      match: 'matched',
      match_reasons: ['titleExact', 'yearExact', 'popular'],
      tmdb_id: 900_106,
      imdb_id: 'tt9900106',
      overview: 'What happens in Orbit.',
      tagline: 'Orbit: see it twice.',
      runtime_minutes: 132,
      certification: 'PG-13',
      vote_count: 12_000,
      status: 'Released',
      trailer_url: 'https://www.youtube.com/watch?v=trailer900106',
      original_language: 'en',
      file_title: 'orbit',
      refreshed_at: expect.any(Date),
    });
    expect(await termsOf(id)).toEqual([
      'country: United States of America',
      'genre: Mystery',
      'genre: Comedy',
      'keyword: keyword 4',
      'studio: Studio B',
    ]);
    const credits =
      await stage.sql`select p.name, c.kind, c.role from credit c join person p on p.id = c.person_id where c.movie_id = ${id} order by c.position`;
    expect(credits.filter(({ kind }) => kind === 'cast')).toHaveLength(4);
    expect(credits.filter(({ kind }) => kind === 'crew').map(({ role }) => String(role))).toEqual([
      'Director',
      'Screenplay',
      'Screenplay',
      'Producer',
    ]);
    const pictures =
      await stage.sql`select role, location from picture where movie_id = ${id} and position = 0 order by role`;
    expect(pictures).toEqual([
      { role: 'backdrop', location: '/m900106b1.jpg' },
      { role: 'logo', location: '/m900106l0.png' },
      { role: 'poster', location: '/m900106p0.jpg' },
    ]);
    expect((await stage.sql`select from picture where person_id is not null`).length).toBeGreaterThan(4);
    const [series] = await stage.sql`
      select c.name, c.kind, count(distinct cp.tmdb_id)::int as parts, count(distinct cm.movie_id)::int as here from collection c
      join collection_part cp on cp.collection_id = c.id join collection_movie cm on cm.collection_id = c.id group by c.id`;
    expect(series).toEqual({ name: 'Orbit Collection', kind: 'series', parts: 4, here: 1 });
    const [lists] = await stage.sql`
      select (select count(*)::int from similar_movie where movie_id = ${id}) as similar,
        (select count(*)::int from release_date where movie_id = ${id}) as dates, (select count(*)::int from movie_rating where movie_id = ${id}) as ratings`;
    expect(lists).toEqual({ similar: 3, dates: 3, ratings: 1 });
  });

  it('[META5] changes nothing when it is done again', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await recognise();
    const rows = async () => {
      const { refreshed_at: _, ...movie } = await stage.movie(id);
      const [counts] = await stage.sql`
        select (select count(*) from person) people, (select count(*) from credit) credits, (select count(*) from term) terms,
          (select count(*) from picture) pictures, (select count(*) from collection) series`;
      return { movie, counts, terms: await termsOf(id) };
    };
    const before = await rows();
    await stage.domain.orderRefresh([id], 'bulk');
    await stage.queue.run();
    expect(await rows()).toEqual(before);
  });

  it('[META2] an id in the name, in the NFO or from Radarr decides, in this order', async () => {
    const named = await stage.add({ title: 'Whatever', year: 1950, path: 'Whatever (1950) [tmdbid-900118]/x.mkv' });
    const imdb = await stage.add({ title: 'Also', year: 1951, path: 'Also (1951) {imdb-tt9900117}/y.mkv' });
    const told = await stage.add({
      title: 'Wolf',
      year: 2016,
      nfo: '<movie><uniqueid type="tmdb">900121</uniqueid></movie>',
    });
    const radarr = await stage.add({ title: 'Unreadable', path: 'r/r.mkv' });
    await stage.sql`
      insert into radarr_movie (instance, radarr_id, tmdb_id, library_id, path, synced_at)
      values ('x', 1, 900123, ${stage.libraryId}, 'r/r.mkv', now())`;
    await recognise();
    expect(await stage.movie(named)).toMatchObject({
      title: 'Nine Bridges',
      match_reasons: ['idInName'],
      match: 'matched',
    });
    expect(await stage.movie(imdb)).toMatchObject({ title: "The Clockmaker's Daughter", match_reasons: ['idInName'] });
    expect(await stage.movie(told)).toMatchObject({ title: 'The Wolf Who Waited', match_reasons: ['idInNfo'] });
    expect(await stage.movie(radarr)).toMatchObject({ title: 'Q.E.D.', match_reasons: ['idFromRadarr'] });
  });

  it('[META2] an id that TMDB does not know is none', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012, path: 'Orbit (2012) [tmdbid-5]/o.mkv' });
    await recognise();
    expect(await stage.movie(id)).toMatchObject({ tmdb_id: 900_106 });
  });

  it('[META2] a number that is stated later wins over what was found by name, and not over a person', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012, path: 'o/o.mkv' });
    await recognise();
    await stage.sql`
      insert into radarr_movie (instance, radarr_id, tmdb_id, library_id, path, synced_at)
      values ('x', 1, 900109, ${stage.libraryId}, 'o/o.mkv', now())`;
    await stage.domain.orderMatch([id], 'normal');
    await stage.queue.run();
    expect(await stage.movie(id)).toMatchObject({
      tmdb_id: 900_109,
      year: 1958,
      match_reasons: ['idFromRadarr'],
      tagline: 'Orbit: see it twice.',
    });
    await stage.handlers.match({ choices: [{ movieId: id, tmdbId: 900_106 }] }, context());
    await stage.domain.orderMatch([id], 'normal');
    await stage.queue.run();
    expect(await stage.movie(id)).toMatchObject({ tmdb_id: 900_106, match: 'confirmed' });
  });

  it('[META3] leaves to a person what is not certain, with what it may be, and shows nothing of it', async () => {
    const twins = await stage.add({ title: 'Paper Boats', year: 2022, minutes: 200 });
    const nothing = await stage.add({ title: 'Aunt Maude’s birthday', year: 2004 });
    await recognise();
    expect(await stage.movie(twins)).toMatchObject({
      match: 'doubtful',
      title: 'Paper Boats',
      tmdb_id: null,
      overview: null,
    });
    expect(await stage.movie(nothing)).toMatchObject({ match: 'unmatched', tmdb_id: null });
    expect(stage.queue.outcomes.map(({ kind }) => kind)).toEqual(['done', 'done']);
    const review = await stage.handlers.review({ offset: 0, limit: 25 }, context());
    expect(review).toMatchObject({ total: 2, unmatched: 1, doubtful: 1 });
    expect(review.items[0]).toMatchObject({
      movieId: twins,
      fileNames: ['Paper Boats.mkv'],
      match: { state: 'doubtful', score: expect.any(Number) },
      candidates: [
        {
          tmdbId: 900_112,
          year: 2022,
          score: expect.any(Number),
          reasons: expect.arrayContaining(['titleExact', 'severalAlike']),
          poster: { url: expect.stringContaining('/images/') },
        },
        { tmdbId: 900_113 },
      ],
    });
    // Of what does not play nobody can say what it is.
    await stage.sql`update movie set is_playable = false where id = ${twins}`;
    expect(await stage.handlers.review({ offset: 0, limit: 25 }, context())).toMatchObject({
      total: 1,
      doubtful: 0,
      items: [{ movieId: nothing }],
    });
    expect(await stage.handlers.review({ offset: 0, limit: 25, state: 'unmatched' }, context())).toMatchObject({
      total: 1,
      items: [{ movieId: nothing }],
    });
  });

  it('[META3] a movie whose file was renamed to something else has nothing of what it was taken for', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await recognise();
    await stage.sql`
      update movie set file_title = 'Aunt Maude', file_year = 2004, title = 'Aunt Maude', year = 2004, match = 'waiting', tmdb_id = null where id = ${id}`;
    await recognise();
    expect(await stage.movie(id)).toMatchObject({
      title: 'Aunt Maude',
      year: 2004,
      match: 'unmatched',
      overview: null,
      trailer_url: null,
      refreshed_at: null,
    });
    expect(await termsOf(id)).toEqual([]);
    for (const table of ['credit', 'collection_movie', 'picture']) {
      expect(await stage.sql`select from ${stage.sql(table)} where movie_id = ${id}`).toHaveLength(0);
    }
  });

  it('[META4] never writes a field that a person locked', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await stage.sql`update movie set locked_fields = '{title,genres,certification,credits}', title = 'My Orbit', certification = 'For Ada' where id = ${id}`;
    await recognise();
    expect(await stage.movie(id)).toMatchObject({
      title: 'My Orbit',
      certification: 'For Ada',
      overview: 'What happens in Orbit.',
      match: 'matched',
    });
    expect((await termsOf(id)).filter((term) => term.startsWith('genre'))).toEqual([]);
    expect(await stage.sql`select from credit where movie_id = ${id}`).toHaveLength(0);
  });

  it('[NFO6] takes from an NFO whatever it has, and the rest from TMDB', async () => {
    const id = await stage.add({
      title: 'Orbit',
      year: 2012,
      nfo: `<movie><title>Der Orbit</title><plot>Kurz.</plot><genre>Weltraum</genre><actor><name>Uwe Unbekannt</name><role>Pilot</role></actor>
        <playcount>9</playcount></movie>\nhttps://www.themoviedb.org/movie/900106`,
    });
    await recognise();
    expect(await stage.movie(id)).toMatchObject({
      title: 'Der Orbit',
      overview: 'Kurz.',
      tagline: 'Orbit: see it twice.',
      match: 'matched',
    });
    expect((await termsOf(id)).filter((term) => term.startsWith('genre'))).toEqual(['genre: Weltraum']);
    const cast =
      await stage.sql`select p.name, c.role from credit c join person p on p.id = c.person_id where movie_id = ${id} and kind = 'cast'`;
    expect(cast).toEqual([{ name: 'Uwe Unbekannt', role: 'Pilot' }]);
    expect(await stage.sql`select from progress`).toHaveLength(0);
  });

  it('[META6] two movies that turn out to be one become one', async () => {
    const first = await stage.add({ title: 'Harbour Lights', year: 2003 });
    const second = await stage.add({ title: 'Harbor Lights', year: 2003, path: 'other/Harbor.Lights.mkv' });
    await recognise();
    const [winner, loser] = (await stage.movie(first))['tmdb_id'] === null ? [second, first] : [first, second];
    expect(await stage.movie(winner)).toMatchObject({ tmdb_id: 900_104, deleted_at: null });
    expect(await stage.movie(loser)).toMatchObject({ merged_into: winner, deleted_at: expect.any(Date) });
    expect(await stage.sql`select from movie_file where movie_id = ${winner}`).toHaveLength(2);
  });

  it('many at once, with the same people, terms and series, do not get in each other’s way', async () => {
    const ids = await Promise.all(
      standInMovies()
        .filter(({ release_date }) => release_date !== '')
        .map((movie) => stage.add({ title: `${movie.id}`, path: `${movie.id} [tmdbid-${movie.id}]/x.mkv` })),
    );
    await stage.domain.waiting.sweep();
    await stage.queue.run(1, 8);
    const [row] = await stage.sql`
      select count(*)::int as movies, count(refreshed_at)::int as refreshed, count(distinct tmdb_id)::int as different from movie`;
    expect(row).toEqual({ movies: ids.length, refreshed: ids.length, different: ids.length });
    const people = await stage.sql`select tmdb_id from person`;
    expect(new Set(people.map((person) => Number(person['tmdb_id']))).size).toBe(people.length);
    expect(people.length).toBeLessThanOrEqual(12);
    const parts = await stage.sql`select count(*)::int as count from collection_movie`;
    expect(parts).toEqual([{ count: 8 }]);
  });

  it('[META15] who somebody is is fetched when their page is looked at, once in thirty days', async () => {
    await stage.add({ title: 'Orbit', year: 2012 });
    await recognise();
    const [person] = await stage.sql`select id, tmdb_id from person order by tmdb_id limit 1`;
    const personId = String(person!['id']);
    stage.domain.wantPerson(personId);
    await expect
      .poll(() => stage.queue.orders)
      .toMatchObject([{ kind: 'refresh', urgency: 'click', payload: { personId } }]);
    await stage.queue.run();
    const [row] =
      await stage.sql`select name || ' was never born.' as expected, biography, born_on::text as born, birthplace from person where id = ${personId}`;
    expect(row).toMatchObject({ biography: row!['expected'], born: '1950-02-03', birthplace: 'Lisbon' });
    expect(await stage.store.stalePerson(personId, 1_000_000)).toBeNull();
    await stage.sql`update person set tmdb_id = 5, refreshed_at = null where id = ${personId}`;
    stage.domain.wantPerson(personId);
    await expect.poll(() => stage.queue.orders.length).toBe(1);
    await stage.queue.run();
    expect((await stage.sql`select biography, refreshed_at from person where id = ${personId}`)[0]).toMatchObject({
      biography: row!['expected'],
      refreshed_at: expect.any(Date),
    });
  });

  it('[META9] notices what comes by itself, and what came while it was not there', async () => {
    const early = await stage.add({ title: 'Orbit', year: 2012 });
    const { domain, queue } = await stage.again();
    await domain.start();
    await expect.poll(() => queue.orders.map(({ key }) => key)).toEqual([early]);
    const late = await stage.add({ title: 'Starlings', year: 2021 });
    await expect.poll(() => queue.orders.map(({ key }) => key)).toContain(late);
    expect(queue.orders.every(({ urgency }) => urgency === 'bulk')).toBe(true);
    await queue.run();
    expect((await stage.movie(late))['tmdb_id']).toBe(900_138);
    await domain[Symbol.asyncDispose]();
  });

  it('[META9] a kill between finding and fetching is made up for at the next start', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await stage.domain.waiting.sweep();
    await stage.queue.order([]);
    const order = stage.queue.orders.pop()!;
    // What a kill leaves: identified, and nobody who will fetch.
    await stage.store.identify(id, { tmdbId: 900_106, imdbId: null, state: 'matched', score: 1, reasons: [] });
    expect(order.kind).toBe('match');
    const { domain, queue } = await stage.again();
    await domain.start();
    await expect.poll(() => queue.orders).toMatchObject([{ kind: 'refresh', key: id }]);
    await queue.run();
    expect(await stage.movie(id)).toMatchObject({ title: 'Orbit', overview: 'What happens in Orbit.' });
    await domain[Symbol.asyncDispose]();
  });
});

describe('when TMDB is no help', () => {
  it('[META7] without a key nothing is asked or queued for ever; with one, everything that waited is found', async () => {
    const { domain, handlers, queue, health } = await stage.again({ key: null });
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    const told = await stage.add({ title: 'X', nfo: nfoWith(900_138, 'Stare') });
    const asked = standIn.requests.length;
    await domain.start();
    await expect.poll(() => stage.store.waiting({ after: null, limit: 10, isUnread: true })).toEqual([]);
    expect(queue.orders).toEqual([]);
    expect(standIn.requests.length).toBe(asked);
    expect(await stage.movie(id)).toMatchObject({ match: 'waiting', title: 'Orbit' });
    // What lies beside the file is read nevertheless.
    expect(await stage.movie(told)).toMatchObject({ match: 'matched', title: 'Stare', tmdb_id: 900_138 });
    await domain.waiting.sweep();
    expect(queue.orders).toEqual([]);
    expect(health.items()).toMatchObject([{ id: 'tmdb', severity: 'info' }]);
    expect(await handlers.settings({}, context())).toMatchObject({ state: 'noKey', keyFrom: null, waiting: 1 });
    expect(await failureOf(handlers.refresh({}, context()))).toEqual({
      code: 'notReachable',
      data: { reason: 'noKey' },
    });

    expect(await handlers.configure({ apiKey: STAGE_KEY }, context())).toMatchObject({
      state: 'ready',
      keyFrom: 'settings',
    });
    await queue.run();
    expect(await stage.movie(id)).toMatchObject({ match: 'matched', tmdb_id: 900_106 });
    expect(await stage.movie(told)).toMatchObject({ title: 'Stare', tagline: 'Starlings: see it twice.' });
    expect(health.items()).toEqual([]);
    await domain[Symbol.asyncDispose]();
    const next = await stage.again({ key: null });
    expect(next.domain.preferences.keyFrom).toBe('settings');
  });

  it('[META8] while it is away everything waits, health says so, and nothing is lost', async () => {
    const ids: string[] = [];
    for (const title of ['Orbit', 'Wolf', 'Starlings', 'Salt Road', 'Nine Bridges', 'Wolves']) {
      ids.push(await stage.add({ title, year: 2016 }));
    }
    const { domain, queue, health, handlers } = await stage.again();
    await domain.start();
    await expect.poll(() => queue.orders.length).toBe(6);
    misbehave(() => ({ kind: 'reset' }));
    for (let turn = 0; turn < 4; turn++) await queue.run().catch(() => {});
    expect(health.items()).toMatchObject([{ id: 'tmdb', severity: 'warning' }]);
    expect(await handlers.settings({}, context())).toMatchObject({
      state: 'away',
      retryAt: expect.any(Number),
      waiting: 6,
    });
    stops.pop()!();
    // The first answer brings all the others back, without waiting for the time to which they were put off.
    const [first] = queue.orders.splice(0);
    queue.orders.push(first!);
    await expect
      .poll(async () => {
        await queue.run();
        return (await stage.movie(ids[1]!))['tmdb_id'];
      })
      .toBe(900_119);
    expect(health.items()).toEqual([]);
  });

  it('[META8] a reply that makes no sense costs one movie its match, and that only after some attempts', async () => {
    const bad = await stage.add({ title: 'Orbit', year: 2012 });
    const good = await stage.add({ title: 'Starlings', year: 2021 });
    misbehave(({ params }) => (/orbit/i.test(params.get('query') ?? '') ? { kind: 'html' } : null));
    await stage.domain.orderMatch([bad], 'bulk');
    await expect(stage.queue.run(1)).rejects.toThrow(/JSON/);
    await stage.domain.orderMatch([good], 'bulk');
    await stage.queue.run(1);
    expect((await stage.movie(good))['match']).toBe('matched');
    await stage.domain.orderMatch([bad], 'bulk');
    await stage.queue.run(6);
    expect(await stage.movie(bad)).toMatchObject({ match: 'unmatched', title: 'Orbit' });
  });

  it('writes hostile text as text, and nothing else of it', async () => {
    misbehave(({ path }) =>
      path.startsWith('/movie/') || path.startsWith('/collection/') ? { kind: 'hostile' } : null,
    );
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await recognise();
    const movie = await stage.movie(id);
    expect(movie['title']).toContain(HOSTILE_TEXT.slice(0, 27));
    expect(movie['trailer_url']).toBeNull();
    expect(await stage.sql`select from picture where movie_id = ${id}`).toHaveLength(0);
    expect(await stage.sql`select from movie`).toHaveLength(1);
  });

  it('[META10] what TMDB deleted stays as it was known', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await recognise();
    standIn.forget(900_106);
    await stage.domain.orderRefresh([id], 'bulk');
    await stage.queue.run();
    standIn.remember(900_106);
    expect(await stage.movie(id)).toMatchObject({
      title: 'Orbit',
      tmdb_id: 900_106,
      overview: 'What happens in Orbit.',
    });
  });
});

const nfoWith = (tmdbId: number, title: string): string =>
  nfoText({
    ...{
      title,
      tmdbId,
      imdbId: null,
      originalTitle: null,
      sortTitle: null,
      year: null,
      releaseDate: null,
      overview: null,
      tagline: null,
    },
    ...{
      runtimeMinutes: null,
      certification: null,
      rating: null,
      voteCount: null,
      genres: [],
      keywords: [],
      studios: [],
      countries: [],
    },
    ...{ directors: [], writers: [], actors: [], collection: null },
  });

describe('what people say', () => {
  it('[META11] a person’s choice is written at once, many together, and no machine changes it', async () => {
    const one = await stage.add({ title: 'Paper Boats', year: 2022, minutes: 200 });
    const two = await stage.add({ title: 'Something', path: 'x/x.mkv' });
    await recognise();
    const { movieIds } = await stage.handlers.match(
      {
        choices: [
          { movieId: one, tmdbId: 900_113 },
          { movieId: two, tmdbId: 900_129 },
        ],
      },
      context(),
    );
    expect(movieIds).toEqual([one, two]);
    expect(await stage.movie(one)).toMatchObject({
      match: 'confirmed',
      tmdb_id: 900_113,
      match_reasons: ['chosenByPerson'],
    });
    expect(await stage.movie(two)).toMatchObject({ match: 'confirmed', title: 'Everything Between Here and the Sea' });
    await stage.domain.orderMatch([one], 'bulk');
    await stage.queue.run();
    expect(await stage.movie(one)).toMatchObject({ match: 'confirmed', tmdb_id: 900_113 });
    expect(await failureOf(stage.handlers.match({ choices: [{ movieId: one, tmdbId: 4 }] }, context()))).toEqual({
      code: 'unknownMovie',
      data: { tmdbId: 4 },
    });
    expect(
      await failureOf(stage.handlers.match({ choices: [{ movieId: newId(), tmdbId: 900_101 }] }, context())),
    ).toMatchObject({ code: 'notFound' });
  });

  it('[META12] unmatched by a person it is called as its files are, with nothing of the catalogue but what was locked', async () => {
    const id = await stage.add({ title: 'orbit', year: 2012 });
    await recognise();
    await stage.sql`update movie set locked_fields = '{tagline}' where id = ${id}`;
    const { movie } = await stage.handlers.unmatch({ movieId: id }, context());
    expect(movie).toMatchObject({
      title: 'orbit',
      overview: null,
      tagline: 'Orbit: see it twice.',
      genres: [],
      cast: [],
      collections: [],
      poster: null,
      match: { state: 'confirmed', tmdbId: null },
    });
    await recognise();
    expect(await stage.movie(id)).toMatchObject({ match: 'confirmed', tmdb_id: null, title: 'orbit' });
  });

  it('searches by title, by number and by address', async () => {
    const ask = async (query: string, year?: number) =>
      (await stage.handlers.search({ query, ...(year !== undefined && { year }) }, context())).candidates.map(
        ({ tmdbId }) => tmdbId,
      );
    expect(await ask('orbit')).toEqual(expect.arrayContaining([900_106, 900_109]));
    expect(await ask('orbit', 1958)).toEqual([900_109]);
    expect(await ask('tt9900106')).toEqual([900_106]);
    expect(await ask('900138')).toEqual([900_138]);
    expect(await ask('https://www.themoviedb.org/movie/900138-starlings?language=de')).toEqual([900_138]);
    expect(await ask('https://www.imdb.com/title/tt9900106/')).toEqual([900_106]);
    expect(await ask('1971')).toEqual([900_114]);
    expect((await stage.handlers.search({ query: 'orbit' }, context())).candidates[0]).toMatchObject({
      score: null,
      reasons: [],
    });
    misbehave(() => ({ kind: 'reset' }));
    expect(await failureOf(stage.handlers.search({ query: 'never asked before' }, context()))).toEqual({
      code: 'notReachable',
      data: { reason: 'away' },
    });
  });

  it('refreshes one before everything else, and looks again for what was not found', async () => {
    const { handlers, queue } = await stage.again();
    const found = await stage.add({ title: 'Orbit', year: 2012 });
    const lost = await stage.add({ title: 'Nowhere to be found', year: 2012 });
    await stage.domain.waiting.sweep();
    await stage.queue.run();
    expect(await handlers.refresh({ movieId: found }, context())).toEqual({ queued: 1 });
    expect(await handlers.refresh({ movieId: lost }, context())).toEqual({ queued: 1 });
    expect(queue.orders).toMatchObject([
      { kind: 'refresh', urgency: 'click', key: found },
      { kind: 'match', urgency: 'click', key: lost },
    ]);
    await queue.run();
    expect(await handlers.refresh({}, context())).toEqual({ queued: 2 });
  });

  it('[META13] the language of preference comes first, then the other one; another country changes certificate and date at once', async () => {
    const id = await stage.add({ title: 'The Glass Garden', year: 1987 });
    await recognise();
    const { handlers, queue } = await stage.again();
    await handlers.configure({ country: 'DE' }, context());
    expect(await stage.movie(id)).toMatchObject({ certification: '16' });
    await handlers.configure({ language: 'fr', fallbackLanguage: 'de' }, context());
    await queue.run();
    expect(await stage.movie(id)).toMatchObject({ title: 'Der gläserne Garten' });
    expect(await handlers.settings({}, context())).toMatchObject({
      language: 'fr',
      fallbackLanguage: 'de',
      country: 'DE',
    });
  });

  it('tries a key before it keeps it, and changes none of the environment', async () => {
    expect(await failureOf(stage.handlers.configure({ apiKey: 'x' }, context()))).toEqual({
      code: 'setByEnvironment',
      data: {},
    });
    const { handlers } = await stage.again({ key: null });
    standIn.key = 'fedcba9876543210fedcba9876543210';
    stops.push(() => void (standIn.key = null));
    expect(await failureOf(handlers.configure({ apiKey: STAGE_KEY }, context()))).toEqual({
      code: 'keyRefused',
      data: {},
    });
    misbehave(() => ({ kind: 'hang' }));
    expect(await failureOf(handlers.configure({ apiKey: standIn.key }, context()))).toEqual({
      code: 'notReachable',
      data: {},
    });
    stops.pop()!();
    expect(await handlers.settings({}, context())).toMatchObject({ keyFrom: null });
    expect(await handlers.configure({ apiKey: standIn.key }, context())).toMatchObject({ keyFrom: 'settings' });
    const kept = await stage.sql`select name, value from server_fact where name like 'setting.tmdb%'`;
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain(standIn.key);
    expect(await handlers.configure({ apiKey: null }, context())).toMatchObject({ keyFrom: null, state: 'noKey' });
  });

  it('tells whether anybody chose the language, for the browser that sets the server up proposes its own', async () => {
    const { handlers, domain } = await stage.again({ key: null });
    expect(await handlers.settings({}, context())).toMatchObject({ language: 'en-US', isLanguageChosen: false });
    const beside = { writesNfoBesideMovies: true };
    expect(await handlers.configure(beside, context())).toMatchObject({ isLanguageChosen: false });
    const german = { language: 'de-DE', country: 'DE' };
    expect(await handlers.configure(german, context())).toMatchObject({ ...german, isLanguageChosen: true });
    const again = await MetadataPreferences.open(domain.ports.settings, null);
    expect([again.isLanguageChosen, again.values.language, again.values.writesNfoBesideMovies]).toEqual([
      true,
      'de-DE',
      true,
    ]);
  });

  it('[META14] writes an NFO to the data folder, beside the movie only where the owner lets it, and never over another', async () => {
    const id = await stage.add({ title: 'Orbit', year: 2012 });
    await recognise();
    await mkdir(join(stage.libraryPath, 'Orbit (2012)'), { recursive: true });
    const { paths } = await stage.handlers.writeNfo({ movieId: id }, context());
    expect(paths).toEqual([join(stage.dataPath, 'nfo', id, 'Orbit.nfo')]);
    const text = await readFile(paths[0]!, 'utf8');
    expect(text).toContain('<uniqueid type="tmdb" default="true">900106</uniqueid>');
    expect(text).toContain('<set tmdbcolid="9003">');
    const { handlers } = await stage.again();
    await handlers.configure({ writesNfoBesideMovies: true }, context());
    const beside = join(stage.libraryPath, 'Orbit (2012)/Orbit.nfo');
    expect(await handlers.writeNfo({ movieId: id }, context())).toEqual({ paths: [beside] });
    await writeFile(beside, '<movie><title>Mine</title></movie>');
    expect((await handlers.writeNfo({ movieId: id }, context())).paths[0]).toContain(stage.dataPath);
    expect(await readFile(beside, 'utf8')).toBe('<movie><title>Mine</title></movie>');
  });
});
