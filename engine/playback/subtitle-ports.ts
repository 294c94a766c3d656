/** What playback needs of subtitles in files of their own, and where it keeps what it made of them. */
import type { SubtitleSource } from '#protocol/schema/subtitle.ts';

/** Subtitles beside a movie's file, or handed in for it. */
export interface SubtitleFile {
  readonly id: string;
  readonly fileId: string;
  readonly source: Exclude<SubtitleSource, 'embedded'>;
  /** Absolute. */
  readonly path: string;
  /** Of the `.idx` that belongs to a VobSub `.sub`, absolute; `null` without one. */
  readonly indexPath: string | null;
  /** Its ending, or `vobsub` for one that was handed in with its index. */
  readonly format: string;
  readonly language: string | null;
  readonly title: string | null;
  readonly isForced: boolean;
  readonly isDefault: boolean;
  readonly isHearingImpaired: boolean;
  readonly sizeBytes: number;
  readonly mtimeUs: number;
}

export interface NewSubtitle {
  readonly id: string;
  readonly fileId: string;
  readonly userId: string;
  readonly name: string;
  readonly format: string;
  readonly language: string | null;
  readonly isForced: boolean;
  readonly isHearingImpaired: boolean;
  readonly sizeBytes: number;
}

export interface StoredUpload extends NewSubtitle {
  readonly movieId: string;
  readonly userName: string | null;
  readonly uploadedAtMs: number;
}

/** What is absent stays. */
export interface SubtitleEdit {
  readonly language?: string | null | undefined;
  readonly isForced?: boolean | undefined;
  readonly isHearingImpaired?: boolean | undefined;
}

export interface SubtitleStore {
  /** Those beside a file and those handed in for it. */
  filesOf(fileId: string): Promise<SubtitleFile[]>;
  /** One of a file's; `null` where it has none of this id. */
  find(fileId: string, subtitleId: string): Promise<SubtitleFile | null>;
  /** What this person has set for a file's subtitles, by their id. */
  offsets(userId: string, fileId: string): Promise<ReadonlyMap<string, number>>;
  /** `false` where there is no such file. 0 forgets it. */
  setOffset(userId: string, fileId: string, subtitleId: string, offsetMs: number): Promise<boolean>;
  /** What was handed in for a movie's files, the newest first; `null` where there is no such movie. */
  uploadsOf(movieId: string): Promise<StoredUpload[] | null>;
  upload(subtitleId: string): Promise<StoredUpload | null>;
  /** `false` where there is no such file, or it has as many as it may. */
  addUpload(subtitle: NewSubtitle, most: number): Promise<boolean>;
  editUpload(subtitleId: string, edit: SubtitleEdit): Promise<StoredUpload | null>;
  removeUpload(subtitleId: string): Promise<void>;
  /** Ids of all that were handed in, to find files that nobody knows any more. */
  uploadIds(): Promise<ReadonlySet<string>>;
}

/** Files that people handed in. Names are ids; a file is there whole or not at all. */
export interface SubtitleVault {
  pathOf(subtitleId: string): string;
  write(subtitleId: string, bytes: Uint8Array): Promise<void>;
  remove(subtitleId: string): Promise<void>;
  /**
   * Removes files that no id is known of: their movies are gone. `known` is asked after the folder was read, so that what comes in
   * meanwhile stays; and where it knows none at all, everything stays, since then the database is more likely a new one.
   */
  sweep(known: () => Promise<ReadonlySet<string>>): Promise<void>;
}

/** Disk space for what was read out of movies: survives restarts, can be made again. One folder for each version of a file. */
export interface SubtitleCachePort {
  /** Makes the folder where there is none, and marks it as used now. Absolute. */
  folder(key: string): Promise<string>;
  /** Absolute path of a file in a folder; `null` where there is none. */
  find(key: string, name: string): Promise<string | null>;
  names(key: string): Promise<readonly string[]>;
  removeFile(key: string, name: string): Promise<void>;
  /** Opens a file that may still grow; `null` where there is none yet. Who holds it reads on after another was put in its place. */
  open(key: string, name: string): Promise<GrowingFile | null>;
  /** Removes what was not used for longest, down to the quota; never the folders in `kept`. */
  trim(kept: ReadonlySet<string>): Promise<void>;
  remove(key: string): Promise<void>;
}

export interface GrowingFile {
  /** What is there from a position on, at most so many bytes; empty at its present end. */
  read(at: number, mostBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
