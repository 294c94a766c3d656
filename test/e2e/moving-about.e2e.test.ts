/** Seeking with pictures, chapters, and intros that are skipped and corrected, as people do it. A real engine, a real browser. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { preferences } from '#protocol/index.ts';
import { pressTogether, sightOf, textsFromNow } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip, textFile } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';

const LENGTH_S = 300;

/** Five minutes, each of another colour with a pattern that moves; an intro and credits by name. */
async function film(): Promise<string> {
  const chapters = [
    ['The beginning', 0, 20],
    ['Intro', 20, 60],
    ['A conversation in the garden, and what came of it', 60, 180],
    ['Rain', 180, 270],
    ['End Credits', 270, LENGTH_S],
  ] as const;
  const text = chapters.map(
    ([title, start, end]) => `[CHAPTER]
TIMEBASE=1/1
START=${start}
END=${end}
title=${title}
`,
  );
  const facts = await textFile('moving-chapters.txt', `;FFMETADATA1\n${text.join('\n')}`);
  return await clip({
    name: 'moving.mp4',
    args: [
      ...['-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=10:duration=${LENGTH_S},hue=h=t*1.2`],
      ...['-f', 'lavfi', '-i', `sine=frequency=330:duration=${LENGTH_S}:sample_rate=44100`],
      ...['-i', facts, '-map_metadata', '2', '-map', '0:v', '-map', '1:a'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '34', '-pix_fmt', 'yuv420p', '-g', '20'],
      ...['-c:a', 'aac', '-b:a', '48k', '-movflags', '+faststart'],
    ],
  });
}

describe('moving about in a movie', () => {
  const evening = openEvening({
    name: 'moving',
    prepare: async ({ films }) => putMovie(join(films, 'The Garden (1971).mp4'), await film()),
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 760 } },
  });
  let page: Page;
  let movieId: string;
  beforeAll(async () => {
    ({ page } = evening);
    movieId = (await evening.ada.movie('The Garden')).id;
  });

  const play = async (on: Page): Promise<void> => {
    await on.goto(`${evening.engine.url}/play/${movieId}`);
    await on.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.2);
  };
  const pause = async (on: Page = page): Promise<void> => {
    await on.keyboard.press('k');
    await on.waitForFunction(() => document.querySelector('video')!.paused);
  };
  const seconds = (on: Page = page): Promise<number> => on.evaluate(() => document.querySelector('video')!.currentTime);
  const isAt = (at: number, on: Page = page, within = 1) =>
    on.waitForFunction(
      ([to, span]) => {
        const video = document.querySelector('video')!;
        return !video.seeking && Math.abs(video.currentTime - to!) < span!;
      },
      [at, within],
    );
  const seekTo = async (at: number, on: Page = page): Promise<void> => {
    // What was under way before is told first.
    await on.waitForFunction(() => !document.querySelector('video')!.seeking);
    await on.evaluate((to) => {
      document.querySelector('video')!.currentTime = to;
    }, at);
    await on.waitForFunction(() => !document.querySelector('video')!.seeking);
  };
  const bar = (on: Page = page) => on.getByRole('slider', { name: 'Position' });
  const preview = (on: Page = page) => on.locator('[data-here]').first();
  const shown = (on: Page = page) => on.locator('[data-here=true]').first();
  const placeOf = async (locator: ReturnType<typeof bar>) => (await locator.boundingBox())!;
  const shoot = (on: Page, name: string) => evening.picture(name, on);

  it('[PLAY61] the place under the pointer shows its picture, its time and its chapter, and nothing jumps', async () => {
    await play(page);
    await pause();
    const box = await placeOf(bar());
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await preview().waitFor();
    const before = await placeOf(preview());
    await shown().waitFor();
    expect(await placeOf(preview())).toEqual(before);
    await bar().getByText('2:00').waitFor();
    await bar().getByText('A conversation in the garden').waitFor();
    await shoot(page, 'hover');
    // At the ends it stays inside of the window.
    for (const share of [0.002, 0.998]) {
      await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
      await shown().waitFor();
      const edge = await placeOf(preview());
      expect(edge.x).toBeGreaterThanOrEqual(0);
      expect(edge.x + edge.width).toBeLessThanOrEqual(1_280);
    }
    await shoot(page, 'hover at the end');
    // Dragged, the movie goes there when the hand lets go.
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
    await shown().waitFor();
    expect(await seconds()).toBeLessThan(20);
    await page.mouse.up();
    await isAt(180, page, 2);
    await page.mouse.move(600, 200);
  });

  it('[PLAY61] arrow keys on the bar look through the pictures; the movie goes there when they rest, and not after Escape', async () => {
    await seekTo(100);
    await isAt(100);
    // Keys show a picture for a second or two only: it is there already when they are pressed.
    const box = await placeOf(bar());
    await page.mouse.move(box.x + box.width * 0.55, box.y + box.height / 2);
    await bar().getByText('2:45').waitFor();
    await shown().waitFor();
    await page.mouse.move(box.x + box.width / 2, 200);
    await preview().waitFor({ state: 'detached' });
    await bar().focus();
    const [picture, time] = [await sightOf(page, '[data-here=true]'), await sightOf(page, '[role=slider] b', '2:45')];
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('ArrowRight');
    await picture();
    await time();
    await shoot(page, 'keys');
    await isAt(165);
    await preview().waitFor({ state: 'detached' });
    // Escape comes before they rest, which is half a second.
    await pressTogether(page, ['ArrowLeft', 'Escape']);
    await preview().waitFor({ state: 'detached' });
    expect(Math.abs((await seconds()) - 165)).toBeLessThan(1);
    expect(page.url()).toContain('/play/');
  });

  it('[PLAY61] chapters have a menu with pictures, names and times, by keys too', async () => {
    await page.getByRole('button', { name: 'Chapters' }).click();
    const menu = page.getByRole('menu', { name: 'Chapters' });
    await menu.getByRole('menuitem', { name: /A conversation/ }).waitFor();
    await expect.poll(() => menu.locator('[data-here=true]').count()).toBe(5);
    await shoot(page, 'chapters');
    await menu.getByRole('menuitem', { name: 'Rain 3:00' }).waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await isAt(60);
    await page.keyboard.press('PageUp');
    await isAt(180);
  });

  it('[PLAY68] the intro is offered when it begins, and skipped by a key or a click, never by itself', async () => {
    await seekTo(18.5);
    const said = await textsFromNow(page);
    await page.keyboard.press('k');
    await said(/Skip intro: press S/);
    expect(await seconds()).toBeLessThan(59);
    // While the movie stands still, the offer stays with the controls.
    await pause();
    await page.getByRole('button', { name: 'Skip intro' }).waitFor();
    await shoot(page, 'skip');
    await page.keyboard.press('s');
    await isAt(60);
    await page.getByRole('button', { name: 'Skip intro' }).waitFor({ state: 'detached' });
    await seekTo(271);
    await page.getByRole('button', { name: 'Skip credits' }).hover();
    await page.keyboard.press('k');
    await page.getByRole('button', { name: 'Skip credits' }).click();
    await page.getByRole('button', { name: 'Watch again' }).waitFor();
  });

  it('[PLAY68] is skipped by itself for who set it so', async () => {
    await evening.ada.call(preferences.change, { skips: { intro: 'skip', recap: 'offer', credits: 'offer' } });
    await play(page);
    await seekTo(18.5);
    await page.waitForFunction(() => document.querySelector('video')!.currentTime >= 60);
    await evening.ada.call(preferences.change, { skips: { intro: 'offer', recap: 'offer', credits: 'offer' } });
  });

  it('[PLAY67] a mark that is corrected is corrected on every screen at once', async () => {
    const other = await evening.newPage({ viewport: { width: 1_000, height: 700 } });
    await play(other);
    await pause(other);
    await play(page);
    await pause();
    await seekTo(75);
    await page.getByRole('button', { name: 'Chapters' }).click();
    await page.getByRole('menuitem', { name: 'Correct these…' }).click();
    const intro = page.getByRole('group', { name: 'Intro' });
    await intro.getByText('0:20 to 1:00, from the chapters’ names').waitFor();
    // Nobody has said anything yet that could be forgotten.
    expect(await intro.getByRole('button', { name: 'Forget what was said' }).count()).toBe(0);
    await intro.getByRole('button', { name: 'Ends here' }).click();
    await intro.getByText('0:20 to 1:15, set by hand').waitFor();
    await shoot(page, 'correct');
    // Beyond its end as the chapters have it, and within it as it is now.
    await seekTo(65, other);
    await other.getByRole('button', { name: 'Skip intro' }).waitFor();
    await intro.getByRole('button', { name: 'There is none' }).click();
    await intro.getByText('None is known.').waitFor();
    await other.getByRole('button', { name: 'Skip intro' }).waitFor({ state: 'detached' });
    await intro.getByRole('button', { name: 'Forget what was said' }).click();
    await intro.getByText('0:20 to 1:00').waitFor();
    await other.context().close();
  });

  it('[PLAY61] a finger on a phone sees where it goes', async () => {
    const phone = await evening.newPage({
      viewport: { width: 390, height: 780 },
      deviceScaleFactor: 3,
      hasTouch: true,
      isMobile: true,
    });
    await play(phone);
    await phone.evaluate(() => document.querySelector('video')!.pause());
    const box = await placeOf(bar(phone));
    const client = await phone.context().newCDPSession(phone);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', share = 0) =>
      client.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: box.x + box.width * share, y: box.y + box.height / 2 }],
      });
    await touch('touchStart', 0.3);
    for (const share of [0.4, 0.6, 0.8]) await touch('touchMove', share);
    await shown(phone).waitFor();
    await shoot(phone, 'phone');
    const seen = await placeOf(shown(phone));
    expect(seen.x).toBeGreaterThanOrEqual(0);
    expect(seen.x + seen.width).toBeLessThanOrEqual(390);
    await touch('touchEnd');
    await isAt(240, phone, 4);
    await preview(phone).waitFor({ state: 'detached' });
    await phone.context().close();
  });

  it('[PLAY61] what was made is whole after a power cut, and is there at once', async () => {
    const folder = join(evening.base, 'data', 'cache', 'previews');
    const files = async () => (await readdir(folder, { recursive: true })).filter((name) => name.includes('.'));
    await expect.poll(async () => (await files()).length).toBeGreaterThan(4);
    await evening.powerCut();
    expect((await files()).every((name) => name.endsWith('.webp'))).toBe(true);
    await play(page);
    const box = await placeOf(bar());
    await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2);
    await shown().waitFor();
  });
});
