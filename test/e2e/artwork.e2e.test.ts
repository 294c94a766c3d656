/** Artwork as a person sees it: in the size that the screen needs, with its placeholder before, and from this server only. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { movies } from '#protocol/methods/movies.ts';
import { pictureBytes } from '#test/support/artwork.ts';
import { openEvening } from '#test/support/evening.ts';
import { clips } from '#test/support/media.ts';

/** Heat with everything that can lie beside a movie, Alien with a poster that is cut short. */
async function makeMovies(films: string): Promise<void> {
  for (const name of ['Heat (1995)', 'Alien (1979)']) {
    await mkdir(join(films, name), { recursive: true });
    await cp(await clips.h264Mp4(), join(films, name, `${name}.mp4`));
  }
  await writeFile(join(films, 'Heat (1995)/poster.jpg'), await pictureBytes(1_000, 1_500));
  await writeFile(join(films, 'Heat (1995)/fanart.jpg'), await pictureBytes(1_920, 1_080, 'jpeg', 30));
  const logo = sharp({
    create: { width: 400, height: 100, channels: 4, background: { r: 250, g: 200, b: 20, alpha: 1 } },
  });
  await writeFile(join(films, 'Heat (1995)/clearlogo.png'), await logo.png().toBuffer());
  const whole = await pictureBytes(600, 900, 'png');
  await writeFile(join(films, 'Alien (1979)/poster.png'), whole.subarray(0, whole.length / 2));
}

describe('artwork in the browser', () => {
  const evening = openEvening({
    name: 'artwork',
    prepare: ({ films }) => makeMovies(films),
    screen: { viewport: { width: 1_280, height: 800 } },
    // The damaged poster is an answer, which Chromium writes down as an error all the same.
    answers: /status of 404/,
  });
  let page: Page;
  const asked: URL[] = [];
  beforeAll(() => {
    ({ page } = evening);
    page.on('request', (request) => asked.push(new URL(request.url())));
  });

  /** The pictures of a movie's tile that are there in full: how wide their frame is, and what came into it. */
  const shownOf = (title: string) =>
    page
      .getByRole('link', { name: title })
      .first()
      .evaluate((link) =>
        [...link.querySelectorAll('img')]
          .filter((image) => image.complete && image.naturalWidth > 0)
          .map((image) => ({
            frame: image.clientWidth,
            search: new URL(image.currentSrc).search,
          })),
      );

  it('a tile shows its poster in a size that suits it; where that cannot be had, a frame of the movie', async () => {
    await expect
      .poll(async () =>
        (await evening.ada.movies()).map(({ title, poster, picture }) => [title, poster?.width, picture?.width]),
      )
      .toEqual([
        ['Alien', 600, 320],
        ['Heat', 1_000, 1_920],
      ]);
    await page.goto(`${evening.engine.url}/movies`);
    await page.getByRole('link', { name: 'Heat' }).first().waitFor();
    await expect
      .poll(async () =>
        (await shownOf('Heat')).map(({ frame, search }) => {
          const width = Number(/^\?w=(\d+)$/.exec(search)?.[1]);
          return width >= frame && width < 2 * frame + 160;
        }),
      )
      .toEqual([true]);
    await expect.poll(async () => (await evening.ada.movie('Alien')).poster).toBeNull();
    await expect.poll(() => shownOf('Alien')).toHaveLength(1);
  });

  it('until it came there is its placeholder', async () => {
    await expect.poll(async () => (await evening.ada.movie('Heat')).poster?.placeholder).not.toBeNull();
    const held = Promise.withResolvers<void>();
    await page.route('**/images/**', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.reload();
    const tile = page.getByRole('link', { name: 'Heat' }).first();
    await tile.waitFor();
    const placeholder = () =>
      tile.evaluate((link) => {
        const before = link.querySelector('img')?.previousElementSibling;
        return before === null || before === undefined ? null : getComputedStyle(before).backgroundImage.slice(0, 26);
      });
    await expect.poll(placeholder).toBe('url("data:image/png;base64');
    expect(await shownOf('Heat')).toEqual([]);
    held.resolve();
    await expect.poll(() => shownOf('Heat')).toHaveLength(1);
    await page.unroute('**/images/**');
  });

  it('its page stands before the backdrop, and its title beside the logo', async () => {
    await page.getByRole('link', { name: 'Heat' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'Heat' }).waitFor();
    await page.locator('h1 img').waitFor();
    await page.locator('h1').getByText('Heat', { exact: true }).waitFor();
    await expect.poll(() => page.title()).toBe('Heat · Matinee');
    const wide = () =>
      page.evaluate(() =>
        [...document.images].filter((image) => image.naturalWidth >= 1_280).map((image) => image.currentSrc),
      );
    await expect.poll(wide).toHaveLength(1);
    await evening.picture('backdrop');
  });

  it('a title that a person wrote is read, not seen on a logo that says another', async () => {
    await evening.ada.call(movies.edit, { movieId: (await evening.ada.movie('Heat')).id, title: 'Warmth' });
    await page.getByRole('heading', { level: 1, name: 'Warmth' }).waitFor();
    await expect.poll(() => page.locator('h1 img').count()).toBe(0);
    await expect.poll(() => page.title()).toBe('Warmth · Matinee');
    await evening.picture('renamed');
  });

  it('nothing is asked of anybody else, and nothing went wrong', () => {
    expect([
      ...new Set(asked.filter(({ protocol }) => /^(https?|wss?):/.test(protocol)).map(({ host }) => host)),
    ]).toEqual([new URL(evening.engine.url).host]);
    expect(evening.troubles).toEqual([]);
  });
});
