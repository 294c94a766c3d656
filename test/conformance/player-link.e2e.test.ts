/** A link for another player, as a person gets it: from the menu of the movie's page. */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACTION_MS, openBrowser } from '#test/support/browser.ts';
import { clips } from '#test/support/media.ts';
import { OPENING_MS, Theatre } from './theatre.ts';

let theatre: Theatre;
let browser: Browser;
beforeAll(async () => {
  [theatre, browser] = await Promise.all([Theatre.open({ mkv: clips.h264Mkv }), openBrowser()]);
}, OPENING_MS);
afterAll(async () => {
  await browser?.close();
  await theatre?.[Symbol.asyncDispose]();
});

it('[PLAY86] the menu of a movie gives a link that works elsewhere, and a playlist to keep', async () => {
  const context = await browser.newContext();
  const url = theatre.engine.url;
  await context.addCookies([{ name: 'matinee_session', value: theatre.person.token, url }]);
  const page = await context.newPage();
  page.setDefaultTimeout(ACTION_MS);
  await page.goto(`${url}/movies/${theatre.movieId('mkv')}`);
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Open in another player' }).click();
  const dialog = page.getByRole('dialog', { name: 'Open in another player' });
  const line = dialog.getByLabel('Link', { exact: true });
  await expect.poll(() => line.inputValue()).toMatch(/\/media\/[^/]+\/file$/);
  const response = await fetch(await line.inputValue());
  expect(Buffer.from(await response.arrayBuffer()).equals(await readFile(await clips.h264Mkv()))).toBe(true);

  await dialog.getByLabel('What it plays').selectOption('stream');
  await expect.poll(() => line.inputValue()).toMatch(/\/index\.m3u8$/);
  const saved = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save as a playlist file' }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe('Anchor Bramble (1950).m3u');
  const text = await readFile(await download.path(), 'utf8');
  expect(text).toMatch(
    /^#EXTM3U\n#EXTINF:8,Anchor Bramble \(1950\)\nhttp:\/\/127\.0\.0\.1:\d+\/media\/[^/]+\/index\.m3u8\n$/,
  );
  await context.close();
});
