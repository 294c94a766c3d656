/** What search offers to other domains, what it needs from them, and what its engines are. `house.ts` hands the implementations in. */
import type { CollectionCard } from '#protocol/schema/collection.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { MovieTile } from '#protocol/schema/movie.ts';
import type { Facet, MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { PersonCard } from '#protocol/schema/person.ts';
import type { Picture } from '#protocol/schema/picture.ts';

// Finding. Postgres and Typesense each implement it, and a third one that asks the one and falls back to the other.

export type SearchEngine = 'postgres' | 'typesense';

export interface Ranking {
  /** Movies, the best answer first. */
  readonly ids: readonly string[];
  readonly answeredBy: SearchEngine;
}

export interface RankOptions {
  /** At most 5,000. */
  readonly limit: number;
  /** True: among the movies that were put away, and only among them. */
  readonly isHidden?: boolean;
}

export interface Suggestion {
  readonly kind: 'movie' | 'person' | 'collection';
  readonly id: string;
  readonly text: string;
  /** What tells it from others of that name: the year, what a person is known for. */
  readonly detail: string | null;
}

export interface SearchPort {
  /** Movies by their titles, their people, their year, and last by what is told of them. Nothing but separators finds nothing. */
  rank(text: string, options: RankOptions): Promise<Ranking>;
  /** While somebody types: the last word may be a beginning. */
  suggest(text: string, limit: number): Promise<readonly Suggestion[]>;
  /** Ids of people with a movie here. */
  people(text: string, limit: number): Promise<readonly string[]>;
  collections(text: string, limit: number): Promise<readonly string[]>;
}

// What is shown of what was found.

/** Browsing, by the catalogue: it asks `rank` itself, and narrows, counts and cuts what it got. */
export interface BrowsePort {
  list(
    userId: string,
    query: {
      readonly filter: MovieFilter;
      readonly search: string;
      /** With neither order nor another sort, the best answer comes first. */
      readonly sort: 'title';
      readonly order: null;
      readonly seed: number;
      readonly offset: number;
      readonly limit: number;
    },
  ): Promise<{
    readonly total: number;
    readonly movieIds: readonly string[];
    readonly answeredBy: SearchEngine | null;
  }>;
  facets(
    userId: string,
    query: { readonly filter: MovieFilter; readonly search: string },
  ): Promise<{ readonly facets: Facet[] }>;
}

export interface TilePort {
  /** Tiles of those of these movies that are there, in this order. */
  tiles(userId: string, movieIds: readonly string[]): Promise<MovieTile[]>;
}

/** What stands beside a name. Whatever is no longer there, or only in movies that were put away, is left out. */
export interface NameCardPort {
  pictures(suggestions: readonly Suggestion[]): Promise<ReadonlyMap<string, Picture>>;
  /** In the order asked. */
  people(personIds: readonly string[]): Promise<PersonCard[]>;
  /** In the order asked. The counts of a saved filter are 0: the catalogue counts those. */
  collections(userId: string, collectionIds: readonly string[]): Promise<CollectionCard[]>;
}

// Building an index anew.

/** The queue, as far as search needs it. */
export interface WorkQueuePort {
  order(
    orders: readonly {
      readonly kind: 'index' | 'reindex';
      readonly payload: Readonly<Record<string, unknown>>;
      readonly urgency?: 'click' | 'normal' | 'bulk';
      readonly key?: string;
      readonly delayMs?: number;
    }[],
  ): Promise<void>;
  handle(
    kind: 'index' | 'reindex',
    options: { readonly concurrency: number; readonly attempts?: number; readonly title: string },
    work: (payload: unknown, job: RunningIndexing) => Promise<IndexingOutcome>,
  ): void;
}

export interface RunningIndexing {
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number | null; readonly note?: string | null }): void;
}

export type IndexingOutcome =
  | { readonly kind: 'done'; readonly note?: string }
  /** Asked again after that time, without counting as an attempt. */
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string };

// A search server beside the database.

/** A movie as a search server gets it. Names are those of the index. */
export interface SearchDocument {
  readonly id: string;
  readonly title: string;
  readonly original_title: string;
  /** Other titles that it is known by. */
  readonly titles: readonly string[];
  /** Each title as a whole in every spelling, and every word of them: folded, transliterated, numerals as digits. */
  readonly keys: readonly string[];
  readonly words: readonly string[];
  /** The same of the people. */
  readonly name_words: readonly string[];
  readonly overview: string;
  /** 0 where it is not known, as in the numbers below. */
  readonly year: number;
  readonly genres: readonly string[];
  readonly cast: readonly string[];
  readonly directors: readonly string[];
  readonly status: string;
  readonly resolution: number;
  readonly has_file: boolean;
  readonly hidden: boolean;
  readonly rating: number;
  readonly popularity: number;
  /** Days since 1970. */
  readonly release_date: number;
  /** Seconds since 1970. */
  readonly added_at: number;
}

export interface DocumentPort {
  /** Movies that are there, in order of id, from behind one. */
  documentsAfter(movieId: string | null, limit: number): Promise<readonly SearchDocument[]>;
  /** Those of these movies that are there. */
  documentsOf(movieIds: readonly string[]): Promise<readonly SearchDocument[]>;
  count(): Promise<number>;
}

/** Every method rejects while the server is away, too slow, or says what nobody understands. */
export interface SearchServerPort {
  rank(text: string, options: RankOptions): Promise<readonly string[]>;
  /** Movies only. */
  suggest(text: string, limit: number): Promise<readonly Suggestion[]>;
  ping(): Promise<void>;
  /** The index in use; `null` where there is none, or one that this version cannot use. */
  indexInUse(): Promise<string | null>;
  /** Makes an empty index beside the one in use. */
  createIndex(): Promise<string>;
  /** Adds or replaces; returns what the server would not take, and why. */
  put(index: string, documents: readonly SearchDocument[]): Promise<readonly { id: string; error: string }[]>;
  remove(index: string, movieIds: readonly string[]): Promise<void>;
  /** Answers come from this index from now on; all others of ours are dropped. */
  useIndex(index: string): Promise<void>;
}

/** The change feed, as far as an index needs it. */
export interface ChangeFeedPort {
  readonly epoch: string;
  latestSeq(): Promise<number>;
  oldestSeq(): Promise<number>;
  changesAfter(
    seq: number,
    limit: number,
  ): Promise<readonly { readonly seq: number; readonly kind: string; readonly entityId: string }[]>;
  onChange(listener: () => void): Promise<() => Promise<void>>;
}

/** Small facts by name that survive a restart. */
export interface FactPort {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
}

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}

// The database's own search, which lives in a thread.

/** What its thread can be asked: everything that search offers, and what those who keep it need. */
export interface SearchIndexPort extends SearchPort {
  /** Resolves when everything that was committed before this call is found. */
  caughtUp(): Promise<void>;
  /** Reads everything anew, beside what is in use. */
  reindex(): Promise<void>;
}

/** One life of that thread. */
export interface SearchLife extends AsyncDisposable {
  /** Settles when it has ended; a rejection carries what ended it. */
  readonly ended: Promise<unknown>;
  /** Rejects with an error of the name `SearchLifeEnd` when the thread ends before it answered, and with the signal's reason. */
  ask<Name extends keyof SearchIndexPort>(
    name: Name,
    args: Parameters<SearchIndexPort[Name]>,
    signal: AbortSignal,
  ): ReturnType<SearchIndexPort[Name]>;
}
