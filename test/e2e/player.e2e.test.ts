/** The player under a person's hands: keys, fingers, a remote control; on a desk, a phone and a television. A real engine, a real browser. */
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { progress } from '#protocol/index.ts';
import { openBrowser, tellFailure } from '#test/support/browser.ts';
import { clip, clips, h264, picture, textFile, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** Ignored by git. */
const pictures = join(import.meta.dirname, '../.media/screens');
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const FRAME_S = 1 / 24;

const CHAPTERS = `;FFMETADATA1
[CHAPTER]
TIMEBASE=1/1000
START=0
END=40000
title=Overture
[CHAPTER]
TIMEBASE=1/1000
START=40000
END=100000
title=The Storm
[CHAPTER]
TIMEBASE=1/1000
START=100000
END=150000
title=Finale
`;

/** 150 s in three chapters, heard in English and French; keyframes every two seconds. */
async function longMovie(): Promise<string> {
  const chapters = await textFile('player-chapters.txt', CHAPTERS);
  return clip({
    name: 'player-long.mp4',
    args: [
      ...[...picture(150, '640x360'), ...tone(150, 300), ...tone(150, 500), '-f', 'ffmetadata', '-i', chapters],
      ...['-map', '0:v', '-map', '1:a', '-map', '2:a', '-map_metadata', '3', '-map_chapters', '3'],
      ...[...h264(48), '-crf', '38', '-c:a', 'aac', '-b:a', '48k'],
      ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fre', '-movflags', '+faststart'],
    ],
  });
}

async function axeProblems(page: Page): Promise<string[]> {
  // The content policy lets no foreign script in, so axe comes by the debugger.
  await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(on: Document, options: object): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }>;
      };
    };
    const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  });
}

describe('the player', () => {
  let base: string;
  let engine: RunningEngine;
  let ada: Person;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let movieId: string;
  const troubles: string[] = [];

  const at = () => page.evaluate(() => document.querySelector('video')!.currentTime);
  const isAt = (from: number, to: number) =>
    page.waitForFunction(
      ([low, high]) => {
        const video = document.querySelector('video');
        return video !== null && !video.seeking && video.currentTime >= low! && video.currentTime <= high!;
      },
      [from, to],
    );
  const isPaused = (isIt: boolean) =>
    page.waitForFunction((expected) => document.querySelector('video')?.paused === expected, isIt);
  const screen = (name: string) => page.screenshot({ path: join(pictures, `player ${name}.png`) });

  async function sit(options: Parameters<Browser['newContext']>[0]): Promise<void> {
    await context?.close();
    context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
    await context.addCookies([
      { name: 'matinee_session', value: ada.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => troubles.push(error.message));
  }

  async function open(address = ''): Promise<void> {
    await page.goto(`${engine.url}/play/${movieId}${address}`);
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    await isPaused(false);
  }

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee player ')));
    await putMovie(join(base, 'Films', 'The Tempest (1979).mp4'), await longMovie());
    await putMovie(join(base, 'Films', 'Sumurun (1920).avi'), await clips.xvidAvi());
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'Films')],
      environment: adminEnvironment,
    });
    ada = await Person.signIn(engine.url);
    await ada.scan();
    movieId = (await ada.movie('The Tempest')).id;
    browser = await openBrowser();
    await sit({ viewport: { width: 1_280, height: 800 } });
  }, 240_000);

  beforeEach(({ task }) => tellFailure(task.name, () => page, engine));

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  }, 60_000);

  it('[PLAY91] steps frame by frame, each step one frame and no more, also in quick succession', async () => {
    await open('?from-start');
    await isAt(1, 20);
    await page.keyboard.press('k');
    await isPaused(true);
    const shown = () =>
      page.evaluate(() => {
        const video = document.querySelector('video')!;
        return new Promise<number>((resolve) => {
          video.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime));
        });
      });
    const steps: number[] = [];
    for (const key of ['.', '.', '.', ',', ',']) {
      const frame = shown();
      await page.keyboard.press(key);
      steps.push(await frame);
    }
    const differences = steps.slice(1).map((time, index) => Math.round((time - steps[index]!) / FRAME_S));
    expect(differences).toEqual([1, 1, -1, -1]);
    for (let press = 0; press < 24; press++) await page.keyboard.press('.');
    await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 0.9, steps.at(-1)!);
    expect((await at()) - steps.at(-1)!).toBeLessThan(1.1);
  });

  it('[PLAY90] keys: chapters, tenths, the end, speed with the pitch kept, the next sound', async () => {
    await open('?from-start');
    await page.keyboard.press('k');
    await isPaused(true);
    await page.keyboard.press('PageUp');
    await isAt(40, 40.2);
    await page.getByText('The Storm').first().waitFor({ state: 'attached' });
    await page.keyboard.press('5');
    await isAt(75, 75.1);
    await page.keyboard.press('Home');
    await isAt(0, 0.1);
    for (let press = 0; press < 8; press++) await page.keyboard.press('>');
    const speed = await page.evaluate(() => {
      const video = document.querySelector('video')!;
      return { rate: video.playbackRate, preservesPitch: video.preservesPitch };
    });
    expect(speed).toEqual({ rate: 3, preservesPitch: true });
    for (let press = 0; press < 12; press++) await page.keyboard.press('<');
    expect(await page.evaluate(() => document.querySelector('video')!.playbackRate)).toBe(0.25);
    for (let press = 0; press < 3; press++) await page.keyboard.press('>');
    expect(await page.evaluate(() => document.querySelector('video')!.playbackRate)).toBe(1);

    await page.keyboard.press('3');
    await isAt(45, 45.1);
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Sound' }).click();
    await expect
      .poll(() =>
        page.getByRole('menuitemradio').evaluateAll((all) => all.map((one) => one.getAttribute('aria-checked'))),
      )
      .toEqual(['false', 'true']);
    await page.keyboard.press('Escape');
    await isAt(44.8, 47);
  });

  it('[PLAY92] repeats a part, shows its marks, and lets go', async () => {
    // Pressed while the other sound is still on its way: it begins where the movie is by then.
    await page.keyboard.press('k');
    await page.keyboard.press('2');
    await page.waitForFunction(() => document.querySelector('video')!.src.startsWith('blob:'));
    await isAt(29.9, 34);
    await isPaused(false);
    await page.keyboard.press('b');
    const from = await at();
    await page.waitForFunction((start) => document.querySelector('video')!.currentTime > start + 0.8, from);
    await page.keyboard.press('b');
    await page.waitForFunction((start) => document.querySelector('video')!.currentTime < start + 0.5, from);
    await page.waitForFunction((start) => document.querySelector('video')!.currentTime > start + 0.6, from);
    await page.waitForFunction((start) => document.querySelector('video')!.currentTime < start + 0.5, from);
    await screen('repeat');
    await page.keyboard.press('b');
    await page.waitForFunction((start) => document.querySelector('video')!.currentTime > start + 1.6, from);
  });

  it('[PLAY90] the settings are worked by keys alone, and give the focus back', async () => {
    const settings = page.getByRole('button', { name: 'Settings' });
    await settings.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: /Sleep timer/ }).waitFor();
    await screen('settings');
    expect(await axeProblems(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    while (!(await page.evaluate(() => document.activeElement?.textContent?.startsWith('Sleep timer')))) {
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('ArrowRight');
    await page.getByRole('menuitemradio', { name: 'End of the chapter' }).waitFor();
    await screen('sleep timer');
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('menuitem', { name: /Sleep timer/ }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Sleep timer');
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Settings');
  });

  it('[PLAY93] the sleep timer stops at the end of the chapter', async () => {
    await page.keyboard.press('0');
    await isPaused(false);
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('menuitem', { name: /Sleep timer/ }).click();
    await page.getByRole('menuitemradio', { name: 'End of the chapter' }).click();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('PageUp');
    await isAt(40, 45);
    for (let jump = 0; jump < 5; jump++) await page.keyboard.press('l');
    await isAt(90, 97);
    await page.getByRole('button', { name: 'Keep watching' }).waitFor();
    await screen('good night');
    await isPaused(true);
    expect(await at()).toBeGreaterThan(99.5);
    expect(await at()).toBeLessThan(101);
    expect(await page.evaluate(() => document.querySelector('video')!.volume)).toBe(1);
  });

  it('[PLAY99] says where it went on, and goes to the beginning on request', async () => {
    // The page before this one tells its own place when it goes.
    await sit({ viewport: { width: 1_280, height: 800 } });
    await ada.call(progress.report, { movieId, positionMs: 100_000, durationMs: 150_000 });
    await open();
    await isAt(99.5, 104);
    await page.getByText('Resumed at 1:40').waitFor();
    await screen('resumed');
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'From the beginning' }).click();
    await isAt(0, 4);
  });

  it('[PLAY98] controls leave while it plays, come with a movement, and stay while it stands still', async () => {
    const stage = page.locator('[data-awake]').first();
    await page.mouse.move(300, 300);
    await page.waitForFunction(() => document.querySelector('[data-awake]')?.getAttribute('data-awake') === 'false');
    await page.mouse.move(320, 300);
    expect(await stage.getAttribute('data-awake')).toBe('true');
    await page.keyboard.press('k');
    await isPaused(true);
    await screen('desk');
    await page.keyboard.press('i');
    await page.getByRole('complementary', { name: 'About this stream' }).waitFor();
    await screen('about');
    expect(await axeProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });

  it('[PLAY90] a remote control: OK brings the buttons, arrows move between them, back leaves', async () => {
    await sit({
      viewport: { width: 1_920, height: 1_080 },
      userAgent: 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Chrome/108.0 TV Safari/537.36',
    });
    await page.goto(`${engine.url}/movies/${movieId}`);
    await page
      .getByRole('link', { name: /From the beginning|Play/ })
      .first()
      .click();
    await isPaused(false);
    await isAt(0.2, 150);
    const before = await at();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 4, before);
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toMatch(/^Pause/);
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toMatch(/seconds back/);
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toMatch(/seconds forward/);
    await page.keyboard.press('ArrowUp');
    expect(await focused()).toBe('Position');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toMatch(/Pause|seconds/);
    await screen('television');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { level: 1, name: 'The Tempest' }).waitFor();
  });

  it('[PLAY90] fingers: two taps jump, resting plays faster, up and down change volume and brightness', async () => {
    await sit({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await open('?from-start');
    const start = await at();
    const finger = await context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x = 0, y = 0) =>
      finger.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] });
    const tap = async (x: number, y: number) => {
      await touch('touchStart', x, y);
      await touch('touchEnd');
    };
    for (let taps = 0; taps < 3; taps++) await tap(340, 400);
    await page.getByText('+20 s').first().waitFor({ state: 'attached' });
    await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 19, start);

    await touch('touchStart', 200, 400);
    await page.waitForFunction(() => document.querySelector('video')!.playbackRate === 2);
    await touch('touchEnd');
    await page.waitForFunction(() => document.querySelector('video')!.playbackRate === 1);

    await touch('touchStart', 300, 300);
    for (let y = 320; y <= 500; y += 20) await touch('touchMove', 300, y);
    await touch('touchEnd');
    expect(await page.evaluate(() => document.querySelector('video')!.volume)).toBeLessThan(0.9);
    await touch('touchStart', 80, 300);
    for (let y = 320; y <= 500; y += 20) await touch('touchMove', 80, y);
    await touch('touchEnd');
    expect(await page.evaluate(() => document.querySelector('video')!.style.filter)).toMatch(/^brightness\(0\./);
    await page.evaluate(() => document.querySelector('video')!.pause());
    await isPaused(true);
    await screen('phone');
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    const boxes = await page
      .locator('[data-controls] button:visible')
      .evaluateAll(
        (buttons) =>
          buttons
            .map((button) => button.getBoundingClientRect())
            .filter(({ left, right }) => left < 0 || right > innerWidth + 0.5).length,
      );
    expect(boxes).toBe(0);
  });

  it('[PLAY98] what is set of subtitles is seen: the panel stands beside the whole picture, or below it', async () => {
    for (const [width, height] of [
      [390, 844],
      [844, 390],
      [1_280, 800],
    ] as const) {
      await sit({ viewport: { width, height } });
      await open('?from-start');
      const box = (of: string) => page.locator(of).boundingBox();
      const isWhole = async (): Promise<boolean> => {
        const [picture, panel] = [await box('video'), await box('[data-dock]')];
        if (picture === null || panel === null) return false;
        const isBeside = picture.x + picture.width <= panel.x + 1;
        const isAbove = picture.y + picture.height <= panel.y + 1;
        return (isBeside || isAbove) && panel.x + panel.width <= width + 1 && panel.y + panel.height <= height + 1;
      };
      await page.getByRole('button', { name: /^Subtitles/ }).click();
      await page.getByRole('menuitem', { name: /^Timing, style/ }).click();
      await expect.poll(isWhole).toBe(true);
      const panel = page.getByRole('complementary', { name: 'Subtitles' });
      // It is no dialog: the movie goes on, and its keys work.
      await page.keyboard.press('k');
      await isPaused(true);
      await panel.getByLabel('Size', { exact: true }).fill('150');
      await panel.getByText('150 %').waitFor();
      await screen(`subtitles ${width}`);
      if (width === 844) expect(await axeProblems(page)).toEqual([]);
      await panel.getByLabel('Size', { exact: true }).fill('100');
      await page.keyboard.press('Escape');
      await panel.waitFor({ state: 'detached' });
      await expect.poll(async () => (await box('video'))?.width).toBe(width);
    }
  });

  it('[SCR4] a phone sends its movie to the television, steers it, and is told no', async () => {
    await sit({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const phone = page;
    await open('?from-start');
    const sofa = await browser.newContext({
      ...{ locale: 'en-GB', reducedMotion: 'reduce', viewport: { width: 1_920, height: 1_080 } },
      userAgent: 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Chrome/108.0 TV Safari/537.36',
    });
    await sofa.addCookies([
      { name: 'matinee_session', value: ada.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    const television = await sofa.newPage();
    await television.goto(engine.url);
    await television.getByRole('heading').first().waitFor();

    await phone.keyboard.press('5');
    await isAt(75, 80);
    await phone.getByRole('button', { name: 'Settings' }).click();
    await phone.getByRole('menuitem', { name: 'Play on another screen' }).click();
    const dialog = phone.getByRole('dialog');
    await dialog.getByText('Nothing plays there').waitFor();
    // The page before this one is forgotten a moment after it went.
    await expect.poll(() => dialog.getByRole('button', { name: 'Play there' }).count()).toBe(1);
    await screen('other screens');
    expect(await axeProblems(phone)).toEqual([]);
    await dialog.getByRole('button', { name: 'Play there' }).click();

    await television.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 74.5);
    const bar = phone.getByRole('region', { name: /^On / });
    await bar.getByText('The Tempest').waitFor();
    await bar.getByRole('button', { name: 'Pause' }).click();
    await television.waitForFunction(() => document.querySelector('video')!.paused);
    await television.getByText(/^Controlled from/).waitFor();
    await television.screenshot({ path: join(pictures, 'player controlled.png') });
    await bar.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await screen('remote bar');
    expect(await axeProblems(phone)).toEqual([]);
    await bar.getByRole('button', { name: '10 seconds forward' }).click();
    await television.waitForFunction(() => document.querySelector('video')!.currentTime > 84);

    await television.getByRole('button', { name: 'Don’t allow' }).click();
    await bar.getByRole('button', { name: 'Play', exact: true }).click();
    await phone
      .getByText(/does not let itself be controlled/)
      .first()
      .waitFor();
    expect(await television.evaluate(() => document.querySelector('video')!.paused)).toBe(true);
    await sofa.close();
    await bar.waitFor({ state: 'detached' });
  });

  it('no page threw anything', () => {
    expect(troubles).toEqual([]);
  });
});
