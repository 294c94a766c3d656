/** A movie that would stand still: segments that take long to make, places at the very end, a server that sends nothing. A real engine, a real browser. */
import { mkdtemp, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page, Route } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { playback } from '#protocol/index.ts';
import { openBrowser, tellFailure } from '#test/support/browser.ts';
import { clip, h264, picture, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** 60 s of H.264 that this browser does not open as a file, for its sound: it comes repackaged, with rungs beside it. */
const repackaged = (): Promise<string> =>
  clip({
    name: 'standing-still.mkv',
    args: [...picture(60, '640x360'), ...tone(60), ...h264(48), '-b:v', '1500k', '-c:a', 'ac3', '-b:a', '96k'],
  });

/**
 * 100 s of VP9, dense with noise, with sound that this browser does not decode: it comes repackaged, with rungs in H.264 beside it. As a movie in HEVC is
 * on a device that decodes that.
 */
const otherCodec = (): Promise<string> =>
  clip({
    name: 'standing-still-vp9.mkv',
    args: [
      ...[...picture(100, '426x240'), ...tone(100), '-vf', 'noise=alls=40:allf=t', '-c:v', 'libvpx-vp9'],
      ...['-deadline', 'realtime', '-cpu-used', '8', '-row-mt', '1', '-b:v', '2M', '-minrate', '2M', '-maxrate', '2M'],
      ...['-g', '48', '-c:a', 'ac3', '-b:a', '96k'],
    ],
  });

describe('a movie that would stand still', () => {
  let base: string;
  let engine: RunningEngine;
  let ada: Person;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let movieId: string;
  let otherId: string;

  const start = (port?: number) =>
    startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'Films')],
      environment: adminEnvironment,
      ...(port === undefined ? {} : { port }),
    });

  /** Positions are asked of the element, by whatever it says: no picture has to be there. */
  const plays = (fromS: number) =>
    page.waitForFunction((from) => {
      const video = document.querySelector('video');
      return video !== null && !video.seeking && !video.paused && video.currentTime > from;
    }, fromS);

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee standing still ')));
    await putMovie(join(base, 'Films', 'Still Life (1979).mkv'), await repackaged());
    await putMovie(join(base, 'Films', 'Motion (1981).mkv'), await otherCodec());
    engine = await start();
    ada = await Person.signIn(engine.url);
    await ada.scan();
    movieId = (await ada.movie('Still Life')).id;
    otherId = (await ada.movie('Motion')).id;
    browser = await openBrowser();
  }, 240_000);

  beforeEach(async ({ task }) => {
    tellFailure(task.name, () => page, engine);
    context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1_280, height: 800 } });
    await context.addCookies([
      { name: 'matinee_session', value: ada.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
  });

  afterEach(async () => {
    await context.close();
  });

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  }, 60_000);

  it('[PLAY35] jumps while a rung is being made end in no storm of requests for it, and it plays', async () => {
    await page.goto(`${engine.url}/play/${movieId}?from-start`);
    await plays(0.3);
    // The rung's first bytes come when the last jump has been made, as from a server that has to make them.
    const held: Route[] = [];
    const asked: string[] = [];
    let isHolding = true;
    await page.route(/\/v[1-9]\/(init\.mp4|\d+\.m4s)$/, async (route) => {
      asked.push(new URL(route.request().url()).pathname.split('/').at(-1)!);
      if (isHolding) held.push(route);
      else await route.continue();
    });
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('menuitem', { name: /^Quality/ }).click();
    await page.getByRole('menuitemradio', { name: /240/ }).click();
    await expect.poll(() => asked.filter((name) => name !== 'init.mp4').length, { timeout: 60_000 }).toBe(1);
    // Each jump gives the segment of the one before up, and asks for one of its own.
    for (const [at, toS] of [20, 35, 50].entries()) {
      await page.evaluate((seconds) => {
        document.querySelector('video')!.currentTime = seconds;
      }, toS);
      const segments = (): Set<string> => new Set(asked.filter((name) => name !== 'init.mp4'));
      await expect.poll(() => segments().size, { timeout: 60_000 }).toBe(at + 2);
    }
    // Two dozen turns of the player's own clock, at each of which it could give up what it asked for and ask again.
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          let turns = 0;
          const turn = setInterval(() => {
            if (++turns < 24) return;
            clearInterval(turn);
            resolve();
          }, 100);
        }),
    );
    const last = asked.findLast((name) => name !== 'init.mp4')!;
    expect(asked.filter((name) => name === last).length).toBeLessThanOrEqual(3);
    isHolding = false;
    await Promise.all(held.map((route) => route.continue().catch(() => undefined)));
    await plays(48);
  });

  it('[PLAY35] the last pictures are shown to who goes there at once', async () => {
    // Sought to before anything of it is there: the last picture but a few.
    await page.addInitScript(() => {
      document.addEventListener(
        'loadedmetadata',
        ({ target }) => {
          const video = target as HTMLVideoElement;
          video.currentTime = video.duration - 0.03;
        },
        { capture: true, once: true },
      );
    });
    await page.goto(`${engine.url}/play/${movieId}?from-start`);
    await page.waitForFunction(() => document.querySelector('video')?.ended === true);
  });

  it('[PLAY35] where nothing comes for too long it says so, with a way to try again that works', async () => {
    await page.clock.install();
    await page.goto(`${engine.url}/play/${movieId}?from-start`);
    await plays(0.3);
    // From here on the server takes every request for a segment and answers none.
    const isSegment = /\/(init\.mp4|\d+\.m4s)$/;
    let opened = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/v0/index.m3u8')) opened += 1;
    });
    await page.route(isSegment, () => undefined);
    await page.keyboard.press('9');
    // Two minutes, as fast as the page gets through them.
    const said = page.getByRole('alert').filter({ hasText: 'The movie does not arrive' });
    await expect
      .poll(
        async () => {
          await page.clock.runFor(2_000);
          return await said.count();
        },
        { timeout: 150_000 },
      )
      .toBe(1);
    // It was opened anew before it was given up: as it was, and softer.
    expect(opened).toBeGreaterThanOrEqual(1);
    await page.unroute(isSegment);
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect
      .poll(
        async () => {
          await page.clock.runFor(200);
          return await page.evaluate(() => {
            const video = document.querySelector('video');
            return video !== null && !video.seeking && video.readyState >= 3 ? video.currentTime : 0;
          });
        },
        { timeout: 90_000 },
      )
      .toBeGreaterThan(53);
  });

  it('[PLAY34] a line too weak for the codec of the file goes on in another', async () => {
    const asked: string[] = [];
    page.on('request', (request) => {
      const [, name] = /\/(v\d+)\/\d+\.m4s$/.exec(new URL(request.url()).pathname) ?? [];
      if (name !== undefined) asked.push(name);
    });
    const line = await context.newCDPSession(page);
    await line.send('Network.enable');
    const carry = (bps: number): Promise<unknown> =>
      line.send('Network.emulateNetworkConditions', {
        ...{ offline: false, latency: 0, uploadThroughput: -1 },
        downloadThroughput: bps / 8,
      });
    await page.goto(`${engine.url}/play/${otherId}?from-start`);
    await plays(0.3);
    expect(asked).toContain('v0');
    await carry(900_000);
    // To a place of which nothing is there yet.
    await page.keyboard.press('5');
    await expect.poll(() => asked.some((name) => name !== 'v0'), { timeout: 90_000 }).toBe(true);
    await plays(50.2);
  });

  it('[PLAY34] [PLAY100] it comes back to the file’s own picture when the line is good again, and the screen is never black', async () => {
    const asked: { variant: string; segment: number; url: string }[] = [];
    page.on('request', (request) => {
      const [, variant, segment] = /\/(v\d+)\/(\d+)\.m4s$/.exec(new URL(request.url()).pathname) ?? [];
      if (variant !== undefined) asked.push({ variant, segment: Number(segment), url: request.url() });
    });
    const line = await context.newCDPSession(page);
    await line.send('Network.enable');
    const carry = (bps: number): Promise<unknown> =>
      line.send('Network.emulateNetworkConditions', {
        ...{ offline: false, latency: 0, uploadThroughput: -1 },
        downloadThroughput: bps < 0 ? -1 : bps / 8,
      });
    // Enough for the movie, but not to have half of it at once.
    await carry(5_000_000);
    await page.goto(`${engine.url}/play/${otherId}?from-start`);
    await plays(0.3);
    // What is on the screen, as the browser puts it there.
    const screen = await context.newCDPSession(page);
    const pictures: Buffer[] = [];
    screen.on('Page.screencastFrame', ({ data, sessionId }) => {
      pictures.push(Buffer.from(data, 'base64'));
      void screen.send('Page.screencastFrameAck', { sessionId }).catch(() => undefined);
    });
    const jpeg = { format: 'jpeg', quality: 40, maxWidth: 160, maxHeight: 100, everyNthFrame: 3 } as const;
    await screen.send('Page.startScreencast', jpeg);
    await carry(900_000);
    await page.keyboard.press('2');
    const isSofter = ({ variant }: { variant: string }): boolean => variant !== 'v0';
    await expect.poll(() => asked.some(isSofter), { timeout: 90_000 }).toBe(true);
    const softer = asked.findIndex(isSofter);
    await plays(20.2);
    await carry(-1);
    // Not before it has carried much more for a while; then the file's own picture is loaded, and shown.
    const back = () => asked.slice(softer).find((one) => !isSofter(one));
    await expect.poll(back, { timeout: 120_000 }).toBeDefined();
    const { segment, url } = back()!;
    const playlist = await (await fetch(url.replace(/\d+\.m4s$/, 'index.m3u8'))).text();
    const lengths = [...playlist.matchAll(/^#EXTINF:([\d.]+)/gm)].map(([, seconds]) => Number(seconds));
    await plays(lengths.slice(0, segment).reduce((sum, seconds) => sum + seconds, 0) + 0.5);
    await screen.send('Page.stopScreencast');
    expect(pictures.length).toBeGreaterThan(20);
    const brightness = await Promise.all(
      pictures.map(async (bytes) => {
        const { width, height } = await sharp(bytes).metadata();
        const middle = { left: width >> 2, top: height >> 2, width: width >> 1, height: height >> 1 };
        const { channels } = await sharp(bytes).extract(middle).greyscale().stats();
        return channels[0]!.mean;
      }),
    );
    expect(Math.min(...brightness)).toBeGreaterThan(40);
  }, 360_000);

  it('what is loaded plays on while the server is started again, and the rest is fetched then', async () => {
    // Of what lies far ahead nothing comes before the server goes.
    const held: Route[] = [];
    let isHolding = true;
    await page.route(/\/v\d+\/\d+\.m4s$/, async (route) => {
      const [, segment] = /\/(\d+)\.m4s$/.exec(route.request().url())!;
      if (isHolding && Number(segment) >= 25) held.push(route);
      else await route.continue();
    });
    await page.goto(`${engine.url}/play/${otherId}?from-start`);
    await plays(0.3);
    await page.evaluate(() => {
      const video = document.querySelector('video')!;
      video.addEventListener('emptied', () => (video.dataset['emptied'] = 'yes'));
    });
    const element = () =>
      page.evaluate(() => {
        const { buffered, currentTime, dataset } = document.querySelector('video')!;
        return {
          endS: buffered.length > 0 ? buffered.end(buffered.length - 1) : 0,
          currentTime,
          wasEmptied: 'emptied' in dataset,
        };
      });
    await expect.poll(() => held.length).toBeGreaterThan(0);
    const before = await element();
    expect(before.endS - before.currentTime).toBeGreaterThan(5);
    await engine.kill();
    engine = await start(engine.port);
    isHolding = false;
    for (const route of held) await route.abort().catch(() => undefined);
    await expect.poll(async () => (await element()).endS, { timeout: 120_000 }).toBeGreaterThan(before.endS + 5);
    const after = await element();
    expect(after.wasEmptied).toBe(false);
    expect(after.currentTime).toBeGreaterThan(before.currentTime);
    await plays(after.currentTime + 1);
  }, 360_000);

  it('[PLAY23] a file that went while the server was away is no device’s fault, and it goes on when the file is back', async () => {
    const path = join(base, 'Films', 'Motion (1981).mkv');
    const hidden = join(base, 'elsewhere.mkv');
    const otherFileId = (await ada.call(playback.open, { movieId: otherId })).fileId;
    await page.goto(`${engine.url}/play/${otherId}?from-start`);
    await plays(0.3);
    await engine.kill();
    await rename(path, hidden);
    engine = await start(engine.port);
    await page.keyboard.press('9');
    // Whatever the server has found out by then: at first it can't read the file, and later it knows that it has gone.
    await page.getByText(/It goes on here as soon as it is there/).waitFor();
    await rename(hidden, path);
    await plays(90.5);
    expect(await page.evaluate(() => Object.values(localStorage).join('\n'))).not.toContain(otherFileId);
  }, 360_000);
});
