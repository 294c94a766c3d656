/** What the server does by itself, as the person who runs it watches, stops and tends it. A real engine and a real browser. */
import { appendFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import type { QueueItem } from '#engine/jobs/ports.ts';
import { openQueueServer } from '#engine/store/queue/queue-server.ts';
import { libraries } from '#protocol/index.ts';
import { axeProblems, textsFromNow } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clips } from '#test/support/media.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';

describe('the activity screen', () => {
  let database: TestDatabase;
  const evening = openEvening({
    name: 'activity',
    prepare: async (own) => {
      database = await createTestDatabase();
      own.keep({ [Symbol.asyncDispose]: () => database.drop() });
      return { libraries: [], environment: { DATABASE_URL: database.url }, flags: ['--watch', 'off'] };
    },
    screen: { viewport: { width: 1_280, height: 900 } },
    answers: /(?!)/,
  });
  let page: Page;
  beforeAll(() => {
    ({ page } = evening);
  });

  const row = (name: string | RegExp) => page.getByRole('listitem').filter({ hasText: name });

  it('says that nothing has happened while nothing has', async () => {
    await page.goto(`${evening.engine.url}/settings/activity`);
    await page.getByText('Nothing is running, and nothing has run yet.').waitFor();
    expect(await axeProblems(page)).toEqual([]);
  });

  it('shows a scan while it runs, and stops it', async () => {
    const films = join(evening.base, 'Arriving');
    await mkdir(films);
    // As long as this file seems to be written to, the scan waits for it.
    const arriving = join(films, 'Still Arriving (2001).mp4');
    await writeFile(arriving, (await readFile(await clips.h264Mp4())).subarray(0, 40));
    const writing = setInterval(() => appendFileSync(arriving, 'more'), 300);
    onTestFinished(() => clearInterval(writing));
    await evening.ada.call(libraries.add, { path: films });
    const scan = row('Scan: Arriving');
    await scan.getByText('Running').waitFor();
    await scan.getByRole('progressbar', { name: 'Scan of Arriving' }).waitFor();
    await scan.getByRole('button', { name: 'Stop' }).click();
    await scan.getByText('Stopped').waitFor();
    await expect.poll(() => scan.getByRole('button', { name: 'Stop' }).count()).toBe(0);
    await evening.picture('scan');
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
    await evening.picture('failures');
    expect(await axeProblems(page)).toEqual([]);

    const heat = failures.getByRole('listitem').filter({ hasText: 'Heat' });
    await heat.getByRole('button', { name: 'Dismiss' }).click();
    await heat.waitFor({ state: 'detached' });
    await line.getByText(/Failed 2 times/).waitFor();
    // Tried again it fails again, and says so.
    const said = await textsFromNow(page);
    await line.getByRole('button', { name: 'Try all again' }).click();
    await said(/2 of 2 are tried again now\./);
    await line.getByText(/Failed 2 times/).waitFor();

    await page.setViewportSize({ width: 390, height: 844 });
    await evening.picture('phone');
    await line.getByRole('button', { name: 'Dismiss all' }).click();
    await line.waitFor({ state: 'detached' });
    expect(evening.troubles).toEqual([]);
  });
});
