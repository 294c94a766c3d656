/** What the catalogue needs from the rest of the engine. `house.ts` hands the implementations in; their types match by shape. */
import type { MatchState } from '#protocol/schema/match.ts';
import type { HdrKind } from '#protocol/schema/media.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { MovieSort, SortOrder } from '#protocol/schema/movie-sort.ts';
import type { Movie, MovieCard, MovieTile } from '#protocol/schema/movie.ts';
import type { Progress } from '#protocol/schema/progress.ts';

// What the browse index follows.

/** What a grid can be ordered by and narrowed to, of one movie. */
export interface BrowseRow {
  readonly id: string;
  readonly sortTitle: string;
  readonly year: number | null;
  readonly addedAtMs: number;
  /** Days since 1970-01-01. */
  readonly releaseDay: number | null;
  readonly rating: number | null;
  readonly voteCount: number | null;
  readonly durationMs: number | null;
  readonly resolution: number | null;
  readonly hdr: HdrKind | null;
  readonly videoCodec: string | null;
  readonly language: string | null;
  readonly certification: string | null;
  readonly match: MatchState;
  readonly isHidden: boolean;
  readonly libraryIds: readonly string[];
  readonly audioLanguages: readonly string[];
  readonly termIds: readonly number[];
}

export const TERM_KINDS = ['genre', 'keyword', 'studio', 'country', 'tag'] as const;
export type TermKind = (typeof TERM_KINDS)[number];

export interface TermRow {
  readonly id: number;
  readonly kind: TermKind;
  readonly name: string;
}

export interface WatchRow {
  readonly movieId: string;
  readonly isWatched: boolean;
  /** When it was last played or marked. */
  readonly atMs: number;
}

export interface BrowseStore {
  /** Movies that have a file, in order of id, from behind `movieId`. */
  rowsAfter(movieId: string | null, limit: number): Promise<BrowseRow[]>;
  /** Those of these movies that have a file. */
  rowsOf(movieIds: readonly string[]): Promise<BrowseRow[]>;
  terms(termIds: readonly number[]): Promise<TermRow[]>;
  /** What one person watched: of these movies, or (`null`) of all. */
  watched(userId: string, movieIds: readonly string[] | null): Promise<WatchRow[]>;
  moviesOfPerson(personId: string): Promise<string[]>;
  /** What makes up a collection: a list of movies in its order, or a saved query. `null` where there is none. */
  membersOf(
    collectionId: string,
  ): Promise<{ readonly movieIds: readonly string[] } | { readonly query: SavedQuery } | null>;
}

export interface SavedQuery {
  readonly filter: MovieFilter;
  readonly search: string | null;
  readonly sort: MovieSort;
  readonly order: SortOrder | null;
}

/** A line of the change feed in the database. */
export interface Change {
  readonly seq: number;
  readonly feed: string;
  readonly audience: string | null;
  readonly kind: string;
  readonly entityId: string;
}

/** The change feed, in commit order. */
export interface ChangeLog {
  latestSeq(): Promise<number>;
  /** The lowest seq after which nothing has been pruned. */
  oldestSeq(): Promise<number>;
  changesAfter(seq: number, limit: number): Promise<readonly Change[]>;
  /** Calls back when there may be something new. Returns how to stop. */
  onChange(listener: () => void): Promise<() => Promise<void>>;
}

/** Finding movies by words. */
export interface MovieRanking {
  /** The best answer first. `isHidden`: among the movies that were put away, and only among them. */
  rank(
    text: string,
    options: { readonly limit: number; readonly isHidden?: boolean },
  ): Promise<{ readonly ids: readonly string[]; readonly answeredBy: 'typesense' | 'postgres' }>;
}

// What is shown.

export interface MovieReader {
  /** Tiles of those of these movies that are there, in this order. */
  tiles(userId: string, movieIds: readonly string[]): Promise<MovieTile[]>;
  /** Movies that one person has begun and not finished, the latest first. */
  continueWatching(userId: string, limit: number): Promise<MovieTile[]>;
  /** `null` where there is no such movie, or it is hidden from this person. */
  movie(movieId: string, sight: Sight): Promise<Movie | null>;
  /** The same with one person's own progress. */
  get(movieId: string, sight: Sight, userId: string): Promise<{ movie: Movie; progress: Progress | null } | null>;
  /** Cards of the movies that are there and not hidden, by id. */
  cards(movieIds: readonly string[]): Promise<ReadonlyMap<string, MovieCard>>;
  /** Movies alike in the eyes of the catalogue that are here, and what this one is made of. `null` where it is not there. */
  kinship(movieId: string): Promise<Kinship | null>;
}

/** What a person may see of a movie. */
export interface Sight {
  /** Where its files lie. */
  readonly withPaths: boolean;
  /** The movie although it was put away. */
  readonly withHidden: boolean;
}

export interface Kinship {
  /** What the catalogue calls alike, the likest first. */
  readonly alike: readonly string[];
  readonly termIds: readonly number[];
  /** Movies that share somebody who counts with it, one entry for each person: directors, writers, the first of the cast. */
  readonly byPerson: readonly (readonly string[])[];
}
