import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { DeviceProfile, PlayMethod, Playback } from '#protocol/schema/playback.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import type { InitFacts, Sample } from '#test/support/fragment.ts';
import { clips } from '#test/support/media.ts';
import { hasOpen, mediaHosts } from '#test/support/processes.ts';
import { PlaybackStage } from '#test/support/playback-stage.ts';

const run = promisify(execFile);
const S = 1_000_000;

let stage: PlaybackStage;
beforeAll(async () => {
  stage = await PlaybackStage.open();
});
afterAll(() => stage[Symbol.asyncDispose]());
// Slots for encoding are held for a while after the last request.
beforeEach(() => stage.restart());

/** Plays H.264, HEVC, VP9, AAC, AC-3 and Opus in segments, and nothing as a file. */
const segmentsOnly: DeviceProfile = {
  name: 'segments only',
  file: [],
  segments: {
    video: ['h264', 'hevc', 'vp9'].map((codec) => ({ codec, maxBitDepth: 10 })),
    audio: ['aac', 'ac3', 'opus'],
  },
  hdr: ['hdr10', 'hlg'],
  maxAudioChannels: 8,
};

interface MadeSegment {
  readonly startUs: number;
  readonly endUs: number;
  readonly bytes: Buffer;
  readonly samples: readonly Sample[];
}

interface MadeRendition {
  readonly init: InitFacts;
  readonly segments: readonly MadeSegment[];
}

interface Variant {
  readonly attributes: Record<string, string>;
  readonly video: string;
  readonly audio: readonly string[];
}

async function readVariant({ url }: Playback): Promise<Variant> {
  const text = (await stage.get(url)).toString();
  const line = /^#EXT-X-STREAM-INF:(.*)$/m.exec(text)![1]!;
  const attributes = Object.fromEntries(
    [...line.matchAll(/([A-Z-]+)=("[^"]*"|[^,]*)/g)].map(([, name, value]) => [name!, value!.replaceAll('"', '')]),
  );
  const near = (name: string): string => url.replace('index.m3u8', name);
  const audio = [...text.matchAll(/URI="(a[^"]+)"/g)].map((match) => near(match[1]!));
  return { attributes, video: near(/^[^#\n]+$/m.exec(text)![0]), audio };
}

/** Fetches a whole rendition, its segments in the order of `order` (indices), and reads every sample. */
async function readRendition(playlistUrl: string, order?: (count: number) => number[]): Promise<MadeRendition> {
  const playlist = (await stage.get(playlistUrl)).toString();
  const lengths = [...playlist.matchAll(/#EXTINF:([\d.]+),/g)].map((match) => Math.round(Number(match[1]) * S));
  const init = readInit(await stage.get(playlistUrl.replace('index.m3u8', 'init.mp4')));
  const made = new Map<number, Buffer>();
  for (const index of order?.(lengths.length) ?? lengths.keys()) {
    made.set(index, await stage.get(playlistUrl.replace('index.m3u8', `${index}.m4s`)));
  }
  let endUs = 0;
  const segments = lengths.map((lengthUs, index) => {
    const bytes = made.get(index)!;
    endUs += lengthUs;
    return { startUs: endUs - lengthUs, endUs, bytes, samples: readSegment(bytes, init) };
  });
  return { init, segments };
}

/** Presentation time on the movie's own timeline. */
const shownUs = ({ ptsUs }: Sample): number => ptsUs - TIMELINE_OFFSET_US;
const firstShownUs = ({ samples }: MadeSegment): number => Math.min(...samples.map(shownUs));
const lastShownEndUs = ({ samples }: MadeSegment): number =>
  Math.max(...samples.map((sample) => shownUs(sample) + sample.durationUs));

const shuffled = (count: number): number[] => {
  let seed = 42;
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  const order = Array.from({ length: count }, (_, index) => index);
  for (let at = count - 1; at > 0; at--) {
    const other = random(at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
};

/** What any legal rendition holds to; `toleranceUs` for where a segment may begin: a frame, or a piece of sound. */
function expectLegal({ segments }: MadeRendition, toleranceUs: number): void {
  let lastDtsUs = -Infinity;
  for (const [index, { startUs, samples }] of segments.entries()) {
    const [first] = samples;
    if (!first) return expect.fail(`segment ${index} is empty`);
    // The first segment also holds what lies before the movie's beginning. In an open GOP pictures that are shown before the
    // keyframe follow it in the file, so it is the first sample that says where a segment begins.
    const offUs = shownUs(first) - startUs;
    if (index > 0) expect(Math.abs(offUs), `segment ${index} begins off by ${offUs}`).toBeLessThan(toleranceUs);
    for (const { dtsUs } of samples) {
      expect(dtsUs).toBeGreaterThan(lastDtsUs);
      lastDtsUs = dtsUs;
    }
  }
  const shown = segments.flatMap(({ samples }) => [...samples]).toSorted((a, b) => a.ptsUs - b.ptsUs);
  for (const [index, sample] of shown.entries()) {
    const next = shown[index + 1];
    if (!next) continue;
    const gapUs = next.ptsUs - sample.ptsUs;
    expect(gapUs, `from ${shownUs(sample)} to ${shownUs(next)}`).toBeGreaterThan(0);
    expect(gapUs, `from ${shownUs(sample)} to ${shownUs(next)}`).toBeLessThan(toleranceUs * 2);
  }
}

async function playsInFfmpeg(url: string): Promise<void> {
  const { stderr } = await run('ffmpeg', [
    '-v',
    'error',
    '-xerror',
    '-nostdin',
    '-i',
    url,
    '-map',
    '0',
    '-f',
    'null',
    '-',
  ]);
  expect(stderr).toBe('');
}

async function durationByFfprobe(url: string): Promise<number> {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', url]);
  return Number(stdout);
}

const FRAME_US = S / 24;
const AUDIO_FRAME_US = (1_024 * S) / 44_100;

/** `frameUs`: the longest picture, 1/24 s unless told. */
type Row = [what: string, clip: () => Promise<string>, without: PlayMethod[], expected: PlayMethod, frameUs?: number];
const TABLE: Row[] = [
  ['H.264 and AAC in Matroska', clips.h264Mkv, [], 'remux'],
  ['the same, encoded', clips.h264Mkv, ['remux'], 'transcode'],
  ['H.264 and AAC in MP4', clips.h264Mp4, [], 'remux'],
  ['MPEG-TS, whose keyframes have to be searched for', clips.h264Ts, [], 'remux'],
  ['MPEG-TS that begins at ten hours', clips.startAt10HoursTs, [], 'remux'],
  ['the same, encoded', clips.startAt10HoursTs, ['remux'], 'transcode'],
  ['HEVC and AC-3', clips.hevcMkv, [], 'remux'],
  ['the same, encoded', clips.hevcMkv, ['remux'], 'transcode'],
  ['keyframes at irregular places', clips.irregularMp4, [], 'remux'],
  ['the same, encoded', clips.irregularMp4, ['remux'], 'transcode'],
  ['open GOPs, at which no player can begin', clips.openGopMkv, [], 'transcode'],
  ['VP9 and Opus', clips.vp9Webm, [], 'remux'],
  ['three languages in three codecs', clips.manyAudioMkv, [], 'remux'],
  // Its first picture comes late in the file, and is shown from the beginning of the movie on.
  ['fragmented MP4', clips.fragmentedMp4, [], 'remux', 2 * FRAME_US],
  ['MPEG-4 and MP3 in AVI', clips.xvidAvi, [], 'transcode'],
  ['interlaced', clips.interlacedMkv, [], 'transcode'],
  ['a variable frame rate', clips.vfrMkv, [], 'remux', S / 12],
  ['the same, encoded', clips.vfrMkv, ['remux'], 'transcode', S / 12],
  ['oblong pixels', clips.anamorphicMkv, [], 'remux'],
  ['the same, encoded', clips.anamorphicMkv, ['remux'], 'transcode'],
  ['turned', clips.rotatedMp4, [], 'transcode'],
  ['HDR10', clips.hdr10Mkv, [], 'remux'],
  ['the same, encoded', clips.hdr10Mkv, ['remux'], 'transcode'],
  ['sound that is longer than the picture', clips.audioLongerMp4, [], 'remux', 3.1 * S],
  ['the same, encoded', clips.audioLongerMp4, ['remux'], 'transcode', 3.1 * S],
  // Cut without encoding, so that its last picture stands alone after a gap of two.
  ['an edit list that begins inside a GOP', clips.editListMp4, [], 'transcode', 3 * FRAME_US],
];

describe('playback of real files', () => {
  it.each(TABLE)(
    '[PLAY6] %s: legal, complete, in time (%#)',
    async (_what, make, without, expected, frameUs = FRAME_US) => {
      const movieId = await stage.addMovie(await make());
      const playback = await stage.open(movieId, { profile: segmentsOnly, without });
      expect(playback.method).toBe(expected);
      const { attributes, video, audio } = await readVariant(playback);
      const picture = await readRendition(video);
      expectLegal(picture, frameUs + 2_000);
      for (const { samples } of picture.segments) expect(samples[0]?.isKeyframe).toBe(true);
      const sounds = await Promise.all(audio.map((each) => readRendition(each)));
      for (const sound of sounds) expectLegal(sound, AUDIO_FRAME_US + 26_000);

      // What the playlist says of the picture is what was made.
      expect(attributes['RESOLUTION']).toBe(
        expected === 'transcode' ? `${picture.init.width}x${picture.init.height}` : attributes['RESOLUTION'],
      );
      if (picture.init.avcCodec) {
        expect(attributes['CODECS']!.toLowerCase().split(',')).toContain(picture.init.avcCodec);
      }
      const rendered = [picture, ...sounds];
      const peaks = picture.segments.map((_, index) =>
        rendered.reduce((bits, { segments }) => {
          const segment = segments[index]!;
          return bits + (segment.bytes.length * 8) / ((segment.endUs - segment.startUs) / S);
        }, 0),
      );
      // Tiny clips are all header and first keyframe, so the highest of several segments is not compared, but their middle.
      const middle = peaks.toSorted((a, b) => a - b)[peaks.length >> 1]!;
      expect(middle).toBeLessThanOrEqual(Number(attributes['BANDWIDTH']));

      // The longest of them is as long as the movie says.
      const endUs = Math.max(...rendered.map(({ segments }) => lastShownEndUs(segments.at(-1)!)));
      expect(Math.abs(endUs - playback.durationMs * 1_000)).toBeLessThan(100_000);
      await playsInFfmpeg(stage.urlOf(playback.url));
      expect(Math.abs((await durationByFfprobe(stage.urlOf(playback.url))) - playback.durationMs / 1_000)).toBeLessThan(
        0.1,
      );
    },
  );

  it.each<[string, PlayMethod[]]>([
    ['remux', []],
    ['transcode', ['remux']],
  ])(
    '[PLAY6] %s: segments in any order are those of a whole run, and so are those of another life',
    async (_what, without) => {
      const movieId = await stage.addMovie(await clips.h264Mkv());
      const playback = await stage.open(movieId, { profile: segmentsOnly, without });
      const { video, audio } = await readVariant(playback);
      const times = (rendition: MadeRendition) =>
        rendition.segments.map(({ samples }) =>
          samples.map(({ dtsUs, ptsUs, durationUs, isKeyframe }) => [dtsUs, ptsUs, durationUs, isKeyframe]),
        );
      const whole = [await readRendition(video), await readRendition(audio[0]!)];
      await stage.restart();
      const pieces = [await readRendition(video, shuffled), await readRendition(audio[0]!, shuffled)];
      for (const [index, rendition] of whole.entries()) {
        expect(times(pieces[index]!)).toEqual(times(rendition));
        expect(pieces[index]!.init).toEqual(rendition.init);
      }
      if (without.length === 0) {
        for (const [index, rendition] of whole.entries()) {
          for (const [at, segment] of rendition.segments.entries()) {
            expect(pieces[index]!.segments[at]!.bytes.equals(segment.bytes)).toBe(true);
          }
        }
      }
    },
  );

  it('keeps picture and sound together within 40 ms in every segment', async () => {
    for (const without of [[], ['remux']] as PlayMethod[][]) {
      const movieId = await stage.addMovie(await clips.h264Mkv());
      const { video, audio } = await readVariant(await stage.open(movieId, { profile: segmentsOnly, without }));
      const [picture, sound] = [await readRendition(video, shuffled), await readRendition(audio[0]!, shuffled)];
      for (const [index, segment] of picture.segments.entries()) {
        if (index === 0) continue;
        const driftUs = firstShownUs(segment) - firstShownUs(sound.segments[index]!);
        expect(Math.abs(driftUs), `segment ${index}`).toBeLessThan(40_000);
      }
    }
  });

  it('[PLAY7] serves four viewers of one transcode from one host', async () => {
    const movieId = await stage.addMovie(await clips.hevcMkv());
    const playbacks = await Promise.all(
      Array.from({ length: 4 }, () => stage.open(movieId, { profile: segmentsOnly, without: ['remux'] })),
    );
    const renditions = await Promise.all(
      playbacks.map(async (playback) => readRendition((await readVariant(playback)).video)),
    );
    for (const { segments } of renditions) {
      expect(segments.map(({ bytes }) => bytes.length)).toEqual(
        renditions[0]!.segments.map(({ bytes }) => bytes.length),
      );
    }
    expect(await stage.hosts.status()).toMatchObject({ transcodes: 1 });
  });

  it('[PLAY10] a storm of seeks, most of them given up, ends at the last', async () => {
    const movieId = await stage.addMovie(await clips.h264Mkv());
    const playback = await stage.open(movieId, { profile: segmentsOnly, without: ['remux'] });
    const { video } = await readVariant(playback);
    const init = readInit(await stage.get(video.replace('index.m3u8', 'init.mp4')));
    const addressOf = (index: number): string => video.replace('index.m3u8', `${index}.m4s`);
    for (const index of [4, 1, 3, 2, 4, 0, 3, 1, 4, 2].flatMap((each) => [each, 4 - each])) {
      const abort = new AbortController();
      const asked = fetch(stage.urlOf(addressOf(index)), { signal: abort.signal });
      await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      await asked.then((response) => response.arrayBuffer()).catch(() => undefined);
    }
    const playlist = (await stage.get(video)).toString();
    const lengths = [...playlist.matchAll(/#EXTINF:([\d.]+),/g)].map((match) => Number(match[1]) * S);
    const startUs = lengths.slice(0, 3).reduce((sum, lengthUs) => sum + lengthUs, 0);
    const [first] = readSegment(await stage.get(addressOf(3)), init);
    expect(Math.abs(shownUs(first!) - startUs)).toBeLessThan(FRAME_US);
  });

  it('[PLAY15] goes on after the host is killed in the middle of a segment', async () => {
    const path = await clips.h264Mkv();
    const movieId = await stage.addMovie(path);
    const playback = await stage.open(movieId, { profile: segmentsOnly, without: ['remux'] });
    const { video } = await readVariant(playback);
    const before = await readRendition(video);
    await stage.restart();
    const rest = readRendition(video);
    // The one at work, not the spare that takes over from it.
    for (let isKilled = false; !isKilled;) {
      const [atWork] = mediaHosts(process.pid, 'rendition.host.ts').filter((host) => hasOpen(host, path));
      if (atWork) isKilled = process.kill(atWork.pid, 'SIGKILL');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const after = await rest;
    expect(after.segments.map(({ samples }) => samples.map(shownUs))).toEqual(
      before.segments.map(({ samples }) => samples.map(shownUs)),
    );
  });

  it('[PLAY16] [PLAY17] leaves nothing in the scratch space that it does not account for', async () => {
    expect(await readdir(stage.scratchFolder)).toEqual([]);
    const movieId = await stage.addMovie(await clips.h264Mkv());
    const { video } = await readVariant(await stage.open(movieId, { profile: segmentsOnly }));
    await readRendition(video);
    const folders = await readdir(stage.scratchFolder);
    expect(folders.length).toBe(2);
    for (const folder of folders) {
      for (const name of await readdir(join(stage.scratchFolder, folder))) {
        expect(name).toMatch(/^(init\.mp4|\d+\.m4s|\..*\.part)$/);
      }
    }
    await stage.part[Symbol.asyncDispose]();
    expect(await readdir(stage.scratchFolder)).toEqual([]);
  });

  it.each(['remux', 'transcode'] as const)(
    '[PLAY23] a %s goes on when its file is taken away, for as long as the host holds it',
    async (method) => {
      const folder = await mkdtemp(join(tmpdir(), 'matinee-taken-'));
      const path = join(folder, 'movie.mkv');
      await copyFile(await clips.subtitlesMkv(), path);
      const movieId = await stage.addMovie(path);
      const opened = await stage.open(movieId, {
        profile: segmentsOnly,
        without: method === 'transcode' ? ['remux'] : [],
      });
      expect(opened.method).toBe(method);
      const at = (index: number): string => opened.url.replace('index.m3u8', `v0/${index}.m4s`);
      const playlist = (await stage.get(opened.url.replace('index.m3u8', 'v0/index.m3u8'))).toString();
      const last = (playlist.match(/\.m4s/g)?.length ?? 0) - 1;
      expect(last).toBeGreaterThan(0);
      await stage.get(at(0));
      await rm(folder, { recursive: true });
      const [file] = [...stage.store.files.values()].filter((one) => one.movieId === movieId);
      stage.store.files.set(file!.id, { ...file!, state: 'missing' });
      const whole = await stage.get(at(last));
      const init = readInit(await stage.get(opened.url.replace('index.m3u8', 'v0/init.mp4')));
      expect(readSegment(whole, init).length).toBeGreaterThan(0);
      // The host is killed, and with it the last hold on the file.
      await stage.restart();
      await expect(stage.get(at(last))).rejects.toThrow(/^410/);
    },
  );

  it('[PLAY21] subtitles lie beside the file or the segments', async () => {
    const movieId = await stage.addMovie(await clips.subtitlesMkv());
    const playback = await stage.open(movieId, { profile: segmentsOnly });
    const text = (await stage.get(playback.subtitleTracks[0]!.url!)).toString();
    expect(text).toContain('Hello <b>there</b>');
    expect(text).toContain(`X-TIMESTAMP-MAP=MPEGTS:${(TIMELINE_OFFSET_US * 9) / 100},LOCAL:00:00:00.000`);
  });

  it('sends the file itself byte for byte', async () => {
    const path = await clips.h264Mp4();
    const playback = await stage.open(await stage.addMovie(path));
    expect(playback).toMatchObject({ method: 'directPlay', kind: 'file' });
    expect((await stage.get(playback.url)).equals(await readFile(path))).toBe(true);
  });
});
