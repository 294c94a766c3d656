/**
 * Players that people have, on a whole engine: each plays to the end, with another language, and from the middle and the end of a linked
 * file. One that is not installed is named; CI installs them all. gst-launch-1.0 has no way to seek.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { playback as calls } from '#protocol/index.ts';
import type { DeviceProfile, PlayMethod } from '#protocol/schema/playback.ts';
import { oddMovies } from './odd-movies.ts';
import { OPENING_MS, SEGMENTS_ONLY, Theatre } from './theatre.ts';

const run = promisify(execFile);

const { longMkv, hevcMkv, startAt10HoursTs, vp9Webm } = oddMovies;
let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open({ longMkv, hevcMkv, startAt10HoursTs, vp9Webm });
}, OPENING_MS);
afterAll(() => theatre?.[Symbol.asyncDispose]());
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(theatre.engine.output().slice(-3_000));
});

const isInstalled = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A group of tests for a program, or a line that says how to get it. */
function withProgram(name: string, packages: string, tests: () => void): void {
  if (isInstalled(name)) describe(name, tests);
  else it.skip(`${name} is not installed: apt-get install -y ${packages}`, () => undefined);
}

type Movie = 'longMkv' | 'hevcMkv' | 'startAt10HoursTs' | 'vp9Webm';
const MOVIES: [Movie, PlayMethod[], PlayMethod][] = [
  ['longMkv', [], 'remux'],
  ['longMkv', ['remux'], 'transcode'],
  ['hevcMkv', [], 'remux'],
  ['startAt10HoursTs', [], 'remux'],
  ['vp9Webm', [], 'remux'],
];

const address = async (
  movie: Movie,
  without: PlayMethod[],
  profile: DeviceProfile = SEGMENTS_ONLY,
): Promise<{ url: string; durationS: number; method: PlayMethod }> => {
  const playback = await theatre.play(movie, { without, profile });
  return { url: theatre.urlOf(playback.url), durationS: playback.durationMs / 1_000, method: playback.method };
};

const linked = async (movie: Movie): Promise<{ url: string; playlistUrl: string; durationS: number }> => {
  const link = await theatre.person.request(calls.link, { movieId: theatre.movieId(movie) });
  return {
    url: theatre.urlOf(link.url),
    playlistUrl: theatre.urlOf(link.playlistUrl),
    durationS: link.durationMs / 1_000,
  };
};

withProgram('ffmpeg', 'ffmpeg', () => {
  const decode = (args: readonly string[]): Promise<{ stderr: string }> =>
    run('ffmpeg', ['-v', 'error', '-xerror', '-nostdin', ...args, '-f', 'null', '-']);

  it.each(MOVIES)('plays %s (without %j) to the end', async (movie, without, expected) => {
    const { url, durationS, method } = await address(movie, without);
    expect(method).toBe(expected);
    const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', url]);
    expect(Math.abs(Number(stdout) - durationS)).toBeLessThan(0.1);
    // The first variant and the first language, which is what it would choose by itself.
    expect((await decode(['-i', url, '-map', '0:v:0', '-map', '0:a:0'])).stderr).toBe('');
  });

  it('plays the other language', async () => {
    const { url } = await address('longMkv', []);
    expect((await decode(['-i', url, '-map', '0:a:1'])).stderr).toBe('');
  });

  it.each([0.5, 0.99])('seeks to %f of a linked file', async (share) => {
    const { url, durationS } = await linked('longMkv');
    expect((await decode(['-ss', String(durationS * share), '-i', url])).stderr).toBe('');
  });
});

withProgram('mpv', 'mpv', () => {
  const QUIET = ['--no-config', '--vo=null', '--ao=null', '--untimed', '--ao-null-untimed=yes'];
  const play = (url: string): Promise<unknown> => run('mpv', [...QUIET, '--no-terminal', url]);
  /** Where it stands when it begins, and what it thinks of the whole. */
  const beginning = async (
    url: string,
    args: readonly string[],
  ): Promise<{ atS: number; ofS: number; sound: string }> => {
    const message = '--term-playing-msg=AT ${=time-pos} OF ${=duration} IN ${current-tracks/audio/lang}';
    const { stdout } = await run('mpv', [...QUIET, ...args, '--frames=5', '--term-status-msg=', message, url]);
    const [, at, of, sound = ''] = /AT (\S+) OF (\S+) IN (\S*)/.exec(stdout) ?? [];
    return { atS: Number(at), ofS: Number(of), sound };
  };

  it.each(MOVIES)('plays %s (without %j) to the end', async (movie, without) => {
    const { url, durationS } = await address(movie, without);
    await play(url);
    expect(Math.abs((await beginning(url, [])).ofS - durationS)).toBeLessThan(0.1);
  });

  it('plays the other language', async () => {
    const { url } = await address('longMkv', []);
    expect((await beginning(url, ['--alang=de'])).sound).toBe('de');
    expect((await beginning(url, ['--alang=en'])).sound).toBe('en');
  });

  // In streams of fragmented MP4 it loses its way after a seek, whoever made them: its HLS reader is FFmpeg's, which goes on with what
  // was left of the fragment before (mpv-player/mpv issue 15184 tells it of Apple's own example).
  it.each([0, 50, 99])('seeks to %d of a hundred parts of a linked file', async (share) => {
    const { url, durationS } = await linked('longMkv');
    const { atS, ofS } = await beginning(url, [`--start=${share}%`, '--hr-seek=yes']);
    expect(Math.abs(ofS - durationS)).toBeLessThan(0.1);
    expect(Math.abs(atS - (durationS * share) / 100)).toBeLessThan(0.5);
  });

  it('takes the title from a linked playlist', async () => {
    const { playlistUrl } = await linked('longMkv');
    const { stdout } = await run('mpv', [
      ...QUIET,
      '--frames=1',
      '--term-playing-msg=TITLE ${media-title}',
      playlistUrl,
    ]);
    expect(stdout).toContain('TITLE Anchor Bramble (1950)');
  });

  it('says with its exit code that it was refused', async () => {
    const { url } = await address('longMkv', []);
    await expect(play(url.replace(/.{8}\/index/, 'AAAAAAAA/index'))).rejects.toMatchObject({ code: 2 });
  });
});

withProgram(
  'gst-launch-1.0',
  'gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav',
  () => {
    const SINKS = ['video-sink=fakesink sync=false', 'audio-sink=fakesink sync=false'];
    const play = (element: string, url: string, args: readonly string[] = []): Promise<{ stderr: string }> =>
      run('gst-launch-1.0', ['-q', element, `uri=${url}`, ...SINKS, ...args]);

    it.each(MOVIES)('plays %s (without %j) to the end', async (movie, without) => {
      const { url } = await address(movie, without);
      expect((await play('playbin3', url)).stderr).not.toMatch(/ERROR/);
    });

    it('plays the other language', async () => {
      const { url } = await address('longMkv', []);
      expect((await play('playbin', url, ['current-audio=1'])).stderr).not.toMatch(/ERROR/);
    });
  },
);
