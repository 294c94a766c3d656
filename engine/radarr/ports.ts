/** What Radarr's part needs from the rest of the engine. `house.ts` hands the implementations in; their types match by shape. */
import type { FolderCheck } from '#protocol/schema/library.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { RadarrEvent } from '#protocol/schema/radarr.ts';

// What is kept.

/** What people set: `SettingStore` of engine/store. */
export interface RadarrSettingStore {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
  readSealed(name: string): Promise<string | null>;
  writeSealed(name: string, secret: string | null): Promise<void>;
}

/** A movie of Radarr's, with its paths as they are here. */
export interface PlacedMovie {
  readonly instance: string;
  readonly radarrId: number;
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly title: string | null;
  readonly year: number | null;
  readonly folderPath: string | null;
  readonly filePath: string | null;
  readonly libraryId: string | null;
  /** In that library. */
  readonly path: string | null;
  readonly radarrFileId: number | null;
  readonly quality: string | null;
  readonly sizeBytes: number | null;
}

/** What a message of the webhook says, as far as it is of use. Paths are Radarr's. */
export interface EventFacts {
  readonly kind: string;
  readonly instance: string | null;
  readonly radarrId: number | null;
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly title: string | null;
  readonly year: number | null;
  readonly folderPath: string | null;
  /** Of the file that is there now; `null` where the message names none. */
  readonly filePath: string | null;
  readonly radarrFileId: number | null;
  readonly quality: string | null;
  readonly sizeBytes: number | null;
  /** Everything where something may have come or gone. */
  readonly paths: readonly string[];
}

export interface WaitingEvent {
  readonly id: string;
  readonly kind: string;
  /** `null` where it is of a version that wrote it otherwise. */
  readonly facts: unknown;
}

export interface RadarrStore {
  /** What is known of these movies is as it is stated here. */
  putMovies(movies: readonly PlacedMovie[], atMs: number): Promise<void>;
  /** Radarr does not have this movie any more. */
  markGone(instance: string, radarrId: number): Promise<void>;
  /** Nor any that was not stated since. */
  markGoneBefore(instance: string, beforeMs: number): Promise<void>;
  /** Forgets movies that Radarr has not had for this long. */
  pruneMovies(ageMs: number): Promise<void>;
  /** How many movies Radarr has a file of, how many of those are files of ours, and how many lie in no library. */
  counts(instance: string): Promise<{ readonly files: number; readonly known: number; readonly unplaced: number }>;
  /**
   * Movies of ours that have a file of which Radarr says that it is another movie, unless a person, a number in a name or an NFO said what they are.
   * `radarrId`: of one only.
   */
  mistaken(instance: string, radarrId: number | null): Promise<string[]>;
  /** Files that Radarr has in a library of ours and we do not have. */
  unseen(instance: string, limit: number): Promise<{ readonly libraryId: string; readonly path: string }[]>;
  /** Folders of ours with files in them, absolute, whose last name is one of these. */
  foldersNamed(names: readonly string[], limit: number): Promise<string[]>;

  /** Keeps a message. `false` where the same one waits already. */
  addEvent(event: {
    readonly id: string;
    readonly kind: string;
    readonly subjectKey: string;
    readonly subject: string | null;
    readonly isUpgrade: boolean;
    readonly digest: string;
    readonly facts: EventFacts;
  }): Promise<boolean>;
  /** In the order in which they came. */
  waitingEvents(subjectKey: string, limit: number): Promise<WaitingEvent[]>;
  waitingSubjects(): Promise<string[]>;
  waitingCount(): Promise<number>;
  endEvent(eventId: string, outcome: NonNullable<RadarrEvent['outcome']>, path: string | null): Promise<void>;
  events(limit: number): Promise<RadarrEvent[]>;
  /** `null` where there is none. */
  event(eventId: string): Promise<RadarrEvent | null>;
  /** Removes what was dealt with but the `keep` latest. */
  pruneEvents(keep: number): Promise<void>;
}

// Others.

export interface LibraryPort {
  list(): Promise<readonly { readonly id: string; readonly name: string; readonly path: string }[]>;
  /** Has the library look at these places soon: a file or folder that came, went or changed. */
  rescanPaths(libraryId: string, paths: readonly string[]): void;
}

/** Has movies looked up again, because Radarr says what they are. */
export interface MatchPort {
  wantMatch(movieIds: readonly string[]): Promise<void>;
}

export interface FolderPort {
  check(path: string, libraries: readonly string[]): Promise<FolderCheck>;
}

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}

type WorkOutcome =
  | { readonly kind: 'done'; readonly note?: string }
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string };

export interface RunningWork {
  readonly attempt: number;
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number | null; readonly note?: string | null }): void;
}

export interface WorkPort {
  order(
    orders: readonly {
      readonly kind: 'radarrSync' | 'radarrEvent';
      readonly payload: Readonly<Record<string, unknown>>;
      readonly urgency?: 'click' | 'normal' | 'bulk';
      readonly key?: string;
      readonly delayMs?: number;
      readonly subject?: string;
    }[],
  ): Promise<void>;
  handle(
    kind: 'radarrSync' | 'radarrEvent',
    options: { readonly concurrency: number; readonly attempts?: number; readonly title: string },
    work: (payload: unknown, job: RunningWork) => Promise<WorkOutcome>,
  ): void;
  onReturn(listener: () => void): () => void;
}
