import { describe, expect, it } from 'vitest';
import { preferredCaptions } from './track-selection.ts';
import type { SubtitleOption } from './player-state.ts';

const option = (trackIndex: number, language: string | null, more: Partial<SubtitleOption> = {}): SubtitleOption => ({
  id: `t${trackIndex}`,
  trackIndex,
  source: 'embedded',
  format: 'text',
  problem: null,
  label: '',
  language,
  codec: 'subrip',
  isForced: false,
  isDefault: false,
  isHearingImpaired: false,
  isCommentary: false,
  url: '/x.vtt',
  styledUrl: null,
  fontUrls: [],
  picturesUrl: null,
  offsetMs: 0,
  ...more,
});

describe('which subtitles to turn on', () => {
  it.each<[string, SubtitleOption[], string, number | null]>([
    ['none where there are none', [], 'en', null],
    ['the language chosen last', [option(1, 'de'), option(2, 'en')], 'en', 2],
    ['whole dialogue before forced signs', [option(1, 'en', { isForced: true }), option(2, 'en')], 'en', 2],
    ['plain before hearing-impaired', [option(1, 'en', { isHearingImpaired: true }), option(2, 'en')], 'en', 2],
    ['the default where the language is not there', [option(1, 'de'), option(2, 'fr', { isDefault: true })], 'en', 2],
    ['the first where nothing speaks for another', [option(1, 'de'), option(2, 'fr')], '', 1],
    ['a track without a language for someone who chose one', [option(1, 'de'), option(2, null)], '', 2],
  ])('%s', (_, options, language, expected) => {
    expect(preferredCaptions(options, language)?.trackIndex ?? null).toBe(expected);
  });
});
