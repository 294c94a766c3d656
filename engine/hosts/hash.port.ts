import type { MediaFailure } from '#engine/media/media-failure.ts';

/** 16 hexadecimal digits of XXH3-64, or why there are none. */
export type HashOutcome = { readonly hash: string } | { readonly failure: MediaFailure };

/** What a domain may ask of the hashing threads. Outcomes are values: an unreadable file is no exception. */
export interface ContentHashes {
  /**
   * Identity hashes, in the order of the paths: equal for a file that was moved or renamed, different (but for chance) for
   * any two movies. Reads at most 192 KiB of each file, so pass many paths at once. Rejects only with the signal's reason,
   * or when the pool is overloaded or stopped (PoolError).
   */
  identify(paths: readonly string[], signal?: AbortSignal): Promise<readonly HashOutcome[]>;
  /** Hash of every byte. Takes as long as reading the file does; one at a time. Rejects like `identify`. */
  whole(path: string, signal?: AbortSignal): Promise<HashOutcome>;
}
