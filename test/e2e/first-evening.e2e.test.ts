/**
 * The first evening with Matinee, as a person has it: an empty server, its setup code, a folder, the first movies, one played in each
 * way there is, and going on with it elsewhere. A real engine, a real database, a real browser.
 */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { axeProblems, clickControl } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip, textFile } from '#test/support/media.ts';

const NAME = 'Ada';
const PASSWORD = 'a long afternoon';

const picture = (seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=24:d=${seconds}`];
const sound = (hertz: number, seconds: number) => ['-f', 'lavfi', '-i', `sine=${hertz}:r=48000:d=${seconds}`];
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '48', '-pix_fmt', 'yuv420p'];

/** One movie for each way of playing, by the name that a person would give it. */
const MOVIES = {
  direct: { file: 'Direct Hour (1999).mp4', title: 'Direct Hour', method: 'Direct play' },
  remux: { file: 'Wrapped Parcel (2004).ts', title: 'Wrapped Parcel', method: 'Repackaged' },
  transcode: { file: 'Foreign Tongue (2011).avi', title: 'Foreign Tongue', method: 'Converted' },
  voices: { file: 'Two Voices (2015).mkv', title: 'Two Voices', method: 'Repackaged' },
} as const;

async function makeMovies(folder: string): Promise<void> {
  const subtitles = await textFile(
    'voices.srt',
    '1\n00:00:00,500 --> 00:00:23,000\nGood <i>evening</i> <b onclick="x">& welcome</b>\n',
  );
  const clips = {
    direct: clip({
      name: 'direct.mp4',
      args: [...picture(24), ...sound(440, 24), ...h264, '-c:a', 'aac', '-movflags', '+faststart'],
    }),
    remux: clip({
      name: 'remux.ts',
      args: [...picture(24), ...sound(440, 24), ...h264, '-c:a', 'aac', '-f', 'mpegts'],
    }),
    transcode: clip({
      name: 'transcode.avi',
      args: [...picture(24), ...sound(440, 24), '-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3'],
    }),
    voices: clip({
      name: 'voices.mkv',
      args: [
        ...picture(24),
        ...sound(440, 24),
        ...sound(880, 24),
        ...['-i', subtitles, '-map', '0', '-map', '1', '-map', '2', '-map', '3', ...h264, '-c:a', 'ac3', '-c:s', 'srt'],
        ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fra', '-metadata:s:s:0', 'language=eng'],
      ],
    }),
  };
  await mkdir(folder, { recursive: true });
  for (const [name, made] of Object.entries(clips)) {
    await cp(await made, join(folder, MOVIES[name as keyof typeof MOVIES].file));
  }
}

/** Waits until the picture has moved on by a second from where it is. */
async function watchOneSecond(page: Page): Promise<number> {
  await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
  const start = await page.evaluate(() => document.querySelector('video')!.currentTime);
  await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 1, start);
  return page.evaluate(() => document.querySelector('video')!.currentTime);
}

describe('the first evening', () => {
  const evening = openEvening({
    name: 'evening',
    prepare: ({ base }) => makeMovies(join(base, 'My Movies')),
    isNew: true,
    screen: { viewport: { width: 1_280, height: 800 } },
    // Not being signed in and a wrong code are answers, which Chromium writes down as errors all the same.
    answers: /status of 40[13]/,
  });
  let page: Page;
  const { troubles } = evening;
  beforeAll(() => {
    ({ page } = evening);
  });

  async function openMovie(title: string): Promise<void> {
    await page.goto(`${evening.engine.url}/movies`);
    await page.getByRole('link', { name: title }).click();
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
  }
  async function pause(): Promise<number> {
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('video')!.paused);
    return page.evaluate(() => document.querySelector('video')!.currentTime);
  }
  const isAt = (seconds: number) =>
    page.waitForFunction((to) => Math.abs(document.querySelector('video')!.currentTime - to) < 0.3, seconds);

  it('a new server asks for its setup code, then for a folder, and shows the movies as they are found', async () => {
    await page.goto(evening.engine.url);
    await page.getByRole('heading', { name: 'Open your cinema' }).waitFor();
    expect(await axeProblems(page)).toEqual([]);

    await page.getByLabel('Setup code').fill('0000-0000');
    await page.getByLabel('Your name').fill(NAME);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the admin' }).click();
    await page.getByText('That is not the code the server printed').waitFor();
    await page.getByLabel('Setup code').fill(evening.engine.setupCode!.toLowerCase());
    await page.getByRole('button', { name: 'Create the admin' }).click();

    await page.getByRole('heading', { name: 'Where are your movies?' }).waitFor();
    const path = page.getByLabel('Folder on the server');
    await path.fill(join(evening.base, 'No Such Folder'));
    await page.getByText('does not exist on the server').waitFor();
    await path.fill(join(evening.base, 'My Movies'));
    await page.getByText('4 video files').waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Use this folder' }).click();

    await page.getByRole('heading', { name: 'Take a seat' }).waitFor();
    for (const { title } of Object.values(MOVIES)) await page.getByText(title, { exact: true }).first().waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('link', { name: /^Play “/ }).click();
    await watchOneSecond(page);
  });

  it.each(['direct', 'remux', 'transcode', 'voices'] as const)('plays the %s movie, and says how', async (kind) => {
    const { title, method } = MOVIES[kind];
    await openMovie(title);
    await page.getByRole('link', { name: /^(Play|Resume)/ }).click();
    await watchOneSecond(page);
    await page.keyboard.press('i');
    await page.getByRole('heading', { level: 2, name: method }).waitFor();
    // To the middle: what is there must come, whatever was made before.
    await page.keyboard.press('5');
    await page.waitForFunction(() => document.querySelector('video')!.currentTime > 11.5);
    const seconds = await watchOneSecond(page);
    expect(seconds).toBeGreaterThan(12);
    const { dropped, width } = await page.evaluate(() => {
      const video = document.querySelector('video')!;
      return { dropped: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth };
    });
    expect(width).toBeGreaterThan(300);
    expect(dropped).toBeGreaterThan(10);
    expect(await axeProblems(page)).toEqual([]);
  });

  it('changes to the other audio track at the same position', async () => {
    await openMovie(MOVIES.voices.title);
    await page.getByRole('link', { name: /^(Play|Resume)/ }).click();
    await watchOneSecond(page);
    await page.keyboard.press('3');
    await watchOneSecond(page);
    const before = await pause();
    await clickControl(page, page.getByRole('button', { name: 'Sound', exact: true }));
    await page.getByRole('menuitemradio', { name: /^French/ }).click();
    await page.keyboard.press('k');
    const after = await watchOneSecond(page);
    expect(after).toBeGreaterThan(before);
    expect(after).toBeLessThan(before + 10);
  });

  it('shows subtitles for sound that is foreign, and remembers when they are not wanted', async () => {
    // French was chosen in this movie before, and the browser speaks English.
    await openMovie(MOVIES.voices.title);
    await page.getByRole('link', { name: 'From the beginning' }).click();
    const line = page.getByText('Good evening & welcome');
    await line.waitFor();
    // The line does not last as long as a slow machine may take for all this.
    await pause();
    expect(await line.locator('i').innerText()).toBe('evening');
    expect(await line.locator('[onclick]').count()).toBe(0);
    await page.keyboard.press('c');
    await line.waitFor({ state: 'detached' });
    await page.reload();
    await watchOneSecond(page);
    await pause();
    expect(await line.count()).toBe(0);
    await page.keyboard.press('c');
    await line.waitFor();
  });

  it('an address that is used up is replaced unseen, at the same position', async () => {
    await openMovie(MOVIES.transcode.title);
    let refused = 0;
    let first: string | undefined;
    await page.route('**/media/**', async (route) => {
      const grant = /\/media\/([^/]+)\//.exec(route.request().url())?.[1];
      first ??= grant;
      // The first address only; whatever is opened after it works.
      if (grant !== first) return route.continue();
      refused += 1;
      await route.fulfill({ status: 410, contentType: 'application/problem+json', body: '{"code":"gone"}' });
    });
    await page.getByRole('link', { name: /^(Play|Resume)/ }).click();
    await watchOneSecond(page);
    expect(refused).toBeGreaterThan(0);
    await page.unroute('**/media/**');
    troubles.splice(0, troubles.length, ...troubles.filter((text) => !/status of 410/.test(text)));
  });

  it('a file that does not play as it is is sent another way, where it was', async () => {
    await openMovie(MOVIES.direct.title);
    await page.route('**/media/*/file', (route) =>
      route.fulfill({ status: 200, contentType: 'video/mp4', body: 'no movie' }),
    );
    await page.getByRole('link', { name: /^(Play|Resume)/ }).click();
    await watchOneSecond(page);
    await page.keyboard.press('i');
    await page.getByRole('heading', { level: 2, name: 'Repackaged' }).waitFor();
    await page.getByText('Playing it a simpler way was tried on this device and failed.').waitFor();
    await page.unroute('**/media/*/file');
  });

  it('is worked by keys alone: pause, jump, speed, captions, help, and the way back', async () => {
    await openMovie(MOVIES.direct.title);
    await page.getByRole('link', { name: /^(Play|Resume)/ }).focus();
    await page.keyboard.press('Enter');
    await watchOneSecond(page);
    const video = (what: 'playbackRate' | 'muted') =>
      page.evaluate((name) => document.querySelector('video')![name], what);

    await pause();
    await page.keyboard.press('2');
    await isAt(4.8);
    await page.keyboard.press('l');
    await isAt(14.8);
    await page.keyboard.press('ArrowLeft');
    await isAt(9.8);
    await page.keyboard.press('>');
    await expect.poll(() => video('playbackRate')).toBe(1.25);
    await page.keyboard.press('m');
    await expect.poll(() => video('muted')).toBe(true);
    await page.keyboard.press('m');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { level: 1, name: MOVIES.direct.title }).waitFor();
    await page.getByText(/left$/).waitFor();
  });

  it('goes on where it was left on another screen', async () => {
    await openMovie(MOVIES.direct.title);
    await page.getByRole('link', { name: /^(Play|Resume)/ }).click();
    await watchOneSecond(page);
    await page.keyboard.press('4');
    await watchOneSecond(page);
    const left = await pause();

    const tablet = await evening.newPage({ viewport: { width: 1_280, height: 800 } });
    await tablet.goto(evening.engine.url);
    await tablet.getByLabel('Name').fill(NAME.toUpperCase());
    await tablet.getByLabel('Password', { exact: true }).fill('wrong');
    await tablet.getByRole('button', { name: 'Sign in' }).click();
    await tablet.getByText('don’t belong together').waitFor();
    await tablet.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await tablet.getByRole('button', { name: 'Sign in' }).click();
    await tablet.getByRole('heading', { level: 1, name: MOVIES.direct.title }).waitFor();
    expect(await axeProblems(tablet)).toEqual([]);
    await tablet.getByRole('link', { name: /^Resume at/ }).click();
    const resumed = await watchOneSecond(tablet);
    expect(resumed).toBeGreaterThan(left - 2);
    expect(resumed).toBeLessThan(left + 10);
    await tablet.context().close();
  });

  it('shows a lost server, and heals by itself when it is back', async () => {
    await page.goto(evening.engine.url);
    await page.getByRole('heading', { level: 2, name: 'Recently added' }).waitFor();
    await evening.engine.kill();
    await page.getByText('The server can’t be reached.').waitFor();
    await evening.startAgain();
    await page.getByText('The server can’t be reached.').waitFor({ state: 'detached' });
    // The same page, without a reload, works on.
    await page.getByRole('link', { name: 'Movies', exact: true }).click();
    await page.getByRole('link', { name: MOVIES.remux.title }).waitFor();
    // What was on its way when the server went, and what it answered while it started.
    const lost = /net::ERR_(CONNECTION|EMPTY|SOCKET|CONTENT_LENGTH|INCOMPLETE|NETWORK)|WebSocket|status of 503/;
    troubles.splice(0, troubles.length, ...troubles.filter((text) => !lost.test(text)));
  });

  it('every settings page opens and is clean', async () => {
    for (const [section, heading] of [
      ['libraries', 'Libraries'],
      ['activity', 'Activity'],
      ['people', 'People'],
      ['account', 'Where you are signed in'],
      ['server', 'Health'],
    ] as const) {
      await page.goto(`${evening.engine.url}/settings/${section}`);
      await page.getByRole('heading', { level: 2, name: heading }).waitFor();
      expect(await axeProblems(page), section).toEqual([]);
    }
  });

  it('from a sofa, settings are reached, changed and passed by arrows and Enter alone', async () => {
    await page.goto(`${evening.engine.url}/settings/playback`);
    const wanted = page.getByLabel('Show subtitles');
    await wanted.waitFor();
    expect(await page.title()).toBe('Playback · Settings · Matinee');
    const place = () =>
      page.evaluate(() => {
        const { activeElement } = document;
        if (activeElement?.closest('main') == null || activeElement.localName === 'main') return 'nowhere';
        return activeElement.closest('main nav') === null ? 'settings' : 'sections';
      });
    const isFocused = () => wanted.evaluate((select) => select === document.activeElement);
    const values = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('select, input')].map((field) =>
          field instanceof HTMLInputElement ? String(field.checked) : (field as HTMLSelectElement).value,
        ),
      );
    const before = await values();
    // The keys come with a part of their own, a moment after the first screen.
    await expect
      .poll(async () => {
        await page.keyboard.press('ArrowDown');
        return place();
      })
      .toBe('sections');
    await page.keyboard.press('ArrowRight');
    await expect.poll(place).toBe('settings');
    const isBox = () => page.evaluate(() => document.activeElement!.matches('input[type=checkbox]'));
    for (let step = 0; step < 12 && !(await isBox()); step++) await page.keyboard.press('ArrowDown');
    const box = page.locator('input[type=checkbox]:focus');
    for (const isOn of [true, false]) {
      await page.keyboard.press('Enter');
      await expect.poll(() => box.isChecked()).toBe(isOn);
    }
    for (let step = 0; step < 12 && !(await isFocused()); step++) await page.keyboard.press('ArrowDown');
    expect(await isFocused()).toBe(true);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    expect(await isFocused()).toBe(true);
    // What is passed stays as it was.
    expect(await values()).toEqual(before);

    const isOpen = () => wanted.evaluate((select) => select.matches(':open'));
    const chosen = await wanted.inputValue();
    await page.keyboard.press('Enter');
    await expect.poll(isOpen).toBe(true);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(isOpen).toBe(false);
    await expect.poll(() => wanted.inputValue()).not.toBe(chosen);
    await page.keyboard.press('ArrowUp');
    expect(await isFocused()).toBe(false);
  });

  it('signs out another place, then here, and is back at the door', async () => {
    await page.goto(`${evening.engine.url}/settings/account`);
    const elsewhere = page.getByRole('listitem').filter({ hasNotText: 'Here' }).filter({ hasText: 'Chrome on Linux' });
    await elsewhere.getByRole('button', { name: 'Sign out' }).click();
    await elsewhere.waitFor({ state: 'detached' });
    const here = page.getByRole('listitem').filter({ hasText: 'Here' });
    await here.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await page.context().close();
  });

  it('nothing of all that made the browser complain', () => {
    expect(troubles).toEqual([]);
  });
});
