/** What a download host is asked to make: one MP4 file out of tracks of one movie file. */
import type { ProvenHardware } from './hardware-plan.ts';
import type { CopyOutput, SoundOutput, VideoOutput } from './rendition-spec.ts';

export interface DownloadSpec {
  /** Absolute path of the movie file. */
  readonly path: string;
  /** A folder of this download alone, made where it is missing. What a process that ended left there is gone on with. */
  readonly workFolder: string;
  /** Where the file is written. Whole, and on the disk, when `finished` comes. */
  readonly resultPath: string;
  /** As of a rendition, the same for all tracks. */
  readonly boundariesUs: readonly number[] | Float64Array;
  readonly startUs: number;
  /** `null` for sound alone. */
  readonly video: {
    readonly trackIndex: number;
    readonly output: CopyOutput | VideoOutput;
    readonly language: string | null;
    /** Of the pictures of subtitles that become a part of it: absolute, and whole. For outputs with `burnIn`. */
    readonly burnInPath?: string;
  } | null;
  readonly audio: readonly DownloadSound[];
  readonly texts: readonly DownloadText[];
  readonly chapters: readonly { readonly startMs: number; readonly title: string }[];
  readonly title: string | null;
  readonly year: number | null;
  readonly hardware: ProvenHardware | null;
  /** The file may not become larger. */
  readonly maxBytes: number;
}

export interface DownloadSound {
  readonly trackIndex: number;
  readonly output: CopyOutput | SoundOutput;
  /** Where the track turns out not to be copyable. */
  readonly otherwise: SoundOutput;
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  /** `urn:mpeg:dash:role:2011`. */
  readonly roles: readonly string[];
}

export interface DownloadText {
  /** WebVTT of our own writing. */
  readonly vttPath: string;
  readonly language: string | null;
  readonly title: string | null;
  readonly isDefault: boolean;
  readonly isForced: boolean;
  readonly roles: readonly string[];
}

/**
 * Why none was made. `sourceGone`: the file can't be read, or not now. `sourceDamaged`: what is in it can't be. `cannotCopy`: its picture
 * can't be taken as it is. `diskFull`; `tooLarge`: more than `maxBytes`. `trouble`: a fault of ours.
 */
export const DOWNLOAD_TROUBLES = [
  'sourceGone',
  'sourceDamaged',
  'cannotCopy',
  'diskFull',
  'tooLarge',
  'trouble',
] as const;
export type DownloadTrouble = (typeof DOWNLOAD_TROUBLES)[number];
