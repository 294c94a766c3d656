/** Movies are recognised by a running engine: without a key nothing waits, with one everything is found, and a kill in the middle loses and doubles nothing. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { metadata, movies, server } from '#protocol/index.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';
import { standInMovies } from '#test/support/tmdb-movies.ts';
import { TmdbStandIn } from '#test/support/tmdb-stand-in.ts';

const KEY = '0123456789abcdef0123456789abcdef';
/** Titles that are one of a kind in their year. */
const KNOWN = standInMovies()
  .filter(({ release_date, title }) => release_date !== '' && !title.includes('/') && title !== 'Paper Boats')
  .slice(0, 24);
const nameOf = ({ title, release_date }: (typeof KNOWN)[number]): string =>
  `${title.replaceAll(':', ' -')} (${release_date.slice(0, 4)})`;

let base = '';
let engine: RunningEngine;
let ada: Person;
let tmdb: TmdbStandIn;

const start = (port?: number): Promise<RunningEngine> =>
  startEngine({
    dataFolder: join(base, 'data'),
    libraries: [join(base, 'Films')],
    environment: adminEnvironment,
    flags: ['--tmdb-base-url', tmdb.url, '--tmdb-image-url', tmdb.imageUrl],
    ...(port !== undefined && { port }),
  });
const listed = () => ada.call(movies.list, { limit: 200 });
const settings = () => ada.call(metadata.settings, {});

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee metadata ')));
  const source = await clips.h264Mp4();
  for (const movie of KNOWN.slice(0, 6)) {
    await putMovie(join(base, 'Films', nameOf(movie), `${nameOf(movie)}.mp4`), source);
  }
  await putMovie(join(base, 'Films/Aunt Maude at the lake (2004).mp4'), source);
  tmdb = await TmdbStandIn.open();
  engine = await start();
  ada = await Person.signIn(engine.url);
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await tmdb?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

describe('recognising movies', () => {
  it('[META7] without a key every movie is there and plays, one line says what is missing, and nobody is asked', async () => {
    await expect.poll(async () => (await listed()).movies.filter(({ isPlayable }) => isPlayable).length).toBe(7);
    const { items } = await ada.call(server.health, {});
    expect(items).toEqual([expect.objectContaining({ id: 'tmdb', severity: 'info' })]);
    expect(await settings()).toMatchObject({ state: 'noKey', waiting: 7, toReview: 0 });
    expect(tmdb.requests).toEqual([]);
  });

  it('[META1] [META3] with a key everything that waited is found, live on the screens that show it', async () => {
    const screen = ada.follow(libraryFeed);
    expect(await ada.call(metadata.configure, { apiKey: KEY })).toMatchObject({ state: 'ready', keyFrom: 'settings' });
    await screen.until(
      () =>
        screen.news.some((entry) => entry.kind === 'movie' && entry.movie?.poster?.url.startsWith('/images/') === true),
      'a poster on the screen',
    );
    await expect.poll(async () => (await settings()).waiting).toBe(0);
    await expect
      .poll(async () => (await ada.movie('The Glass Garden')).match)
      .toMatchObject({ state: 'matched', tmdbId: 900_101, refreshedAt: expect.any(Number) });
    expect(await ada.movie('The Glass Garden')).toMatchObject({
      overview: 'What happens in The Glass Garden.',
      collections: [{ name: 'Glass Garden Collection' }],
      cast: expect.arrayContaining([expect.objectContaining({ character: 'Role 1' })]),
    });
    const review = await ada.call(metadata.review, {});
    expect(review.items).toMatchObject([{ title: 'Aunt Maude at the lake', match: { state: 'unmatched' } }]);
    expect(engine.output()).not.toContain(KEY);
  });

  it('[META9] a kill in the middle of it loses nothing and doubles nothing; what can be played is played meanwhile', async () => {
    // Every other answer never comes, so that the kill finds both kinds of work begun.
    let count = 0;
    const stop = tmdb.misbehave(() => (++count % 2 === 0 ? { kind: 'hang' } : null));
    const source = await clips.h264Mp4();
    for (const movie of KNOWN.slice(6)) {
      await putMovie(join(base, 'Films', nameOf(movie), `${nameOf(movie)}.mp4`), source);
    }
    await ada.scan();
    await expect.poll(() => count).toBeGreaterThan(12);
    expect((await listed()).movies.filter(({ isPlayable }) => isPlayable)).toHaveLength(25);
    await engine.kill();
    stop();
    engine = await start(engine.port);
    ada.connection.check();
    await expect.poll(async () => (await settings().catch(() => null))?.waiting, { timeout: 60_000 }).toBe(0);
    const matched = async () => {
      const all = await Promise.all((await listed()).movies.map(({ id }) => ada.call(movies.get, { movieId: id })));
      return all.map(({ movie }) => movie.match).filter(({ refreshedAt }) => refreshedAt !== null);
    };
    await expect.poll(async () => (await matched()).length, { timeout: 60_000 }).toBe(24);
    const ids = (await matched()).map(({ tmdbId }) => tmdbId);
    expect(new Set(ids)).toEqual(new Set(KNOWN.map(({ id }) => id)));
    expect((await listed()).total).toBe(25);
  });

  it('[META8] while TMDB is away a new movie is there and plays, and is found when it is back', async () => {
    const stop = tmdb.misbehave(() => ({ kind: 'reset' }));
    const late = standInMovies().find(({ title }) => title === 'Starlings')!;
    await putMovie(join(base, 'Films', `${nameOf(late)}.mp4`), await clips.h264Mp4());
    await ada.scan();
    expect(await ada.movie('Starlings')).toMatchObject({ isPlayable: true, match: { state: 'waiting' } });
    await expect.poll(async () => (await settings()).state, { timeout: 60_000 }).toBe('away');
    expect(await ada.troubles()).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'tmdb', severity: 'warning' })]),
    );
    stop();
    await expect
      .poll(async () => (await ada.movie('Starlings')).match.tmdbId, { timeout: 90_000, interval: 500 })
      .toBe(late.id);
  });
});
