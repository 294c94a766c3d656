/** A movie cut into two files, as a person watches it: from one into the other, and on after a power cut. A real engine, a real browser. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { movies } from '#protocol/index.ts';
import { openBrowser, tellFailure } from '#test/support/browser.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** Ignored by git. */
/** Of each part. */
const CLIP_MS = 8_000;

describe('a movie cut into two files', () => {
  let base: string;
  let engine: RunningEngine;
  let ada: Person;
  let browser: Browser;
  let page: Page;
  let movieId: string;

  const movie = () => ada.request(movies.get, { movieId });
  const isAt = (seconds: number) =>
    page.waitForFunction((from) => (document.querySelector('video')?.currentTime ?? 0) > from, seconds);

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee parts ')));
    const source = await clips.h264Mp4();
    for (const part of [1, 2]) await putMovie(join(base, 'Films', `Ben-Hur (1959) cd${part}.mp4`), source);
    const tape = await clips.xvidAvi();
    for (const part of [1, 2]) await putMovie(join(base, 'Films', 'Quo Vadis (1951)', `CD${part}`, 'qv.avi'), tape);
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'Films')],
      environment: adminEnvironment,
    });
    ada = await Person.signIn(engine.url);
    await ada.scan();
    movieId = (await ada.movie('Ben-Hur')).id;
    browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, reducedMotion: 'reduce' });
    await context.addCookies([
      { name: 'matinee_session', value: ada.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
  }, 240_000);

  beforeEach(({ task }) => tellFailure(task.name, () => page, engine));

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  }, 60_000);

  it('[PLAY25] [PLAY26] goes on from the first part to the second by itself, in full screen and as loud', async () => {
    const { movie: found } = await movie();
    expect(found.files.map(({ part }) => part)).toEqual([1, 2]);
    expect(Math.abs(found.durationMs! - 2 * CLIP_MS)).toBeLessThan(500);

    await page.goto(`${engine.url}/play/${movieId}`);
    await page.getByText('Part 1 of 2').waitFor();
    await isAt(0.2);
    await page.keyboard.press('f');
    await page.waitForFunction(() => document.fullscreenElement !== null);
    await page.keyboard.press('ArrowDown');
    const before = await page.evaluate(() => document.querySelector('video')!.volume);
    expect(before).toBeLessThan(1);
    await page.keyboard.press('9');
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
    const after = await page.evaluate(() => {
      const video = document.querySelector('video')!;
      return { volume: video.volume, isFull: document.fullscreenElement !== null, isPaused: video.paused };
    });
    expect(after).toEqual({ volume: before, isFull: true, isPaused: false });
  });

  it('[PLAY26] a place in the second part is one of the whole movie, and there it goes on after a power cut', async () => {
    await page.keyboard.press('5');
    await isAt(CLIP_MS / 2_000);
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('video')!.paused);
    const seconds = await page.evaluate(() => document.querySelector('video')!.currentTime);
    await expect
      .poll(async () => Math.abs(((await movie()).progress?.positionMs ?? 0) - CLIP_MS - seconds * 1_000))
      .toBeLessThan(500);
    expect((await movie()).progress).toMatchObject({ isWatched: false });

    await engine.kill();
    engine = await startEngine({ dataFolder: join(base, 'data'), port: engine.port });
    await page.goto(`${engine.url}/play/${movieId}`);
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(seconds - 0.5);
  });

  it('[PROG3] is watched at 90 % of both, and begins with the first part when it is watched again', async () => {
    await page.keyboard.press('9');
    await page.getByRole('button', { name: 'Watch again' }).waitFor();
    await expect.poll(async () => (await movie()).progress).toMatchObject({ isWatched: true, watchCount: 1 });
    await page.getByRole('button', { name: 'Watch again' }).click();
    await page.getByText('Part 1 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
    await page.keyboard.press('n');
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
  });

  it('[PLAY26] a part that is asked for by its address is the one that plays', async () => {
    const [first, second] = (await movie()).movie.files;
    await page.goto(`${engine.url}/play/${movieId}?file=${first!.id}`);
    await page.getByText('Part 1 of 2').waitFor({ state: 'attached' });
    await page.goto(`${engine.url}/play/${movieId}?file=${second!.id}`);
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
  });

  it('[PLAY26] a page that is loaded again goes on in the part that plays, whichever its address asked for', async () => {
    const [first] = (await movie()).movie.files;
    await page.goto(`${engine.url}/play/${movieId}?file=${first!.id}`);
    await page.getByText('Part 1 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
    await page.keyboard.press('n');
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await expect.poll(async () => (await movie()).progress?.positionMs ?? 0).toBeGreaterThan(CLIP_MS);
    await page.reload();
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
  });

  it('[PLAY26] goes on just so where both parts are converted on the way', async () => {
    const { id } = await ada.movie('Quo Vadis');
    await page.goto(`${engine.url}/play/${id}`);
    await page.getByText('Part 1 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
    await page.keyboard.press('9');
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(0.2);
    expect((await ada.request(movies.get, { movieId: id })).progress).toMatchObject({ isWatched: false });
    await page.keyboard.press('9');
    await page.getByRole('button', { name: 'Watch again' }).waitFor();
    await expect
      .poll(async () => (await ada.request(movies.get, { movieId: id })).progress)
      .toMatchObject({ isWatched: true, watchCount: 1 });
  });
});
