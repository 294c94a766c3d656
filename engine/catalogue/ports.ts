/** What the catalogue needs from the rest of the engine. `house.ts` hands the implementations in; their types match by shape. */
import type { MatchState } from '#protocol/schema/match.ts';
import type { HdrKind } from '#protocol/schema/media.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { MovieSort, SortOrder } from '#protocol/schema/movie-sort.ts';
import type { CollectionCard, COLLECTION_KINDS } from '#protocol/schema/collection.ts';
import type { Movie, MovieCard, MovieField, MovieTile } from '#protocol/schema/movie.ts';
import type { Person } from '#protocol/schema/person.ts';
import type { Picture, PictureRole, PictureSource } from '#protocol/schema/picture.ts';
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
  /** Whether any of its files plays. */
  readonly isPlayable: boolean;
  readonly libraryIds: readonly string[];
  readonly audioLanguages: readonly string[];
  readonly termIds: readonly number[];
  /** Series and lists that it is in. */
  readonly collectionIds: readonly string[];
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
  /** Of these ids, or (`null`) all. */
  collections(collectionIds: readonly string[] | null): Promise<CollectionRow[]>;
}

export type CollectionKind = (typeof COLLECTION_KINDS)[number];

export interface CollectionRow {
  readonly id: string;
  readonly kind: CollectionKind;
  /** As it is sorted. */
  readonly sortName: string;
  /** Only of kind `smart`. */
  readonly query: SavedQuery | null;
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

// Edits.

/** What a person sets; absent: as it was. */
export interface MovieChanges {
  readonly values?: {
    readonly title?: string;
    readonly originalTitle?: string | null;
    readonly sortTitle?: string | null;
    readonly year?: number | null;
    readonly releaseDate?: string | null;
    readonly tagline?: string | null;
    readonly overview?: string | null;
    readonly certification?: string | null;
  };
  readonly terms?: {
    readonly genres?: TermChange;
    readonly keywords?: TermChange;
    readonly studios?: TermChange;
    readonly countries?: TermChange;
    readonly tags?: TermChange;
  };
  readonly lock?: readonly MovieField[];
  readonly unlock?: readonly MovieField[];
  readonly isHidden?: boolean;
  /** Lists only. */
  readonly addToCollection?: string;
  readonly removeFromCollection?: string;
  /** Of a single movie; `null`: the best one again. */
  readonly picture?: { readonly role: PictureRole; readonly pictureId: string | null };
}

/** Names: exactly these, or these more and those less. */
export interface TermChange {
  readonly set?: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

export type EditOutcome =
  /** `editId` is `null` where nothing was different afterwards. */
  | { readonly kind: 'done'; readonly editId: string | null; readonly changed: number }
  | { readonly kind: 'notFound'; readonly what: 'movie' | 'collection' | 'picture' };

export type UndoOutcome =
  /** Movies that were changed back; single fields that were not, for they were changed again since. */
  | { readonly kind: 'done'; readonly changed: number; readonly kept: number }
  | { readonly kind: 'notFound' }
  | { readonly kind: 'alreadyUndone' };

export interface EditStore {
  /** Changes these movies, notes what was different before, and records the changes: all of it or nothing. */
  edit(userId: string, movieIds: readonly string[], changes: MovieChanges): Promise<EditOutcome>;
  undo(editId: string): Promise<UndoOutcome>;
}

/** The pictures that a movie could be shown by; the images domain has them. */
export interface PictureChoices {
  /** The present one first. `null` where there is no such movie. */
  list(
    movieId: string,
    role: PictureRole,
  ): Promise<
    | {
        readonly pictureId: string;
        readonly picture: NonNullable<Picture>;
        readonly source: PictureSource;
        readonly language: string | null;
        readonly isChosen: boolean;
      }[]
    | null
  >;
  /** Pictures at TMDB of somebody who is not here, by path. */
  offerPaths(paths: readonly string[], role: PictureRole): Promise<ReadonlyMap<string, NonNullable<Picture>>>;
}

// People and collections.

export interface PersonStore {
  person(personId: string): Promise<Person | null>;
  /** Their movies that are here and not hidden, the latest first, with what they did. */
  credits(personId: string): Promise<{ readonly movieId: string; readonly roles: string[] }[]>;
}

/** A collection as it is stored; how many movies it has for whom, the browse index knows. */
export interface StoredCollection extends Pick<CollectionCard, 'id' | 'kind' | 'name' | 'poster' | 'backdrop'> {
  readonly overview: string | null;
  readonly tmdbId: number | null;
  /** Parts of a series as the catalogue lists them, here or not; 0 where that is not known. */
  readonly partCount: number;
  /** The movie that stands for it: chosen, or the first. `null` of a saved filter and of an empty list. */
  readonly coverMovieId: string | null;
  /** Whether a person chose that movie. */
  readonly hasChosenCover: boolean;
}

export interface MissingPart {
  readonly tmdbId: number;
  readonly title: string;
  readonly releaseDate: string | null;
  readonly posterPath: string | null;
}

export interface CollectionChanges {
  readonly name?: string;
  readonly overview?: string | null;
  /** The whole new order of a list. */
  readonly movieIds?: readonly string[];
  readonly query?: SavedQuery;
  readonly coverMovieId?: string | null;
}

export interface CollectionStore {
  /** Those that are there, by id. */
  collections(collectionIds: readonly string[]): Promise<ReadonlyMap<string, StoredCollection>>;
  /** The first movies of a series or list in its order that are here and not hidden. */
  movieIds(collectionId: string, limit: number): Promise<string[]>;
  missing(collectionId: string): Promise<MissingPart[]>;
  create(
    userId: string,
    collection: {
      readonly name: string;
      readonly overview: string | null;
      readonly movieIds: readonly string[];
      readonly query: SavedQuery | null;
    },
  ): Promise<string>;
  /** `notFound`: there is no such collection, or no such movie to stand for it. */
  update(
    collectionId: string,
    changes: CollectionChanges,
  ): Promise<'done' | 'notFound' | { readonly wrongKind: CollectionKind }>;
  /** `false` where there is none. */
  remove(collectionId: string): Promise<boolean>;
}
