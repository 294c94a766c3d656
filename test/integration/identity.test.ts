/** Files come, go and change their names under a running engine: movies stay who they are, and every screen follows. */
import { mkdir, mkdtemp, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { libraryFeed } from '#protocol/feeds.ts';
import { libraries, movies, progress } from '#protocol/index.ts';
import type { MovieCard } from '#protocol/schema/movie.ts';
import { clip, clips, h264, picture } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment, librariesOf } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

let base = '';
let films = '';
let attic = '';
let engine: RunningEngine;
let ada: Person;
/** One follower, from the first movie to the last: what it shows is what a screen shows that nobody reloads. */
let screen: FollowedFeed<typeof libraryFeed>;
let heatId = '';

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee identity ')));
  [films, attic] = [join(base, 'Films'), join(base, 'Attic')];
  await Promise.all([mkdir(films), mkdir(attic)]);
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [films, attic],
    environment: adminEnvironment,
  });
  ada = await Person.signIn(engine.url);
  screen = ada.follow(libraryFeed);
  await screen.until(
    () => librariesOf(screen).length === 2 && librariesOf(screen).every(({ lastScanAt }) => lastScanAt !== null),
    'both libraries, scanned',
  );
  await putMovie(join(films, 'Heat (1995).mp4'), await clips.h264Mp4());
  // It stays all the time, so that neither library is ever empty but by accident.
  for (const folder of [films, attic]) {
    await putMovie(join(folder, `Keeper of ${folder === films ? 'Films' : 'Attic'} (1950).mp4`), await clips.h264Mp4());
  }
  heatId = (await seen(({ title }) => title === 'Heat')).id;
  await ada.call(progress.report, { movieId: heatId, positionMs: 3_000 });
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

let read = 0;
/** What the screen is told of the movie from here on, as soon as it is as wanted. */
async function seen(isWanted: (movie: MovieCard) => boolean, from = 0): Promise<MovieCard> {
  return await screen.until(() => {
    for (const entry of screen.entries.slice(from)) {
      if (entry.kind === 'movie' && entry.movie && isWanted(entry.movie)) return entry.movie;
    }
    return null;
  }, 'a movie');
}

/** Does something to the files, and waits until the screen shows what is wanted of Heat. */
async function change(act: () => Promise<unknown>, isWanted: (movie: MovieCard | null) => unknown): Promise<void> {
  read = screen.entries.length;
  await act();
  await screen.until(
    () =>
      screen.entries
        .slice(read)
        .some((entry) => entry.kind === 'movie' && entry.id === heatId && isWanted(entry.movie)),
    'the change of the movie',
  );
}

/** What there is of the movie, with the progress that must not get lost. */
async function heat() {
  const { movie, progress: kept } = await ada.call(movies.get, { movieId: heatId });
  expect(kept).toMatchObject({ positionMs: 3_000, isWatched: false });
  const paths = new Map(librariesOf(screen).map(({ id, path }) => [id, path]));
  const places = movie.files
    .filter(({ state }) => state === 'playable')
    .map(({ libraryId, path }) => join(paths.get(libraryId) ?? '', path ?? ''));
  return { title: movie.title, year: movie.year, places: places.toSorted(), fileIds: movie.files.map(({ id }) => id) };
}

describe('a movie stays who it is', () => {
  it('[SCAN3] [MATCH4] when its file is renamed', async () => {
    const before = await heat();
    await change(
      () => rename(join(films, 'Heat (1995).mp4'), join(films, 'Ronin (1998).mp4')),
      (movie) => movie?.title === 'Ronin' && movie.year === 1998,
    );
    expect(await heat()).toEqual({
      title: 'Ronin',
      year: 1998,
      places: [join(films, 'Ronin (1998).mp4')],
      fileIds: before.fileIds,
    });
    await change(
      () => rename(join(films, 'Ronin (1998).mp4'), join(films, 'Heat (1995).mp4')),
      (movie) => movie?.title === 'Heat',
    );
    expect(await heat()).toEqual(before);
  });

  it('[SCAN3] when its file moves to another folder, and to another library', async () => {
    const { fileIds } = await heat();
    await mkdir(join(films, 'Crime'));
    const inFolder = join(films, 'Crime/Heat (1995).mp4');
    await rename(join(films, 'Heat (1995).mp4'), inFolder);
    await expect.poll(async () => (await heat()).places).toEqual([inFolder]);
    await rename(join(films, 'Crime'), join(attic, 'Crime'));
    const inAttic = join(attic, 'Crime/Heat (1995).mp4');
    await expect.poll(async () => (await heat()).places).toEqual([inAttic]);
    expect((await heat()).fileIds).toEqual(fileIds);
    await rename(inAttic, join(films, 'Heat (1995).mp4'));
    await expect.poll(async () => (await heat()).places).toEqual([join(films, 'Heat (1995).mp4')]);
    expect((await heat()).fileIds).toEqual(fileIds);
    expect((await ada.movies()).map(({ title }) => title)).toEqual(['Heat', 'Keeper of Attic', 'Keeper of Films']);
  });

  it('[SCAN7] when its file is deleted and comes back', async () => {
    const { fileIds } = await heat();
    await change(
      () => rename(join(films, 'Heat (1995).mp4'), join(base, 'put aside')),
      (movie) => movie === null,
    );
    await screen.until(() => {
      const last = screen.entries.findLast((entry) => entry.kind === 'movieCount');
      return last?.kind === 'movieCount' && last.count === 2;
    }, 'two movies');
    await expect(ada.call(movies.get, { movieId: heatId })).rejects.toMatchObject({ code: 'notFound' });
    expect((await ada.call(movies.home, {})).continueWatching).toEqual([]);
    await change(
      () => rename(join(base, 'put aside'), join(films, 'Heat (1995).mp4')),
      (movie) => movie?.isPlayable,
    );
    expect((await heat()).fileIds).toEqual(fileIds);
    expect((await ada.call(movies.home, {})).continueWatching.map(({ id }) => id)).toEqual([heatId]);
  });

  it('[MATCH1] when a better file comes beside it, and the first one goes', async () => {
    const better = await clip({ name: 'better.mp4', args: [...picture(8, '1280x720'), ...h264()] });
    await change(
      async () => putMovie(join(films, 'Heat.1995.720p.WEB-DL.mp4'), better),
      (movie) => movie?.resolution === 720,
    );
    expect(await heat()).toMatchObject({
      title: 'Heat',
      places: [join(films, 'Heat (1995).mp4'), join(films, 'Heat.1995.720p.WEB-DL.mp4')],
    });
    await rm(join(films, 'Heat (1995).mp4'));
    await expect.poll(async () => (await heat()).places).toEqual([join(films, 'Heat.1995.720p.WEB-DL.mp4')]);
    // The other way round: of two files the better one goes.
    await putMovie(join(films, 'Heat (1995).mp4'), await clips.h264Mp4());
    await expect
      .poll(async () => (await heat()).places)
      .toEqual([join(films, 'Heat (1995).mp4'), join(films, 'Heat.1995.720p.WEB-DL.mp4')]);
    await change(
      () => rm(join(films, 'Heat.1995.720p.WEB-DL.mp4')),
      (movie) => movie?.resolution !== 720,
    );
    expect(await heat()).toMatchObject({ title: 'Heat', places: [join(films, 'Heat (1995).mp4')] });
  });

  it('when its file is replaced in its place', async () => {
    const better = await clip({ name: 'better.mp4', args: [...picture(8, '1280x720'), ...h264()] });
    await change(
      async () => putMovie(join(films, 'Heat (1995).mp4'), better),
      (movie) => movie?.resolution === 720,
    );
    expect(await heat()).toMatchObject({ title: 'Heat', places: [join(films, 'Heat (1995).mp4')] });
  });

  it('[SCAN9] [KEEP6] when the disk is not mounted', async () => {
    const before = await heat();
    const count = screen.entries.length;
    await rename(films, join(base, 'the disk'));
    await mkdir(films);
    const outcomes = async () => Object.fromEntries((await ada.scan()).map(({ subject, state }) => [subject, state]));
    expect(await outcomes()).toEqual({ Films: 'failed', Attic: 'succeeded' });
    await expect
      .poll(() => ada.troubles())
      .toMatchObject([{ severity: 'error', title: expect.stringContaining('Films') }]);
    expect(await heat()).toEqual(before);
    await rm(films, { recursive: true });
    await rename(join(base, 'the disk'), films);
    // A look that it began by itself in between, while nothing was there, is answered with its own outcome.
    await expect.poll(outcomes).toEqual({ Films: 'succeeded', Attic: 'succeeded' });
    await expect.poll(() => ada.troubles()).toEqual([]);
    expect(await heat()).toEqual(before);
    expect(screen.entries.slice(count).filter((entry) => entry.kind === 'movie' && entry.movie === null)).toEqual([]);
    // It is watched again as well.
    await rename(join(films, 'Heat (1995).mp4'), join(films, 'Heat.1995.mp4'));
    await expect.poll(async () => (await heat()).places).toEqual([join(films, 'Heat.1995.mp4')]);
  });

  it('and nobody had to look anew', async () => {
    expect(screen.snapshots).toHaveLength(1);
    expect((await ada.call(libraries.issues, {})).issues).toEqual([]);
    expect(ada.states.map(({ name }) => name)).toEqual(['connecting', 'live']);
  });
});
