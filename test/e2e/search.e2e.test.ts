/** Finding things as a person does: a key, a few letters, arrows, Enter. A real engine, a real database, a real browser. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { axeProblems } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { writeMovie } from '#test/support/movie-writer.ts';
import { createTestDatabase } from '#test/support/postgres.ts';

describe('search', () => {
  const evening = openEvening({
    name: 'search',
    prepare: async (own) => {
      const database = await createTestDatabase();
      own.keep({ [Symbol.asyncDispose]: () => database.drop() });
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
      return { libraries: [], environment: { DATABASE_URL: database.url } };
    },
    screen: { viewport: { width: 1_280, height: 800 } },
    answers: /(?!)/,
  });
  let page: Page;
  beforeAll(async () => {
    ({ page } = evening);
    await page.goto(evening.engine.url);
    await page.getByRole('button', { name: 'Search' }).waitFor();
  });
  const field = () => page.getByRole('combobox', { name: 'Search movies, people and collections' });
  const options = () => page.getByRole('option');
  const shot = (name: string) => evening.picture(name);

  it('a slash, a few letters with a typo in them, an arrow and Enter: the movie', async () => {
    await page.keyboard.press('/');
    await field().waitFor();
    await expect.poll(() => field().evaluate((input) => document.activeElement === input)).toBe(true);
    await page.keyboard.type('matirx');
    await options().filter({ hasText: 'The Matrix' }).waitFor();
    await page.getByRole('status').filter({ hasText: '1 suggestion' }).waitFor({ state: 'attached' });
    await shot('suggestions');
    await page.keyboard.press('ArrowDown');
    const active = () => field().getAttribute('aria-activedescendant');
    await expect.poll(active).not.toBeNull();
    await expect.poll(async () => page.locator(`[id="${await active()}"]`).getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'The Matrix' }).waitFor();
    expect(page.url()).toContain('/movies/');
    await expect.poll(() => page.locator('dialog[open]').count()).toBe(0);
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
    await expect.poll(() => field().inputValue()).toBe('');
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
    await shot('results');
    // What was most likely meant is in sight without scrolling, below names that take a line.
    await expect
      .poll(async () => {
        const movie = await page.getByRole('link', { name: 'Aliens' }).boundingBox();
        return movie === null ? Infinity : movie.y + movie.height;
      })
      .toBeLessThan(800);
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
    await page.goto(evening.engine.url);
    await page.getByRole('button', { name: 'Search' }).click();
    await field().waitFor();
    await expect
      .poll(() => page.getByRole('dialog', { name: 'Search' }).boundingBox())
      .toMatchObject({ width: 390, height: 844 });
    await options().filter({ hasText: 'The Matrix' }).waitFor();
    await options()
      .filter({ hasText: /^alien$/ })
      .waitFor();
    await shot('phone');
    expect(await axeProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => options().count()).toBe(0);
    await field().fill('千尋');
    await options().filter({ hasText: 'Spirited Away' }).click();
    await page.getByRole('heading', { level: 1, name: 'Spirited Away' }).waitFor();
    expect(evening.troubles).toEqual([]);
  });
});
