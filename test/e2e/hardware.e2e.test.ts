/** The hardware as the person who runs the server meets it: what is there, why it is not used, and a test that they watch. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { axeProblems, openBrowser } from '#test/support/browser.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const pictures = join(import.meta.dirname, '../.media');

describe('the hardware in the browser', () => {
  let base: string;
  let engine: RunningEngine;
  let ada: Person;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const troubles: string[] = [];

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee-hardware-evening-')));
    engine = await startEngine({ dataFolder: join(base, 'data'), libraries: [], environment: adminEnvironment });
    ada = await Person.signIn(engine.url);
    browser = await openBrowser();
    context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, locale: 'en-GB' });
    await context.addCookies([
      { name: 'matinee_session', value: ada.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => troubles.push(`page error: ${error.message}`));
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    ada?.[Symbol.dispose]();
    await engine?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  }, 60_000);
  beforeEach(({ task }) => {
    onTestFailed(async () => {
      const file = join(pictures, `failed ${task.name.slice(0, 60)}.png`);
      await page.screenshot({ path: file, fullPage: true }).catch(() => undefined);
      console.log(`The screen: ${file}\nThe engine:\n${engine.output().slice(-2_000)}`);
    });
  });

  it('says of each kind why it is not used, or that it is', async () => {
    await page.goto(`${engine.url}/settings/hardware`);
    await page.getByRole('heading', { name: 'Apple VideoToolbox' }).waitFor();
    const cards = page.locator('li').filter({ has: page.getByRole('heading', { level: 3 }) });
    for (const card of await cards.all()) {
      const text = (await card.textContent()) ?? '';
      expect(text.length).toBeGreaterThan(40); // its name and a reason, or a table
    }
    expect(await axeProblems(page)).toEqual([]);
  });

  it('is tested while one looks on, and the processor with it', async () => {
    await page.getByRole('button', { name: 'Test again' }).click();
    await page.getByRole('progressbar', { name: 'Test of the hardware' }).waitFor();
    const table = page.getByRole('table', { name: 'The processor: codecs' });
    await table.waitFor({ timeout: 180_000 });
    const line = table.getByRole('row', { name: /^H\.264/ });
    await expect.poll(() => line.getByLabel('Works').count()).toBe(2);
    await page.getByRole('button', { name: 'Test again' }).waitFor();
    expect(await axeProblems(page)).toEqual([]);
    await page.screenshot({ path: join(pictures, 'hardware.png'), fullPage: true });
  }, 240_000);

  it('gives a report to take elsewhere', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: engine.url });
    await page.getByRole('button', { name: 'Copy a report' }).click();
    await page.getByText('The report is copied.').waitFor();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toContain('setting auto');
    expect(report).toContain('  encode-h264: works');
    expect(report).toMatch(/^nvenc: /m);
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('table', { name: 'The processor: codecs' }).scrollIntoViewIfNeeded();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    expect(await axeProblems(page)).toEqual([]);
    await page.screenshot({ path: join(pictures, 'hardware phone.png'), fullPage: true });
    expect(troubles).toEqual([]);
  });
});
