/** What downloads need from the rest of the engine. `house.ts` hands the implementations in; their types match by shape. */
import type { DownloadEvent, DownloadSpec } from '#engine/hosts/download.port.ts';
import type { DownloadHandle, MediaCallOptions, MediaHostsStatus } from '#engine/hosts/media-supervisor.port.ts';
import type { KeyframesResult } from '#engine/hosts/probe.port.ts';
import type { ProvenHardware } from '#engine/media/hardware-plan.ts';
import type { VideoEncoderKind } from '#engine/media/rendition-spec.ts';
import type { RememberedTracks } from '#engine/media/track-choice.ts';
import type { DownloadFailure, DownloadQuality } from '#protocol/schema/downloads.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { ExtraKind } from '#protocol/schema/movie.ts';
import type { Picture } from '#protocol/schema/picture.ts';
import type { PlaybackPreferences } from '#protocol/schema/preferences.ts';
import type { SubtitleChoice } from '#protocol/schema/subtitle.ts';

/** A movie's file. Size and modification time together are its version. */
export interface DownloadFile {
  readonly id: string;
  readonly movieId: string;
  /** Of the movie. */
  readonly title: string;
  readonly year: number | null;
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  readonly extra: ExtraKind | null;
  readonly part: number | null;
  /** Highest number among the parts of the movie in this edition. */
  readonly partCount: number;
  readonly edition: string | null;
  readonly state: 'playable' | 'unplayable' | 'missing';
  readonly media: MediaInfo | null;
}

/** What a person chose. */
export interface DownloadChoice {
  readonly quality: DownloadQuality;
  readonly audioTracks: readonly number[];
  /** Text, each a track of its own. */
  readonly subtitles: readonly string[];
  /** Pictures that become a part of the picture; `null`: none. */
  readonly burnedSubtitle: string | null;
}

/** A download with the copy that it waits for or has; `copy` is `null` where it has ended. */
export interface StoredDownload extends DownloadChoice {
  readonly id: string;
  readonly userId: string;
  readonly userName: string;
  readonly fileId: string;
  readonly movieId: string;
  readonly title: string;
  readonly year: number | null;
  readonly poster: Picture;
  readonly edition: string | null;
  readonly part: number | null;
  readonly partCount: number;
  readonly name: string;
  readonly sizeBytes: number;
  /** `null` while it has a copy; with neither, its copy has gone with its source. */
  readonly ended: 'failed' | 'cancelled' | 'expired' | null;
  readonly failure: DownloadFailure | null;
  readonly createdAtMs: number;
  readonly copy: StoredCopy | null;
}

export interface StoredCopy {
  readonly id: string;
  readonly fileId: string;
  readonly sourceBytes: number;
  readonly sourceMtimeUs: number;
  readonly state: 'queued' | 'preparing' | 'ready';
  readonly sizeBytes: number;
  readonly orderedAtMs: number;
  readonly readyAtMs: number | null;
  readonly usedAtMs: number | null;
}

export interface NewDownload extends DownloadChoice {
  /** Of the download, and of the copy where there is none yet. */
  readonly id: string;
  readonly copyId: string;
  readonly userId: string;
  readonly key: string | null;
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

export interface DownloadStore {
  /** Files of a movie, in the order they were added; `null` where there is no such movie, or it was put away. */
  filesOf(movieId: string): Promise<DownloadFile[] | null>;
  /** `null` where it is gone, or its movie is or was put away. */
  file(fileId: string): Promise<DownloadFile | null>;
  /** Keyframe times as they are stored (`decodeKeyframes`); `null` where they are not known. */
  keyframes(fileId: string): Promise<Uint8Array | null>;
  /** Of everybody, the latest first; those whose movie was put away are left out. */
  list(limit: number): Promise<StoredDownload[]>;
  ofUser(userId: string): Promise<StoredDownload[]>;
  find(downloadId: string): Promise<StoredDownload | null>;
  findByKey(userId: string, key: string): Promise<StoredDownload | null>;
  /** Keeps a download, with the copy that is there for the same, or a new one. The same again by the same person changes nothing. Returns its id. */
  add(file: Pick<DownloadFile, 'id' | 'sizeBytes' | 'mtimeUs'>, download: NewDownload): Promise<string>;
  /** Gives a download that has ended a copy again. */
  revive(
    downloadId: string,
    file: Pick<DownloadFile, 'id' | 'sizeBytes' | 'mtimeUs'>,
    copy: Pick<NewDownload, 'copyId' | 'digest' | 'sizeBytes'>,
  ): Promise<void>;
  /** Ends one; its copy stays where others want it, and is returned where nobody does: it has been forgotten, its file has to go. */
  end(downloadId: string, ended: 'cancelled'): Promise<string | null>;
  /** Forgets one; the same for its copy. */
  remove(downloadId: string): Promise<string | null>;
  /** All copies, in the order in which they were ordered. */
  copies(): Promise<StoredCopy[]>;
  copy(copyId: string): Promise<StoredCopy | null>;
  /** What has to be in a copy, from any who wants it; `null` where nobody does. */
  choiceOf(copyId: string): Promise<DownloadChoice | null>;
  /** What was being made when the process ended is to be made again. */
  requeue(): Promise<void>;
  setState(copyId: string, state: 'queued' | 'preparing'): Promise<boolean>;
  /** False where nobody wants it any more. */
  setReady(copyId: string, sizeBytes: number): Promise<boolean>;
  setUsed(copyId: string): Promise<void>;
  /** Forgets a copy, and ends everything that had it. */
  drop(copyId: string, ended: 'failed' | 'expired' | 'cancelled', failure: DownloadFailure | null): Promise<void>;
  /** Forgets what ended longer ago. */
  prune(olderThanMs: number): Promise<void>;
}

/** The folder of prepared copies. Everything in it is named by ids of ours. */
export interface CopyFolder {
  /** Where a copy lies when it is ready. */
  pathOf(copyId: string): string;
  /** Where it is written. */
  partPathOf(copyId: string): string;
  /** A folder for what is made on the way. */
  workFolderOf(copyId: string): string;
  /** Puts a text file aside for a copy, from a cache that may forget it. Returns its path. */
  keepText(copyId: string, name: string, path: string): Promise<string>;
  /** The same for the pictures that are burnt in: the path is as `BurnedSubtitles` reads it. */
  keepPictures(copyId: string, path: string): Promise<string>;
  /** Makes what was written the copy, so that it is there after a power cut. */
  publish(copyId: string): Promise<void>;
  /** Size of a copy; `null` where it is not there. */
  sizeOf(copyId: string): Promise<number | null>;
  /** Removes what was needed to make it. */
  clearWork(copyId: string): Promise<void>;
  /** Removes everything of it. */
  remove(copyId: string): Promise<void>;
  /** Ids of everything in it. */
  ids(): Promise<string[]>;
  freeBytes(): Promise<number>;
}

export interface DownloadHosts {
  openDownload(spec: DownloadSpec, onEvent: (event: DownloadEvent) => void): Promise<DownloadHandle>;
  keyframes(path: string, trackIndex: number, options?: MediaCallOptions): Promise<KeyframesResult>;
  status(): Promise<Pick<MediaHostsStatus, 'transcodes'>>;
}

/** Subtitles in and beside files: `engine/playback`, by its shape. */
export interface DownloadSubtitles {
  choices(file: DownloadFile): Promise<readonly SubtitleChoice[]>;
  /** Path of the whole text as WebVTT. Rejects where they can't be read. */
  vtt(file: DownloadFile, subtitleId: string, signal: AbortSignal): Promise<string>;
  /** Path of all pictures, as `PictureStreamReader` reads them. Rejects where they can't be read. */
  pictures(file: DownloadFile, subtitleId: string, signal: AbortSignal): Promise<string>;
}

/** How a person likes to watch, and what they chose in this movie. */
export interface DownloadWishes {
  readonly preferences: PlaybackPreferences;
  readonly remembered: RememberedTracks;
  readonly originalLanguage: string | null;
}

/** What encodes H.264 here, and everything of it that was proven. */
export interface DownloadEncoder {
  readonly h264: VideoEncoderKind;
  readonly hardware: ProvenHardware | null;
}

export interface SessionPort {
  isAlive(sessionId: string): Promise<boolean>;
}

/** Calls when something of movies has changed: they may have gone, or been put away. Returns how to end that. */
export interface ChangePort {
  onChange(listener: () => void): Promise<() => Promise<void>>;
}

/** Durable work, by the shape of `engine/jobs`. */
export interface DownloadWork {
  order(
    orders: readonly {
      readonly kind: 'downloads';
      readonly payload: Readonly<Record<string, unknown>>;
      readonly urgency?: 'click' | 'normal' | 'bulk';
      readonly key?: string;
      readonly subject?: string;
    }[],
  ): Promise<void>;
  handle(
    kind: 'downloads',
    options: { readonly concurrency: number; readonly attempts?: number; readonly title: string },
    work: (payload: unknown, job: DownloadJob) => Promise<{ readonly kind: 'done' }>,
  ): void;
  onReturn(listener: () => void): () => void;
  /** `cancelled`: somebody has stopped all of a kind, what waits and what runs. */
  onNews(listener: (kind: string, news: { readonly kind: string }) => void): () => void;
}

export interface DownloadJob {
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number | null; readonly note?: string | null }): void;
}
