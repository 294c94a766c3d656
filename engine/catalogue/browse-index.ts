/**
 * Browsing without the database: which movies match, in which order, and how many each further choice would leave. Owns: the
 * browse table, the place in the change feed that it stands at, and what the latest people watched.
 *
 * It follows the change feed. Before each answer it looks how far the feed is, and waits until it is there: whoever wrote something,
 * here or in another process, finds it in the next answer. It is read in slices at the start, and again where the
 * feed no longer reaches back; nothing in it takes the loop for longer than a slice.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { Facet, MovieFilter } from '#protocol/schema/movie-filter.ts';
import { facetsOf, maskOf, windowOf } from './browse-query.ts';
import type { Narrowing, Ordering } from './browse-query.ts';
import { BrowseTable } from './browse-table.ts';
import type {
  BrowseRow,
  BrowseStore,
  Change,
  ChangeLog,
  CollectionKind,
  CollectionRow,
  MovieRanking,
} from './ports.ts';
import { countBits, countShared, hasBit, intersect, setBit, subtract } from './slot-set.ts';
import type { Bits } from './slot-set.ts';
import { WatchStates } from './watch-states.ts';
import type { WatchState } from './watch-states.ts';

export interface BrowseIndexOptions {
  readonly store: BrowseStore;
  readonly changes: ChangeLog;
  readonly ranking: MovieRanking;
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly log: Log;
}

export interface BrowseQuery extends Ordering {
  readonly filter: MovieFilter;
  /** Words; without a sort of their own, the best answer comes first. */
  readonly search: string | null;
  readonly offset: number;
  readonly limit: number;
}

export interface BrowseAnswer {
  readonly total: number;
  /** Of the window, in order. */
  readonly movieIds: readonly string[];
  /** Who found the words; `null` where there were none. */
  readonly answeredBy: 'typesense' | 'postgres' | null;
}

/** What stands still while a question is answered. */
export interface Standing {
  readonly table: BrowseTable;
  readonly watch: WatchState | null;
  readonly narrowing: Narrowing;
  /** Slots that were found by words, the best first. */
  readonly ranked: readonly number[] | null;
  readonly answeredBy: 'typesense' | 'postgres' | null;
}

export interface CollectionCounts {
  readonly movieCount: number;
  readonly watchedCount: number;
  /** Of a saved filter, in its order. */
  readonly firstMovieId: string | null;
}

/** Movies that an answer must be among. */
type Among = (table: BrowseTable, watch: WatchState | null) => Bits;

interface Resolved {
  readonly among: readonly Among[];
  readonly ranked: readonly string[] | null;
  readonly answeredBy: BrowseAnswer['answeredBy'];
}

/** Rows of one statement: a few milliseconds of the database, and a fraction of one for each piece that arrives. */
const ROWS_AT_ONCE = 250;
/** Rows that are written without letting others go first: 1 to 2 ms among 100,000 movies. */
const SLICE = 32;
const CHANGES_AT_ONCE = 500;
/** More than anybody scrolls through. */
const MAX_RANKED = 5_000;
/** A saved filter may be narrowed to another saved filter, but not round in a circle. */
const MAX_DEPTH = 4;
const RETRY_MS = 1_000;
/** The feed is pruned after days; who looked at it within this misses nothing. */
const SURE_MS = 3_600_000;

export class BrowseIndex implements AsyncDisposable {
  readonly #options: BrowseIndexOptions;
  readonly #watches: WatchStates;
  readonly #stop = new AbortController();
  #table = new BrowseTable();
  #collections = new Map<string, CollectionRow>();
  /** The same by name; `null`: to be sorted again. */
  #sorted: CollectionRow[] | null = null;
  /** Everything up to here is in the table; -1 while there is no table yet. */
  #seq = -1;
  #lookedAtMs = 0;
  #waiting: { readonly seq: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #isDue = false;
  #pumping: Promise<void> | null = null;
  #unlisten: (() => Promise<void>) | null = null;

  constructor(options: BrowseIndexOptions) {
    this.#options = options;
    const { store } = options;
    this.#watches = new WatchStates((userId, movieIds) => store.watched(userId, movieIds));
  }

  /** Begins to read, and returns when changes are heard. Questions wait until everything was read. */
  async start(): Promise<void> {
    this.#unlisten = await this.#options.changes.onChange(() => this.#pump());
    this.#pump();
  }

  /** A window of what matches. `userId` `null`: nobody in particular, who has watched nothing. */
  async list(userId: string | null, query: BrowseQuery): Promise<BrowseAnswer> {
    const { table, narrowing, ranked, watch, answeredBy } = await this.stand(userId, query.filter, query.search);
    const mask = maskOf(table, narrowing);
    const isByNearness = ranked !== null && query.sort === 'title' && query.order === null;
    const slots = isByNearness
      ? ranked.filter((slot) => hasBit(mask, slot)).slice(query.offset, query.offset + query.limit)
      : windowOf(table, mask, query, watch, query);
    return { total: countBits(mask), movieIds: slots.map((slot) => table.idAt(slot)), answeredBy };
  }

  /** Every facet, counted without its own choice. */
  async facets(
    userId: string | null,
    { filter, search }: { readonly filter: MovieFilter; readonly search: string | null },
  ): Promise<{ total: number; facets: Facet[] }> {
    const { table, narrowing } = await this.stand(userId, filter, search);
    return facetsOf(table, narrowing);
  }

  /** Movies that are not hidden. */
  async count(): Promise<number> {
    await this.fresh();
    return countBits(shownOf(this.#table));
  }

  /** Tags that movies have which are not hidden, by name. */
  async tags(): Promise<{ id: number; name: string; movieCount: number }[]> {
    await this.fresh();
    const shown = shownOf(this.#table);
    return [...this.#table.valuesOf('tag')]
      .map(({ key, label, movies }) => ({ id: Number(key), name: label ?? '', movieCount: movies.countIn(shown) }))
      .filter(({ movieCount }) => movieCount > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Everything that a question needs from outside, and the table as it is after all that was written before the question. */
  async stand(userId: string | null, filter: MovieFilter, search: string | null): Promise<Standing> {
    for (;;) {
      await this.fresh();
      const table = this.#table;
      const [watch, found] = await Promise.all([
        userId === null ? null : this.#watches.of(userId),
        this.#resolve(filter, search, 0),
      ]);
      // The table was made anew meanwhile: what is known of people belongs to the old one.
      if (table !== this.#table) continue;
      return {
        table,
        watch,
        narrowing: narrow(table, watch, filter, found, filter.isHidden === true),
        ranked: found.ranked && found.ranked.flatMap((movieId) => table.slotOf(movieId) ?? []),
        answeredBy: found.answeredBy,
      };
    }
  }

  /** Collections in order of name; of series only those of which two movies or more are here. */
  async collectionIds(kind: CollectionKind | null): Promise<string[]> {
    await this.fresh();
    const shown = shownOf(this.#table);
    const isWorthwhile = (id: string): boolean => (this.#table.value('collection', id)?.movies.countIn(shown) ?? 0) > 1;
    // Sorted once for all who look through them.
    this.#sorted ??= [...this.#collections.values()].sort((a, b) =>
      a.sortName < b.sortName ? -1 : a.sortName > b.sortName ? 1 : a.id < b.id ? -1 : 1,
    );
    return this.#sorted
      .filter((row) => (kind === null || row.kind === kind) && (row.kind !== 'series' || isWorthwhile(row.id)))
      .map(({ id }) => id);
  }

  /** `null` where there is no such collection. */
  async collection(collectionId: string): Promise<CollectionRow | null> {
    await this.fresh();
    return this.#collections.get(collectionId) ?? null;
  }

  /** How many movies each of these collections has for this person. */
  async collectionCounts(userId: string, collectionIds: readonly string[]): Promise<Map<string, CollectionCounts>> {
    for (;;) {
      await this.fresh();
      const table = this.#table;
      const watch = await this.#watches.of(userId);
      const rows = collectionIds.flatMap((id) => this.#collections.get(id) ?? []);
      const found = await Promise.all(
        rows.map(async ({ query }) => query && (await this.#resolve(query.filter, query.search, 1))),
      );
      if (table !== this.#table) continue;
      const shown = shownOf(table);
      const watched = shown.slice();
      intersect(watched, watch.watched);
      const counts = rows.map(({ id, query }, place): [string, CollectionCounts] => {
        if (query === null) {
          const movies = table.value('collection', id)?.movies;
          const movieCount = movies?.countIn(shown) ?? 0;
          return [id, { movieCount, watchedCount: movies?.countIn(watched) ?? 0, firstMovieId: null }];
        }
        const mask = maskOf(table, narrow(table, watch, query.filter, found[place]!, false));
        const [first] = windowOf(table, mask, { ...query, seed: 0 }, watch, { offset: 0, limit: 1 });
        const firstMovieId = first === undefined ? null : table.idAt(first);
        return [id, { movieCount: countBits(mask), watchedCount: countShared(mask, watched), firstMovieId }];
      });
      return new Map(counts);
    }
  }

  /** Resolves when everything that was committed before this call is in the table. */
  async fresh(): Promise<void> {
    const seq = await this.#options.changes.latestSeq();
    this.#stop.signal.throwIfAborted();
    if (seq <= this.#seq) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ seq, resolve, reject });
    this.#pump();
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the server is closing'));
    for (const { reject } of this.#waiting.splice(0)) reject(this.#stop.signal.reason);
    await this.#unlisten?.();
    await this.#pumping;
  }

  /** What a filter and words mean, as far as others must be asked. */
  async #resolve(
    { personId, collectionId, isHidden }: MovieFilter,
    search: string | null,
    depth: number,
  ): Promise<Resolved> {
    const { store, ranking } = this.#options;
    const [ofPerson, ofCollection, found] = await Promise.all([
      personId === undefined ? null : store.moviesOfPerson(personId),
      collectionId === undefined ? null : this.#membersOf(collectionId, depth),
      hasWords(search) ? ranking.rank(search, { limit: MAX_RANKED, isHidden: isHidden === true }) : null,
    ]);
    const among: Among[] = [];
    if (ofPerson) among.push((table) => toBits(table, ofPerson));
    if (ofCollection) among.push(ofCollection);
    if (found) among.push((table) => toBits(table, found.ids));
    return { among, ranked: found?.ids ?? null, answeredBy: found?.answeredBy ?? null };
  }

  async #membersOf(collectionId: string, depth: number): Promise<Among> {
    const query = this.#collections.get(collectionId)?.query ?? null;
    if (query !== null && depth < MAX_DEPTH) {
      const found = await this.#resolve(query.filter, query.search, depth + 1);
      return (table, watch) => maskOf(table, narrow(table, watch, query.filter, found, false));
    }
    return (table) => {
      const bits = new Uint32Array(table.words);
      table.value('collection', collectionId)?.movies.addTo(bits);
      return bits;
    };
  }

  /** Follows the feed to its end; runs once at a time. */
  #pump(): void {
    this.#isDue = true;
    this.#pumping ??= this.#drain().finally(() => {
      this.#pumping = null;
      if (this.#isDue && !this.#stop.signal.aborted) this.#pump();
    });
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#options;
    while (this.#isDue && !this.#stop.signal.aborted) {
      this.#isDue = false;
      try {
        await this.#catchUp();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        log.warn('the browse index could not be brought up to date', { error });
        this.#isDue = true;
        await clock.sleep(RETRY_MS, this.#stop.signal).catch(() => undefined);
      }
    }
  }

  async #catchUp(): Promise<void> {
    const { changes, clock } = this.#options;
    const nowMs = clock.nowMs();
    const isSure = this.#seq >= 0 && nowMs - this.#lookedAtMs < SURE_MS;
    if (!isSure && (this.#seq < 0 || (await changes.oldestSeq()) > this.#seq)) await this.#readAll();
    this.#lookedAtMs = nowMs;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const news = await changes.changesAfter(this.#seq, CHANGES_AT_ONCE);
      const last = news.at(-1);
      if (!last) return;
      await this.#take(news);
      this.#reach(last.seq);
      if (news.length < CHANGES_AT_ONCE) return;
    }
  }

  #reach(seq: number): void {
    this.#seq = seq;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((one) => one.seq > seq);
    for (const one of waiting) if (one.seq <= seq) one.resolve();
  }

  /** Reads everything into a table of its own, which then takes the place of the one before. */
  async #readAll(): Promise<void> {
    const { store, changes, log, clock } = this.#options;
    const startedMs = clock.nowMs();
    const seq = await changes.latestSeq();
    const table = new BrowseTable(this.#watches);
    const collections = await store.collections(null);
    let reading: Promise<BrowseRow[]> | null = store.rowsAfter(null, ROWS_AT_ONCE);
    while (reading) {
      const rows: BrowseRow[] = await reading;
      this.#stop.signal.throwIfAborted();
      // The next are on their way while these are written.
      reading = rows.length < ROWS_AT_ONCE ? null : store.rowsAfter(rows.at(-1)!.id, ROWS_AT_ONCE);
      reading?.catch(() => undefined);
      await this.#write(table, rows, []);
    }
    this.#table = table;
    this.#collections = new Map(collections.map((row) => [row.id, row]));
    this.#sorted = null;
    this.#watches.follow(table);
    this.#reach(seq);
    log.debug('the browse index was read', { movies: table.count, tookMs: Math.round(clock.nowMs() - startedMs) });
  }

  async #take(news: readonly Change[]): Promise<void> {
    const movieIds = new Set<string>();
    const collectionIds = new Set<string>();
    const byUser = new Map<string, Set<string>>();
    for (const { feed, kind, audience, entityId } of news) {
      if (feed === 'library' && kind === 'movie') movieIds.add(entityId);
      if (feed === 'library' && kind === 'collection') collectionIds.add(entityId);
      if (feed !== 'progress' || audience === null) continue;
      const changed = byUser.get(audience) ?? new Set();
      byUser.set(audience, changed.add(entityId));
    }
    const { store } = this.#options;
    const [rows, collections] = await Promise.all([
      movieIds.size === 0 ? [] : store.rowsOf([...movieIds]),
      collectionIds.size === 0 ? [] : store.collections([...collectionIds]),
      ...[...byUser].map(([userId, changed]) => this.#watches.refresh(userId, [...changed])),
    ]);
    if (collectionIds.size > 0) this.#sorted = null;
    for (const id of collectionIds) this.#collections.delete(id);
    for (const row of collections) this.#collections.set(row.id, row);
    for (const { id } of rows) movieIds.delete(id);
    await this.#write(this.#table, rows, [...movieIds]);
  }

  async #write(table: BrowseTable, rows: readonly BrowseRow[], goneIds: readonly string[]): Promise<void> {
    const unknown = new Set<number>();
    for (const { termIds } of rows) for (const termId of termIds) if (!table.term(termId)) unknown.add(termId);
    const termIds = [...unknown];
    for (let start = 0; start < termIds.length; start += ROWS_AT_ONCE) {
      const terms = await this.#options.store.terms(termIds.slice(start, start + ROWS_AT_ONCE));
      for (const term of terms) table.learnTerm(term);
    }
    if (goneIds.length > 0) table.apply([], goneIds);
    for (let start = 0; start < rows.length; start += SLICE) {
      if (start > 0) await nextTurn();
      table.apply(rows.slice(start, start + SLICE), []);
    }
  }
}

const hasWords = (search: string | null): search is string => search !== null && search.trim() !== '';

function narrow(
  table: BrowseTable,
  watch: WatchState | null,
  filter: MovieFilter,
  { among }: Resolved,
  isHidden: boolean,
): Narrowing {
  return { filter, isHidden, among: among.map((bits) => bits(table, watch)), watch };
}

/** Movies that are not hidden. */
function shownOf(table: BrowseTable): Bits {
  const shown = table.live.slice(0, table.words);
  subtract(shown, table.hidden);
  return shown;
}

function toBits(table: BrowseTable, movieIds: readonly string[]): Bits {
  const bits = new Uint32Array(table.words);
  for (const movieId of movieIds) {
    const slot = table.slotOf(movieId);
    if (slot !== undefined) setBit(bits, slot);
  }
  return bits;
}
