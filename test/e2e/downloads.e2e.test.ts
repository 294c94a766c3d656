/** Movies that somebody takes along: asked for on a movie's page, prepared, saved, cancelled, failed. A real engine, a real browser. */
import { execFile } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Download, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloads } from '#protocol/methods/downloads.ts';
import { axeProblems, sawText, textsFromNow } from '#test/support/browser.ts';
import { openEvening } from '#test/support/evening.ts';
import { clip, ffprobe, h264, picture, textFile, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { descendants } from '#test/support/processes.ts';
import { supFile } from '#test/support/subtitles.ts';

const SECONDS = 6;
/** What prepares copies steps back behind everything else: on a machine that has much to do, far behind. */
const PREPARED = { timeout: 240_000 };
const TEST_MS = 420_000;

interface Probed {
  readonly format: { readonly format_name: string; readonly duration: string };
  readonly streams: readonly {
    readonly codec_type: string;
    readonly codec_name: string;
    readonly height?: number;
    readonly tags?: { readonly language?: string };
  }[];
}

/**
 * Holds whatever prepares copies as long as it is told to: what is seen while one is prepared is then there for as long as somebody looks.
 * Not for long: one that answers nobody is given up after a minute.
 */
class HostBrake {
  readonly #enginePid: () => number;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #held = new Set<number>();
  #isOn = false;

  constructor(enginePid: () => number) {
    this.#enginePid = enginePid;
    this.#timer = setInterval(() => this.#look(), 25);
  }

  pull(): void {
    this.#isOn = true;
  }

  release(): void {
    this.#isOn = false;
    for (const pid of this.#held) signal(pid, 'SIGCONT');
    this.#held.clear();
  }

  end(): void {
    clearInterval(this.#timer);
    this.release();
  }

  #look(): void {
    if (!this.#isOn) return;
    for (const { pid, command } of descendants(this.#enginePid())) {
      if (!command.endsWith('/hosts/download.host.ts') || this.#held.has(pid)) continue;
      if (signal(pid, 'SIGSTOP')) this.#held.add(pid);
    }
  }
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

describe('taking a movie along', { timeout: TEST_MS }, () => {
  const evening = openEvening({
    name: 'downloads',
    prepare: async ({ films, base }) => {
      const lines = await textFile('take-along.srt', '1\n00:00:01,000 --> 00:00:05,000\nGood evening\n');
      const film = await clip({
        name: 'take-along.mkv',
        args: [
          ...[...picture(SECONDS, '640x360', '12'), ...tone(SECONDS, 300), ...tone(SECONDS, 500), '-i', lines],
          ...['-map', '0', '-map', '1', '-map', '2', '-map', '3', ...h264(12), '-c:a:0', 'ac3', '-c:a:1', 'aac'],
          ...['-c:s', 'srt', '-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=ger'],
          ...['-metadata:s:s:0', 'language=eng', '-disposition:a:0', 'default'],
        ],
      });
      await putMovie(join(films, 'Metropolis (1927).mkv'), film);
      await putMovie(join(films, 'Nosferatu (1922).mkv'), film);
      const letters = join(base, 'letters.sup');
      await writeFile(letters, supFile([{ startMs: 1_000, endMs: 4_000, x: 320, y: 600, width: 640, height: 80 }]));
      const part = join(base, 'part.mkv');
      const tracks = ['-map', '0', '-map', '1', '-c', 'copy', '-metadata:s:s:1', 'language=ger'];
      await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', film, '-i', letters, ...tracks, part]);
      for (const number of [1, 2]) await putMovie(join(films, `Faust (1926) - part${number}.mkv`), part);
      // What lies on the disk is not looked at again: one test takes a file away behind the server's back.
      return { flags: ['--watch', 'off'] };
    },
    isScanned: true,
    screen: { viewport: { width: 1_280, height: 900 }, acceptDownloads: true },
  });
  let page: Page;
  let brake: HostBrake;
  beforeAll(() => {
    ({ page } = evening);
    brake = new HostBrake(() => evening.engine.pid);
  });
  afterAll(() => brake?.end());

  const dialog = (): Locator => page.getByRole('dialog', { name: /^Download “/ });
  const row = (title: string, words: string | RegExp): Locator =>
    page.locator('[data-row]').filter({ hasText: title }).filter({ hasText: words });

  async function openDialog(title: string): Promise<void> {
    const { id } = await evening.ada.movie(title);
    await page.goto(`${evening.engine.url}/movies/${id}`);
    await page.getByRole('button', { name: 'Download' }).click();
    await dialog().getByRole('radiogroup').waitFor();
  }

  async function prepare(title: string, quality: RegExp): Promise<void> {
    await openDialog(title);
    await dialog().getByRole('radio', { name: quality }).click();
    await dialog().getByRole('button', { name: 'Prepare it' }).click();
    await dialog().waitFor({ state: 'detached' });
  }

  const openScreen = async (): Promise<void> => {
    await page.goto(`${evening.engine.url}/downloads`);
    await page.getByRole('heading', { level: 1, name: 'Downloads' }).waitFor();
  };

  async function saved(press: () => Promise<unknown>): Promise<{ readonly download: Download; readonly path: string }> {
    const [download] = await Promise.all([page.waitForEvent('download'), press()]);
    return { download, path: await download.path() };
  }

  async function looksGood(name: string): Promise<void> {
    for (const [width, height] of [
      [390, 844],
      [1_920, 1_080],
      [1_280, 900],
    ] as const) {
      await page.setViewportSize({ width, height });
      await evening.picture(`${name} ${width}`);
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await expect.poll(wide, { message: `nothing stands over the edge at ${width}` }).toBeLessThanOrEqual(0);
    }
    expect(await axeProblems(page), name).toEqual([]);
  }

  it('says how it is done while nothing was taken along', async () => {
    await page.goto(`${evening.engine.url}/downloads`);
    await page.getByRole('heading', { name: 'Nothing to take along yet' }).waitFor();
    await looksGood('empty');
  });

  it('offers the file as it is and copies of it, with sound and subtitles to choose', async () => {
    await openDialog('Metropolis');
    const form = (name: RegExp) => dialog().getByRole('radio', { name });
    await form(/^Original, Matroska/).waitFor();
    await form(/^MP4, full quality/).waitFor();
    await form(/^MP4, 240p/).click();
    expect(await form(/^MP4, 240p/).getAttribute('aria-checked')).toBe('true');
    await dialog()
      .getByRole('checkbox', { name: /^German/ })
      .check();
    await dialog()
      .getByRole('checkbox', { name: /^English$/ })
      .check();
    await looksGood('dialog');
    // Nobody chooses tracks of a file that comes as it is.
    await form(/^Original/).click();
    await expect.poll(() => dialog().getByRole('checkbox').count()).toBe(0);
    await form(/^MP4, 240p/).click();
    await dialog()
      .getByRole('checkbox', { name: /^German/ })
      .waitFor();
  });

  it('a copy is prepared, which is seen, and saved as what was asked for', async () => {
    brake.pull();
    const said = await textsFromNow(page);
    await dialog().getByRole('button', { name: 'Prepare it' }).click();
    await said(/“Metropolis” is being prepared/);
    await page
      .getByRole('link', { name: /^Downloads/ })
      .first()
      .click();
    const copy = row('Metropolis', 'MP4, 240p');
    await copy.getByRole('progressbar', { name: 'Preparing Metropolis' }).waitFor(PREPARED);
    await copy.getByText('2 sound tracks').waitFor();
    await evening.picture('preparing');
    expect(await axeProblems(page)).toEqual([]);
    brake.release();
    await copy.getByText(/^Ready/).waitFor(PREPARED);
    await said(/“Metropolis” is ready to be saved\./);
    await looksGood('ready');
    const { download, path } = await saved(() => copy.getByRole('button', { name: /^Save/ }).click());
    expect(download.suggestedFilename()).toMatch(/^Metropolis.*\.mp4$/);
    const { format, streams } = (await ffprobe(['-show_format', '-show_streams', path])) as Probed;
    expect(format.format_name).toContain('mp4');
    expect(Math.abs(Number(format.duration) - SECONDS)).toBeLessThan(1);
    const [video] = streams.filter(({ codec_type: type }) => type === 'video');
    expect(video).toMatchObject({ codec_name: 'h264', height: 240 });
    const sound = streams.filter(({ codec_type: type }) => type === 'audio');
    expect(sound.map(({ tags }) => tags?.language)).toEqual(['eng', 'deu']);
    expect(streams.filter(({ codec_type: type }) => type === 'subtitle')).toHaveLength(1);
  });

  it('remembers on this device what was chosen last, and knows what is there already', async () => {
    await openDialog('Metropolis');
    await dialog().getByRole('region', { name: 'Already asked for' }).getByText('MP4, 240p').waitFor();
    await dialog().getByRole('button', { name: 'Close' }).click();
    await openDialog('Nosferatu');
    const chosen = dialog().getByRole('radio', { checked: true });
    await chosen.and(dialog().getByRole('radio', { name: /^MP4, 240p/ })).waitFor();
    for (const name of [/^English · /, /^German/, /^English$/]) {
      expect(await dialog().getByRole('checkbox', { name }).isChecked(), String(name)).toBe(true);
    }
  });

  it('tells somebody who is elsewhere that a copy is ready', async () => {
    await prepare('Nosferatu', /^MP4, full quality/);
    await page
      .getByRole('link', { name: /^Downloads.*1 download ready/ })
      .first()
      .waitFor(PREPARED);
    await sawText(page, /“Nosferatu” is ready to be saved\./);
  });

  it('the file as it is comes at once, byte for byte', async () => {
    await openDialog('Metropolis');
    await dialog()
      .getByRole('radio', { name: /^Original/ })
      .click();
    const { download, path } = await saved(() => dialog().getByRole('button', { name: 'Download now' }).click());
    expect(download.suggestedFilename()).toBe('Metropolis (1927).mkv');
    const [there, here] = await Promise.all([readFile(join(evening.films, 'Metropolis (1927).mkv')), readFile(path)]);
    expect(here.equals(there)).toBe(true);
    await dialog().waitFor({ state: 'detached' });
  });

  it('those that wait say how many are before them, and are cancelled by keys without losing one’s place', async () => {
    brake.pull();
    await openScreen();
    for (const title of ['Metropolis', 'Nosferatu']) {
      const { id: movieId, files } = await evening.ada.movie(title);
      await evening.ada.call(downloads.request, { movieId, fileId: files[0]!.id, quality: '360p' });
    }
    const waiting = row('Nosferatu', 'MP4, 360p');
    await waiting.getByText('Next in line').waitFor(PREPARED);
    await evening.picture('waiting');
    await waiting.getByRole('button', { name: 'Cancel Nosferatu' }).focus();
    await page.keyboard.press('Enter');
    await waiting.getByText('Cancelled').waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    await expect.poll(focused).toBe('Prepare again: Nosferatu');

    const making = row('Metropolis', 'MP4, 360p');
    await making.getByRole('progressbar').waitFor();
    await making.getByRole('button', { name: 'Cancel Metropolis' }).click();
    await making.getByText('Cancelled').waitFor();
    brake.release();
    for (const one of [waiting, making]) {
      await one.getByRole('button', { name: /^Remove/ }).click();
      await one.waitFor({ state: 'detached' });
    }
  });

  it('what failed says why, and is tried again', async () => {
    const file = join(evening.films, 'Nosferatu (1922).mkv');
    await rename(file, `${file}.away`);
    await prepare('Nosferatu', /^MP4, 360p/);
    await openScreen();
    const failed = row('Nosferatu', 'MP4, 360p');
    await failed.getByText('The movie’s file is not on the server’s disk just now.').waitFor(PREPARED);
    await looksGood('failed');
    await rename(`${file}.away`, file);
    await failed.getByRole('button', { name: /^Try again/ }).click();
    await failed.getByText(/^Ready/).waitFor(PREPARED);
  });

  it('a copy that is ready is removed only after a question', async () => {
    const copy = row('Nosferatu', 'MP4, 360p');
    await copy.getByRole('button', { name: /^Remove/ }).click();
    const question = page.getByRole('dialog', { name: 'Remove this copy?' });
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'detached' });
    await copy.getByRole('button', { name: /^Remove/ }).click();
    await question.getByRole('button', { name: 'Remove' }).click();
    await copy.waitFor({ state: 'detached' });
  });

  it('who runs the server sees those of everybody', async () => {
    await page.getByRole('button', { name: 'Everyone’s downloads' }).click();
    const everyones = page.getByRole('region', { name: 'Everyone’s downloads' });
    await everyones.getByText(/^All copies together take /).waitFor();
    const hers = everyones.getByRole('listitem').filter({ hasText: 'Metropolis for ada' });
    await hers.first().waitFor();
    await looksGood('everyone');
    // What somebody asks for elsewhere is there as it happens, and gone when it is removed.
    const { id: movieId, files } = await evening.ada.movie('Nosferatu');
    const { download } = await evening.ada.call(downloads.request, { movieId, fileId: files[0]!.id, quality: '240p' });
    const news = everyones.getByRole('listitem').filter({ hasText: 'Nosferatu for ada' }).filter({ hasText: '240p' });
    await news.getByText(/^Ready/).waitFor(PREPARED);
    await evening.ada.call(downloads.remove, { downloadId: download.id });
    await news.waitFor({ state: 'detached' });
  });

  it('all parts of a movie are asked for at once, with drawn subtitles in the picture', async () => {
    await openDialog('Faust');
    const what = dialog().getByLabel('Part');
    expect(await what.locator('option').allTextContents()).toEqual([
      expect.stringMatching(/^Both parts · /),
      expect.stringMatching(/^Part 1 of 2 · /),
      expect.stringMatching(/^Part 2 of 2 · /),
    ]);
    await dialog()
      .getByRole('radio', { name: /^MP4, full quality/ })
      .click();
    const drawn = dialog().getByRole('group', { name: 'Subtitles in the picture' });
    expect(await drawn.getByRole('radio', { name: /^German/ }).isDisabled()).toBe(true);
    await dialog()
      .getByRole('radio', { name: /^MP4, 240p/ })
      .click();
    await drawn.getByRole('radio', { name: /^German/ }).check();
    await looksGood('parts');
    await dialog().getByRole('button', { name: 'Prepare it' }).click();
    await dialog().waitFor({ state: 'detached' });
    await openScreen();
    for (const part of [/Part 1 of 2/, /Part 2 of 2/]) {
      const copy = row('Faust', part);
      await copy.getByText(/^Ready/).waitFor(PREPARED);
      await copy.getByText(/subtitles in the picture/).waitFor();
    }
    const { path } = await saved(() =>
      row('Faust', /Part 2 of 2/)
        .getByRole('button', { name: /^Save/ })
        .click(),
    );
    // The letters are a white bar across the lower part of the picture, from the second second on.
    const args = ['-ss', '2', '-i', path, '-frames:v', '1', '-vf', 'crop=40:8:193:207,scale=1:1', '-pix_fmt', 'gray'];
    const { stdout } = await promisify(execFile)('ffmpeg', ['-v', 'error', ...args, '-f', 'rawvideo', '-'], {
      encoding: 'buffer',
    });
    expect(stdout[0]).toBeGreaterThan(200);
  });

  it('the files of a movie that is cut come one after the other', async () => {
    await openDialog('Faust');
    await dialog()
      .getByRole('radio', { name: /^Original/ })
      .click();
    const names: string[] = [];
    const listen = (download: Download): void => void names.push(download.suggestedFilename());
    page.on('download', listen);
    await dialog().getByRole('button', { name: 'Download now' }).click();
    await expect.poll(() => names.toSorted()).toEqual(['Faust (1926) - Part 1.mkv', 'Faust (1926) - Part 2.mkv']);
    page.off('download', listen);
    await dialog().waitFor({ state: 'detached' });
  });

  it('shows how things stood while the server is away, and goes on when it is back', async () => {
    await openScreen();
    await row('Metropolis', 'MP4, 240p').waitFor();
    await evening.engine.kill();
    await page.getByText('There is no line to the server just now.').waitFor();
    await row('Metropolis', 'MP4, 240p').waitFor();
    await evening.startAgain();
    await page.getByText('There is no line to the server just now.').waitFor({ state: 'detached' });
    const { path } = await saved(() => row('Metropolis', 'MP4, 240p').getByRole('button', { name: /^Save/ }).click());
    expect((await readFile(path)).length).toBeGreaterThan(10_000);
    expect(evening.troubles).toEqual([]);
  });
});
