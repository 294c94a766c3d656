/** What the library needs from the rest of the engine. `main.ts` hands the implementations in; their types match by shape. */
import type { ContentHashes } from '#engine/hosts/hash.port.ts';
import type { MediaHostsPort } from '#engine/hosts/media-supervisor.port.ts';
import type { MovieName } from '#engine/media/file-name.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import type { SidecarName } from '#engine/media/naming/sidecar-name.ts';
import type { FolderCheck, Library, LibraryIssue } from '#protocol/schema/library.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { MediaInfo } from '#protocol/schema/media.ts';
import type { Movie, MovieCard } from '#protocol/schema/movie.ts';

// Files on disk. Paths are relative to the library's folder with "/" between names; '' is the folder itself.

/** A file as the walk sees it, without opening it. */
export interface SeenFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  /** Without the device: its number changes from one mount to the next. */
  readonly inode: string;
}

export interface WalkIssue {
  /** Bytes that are no UTF-8 stand as `\xff`. */
  readonly path: string;
  readonly reason:
    | 'nameNotUtf8'
    | 'pathTooLong'
    | 'symlinkLoop'
    | 'notReadable'
    | 'notFound'
    | 'discFolder'
    | 'discImage';
}

export interface WalkBatch {
  readonly files: readonly SeenFile[];
  readonly subtitles: readonly SeenFile[];
  readonly issues: readonly WalkIssue[];
  /** Folders and files that could not be looked at: what is known at or below them is neither there nor gone. */
  readonly unseen: readonly string[];
}

/** What stands where the library should be. */
export type RootLook =
  /** `identity` differs where another file system, or the empty folder under a mount point, is there instead. */
  | { readonly kind: 'there'; readonly identity: string; readonly isEmpty: boolean }
  /** `code` is the system's word for it: `ENOENT`, `EACCES`, `EIO` … */
  | { readonly kind: 'unavailable'; readonly code: string };

export interface TreeWalkPort {
  look(root: string): Promise<RootLook>;
  /** The movie files and subtitles at and below each of `scopes`; subtitles beside a scope that is a file. Stops between batches when the signal is aborted, and throws its reason. */
  walk(root: string, scopes: readonly string[], signal: AbortSignal): AsyncIterable<WalkBatch>;
  /** Each as it is now, `null` where there is no such file. Throws where that cannot be told. */
  stat(root: string, paths: readonly string[]): Promise<(SeenFile | null)[]>;
}

/** How a library is watched, and why not as was asked. */
export type WatchNews =
  /** Files or folders that came, went or changed. */
  | { readonly kind: 'changed'; readonly paths: readonly string[] }
  /** The kernel watches no further folder (`watches`) or no further program (`instances`): the library is polled from now on. */
  | {
      readonly kind: 'limit';
      readonly limit: 'watches' | 'instances';
      readonly allowed: number | null;
      readonly folders: number;
    }
  /** Watching ended by a fault; the library is polled from now on. */
  | { readonly kind: 'failed'; readonly error: unknown };

export type WatchMode = 'auto' | 'events' | 'poll' | 'off';

export interface TreeWatch extends AsyncDisposable {
  /** What it does now: changes to `polling` with the news `limit` or `failed`. */
  readonly mode: Library['watching'];
}

export interface TreeWatchPort {
  /** Resolves when everything that is there now is watched. Rejects where the folder cannot be listed. */
  watch(root: string, mode: 'auto' | 'events' | 'poll', listener: (news: WatchNews) => void): Promise<TreeWatch>;
}

/** Looking at folders for the person who chooses one. Reads names and permissions only. */
export interface FolderPort {
  /** `libraries`: the folders that are libraries already. */
  check(path: string, libraries: readonly string[]): Promise<FolderCheck>;
  browse(path: string | null): Promise<{
    path: string | null;
    parent: string | null;
    folders: { name: string; path: string; isReadable: boolean }[];
    isMore: boolean;
  } | null>;
}

// Media hosts, jobs, health.

/** Probing, by the media hosts. */
export type MediaPort = Pick<MediaHostsPort, 'probe' | 'release'>;

/** Content hashes, by which a moved file is found again. */
export type HashPort = Pick<ContentHashes, 'identify'>;

export interface RunningJob {
  readonly id: string;
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number | null; readonly note?: string | null }): void;
}

export interface JobPort {
  /** Resolves when the job is in the database and runs; `ended` never rejects. */
  run(
    spec: { readonly kind: 'scan'; readonly subject: string; readonly libraryId: string | null },
    work: (job: RunningJob) => Promise<void>,
  ): Promise<{ readonly job: { readonly id: string }; readonly ended: Promise<{ readonly state: string }> }>;
}

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}

// What is stored.

export interface LibraryRow {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** `RootLook.identity` at the last complete scan. */
  readonly rootIdentity: string | null;
  readonly lastScanAtMs: number | null;
}

export interface LibraryCounts {
  readonly movieCount: number;
  readonly fileCount: number;
  readonly issueCount: number;
}

export interface LibraryStore {
  list(): Promise<LibraryRow[]>;
  counts(): Promise<ReadonlyMap<string, LibraryCounts>>;
  /** `null` where that folder is a library already. */
  add(library: { readonly id: string; readonly name: string; readonly path: string }): Promise<LibraryRow | null>;
  /** Forgets the library and its files. Movies without another file are hidden; what people did is kept. */
  remove(libraryId: string): Promise<void>;
  issues(page: {
    readonly libraryId: string | null;
    readonly offset: number;
    readonly limit: number;
  }): Promise<{ total: number; issues: LibraryIssue[] }>;
  file(fileId: string): Promise<(KnownFile & { readonly libraryPath: string }) | null>;
  /** Tells every screen that shows this library to look at it again. */
  touch(libraryId: string): Promise<void>;
}

/** A file as the database knows it. */
export interface KnownFile extends SeenFile {
  readonly id: string;
  readonly libraryId: string;
  readonly movieId: string;
  readonly contentHash: string | null;
  readonly state: 'playable' | 'unplayable' | 'missing';
  readonly failure: MediaFailure | null;
  readonly wasProbed: boolean;
}

/** A movie's name as the scan read it. */
export type NamedMovie = MovieName;

/** A video, for finding out which one a subtitle file belongs to. */
export interface VideoPlace {
  readonly id: string;
  readonly path: string;
  readonly isExtra: boolean;
}

export interface KnownSidecar {
  readonly id: string;
  readonly fileId: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
}

export interface SidecarChange {
  readonly put: readonly (Omit<KnownSidecar, 'id'> & Omit<SidecarName, 'title'>)[];
  /** Ids of those that are not there any more. */
  readonly gone: readonly string[];
}

export type ProbedMedia = {
  readonly media: MediaInfo;
  readonly resolution: number | null;
  /** `encodeKeyframes`. */
  readonly keyframes: Uint8Array | null;
};

/** What a scan found out about one file. */
export type FileWrite =
  /** New, or its content changed. */
  | {
      readonly kind: 'probed';
      /** The row that it replaces, `null` for a file at a path that has none. */
      readonly fileId: string | null;
      readonly file: SeenFile;
      readonly name: NamedMovie;
      readonly contentHash: string | null;
      readonly outcome: ProbedMedia | { readonly failure: MediaFailure };
    }
  /** The content of a known file that is no longer where it was. */
  | { readonly kind: 'moved'; readonly fileId: string; readonly file: SeenFile; readonly name: NamedMovie }
  /** The same content at the same path: there again, or only its times changed. */
  | { readonly kind: 'kept'; readonly fileId: string; readonly file: SeenFile };

export interface ScanStore {
  /** The files known at these paths, by path. */
  filesAt(libraryId: string, paths: readonly string[]): Promise<ReadonlyMap<string, KnownFile>>;
  /** All files with one of these hashes, in every library, with the folder of theirs. */
  filesByHash(hashes: readonly string[]): Promise<(KnownFile & { readonly libraryPath: string })[]>;
  /**
   * Writes all of it, together with the movies and the change feed, in one transaction. Returns those that the database
   * will not take whatever we do (text that it cannot store); all the others are written.
   */
  write(libraryId: string, writes: readonly FileWrite[]): Promise<FileWrite[]>;
  /** Files at or below `scope` that are not missing, in order of path, from behind `afterPath`. */
  presentFiles(
    libraryId: string,
    scope: string,
    afterPath: string | null,
    limit: number,
  ): Promise<{ readonly id: string; readonly path: string }[]>;
  /** For each name of an extra the movie that it belongs to now, `null` where there is none. */
  homes(libraryId: string, names: readonly NamedMovie[]): Promise<(string | null)[]>;
  /** The videos that lie in these folders now. */
  videosIn(libraryId: string, folders: readonly string[]): Promise<VideoPlace[]>;
  /** The subtitle files known at or below `scopes`, and those at `paths`. */
  sidecars(libraryId: string, scopes: readonly string[], paths: readonly string[]): Promise<KnownSidecar[]>;
  writeSidecars(libraryId: string, change: SidecarChange): Promise<void>;
  markMissing(libraryId: string, fileIds: readonly string[]): Promise<void>;
  /** Replaces what was said about paths at or below `scopes`. */
  replaceIssues(
    libraryId: string,
    scopes: readonly string[],
    issues: readonly { readonly path: string; readonly reason: string }[],
  ): Promise<void>;
  /** Notes a complete scan. */
  finish(libraryId: string, rootIdentity: string): Promise<void>;
  /** Removes files and movies that have been gone for longer than the grace period, but no movie that somebody has progress in. */
  purge(graceMs: number): Promise<void>;
}

/** Movies as screens see them, by the catalogue. */
export interface ShownMovies {
  /** Cards of the movies that are there and not put away, by id. */
  cards(movieIds: readonly string[]): Promise<ReadonlyMap<string, MovieCard>>;
  /** How many those are in all. */
  count(): Promise<number>;
  /** `null` where there is no such movie, or it is hidden from this person. */
  movie(movieId: string, sight: { readonly withPaths: boolean; readonly withHidden: boolean }): Promise<Movie | null>;
}

/** Pictures of movies. Neither call rejects: what cannot be done now is made up for after the next scan. */
export interface PicturePort {
  /** There may be movies without a picture. */
  wake(): void;
  /** These places of a library were looked at, `''` for all: there may be artwork beside its movies that nobody has seen. */
  scanned(libraryId: string, scopes: readonly string[]): void;
}
