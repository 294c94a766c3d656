/** HLS as players expect it: a whole engine, real movies, everything fetched by what the playlists say and held to the rules. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TIMELINE_OFFSET_US } from '#engine/media/rendition-spec.ts';
import type { PlayMethod, Playback } from '#protocol/schema/playback.ts';
import { ffprobe } from '#test/support/media.ts';
import { oddMovies } from './odd-movies.ts';
import { mediaEntries, mediaPlaylistBreaches, multivariantBreaches, peakBitrateBps } from './playlist-rules.ts';
import { endOfUs, fetchPresentation, fetchRendition, shownUs, timelineBreaches, urlOf } from './presentation.ts';
import type { FetchedRendition, Presentation } from './presentation.ts';
import { OPENING_MS, Theatre } from './theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open(oddMovies);
}, OPENING_MS);
afterAll(() => theatre?.[Symbol.asyncDispose]());
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(theatre.engine.output().slice(-4_000));
});

const S = 1_000_000;
const FRAME_US = S / 24;
/** 1,024 samples at 44.1 kHz, and the start of a piece of sound may be rounded by another. */
const SOUND_US = 26_000 + (1_024 * S) / 44_100;

const present = (playback: Playback): Promise<Presentation> =>
  fetchPresentation(theatre.urlOf(playback.url), theatre.get);

/** `frameUs`: the longest that a picture is shown; `toleranceUs`: where a segment's first picture may lie beside its border. */
interface Row {
  readonly movie: keyof typeof oddMovies;
  readonly without?: PlayMethod[];
  readonly method: PlayMethod;
  readonly frameUs?: number;
  readonly longestUs?: number;
  readonly endToleranceUs?: number;
}
const TRANSCODE = { without: ['remux'] as PlayMethod[], method: 'transcode' as const };
const REMUX = { method: 'remux' as const };
const MOVIES: Row[] = [
  { movie: 'h264Mp4', ...REMUX },
  { movie: 'h264Mkv', ...REMUX },
  { movie: 'h264Mkv', ...TRANSCODE },
  { movie: 'h264Ts', ...REMUX },
  { movie: 'vp9Webm', ...REMUX },
  { movie: 'av1Mkv', ...REMUX },
  { movie: 'xvidAvi', method: 'transcode' },
  { movie: 'hevcMkv', ...REMUX },
  { movie: 'hevcMkv', ...TRANSCODE },
  { movie: 'hdr10Mkv', ...REMUX },
  { movie: 'hdr10Mkv', ...TRANSCODE },
  { movie: 'hlgMp4', ...REMUX },
  { movie: 'irregularMp4', ...REMUX },
  { movie: 'irregularMp4', ...TRANSCODE },
  { movie: 'longMkv', ...REMUX },
  { movie: 'unevenMkv', ...REMUX },
  { movie: 'unevenMp4', ...REMUX },
  { movie: 'vfrMkv', ...REMUX, frameUs: S / 12 },
  // Its edit list begins with a tenth of a second of nothing, and its last picture takes no time.
  { movie: 'vfrMp4', ...REMUX, frameUs: S / 12, endToleranceUs: 200_000 },
  { movie: 'vfrMkv', ...TRANSCODE, frameUs: S / 12 },
  // Cut without encoding: its last picture stands alone after a gap.
  { movie: 'editListMp4', method: 'transcode', longestUs: 3 * FRAME_US },
  { movie: 'startAt10HoursTs', ...REMUX },
  { movie: 'startAt1HourMkv', ...REMUX },
  { movie: 'oddSizeWebm', ...REMUX },
  { movie: 'oddSizeWebm', ...TRANSCODE },
  { movie: 'anamorphicMkv', ...REMUX },
  { movie: 'anamorphicMkv', ...TRANSCODE },
  { movie: 'rotatedMp4', method: 'transcode' },
  { movie: 'interlacedMkv', method: 'transcode' },
  { movie: 'openGopMkv', method: 'transcode' },
  { movie: 'manyAudioMkv', ...REMUX },
  { movie: 'subtitlesMkv', ...REMUX },
  { movie: 'hostileNamesMkv', ...REMUX },
  // Its picture begins two pictures after its sound: the first one is shown from the beginning.
  { movie: 'fragmentedMp4', ...REMUX, longestUs: 3 * FRAME_US },
  { movie: 'audioLongerMp4', ...REMUX, longestUs: 3.1 * S },
  { movie: 'noSoundMp4', ...REMUX },
];

describe.each(MOVIES)('$movie by $method (%#)', (row) => {
  const { frameUs = FRAME_US, longestUs = frameUs, endToleranceUs = 100_000 } = row;
  let playback: Playback;
  let presentation: Presentation;
  let pictures: FetchedRendition[];
  let sounds: FetchedRendition[];

  beforeAll(async () => {
    playback = await theatre.play(row.movie, row.without ? { without: row.without } : {});
    presentation = await present(playback);
    pictures = [];
    for (const variant of presentation.variants) {
      pictures.push(await fetchRendition(urlOf(presentation, variant), theatre.get));
    }
    sounds = [];
    for (const sound of presentation.audio) sounds.push(await fetchRendition(urlOf(presentation, sound), theatre.get));
  });

  it('[PLAY80] its playlists break no rule', async () => {
    expect(playback.method).toBe(row.method);
    expect(multivariantBreaches(presentation.playlist)).toEqual([]);
    for (const { playlist } of [...pictures, ...sounds]) {
      expect(mediaPlaylistBreaches(playlist, 'segments')).toEqual([]);
    }
  });

  it('[PLAY81] the sums by which players seek are those of the samples', () => {
    for (const picture of pictures) expect(timelineBreaches(picture, frameUs + 2_000, longestUs + 2_000)).toEqual([]);
    for (const sound of sounds) expect(timelineBreaches(sound, SOUND_US)).toEqual([]);
    // All variants and renditions are cut alike, and as long as the movie.
    const lists = [...pictures, ...sounds].map(({ playlist }) => mediaEntries(playlist.toString()));
    for (const list of lists) {
      expect(list.map(({ durationUs }) => durationUs)).toEqual(lists[0]!.map(({ durationUs }) => durationUs));
    }
    const { startUs, durationUs } = lists[0]!.at(-1)!;
    expect(Math.abs(startUs + durationUs - playback.durationMs * 1_000)).toBeLessThan(frameUs);
    const endUs = Math.max(...[...pictures, ...sounds].map(endOfUs));
    expect(Math.abs(endUs - playback.durationMs * 1_000)).toBeLessThan(endToleranceUs);
  });

  it('[PLAY82] what the playlist says of codecs, size, rate and range is what the segments hold', async () => {
    for (const [index, { attributes }] of presentation.variants.entries()) {
      const picture = pictures[index]!;
      const stated = attributes['CODECS']!.split(',').map((codec) => codec.toLowerCase());
      const held = [picture, ...sounds].map(({ track }) => track.codec.toLowerCase());
      expect(new Set(stated.map(withoutTrailingZeros))).toEqual(new Set(held.map(withoutTrailingZeros)));
      expect(attributes['RESOLUTION']).toBe(`${picture.track.widthPx}x${picture.track.heightPx}`);
      const shown = picture.segments.flatMap(({ samples }) => samples).length;
      const rate = (shown * S) / (endOfUs(picture) - Math.min(...picture.segments[0]!.samples.map(shownUs)));
      if (frameUs === longestUs) expect(Math.abs(Number(attributes['FRAME-RATE']) / rate - 1)).toBeLessThan(0.05);
      const ranges: Record<string, string> = { smpte2084: 'PQ', 'arib-std-b67': 'HLG' };
      expect(attributes['VIDEO-RANGE']).toBe(ranges[await transferOf(picture)] ?? 'SDR');
    }
    for (const [index, { attributes }] of presentation.audio.entries()) {
      expect(Number(attributes['CHANNELS'])).toBeGreaterThan(0);
      const { channels, codec } = sounds[index]!.track;
      // The sample entries of AC-3 and E-AC-3 say 2 whatever is in them.
      if (!/^e?a?c-3$/.test(codec)) expect(attributes['CHANNELS']).toBe(String(channels));
    }
  });

  it('[PLAY83] no run of segments takes more than BANDWIDTH', () => {
    const load = ({ segments }: FetchedRendition) =>
      segments.map(({ bytes, durationUs }) => ({ bytes: bytes.length, durationUs }));
    const loudest = Math.max(0, ...sounds.map((sound) => peakBitrateBps(load(sound))));
    for (const [index, { attributes }] of presentation.variants.entries()) {
      const peakBps = peakBitrateBps(load(pictures[index]!)) + loudest;
      expect(Number(attributes['BANDWIDTH'])).toBeGreaterThanOrEqual(Math.floor(peakBps));
    }
  });

  it('[PLAY84] its I-frame playlist lists small pictures that stand alone, each at its time', async () => {
    const [entry] = presentation.pictures;
    // Where nothing is known of keyframes, no pictures are promised.
    if (!entry) {
      return expect(['xvidAvi', 'editListMp4'].includes(row.movie) || playback.method === 'transcode').toBe(true);
    }
    const rendition = await fetchRendition(urlOf(presentation, entry), theatre.get);
    expect(mediaPlaylistBreaches(rendition.playlist, 'pictures')).toEqual([]);
    const { attributes } = entry;
    expect(rendition.track.codec.toLowerCase()).toBe(attributes['CODECS']);
    expect(`${rendition.track.widthPx}x${rendition.track.heightPx}`).toBe(attributes['RESOLUTION']);
    for (const { samples, startUs, durationUs } of rendition.segments) {
      expect(samples.map(({ isKeyframe }) => isKeyframe)).toEqual([true]);
      expect(Math.abs(shownUs(samples[0]!) - startUs)).toBeLessThan(50);
      expect(Math.abs(samples[0]!.durationUs - durationUs)).toBeLessThan(50);
    }
    expect(await decodedPictures(rendition)).toBe(rendition.segments.length);
    const load = rendition.segments.map(({ bytes, durationUs }) => ({ bytes: bytes.length, durationUs }));
    expect(Number(attributes['BANDWIDTH'])).toBeGreaterThanOrEqual(Math.floor(peakBitrateBps(load)));
  });

  it('[PLAY85] its subtitles are on the clock of its segments', async () => {
    expect(presentation.subtitles.length).toBe(playback.subtitleTracks.filter(({ url }) => url !== null).length);
    for (const entry of presentation.subtitles) {
      const url = urlOf(presentation, entry);
      const playlist = await theatre.get(url);
      expect(mediaPlaylistBreaches(playlist, 'subtitles')).toEqual([]);
      const [only, ...others] = mediaEntries(playlist.toString());
      expect(others).toEqual([]);
      expect(Math.abs(only!.durationUs - playback.durationMs * 1_000)).toBeLessThan(1_000);
      const text = (await theatre.get(new URL(only!.uri, url).href)).toString();
      expect(text).toMatch(/^WEBVTT\n/);
      expect(text).toContain(`X-TIMESTAMP-MAP=MPEGTS:${(TIMELINE_OFFSET_US * 9) / 100},LOCAL:00:00:00.000`);
    }
  });
});

describe('what tracks are called', () => {
  it('[PLAY80] names, languages and kinds reach the player whatever a file says of them', async () => {
    const { audio, subtitles, playlist } = await present(await theatre.play('hostileNamesMkv'));
    expect(playlist.toString()).not.toMatch(/^#EXT-X-ENDLIST/m);
    expect(audio.length).toBe(3);
    expect(new Set(audio.map(({ attributes }) => attributes['NAME'])).size).toBe(3);
    expect(audio.every(({ uri }) => /^a\d+\/index\.m3u8$/.test(uri!))).toBe(true);
    expect(subtitles.map(({ attributes }) => attributes)).toMatchObject([
      { FORCED: 'YES', AUTOSELECT: 'YES', DEFAULT: 'NO' },
      {
        FORCED: 'NO',
        LANGUAGE: 'pt-BR',
        CHARACTERISTICS:
          'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound',
      },
    ]);
  });
});

/** How many pictures a decoder makes of a whole rendition. */
async function decodedPictures({ init, segments }: FetchedRendition): Promise<number> {
  return await inFile(Buffer.concat([init, ...segments.map(({ bytes }) => bytes)]), async (path) => {
    const facts = (await ffprobe(['-count_frames', '-show_entries', 'stream=nb_read_frames', path])) as {
      streams: { nb_read_frames?: string }[];
    };
    return Number(facts.streams[0]?.nb_read_frames);
  });
}

async function inFile<T>(bytes: Buffer, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-fetched-'));
  try {
    const path = join(folder, 'fetched.mp4');
    await writeFile(path, bytes);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As a decoder reads it: from the sample entry, or from the bitstream where that says nothing. */
async function transferOf({ init, segments }: FetchedRendition): Promise<string> {
  return await inFile(Buffer.concat([init, segments[0]!.bytes]), async (path) => {
    const facts = (await ffprobe(['-show_entries', 'stream=color_transfer', path])) as {
      streams: { color_transfer?: string }[];
    };
    return facts.streams[0]?.color_transfer ?? 'unknown';
  });
}

/** Trailing zero constraints of an HEVC string may be written or left out. */
const withoutTrailingZeros = (codec: string): string =>
  codec.startsWith('hvc1') ? codec.replace(/(\.0)+$/, '') : codec;
