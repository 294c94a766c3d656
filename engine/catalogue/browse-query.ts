/** Questions to a browse table: what matches, in which order, and how many movies each further choice would leave. */
import type { Facet, FacetName, MovieFilter } from '#protocol/schema/movie-filter.ts';
import { FACETS } from '#protocol/schema/movie-filter.ts';
import type { MovieSort, SortOrder } from '#protocol/schema/movie-sort.ts';
import { isTableSort } from './browse-table.ts';
import type { BrowseTable, TableSort, Value, ValueKind } from './browse-table.ts';
import { countBits, countShared, eachBit, hasBit, intersect, setBit, subtract } from './slot-set.ts';
import type { Bits } from './slot-set.ts';
import type { WatchState } from './watch-states.ts';

/** A filter with what it takes from outside of the table. */
export interface Narrowing {
  readonly filter: MovieFilter;
  /** Whether hidden movies are meant, and only they. */
  readonly isHidden: boolean;
  /** Movies that the result must be among: found by words, of a person, of a collection. */
  readonly among: readonly Bits[];
  /** `null`: of nobody, who has watched nothing. */
  readonly watch: WatchState | null;
}

export interface Ordering {
  readonly sort: MovieSort;
  /** Absent: the order that suits the sort. */
  readonly order: SortOrder | null;
  readonly seed: number;
}

const MAX_FACET_VALUES = 100;
/** A movie has some 25 values; going through a tenth of the movies takes as long as going through the sets of all values. */
const FEW_SHARE = 10;

/** Filters that name values, by the facet that shows them. */
const VALUE_FILTERS = [
  { property: 'genreIds', kind: 'genre', facet: 'genreIds' },
  { property: 'keywordIds', kind: 'keyword', facet: null },
  { property: 'studioIds', kind: 'studio', facet: 'studioIds' },
  { property: 'countryIds', kind: 'country', facet: 'countryIds' },
  { property: 'tagIds', kind: 'tag', facet: 'tagIds' },
  { property: 'resolutions', kind: 'resolution', facet: 'resolutions' },
  { property: 'hdr', kind: 'hdr', facet: 'hdr' },
  { property: 'videoCodecs', kind: 'videoCodec', facet: 'videoCodecs' },
  { property: 'languages', kind: 'language', facet: 'languages' },
  { property: 'audioLanguages', kind: 'audioLanguage', facet: 'audioLanguages' },
  { property: 'certifications', kind: 'certification', facet: 'certifications' },
  { property: 'match', kind: 'match', facet: 'match' },
] as const satisfies readonly { property: keyof MovieFilter; kind: ValueKind; facet: FacetName | null }[];

const KIND_BY_FACET: Partial<Record<FacetName, ValueKind>> = {
  ...Object.fromEntries(VALUE_FILTERS.flatMap(({ facet, kind }) => (facet === null ? [] : [[facet, kind]]))),
  decade: 'decade',
  libraryId: 'library',
};

interface Clause {
  /** Which facet shows this choice, and is therefore counted without it. */
  readonly facet: FacetName | null;
  readonly bits: Bits;
}

/** The slots that match. */
export function maskOf(table: BrowseTable, narrowing: Narrowing): Bits {
  return join(table, narrowing, clausesOf(table, narrowing));
}

/** The size of the whole, and every facet counted without its own choice. */
export function facetsOf(table: BrowseTable, narrowing: Narrowing): { total: number; facets: Facet[] } {
  const clauses = clausesOf(table, narrowing);
  const whole = join(table, narrowing, clauses);
  const tallyOfWhole = tallyOf(table, whole);
  const facets = FACETS.map((name): Facet => {
    const own = clauses.some(({ facet }) => facet === name);
    const mask = own
      ? join(
          table,
          narrowing,
          clauses.filter(({ facet }) => facet !== name),
        )
      : whole;
    return { name, values: countValues(table, narrowing, name, mask, own ? tallyOf(table, mask) : tallyOfWhole) };
  });
  return { total: countBits(whole), facets: facets.filter(({ values }) => values.length > 0) };
}

/** Movies of a window, in order. */
export function windowOf(
  table: BrowseTable,
  mask: Bits,
  { sort, order, seed }: Ordering,
  watch: WatchState | null,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): number[] {
  const isUp = (order ?? (sort === 'title' ? 'ascending' : 'descending')) === 'ascending';
  if (sort === 'random') return randomWindow(table, mask, seed, isUp, offset, limit);
  const found: number[] = [];
  let toSkip = offset;
  const take = (slot: number): boolean => {
    if (!hasBit(mask, slot)) return true;
    if (toSkip > 0) toSkip--;
    else found.push(slot);
    return found.length < limit;
  };
  if (sort === 'lastWatched') {
    const seen = watch?.latest() ?? [];
    for (const slot of isUp ? seen.toReversed() : seen) if (!take(slot)) return found;
    walk(table, 'title', true, (slot) => watch?.lastAt(slot) !== undefined || take(slot));
    return found;
  }
  if (isTableSort(sort)) walk(table, sort, isUp, take);
  return found;
}

/**
 * Visits all slots in order while `visit` says so. Downwards, equal keys still stand in order of title, and those without a key
 * still last; only titles themselves and times of adding are turned round as they are.
 */
function walk(table: BrowseTable, sort: TableSort, isUp: boolean, visit: (slot: number) => boolean): void {
  const slots = table.orderOf(sort);
  if (isUp) {
    for (let place = 0; place < slots.length; place++) if (!visit(slots[place]!)) return;
    return;
  }
  const keys = table.keysOf(sort);
  if (keys === null || sort === 'added') {
    for (let place = slots.length - 1; place >= 0; place--) if (!visit(slots[place]!)) return;
    return;
  }
  const tail = firstKeyless(slots, keys);
  for (let end = tail; end > 0;) {
    const key = keys[slots[end - 1]!]!;
    let start = end - 1;
    while (start > 0 && keys[slots[start - 1]!]! === key) start--;
    for (let place = start; place < end; place++) if (!visit(slots[place]!)) return;
    end = start;
  }
  for (let place = tail; place < slots.length; place++) if (!visit(slots[place]!)) return;
}

function firstKeyless(slots: Uint32Array, keys: Float64Array): number {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[slots[middle]!]! === Infinity) high = middle;
    else low = middle + 1;
  }
  return low;
}

const BUCKET_BITS = 11;

/** The same seed shuffles the same movies alike. Only what may be in the window is sorted. */
function randomWindow(
  table: BrowseTable,
  mask: Bits,
  seed: number,
  isUp: boolean,
  offset: number,
  limit: number,
): number[] {
  const salt = scramble(seed + 0x9e37_79b9);
  const rankOf = (slot: number): number => {
    const rank = scramble(table.chance[slot]! ^ salt);
    return isUp ? rank : ~rank >>> 0;
  };
  const sizes = new Uint32Array(1 << BUCKET_BITS);
  eachBit(mask, (slot) => {
    const bucket = rankOf(slot) >>> (32 - BUCKET_BITS);
    sizes[bucket] = sizes[bucket]! + 1;
  });
  let first = 0;
  let before = 0;
  while (first < sizes.length && before + sizes[first]! <= offset) before += sizes[first++]!;
  let last = first;
  for (let size = before; last < sizes.length && size < offset + limit; last++) size += sizes[last]!;
  const near: { slot: number; rank: number }[] = [];
  eachBit(mask, (slot) => {
    const rank = rankOf(slot);
    const bucket = rank >>> (32 - BUCKET_BITS);
    if (bucket >= first && bucket < last) near.push({ slot, rank });
  });
  near.sort((a, b) => a.rank - b.rank || (table.idAt(a.slot) < table.idAt(b.slot) ? -1 : 1));
  return near.slice(offset - before, offset - before + limit).map(({ slot }) => slot);
}

/** Every bit of the input moves half of the output (the finalizer of MurmurHash3). */
function scramble(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function clausesOf(table: BrowseTable, { filter, watch }: Narrowing): Clause[] {
  const clauses: Clause[] = [];
  const empty = (): Bits => new Uint32Array(table.words);
  for (const { property, kind, facet } of VALUE_FILTERS) {
    const wanted = filter[property];
    if (wanted === undefined || wanted.length === 0) continue;
    const bits = empty();
    for (const key of wanted) table.value(kind, String(key))?.movies.addTo(bits);
    clauses.push({ facet, bits });
  }
  if (filter.libraryId !== undefined) {
    const bits = empty();
    table.value('library', filter.libraryId)?.movies.addTo(bits);
    clauses.push({ facet: 'libraryId', bits });
  }
  const { yearFrom, yearTo, ratingFrom } = filter;
  if (yearFrom !== undefined || yearTo !== undefined) {
    clauses.push({ facet: 'decade', bits: within(table, 'year', yearFrom ?? -Infinity, yearTo ?? Number.MAX_VALUE) });
  }
  if (ratingFrom !== undefined) {
    clauses.push({ facet: null, bits: within(table, 'rating', ratingFrom, Number.MAX_VALUE) });
  }
  if (filter.isWatched !== undefined) {
    const bits = filter.isWatched ? empty() : table.live.slice(0, table.words);
    if (watch && filter.isWatched) bits.set(watch.watched.subarray(0, bits.length));
    else if (watch) subtract(bits, watch.watched);
    clauses.push({ facet: 'isWatched', bits });
  }
  return clauses;
}

/** Slots whose key lies between two, both included: a stretch of the order. */
function within(table: BrowseTable, sort: 'year' | 'rating', from: number, to: number): Bits {
  const bits = new Uint32Array(table.words);
  const slots = table.orderOf(sort);
  const keys = table.keysOf(sort)!;
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[slots[middle]!]! < from) low = middle + 1;
    else high = middle;
  }
  for (let place = low; place < slots.length && keys[slots[place]!]! <= to; place++) setBit(bits, slots[place]!);
  return bits;
}

function join(table: BrowseTable, { isHidden, among }: Narrowing, clauses: readonly Clause[]): Bits {
  const mask = (isHidden ? table.hidden : table.live).slice(0, table.words);
  if (!isHidden) subtract(mask, table.hidden);
  for (const bits of among) intersect(mask, bits);
  for (const { bits } of clauses) intersect(mask, bits);
  return mask;
}

function countValues(
  table: BrowseTable,
  { filter, watch }: Narrowing,
  name: FacetName,
  mask: Bits,
  tally: Tally,
): Facet['values'] {
  if (name === 'isWatched') {
    const watched = watch ? countShared(watch.watched, mask) : 0;
    const counts = [
      { value: 'true', label: null, count: watched },
      { value: 'false', label: null, count: countBits(mask) - watched },
    ];
    return counts.filter(({ count }) => count > 0).toSorted((a, b) => b.count - a.count);
  }
  const kind = KIND_BY_FACET[name]!;
  const chosen = new Set([...chosenOf(filter, name)].flatMap((key) => table.value(kind, key)?.number ?? []));
  const best: Counted[] = [];
  const { sizes } = table;
  for (const number of table.numbersOf(kind)) {
    // Of 12,000 studios few can be among the largest: those that are too small are not even counted.
    const least = best.length < MAX_FACET_VALUES ? 1 : best[MAX_FACET_VALUES - 1]!.count;
    if (sizes[number]! < least || chosen.has(number)) continue;
    const count = tally(number);
    if (count >= least) insert(best, { value: table.valueAt(number), count });
  }
  for (const number of chosen) insert(best, { value: table.valueAt(number), count: tally(number) }, best.length + 1);
  return best.map(({ value: { key, label }, count }) => ({ value: key, label, count }));
}

/** How many movies of a mask have a value, by its number. */
type Tally = (number: number) => number;

/** Of few movies the values are counted, of many values the movies: whichever are fewer. */
function tallyOf(table: BrowseTable, mask: Bits): Tally {
  if (countBits(mask) > table.count / FEW_SHARE) return (number) => table.valueAt(number).movies.countIn(mask);
  const counts = table.tally(mask);
  return (number) => counts[number]!;
}

interface Counted {
  readonly value: Value;
  readonly count: number;
}

/** Keeps a list in order, and no longer than it may be. */
function insert(best: Counted[], one: Counted, most = MAX_FACET_VALUES): void {
  let place = best.length;
  while (place > 0 && isBefore(one, best[place - 1]!)) place--;
  if (place >= most) return;
  best.splice(place, 0, one);
  if (best.length > most) best.pop();
}

function isBefore(a: Counted, b: Counted): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return (a.value.label ?? a.value.key) < (b.value.label ?? b.value.key);
}

/** What was chosen stays visible, also where it leaves nothing: else it could not be taken back there. */
function chosenOf(filter: MovieFilter, name: FacetName): ReadonlySet<string> {
  if (name === 'decade' || name === 'isWatched') return new Set();
  const wanted = filter[name];
  return new Set((Array.isArray(wanted) ? wanted : wanted === undefined ? [] : [wanted]).map(String));
}
