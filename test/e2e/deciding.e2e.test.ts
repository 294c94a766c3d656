/** What a person prefers, and what a device learns, under their hands. A real engine, a real browser. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { preferencesFeed } from '#protocol/feeds.ts';
import { playback, preferences } from '#protocol/index.ts';
import { axeProblems, clickControl } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip, h264, picture, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';

/** 40 s, heard in English and French. */
const twoSounds = (): Promise<string> =>
  clip({
    name: 'deciding-two-sounds.mp4',
    args: [
      ...[...picture(40, '640x360'), ...tone(40, 300), ...tone(40, 500), '-map', '0:v', '-map', '1:a', '-map', '2:a'],
      ...[...h264(48), '-crf', '38', '-c:a', 'aac', '-b:a', '48k'],
      ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fre', '-movflags', '+faststart'],
    ],
  });

describe('deciding', () => {
  const evening = openEvening({
    name: 'deciding',
    prepare: async ({ films }) => putMovie(join(films, 'Two Voices (1979).mp4'), await twoSounds()),
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 900 } },
  });
  let page: Page;
  let movieId: string;
  beforeAll(async () => {
    ({ page } = evening);
    movieId = (await evening.ada.movie('Two Voices')).id;
  });

  const playing = () => page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
  const screen = (name: string) => evening.picture(name, page, { fullPage: true });
  async function play(): Promise<void> {
    await page.goto(`${evening.engine.url}/play/${movieId}?from-start`);
    await playing();
  }
  /** The info panel says so. */
  async function tells(text: RegExp): Promise<void> {
    await page.keyboard.press('i');
    const panel = page.getByRole('complementary', { name: 'About this stream' });
    await panel.waitFor();
    await expect.poll(() => panel.innerText()).toMatch(text);
    await page.keyboard.press('i');
    await panel.waitFor({ state: 'detached' });
  }

  it('[PLAY41] languages are those of the browser, until a person says; then on all screens at once', async () => {
    await page.goto(`${evening.engine.url}/settings/playback`);
    await page.getByText('These are the languages of this browser').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'British English' }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.getByLabel('Add').selectOption('fr');
    await page.getByRole('button', { name: /^French before/ }).click();
    await page.getByText('The best first.').waitFor();
    using seen = evening.ada.follow(preferencesFeed);
    await seen.until(() => seen.snapshots.length > 0, 'what is preferred');
    await page.getByLabel('Show subtitles').selectOption('always');
    await seen.until(
      () => seen.entries.some((entry) => entry.kind === 'preferences' && entry.preferences.subtitleMode === 'always'),
      'the change',
    );
    await screen('settings');
    const { preferences: stored } = await evening.ada.call(preferences.change, {});
    expect(stored).toMatchObject({ spokenLanguages: ['fr', 'en-GB'], subtitleMode: 'always' });
    // Another screen of theirs changes something: it is on this one.
    await evening.ada.call(preferences.change, { playsNext: false });
    await expect.poll(() => page.getByRole('switch', { name: /Play the next movie/ }).isChecked()).toBe(false);
  });

  it('[PLAY41] [PLAY43] sound follows the person, and their choice in the movie', async () => {
    await play();
    await tells(/Not the first audio track plays/);
    await clickControl(page, page.getByRole('button', { name: 'Sound' }));
    await page.getByRole('menuitemradio', { name: /^English/ }).click();
    // Known to the server before this page goes.
    await expect
      .poll(async () => {
        const { audioTracks } = await evening.ada.request(playback.open, { movieId });
        return audioTracks.find(({ isSelected }) => isSelected)?.language;
      })
      .toMatch(/^en/);
    await play();
    await tells(/Direct play/i);
  });

  it('[PLAY100] the last picture stays on the screen until another source has one', async () => {
    await play();
    // Looked at in every frame of the page: is there a picture, of the element or the one that is held?
    await page.evaluate(() => {
      const seen = { sources: 0, held: 0, black: 0 };
      Object.assign(globalThis, { seen });
      const video = document.querySelector('video')!;
      // While it seeks within what it has, an element keeps showing its last picture; one that was emptied has none.
      let isEmpty = false;
      video.addEventListener('emptied', () => {
        seen.sources += 1;
        isEmpty = true;
      });
      video.addEventListener('loadeddata', () => (isEmpty = false));
      const look = (): void => {
        const isHeld = document.querySelector('[data-held-picture]') !== null;
        if (isHeld) seen.held += 1;
        else if (isEmpty && video.readyState < 2) seen.black += 1;
        requestAnimationFrame(look);
      };
      look();
    });
    // Another source, which has both; then another sound of the same.
    for (const language of ['French', 'English']) {
      // By keys: the controls stay while one of them has the focus.
      await page.getByRole('button', { name: 'Sound' }).press('Enter');
      await page.getByRole('menuitemradio', { name: new RegExp(`^${language}`) }).press('Enter');
      await page.waitForFunction(() => {
        const { seen } = globalThis as unknown as { seen: { sources: number } };
        const video = document.querySelector('video')!;
        const isShown = video.readyState > 2 && !video.seeking;
        return seen.sources > 0 && isShown && document.querySelector('[data-held-picture]') === null;
      });
    }
    const seen = await page.evaluate(
      () => (globalThis as unknown as { seen: { sources: number; held: number; black: number } }).seen,
    );
    expect(seen.held).toBeGreaterThan(0);
    expect(seen.black).toBe(0);
  });

  it('[PLAY44] what does not play goes on another way at the same place, and is remembered', async () => {
    // The bytes of the file are none that anybody could play.
    await page
      .context()
      .route(/\/media\/[^/]+\/file$/, (route) =>
        route.fulfill({ status: 200, contentType: 'video/mp4', body: 'no movie at all' }),
      );
    await page.goto(`${evening.engine.url}/play/${movieId}`);
    await playing();
    await tells(/Playing it a simpler way was tried on this device and failed\./);
    await page.context().unroute(/\/media\/[^/]+\/file$/);
    await play();
    await tells(/Playing it a simpler way was tried on this device and failed\./);
  });

  it('[PLAY45] is listed with the device, and tried again when it is forgotten', async () => {
    await page.goto(`${evening.engine.url}/settings/playback`);
    const lesson = page.getByRole('listitem').filter({ hasText: 'failed on Chrome on Linux' });
    await lesson.getByText('Here').waitFor();
    await screen('lessons');
    expect(await axeProblems(page)).toEqual([]);
    await lesson.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('So far nothing has.').waitFor();
    await play();
    await tells(/Direct play/i);
    expect(evening.troubles).toEqual([]);
  });
});
