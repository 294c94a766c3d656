/** HLS in a real Chromium, by hls.js and by the browser's own player, on a page of another origin. */
import { createRequire } from 'node:module';
import type { Browser, Page, Request } from 'playwright-core';
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
type PageFunction<Argument, Answer> = (argument: Argument) => Answer | Promise<Answer>;
type Movie = 'longMkv' | 'irregularMp4' | 'vfrMkv' | 'startAt10HoursTs' | 'subtitlesMkv';

/** How long one step may take: what stands for longer stands for ever, on the slowest machine, too. */
const STEP_MS = 75_000;

/** A page with a movie in it. Whatever it waits for says where it stood when that does not come. */
class Screen implements AsyncDisposable {
  readonly page: Page;
  /** Requests that have no answer yet, and the last that had one. */
  readonly #pending = new Set<string>();
  #answered = '';

  constructor(page: Page) {
    this.page = page;
    const name = (request: Request): string =>
      new URL(request.url()).pathname.split('/').slice(-2).join('/').slice(-40);
    page.on('request', (request) => this.#pending.add(name(request)));
    page.on('requestfailed', (request) => {
      this.#pending.delete(name(request));
      this.#answered = `${name(request)} ${request.failure()?.errorText ?? ''}`;
    });
    page.on('response', (response) => {
      this.#pending.delete(name(response.request()));
      this.#answered = `${name(response.request())} ${response.status()}`;
    });
  }

  /** What the page answers; else an error that tells the step, and all that is known of the player then. */
  async step<Argument, Answer>(
    name: string,
    work: PageFunction<Argument, Answer>,
    argument: Argument,
  ): Promise<Awaited<Answer>> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      void this.#state().then((state) => reject(new Error(`still at “${name}” after ${STEP_MS / 1_000} s: ${state}`)));
    }, STEP_MS);
    try {
      const answer = this.page.evaluate(work as never, argument) as Promise<Awaited<Answer>>;
      answer.catch(() => undefined);
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  problems(): Promise<string[]> {
    return this.step(
      'the problems',
      () => Promise.resolve((window as unknown as { problems: string[] }).problems),
      null,
    );
  }

  /** Goes there and waits until pictures move again. */
  seek(seconds: number): Promise<number> {
    return this.step(
      `seek to ${seconds}`,
      async (target) => {
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
      },
      seconds,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }

  async #state(): Promise<string> {
    const inside = this.page.evaluate(() => {
      const video = document.querySelector('video');
      const { problems: told, hls } = window as unknown as { problems?: string[]; hls?: import('hls.js').default };
      const { buffered, currentTime, duration, readyState, seeking, paused, ended } = video!;
      const loaded = Array.from({ length: buffered.length }, (_, at) => [buffered.start(at), buffered.end(at)]);
      const { loadLevel, audioTrack } = hls ?? {};
      return { currentTime, duration, loaded, readyState, seeking, paused, ended, told, loadLevel, audioTrack };
    });
    const dead = new Promise<string>((resolve) => setTimeout(() => resolve('the page does not answer'), 10_000));
    const state = await Promise.race([inside.catch(String), dead]);
    return JSON.stringify({ state, pending: [...this.#pending], answered: this.#answered });
  }
}

/** A page with a movie in it that has begun to play. */
async function openPlayer(
  player: Player,
  movie: Movie,
  without: PlayMethod[],
): Promise<{ screen: Screen; durationS: number }> {
  const playback = await theatre.play(movie, { profile: CHROMIUM, without });
  const screen = new Screen(await browser.newPage());
  await screen.page.setContent('<video muted playsinline></video>');
  await screen.page.addScriptTag({ path: hlsScript });
  await screen.step(
    'the first picture',
    async ([url, kind]) => {
      const seen = window as unknown as { problems: string[]; hls: unknown };
      seen.problems = [];
      const video = document.querySelector('video')!;
      video.addEventListener('error', () => seen.problems.push(`element: ${video.error?.message ?? ''}`));
      if (kind === 'native') {
        video.src = url!;
        return await video.play();
      }
      const { Hls } = window as unknown as { Hls: typeof import('hls.js').default };
      const hls = new Hls();
      hls.on(Hls.Events.ERROR, (_, data) => {
        if (data.fatal) seen.problems.push(`${data.type} ${data.details}`);
      });
      // Before hls.js (1.7) has heard the first sound it never ends a stream, and so never shows the last pictures to who goes there at once.
      // Our own player mends that (client/player/hls-source.ts); what is tried here is hls.js as it comes.
      const heard = new Promise((resolve) => hls.once(Hls.Events.AUDIO_TRACK_SWITCHED, resolve));
      hls.loadSource(url);
      hls.attachMedia(video);
      seen.hls = hls;
      await video.play();
      if (hls.audioTracks.length > 0) await heard;
    },
    [theatre.urlOf(playback.url), player] as const,
  );
  return { screen, durationS: playback.durationMs / 1_000 };
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
    const { screen, durationS } = await openPlayer(player, movie, without);
    await using _ = screen;
    const duration = await screen.step('the length', () => document.querySelector('video')!.duration, null);
    expect(Math.abs(duration - durationS)).toBeLessThan(0.1);
    for (const share of [0.5, 0, 0.99, 0.25]) {
      const atS = await screen.seek(durationS * share);
      expect(atS).toBeGreaterThanOrEqual(durationS * share);
      // Playing goes on while a busy machine shows no picture.
      expect(atS).toBeLessThan(durationS * share + 5);
    }
    // The last seconds, to the end by itself.
    await screen.step(
      'the end',
      (target) =>
        new Promise<void>((resolve) => {
          const video = document.querySelector('video')!;
          video.addEventListener('ended', () => resolve(), { once: true });
          video.currentTime = target;
          void video.play();
        }),
      Math.max(0, durationS - 1),
    );
    expect(await screen.problems()).toEqual([]);
  });

  it('[PLAY81] hls.js switches the language and the variant while it plays', async () => {
    const { screen, durationS } = await openPlayer('hls.js', 'longMkv', []);
    await using _ = screen;
    const names = await screen.step(
      'the other language',
      async () => {
        const { hls } = window as unknown as { hls: import('hls.js').default };
        const heard = new Promise((resolve) => hls.once('hlsAudioTrackSwitched' as never, resolve as never));
        hls.audioTrack = 1;
        await heard;
        if (hls.levels.length > 1) hls.nextLevel = 1;
        return { sounds: hls.audioTracks.map(({ lang }) => lang), subtitles: hls.subtitleTracks.length };
      },
      null,
    );
    expect(names.sounds).toEqual(['en', 'de']);
    await screen.seek(durationS / 2);
    expect(await screen.problems()).toEqual([]);
  });

  it('[PLAY85] hls.js finds the subtitles and shows them when they are chosen, and not before', async () => {
    const { screen } = await openPlayer('hls.js', 'subtitlesMkv', []);
    await using _ = screen;
    const found = await screen.step(
      'the first subtitle',
      async () => {
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
      },
      null,
    );
    expect(found.before).toBe(-1);
    expect(found.count).toBe(2);
    expect(found.cues[0]).toMatch(/^0\.5\d* Hello <b>there<\/b>$/);
  });
});
