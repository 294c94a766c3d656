import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioTrack, subtitleTrack } from '#test/support/media-info.ts';
import { audioLabels, chooseAudioTrack, cleanText, subtitleLabels } from './track-choice.ts';

const byDefault = { default: true };
const commentary = { commentary: true };

describe('chooseAudioTrack', () => {
  it.each<[string, Parameters<typeof audioTrack>[0][], number | null]>([
    ['nothing', [], null],
    ['the only one', [{}], 0],
    ['the first where none is marked', [{}, {}], 0],
    ['the one marked as default', [{}, { disposition: byDefault }], 1],
    ['the first of several marked', [{}, { disposition: byDefault }, { disposition: byDefault }], 1],
    ['not a commentary that comes first', [{ disposition: commentary }, {}], 1],
    ['not a commentary marked as default', [{ disposition: { ...commentary, ...byDefault } }, {}], 1],
    ['not what only its title calls a commentary', [{ title: 'Director’s Commentary', disposition: byDefault }, {}], 1],
    ['not a German one either', [{ title: 'Audiokommentar' }, { title: 'Kommentar der Regie' }, {}], 0],
    ['not the description for the blind', [{ disposition: { visualImpaired: true, default: true } }, {}], 1],
    ['a commentary where there is nothing else', [{ disposition: commentary }], 0],
    [
      'of two commentaries the default',
      [{ disposition: commentary }, { disposition: { ...commentary, ...byDefault } }],
      1,
    ],
  ])('takes %s', (_what, parts, expected) => {
    const tracks = parts.map((part, index) => audioTrack({ ...part, index }));
    expect(chooseAudioTrack(tracks)?.index ?? null).toBe(expected);
  });

  it('does not take a musical about commenting ants for a commentary', () => {
    expect(chooseAudioTrack([audioTrack({ index: 4, title: 'Comma' }), audioTrack({ index: 5 })])?.index).toBe(4);
  });
});

describe('labels', () => {
  it.each<[string, Parameters<typeof audioTrack>[0], string]>([
    ['language and channels', { language: 'en', channels: 6 }, 'English · 5.1'],
    ['the language in its own words', { language: 'fr' }, 'Français · Stereo'],
    ['a region', { language: 'pt-BR' }, 'Português (Brasil) · Stereo'],
    ['the title where there is no language', { language: null, title: 'Theatrical Mix' }, 'Theatrical Mix · Stereo'],
    ['neither', { language: null }, 'Audio 1 · Stereo'],
    ['both', { title: 'Theatrical Mix' }, 'English · Stereo · Theatrical Mix'],
    ['a title that says nothing new', { title: 'Stereo' }, 'English · Stereo'],
    ['a commentary', { disposition: commentary }, 'English · Stereo · Commentary'],
    ['a tag that is no language', { language: 'x!' }, 'Audio 1 · Stereo'],
    ['many channels', { channels: 24 }, 'English · 24 channels'],
    ['a title that tries to break out', { language: null, title: 'a"b\r\n#EXT-X\u202Ec\0' }, 'a’b #EXT-X c · Stereo'],
  ])('of a sound track: %s', (_what, part, expected) => {
    expect(audioLabels([audioTrack(part)])).toEqual([expected]);
  });

  it('of subtitles say what they are for', () => {
    expect(
      subtitleLabels([
        subtitleTrack({ language: 'de', disposition: { forced: true } }),
        subtitleTrack({ language: 'de', disposition: { hearingImpaired: true } }),
        subtitleTrack({ language: null }),
      ]),
    ).toEqual(['Deutsch · Forced', 'Deutsch · SDH', 'Subtitles 3']);
  });

  it('are never the same twice, whatever the file says', () => {
    const part = fc.record({
      language: fc.constantFrom('en', 'fr', null),
      title: fc.option(fc.constantFrom('', 'A', 'A (2)', 'English · Stereo')),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const labels = audioLabels(parts.map((each) => audioTrack(each)));
        expect(new Set(labels).size).toBe(parts.length);
        for (const label of labels) expect(label).not.toBe('');
      }),
    );
  });
});

describe('cleanText', () => {
  it('leaves one line without quotes or control characters, cut between characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (text, maxLength) => {
        const clean = cleanText(text, maxLength);
        expect(clean).not.toMatch(/["\p{Cc}\u2028\u2029]/u);
        expect(clean.length).toBeLessThanOrEqual(maxLength);
        expect(clean.isWellFormed()).toBe(true);
      }),
    );
  });
});
