/** The whole engine, killed at the worst moments: what was answered is there afterwards, what ran is taken up or swept away. */
import { appendFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { clusterProcesses } from '#engine/store/embedded-postgres-cluster.ts';
import { jobsFeed, libraryFeed } from '#protocol/feeds.ts';
import { jobs, libraries, movies, playback, progress } from '#protocol/index.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import type { Sample } from '#test/support/fragment.ts';
import { clip, clips } from '#test/support/media.ts';
import { movieNames, putMovie } from '#test/support/movie-folder.ts';
import { ADMIN, Person, jobsOf, librariesOf } from '#test/support/person.ts';
import { descendants, isAlive } from '#test/support/processes.ts';
import type { SeenProcess } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const COUNT = 60;
const BROKEN = 'Still Arriving (2001).mp4';
const ENCODED = 'Old Tape (1996).avi';

let base = '';
let folder = '';
let engine: RunningEngine;
let ada: Person;
/** Everything that any of the killed engines had started. */
const left: SeenProcess[] = [];

async function killAndStartAgain(): Promise<void> {
  left.push(...descendants(engine.pid));
  await engine.kill();
  engine = await startEngine({ dataFolder: join(base, 'data'), port: engine.port });
  // As a page does that is looked at again: without it the next attempt may be ten seconds away.
  ada?.connection.check();
}

const oldTape = () =>
  clip({
    name: 'old-tape.avi',
    args: [
      ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24:d=24', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=24'],
      ...['-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3'],
    ],
  });

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee crash ')));
  folder = join(base, 'movies');
  const source = await clips.h264Mp4();
  for (const name of movieNames(COUNT)) await putMovie(join(folder, name), source);
  engine = await startEngine({ dataFolder: join(base, 'data') });
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

describe('kill -9', () => {
  it('during the setup: it can be done again, or was done', async () => {
    const code = engine.setupCode!;
    expect(code).toMatch(/^\w{4}-\w{4}$/);
    const cutShort = Person.setUp(engine.url, code).then(
      (person) => person[Symbol.dispose](),
      () => undefined,
    );
    await killAndStartAgain();
    await cutShort;
    ada =
      engine.setupCode === null ? await Person.signIn(engine.url) : await Person.setUp(engine.url, engine.setupCode);
  });

  it('right after the setup was answered: the admin and the session are there', async () => {
    await ada.inState('live');
    await killAndStartAgain();
    expect(engine.setupCode).toBeNull();
    // The same connection, by itself, with the token of before.
    expect(await ada.call(libraries.list, {})).toEqual({ libraries: [] });
    using other = await Person.signIn(engine.url, ADMIN);
    await other.inState('live');
    expect(ada.states.some(({ name }) => name === 'signedOut')).toBe(false);
  });

  it('[SCAN11] during a scan: it is taken up by itself, and each file is there once', async () => {
    // As long as this file seems to be written to, the scan waits for it, and so is cut short whenever that happens.
    const broken = join(folder, BROKEN);
    await writeFile(broken, (await readFile(await clips.h264Mp4())).subarray(0, 40));
    const arriving = setInterval(() => appendFileSync(broken, 'more'), 300);
    onTestFinished(() => clearInterval(arriving));
    const cutShort: string[] = [];

    // When it has just begun.
    const { library } = await ada.call(libraries.add, { path: folder });
    using feed = ada.follow(libraryFeed);
    const { jobId } = await feed.until(() => librariesOf(feed)[0]?.scan, 'the first scan');
    cutShort.push(jobId);
    await killAndStartAgain();

    // With the first movies on the screen.
    const second = await feed.until(() => {
      const scan = librariesOf(feed)[0]?.scan;
      return scan && scan.jobId !== jobId && feed.entries.some(({ kind }) => kind === 'movie') && scan;
    }, 'movies of the second scan');
    cutShort.push(second.jobId);
    await killAndStartAgain();

    // When all of them are there, but for one that is still being written.
    const third = await feed.until(() => {
      const { scan } = librariesOf(feed)[0] ?? {};
      const isThere = feed.entries.some((entry) => entry.kind === 'movieCount' && entry.count >= COUNT);
      return isThere && scan && !cutShort.includes(scan.jobId) && scan;
    }, 'all movies while the third scan runs');
    cutShort.push(third.jobId);
    await killAndStartAgain();
    clearInterval(arriving);

    await feed.until(() => {
      const known = librariesOf(feed)[0];
      return known?.scan === null && known.lastScanAt !== null;
    }, 'the end of a scan that nobody asked for');
    const all = await ada.movies();
    expect(all.map(({ title }) => title).toSorted()).toEqual(
      [...movieNames(COUNT), BROKEN].map((name) => name.slice(0, name.indexOf(' ('))).toSorted(),
    );
    const files = (
      await Promise.all(all.map(async ({ id }) => (await ada.call(movies.get, { movieId: id })).movie.files))
    ).flat();
    expect(files.map(({ path }) => path ?? '').toSorted()).toEqual([...movieNames(COUNT), BROKEN].toSorted());
    expect(files.filter(({ state }) => state !== 'playable').map(({ path }) => path)).toEqual([BROKEN]);
    // The last that was written to the broken file may have it looked at once more.
    await expect
      .poll(async () => (await ada.call(libraries.list, {})).libraries)
      .toMatchObject([{ id: library.id, movieCount: COUNT + 1, fileCount: COUNT + 1, issueCount: 1, scan: null }]);

    // Each scan that was cut short is told as such, and none is left that seems to run.
    using running = ada.follow(jobsFeed);
    const open = ({ state }: { state: string }): boolean => state === 'running' || state === 'waiting';
    await running.until(() => jobsOf(running).length > 0 && !jobsOf(running).some(open), 'the pictures to be done');
    const list = async () => (await ada.call(jobs.list, { limit: 200 })).jobs;
    await expect.poll(async () => (await list()).filter(open)).toEqual([]);
    const listed = await list();
    for (const id of cutShort) {
      expect(listed.find((job) => job.id === id)).toMatchObject({
        state: 'failed',
        note: 'The server stopped while this ran. It was started again.',
      });
    }
  });

  it('[PROG9] right after progress was answered: it is kept', async () => {
    const [first, second] = await ada.movies();
    await ada.call(progress.report, { movieId: first!.id, positionMs: 2_000, durationMs: 8_000 });
    let answeredMs = 0;
    const reporting = (async () => {
      for (let positionMs = 1_000; positionMs < 7_000; positionMs += 10) {
        const { progress: kept } = await ada.call(progress.report, { movieId: second!.id, positionMs });
        answeredMs = kept.positionMs;
        if (positionMs === 1_200) break;
      }
    })();
    await reporting;
    await killAndStartAgain();
    const positionOf = async (movieId: string) => (await ada.call(movies.get, { movieId })).progress?.positionMs;
    expect(answeredMs).toBe(1_200);
    expect(await positionOf(second!.id)).toBe(1_200);
    expect(await positionOf(first!.id)).toBe(2_000);
  });

  it('[PLAY1] [PLAY6] during a transcode: the address works on, and the segments come again with the same times', async () => {
    // The scan of the start may have passed the folder already, and whoever asks meanwhile is answered with it [KEEP2].
    await ada.scan();
    await cp(await oldTape(), join(folder, ENCODED), { preserveTimestamps: true });
    await ada.scan();
    const movie = await ada.movie('Old Tape');
    const opened = await ada.call(playback.open, { movieId: movie.id });
    expect(opened).toMatchObject({ method: 'transcode', kind: 'hls' });
    const at = (path: string): URL => new URL(path, new URL(opened.url, engine.url));
    const bytesOf = async (path: string): Promise<Buffer> => {
      const response = await fetch(at(path));
      expect([path, response.status]).toEqual([path, 200]);
      return Buffer.from(await response.arrayBuffer());
    };
    const playlist = (await bytesOf('v0/index.m3u8')).toString();
    const last = playlist.match(/^\d+\.m4s$/gm)!.at(-1)!;
    const samplesOf = async (names: readonly string[]): Promise<Sample[][]> => {
      const init = readInit(await bytesOf('v0/init.mp4'));
      const segments: Sample[][] = [];
      for (const name of names) segments.push(readSegment(await bytesOf(`v0/${name}`), init));
      return segments;
    };
    const times = (segments: readonly Sample[][]) =>
      segments.map((samples) =>
        samples.map(({ dtsUs, ptsUs, durationUs, isKeyframe }) => ({ dtsUs, ptsUs, durationUs, isKeyframe })),
      );
    const before = await samplesOf(['0.m4s', '2.m4s']);
    expect(before.map((samples) => samples.length > 10)).toEqual([true, true]);

    const cut = fetch(at(`v0/${last}`)).then(
      (response) => response.arrayBuffer(),
      () => undefined,
    );
    const scratch = join(base, 'data/scratch');
    expect(await readdir(scratch)).not.toEqual([]);
    await killAndStartAgain();
    await cut;
    expect(await readdir(scratch)).toEqual([]);

    expect((await bytesOf('v0/index.m3u8')).toString()).toBe(playlist);
    expect(times(await samplesOf(['0.m4s', '2.m4s']))).toEqual(times(before));
    expect((await samplesOf([last]))[0]!.length).toBeGreaterThan(0);
  });

  it('[HOST9] [EPG1] and nothing of any of them is left behind', async () => {
    expect(left.filter(({ command }) => command.includes('rendition.host.ts'))).not.toEqual([]);
    await expect.poll(() => left.filter(isAlive).map(({ command }) => command)).toEqual([]);
    const own = new Set(descendants(engine.pid).map(({ pid }) => pid));
    const [major] = (await readdir(join(base, 'data/postgres'))).filter((name) => /^\d+$/.test(name));
    const database = await clusterProcesses(join(base, 'data/postgres', major!));
    expect(database.length).toBeGreaterThan(0);
    expect(database.filter((pid) => !own.has(pid))).toEqual([]);
    expect(await engine.stop()).toEqual({ code: 0, signal: null });
  });
});
