/** Subtitles as a person chooses them, and how they like to read them. */
import * as v from 'valibot';
import { Count, Id, LanguageTag, ShortText, Timestamp } from './scalar.ts';

/** Where subtitles come from: a track of the movie's file, a file beside it, or a file that somebody handed in. */
export const SUBTITLE_SOURCES = ['embedded', 'sidecar', 'uploaded'] as const;
export const SubtitleSource = v.picklist(SUBTITLE_SOURCES);
export type SubtitleSource = v.InferOutput<typeof SubtitleSource>;

/**
 * What they are made of. `text`: lines of text. `styled`: text with fonts, places and movement of its own (ASS, SSA). `pictures`: drawn
 * letters (PGS, VobSub, DVB). `none`: nothing that can be shown, and `SubtitleProblem` says why.
 */
export const SUBTITLE_FORMATS = ['text', 'styled', 'pictures', 'none'] as const;
export const SubtitleFormat = v.picklist(SUBTITLE_FORMATS);
export type SubtitleFormat = v.InferOutput<typeof SubtitleFormat>;

/** Why subtitles can't be shown. `codecNotSupported`: nobody here reads them (XSUB, closed captions). */
export const SUBTITLE_PROBLEMS = ['codecNotSupported', 'indexMissing'] as const;
export const SubtitleProblem = v.picklist(SUBTITLE_PROBLEMS);
export type SubtitleProblem = v.InferOutput<typeof SubtitleProblem>;

/** `t<track>` for a track of the file, `s<uuid>` for a file beside it or one that was handed in. Lasts as long as the file does. */
export const SubtitleId = v.pipe(
  v.string(),
  v.regex(
    /^(?:t(?:0|[1-9]\d{0,3})|s[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/,
    'must be an id of subtitles',
  ),
);
export type SubtitleId = v.InferOutput<typeof SubtitleId>;

/** Further than any two releases of a movie are apart. */
export const MAX_SUBTITLE_OFFSET_MS = 3_600_000;
/** How much later than their file says subtitles are shown; negative for earlier. */
export const SubtitleOffset = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(-MAX_SUBTITLE_OFFSET_MS),
  v.maxValue(MAX_SUBTITLE_OFFSET_MS),
);

/**
 * Subtitles that a person can choose. Addresses are relative to the server and work as long as the playback's own. What is being read
 * from a large file comes as a reply that goes on until everything was read, in the order in which it was found.
 */
export const SubtitleChoice = v.object({
  id: SubtitleId,
  /** FFmpeg's number of the track; `null` for files of their own. */
  trackIndex: v.nullable(Count),
  source: SubtitleSource,
  format: SubtitleFormat,
  problem: v.nullable(SubtitleProblem),
  label: ShortText,
  language: LanguageTag,
  /** FFmpeg's name of the codec, or what a file of its own is in: `subrip`, `ass`, `webvtt`, `microdvd` … */
  codec: v.pipe(v.string(), v.maxLength(64)),
  isForced: v.boolean(),
  isDefault: v.boolean(),
  isHearingImpaired: v.boolean(),
  isCommentary: v.boolean(),
  /** WebVTT; `null` for pictures. */
  url: v.nullable(v.string()),
  /** The ASS script, for who draws it; `null` where there is none. */
  styledUrl: v.nullable(v.string()),
  /** Fonts that the movie's file brings for its styled subtitles. */
  fontUrls: v.array(v.string()),
  /** Pictures with times and places (`application/vnd.matinee.subtitle-pictures`, docs/subtitles.md); `null` for text. */
  picturesUrl: v.nullable(v.string()),
  /** What this person has set for them. */
  offsetMs: SubtitleOffset,
});
export type SubtitleChoice = v.InferOutput<typeof SubtitleChoice>;

/** Subtitles that somebody handed in. */
export const UploadedSubtitle = v.object({
  id: Id,
  fileId: Id,
  /** As the file was called. */
  name: ShortText,
  /** `srt`, `ass`, `vtt`, `sub`, `vobsub`, `sup`. */
  format: v.pipe(v.string(), v.maxLength(16)),
  language: LanguageTag,
  isForced: v.boolean(),
  isHearingImpaired: v.boolean(),
  sizeBytes: Count,
  uploadedBy: v.nullable(ShortText),
  uploadedAt: Timestamp,
  /** This person may change and remove them. */
  isMine: v.boolean(),
});
export type UploadedSubtitle = v.InferOutput<typeof UploadedSubtitle>;
