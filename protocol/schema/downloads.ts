/** Copies of movies that people take along: what can be had of a file, and what becomes of what was asked for. */
import * as v from 'valibot';
import { Container } from './media.ts';
import { EXTRA_KINDS } from './movie.ts';
import { Picture } from './picture.ts';
import { Count, Id, LanguageTag, Milliseconds, ShortText, Timestamp } from './scalar.ts';
import { SubtitleFormat, SubtitleId, SubtitleSource } from './subtitle.ts';

/**
 * What the picture of a prepared copy becomes. `copy`: as it is, which is quick and loses nothing. The rest are encoded as H.264, no
 * larger than a 16:9 box of that height, which takes a while. The sound becomes AAC where not every device plays it as it is.
 */
export const DOWNLOAD_QUALITIES = ['copy', '2160p', '1440p', '1080p', '720p', '480p', '360p', '240p'] as const;
export const DownloadQuality = v.picklist(DOWNLOAD_QUALITIES);
export type DownloadQuality = v.InferOutput<typeof DownloadQuality>;

/** Why the file as it is, or its picture as it is, may not play on every device. Closed: the client has a sentence for each. */
export const DOWNLOAD_OBSTACLES = [
  'container',
  'videoCodec',
  'videoBitDepth',
  'hdr',
  'interlaced',
  'audioCodec',
] as const;
export const DownloadObstacle = v.picklist(DOWNLOAD_OBSTACLES);
export type DownloadObstacle = v.InferOutput<typeof DownloadObstacle>;

/**
 * Why no copy of a file can be prepared. `missing`: it is not on its disk. `unplayable`: it can't be read. `noTracks`: neither picture
 * nor sound that fits. `turnedOff`: the server gives no room for prepared copies.
 */
export const DOWNLOAD_HINDRANCES = ['missing', 'unplayable', 'noTracks', 'turnedOff'] as const;
export const DownloadHindrance = v.picklist(DOWNLOAD_HINDRANCES);
export type DownloadHindrance = v.InferOutput<typeof DownloadHindrance>;

export const DownloadQualityOffer = v.object({
  quality: DownloadQuality,
  /** FFmpeg's name of what the picture is in then: `h264`, `hevc` …; `null` for a file without a picture. */
  codec: v.nullable(v.pipe(v.string(), v.maxLength(64))),
  /** As it is shown. `null` where nobody knows, or there is none. */
  widthPx: v.nullable(Count),
  heightPx: v.nullable(Count),
  /** `copy` is made as fast as the disk reads; `encode` takes from a fraction of the movie's length to several times that. */
  method: v.picklist(['copy', 'encode']),
  /** What may keep the copy from playing everywhere; of an encoded picture nothing does. */
  obstacles: v.array(DownloadObstacle),
  /** Of the picture alone, as a guess: the sound chosen comes on top. */
  estimatedBytes: Count,
});
export type DownloadQualityOffer = v.InferOutput<typeof DownloadQualityOffer>;

export const DownloadAudioOffer = v.object({
  trackIndex: Count,
  label: ShortText,
  language: LanguageTag,
  codec: v.pipe(v.string(), v.maxLength(64)),
  channels: Count,
  /** Chosen where the person says nothing: what would play for them. */
  isDefault: v.boolean(),
  /** Taken as it is; else it becomes AAC. */
  isCopied: v.boolean(),
  /** What it adds, as a guess. */
  estimatedBytes: Count,
});
export type DownloadAudioOffer = v.InferOutput<typeof DownloadAudioOffer>;

export const DownloadSubtitleOffer = v.object({
  id: SubtitleId,
  source: SubtitleSource,
  format: SubtitleFormat,
  label: ShortText,
  language: LanguageTag,
  isForced: v.boolean(),
  isHearingImpaired: v.boolean(),
  /** Chosen where the person says nothing. */
  isDefault: v.boolean(),
  /**
   * Why they can't be a track of an MP4. `pictures`: drawn letters, which MP4 has no place for, but which can be burnt into a picture that
   * is encoded. `unreadable`: nobody here reads them. `null`: they can.
   */
  problem: v.nullable(v.picklist(['pictures', 'unreadable'])),
});
export type DownloadSubtitleOffer = v.InferOutput<typeof DownloadSubtitleOffer>;

/** The file as it is: `downloads.original` gives its address at once. */
export const OriginalOffer = v.object({
  /** As it is saved: `Heat (1995).mkv`. */
  name: ShortText,
  sizeBytes: Count,
  /** `null` for a file that nobody could look into. */
  container: v.nullable(Container),
  obstacles: v.array(DownloadObstacle),
});

/** What can be had of one file. */
export const DownloadFileOffer = v.object({
  fileId: Id,
  /** `Director’s Cut`, `Extended` …, as its name says. */
  edition: v.nullable(ShortText),
  /** What it is when it is not the movie: a trailer … */
  extra: v.nullable(v.picklist(EXTRA_KINDS)),
  /** Its place among the files that the movie is cut into. Each part is a download of its own. */
  part: v.nullable(v.object({ number: Count, count: Count })),
  durationMs: v.nullable(Milliseconds),
  /** `null` where the file is not on its disk. */
  original: v.nullable(OriginalOffer),
  /** Best first; empty where `hindrance` says why. */
  qualities: v.array(DownloadQualityOffer),
  hindrance: v.nullable(DownloadHindrance),
  audioTracks: v.array(DownloadAudioOffer),
  subtitles: v.array(DownloadSubtitleOffer),
});
export type DownloadFileOffer = v.InferOutput<typeof DownloadFileOffer>;

/** More than any file has that somebody wants to take along. */
export const MAX_DOWNLOAD_AUDIO = 16;
export const MAX_DOWNLOAD_SUBTITLES = 32;

const unique = <T>(items: readonly T[]): boolean => new Set(items).size === items.length;

/** What somebody wants to have made of a file. */
export const DownloadWish = v.object({
  fileId: Id,
  quality: DownloadQuality,
  /** FFmpeg's track numbers, the first plays by itself; absent: what would play for this person. Empty: no sound. */
  audioTracks: v.optional(
    v.pipe(v.array(Count), v.maxLength(MAX_DOWNLOAD_AUDIO), v.check(unique, 'must name each track once')),
  ),
  /** Text only; absent: none. */
  subtitles: v.optional(
    v.pipe(v.array(SubtitleId), v.maxLength(MAX_DOWNLOAD_SUBTITLES), v.check(unique, 'must name each once')),
    [],
  ),
  /** Pictures that become a part of the picture, for good, where that is encoded; absent or `null`: none. */
  burnedSubtitle: v.optional(v.nullable(SubtitleId), null),
});
export type DownloadWish = v.InferOutput<typeof DownloadWish>;

/** Room for prepared copies. */
export const DownloadRoom = v.object({
  /** Of what this person asked for, all together. What several people share counts for each of them. */
  usedBytes: Count,
  limitBytes: Count,
  /** How long a copy is kept after it became ready. */
  keptForMs: Milliseconds,
});
export type DownloadRoom = v.InferOutput<typeof DownloadRoom>;

/**
 * `queued`: waits for its turn. `preparing`: is being made. `ready`: can be fetched. `failed`: `failure` says why, and it can be asked for
 * again. `cancelled`: by the person. `expired`: it was kept for as long as it is kept, or made room for others; it can be asked for again.
 */
export const DOWNLOAD_STATES = ['queued', 'preparing', 'ready', 'failed', 'cancelled', 'expired'] as const;
export const DownloadState = v.picklist(DOWNLOAD_STATES);
export type DownloadState = v.InferOutput<typeof DownloadState>;

/**
 * Why nothing came of it. `sourceGone`: the movie's file is not there any more, or not just now. `sourceChanged`: it is another one now.
 * `sourceDamaged`: it can't be read to its end. `cannotCopy`: its picture can't be taken as it is, but can be encoded. `diskFull`: no space on the server's disk. `noRoom`: it became larger than the room that
 * is left. `lost`: the finished copy is not on the disk any more. `trouble`: something broke that should not.
 */
export const DOWNLOAD_FAILURES = [
  'sourceGone',
  'sourceChanged',
  'sourceDamaged',
  'cannotCopy',
  'diskFull',
  'noRoom',
  'lost',
  'trouble',
] as const;
export const DownloadFailure = v.picklist(DOWNLOAD_FAILURES);
export type DownloadFailure = v.InferOutput<typeof DownloadFailure>;

/** One copy that a person asked for. */
export const Download = v.object({
  id: Id,
  movieId: Id,
  fileId: Id,
  /** The movie's. */
  title: ShortText,
  year: v.nullable(Count),
  poster: Picture,
  edition: v.nullable(ShortText),
  part: v.nullable(v.object({ number: Count, count: Count })),
  quality: DownloadQuality,
  audioTracks: v.array(Count),
  /** Text, each a track of its own. */
  subtitles: v.array(SubtitleId),
  /** Pictures that are a part of the picture; `null`: none. */
  burnedSubtitle: v.nullable(SubtitleId),
  state: DownloadState,
  /** While `queued`: 1 is the next. */
  place: v.nullable(Count),
  /** While `preparing`: how far it is, 0 to 1. */
  progress: v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  /** Times as fast as the movie plays; `null` until that is known. */
  speed: v.nullable(v.pipe(v.number(), v.minValue(0))),
  /** About how long it still takes; `null` until that is known. */
  leftMs: v.nullable(Milliseconds),
  /** It waits until those who watch need the machine no more. */
  isHeld: v.boolean(),
  /** As it is saved: `Heat (1995) - 720p.mp4`. */
  name: ShortText,
  /** Once it is `ready`, exactly; before, as a guess. */
  sizeBytes: Count,
  /** `null` unless `failed`. */
  failure: v.nullable(DownloadFailure),
  createdAt: Timestamp,
  readyAt: v.nullable(Timestamp),
  /** When a copy that is `ready` will be removed. Fetching it puts that off. */
  expiresAt: v.nullable(Timestamp),
});
export type Download = v.InferOutput<typeof Download>;

/** A download as those see it who run the server. */
export const PersonsDownload = v.object({ ...Download.entries, person: v.nullable(ShortText) });
export type PersonsDownload = v.InferOutput<typeof PersonsDownload>;

export const DownloadLink = v.object({
  /**
   * Signed, relative to the server, usable without a cookie, sent as an attachment and by ranges, so that what was cut short goes on. It
   * ends with `expiresAt`, with the session that asked for it, and with the file. What takes longer goes on under a new address, which
   * gives the same bytes.
   */
  url: v.string(),
  name: ShortText,
  sizeBytes: Count,
  mimeType: v.string(),
  expiresAt: Timestamp,
});
export type DownloadLink = v.InferOutput<typeof DownloadLink>;
