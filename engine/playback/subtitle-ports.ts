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

export interface StoredUpload extends Omit<NewSubtitle, 'userId'> {
  readonly movieId: string;
  /** `null`: they have left. */
  readonly userId: string | null;
  readonly userName: string | null;
  readonly uploadedAtMs: number;
}

/** What is absent stays. */
export interface SubtitleEdit {
  readonly language?: string | null | undefined;
  readonly isForced?: boolean | undefined;
  readonly isHearingImpaired?: boolean | undefined;
}

/** Whether movies that were put away are there for who asks: they are for those who edit. */
export interface Sight {
  readonly withHidden: boolean;
}

/** What may be handed in. */
export interface UploadLimits {
  /** For one file of a movie. */
  readonly perFile: number;
  readonly personBytes: number;
  readonly totalBytes: number;
}

/** `noFile`: there is none of that id. The others name the limit that is reached. */
export type UploadOutcome = 'kept' | 'noFile' | 'perFile' | 'person' | 'total';

export interface SubtitleStore {
  /**
   * Those beside a file and those handed in for it, and for files of the same movie that it has taken the place of: a better release is
   * the same movie.
   */
  filesOf(fileId: string): Promise<SubtitleFile[]>;
  /** One of a file's; `null` where it has none of this id. */
  find(fileId: string, subtitleId: string): Promise<SubtitleFile | null>;
  /** What this person has set for a file's subtitles, by their id. */
  offsets(userId: string, fileId: string): Promise<ReadonlyMap<string, number>>;
  /** `false` where there is no such file, or it has no such subtitles. 0 forgets it. */
  setOffset(userId: string, fileId: string, subtitleId: string, offsetMs: number, sight: Sight): Promise<boolean>;
  /** What was handed in for a movie's files, the newest first; `null` where there is no such movie. */
  uploadsOf(movieId: string, sight: Sight): Promise<StoredUpload[] | null>;
  upload(subtitleId: string, sight: Sight): Promise<StoredUpload | null>;
  addUpload(subtitle: NewSubtitle, limits: UploadLimits, sight: Sight): Promise<UploadOutcome>;
  editUpload(subtitleId: string, edit: SubtitleEdit): Promise<StoredUpload | null>;
  removeUpload(subtitleId: string): Promise<void>;
  /** Ids of all that were handed in, to find files that nobody knows any more. */
  uploadIds(): Promise<ReadonlySet<string>>;
}

/** A file that somebody hands in, on its way. Gone when it is disposed of, unless it was kept. */
export interface ReceivedSubtitle extends AsyncDisposable {
  /** Where it lies meanwhile. Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** From now on it lies under its id. */
  keep(): Promise<void>;
}

/** Files that people handed in. Names are ids; a file is there whole or not at all. */
export interface SubtitleVault {
  pathOf(subtitleId: string): string;
  /** Writes what comes to the disk as it comes. What the source throws is thrown, and then nothing is left. */
  receive(subtitleId: string, chunks: AsyncIterable<Uint8Array>): Promise<ReceivedSubtitle>;
  remove(subtitleId: string): Promise<void>;
  /**
   * Removes files that no id is known of: their movies are gone. `known` is asked after the folder was read, so that what comes in
   * meanwhile stays; and where it knows none at all, whole files stay, since then the database is more likely a new one. What an earlier
   * life was still receiving goes; what it had in whole, and its id in the store, is kept.
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
