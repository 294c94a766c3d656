/** What the server does by itself, as the person who runs it watches, stops and tends it. A real engine and a real browser. */
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import type { QueueItem } from '#engine/jobs/ports.ts';
import { openQueueServer } from '#engine/store/queue/queue-server.ts';
import { libraries } from '#protocol/index.ts';
import { axeProblems, openBrowser } from '#test/support/browser.ts';
import { clips } from '#test/support/media.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const pictures = join(import.meta.dirname, '../.media');

describe('the activity screen', () => {
  let base: string;
  let database: TestDatabase;
  let engine: RunningEngine;
  let ada: Person;
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee activity ')));
    database = await createTestDatabase();
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      environment: { ...adminEnvironment, DATABASE_URL: database.url },
      flags: ['--watch', 'off'],
    });
    ada = await Person.signIn(engine.url);
    browser = await openBrowser();
    const context = await browser.newContext({
      viewport: { width: 1_280, height: 900 },
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
  }, 180_000);

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
    await database?.drop();
    await rm(base, { recursive: true, force: true });
  }, 60_000);

  const row = (name: string | RegExp) => page.getByRole('listitem').filter({ hasText: name });

  it('says that nothing has happened while nothing has', async () => {
    await page.goto(`${engine.url}/settings/activity`);
    await page.getByText('Nothing is running, and nothing has run yet.').waitFor();
    expect(await axeProblems(page)).toEqual([]);
  });

  it('shows a scan while it runs, and stops it', async () => {
    const films = join(base, 'Films');
    await mkdir(films);
    // As long as this file seems to be written to, the scan waits for it.
    const arriving = join(films, 'Still Arriving (2001).mp4');
    await writeFile(arriving, (await readFile(await clips.h264Mp4())).subarray(0, 40));
    const writing = setInterval(() => appendFileSync(arriving, 'more'), 300);
    onTestFinished(() => clearInterval(writing));
    await ada.call(libraries.add, { path: films });
    const scan = row('Scan: Films');
    await scan.getByText('Running').waitFor();
    await scan.getByRole('progressbar', { name: 'Scan of Films' }).waitFor();
    await page.screenshot({ path: join(pictures, 'activity scan.png') });
    await scan.getByRole('button', { name: 'Stop' }).click();
    await scan.getByText('Stopped').waitFor();
    expect(await scan.getByRole('button', { name: 'Stop' }).count()).toBe(0);
  });

  it('lists what failed with its reason, to be tried again or dismissed, one by one or together', async () => {
    // As an older version may have left them: nobody can read these orders.
    await using queue = await openQueueServer({ redisUrl: null, postgres: database.address, log: silentLog });
    const strange = ['Alien', 'Heat', 'Ronin'].map((subject): QueueItem => {
      return { content: { payload: { look: 'backwards' }, subject }, urgency: 'normal', key: null, delayMs: 0 };
    });
    await queue.add('image', strange);
    const line = row('Looking for artwork').first();
    await line.getByText(/Failed 3 times/).waitFor();
    await line.getByRole('button', { name: 'Show 3 failures' }).click();
    const failures = page.getByRole('list', { name: 'What failed: Looking for artwork' });
    await failures.getByText('It is from another version, and this one cannot read it.').first().waitFor();
    await page.screenshot({ path: join(pictures, 'activity failures.png') });
    expect(await axeProblems(page)).toEqual([]);

    const heat = failures.getByRole('listitem').filter({ hasText: 'Heat' });
    await heat.getByRole('button', { name: 'Dismiss' }).click();
    await heat.waitFor({ state: 'detached' });
    await line.getByText(/Failed 2 times/).waitFor();
    // Tried again it fails again, and says so.
    await line.getByRole('button', { name: 'Try all again' }).click();
    await page.getByText('2 of 2 are tried again now.').waitFor();
    await line.getByText(/Failed 2 times/).waitFor();

    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: join(pictures, 'activity phone.png') });
    await line.getByRole('button', { name: 'Dismiss all' }).click();
    await line.waitFor({ state: 'detached' });
    expect(troubles).toEqual([]);
  });
});
