import { describe, expect, it } from 'vitest';
import { BrowseTable } from './browse-table.ts';
import { homeRows } from './home-rows.ts';
import type { BrowseRow } from './ports.ts';

const idOf = (number: number): string =>
  `00000000-0000-7000-8000-${(number * 7_654_321).toString(16).padStart(12, '0')}`;
const movie = (number: number, parts: Partial<BrowseRow>): BrowseRow => ({
  id: idOf(number),
  sortTitle: `movie ${number}`,
  year: 2000,
  addedAtMs: number,
  releaseDay: null,
  rating: null,
  voteCount: null,
  durationMs: null,
  resolution: null,
  hdr: null,
  videoCodec: null,
  language: null,
  certification: null,
  match: 'matched',
  isHidden: false,
  isPlayable: true,
  libraryIds: [],
  audioLanguages: [],
  termIds: [],
  collectionIds: [],
  ...parts,
});

const DAY_MS = 86_400_000;
const tableOf = (...rows: BrowseRow[]): BrowseTable => {
  const table = new BrowseTable();
  table.apply(rows, []);
  return table;
};
const numbers = (table: BrowseTable, slots: readonly number[]): number[] => {
  const all = Array.from({ length: 100 }, (_, number) => number);
  return slots.map((slot) => all.find((number) => idOf(number) === table.idAt(slot))!);
};

describe('the rows of the home screen', () => {
  it('[CAT9] top rated: many votes before a few enthusiasts, and none of fewer than 25', () => {
    const table = tableOf(
      movie(1, { rating: 10, voteCount: 24 }),
      movie(2, { rating: 9.9, voteCount: 26 }),
      movie(3, { rating: 8.7, voteCount: 20_000 }),
      movie(4, { rating: 8.2, voteCount: 15_000 }),
      movie(5, { rating: 4, voteCount: 10_000 }),
      movie(6, { rating: 6, voteCount: 9_000 }),
      movie(7, { rating: 9.9, voteCount: 30_000, isHidden: true }),
      movie(8, { rating: null, voteCount: 30_000 }),
    );
    expect(numbers(table, homeRows(table, 10, 0).topRated)).toEqual([3, 4, 2, 6, 5]);
    expect(numbers(table, homeRows(table, 2, 0).topRated)).toEqual([3, 4]);
    expect(homeRows(tableOf(movie(1, {})), 10, 0).topRated).toEqual([]);
  });

  it('[CAT9] another choice each day, the same all day', () => {
    const table = tableOf(...Array.from({ length: 90 }, (_, number) => movie(number, {})));
    const on = (ms: number): number[] => numbers(table, homeRows(table, 20, ms).random);
    expect(on(0)).toEqual(on(DAY_MS - 1));
    expect(on(0)).not.toEqual(on(DAY_MS));
    expect(new Set(on(0)).size).toBe(20);
  });

  it('[CAT9] what cannot be played is proposed nowhere, and counted', () => {
    const broken = { rating: 9, voteCount: 30_000, isPlayable: false };
    const table = tableOf(movie(1, { rating: 8, voteCount: 100 }), movie(2, broken));
    const rows = homeRows(table, 10, 0);
    for (const row of [rows.recentlyAdded, rows.topRated, rows.random]) expect(numbers(table, row)).toEqual([1]);
    expect(rows.movieCount).toBe(2);
    table.apply([movie(2, { ...broken, isPlayable: true })], []);
    expect(numbers(table, homeRows(table, 10, 0).recentlyAdded)).toEqual([2, 1]);
  });

  it('the latest, the decades with how many, and how many in all, without what is hidden', () => {
    const table = tableOf(
      movie(1, { year: 1979 }),
      movie(2, { year: 1970 }),
      movie(3, { year: null }),
      movie(4, { year: 2001 }),
      movie(5, { year: 1985, isHidden: true }),
    );
    const { recentlyAdded, decades, movieCount } = homeRows(table, 3, 0);
    expect(numbers(table, recentlyAdded)).toEqual([4, 3, 2]);
    expect(decades).toEqual([
      { year: 2000, count: 1 },
      { year: 1970, count: 2 },
    ]);
    expect(movieCount).toBe(4);
  });
});
