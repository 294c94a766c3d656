import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeMatch } from './movie-match.ts';
import type { MatchClue, MatchOption } from './movie-match.ts';
import { titleKey, titleSimilarity } from './title-likeness.ts';

let serial = 0;
const option = (title: string, year: number | null, more: Partial<MatchOption> = {}): MatchOption => ({
  tmdbId: ++serial,
  title,
  originalTitle: null,
  otherTitles: null,
  year,
  popularity: 10,
  voteCount: 500,
  ...more,
});
const clue = (title: string, year: number | null = 2001, more: Partial<MatchClue> = {}): MatchClue => ({
  title,
  year,
  durationMs: null,
  ...more,
});
const minutes = (count: number): number => count * 60_000;

describe('titles', () => {
  it.each([
    ['The Glass Garden: Part II', 'glass garden 2'],
    ['Matrix, The', 'The Matrix'],
    ['S.W.A.T.', 'SWAT'],
    ['A I Artificial Intelligence', 'A.I. Artificial Intelligence'],
    ['WALL·E', 'Wall-E'],
    ['8½', '8 1/2'],
    ['20,000 Leagues', '20000 Leagues'],
    ["Ocean's Eleven", 'Oceans 11'],
    ['Rocky V', 'rocky 5'],
    ['Fast & Furious', 'Fast and Furious'],
    ['Amélie', 'AMELIE'],
    ['Straße', 'strasse'],
    ['Kill Bill: Vol. 1', 'Kill Bill Volume I'],
    ['[REC]', 'rec'],
    ['七人の侍', '七人の侍'.normalize('NFD')],
  ])('[FIND2] %s is %s', (a, b) => {
    expect(titleKey(a)).toBe(titleKey(b));
    expect(titleSimilarity(a, b)).toBe(1);
  });

  it.each([
    ['Rocky 2', 'Rocky III'],
    ['Rocky', 'Rocky II'],
    ['Her', 'Hero'],
    ['Alien', 'Aliens'],
    ['Die Hard', 'Die Hart'],
    ['The Starling', 'Starlings'],
    ['Bad Teacher', 'Bad Teachers'],
    ['Halloween', 'Halloween 2018'],
  ])('[FIND3] %s is not %s, nor nearly', (a, b) => {
    expect(titleSimilarity(a, b)).toBeLessThan(0.9);
  });

  it('is the same both ways, bounded, and total', () => {
    const title = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('The', 'II', '...', '7', 'a.b.c'),
    );
    fc.assert(
      fc.property(title, title, (a, b) => {
        const alike = titleSimilarity(a, b);
        expect(alike).toBe(titleSimilarity(b, a));
        expect(alike).toBeGreaterThanOrEqual(0);
        expect(alike).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('matching', () => {
  it('[FIND4] takes the exact title of the exact year', () => {
    const right = option('Orbit', 2012);
    const verdict = judgeMatch(clue('orbit', 2012), [option('Orbit', 1958), right, option('Orbit 2', 2012)]);
    expect(verdict).toMatchObject({
      state: 'matched',
      ranked: [{ option: right, reasons: ['titleExact', 'yearExact', 'popular'] }, {}, {}],
    });
  });

  it('[FIND4] finds it by the original and by another title', () => {
    const right = option('The Mapmaker', 1969, { originalTitle: '地図を描く人', otherTitles: ['Le Cartographe'] });
    expect(judgeMatch(clue('地図を描く人', 1969), [right])).toMatchObject({
      state: 'matched',
      ranked: [{ reasons: ['originalTitleExact', 'yearExact', 'popular'] }],
    });
    expect(judgeMatch(clue('le cartographe', 1969), [right])).toMatchObject({
      state: 'matched',
      ranked: [{ reasons: ['alternativeTitleExact', 'yearExact', 'popular'] }],
    });
  });

  it('[FIND5] asks where two of the same name and year cannot be told apart, and takes the one of the right length', () => {
    const long = option('Paper Boats', 2022, { runtimeMinutes: 107 });
    const short = option('Paper Boats', 2022, { runtimeMinutes: 71 });
    expect(judgeMatch(clue('Paper Boats', 2022), [long, short])).toMatchObject({
      state: 'doubtful',
      ranked: [{ reasons: expect.arrayContaining(['severalAlike']) }, {}],
    });
    const sure = judgeMatch(clue('Paper Boats', 2022, { durationMs: minutes(70) }), [long, short]);
    expect(sure).toMatchObject({ state: 'matched', ranked: [{ option: short }, {}] });
  });

  it('[FIND5] takes the one that everybody knows over a namesake that nobody saw', () => {
    const known = option('Dust', 2021, { popularity: 90, voteCount: 9_000 });
    const obscure = option('Dust', 2021, { popularity: 0.8, voteCount: 3 });
    expect(judgeMatch(clue('Dust', 2021), [obscure, known])).toMatchObject({
      state: 'matched',
      ranked: [{ option: known }, {}],
    });
    const rival = option('Dust', 2021, { popularity: 40, voteCount: 900 });
    expect(judgeMatch(clue('Dust', 2021), [rival, known]).state).toBe('doubtful');
  });

  it('[FIND6] lets the year be one off, but not where something else is of that year, nor where the length says no', () => {
    const right = option('Salt Road', 2004, { runtimeMinutes: 126 });
    expect(judgeMatch(clue('Salt Road', 2005), [right]).state).toBe('matched');
    expect(judgeMatch(clue('Salt Road', 2005), [right, option('The Salt Roads', 2005)]).state).toBe('doubtful');
    expect(judgeMatch(clue('Salt Road', 2005, { durationMs: minutes(20) }), [right]).state).toBe('doubtful');
    expect(judgeMatch(clue('Salt Road', 1990), [right]).state).toBe('doubtful');
  });

  it('[FIND7] without a year wants the right length or a name that nobody uses twice', () => {
    const wolf = option('Wolf', 2016, { runtimeMinutes: 92 });
    expect(judgeMatch(clue('Wolf', null), [wolf]).state).toBe('doubtful');
    expect(judgeMatch(clue('Wolf', null, { durationMs: minutes(93) }), [wolf]).state).toBe('matched');
    const long = option('Everything Between Here and the Sea', 2020);
    expect(judgeMatch(clue('Everything Between Here and the Sea', null), [long]).state).toBe('matched');
    expect(judgeMatch(clue('Wolf', null, { durationMs: minutes(93) }), [wolf, option('Wolf', 1994)]).state).toBe(
      'doubtful',
    );
  });

  it('[FIND8] forgives a typing mistake in a long title of the year, and none in a short one', () => {
    expect(
      judgeMatch(clue('Everthing Between Here and the Sea', 2020), [
        option('Everything Between Here and the Sea', 2020),
      ]).state,
    ).toBe('matched');
    expect(judgeMatch(clue('Starling', 2021), [option('Starlings', 2021)]).state).toBe('doubtful');
    expect(judgeMatch(clue('Wolv', 2016), [option('Wolf', 2016)]).state).toBe('doubtful');
    expect(judgeMatch(clue('Hero', 2013), [option('Her', 2013)]).state).not.toBe('matched');
  });

  it('[FIND3] never takes a sequel for what it follows', () => {
    for (const [asked, has] of [
      ['Glass Garden 2', 'The Glass Garden Part III'],
      ['Glass Garden', 'The Glass Garden Part II'],
      ['Orbit 3', 'Orbit'],
    ] as const) {
      expect(judgeMatch(clue(asked, 2001), [option(has, 2001)]).state).not.toBe('matched');
    }
  });

  it('[FIND9] says unmatched where nothing is like it', () => {
    expect(judgeMatch(clue('Holiday video'), [])).toEqual({ state: 'unmatched', ranked: [] });
    expect(judgeMatch(clue('Holiday video'), [option('Nine Bridges', 2001)]).state).toBe('unmatched');
  });

  it('ranks the same whatever the order in which TMDB answers', () => {
    const options = [
      option('Wolf', 2016),
      option('Wolf', 2015),
      option('Wolves', 2016),
      option('The Wolf Who Waited', 2016),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(options, { minLength: 4 }), (order) => {
        const ids = judgeMatch(clue('Wolf', 2016), order).ranked.map((ranked) => ranked.option.tmdbId);
        expect(ids).toEqual(judgeMatch(clue('Wolf', 2016), options).ranked.map((ranked) => ranked.option.tmdbId));
      }),
    );
  });
});
