/**
 * A library that gets to know its movies, as a person sees it: no key, a key, what is doubtful, a grid to narrow down, corrections that
 * appear on a second screen, and collections. A real engine, a real database, a real browser; TMDB is our stand-in.
 */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { axeProblems, sawText, stayWith, textsFromNow } from '#test/support/browser.ts';
import { movies, progress } from '#protocol/index.ts';
import { openEvening } from '#test/support/evening.ts';
import { clips } from '#test/support/media.ts';
import { TmdbStandIn } from '#test/support/tmdb-stand-in.ts';

/** How long a notice with a way back is shown. */
const UNDO_MS = 10_000;
const KEY = '0123456789abcdef0123456789abcdef';

/** What the person has, by the names that their files have. */
const CERTAIN = [
  'Orbit (2012)',
  'Orbit 2 Perigee (2015)',
  'The Glass Garden (1987)',
  'The Glass Garden Part II (1990)',
  'Salt Road (2004)',
  'Starlings (2021)',
];
/** Two movies of one year, and of one name. */
const DOUBTFUL = ['Paper Boats (2022)', 'The Lantern'];
const UNKNOWN = ['Holiday with Aunt Mabel (2019)'];

describe('a library that knows its movies', () => {
  const evening = openEvening({
    name: 'knowledge',
    prepare: async (own) => {
      const source = await clips.h264Mp4();
      for (const name of [...CERTAIN, ...DOUBTFUL, ...UNKNOWN]) await cp(source, join(own.films, `${name}.mp4`));
      const tmdb = own.keep(await TmdbStandIn.open());
      tmdb.key = KEY;
      return { environment: { MATINEE_TMDB_BASE_URL: tmdb.url, MATINEE_TMDB_IMAGE_URL: tmdb.imageUrl } };
    },
    screen: { viewport: { width: 1_440, height: 900 } },
    // A refused key is an answer; a picture that is not made yet as well.
    answers: /status of 40[49]/,
  });
  let page: Page;
  let ada: typeof evening.ada;
  beforeAll(() => {
    ({ page, ada } = evening);
  });
  const newScreen = () => evening.pageIn(page.context());

  const titles = async (): Promise<string[]> => (await ada.movies()).map(({ title }) => title);
  const heading = (name: string | RegExp) => page.getByRole('heading', { level: 1, name });
  const notice = (text: string | RegExp) => page.getByRole('status').filter({ hasText: text });

  it('without a key everything is there under the name of its file, and the review screen takes a key', async () => {
    await expect.poll(async () => (await titles()).length).toBe(9);
    await page.goto(`${evening.engine.url}/review`);
    await page.getByRole('heading', { name: 'Matinee needs a key to recognise your movies' }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.getByLabel('TMDB key').fill('not the key');
    await page.getByRole('button', { name: 'Try it and keep it' }).click();
    await page.getByText('TMDB does not know this key').waitFor();
    await page.getByLabel('TMDB key').fill(KEY);
    await page.getByRole('button', { name: 'Try it and keep it' }).click();
    await sawText(page, /TMDB knows the key/);
  });

  it('what is certain gets its title and poster by itself; what is not waits for a person', async () => {
    await expect
      .poll(async () => (await ada.movies()).filter(({ poster }) => poster !== null).length, { timeout: 60_000 })
      .toBe(CERTAIN.length);
    expect(await titles()).toContain('Orbit 2: Perigee');
    await page.getByRole('heading', { level: 2, name: /Paper Boats/ }).waitFor();
    await page.getByRole('link', { name: /Review 3/ }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
  });

  it('review by keys: a number picks, Enter confirms, the next one has the focus', async () => {
    const card = (name: string) => page.locator('section').filter({ has: page.getByRole('heading', { name }) });
    // Coming here is enough: the first card waits for a key. One card has a field of its own, none a voice.
    await page.getByRole('link', { name: 'Home', exact: true }).first().click();
    await page.getByRole('link', { name: /Review 3/ }).focus();
    await page.keyboard.press('Enter');
    const current = () => page.evaluate(() => document.activeElement?.getAttribute('data-card') ?? null);
    await expect.poll(current).not.toBeNull();
    const first = await current();
    await page.keyboard.press('ArrowDown');
    await expect.poll(current).not.toBe(first);
    await page.keyboard.press('ArrowUp');
    await expect.poll(current).toBe(first);
    await expect.poll(() => page.locator('main').getByRole('status').count()).toBe(1);
    // From nowhere a number means the card in sight.
    await page.evaluate(() => document.getElementById('content')?.focus());
    await page.keyboard.press('1');
    await expect.poll(() => page.locator(`[data-card="${first}"] [aria-checked=true]`).count()).toBe(1);
    await expect.poll(current).toBe(first);
    await evening.picture('review keys');
    await notice('1 movie picked').first().waitFor({ state: 'attached' });

    await card('Paper Boats').focus();
    await page.keyboard.press('2');
    await expect.poll(() => card('Paper Boats').getByRole('radio').nth(1).getAttribute('aria-checked')).toBe('true');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => card('Paper Boats').getByRole('radio').nth(0).getAttribute('aria-checked')).toBe('true');
    // Enter opens the search where that is what has the focus; on what is picked it confirms.
    await card('Paper Boats').getByRole('button', { name: 'Search' }).focus();
    await page.keyboard.press('Enter');
    await card('Paper Boats').getByLabel('Year').waitFor();
    await card('Paper Boats').getByRole('radio').nth(0).focus();
    await page.keyboard.press('Enter');
    await card('Paper Boats').waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate(() => document.activeElement?.hasAttribute('data-card'))).toBe(true);

    // What TMDB proposed nothing for is found by hand, by its number here.
    const unknown = card('Holiday with Aunt Mabel');
    await unknown.getByLabel('Title, TMDB or IMDb number, or an address').fill('900118');
    await unknown.getByLabel('Year').fill('');
    await unknown.getByRole('button', { name: 'Search' }).last().click();
    await unknown.getByRole('radio', { name: /Nine Bridges/ }).click();
    await page.getByRole('button', { name: 'Pick the likeliest of all' }).click();
    await page.getByRole('button', { name: 'Confirm all 2' }).click();
    await page.getByRole('heading', { name: 'Everything is recognised' }).waitFor();
    await expect.poll(titles).toContain('Nine Bridges');
    await page.getByRole('link', { name: /Review \d/ }).waitFor({ state: 'detached' });
    expect(await axeProblems(page)).toEqual([]);
  });

  it('a grid is narrowed with live counts, and its address shows the same to somebody else', async () => {
    await page.goto(`${evening.engine.url}/movies`);
    const filters = page.getByRole('complementary', { name: 'Filters' });
    await filters.getByText('Genre').waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await filters.getByRole('checkbox', { name: /2010s/ }).click();
    await page.getByRole('button', { name: 'Without the filter 2010s' }).waitFor();
    await notice('3 movies').waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe('?yearFrom=2010&yearTo=2019');
    await page.getByLabel('Sort').selectOption('rating');
    await page.getByRole('button', { name: /turn it around/ }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('order')).toBe('ascending');
    const address = page.url();

    const other = await newScreen();
    await other.goto(address);
    await other.getByRole('button', { name: 'Without the filter 2010s' }).waitFor();
    const shown = (screen: Page) => screen.getByRole('list', { name: 'Movies' }).getByRole('link').allInnerTexts();
    await expect.poll(() => shown(other)).toHaveLength(3);
    await expect.poll(async () => JSON.stringify(await shown(page)) === JSON.stringify(await shown(other))).toBe(true);
    await other.close();

    await page.getByRole('button', { name: 'Without the filter 2010s' }).click();
    await notice('9 movies').waitFor();
    await page.goBack();
    await page.goForward();
  });

  it('on a phone the same filters come up as a sheet', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${evening.engine.url}/movies`);
    await page.getByRole('button', { name: 'Filters' }).click();
    const sheet = page.getByRole('dialog', { name: 'Filters' });
    await sheet.getByRole('checkbox', { name: /2020s/ }).click();
    await sheet.getByRole('button', { name: 'Show 2 movies' }).click();
    await expect.poll(() => page.getByRole('list', { name: 'Movies' }).getByRole('link').count()).toBe(2);
    await page.setViewportSize({ width: 1_440, height: 900 });
  });

  it('from a sofa, arrow keys alone narrow the grid and open a movie', async () => {
    await page.setViewportSize({ width: 1_920, height: 1_080 });
    await page.goto(`${evening.engine.url}/movies`);
    const grid = page.getByRole('list', { name: 'Movies' });
    await grid.getByRole('link').first().waitFor();
    await page.getByRole('complementary', { name: 'Filters' }).getByText('Decade').waitFor();
    const focused = () =>
      page.evaluate(() => document.activeElement?.getAttribute('name') ?? document.activeElement?.tagName);
    // The keys come with a part of their own, a moment after the first screen.
    await expect
      .poll(async () => {
        await page.keyboard.press('ArrowDown');
        return focused();
      })
      .toBe('A');
    await page.keyboard.press('ArrowLeft');
    for (let step = 0; step < 12 && (await focused()) !== 'decade'; step++) {
      await page.keyboard.press((await focused()) === 'A' ? 'ArrowLeft' : 'ArrowDown');
    }
    await expect.poll(focused).toBe('decade');
    await page.keyboard.press('Space');
    await expect.poll(() => new URL(page.url()).searchParams.has('yearFrom')).toBe(true);
    for (let step = 0; step < 6 && (await focused()) !== 'A'; step++) await page.keyboard.press('ArrowRight');
    await expect.poll(focused).toBe('A');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/movies\/[0-9a-f-]{36}$/);
    // The page has the focus now; the first key goes to what most people came for, Enter brings it about.
    await page.getByRole('link', { name: 'Play', exact: true }).waitFor();
    await expect.poll(focused).toBe('MAIN');
    const focusedText = () => page.evaluate(() => document.activeElement?.textContent);
    await page.keyboard.press('ArrowDown');
    await expect.poll(focusedText).toBe('Play');
    await page.keyboard.press('ArrowRight');
    await expect.poll(focusedText).toBe('Mark as watched');
    await expect.poll(() => page.title()).not.toBe('Movie · Matinee');
    await page.setViewportSize({ width: 1_440, height: 900 });
  });

  it('what was put away is found from where it was put away, and taken out again', async () => {
    const salt = await ada.movie('Salt Road');
    await page.goto(`${evening.engine.url}/movies/${salt.id}`);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    const menu = page.getByRole('menu', { name: 'More' });
    const putAway = menu.getByRole('menuitem', { name: 'Put away' });
    // The whole menu is in sight, the last entry as well, wherever what arrives late moves its button.
    const isWithin = (element: Locator, height: number) =>
      expect
        .poll(async () => {
          const box = await element.boundingBox();
          return box !== null && box.y > 0 && box.y + box.height <= height;
        })
        .toBe(true);
    await isWithin(menu, 900);
    await isWithin(putAway, 900);
    await page.evaluate(() => {
      const late = Object.assign(document.createElement('div'), { id: 'late' });
      late.style.blockSize = '16rem';
      document.querySelector('main')!.prepend(late);
    });
    await isWithin(menu, 900);
    await page.evaluate(() => document.querySelector('#late')!.remove());
    await isWithin(menu, 900);
    await evening.picture('more');
    // Where neither side of the button has the room, and where the window has none at all.
    for (const height of [720, 420]) {
      await page.keyboard.press('Escape');
      await page.setViewportSize({ width: 1_440, height });
      await page.getByRole('button', { name: 'More', exact: true }).click();
      await isWithin(menu, height);
      await expect.poll(() => menu.evaluate((list) => list.scrollHeight > list.clientHeight)).toBe(height === 420);
      await evening.picture(`more ${height}`);
    }
    await page.setViewportSize({ width: 1_440, height: 900 });
    await putAway.click();
    await page.getByRole('link', { name: 'All that is put away' }).waitFor();
    await evening.picture('put away');
    await page.getByRole('button', { name: 'All that is put away' }).click();
    await heading(/^Put away/).waitFor();
    await page
      .getByRole('list', { name: 'Movies' })
      .getByRole('link', { name: /Salt Road/ })
      .waitFor();

    await page.goto(`${evening.engine.url}/movies`);
    await page.getByRole('complementary', { name: 'Filters' }).getByRole('checkbox', { name: 'Put away' }).click();
    await page
      .getByRole('list', { name: 'Movies' })
      .getByRole('link', { name: /Salt Road/ })
      .click();
    await page.getByText('This movie is put away').waitFor();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Take out again' }).click();
    await page.getByText('This movie is put away').waitFor({ state: 'detached' });
  });

  it('an edit appears on a second screen at once, and Undo takes it back on both', async () => {
    const first = await newScreen();
    // The way back stays until it was taken.
    await stayWith(first, UNDO_MS);
    await first.goto(`${evening.engine.url}/movies`);
    await first.getByRole('link', { name: /Salt Road/ }).click();
    await first.getByRole('heading', { level: 1, name: 'Salt Road' }).waitFor();
    const second = await newScreen();
    await second.goto(first.url());
    await second.getByRole('heading', { level: 1, name: 'Salt Road' }).waitFor();

    await first.getByRole('button', { name: 'More', exact: true }).click();
    await first.getByRole('menuitem', { name: 'Edit' }).click();
    const dialog = first.getByRole('dialog', { name: 'Edit' });
    await dialog.getByLabel('Tagline', { exact: true }).fill('All roads lead to salt.');
    await dialog.getByLabel('Tags').fill('seaside');
    await dialog.getByLabel('Tags').press('Enter');
    expect(await axeProblems(first)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();

    await second.getByText('All roads lead to salt.').waitFor();
    await second.getByRole('link', { name: 'seaside' }).waitFor();
    expect((await ada.movie('Salt Road')).lockedFields).toContain('tagline');

    await first.getByRole('button', { name: 'Undo' }).click();
    await second.getByText('All roads lead to salt.').waitFor({ state: 'detached' });
    await first.getByText('All roads lead to salt.').waitFor({ state: 'detached' });
    expect((await ada.movie('Salt Road')).tags).toEqual([]);
    await second.close();
    await first.close();
  });

  it('another poster is chosen, and a wrong match put right, by hand and for good', async () => {
    await page.goto(`${evening.engine.url}/movies/${(await ada.movie('Starlings')).id}`);
    await heading('Starlings').waitFor();
    const before = (await ada.movie('Starlings')).poster?.url;
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Choose artwork' }).click();
    const artwork = page.getByRole('dialog', { name: 'Artwork' });
    const said = await textsFromNow(page);
    await artwork.locator('button[aria-pressed=false]').first().click();
    await said(/Chosen, and kept/);
    expect((await ada.movie('Starlings')).poster?.url).not.toBe(before);
    expect(await axeProblems(page)).toEqual([]);
    await artwork.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Fix match' }).click();
    const dialog = page.getByRole('dialog', { name: 'Which movie is this?' });
    await dialog
      .getByLabel('Title, TMDB or IMDb number, or an address')
      .fill('https://www.themoviedb.org/movie/900139-starling');
    await dialog.getByLabel('Year').fill('');
    await dialog.getByRole('button', { name: 'Search' }).click();
    const found = dialog.getByRole('radio', { name: /^Starling 2021/ });
    await found.click();
    expect(await axeProblems(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'It is this one' }).click();
    await heading(/^Starling$/).waitFor();
    expect((await ada.movie('Starling')).match).toMatchObject({ state: 'confirmed', tmdbId: 900_139 });
  });

  it('two movies that are one are brought together, and its files taken apart again', async () => {
    const { id } = await ada.movie('The Glass Garden');
    const other = await ada.movie('The Glass Garden Part II');
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(`${evening.engine.url}/movies/${other.id}`);
    await elsewhere.getByRole('heading', { level: 1, name: 'The Glass Garden Part II' }).waitFor();
    await page.goto(`${evening.engine.url}/movies/${id}`);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Same movie as another' }).click();
    const merge = page.getByRole('dialog', { name: /Which other movie/ });
    await merge.getByRole('radio', { name: /Part II/ }).click();
    await merge.getByRole('button', { name: 'They are one' }).click();
    await page.getByRole('heading', { level: 2, name: 'Versions' }).waitFor();
    await expect.poll(titles).not.toContain('The Glass Garden Part II');
    // Who looks at the one that went is taken along.
    await elsewhere.waitForURL((url) => url.pathname.endsWith(id));
    await elsewhere.getByRole('heading', { level: 1, name: 'The Glass Garden', exact: true }).waitFor();
    await elsewhere.close();

    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Split off files' }).click();
    const split = page.getByRole('dialog', { name: /Which files/ });
    await split.getByLabel(/Part II/).check();
    await split.getByRole('button', { name: 'Split them off' }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(id));
    await expect.poll(async () => (await titles()).length).toBe(9);
  });

  it('a movie’s page leads to its people, and theirs back', async () => {
    await page.goto(`${evening.engine.url}/movies`);
    await page.getByRole('link', { name: /^Orbit 2012/ }).click();
    await heading('Orbit').waitFor();
    await page.getByRole('region', { name: 'Cast and crew' }).getByRole('link').first().waitFor();
    expect(await axeProblems(page)).toEqual([]);
    const face = page.getByRole('region', { name: 'Cast and crew' }).getByRole('link').first();
    const name = (await face.innerText()).split('\n')[0]!;
    await face.click();
    await heading(name).waitFor();
    await page.getByRole('link', { name: /Orbit/ }).first().waitFor();
    expect(await axeProblems(page)).toEqual([]);
  });

  it('a series shows how far one is, and which parts are not here', async () => {
    await page.goto(`${evening.engine.url}/collections`);
    await page.getByRole('link', { name: /Orbit Collection/ }).click();
    await heading('Orbit Collection').waitFor();
    await page.getByText('2 of 4 here').waitFor();
    const missing = page.getByRole('region', { name: 'Not here' });
    await expect
      .poll(() => missing.getByRole('listitem').allInnerTexts())
      .toEqual([expect.stringContaining('Orbit 3: Apogee'), expect.stringContaining('Orbit 4')]);
    expect(await missing.getByRole('link').first().getAttribute('href')).toMatch(
      /^https:\/\/www\.themoviedb\.org\/movie\/\d+$/,
    );
    expect(await axeProblems(page)).toEqual([]);
  });

  it('several movies are put into a new list at once, and put in order by keys', async () => {
    await page.goto(`${evening.engine.url}/movies`);
    await page.getByRole('button', { name: 'Choose several' }).click();
    for (const title of ['Starling', 'Salt Road', 'Nine Bridges']) {
      await page.getByRole('checkbox', { name: new RegExp(title) }).click();
    }
    const bar = page.getByRole('toolbar', { name: 'Chosen movies' });
    await bar.getByText('3 chosen').waitFor();
    await bar.getByRole('button', { name: 'Collection' }).click();
    await page.getByLabel('A new list').fill('For Sunday');
    const said = await textsFromNow(page);
    await page.getByRole('button', { name: 'Make it' }).click();
    await said(/“For Sunday” is made/);

    await page.goto(`${evening.engine.url}/collections?kind=manual`);
    await page.getByRole('link', { name: /For Sunday/ }).click();
    await page.getByRole('button', { name: 'Arrange' }).click();
    const order = async (): Promise<string[]> =>
      (
        await page
          .locator('[data-grip]')
          .evaluateAll((grips) => grips.map((grip) => grip.getAttribute('aria-label') ?? ''))
      ).map((label) => label.split(',')[0]!);
    await expect.poll(order).toHaveLength(3);
    const before = await order();
    await page.locator('[data-grip]').first().focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(order).toEqual([before[1], before[0], before[2]]);
    expect(await axeProblems(page)).toEqual([]);
    await page.reload();
    const list = page.getByRole('region', { name: 'Movies' }).getByRole('link');
    await expect
      .poll(async () =>
        (await list.allInnerTexts()).map((text) => text.split('\n').find((line) => before.includes(line))),
      )
      .toEqual([before[1], before[0], before[2]]);
  });

  it('filters are saved under a name, and the collection keeps itself up to date', async () => {
    await page.goto(`${evening.engine.url}/movies?isWatched=false&yearFrom=2000`);
    await notice(/movies$/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Save as a smart collection' }).click();
    await page.getByLabel('Name').fill('New and unseen');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await heading('New and unseen').waitFor();
    const tiles = page.getByRole('region', { name: 'Movies' }).getByRole('link');
    // All that there are, and not the first of them that came.
    const { total } = await ada.call(movies.list, { isWatched: false, yearFrom: 2_000 });
    await expect.poll(() => tiles.count()).toBe(total);
    await ada.call(progress.setWatched, {
      movieId: (await ada.movie('Starling')).id,
      isWatched: true,
    });
    await expect.poll(() => tiles.count()).toBe(total - 1);
  });

  it('home has rows of what is best and of the decades, and nothing complained all evening', async () => {
    await page.goto(evening.engine.url);
    await page.getByRole('region', { name: 'Top rated' }).waitFor();
    await page.getByRole('region', { name: 'Through the decades' }).getByRole('link', { name: /2010s/ }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.goto(`${evening.engine.url}/settings/metadata`);
    await page.getByText('is not endorsed or certified by TMDB').waitFor();
    expect(await axeProblems(page)).toEqual([]);
    expect(evening.troubles).toEqual([]);
  });
});
