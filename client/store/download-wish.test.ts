import { describe, expect, it } from 'vitest';
import { fileOffer } from '#test/support/downloads.ts';
import { memoryOf } from '#test/support/memory-server.ts';
import {
  firstWish,
  partGroups,
  recallWish,
  rememberWish,
  wishBytes,
  wishOfPart,
  wishRequest,
} from './download-wish.ts';
import type { DownloadWish } from './download-wish.ts';

const offer = fileOffer();
const original = offer.original!;
const wish = (more: Partial<DownloadWish> = {}): DownloadWish => ({
  ...{ form: '720p', audioTracks: [2], subtitles: ['t4'], burned: null },
  ...more,
});

describe('what is chosen when nobody has chosen yet', () => {
  it.each([
    [
      'the file as it is, where it plays everywhere',
      fileOffer({ original: { ...original, obstacles: [] } }),
      'original',
    ],
    [
      'the quick copy, where that plays everywhere',
      fileOffer({ qualities: offer.qualities.map((quality) => ({ ...quality, obstacles: [] })) }),
      'copy',
    ],
    ['else a picture no larger than it has to be', offer, '1080p'],
    ['the file as it is, where no copy can be made', fileOffer({ qualities: [], hindrance: 'unplayable' }), 'original'],
    ['a copy, where the file itself can’t be had', fileOffer({ original: null }), '1080p'],
  ])('%s', (_, file, form) => expect(firstWish(file, null)?.form).toBe(form));

  it('nothing, where nothing can be had', () => {
    expect(firstWish(fileOffer({ original: null, qualities: [], hindrance: 'missing' }), null)).toBeNull();
  });

  it('the sound and the subtitles that would play by themselves', () => {
    expect(firstWish(offer, null)).toMatchObject({ audioTracks: [2], subtitles: ['t4'] });
  });
});

describe('what this device remembers', () => {
  it('is the form, and languages rather than numbers of tracks', () => {
    const memory = memoryOf();
    rememberWish(memory, offer, wish({ audioTracks: [1, 2], subtitles: ['t5'] }));
    expect(recallWish(memory)).toEqual({ form: '720p', audio: ['en', 'de'], subtitles: ['en'] });
    const other = fileOffer({
      audioTracks: offer.audioTracks.map((track) => ({ ...track, trackIndex: track.trackIndex + 10 })),
    });
    // Of two in English the first: the commentary was not meant.
    expect(firstWish(other, recallWish(memory))).toMatchObject({
      form: '720p',
      audioTracks: [11, 12],
      subtitles: ['t5'],
    });
  });

  it('leaves to the next movie what was left to this one', () => {
    const memory = memoryOf();
    rememberWish(memory, offer, wish());
    expect(recallWish(memory)).toEqual({ form: '720p', audio: null, subtitles: null });
  });

  it('keeps the languages where the file was taken as it is, and no subtitles where none were wanted', () => {
    const memory = memoryOf();
    rememberWish(memory, offer, wish({ audioTracks: [1], subtitles: [] }));
    rememberWish(memory, offer, wish({ form: 'original', audioTracks: [], subtitles: ['t4'] }));
    expect(recallWish(memory)).toEqual({ form: 'original', audio: ['en'], subtitles: [] });
    expect(firstWish(offer, recallWish(memory))).toMatchObject({ form: 'original', audioTracks: [1], subtitles: [] });
  });

  it.each([
    ['2160p', '1080p'],
    ['480p', '720p'],
    ['copy', 'copy'],
  ] as const)('%s, where there is none, is %s', (form, chosen) => {
    expect(firstWish(offer, { form, audio: null, subtitles: null })?.form).toBe(chosen);
  });

  it('never leaves a movie silent, nor chooses what can’t be in a copy', () => {
    expect(firstWish(offer, { form: '720p', audio: ['ja'], subtitles: ['fr'] })).toEqual({
      ...{ form: '720p', audioTracks: [2], subtitles: [], burned: null },
    });
  });

  it.each(['', 'no json', '{"form":"900p"}', '[]', '{"form":"720p","audio":[7],"subtitles":null}'])(
    'is nothing where it makes no sense: %s',
    (text) => expect(recallWish(memoryOf({ download: text }))).toBeNull(),
  );
});

describe('what is asked of the server', () => {
  it('is nothing for the file as it is', () => {
    expect(wishRequest(offer, wish({ form: 'original' }))).toBeNull();
    expect(wishBytes(offer, wish({ form: 'original' }))).toBe(8_400_000_000);
  });

  it('names what plays by itself first, and only what a copy can hold', () => {
    expect(wishRequest(offer, wish({ audioTracks: [1, 2], subtitles: ['t5', 't6'] }))).toEqual({
      ...{ fileId: offer.fileId, quality: '720p', audioTracks: [2, 1], subtitles: ['t5'], burnedSubtitle: null },
    });
  });

  it('grows with every sound track', () => {
    expect(wishBytes(offer, wish({ audioTracks: [] }))).toBe(2_000_000_000);
    expect(wishBytes(offer, wish({ audioTracks: [1, 2] }))).toBe(2_200_000_000);
  });
});

describe('pictures that are burnt in', () => {
  it('are asked for where the picture is encoded, and not where it is taken as it is', () => {
    expect(wishRequest(offer, wish({ burned: 't6' }))).toMatchObject({ burnedSubtitle: 't6' });
    expect(wishRequest(offer, wish({ form: 'copy', burned: 't6' }))).toMatchObject({ burnedSubtitle: null });
  });

  it('are chosen anew each time: they can’t be turned off', () => {
    const memory = memoryOf();
    rememberWish(memory, offer, wish({ burned: 't6' }));
    expect(firstWish(offer, recallWish(memory))?.burned).toBeNull();
  });
});

describe('a movie that is cut into parts', () => {
  const part = (number: number, more: Parameters<typeof fileOffer>[0] = {}) =>
    fileOffer({ fileId: `part ${number}`, part: { number, count: 2 }, ...more });

  it('is asked for as a whole where all of its parts can be had, each edition by itself', () => {
    const ids = (...files: Parameters<typeof partGroups>[0]) =>
      partGroups(files).map((group) => group.map(({ fileId }) => fileId));
    expect(ids(part(2), part(1), fileOffer())).toEqual([['part 1', 'part 2']]);
    expect(ids(part(1), part(2, { edition: 'Extended' }))).toEqual([]);
    expect(ids(part(1), part(2, { original: null, qualities: [], hindrance: 'missing' }))).toEqual([]);
    expect(ids(part(1, { extra: 'trailer' }), part(2))).toEqual([]);
  });

  it('the same is asked of each: tracks by their languages, whichever numbers they have there', () => {
    const other = part(2, {
      audioTracks: offer.audioTracks.map((track) => ({ ...track, trackIndex: track.trackIndex + 10 })),
      subtitles: offer.subtitles.map((subtitle) => ({ ...subtitle, id: `${subtitle.id}0` })),
    });
    const chosen = wish({ audioTracks: [2, 1], subtitles: ['t5'], burned: 't6' });
    expect(wishOfPart(part(1), chosen, part(1))).toBe(chosen);
    expect(wishOfPart(part(1), chosen, other)).toEqual({
      ...{ form: '720p', audioTracks: [11, 12], subtitles: ['t50'], burned: 't60' },
    });
  });

  it('a part with other tracks has what it has, and is never silent', () => {
    const [english] = offer.audioTracks;
    const other = part(2, {
      qualities: offer.qualities.filter(({ quality }) => quality === 'copy'),
      audioTracks: [{ ...english!, trackIndex: 7, language: 'ja', isDefault: true }],
      subtitles: [],
    });
    expect(wishOfPart(part(1), wish({ burned: 't6' }), other)).toEqual({
      ...{ form: 'copy', audioTracks: [7], subtitles: [], burned: null },
    });
    expect(wishOfPart(part(1), wish({ audioTracks: [] }), other)?.audioTracks).toEqual([]);
  });
});
