/** What one person puts right is on the other's screen at once, in every answer that follows, and can be taken back. */
import { mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { libraryFeed, movieFeed } from '#protocol/feeds.ts';
import { collections, movies, progress, users } from '#protocol/index.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const TITLES = ['Alien', 'Brazil', 'Heat'];
let base = '';
let engine: RunningEngine;
/** Edits. */
let ada: Person;
/** Looks on, and reloads nothing. */
let bob: Person;
let screen: FollowedFeed<typeof libraryFeed>;
let ids: Record<string, string>;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee catalogue ')));
  const films = join(base, 'Films');
  await mkdir(films);
  for (const title of TITLES) await putMovie(join(films, `${title} (1980).mp4`), await clips.h264Mp4());
  engine = await startEngine({ dataFolder: join(base, 'data'), libraries: [films], environment: adminEnvironment });
  ada = await Person.signIn(engine.url);
  await ada.call(users.create, { name: 'bob', password: 'another afternoon', role: 'user' });
  bob = await Person.signIn(engine.url, { name: 'bob', password: 'another afternoon' });
  screen = bob.follow(libraryFeed);
  await ada.scan();
  ids = Object.fromEntries((await ada.movies()).map(({ id, title }) => [title, id]));
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  bob?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

const titles = async (who: Person, input: Parameters<typeof who.call<typeof movies.list>>[1] = {}) =>
  (await who.call(movies.list, input)).movies.map(({ title }) => title);

/** What the screen is told last of a movie, as soon as it is as wanted: its title, or `null` where it went. */
const told = (movieId: string, isWanted: (title: string | null) => boolean) =>
  screen.until(() => {
    const last = screen.entries.findLast((entry) => entry.kind === 'movie' && entry.id === movieId);
    return last?.kind === 'movie' && isWanted(last.movie?.title ?? null);
  }, 'what became of a movie');

describe('the catalogue', () => {
  it('[EDIT1] [EDIT4] an edit is live for everybody, and so is taking it back', async () => {
    const movieId = ids['Heat']!;
    using page = bob.follow(movieFeed, movieId);
    const { editId } = await ada.call(movies.edit, {
      movieId,
      title: 'Heat Wave',
      genres: ['Crime'],
      tags: ['tonight'],
    });
    await told(movieId, (title) => title === 'Heat Wave');
    await page.until(
      () =>
        page.news.some(({ movie }) => movie?.genres[0]?.name === 'Crime') ||
        page.snapshots.at(-1)?.movie?.genres.length,
      'the genre',
    );
    expect(await titles(bob)).toEqual(['Alien', 'Brazil', 'Heat Wave']);
    const { facets } = await bob.call(movies.facets, {});
    const genre = facets.find(({ name }) => name === 'genreIds')!.values[0]!;
    expect(genre).toMatchObject({ label: 'Crime', count: 1 });
    expect(await titles(bob, { genreIds: [Number(genre.value)] })).toEqual(['Heat Wave']);
    // The same by an address, as a script or a shared link asks.
    const shared = await bob.get(`/api/v1/movies?genreIds=${genre.value}&yearTo=1990&limit=5`);
    expect(await shared.json()).toMatchObject({ total: 1, movies: [{ title: 'Heat Wave' }] });
    await ada.call(movies.undo, { editId: editId! });
    await told(movieId, (title) => title === 'Heat');
    expect(await titles(bob)).toEqual(TITLES);
  });

  it('[HIDE1] [HIDE3] what is hidden leaves every screen, and no file is touched', async () => {
    const movieId = ids['Alien']!;
    const path = (await ada.movie('Alien')).files[0]!.path!;
    const before = await stat(join(base, 'Films', path));
    await bob.call(progress.report, { movieId, positionMs: 500, durationMs: 1_000 });
    const { editId } = await ada.call(movies.hide, { movieId });
    await told(movieId, (title) => title === null);
    expect(await titles(bob)).toEqual(['Brazil', 'Heat']);
    expect((await bob.call(movies.home, {})).continueWatching).toEqual([]);
    await expect(bob.call(movies.get, { movieId })).rejects.toMatchObject({ code: 'notFound' });
    expect(await titles(ada, { isHidden: true })).toEqual(['Alien']);
    await expect(bob.call(movies.undo, { editId: editId! })).rejects.toMatchObject({ code: 'forbidden' });
    await ada.call(movies.undo, { editId: editId! });
    await told(movieId, (title) => title === 'Alien');
    expect((await bob.call(movies.home, {})).continueWatching).toHaveLength(1);
    expect((await stat(join(base, 'Films', path))).mtimeMs).toBe(before.mtimeMs);
  });

  it('[COLL1] [COLL2] collections come to every screen, and count what each person watched', async () => {
    const from = screen.entries.length;
    const { collection } = await ada.call(collections.create, {
      name: 'Tonight',
      movieIds: [ids['Heat']!, ids['Alien']!],
    });
    await screen.until(
      () => screen.entries.slice(from).some(({ kind, id }) => kind === 'collection' && id === collection.id),
      'the collection',
    );
    await bob.call(progress.setWatched, { movieId: ids['Heat']!, isWatched: true });
    const query = { filter: { isWatched: true }, sort: 'title' } as const;
    const smart = (await ada.call(collections.create, { name: 'Seen', query })).collection;
    const cards = (await bob.call(collections.list, {})).collections;
    expect(cards.map(({ name, movieCount, watchedCount }) => [name, movieCount, watchedCount])).toEqual([
      ['Seen', 1, 1],
      ['Tonight', 2, 1],
    ]);
    expect((await ada.call(collections.get, { collectionId: smart.id })).collection.movieCount).toBe(0);
    expect(await titles(bob, { collectionId: smart.id })).toEqual(['Heat']);
    await expect(bob.call(collections.remove, { collectionId: smart.id })).rejects.toMatchObject({ code: 'forbidden' });
  });
});
