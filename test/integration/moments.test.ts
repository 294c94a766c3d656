/** Previews and marks in a whole engine: made while somebody watches, after a power cut too, and of use to their progress. */
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { momentsFeed } from '#protocol/feeds.ts';
import { movies, playback, progress } from '#protocol/index.ts';
import { film } from '#test/support/episodes.ts';
import { clip, h264, picture } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const GAP_MS = 50_000;
const LENGTH_MS = 78_000;
/** A second each, 25 on a sheet. */
const SHEETS = 8;

describe('previews and marks', () => {
  let base: string;
  let engine: RunningEngine;
  let ada: Person;

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee moments ')));
    await putMovie(
      join(base, 'Films', 'The End (1999).mkv'),
      await film('credits.mkv', [
        ['film', 50],
        ['gap', 3],
        ['words', 25],
      ]),
    );
    const long = await clip({ name: 'long.mp4', args: [...picture(200, '320x180', '8'), ...h264(16)] });
    await putMovie(join(base, 'Films', 'The Long One (2001).mp4'), long);
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'Films')],
      environment: adminEnvironment,
    });
    ada = await Person.signIn(engine.url);
    await ada.scan();
  });

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    await engine?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  });

  it('[PLAY63] [PLAY69] credits are found while somebody watches, told at once, and are the end of the movie', async () => {
    const { id: movieId } = await ada.movie('The End');
    using marks = ada.follow(momentsFeed, movieId);
    const opened = await ada.call(playback.open, { movieId });
    expect(opened.markers).toEqual([]);
    expect(opened.trickplay).toMatchObject({ intervalMs: 1_000, columns: 5 });
    const found = await marks.until(
      ({ entries }) => entries.flatMap(({ markers }) => markers)[0],
      'the credits to be found',
    );
    expect(found).toMatchObject({ kind: 'credits', source: 'detected' });
    expect(Math.abs(found.startMs - GAP_MS)).toBeLessThan(1_000);
    expect((await ada.call(playback.open, { movieId })).markers).toEqual([found]);

    const report = (positionMs: number) => ada.call(progress.report, { movieId, positionMs, durationMs: LENGTH_MS });
    expect((await report(found.startMs - 2_000)).progress).toMatchObject({ isWatched: false });
    expect((await report(found.startMs + 500)).progress).toMatchObject({ isWatched: true, positionMs: 0 });
    expect((await ada.call(movies.get, { movieId })).progress).toMatchObject({ isWatched: true, watchCount: 1 });
  });

  it('[PLAY61] [PLAY63] a power cut while previews are made leaves none by halves, and they are completed by themselves', async () => {
    const folder = join(base, 'data', 'cache', 'previews');
    const files = async (): Promise<string[]> =>
      (await readdir(folder, { recursive: true })).filter((name) => name.includes('.'));
    // The movie before is completed, too.
    await expect.poll(async () => (await files()).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(4);
    const before = 4;
    const { id: movieId } = await ada.movie('The Long One');
    const { trickplay } = await ada.call(playback.open, { movieId });
    expect(Math.ceil(trickplay!.count / 25)).toBe(SHEETS);
    await expect.poll(async () => (await files()).length, { interval: 5 }).toBeGreaterThan(before + 1);
    await engine.kill();
    engine = await startEngine({ dataFolder: join(base, 'data'), port: engine.port });
    expect((await files()).every((name) => name.endsWith('.webp'))).toBe(true);
    await expect.poll(async () => (await files()).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(before + SHEETS);
    // The same address works: nothing of it was in the process that was killed.
    const response = await fetch(new URL(trickplay!.sheetUrl.replace('{n}', String(SHEETS - 1)), engine.url));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/webp']);
  });
});
