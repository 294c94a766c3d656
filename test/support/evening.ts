/**
 * The frame of tests of screens: an engine with its library, somebody who is signed in there, a browser, pages as that person sees
 * them, and what those pages complained of. Opened before the tests of a `describe`, closed after them.
 */
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { ACTION_MS, SCREENS, openBrowser, tellFailure, watchTexts } from './browser.ts';
import { Person, adminEnvironment } from './person.ts';
import { startEngine } from './running-engine.ts';
import type { EngineStart, RunningEngine } from './running-engine.ts';

/** Making the movies, a first start and a scan, on a machine that has other things to do. */
const OPENING_MS = 280_000;

export interface EveningOptions {
  /** Begins the names of its folder and of its pictures: `moving`. */
  readonly name: string;
  /** Puts movies into the folder of the library, and says what else the engine is started with. Without it there is no library. */
  readonly prepare?: (evening: Evening) => Promise<Partial<EngineStart> | void>;
  /** The library was looked through when the tests begin. */
  readonly isScanned?: boolean;
  /** There is no account yet: nobody is signed in. */
  readonly isNew?: boolean;
  /** What the first page is opened with. */
  readonly screen?: BrowserContextOptions;
  /**
   * What the browser writes down as an error although it is an answer, such as `status of 404`: every other error that it writes down
   * is trouble. Without it only what pages throw is.
   */
  readonly answers?: RegExp;
}

export class Evening {
  readonly #options: EveningOptions;
  readonly #kept: AsyncDisposable[] = [];
  /** Absolute, without links, with a space in it. */
  base = '';
  engine!: RunningEngine;
  ada!: Person;
  browser!: Browser;
  /** The page that is looked at: of a test that fails, a picture of it is kept. */
  page!: Page;
  /** What pages threw, and what the browser complained of. */
  readonly troubles: string[] = [];
  /** Everything that was written to the consoles of the pages. */
  readonly consoleLines: string[] = [];

  constructor(options: EveningOptions) {
    this.#options = options;
  }

  /** The folder of the library. */
  get films(): string {
    return join(this.base, 'Films');
  }

  async open(): Promise<void> {
    const { name, prepare, isScanned = false, isNew = false, screen } = this.#options;
    await mkdir(SCREENS, { recursive: true });
    this.base = await realpath(await mkdtemp(join(tmpdir(), `matinee ${name} `)));
    await mkdir(this.films);
    const start = (await prepare?.(this)) ?? {};
    this.engine = await startEngine({
      dataFolder: join(this.base, 'data'),
      libraries: prepare === undefined || isNew ? [] : [this.films],
      ...start,
      environment: { ...(isNew ? {} : adminEnvironment), ...start.environment },
    });
    if (!isNew) this.ada = await Person.signIn(this.engine.url);
    if (isScanned) await this.ada.scan();
    this.browser = await openBrowser();
    this.page = await this.newPage(screen);
  }

  async close(): Promise<void> {
    this.ada?.[Symbol.dispose]();
    await this.browser?.close();
    await this.engine?.[Symbol.asyncDispose]();
    for (const kept of this.#kept.toReversed()) await kept[Symbol.asyncDispose]();
    if (this.base !== '') await rm(this.base, { recursive: true, force: true });
  }

  /** Something that the engine needs as long as it runs: closed after it. */
  keep<T extends AsyncDisposable>(kept: T): T {
    this.#kept.push(kept);
    return kept;
  }

  /** Ends the engine as a power cut would, and starts it again at the same address. */
  async powerCut(): Promise<void> {
    await this.engine.kill();
    await this.startAgain();
  }

  async startAgain(): Promise<void> {
    this.engine = await startEngine({ dataFolder: join(this.base, 'data'), port: this.engine.port });
  }

  /** A page in a window of its own, signed in where anybody is. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
    if (!this.#options.isNew) {
      await context.addCookies([
        { name: 'matinee_session', value: this.ada.token, url: this.engine.url, httpOnly: true, sameSite: 'Strict' },
      ]);
    }
    await watchTexts(context);
    return await this.pageIn(context);
  }

  /** Another page of a window that is there. */
  async pageIn(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(ACTION_MS);
    page.on('pageerror', (error) => {
      this.troubles.push(`page error: ${error.message}`);
      this.consoleLines.push(String(error));
    });
    page.on('console', (message) => {
      const text = message.text();
      this.consoleLines.push(text);
      const { answers } = this.#options;
      if (message.type() !== 'error' || answers === undefined || answers.test(text)) return;
      this.troubles.push(`${text} ${message.location().url}`);
    });
    return page;
  }

  /** Keeps a picture of a page for whoever wants to see how it looks. */
  async picture(name: string, page: Page = this.page, options: { fullPage?: boolean } = {}): Promise<void> {
    await page.screenshot({ path: join(SCREENS, `${this.#options.name} ${name}.png`), ...options });
  }
}

/** For a `describe`: open when its tests begin, closed when they have ended. */
export function openEvening(options: EveningOptions): Evening {
  const evening = new Evening(options);
  beforeAll(() => evening.open(), OPENING_MS);
  beforeEach(({ task }) =>
    tellFailure(task.name, () => evening.page, { output: () => evening.engine.output() }, evening.consoleLines),
  );
  afterAll(() => evening.close(), 120_000);
  return evening;
}
