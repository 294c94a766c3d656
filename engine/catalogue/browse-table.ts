/**
 * The movies as columns. Owns: a slot for each movie, its sort keys in typed arrays, a set of slots for each value that a grid can
 * be narrowed to, and the order of all slots for each sort. Trades about 400 bytes of memory for each movie for answers
 * without the database. Everything in it changes at once, in `apply`: a query never sees half of a batch.
 */
import type { MovieSort } from '#protocol/schema/movie-sort.ts';
import { naturalKey } from './natural-order.ts';
import type { BrowseRow, TermKind, TermRow } from './ports.ts';
import { SlotSet, clearBit, grown, setBit, wordsFor } from './slot-set.ts';
import type { Bits } from './slot-set.ts';
import { ValueLists } from './value-lists.ts';

export type ValueKind =
  | TermKind
  | 'resolution'
  | 'hdr'
  | 'videoCodec'
  | 'language'
  | 'audioLanguage'
  | 'certification'
  | 'decade'
  | 'match'
  | 'library'
  | 'collection';

/** One value that movies have: a genre, a resolution, a decade … */
export interface Value {
  readonly number: number;
  readonly kind: ValueKind;
  /** As filters name it. */
  readonly key: string;
  /** For people; `null` where the client words it. */
  readonly label: string | null;
  readonly movies: SlotSet;
}

/** Sorts by a number. What has none comes last, either way, and stands as infinity. */
const NUMBER_SORTS = ['year', 'added', 'release', 'rating', 'duration', 'resolution'] as const;
export type NumberSort = (typeof NUMBER_SORTS)[number];
export type TableSort = NumberSort | 'title';
const TABLE_SORTS: readonly TableSort[] = ['title', ...NUMBER_SORTS];

export const isTableSort = (sort: MovieSort): sort is TableSort => (TABLE_SORTS as readonly string[]).includes(sort);

/** Where a slot came or went; for those who keep slots of their own. */
export interface SlotListener {
  added(movieId: string, slot: number): void;
  removed(movieId: string, slot: number): void;
}

const FIRST_CAPACITY = 1_024;

export class BrowseTable {
  /** Slots of all movies, hidden ones too. */
  live: Bits = new Uint32Array(wordsFor(FIRST_CAPACITY));
  hidden: Bits = new Uint32Array(wordsFor(FIRST_CAPACITY));
  /** Of which no file plays. */
  broken: Bits = new Uint32Array(wordsFor(FIRST_CAPACITY));
  votes = new Float32Array(FIRST_CAPACITY);
  /** Random, and always the same for a movie. */
  chance = new Uint32Array(FIRST_CAPACITY);
  readonly #keys: Record<NumberSort, Float64Array<ArrayBuffer>>;
  readonly #orders: Record<TableSort, Uint32Array>;
  /** Movies in the orders. */
  #count = 0;
  #capacity = FIRST_CAPACITY;
  /** Slots below this have been given out at least once. */
  #end = 0;
  readonly #free: number[] = [];
  readonly #slots = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #titles: string[] = [];
  readonly #values: Value[] = [];
  /** How many movies each value has, by its number: 12,000 studios are looked through faster here than in their sets. */
  sizes = new Uint32Array(FIRST_CAPACITY);
  readonly #numbersByKind = new Map<ValueKind, number[]>();
  readonly #byKind = new Map<ValueKind, Map<string, Value>>();
  readonly #terms = new Map<number, Value>();
  readonly #lists = new ValueLists();
  readonly #listener: SlotListener;

  constructor(listener: SlotListener = { added: () => undefined, removed: () => undefined }) {
    this.#listener = listener;
    const keys = () => new Float64Array(FIRST_CAPACITY);
    this.#keys = { year: keys(), added: keys(), release: keys(), rating: keys(), duration: keys(), resolution: keys() };
    const order = () => new Uint32Array(FIRST_CAPACITY);
    this.#orders = {
      title: order(),
      year: order(),
      added: order(),
      release: order(),
      rating: order(),
      duration: order(),
      resolution: order(),
    };
  }

  get count(): number {
    return this.#count;
  }

  /** Words that a set of all slots needs. */
  get words(): number {
    return wordsFor(this.#end);
  }

  slotOf(movieId: string): number | undefined {
    return this.#slots.get(movieId);
  }

  idAt(slot: number): string {
    return this.#ids[slot]!;
  }

  titleAt(slot: number): string {
    return this.#titles[slot]!;
  }

  /** By slot; `null` for the title, which is no number. */
  keysOf(sort: TableSort): Float64Array | null {
    return sort === 'title' ? null : this.#keys[sort];
  }

  /** All slots, upwards. */
  orderOf(sort: TableSort): Uint32Array {
    return this.#orders[sort].subarray(0, this.#count);
  }

  valuesOf(kind: ValueKind): Iterable<Value> {
    return this.#byKind.get(kind)?.values() ?? [];
  }

  /** Numbers of all values of a kind. */
  numbersOf(kind: ValueKind): readonly number[] {
    return this.#numbersByKind.get(kind) ?? [];
  }

  valueAt(number: number): Value {
    return this.#values[number]!;
  }

  /** How many movies of a mask have each value, by its number. */
  tally(mask: Bits): Uint32Array {
    const counts = new Uint32Array(this.#values.length);
    this.#lists.tally(mask, counts);
    return counts;
  }

  value(kind: ValueKind, key: string): Value | undefined {
    return this.#byKind.get(kind)?.get(key);
  }

  term(termId: number): Value | undefined {
    return this.#terms.get(termId);
  }

  /** Must be known before a row names it. */
  learnTerm({ id, kind, name }: TermRow): void {
    if (!this.#terms.has(id)) this.#terms.set(id, this.#valueFor(kind, String(id), name));
  }

  /** Writes rows, each movie at most once, and forgets movies that are gone. */
  apply(rows: readonly BrowseRow[], goneIds: readonly string[]): void {
    const gone = goneIds.flatMap((id) => this.#slots.get(id) ?? []);
    const leaving = Object.fromEntries(TABLE_SORTS.map((sort) => [sort, [...gone]])) as Record<TableSort, number[]>;
    const coming = Object.fromEntries(TABLE_SORTS.map((sort) => [sort, []])) as unknown as Record<TableSort, number[]>;
    const slots: number[] = [];
    const fresh: number[] = [];
    for (const row of rows) {
      const known = this.#slots.get(row.id);
      const slot = known ?? this.#allot();
      slots.push(slot);
      if (known === undefined) {
        fresh.push(slot);
        this.#slots.set(row.id, slot);
        this.#ids[slot] = row.id;
        for (const sort of TABLE_SORTS) coming[sort].push(slot);
        continue;
      }
      // Equal keys stand in order of title, but for the time of adding.
      const isRenamed = this.#titles[slot] !== naturalKey(row.sortTitle);
      for (const sort of TABLE_SORTS) {
        const isMoved =
          (isRenamed && sort !== 'added') || (sort !== 'title' && this.#keys[sort][slot] !== keyOf(row, sort));
        if (!isMoved) continue;
        leaving[sort].push(slot);
        coming[sort].push(slot);
      }
    }
    // By the old keys out, by the new ones in.
    for (const sort of TABLE_SORTS) this.#takeOut(sort, leaving[sort]);
    for (const slot of gone) this.#forget(slot);
    for (const [index, row] of rows.entries()) this.#write(slots[index]!, row);
    this.#count += fresh.length - gone.length;
    for (const sort of TABLE_SORTS) this.#putIn(sort, coming[sort]);
    for (const slot of fresh) this.#listener.added(this.#ids[slot]!, slot);
  }

  #allot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#end === this.#capacity) this.#grow();
    return this.#end++;
  }

  #grow(): void {
    const capacity = this.#capacity * 2;
    this.live = grown(this.live, wordsFor(capacity));
    this.hidden = grown(this.hidden, wordsFor(capacity));
    this.broken = grown(this.broken, wordsFor(capacity));
    this.chance = grown(this.chance, capacity);
    const votes = new Float32Array(capacity);
    votes.set(this.votes);
    this.votes = votes;
    for (const sort of NUMBER_SORTS) {
      const keys = new Float64Array(capacity);
      keys.set(this.#keys[sort]);
      this.#keys[sort] = keys;
    }
    for (const sort of TABLE_SORTS) this.#orders[sort] = grown(this.#orders[sort], capacity);
    this.#capacity = capacity;
  }

  #forget(slot: number): void {
    const movieId = this.#ids[slot]!;
    for (const number of this.#lists.of(slot)) this.#lose(number, slot);
    this.#lists.set(slot, []);
    clearBit(this.live, slot);
    clearBit(this.hidden, slot);
    clearBit(this.broken, slot);
    this.#slots.delete(movieId);
    this.#ids[slot] = '';
    this.#titles[slot] = '';
    this.#free.push(slot);
    this.#listener.removed(movieId, slot);
  }

  #write(slot: number, row: BrowseRow): void {
    this.#titles[slot] = naturalKey(row.sortTitle);
    for (const sort of NUMBER_SORTS) this.#keys[sort][slot] = keyOf(row, sort);
    this.votes[slot] = row.voteCount ?? 0;
    // The last digits of a UUID of version 7 are random.
    this.chance[slot] = Number.parseInt(row.id.slice(-8), 16);
    setBit(this.live, slot);
    if (row.isHidden) setBit(this.hidden, slot);
    else clearBit(this.hidden, slot);
    if (row.isPlayable) clearBit(this.broken, slot);
    else setBit(this.broken, slot);

    const next = this.#numbersOf(row);
    const last = this.#lists.of(slot);
    let isChanged = false;
    let a = 0;
    let b = 0;
    while (a < last.length || b < next.length) {
      const before = last[a] ?? Infinity;
      const now = next[b] ?? Infinity;
      if (before < now) this.#lose(before, slot);
      else if (now < before) this.#gain(now, slot);
      if (before !== now) isChanged = true;
      if (before <= now) a++;
      if (now <= before) b++;
    }
    if (isChanged) this.#lists.set(slot, next);
  }

  #gain(number: number, slot: number): void {
    this.#values[number]!.movies.add(slot);
    this.sizes[number]!++;
  }

  #lose(number: number, slot: number): void {
    this.#values[number]!.movies.delete(slot);
    this.sizes[number]!--;
  }

  /** Numbers of all values of a row, upwards, each once. */
  #numbersOf(row: BrowseRow): number[] {
    const numbers = new Set<number>();
    const add = (kind: ValueKind, key: string | null, label: string | null = null): void => {
      if (key !== null && key !== '') numbers.add(this.#valueFor(kind, key, label).number);
    };
    for (const termId of row.termIds) {
      const term = this.#terms.get(termId);
      if (term) numbers.add(term.number);
    }
    add('resolution', row.resolution === null ? null : String(row.resolution));
    add('hdr', row.hdr ?? 'sdr');
    add('videoCodec', row.videoCodec);
    add('language', row.language);
    for (const language of row.audioLanguages) add('audioLanguage', language);
    add('certification', row.certification);
    add('decade', row.year === null ? null : String(Math.floor(row.year / 10) * 10));
    add('match', row.match);
    for (const libraryId of row.libraryIds) add('library', libraryId);
    for (const collectionId of row.collectionIds) add('collection', collectionId);
    return [...numbers].sort((a, b) => a - b);
  }

  #valueFor(kind: ValueKind, key: string, label: string | null): Value {
    let values = this.#byKind.get(kind);
    if (!values) this.#byKind.set(kind, (values = new Map<string, Value>()));
    let value = values.get(key);
    if (!value) {
      value = { number: this.#values.length, kind, key, label, movies: new SlotSet() };
      if (value.number === this.sizes.length) this.sizes = grown(this.sizes, this.sizes.length * 2);
      this.#values.push(value);
      const numbers = this.#numbersByKind.get(kind);
      if (numbers) numbers.push(value.number);
      else this.#numbersByKind.set(kind, [value.number]);
      values.set(key, value);
    }
    return value;
  }

  #comparison(sort: TableSort): (a: number, b: number) => number {
    const titles = this.#titles;
    const ids = this.#ids;
    const byId = (a: number, b: number): number => (ids[a]! < ids[b]! ? -1 : ids[a]! > ids[b]! ? 1 : 0);
    const byTitle = (a: number, b: number): number => {
      const left = titles[a]!;
      const right = titles[b]!;
      return left < right ? -1 : left > right ? 1 : byId(a, b);
    };
    if (sort === 'title') return byTitle;
    const keys = this.#keys[sort];
    const ties = sort === 'added' ? byId : byTitle;
    return (a, b) => {
      const left = keys[a]!;
      const right = keys[b]!;
      return left < right ? -1 : left > right ? 1 : ties(a, b);
    };
  }

  /** Closes the gaps that these leave. */
  #takeOut(sort: TableSort, slots: readonly number[]): void {
    if (slots.length === 0) return;
    const order = this.#orders[sort];
    const compare = this.#comparison(sort);
    const places = slots.map((slot) => placeIn(order, this.#count, slot, compare)).sort((a, b) => a - b);
    for (const [index, place] of places.entries()) {
      order.copyWithin(place - index, place + 1, places[index + 1] ?? this.#count);
    }
  }

  /** Opens gaps and fills them. `#count` is what it will be then. */
  #putIn(sort: TableSort, slots: readonly number[]): void {
    if (slots.length === 0) return;
    const order = this.#orders[sort];
    const compare = this.#comparison(sort);
    const sorted = slots.toSorted(compare);
    let end = this.#count - slots.length;
    for (let index = sorted.length - 1; index >= 0; index--) {
      const slot = sorted[index]!;
      const place = placeIn(order, end, slot, compare);
      order.copyWithin(place + index + 1, place, end);
      order[place + index] = slot;
      end = place;
    }
  }
}

/** First place among the first `count` whose slot does not come before this one. */
function placeIn(order: Uint32Array, count: number, slot: number, compare: (a: number, b: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(order[middle]!, slot) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function keyOf(row: BrowseRow, sort: NumberSort): number {
  switch (sort) {
    case 'year':
      return row.year ?? Infinity;
    case 'added':
      return row.addedAtMs;
    case 'release':
      return row.releaseDay ?? Infinity;
    case 'rating':
      return row.rating ?? Infinity;
    case 'duration':
      return row.durationMs ?? Infinity;
    case 'resolution':
      return row.resolution ?? Infinity;
  }
}
