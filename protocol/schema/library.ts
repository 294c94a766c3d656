/** Libraries: folders of movies, and what a scan has to say about them. */
import * as v from 'valibot';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';

export const PathText = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(4096),
  v.check((path) => !path.includes('\0'), 'must not hold a NUL'),
);

/** How new files are noticed: by the kernel's events, by looking again at intervals, or only when asked. */
export const WATCH_MODES = ['events', 'polling', 'off'] as const;

export const ScanState = v.object({
  jobId: Id,
  /** Files seen so far. */
  seen: Count,
  /** Files that were new or changed and have been dealt with. */
  done: Count,
  /** Files known to be new or changed so far; grows while the walk goes on. */
  toDo: Count,
  startedAt: Timestamp,
});

export const Library = v.object({
  id: Id,
  name: ShortText,
  /** Absolute path on the server; only people with `libraries:manage` are told. */
  path: v.nullable(v.string()),
  movieCount: Count,
  fileCount: Count,
  /** Files and folders that could not be read or played. */
  issueCount: Count,
  watching: v.picklist(WATCH_MODES),
  lastScanAt: v.nullable(Timestamp),
  /** The scan that runs now, `null` when none does. */
  scan: v.nullable(ScanState),
});
export type Library = v.InferOutput<typeof Library>;

/** Why a folder can't be used, each with the text and the mend that the client shows. */
export const FOLDER_PROBLEMS = [
  'notFound',
  'notADirectory',
  /** The folder itself can't be listed by the user that the server runs as. */
  'notReadable',
  /** A folder above it can't be entered; `at` names it. */
  'notReachable',
  'insideDataFolder',
  'alreadyALibrary',
  'insideALibrary',
] as const;

export const FolderCheck = v.object({
  path: v.string(),
  problem: v.nullable(v.picklist(FOLDER_PROBLEMS)),
  /** The path where it stops, and what the system says of its owner, for a text that names the exact mend. */
  at: v.nullable(v.object({ path: v.string(), owner: v.string(), group: v.string(), mode: v.string() })),
  /** The user that the server runs as. */
  runsAs: v.string(),
  /** Video files seen in a bounded look; `isMore` when the look stopped early. */
  videoFiles: Count,
  isMore: v.boolean(),
});
export type FolderCheck = v.InferOutput<typeof FolderCheck>;

/** Something in a library that could not be read or played. */
export const LibraryIssue = v.object({
  id: v.string(),
  libraryId: Id,
  path: v.string(),
  /** A `MediaFailure` code, or one of the scan's own: `nameNotUtf8`, `symlinkLoop`, `notReadable`, `discFolder` … */
  reason: v.string(),
  seenAt: Timestamp,
  fileId: v.nullable(Id),
});
export type LibraryIssue = v.InferOutput<typeof LibraryIssue>;
