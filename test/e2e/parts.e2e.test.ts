/** A movie cut into two files, as a person watches it: from one into the other, and on after a power cut. A real engine, a real browser. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { movies } from '#protocol/index.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip, h264, picture, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';

/** Of each part: longer than anything here takes that must happen while one plays. */
const PART_MS = 30_000;
const partClip = (name: string, ...codecs: string[]): Promise<string> =>
  clip({ name, args: [...picture(PART_MS / 1_000), ...tone(PART_MS / 1_000), ...codecs] });

describe('a movie cut into two files', () => {
  const evening = openEvening({
    name: 'parts',
    prepare: async ({ films }) => {
      const disc = await partClip('part.mp4', ...h264(), '-c:a', 'aac', '-movflags', '+faststart');
      const tape = await partClip('part.avi', '-c:v', 'mpeg4', '-vtag', 'XVID', '-g', '24', '-c:a', 'libmp3lame');
      for (const number of [1, 2]) {
        await putMovie(join(films, `Ben-Hur (1959) cd${number}.mp4`), disc);
        await putMovie(join(films, 'Quo Vadis (1951)', `CD${number}`, 'qv.avi'), tape);
      }
    },
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 800 } },
  });
  let page: Page;
  let movieId: string;
  beforeAll(async () => {
    ({ page } = evening);
    movieId = (await evening.ada.movie('Ben-Hur')).id;
  });

  const movie = () => evening.ada.request(movies.get, { movieId });
  const isAt = (seconds: number) =>
    page.waitForFunction((from) => (document.querySelector('video')?.currentTime ?? 0) > from, seconds);
  /** This part is open, and its picture moves: not the last one of the part before. */
  const playsPart = async (number: number): Promise<void> => {
    await page.getByText(`Part ${number} of 2`).waitFor({ state: 'attached' });
    await page.waitForFunction(() => {
      const video = document.querySelector('video')!;
      return !video.paused && !video.seeking && video.currentTime > 0.2 && video.currentTime < video.duration - 0.1;
    });
  };

  it('[PLAY25] [PLAY26] goes on from the first part to the second by itself, in full screen and as loud', async () => {
    const { movie: found } = await movie();
    expect(found.files.map(({ part }) => part)).toEqual([1, 2]);
    expect(Math.abs(found.durationMs! - 2 * PART_MS)).toBeLessThan(500);

    await page.goto(`${evening.engine.url}/play/${movieId}`);
    await playsPart(1);
    await page.keyboard.press('f');
    await page.waitForFunction(() => document.fullscreenElement !== null);
    await page.keyboard.press('ArrowDown');
    const volume = () => page.evaluate(() => document.querySelector('video')!.volume);
    await expect.poll(volume).toBeLessThan(1);
    const before = await volume();
    await page.keyboard.press('9');
    await playsPart(2);
    const after = await page.evaluate(() => ({
      volume: document.querySelector('video')!.volume,
      isFull: document.fullscreenElement !== null,
    }));
    expect(after).toEqual({ volume: before, isFull: true });
  });

  it('[PLAY26] a place in the second part is one of the whole movie, and there it goes on after a power cut', async () => {
    await page.keyboard.press('5');
    await isAt(PART_MS / 2_000);
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('video')!.paused);
    const seconds = await page.evaluate(() => document.querySelector('video')!.currentTime);
    await expect
      .poll(async () => Math.abs(((await movie()).progress?.positionMs ?? 0) - PART_MS - seconds * 1_000))
      .toBeLessThan(500);
    expect((await movie()).progress).toMatchObject({ isWatched: false });

    await evening.powerCut();
    await page.goto(`${evening.engine.url}/play/${movieId}`);
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await isAt(seconds - 0.5);
  });

  it('[PROG3] is watched at 90 % of both, and begins with the first part when it is watched again', async () => {
    await page.keyboard.press('9');
    await page.getByRole('button', { name: 'Watch again' }).waitFor();
    await expect.poll(async () => (await movie()).progress).toMatchObject({ isWatched: true, watchCount: 1 });
    await page.getByRole('button', { name: 'Watch again' }).click();
    await playsPart(1);
    await page.keyboard.press('n');
    await playsPart(2);
  });

  it('[PLAY26] a part that is asked for by its address is the one that plays', async () => {
    const [first, second] = (await movie()).movie.files;
    await page.goto(`${evening.engine.url}/play/${movieId}?file=${first!.id}`);
    await playsPart(1);
    await page.goto(`${evening.engine.url}/play/${movieId}?file=${second!.id}`);
    await playsPart(2);
  });

  it('[PLAY26] a page that is loaded again goes on in the part that plays, whichever its address asked for', async () => {
    const [first] = (await movie()).movie.files;
    await page.goto(`${evening.engine.url}/play/${movieId}?file=${first!.id}`);
    await playsPart(1);
    await page.keyboard.press('n');
    await page.getByText('Part 2 of 2').waitFor({ state: 'attached' });
    await expect.poll(async () => (await movie()).progress?.positionMs ?? 0).toBeGreaterThan(PART_MS);
    await page.reload();
    await playsPart(2);
  });

  it('[PLAY26] goes on just so where both parts are converted on the way', async () => {
    const { id } = await evening.ada.movie('Quo Vadis');
    await page.goto(`${evening.engine.url}/play/${id}`);
    await playsPart(1);
    await page.keyboard.press('9');
    await playsPart(2);
    await expect
      .poll(async () => (await evening.ada.request(movies.get, { movieId: id })).progress)
      .toMatchObject({ isWatched: false });
    await page.keyboard.press('9');
    await page.getByRole('button', { name: 'Watch again' }).waitFor();
    await expect
      .poll(async () => (await evening.ada.request(movies.get, { movieId: id })).progress)
      .toMatchObject({ isWatched: true, watchCount: 1 });
  });
});
