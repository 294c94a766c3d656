/** What a device can play, and what the server decided to send it. */
import * as v from 'valibot';
import { Chapter, Container, HdrKind } from './media.ts';
import { Count, Id, LanguageTag, Milliseconds, ShortText, Timestamp } from './scalar.ts';

const CodecName = v.pipe(v.string(), v.maxLength(64));
const bounded = <S extends v.GenericSchema>(item: S, max: number) => v.pipe(v.array(item), v.maxLength(max));

/** What a device said of one video codec. Absent limits mean that none is known. */
export const VideoCodecSupport = v.object({
  codec: CodecName,
  /** Highest bit depth that decodes. */
  maxBitDepth: v.optional(Count, 8),
  maxWidth: v.optional(Count),
  maxHeight: v.optional(Count),
  maxFrameRate: v.optional(v.pipe(v.number(), v.minValue(1))),
  /** Highest level, in FFmpeg's numbers (H.264: 52 is 5.2; HEVC: 153 is 5.1). */
  maxLevel: v.optional(Count),
});
export type VideoCodecSupport = v.InferOutput<typeof VideoCodecSupport>;

/**
 * What this device can decode, from tests that ran on it (`MediaCapabilities.decodingInfo`, `MediaSource.isTypeSupported`,
 * `canPlayType`). `file` is what a video element plays from a URL; `segments` is what Media Source Extensions, or the
 * device's own HLS player, take as fragmented MP4.
 */
export const DeviceProfile = v.object({
  name: ShortText,
  file: bounded(
    v.object({ container: Container, video: bounded(VideoCodecSupport, 16), audio: bounded(CodecName, 32) }),
    16,
  ),
  segments: v.object({ video: bounded(VideoCodecSupport, 16), audio: bounded(CodecName, 32) }),
  /** HDR kinds that the screen and decoder show as such. */
  hdr: bounded(HdrKind, 8),
  maxAudioChannels: v.optional(v.pipe(Count, v.minValue(1)), 2),
  /** What the person or their line allows; absent for no limit. */
  maxBitrateBps: v.optional(Count),
});
export type DeviceProfile = v.InferOutput<typeof DeviceProfile>;

/** The profile of a client that sends none: what every browser of the last ten years plays. */
export const BASELINE_PROFILE: DeviceProfile = {
  name: 'baseline',
  file: [{ container: 'mp4', video: [{ codec: 'h264', maxBitDepth: 8, maxLevel: 52 }], audio: ['aac', 'mp3'] }],
  segments: { video: [{ codec: 'h264', maxBitDepth: 8, maxLevel: 52 }], audio: ['aac'] },
  hdr: [],
  maxAudioChannels: 2,
};

export const PLAY_METHODS = ['directPlay', 'remux', 'transcode'] as const;
export const PlayMethod = v.picklist(PLAY_METHODS);
export type PlayMethod = v.InferOutput<typeof PlayMethod>;

/** Why a file is not sent as it is. Closed: the client has a sentence for each. */
export const PLAY_REASONS = [
  'containerNotSupported',
  'videoCodecNotSupported',
  'videoBitDepthNotSupported',
  'videoLevelNotSupported',
  'videoResolutionNotSupported',
  'videoFrameRateNotSupported',
  'hdrNotSupported',
  'dolbyVisionNotSupported',
  'interlacedNotSupported',
  'rotationNotSupported',
  'audioCodecNotSupported',
  'audioChannelsNotSupported',
  'audioTrackSelected',
  'bitrateTooHigh',
  'timestampsUnreliable',
  'keyframesUnusable',
  'failedOnThisDevice',
] as const;
export const PlayReason = v.picklist(PLAY_REASONS);
export type PlayReason = v.InferOutput<typeof PlayReason>;

/** What happens to one track on its way. */
export const TrackDecision = v.object({
  trackIndex: Count,
  method: v.picklist(['copy', 'transcode']),
  fromCodec: CodecName,
  toCodec: CodecName,
});
export type TrackDecision = v.InferOutput<typeof TrackDecision>;

/** One audio track that a person can choose. */
export const AudioChoice = v.object({
  trackIndex: Count,
  label: ShortText,
  language: LanguageTag,
  codec: CodecName,
  channels: Count,
  isDefault: v.boolean(),
  isSelected: v.boolean(),
});

/** One subtitle track that a person can choose; `url` is WebVTT, `null` where the track can't be shown yet (pictures). */
export const SubtitleChoice = v.object({
  trackIndex: Count,
  label: ShortText,
  language: LanguageTag,
  codec: CodecName,
  isForced: v.boolean(),
  isDefault: v.boolean(),
  isHearingImpaired: v.boolean(),
  url: v.nullable(v.string()),
});

/**
 * The place of a file in a movie that is cut into several. Progress is one position in the whole movie: a player reports
 * `offsetMs` and its position in the file, out of `movieDurationMs`.
 */
export const MoviePart = v.object({
  /** As the file's name says. */
  number: Count,
  /** Highest number among the files that are here. */
  count: Count,
  /** Where in the movie the file begins. */
  offsetMs: Milliseconds,
  movieDurationMs: Milliseconds,
  /** What is played after it; `null` for the last. */
  nextFileId: v.nullable(Id),
});
export type MoviePart = v.InferOutput<typeof MoviePart>;

export const Playback = v.object({
  movieId: Id,
  fileId: Id,
  method: PlayMethod,
  reasons: v.array(PlayReason),
  video: v.nullable(TrackDecision),
  audio: v.nullable(TrackDecision),
  /** `file`: give `url` to a video element. `hls`: give it to an HLS player. Signed, relative to the server, usable without a cookie until `expiresAt`. */
  kind: v.picklist(['file', 'hls']),
  url: v.string(),
  /** Content type of `url`. */
  mimeType: v.string(),
  expiresAt: Timestamp,
  /** Of the file; of the whole movie where it is cut: `part`. */
  durationMs: Milliseconds,
  /** Where in the file to begin: where the call says, or where this person left off; 0 is the beginning. */
  resumeMs: Milliseconds,
  /** `null` where the file is the whole movie. */
  part: v.nullable(MoviePart),
  /** A trailer, a deleted scene …: nobody's place in the movie is kept from it, so it reports none. */
  isExtra: v.boolean(),
  source: v.object({
    container: Container,
    bitrateBps: v.nullable(Count),
    width: v.nullable(Count),
    height: v.nullable(Count),
    sizeBytes: Count,
  }),
  audioTracks: v.array(AudioChoice),
  subtitleTracks: v.array(SubtitleChoice),
  chapters: v.array(Chapter),
});
export type Playback = v.InferOutput<typeof Playback>;
