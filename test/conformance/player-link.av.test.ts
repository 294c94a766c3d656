/** Addresses for players outside the browser: what they open, for how long, and what they leave closed. */
import { execFile } from 'node:child_process';
import { copyFile, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { playback, preferences, session } from '#protocol/index.ts';
import type { InputOf } from '#protocol/contract.ts';
import type { PlaybackLink } from '#protocol/schema/playback-link.ts';
import { clips } from '#test/support/media.ts';
import { Person } from '#test/support/person.ts';
import { HOSTILE_NAME } from './odd-movies.ts';
import { multivariantBreaches } from './playlist-rules.ts';
import { OPENING_MS, Theatre } from './theatre.ts';

const run = promisify(execFile);

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open({ mkv: clips.h264Mkv, avi: clips.xvidAvi });
}, OPENING_MS);
afterAll(() => theatre?.[Symbol.asyncDispose]());

const link = (movie: string, wish: Partial<InputOf<(typeof playback)['link']>> = {}): Promise<PlaybackLink> =>
  theatre.person.request(playback.link, { movieId: theatre.movieId(movie), ...wish });

const problemOf = async (url: string): Promise<{ status: number; detail: string }> => {
  const response = await fetch(theatre.urlOf(url));
  return { status: response.status, detail: ((await response.json()) as { detail: string }).detail };
};

describe('a link for another player', () => {
  it('[PLAY86] opens the file, by ranges, without cookie or header', async () => {
    const made = await link('mkv');
    expect(made).toMatchObject({ kind: 'file', title: 'Anchor Bramble (1950)', durationMs: expect.closeTo(8_000, -2) });
    expect(made.url).not.toContain(theatre.person.token);
    const whole = await theatre.get(made.url);
    expect(whole.length).toBe((await stat(await clips.h264Mkv())).size);
    const part = await fetch(theatre.urlOf(made.url), { headers: { range: 'bytes=100-199' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(100, 200))).toBe(true);
  });

  it('[PLAY86] as a playlist brings the title along, and plays', async () => {
    const { playlistUrl } = await link('mkv');
    const response = await fetch(theatre.urlOf(playlistUrl));
    expect(response.headers.get('content-type')).toBe('audio/x-mpegurl; charset=utf-8');
    expect(await response.text()).toBe('#EXTM3U\n#EXTINF:8,Anchor Bramble (1950)\nfile\n');
  });

  it('[PLAY86] as a stream is HLS, also of what no browser plays', async () => {
    for (const movie of ['mkv', 'avi']) {
      const made = await link(movie, { kind: 'stream' });
      expect(made.mimeType).toBe('application/vnd.apple.mpegurl');
      expect(multivariantBreaches(await theatre.get(made.url))).toEqual([]);
      expect((await theatre.get(made.playlistUrl)).toString()).toMatch(/\nindex\.m3u8\n$/);
      const { stderr } = await run('ffmpeg', [
        '-v',
        'error',
        '-xerror',
        '-i',
        theatre.urlOf(made.url),
        '-f',
        'null',
        '-',
      ]);
      expect(stderr).toBe('');
    }
  });

  it('[PLAY86] of a movie that is cut into files opens all of them, one after the other', async () => {
    const sources = [await clips.h264Mkv(), await clips.xvidAvi()];
    for (const [at, source] of sources.entries()) {
      const path = join(
        theatre.folder,
        `Zebra Crossing (1999) - part${at + 1}${source.slice(source.lastIndexOf('.'))}`,
      );
      await copyFile(source, path);
      await utimes(path, new Date(Date.now() - 15 * 60_000), new Date(Date.now() - 15 * 60_000));
    }
    await theatre.person.scan();
    const { id: movieId } = await theatre.person.movie('Zebra Crossing');

    const file = await theatre.person.request(playback.link, { movieId });
    expect(file).toMatchObject({ kind: 'file', url: expect.stringMatching(/\/file$/) });
    const [seconds] = [Math.round(file.durationMs / 1_000)];
    const text = (await theatre.get(file.playlistUrl)).toString();
    expect(text).toMatch(
      new RegExp(
        `^#EXTM3U\\n#EXTINF:${seconds},Zebra Crossing \\(1999\\), part 1\\nfile\\n#EXTINF:\\d+,Zebra Crossing \\(1999\\), part 2\\npart2\\n$`,
      ),
    );
    const whole = await Promise.all(['file', 'part2'].map((name) => theatre.get(file.url.replace(/file$/, name))));
    for (const [at, source] of sources.entries()) expect(whole[at]!.equals(await readFile(source))).toBe(true);

    const stream = await theatre.person.request(playback.link, { movieId, kind: 'stream' });
    expect((await theatre.get(stream.playlistUrl)).toString()).toMatch(/\nindex\.m3u8\n[^\n]*\npart2\n$/);
    const second = await fetch(theatre.urlOf(stream.url.replace(/index\.m3u8$/, 'part2')));
    const master = Buffer.from(await second.arrayBuffer());
    expect(multivariantBreaches(master)).toEqual([]);
    // Named relative to where the player was led.
    const rung = /^v0\/index\.m3u8$/m.exec(master.toString())![0];
    expect((await theatre.get(new URL(rung, second.url).href)).toString()).toContain('#EXT-X-ENDLIST');
    expect((await fetch(theatre.urlOf(stream.url.replace(/index\.m3u8$/, 'part3')))).status).toBe(410);
  });

  it('[PLAY40] [PLAY86] is to no more than the person may have: instead of a larger file it opens a stream that fits', async () => {
    await theatre.person.request(preferences.change, { maxHeightPx: 144 });
    try {
      const made = await link('mkv', { kind: 'file' });
      expect(made).toMatchObject({ kind: 'stream', mimeType: 'application/vnd.apple.mpegurl' });
      const heights = [
        ...(await theatre.get(made.url)).toString().matchAll(/#EXT-X-STREAM-INF:.*RESOLUTION=\d+x(\d+)/g),
      ];
      expect(heights.length).toBeGreaterThan(0);
      for (const [, height] of heights) expect(Number(height)).toBeLessThanOrEqual(144);
      expect((await fetch(theatre.urlOf(made.url.replace(/index\.m3u8$/, 'file')))).status).toBe(404);
    } finally {
      await theatre.person.request(preferences.change, { maxHeightPx: null });
    }
    expect(await link('mkv')).toMatchObject({ kind: 'file' });
  });

  it('[PLAY87] lasts twelve hours, or as long as was asked for, a week at most', async () => {
    const hours = async (wish: Partial<InputOf<(typeof playback)['link']>>): Promise<number> =>
      ((await link('mkv', wish)).expiresAt - Date.now()) / 3_600_000;
    expect(await hours({})).toBeCloseTo(12, 1);
    expect(await hours({ lifetimeMs: 7 * 24 * 3_600_000 })).toBeCloseTo(168, 1);
    await expect(link('mkv', { lifetimeMs: 8 * 24 * 3_600_000 })).rejects.toMatchObject({ code: 'badRequest' });
    await expect(link('mkv', { lifetimeMs: 1_000 })).rejects.toMatchObject({ code: 'badRequest' });
  });

  it('[PLAY87] ends with the session that asked for it, and says what to do', async () => {
    using guest = await Person.signIn(theatre.engine.url);
    const made = await guest.request(playback.link, { movieId: theatre.movieId('mkv') });
    expect((await fetch(theatre.urlOf(made.url))).status).toBe(200);
    await guest.request(session.end, {});
    expect(await problemOf(made.url)).toEqual({ status: 401, detail: expect.stringContaining('Sign in again') });
  });

  it('[PLAY88] opens nothing else, whatever is changed in it', async () => {
    const { url } = await link('mkv');
    const other = url.replace(/.(?=\/file$)/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await problemOf(other)).status).toBe(403);
    for (const name of [
      'index.m3u8',
      'v0/0.m4s',
      'i/index.m3u8',
      '..%2f..%2fetc%2fpasswd',
      encodeURIComponent(HOSTILE_NAME),
    ]) {
      expect((await fetch(theatre.urlOf(url.replace(/file$/, name)))).status).toBeGreaterThanOrEqual(400);
    }
  });

  it('[PLAY88] is for who is signed in, and for what is there', async () => {
    const response = await fetch(`${theatre.engine.url}/api/v1/movies/${theatre.movieId('mkv')}/link`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(401);
    const unknown = '0190f3a2-0000-7000-8000-000000000001';
    await expect(theatre.person.request(playback.link, { movieId: unknown })).rejects.toMatchObject({
      code: 'notFound',
    });
  });
});
