/** The player under a person's hands: keys, fingers, a remote control; on a desk, a phone and a television. A real engine, a real browser. */
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { collections, progress } from '#protocol/index.ts';
import {
  axeProblems,
  clickControl,
  pressTogether,
  sawText,
  sightOf,
  stayWith,
  textsFromNow,
} from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip, clips, h264, picture, textFile, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';

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

/** As long as the word of where it went on is shown. */
const NOTE_MS = 9_000;

describe('the player', () => {
  const evening = openEvening({
    name: 'player',
    prepare: async ({ films }) => {
      await putMovie(join(films, 'The Tempest (1979).mp4'), await longMovie());
      await putMovie(join(films, 'Sumurun (1920).avi'), await clips.xvidAvi());
    },
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 800 } },
  });
  let page: Page;
  let movieId: string;
  beforeAll(async () => {
    ({ page } = evening);
    movieId = (await evening.ada.movie('The Tempest')).id;
  });

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
  const rate = () => page.evaluate(() => document.querySelector('video')!.playbackRate);
  const screen = (name: string) => evening.picture(name);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
  const focusedText = () => page.evaluate(() => document.activeElement?.textContent ?? '');

  async function sit(options: BrowserContextOptions): Promise<void> {
    await page.context().close();
    page = evening.page = await evening.newPage(options);
  }

  async function open(address = ''): Promise<void> {
    await page.goto(`${evening.engine.url}/play/${movieId}${address}`);
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    await isPaused(false);
  }

  it('[PLAY91] steps frame by frame, each step one frame and no more, also in quick succession', async () => {
    await open('?from-start');
    await isAt(1, 20);
    await page.keyboard.press('k');
    await isPaused(true);
    // From a place that it stands at: the last frames of playing come a moment after the pause.
    await page.keyboard.press('1');
    await isAt(15, 15);
    const shown = await page.evaluateHandle(() => {
      const video = document.querySelector('video')!;
      const last = { s: -1 };
      const follow = (_: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
        last.s = mediaTime;
        video.requestVideoFrameCallback(follow);
      };
      video.requestVideoFrameCallback(follow);
      return last;
    });
    const frame = async () => Math.round((await shown.evaluate(({ s }) => s)) / FRAME_S);
    const first = Math.round(15 / FRAME_S);
    let expected = first;
    for (const key of ['.', '.', '.', ',', ',']) {
      await page.keyboard.press(key);
      expected += key === '.' ? 1 : -1;
      await expect.poll(frame).toBe(expected);
    }
    for (let press = 0; press < 24; press++) await page.keyboard.press('.');
    await expect.poll(frame).toBe(first + 25);
  });

  it('[PLAY90] keys: chapters, tenths, the end, speed with the pitch kept, the next sound', async () => {
    await open('?from-start');
    await page.keyboard.press('k');
    await isPaused(true);
    const said = await textsFromNow(page);
    await page.keyboard.press('PageUp');
    await isAt(40, 40.2);
    await said(/^The Storm$/);
    await page.keyboard.press('5');
    await isAt(75, 75.1);
    await page.keyboard.press('Home');
    await isAt(0, 0.1);
    for (let press = 0; press < 8; press++) await page.keyboard.press('>');
    await expect.poll(rate).toBe(3);
    expect(await page.evaluate(() => document.querySelector('video')!.preservesPitch)).toBe(true);
    for (let press = 0; press < 12; press++) await page.keyboard.press('<');
    await expect.poll(rate).toBe(0.25);
    for (let press = 0; press < 3; press++) await page.keyboard.press('>');
    await expect.poll(rate).toBe(1);

    await page.keyboard.press('3');
    await isAt(45, 45.1);
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Sound' }).click();
    await expect
      .poll(() =>
        page.getByRole('menuitemradio').evaluateAll((all) => all.map((one) => one.getAttribute('aria-checked'))),
      )
      .toEqual(['false', 'true']);
    // Wherever the focus is, as in the moment before it has come to the menu: the key closes the menu and nothing else.
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest('[role=menu]') !== null)).toBe(true);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('Escape');
    await page.getByRole('menuitemradio').first().waitFor({ state: 'hidden' });
    await isAt(44.8, 47);
  });

  it('[PLAY92] repeats a part, shows its marks, and lets go', async () => {
    // Pressed while the other sound is still on its way: it begins where the movie is by then.
    await page.keyboard.press('k');
    await page.keyboard.press('2');
    await page.waitForFunction(() => document.querySelector('video')!.src.startsWith('blob:'));
    await isAt(29.9, 44);
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
    await expect
      .poll(async () => {
        await page.keyboard.press('ArrowDown');
        return focusedText();
      })
      .toMatch(/^Sleep timer/);
    await page.keyboard.press('ArrowRight');
    await page.getByRole('menuitemradio', { name: 'End of the chapter' }).waitFor();
    await screen('sleep timer');
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('menuitem', { name: /Sleep timer/ }).waitFor();
    await expect.poll(focusedText).toContain('Sleep timer');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Settings');
  });

  it('[PLAY90] a key right after one that opens something is not one of the movie any more', async () => {
    await open('?from-start');
    await page.keyboard.press('k');
    await isPaused(true);
    await pressTogether(page, ['?', ' ', 'Escape']);
    const keys = page.getByRole('dialog');
    await keys.waitFor();
    expect(new URL(page.url()).pathname).toContain('/play/');
    await isPaused(true);
    await page.keyboard.press('Escape');
    await keys.waitFor({ state: 'detached' });
    // Before a frame is drawn, so before anybody can press the next key.
    const roleWithin = await page.getByRole('button', { name: 'Settings' }).evaluate(async (button) => {
      (button as HTMLElement).focus();
      (button as HTMLElement).click();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      return document.activeElement?.role;
    });
    expect(roleWithin).toBe('menuitem');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe('Settings');
  });

  it('[PLAY90] a panel over the picture gives the focus back when it is closed', async () => {
    const facts = page.getByRole('button', { name: 'About this stream' });
    await facts.focus();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'About this stream' });
    await panel.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Enter');
    await panel.waitFor({ state: 'detached' });
    await expect.poll(focused).toContain('About this stream');
    await page.getByRole('button', { name: 'Chapters' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Mark the intro or the credits…' }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    const marks = page.getByRole('region', { name: 'Intro and credits' });
    await marks.getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Enter');
    await marks.waitFor({ state: 'detached' });
    await expect.poll(focused).toBe('Chapters');
    await page.keyboard.press('k');
    await isPaused(false);
  });

  it('[PLAY93] the sleep timer stops at the end of the chapter', async () => {
    await page.keyboard.press('0');
    await isPaused(false);
    await clickControl(page, page.getByRole('button', { name: 'Settings' }));
    await page.getByRole('menuitem', { name: /Sleep timer/ }).click();
    await page.getByRole('menuitemradio', { name: 'End of the chapter' }).click();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('PageUp');
    await isAt(40, 60);
    const offer = await sightOf(page, 'button', 'Keep watching');
    await page.evaluate(() => {
      document.querySelector('video')!.currentTime = 90;
    });
    await offer();
    await screen('good night');
    await isPaused(true);
    expect(await at()).toBeGreaterThan(99.5);
    expect(await at()).toBeLessThan(110);
    await expect.poll(() => page.evaluate(() => document.querySelector('video')!.volume)).toBe(1);
  });

  it('[PLAY99] says where it went on, and goes to the beginning on request', async () => {
    // The page before this one tells its own place when it goes.
    await sit({ viewport: { width: 1_280, height: 800 } });
    await evening.ada.call(progress.report, { movieId, positionMs: 100_000, durationMs: 150_000 });
    // The word stays until all was done with it.
    await stayWith(page, NOTE_MS);
    await open();
    await isAt(99.5, 149);
    await page.getByText('Resumed at 1:40').waitFor();
    await screen('resumed');
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'From the beginning' }).click();
    await isAt(0, 90);
  });

  it('[PLAY98] controls leave while it plays, come with a movement, and stay while it stands still', async () => {
    const asleep = await sightOf(page, '[data-awake=false]');
    await page.mouse.move(300, 300);
    await asleep();
    const awake = await sightOf(page, '[class*=screening][data-awake=true]');
    await page.mouse.move(320, 300);
    await awake();
    await page.keyboard.press('k');
    await isPaused(true);
    await screen('desk');
    await page.keyboard.press('i');
    await page.getByRole('complementary', { name: 'About this stream' }).waitFor();
    await screen('about');
    expect(await axeProblems(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });

  it('[PLAY98] a hand on the bar keeps it there, and Escape lets the movie be where it is', async () => {
    const bar = page.getByRole('slider', { name: 'Position' });
    const { x, y, width, height } = (await bar.boundingBox())!;
    const before = await at();
    await page.mouse.move(x + width * 0.6, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.7, y + height / 2, { steps: 4 });
    await page.locator('[data-dragging=true]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('[data-dragging=false]').waitFor();
    await page.mouse.up();
    expect(await at()).toBe(before);

    await page.keyboard.press('k');
    await isPaused(false);
    await page.mouse.down();
    const from = await at();
    await page.waitForFunction((start) => document.querySelector('video')!.currentTime > start + 5, from);
    expect(await page.locator('[class*=screening]').getAttribute('data-awake')).toBe('true');
    const asleep = await sightOf(page, '[data-awake=false]');
    await page.mouse.up();
    await asleep();
  });

  it('[PLAY90] a remote control: OK brings the buttons, arrows move between them, back leaves', async () => {
    await sit({
      viewport: { width: 1_920, height: 1_080 },
      userAgent: 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Chrome/108.0 TV Safari/537.36',
    });
    await page.goto(`${evening.engine.url}/movies/${movieId}`);
    await page
      .getByRole('link', { name: /From the beginning|Play/ })
      .first()
      .click();
    await isPaused(false);
    await isAt(0.2, 150);
    // Nothing of where it is comes from playing on.
    await page.keyboard.press('k');
    await isPaused(true);
    const before = await at();
    await page.keyboard.press('ArrowRight');
    await isAt(before + 4.5, before + 5.5);
    await page.keyboard.press('k');
    await isPaused(false);
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toMatch(/^Pause/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(focused).toMatch(/seconds back/);
    await page.keyboard.press('ArrowRight');
    await expect.poll(focused).toMatch(/seconds forward/);
    await page.keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('Position');
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toMatch(/Pause|seconds/);
    await screen('television');
    // Back puts the buttons away first: there is no other way to be rid of them.
    await page.keyboard.press('Escape');
    await page.locator('[class*=screening][data-awake=false]').waitFor();
    await expect.poll(focused).toBe('Movie');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { level: 1, name: 'The Tempest' }).waitFor();
  });

  it('[PLAY90] fingers: two taps jump, resting plays faster, up and down change volume and brightness', async () => {
    await sit({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await open('?from-start');
    const start = await at();
    const finger = await page.context().newCDPSession(page);
    let time = Date.now() / 1_000;
    // Each says when it was, and all are on their way before the first has arrived: what a finger means hangs on the time between.
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', x = 0, y = 0) => {
      time = Math.max(time + 0.04, Date.now() / 1_000);
      return finger.send('Input.dispatchTouchEvent', {
        ...{ type, timestamp: time, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] },
      });
    };
    const tap = (x: number, y: number) => [touch('touchStart', x, y), touch('touchEnd')];
    const swipe = (x: number) => [
      touch('touchStart', x, 300),
      ...Array.from({ length: 10 }, (_, step) => touch('touchMove', x, 320 + 20 * step)),
      touch('touchEnd'),
    ];
    const said = await textsFromNow(page);
    await Promise.all([...tap(340, 400), ...tap(340, 400), ...tap(340, 400)]);
    await said(/^\+20 s$/);
    await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 19, start);

    await touch('touchStart', 200, 400);
    await page.waitForFunction(() => document.querySelector('video')!.playbackRate === 2);
    await touch('touchEnd');
    await page.waitForFunction(() => document.querySelector('video')!.playbackRate === 1);

    // A machine that draws twice a second takes a finger for one that rests: it tries again.
    await expect
      .poll(async () => {
        await Promise.all(swipe(300));
        return page.evaluate(() => document.querySelector('video')!.volume);
      })
      .toBeLessThan(0.9);
    await expect
      .poll(async () => {
        await Promise.all(swipe(80));
        return page.evaluate(() => document.querySelector('video')!.style.filter);
      })
      .toMatch(/^brightness\(0\./);
    await page.evaluate(() => document.querySelector('video')!.pause());
    await isPaused(true);
    await screen('phone');
    // Nobody who works it with fingers is told of keys.
    expect(await page.getByRole('button', { name: /\([\w?]+\)$/ }).count()).toBe(0);
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const outside = () =>
      page
        .locator('[data-controls] button:visible')
        .evaluateAll(
          (buttons) =>
            buttons
              .map((button) => button.getBoundingClientRect())
              .filter(({ left, right }) => left < 0 || right > innerWidth + 0.5).length,
        );
    await expect.poll(outside).toBe(0);
  });

  it.each([
    [390, 844],
    [844, 390],
    [1_280, 800],
  ])(
    '[PLAY98] what is set of subtitles is seen: at %i × %i the panel stands beside the whole picture, or below it',
    async (width, height) => {
      await sit({ viewport: { width, height } });
      await open('?from-start');
      const box = (of: string) => page.locator(of).boundingBox();
      const isWhole = async (): Promise<boolean> => {
        const [video, panel] = [await box('video'), await box('[data-dock]')];
        if (video === null || panel === null) return false;
        const isBeside = video.x + video.width <= panel.x + 1;
        const isAbove = video.y + video.height <= panel.y + 1;
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
      // A remote control gets out of a slider and a list by up and down.
      await panel.getByLabel('Size', { exact: true }).press('ArrowDown');
      await expect.poll(focused).toBe('Colour');
      await page.keyboard.press('ArrowUp');
      await expect.poll(focused).toBe('Size');
      expect(await panel.getByLabel('Size', { exact: true }).inputValue()).toBe('150');
      await screen(`subtitles ${width}`);
      if (width === 844) expect(await axeProblems(page)).toEqual([]);
      await panel.getByLabel('Size', { exact: true }).fill('100');
      await page.keyboard.press('Escape');
      await panel.waitFor({ state: 'detached' });
      await expect.poll(async () => (await box('video'))?.width).toBe(width);
    },
  );

  it('[SCR4] a phone sends its movie to the television, steers it, and is told no', async () => {
    await sit({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    const phone = page;
    await open('?from-start');
    const television = await evening.newPage({
      viewport: { width: 1_920, height: 1_080 },
      userAgent: 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 Chrome/108.0 TV Safari/537.36',
    });
    await television.goto(evening.engine.url);
    await television.getByRole('heading').first().waitFor();

    // While it stands still the controls stay.
    await phone.keyboard.press('k');
    await isPaused(true);
    await phone.keyboard.press('5');
    await isAt(75, 75.5);
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
    await evening.picture('controlled', television);
    await bar.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await screen('remote bar');
    expect(await axeProblems(phone)).toEqual([]);
    await bar.getByRole('button', { name: '10 seconds forward' }).click();
    await television.waitForFunction(() => document.querySelector('video')!.currentTime > 84);

    // What is heard there is chosen here, and what is chosen there is seen here.
    const sounds = bar.getByRole('button', { name: 'Sound and subtitles' });
    const heard = (name: RegExp) => bar.getByRole('menuitemradio', { name, checked: true });
    // Whichever was chosen in this movie before.
    await sounds.click();
    await bar.getByRole('menuitemradio', { name: /^English/ }).click();
    await sounds.click();
    await heard(/^English/).waitFor();
    await bar.getByRole('menuitemradio', { name: /^French/ }).click();
    await sounds.click();
    await heard(/^French/).waitFor();
    await phone.keyboard.press('Escape');
    await television.getByRole('button', { name: 'Sound', exact: true }).click();
    await television.getByRole('menuitemradio', { name: /^English/ }).click();
    await sounds.click();
    await heard(/^English/).waitFor();
    await phone.keyboard.press('Escape');

    await television.getByRole('button', { name: 'Don’t allow' }).click();
    await bar.getByRole('button', { name: 'Play', exact: true }).click();
    await sawText(phone, /does not let itself be controlled/);
    expect(await television.evaluate(() => document.querySelector('video')!.paused)).toBe(true);
    await television.context().close();
    await bar.waitFor({ state: 'detached' });
  });

  it('[PLAY94] Escape declines the next movie, and leaves only after that', async () => {
    const { ada } = evening;
    const movieIds = [movieId, (await ada.movie('Sumurun')).id];
    const { collection } = await ada.call(collections.create, { name: 'A long evening', movieIds });
    await sit({ viewport: { width: 1_280, height: 800 } });
    await open('?from-start');
    // Pressed by the page itself: ten seconds may be short for a machine that has other things to do.
    const pressed = page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const look = new MutationObserver(() => {
            if (document.querySelector('section[aria-label="Next"]') === null) return;
            look.disconnect();
            const key = { key: 'Escape', bubbles: true, cancelable: true };
            document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', key));
            resolve();
          });
          look.observe(document, { subtree: true, childList: true });
        }),
    );
    await page.keyboard.press('End');
    await pressed;
    await page.getByRole('region', { name: 'Next' }).waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.querySelector('video')?.ended === true);
    expect(new URL(page.url()).pathname).toBe(`/play/${movieId}`);
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => !url.pathname.startsWith('/play/'));
    await ada.call(collections.remove, { collectionId: collection.id });
  });

  it('no page threw anything', () => {
    expect(evening.troubles).toEqual([]);
  });
});
