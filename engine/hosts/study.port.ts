import type { VideoTrack } from '#protocol/schema/media.ts';
import type { DarkPause } from '#engine/media/marker-finding.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { CommonSound } from '#engine/media/sound-match.ts';

/**
 * What a study host does for its parent: it looks into movies for pictures to seek by and for where intros and credits are. One
 * call at a time, each about one file. What is wrong with a file is an outcome, never an exception. `path` is absolute.
 */
export interface StudyPort {
  /** A sheet of small pictures as one WebP: upright, square pixels, SDR. A keyframe is decoded for each, nothing in between. */
  previewSheet(path: string, request: PreviewSheetRequest): PreviewSheetResult;
  /** Chromaprint's words for a stretch of sound. Reads that stretch of the file. */
  soundPrint(path: string, request: SoundPrintRequest): SoundPrintResult;
  /** What one such stretch shares with others. Reads no file: it is here because it takes a processor for a while. */
  commonSounds(path: string, request: CommonSoundsRequest): CommonSoundsResult;
  /** Pauses in which it is dark and silent, from a place to the end. Reads that stretch of the file. */
  darkPauses(path: string, request: DarkPausesRequest): DarkPausesResult;
}

/** What the calls allow themselves, then they fail with `timeout`. */
export const PREVIEW_SHEET_LIMIT_MS = 60_000;
export const SOUND_PRINT_LIMIT_MS = 180_000;
export const DARK_PAUSES_LIMIT_MS = 180_000;
/** What a parent allows `commonSounds`. */
export const COMMON_SOUNDS_LIMIT_MS = 60_000;

export interface PreviewSheetRequest {
  readonly track: VideoTrack;
  /** `MediaInfo.startMs`. */
  readonly startMs: number;
  /** On the movie's timeline, one for each picture. */
  readonly timesMs: readonly number[];
  readonly columns: number;
  /** Of one picture; even numbers. */
  readonly widthPx: number;
  readonly heightPx: number;
}

export type PreviewSheetResult =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly decoded: number }
  | { readonly ok: false; readonly failure: MediaFailure };

export interface SoundPrintRequest {
  /** Where it may write meanwhile: a folder that is emptied at the start of the server. Absolute. */
  readonly scratchFolder: string;
  readonly trackIndex: number;
  readonly startMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export type SoundPrintResult =
  | { readonly ok: true; readonly words: Uint32Array }
  | { readonly ok: false; readonly failure: MediaFailure };

export interface CommonSoundsRequest {
  readonly words: Uint32Array;
  readonly others: readonly Uint32Array[];
  /** Shorter is chance. */
  readonly minMs: number;
}

export interface CommonSoundsResult {
  readonly ok: true;
  /** One for each of the others, `null` where nothing is shared. */
  readonly common: readonly (CommonSound | null)[];
}

export interface DarkPausesRequest {
  readonly video: VideoTrack;
  readonly audioIndex: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly fromMs: number;
}

export type DarkPausesResult =
  | { readonly ok: true; readonly pauses: readonly DarkPause[] }
  | { readonly ok: false; readonly failure: MediaFailure };
