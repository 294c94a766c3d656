import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FACETS } from '#protocol/schema/movie-filter.ts';
import type { Facet, MovieFilter } from '#protocol/schema/movie-filter.ts';
import { isUnlimited, tidyFilter } from '#client/store/filter-address.ts';
import { FACET_ORDER, chipsOf, inOrder, isChosen, toggled, valueName } from './filter-words.ts';

const genres: Facet = {
  name: 'genreIds',
  values: [
    { value: '3', label: 'Drama', count: 12 },
    { value: '7', label: 'Comedy', count: 9 },
  ],
};
/** A value that each facet could have. */
const VALUES: Readonly<Record<(typeof FACETS)[number], string>> = {
  genreIds: '3',
  tagIds: '4',
  decade: '1990',
  resolutions: '2160',
  hdr: 'hdr10',
  videoCodecs: 'hevc',
  languages: 'de',
  audioLanguages: 'en',
  certifications: 'PG-13',
  studioIds: '5',
  countryIds: '6',
  isWatched: 'false',
  match: 'doubtful',
  libraryId: '01900000-0000-7000-8000-000000000001',
};

describe('filters as people set them', () => {
  it('every facet has its place', () => {
    expect(FACET_ORDER.toSorted()).toEqual([...FACETS].toSorted());
  });

  it.each([...FACETS])('%s is chosen by one click and left by another', (facet) => {
    const on = toggled({ personId: VALUES.libraryId }, facet, VALUES[facet]);
    expect(isChosen(on, facet, VALUES[facet])).toBe(true);
    expect(toggled(on, facet, VALUES[facet])).toEqual({ personId: VALUES.libraryId });
  });

  it('several values of one facet widen it; a decade takes the place of another', () => {
    expect(toggled(toggled({}, 'genreIds', '3'), 'genreIds', '7')).toEqual({ genreIds: [3, 7] });
    expect(toggled(toggled({}, 'decade', '1990'), 'decade', '2000')).toEqual({ yearFrom: 2000, yearTo: 2009 });
  });

  it('taking every chip back leaves no filter, in any order', () => {
    const filter: MovieFilter = {
      genreIds: [3, 7],
      yearFrom: 1990,
      yearTo: 1999,
      ratingFrom: 7,
      isWatched: false,
      keywordIds: [1, 2],
      personId: VALUES.libraryId,
      isHidden: true,
      certifications: ['12'],
    };
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (picks) => {
        let left = filter;
        for (const pick of picks) {
          const chips = chipsOf(left, [genres]);
          if (chips.length === 0) break;
          left = chips[pick % chips.length]!.without;
        }
        expect(isUnlimited(left)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('chips say what the values are', () => {
    const texts = (filter: MovieFilter) => chipsOf(filter, [genres]).map(({ text }) => text);
    expect(texts({ genreIds: [3], yearFrom: 1990, yearTo: 1999, isWatched: true })).toEqual([
      'Drama',
      '1990s',
      'Watched',
    ]);
    expect(texts({ yearFrom: 1994, yearTo: 1994 })).toEqual(['1994']);
    expect(texts({ yearFrom: 1994 })).toEqual(['from 1994']);
    expect(texts({ yearTo: 1960 })).toEqual(['until 1960']);
    // What number 9 is has not been said; a certification speaks for itself.
    expect(texts({ genreIds: [9], certifications: ['12'] })).toEqual(['Genre', '12']);
  });

  it('values are worded, decades and resolutions in their order', () => {
    expect(valueName('resolutions', '2160', null)).toBe('4K');
    expect(valueName('hdr', 'sdr', null)).toBe('Standard range');
    expect(valueName('languages', 'de', null)).toBe('German');
    const decades = {
      name: 'decade',
      values: ['1990', '2010', '1950'].map((value) => ({ value, label: null, count: 1 })),
    } as const;
    expect(inOrder({ ...decades, values: [...decades.values] }).map(({ value }) => value)).toEqual([
      '2010',
      '1990',
      '1950',
    ]);
  });

  it('empty lists are no limit', () => {
    expect(tidyFilter({ genreIds: [], yearFrom: 1990 })).toEqual({ yearFrom: 1990 });
  });
});
