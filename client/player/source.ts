/** What feeds the video element. One is made for each opened playback and is thrown away with it. */

/**
 * Why a source can't go on:
 * - `expired`: its signed address is no longer accepted; a new one brings it back
 * - `unreachable`: the server did not answer
 * - `undecodable`: the bytes came, the device could not play them
 */
export type SourceProblem = 'expired' | 'unreachable' | 'undecodable';

/** One rung of the ladder, as the source knows it. */
export interface SourceVariant {
  /** Position in the source's own list, lowest bit rate first. */
  readonly index: number;
  /** As it stands in its address, and in `Playback.variants`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bitrateBps: number;
  readonly codec: string;
}

export interface SourceEvents {
  /** `detail` is the server's code for it, where it gave one, else words for a developer. */
  onProblem(problem: SourceProblem, detail: string): void;
  /** What there is to choose from; none where the source has only the one. */
  onVariants(variants: readonly SourceVariant[]): void;
  /** The variant that is on the screen from now on. */
  onVariant(index: number): void;
  /** The sound that is heard from now on, by the name of its rendition: what was switched to comes a moment after it was chosen. */
  onSound(name: string): void;
}

/** What the info panel tells about the running source. */
export interface SourceFacts {
  /** Measured by the player, `null` where it does not measure. */
  readonly throughputBps: number | null;
  /** What the variant is said to take. */
  readonly variantBitrateBps: number | null;
  /** What the segments of the last half minute really took; `null` where nobody counts. */
  readonly liveBitrateBps: number | null;
  readonly engine: 'file' | 'hls.js' | 'nativeHls';
}

export interface Source {
  /** Switches to the audio rendition of this name without opening anew; `false` where the source has none of it. */
  switchRendition(name: string): boolean;
  /** `null`: whichever the line carries. What is on the screen stays until the other one is there. */
  chooseVariant(index: number | null): void;
  facts(): SourceFacts;
  /** Bytes that have arrived so far, or what stands for them: more than before wherever anything has. */
  arrivedBytes(): number;
  /** Gives up what is under way and asks for it anew: nothing has come for too long. */
  restart(): void;
  close(): void;
}

/** What a source is told about the line and the person before it begins. */
export interface SourceStart {
  readonly startMs: number;
  /** What the line carried last; `null`: nobody knows. */
  readonly lineBps: number | null;
  /** The best variant is the picture of the file as it is: it costs the server nothing, where every other has to be encoded. */
  readonly hasOriginal: boolean;
}

/** Statuses by which the server says that an address is used up. */
export const EXPIRED_STATUS: ReadonlySet<number> = new Set([401, 403, 410]);
