/** Files as people have them: recordings, cuts, clocks that wrap, pictures with holes. Each is copied where it can be, and encoded. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { changedClip, clip, clips, h264, picture, tone } from '#test/support/media.ts';
import {
  AAC,
  COPY,
  H264,
  complaintsAbout,
  countOf,
  framesUs,
  makeAll,
  makeEach,
  movie,
  orderOf,
} from '#test/support/rendition.ts';
import type { Made, Movie } from '#test/support/rendition.ts';
import { areEntryPoints } from './entry-points.ts';

const AUDIO = ['-c:a', 'aac', '-b:a', '96k'];
const ts = (name: string, seconds: number, offsetS: number, ...more: string[]): Promise<string> =>
  clip({
    name,
    args: [...picture(seconds), ...tone(seconds), ...h264(), ...AUDIO, '-output_ts_offset', String(offsetS), ...more],
  });

async function joinedFiles(name: string, parts: readonly string[]): Promise<string> {
  return changedClip(name, parts.join('|'), async () =>
    Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))),
  );
}

async function cut(name: string, source: string, part: number): Promise<string> {
  return changedClip(name, `${source} ${part}`, async () => {
    const bytes = await readFile(source);
    return bytes.subarray(0, Math.floor(bytes.length * part));
  });
}

/** What each becomes: `copy`, or `encode` where its picture can't be copied. */
const SOURCES: Record<string, readonly [make: () => Promise<string>, picture: 'copy' | 'encode']> = {
  'a broadcast whose clock wraps in the middle': [() => ts('wrap.ts', 8, 95_440), 'copy'],
  'a broadcast whose clock wraps at once': [() => ts('wrap-soon.ts', 8, 95_443), 'copy'],
  'film rate in milliseconds': [
    () =>
      clip({
        name: 'film-rate.mkv',
        args: [...picture(6, '320x180', '24000/1001'), ...tone(6), ...h264(48), ...AUDIO],
      }),
    'copy',
  ],
  'a pyramid of B pictures': [
    () =>
      clip({ name: 'pyramid.mkv', args: [...picture(6), ...h264(48, 'bframes=7:b-pyramid=normal:b-adapt=0:ref=5')] }),
    'copy',
  ],
  'the same in MP4': [
    () =>
      clip({ name: 'pyramid.mp4', args: [...picture(6), ...h264(48, 'bframes=7:b-pyramid=normal:b-adapt=0:ref=5')] }),
    'copy',
  ],
  'a hole of three seconds in the picture': [
    () =>
      clip({
        name: 'hole.mkv',
        args: [
          ...picture(9),
          ...tone(9),
          '-vf',
          "select='not(between(t,2.5,5.4))'",
          '-vsync',
          'vfr',
          ...h264(),
          ...AUDIO,
        ],
      }),
    'copy',
  ],
  'a cover beside the picture': [
    async () => {
      const cover = await clip({ name: 'cover.jpg', args: [...picture(1, '120x180'), '-frames:v', '1'] });
      const maps = ['-map', '1', '-map', '0', '-c', 'copy', '-disposition:v:0', 'attached_pic'];
      return clip({ name: 'cover-first.mp4', args: ['-i', await clips.h264Mp4(), '-i', cover, ...maps] });
    },
    'copy',
  ],
  'a cut recording that begins within a GOP': [
    async () => {
      const bytes = await cut('front.ts', await ts('uncut.ts', 8, 20), 1);
      return changedClip('begins-within.ts', bytes, async () => {
        const all = await readFile(bytes);
        return all.subarray(Math.floor((all.length * 0.2) / 188) * 188);
      });
    },
    'copy',
  ],
  'a recording whose end is missing': [async () => cut('cut-end.ts', await ts('uncut.ts', 8, 20), 0.7), 'copy'],
  'a Matroska file whose end is missing': [async () => cut('cut-end.mkv', await clips.h264Mkv(), 0.97), 'copy'],
  'two recordings of which the second goes on later': [
    async () => joinedFiles('jump-on.ts', [await ts('jump-1.ts', 4, 10), await ts('jump-2.ts', 4, 20)]),
    'copy',
  ],
  'HEVC of a broadcast': [
    () =>
      clip({
        name: 'hevc.ts',
        args: [
          ...picture(6),
          ...tone(6),
          '-c:v',
          'libx265',
          '-preset',
          'ultrafast',
          '-x265-params',
          'log-level=none:keyint=24:bframes=3',
          ...AUDIO,
        ],
      }),
    'copy',
  ],
  'VP9 of an odd size': [
    () =>
      clip({
        name: 'odd.webm',
        args: [
          ...picture(4, '320x180'),
          '-vf',
          'scale=333:187',
          '-c:v',
          'libvpx-vp9',
          '-deadline',
          'realtime',
          '-cpu-used',
          '8',
          '-g',
          '24',
        ],
      }),
    'copy',
  ],
  AV1: [
    () =>
      clip({
        name: 'av1-ten-bit.mkv',
        args: [...picture(4), '-pix_fmt', 'yuv420p10le', '-c:v', 'libsvtav1', '-preset', '12', '-g', '24'],
      }),
    'copy',
  ],
  'open GOPs of H.264, which browsers can begin nowhere in': [clips.openGopMkv, 'encode'],
  'pictures that an edit list hides': [clips.editListMp4, 'encode'],
  'fields of which the lower comes first': [
    () =>
      clip({
        name: 'lower-first.mkv',
        args: [...picture(4, '720x576', '50'), '-vf', 'interlace=scan=bff', '-r', '25', ...h264(25, 'bff=1')],
      }),
    'encode',
  ],
};

/** Times rise, and no sample is shown into the next segment. */
function expectWhole(made: Made): void {
  const { segments } = made;
  const all = segments.flat();
  all.slice(1).forEach(({ dtsUs }, index) => expect(dtsUs).toBeGreaterThan(all[index]!.dtsUs));
  segments.slice(0, -1).forEach((samples, index) => {
    const next = Math.min(...segments[index + 1]!.map(({ ptsUs }) => ptsUs));
    for (const { ptsUs, durationUs } of samples) expect(ptsUs + durationUs).toBeLessThanOrEqual(next + 1);
  });
  for (const [first] of segments) expect(first?.isKeyframe).toBe(true);
}

function canCopy(source: Movie, boundariesUs: ArrayLike<number>): boolean {
  const timesUs = Array.from(boundariesUs).slice(1, -1);
  const track = source.media.video[0]!;
  const options = { trackIndex: track.index, startMs: source.media.startMs, timesUs, timeLimitMs: 60_000 };
  return !track.isInterlaced && areEntryPoints(source.path, options);
}

describe('odd sources', () => {
  it.each(Object.keys(SOURCES))('%s', async (name) => {
    const [make, becomes] = SOURCES[name]!;
    const source = movie(await make());
    const track = source.media.video[0]!;
    const frameUs = track.frameRate ? (track.frameRate.den * 1e6) / track.frameRate.num : 42_000;
    const frames = (await framesUs(source)).filter((us) => us >= -frameUs);
    const copy = orderOf(source, 'video', COPY);
    expect(canCopy(source, copy.boundariesUs) ? 'copy' : 'encode').toBe(becomes);
    if (becomes === 'copy') {
      const all = await makeAll(copy);
      const each = await makeEach(copy);
      expect(all.failures).toEqual([]);
      expect(each.failures).toEqual([]);
      for (let index = 0; index < countOf(copy); index++) {
        expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
      }
      expect(each.initBytes.equals(all.initBytes)).toBe(true);
      expectWhole(all);
      // Every picture that a decoder finds is there when it says. What was cut off in front can't be decoded, and the first picture is shown from the beginning [COPY8].
      const shown = all.shownUs;
      for (const us of frames) {
        expect(
          shown.some((at) => Math.abs(at - us) < frameUs / 2 || us < 0 || us === frames[0]),
          `${us}`,
        ).toBe(true);
      }
      const endUs = Math.max(...all.segments.flat().map(({ ptsUs, durationUs }) => ptsUs + durationUs));
      expect(Math.abs(endUs - source.durationUs)).toBeLessThan(Math.max(frameUs, 100_000));
    }
    const encode = orderOf(source, 'video', { ...H264, deinterlace: track.isInterlaced });
    const all = await makeAll(encode);
    const each = await makeEach(encode);
    expect(all.failures).toEqual([]);
    expect(each.failures).toEqual([]);
    const times = (made: Made, index: number): number[] =>
      made
        .samples(index)
        .map(({ ptsUs }) => ptsUs)
        .toSorted((a, b) => a - b);
    for (let index = 0; index < countOf(encode); index++) expect(times(each, index)).toEqual(times(all, index));
    expectWhole(all);
    expect(await complaintsAbout(each.joined())).toBe('');
    const shown = all.shownUs;
    for (const us of frames) {
      const isShown = shown.some((at) => Math.abs(at - us) < frameUs / 2);
      expect(isShown || us < 0 || us === frames[0], `${us}`).toBe(true);
    }

    if (source.media.audio.length === 0) return;
    for (const output of [COPY, AAC]) {
      const order = orderOf(source, 'audio', output, [...encode.boundariesUs]);
      const [whole, pieces] = [await makeAll(order), await makeEach(order)];
      expect(whole.failures).toEqual([]);
      const starts = (made: Made): number[] => made.segments.flat().map(({ ptsUs }) => ptsUs);
      expect(starts(pieces)).toEqual(starts(whole));
      starts(whole)
        .slice(1)
        .forEach((us, index) => expect(us - starts(whole)[index]!).toBeLessThan(100_000));
    }
  });
});
