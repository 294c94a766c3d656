/** A real Chromium for tests of screens. The machine's own: the driver's packages bring none. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { onTestFailed } from 'vitest';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

const FLAGS = [
  // As root, which is what CI is, Chromium refuses its sandbox.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--mute-audio',
  // A container's /dev/shm is often too small for it.
  '--disable-dev-shm-usage',
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? PLACES.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      'This test needs Chromium. Install it: apt-get install -y chromium (or name one in CHROMIUM_PATH).',
    );
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** What axe finds against WCAG 2.2 AA, and of landmarks of one name, on the page as it is: `rule: where, and where else`, with the colours where they are the trouble. */
export async function axeProblems(page: Page): Promise<string[]> {
  // The content policy lets no foreign script in, so axe comes by the debugger.
  await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async (standards) => {
    const { axe } = globalThis as unknown as {
      axe: {
        getRules(tags: string[]): { ruleId: string }[];
        run(
          context: Document,
          options: object,
        ): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary?: string }[] }[] }>;
      };
    };
    const rules = axe.getRules(standards).map(({ ruleId }) => ruleId);
    const { violations } = await axe.run(document, {
      runOnly: { type: 'rule', values: [...rules, 'landmark-unique'] },
    });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary = '' }) => `${target.join(' ')} (${failureSummary})`).join(', ')}`,
    );
  }, STANDARDS);
}

/** For a test that fails: keeps a picture of the screen, which says more than the call that timed out, and prints where, with the engine's last lines. */
export function tellFailure(test: string, page: () => Page, engine: { output(): string }): void {
  onTestFailed(async () => {
    const file = join(import.meta.dirname, '../.media', `failed ${test.slice(0, 60)}.png`);
    await page()
      .screenshot({ path: file })
      .catch(() => undefined);
    console.log(`The screen: ${file}\nThe engine:\n${engine.output().slice(-2_000)}`);
  });
}
