/** Finding things as a person does: a key, a few letters, arrows, Enter. A real engine, a real database, a real browser. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { axeProblems, openBrowser } from '#test/support/browser.ts';
import { writeMovie } from '#test/support/movie-writer.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** Ignored by git. */
const pictures = join(import.meta.dirname, '../.media');

describe('search', () => {
  let base: string;
  let database: TestDatabase;
  let engine: RunningEngine;
  let ada: Person;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const troubles: string[] = [];
  const field = () => page.getByRole('combobox', { name: 'Search movies, people and collections' });
  const options = () => page.getByRole('option');
  const shot = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`) });

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'matinee search '));
    database = await createTestDatabase();
    const { sql } = database;
    await writeMovie(sql, {
      title: 'Alien',
      year: 1979,
      votes: 13_000,
      cast: ['Sigourney Weaver'],
      genres: ['Horror'],
      series: 'Alien Collection',
    });
    await writeMovie(sql, {
      title: 'Aliens',
      year: 1986,
      votes: 9_000,
      cast: ['Sigourney Weaver'],
      genres: ['Action'],
      series: 'Alien Collection',
    });
    await writeMovie(sql, { title: 'Alien Secret', votes: 90_000, isHidden: true, cast: ['Hidden Actor'] });
    await writeMovie(sql, {
      title: 'The Matrix',
      year: 1999,
      votes: 24_000,
      cast: ['Keanu Reeves'],
      genres: ['Action'],
    });
    await writeMovie(sql, { title: 'Spirited Away', originalTitle: '千と千尋の神隠し', year: 2001, votes: 16_000 });
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      environment: { ...adminEnvironment, DATABASE_URL: database.url },
    });
    ada = await Person.signIn(engine.url);
    browser = await openBrowser();
    context = await browser.newContext({
      viewport: { width: 1_280, height: 800 },
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    await context.addCookies([
      { name: 'matinee_session', value: ada.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => troubles.push(`page error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text());
    });
    await page.goto(engine.url);
    await page.getByRole('button', { name: 'Search' }).waitFor();
  }, 180_000);

  // What was on the screen says more than the call that timed out.
  beforeEach(({ task }) => {
    onTestFailed(async () => {
      await shot(`failed ${task.name.slice(0, 60)}`).catch(() => undefined);
      console.log(`The engine:\n${engine.output().slice(-2_000)}`);
    });
  });

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
    await database?.drop();
    await rm(base, { recursive: true, force: true });
  }, 60_000);

  it('a slash, a few letters with a typo in them, an arrow and Enter: the movie', async () => {
    await page.keyboard.press('/');
    await field().waitFor();
    expect(await field().evaluate((input) => document.activeElement === input)).toBe(true);
    await page.keyboard.type('matirx');
    await options().filter({ hasText: 'The Matrix' }).waitFor();
    await page.getByRole('status').filter({ hasText: '1 suggestion' }).waitFor({ state: 'attached' });
    await shot('search suggestions');
    await page.keyboard.press('ArrowDown');
    const active = await field().getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${active}"]`).getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'The Matrix' }).waitFor();
    expect(page.url()).toContain('/movies/');
    expect(await page.locator('dialog[open]').count()).toBe(0);
  });

  it('Ctrl-K, people and series among the suggestions, nothing that was put away, and Escape twice', async () => {
    await page.keyboard.press('Control+k');
    await field().fill('sigour');
    await options().filter({ hasText: 'Sigourney Weaver' }).filter({ hasText: 'Person' }).waitFor();
    await field().fill('alien');
    await options().filter({ hasText: 'Alien Collection' }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
    expect(await options().filter({ hasText: 'Alien Secret' }).count()).toBe(0);
    expect(await options().first().textContent()).toContain('Alien');
    await field().fill('hidden actor');
    await page.getByText('Nothing here resembles').waitFor();
    await page.keyboard.press('Escape');
    expect(await field().inputValue()).toBe('');
    await page.keyboard.press('Escape');
    await field().waitFor({ state: 'detached' });
  });

  it('opens again for a slash that comes before the browser has said that it is closed', async () => {
    await page.keyboard.press('/');
    await field().waitFor();
    await page.evaluate(() => {
      document.querySelector<HTMLDialogElement>('dialog[open]')!.close();
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }));
    });
    await field().waitFor();
    await page.keyboard.press('Escape');
    await field().waitFor({ state: 'detached' });
  });

  it('Enter alone shows all results, with people and collections, filters and an address to share', async () => {
    await page.keyboard.press('/');
    await field().fill('alien');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Search' }).waitFor();
    await expect.poll(() => new URL(page.url()).pathname + new URL(page.url()).search).toBe('/search?q=alien');
    await page.getByRole('status').filter({ hasText: '2 movies' }).waitFor();
    await page.getByRole('link', { name: 'Aliens' }).waitFor();
    await page.getByRole('heading', { level: 2, name: 'Collections' }).waitFor();
    await shot('search results');
    // What was most likely meant is in sight without scrolling, below names that take a line.
    const movie = await page.getByRole('link', { name: 'Aliens' }).boundingBox();
    expect(movie!.y + movie!.height).toBeLessThan(800);
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('checkbox', { name: /Horror/ }).check();
    await page.getByRole('status').filter({ hasText: '1 movie' }).waitFor();
    await page.reload();
    await page.getByRole('status').filter({ hasText: '1 movie' }).waitFor();
    await page.getByRole('searchbox', { name: 'Search movies, people and collections' }).fill('xqzvjw');
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
  });

  it('on a phone the search is the whole screen, and what was looked for is offered again', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(engine.url);
    await page.getByRole('button', { name: 'Search' }).click();
    await field().waitFor();
    const box = await page.getByRole('dialog', { name: 'Search' }).boundingBox();
    expect([box!.width, box!.height]).toEqual([390, 844]);
    await options().filter({ hasText: 'The Matrix' }).waitFor();
    await options()
      .filter({ hasText: /^alien$/ })
      .waitFor();
    await shot('search phone');
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => options().count()).toBe(0);
    await field().fill('千尋');
    await options().filter({ hasText: 'Spirited Away' }).click();
    await page.getByRole('heading', { level: 1, name: 'Spirited Away' }).waitFor();
    expect(troubles).toEqual([]);
  });
});
