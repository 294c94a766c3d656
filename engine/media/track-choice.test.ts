import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIO_REASONS, SUBTITLE_REASONS } from '#protocol/schema/playback.ts';
import { SUBTITLE_MODES } from '#protocol/schema/preferences.ts';
import { audioTrack, subtitleTrack } from '#test/support/media-info.ts';
import { AUDIO_TABLE, SUBTITLE_TABLE, audioQuestion, subtitleQuestion } from '#test/support/track-table.ts';
import {
  audioLabels,
  audioMeaning,
  chooseAudio,
  chooseSubtitle,
  cleanText,
  isCommentary,
  isDescription,
  subtitleLabels,
} from './track-choice.ts';

const commentary = { commentary: true };

describe('chooseAudio', () => {
  it.each(AUDIO_TABLE)('takes $takes: $what', (row) => {
    const answer = chooseAudio(audioQuestion(row));
    expect([answer?.track.index ?? null, answer?.reason ?? null]).toEqual([row.takes, row.reason]);
  });

  it('has a row for each reason', () => {
    expect(AUDIO_REASONS.filter((reason) => !AUDIO_TABLE.some((row) => row.reason === reason))).toEqual([]);
  });

  const tracks = fc.array(
    fc.record({
      language: fc.constantFrom('en', 'fr', 'pt-BR', null),
      title: fc.constantFrom(null, 'Director’s Commentary', 'Surround'),
      disposition: fc.record({ default: fc.boolean(), commentary: fc.boolean(), visualImpaired: fc.boolean() }),
    }),
    { maxLength: 6 },
  );
  const preferences = fc.record({
    spokenLanguages: fc.uniqueArray(fc.constantFrom('en', 'fr', 'pt', 'ja'), { maxLength: 3 }),
    prefersOriginalAudio: fc.boolean(),
    prefersAudioDescription: fc.boolean(),
    subtitleMode: fc.constantFrom(...SUBTITLE_MODES),
    prefersHearingImpaired: fc.boolean(),
  });

  it('takes one of the tracks, never a commentary by accident, and the same in whatever order of questions', () => {
    fc.assert(
      fc.property(tracks, preferences, fc.option(fc.constantFrom('en', 'ja')), (parts, wishes, originalLanguage) => {
        const all = parts.map((part, index) => audioTrack({ ...part, index }));
        const question = { tracks: all, chosen: null, remembered: {}, preferences: wishes, originalLanguage };
        const answer = chooseAudio(question);
        expect(answer === null).toBe(all.length === 0);
        if (answer === null) return;
        expect(all).toContain(answer.track);
        if (isCommentary(answer.track)) {
          expect(all.every((track) => isCommentary(track) || isDescription(track))).toBe(true);
        }
        if (isDescription(answer.track) && !wishes.prefersAudioDescription) expect(answer.reason).toBe('nothingElse');
        expect(chooseAudio(question)).toEqual(answer);
      }),
    );
  });

  it('a choice is found again in another file that has the same, under whatever number', () => {
    fc.assert(
      fc.property(tracks, fc.nat(), preferences, (parts, pick, wishes) => {
        fc.pre(parts.length > 0);
        const all = parts.map((part, index) => audioTrack({ ...part, index }));
        const chosen = all[pick % all.length]!;
        const other = all.toReversed().map((track, at) => ({ ...track, index: at + 20 }));
        const answer = chooseAudio({
          ...{ tracks: other, chosen: null, preferences: wishes, originalLanguage: null },
          remembered: { audio: audioMeaning(chosen) },
        })!;
        expect(answer.reason).toBe('remembered');
        expect(audioMeaning(answer.track)).toEqual(audioMeaning(chosen));
      }),
    );
  });
});

describe('chooseSubtitle', () => {
  it.each(SUBTITLE_TABLE)('takes $takes: $what', (row) => {
    const answer = chooseSubtitle(subtitleQuestion(row));
    expect([answer.subtitle?.id ?? null, answer.reason]).toEqual([row.takes, row.reason]);
  });

  it('has a row for each reason', () => {
    expect(SUBTITLE_REASONS.filter((reason) => !SUBTITLE_TABLE.some((row) => row.reason === reason))).toEqual([]);
  });

  const candidates = fc.array(
    fc.record({
      language: fc.constantFrom('en', 'fr', 'pt-BR', null),
      format: fc.constantFrom('text' as const, 'styled' as const, 'pictures' as const, 'none' as const),
      source: fc.constantFrom('embedded' as const, 'sidecar' as const, 'uploaded' as const),
      isForced: fc.boolean(),
      isDefault: fc.boolean(),
      isHearingImpaired: fc.boolean(),
      isCommentary: fc.boolean(),
    }),
    { maxLength: 8 },
  );
  const question = fc.record({
    subtitleMode: fc.constantFrom(...SUBTITLE_MODES),
    spokenLanguages: fc.uniqueArray(fc.constantFrom('en', 'fr', 'pt', 'ja'), { maxLength: 3 }),
    prefersHearingImpaired: fc.boolean(),
    audioLanguage: fc.constantFrom('en', 'ja', null),
    showsPictures: fc.boolean(),
  });

  it('by itself shows no commentary, nothing that can’t be shown, and nothing in a language that is neither heard nor spoken', () => {
    fc.assert(
      fc.property(candidates, question, (parts, { audioLanguage, showsPictures, ...wishes }) => {
        const subtitles = parts.map((part, at) => ({ ...part, id: `t${at}`, label: `Label ${at}` }));
        const { subtitle, reason } = chooseSubtitle({
          ...{ subtitles, audioLanguage, showsPictures, chosen: undefined, remembered: {} },
          preferences: { ...wishes, prefersOriginalAudio: false, prefersAudioDescription: false },
        });
        if (wishes.subtitleMode === 'off') expect(reason).toBe('turnedOff');
        if (subtitle === null) return;
        expect(subtitle.isCommentary).toBe(false);
        expect(subtitle.format).not.toBe('none');
        if (!showsPictures) expect(subtitle.format).not.toBe('pictures');
        if (wishes.subtitleMode === 'forced') expect(subtitle.isForced).toBe(true);
        const known = [...wishes.spokenLanguages, ...(audioLanguage === null ? [] : [audioLanguage])];
        if (known.length > 0) expect(known.map((tag) => tag.split('-')[0])).toContain(subtitle.language?.split('-')[0]);
      }),
    );
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
