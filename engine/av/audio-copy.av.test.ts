import { describe, expect, it } from 'vitest';
import { clip, clips, ffprobe, h264, picture, tone } from '#test/support/media.ts';
import {
  COPY,
  complaintsAbout,
  countOf,
  make,
  makeAll,
  makeEach,
  movie,
  orderOf,
  sound,
} from '#test/support/rendition.ts';
import type { Movie } from '#test/support/rendition.ts';
import * as v from 'valibot';

const tones = (...codec: string[]): string[] => [...picture(8), ...tone(8), ...h264(), ...codec];

const SOURCES: Record<string, () => Promise<string>> = {
  aacMp4: clips.h264Mp4,
  aacMkv: clips.h264Mkv,
  aacTs: clips.h264Ts,
  startAt10HoursTs: clips.startAt10HoursTs,
  startAt1HourMkv: clips.startAt1HourMkv,
  ac3Mkv: clips.hevcMkv,
  opusWebm: clips.vp9Webm,
  ac3Ts: () => clip({ name: 'ac3.ts', args: tones('-c:a', 'ac3', '-ar', '48000', '-b:a', '192k') }),
  eac3Mkv: () => clip({ name: 'eac3.mkv', args: tones('-c:a', 'eac3', '-ar', '48000', '-b:a', '192k') }),
  eac3Mp4: () => clip({ name: 'eac3.mp4', args: tones('-c:a', 'eac3', '-ar', '48000', '-b:a', '192k') }),
  flacMkv: () => clip({ name: 'flac.mkv', args: tones('-c:a', 'flac') }),
  mp3Mkv: () => clip({ name: 'mp3.mkv', args: tones('-c:a', 'libmp3lame', '-b:a', '128k') }),
  mp3Avi: clips.xvidAvi,
};

const Packets = v.object({ packets: v.array(v.object({ pts_time: v.string(), size: v.string() })) });

/** When the packets of the first audio track begin, in microseconds of movie time, by ffprobe. */
async function packetsUs(source: Movie): Promise<{ us: number; sizeBytes: number }[]> {
  const output = await ffprobe([
    '-select_streams',
    'a:0',
    '-show_entries',
    'packet=pts_time,size',
    `file:${source.path}`,
  ]);
  return v.parse(Packets, output).packets.map((packet) => ({
    us: Number(packet.pts_time) * 1e6 - source.startUs,
    sizeBytes: Number(packet.size),
  }));
}

/** Two seconds each, at no packet's border. */
const evenly = (durationUs: number): number[] => {
  const starts = Array.from({ length: Math.floor(durationUs / 2e6) }, (_, index) => index * 2e6);
  return [...starts, durationUs];
};

describe('copied sound', () => {
  it.each(Object.keys(SOURCES))('%s: loses and doubles no packet [COPY5], whoever makes it [SEG1]', async (name) => {
    const source = movie(await SOURCES[name]!());
    const order = orderOf(source, 'audio', COPY, evenly(source.durationUs));
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    expect(each.failures).toEqual([]);
    expect(each.initBytes.equals(all.initBytes)).toBe(true);
    for (let index = 0; index < countOf(order); index++) {
      expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
    }

    const packets = await packetsUs(source);
    const samples = all.segments.flat();
    // AVI's last packet may be cut off; a track that ends before the picture is filled to its end [COPY6].
    expect(samples.length).toBeGreaterThanOrEqual(packets.length);
    packets.forEach(({ us, sizeBytes }, index) => {
      expect(Math.abs(samples[index]!.ptsUs - us)).toBeLessThan(1_000);
      if (!name.endsWith('Ts')) expect(samples[index]!.sizeBytes).toBe(sizeBytes);
    });
    all.segments.forEach((segment, index) => {
      for (const { ptsUs } of segment) {
        if (index > 0) expect(ptsUs).toBeGreaterThanOrEqual(order.boundariesUs[index]! - 25);
        if (index + 1 < countOf(order)) expect(ptsUs).toBeLessThan(order.boundariesUs[index + 1]! + 25);
      }
    });
    expect(await complaintsAbout(all.joined())).toBe('');
  });

  it('joins without gap or overlap [SEG3]', async () => {
    const source = movie(await clips.h264Mp4());
    const samples = (await makeAll(orderOf(source, 'audio', COPY))).segments.flat();
    samples.slice(1).forEach((sample, index) => {
      const before = samples[index]!;
      expect(Math.abs(before.dtsUs + before.durationUs - sample.dtsUs)).toBeLessThan(25);
    });
  });

  it('keeps its offset to the picture [SEG4]', async () => {
    // The sound begins 330 ms after the picture: a click at the beginning of each second of it.
    const path = await clip({
      name: 'late-sound.mkv',
      args: [...picture(6), '-itsoffset', '0.33', ...tone(5), ...h264(), '-c:a', 'aac', '-b:a', '64k'],
    });
    const source = movie(path);
    const [first] = await packetsUs(source);
    expect(first!.us).toBeGreaterThan(290_000);
    const samples = (await makeAll(orderOf(source, 'audio', COPY))).segments.flat();
    const own = samples.filter(({ ptsUs }) => ptsUs >= first!.us - 1_000);
    expect(Math.abs(own[0]!.ptsUs - first!.us)).toBeLessThan(1_000);
    // What comes before is silence [COPY6].
    expect(samples[0]!.ptsUs).toBeLessThan(25_000);
  });

  it.each([
    ['aac', 'mp4'],
    ['aac', 'ts'],
    ['ac3', 'mkv'],
    ['eac3', 'mkv'],
    ['libopus', 'mkv'],
    ['flac', 'mkv'],
    ['libmp3lame', 'mkv'],
  ])('%s in %s: fills gaps and a missing end with silence [COPY6]', async (codec, container) => {
    // Two seconds of tone, two and a half of nothing, two of tone; the picture goes on to the tenth second.
    const gap = "aselect='not(between(t,2,4.5))'";
    const path = await clip({
      name: `gap-${codec}.${container}`,
      args: [...picture(10), ...tone(6.5), '-af', gap, '-ar', '48000', ...h264(), '-c:a', codec, '-ac', '2'],
    });
    const source = movie(path);
    const order = orderOf(source, 'audio', COPY, evenly(10e6));
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    for (let index = 0; index < countOf(order); index++) {
      expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
    }
    const samples = all.segments.flat();
    samples.slice(1).forEach((sample, index) => {
      const before = samples[index]!;
      // Filling ends at the segment's border, where one packet may overlap with the next.
      expect(sample.ptsUs - before.ptsUs).toBeLessThan(150_000);
      expect(sample.ptsUs).toBeGreaterThan(before.ptsUs);
    });
    expect(samples.at(-1)!.ptsUs).toBeGreaterThan(9.8e6);
    expect(await complaintsAbout(all.joined())).toBe('');
    const heard = await sound(all.joined());
    const loudness = (fromS: number, toS: number): number => {
      const part = heard.subarray(fromS * 96_000, toS * 96_000);
      return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
    };
    expect(loudness(0.5, 1.5)).toBeGreaterThan(0.05);
    expect(loudness(2.5, 4)).toBeLessThan(0.001);
    expect(loudness(5, 6)).toBeGreaterThan(0.05);
    expect(loudness(7.5, 9.5)).toBeLessThan(0.001);
  });

  it('refuses a track that MP4 cannot hold [DEMAND3]', async () => {
    const source = movie(
      await clip({ name: 'wma.wmv', args: [...picture(2), ...tone(2), '-c:v', 'wmv2', '-c:a', 'wmav2'] }),
    );
    const made = await make(orderOf(source, 'audio', COPY), [{ from: 0, until: 0 }]);
    expect(made.failures).toMatchObject([{ failure: 'unsupported', index: 0 }]);
  });
});
