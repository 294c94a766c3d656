import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clip, h264, picture } from '#test/support/media.ts';
import { AAC, complaintsAbout, countOf, makeAll, makeEach, movie, orderOf } from '#test/support/rendition.ts';
import type { RenditionOutput } from '#engine/media/rendition-spec.ts';

const run = promisify(execFile);
const RATE_HZ = 48_000;
const SIX = { method: 'aac', channels: 6, bitrateBps: 384_000 } as const satisfies RenditionOutput;

/** A tone for each channel, so that each is known again wherever it comes out. */
const HERTZ = { FL: 300, FR: 500, FC: 1000, LFE: 60, BL: 1500, BR: 2000, SL: 2600, SR: 3200 } as const;
type Speaker = keyof typeof HERTZ;
const SPEAKERS: Readonly<Record<string, readonly Speaker[]>> = {
  mono: ['FC'],
  stereo: ['FL', 'FR'],
  '5.1': ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR'],
  '7.1': ['FL', 'FR', 'FC', 'LFE', 'BL', 'BR', 'SL', 'SR'],
};

/** Four seconds with a tone of this amplitude in each channel. */
function tones(layout: string, amplitude: number, name: string, ...codec: string[]): Promise<string> {
  const channels = SPEAKERS[layout]!.map((speaker) => `${amplitude}*sin(2*PI*${HERTZ[speaker]}*t)`).join('|');
  const source = ['-f', 'lavfi', '-i', `aevalsrc=${channels}:c=${layout}:s=48000:d=4`];
  return clip({ name, args: [...picture(4), ...source, ...h264(), ...codec] });
}

/** Decoded sound with all its channels, interleaved. */
async function decoded(file: string, channels: number): Promise<Float32Array> {
  const args = ['-nostdin', '-v', 'error', '-i', file, '-vn', '-f', 'f32le', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 256 << 20 });
  const all = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)));
  expect(all.length % channels).toBe(0);
  return all;
}

/** Amplitude of a frequency in one channel of the second second. */
function level(heard: Float32Array, channels: number, channel: number, hertz: number): number {
  let [re, im] = [0, 0];
  for (let at = RATE_HZ; at < 2 * RATE_HZ; at++) {
    re += heard[at * channels + channel]! * Math.cos((2 * Math.PI * hertz * at) / RATE_HZ);
    im += heard[at * channels + channel]! * Math.sin((2 * Math.PI * hertz * at) / RATE_HZ);
  }
  return (2 * Math.hypot(re, im)) / RATE_HZ;
}

const db = (ratio: number): number => 20 * Math.log10(ratio);

describe('channels', () => {
  it.each([
    ['5.1', { FL: 0, FC: -3.01, BL: -3.01 }, { FR: 0, FC: -3.01, BR: -3.01 }],
    ['7.1', { FL: 0, FC: -3.01, BL: -3.01, SL: -3.01 }, { FR: 0, FC: -3.01, BR: -3.01, SR: -3.01 }],
    ['stereo', { FL: 0 }, { FR: 0 }],
    ['mono', { FC: 0 }, { FC: 0 }],
  ] as const)('%s becomes two as ITU-R BS.775 has it [SOUND2]', async (layout, left, right) => {
    const amplitude = 0.05;
    const source = movie(await tones(layout, amplitude, `tones-${layout}.mkv`, '-c:a', 'flac'));
    const made = await makeAll(orderOf(source, 'audio', { ...AAC, bitrateBps: 320_000 }));
    expect(made.failures).toEqual([]);
    const heard = await decoded(made.joined(), 2);
    for (const [channel, wanted] of [left, right].entries()) {
      for (const speaker of SPEAKERS[layout]!) {
        const heardDb = db(level(heard, 2, channel, HERTZ[speaker]) / amplitude);
        const wantedDb = (wanted as Partial<Record<Speaker, number>>)[speaker];
        if (wantedDb === undefined) expect(heardDb, `${speaker} in ${channel}`).toBeLessThan(-30);
        else expect(Math.abs(heardDb - wantedDb), `${speaker} in ${channel}: ${heardDb} dB`).toBeLessThan(0.5);
      }
    }
  });

  it.each([
    ['aac', 1024, 'dts', ['-c:a', 'dca', '-strict', '-2']],
    ['ac3', 1536, 'alac', ['-c:a', 'alac']],
    ['eac3', 1536, 'dts', ['-c:a', 'dca', '-strict', '-2']],
    ['aac', 1024, 'pcm', ['-c:a', 'pcm_s24le']],
  ] as const)(
    'six as %s stay where they are, on a grid of %d samples, out of %s [SOUND4]',
    async (method, frame, codec, args) => {
      const source = movie(await tones('5.1', 0.1, `six-${codec}.mkv`, ...args));
      expect(source.media.audio[0]!.channels).toBe(6);
      const order = orderOf(source, 'audio', { ...SIX, method }, [0, 1e6, 2e6, 4e6]);
      const all = await makeAll(order);
      const each = await makeEach(order);
      expect(all.failures).toEqual([]);
      expect(each.failures).toEqual([]);
      expect(each.initBytes.equals(all.initBytes)).toBe(true);
      for (const made of [all, each]) {
        const starts = made.segments.flat().map(({ ptsUs }) => (ptsUs * RATE_HZ) / 1e6);
        starts.forEach((start, index) => expect(Math.abs(start - index * frame)).toBeLessThan(0.01));
        expect(starts.length).toBe(Math.ceil((4 * RATE_HZ) / frame));
        expect(await complaintsAbout(made.joined())).toBe('');
        const heard = await decoded(made.joined(), 6);
        SPEAKERS['5.1']!.forEach((speaker, channel) => {
          // This encoder of DTS makes low frequency effects softer; what matters is that they are there.
          const isSofter = codec === 'dts' && speaker === 'LFE';
          const apartDb = Math.abs(db(level(heard, 6, channel, HERTZ[speaker]) / 0.1));
          expect(apartDb, speaker).toBeLessThan(isSofter ? 12 : 1);
          // And nothing of the others.
          for (const other of SPEAKERS['5.1']!) {
            if (other !== speaker) expect(db(level(heard, 6, channel, HERTZ[other]) / 0.1)).toBeLessThan(-25);
          }
        });
      }
      expect(countOf(order)).toBe(3);
    },
  );

  it('seven and one become five and one, with the sides in the surround [SOUND4]', async () => {
    const source = movie(await tones('7.1', 0.05, 'tones-7.1.mkv', '-c:a', 'flac'));
    const made = await makeAll(orderOf(source, 'audio', SIX));
    const heard = await decoded(made.joined(), 6);
    expect(Math.abs(db(level(heard, 6, 2, HERTZ.FC) / 0.05))).toBeLessThan(0.5);
    expect(db(level(heard, 6, 4, HERTZ.SL) / 0.05)).toBeGreaterThan(-4);
    expect(db(level(heard, 6, 5, HERTZ.BR) / 0.05)).toBeGreaterThan(-4);
  });
});

/** What EBU R128 says of a span of a file's sound: integrated loudness, and the highest sample. */
async function loudness(file: string, fromS: number, toS: number): Promise<{ lufs: number; peakDb: number }> {
  // The file's times begin at ten seconds.
  const filter = `atrim=start=${fromS + 10}:end=${toS + 10},ebur128=peak=sample:framelog=verbose`;
  const args = ['-nostdin', '-v', 'info', '-copyts', '-i', file, '-vn', '-af', filter, '-f', 'null', '-'];
  const { stderr } = await run('ffmpeg', args, { maxBuffer: 64 << 20 });
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'));
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(-?[\\d.]+)`).exec(summary)?.[1]);
  return { lufs: read('I'), peakDb: read('Peak') };
}

/** Half a minute of soft speech in the centre (−35 dB) and, for a third of the time, a roar from everywhere else. */
const scenes = (): Promise<string> => {
  const speech = '0.018*sin(2*PI*1000*t)*(0.6+0.4*sin(2*PI*4*t))';
  const roar = (seed: number): string => `if(between(mod(t\\,12)\\,8\\,12)\\,0.7*(random(${seed})*2-1)\\,0)`;
  const channels = [roar(0), roar(1), speech, roar(2), roar(3), roar(4)].join('|');
  const source = ['-f', 'lavfi', '-i', `aevalsrc=${channels}:c=5.1:s=48000:d=36`];
  return clip({ name: 'scenes.mka', args: [...source, '-c:a', 'flac'] });
};

it('a track that no decoder takes is refused, not made silent [DEMAND3]', async () => {
  // What this encoder makes of more than two channels, today's decoder refuses to the last packet.
  const args = ['-c:a', 'truehd', '-strict', '-2'];
  const source = movie(await tones('5.1', 0.1, 'undecodable.mkv', ...args));
  const made = await makeAll(orderOf(source, 'audio', AAC));
  expect(made.failures).toMatchObject([{ failure: 'unsupported' }]);
});

describe('loudness', () => {
  it('at night: speech comes up, explosions go down, and every session agrees [SOUND5]', async () => {
    const source = movie(await scenes());
    const boundaries = [0, 6e6, 12e6, 18e6, 24e6, 30e6, 36e6];
    const day = await makeAll(orderOf(source, 'audio', AAC, boundaries));
    const order = orderOf(source, 'audio', { ...AAC, isNight: true }, boundaries);
    const night = await makeAll(order);
    expect(night.failures).toEqual([]);
    const speech = [await loudness(day.joined(), 1, 7.5), await loudness(night.joined(), 1, 7.5)] as const;
    const roar = [await loudness(day.joined(), 8.5, 11.5), await loudness(night.joined(), 8.5, 11.5)] as const;
    expect(speech[1].lufs - speech[0].lufs).toBeGreaterThan(6);
    expect(roar[1].lufs - roar[0].lufs).toBeLessThan(-3);
    // Thirty units apart by day, not twenty at night.
    expect(roar[0].lufs - speech[0].lufs).toBeGreaterThan(25);
    expect(roar[1].lufs - speech[1].lufs).toBeLessThan(20);
    expect(roar[1].peakDb).toBeLessThanOrEqual(0.2);

    const nightHeard = await decoded(night.joined(), 2);
    const rms = (heard: Float32Array, fromS: number, toS: number): number => {
      const part = heard.subarray(fromS * RATE_HZ * 2, toS * RATE_HZ * 2);
      return Math.sqrt(part.reduce((sum, value) => sum + value * value, 0) / part.length);
    };
    // A session that begins in the middle of a roar has heard what came before it.
    const each = await makeEach(order);
    const pieces = await decoded(each.joined(), 2);
    for (const second of [6.5, 12.2, 18.5, 24.1, 30.2]) {
      const apartDb = db(rms(pieces, second, second + 0.5) / rms(nightHeard, second, second + 0.5));
      expect(Math.abs(apartDb), `at ${second} s`).toBeLessThan(0.3);
    }
  });

  it('never overdrives: full scale in all of eight channels stays within it [SOUND2]', async () => {
    const source = movie(await tones('7.1', 0.99, 'loud-7.1.mkv', '-c:a', 'flac'));
    for (const output of [AAC, { ...AAC, isNight: true } as const]) {
      const made = await makeAll(orderOf(source, 'audio', { ...output, bitrateBps: 384_000 }));
      const heard = await decoded(made.joined(), output.channels);
      expect(heard.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(1.08);
    }
  });
});
