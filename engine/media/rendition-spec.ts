/** What a rendition host is asked to make: one track of one file, in one output form, cut on one segment plan. */

/**
 * Added to every movie time in a segment. Sound may begin before the picture, and leading pictures before their keyframe,
 * but fMP4 decode times are unsigned. Players subtract it through the first segment they see; WebVTT says it as
 * `X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000`.
 */
export const TIMELINE_OFFSET_US = 10_000_000;

export interface RenditionSpec {
  /** Absolute path of the movie file. */
  readonly path: string;
  /** Position among all tracks of the file, as FFmpeg numbers them. */
  readonly trackIndex: number;
  readonly kind: 'video' | 'audio';
  /** An existing folder of this rendition alone. The host writes `init.mp4` and `<index>.m4s` there, each appearing whole. */
  readonly outputDir: string;
  /**
   * Where segments begin, and where the last one ends: n + 1 rising movie times for n segments, in microseconds from the
   * beginning of the movie. A copied video track needs each of them (but the last) to be the time of one of its keyframes.
   */
  readonly boundariesUs: readonly number[] | Float64Array;
  /** The file's own time at the beginning of the movie, in microseconds: `MediaInfo.startMs` × 1000. May be negative. */
  readonly startUs: number;
  readonly output: RenditionOutput;
}

export type RenditionOutput = CopyOutput | H264Output | AacOutput;

/** The track's packets as they are, in a new container. */
export interface CopyOutput {
  readonly method: 'copy';
}

/** H.264 High, 8 bit 4:2:0, square pixels, limited range. */
export interface H264Output {
  readonly method: 'h264';
  /** Wanted height; never enlarged. `pictureSize` tells the size that comes out. */
  readonly heightPx: number;
  /** Times ten, as `h264Level` gives it. In the plan, so that the playlist can name the codec before a picture is made. */
  readonly level: number;
  /** x264's constant rate factor: 18 is hardly distinguishable, 28 is small. */
  readonly crf: number;
  /** Ceiling, held over two seconds. */
  readonly maxBitrateBps: number;
  readonly preset: X264Preset;
  /** HDR to SDR. Wanted for HDR10, HLG and Dolby Vision. */
  readonly toneMap: boolean;
  readonly deinterlace: boolean;
}

/** AAC-LC, 48 kHz, on a grid of 1024 samples that begins with the movie. */
export interface AacOutput {
  readonly method: 'aac';
  readonly channels: 2;
  readonly bitrateBps: number;
}

export const X264_PRESETS = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow'] as const;
export type X264Preset = (typeof X264_PRESETS)[number];

/** Segments `from` to `until`, both included. */
export interface SegmentRange {
  readonly from: number;
  readonly until: number;
}
