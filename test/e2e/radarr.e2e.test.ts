/**
 * Radarr as the person who runs the server meets it: set up in the browser, its messages appearing as they come, and a movie that is
 * replaced by a better file while somebody watches. A real engine, a real browser, and a server that answers as Radarr does.
 */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { radarr } from '#protocol/index.ts';
import { axeProblems, sightOf, textsFromNow } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip } from '#test/support/media.ts';
import { hasOpen, mediaHosts } from '#test/support/processes.ts';
import { messageFile, radarrMessages } from '#test/support/radarr-messages.ts';
import { RadarrStandIn, STAND_IN_KEY } from '#test/support/radarr-stand-in.ts';

const OLD_FILE = 'Heat (1995) SD.ts';
const NEW_FILE = 'Heat (1995) HD.ts';

/** Long enough that a player does not load all of it; small and quick to make. */
const longMovie = (name: string, size: string) =>
  clip({
    name,
    args: [
      ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=5:d=240`, '-f', 'lavfi', '-i', 'sine=440:r=48000:d=240'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-f', 'mpegts'],
    ],
  });

describe('Radarr in the browser', () => {
  let standIn: RadarrStandIn;
  const evening = openEvening({
    name: 'radarr',
    prepare: async (own) => {
      await mkdir(join(own.films, 'Heat (1995)'), { recursive: true });
      await Promise.all([
        longMovie('long-sd.ts', '160x90').then((source) => cp(source, join(own.films, 'Heat (1995)', OLD_FILE))),
        longMovie('long-hd.ts', '320x180'),
      ]);
      standIn = own.keep(await RadarrStandIn.start());
      standIn.put({
        id: 12,
        tmdbId: 949,
        title: 'Heat',
        year: 1995,
        path: '/movies/Heat (1995)',
        file: { id: 31, relativePath: OLD_FILE },
      });
      return { flags: ['--watch', 'off'] };
    },
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 800 } },
    // A file that is not there any more is an answer, which Chromium writes down as an error all the same.
    answers: /status of 410/,
  });
  let page: Page;
  let secret = '';
  beforeAll(() => {
    ({ page } = evening);
  });

  async function send(message: unknown): Promise<number> {
    const response = await fetch(`${evening.engine.url}/api/v1/webhooks/radarr`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': secret },
      body: JSON.stringify(message),
    });
    await response.arrayBuffer();
    return response.status;
  }

  const currentTime = (): Promise<number> => page.evaluate(() => document.querySelector('video')!.currentTime);

  async function watchOn(): Promise<void> {
    await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= 2);
    const start = await currentTime();
    await page.waitForFunction((from) => document.querySelector('video')!.currentTime > from + 1, start);
  }

  async function jumpTo(seconds: number): Promise<void> {
    await page.evaluate((to) => {
      document.querySelector('video')!.currentTime = to;
    }, seconds);
  }

  /** The server holds nothing of this file any more. */
  async function letGo(path: string): Promise<void> {
    for (const host of mediaHosts(evening.engine.pid, 'rendition.host.ts')) {
      if (hasOpen(host, path) || hasOpen(host, `${path} (deleted)`)) process.kill(host.pid, 'SIGKILL');
    }
  }

  it('is set up: a wrong key is explained, the folder is mapped with one click', async () => {
    await page.goto(`${evening.engine.url}/settings/radarr`);
    await page.getByText('nothing in Radarr is ever changed').waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.getByLabel('Address').fill(standIn.url);
    await page.getByLabel('API key', { exact: true }).fill('a-wrong-key');
    await page.getByRole('button', { name: 'Save and test' }).click();
    await page.getByText('Radarr refuses the API key').first().waitFor();
    await page.getByLabel('API key', { exact: true }).fill(STAND_IN_KEY);
    await page.getByRole('button', { name: 'Save and test' }).click();

    await page.getByText('/movies does not exist on the server').waitFor();
    await page.getByRole('button', { name: 'Use that' }).click();
    await page.getByText('It can be read here, in Films.').waitFor();
    await page.getByText('1 of 1 file found here').waitFor();
    await page.getByText('HD-1080p (upgrades)').waitFor();
    expect(await axeProblems(page)).toEqual([]);
    expect(await page.content()).not.toContain(STAND_IN_KEY);
  });

  it('is told where to send its messages, and they appear as they come', async () => {
    await page.getByRole('button', { name: 'Make them' }).click();
    await expect.poll(() => page.getByLabel('URL').inputValue()).toBe(`${evening.engine.url}/api/v1/webhooks/radarr`);
    secret = await page.getByLabel('Password', { exact: true }).inputValue();
    await page.getByText('None has come yet').waitFor();
    const copied = await sightOf(page, 'button', 'Copied');
    await page.getByRole('button', { name: 'Copy' }).first().click();
    await copied();
    expect(await send(radarrMessages.Test)).toBe(202);
    await page.getByText('It arrived: Radarr reaches this server.').waitFor();
    expect(
      await send({
        ...radarrMessages.Rename,
        movie: { ...radarrMessages.Rename.movie, folderPath: 'E:\\Films\\Heat' },
      }),
    ).toBe(202);
    await page.getByText('a mapping is missing').waitFor();
    expect(await axeProblems(page)).toEqual([]);
    // The secret is told once.
    await page.reload();
    await page.getByText('if it is lost, make a new one').waitFor();
    expect(await page.content()).not.toContain(secret);
  });

  it('fits a phone, and is worked by keyboard', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('heading', { name: 'Latest messages' }).waitFor();
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth))
      .toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Sync now' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(/looked at (just now|a moment ago|.* ago)/).waitFor();
    await page.getByRole('button', { name: 'Take no messages' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Take no messages from Radarr?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 1_280, height: 800 });
  });

  it('[PLAY23] who watches goes on when the file is replaced, first with the old one, then with the new', async () => {
    const movie = await evening.ada.movie('Heat');
    const { films } = evening;
    const oldPath = join(films, 'Heat (1995)', OLD_FILE);
    const newPath = join(films, 'Heat (1995)', NEW_FILE);
    await page.goto(`${evening.engine.url}/play/${movie.id}`);
    await watchOn();
    // Radarr removes the old file, tells of it, and then takes its time.
    await rm(oldPath);
    standIn.put({ id: 12, tmdbId: 949, title: 'Heat', year: 1995, path: '/movies/Heat (1995)', file: null });
    await send({ ...radarrMessages.MovieFileDelete, movieFile: messageFile(OLD_FILE, 31) });
    await expect
      .poll(async () => (await evening.ada.call(radarr.events, { limit: 1 })).events[0])
      .toMatchObject({ kind: 'MovieFileDelete', outcome: 'lookedAt' });
    await expect.poll(async () => (await evening.ada.movies()).length).toBe(0);
    // Far from what is loaded: made of the file that is gone.
    await jumpTo(110);
    await watchOn();
    expect(await page.evaluate(() => document.querySelector('video')!.videoWidth)).toBe(160);

    await letGo(oldPath);
    // By its key, which the player hears also when it has noticed already that the file is gone.
    const awaited = await textsFromNow(page);
    await page.keyboard.press('8');
    await awaited(/It goes on here as soon as it is there/);
    await cp(await longMovie('long-hd.ts', '320x180'), newPath);
    standIn.put({
      id: 12,
      tmdbId: 949,
      title: 'Heat',
      year: 1995,
      path: '/movies/Heat (1995)',
      file: { id: 58, relativePath: NEW_FILE },
    });
    const replaced = await textsFromNow(page);
    await send({
      ...radarrMessages.Download,
      isUpgrade: true,
      movieFile: messageFile(NEW_FILE, 58),
      deletedFiles: [messageFile(OLD_FILE, 31)],
    });
    await replaced(/The movie has a new file/);
    await page.waitForFunction(() => document.querySelector('video')!.videoWidth === 320);
    await watchOn();
    expect(await currentTime()).toBeGreaterThan(185);
    expect((await evening.ada.movie('Heat')).id).toBe(movie.id);
  });

  it('nothing went wrong on the way that the page noticed', () => {
    expect(evening.troubles).toEqual([]);
  });
});
