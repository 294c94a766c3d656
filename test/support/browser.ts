/** A real Chromium for tests of screens. The machine's own: the driver's packages bring none. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { expect, onTestFailed } from 'vitest';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];

/** How long a page waits for what must come, on a machine that has other things to do. */
export const ACTION_MS = 60_000;
/** Where pictures of screens are kept. Ignored by git. */
export const SCREENS = join(import.meta.dirname, '../.media/screens');

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

interface Watched {
  /** Every text that came or changed since the page was loaded. */
  seenTexts: string[];
}

/**
 * Keeps every text that comes to any page of this window, however short it is there: `sawText` asks for one of them. A slow machine may
 * look away for the second that a word is shown.
 */
export async function watchTexts(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const seen: string[] = ((globalThis as unknown as Watched).seenTexts = []);
    const add = (text: string | null | undefined): void => {
      if (text && text !== seen.at(-1) && text.length < 5_000 && seen.length < 50_000) seen.push(text);
    };
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        if (target.nodeType === Node.TEXT_NODE) add(target.parentElement?.textContent);
        for (const node of addedNodes) {
          add(node.textContent);
          // A text that is put together from several.
          if (node.nodeType === Node.TEXT_NODE) add(node.parentElement?.textContent);
        }
      }
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
}

/** The text is there, or was for a moment since the page was loaded. */
export async function sawText(page: Page, text: RegExp, from = 0): Promise<void> {
  const seen = () =>
    page.evaluate((begin) => (globalThis as unknown as Watched).seenTexts.slice(begin), from).catch(() => []);
  await expect
    .poll(async () => (await seen()).some((one) => text.test(one)), {
      timeout: ACTION_MS,
      message: `${text.source} was to be seen`,
    })
    .toBe(true);
}

/** Resolves with a question for texts that come from now on, however short they are there. */
export async function textsFromNow(page: Page): Promise<(text: RegExp) => Promise<void>> {
  const from = await page.evaluate(() => (globalThis as unknown as Watched).seenTexts.length);
  return (text) => sawText(page, text, from);
}

/**
 * Looks out for an element from now on, with this text in it where one is given, however short it is there. Resolves with a promise
 * maker: await what it returns once what brings the element about was done.
 */
export async function sightOf(page: Page, selector: string, text = ''): Promise<() => Promise<void>> {
  const watch = await page.evaluateHandle(
    ([css, words]) => {
      const found = { isSeen: false };
      const look = (): void => {
        if (found.isSeen) return;
        found.isSeen = [...document.querySelectorAll(css!)].some((one) => one.textContent.includes(words!));
      };
      new MutationObserver(look).observe(document, {
        ...{ subtree: true, childList: true, characterData: true, attributes: true },
      });
      look();
      return found;
    },
    [selector, text],
  );
  return () =>
    expect
      .poll(() => watch.evaluate(({ isSeen }) => isSeen), {
        timeout: ACTION_MS,
        message: `${selector} was to be seen${text === '' ? '' : `, with ${text}`}`,
      })
      .toBe(true);
}

/** What leaves by itself after exactly this long stays, on the page, or on all of the window, that is loaded from now on. */
export async function stayWith(place: BrowserContext | Page, shownMs: number): Promise<void> {
  await place.addInitScript((ms) => {
    const begin = globalThis.setTimeout;
    globalThis.setTimeout = ((run: TimerHandler, delayMs?: number, ...rest: unknown[]) =>
      begin(run, delayMs === ms ? 3_600_000 : delayMs, ...rest)) as typeof globalThis.setTimeout;
  }, shownMs);
}

/**
 * Keys that belong together, pressed one right after the other whatever else the machine does: time that passes between them would mean
 * something. What has the focus gets them.
 */
export async function pressTogether(page: Page, keys: readonly string[]): Promise<void> {
  await page.evaluate(async (pressed) => {
    for (const key of pressed) {
      const press = { key, bubbles: true, cancelable: true };
      document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', press));
      document.activeElement!.dispatchEvent(new KeyboardEvent('keyup', press));
      // What one key changed is on the screen before the next; no timer ends in between.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  }, keys);
}

/** Clicks a control of the player, which hides when nothing moves for a while: a hand that looks for it moves first. */
export async function clickControl(page: Page, control: Locator): Promise<void> {
  const endsAt = Date.now() + ACTION_MS;
  for (let step = 0; ; step++) {
    await page.mouse.move(300 + (step % 2) * 8, 300);
    try {
      return await control.click({ timeout: 1_500 });
    } catch (error) {
      if (Date.now() > endsAt) throw error;
    }
  }
}

/** For a test that fails: keeps a picture of the screen, which says more than the call that timed out, and prints where, with the last lines of the consoles and of the engine. */
export function tellFailure(
  test: string,
  page: () => Page,
  engine: { output(): string },
  consoleLines: readonly string[] = [],
): void {
  onTestFailed(async () => {
    const file = join(SCREENS, `failed ${test.slice(0, 60)}.png`);
    await page()
      .screenshot({ path: file })
      .catch(() => undefined);
    const lines = consoleLines.slice(-20).join('\n');
    console.log(`The screen: ${file}\n${lines}\nThe engine:\n${engine.output().slice(-2_000)}`);
  });
}
