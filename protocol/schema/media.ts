/** What a probe learns about one media file. Produced by `engine/av`, stored with the file, sent to clients. */
import * as v from 'valibot';
import { Count, LanguageTag, Milliseconds, ShortText } from './scalar.ts';

/** Containers that Matinee opens. Everything else is refused before FFmpeg sees it. */
export const CONTAINERS = ['matroska', 'webm', 'mp4', 'mpegts', 'mpegps', 'avi', 'asf', 'flv', 'ogg', 'audio'] as const;
export const Container = v.picklist(CONTAINERS);
export type Container = v.InferOutput<typeof Container>;

/** HDR kinds by how a display must treat them. `null` in a track means standard dynamic range. */
export const HDR_KINDS = ['hdr10', 'hdr10plus', 'hlg', 'dolbyVision'] as const;
export const HdrKind = v.picklist(HDR_KINDS);
export type HdrKind = v.InferOutput<typeof HdrKind>;

/** A ratio as FFmpeg states it, so that 24000/1001 stays exact. `den` is never 0. */
export const Ratio = v.object({
  num: v.pipe(v.number(), v.integer()),
  den: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
export type Ratio = v.InferOutput<typeof Ratio>;

const Disposition = v.object({
  default: v.boolean(),
  forced: v.boolean(),
  original: v.boolean(),
  commentary: v.boolean(),
  hearingImpaired: v.boolean(),
  visualImpaired: v.boolean(),
});
export type Disposition = v.InferOutput<typeof Disposition>;

const trackBase = {
  /** Position among all tracks of the file, as FFmpeg numbers them. */
  index: Count,
  /** FFmpeg's codec name: `h264`, `hevc`, `aac`, `subrip` … */
  codec: v.pipe(v.string(), v.maxLength(64)),
  /** Codec profile as FFmpeg names it (`High`, `Main 10`, `LC`), `null` where there is none. */
  profile: v.nullable(ShortText),
  language: LanguageTag,
  title: v.nullable(ShortText),
  disposition: Disposition,
  bitrateBps: v.nullable(Count),
  /** RFC 6381 string for `MediaSource.isTypeSupported` (`avc1.640028`); `null` where none can be formed. */
  codecString: v.nullable(v.pipe(v.string(), v.maxLength(64))),
};

export const VideoTrack = v.object({
  ...trackBase,
  /** Codec level as FFmpeg states it (H.264: 41 is 4.1; HEVC: 153 is 5.1), `null` where unknown. */
  level: v.nullable(v.pipe(v.number(), v.integer())),
  width: Count,
  height: Count,
  /** Sample aspect ratio; 1:1 where the file does not say. */
  pixelAspect: Ratio,
  /** Clockwise turn in degrees that a player must apply: 0, 90, 180 or 270. */
  rotation: v.picklist([0, 90, 180, 270]),
  pixelFormat: v.nullable(ShortText),
  bitDepth: v.nullable(Count),
  /** Average frames per second; `null` where unknown. */
  frameRate: v.nullable(Ratio),
  isVariableFrameRate: v.boolean(),
  isInterlaced: v.boolean(),
  hdr: v.nullable(HdrKind),
  /** Present for Dolby Vision only. `compatibility` is dv_bl_signal_compatibility_id. */
  dolbyVision: v.nullable(v.object({ profile: Count, level: Count, compatibility: Count })),
  /** FFmpeg names (`bt709`, `bt2020nc`, `smpte2084`, `tv`); `null` where the file does not say. */
  color: v.object({
    primaries: v.nullable(ShortText),
    transfer: v.nullable(ShortText),
    matrix: v.nullable(ShortText),
    range: v.nullable(ShortText),
  }),
});
export type VideoTrack = v.InferOutput<typeof VideoTrack>;

export const AudioTrack = v.object({
  ...trackBase,
  channels: Count,
  /** FFmpeg's layout name: `stereo`, `5.1(side)`; `null` where unknown. */
  channelLayout: v.nullable(ShortText),
  sampleRateHz: Count,
  bitDepth: v.nullable(Count),
});
export type AudioTrack = v.InferOutput<typeof AudioTrack>;

export const SubtitleTrack = v.object({
  ...trackBase,
  /** Text subtitles convert to WebVTT; bitmap ones (PGS, VobSub, DVB) do not. */
  isText: v.boolean(),
});
export type SubtitleTrack = v.InferOutput<typeof SubtitleTrack>;

export const Chapter = v.object({
  startMs: Milliseconds,
  endMs: v.nullable(Milliseconds),
  title: v.nullable(ShortText),
});
export type Chapter = v.InferOutput<typeof Chapter>;

export const Attachment = v.object({
  index: Count,
  fileName: v.nullable(ShortText),
  mimeType: v.nullable(ShortText),
  /** `font`, a cover picture, or anything else. */
  kind: v.picklist(['font', 'cover', 'other']),
  sizeBytes: Count,
});
export type Attachment = v.InferOutput<typeof Attachment>;

/** Everything a probe learns. Cover pictures are attachments here, never video tracks. */
export const MediaInfo = v.object({
  container: Container,
  /** FFmpeg's demuxer name, for people who compare with ffprobe. */
  demuxer: ShortText,
  durationMs: v.nullable(Milliseconds),
  /** Presentation time of the first sample: MPEG-TS files start anywhere. Milliseconds, may be negative. */
  startMs: v.pipe(v.number(), v.safeInteger()),
  bitrateBps: v.nullable(Count),
  sizeBytes: Count,
  /** The file's own title tag, `null` where it has none. A hint, never trusted over the name. */
  title: v.nullable(ShortText),
  video: v.array(VideoTrack),
  audio: v.array(AudioTrack),
  subtitles: v.array(SubtitleTrack),
  chapters: v.array(Chapter),
  attachments: v.array(Attachment),
});
export type MediaInfo = v.InferOutput<typeof MediaInfo>;
