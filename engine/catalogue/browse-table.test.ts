import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FACETS } from '#protocol/schema/movie-filter.ts';
import type { FacetName, MovieFilter } from '#protocol/schema/movie-filter.ts';
import { MOVIE_SORTS } from '#protocol/schema/movie-sort.ts';
import type { MovieSort, SortOrder } from '#protocol/schema/movie-sort.ts';
import { facetsOf, maskOf, windowOf } from './browse-query.ts';
import type { Narrowing } from './browse-query.ts';
import { BrowseTable } from './browse-table.ts';
import { naturalKey } from './natural-order.ts';
import type { BrowseRow, TermKind, TermRow, WatchRow } from './ports.ts';
import { SlotSet, countBits, eachBit, setBit, wordsFor } from './slot-set.ts';
import { ValueLists } from './value-lists.ts';
import { WatchState } from './watch-states.ts';

const idOf = (number: number): string => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const TERMS: TermRow[] = (['genre', 'keyword', 'studio', 'country', 'tag'] as TermKind[]).flatMap((kind, at) =>
  Array.from({ length: 4 }, (_, index) => ({ id: at * 4 + index + 1, kind, name: `${kind} ${9 - index}` })),
);
const LIBRARIES = [idOf(901), idOf(902)];

// Few values, so that equal ones are frequent.
const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);
const row = fc.record({
  id: fc.integer({ min: 0, max: 60 }).map(idOf),
  sortTitle: oneOf('alien', 'alien 3', 'alien 12', 'brazil', 'élan', 'zardoz', ''),
  year: oneOf(null, 1979, 1985, 1990, 2001),
  addedAtMs: fc.integer({ min: 1, max: 5 }),
  releaseDay: oneOf(null, -400, 0, 9_000),
  rating: oneOf(null, 0, 5.5, 7, 9.9),
  voteCount: oneOf(null, 1, 5_000),
  durationMs: oneOf(null, 0, 60_000, 90_000),
  resolution: oneOf(null, 480, 1080, 2160),
  hdr: oneOf(null, 'hdr10' as const, 'dolbyVision' as const),
  videoCodec: oneOf(null, 'h264', 'hevc'),
  language: oneOf(null, 'en', 'fr'),
  certification: oneOf(null, 'R', 'PG'),
  match: oneOf('waiting' as const, 'matched' as const),
  isHidden: fc.boolean().map((hidden) => hidden && true),
  isPlayable: fc.boolean(),
  libraryIds: fc.uniqueArray(oneOf(...LIBRARIES)),
  audioLanguages: fc.uniqueArray(oneOf('en', 'fr', 'de')),
  termIds: fc.uniqueArray(oneOf(...TERMS.map(({ id }) => id))),
  collectionIds: fc.constant([]),
}) satisfies fc.Arbitrary<BrowseRow>;

const termIdsOf = (kind: TermKind) => TERMS.filter((term) => term.kind === kind).map(({ id }) => id);
const some = <T>(...values: T[]) => fc.uniqueArray(oneOf(...values), { maxLength: 3 });
const filter: fc.Arbitrary<MovieFilter> = fc.record(
  {
    libraryId: oneOf(...LIBRARIES),
    genreIds: some(...termIdsOf('genre'), 77),
    keywordIds: some(...termIdsOf('keyword')),
    tagIds: some(...termIdsOf('tag')),
    yearFrom: oneOf(1979, 1980, 2001),
    yearTo: oneOf(1979, 1990, 2200),
    resolutions: some(480, 1080, 2160),
    hdr: some('sdr' as const, 'hdr10' as const),
    videoCodecs: some('h264', 'av1'),
    languages: some('en', 'fr'),
    audioLanguages: some('en', 'de'),
    certifications: some('R', 'PG'),
    ratingFrom: oneOf(0, 5.5, 8),
    isWatched: fc.boolean(),
    match: some('waiting' as const, 'matched' as const),
    isHidden: fc.boolean(),
  },
  { requiredKeys: [] },
);
const step = fc.record({
  rows: fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 12 }),
  gone: fc.uniqueArray(fc.integer({ min: 0, max: 60 }).map(idOf), { maxLength: 4 }),
});
const watches = fc.uniqueArray(
  fc.record({
    movieId: fc.integer({ min: 0, max: 60 }).map(idOf),
    isWatched: fc.boolean(),
    atMs: fc.integer({ min: 1, max: 9 }),
  }),
  { selector: ({ movieId }) => movieId },
);
const question = fc.record({
  filter,
  sort: oneOf(...MOVIE_SORTS),
  order: oneOf<SortOrder | null>(null, 'ascending', 'descending'),
  limit: fc.integer({ min: 1, max: 7 }),
  seed: fc.integer({ min: 0, max: 3 }),
});

/** The same said plainly: rows in a map, gone through one by one. */
class Plain {
  readonly rows = new Map<string, BrowseRow>();
  readonly watch = new Map<string, WatchRow>();

  matches(one: BrowseRow, wanted: MovieFilter, except: FacetName | null = null): boolean {
    const terms = (kind: TermKind) => one.termIds.filter((id) => termIdsOf(kind).includes(id)).map(String);
    const values: Partial<Record<FacetName | 'keywordIds', (string | null)[]>> = {
      libraryId: [...one.libraryIds],
      genreIds: terms('genre'),
      keywordIds: terms('keyword'),
      tagIds: terms('tag'),
      resolutions: [one.resolution === null ? null : String(one.resolution)],
      hdr: [one.hdr ?? 'sdr'],
      videoCodecs: [one.videoCodec],
      languages: [one.language],
      audioLanguages: [...one.audioLanguages],
      certifications: [one.certification],
      match: [one.match],
    };
    if (one.isHidden !== (wanted.isHidden === true)) return false;
    for (const [name, own] of Object.entries(values)) {
      const chosen = [wanted[name as 'genreIds'] ?? []].flat().map(String);
      const isMet = own.some((value) => value !== null && chosen.includes(value));
      if (name !== except && chosen.length > 0 && !isMet) return false;
    }
    const { yearFrom, yearTo, ratingFrom, isWatched } = wanted;
    if (except !== 'decade' && (yearFrom !== undefined || yearTo !== undefined)) {
      if (one.year === null || one.year < (yearFrom ?? 0) || one.year > (yearTo ?? 9_999)) return false;
    }
    if (ratingFrom !== undefined && (one.rating === null || one.rating < ratingFrom)) return false;
    return except === 'isWatched' || isWatched === undefined || this.#isWatched(one) === isWatched;
  }

  #isWatched(one: BrowseRow): boolean {
    return this.watch.get(one.id)?.isWatched === true;
  }

  sorted(wanted: MovieFilter, sort: MovieSort, order: SortOrder | null): string[] {
    const isUp = (order ?? (sort === 'title' ? 'ascending' : 'descending')) === 'ascending';
    const key = (one: BrowseRow): number | null => {
      const keys = {
        year: one.year,
        added: one.addedAtMs,
        release: one.releaseDay,
        rating: one.rating,
        duration: one.durationMs,
        resolution: one.resolution,
        lastWatched: this.watch.get(one.id)?.atMs ?? null,
      };
      return keys[sort as keyof typeof keys];
    };
    const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
    const byTitle = (a: BrowseRow, b: BrowseRow): number =>
      compare(naturalKey(a.sortTitle), naturalKey(b.sortTitle)) || compare(a.id, b.id);
    const found = [...this.rows.values()].filter((one) => this.matches(one, wanted));
    found.sort((a, b) => {
      if (sort === 'title') return isUp ? byTitle(a, b) : byTitle(b, a);
      const [left, right] = [key(a), key(b)];
      if (left === null || right === null) return left === right ? byTitle(a, b) : left === null ? 1 : -1;
      const difference = isUp ? left - right : right - left;
      if (sort === 'added') return difference || (isUp ? compare(a.id, b.id) : compare(b.id, a.id));
      return difference || byTitle(a, b);
    });
    return found.map(({ id }) => id);
  }

  count(wanted: MovieFilter, name: FacetName): Map<string, number> {
    const counts = new Map<string, number>();
    for (const one of this.rows.values()) {
      if (!this.matches(one, wanted, name)) continue;
      const terms = (kind: TermKind) => one.termIds.filter((id) => termIdsOf(kind).includes(id));
      const values = {
        genreIds: terms('genre'),
        tagIds: terms('tag'),
        studioIds: terms('studio'),
        countryIds: terms('country'),
        decade: one.year === null ? [] : [Math.floor(one.year / 10) * 10],
        resolutions: one.resolution === null ? [] : [one.resolution],
        hdr: [one.hdr ?? 'sdr'],
        videoCodecs: one.videoCodec === null ? [] : [one.videoCodec],
        languages: one.language === null ? [] : [one.language],
        audioLanguages: one.audioLanguages,
        certifications: one.certification === null ? [] : [one.certification],
        isWatched: [this.#isWatched(one)],
        match: [one.match],
        libraryId: one.libraryIds,
      }[name];
      for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    }
    return counts;
  }
}

function build(steps: readonly { rows: readonly BrowseRow[]; gone: readonly string[] }[], seen: readonly WatchRow[]) {
  const watch = new WatchState();
  const table = new BrowseTable(watch);
  for (const term of TERMS) table.learnTerm(term);
  const plain = new Plain();
  // Some before and some after the movies that they are of.
  const half = seen.length >> 1;
  watch.apply(seen.slice(0, half), (id) => table.slotOf(id));
  for (const { rows, gone } of steps) {
    const leaving = gone.filter((id) => !rows.some((one) => one.id === id));
    table.apply(rows, leaving);
    for (const id of leaving) plain.rows.delete(id);
    for (const one of rows) plain.rows.set(one.id, one);
  }
  watch.apply(seen.slice(half), (id) => table.slotOf(id));
  for (const one of seen) plain.watch.set(one.movieId, one);
  return { table, plain, watch };
}

const narrowing = (wanted: MovieFilter, watch: WatchState): Narrowing => ({
  filter: wanted,
  isHidden: wanted.isHidden === true,
  among: [],
  watch,
});

describe('the browse table', () => {
  it('[INDEX2] [INDEX3] [CAT3] [CAT4] [CAT5] gives the windows that rows gone through one by one give', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), watches, question, (steps, seen, asked) => {
        const { table, plain, watch } = build(steps, seen);
        const mask = maskOf(table, narrowing(asked.filter, watch));
        const windows: string[] = [];
        const { limit } = asked;
        for (let offset = 0; offset <= 70; offset += limit) {
          const slots = windowOf(table, mask, asked, watch, { offset, limit });
          windows.push(...slots.map((slot) => table.idAt(slot)));
        }
        const expected = plain.sorted(asked.filter, asked.sort === 'random' ? 'title' : asked.sort, asked.order);
        expect(countBits(mask)).toBe(expected.length);
        if (asked.sort === 'random') expect(windows.toSorted()).toEqual(expected.toSorted());
        else expect(windows).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it('[INDEX4] counts each facet without its own choice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), watches, filter, (steps, seen, wanted) => {
        const { table, plain, watch } = build(steps, seen);
        const { total, facets } = facetsOf(table, narrowing(wanted, watch));
        expect(total).toBe(plain.sorted(wanted, 'title', null).length);
        for (const name of FACETS) {
          const counted = facets.find((facet) => facet.name === name)?.values ?? [];
          const expected = plain.count(wanted, name);
          expect(
            new Map(counted.flatMap(({ value, count }) => (count > 0 ? [[value, count] as const] : []))),
            name,
          ).toEqual(expected);
          expect(counted.map(({ count }) => count)).toEqual(
            counted.map(({ count }) => count).toSorted((a, b) => b - a),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('[INDEX4] keeps what is chosen, also where it leaves nothing, and the hundred largest', () => {
    const table = new BrowseTable();
    const terms = Array.from({ length: 300 }, (_, id) => ({
      id: id + 1,
      kind: 'studio' as const,
      name: `Studio ${id}`,
    }));
    for (const term of terms) table.learnTerm(term);
    const [example] = fc.sample(row, { numRuns: 1, seed: 1 });
    const many = Array.from({ length: 300 }, (_, index) => ({
      ...example!,
      id: idOf(index),
      isHidden: false,
      isPlayable: true,
      year: 2001,
      // Studio n is in n + 1 movies.
      termIds: terms.filter(({ id }) => id > index).map(({ id }) => id),
    }));
    table.apply(many, []);
    const ask = (wanted: MovieFilter) =>
      facetsOf(table, narrowing(wanted, new WatchState())).facets.find(({ name }) => name === 'studioIds')!.values;
    expect(ask({}).map(({ count }) => count)).toEqual(Array.from({ length: 100 }, (_, place) => 300 - place));
    const chosen = ask({ studioIds: [3] });
    expect(chosen).toHaveLength(101);
    expect(chosen.at(-1)).toEqual({ value: '3', label: 'Studio 2', count: 3 });
    expect(ask({ studioIds: [3], yearTo: 1990 })).toEqual([{ value: '3', label: 'Studio 2', count: 0 }]);
  });

  it('[INDEX7] shuffles alike by the same seed, differently by another, and new movies move no others', () => {
    const rows = fc.sample(row, { numRuns: 500, seed: 3 }).map((one, index) => ({
      ...one,
      id: `00000000-0000-7000-8000-0000${((index * 2_654_435_761) >>> 0).toString(16).padStart(8, '0')}`,
      isHidden: false,
    }));
    const table = new BrowseTable();
    const shuffled = (seed: number, order: SortOrder | null = null): string[] => {
      const mask = maskOf(table, narrowing({}, new WatchState()));
      const slots = windowOf(table, mask, { sort: 'random', order, seed }, null, { offset: 0, limit: 1_000 });
      return slots.map((slot) => table.idAt(slot));
    };
    table.apply(rows.slice(0, 400), []);
    const before = shuffled(5);
    expect(before).toHaveLength(400);
    expect(shuffled(5)).toEqual(before);
    expect(shuffled(6)).not.toEqual(before);
    expect(shuffled(5, 'ascending')).toEqual(before.toReversed());
    table.apply(rows.slice(400), []);
    const known = new Set(before);
    expect(shuffled(5).filter((id) => known.has(id))).toEqual(before);
    expect(shuffled(5)).toHaveLength(500);
  });

  it('gives the slots of what is gone to what comes', () => {
    const table = new BrowseTable();
    const [example] = fc.sample(row, { numRuns: 1, seed: 1 });
    for (let round = 0; round < 50; round++) {
      table.apply([{ ...example!, id: idOf(round) }], round === 0 ? [] : [idOf(round - 1)]);
    }
    expect(table.count).toBe(1);
    expect(table.words).toBe(1);
    expect(countBits(table.live)).toBe(1);
  });
});

describe('a set of slots', () => {
  it('is the same as a list and as bits, and on the way between', () => {
    const set = new SlotSet();
    const model = new Set<number>();
    const among = new Uint32Array(wordsFor(8_000));
    for (let slot = 0; slot < 8_000; slot += 3) setBit(among, slot);
    const check = (): void => {
      const found: number[] = [];
      set.each((slot) => found.push(slot));
      const expected = [...model].sort((a, b) => a - b);
      expect(found).toEqual(expected);
      expect(set.size).toBe(model.size);
      expect(set.countIn(among)).toBe(expected.filter((slot) => slot % 3 === 0).length);
      const into = new Uint32Array(wordsFor(8_000));
      set.addTo(into);
      const bits: number[] = [];
      eachBit(into, (slot) => bits.push(slot));
      expect(bits).toEqual(expected);
      expect([0, 31, 32, 63, 7_999].map((slot) => set.has(slot))).toEqual(
        [0, 31, 32, 63, 7_999].map((slot) => model.has(slot)),
      );
    };
    // Up, in an order of its own, and down again past both thresholds.
    const order = Array.from({ length: 8_000 }, (_, index) => (index * 4_999) % 8_000);
    for (const [index, slot] of order.entries()) {
      set.add(slot);
      model.add(slot);
      if (index % 1_999 === 0 || index === 2_047 || index === 2_048) check();
    }
    for (const [index, slot] of order.toReversed().entries()) {
      set.delete(slot);
      model.delete(slot);
      if (index % 1_499 === 0 || model.size === 511 || model.size === 512) check();
    }
    check();
  });
});

describe('lists of values', () => {
  it('keep what was set last, however often', () => {
    const lists = new ValueLists();
    const model = new Map<number, number[]>();
    for (let round = 0; round < 20_000; round++) {
      const slot = (round * 7_919) % 3_000;
      const values = Array.from({ length: (round * 31) % 9 }, (_, index) => round + index);
      lists.set(slot, values);
      model.set(slot, values);
    }
    for (const [slot, values] of model) {
      expect([...lists.of(slot)]).toEqual(values);
      if (slot % 40 !== 0) continue;
      const mask = new Uint32Array(wordsFor(3_000));
      setBit(mask, slot);
      const counts = new Uint32Array(30_000);
      lists.tally(mask, counts);
      expect(values.filter((value) => counts[value] === 1)).toEqual(values);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
    }
    expect([...lists.of(99_999)]).toEqual([]);
  });
});
