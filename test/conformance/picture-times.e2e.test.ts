/**
 * The right picture at the right time in a real Chromium: pictures bear their number, and what is on the screen at a time is held against the file,
 * wherever a player begins.
 */
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { progress } from '#protocol/index.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { openBrowser } from '#test/support/browser.ts';
import { clip, ffprobe } from '#test/support/media.ts';
import { OPENING_MS, Theatre } from './theatre.ts';

const hlsScript = createRequire(import.meta.url).resolve('hls.js/dist/hls.js');

const BITS = 9;
const NUMBER = Array.from({ length: BITS }, (_, bit) => {
  const isSet = `gte(mod(floor((n+0.5)/pow(2\\,${bit}))\\,2)\\,1)`;
  return `drawbox=x=${bit * 32}:y=0:w=32:h=180:color=white:t=fill:enable='${isSet}'`;
}).join(',');

/** 20 s whose pictures bear their number as bars, the lowest bit on the left; reordered, with pictures that others need among them. */
function numbered(name: string, lateS: number, sound: readonly string[]): () => Promise<string> {
  return () =>
    clip({
      name,
      args: [
        ...['-itsoffset', String(lateS), '-f', 'lavfi', '-i', 'color=black:size=320x180:rate=24:duration=20'],
        ...['-f', 'lavfi', '-i', 'sine=frequency=440:duration=20:sample_rate=48000', '-vf', NUMBER],
        ...['-c:v', 'libx264', '-preset', 'medium', '-pix_fmt', 'yuv420p', '-x264-params'],
        ...['keyint=48:min-keyint=48:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal', ...sound],
      ],
    });
}
const AAC = ['-c:a', 'aac', '-b:a', '64k'];
const MOVIES = {
  mkv: numbered('numbered.mkv', 0, AAC),
  mp4: numbered('numbered.mp4', 0, AAC),
  ts: numbered('numbered.ts', 0, AAC),
  /** Its picture begins two pictures after its sound. */
  lateMkv: numbered('numbered-late.mkv', 0.084, AAC),
  /** With sound that Chromium does not decode, so that it comes in segments there. */
  ac3Mkv: numbered('numbered-ac3.mkv', 0.084, ['-c:a', 'ac3', '-b:a', '96k']),
};
type Movie = keyof typeof MOVIES;

const CHROMIUM: DeviceProfile = {
  name: 'chromium',
  file: [],
  segments: { video: [{ codec: 'h264', maxBitDepth: 8 }], audio: ['aac'] },
  hdr: [],
  maxAudioChannels: 2,
};

let theatre: Theatre;
let browser: Browser;
beforeAll(async () => {
  [theatre, browser] = await Promise.all([Theatre.open(MOVIES), openBrowser()]);
}, OPENING_MS);
afterAll(async () => {
  await browser?.close();
  await theatre?.[Symbol.asyncDispose]();
});

/** Pictures to look for: at borders of segments, beside them, and in the middle. */
const LOOKED_FOR = [3, 47, 48, 49, 130, 239, 241, 305, 400, 460];

/** When each picture is shown, in seconds of the movie, in the order in which they are shown. */
async function shownS(movie: Movie): Promise<number[]> {
  const path = await MOVIES[movie]();
  const facts = (await ffprobe([
    '-select_streams',
    'v',
    '-show_entries',
    'packet=pts_time:format=start_time',
    path,
  ])) as {
    packets: { pts_time: string }[];
    format: { start_time: string };
  };
  const { start_time } = facts.format;
  return facts.packets.map(({ pts_time }) => Number(pts_time) - Number(start_time)).toSorted((a, b) => a - b);
}

/** The number of the picture that is on the screen; −1 while there is none. */
const shownNumber = (page: Page): Promise<number> =>
  page.evaluate((bits) => {
    const video = document.querySelector('video')!;
    if (video.seeking || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return -1;
    const canvas = document.createElement('canvas');
    canvas.width = bits * 8;
    canvas.height = 1;
    const context = canvas.getContext('2d')!;
    const { videoWidth: width, videoHeight: height } = video;
    context.drawImage(video, 0, height / 2, (width * bits * 32) / 320, 1, 0, 0, canvas.width, 1);
    const { data } = context.getImageData(0, 0, canvas.width, 1);
    let number = 0;
    for (let bit = 0; bit < bits; bit++) if (data[(bit * 8 + 4) * 4]! > 128) number += 2 ** bit;
    return number;
  }, BITS);

/** Goes to the middle of each picture, and expects that one. */
async function expectPictures(page: Page, times: readonly number[], numbers = LOOKED_FOR): Promise<void> {
  for (const number of numbers) {
    const atS = (times[number]! + times[number + 1]!) / 2;
    await page.evaluate((seconds) => {
      document.querySelector('video')!.currentTime = seconds;
    }, atS);
    await expect.poll(() => shownNumber(page), { timeout: 60_000, message: `at ${atS} s` }).toBe(number);
  }
}

const ROWS = (['mkv', 'mp4', 'ts', 'lateMkv'] as const).flatMap((movie) => [
  { movie, player: 'hls.js', fromS: 0, method: 'remux' } as const,
  { movie, player: 'hls.js', fromS: 9, method: 'remux' } as const,
  { movie, player: 'native', fromS: 0, method: 'remux' } as const,
]);

describe('Chromium shows each picture at its time', () => {
  it.each([
    ...ROWS,
    { movie: 'lateMkv', player: 'hls.js', fromS: 0, method: 'transcode' } as const,
    { movie: 'lateMkv', player: 'native', fromS: 0, method: 'transcode' } as const,
  ])('[PLAY81] $movie by $player from $fromS s ($method)', async ({ movie, player, fromS, method }) => {
    const without = method === 'transcode' ? ['remux' as const] : [];
    const playback = await theatre.play(movie, { profile: CHROMIUM, without });
    expect(playback.method).toBe(method);
    const page = await browser.newPage();
    await page.setContent('<video muted playsinline crossorigin="anonymous"></video>');
    await page.addScriptTag({ path: hlsScript });
    await page.evaluate(
      ([url, kind, startS]) => {
        const video = document.querySelector('video')!;
        if (kind === 'native') {
          video.src = url;
          return;
        }
        const { Hls } = window as unknown as { Hls: typeof import('hls.js').default };
        const hls = new Hls({ startPosition: startS });
        hls.loadSource(url);
        hls.attachMedia(video);
      },
      [theatre.urlOf(playback.url), player, fromS] as const,
    );
    await expect.poll(() => shownNumber(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(0);
    await expectPictures(page, await shownS(movie));
    await page.close();
  });

  it('[PLAY81] in the player, also where the first segments begin with pictures that are shown before their keyframe', async () => {
    const context = await browser.newContext({ locale: 'en-GB' });
    const { person, engine } = theatre;
    await context.addCookies([
      { name: 'matinee_session', value: person.token, url: engine.url, httpOnly: true, sameSite: 'Strict' },
    ]);
    const page = await context.newPage();
    // It goes on in the middle, so what it loads first is a segment of the middle.
    const movieId = theatre.movieId('ac3Mkv');
    await person.request(progress.report, { movieId, positionMs: 9_000, durationMs: 20_000 });
    let changed = 0;
    await page.route(/\/v0\/[1-9]\d*\.m4s$/, async (route) => {
      const response = await route.fetch();
      if (!response.ok()) return route.fulfill({ response });
      changed += 1;
      return route.fulfill({ response, body: decodedEarlier(await response.body(), 0.125) });
    });
    await page.goto(`${engine.url}/play/${movieId}`);
    await expect.poll(() => shownNumber(page).catch(() => -1), { timeout: 60_000 }).toBeGreaterThan(200);
    await page.evaluate(() => document.querySelector('video')!.pause());
    // Not those right behind a border, whose first picture now claims to last into them.
    await expectPictures(page, await shownS('ac3Mkv'), [270, 310, 420, 130, 30]);
    expect(changed).toBeGreaterThan(0);
    await context.close();
  });
});

/** The segment as with leading pictures: it is decoded from so much before its border, and its pictures are shown when they were. */
function decodedEarlier(segment: Buffer, seconds: number): Buffer {
  const bytes = Buffer.from(segment);
  const at = (type: string): number => bytes.indexOf(type, 0, 'latin1') + 4;
  const tfdt = at('tfdt');
  const trun = at('trun');
  const flags = bytes.readUInt32BE(trun) & 0xff_ffff;
  if (bytes[tfdt] !== 1 || (flags & 0xb01) !== 0xb01) {
    throw new Error(`a segment of another kind: ${flags.toString(16)}`);
  }
  // Matroska's clock in FFmpeg's muxer.
  const ticks = seconds * 16_000;
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE(tfdt + 4) - BigInt(ticks), tfdt + 4);
  // The first sample: behind the count, the data offset and the flags of the first; duration, size, flags, offset.
  const first = trun + 12 + (flags & 0x4 ? 4 : 0);
  const offset = first + 8 + (flags & 0x400 ? 4 : 0);
  bytes.writeUInt32BE(bytes.readUInt32BE(first) + ticks, first);
  bytes.writeInt32BE(bytes.readInt32BE(offset) + ticks, offset);
  return bytes;
}
