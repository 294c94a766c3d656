/** What progress needs from a store. */
import type { ProgressState } from './progress-state.ts';

export interface ProgressStore {
  /**
   * Applies `change` to the stored state (`null`: never played) under a row lock, writes what it returns together with its line in
   * the change feed, and returns it. Returning the same state, or `null`, writes nothing. `null`: there is no such movie.
   */
  update(
    userId: string,
    movieId: string,
    change: (stored: ProgressState | null, movie: { durationMs: number | null }) => ProgressState,
  ): Promise<ProgressState | null>;
}
