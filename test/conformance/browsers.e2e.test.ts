/** HLS in a real Chromium, by hls.js and by the browser's own player, on a page of another origin. */
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceProfile, PlayMethod } from '#protocol/schema/playback.ts';
import { openBrowser } from '#test/support/browser.ts';
import { oddMovies } from './odd-movies.ts';
import { OPENING_MS, Theatre } from './theatre.ts';

const hlsScript = createRequire(import.meta.url).resolve('hls.js/dist/hls.js');
const { longMkv, irregularMp4, vfrMkv, startAt10HoursTs, subtitlesMkv } = oddMovies;

/** What Debian's Chromium decodes. */
const CHROMIUM: DeviceProfile = {
  name: 'chromium',
  file: [],
  segments: {
    video: ['h264', 'vp9', 'av1'].map((codec) => ({ codec, maxBitDepth: 8 })),
    audio: ['aac', 'opus', 'flac'],
  },
  hdr: [],
  maxAudioChannels: 2,
};

let theatre: Theatre;
let browser: Browser;
beforeAll(async () => {
  [theatre, browser] = await Promise.all([
    Theatre.open({ longMkv, irregularMp4, vfrMkv, startAt10HoursTs, subtitlesMkv }),
    openBrowser(),
  ]);
}, OPENING_MS);
afterAll(async () => {
  await browser?.close();
  await theatre?.[Symbol.asyncDispose]();
});

type Player = 'hls.js' | 'native';
type Movie = 'longMkv' | 'irregularMp4' | 'vfrMkv' | 'startAt10HoursTs' | 'subtitlesMkv';

/** A page with a movie in it that has begun to play. */
async function openPlayer(
  player: Player,
  movie: Movie,
  without: PlayMethod[],
): Promise<{ page: Page; durationS: number }> {
  const playback = await theatre.play(movie, { profile: CHROMIUM, without });
  const page = await browser.newPage();
  await page.setContent('<video muted playsinline></video>');
  await page.addScriptTag({ path: hlsScript });
  await page.evaluate(
    ([url, kind]) => {
      const seen = window as unknown as { problems: string[]; hls: unknown };
      seen.problems = [];
      const video = document.querySelector('video')!;
      video.addEventListener('error', () => seen.problems.push(`element: ${video.error?.message ?? ''}`));
      if (kind === 'native') video.src = url!;
      else {
        const { Hls } = window as unknown as { Hls: typeof import('hls.js').default };
        const hls = new Hls();
        hls.on(Hls.Events.ERROR, (_, data) => {
          if (data.fatal) seen.problems.push(`${data.type} ${data.details}`);
        });
        hls.loadSource(url);
        hls.attachMedia(video);
        seen.hls = hls;
      }
      return video.play();
    },
    [theatre.urlOf(playback.url), player] as const,
  );
  return { page, durationS: playback.durationMs / 1_000 };
}

const problems = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window as unknown as { problems: string[] }).problems);

/** Goes there and waits until pictures move again. */
async function seek(page: Page, seconds: number): Promise<number> {
  return await page.evaluate(async (target) => {
    const video = document.querySelector('video')!;
    const moved = new Promise<void>((resolve) => {
      const look = (): void => {
        if (video.currentTime > target && !video.seeking) resolve();
        else video.requestVideoFrameCallback(look);
      };
      video.addEventListener('ended', () => resolve(), { once: true });
      video.requestVideoFrameCallback(look);
    });
    video.currentTime = target;
    await video.play();
    await moved;
    return video.currentTime;
  }, seconds);
}

const ROWS: [Player, Movie, PlayMethod[]][] = (['hls.js', 'native'] as const).flatMap((player) => [
  [player, 'longMkv', []],
  [player, 'longMkv', ['remux']],
  [player, 'irregularMp4', []],
  [player, 'vfrMkv', []],
  [player, 'startAt10HoursTs', []],
  [player, 'subtitlesMkv', []],
]);

describe('Chromium', () => {
  it.each(ROWS)('[PLAY81] %s plays %s (without %j): length, seeks, end', async (player, movie, without) => {
    const { page, durationS } = await openPlayer(player, movie, without);
    try {
      const duration = await page.evaluate(() => document.querySelector('video')!.duration);
      expect(Math.abs(duration - durationS)).toBeLessThan(0.1);
      for (const share of [0.5, 0, 0.99, 0.25]) {
        const atS = await seek(page, durationS * share);
        expect(atS).toBeGreaterThanOrEqual(durationS * share);
        expect(atS).toBeLessThan(durationS * share + 2.5);
      }
      // The last seconds, to the end by itself.
      await page.evaluate(
        (target) =>
          new Promise<void>((resolve) => {
            const video = document.querySelector('video')!;
            video.addEventListener('ended', () => resolve(), { once: true });
            video.currentTime = target;
            void video.play();
          }),
        Math.max(0, durationS - 1),
      );
      expect(await problems(page)).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('[PLAY81] hls.js switches the language and the variant while it plays', async () => {
    const { page, durationS } = await openPlayer('hls.js', 'longMkv', []);
    try {
      const names = await page.evaluate(async () => {
        const { hls } = window as unknown as { hls: import('hls.js').default };
        const heard = new Promise((resolve) => hls.once('hlsAudioTrackSwitched' as never, resolve as never));
        hls.audioTrack = 1;
        await heard;
        if (hls.levels.length > 1) hls.nextLevel = 1;
        return { sounds: hls.audioTracks.map(({ lang }) => lang), subtitles: hls.subtitleTracks.length };
      });
      expect(names.sounds).toEqual(['en', 'de']);
      await seek(page, durationS / 2);
      expect(await problems(page)).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('[PLAY85] hls.js finds the subtitles and shows them when they are chosen, and not before', async () => {
    const { page } = await openPlayer('hls.js', 'subtitlesMkv', []);
    try {
      const found = await page.evaluate(async () => {
        const { hls } = window as unknown as { hls: import('hls.js').default };
        const before = hls.subtitleTrack;
        hls.subtitleTrack = 0;
        hls.subtitleDisplay = true;
        const video = document.querySelector('video')!;
        const cues = (): string[] =>
          [...video.textTracks].flatMap((track) =>
            [...(track.cues ?? [])].map((cue) => `${cue.startTime} ${(cue as VTTCue).text}`),
          );
        while (cues().length === 0) await new Promise((resolve) => requestAnimationFrame(resolve));
        return { before, count: hls.subtitleTracks.length, cues: cues() };
      });
      expect(found.before).toBe(-1);
      expect(found.count).toBe(2);
      expect(found.cues[0]).toMatch(/^0\.5\d* Hello <b>there<\/b>$/);
    } finally {
      await page.close();
    }
  });
});
