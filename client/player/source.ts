/** One way of feeding a video element. A source belongs to one opened playback and is thrown away with it. */

/**
 * Why a source can't go on:
 * - `expired`: its signed address is no longer accepted; a new one brings it back
 * - `unreachable`: the server did not answer
 * - `undecodable`: the bytes came, the device could not play them
 */
export type SourceProblem = 'expired' | 'unreachable' | 'undecodable';

export interface SourceEvents {
  /** `detail` is the server's code for it, where it gave one, else words for a developer. */
  onProblem(problem: SourceProblem, detail: string): void;
}

/** What the info panel tells about the running source. */
export interface SourceFacts {
  /** Measured by the player, `null` where it does not measure. */
  readonly throughputBps: number | null;
  readonly variantBitrateBps: number | null;
  readonly engine: 'file' | 'hls.js' | 'nativeHls';
}

export interface Source {
  /** Switches to the audio rendition of this name without opening anew; `false` where the source has none of it. */
  switchRendition(name: string): boolean;
  facts(): SourceFacts;
  close(): void;
}

/** Statuses by which the server says that an address is used up. */
export const EXPIRED_STATUS: ReadonlySet<number> = new Set([401, 403, 410]);
