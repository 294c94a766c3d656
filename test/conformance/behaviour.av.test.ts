/** How HLS behaves over time: after a restart, under switches and seeks, for several viewers, and where something is not there. */
import { copyFile, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GrantSigner } from '#engine/playback/media-grant.ts';
import type { PlayMethod, Playback } from '#protocol/schema/playback.ts';
import { playback as calls } from '#protocol/index.ts';
import { Person } from '#test/support/person.ts';
import { hasOpen, mediaHosts } from '#test/support/processes.ts';
import { oddMovies } from './odd-movies.ts';
import { mediaEntries, mediaPlaylistBreaches } from './playlist-rules.ts';
import { fetchPresentation, fetchRendition, shownUs, timelineBreaches, urlOf } from './presentation.ts';
import type { FetchedRendition, FetchedSegment, Presentation } from './presentation.ts';
import { OPENING_MS, SEGMENTS_ONLY, Theatre } from './theatre.ts';

const { longMkv, h264Mkv, h264Mp4, h264Ts, irregularMp4, manyAudioMkv, tallMkv, subtitlesMkv } = oddMovies;

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open(
    {
      ...{ longMkv, h264Mkv, manyAudioMkv, tallMkv, subtitlesMkv },
      ...{ removedMp4: h264Mp4, replacedMp4: irregularMp4, watchedTs: h264Ts },
    },
    { h264Mkv: { '.de.forced.srt': '1\n00:00:01,000 --> 00:00:02,000\nAusgang\n' } },
  );
}, OPENING_MS);
afterAll(() => theatre?.[Symbol.asyncDispose]());
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(theatre.engine.output().slice(-4_000));
});

const S = 1_000_000;
const FRAME_US = S / 24;

const present = (playback: Playback): Promise<Presentation> =>
  fetchPresentation(theatre.urlOf(playback.url), theatre.get);

/** The same numbers in every run. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

const timesOf = ({ segments }: FetchedRendition): number[][] =>
  segments.map(({ samples }) => samples.flatMap(({ dtsUs, ptsUs, durationUs }) => [dtsUs, ptsUs, durationUs]));

describe('the same address', () => {
  it.each<[PlayMethod, PlayMethod[]]>([
    ['remux', []],
    ['transcode', ['remux']],
  ])('[PLAY6] gives the same after a restart, in any order of asking: %s', async (method, without) => {
    const playback = await theatre.play('h264Mkv', { without });
    expect(playback.method).toBe(method);
    const read = async (isBackwards: boolean): Promise<FetchedRendition[]> => {
      const presentation = await present(playback);
      const order = isBackwards ? (count: number) => [...Array(count).keys()].toReversed() : undefined;
      const renditions: FetchedRendition[] = [];
      for (const entry of [presentation.variants[0]!, ...presentation.audio, ...presentation.pictures]) {
        renditions.push(await fetchRendition(urlOf(presentation, entry), theatre.get, order));
      }
      expect(presentation.playlist.toString()).toBe((await theatre.get(playback.url)).toString());
      return renditions;
    };
    const before = await read(false);
    const multivariant = (await theatre.get(playback.url)).toString();
    await theatre.restart();
    expect((await theatre.get(playback.url)).toString()).toBe(multivariant);
    const after = await read(true);
    for (const [index, rendition] of before.entries()) {
      const again = after[index]!;
      expect(again.playlist.equals(rendition.playlist)).toBe(true);
      expect(again.init.equals(rendition.init)).toBe(true);
      expect(timesOf(again)).toEqual(timesOf(rendition));
      // x264 decides by what it has seen, so of an encoded picture only the structure is promised.
      const isEncodedPicture = method === 'transcode' && index === 0;
      if (isEncodedPicture) continue;
      for (const [at, { bytes }] of rendition.segments.entries()) {
        expect(again.segments[at]!.bytes.equals(bytes), `segment ${at} of rendition ${index}`).toBe(true);
      }
    }
  });
});

describe('switching', () => {
  it.each<[PlayMethod, PlayMethod[]]>([
    ['remux', []],
    ['transcode', ['remux']],
  ])('[PLAY81] from variant to variant at every border leaves no gap: %s', async (method, without) => {
    const playback = await theatre.play('tallMkv', { without });
    expect(playback.method).toBe(method);
    const presentation = await present(playback);
    expect(presentation.variants.length).toBeGreaterThan(1);
    const every = presentation.variants.length;
    const zigzag: FetchedSegment[] = [];
    const parts: FetchedRendition[] = [];
    for (const [at, entry] of presentation.variants.entries()) {
      const mine = (count: number): number[] => [...Array(count).keys()].filter((index) => index % every === at);
      parts.push(await fetchRendition(urlOf(presentation, entry), theatre.get, mine));
    }
    const [first] = parts;
    expect(new Set(parts.map(({ playlist }) => playlist.toString())).size).toBe(1);
    for (const { segments } of parts) zigzag.push(...segments);
    const segments = zigzag.toSorted((a, b) => a.startUs - b.startUs);
    expect(segments.length).toBe(mediaEntries(first!.playlist.toString()).length);
    // Each was read by its own init segment; together they are one line.
    expect(timelineBreaches({ ...first!, segments }, FRAME_US + 2_000)).toEqual([]);
  });

  it('[PLAY81] from one language to another at every border leaves no gap that can be heard', async () => {
    const presentation = await present(await theatre.play('longMkv'));
    expect(presentation.audio.length).toBe(2);
    const sounds = await Promise.all(
      presentation.audio.map((entry) => fetchRendition(urlOf(presentation, entry), theatre.get)),
    );
    const mixed = sounds[0]!.segments.map((_, index) => sounds[index % 2]!.segments[index]!);
    // Both are cut on the same grid of 1,024 samples.
    expect(timelineBreaches({ ...sounds[0]!, segments: mixed }, (1_024 * S) / 44_100 + 26_000)).toEqual([]);
  });
});

describe('seeking', () => {
  it('[PLAY81] two hundred times to anywhere finds the place each time', async () => {
    const presentation = await present(await theatre.play('longMkv'));
    const roll = dice(7);
    const url = urlOf(presentation, presentation.variants[0]!);
    const entries = mediaEntries((await theatre.get(url)).toString());
    const totalUs = entries.at(-1)!.startUs + entries.at(-1)!.durationUs;
    for (let count = 0; count < 20; count++) {
      const wanted = Array.from({ length: 10 }, () => {
        const timeUs = roll(totalUs);
        return entries.findLastIndex(({ startUs }) => startUs <= timeUs);
      });
      const { segments } = await fetchRendition(url, theatre.get, () => wanted);
      for (const { uri, startUs, samples } of segments) {
        expect(samples[0]!.isKeyframe, uri).toBe(true);
        expect(Math.abs(shownUs(samples[0]!) - startUs), uri).toBeLessThan(FRAME_US + 2_000);
      }
    }
  });
});

describe('viewers', () => {
  it('[PLAY7] four of one transcode are served by one host, and get the same', async () => {
    const people = await Promise.all(Array.from({ length: 4 }, () => Person.signIn(theatre.engine.url)));
    const path = join(theatre.folder, 'Bramble Cinder (1951).mkv');
    const hosts = () => mediaHosts(theatre.engine.pid, 'rendition.host.ts').filter((host) => hasOpen(host, path));
    // Some rest still from what was asked for before.
    const before = new Set(hosts().map(({ pid }) => pid));
    try {
      const playbacks = await Promise.all(
        people.map((person) =>
          person.request(calls.open, {
            movieId: theatre.movieId('h264Mkv'),
            profile: SEGMENTS_ONLY,
            without: ['remux'],
            startMs: 0,
          }),
        ),
      );
      const read = await Promise.all(
        playbacks.map(async (playback) => {
          const presentation = await present(playback);
          return await fetchRendition(urlOf(presentation, presentation.variants[0]!), theatre.get);
        }),
      );
      for (const { segments } of read) {
        for (const [index, { bytes }] of segments.entries()) {
          expect(bytes.equals(read[0]!.segments[index]!.bytes)).toBe(true);
        }
      }
      // One for the picture, and one for the sound, which is warm.
      expect(hosts().filter(({ pid }) => !before.has(pid)).length).toBeLessThanOrEqual(2);
    } finally {
      for (const person of people) person[Symbol.dispose]();
    }
  });
});

describe('subtitles beside the movie', () => {
  it('[PLAY85] are renditions as those in it are', async () => {
    const presentation = await present(await theatre.play('h264Mkv'));
    expect(presentation.subtitles.map(({ attributes }) => attributes)).toMatchObject([
      { LANGUAGE: 'de', FORCED: 'YES', AUTOSELECT: 'YES', DEFAULT: 'NO' },
    ]);
    const url = urlOf(presentation, presentation.subtitles[0]!);
    const playlist = await theatre.get(url);
    expect(mediaPlaylistBreaches(playlist, 'subtitles')).toEqual([]);
    const text = await theatre.get(new URL(mediaEntries(playlist.toString())[0]!.uri, url).href);
    expect(text.toString()).toMatch(/00:00:01\.000 --> 00:00:02\.000\nAusgang/);
  });
});

describe('delivery', () => {
  it('[PLAY89] playlists are packed for who takes it, and plain for who does not', async () => {
    // Three languages make a playlist that is worth packing; the smallest are not.
    const url = theatre.urlOf((await theatre.play('manyAudioMkv')).url);
    for (const [accepted, expected] of [
      ['gzip', 'gzip'],
      ['identity', null],
    ] as const) {
      const response = await fetch(url, { headers: { 'accept-encoding': accepted } });
      expect(response.headers.get('content-encoding')).toBe(expected);
      expect(response.headers.get('vary')).toContain('accept-encoding');
      expect(response.headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
      expect(await response.text()).toMatch(/^#EXTM3U\n/);
    }
  });

  it('[PLAY89] any origin may read, since the address is the key, and none with cookies', async () => {
    const { url } = await theatre.play('longMkv');
    for (const name of ['index.m3u8', 'v0/index.m3u8', 'v0/init.mp4', 'v0/0.m4s', 'i/0.m4s', 'v0/99999.m4s']) {
      const response = await fetch(theatre.urlOf(url.replace('index.m3u8', name)), {
        headers: { origin: 'https://player.example' },
      });
      await response.arrayBuffer();
      expect(response.headers.get('access-control-allow-origin'), name).toBe('*');
      expect(response.headers.get('access-control-allow-credentials'), name).toBeNull();
    }
  });

  it('[PLAY89] segments can be kept for as long as the address works, and are asked for by parts', async () => {
    const { url } = await theatre.play('longMkv');
    const segment = theatre.urlOf(url.replace('index.m3u8', 'v0/1.m4s'));
    const whole = await fetch(segment);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(whole.headers.get('cache-control')).toMatch(/private, max-age=\d{4,}, immutable/);
    expect(whole.headers.get('content-length')).toBe(String(bytes.length));
    const part = await fetch(segment, { headers: { range: 'bytes=8-15' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(8, 16))).toBe(true);
    const head = await fetch(segment, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  });

  it.each([
    'v0/99999.m4s',
    'v0/-1.m4s',
    'v0/00.m4s',
    'v0/0.ts',
    'v99/index.m3u8',
    'v0',
    'a99/0.m4s',
    'i/99999.m4s',
    't99/index.m3u8',
    't99.vtt',
    'x/index.m3u8',
  ])('[PLAY89] %s is not there, and says so', async (name) => {
    const { url } = await theatre.play('subtitlesMkv');
    const response = await fetch(theatre.urlOf(url.replace('index.m3u8', name)));
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ status: 404, code: 'notFound' });
  });
});

describe('what is not there any more', () => {
  /** Everything that a player of segments may ask for; a name that was never there is not among them. */
  const NAMES = [
    ...['index.m3u8', 'v0/index.m3u8', 'v0/init.mp4', 'v0/0.m4s', 'v0/1.m4s', 'i/index.m3u8', 'i/init.mp4', 'i/0.m4s'],
    ...['open.m3u', 'all.m3u'],
  ];

  /** Each is a problem that a player can read, and that nobody keeps. */
  const expectGone = async (url: string, why: RegExp): Promise<void> => {
    for (const name of NAMES) {
      const response = await fetch(theatre.urlOf(url.replace('index.m3u8', name)), {
        headers: { origin: 'https://player.example' },
      });
      expect(response.status, name).toBe(410);
      expect(response.headers.get('content-type'), name).toBe('application/problem+json');
      expect(response.headers.get('cache-control'), name).toBe('no-store');
      expect(response.headers.get('access-control-allow-origin'), name).toBe('*');
      expect(await response.json(), name).toMatchObject({
        status: 410,
        code: 'gone',
        detail: expect.stringMatching(why),
      });
    }
  };

  it('[PLAY3] an address that has expired says so, and where to get another', async () => {
    const { url } = await theatre.play('h264Mkv');
    const token = url.split('/')[2]!;
    const key = Buffer.from(
      (await readFile(join(theatre.dataFolder, 'secrets', 'url-key'), 'utf8')).trim(),
      'base64url',
    );
    const signer = new GrantSigner(key);
    const grant = signer.open(token, 0);
    if (typeof grant === 'string') throw new Error(`the grant is ${grant}`);
    await theatre.get(url);
    await expectGone(url.replace(token, signer.sign({ ...grant, expiresAtMs: Date.now() - 1 })), /expired/);
    await theatre.get(url);
  });

  it('[PLAY4] a file that was taken away is gone in all its parts, and comes back with them', async () => {
    const { url } = await theatre.play('removedMp4');
    const path = await theatre.pathOf('removedMp4');
    await rm(path);
    await theatre.person.scan();
    await expectGone(url, /not there any more/);
    await expect(theatre.play('removedMp4')).rejects.toThrow();
    // The very file, as from a drive that was away.
    await copyFile(await h264Mp4(), path);
    const settled = new Date(Date.now() - 15 * 60_000);
    await utimes(path, settled, settled);
    await theatre.person.scan();
    const again = await theatre.play('removedMp4');
    await theatre.get(again.url.replace('index.m3u8', 'v0/0.m4s'));
  });

  it('[PLAY4] a file that was replaced is gone in all its parts; who opens the movie again gets the new one', async () => {
    const { url } = await theatre.play('replacedMp4');
    const path = await theatre.pathOf('replacedMp4');
    await copyFile(await h264Mp4(), path);
    const settled = new Date(Date.now() - 14 * 60_000);
    await utimes(path, settled, settled);
    await theatre.person.scan();
    await expectGone(url, /replaced/);
    const again = await theatre.play('replacedMp4');
    expect(again.url).not.toBe(url);
    const { variants } = await present(again);
    // A keyframe each second, which the file before did not have.
    const { segments } = await fetchRendition(urlOf(await present(again), variants[0]!), theatre.get);
    expect(Math.abs(segments[0]!.durationUs - S)).toBeLessThan(FRAME_US);
  });

  it('[PLAY23] who watches a file in segments that is taken away has what was made, its playlists and its init segment', async () => {
    const { url } = await theatre.play('watchedTs');
    const names = ['index.m3u8', 'v0/index.m3u8', 'v0/init.mp4', 'v0/0.m4s', 'v0/1.m4s'];
    const at = (name: string): string => url.replace('index.m3u8', name);
    const before = await Promise.all(names.map((name) => theatre.get(at(name))));
    await rm(await theatre.pathOf('watchedTs'));
    await theatre.person.scan();
    for (const [index, name] of names.entries()) {
      expect((await theatre.get(at(name))).equals(before[index]!), name).toBe(true);
    }
  });
});
