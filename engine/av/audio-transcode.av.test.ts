import { describe, expect, it } from 'vitest';
import { clip, clips, h264, picture, tone } from '#test/support/media.ts';
import {
  AAC,
  complaintsAbout,
  countOf,
  makeAll,
  makeEach,
  movie,
  orderOf,
  sound,
  soundFrom,
} from '#test/support/rendition.ts';

const FRAME = 1024;
const RATE_HZ = 48_000;

/** Noise, in which every sample has its own place: what is a sample off correlates with nothing. */
const noise = (name: string, ...codec: string[]) =>
  clip({ name, args: [...picture(9), ...NOISE, ...h264(), ...codec] });
const NOISE = ['-f', 'lavfi', '-i', 'anoisesrc=duration=9:color=pink:sample_rate=44100:amplitude=0.3:seed=7'];

const SOURCES: Record<string, () => Promise<string>> = {
  aacMp4: () => noise('noise-aac.mp4', '-c:a', 'aac', '-b:a', '192k'),
  aacTs: () => noise('noise-aac.ts', '-c:a', 'aac', '-b:a', '192k'),
  ac3Mkv: () => noise('noise-ac3.mkv', '-c:a', 'ac3', '-ar', '48000', '-ac', '6', '-b:a', '448k'),
  eac3Mp4: () => noise('noise-eac3.mp4', '-c:a', 'eac3', '-ar', '48000', '-ac', '2', '-b:a', '256k'),
  dtsMkv: () => noise('noise-dts.mkv', '-c:a', 'dca', '-strict', '-2', '-ar', '48000', '-ac', '2'),
  truehdMkv: () => noise('noise-truehd.mkv', '-c:a', 'truehd', '-strict', '-2', '-ar', '48000', '-ac', '2'),
  flacMkv: () => noise('noise-flac.mkv', '-c:a', 'flac'),
  opusMkv: () => noise('noise-opus.mkv', '-c:a', 'libopus', '-ac', '2', '-b:a', '192k'),
  mp3Mkv: () => noise('noise-mp3.mkv', '-c:a', 'libmp3lame', '-b:a', '256k'),
  mp3Avi: () => noise('noise-mp3.avi', '-c:a', 'libmp3lame', '-b:a', '256k'),
  pcmMkv: () => noise('noise-pcm.mkv', '-c:a', 'pcm_s24le'),
  vorbisMkv: () => noise('noise-vorbis.mkv', '-c:a', 'libvorbis', '-ac', '2', '-q:a', '8'),
  alacMp4: () => noise('noise-alac.mp4', '-c:a', 'alac'),
  wma: () => noise('noise.wmv', '-c:v', 'wmv2', '-c:a', 'wmav2', '-b:a', '192k'),
};

const evenly = (seconds: number, each = 2): number[] =>
  Array.from({ length: Math.ceil(seconds / each) + 1 }, (_, index) => Math.min(index * each, seconds) * 1e6);

/** Decibels by which what differs between two sounds is softer than the first. */
function differenceDb(one: Float32Array, other: Float32Array, from: number, to: number, shift = 0): number {
  let power = 0;
  let difference = 0;
  for (let at = from * 2; at < to * 2; at++) {
    power += one[at]! ** 2;
    difference += (one[at]! - other[at + shift * 2]!) ** 2;
  }
  return 10 * Math.log10(difference / power);
}

describe('encoded sound', () => {
  it.each(Object.keys(SOURCES))(
    '%s: has each packet on the grid and each sample in its place [SOUND1]',
    async (name) => {
      const source = movie(await SOURCES[name]!());
      const order = orderOf(source, 'audio', AAC, evenly(8));
      const all = await makeAll(order);
      const each = await makeEach(order);
      expect(all.failures).toEqual([]);
      expect(each.failures).toEqual([]);
      expect(each.initBytes.equals(all.initBytes)).toBe(true);

      const starts = all.segments.flat().map(({ ptsUs }) => (ptsUs * RATE_HZ) / 1e6);
      starts.forEach((start, index) => expect(Math.abs(start - index * FRAME)).toBeLessThan(0.01));
      all.segments.forEach((samples, index) => {
        expect(each.samples(index).map(({ ptsUs }) => ptsUs)).toEqual(samples.map(({ ptsUs }) => ptsUs));
        const boundary = (order.boundariesUs[index]! * RATE_HZ) / 1e6;
        const first = (samples[0]!.ptsUs * RATE_HZ) / 1e6;
        expect(first - boundary).toBeGreaterThan(-0.01);
        expect(first - boundary).toBeLessThan(FRAME);
      });
      expect(await complaintsAbout(each.joined())).toBe('');

      // Sessions agree on the place of each sample to within one, and so do they with the source.
      const reference = await soundFrom(source);
      const whole = await sound(all.joined());
      const pieces = await sound(each.joined());
      const best = (heard: Float32Array, from: number): number => {
        const shifts = Array.from({ length: 121 }, (_, index) => index - 60);
        const levels = shifts.map((shift) => differenceDb(heard, reference, from, from + 9_600, shift));
        return shifts[levels.indexOf(Math.min(...levels))]!;
      };
      for (const atS of [1, 3, 5, 7]) {
        // A container with time stamps of a millisecond leaves that much open, but the same for everyone.
        expect(Math.abs(best(whole, atS * RATE_HZ))).toBeLessThanOrEqual(RATE_HZ / 1000);
        const apart = Math.abs(best(pieces, atS * RATE_HZ) - best(whole, atS * RATE_HZ));
        expect(apart).toBeLessThanOrEqual(name === 'vorbisMkv' ? RATE_HZ / 1000 : 1);
      }
    },
  );

  it('puts the centre into both channels, and overdrives neither [SOUND2]', async () => {
    // Full scale in all six channels, each with a frequency of its own; the centre has 1 kHz.
    const tones = [300, 500, 1000, 60, 1500, 2000].map((hertz) => `sin(2*PI*${hertz}*t)`).join('|');
    const args = [...picture(4), '-f', 'lavfi', '-i', `aevalsrc=${tones}:c=5.1:s=48000:d=4`, ...h264()];
    const source = movie(await clip({ name: 'six-channels.mkv', args: [...args, '-c:a', 'flac'] }));
    expect(source.media.audio[0]!.channels).toBe(6);
    const made = await makeAll(orderOf(source, 'audio', { ...AAC, bitrateBps: 320_000 }));
    const heard = await sound(made.joined());
    const level = (channel: number, hertz: number): number => {
      let [re, im] = [0, 0];
      for (let at = RATE_HZ; at < 2 * RATE_HZ; at++) {
        re += heard[at * 2 + channel]! * Math.cos((2 * Math.PI * hertz * at) / RATE_HZ);
        im += heard[at * 2 + channel]! * Math.sin((2 * Math.PI * hertz * at) / RATE_HZ);
      }
      return (2 * Math.hypot(re, im)) / RATE_HZ;
    };
    for (const channel of [0, 1]) expect(level(channel, 1000)).toBeGreaterThan(0.15);
    expect(level(0, 300)).toBeGreaterThan(level(0, 1000)); // left is louder than centre in the left one
    expect(level(0, 500)).toBeLessThan(0.02); // right is not in it
    expect(level(0, 60)).toBeLessThan(0.02); // nor are the low frequency effects
    expect(heard.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(1.05);
  });

  it.each([
    ['mono', '1', 44_100],
    ['stereo', '2', 96_000],
    ['eight channels', '8', 48_000],
  ])('makes two channels at 48 kHz of %s', async (_, channels, rateHz) => {
    const codec = ['-c:a', 'flac', '-ac', channels, '-ar', String(rateHz)];
    const source = movie(
      await clip({ name: `ac-${channels}.mkv`, args: [...picture(2), ...tone(2), ...h264(), ...codec] }),
    );
    const made = await makeAll(orderOf(source, 'audio', AAC));
    expect(made.failures).toEqual([]);
    const heard = await sound(made.joined());
    expect(heard.length).toBeGreaterThan(1.9 * RATE_HZ * 2);
    expect(Math.max(...heard.subarray(RATE_HZ, RATE_HZ + 2000))).toBeGreaterThan(0.02);
    expect(await complaintsAbout(made.joined())).toBe('');
  });

  it('makes gaps, a late beginning and an early end silent [SOUND3]', async () => {
    const gap = "aselect='not(between(t,2,4.5))'";
    const path = await clip({
      name: 'gaps-aac.mkv',
      args: [...picture(14), '-itsoffset', '1.3', ...tone(7), '-af', gap, ...h264(), '-c:a', 'ac3', '-ar', '48000'],
    });
    const source = movie(path);
    const order = orderOf(source, 'audio', AAC, evenly(14));
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    expect(each.failures).toEqual([]);
    for (const made of [all, each]) {
      const starts = made.segments.flat().map(({ ptsUs }) => Math.round((ptsUs * RATE_HZ) / 1e6));
      starts.forEach((start, index) => expect(start).toBe(index * FRAME));
      expect(starts.length).toBe(Math.ceil((14 * RATE_HZ) / FRAME));
      expect(await complaintsAbout(made.joined())).toBe('');
      const heard = await sound(made.joined());
      const loudness = (fromS: number, toS: number): number => {
        const part = heard.subarray(fromS * RATE_HZ * 2, toS * RATE_HZ * 2);
        return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
      };
      expect(loudness(0, 1.2)).toBeLessThan(0.001);
      expect(loudness(1.4, 1.9)).toBeGreaterThan(0.02);
      expect(loudness(2.1, 4.4)).toBeLessThan(0.001);
      expect(loudness(4.7, 8)).toBeGreaterThan(0.02);
      expect(loudness(8.5, 13.9)).toBeLessThan(0.001);
    }
  });

  it('keeps its offset to the picture in a file that begins at ten hours [SEG4]', async () => {
    const source = movie(await clips.startAt10HoursTs());
    const made = await makeAll(orderOf(source, 'audio', AAC));
    expect(made.segments.flat()[0]!.ptsUs).toBeLessThan(25_000);
    expect(countOf({ boundariesUs: orderOf(source, 'audio', AAC).boundariesUs })).toBeGreaterThan(1);
  });

  it('goes on through a change of channels', async () => {
    const two = await clip({ name: 'part-2.ts', args: [...tone(3), '-c:a', 'ac3', '-ar', '48000', '-ac', '2'] });
    const six = await clip({
      name: 'part-6.ts',
      args: [...tone(3), '-c:a', 'ac3', '-ar', '48000', '-ac', '6', '-output_ts_offset', '3'],
    });
    const path = await clip({ name: 'channel-change.ts', args: ['-i', `concat:${two}|${six}`, '-c', 'copy'] });
    const source = movie(path);
    const order = orderOf(source, 'audio', AAC, evenly(6));
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    const starts = all.segments.flat().map(({ ptsUs }) => Math.round((ptsUs * RATE_HZ) / 1e6));
    starts.forEach((start, index) => expect(start).toBe(index * FRAME));
    expect(each.segments.flat().map(({ ptsUs }) => ptsUs)).toEqual(all.segments.flat().map(({ ptsUs }) => ptsUs));
    expect(await complaintsAbout(each.joined())).toBe('');
  });
});
