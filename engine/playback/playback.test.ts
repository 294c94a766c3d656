import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import type { HttpRoute } from '#engine/gateway/http.ts';
import { Router } from '#engine/gateway/router.ts';
import { decodeKeyframes } from '#engine/media/keyframe-index.ts';
import { Failure, commonFailure } from '#protocol/errors.ts';
import type { InputOf } from '#protocol/contract.ts';
import { playback as calls } from '#protocol/index.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { Playback } from '#protocol/schema/playback.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import * as v from 'valibot';
import { testContext } from '#test/support/call-context.ts';
import { audioTrack, mediaInfo, subtitleTrack, videoTrack } from '#test/support/media-info.ts';
import { FakeHosts, MemoryPlaybackStore, MemoryScratch } from '#test/support/playback.ts';
import { MemorySubtitleCache, MemorySubtitleStore, MemorySubtitleVault } from '#test/support/subtitles.ts';
import { MemoryPreferenceStore } from '#test/support/preferences.ts';
import { GRANT_MS } from './handlers.ts';
import { createPlayback } from './playback.ts';
import type { PlaybackOptions, PlaybackPart } from './playback.ts';

const S = 1_000_000;
const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [MOVIE, FILE, OTHER_FILE] = [id(10), id(20), id(21)];
const everySecond = Array.from({ length: 60 }, (_, index) => index * S);

const chromium: DeviceProfile = {
  name: 'chromium',
  file: [{ container: 'mp4', video: [{ codec: 'h264', maxBitDepth: 8 }], audio: ['aac'] }],
  segments: { video: [{ codec: 'h264', maxBitDepth: 8 }], audio: ['aac', 'opus'] },
  hdr: [],
  maxAudioChannels: 2,
};
const mkv = (part: Partial<MediaInfo> = {}): MediaInfo => mediaInfo({ container: 'matroska', ...part });
const hevc = videoTrack({ codec: 'hevc', profile: 'Main', level: 120 });

let clock: FakeClock;
let store: MemoryPlaybackStore;
let hosts: FakeHosts;
let scratch: MemoryScratch;
let endedSessions: Set<string>;
let areSessionsDown: boolean;
let positionMs: number | null;
let part: PlaybackPart;
let people: MemoryPreferenceStore;

/** Whatever is wanted of a movie's text is there at once. */
let given: MemorySubtitleStore;
function subtitlesInMemory(): PlaybackOptions['subtitles'] {
  given = new MemorySubtitleStore();
  const cache = new MemorySubtitleCache();
  hosts.subtitleResult = (request) => cache.make(request);
  const quota = { personBytes: 1e9, totalBytes: 1e9 };
  return { store: given, vault: new MemorySubtitleVault(), cache, quota, newId: () => id(77) };
}

function create(options: { urlKey?: Uint8Array; maxTranscodes?: number } = {}): PlaybackPart {
  return createPlayback({
    store,
    hosts,
    scratch,
    subtitles: subtitlesInMemory(),
    clock,
    log: silentLog,
    sessions: {
      isAlive: (sessionId) =>
        areSessionsDown ? Promise.reject(new Error('away')) : Promise.resolve(!endedSessions.has(sessionId)),
    },
    people,
    progress: { ofMovies: () => Promise.resolve(positionMs === null ? [] : [{ positionMs }]) },
    urlKey: options.urlKey ?? Buffer.alloc(32, 1),
    scratchQuotaBytes: 1e9,
    maxTranscodes: options.maxTranscodes ?? 1,
    encode: { maxHeightPx: 720, crf: 23, preset: 'veryfast' },
  });
}

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryPlaybackStore();
  hosts = new FakeHosts();
  scratch = new MemoryScratch();
  endedSessions = new Set();
  areSessionsDown = false;
  positionMs = null;
  people = new MemoryPreferenceStore();
  part = create();
});

async function open(input: Partial<InputOf<typeof calls.open>> = {}, context = testContext()): Promise<Playback> {
  const parsed = v.parse(calls.open.input, { movieId: MOVIE, ...input });
  const playback = await part.handlers.open(parsed, context);
  return v.parse(Playback, playback); // what goes out is what the contract says
}

const failureOf = async (work: Promise<unknown>): Promise<object> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return { code: error.code, data: error.data as object };
    throw error;
  }
  return { code: 'none' };
};

interface Reply {
  status: number;
  headers: Record<string, string>;
  text: string;
  path: string | null;
}

/** A GET of an address, through the routes as the gateway would find them. A path in `missing` does not exist. */
async function get(
  url: string,
  options: { headers?: Record<string, string>; signal?: AbortSignal; missing?: string[] } = {},
): Promise<Reply> {
  const segments = url.split('/').slice(2);
  const route = part.routes.find(({ path }) => path.split('/').length - 2 === segments.length);
  if (!route) return { status: 404, headers: {}, text: '', path: null };
  const names = ['grant', 'name', 'part'];
  const params = Object.fromEntries(segments.map((segment, at) => [names[at]!, segment]));
  let reply: Reply | null = null;
  const { signal = new AbortController().signal, headers = {} } = options;
  await route.handle(
    { id: id(99), params, headers, signal },
    {
      send: (status, sent, body = '') => {
        const text = typeof body === 'string' ? body : gunzipSync(body).toString();
        reply = { status, headers: { ...sent }, text, path: null };
      },
      stream: (status, sent) => {
        reply = { status, headers: sent, text: '', path: null };
        return Promise.resolve();
      },
      file: ({ path, contentType, cacheControl, headers: more }) => {
        if (options.missing?.includes(path)) {
          options.missing.splice(options.missing.indexOf(path), 1);
          return Promise.reject(commonFailure('notFound', { what: 'file', id: '' }));
        }
        const all = { ...more, 'content-type': contentType, 'cache-control': cacheControl };
        reply = { status: 200, headers: all, text: '', path };
        return Promise.resolve();
      },
    },
  );
  return reply!;
}

const problemOf = ({ status, text }: Reply): [number, string] => [status, (JSON.parse(text) as { code: string }).code];

describe('playback.open', () => {
  it('sends a file as it is where the device plays it', async () => {
    store.add({ id: FILE, movieId: MOVIE });
    const playback = await open({ profile: chromium });
    expect(playback).toMatchObject({
      method: 'directPlay',
      reasons: [],
      kind: 'file',
      mimeType: 'video/mp4',
      fileId: FILE,
    });
    expect(playback).toMatchObject({
      video: { method: 'copy', toCodec: 'h264' },
      audio: { method: 'copy', toCodec: 'aac' },
    });
    expect(playback.url).toMatch(/^\/media\/[\w-]+\.[\w-]{43}\/file$/);
    expect(playback.expiresAt).toBe(clock.nowMs() + GRANT_MS);
    expect(hosts.hosts).toEqual([]);
  });

  it('repackages it where only the container or the sound is in the way', async () => {
    store.add(
      { id: FILE, movieId: MOVIE, media: mkv({ audio: [audioTrack({ codec: 'ac3', channels: 6 })] }) },
      everySecond,
    );
    const playback = await open({ profile: chromium });
    expect(playback).toMatchObject({
      method: 'remux',
      reasons: ['containerNotSupported', 'audioCodecNotSupported', 'audioChannelsNotSupported'],
      kind: 'hls',
      mimeType: 'application/vnd.apple.mpegurl',
      video: { method: 'copy', fromCodec: 'h264', toCodec: 'h264' },
      audio: { method: 'transcode', fromCodec: 'ac3', toCodec: 'aac' },
    });
  });

  it('encodes the picture where the device can’t decode it', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    expect(await open({ profile: chromium })).toMatchObject({
      method: 'transcode',
      reasons: ['videoCodecNotSupported'],
      video: { method: 'transcode', fromCodec: 'hevc', toCodec: 'h264' },
    });
  });

  it('without a profile serves what every browser plays', async () => {
    store.add({ id: FILE, movieId: MOVIE });
    expect(await open()).toMatchObject({ method: 'directPlay' });
  });

  it('[PLAY18] begins with the first part of a movie that is cut into several', async () => {
    store.add({ id: id(30), movieId: MOVIE, part: 2, media: mediaInfo({ bitrateBps: 9_000_000 }) });
    store.add({ id: id(31), movieId: MOVIE, part: 1, media: mediaInfo({ bitrateBps: 5_000_000 }) });
    expect(await open()).toMatchObject({ fileId: id(31) });
    expect(await open({ fileId: id(30) })).toMatchObject({ fileId: id(30) });
  });

  describe('a movie cut into two files of a minute', () => {
    const [FIRST, SECOND] = [id(31), id(30)];
    beforeEach(() => {
      store.add({ id: SECOND, movieId: MOVIE, part: 2 });
      store.add({ id: FIRST, movieId: MOVIE, part: 1 });
      store.add({ id: id(32), movieId: MOVIE, part: 2, edition: 'Uncut' });
    });
    const inFirst = { number: 1, count: 2, offsetMs: 0, movieDurationMs: 120_000, nextFileId: SECOND };
    const inSecond = { number: 2, count: 2, offsetMs: 60_000, movieDurationMs: 120_000, nextFileId: null };

    it('[PLAY25] says where in the movie the file lies, and what follows', async () => {
      expect(await open()).toMatchObject({ fileId: FIRST, durationMs: 60_000, resumeMs: 0, part: inFirst });
      expect(await open({ fileId: SECOND })).toMatchObject({ fileId: SECOND, durationMs: 60_000, part: inSecond });
      // The only part of its edition is all that there is to play of it.
      expect(await open({ fileId: id(32) })).toMatchObject({ fileId: id(32), part: null });
    });

    it('[PLAY26] goes on in the part where the person left off', async () => {
      positionMs = 59_999;
      expect(await open()).toMatchObject({ fileId: FIRST, resumeMs: 59_999 });
      positionMs = 60_000;
      expect(await open()).toMatchObject({ fileId: SECOND, resumeMs: 0, part: inSecond });
      positionMs = 71_500;
      expect(await open()).toMatchObject({ fileId: SECOND, resumeMs: 11_500, part: inSecond });
      positionMs = 120_000;
      expect(await open()).toMatchObject({ fileId: SECOND, resumeMs: 0 });
    });

    it('[PLAY26] who asks for a part gets it, at their place where that lies in it', async () => {
      positionMs = 71_500;
      expect(await open({ fileId: SECOND })).toMatchObject({ fileId: SECOND, resumeMs: 11_500 });
      expect(await open({ fileId: FIRST })).toMatchObject({ fileId: FIRST, resumeMs: 0 });
      positionMs = 31_500;
      expect(await open({ fileId: SECOND })).toMatchObject({ fileId: SECOND, resumeMs: 0 });
    });

    it('[PLAY26] begins where the caller says, whatever the place of the person', async () => {
      positionMs = 71_500;
      expect(await open({ startMs: 0 })).toMatchObject({ fileId: FIRST, resumeMs: 0 });
      expect(await open({ startMs: 60_001 })).toMatchObject({ fileId: SECOND, resumeMs: 1 });
      expect(await open({ startMs: 60_000, fileId: SECOND })).toMatchObject({ fileId: SECOND, resumeMs: 0 });
    });

    it('[PLAY26] says so where the part of their place is none for this device, and never begins another', async () => {
      store.add({ id: SECOND, movieId: MOVIE, part: 2, media: mkv({ video: [hevc] }) });
      positionMs = 71_500;
      const refusal = failureOf(open({ without: ['transcode'] }));
      expect(await refusal).toEqual({ code: 'notPlayable', data: { failure: 'unsupported' } });
    });

    it('[PLAY26] a part that can’t be played is passed over', async () => {
      store.files.set(SECOND, { ...store.files.get(SECOND)!, state: 'missing' });
      positionMs = 71_500;
      expect(await open()).toMatchObject({ fileId: FIRST, resumeMs: 59_999, part: null });
    });
  });

  it('[PLAY24] an extra is played where somebody asks for it, from its beginning, and never for the movie', async () => {
    store.add({ id: FILE, movieId: MOVIE, isExtra: true, media: mediaInfo({ bitrateBps: 9_000_000 }) });
    expect(await failureOf(open())).toMatchObject({ code: 'notPlayable' });
    store.add({ id: OTHER_FILE, movieId: MOVIE });
    positionMs = 31_500;
    expect(await open()).toMatchObject({ fileId: OTHER_FILE, isExtra: false, resumeMs: 31_500 });
    expect(await open({ fileId: FILE })).toMatchObject({ fileId: FILE, isExtra: true, resumeMs: 0 });
  });

  it('[PLAY18] takes the file that reaches the device best', async () => {
    store.add({
      id: id(30),
      movieId: MOVIE,
      media: mediaInfo({ video: [videoTrack({ width: 3840, height: 2160, codec: 'hevc' })] }),
    });
    store.add({ id: id(31), movieId: MOVIE, media: mkv() }, everySecond);
    store.add({ id: id(32), movieId: MOVIE, media: mediaInfo({ video: [videoTrack({ width: 1280, height: 720 })] }) });
    store.add({ id: id(33), movieId: MOVIE, media: mediaInfo({ bitrateBps: 3_000_000 }) });
    store.add({ id: id(34), movieId: MOVIE, media: mediaInfo({ bitrateBps: 5_000_000 }) });
    store.add({ id: id(35), movieId: MOVIE, media: mediaInfo({ bitrateBps: 9_000_000 }), state: 'missing' });
    expect(await open({ profile: chromium })).toMatchObject({ fileId: id(34) });
    expect(await open({ profile: chromium, fileId: id(32) })).toMatchObject({ fileId: id(32) });
    for (const last of [32, 33, 34]) store.files.delete(id(last));
    expect(await open({ profile: chromium })).toMatchObject({ fileId: id(31), method: 'remux' });
  });

  it('[PLAY19] goes on where the person left off, and is warm there', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv() }, everySecond);
    positionMs = 31_500;
    expect(await open({ profile: chromium })).toMatchObject({ resumeMs: 31_500 });
    await clock.advance(0);
    // Plan: 0 1 3 6 11 16 21 26 31 …: 31.5 s lies in segment 8. Picture and sound have a host each.
    expect(hosts.hosts.map(({ spec, commands }) => [spec.kind, commands[0]?.split('-')[0]])).toEqual([
      ['video', '8'],
      ['audio', '8'],
    ]);
  });

  it.each([
    ['remux', mkv()],
    ['transcode', mediaInfo({ video: [hevc] })],
  ])('[PLAY19] what was warmed is what the player asks for: %s', async (_method, media) => {
    store.add({ id: FILE, movieId: MOVIE, media }, everySecond);
    const { url } = await open({ profile: chromium });
    const replies = ['v0/init.mp4', 'v0/0.m4s', 'a1/0.m4s'].map((name) => get(url.replace('index.m3u8', name)));
    await clock.advance(0);
    for (const host of hosts.open) host.make();
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(hosts.hosts.length).toBe(2);
  });

  it('[PLAY19] never resumes beyond the end of a shorter file', async () => {
    store.add({ id: FILE, movieId: MOVIE });
    positionMs = 99_000_000;
    expect(await open()).toMatchObject({ resumeMs: 59_999 });
  });

  it('[PLAY20] finds keyframes when a remux needs them, once for all who ask, and keeps them', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv({ container: 'mpegts' }) });
    hosts.keyframesResult = { ok: true, keyframesUs: Float64Array.from(everySecond) };
    const opened = await Promise.all([open({ profile: chromium }), open({ profile: chromium })]);
    expect(opened.map(({ method }) => method)).toEqual(['remux', 'remux']);
    expect(await open({ profile: chromium })).toMatchObject({ method: 'remux' });
    expect(hosts.asked.filter((what) => what.startsWith('keyframes'))).toEqual([`keyframes of /movies/${FILE}.mp4 0`]);
    expect(decodeKeyframes(store.keyframesById.get(FILE)!)).toHaveLength(60);
  });

  it('[PLAY20] encodes where there are no keyframes to be had, and does not look again', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv() });
    for (let round = 0; round < 2; round++) {
      expect(await open({ profile: chromium })).toMatchObject({
        method: 'transcode',
        reasons: ['containerNotSupported', 'keyframesUnusable'],
      });
    }
    expect(hosts.asked.length).toBe(1);
  });

  it('[PLAY20] does not wait for a search that takes too long, and uses what it finds the next time', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv() });
    const search = Promise.withResolvers<Awaited<ReturnType<FakeHosts['keyframes']>>>();
    hosts.keyframes = () => search.promise;
    const first = open({ profile: chromium });
    await clock.advance(20_000);
    expect(await first).toMatchObject({ method: 'transcode', reasons: ['containerNotSupported', 'keyframesUnusable'] });
    search.resolve({ ok: true, keyframesUs: Float64Array.from(everySecond) });
    await clock.advance(0);
    expect(await open({ profile: chromium })).toMatchObject({ method: 'remux' });
    // What was opened before is still cut as it was.
    expect((await get((await first).url)).status).toBe(200);
  });

  it('[PLAY20] encodes a picture whose keyframes no player can begin at, and remembers it', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv() }, everySecond);
    hosts.entryPointsResult = { ok: true, areUsable: false };
    for (let round = 0; round < 2; round++) {
      expect(await open({ profile: chromium })).toMatchObject({
        method: 'transcode',
        reasons: ['containerNotSupported', 'keyframesUnusable'],
      });
    }
    // Plan: 0 1 3 6 11 16 … 56 60: a few of its borders, from the whole of it.
    expect(hosts.asked).toEqual([`entry points of /movies/${FILE}.mp4 at 1 6 16 26 36 46`]);
  });

  it('[PLAY20] takes keyframes that can’t be looked at now for sound', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv() }, everySecond);
    hosts.entryPointsResult = { ok: false, failure: 'timeout' };
    expect(await open({ profile: chromium })).toMatchObject({ method: 'remux' });
  });

  it('does not use again what failed on this device', async () => {
    store.add({ id: FILE, movieId: MOVIE }, everySecond);
    expect(await open({ profile: chromium, without: ['directPlay'] })).toMatchObject({
      method: 'remux',
      reasons: ['failedOnThisDevice'],
    });
    const all = open({ profile: chromium, without: ['directPlay', 'remux', 'transcode'] });
    expect(await failureOf(all)).toEqual({ code: 'notPlayable', data: { failure: 'unsupported' } });
  });

  it('names the tracks, and which of them is heard', async () => {
    const audio = [
      audioTrack({ disposition: { commentary: true } }),
      audioTrack({ index: 2, language: 'fr', codec: 'opus', disposition: { default: true } }),
    ];
    const subtitles = [
      subtitleTrack({ index: 3, disposition: { forced: true } }),
      subtitleTrack({ index: 4, codec: 'hdmv_pgs_subtitle', isText: false, language: 'de' }),
    ];
    const chapters = [{ startMs: 0, endMs: 1_000, title: 'Opening' }];
    store.add({ id: FILE, movieId: MOVIE, media: mkv({ audio, subtitles, chapters }) }, everySecond);
    const playback = await open({ profile: chromium });
    expect(playback.audioTracks.map(({ label, isDefault, isSelected }) => [label, isDefault, isSelected])).toEqual([
      ['English · Stereo · Commentary', false, false],
      ['Français · Stereo', true, true],
    ]);
    expect(playback.subtitleTracks).toMatchObject([
      { label: 'English · Forced', isForced: true, url: expect.stringMatching(/^\/media\/[^/]+\/t3\.vtt$/) as string },
      { label: 'Deutsch', url: null },
    ]);
    expect(playback.chapters).toEqual(chapters);
    const chosen = await open({ profile: chromium, audioTrack: 1 });
    expect(chosen.audioTracks.map(({ isSelected }) => isSelected)).toEqual([true, false]);
  });

  it('refuses what does not exist or can’t be played, and says why', async () => {
    expect(await failureOf(open())).toEqual({ code: 'notFound', data: { what: 'movie', id: MOVIE } });
    store.add({ id: FILE, movieId: MOVIE, state: 'unplayable', failure: 'truncated', media: null });
    expect(await failureOf(open({ fileId: OTHER_FILE }))).toEqual({
      code: 'notFound',
      data: { what: 'file', id: OTHER_FILE },
    });
    expect(await failureOf(open())).toEqual({ code: 'notPlayable', data: { failure: 'truncated' } });
    store.add({ id: FILE, movieId: MOVIE, state: 'missing' });
    expect(await failureOf(open())).toEqual({ code: 'notPlayable', data: { failure: 'notFound' } });
    store.add({ id: FILE, movieId: MOVIE, media: mkv({ durationMs: null }) }, everySecond);
    expect(await failureOf(open({ profile: chromium }))).toEqual({
      code: 'notPlayable',
      data: { failure: 'unsupported' },
    });
  });

  it('[PLAY101] makes the sound for the night where it is wanted, and leaves the picture alone', async () => {
    store.add({ id: FILE, movieId: MOVIE }, everySecond);
    const playback = await open({ profile: { ...chromium, nightSound: true } });
    expect(playback).toMatchObject({
      method: 'remux',
      reasons: ['nightSound'],
      video: { method: 'copy' },
      audio: { method: 'transcode', toCodec: 'aac' },
    });
    await clock.advance(0);
    const outputs = hosts.hosts.map(({ spec }) => [spec.kind, spec.output]);
    expect(outputs).toContainEqual(['audio', { method: 'aac', channels: 2, bitrateBps: 160_000, isNight: true }]);
  });

  it('[PLAY13] refuses one transcode too many, but never the second viewer of the same', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    store.add({ id: OTHER_FILE, movieId: id(11), media: mediaInfo({ video: [hevc] }) }, everySecond);
    const somebody = (n: number) => testContext({ sessionId: id(900 + n) });
    await open({ profile: chromium }, somebody(1));
    await clock.advance(0);
    expect(await open({ profile: chromium }, somebody(2))).toMatchObject({ method: 'transcode' });
    const other = { movieId: id(11), profile: chromium };
    expect(await failureOf(open(other, somebody(3)))).toEqual({
      code: 'tooManyTranscodes',
      data: { running: 1, limit: 1, place: 1 },
    });
    await clock.advance(2 * 60_000);
    expect(await open(other, somebody(3))).toMatchObject({ method: 'transcode' });
  });

  it('[PLAY96] tells how fast the picture of a playback is encoded, to whom it was opened for only', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    const { url } = await open({ profile: chromium });
    const ask = (asked: string, context = testContext()) => part.handlers.work({ url: asked }, context);
    expect(await ask(url)).toEqual({ encoding: null }); // nobody has asked for any of it
    void get(url.replace('index.m3u8', 'v0/0.m4s'));
    await clock.advance(0);
    const at = { isAtRest: false, hardware: null };
    expect(await ask(url)).toEqual({ encoding: { ...at, realTimeFactor: null, framesPerSecond: null } });
    await clock.advance(500);
    hosts.hosts.find(({ spec }) => spec.kind === 'video')!.make();
    await clock.advance(0);
    const { encoding } = await ask(url);
    expect(encoding).toMatchObject(at);
    const { num, den } = hevc.frameRate!;
    expect(encoding!.framesPerSecond! / encoding!.realTimeFactor!).toBeCloseTo(num / den);
    // A segment of some seconds in half a second.
    expect(encoding!.realTimeFactor!).toBeGreaterThan(1);
    expect(await ask(url, testContext({ sessionId: id(901) }))).toEqual({ encoding: null });
    for (const bad of ['', '/media/x/index.m3u8', url.replace('.', 'x.')]) {
      expect(await ask(bad)).toEqual({ encoding: null });
    }
  });

  it('[PLAY37] makes nothing ahead for who has closed the movie, and goes on where they ask again', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    const { url } = await open({ profile: chromium });
    const close = (asked: string, context = testContext()) => part.handlers.close({ url: asked }, context);
    void get(url.replace('index.m3u8', 'v0/0.m4s'));
    await clock.advance(0);
    const host = hosts.hosts.find(({ spec }) => spec.kind === 'video')!;
    host.make();
    await clock.advance(0);
    // Of others, and of what is no address, nothing is heard.
    for (const bad of ['', '/media/x/index.m3u8', url.replace('.', 'x.')]) expect(await close(bad)).toEqual({});
    await close(url, testContext({ sessionId: id(901) }));
    await clock.advance(0);
    expect(host.commands.at(-1)).not.toBe('pause');
    await close(url);
    await clock.advance(0);
    expect(host.commands.at(-1)).toBe('pause');
    void get(url.replace('index.m3u8', 'v0/1.m4s'));
    await clock.advance(0);
    expect(host.commands.at(-1)).toMatch(/^1-/);
  });

  it('[PLAY30] lets those who wait in by turns, whoever comes later', async () => {
    const somebody = (last: number) => testContext({ sessionId: id(last) });
    const films = [MOVIE, id(11), id(12), id(13)];
    for (const [at, movieId] of films.entries()) {
      store.add({ id: id(20 + at), movieId, media: mediaInfo({ video: [hevc] }) }, everySecond);
    }
    const opening = (at: number) => open({ movieId: films[at]!, profile: chromium }, somebody(at + 1));
    const refusedAt = (place: number) => ({ code: 'tooManyTranscodes', data: { running: 1, limit: 1, place } });
    const { url } = await opening(0);
    void get(url.replace('index.m3u8', 'v0/0.m4s'));
    await clock.advance(0);
    expect(await failureOf(opening(1))).toEqual(refusedAt(1));
    // Who watches, and opens the movie anew, does not go to the end of the line.
    const softer = { ...chromium, maxBitrateBps: 1_000_000 };
    const again = await open({ movieId: MOVIE, profile: softer }, somebody(1));
    void get(again.url.replace('index.m3u8', 'v0/0.m4s'));
    await clock.advance(0);
    expect(await failureOf(opening(2))).toEqual(refusedAt(2));
    const [second, third] = [2, 3].map((last) => part.handlers.wait({ known: last - 1 }, somebody(last)));
    // The first one goes on to something that needs no encoder, and their slot is free.
    store.add({ id: id(30), movieId: id(14) });
    await open({ movieId: id(14), profile: chromium }, somebody(1));
    await clock.advance(1_000);
    expect(await Promise.race([second, third])).toEqual({ place: 0 });
    expect(await failureOf(opening(3))).toMatchObject({ code: 'tooManyTranscodes', data: { place: 3 } });
    expect(await opening(1)).toMatchObject({ method: 'transcode' });
    expect(await third).toEqual({ place: 1 });
    await part.handlers.leave({}, somebody(3));
    expect(await part.handlers.wait({ known: 1 }, somebody(3))).toEqual({ place: null });
  });

  it('[PLAY32] a viewer who switches to another picture leaves the first, and its slot', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    const { url, variants } = await open({ profile: chromium });
    expect(variants.map(({ name }) => name)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
    await clock.advance(0);
    const first = get(url.replace('index.m3u8', 'v0/0.m4s'));
    await clock.advance(0);
    hosts.open[0]!.make();
    expect((await first).status).toBe(200);
    const second = get(url.replace('index.m3u8', 'v2/1.m4s'));
    await clock.advance(1_000);
    for (const host of hosts.open) if (host.spec.output.method === 'h264') host.make(3);
    await clock.advance(1_000);
    for (const host of hosts.open) if (host.spec.output.method === 'h264') host.make(3);
    expect((await second).status).toBe(200);
  });

  it('[PLAY13] never refuses somebody because of what they themselves watched before', async () => {
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    store.add({ id: OTHER_FILE, movieId: id(11), media: mediaInfo({ video: [hevc] }) }, everySecond);
    await open({ profile: chromium });
    await clock.advance(0);
    expect(await open({ movieId: id(11), profile: chromium })).toMatchObject({ method: 'transcode' });
  });

  it('[PLAY59] shows styles as text to whoever would have to wait for an encoder for nothing else, and says why', async () => {
    const somebody = (last: number) => testContext({ sessionId: id(last) });
    const subtitles = [subtitleTrack({ index: 2, codec: 'ass' })];
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    store.add({ id: OTHER_FILE, movieId: id(11), media: mediaInfo({ subtitles }) }, everySecond);
    store.add({ id: id(41), movieId: id(12), media: mediaInfo({ video: [hevc], subtitles }) }, everySecond);
    const first = await open({ profile: chromium }, somebody(1));
    void get(first.url.replace('index.m3u8', 'v0/0.m4s'));
    await clock.advance(0);
    const styled = await open({ movieId: id(11), profile: chromium, subtitle: 't2' }, somebody(2));
    expect(styled).toMatchObject({ selectedSubtitle: 't2', styledTextReason: 'encodersBusy' });
    expect(styled.method).not.toBe('transcode');
    expect(styled.reasons).not.toContain('subtitlesBurnedIn');
    // They stand in nobody's way.
    expect(await part.handlers.wait({ known: 1 }, somebody(2))).toEqual({ place: null });
    // A picture that has to be encoded anyway is waited for, and comes with them.
    const wanted = { movieId: id(12), profile: chromium, subtitle: 't2' };
    expect(await failureOf(open(wanted, somebody(3)))).toMatchObject({ code: 'tooManyTranscodes', data: { place: 1 } });
    store.add({ id: id(42), movieId: id(14) });
    await open({ movieId: id(14), profile: chromium }, somebody(1));
    await clock.advance(60_000);
    const later = await open({ movieId: id(11), profile: chromium, subtitle: 't2' }, somebody(2));
    expect(later).toMatchObject({ method: 'transcode', reasons: ['subtitlesBurnedIn'] });
    expect(later).not.toHaveProperty('styledTextReason');
  });

  it('[PLAY13] encodes nothing where the configuration says so', async () => {
    part = create({ maxTranscodes: 0 });
    store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ video: [hevc] }) }, everySecond);
    expect(await failureOf(open({ profile: chromium }))).toMatchObject({ code: 'tooManyTranscodes' });
  });
});

describe('media addresses', () => {
  it('are routes as the gateway takes them', () => {
    const routes: readonly HttpRoute[] = part.routes;
    expect(routes.map(({ access }) => access)).toEqual(['signedUrl', 'signedUrl']);
    expect(new Router(routes).find('GET', '/media/x.y/v0/0.m4s')).toMatchObject({
      kind: 'found',
      params: { grant: 'x.y', name: 'v0', part: '0.m4s' },
    });
  });

  const direct = async (): Promise<Playback> => {
    store.add({ id: FILE, movieId: MOVIE });
    return open({ profile: chromium });
  };
  const remux = async (media: Partial<MediaInfo> = {}): Promise<Playback> => {
    store.add({ id: FILE, movieId: MOVIE, media: mkv(media) }, everySecond);
    return open({ profile: chromium });
  };
  /** Everything that a remux has an address for. */
  const addresses = (url: string): string[] => {
    const names = [
      'index.m3u8',
      'v0/index.m3u8',
      'v0/init.mp4',
      'v0/0.m4s',
      'a1/index.m3u8',
      'a1/init.mp4',
      'a1/0.m4s',
      't3.vtt',
    ];
    return names.map((name) => url.replace('index.m3u8', name));
  };
  const makeAll = async (): Promise<void> => {
    await clock.advance(0);
    for (const host of hosts.open) host.make(3);
    await clock.advance(0);
  };

  it('lead to the file itself, which goes through the gateway’s ranges', async () => {
    const { url } = await direct();
    expect(await get(url)).toMatchObject({
      status: 200,
      path: `/movies/${FILE}.mp4`,
      headers: { 'content-type': 'video/mp4', 'access-control-allow-origin': '*' },
    });
  });

  it('lead to playlists that name what lies beside them', async () => {
    const audio = [audioTrack({ title: 'He said "hi"' }), audioTrack({ index: 2, codec: 'dts', language: 'de' })];
    const { url } = await remux({ audio });
    const multivariant = await get(url);
    expect(multivariant.headers['content-type']).toBe('application/vnd.apple.mpegurl');
    expect(multivariant.text).toContain('CODECS="avc1.640028,mp4a.40.2"');
    expect(multivariant.text).toContain('NAME="English · Stereo · He said ’hi’"');
    expect(multivariant.text).toContain('DEFAULT=YES');
    const named = [...multivariant.text.matchAll(/URI="([^"]+)"|^([^#].*)$/gm)].map((match) => match[1] ?? match[2]);
    const rungs = ['v0', 'v1', 'v2', 'v3', 'v4'].map((name) => `${name}/index.m3u8`);
    expect(named).toEqual(['a1/index.m3u8', 'a2/index.m3u8', ...rungs, 'i/index.m3u8']);
    for (const name of named) {
      const { status, text } = await get(url.replace('index.m3u8', name!));
      expect([status, text.includes('#EXT-X-ENDLIST'), text.includes('#EXT-X-MAP:URI="init.mp4"')]).toEqual([
        200,
        true,
        true,
      ]);
    }
  });

  it('lead to segments as soon as they are made', async () => {
    const { url } = await remux();
    const asked = addresses(url)
      .slice(2, 4)
      .map((address) => get(address));
    await makeAll();
    const replies = await Promise.all(asked);
    const folder = [...scratch.folders.keys()][0];
    expect(replies.map(({ path }) => path)).toEqual([`/scratch/${folder}/init.mp4`, `/scratch/${folder}/0.m4s`]);
    expect(replies[1]?.headers).toMatchObject({
      'content-type': 'video/mp4',
      'cache-control': 'private, max-age=21600, immutable',
    });
  });

  it('compress playlists for those who take it', async () => {
    const { url } = await remux();
    const address = url.replace('index.m3u8', 'v0/index.m3u8');
    const [plain, small, refused] = await Promise.all([
      get(address),
      get(address, { headers: { 'accept-encoding': 'br, gzip;q=0.8' } }),
      get(address, { headers: { 'accept-encoding': 'gzip;q=0' } }),
    ]);
    expect([plain, small, refused].map(({ headers }) => headers['content-encoding'])).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    store.add(
      { id: FILE, movieId: MOVIE, media: mkv({ durationMs: 7_200_000 }) },
      everySecond.map((timeUs) => timeUs * 25),
    );
    const long = await open({ profile: chromium, without: ['remux'] });
    const longAddress = long.url.replace('index.m3u8', 'v0/index.m3u8');
    const [whole, packed, unpacked] = await Promise.all([
      get(longAddress),
      get(longAddress, { headers: { 'accept-encoding': 'br, gzip;q=0.8' } }),
      get(longAddress, { headers: { 'accept-encoding': 'gzip;q=0, br' } }),
    ]);
    expect([whole, packed, unpacked].map(({ headers }) => headers['content-encoding'])).toEqual([
      undefined,
      'gzip',
      undefined,
    ]);
    expect(packed.text).toBe(whole.text);
    expect(whole.headers['vary']).toBe('accept-encoding');
  });

  it('[PLAY1] work after a restart, and name the same segments', async () => {
    const { url } = await remux();
    const before = await get(url.replace('index.m3u8', 'v0/index.m3u8'));
    part = create();
    expect((await get(url.replace('index.m3u8', 'v0/index.m3u8'))).text).toBe(before.text);
    const segment = get(addresses(url)[3]!);
    await makeAll();
    expect((await segment).status).toBe(200);
    part = create({ urlKey: Buffer.alloc(32, 9) });
    expect((await get(url)).status).toBe(403);
  });

  it('[PLAY2] open nothing when they are forged, whatever they ask for', async () => {
    const { url } = await remux();
    const grant = url.split('/')[2]!;
    const forged = [
      `A${grant.slice(1)}`,
      `${grant.slice(0, -1)}_`,
      grant.split('.')[0]!,
      'x',
      '.'.repeat(50),
      'A'.repeat(10_240),
    ];
    for (const token of forged.filter((each) => each !== grant)) {
      for (const address of addresses(url)) {
        expect(problemOf(await get(address.replace(grant, token)))).toEqual([403, 'forbidden']);
      }
    }
    expect(hosts.hosts.length).toBeLessThanOrEqual(2);
  });

  it('[PLAY2] open nothing of another playback: a grant for the file is none for segments, and the other way round', async () => {
    const { url } = await direct();
    for (const address of addresses(url.replace('/file', '/index.m3u8')).slice(0, 7)) {
      expect(problemOf(await get(address))).toEqual([404, 'notFound']);
    }
    const packaged = await remux();
    expect(problemOf(await get(packaged.url.replace('index.m3u8', 'file')))).toEqual([404, 'notFound']);
  });

  it('[PLAY3] end at their time', async () => {
    const { url } = await remux();
    await clock.advance(GRANT_MS - 1);
    expect((await get(url)).status).toBe(200);
    await clock.advance(1);
    for (const address of addresses(url)) expect(problemOf(await get(address))).toEqual([410, 'gone']);
  });

  it('[PLAY4] end with their session', async () => {
    const { url } = await remux();
    endedSessions.add(testContext().sessionId);
    for (const address of addresses(url)) expect(problemOf(await get(address))).toEqual([401, 'unauthenticated']);
    endedSessions.clear();
    endedSessions.add(id(77));
    expect((await get(url)).status).toBe(200);
  });

  it('[PLAY4] end with their file, its library, and its version', async () => {
    const { url } = await remux();
    const file = store.files.get(FILE)!;
    const states: (typeof file | null)[] = [
      null,
      { ...file, state: 'missing' },
      { ...file, state: 'unplayable', failure: 'quarantined' },
      { ...file, sizeBytes: file.sizeBytes + 1 },
      { ...file, mtimeUs: file.mtimeUs + 1 },
    ];
    for (const state of states) {
      if (state) store.files.set(FILE, state);
      else store.files.delete(FILE);
      for (const address of addresses(url)) expect(problemOf(await get(address))).toEqual([410, 'gone']);
    }
    store.files.set(FILE, file);
    expect((await get(url)).status).toBe(200);
  });

  it.each(['missing', 'replaced', 'replaced by half a file'] as const)(
    '[PLAY23] go on in segments for those who watch when their file is %s, as long as a host holds it',
    async (how) => {
      const { url } = await remux();
      const file = store.files.get(FILE)!;
      const [first, second] = ['v0/0.m4s', 'v0/1.m4s'].map((name) => url.replace('index.m3u8', name));
      const before = get(first!);
      await makeAll();
      expect((await before).status).toBe(200);
      const changed = { ...file, sizeBytes: file.sizeBytes + 1 };
      if (how === 'missing') store.files.set(FILE, { ...file, state: 'missing' });
      else if (how === 'replaced') store.files.set(FILE, changed);
      else store.files.set(FILE, { ...changed, state: 'unplayable', failure: 'truncated' });
      const after = [get(first!), get(second!), get(url.replace('index.m3u8', 'v0/index.m3u8'))];
      await makeAll();
      expect((await Promise.all(after)).map(({ status }) => status)).toEqual([200, 200, 200]);
      // What the last host left behind is all that there is.
      await clock.advance(10 * 60_000);
      expect(problemOf(await get(url.replace('index.m3u8', 'v0/9.m4s')))).toEqual([410, 'gone']);
      expect((await get(first!)).status).toBe(200);
    },
  );

  it('[PLAY4] [PLAY23] end at once for those who watch when their file is quarantined or forgotten', async () => {
    const { url } = await remux();
    const file = store.files.get(FILE)!;
    const before = get(url.replace('index.m3u8', 'v0/0.m4s'));
    await makeAll();
    await before;
    store.files.set(FILE, { ...file, state: 'unplayable', failure: 'quarantined' });
    for (const address of addresses(url)) expect(problemOf(await get(address))).toEqual([410, 'gone']);
    store.files.delete(FILE);
    for (const address of addresses(url)) expect(problemOf(await get(address))).toEqual([410, 'gone']);
  });

  it('[PLAY4] go on while the store is away, for those who watch already', async () => {
    const { url } = await direct();
    expect((await get(url)).status).toBe(200);
    store.isDown = areSessionsDown = true;
    expect((await get(url)).status).toBe(200);
    await clock.advance(31 * 60_000);
    await expect(get(url)).rejects.toThrow('away');
  });

  it('[PLAY4] of segments that are cut differently now are refused', async () => {
    const { url } = await remux();
    store.add(
      { id: FILE, movieId: MOVIE, media: mkv() },
      everySecond.map((timeUs) => timeUs * 2),
    );
    part = create();
    expect(problemOf(await get(url.replace('index.m3u8', 'v0/0.m4s')))).toEqual([410, 'gone']);
  });

  it('[PLAY5] know a closed set of names, each written in one way', async () => {
    const { url } = await remux({ subtitles: [subtitleTrack({ index: 3 })] });
    const base = url.replace('index.m3u8', '');
    const names = [
      ...[
        '',
        'x',
        'index',
        'index.m3u8.bak',
        '..',
        '%2e%2e',
        'file.mkv',
        's.vtt',
        't03.vtt',
        't4.vtt',
        't99999.vtt',
        's3.srt',
      ],
      ...[
        'v0/',
        'v0/x',
        'v0/..',
        'v0/0',
        'v0/00.m4s',
        'v0/-1.m4s',
        'v0/1e2.m4s',
        'v0/999999.m4s',
        'v0/9999999.m4s',
        'v0/init.m4s',
      ],
      ...['v0/0.m4s.part', 'V/0.m4s', 'a/0.m4s', 'a01/0.m4s', 'a9/0.m4s', 'a9/index.m3u8', 'a9/init.mp4', 's3/0.m4s'],
    ];
    for (const name of names) {
      const { status } = await get(`${base}${name}`);
      expect([name, status]).toEqual([name, 404]);
    }
  });

  it('[PLAY1] play a movie with a hundred and twenty tracks of sound, and one that claims a thousand', async () => {
    for (const [count, offered] of [
      [120, 120],
      [990, 200],
    ] as const) {
      const audio = Array.from({ length: count }, (_, at) => audioTrack({ index: at + 1, codec: 'aac' }));
      store.files.clear();
      store.add({ id: FILE, movieId: MOVIE, media: mediaInfo({ container: 'matroska', audio }) }, [0, 2e6, 4e6]);
      const { url } = await open({ audioTrack: count });
      const { status, text } = await get(url);
      expect(status).toBe(200);
      expect(text.match(/TYPE=AUDIO/g)).toHaveLength(offered);
      expect((await get(url.replace('index.m3u8', `a${count}/index.m3u8`))).status).toBe(200);
    }
  });

  it('[PLAY89] list what somebody hands in while they are watched', async () => {
    const { url } = await remux();
    const gzip = { headers: { 'accept-encoding': 'gzip' } };
    const before = await get(url, gzip);
    expect(before.headers['cache-control']).toBe('private, no-cache');
    given.files.push({
      ...{ id: id(55), fileId: FILE, source: 'uploaded', path: '/x', indexPath: null, format: 'srt', language: 'fr' },
      ...{ title: 'Mine', isForced: false, isDefault: false, isHearingImpaired: false, sizeBytes: 1, mtimeUs: 1 },
    });
    const after = await get(url, gzip);
    expect(before.text).not.toContain(`s${id(55)}`);
    expect(after.text).toContain(`s${id(55)}/index.m3u8`);
  });

  it('[PLAY10] are let go of by a client that leaves', async () => {
    const { url } = await remux();
    const abort = new AbortController();
    const reply = get(addresses(url)[3]!, { signal: abort.signal });
    await clock.advance(0);
    abort.abort(new Error('gone'));
    await expect(reply).rejects.toThrow('gone');
  });

  it.each([
    ['truncated', 422],
    ['quarantined', 422],
    ['unsupported', 422],
    ['timeout', 500],
    ['internal', 500],
  ] as const)('[PLAY15] say that a segment can’t be made: %s is %i', async (failure, status) => {
    const { url } = await remux();
    const reply = get(url.replace('index.m3u8', 'v0/0.m4s'));
    for (let attempt = 0; attempt < 2; attempt++) {
      await clock.advance(0);
      hosts.hosts
        .filter(({ spec, isOpen }) => spec.kind === 'video' && isOpen)
        .at(-1)
        ?.fail(failure);
    }
    expect(problemOf(await reply)).toEqual([status, failure]);
  });

  it('make again what has vanished from the scratch space', async () => {
    const { url } = await remux();
    const first = get(url.replace('index.m3u8', 'v0/0.m4s'));
    await makeAll();
    const { path } = await first;
    const again = get(url.replace('index.m3u8', 'v0/0.m4s'), { missing: [path!] });
    await makeAll();
    expect(await again).toMatchObject({ status: 200, path });
  });

  it('answer 410 where the movie’s own file has vanished', async () => {
    const { url } = await direct();
    expect(problemOf(await get(url, { missing: [`/movies/${FILE}.mp4`] }))).toEqual([410, 'gone']);
  });
});
