import { describe, expect, it } from 'vitest';
import {
  DOWNLOAD_FAILURES,
  DOWNLOAD_HINDRANCES,
  DOWNLOAD_OBSTACLES,
  DOWNLOAD_STATES,
} from '#protocol/schema/downloads.ts';
import { downloadOf, downloadRoom, fileOffer } from '#test/support/downloads.ts';
import {
  downloadFacts,
  downloadFailureText,
  downloadTitle,
  fileTitle,
  hindranceText,
  keptText,
  originalNote,
  partsTitle,
  progressText,
  qualityNote,
  qualityTitle,
  roomLeftText,
  roomText,
  spokenState,
  stateLine,
} from './download-words.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR_MS = 3_600_000;
const offer = fileOffer();

describe('what can be had', () => {
  it('says of the file as it is what may be in the way of it', () => {
    expect(originalNote(offer, null)).toBe('The file as it is. Not every device plays Matroska or HEVC; VLC does.');
    const fine = fileOffer({ original: { ...offer.original!, obstacles: [] } });
    expect(originalNote(fine, null)).toBe('The file as it is. Plays on nearly every device.');
    const all = fileOffer({ original: { ...offer.original!, obstacles: [...DOWNLOAD_OBSTACLES] } });
    expect(originalNote(all, 'hdr10')).toContain(
      'Matroska, HEVC, 10-bit colour, HDR10, an interlaced picture or AAC; VLC does.',
    );
  });

  it('says which copies are quick, and which take a while', () => {
    const notes = offer.qualities.map((quality) => qualityNote(quality, offer, null));
    expect(notes).toEqual([
      'The picture as it is, in an MP4. Quick. Not every device plays HEVC.',
      'Plays on nearly every device. Takes a while to prepare.',
      'Plays on nearly every device. Takes a while to prepare.',
    ]);
    expect(offer.qualities.map(({ quality }) => qualityTitle(quality))).toEqual([
      ...['MP4, full quality', 'MP4, 1080p', 'MP4, 720p'],
    ]);
  });

  it('tells the files of a movie apart', () => {
    expect(fileTitle(fileOffer({ edition: 'Director’s Cut', part: { number: 1, count: 2 } }))).toBe(
      'Director’s Cut · Part 1 of 2 · 1080p · 8.4 GB',
    );
    expect(fileTitle(fileOffer({ original: null, qualities: [] }))).toBe('A file that is away');
    expect(partsTitle([fileOffer({ edition: 'Extended' }), fileOffer()])).toBe('Extended · Both parts · 16.8 GB');
    expect(partsTitle([1, 2, 3].map(() => fileOffer({ original: null })))).toBe('All 3 parts');
  });

  it.each(DOWNLOAD_HINDRANCES)('%s has its sentence', (hindrance) => {
    expect(hindranceText(hindrance)).toMatch(/^[A-Z].*\.$/);
  });
});

describe('how a copy stands', () => {
  it.each([
    [{ state: 'queued', place: 1 }, 'Next in line'],
    [{ state: 'queued', place: 2 }, 'Waiting: 1 other before it'],
    [{ state: 'queued', place: 4 }, 'Waiting: 3 others before it'],
    [{ state: 'queued', isHeld: true, place: 1 }, 'Waiting until those who watch need the server no more'],
    [{ state: 'preparing' }, 'Being prepared'],
    [{ state: 'preparing', isHeld: true }, 'Resting while others watch; it goes on by itself'],
    [{ state: 'ready' }, 'Ready'],
    [{ state: 'ready', expiresAt: NOW + 5 * HOUR_MS }, 'Ready · removed in 5 hours'],
    [{ state: 'ready', expiresAt: NOW - 1 }, 'Ready · removed in 1 minute'],
    [{ state: 'cancelled' }, 'Cancelled'],
    [{ state: 'expired' }, 'It is not kept any more.'],
  ] as const)('%j: %s', (more, words) => expect(stateLine(downloadOf(more), NOW)).toBe(words));

  it('names the day where there is more than one left', () => {
    expect(stateLine(downloadOf({ expiresAt: NOW + 7 * 24 * HOUR_MS }), NOW)).toMatch(
      /^Ready · kept until .*30.*2026$/,
    );
  });

  it.each([
    [{ progress: null }, 'Starting…'],
    [{ progress: 0.426, speed: 3.14, leftMs: 254_000 }, '42 % · 3.1× speed · about 5 minutes left'],
    [{ progress: 0.999, speed: 42.4, leftMs: 4_000 }, '99 % · 42× speed · a few seconds left'],
    [{ progress: 0.1, speed: null, leftMs: 31_000 }, '10 % · about 40 seconds left'],
    [{ progress: 0.1, speed: 0.4, leftMs: 3 * HOUR_MS + 61_000 }, '10 % · 0.4× speed · about 3 hours 5 minutes left'],
    [{ progress: 0.5, speed: 2, leftMs: 60_000, isHeld: true }, '50 %'],
  ])('%j: %s', (more, words) => expect(progressText(downloadOf({ state: 'preparing', ...more }))).toBe(words));

  it.each(DOWNLOAD_FAILURES)('%s has its sentence', (failure) => {
    expect(stateLine(downloadOf({ state: 'failed', failure }), NOW)).toBe(downloadFailureText(failure));
    expect(downloadFailureText(failure)).toMatch(/^[A-Z].*\.$/);
  });

  it.each(DOWNLOAD_STATES)('%s is told to those who listen', (state) => {
    const words = spokenState(downloadOf({ state, part: { number: 1, count: 2 } }));
    expect(words).toMatch(/^“Metropolis, part 1 of 2” .*\.$/);
  });

  it('tells what it is of, and no size of what is not there', () => {
    const download = downloadOf({ edition: 'Extended', audioTracks: [1, 2], subtitles: ['a'] });
    expect(downloadFacts(download)).toEqual(['Extended', 'MP4, 720p', '2 sound tracks', 'subtitles', '1.2 GB']);
    expect(downloadFacts({ ...download, state: 'queued', audioTracks: [], subtitles: ['a', 'b'] })).toEqual([
      ...['Extended', 'MP4, 720p', 'no sound', '2 subtitles', 'about 1.2 GB'],
    ]);
    expect(downloadFacts(downloadOf({ state: 'expired', burnedSubtitle: 't3' }))).toEqual([
      ...['MP4, 720p', 'subtitles in the picture'],
    ]);
    expect(downloadTitle(downloadOf())).toBe('Metropolis');
  });
});

it('the room for copies', () => {
  expect(roomText(downloadRoom)).toBe('2.1 GB of 50.0 GB used');
  expect(roomLeftText(downloadRoom)).toBe('Of your room for copies 47.9 GB are left.');
  expect(keptText(downloadRoom)).toBe('Copies are kept on the server for 7 days after they became ready.');
  expect(keptText({ ...downloadRoom, keptForMs: HOUR_MS })).toContain('for 1 hour after');
});
