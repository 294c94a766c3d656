/** What a rendition host is asked to make: one track of one file, in one output form, cut on one segment plan. */
import type { ProvenHardware } from './hardware-plan.ts';
import type { VideoTrack } from '#protocol/schema/media.ts';

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
  /** What this machine's hardware was proven to do; absent: the processor does everything, also where `output` names another encoder. */
  readonly hardware?: ProvenHardware | null;
  /**
   * Where the subtitles are that become a part of it: pictures (`.pics`), or a script with styles (`.ass`) with its fonts beside it;
   * absolute, and may still be growing. For outputs with `burnIn`.
   */
  readonly burnInPath?: string;
  /** A folder to keep what is known of the machine's fonts in; absolute. Comes with a script. */
  readonly fontsPath?: string;
}

export type RenditionOutput = CopyOutput | VideoOutput | SoundOutput | KeyframesOutput;

/** The track's packets as they are, in a new container. */
export interface CopyOutput {
  readonly method: 'copy';
  /** Dolby Vision is taken out, so that HDR10, HLG or SDR is left, for a device that stumbles over it. */
  readonly withoutDolbyVision?: true;
}

/** What a picture is encoded as. */
export const VIDEO_CODECS = ['h264', 'hevc', 'av1'] as const;
export type VideoCodec = (typeof VIDEO_CODECS)[number];

/** What encodes it: x264, x265 and SVT-AV1 on the processor, or one of the machine's encoders. */
export const VIDEO_ENCODERS = ['software', 'vaapi', 'qsv', 'nvenc', 'amf', 'videotoolbox', 'vulkan'] as const;
export type VideoEncoderKind = (typeof VIDEO_ENCODERS)[number];

/** An encoded picture: H.264 High, HEVC Main or AV1 Main; 8 bit 4:2:0, square pixels, limited range. */
export interface VideoOutput {
  readonly method: VideoCodec;
  readonly encoder: VideoEncoderKind;
  /** Wanted height; never enlarged. `pictureSize` tells the size that comes out. */
  readonly heightPx: number;
  /** In the codec's own numbers, as `videoLevel` gives it. In the plan, so that the playlist can name the codec before a picture is made. */
  readonly level: number;
  /** Constant quality as x264 counts it: 18 is hardly distinguishable, 28 is small. Other encoders translate it. */
  readonly crf: number;
  /** Ceiling, held over two seconds. */
  readonly maxBitrateBps: number;
  /** How much work goes into it, in x264's words. Other encoders translate it. */
  readonly preset: X264Preset;
  /** HDR to SDR. Wanted for HDR10, HLG and Dolby Vision. */
  readonly toneMap: boolean;
  readonly deinterlace: boolean;
  /** Id of the subtitles that become a part of the picture: a track of the file, or a file of their own. Always on the processor. */
  readonly burnIn?: string;
  /** How much later than their file says those are shown, negative for earlier; absent: as it says. */
  readonly burnInOffsetMs?: number;
}

/** Whether a picture is encoded: that alone is costly enough to be counted. */
export function isEncodedPicture(output: RenditionOutput): output is VideoOutput {
  return VIDEO_CODECS.some((codec) => codec === output.method);
}

/** Of what `KeyframesOutput` makes, times ten: enough for a picture of 320×320. */
export const KEYFRAMES_LEVEL = 13;
/** The largest that one of those pictures becomes. */
export const MAX_KEYFRAME_BITS = 160_000;

/** One small H.264 picture for each boundary, upright, with square pixels, in SDR: for I-frame playlists. */
export interface KeyframesOutput {
  readonly method: 'keyframes';
  readonly widthPx: number;
  readonly heightPx: number;
  readonly source: Pick<VideoTrack, 'width' | 'height' | 'rotation' | 'isInterlaced' | 'hdr'>;
}

/** What sound is encoded as. */
export const SOUND_CODECS = ['aac', 'ac3', 'eac3'] as const;
export type SoundCodec = (typeof SOUND_CODECS)[number];

/** AAC-LC, AC-3 or E-AC-3 at 48 kHz, on a grid that begins with the movie: of 1024 samples for AAC, of 1536 for the others. */
export interface SoundOutput {
  readonly method: SoundCodec;
  /** Six: 5.1, for tracks that have as many. */
  readonly channels: 2 | 6;
  readonly bitrateBps: number;
  /** Speech up, explosions down. */
  readonly isNight?: true;
}

export function isEncodedSound(output: RenditionOutput): output is SoundOutput {
  return SOUND_CODECS.some((codec) => codec === output.method);
}

export const X264_PRESETS = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow'] as const;
export type X264Preset = (typeof X264_PRESETS)[number];

/** Segments `from` to `until`, both included. */
export interface SegmentRange {
  readonly from: number;
  readonly until: number;
}
