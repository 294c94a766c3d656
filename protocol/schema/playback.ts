/** What a device can play, and what the server decided to send it. */
import * as v from 'valibot';
import { HARDWARE_KINDS } from './hardware.ts';
import { Chapter, Container, HdrKind } from './media.ts';
import { Marker, NextMovie, Trickplay } from './moments.ts';
import { Count, Id, LanguageTag, Milliseconds, ShortText, Timestamp } from './scalar.ts';
import { SubtitleChoice, SubtitleId } from './subtitle.ts';

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
  /** Largest picture that plays without stutter, where the device says that larger ones decode, but not in time. */
  maxSmoothWidth: v.optional(Count),
  maxSmoothHeight: v.optional(Count),
  /** Whether an ordinary picture of it is decoded by hardware; absent where the device does not say. */
  isPowerEfficient: v.optional(v.boolean()),
  /** Shows a turned picture as it is stored, also where the file says how to turn it; absent: it turns those in MP4. */
  ignoresRotation: v.optional(v.boolean()),
  /** Sample entries that it takes in MP4 files (`hvc1`); absent: whichever there is. */
  sampleEntries: v.optional(bounded(CodecName, 4)),
});
export type VideoCodecSupport = v.InferOutput<typeof VideoCodecSupport>;

export const PLAY_METHODS = ['directPlay', 'remux', 'transcode'] as const;
export const PlayMethod = v.picklist(PLAY_METHODS);
export type PlayMethod = v.InferOutput<typeof PlayMethod>;

/** Subtitles that a device draws by itself, over the picture. */
export const DRAWN_SUBTITLES = ['pictures', 'styled'] as const;
export type DrawnSubtitles = (typeof DRAWN_SUBTITLES)[number];

/** What a device was sent, in the few words that decide whether it plays: what failed once in this form fails again. */
export const SentForm = v.object({
  method: PlayMethod,
  /** Of the file; segments are `mp4`. */
  container: Container,
  /** `null` without a picture. */
  videoCodec: v.nullable(CodecName),
  videoBitDepth: v.nullable(Count),
  /** Height of the 16:9 box around the picture, rounded up to the usual ones (720, 1080, 2160 …). */
  videoBoxPx: v.nullable(Count),
  /** `null` without sound. */
  audioCodec: v.nullable(CodecName),
  /** Not the movie failed, but the drawing of subtitles of this kind; all else is then that of `UNDRAWN`. */
  subtitles: v.optional(v.picklist(DRAWN_SUBTITLES)),
});
export type SentForm = v.InferOutput<typeof SentForm>;

/** The form of a lesson that says nothing of the movie itself. */
export const UNDRAWN: Omit<SentForm, 'subtitles'> = {
  method: 'directPlay',
  container: 'mp4',
  videoCodec: null,
  videoBitDepth: null,
  videoBoxPx: null,
  audioCodec: null,
};

/** A form that failed on this device, with the files it failed with. */
export const DeviceLesson = v.object({ form: SentForm, fileIds: bounded(Id, 8) });
export type DeviceLesson = v.InferOutput<typeof DeviceLesson>;

export const COLOR_GAMUTS = ['srgb', 'p3', 'rec2020'] as const;

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
  /** Loudspeakers behind it: sound that has to be encoded gets no more channels; absent: as many as it decodes. */
  loudspeakers: v.optional(v.pipe(Count, v.minValue(1))),
  /** Speech up, explosions down, which has the sound encoded whatever it is; absent: as the movie was mixed. */
  nightSound: v.optional(v.boolean()),
  /** What the person or their line allows; absent for no limit. */
  maxBitrateBps: v.optional(Count),
  /** Largest picture wanted here now, by the height of a picture 16:9; absent for no limit. */
  maxHeightPx: v.optional(Count),
  /** Colours that the screen shows; absent: those of sRGB. */
  colorGamut: v.optional(v.picklist(COLOR_GAMUTS)),
  /** Subtitles beside plain text that the client draws itself: with styles (ASS), as pictures (PGS, VobSub); absent: neither. */
  subtitles: v.optional(v.object({ styled: v.boolean(), pictures: v.boolean() })),
  /** Plays any audio track of a file, and not only the first; absent: it does not. */
  choosesAudioTracks: v.optional(v.boolean()),
  /** What the browser is set to, best first, for people who have not said what they speak. */
  languages: v.optional(bounded(v.pipe(v.string(), v.maxLength(35)), 16)),
  /** Names the device among those of one person; made by itself and kept there. */
  deviceId: v.optional(Id),
  /** `Firefox 153`: what was learned of another one counts no more. */
  browser: v.optional(ShortText),
  /** What failed here, as the device remembers it. */
  lessons: v.optional(bounded(DeviceLesson, 64)),
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

/** Why a file is not sent as it is. Closed: the client has a sentence for each. */
export const PLAY_REASONS = [
  'containerNotSupported',
  'videoCodecNotSupported',
  'videoBitDepthNotSupported',
  'videoLevelNotSupported',
  'videoResolutionNotSupported',
  'videoFrameRateNotSupported',
  'videoNotSmooth',
  'videoTagNotSupported',
  'hdrNotSupported',
  'dolbyVisionNotSupported',
  'interlacedNotSupported',
  'rotationNotSupported',
  'audioCodecNotSupported',
  'audioChannelsNotSupported',
  'audioTrackSelected',
  'nightSound',
  'subtitlesBurnedIn',
  'bitrateTooHigh',
  'personLimit',
  'serverLimit',
  'timestampsUnreliable',
  'keyframesUnusable',
  'failedOnThisDevice',
] as const;
export const PlayReason = v.picklist(PLAY_REASONS);
export type PlayReason = v.InferOutput<typeof PlayReason>;

/** Why this sound plays. Closed: see the table in docs/playback.md. */
export const AUDIO_REASONS = [
  'chosen',
  'remembered',
  'audioDescription',
  'originalLanguage',
  'spokenLanguage',
  'fileDefault',
  'firstTrack',
  'nothingElse',
] as const;
export const AudioReason = v.picklist(AUDIO_REASONS);
export type AudioReason = v.InferOutput<typeof AudioReason>;

/** Why these subtitles show, or none. Closed: see the table in docs/playback.md. */
export const SUBTITLE_REASONS = [
  'chosen',
  'remembered',
  'turnedOff',
  'forced',
  'audioUnderstood',
  'audioForeign',
  'always',
  'noneFits',
] as const;
export const SubtitleReason = v.picklist(SUBTITLE_REASONS);
export type SubtitleReason = v.InferOutput<typeof SubtitleReason>;

/**
 * Why subtitles with styles are shown as text. `preferred`: the person reads all in a style of their own. The others are of a device that
 * draws no styles, where they would become a part of the picture: `noEncoding`, this server encodes none; `encodersBusy`, all of it is at
 * work for others; `encodingFailed`, what was encoded did not play there.
 */
export const STYLED_TEXT_REASONS = ['preferred', 'noEncoding', 'encodersBusy', 'encodingFailed'] as const;
export const StyledTextReason = v.picklist(STYLED_TEXT_REASONS);
export type StyledTextReason = v.InferOutput<typeof StyledTextReason>;

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

/** One of the pictures that the player may choose from: by the line, or by the person. */
export const PlaybackVariant = v.object({
  /** As it stands in its address. */
  name: v.string(),
  codec: CodecName,
  /** `null` where the file does not say. */
  widthPx: v.nullable(Count),
  heightPx: v.nullable(Count),
  /** Ceiling of an encoded picture; average of the original. */
  maxBitrateBps: Count,
  /** The picture of the file as it is. */
  isOriginal: v.boolean(),
  /** The hardware that encodes it, as long as that does not fail; `null` for the processor, and for the original. */
  hardware: v.optional(v.nullable(v.picklist(HARDWARE_KINDS))),
});
export type PlaybackVariant = v.InferOutput<typeof PlaybackVariant>;

/** How a picture is being encoded. */
export const EncodingWork = v.object({
  /** How many times as fast as it plays, over the last segments; `null` until the first is made. */
  realTimeFactor: v.nullable(v.number()),
  /** `null` where the file does not say how many a second of it has. */
  framesPerSecond: v.nullable(v.number()),
  /** Enough is ready, and nothing is made until some of it has been played. */
  isAtRest: v.boolean(),
  /** What encodes it; `null` for the processor, also where hardware failed in the middle. */
  hardware: v.nullable(v.picklist(HARDWARE_KINDS)),
});
export type EncodingWork = v.InferOutput<typeof EncodingWork>;

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
  /** Best first; empty where the file is sent as it is, or has no picture. */
  variants: v.array(PlaybackVariant),
  audioTracks: v.array(AudioChoice),
  /** Why the audio track that `isSelected` plays; `null` where there is no sound. */
  audioReason: v.nullable(AudioReason),
  /** The subtitles to show, by their id; `null` for none. */
  selectedSubtitle: v.nullable(SubtitleId),
  subtitleReason: SubtitleReason,
  /** Absent where those that were chosen have no styles, or keep them. */
  styledTextReason: v.optional(StyledTextReason),
  /** What is sent, for a device to remember where it fails. */
  sent: SentForm,
  subtitleTracks: v.array(SubtitleChoice),
  chapters: v.array(Chapter),
  /** Pictures to seek by; `null` where there is no picture, or the server makes none. */
  trickplay: v.nullable(Trickplay),
  /** At most one of each kind, in the order of the file. The feed `moments` has every change. */
  markers: v.array(Marker),
  /** What is played after the movie; `null` where nothing follows. */
  next: v.nullable(NextMovie),
});
export type Playback = v.InferOutput<typeof Playback>;
