/**
 * From a click, or a key that seeks, until the first frame of that place has been painted (`requestVideoFrameCallback`), in a real
 * Chromium. Ours is the whole engine with its client, from the page of a movie that somebody has just opened. Peers: for a file
 * as it is a bare video element and nginx; else a bare page with hls.js, and ffmpeg that makes HLS from the wanted place on.
 * Every round begins on a fresh page, seeks go to places where nobody has been; rounds of ours and of the peer alternate, medians count.
 * Between two rounds all that is still being made is given time to end, so that neither is measured beside what the other has left.
 */
import { copyFile, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { movies } from '#protocol/index.ts';
import { openBrowser } from '#test/support/browser.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { descendants } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';
import { frameMovies } from './first-frame/movies.ts';
import type { FrameMovies } from './first-frame/movies.ts';
import { PeerPage } from './first-frame/peer-page.ts';
import { processorSeconds } from './processor-time.ts';
import { median } from './quantile.ts';
import { NGINX_MISSING, Nginx, findNginx } from './ranges/nginx.ts';
import type { Bench, BenchReport } from './row.ts';

const MODES = ['direct', 'remux', 'transcode'] as const;
type Mode = (typeof MODES)[number];

/** Places to seek to, in tenths, one a round. How far a place lies behind its keyframe is most of what a seek into a file costs. */
const PLACES = ['5', '3', '7', '4', '6', '2', '8'] as const;
const TITLES: Readonly<Record<Mode, string>> = { direct: 'Sunrise', remux: 'Nosferatu', transcode: 'Metropolis' };
const FILES: Readonly<Record<Mode, string>> = {
  direct: 'Sunrise (1927).mp4',
  remux: 'Nosferatu (1922).mkv',
  transcode: 'Metropolis (1927).mkv',
};

/** A host that does nothing uses less than this of the processor in a turn; previews of a movie begin 3 s after it was opened. */
const QUIET_S = 0.05;
const TURN_MS = 500;
const QUIET_TURNS = 8;
const REST_WITHIN_MS = 12_000;

interface Round {
  readonly startMs: number;
  readonly seekMs: number;
}

/** Runs in the page before its own scripts: remembers when it was clicked or a key was pressed, and which frames came when. */
function watchFrames(): void {
  const marks = { actionMs: 0, frames: [] as { paintedMs: number; mediaS: number }[] };
  Object.assign(globalThis, { marks });
  const act = (event: Event): void => {
    if (event instanceof KeyboardEvent && !/^\d$/.test(event.key)) return;
    marks.actionMs = event.timeStamp;
    marks.frames = [];
  };
  for (const type of ['click', 'keydown']) addEventListener(type, act, true);
  const watched = new WeakSet<HTMLVideoElement>();
  const look = (): void => {
    for (const video of document.querySelectorAll('video')) {
      if (watched.has(video)) continue;
      watched.add(video);
      const onFrame: VideoFrameRequestCallback = (_, { presentationTime, mediaTime }) => {
        marks.frames.push({ paintedMs: presentationTime, mediaS: mediaTime });
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}

/** Of the first frame since the click or key that lies at or behind `fromS`. */
async function firstFrameMs(page: Page, fromS: number): Promise<number> {
  const handle = await page.waitForFunction(
    (from) => {
      const { marks } = globalThis as unknown as {
        marks: { actionMs: number; frames: { paintedMs: number; mediaS: number }[] };
      };
      const frame = marks.frames.find(({ mediaS, paintedMs }) => mediaS >= from && paintedMs > marks.actionMs);
      return frame && marks.actionMs > 0 ? { ms: frame.paintedMs - marks.actionMs } : null;
    },
    fromS,
    { timeout: 30_000 },
  );
  return (await handle.jsonValue())!.ms;
}

async function round(page: Page, click: () => Promise<void>, place: string, seekFromS: number): Promise<Round> {
  await click();
  const startMs = await firstFrameMs(page, 0);
  // It plays for a moment, as it does before somebody seeks.
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
  await page.keyboard.press(place);
  const seekMs = await firstFrameMs(page, seekFromS);
  return { startMs, seekMs };
}

async function run(report: BenchReport): Promise<void> {
  const files: FrameMovies = await frameMovies(join(import.meta.dirname, '.media'), (text) => report.note(text));
  await using stack = new AsyncDisposableStack();
  const base = await realpath(await mkdtemp(join(tmpdir(), 'matinee-bench-frame-')));
  stack.defer(() => rm(base, { recursive: true, force: true }));
  for (const mode of MODES) {
    await putMovie(join(base, 'movies', FILES[mode]), files[mode]);
    await readFile(files[mode]); // into the page cache
  }
  const engine = stack.use(
    await startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'movies')],
      flags: ['--watch', 'off', '--log-level', 'warn'],
      environment: adminEnvironment,
    }),
  );
  const person = stack.use(await Person.signIn(engine.url));
  await person.scan();
  const browser = await openBrowser();
  stack.defer(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1_280, height: 720 } });
  await context.addInitScript(watchFrames);
  await context.addCookies([
    { name: 'matinee_session', value: person.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
  ]);

  const program = findNginx();
  if (program === null) report.note(NGINX_MISSING);
  // In folders of their own: started by root, its worker may not look into ours.
  const [served, scratch] = [await temporary(stack), await temporary(stack)];
  await copyFile(files.direct, join(served, 'movie.mp4'));
  const nginx = program === null ? null : stack.use(await Nginx.start(program, served, scratch));
  const peer = stack.use(await PeerPage.start(files));

  for (const mode of MODES) {
    const { id, durationMs } = await movieOf(person, TITLES[mode]);
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (const place of PLACES) {
      const seekFromS = (Number(place) / 10) * (durationMs / 1_000) - 0.2;
      ours.push(await oursOnce(context, engine.url, id, place, seekFromS));
      await untilRest(engine.pid);
      if (mode === 'direct' && nginx === null) continue;
      const address = new URL(peer.url);
      address.searchParams.set('mode', mode);
      address.searchParams.set('length', String(durationMs / 1_000));
      if (nginx !== null) address.searchParams.set('file', `http://127.0.0.1:${nginx.port}/movie.mp4`);
      // What is made begins anew at 0 wherever it was sought to.
      theirs.push(await peerOnce(context, address.href, place, mode === 'direct' ? seekFromS : 0));
      await peer.rest();
    }
    const peerName = mode === 'direct' ? 'bare video element, nginx' : 'bare hls.js, ffmpeg';
    for (const kind of ['startMs', 'seekMs'] as const) {
      const values = ours.map((one) => one[kind]);
      const others = theirs.map((one) => one[kind]);
      const metric = `${mode}, ${kind === 'startMs' ? 'click to first frame' : 'seek to first frame'}`;
      report.row({
        ...{ metric, unit: 'ms', ours: median(values), better: 'less' },
        ...(others.length > 0 && { peer: median(others), peerName }),
      });
      report.note(`${metric}: ours ${spread(values)}${others.length > 0 ? `, ${peerName} ${spread(others)}` : ''}`);
    }
  }
}

async function temporary(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-frame-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function movieOf(person: Person, title: string): Promise<{ id: string; durationMs: number }> {
  const { id } = await person.movie(title);
  const { movie } = await person.request(movies.get, { movieId: id });
  return { id, durationMs: movie.durationMs ?? 0 };
}

/** From the page of the movie, which has been open for a moment. */
async function oursOnce(
  context: BrowserContext,
  url: string,
  movieId: string,
  place: string,
  seekFromS: number,
): Promise<Round> {
  const page = await context.newPage();
  try {
    await page.goto(`${url}/movies/${movieId}`, { waitUntil: 'networkidle' });
    // From the beginning, also where an earlier round has left its place.
    const play = page.locator('a[href*="/play/"]').and(page.getByRole('link', { name: /^(Play|From the beginning)$/ }));
    await play.first().hover();
    return await round(page, () => play.first().click(), place, seekFromS);
  } catch (error) {
    // What the page says of it is worth more than that nothing came.
    throw new Error(`nothing was painted; the page says: ${await page.locator('main').innerText()}`, { cause: error });
  } finally {
    await page.close();
  }
}

async function peerOnce(context: BrowserContext, url: string, place: string, seekFromS: number): Promise<Round> {
  const page = await context.newPage();
  try {
    await page.goto(url, { waitUntil: 'networkidle' });
    return await round(page, () => page.getByRole('button').click(), place, seekFromS);
  } finally {
    await page.close();
  }
}

/**
 * Until what was begun for a round is done: segments that are made ahead, previews, marks. It would make the peer's round slower, and ours
 * after it, as what the peer has left would.
 */
async function untilRest(enginePid: number): Promise<void> {
  const used = (): number =>
    descendants(enginePid)
      .filter(({ command }) => command.includes('/engine/hosts/'))
      .reduce((sum, { pid }) => sum + secondsOf(pid), 0);
  const deadlineMs = performance.now() + REST_WITHIN_MS;
  for (let quietTurns = 0; quietTurns < QUIET_TURNS && performance.now() < deadlineMs;) {
    const before = used();
    await wait(TURN_MS);
    quietTurns = used() - before <= QUIET_S ? quietTurns + 1 : 0;
  }
}

/** 0 where it has ended meanwhile. */
function secondsOf(pid: number): number {
  try {
    return processorSeconds(pid);
  } catch {
    return 0;
  }
}

const spread = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)} ms`;

export const bench: Bench = {
  name: 'first-frame',
  about:
    'click and seek to the first painted frame in Chromium: as it is, repackaged, encoded; beside nginx, hls.js and ffmpeg',
  run,
};
