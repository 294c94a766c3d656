/**
 * Search over the database: names by an index in memory, what is told of a movie by Postgres itself. Owns that index; nothing of it is
 * durable, so a crash loses nothing: it is read from the tables at every start and follows the change feed from there.
 *
 * - [SEARCH2] It reads the feed's place before it reads the tables, and then everything after that place: no change is missed, and one
 *   that is read twice does no harm.
 * - [SEARCH3] Changes are gathered for `GATHER_MS`, so a scan that writes hundreds of movies a second costs a few queries a second.
 *   Suggestions may lag behind by that much. A ranking does not: it waits until everything is read that was written before it.
 * - It works hard: outside of tests it lives in a thread of its own (`search.worker.ts`).
 * - A search that comes before the movies were read waits for it. Right after the start people are found only by and by: there are
 *   many more of them, and nobody should wait for those.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ChangeLog } from '#engine/feeds/ports.ts';
import type { Ranking, RankOptions, SearchIndexPort, Suggestion } from '#engine/search/ports.ts';
import type { Log } from '#engine/base/log.ts';
import type { Sql } from '../postgres/connect.ts';
import type { Match, Named } from './name-index.ts';
import { MOST_WEIGHT, NameIndex, TIER } from './name-index.ts';
import { queryTerms } from './search-words.ts';

export interface PostgresSearchOptions {
  readonly sql: Sql;
  readonly changes: Pick<ChangeLog, 'latestSeq' | 'changesAfter' | 'onChange'>;
  readonly log: Log;
}

const GATHER_MS = 100;
const RANKINGS_KEPT = 16;
const RETRY_MS = 1_000;
/** Rows read at once. */
const BATCH = 1_000;
/** Rows taken in without letting others go first: about two milliseconds. */
const SLICE = 64;
const CHANGES_AT_ONCE = 5_000;
const OTHER_NAMES = 40;
/** People whose movies answer a search for a name. */
const MOST_PEOPLE = 20;
const MOST_BY_OVERVIEW = 200;
/** Whoever made more is known well enough. */
const MOST_COUNTED = 60;

interface MovieRow {
  readonly id: string;
  readonly title: string;
  readonly originalTitle: string | null;
  readonly fileTitle: string | null;
  readonly otherNames: string[];
  readonly year: number | null;
  readonly votes: number | null;
  readonly popularity: number | null;
  readonly isHidden: boolean;
}

interface PersonRow {
  readonly id: string;
  readonly name: string;
  readonly knownFor: string | null;
  readonly popularity: number | null;
  readonly movieCount: number;
}

interface CollectionRow {
  readonly id: string;
  readonly name: string;
  readonly movieCount: number;
}

export class PostgresSearch implements SearchIndexPort, AsyncDisposable {
  readonly #sql: Sql;
  readonly #changes: PostgresSearchOptions['changes'];
  readonly #log: Log;
  #movies = new NameIndex();
  #people = new NameIndex();
  #collections = new NameIndex();
  /** The latest rankings, as long as nothing changes: a list and its facets, and window after window, are one question. */
  readonly #rankings = new Map<string, Promise<Ranking>>();
  readonly #closing = new AbortController();
  readonly #following: Promise<void>;
  #loaded!: () => void;
  readonly #whenLoaded = new Promise<void>((resolve) => {
    this.#loaded = resolve;
  });
  #seq = 0;
  #isWanted = true;
  #wake: () => void = () => undefined;
  /** Cuts the gathering short. */
  #hurry: () => void = () => undefined;
  #isStale = true;
  /** Everything was read once, so what changes is followed. */
  #isRead = false;
  #waiters: { readonly seq: number; readonly done: () => void }[] = [];

  /** Begins to read; searches wait until it has read everything. */
  constructor({ sql, changes, log }: PostgresSearchOptions) {
    this.#sql = sql;
    this.#changes = changes;
    this.#log = log;
    this.#following = this.#run();
  }

  /** Resolves when movies can be searched. Never rejects. */
  readable(): Promise<void> {
    return this.#whenLoaded;
  }

  /** Resolves when everything that was committed before this call is found. */
  async caughtUp(): Promise<void> {
    const seq = await this.#changes.latestSeq();
    await this.#whenLoaded;
    if ((this.#isRead && this.#seq >= seq) || this.#closing.signal.aborted) return;
    await new Promise<void>((done) => {
      this.#waiters.push({ seq, done });
      this.#look();
      this.#hurry();
    });
  }

  /** What is found now: for the log and for benches. */
  get counts(): { readonly movies: number; readonly people: number; readonly collections: number } {
    return { movies: this.#movies.size, people: this.#people.size, collections: this.#collections.size };
  }

  async rank(text: string, options: RankOptions): Promise<Ranking> {
    await this.#whenLoaded;
    if (this.#isRead) await this.caughtUp();
    const key = `${options.isHidden === true} ${options.limit} ${text}`;
    const known = this.#rankings.get(key);
    if (known !== undefined) return known;
    const ranking = this.#rank(text, options);
    this.#rankings.set(key, ranking);
    ranking.catch(() => this.#rankings.delete(key));
    const [oldest] = this.#rankings.keys();
    if (this.#rankings.size > RANKINGS_KEPT && oldest !== undefined) this.#rankings.delete(oldest);
    return ranking;
  }

  /** Reads everything anew, beside what is in use, which goes on answering until then. */
  async reindex(): Promise<void> {
    this.#isStale = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ seq: 0, done: resolve });
    this.#look();
    this.#hurry();
    await promise;
  }

  async #rank(text: string, { limit, isHidden = false }: RankOptions): Promise<Ranking> {
    const answer = (ids: Iterable<string>): Ranking => ({
      ids: [...new Set(ids)].slice(0, limit),
      answeredBy: 'postgres',
    });
    const words = queryTerms(text).words.length;
    if (words === 0) return answer([]);
    const titles = this.#movies.search(text, { limit, isHidden });
    const isNamed = ({ tier }: Match): boolean =>
      tier <= TIER.beginsWithWords || tier === TIER.allWords || (tier === TIER.begins && words > 1);
    const people = this.#people.search(text, { limit: MOST_PEOPLE });
    const hasTitles = titles.some(({ tier }) => tier < TIER.errors);
    const named = people.filter(isNamed);
    // A name with a typing error counts where nothing is named exactly so.
    const near = hasTitles || named.length > 0 ? [] : people.filter(({ tier }) => tier < TIER.mostWords);
    const byNamed = await this.#moviesOf(named, isHidden);
    const byNear = await this.#moviesOf(near, isHidden);
    const byBoth = hasTitles || byNamed.length > 0 ? [] : await this.#byTitleAndPerson(text, isHidden);
    const told = titles.length >= limit ? [] : await this.#byOverview(text, isHidden);
    const between = (from: number, to: number): string[] =>
      titles.filter(({ tier }) => tier >= from && tier < to).map(({ id }) => id);
    const found = [
      ...between(0, TIER.allBeginnings),
      ...byNamed,
      ...byBoth,
      ...between(TIER.allBeginnings, TIER.mostWords),
      ...byNear,
      ...told,
    ];
    return answer(found.length > 0 ? found : between(TIER.mostWords, Infinity));
  }

  async suggest(text: string, limit: number): Promise<readonly Suggestion[]> {
    await this.#whenLoaded;
    // Typing errors are looked for only where nothing is named so: that is dear, and would be noise.
    const search = (enough: number): readonly [movies: Match[], people: Match[], collections: Match[]] => [
      this.#movies.search(text, { limit, enough }),
      // One letter names nobody, and there are many more people than movies.
      /^\s*[a-z\d]\s*$/i.test(text) ? [] : this.#people.search(text, { limit, enough }),
      this.#collections.search(text, { limit, enough }),
    ];
    const isGood = ({ tier }: Match): boolean => tier < TIER.looseBeginnings;
    const strictly = search(0);
    const anyGood = strictly.some((list) => list.length > 0);
    const [movies, people, collections] = anyGood ? strictly : search(1);
    const isNear = [movies, people, collections].some((list) => list.some(({ tier }) => tier < TIER.mostWords));
    const worth = (list: readonly Match[]): Match[] => list.filter(({ tier }) => !isNear || tier < TIER.mostWords);
    // Titles that begin so would leave no room for the people and the series of that name.
    const room = Math.min(2, people.filter(isGood).length) + Math.min(1, collections.filter(isGood).length);
    const shown = [
      ...worth(movies)
        .slice(0, Math.max(1, limit - room))
        .map((match) => ({ kind: 'movie' as const, match, named: this.#movies.get(match.id) })),
      ...worth(collections)
        .slice(0, 2)
        .map((match) => ({ kind: 'collection' as const, match, named: this.#collections.get(match.id) })),
      ...worth(people).map((match) => ({
        kind: 'person' as const,
        match,
        named: this.#people.get(match.id),
      })),
    ];
    return shown
      .toSorted((a, b) => a.match.tier - b.match.tier)
      .slice(0, limit)
      .map(({ kind, match, named }) => ({
        kind,
        id: match.id,
        text: named?.name ?? '',
        detail: named?.detail ?? null,
      }));
  }

  async people(text: string, limit: number): Promise<readonly string[]> {
    await this.#whenLoaded;
    return exactFirst(this.#people.search(text, { limit }));
  }

  async collections(text: string, limit: number): Promise<readonly string[]> {
    await this.#whenLoaded;
    return exactFirst(this.#collections.search(text, { limit }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#look();
    this.#hurry();
    await this.#following;
    this.#loaded();
    for (const { done } of this.#waiters.splice(0)) done();
  }

  /** Their movies, those of the likeliest person first, then by weight. */
  async #moviesOf(people: readonly Match[], isHidden: boolean): Promise<string[]> {
    if (people.length === 0) return [];
    const ids = people.map(({ id }) => id);
    const sql = this.#sql;
    const rows = await sql<{ movieId: string; personId: string }[]>`
      select distinct movie_id as "movieId", person_id as "personId" from credit where person_id = any(${ids}::uuid[])`;
    const place = new Map(ids.map((id, index) => [id, index]));
    return rows
      .map(({ movieId, personId }) => ({ named: this.#movies.get(movieId), place: place.get(personId) ?? 0 }))
      .filter((row): row is { named: Named; place: number } => row.named?.isHidden === isHidden)
      .toSorted((a, b) => a.place - b.place || b.named.weight - a.named.weight || (a.named.id < b.named.id ? -1 : 1))
      .map(({ named }) => named.id);
  }

  /** “hanks gump”: some words at an end of the text name a person, the others are in a title of theirs. */
  async #byTitleAndPerson(text: string, isHidden: boolean): Promise<string[]> {
    const words = text.trim().split(/\s+/).slice(0, 6);
    const found: string[] = [];
    for (let cut = 1; cut < words.length; cut++) {
      for (const [name, title] of [
        [words.slice(0, cut), words.slice(cut)],
        [words.slice(cut), words.slice(0, cut)],
      ] as const) {
        const people = this.#people
          .search(name.join(' '), { limit: MOST_PEOPLE })
          .filter(({ tier }) => tier <= TIER.allWords);
        if (people.length === 0) continue;
        const titles = this.#movies
          .search(title.join(' '), { limit: 500, isHidden })
          .filter(({ tier }) => tier < TIER.mostWords);
        if (titles.length === 0) continue;
        const theirs = new Set(await this.#moviesOf(people, isHidden));
        found.push(...titles.map(({ id }) => id).filter((id) => theirs.has(id)));
      }
    }
    return found;
  }

  async #byOverview(text: string, isHidden: boolean): Promise<string[]> {
    if (text.trim().length < 3) return [];
    const sql = this.#sql;
    const rows = await sql<{ id: string }[]>`
      select m.id from movie m
      where to_tsvector('simple', fold_text(m.overview)) @@ plainto_tsquery('simple', fold_text(${text}))
        and m.overview is not null and m.deleted_at is null and (m.hidden_at is not null) = ${isHidden}
      order by m.vote_count desc nulls last, m.id limit ${MOST_BY_OVERVIEW}`;
    return rows.map(({ id }) => id);
  }

  // Following the tables.

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let stop: (() => Promise<void>) | undefined;
    while (!signal.aborted) {
      try {
        stop ??= await this.#changes.onChange(() => this.#look());
        if (this.#isStale) await this.#load();
        await this.#catchUp();
        this.#tellWaiters();
        await this.#nextChange();
      } catch (error) {
        if (signal.aborted) break;
        this.#log.warn('the search index could not read what changed; it tries again', { error });
        this.#isWanted = true;
        await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    await stop?.().catch(() => undefined);
  }

  #look(): void {
    this.#isWanted = true;
    this.#wake();
  }

  /** Resolves when there is something to read: a while after it was said, or at once where somebody waits for it. */
  async #nextChange(): Promise<void> {
    if (!this.#isWanted && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#waiters.length > 0 || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS).unref();
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #tellWaiters(): void {
    this.#waiters = this.#waiters.filter(({ seq, done }) => {
      if (this.#isStale || this.#seq < seq) return true;
      done();
      return false;
    });
    // What came meanwhile is read at once.
    if (this.#waiters.length > 0) this.#isWanted = true;
  }

  async #load(): Promise<void> {
    const startedAt = performance.now();
    this.#isStale = false;
    const seq = await this.#changes.latestSeq();
    const read = async <Row extends { readonly id: string }>(
      index: NameIndex,
      rowsAfter: (id: string) => Promise<readonly Row[]>,
      name: (row: Row) => Named,
    ): Promise<NameIndex> => {
      let after = '00000000-0000-0000-0000-000000000000';
      for (;;) {
        const rows = await rowsAfter(after);
        await putAll(rows, index, name);
        const last = rows.at(-1);
        if (last === undefined || rows.length < BATCH) break;
        this.#closing.signal.throwIfAborted();
        after = last.id;
      }
      return index;
    };
    try {
      const sql = this.#sql;
      const at = (): number => Math.round(performance.now() - startedAt);
      const movies = await read(new NameIndex(), (after) => this.#readMovies(sql`m.id > ${after}`), nameMovie);
      const collections = await read(
        new NameIndex(),
        (after) => this.#readCollections(sql`c.id > ${after}`),
        nameCollection,
      );
      const moviesMs = at();
      const people = new NameIndex();
      if (!this.#isRead) {
        this.#movies = movies;
        this.#collections = collections;
        this.#people = people;
        this.#loaded();
      }
      await read(people, (after) => this.#readPeople(sql`p.id > ${after}`), namePerson);
      this.#movies = movies;
      this.#collections = collections;
      this.#people = people;
      this.#seq = seq;
      this.#isRead = true;
      this.#rankings.clear();
      this.#log.debug('the search index is read', { ...this.counts, moviesMs, allMs: at() });
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
  }

  async #catchUp(): Promise<void> {
    this.#isWanted = false;
    for (;;) {
      const changes = await this.#changes.changesAfter(this.#seq, CHANGES_AT_ONCE);
      const last = changes.at(-1);
      if (last === undefined) return;
      const idsOf = (kind: string): string[] => [
        ...new Set(changes.filter((change) => change.kind === kind).map(({ entityId }) => entityId)),
      ];
      const movies = idsOf('movie');
      await this.#refresh(
        movies,
        this.#movies,
        (ids) => this.#readMovies(this.#sql`m.id = any(${ids}::uuid[])`),
        nameMovie,
      );
      await this.#refresh(
        idsOf('collection'),
        this.#collections,
        (ids) => this.#readCollections(this.#sql`c.id = any(${ids}::uuid[])`),
        nameCollection,
      );
      await this.#refresh(
        [...new Set([...idsOf('person'), ...(await this.#peopleOf(movies))])],
        this.#people,
        (ids) => this.#readPeople(this.#sql`p.id = any(${ids}::uuid[])`),
        namePerson,
      );
      this.#seq = last.seq;
      this.#rankings.clear();
    }
  }

  async #refresh<Row extends { readonly id: string }>(
    changed: readonly string[],
    index: NameIndex,
    read: (ids: string[]) => Promise<readonly Row[]>,
    name: (row: Row) => Named,
  ): Promise<void> {
    for (let at = 0; at < changed.length; at += BATCH) {
      const ids = changed.slice(at, at + BATCH);
      const rows = await read(ids);
      const there = new Set(rows.map(({ id }) => id));
      await putAll(rows, index, name);
      for (const id of ids) if (!there.has(id)) index.remove(id);
    }
  }

  async #peopleOf(movieIds: readonly string[]): Promise<string[]> {
    if (movieIds.length === 0) return [];
    const sql = this.#sql;
    const rows = await sql<{ id: string }[]>`
      select distinct person_id as id from credit where movie_id = any(${movieIds}::uuid[])`;
    return rows.map(({ id }) => id);
  }

  #readMovies(where: ReturnType<Sql>): Promise<readonly MovieRow[]> {
    const sql = this.#sql;
    return sql<MovieRow[]>`
      select m.id, m.title, m.original_title as "originalTitle", m.file_title as "fileTitle", m.year, m.vote_count as votes,
        m.popularity, m.hidden_at is not null as "isHidden",
        array(select a.title from alternative_title a where a.movie_id = m.id limit ${OTHER_NAMES}) as "otherNames"
      from movie m where m.deleted_at is null and ${where} order by m.id limit ${BATCH}`;
  }

  #readPeople(where: ReturnType<Sql>): Promise<readonly PersonRow[]> {
    const sql = this.#sql;
    return sql<PersonRow[]>`
      select p.id, p.name, p.known_for as "knownFor", p.popularity,
        (select count(*) from (select from credit c where c.person_id = p.id limit ${MOST_COUNTED}) few) as "movieCount"
      from person p where ${where} order by p.id limit ${BATCH}`;
  }

  #readCollections(where: ReturnType<Sql>): Promise<readonly CollectionRow[]> {
    const sql = this.#sql;
    return sql<CollectionRow[]>`
      select c.id, c.name, (select count(*) from collection_movie cm where cm.collection_id = c.id) as "movieCount"
      from collection c where ${where} order by c.id limit ${BATCH}`;
  }
}

/** In slices, between which others have their turn. */
async function putAll<Row>(rows: readonly Row[], index: NameIndex, name: (row: Row) => Named): Promise<void> {
  for (let at = 0; at < rows.length; at += SLICE) {
    for (const row of rows.slice(at, at + SLICE)) index.put(name(row));
    await nextTurn();
  }
}

/** Names with an error only where none is exact. */
function exactFirst(matches: readonly Match[]): string[] {
  const isExact = matches.some(({ tier }) => tier < TIER.errors);
  return matches.filter(({ tier }) => tier < (isExact ? TIER.errors : TIER.mostWords)).map(({ id }) => id);
}

const logarithm = (value: number | null): number => Math.log2(1 + Math.max(0, value ?? 0));

// Popularity at TMDB goes up to some hundreds, votes up to some ten thousands.
function nameMovie(row: MovieRow): Named {
  const { originalTitle, fileTitle } = row;
  const others = [...row.otherNames, ...(fileTitle === null ? [] : [fileTitle])];
  return {
    id: row.id,
    name: row.title,
    variants: originalTitle === null || originalTitle === row.title ? [] : [originalTitle],
    otherNames: others.filter((name) => name !== row.title),
    year: row.year,
    detail: row.year === null ? null : String(row.year),
    weight: Math.min(MOST_WEIGHT, Math.round(logarithm(row.votes) * 50 + logarithm(row.popularity) * 25)),
    isHidden: row.isHidden,
  };
}

function namePerson(row: PersonRow): Named {
  return {
    ...NO_MORE,
    id: row.id,
    name: row.name,
    detail: row.knownFor,
    weight: Math.min(MOST_WEIGHT, Math.round(logarithm(row.movieCount) * 70 + logarithm(row.popularity) * 60)),
  };
}

function nameCollection(row: CollectionRow): Named {
  return { ...NO_MORE, id: row.id, name: row.name, detail: null, weight: Math.round(logarithm(row.movieCount) * 100) };
}

const NO_MORE = { variants: [], otherNames: [], year: null, isHidden: false } as const;
