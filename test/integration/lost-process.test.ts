/** Processes of a running engine are killed under it: everything that does not hang on them goes on, and they come back. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { healthFeed, libraryFeed, movieFeed, progressFeed } from '#protocol/feeds.ts';
import { libraries, movies, playback, progress } from '#protocol/index.ts';
import { clip, clips } from '#test/support/media.ts';
import { movieNames, putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { descendants, hasOpen, mediaHosts } from '#test/support/processes.ts';
import type { SeenProcess } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const DIRECT = 'Plain Sailing (2000).mp4';
const TAPES = ['First Tape (1996).avi', 'Second Tape (1997).avi'] as const;
const VICTIM = 'Cursed Tape (1998).avi';

let base = '';
let folder = '';
let engine: RunningEngine;
let ada: Person;

const start = (port?: number) =>
  startEngine({
    dataFolder: join(base, 'data'),
    libraries: [folder],
    environment: adminEnvironment,
    ...(port === undefined ? {} : { port }),
  });

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee lost ')));
  folder = join(base, 'movies');
  const tape = await clip({
    name: 'tape.avi',
    args: [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24:d=40', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=40'],
      ...['-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3'],
    ],
  });
  await putMovie(join(folder, DIRECT), await clips.h264Mp4());
  for (const name of TAPES) await putMovie(join(folder, name), tape);
  // So large that nothing of it is made before its host is seen and ended.
  const large = await clip({
    name: 'large-tape.avi',
    args: [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=24:d=8', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=8'],
      ...['-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3'],
    ],
  });
  await putMovie(join(folder, VICTIM), large);
  engine = await start();
  ada = await Person.signIn(engine.url);
  await ada.scan();
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

const status = async (path: string): Promise<number> => (await fetch(engine.url + path)).status;

/** Opens a movie for playing; segments and files of it by name. */
async function openMovie(title: string) {
  const movie = await ada.movie(title);
  const opened = await ada.call(playback.open, { movieId: movie.id });
  const get = async (name: string, headers: Record<string, string> = {}) => {
    const response = await fetch(new URL(name, new URL(opened.url, engine.url)), { headers });
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  return { movie, opened, get };
}

describe('the postmaster', () => {
  it('[EPG4] [HEALTH2] is started again by itself; sockets and feeds outlive it', async () => {
    using shown = ada.follow(progressFeed);
    using library = ada.follow(libraryFeed);
    await Promise.all([shown, library].map((feed) => feed.until(() => feed.snapshots.length > 0, 'a snapshot')));
    const { movie, get } = await openMovie('Plain Sailing');
    expect((await get('file', { range: 'bytes=0-99' })).status).toBe(206);
    expect(await status('/readyz')).toBe(200);
    const statesBefore = ada.states.length;

    const database = descendants(engine.pid).filter(({ command }) => command.includes('postgres'));
    const postmaster = database.find(({ parentPid }) => parentPid === engine.pid)!;
    // A process of the database that hangs keeps the next postmaster from starting until it is ended by force: long enough to see.
    const checkpointer = database.find(({ command }) => command.includes('checkpointer'))!;
    process.kill(checkpointer.pid, 'SIGSTOP');
    process.kill(postmaster.pid, 'SIGKILL');

    await expect.poll(() => status('/readyz')).toBe(503);
    expect(await status('/healthz')).toBe(200);
    // Who watches goes on watching [PLAY4].
    expect((await get('file', { range: 'bytes=100-199' })).status).toBe(206);
    // Who asks is answered, one way or the other.
    await ada.call(movies.list, {}).catch((error: unknown) => expect(error).toHaveProperty('code'));

    await expect.poll(() => status('/readyz'), { timeout: 80_000 }).toBe(200);
    await ada.call(progress.report, { movieId: movie.id, positionMs: 3_000, durationMs: 8_000 });
    await shown.until(() => shown.entries.some(({ id }) => id === movie.id), 'the progress');
    await putMovie(join(folder, 'Latecomer (2010).mp4'), await clips.h264Mp4());
    await library.until(
      () => library.entries.some((entry) => entry.kind === 'movie' && entry.movie?.title === 'Latecomer'),
      'a movie that came after',
    );
    expect(ada.states.slice(statesBefore)).toEqual([]);
    expect(descendants(engine.pid).map(({ pid }) => pid)).not.toContain(postmaster.pid);
  });
});

describe('probe hosts', () => {
  it('[CALL3] cost nothing but time when they are killed during a scan', async () => {
    using library = ada.follow(libraryFeed);
    await library.until(() => library.snapshots.length > 0, 'a snapshot');
    const names = movieNames(40);
    const source = await clips.h264Mp4();
    for (const name of names) await putMovie(join(folder, 'Many', name), source);
    const scanning = ada.scan();
    await library.until(() => library.entries.some(({ kind }) => kind === 'movie'), 'the first of the new movies');
    const killed = mediaHosts(engine.pid, 'probe.host.ts');
    for (const { pid } of killed) process.kill(pid, 'SIGKILL');
    expect(killed).not.toEqual([]);
    expect(await scanning).toMatchObject([{ state: 'succeeded' }]);

    const all = await ada.movies();
    expect(all).toHaveLength(45);
    expect(all.filter(({ isPlayable }) => !isPlayable)).toEqual([]);
    expect(await ada.call(libraries.issues, {})).toEqual({ total: 0, issues: [] });
    expect(await ada.troubles()).toEqual([]);
  });
});

/** The rendition hosts that have this file open: one for the picture, one for the sound. */
function hostsOf(name: string): readonly SeenProcess[] {
  const path = join(folder, name);
  return mediaHosts(engine.pid, 'rendition.host.ts').filter((host) => hasOpen(host, path));
}

/** One of them, as soon as there is one. */
async function hostOf(name: string): Promise<SeenProcess> {
  return await vi.waitUntil(() => hostsOf(name)[0], { timeout: 40_000, interval: 20 });
}

describe('rendition hosts', () => {
  it('[REND4] a stream whose host is killed goes on, and nobody else notices', async () => {
    const [first, second] = [await openMovie('First Tape'), await openMovie('Second Tape')];
    expect([first.opened.method, second.opened.method]).toEqual(['transcode', 'transcode']);
    for (const { get } of [first, second]) expect((await get('v0/0.m4s')).status).toBe(200);
    const segments = [...(await first.get('v0/index.m3u8')).bytes.toString().matchAll(/^(\d+)\.m4s$/gm)];
    const bystander = await hostOf(TAPES[1]);

    const wanted = first.get(`v0/${segments.at(-1)![1]}.m4s`);
    await hostOf(TAPES[0]);
    for (const { pid } of hostsOf(TAPES[0])) process.kill(pid, 'SIGKILL');
    const late = await wanted;
    expect(late.status).toBe(200);
    expect(late.bytes.length).toBeGreaterThan(1_000);
    expect((await second.get('v0/1.m4s')).status).toBe(200);
    expect(hostsOf(TAPES[1]).map(({ pid }) => pid)).toContain(bystander.pid);
    expect(await ada.troubles()).toEqual([]);
  });

  it('[QUAR1] [QUAR3] [QUAR4] [SCAN15] a file that ends its host twice is left alone, shown, kept over a restart, and released', async () => {
    const victim = join(folder, VICTIM);
    const deaths = new Set<number>();
    const curse = setInterval(() => {
      for (const host of mediaHosts(engine.pid, 'rendition.host.ts')) {
        if (!deaths.has(host.pid) && hasOpen(host, victim)) {
          deaths.add(host.pid);
          process.kill(host.pid, 'SIGKILL');
        }
      }
    }, 5);
    onTestFinished(() => clearInterval(curse));
    using health = ada.follow(healthFeed);
    await health.until(() => health.snapshots.length > 0, 'a snapshot');

    const { movie, get } = await openMovie('Cursed Tape');
    using shown = ada.follow(movieFeed, movie.id);
    const refused = await get('v0/0.m4s');
    expect([refused.status, JSON.parse(refused.bytes.toString())]).toMatchObject([422, { code: 'quarantined' }]);
    // The picture and the sound each have a host.
    expect(deaths.size).toBeGreaterThanOrEqual(2);
    await shown.until(() => {
      const [entry] = shown.entries.slice(-1);
      return entry?.movie?.isPlayable === false;
    }, 'that it is not playable');
    await health.until(() => health.entries.some(({ id, item }) => id === 'quarantine' && item !== null), 'a warning');
    const issues = async () => (await ada.call(libraries.issues, {})).issues;
    expect(await issues()).toMatchObject([{ path: VICTIM, reason: 'quarantined', fileId: movie.files[0]!.id }]);

    await engine.stop();
    deaths.clear();
    engine = await start(engine.port);
    ada.connection.check();
    expect(await ada.troubles()).toMatchObject([{ id: 'quarantine', severity: 'warning' }]);
    expect(await issues()).toMatchObject([{ path: VICTIM, reason: 'quarantined' }]);
    await expect(ada.call(playback.open, { movieId: movie.id })).rejects.toMatchObject({
      code: 'notPlayable',
      data: { failure: 'quarantined' },
    });
    expect(deaths).toEqual(new Set());

    clearInterval(curse);
    expect(await ada.call(libraries.retryFile, { fileId: movie.files[0]!.id })).toEqual({
      isPlayable: true,
      failure: null,
    });
    expect(await issues()).toEqual([]);
    expect(await ada.troubles()).toEqual([]);
    const again = await openMovie('Cursed Tape');
    expect((await again.get('v0/0.m4s')).status).toBe(200);
  });
});
