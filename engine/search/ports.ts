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

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}
