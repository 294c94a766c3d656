import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { changedClip, clip, clips, ffprobe, h264, picture, tone } from '#test/support/media.ts';
import {
  H264,
  complaintsAbout,
  countOf,
  framesUs,
  make,
  makeAll,
  makeEach,
  movie,
  orderOf,
} from '#test/support/rendition.ts';
import type { Made, Movie } from '#test/support/rendition.ts';
import type { Sample } from '#test/support/fragment.ts';

const run = promisify(execFile);

const SOURCES: Record<string, () => Promise<string>> = {
  ...clips,
  hi10pMkv: () =>
    clip({
      name: 'hi10p.mkv',
      args: [...picture(4), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le'],
    }),
  yuv444Mkv: () =>
    clip({
      name: 'yuv444.mkv',
      args: [...picture(3), '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv444p'],
    }),
  ntscMkv: () => clip({ name: 'ntsc.mkv', args: [...picture(6, '320x180', '30000/1001'), ...h264(90)] }),
  wmv: () => clip({ name: 'picture.wmv', args: [...picture(4), ...tone(4), '-c:v', 'wmv2', '-c:a', 'wmav2'] }),
  mpeg2Ps: () =>
    clip({
      name: 'picture.mpg',
      args: [...picture(4, '320x192', '25'), ...tone(4), '-c:v', 'mpeg2video', '-c:a', 'mp2'],
    }),
};
const NAMES = [
  ...['h264Mp4', 'h264Mkv', 'h264Ts', 'hevcMkv', 'vp9Webm', 'xvidAvi', 'irregularMp4', 'openGopMkv', 'openGopMp4'],
  ...['startAt10HoursTs', 'startAt1HourMkv', 'fragmentedMp4', 'vfrMkv', 'vfrMp4'],
  ...['hi10pMkv', 'yuv444Mkv', 'ntscMkv', 'wmv'],
];

const Stream = v.object({
  width: v.number(),
  height: v.number(),
  profile: v.string(),
  level: v.number(),
  pix_fmt: v.string(),
  sample_aspect_ratio: v.string(),
  color_range: v.optional(v.string()),
  color_transfer: v.optional(v.string()),
  color_space: v.optional(v.string()),
  field_order: v.optional(v.string()),
});

async function streamOf(made: Made): Promise<v.InferOutput<typeof Stream>> {
  const output = await ffprobe(['-select_streams', 'v:0', '-show_streams', made.joined([0])]);
  return v.parse(v.object({ streams: v.tuple([Stream]) }), output).streams[0];
}

/** Mean luma of the picture shown at a time, or of a part of it. */
async function luma(file: string, atUs: number, crop = 'crop=iw:ih'): Promise<number> {
  const select = `select='gte(t,${atUs / 1e6 - 0.005})',${crop},scale=1:1,format=gray`;
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-copyts',
    '-i',
    file,
    '-vf',
    select,
    '-frames:v',
    '1',
    '-f',
    'rawvideo',
    '-',
  ];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer' });
  return stdout[0] ?? -1;
}

describe('encoded video', () => {
  it.each(NAMES)('%s: every frame keeps its time [VIDEO1], whoever makes it [SEG1]', async (name) => {
    const source = movie(await SOURCES[name]!());
    const order = orderOf(source, 'video', H264);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    expect(each.failures).toEqual([]);
    const frames = await framesUs(source);
    expect(all.shownUs).toHaveLength(frames.length);
    all.shownUs.forEach((us, index) => expect(Math.abs(us - (index === 0 ? 0 : frames[index]!))).toBeLessThan(100));
    for (let index = 0; index < countOf(order); index++) {
      // Which B-pictures x264 chooses depends on what it saw before, and with them the order in which frames are decoded.
      expect(shown(each.samples(index)), `segment ${index}`).toEqual(shown(all.samples(index)));
      expect(each.samples(index)[0]!.dtsUs).toBe(all.samples(index)[0]!.dtsUs);
    }
    expect(each.initBytes.equals(all.initBytes)).toBe(true);
    expect(await complaintsAbout(all.joined())).toBe('');
    expect(await complaintsAbout(each.joined())).toBe('');
    for (const made of [all, each]) expectAligned(made, order.boundariesUs, source);
  });

  it.each([
    ['anamorphicMkv', 'pixels become square'],
    ['rotatedMp4', 'upright'],
  ] as const)('%s: %s [VIDEO3]', async (name, _) => {
    const source = movie(await clips[name]());
    const made = await makeAll(orderOf(source, 'video', { ...H264, heightPx: 2160 }));
    const stream = await streamOf(made);
    const [track] = source.media.video;
    const shown = (track!.width * track!.pixelAspect.num) / track!.pixelAspect.den;
    const [width, height] = track!.rotation % 180 === 0 ? [shown, track!.height] : [track!.height, shown];
    expect(Math.abs(stream.width - width)).toBeLessThanOrEqual(1);
    expect(Math.abs(stream.height - height)).toBeLessThanOrEqual(1);
    expect(stream.sample_aspect_ratio).toBe('1:1');
    expect(made.init).toMatchObject({ width: stream.width, height: stream.height });
  });

  it('turns the picture the way the file says [VIDEO3]', async () => {
    // White on the left, black on the right; a quarter turn clockwise brings the white to the top.
    const flat = await clip({
      name: 'halves.mp4',
      args: [
        '-f',
        'lavfi',
        '-i',
        'color=white:size=320x180:rate=24:duration=2,drawbox=x=160:w=160:h=180:color=black:t=fill',
        ...h264(),
      ],
    });
    // ffmpeg's tag counts the other way round.
    for (const [tag, rotation, place] of [
      ['270', 90, 'top'],
      ['90', 270, 'bottom'],
    ] as const) {
      const args = ['-i', flat, '-c', 'copy', '-metadata:s:v', `rotate=${tag}`];
      const path = await clip({ name: `turned-${rotation}.mp4`, args });
      const source = movie(path);
      expect(source.media.video[0]!.rotation).toBe(rotation);
      const file = (await makeAll(orderOf(source, 'video', { ...H264, heightPx: 320 }))).joined();
      const top = await luma(file, 10e6, 'crop=iw:ih/4:0:0');
      const bottom = await luma(file, 10e6, 'crop=iw:ih/4:0:ih*3/4');
      expect(place === 'top' ? top - bottom : bottom - top).toBeGreaterThan(150);
    }
  });

  it.each([
    ['853x481', 2160, 854, 482],
    ['321x181', 90, 160, 90],
    ['320x180', 720, 320, 180],
  ])('%s at %d lines becomes %dx%d: even sides, never enlarged [VIDEO3]', async (size, heightPx, width, height) => {
    const path = await clip({
      name: `size-${size}.mkv`,
      args: [...picture(1), '-vf', `format=yuv444p,scale=${size.replace('x', ':')},setsar=1`, '-c:v', 'ffv1'],
    });
    const stream = await streamOf(await makeAll(orderOf(movie(path), 'video', { ...H264, heightPx })));
    expect(stream).toMatchObject({ width, height, profile: 'High', level: 31, pix_fmt: 'yuv420p', color_range: 'tv' });
  });

  it('brings full range and other chroma to what players expect, at the same brightness [VIDEO3]', async () => {
    const args = [
      '-f',
      'lavfi',
      '-i',
      'color=gray:size=320x180:rate=24:duration=1',
      '-vf',
      'scale=out_range=pc',
      '-c:v',
      'mjpeg',
      '-pix_fmt',
      'yuvj444p',
    ];
    const source = movie(await clip({ name: 'full-range.mkv', args }));
    const made = await makeAll(orderOf(source, 'video', H264));
    expect(await streamOf(made)).toMatchObject({ pix_fmt: 'yuv420p', color_range: 'tv' });
    expect(Math.abs((await luma(made.joined(), 10e6)) - 128)).toBeLessThan(4);
  });

  it.each(['hdr10Mkv', 'hlgMp4'] as const)('%s: is tone-mapped when asked for [VIDEO4]', async (name) => {
    const source = movie(await clips[name]());
    const mapped = await makeAll(orderOf(source, 'video', { ...H264, toneMap: true }));
    expect(await streamOf(mapped)).toMatchObject({ pix_fmt: 'yuv420p', color_transfer: 'bt709', color_space: 'bt709' });
    expect(mapped.shownUs).toHaveLength((await framesUs(source)).length);
    expect(await complaintsAbout(mapped.joined())).toBe('');
  });

  it.each(['interlacedTs', 'interlacedMkv'] as const)(
    '%s: is made progressive when asked for [VIDEO4]',
    async (name) => {
      const source = movie(await clips[name]());
      const order = orderOf(source, 'video', { ...H264, heightPx: 576, deinterlace: true });
      const all = await makeAll(order);
      const each = await makeEach(order);
      const frames = await framesUs(source);
      expect(all.shownUs).toHaveLength(frames.length);
      all.shownUs.forEach((us, index) => expect(Math.abs(us - frames[index]!)).toBeLessThan(100));
      expect(each.shownUs).toEqual(all.shownUs);
      expect((await streamOf(all)).field_order ?? 'progressive').toBe('progressive');
      // Combing shows as energy between neighbouring lines; without deinterlacing there is much more of it.
      const plain = await makeAll(orderOf(source, 'video', { ...H264, heightPx: 576 }));
      expect(await combing(all.joined())).toBeLessThan((await combing(plain.joined())) * 0.7);
    },
  );

  it('repeats a picture where a boundary falls into it, and nowhere else [VIDEO2]', async () => {
    // A slide show: a picture each five seconds.
    const path = await clip({ name: 'slides.mkv', args: [...picture(16, '320x180', '1/5'), ...h264(1)] });
    const source = movie(path);
    const order = orderOf(source, 'video', H264, [0, 2e6, 4e6, 6e6, 8e6, 10e6, 12e6, 15e6]);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    expect(all.shownUs).toEqual([0, 2e6, 4e6, 5e6, 6e6, 8e6, 10e6, 12e6, 15e6]);
    expect(each.shownUs).toEqual(all.shownUs);
    expect(await complaintsAbout(each.joined())).toBe('');
    // The repeated picture is the one shown at that time, also for a session that began there.
    for (const made of [all, each]) {
      const file = made.joined();
      expect(Math.abs((await luma(file, 18e6)) - (await luma(file, 16e6)))).toBeLessThan(3);
    }
  });

  it('shows the last picture while the sound goes on [DEMAND4]', async () => {
    const source = movie(await clips.audioLongerMp4());
    const order = orderOf(source, 'video', H264);
    const all = await makeAll(order);
    expect(all.failures).toEqual([]);
    const each = await makeEach(order);
    expect(each.shownUs).toEqual(all.shownUs);
    expect(all.segments.every((samples) => samples.length > 0)).toBe(true);
    expect(await complaintsAbout(each.joined())).toBe('');
  });

  it('shows the first picture from the beginning, where it begins late', async () => {
    const args = ['-itsoffset', '1.5', ...picture(4), ...tone(6), '-map', '0', '-map', '1', ...h264(), '-c:a', 'aac'];
    const source = movie(await clip({ name: 'late-picture.mkv', args }));
    const order = orderOf(source, 'video', H264, [0, 1e6, 2e6, 4e6, 6e6]);
    const all = await makeAll(order);
    expect(all.failures).toEqual([]);
    const [firstUs = 0] = await framesUs(source);
    expect(firstUs).toBeGreaterThan(1.4e6);
    expect(all.shownUs.slice(0, 2)).toEqual([0, 1e6]);
    expect(Math.abs(all.shownUs[2]! - firstUs)).toBeLessThan(100);
    expect((await makeEach(order)).shownUs).toEqual(all.shownUs);
  });

  it('makes a movie of one frame', async () => {
    const source = movie(await clip({ name: 'one-frame.mp4', args: [...picture(0.04), ...h264()] }));
    const made = await makeAll(orderOf(source, 'video', H264));
    expect(made.shownUs).toEqual([0]);
    expect(await complaintsAbout(made.joined())).toBe('');
  });

  it('puts right what an MPEG program stream leaves open about times', async () => {
    const source = movie(await SOURCES['mpeg2Ps']!());
    const order = orderOf(source, 'video', H264);
    const all = await makeAll(order);
    expect(all.failures).toEqual([]);
    // 100 frames at 25 a second; ffprobe finds no time for one of them.
    expect(all.shownUs).toHaveLength(100);
    // But for the first, which is shown from the beginning.
    const [, ...shown] = all.shownUs;
    shown.slice(1).forEach((us, index) => expect(Math.abs(us - shown[index]! - 40_000)).toBeLessThan(100));
    expect((await makeEach(order)).shownUs).toEqual(all.shownUs);
  });

  it('fails as truncated where the whole file ends long before its plan [DEMAND4]', async () => {
    const whole = movie(
      await clip({ name: 'long.mkv', args: [...picture(20), ...tone(20), ...h264(), '-c:a', 'aac'] }),
    );
    const path = await changedClip('cut-off.mkv', 'half of long.mkv', async () => {
      await using file = await open(whole.path);
      const { size } = await file.stat();
      const { buffer } = await file.read(Buffer.alloc(size >> 1), 0, size >> 1, 0);
      return buffer;
    });
    const order = { ...orderOf(whole, 'video', H264), path };
    const made = await make(order, [
      { from: 0, until: countOf(order) - 1 },
      { from: countOf(order) - 1, until: countOf(order) - 1 },
    ]);
    expect(made.failures[0]).toMatchObject({ failure: 'truncated' });
    // What is there is made; a place far behind it fails, too, or shows the last picture if the end of the plan is near.
    expect(made.news.filter(({ kind }) => kind === 'segment').length).toBeGreaterThan(3);
  });

  it('brings a picture that changes its size in the middle to one size [VIDEO3]', async () => {
    const small = await clip({ name: 'part-small.ts', args: [...picture(2, '320x180'), ...h264()] });
    const large = await clip({
      name: 'part-large.ts',
      args: [...picture(2, '640x360'), '-output_ts_offset', '2.1', ...h264()],
    });
    const path = await clip({ name: 'size-change.ts', args: ['-i', `concat:${small}|${large}`, '-c', 'copy'] });
    const source = movie(path);
    const order = orderOf(source, 'video', H264);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    expect(each.failures).toEqual([]);
    expect(all.shownUs).toHaveLength((await framesUs(source)).length);
    expect(each.initBytes.equals(all.initBytes)).toBe(true);
    expect(await complaintsAbout(each.joined())).toBe('');
  });
});

const shown = (samples: readonly Sample[]): number[] => samples.map(({ ptsUs }) => ptsUs).toSorted((a, b) => a - b);

/** [SEG2] and [SEG3]. */
function expectAligned(made: Made, boundariesUs: ArrayLike<number>, { media }: Movie): void {
  const track = media.video[0]!;
  const halfFrameUs = track.frameRate ? (track.frameRate.den * 5e5) / track.frameRate.num : 21_000;
  // A variable frame rate may have its next frame later, but not by much [VIDEO2].
  const latestUs = track.isVariableFrameRate ? 250_000 : halfFrameUs + 12;
  made.segments.forEach((samples, index) => {
    expect(samples[0]!.isKeyframe).toBe(true);
    expect(samples.filter(({ ptsUs }) => ptsUs < samples[0]!.ptsUs)).toEqual([]); // a closed GOP
    if (index === 0) return;
    expect(samples[0]!.ptsUs - boundariesUs[index]!).toBeGreaterThanOrEqual(-halfFrameUs - 12);
    expect(samples[0]!.ptsUs - boundariesUs[index]!).toBeLessThanOrEqual(latestUs);
  });
  const samples = made.segments.flat();
  const delayUs = (made.init.mediaTime * 1e6) / made.init.timescale;
  samples.forEach((sample, index) => {
    expect(sample.ptsUs + delayUs).toBeGreaterThanOrEqual(sample.dtsUs - 1);
    const next = samples[index + 1];
    if (next) expect(Math.abs(sample.dtsUs + sample.durationUs - next.dtsUs)).toBeLessThan(1);
  });
}

/** How much neighbouring lines differ more than lines two apart. */
async function combing(file: string): Promise<number> {
  const args = ['-nostdin', '-v', 'error', '-i', file, '-vf', 'format=gray', '-frames:v', '20', '-f', 'rawvideo', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 64 << 20 });
  const { width, height } = v.parse(
    v.object({ streams: v.tuple([v.object({ width: v.number(), height: v.number() })]) }),
    await ffprobe(['-show_entries', 'stream=width,height', file]),
  ).streams[0];
  let sum = 0;
  for (let at = width * height * 4; at + 2 * width < stdout.length; at++) {
    const near = Math.abs(stdout[at]! - stdout[at + width]!);
    const far = Math.abs(stdout[at]! - stdout[at + 2 * width]!);
    sum += Math.max(0, near - far);
  }
  return sum / stdout.length;
}
