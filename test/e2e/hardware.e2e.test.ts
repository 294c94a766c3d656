/** The hardware as the person who runs the server meets it: what is there, why it is not used, and a test that they watch. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { axeProblems, sawText, sightOf } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';

describe('the hardware in the browser', () => {
  const evening = openEvening({ name: 'hardware', screen: { viewport: { width: 1_280, height: 900 } } });
  let page: Page;
  beforeAll(() => {
    ({ page } = evening);
  });

  it('says of each kind why it is not used, or that it is', async () => {
    await page.goto(`${evening.engine.url}/settings/hardware`);
    await page.getByRole('heading', { name: 'Apple VideoToolbox' }).waitFor();
    const cards = page.locator('li').filter({ has: page.getByRole('heading', { level: 3 }) });
    for (const card of await cards.all()) {
      // Its name and a reason, or a table.
      await expect.poll(async () => ((await card.textContent()) ?? '').length).toBeGreaterThan(40);
    }
    expect(await axeProblems(page)).toEqual([]);
  });

  it('is tested while one looks on, and the processor with it', async () => {
    const progress = await sightOf(page, '[role=progressbar][aria-label="Test of the hardware"]');
    await page.getByRole('button', { name: 'Test again' }).click();
    await progress();
    const table = page.getByRole('table', { name: 'The processor: codecs' });
    await table.waitFor({ timeout: 400_000 });
    const line = table.getByRole('row', { name: /^H\.264/ });
    await expect.poll(() => line.getByLabel('Works').count()).toBe(2);
    await page.getByRole('button', { name: 'Test again' }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await evening.picture('whole', page, { fullPage: true });
  }, 500_000);

  it('gives a report to take elsewhere', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: evening.engine.url });
    await page.getByRole('button', { name: 'Copy a report' }).click();
    await sawText(page, /The report is copied\./);
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toContain('setting auto');
    expect(report).toContain('  encode-h264: works');
    expect(report).toMatch(/^nvenc: /m);
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('table', { name: 'The processor: codecs' }).scrollIntoViewIfNeeded();
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await axeProblems(page)).toEqual([]);
    await evening.picture('phone', page, { fullPage: true });
    expect(evening.troubles).toEqual([]);
  });
});
