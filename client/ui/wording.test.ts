import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  bitrate,
  channelsName,
  clockTime,
  codecName,
  counted,
  fileSize,
  languageName,
  movieLength,
  resolutionName,
  spokenDuration,
  timeAgo,
  trackLabel,
} from './wording.ts';

describe('wording', () => {
  it.each([
    [0, '0:00'],
    [9_999, '0:09'],
    [605_000, '10:05'],
    [3_600_000, '1:00:00'],
    [36_061_000, '10:01:01'],
    [-5, '0:00'],
  ])('%d ms on a clock is %s', (ms, text) => expect(clockTime(ms)).toBe(text));

  it.each([
    [20_000, '20 s'],
    [59_999, '60 s'],
    [48 * 60_000, '48 min'],
    [7_200_000, '2 h'],
    [7_799_000, '2 h 10 min'],
  ])('a movie of %d ms is %s long', (ms, text) => expect(movieLength(ms)).toBe(text));

  it.each([
    [0, 'a moment'],
    [1_000, '1 second'],
    [61_000, '1 minute 1 second'],
    [605_000, '10 minutes'],
    [3_720_000, '1 hour 2 minutes'],
  ])('%d ms are said as %s', (ms, text) => expect(spokenDuration(ms)).toBe(text));

  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1_500, '1.5 kB'],
    [999_600, '1.0 MB'],
    [8_400_000_000, '8.4 GB'],
    [123_000_000_000, '123 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(fileSize(bytes)).toBe(text));

  it('numbers, names and tags', () => {
    expect(counted(1, 'movie')).toBe('1 movie');
    expect(counted(1_204, 'movie')).toBe('1,204 movies');
    expect(bitrate(12_400_000)).toBe('12.4 Mbit/s');
    expect(bitrate(128_000)).toBe('128 kbit/s');
    expect([480, 1_080, 2_160, 4_320, null].map(resolutionName)).toEqual(['480p', '1080p', '4K', '8K', null]);
    expect([1, 2, 6, 8, 3].map(channelsName)).toEqual(['Mono', 'Stereo', '5.1', '7.1', '3 channels']);
    expect(['hevc', 'pcm_s16le', 'unheardof'].map(codecName)).toEqual(['HEVC', 'PCM', 'unheardof']);
    expect([null, 'und', 'pt-BR', 'not a tag'].map(languageName)).toEqual([
      null,
      null,
      'Brazilian Portuguese',
      'not a tag',
    ]);
  });

  it.each([
    ['Deutsch', 'de', 'German'],
    ['Deutsch (2)', 'de', 'German (2)'],
    ['Français · 5.1 · Commentary', 'fr', 'French · 5.1 · Commentary'],
    ['Português (Brasil) · SDH', 'pt-BR', 'Brazilian Portuguese · SDH'],
    ['Director · Stereo', null, 'Director · Stereo'],
    ['Subtitles 3', 'und', 'Subtitles 3'],
    ['A title', 'not a tag', 'A title'],
  ])('a track that the server calls %s, of the tag %s, is %s here', (label, language, name) =>
    expect(trackLabel({ label, language })).toBe(name),
  );

  it.each([
    [10_000, 'just now'],
    [60_000 * 5, '5 minutes ago'],
    [3_600_000 * 25, 'yesterday'],
    [86_400_000 * 400, 'last year'],
  ])('%d ms before now is %s', (ms, text) => expect(timeAgo(1e12 - ms, 1e12)).toBe(text));
});

describe('the reader’s English', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it.each([
    ['en-GB', '31 Mar 1999'],
    ['en-US', 'Mar 31, 1999'],
    ['de-DE', 'Mar 31, 1999'],
  ])('%s writes %s', async (language, written) => {
    vi.stubGlobal('navigator', { language });
    vi.resetModules();
    const fresh = await import('./wording.ts');
    expect(fresh.dayOf(new Date(1999, 2, 31, 12).getTime())).toBe(written);
  });
});
