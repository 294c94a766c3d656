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
import type { BrowseRow, BrowseStore, Change, ChangeLog, MovieRanking } from './ports.ts';
import { countBits, hasBit, setBit, subtract } from './slot-set.ts';
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

/** Rows of one statement: a few milliseconds of the database, and a fraction of one for each piece that arrives. */
const ROWS_AT_ONCE = 500;
/** Rows that are written without letting others go first: about a millisecond. */
const SLICE = 64;
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
    const standing = await this.stand(userId, query.filter, query.search);
    const { table, narrowing, ranked, watch, answeredBy } = standing;
    const mask = maskOf(table, narrowing);
    const isByNearness = ranked !== null && query.sort === 'title' && query.order === null;
    const slots = isByNearness
      ? ranked.filter((slot) => hasBit(mask, slot)).slice(query.offset, query.offset + query.limit)
      : windowOf(table, mask, query, watch, query);
    return { total: countBits(mask), movieIds: slots.map((slot) => table.idAt(slot)), answeredBy };
  }

  async facets(
    userId: string | null,
    query: Pick<BrowseQuery, 'filter' | 'search'>,
  ): Promise<{ total: number; facets: Facet[] }> {
    const { table, narrowing } = await this.stand(userId, query.filter, query.search);
    return facetsOf(table, narrowing);
  }

  /** Movies that are not hidden. */
  async count(): Promise<number> {
    await this.fresh();
    const shown = this.#table.live.slice();
    subtract(shown, this.#table.hidden);
    return countBits(shown);
  }

  /** Everything that a question needs from outside, and the table as it is after all that was written before the question. */
  async stand(userId: string | null, filter: MovieFilter, search: string | null): Promise<Standing> {
    for (;;) {
      await this.fresh();
      const table = this.#table;
      const [watch, found] = await Promise.all([
        userId === null ? null : this.#watches.of(userId),
        this.#resolve(userId, filter, search, 0),
      ]);
      // The table was made anew meanwhile: what is known of people belongs to the old one.
      if (table !== this.#table) continue;
      const among = found.among.map((movieIds) => toBits(table, movieIds));
      const ranked = found.ranked && found.ranked.flatMap((movieId) => table.slotOf(movieId) ?? []);
      return {
        table,
        watch,
        narrowing: { filter, isHidden: filter.isHidden === true, among, watch },
        ranked,
        answeredBy: found.answeredBy,
      };
    }
  }

  /** Resolves when everything that was committed before this call is in the table. */
  async fresh(): Promise<void> {
    const seq = await this.#options.changes.latestSeq();
    if (seq <= this.#seq) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ seq, resolve, reject });
    this.#pump();
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the server is closing'));
    await this.#unlisten?.();
    await this.#pumping;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#stop.signal.reason);
  }

  /** Ids of movies that the answer must be among: each list narrows it further. */
  async #resolve(
    userId: string | null,
    { personId, collectionId, isHidden = false }: MovieFilter,
    search: string | null,
    depth: number,
  ): Promise<{
    among: (readonly string[])[];
    ranked: readonly string[] | null;
    answeredBy: BrowseAnswer['answeredBy'];
  }> {
    const { store, ranking } = this.#options;
    const [ofPerson, ofCollection, found] = await Promise.all([
      personId === undefined ? null : store.moviesOfPerson(personId),
      collectionId === undefined ? null : this.#membersOf(userId, collectionId, depth),
      search === null ? null : ranking.rank(search, { limit: MAX_RANKED, isHidden }),
    ]);
    return {
      among: [ofPerson, ofCollection, found?.ids ?? null].filter((movieIds) => movieIds !== null),
      ranked: found?.ids ?? null,
      answeredBy: found?.answeredBy ?? null,
    };
  }

  async #membersOf(userId: string | null, collectionId: string, depth: number): Promise<readonly string[]> {
    const members = await this.#options.store.membersOf(collectionId);
    if (members === null || depth >= MAX_DEPTH) return [];
    if ('movieIds' in members) return members.movieIds;
    const { filter, search } = members.query;
    const [watch, found] = await Promise.all([
      userId === null ? null : this.#watches.of(userId),
      this.#resolve(userId, filter, search, depth + 1),
    ]);
    const table = this.#table;
    const among = found.among.map((movieIds) => toBits(table, movieIds));
    const mask = maskOf(table, { filter, isHidden: filter.isHidden === true, among, watch });
    const movieIds: string[] = [];
    for (const slot of table.orderOf('title')) if (hasBit(mask, slot)) movieIds.push(table.idAt(slot));
    return movieIds;
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
    let last: string | null = null;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      const rows: BrowseRow[] = await store.rowsAfter(last, ROWS_AT_ONCE);
      await this.#write(table, rows, []);
      if (rows.length < ROWS_AT_ONCE) break;
      last = rows.at(-1)!.id;
    }
    this.#table = table;
    this.#watches.follow(table);
    this.#reach(seq);
    log.debug('the browse index was read', { movies: table.count, tookMs: Math.round(clock.nowMs() - startedMs) });
  }

  async #take(news: readonly Change[]): Promise<void> {
    const movieIds = new Set<string>();
    const byUser = new Map<string, Set<string>>();
    for (const { feed, kind, audience, entityId } of news) {
      if (feed === 'library' && kind === 'movie') movieIds.add(entityId);
      if (feed !== 'progress' || audience === null) continue;
      const changed = byUser.get(audience) ?? new Set();
      byUser.set(audience, changed.add(entityId));
    }
    const [rows] = await Promise.all([
      movieIds.size === 0 ? [] : this.#options.store.rowsOf([...movieIds]),
      ...[...byUser].map(([userId, changed]) => this.#watches.refresh(userId, [...changed])),
    ]);
    for (const { id } of rows) movieIds.delete(id);
    await this.#write(this.#table, rows, [...movieIds]);
  }

  async #write(table: BrowseTable, rows: readonly BrowseRow[], goneIds: readonly string[]): Promise<void> {
    const unknown = new Set<number>();
    for (const { termIds } of rows) for (const termId of termIds) if (!table.term(termId)) unknown.add(termId);
    if (unknown.size > 0) for (const term of await this.#options.store.terms([...unknown])) table.learnTerm(term);
    if (goneIds.length > 0) table.apply([], goneIds);
    for (let start = 0; start < rows.length; start += SLICE) {
      if (start > 0) await nextTurn();
      table.apply(rows.slice(start, start + SLICE), []);
    }
  }
}

function toBits(table: BrowseTable, movieIds: readonly string[]): Bits {
  const bits = new Uint32Array(table.words);
  for (const movieId of movieIds) {
    const slot = table.slotOf(movieId);
    if (slot !== undefined) setBit(bits, slot);
  }
  return bits;
}
