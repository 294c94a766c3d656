/** What metadata needs from the rest of the engine. The composition root hands the implementations in; their types match by shape. */
import type { MatchReason, MatchState } from '#protocol/schema/match.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { Movie, MovieField } from '#protocol/schema/movie.ts';
import type { Picture, PictureRole } from '#protocol/schema/picture.ts';

/** `click`: a person waits for it. `bulk`: thousands of the like. */
export type Urgency = 'click' | 'normal' | 'bulk';

// Replies of TMDB, kept for a while.

export interface ReplyCache {
  /** `reply` is `null` where the answer was that there is no such thing. */
  read(name: string): Promise<{ readonly reply: unknown; readonly keptAtMs: number } | null>;
  write(name: string, reply: unknown): Promise<void>;
  /** Removes what is older than `ageMs`, and the oldest of more than `most`. */
  prune(ageMs: number, most: number): Promise<void>;
}

// What is known of movies.

export interface TermFact {
  readonly name: string;
  /** Number or code at TMDB; `null` from an NFO. */
  readonly tmdbKey: string | null;
}

export interface PersonFact {
  readonly name: string;
  readonly tmdbId: number | null;
  readonly knownFor: string | null;
  readonly popularity: number | null;
  readonly portraitPath: string | null;
}

export interface CreditFact {
  readonly person: PersonFact;
  readonly kind: 'cast' | 'crew';
  /** The character or the job; '' where nobody says. */
  readonly role: string;
  readonly department: string | null;
}

export interface PictureFact {
  readonly path: string;
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  readonly language: string | null;
  readonly vote: number | null;
}

export interface SeriesFact {
  readonly tmdbId: number;
  readonly name: string;
  readonly overview: string | null;
  readonly posterPath: string | null;
  readonly backdropPath: string | null;
  /** In order of release. `null`: TMDB could not be asked for them now; those that are known stay. */
  readonly parts:
    | readonly {
        readonly tmdbId: number;
        readonly title: string;
        readonly releaseDate: string | null;
        readonly posterPath: string | null;
      }[]
    | null;
}

/** What a source says of a movie. What is absent is left as it is; `null` and an empty list say that there is none. */
export interface MovieFacts {
  readonly title?: string;
  readonly originalTitle?: string | null;
  readonly originalLanguage?: string | null;
  /** A sort title of its own; the generated one is made from the title. */
  readonly sortTitle?: string | null;
  readonly year?: number | null;
  readonly releaseDate?: string | null;
  readonly runtimeMinutes?: number | null;
  readonly tagline?: string | null;
  readonly overview?: string | null;
  readonly certification?: string | null;
  readonly rating?: number | null;
  readonly voteCount?: number | null;
  readonly popularity?: number | null;
  readonly status?: string | null;
  readonly trailerUrl?: string | null;
  readonly imdbId?: string | null;
  readonly genres?: readonly TermFact[];
  readonly keywords?: readonly TermFact[];
  readonly studios?: readonly TermFact[];
  readonly countries?: readonly TermFact[];
  readonly credits?: readonly CreditFact[];
  readonly ratings?: readonly { readonly source: string; readonly value: number; readonly votes: number | null }[];
  readonly releaseDates?: readonly {
    readonly country: string;
    readonly kind: number;
    readonly date: string;
    readonly certification: string | null;
  }[];
  readonly similar?: readonly number[];
  readonly alternativeTitles?: readonly { readonly title: string; readonly country: string | null }[];
  /** `null`: it belongs to no series. */
  readonly series?: SeriesFact | null;
  readonly pictures?: Readonly<Record<'poster' | 'backdrop' | 'logo', readonly PictureFact[]>>;
}

export interface PersonFacts {
  readonly biography: string | null;
  readonly bornOn: string | null;
  readonly diedOn: string | null;
  readonly birthplace: string | null;
}

/** A movie as matching and refreshing need it. */
export interface KnownMovie {
  readonly id: string;
  readonly match: MatchState;
  readonly fileTitle: string;
  readonly fileYear: number | null;
  /** Of its best file; `null` where that is one part of several. */
  readonly durationMs: number | null;
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  /** Ids that Radarr states. */
  readonly hints: readonly {
    readonly source: 'radarr';
    readonly tmdbId: number | null;
    readonly imdbId: string | null;
  }[];
  readonly lockedFields: readonly MovieField[];
  readonly refreshedAtMs: number | null;
  /** Its own files that are there, the best first. */
  readonly files: readonly MovieFilePlace[];
  readonly series: { readonly name: string; readonly tmdbId: number } | null;
  /** Movies of the catalogue that a person said it is not. */
  readonly apartFrom: readonly number[];
}

export interface MovieFilePlace {
  readonly libraryPath: string;
  /** Relative to the library's folder. */
  readonly path: string;
  /** No other movie has a file in its folder. */
  readonly isAloneInFolder: boolean;
}

export interface Candidate {
  readonly tmdbId: number;
  readonly title: string;
  readonly originalTitle: string | null;
  readonly year: number | null;
  readonly overview: string | null;
  readonly posterPath: string | null;
  readonly score: number;
  readonly reasons: readonly MatchReason[];
}

export interface Identity {
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly state: 'matched' | 'confirmed';
  readonly score: number | null;
  readonly reasons: readonly MatchReason[];
}

export interface ReviewRow {
  readonly movieId: string;
  readonly title: string;
  readonly year: number | null;
  readonly state: MatchState;
  readonly score: number | null;
  readonly reasons: readonly MatchReason[];
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly refreshedAtMs: number | null;
  readonly fileNames: readonly string[];
  readonly candidates: readonly Candidate[];
}

export interface MetadataStore {
  /** Movies that wait to be looked for, the newest first, from behind `after`. `isUnread`: only those whose NFO was not read yet. */
  waiting(page: {
    readonly after: string | null;
    readonly limit: number;
    readonly isUnread: boolean;
  }): Promise<string[]>;
  /** Those of these that wait. */
  waitingAmong(movieIds: readonly string[], isUnread: boolean): Promise<string[]>;
  /** Movies of the catalogue that were fetched longest ago, those never fetched first. */
  stale(ageMs: number, limit: number): Promise<string[]>;
  /** All that are there and known to the catalogue, in order of id, from behind `after`. */
  identified(after: string | null, limit: number): Promise<string[]>;
  identifiedCount(): Promise<number>;
  /** Those that a person put away, and those of which nothing plays, are not to be reviewed. */
  counts(): Promise<{ waiting: number; unmatched: number; doubtful: number }>;
  movie(movieId: string): Promise<KnownMovie | null>;
  /** Looked for: nothing certain was found. Changes nothing where a person has said what it is, or it was found meanwhile. */
  noteSearch(
    movieId: string,
    found: {
      readonly state: 'unmatched' | 'doubtful';
      readonly score: number | null;
      readonly reasons: readonly MatchReason[];
      readonly candidates: readonly Candidate[];
    },
  ): Promise<void>;
  /** What lies beside these was read. They go on waiting, and nobody's screen changes. */
  noteRead(movieIds: readonly string[]): Promise<void>;
  /**
   * Says which movie it is. One that is here with that number already takes its files, and what people did. Returns the id under which it lives on,
   * `apart` where a person said that the two are not one and no person says so now, `null` where there is no such movie.
   */
  identify(movieId: string, identity: Identity): Promise<{ readonly movieId: string } | 'apart' | null>;
  /**
   * Writes what was found out, but for the fields that a person locked. `isRefreshed`: it is all that the catalogue says now. False where the movie is
   * gone or another one of the catalogue than `tmdbId`.
   */
  writeFacts(movieId: string, tmdbId: number | null, facts: MovieFacts, isRefreshed: boolean): Promise<boolean>;
  /** TMDB has no such movie: where it was never fetched it is unmatched, else what is known stays. */
  noteGone(movieId: string, tmdbId: number): Promise<void>;
  /** It waits again, and is looked for again. */
  lookAgain(which: { readonly movieId: string } | 'unmatched'): Promise<string[]>;
  /** Called as its files are, without anything of the catalogue. False where there is no such movie. */
  unmatch(movieId: string): Promise<boolean>;
  /** The first takes the files of the others, and what people did. False where one of them is not there. */
  merge(movieIds: readonly string[]): Promise<boolean>;
  /** Makes a movie of these files, called as the best of them is. `null` where the movie or one of the files is not there. */
  split(
    movieId: string,
    fileIds: readonly string[],
    nameOf: (path: string) => { readonly title: string; readonly year: number | null },
  ): Promise<{ readonly movieId: string } | 'nothingLeft' | null>;
  /** Chooses release date and certification of this country from what is known, where nobody locked them. */
  chooseCountry(country: string): Promise<void>;
  /** The number at TMDB of somebody whose life was not fetched within `ageMs`; `null` where there is nothing to fetch. */
  stalePerson(personId: string, ageMs: number): Promise<number | null>;
  /** `null`: TMDB does not know them any more; what is known stays. */
  writePerson(personId: string, facts: PersonFacts | null): Promise<void>;
  review(page: {
    readonly offset: number;
    readonly limit: number;
    readonly state: 'unmatched' | 'doubtful' | null;
  }): Promise<ReviewRow[]>;
}

/** NFO files beside movies and in the data folder. */
export interface NfoPort {
  /** Bytes of the NFO beside a file, `null` where there is none that may be read: it must lie in the library, be a regular file and at most 1 MB. */
  read(file: MovieFilePlace): Promise<Uint8Array | null>;
  /** Writes one as a whole or not at all. `foreign`: somebody else's lies there. */
  write(
    place: NfoPlace,
    text: string,
  ): Promise<{ readonly kind: 'written' | 'foreign' | 'failed'; readonly path: string }>;
}
export type NfoPlace =
  | { readonly kind: 'beside'; readonly file: MovieFilePlace }
  | { readonly kind: 'dataFolder'; readonly movieId: string; readonly file: MovieFilePlace };

export interface PicturePort {
  /** Has the folders of these movies looked at for artwork, in the background. */
  lookBeside(movieIds: readonly string[]): void;
  /** Pictures at TMDB of movies that are not here, by path. */
  offerPaths(paths: readonly string[], role: PictureRole): Promise<ReadonlyMap<string, NonNullable<Picture>>>;
}

/** Movies as calls answer with them, and their wide pictures. */
export interface MoviePort {
  movie(movieId: string, sight: { readonly withPaths: boolean; readonly withHidden: boolean }): Promise<Movie | null>;
  cards(movieIds: readonly string[]): Promise<ReadonlyMap<string, { readonly picture: Picture }>>;
}

// Settings, health, changes, durable work.

export interface SettingPort {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
  readSealed(name: string): Promise<string | null>;
  writeSealed(name: string, secret: string | null): Promise<void>;
}

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}

export interface ChangePort {
  latestSeq(): Promise<number>;
  changesAfter(
    seq: number,
    limit: number,
  ): Promise<readonly { readonly seq: number; readonly kind: string; readonly entityId: string }[]>;
  onChange(listener: () => void): Promise<() => Promise<void>>;
}

export interface RunningWork {
  readonly attempt: number;
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number | null; readonly note?: string | null }): void;
}
export type WorkOutcome =
  | { readonly kind: 'done'; readonly note?: string }
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string };

export interface WorkPort {
  order(
    orders: readonly {
      readonly kind: 'match' | 'refresh';
      readonly payload: Readonly<Record<string, unknown>>;
      readonly urgency?: Urgency;
      readonly key?: string;
    }[],
  ): Promise<void>;
  handle(
    kind: 'match' | 'refresh',
    options: { readonly concurrency: number; readonly attempts?: number; readonly title: string },
    work: (payload: unknown, job: RunningWork) => Promise<WorkOutcome>,
  ): void;
}
