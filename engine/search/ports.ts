/** What search offers to other domains, what it needs from them, and what its engines are. `house.ts` hands the implementations in. */
import type { CollectionCard } from '#protocol/schema/collection.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { MovieCard, MovieTile } from '#protocol/schema/movie.ts';
import type { Facet, MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { PersonCard } from '#protocol/schema/person.ts';

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

/** Building an index anew; only an index beside the database can be. */
export interface ReindexPort {
  /** `null` where there is nothing to build: the database searches its own tables. */
  reindex(): Promise<string | null>;
}

// What is shown of what was found, by the catalogue.

export interface ShownMovies {
  readonly total: number;
  readonly movies: MovieTile[];
  readonly facets: Facet[];
}

export interface CataloguePort {
  /** Of these movies, in this order, those that fit the filter: how many, a window of them, and what they can be narrowed to. */
  among(
    userId: string,
    query: {
      readonly ids: readonly string[];
      readonly filter: MovieFilter;
      readonly offset: number;
      readonly limit: number;
    },
  ): Promise<ShownMovies>;
  /** Cards of the movies that are there and not put away, by id. */
  cards(movieIds: readonly string[]): Promise<ReadonlyMap<string, MovieCard>>;
  /** Those with a movie here that is not put away, by id. */
  people(personIds: readonly string[]): Promise<ReadonlyMap<string, PersonCard>>;
  collections(userId: string, collectionIds: readonly string[]): Promise<ReadonlyMap<string, CollectionCard>>;
}

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}
