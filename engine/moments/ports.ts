/** What moving about in movies needs from the rest of the engine, and what it offers to playback and progress. */
import type { MediaCallOptions, MediaHostsStatus } from '#engine/hosts/media-supervisor.port.ts';
import type {
  CommonSoundsRequest,
  CommonSoundsResult,
  DarkPausesRequest,
  DarkPausesResult,
  PreviewSheetRequest,
  PreviewSheetResult,
  SoundPrintRequest,
  SoundPrintResult,
} from '#engine/hosts/study.port.ts';
import type { SharedStretch } from '#engine/media/marker-finding.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { Marker, MarkerKind, NextMovie } from '#protocol/schema/moments.ts';

/** A movie's file. Size and modification time together are its version. */
export interface MomentFile {
  readonly id: string;
  readonly movieId: string;
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  readonly isExtra: boolean;
  readonly state: 'playable' | 'unplayable' | 'missing';
  /** `null` until it was probed. */
  readonly media: MediaInfo | null;
}

/** What is kept of one kind in one file. `span` is `null` where a person said that there is none. */
export interface StoredMarker {
  readonly kind: MarkerKind;
  readonly source: 'detected' | 'person';
  readonly span: { readonly startMs: number; readonly endMs: number } | null;
  readonly confidence: number;
}

export interface Study {
  readonly soundPrint: Uint32Array | null;
  readonly failure: string | null;
}

/** Another movie's file that may share a jingle with this one. */
export interface Kin {
  readonly fileId: string;
  /** `null` until it was studied. */
  readonly soundPrint: Uint32Array | null;
}

/** Whether movies that were put away are there for who asks: they are for those who edit. */
export interface Sight {
  readonly withHidden: boolean;
}

/** For work that shows nobody anything. */
export const SEES_ALL: Sight = { withHidden: true };

export interface MomentStore {
  /** `null` where there is no such file any more. */
  file(fileId: string, sight: Sight): Promise<MomentFile | null>;
  filesOf(movieId: string, sight: Sight): Promise<MomentFile[]>;
  /** By file id; files without any are absent. */
  markers(fileIds: readonly string[]): Promise<ReadonlyMap<string, readonly StoredMarker[]>>;
  /** What a person says, told to everybody who has the movie open. False where there is no such file any more. */
  setByPerson(fileId: string, userId: string, marker: Pick<StoredMarker, 'kind' | 'span'>): Promise<boolean>;
  /** What a person said counts no more. False where there is no such file any more. */
  forgetPerson(fileId: string, kind: MarkerKind): Promise<boolean>;
  /** Replaces what was detected of this kind, `null` for nothing; told where that changes something. */
  setDetected(fileId: string, kind: MarkerKind, marker: Marker | null): Promise<void>;
  /** `null` where this version of the file was not studied by these rules. */
  study(file: Pick<MomentFile, 'id' | 'sizeBytes' | 'mtimeUs'>, rules: number): Promise<Study | null>;
  saveStudy(file: Pick<MomentFile, 'id' | 'sizeBytes' | 'mtimeUs'>, rules: number, study: Study): Promise<void>;
  /** Files of other movies in the same collections, or in the same folder where that is not the library's own; empty where there are more than `limit`. */
  kinOf(fileId: string, limit: number): Promise<Kin[]>;
  /** Replaces everything that is known to be shared by this file and others. */
  saveShared(fileId: string, pairs: readonly SharedPair[]): Promise<void>;
  /** What the beginning of a file shares with others. */
  shared(fileId: string): Promise<SharedStretch[]>;
  /** Playable main files that were not studied by these rules, the newest first. */
  unstudied(rules: number, limit: number): Promise<string[]>;
  /** Best files of what is likely to be watched next: what people are in, then what came last. */
  likelyNext(limit: number): Promise<string[]>;
  /** What follows a movie in a series or list that it is in, and that this person has not watched. */
  nextOf(userId: string, movieId: string): Promise<NextMovie | null>;
}

export interface SharedPair {
  readonly otherId: string;
  readonly startMs: number;
  readonly otherStartMs: number;
  readonly lengthMs: number;
}

/** The part of the media hosts that is used here. */
export interface StudyHosts {
  previewSheet(path: string, request: PreviewSheetRequest, options?: MediaCallOptions): Promise<PreviewSheetResult>;
  soundPrint(path: string, request: SoundPrintRequest, options?: MediaCallOptions): Promise<SoundPrintResult>;
  commonSounds(path: string, request: CommonSoundsRequest, options?: MediaCallOptions): Promise<CommonSoundsResult>;
  darkPauses(path: string, request: DarkPausesRequest, options?: MediaCallOptions): Promise<DarkPausesResult>;
  status(): Promise<Pick<MediaHostsStatus, 'renditions' | 'transcodes'>>;
}

/** Files in bounded space, whole or not there at all; the longest unused go first. */
export interface SheetCache {
  readonly totalBytes: number;
  /** Absolute path; `null` where it is not there. */
  find(name: string): Promise<string | null>;
  put(name: string, bytes: Uint8Array): Promise<void>;
}

/** Durable work, by the shape of `engine/jobs`. */
export interface MomentWork {
  order(
    orders: readonly {
      readonly kind: 'previews' | 'marks';
      readonly payload: Readonly<Record<string, unknown>>;
      readonly urgency?: 'click' | 'normal' | 'bulk';
      readonly key?: string;
      readonly delayMs?: number;
      readonly subject?: string;
    }[],
  ): Promise<void>;
  handle(
    kind: 'previews' | 'marks',
    options: { readonly concurrency: number; readonly attempts?: number; readonly title: string },
    work: (
      payload: unknown,
      job: {
        readonly signal: AbortSignal;
        progress(progress: { readonly done?: number; readonly total?: number | null }): void;
      },
    ) => Promise<
      { readonly kind: 'done' } | { readonly kind: 'later'; readonly afterMs: number; readonly why: string }
    >,
  ): void;
}

/** `off`: no previews. `opened`: of what somebody opens. `ahead`: of what is likely to be opened, too. */
export type PreviewMode = 'off' | 'opened' | 'ahead';
/** `off`: nothing is marked but by people. `chapters`: what chapter names say. `all`: picture and sound are looked into. */
export type MarkMode = 'off' | 'chapters' | 'all';
