/** What playback needs from the rest of the engine. `main.ts` hands the implementations in. */
import type { MediaCallOptions, RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import type {
  EntryPointsRequest,
  EntryPointsResult,
  KeyframesResult,
  SubtitleRequest,
  SubtitleResult,
} from '#engine/hosts/probe.port.ts';
import type { RenditionEvent, RenditionSpec } from '#engine/hosts/rendition.port.ts';
import type { RememberedTracks } from '#engine/media/track-choice.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { Marker, NextMovie, PreviewPlan } from '#protocol/schema/moments.ts';
import type { PlaybackLesson, PlaybackPreferences } from '#protocol/schema/preferences.ts';

/** A movie's file as the store knows it. Size and modification time together are its version. */
export interface StoredFile {
  readonly id: string;
  readonly movieId: string;
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  /** A trailer, a featurette …, and not the movie. */
  readonly isExtra: boolean;
  /** Number among the files that the movie is cut into. */
  readonly part: number | null;
  /** `Director’s Cut`, `Extended` …, as its name says. */
  readonly edition: string | null;
  readonly state: 'playable' | 'unplayable' | 'missing';
  /** A `MediaFailure` where the state is `unplayable`. */
  readonly failure: string | null;
  /** `null` until it was probed. */
  readonly media: MediaInfo | null;
}

export interface MovieTitle {
  readonly title: string;
  readonly year: number | null;
}

export interface PlaybackStore {
  /** The files of a movie, in the order they were added; `null` where there is no such movie. */
  /** `withHidden`: also of one that was put away, which only those who edit may see. */
  filesOf(movieId: string, sight: { readonly withHidden: boolean }): Promise<StoredFile[] | null>;
  /** What the movie is called; `null` where there is no such movie. */
  titleOf(movieId: string): Promise<MovieTitle | null>;
  /** `null` where there is no such file any more. Absent `sight`: whoever asks proves by other means that they may. */
  file(fileId: string, sight?: { readonly withHidden: boolean }): Promise<StoredFile | null>;
  /** Keyframe times as they are stored (`decodeKeyframes`); `null` where they are not known. */
  keyframes(fileId: string): Promise<Uint8Array | null>;
  /** Keeps keyframe times, unless the file has become another version since. */
  saveKeyframes(file: Pick<StoredFile, 'id' | 'sizeBytes' | 'mtimeUs'>, keyframes: Uint8Array): Promise<void>;
}

/** What is kept of one person for one movie. */
export interface WatchingContext {
  /** As stored, `null` where nothing was ever set: `readPreferences`. */
  readonly preferences: unknown;
  /** What they chose in the movie, as stored: `readRemembered`. */
  readonly tracks: { readonly audio: unknown; readonly subtitle: unknown } | null;
  /** Of all their devices. */
  readonly lessons: readonly PlaybackLesson[];
  /** In which the movie was made; `null` where nobody knows. */
  readonly originalLanguage: string | null;
}

/** A lesson as it is learned; the store gives it an id, or adds the file to the one that it has of the form. */
export type NewLesson = Pick<PlaybackLesson, 'deviceId' | 'device' | 'browser' | 'form'> & { readonly fileId: string };

export interface LessonFilter {
  readonly lessonId?: string | undefined;
  readonly deviceId?: string | undefined;
  /** Among its files. */
  readonly fileId?: string | undefined;
}

export interface PreferenceStore {
  /** Everything that opening a movie needs to know of a person, in one question. */
  watching(userId: string, movieId: string): Promise<WatchingContext>;
  /** As stored; `null` where nothing was ever set. */
  read(userId: string): Promise<unknown>;
  /** Applies `change` to what is stored under a lock, with its line in the change feed, and returns what it returned. */
  change(userId: string, change: (stored: unknown) => PlaybackPreferences): Promise<PlaybackPreferences>;
  /** Keeps a choice; what is absent stays. Nothing happens where there is no such movie. */
  remember(userId: string, movieId: string, tracks: RememberedTracks): Promise<void>;
  /** The latest first. */
  lessons(userId: string): Promise<PlaybackLesson[]>;
  /** Keeps a lesson, forgets what another browser learned on that device, and returns all of the device. */
  learn(userId: string, lesson: NewLesson): Promise<PlaybackLesson[]>;
  /** All that fit what is named; returns how many there were. */
  forget(userId: string, which: LessonFilter): Promise<number>;
}

export interface SessionPort {
  /** Whether a session is still open. Called for every request of media bytes. */
  isAlive(sessionId: string): Promise<boolean>;
}

export interface ProgressPort {
  /** Where a person is in these movies; `positionMs` is where to go on. Movies never played are left out. */
  ofMovies(userId: string, movieIds: readonly string[]): Promise<readonly { readonly positionMs: number }[]>;
}

/** The part of the media hosts that playback uses. */
export interface PlaybackHosts {
  keyframes(path: string, trackIndex: number, options?: MediaCallOptions): Promise<KeyframesResult>;
  subtitle(path: string, request: SubtitleRequest, options?: MediaCallOptions): Promise<SubtitleResult>;
  entryPoints(path: string, request: EntryPointsRequest, options?: MediaCallOptions): Promise<EntryPointsResult>;
  openRendition(spec: RenditionSpec, onEvent: (event: RenditionEvent) => void): Promise<RenditionHandle>;
}

/** Disk space for what can be made again at any time. Emptied when it is opened: nobody depends on what an earlier life left. */
export interface ScratchPort {
  /** Absolute path of a folder by its name, and of a file in it. Both are names of ours, never what a client sent. */
  pathOf(folder: string, file?: string): string;
  /** Makes a folder. One of this name that exists is emptied. */
  createFolder(folder: string): Promise<void>;
  /** Removes a folder with everything in it. Nothing happens where there is none. */
  removeFolder(folder: string): Promise<void>;
  /** Removes a file. Nothing happens where there is none. */
  removeFile(folder: string, file: string): Promise<void>;
  /** Writes a file so that it is there whole or not at all. */
  writeFile(folder: string, file: string, bytes: Uint8Array): Promise<void>;
}

/** What is known for moving about in a movie: `engine/moments`, by its shape. */
export interface MomentsPort {
  /** Somebody is about to watch a file: what they may want is begun, and what is there is told at once. */
  opened(file: StoredFile, atMs: number, userId: string): Promise<OpenedMoments>;
  /** How the previews of a file lie on their sheets; `null` where there are none. */
  previews(file: StoredFile): PreviewPlan | null;
  /** Path of a sheet of previews, made where it is not there; `null` where it can't be. Rejects with the signal's reason. */
  sheet(file: StoredFile, sheet: number, signal: AbortSignal): Promise<string | null>;
}

export interface OpenedMoments {
  readonly previews: PreviewPlan | null;
  readonly markers: readonly Marker[];
  readonly next: NextMovie | null;
}

export type {
  GrowingFile,
  NewSubtitle,
  ReceivedSubtitle,
  Sight,
  StoredUpload,
  SubtitleCachePort,
  SubtitleEdit,
  SubtitleFile,
  SubtitleStore,
  SubtitleVault,
  UploadLimits,
  UploadOutcome,
} from './subtitle-ports.ts';
