import type { MediaInfo } from '#protocol/schema/media.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';

/**
 * What a probe host does for its parent: one call at a time, each about one file, so that when the process dies it is
 * clear which file did it. To work on several files at once, run several hosts.
 *
 * What is wrong with a file is an outcome, never an exception. `path` is absolute; a pipe or device is refused unopened.
 */
export interface ProbePort {
  /** Everything about a file. Milliseconds for most files, some 50 ms for MPEG-TS and rare codecs; reads headers and index only. */
  probe(path: string): ProbeResult;
  /**
   * Keyframes of a video track by whichever way works: the container's index, else a walk by seeking, else a scan of the
   * whole file. For files whose probe gave `null`. Reads at most for `KEYFRAMES_LIMIT_MS`, then fails with `timeout`.
   */
  keyframes(path: string, trackIndex: number): KeyframesResult;
  /** One picture that stands for the movie: upright, square pixels, SDR, not black. */
  picture(path: string, request: PictureRequest): PictureResult;
  /**
   * Subtitle tracks of a movie, or a file of subtitles, as files in a folder that can be read while they are written: WebVTT on the
   * timeline of HLS segments, ASS, pictures. May read the whole movie, at most for `SUBTITLE_LIMIT_MS`.
   */
  subtitle(path: string, request: SubtitleRequest): SubtitleResult;
  /** Whether players can begin at these keyframes of a video track. One seek and a few packets for each. */
  entryPoints(path: string, request: EntryPointsRequest): EntryPointsResult;
}

/** What `keyframes` allows itself; the parent's own limit lies above it. */
export const KEYFRAMES_LIMIT_MS = 120_000;
/** What `picture` allows itself before it makes do with what it has seen. */
export const PICTURE_LIMIT_MS = 10_000;
/** What `subtitle` allows itself, then it fails with `timeout`. */
export const SUBTITLE_LIMIT_MS = 1_800_000;
/** What it allows itself to see what a file is that somebody has handed in: a few pictures tell, and others wait behind it. */
export const SUBTITLE_LOOK_LIMIT_MS = 15_000;
/** What `entryPoints` allows itself, then it fails with `timeout`. */
export const ENTRY_POINTS_LIMIT_MS = 10_000;

export type ProbeResult =
  | {
      readonly ok: true;
      readonly media: MediaInfo;
      /**
       * Keyframes of the first video track in rising order, microseconds from the movie's beginning (`media.startMs` on
       * the file's own timeline). `null`: the container has no usable index, ask `keyframes`.
       */
      readonly keyframesUs: Float64Array | null;
      /**
       * Bytes from each keyframe to the next: of the track, or of all tracks together where the container's index speaks of
       * those (Matroska). Absent or `null`: the index does not say.
       */
      readonly keyframeBytes?: Float64Array | null;
    }
  | { readonly ok: false; readonly failure: MediaFailure };

export type KeyframesResult =
  | {
      readonly ok: true;
      readonly keyframesUs: Float64Array;
      /** As `ProbeResult` has it, of all tracks together. */
      readonly keyframeBytes?: Float64Array | null;
    }
  | { readonly ok: false; readonly failure: MediaFailure };

export interface PictureRequest {
  /** Wanted width, 16 to 3840. A picture is never enlarged. */
  readonly widthPx: number;
  /** Where in the movie to look first, 0 to 1. */
  readonly atFraction: number;
}

export type PictureResult =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      readonly mimeType: 'image/webp';
      readonly widthPx: number;
      readonly heightPx: number;
    }
  | { readonly ok: false; readonly failure: MediaFailure };

export type SubtitleRequest =
  | {
      readonly kind: 'tracks';
      readonly folder: string;
      /** Tracks, the most urgent first. */
      readonly wanted: readonly number[];
      /** `MediaInfo.startMs`. */
      readonly startMs: number;
      /** Where in the movie somebody watches. */
      readonly fromMs: number;
    }
  | {
      readonly kind: 'file';
      /** `null`: only tells what it is. */
      readonly folder: string | null;
      readonly id: string;
      readonly indexPath: string | null;
      readonly language: string | null;
      readonly frameRate: number | null;
    };

export type SubtitleResult =
  | {
      readonly ok: true;
      /** Ids whose files are whole: `t3`, or the one of the request. */
      readonly made: readonly string[];
      /** What a file of subtitles turned out to be: `srt`, `vtt`, `ass`, `microdvd`, `sup`, `vobsub`; `null` for tracks. */
      readonly fileKind: string | null;
    }
  | { readonly ok: false; readonly failure: MediaFailure };

export interface EntryPointsRequest {
  readonly trackIndex: number;
  /** `MediaInfo.startMs`. */
  readonly startMs: number;
  /** Keyframes to look at, µs from the beginning of the movie. */
  readonly timesUs: readonly number[];
}

export type EntryPointsResult =
  | { readonly ok: true; readonly areUsable: boolean }
  | { readonly ok: false; readonly failure: MediaFailure };
