/** Radarr and a whole engine: it is set up, its messages arrive, files come and are replaced while people watch, and nothing that anyone did is lost. */
import { appendFile, mkdir, mkdtemp, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { radarrFeed } from '#protocol/feeds.ts';
import { movies, playback, progress, radarr } from '#protocol/index.ts';
import type { RadarrEvent } from '#protocol/schema/radarr.ts';
import { clip, clips, h264, picture } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { messageFile, radarrMessages } from '#test/support/radarr-messages.ts';
import { RadarrStandIn, STAND_IN_KEY } from '#test/support/radarr-stand-in.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const OLD_FILE = 'Heat (1995) 720p.mp4';
const NEW_FILE = 'Heat (1995) 1080p.mp4';

let base = '';
let films = '';
let engine: RunningEngine;
let ada: Person;
let standIn: RadarrStandIn;
let screen: FollowedFeed<typeof radarrFeed>;
let secret = '';
let heatId = '';
/** What engines before the present one wrote. */
let written = '';

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee radarr ')));
  films = join(base, 'Films');
  await putMovie(join(films, 'Heat (1995)', OLD_FILE), await clips.h264Mp4());
  await putMovie(join(films, 'Ronin (1998)', 'Ronin (1998).mp4'), await clips.h264Mp4());
  standIn = await RadarrStandIn.start();
  standIn.put({
    id: 12,
    tmdbId: 949,
    title: 'Heat',
    year: 1995,
    path: '/movies/Heat (1995)',
    file: { id: 31, relativePath: OLD_FILE },
  });
  standIn.put({
    id: 13,
    tmdbId: 8195,
    title: 'Ronin',
    year: 1998,
    path: '/movies/Ronin (1998)',
    file: { id: 32, relativePath: 'Ronin (1998).mp4' },
  });
  await start();
  await ada.scan();
  heatId = (await ada.movie('Heat')).id;
  await ada.call(progress.report, { movieId: heatId, positionMs: 2_000 });
});
afterAll(async () => {
  await stop();
  await standIn?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output().slice(-20_000));
});

/** Nothing is watched: what is found without a scan of everything was found because Radarr told of it. */
async function start(): Promise<void> {
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [films],
    environment: adminEnvironment,
    flags: ['--watch', 'off', '--log-level', 'debug', '--log-format', 'json'],
  });
  ada = await Person.signIn(engine.url);
  screen = ada.follow(radarrFeed);
}

async function stop(): Promise<void> {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
}

/** What Radarr sends. */
async function send(message: unknown, password = secret): Promise<number> {
  const response = await fetch(`${engine.url}/api/v1/webhooks/radarr`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Radarr/6.1.0.10320 (alpine 3.22.1)',
      authorization: `Basic ${Buffer.from(`radarr:${password}`, 'latin1').toString('base64')}`,
    },
    body: JSON.stringify(message, null, 2),
  });
  await response.arrayBuffer();
  return response.status;
}

/** The message that is dealt with next. */
async function dealtWith(act: () => Promise<unknown>): Promise<RadarrEvent> {
  const before = screen.entries.length;
  await act();
  return await screen.until(() => {
    for (const entry of screen.entries.slice(before)) {
      if (entry.kind === 'event' && entry.event.outcome !== null) return entry.event;
    }
    return null;
  }, 'a message that was dealt with');
}

/** Resolves when the files of Heat that can be played have these names. */
async function heatHas(...names: string[]): Promise<void> {
  await expect
    .poll(
      async () => {
        const { movie } = await ada.call(movies.get, { movieId: heatId });
        return movie.files
          .flatMap(({ state, path }) => (state === 'playable' ? [path?.split('/').at(-1) ?? ''] : []))
          .toSorted();
      },
      { interval: 100 },
    )
    .toEqual(names.toSorted());
}

const download = {
  ...radarrMessages.Download,
  isUpgrade: true,
  movieFile: messageFile(NEW_FILE, 58),
  deletedFiles: [messageFile(OLD_FILE, 31)],
};

describe('Radarr', () => {
  it('[HOOK1] without a secret there is no address', async () => {
    expect(await send(radarrMessages.Test)).toBe(404);
  });

  it('[CHECK1] [SYNC1] is set up: the mapping is proposed, and a sync finds the files', async () => {
    await ada.call(radarr.configure, { url: standIn.url, apiKey: STAND_IN_KEY });
    const check = await ada.call(radarr.check, {});
    expect(check.rootFolders).toMatchObject([
      { path: '/movies', check: { problem: 'notFound' }, proposal: { from: '/movies', to: films } },
    ]);
    await ada.call(radarr.configure, { mappings: [check.rootFolders[0]!.proposal!] });
    const status = await screen.until(() => {
      const last = screen.entries.findLast((entry) => entry.kind === 'status');
      return last?.kind === 'status' && last.status.lastSync?.unplaced === 0 && last.status;
    }, 'the sync');
    expect(status.lastSync).toMatchObject({ movies: 2, files: 2, known: 2, unplaced: 0, skipped: 0 });
    expect((await ada.call(radarr.check, {})).rootFolders).toMatchObject([
      { ours: films, check: { problem: null }, libraries: ['Films'] },
    ]);
  });

  it('[SYNC3] [SYNC4] says which movies they are, without anybody else to ask, and is followed when it says otherwise', async () => {
    const heatIs = (tmdbId: number) =>
      expect
        .poll(async () => (await ada.call(movies.get, { movieId: heatId })).movie.match, {
          interval: 100,
        })
        .toMatchObject({ tmdbId, reasons: ['idFromRadarr'] });
    await heatIs(949);
    const heat = standIn.movies.get(12)!;
    for (const tmdbId of [950, 949]) {
      standIn.put({ ...heat, tmdbId });
      await ada.call(radarr.sync, {});
      await heatIs(tmdbId);
    }
  });

  it('[EVENT3] the button in Radarr works', async () => {
    ({ secret } = await ada.call(radarr.openWebhook, {}));
    expect(await dealtWith(async () => expect(await send(radarrMessages.Test)).toBe(202))).toMatchObject({
      kind: 'Test',
      outcome: 'tested',
    });
    expect(await send(radarrMessages.Test, 'wrong')).toBe(401);
  });

  it('[EVENT4] what it imports is here at once, although nothing is watched', async () => {
    await putMovie(join(films, 'Alien (1979)', 'Alien (1979).mp4'), await clips.h264Mp4());
    standIn.put({
      id: 14,
      tmdbId: 348,
      title: 'Alien',
      year: 1979,
      path: '/movies/Alien (1979)',
      file: { id: 59, relativePath: 'Alien (1979).mp4' },
    });
    const movie = {
      ...radarrMessages.Download.movie,
      id: 14,
      tmdbId: 348,
      title: 'Alien',
      folderPath: '/movies/Alien (1979)',
    };
    const event = await dealtWith(() =>
      send({
        ...radarrMessages.Download,
        movie,
        movieFile: { ...messageFile('Alien (1979).mp4', 59), path: '/movies/Alien (1979)/Alien (1979).mp4' },
      }),
    );
    expect(event).toMatchObject({ kind: 'Download', subject: 'Alien', outcome: 'lookedAt' });
    await expect.poll(() => ada.movies().then((found) => found.map(({ title }) => title))).toContain('Alien');
  });

  it('[EVENT2] an upgrade keeps the movie and what people did, in whatever order it is told', async () => {
    await rm(join(films, 'Heat (1995)', OLD_FILE));
    await putMovie(
      join(films, 'Heat (1995)', NEW_FILE),
      await clip({ name: 'better.mp4', args: [...picture(8, '1280x720'), ...h264()] }),
    );
    standIn.put({
      id: 12,
      tmdbId: 949,
      title: 'Heat',
      year: 1995,
      path: '/movies/Heat (1995)',
      file: { id: 58, relativePath: NEW_FILE },
    });
    // The removal is told before by Radarr, and arrives after here, twice.
    await dealtWith(() => send(download));
    const removal = { ...radarrMessages.MovieFileDelete, movieFile: messageFile(OLD_FILE, 31) };
    await dealtWith(() => send(removal));
    await dealtWith(() => send(removal));
    await heatHas(NEW_FILE);
    const { movie, progress: kept } = await ada.call(movies.get, { movieId: heatId });
    expect(movie).toMatchObject({ title: 'Heat', isPlayable: true });
    expect(kept).toMatchObject({ positionMs: 2_000 });
    expect(await ada.call(playback.open, { movieId: heatId })).toMatchObject({ resumeMs: 2_000 });
  });

  it('who watches a file as it is gets the rest of it, although it is taken away in between', async () => {
    const path = join(films, 'Tape (2001)', 'Tape (2001).mp4');
    await putMovie(path, await clips.h264Mp4());
    // A `free` box makes it larger than everything on the way can hold: ISO/IEC 14496-12, section 8.1.2.
    const box = Buffer.alloc(48_000_000);
    box.writeUInt32BE(box.length, 0);
    box.write('free', 4, 'latin1');
    await appendFile(path, box);
    const { size } = await stat(path);
    await ada.scan();
    const { id } = await ada.movie('Tape');
    const opened = await ada.call(playback.open, { movieId: id });
    expect(opened).toMatchObject({ kind: 'file' });
    const response = await ada.get(opened.url);
    const reader = response.body!.getReader();
    let read = (await reader.read()).value!.length;
    await rm(path);
    const movie = {
      ...radarrMessages.MovieFileDelete.movie,
      id: 16,
      tmdbId: 3,
      title: 'Tape',
      folderPath: '/movies/Tape (2001)',
    };
    await dealtWith(() =>
      send({ ...radarrMessages.MovieFileDelete, movie, movieFile: messageFile('Tape (2001).mp4', 60) }),
    );
    await expect.poll(() => ada.movies().then((found) => found.map(({ title }) => title))).not.toContain('Tape');
    for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value.length;
    expect(read).toBe(size);
    expect((await ada.get(opened.url)).status).toBe(410);
  });

  it('[EVENT5] a disk that went, told file by file, takes nothing along', async () => {
    const before = (await ada.movies()).map(({ title }) => title).toSorted();
    await rename(films, `${films} away`);
    await mkdir(films);
    await dealtWith(() =>
      send({
        ...radarrMessages.MovieFileDelete,
        deleteReason: 'missingFromDisk',
        movieFile: messageFile(NEW_FILE, 58),
      }),
    );
    // A look at everything finds that nothing is there, and believes it no more than the looks that the messages brought.
    await ada.scan();
    expect((await ada.movies()).map(({ title }) => title).toSorted()).toEqual(before);
    await rm(films, { recursive: true });
    await rename(`${films} away`, films);
    await ada.scan();
    await heatHas(NEW_FILE);
  });

  it('[EVENT5] a movie that Radarr dropped without its file stays', async () => {
    standIn.movies.delete(13);
    const movie = {
      ...radarrMessages.MovieDelete.movie,
      id: 13,
      title: 'Ronin',
      tmdbId: 8195,
      folderPath: '/movies/Ronin (1998)',
    };
    expect(await dealtWith(() => send({ ...radarrMessages.MovieDelete, deletedFiles: false, movie }))).toMatchObject({
      outcome: 'lookedAt',
    });
    expect((await ada.movie('Ronin')).isPlayable).toBe(true);
  });

  it('[EVENT1] [HOOK3] a message that was answered outlives a kill', async () => {
    standIn.misbehaviour = 'hanging';
    await putMovie(join(films, 'Up (2009)', 'Up (2009).mp4'), await clips.h264Mp4());
    const movie = {
      ...radarrMessages.Download.movie,
      id: 15,
      tmdbId: 14_160,
      title: 'Up',
      folderPath: '/movies/Up (2009)',
    };
    expect(await send({ ...radarrMessages.Download, movie })).toBe(202);
    written += engine.output();
    await engine.kill();
    standIn.misbehaviour = null;
    ada[Symbol.dispose]();
    await start();
    await screen.until(() => {
      const known = [
        ...(screen.snapshots.at(-1)?.events ?? []),
        ...screen.news.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : [])),
      ];
      return known.findLast(({ subject }) => subject === 'Up')?.outcome === 'lookedAt' || null;
    }, 'the message that came before the kill');
  });

  it('[SYNC1] [WORK1] a sync in the middle of which the server is killed is made again by itself', async () => {
    const isAsked = Promise.withResolvers<void>();
    const isDead = Promise.withResolvers<void>();
    standIn.beforeMovies = () => {
      standIn.beforeMovies = () => Promise.resolve();
      isAsked.resolve();
      return isDead.promise;
    };
    standIn.put({ ...standIn.movies.get(12)!, tmdbId: 950 });
    await ada.call(radarr.sync, {});
    await isAsked.promise;
    written += engine.output();
    await engine.kill();
    isDead.resolve();
    ada[Symbol.dispose]();
    await start();
    await expect
      .poll(async () => (await ada.call(movies.get, { movieId: heatId })).movie.match, {
        timeout: 60_000,
        interval: 250,
      })
      .toMatchObject({ tmdbId: 950, reasons: ['idFromRadarr'] });
  });

  it('[SET1] [HOOK1] keeps the key and the secret to itself', () => {
    const all = written + engine.output();
    expect(all).toContain('webhooks/radarr');
    expect(all).not.toContain(secret);
    expect(all).not.toContain(STAND_IN_KEY);
  });
});
