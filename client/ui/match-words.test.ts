import { describe, expect, it } from 'vitest';
import type { MatchReason } from '#protocol/schema/match.ts';
import { likeness } from './match-words.ts';

describe('how alike a candidate is', () => {
  it.each<[readonly MatchReason[], string | null, readonly MatchReason[]]>([
    [['titleExact', 'yearExact', 'durationDiffers'], 'Same title and year', ['durationDiffers']],
    [['titleExact', 'yearNear'], 'Same title', ['yearNear']],
    [['originalTitleExact', 'yearExact'], 'Same original title, same year', []],
    [['titleSimilar', 'yearDiffers'], 'Similar title', ['yearDiffers']],
    [['titleExact', 'yearExact', 'severalAlike'], 'Equally likely', ['titleExact', 'yearExact']],
    [['idInName'], null, ['idInName']],
    [['titleDiffers', 'yearExact'], null, ['titleDiffers', 'yearExact']],
    [[], null, []],
  ])('%s', (reasons, words, rest) => expect(likeness(reasons)).toEqual({ words, rest }));
});
