/** What progress needs from a store. */
import type { Progress } from '#protocol/schema/progress.ts';

/** What is stored of one person in one movie. */
export interface ProgressState {
  /** As it was reported, at most the length. The resume point is derived from it. */
  readonly positionMs: number;
  /** 0 while nobody knows the length. */
  readonly durationMs: number;
  readonly isWatched: boolean;
  readonly watchCount: number;
  readonly observedAtMs: number;
}

/** Where the credits begin, from whoever knows. */
export interface CreditsPort {
  /** `null` where nobody knows, or the movie is not of that length. */
  creditsStartMs(movieId: string, durationMs: number): Promise<number | null>;
}

export interface ProgressStore {
  /**
   * Applies `change` to the stored state (`null`: never played) under a row lock, writes what it returns together with its line in
   * the change feed, and returns it. Returning the very state it was given writes nothing. `null`: there is no such movie.
   */
  update(
    userId: string,
    movieId: string,
    change: (stored: ProgressState | null, movie: { durationMs: number | null }) => ProgressState,
  ): Promise<ProgressState | null>;
  /** The latest of one person, at most `limit`. */
  latest(userId: string, limit: number): Promise<Progress[]>;
  /** Of these movies; those never played are absent. */
  ofMovies(userId: string, movieIds: readonly string[]): Promise<Progress[]>;
}
