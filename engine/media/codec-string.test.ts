import { describe, expect, it } from 'vitest';
import { audioTrack, videoTrack } from '#test/support/media-info.ts';
import { copiedAudioCodecString, copiedVideoCodecString, supplementalCodecs } from './codec-string.ts';

describe('copiedVideoCodecString', () => {
  it.each<[string, Parameters<typeof videoTrack>[0], string | null]>([
    ['what the probe says', { codecString: 'avc1.64001F' }, 'avc1.64001F'],
    [
      'parameter sets moved to the sample entry',
      { codec: 'hevc', codecString: 'hev1.2.4.L120.B0' },
      'hvc1.2.4.L120.B0',
    ],
    ['the same for H.264', { codecString: 'avc3.640028' }, 'avc1.640028'],
    ['H.264 from profile and level', { profile: 'High', level: 41 }, 'avc1.640029'],
    ['Constrained Baseline', { profile: 'Constrained Baseline', level: 30 }, 'avc1.42E01E'],
    ['a profile without a number', { profile: 'Stereo High', level: 40 }, null],
    ['HEVC Main 10 at 4.0', { codec: 'hevc', profile: 'Main 10', level: 120 }, 'hvc1.2.4.L120.B0'],
    ['HEVC range extensions', { codec: 'hevc', profile: 'Rext', level: 120 }, null],
    ['VP9 without a level', { codec: 'vp9', profile: 'Profile 0', level: -99 }, 'vp09.00.40.08'],
    ['VP9 of 10 bits', { codec: 'vp9', profile: 'Profile 2', level: 41, bitDepth: 10 }, 'vp09.02.41.10'],
    [
      'VP9 in 4K at 60',
      { codec: 'vp9', profile: null, level: null, width: 3840, height: 2160, frameRate: { num: 60, den: 1 } },
      'vp09.00.51.08',
    ],
    ['AV1', { codec: 'av1', profile: 'Main', level: 9, bitDepth: 10 }, 'av01.0.09M.10'],
    [
      'a string that would end the attribute',
      { codecString: 'avc1.640028",X="', profile: 'High', level: 40 },
      'avc1.640028',
    ],
    [
      'Dolby Vision 5',
      { codec: 'hevc', codecString: 'hvc1.2.4.L150.B0', dolbyVision: { profile: 5, level: 6, compatibility: 0 } },
      'dvh1.05.06',
    ],
    [
      'Dolby Vision 8.1: the base layer',
      { codec: 'hevc', codecString: 'hvc1.2.4.L150.B0', dolbyVision: { profile: 8, level: 6, compatibility: 1 } },
      'hvc1.2.4.L150.B0',
    ],
    ['a codec that is never copied', { codec: 'mpeg2video' }, null],
  ])('%s', (_what, part, expected) => {
    expect(copiedVideoCodecString(videoTrack(part))).toBe(expected);
  });
});

describe('supplementalCodecs', () => {
  it.each<[string, Parameters<typeof videoTrack>[0], string | null]>([
    ['Dolby Vision 8.1', { codec: 'hevc', dolbyVision: { profile: 8, level: 6, compatibility: 1 } }, 'dvh1.08.06/db1p'],
    ['Dolby Vision 8.4', { codec: 'hevc', dolbyVision: { profile: 8, level: 9, compatibility: 4 } }, 'dvh1.08.09/db4h'],
    ['Dolby Vision 8.2', { codec: 'hevc', dolbyVision: { profile: 8, level: 6, compatibility: 2 } }, null],
    ['Dolby Vision 5', { codec: 'hevc', dolbyVision: { profile: 5, level: 6, compatibility: 0 } }, null],
    ['none', {}, null],
  ])('%s', (_what, part, expected) => {
    expect(supplementalCodecs(videoTrack(part))).toBe(expected);
  });
});

describe('copiedAudioCodecString', () => {
  it.each<[string, Parameters<typeof audioTrack>[0], string | null]>([
    ['AAC-LC', {}, 'mp4a.40.2'],
    ['HE-AAC', { profile: 'HE-AAC' }, 'mp4a.40.5'],
    ['HE-AAC version 2', { profile: 'HE-AACv2' }, 'mp4a.40.29'],
    ['what the probe says of AAC', { codecString: 'mp4a.40.5' }, 'mp4a.40.5'],
    ['an old string of AAC', { codecString: 'mp4a.67' }, 'mp4a.40.2'],
    ['AC-3', { codec: 'ac3', profile: null }, 'ac-3'],
    ['E-AC-3', { codec: 'eac3', profile: null }, 'ec-3'],
    ['MP3', { codec: 'mp3', profile: null, sampleRateHz: 44_100 }, 'mp4a.6B'],
    ['MP3 of a low rate', { codec: 'mp3', profile: null, sampleRateHz: 22_050 }, 'mp4a.69'],
    ['Opus', { codec: 'opus', profile: null }, 'opus'],
    ['FLAC', { codec: 'flac', profile: null }, 'fLaC'],
    ['DTS, which is never copied', { codec: 'dts', profile: null }, null],
  ])('%s', (_what, part, expected) => {
    expect(copiedAudioCodecString(audioTrack(part))).toBe(expected);
  });
});
