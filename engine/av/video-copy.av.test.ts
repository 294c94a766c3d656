import { describe, expect, it } from 'vitest';
import { changedClip, clip, clips, h264, picture, tone } from '#test/support/media.ts';
import {
  COPY,
  complaintsAbout,
  countOf,
  framesUs,
  make,
  makeAll,
  makeEach,
  movie,
  orderOf,
} from '#test/support/rendition.ts';
import type { Made } from '#test/support/rendition.ts';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const SOURCES = [
  ...['h264Mp4', 'h264Mkv', 'h264Ts', 'hevcMkv', 'hlgMp4', 'vp9Webm', 'irregularMp4', 'openGopMkv', 'openGopMp4'],
  ...['startAt10HoursTs', 'startAt1HourMkv', 'fragmentedMp4', 'vfrMkv', 'vfrMp4'],
] as (keyof typeof clips)[];

/** [SEG3]: over all segments, in decode order. */
function expectJoined(made: Made): void {
  const samples = made.segments.flat();
  samples.forEach((sample, index) => {
    expect(sample.ptsUs).toBeGreaterThanOrEqual(sample.dtsUs - made.init.mediaTime * (1e6 / made.init.timescale) - 1);
    const next = samples[index + 1];
    if (next) expect(Math.abs(sample.dtsUs + sample.durationUs - next.dtsUs)).toBeLessThan(1);
  });
}

describe('copied video', () => {
  it.each(SOURCES)('%s: is the same from every session [SEG1], and whole [COPY1]', async (name) => {
    const source = movie(await clips[name]());
    const order = orderOf(source, 'video', COPY);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    expect(each.failures).toEqual([]);
    expect(each.initBytes.equals(all.initBytes)).toBe(true);
    for (let index = 0; index < countOf(order); index++) {
      expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
    }
    const frames = await framesUs(source);
    const shown = all.shownUs;
    expect(shown).toHaveLength(frames.length);
    // The first picture is shown from the beginning, all others when the file says [COPY8].
    frames.forEach((us, index) => expect(Math.abs(shown[index]! - (index === 0 ? 0 : us))).toBeLessThan(40));
    expect(await complaintsAbout(all.joined())).toBe('');
  });

  it.each(SOURCES)('%s: begins each segment with its keyframe [SEG2] and joins them [SEG3]', async (name) => {
    const order = orderOf(movie(await clips[name]()), 'video', COPY);
    const made = await makeAll(order);
    expectJoined(made);
    made.segments.forEach((samples, index) => {
      expect(samples[0]?.isKeyframe).toBe(true);
      if (index > 0) expect(Math.abs(samples[0]!.ptsUs - order.boundariesUs[index]!)).toBeLessThan(1_500);
    });
  });

  it('starts to decode when it starts to show, and the edit list tells the difference [SEG5]', async () => {
    const made = await makeAll(orderOf(movie(await clips.h264Mkv()), 'video', COPY));
    const delayUs = (made.init.mediaTime * 1e6) / made.init.timescale;
    expect(delayUs).toBeGreaterThan(0);
    // `samples` takes the edit list off presentation times only, as a player does.
    for (const samples of made.segments) expect(Math.abs(samples[0]!.dtsUs - samples[0]!.ptsUs)).toBeLessThan(1);
  });

  it('gives leading pictures to the keyframe that they follow [COPY1]', async () => {
    const made = await makeAll(orderOf(movie(await clips.openGopMkv()), 'video', COPY));
    const [, second = []] = made.segments;
    expect(second[0]?.isKeyframe).toBe(true);
    expect(second.some(({ ptsUs }) => ptsUs < second[0]!.ptsUs)).toBe(true);
    expectJoined(made);
  });

  it.each([
    ['h264Mkv', 'avc1'],
    ['h264Ts', 'avc1'],
    ['hevcMkv', 'hvc1'],
    ['vp9Webm', 'vp09'],
  ] as const)('%s: becomes %s [COPY2]', async (name, entry) => {
    const made = await makeAll(orderOf(movie(await clips[name]()), 'video', COPY));
    expect(made.init.sampleEntry).toBe(entry);
  });

  it('keeps parameter sets out of the samples of a broadcast [COPY2]', async () => {
    const made = await makeAll(orderOf(movie(await clips.h264Ts()), 'video', COPY));
    const bytes = made.bytes(1);
    const types: number[] = [];
    // The first sample lies at the beginning of mdat, as length-prefixed NAL units.
    let at = bytes.indexOf('mdat', 0, 'latin1') + 4;
    for (const end = at + made.samples(1)[0]!.sizeBytes; at < end; at += 4 + bytes.readUInt32BE(at)) {
      types.push(bytes[at + 4]! & 0x1f);
    }
    expect(types).toContain(5);
    expect(types).not.toContain(7);
    expect(types).not.toContain(8);
  });

  it('fills in the few time stamps that a damaged broadcast lacks [COPY3]', async () => {
    const whole = movie(await clips.h264Ts());
    const path = await changedClip('lost-stamps.ts', 'every 20th picture without PES time stamps', () =>
      withoutStamps(whole.path, (count) => count % 20 === 10),
    );
    const made = await makeAll({ ...orderOf(whole, 'video', COPY), path });
    expect(made.failures).toEqual([]);
    expect(made.shownUs).toHaveLength(192);
    expectJoined(made);
    expect(await complaintsAbout(made.joined())).toBe('');
  });

  it('leaves it to a decoder when pictures are shown, where the container does not say [COPY3]', async () => {
    const whole = movie(await clips.h264Ts());
    const path = await changedClip('few-stamps.ts', 'two of three pictures without PES time stamps', () =>
      withoutStamps(whole.path, (count) => count % 3 > 0),
    );
    const made = await makeAll({ ...orderOf(whole, 'video', COPY), path });
    expect(made.failures).toMatchObject([{ failure: 'unsupported', index: 0 }]);

    const avi = movie(
      await clip({ name: 'h264.avi', args: [...picture(4), ...h264(24), '-bsf:v', 'h264_mp4toannexb'] }),
    );
    const refused = await makeAll(orderOf(avi, 'video', COPY));
    expect(refused.failures).toMatchObject([{ failure: 'unsupported', index: 0 }]);
  });

  it('copies H.264 without reordered pictures out of AVI [COPY3]', async () => {
    const args = [...picture(4), ...h264(24, 'bframes=0'), '-bsf:v', 'h264_mp4toannexb'];
    const source = movie(await clip({ name: 'h264-no-b.avi', args }));
    const made = await makeAll(orderOf(source, 'video', COPY));
    expect(made.failures).toEqual([]);
    expect(made.shownUs).toHaveLength(96);
    expect(made.init.sampleEntry).toBe('avc1');
    expectJoined(made);
    expect(await complaintsAbout(made.joined())).toBe('');
  });

  it.each(['rotatedMp4', 'anamorphicMkv'] as const)('%s: keeps the shape of its pixels and its turn', async (name) => {
    const source = movie(await clips[name]());
    const copied = movie((await makeAll(orderOf(source, 'video', COPY))).joined());
    const { width, height, pixelAspect, rotation } = source.media.video[0]!;
    expect(copied.media.video[0]).toMatchObject({ width, height, pixelAspect, rotation });
  });

  it('shows the first picture from the beginning and the last one to the end [COPY8]', async () => {
    const args = ['-itsoffset', '1.5', ...picture(4), ...tone(8), '-map', '0', '-map', '1', ...h264(), '-c:a', 'aac'];
    const source = movie(await clip({ name: 'picture-within-sound.mkv', args }));
    const order = orderOf(source, 'video', COPY);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    for (let index = 0; index < countOf(order); index++) {
      expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
    }
    const frames = await framesUs(source);
    expect(frames[0]).toBeGreaterThan(1.4e6);
    expect(all.shownUs).toHaveLength(frames.length);
    expect(Math.abs(all.shownUs[0]!)).toBeLessThan(40);
    frames.slice(1).forEach((us, index) => expect(Math.abs(all.shownUs[index + 1]! - us)).toBeLessThan(40));
    expectJoined(all);
    const end = all.segments.flat().reduce((sum, { durationUs }) => sum + durationUs, 0);
    expect(Math.abs(end - source.durationUs)).toBeLessThan(42_000);
    expect(await complaintsAbout(all.joined())).toBe('');
  });

  it('begins with leading pictures where an open GOP of HEVC does, and they need nothing from before [COPY1]', async () => {
    const params = 'log-level=none:keyint=24:min-keyint=24:scenecut=0:open-gop=1:bframes=3:b-pyramid=1:ref=3';
    const path = await clip({
      name: 'open-gop-hevc.mkv',
      args: [...picture(6), '-c:v', 'libx265', '-preset', 'medium', '-x265-params', params],
    });
    const source = movie(path);
    const order = orderOf(source, 'video', COPY);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    for (let index = 0; index < countOf(order); index++) {
      expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
    }
    expectJoined(all);
    const [, second = []] = all.segments;
    const leading = second.filter(({ ptsUs }) => ptsUs < second[0]!.ptsUs).length;
    expect(leading).toBeGreaterThan(0);
    // A decoder that begins there leaves out the leading pictures alone, and has nothing to complain about.
    const last = countOf(order) - 1;
    expect(await complaintsAbout(all.joined([1, last]))).toBe('');
    const whole = await pictureHashes(all.joined());
    const part = await pictureHashes(all.joined(Array.from({ length: last }, (_, index) => index + 1)));
    expect(part.length).toBe(all.segments.slice(1).flat().length - leading);
    expect(whole.slice(-part.length)).toEqual(part);
  });

  it('says in its header what the bitstream says of colours, whether the container says nothing or something else [COPY9]', async () => {
    /** ITU-T H.273: BT.2020, HLG, BT.2020 non-constant, limited range. */
    const saysHlg = async (path: string): Promise<Made> => {
      const source = movie(path);
      // What VIDEO-RANGE is made from.
      expect(source.media.video[0]).toMatchObject({ hdr: 'hlg', color: { transfer: 'arib-std-b67' } });
      const made = await makeAll(orderOf(source, 'video', COPY));
      const at = made.initBytes.indexOf('colrnclx', 0, 'latin1') + 8;
      expect(at).toBeGreaterThan(8);
      expect([0, 2, 4].map((from) => made.initBytes.readUInt16BE(at + from))).toEqual([9, 18, 9]);
      expect(made.initBytes[at + 6]).toBe(0);
      return made;
    };
    const silent = await changedClip('says-nothing.mp4', 'hlg.mp4 without colr', async () => {
      const bytes = Buffer.from(await readFile(await clips.hlgMp4()));
      // Whether FFmpeg writes one depends on its version.
      const at = bytes.indexOf('colr', 0, 'latin1');
      if (at >= 0) bytes.write('free', at, 'latin1');
      return bytes;
    });
    const copied = (await saysHlg(silent)).joined();
    const wrong = await changedClip('says-sdr.mp4', 'hlg.mp4 copied, colr 1 1 1', async () => {
      const bytes = Buffer.from(await readFile(copied));
      const at = bytes.indexOf('colrnclx', 0, 'latin1') + 8;
      for (const from of [0, 2, 4]) bytes.writeUInt16BE(1, at + from);
      return bytes;
    });
    await saysHlg(wrong);
  });

  it('refuses a boundary where the file has no keyframe [COPY4]', async () => {
    const source = movie(await clips.h264Mkv());
    const made = await make(orderOf(source, 'video', COPY, [0, 1_000_000, 1_500_000, 2_000_000, 8_000_000]), [
      { from: 0, until: 3 },
    ]);
    expect(made.failures).toMatchObject([{ failure: 'unsupported', index: 2 }]);
  });
});

/** A digest of each picture as decoded, in the order in which they are shown. */
async function pictureHashes(file: string): Promise<string[]> {
  const args = ['-nostdin', '-v', 'error', '-i', file, '-fps_mode', 'passthrough', '-f', 'framehash', '-'];
  const { stdout } = await promisify(execFile)('ffmpeg', args, { maxBuffer: 64 << 20 });
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',').at(-1)!.trim());
}

/** Takes the time stamps off the PES packets of some pictures (PID 0x100), never off those of keyframes. */
async function withoutStamps(path: string, isTaken: (count: number) => boolean): Promise<Buffer> {
  const bytes = Buffer.from(await readFile(path));
  let count = 0;
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const isStart = (bytes[at + 1]! & 0x40) !== 0;
    const pid = ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!;
    if (!isStart || pid !== 0x100) continue;
    const hasField = (bytes[at + 3]! & 0x20) !== 0;
    const isRandomAccess = hasField && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x40) !== 0;
    const pes = at + 4 + (hasField ? 1 + bytes[at + 4]! : 0);
    if (isRandomAccess || !isTaken(count++)) continue;
    bytes[pes + 7]! &= 0x3f; // no PTS, no DTS
    bytes.fill(0xff, pes + 9, pes + 9 + bytes[pes + 8]!); // their place is stuffing now
  }
  return bytes;
}
