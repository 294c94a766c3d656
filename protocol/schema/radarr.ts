/** Radarr, which fetches movies and tells us of them. */
import * as v from 'valibot';
import { FolderCheck, PathText } from './library.ts';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';

/**
 * Why Radarr could not be asked. `notSet`: no address or no key. `badKey`: it refuses the key. `away`: nothing answers there. `slow`: no whole answer
 * within the time. `redirected`: the address leads elsewhere. `notRadarr`: something else answers. `tooOld`: before version 3. `broken`: it fails itself.
 */
export const RADARR_TROUBLES = [
  'notSet',
  'badKey',
  'away',
  'slow',
  'redirected',
  'notRadarr',
  'tooOld',
  'broken',
] as const;
export type RadarrTroubleReason = (typeof RADARR_TROUBLES)[number];

export const RadarrTrouble = v.object({
  reason: v.picklist(RADARR_TROUBLES),
  /** The system's word (`ECONNREFUSED`) or the HTTP status, where there is one. */
  detail: v.nullable(ShortText),
});
export type RadarrTrouble = v.InferOutput<typeof RadarrTrouble>;

/** Where Radarr's folder is to be found here. Radarr's may be of Windows. */
export const PathMapping = v.object({ from: PathText, to: PathText });
export type PathMapping = v.InferOutput<typeof PathMapping>;

/** What a whole look at Radarr's movies came to. */
export const RadarrSync = v.object({
  at: Timestamp,
  movies: Count,
  /** Movies of which Radarr has a file, and those of them that are files of ours. */
  files: Count,
  known: Count,
  /** Files whose path leads into no library here. */
  unplaced: Count,
  /** Entries that could not be read. */
  skipped: Count,
});
export type RadarrSync = v.InferOutput<typeof RadarrSync>;

export const RadarrStatus = v.object({
  url: v.nullable(v.string()),
  /** The key itself is never told. */
  hasApiKey: v.boolean(),
  mappings: v.array(PathMapping),
  syncEveryHours: Count,
  /** What Radarr called itself when it was asked last. */
  instanceName: v.nullable(ShortText),
  version: v.nullable(ShortText),
  /** What was the matter when it was asked last; `null` where it answered or was not asked yet. */
  trouble: v.nullable(RadarrTrouble),
  lastSync: v.nullable(RadarrSync),
  /** Whether there is a secret, and so an address that takes Radarr's messages. */
  isWebhookOpen: v.boolean(),
});
export type RadarrStatus = v.InferOutput<typeof RadarrStatus>;

/** What came of a message. */
export const RADARR_OUTCOMES = [
  /** The button in Radarr's settings. */
  'tested',
  /** It calls for nothing. */
  'noted',
  /** Its files are looked at. */
  'lookedAt',
  /** None of its paths can be mapped. */
  'unmapped',
  /** Its paths lead out of every library. */
  'outsideLibraries',
  /** A kind of message that this version does not know. */
  'unknownKind',
] as const;

export const RadarrEvent = v.object({
  id: Id,
  at: Timestamp,
  /** As Radarr calls it: `Download`, `Rename` … */
  kind: ShortText,
  /** The movie, or the text of a message that is about none. */
  subject: v.nullable(ShortText),
  /** A better file took the place of another. */
  isUpgrade: v.boolean(),
  /** `null`: it waits for its turn. */
  outcome: v.nullable(v.picklist(RADARR_OUTCOMES)),
  /** A path that could not be used. */
  path: v.nullable(v.string()),
});
export type RadarrEvent = v.InferOutput<typeof RadarrEvent>;

/** A folder of Radarr's, and how it is seen from here. */
export const RadarrRootFolder = v.object({
  path: v.string(),
  /** Whether Radarr itself can use it. */
  isAccessible: v.boolean(),
  /** Where it is here; `null` where no mapping says. */
  ours: v.nullable(v.string()),
  /** A look at that place, with what to mend. */
  check: v.nullable(FolderCheck),
  /** Libraries that lie in it or hold it, by name. */
  libraries: v.array(ShortText),
  /** The mapping that would make it readable, found by comparing the names of folders. */
  proposal: v.nullable(PathMapping),
});
export type RadarrRootFolder = v.InferOutput<typeof RadarrRootFolder>;

export const RadarrCheck = v.object({
  instanceName: ShortText,
  version: ShortText,
  profiles: v.array(v.object({ id: Count, name: ShortText, isUpgradeAllowed: v.boolean() })),
  rootFolders: v.array(RadarrRootFolder),
  collectionCount: Count,
});
export type RadarrCheck = v.InferOutput<typeof RadarrCheck>;
