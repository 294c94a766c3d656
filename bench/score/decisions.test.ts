import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { scoreDecisions } from './decisions.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-decisions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let told: string[] = [];
beforeEach(() => {
  told = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => void told.push(text));
});

const picture = {
  Type: 'Video',
  Index: 0,
  Codec: 'h264',
  Profile: 'High',
  Level: 41,
  BitDepth: 8,
  Width: 1280,
  Height: 720,
};
const sources = {
  film: {
    ...{ Container: 'mkv', Bitrate: 3_000_000, DefaultAudioStreamIndex: 1 },
    MediaStreams: [
      picture,
      { Type: 'Audio', Index: 1, Codec: 'ac3', Channels: 6, IsDefault: true },
      { Type: 'Audio', Index: 2, Codec: 'aac', Profile: 'LC', Channels: 2 },
    ],
  },
};
const devices = {
  browser: {
    MaxStreamingBitrate: 120_000_000,
    DirectPlayProfiles: [{ Container: 'mp4', VideoCodec: 'h264', AudioCodec: 'aac', Type: 'Video' }],
    TranscodingProfiles: [{ Container: 'ts', VideoCodec: 'h264', AudioCodec: 'aac', Protocol: 'hls', Type: 'Video' }],
    CodecProfiles: [
      { Type: 'VideoAudio', Conditions: [{ Condition: 'Equals', Property: 'IsSecondaryAudio', Value: 'false' }] },
      {
        Type: 'Video',
        Codec: 'h264',
        Conditions: [{ Condition: 'LessThanEqual', Property: 'VideoLevel', Value: '40' }],
      },
    ],
  },
  player: {
    MaxStreamingBitrate: 2_000_000,
    DirectPlayProfiles: [{ Container: '', VideoCodec: '', AudioCodec: '', Type: 'Video' }],
    TranscodingProfiles: [{ Container: 'ts', VideoCodec: 'h264', AudioCodec: 'aac', Protocol: 'hls', Type: 'Video' }],
  },
};

function score(...cases: object[]) {
  const file = join(folder, 'decisions.json');
  writeFileSync(file, JSON.stringify({ devices, sources, cases }));
  return scoreDecisions(file);
}
const row = async (key: string, ...cases: object[]) => {
  const found = (await score(...cases)).find((one) => one.key === key)!;
  return [found.right, found.wrong];
};
const one = { id: 'x', method: 'BuildVideoItemSimple', source: 'film' };
const level = {
  ...{ ...one, device: 'browser', playMethod: 'Transcode', mode: 'Transcode' },
  reasons: ['ContainerNotSupported', 'VideoLevelNotSupported', 'AudioCodecNotSupported'],
};
const bits = {
  ...one,
  device: 'player',
  playMethod: 'Transcode',
  mode: 'Transcode',
  reasons: ['ContainerBitrateExceedsLimit', 'AudioCodecNotSupported'],
};

describe('scoring decisions', () => {
  it('agrees where both decide alike, and tells nothing', async () => {
    expect(await score(level, bits)).toEqual(
      ['method', 'handling', 'reasons', 'no other reasons'].map((key) => ({
        ...{ score: 'decisions', key, right: 2, wrong: 0, missing: 0, accuracy: 1 },
      })),
    );
    expect(told).toEqual([]);
  });

  it('counts what differs, and says where and why', async () => {
    expect(await row('handling', { ...bits, playMethod: 'DirectPlay', mode: null, reasons: [] })).toEqual([0, 1]);
    expect(told.join('\n')).toContain('they direct, we encoded');
    expect(await row('reasons', { ...level, reasons: ['VideoCodecNotSupported'] })).toEqual([0, 1]);
    expect(await row('no other reasons', { ...level, reasons: ['ContainerNotSupported'] })).toEqual([0, 1]);
    expect(await row('reasons', { ...level, reasons: ['AudioIsExternal'] })).toEqual([0, 1]);
    expect(told.join('\n')).toContain('sound in files of its own is not played');
  });

  it('a device or file that is not there counts as missing', async () => {
    expect((await score({ ...level, device: 'toaster' }))[0]).toMatchObject({ key: 'method', missing: 1 });
  });

  it('takes the tracks that they took', async () => {
    const first = {
      ...one,
      method: 'BuildVideoItemWithFirstExplicitStream',
      device: 'browser',
      playMethod: 'Transcode',
    };
    expect(await row('reasons', { ...first, reasons: ['AudioCodecNotSupported'] })).toEqual([1, 0]);
    const fit = {
      ...first,
      method: 'BuildVideoItemWithDirectPlayExplicitStreams',
      reasons: ['SecondaryAudioNotSupported'],
    };
    expect(await row('reasons', fit)).toEqual([1, 0]);
  });
});
