/** What jobs need from a store and from a queue's server, and what they offer to whoever has durable work. */
import type { HealthItem } from '#protocol/schema/health.ts';
import type { Job } from '#protocol/schema/job.ts';

export interface JobStore {
  add(job: Job): Promise<void>;
  update(job: Job): Promise<void>;
  /** `null` where there is none. */
  find(jobId: string): Promise<Job | null>;
  /** Open ones first, then those that ended, the latest first. */
  list(limit: number): Promise<Job[]>;
  /** Ends all open jobs as failed with this note, and returns them as they were [JOB5]. */
  endOpen(note: string): Promise<Job[]>;
  /** Removes ended jobs but the `keep` latest [JOB6]. */
  prune(keep: number): Promise<void>;
}

/** Kinds of durable work. A domain that has another one adds it here, in its own order of work and in the client's titles. */
export const WORK_KINDS = [
  'match',
  'refresh',
  'image',
  'index',
  'reindex',
  'radarrSync',
  'radarrEvent',
  'scan',
  'pictures',
  'probe',
  'previews',
  'marks',
  'downloads',
] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

/** `click`: a person waits for it; `normal`: something happened; `bulk`: thousands of the like. A click overtakes everything of its kind that has not begun. */
export const URGENCIES = ['click', 'normal', 'bulk'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface WorkOrder {
  readonly kind: WorkKind;
  /** Plain JSON, small (ids, not content). Parsed by a schema when it comes back out: it may be from an older version. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** `normal` unless told. */
  readonly urgency?: Urgency;
  /** Orders of a kind with the same key that have not begun are one, with the higher urgency and the earlier time of the two [WORK3]. */
  readonly key?: string;
  readonly delayMs?: number;
  /** What it is about, in words, for the list of what failed: a movie's title. */
  readonly subject?: string;
}

export interface WorkQueue {
  /** Resolves when the orders are durable; rejects within seconds where the queue's server is away, and then nothing or a part was ordered [WORK8]. */
  order(orders: readonly WorkOrder[]): Promise<void>;
  /** Says who does the work of a kind. Called once per kind, before `start`. `concurrency` counts for this process. */
  handle(
    kind: WorkKind,
    options: WorkOptions,
    work: (payload: unknown, job: RunningWork) => Promise<WorkOutcome>,
  ): void;
  /** How much of a kind waits, for its turn or for its time, or runs. */
  waiting(kind: WorkKind): Promise<number>;
  /** Calls when the queue's server can be reached again after it was away: the time to order what could not be ordered. Returns how to end that. */
  onReturn(listener: () => void): () => void;
}

export interface WorkOptions {
  readonly concurrency: number;
  /** Attempts in all; a throw is tried again with exponential backoff and jitter. 5 unless told. */
  readonly attempts?: number;
  /** Title of the one line that the jobs screen shows for all orders of this kind together: `Looking for movies`. */
  readonly title: string;
}

export interface WorkProgress {
  readonly done?: number;
  readonly total?: number | null;
  readonly note?: string | null;
}

export interface RunningWork {
  /** From 1. */
  readonly attempt: number;
  /** Aborted when a person cancels the kind, the server stops, or somebody else has taken the work over. */
  readonly signal: AbortSignal;
  progress(progress: WorkProgress): void;
}

/**
 * What came of it. Finding nothing is a result, not an error to retry. `later`: ask again after that time without counting
 * as an attempt (rate limit, server away). A throw is tried again, but not a JobFailure or a payload that no schema takes.
 */
export type WorkOutcome =
  | { readonly kind: 'done'; readonly note?: string }
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string };

/** One order as the queue's server keeps it. */
export interface QueueItem {
  readonly content: Readonly<Record<string, unknown>>;
  readonly urgency: Urgency;
  readonly key: string | null;
  readonly delayMs: number;
}

export interface TakenItem {
  /** Whatever is there: it may be from an older version, or from somebody else. */
  readonly content: unknown;
  /** Failures so far and one. */
  readonly attempt: number;
  /** Aborted when the server of the queue has given it to somebody else. */
  readonly signal: AbortSignal;
}

/** How a taken item is put down. `again`: at once, by whoever is next, as if it had not been taken. */
export type ItemEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'again' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryInMs: number | null };

export interface QueueCounts {
  /** Ready to run. */
  readonly waiting: number;
  /** Not before a certain time. */
  readonly delayed: number;
  readonly running: number;
  /** Failed for good; kept within bounds [WORK7]. */
  readonly failed: number;
}

export interface FailedItem {
  readonly id: string;
  readonly content: unknown;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAtMs: number;
}

/** The server that keeps the orders. Everything rejects within seconds while it is away. One contract suite: queue-contract.ts. */
export interface QueueServer extends AsyncDisposable {
  add(kind: WorkKind, items: readonly QueueItem[]): Promise<void>;
  counts(kind: WorkKind): Promise<QueueCounts>;
  /** Begins to hand out items of a kind, at most `concurrency` at once; again and again until it stops. */
  work(kind: WorkKind, concurrency: number, run: (item: TakenItem) => Promise<ItemEnd>): void;
  /** Removes what has not begun. */
  clear(kind: WorkKind): Promise<void>;
  /** The latest first. */
  failures(kind: WorkKind, limit: number): Promise<FailedItem[]>;
  /** Forgets one that failed. One that is gone already is no failure. */
  forget(kind: WorkKind, itemId: string): Promise<void>;
  /** Hands out nothing new any more; what runs goes on. */
  pause(): Promise<void>;
  /** Which server it is, for messages: `Redis at localhost:6379`. */
  readonly name: string;
  readonly isAway: boolean;
  /** Calls when the server goes away and when it is back. */
  onAway(listener: (isAway: boolean) => void): void;
  /** What of its configuration may cost orders [WORK9]. Empty where it keeps them, or does not say. */
  dangers(): Promise<readonly QueueDanger[]>;
}

/** `evicts`: it throws orders away when its memory is full. `forgets`: it does not write them to disk before it says that it has them. */
export type QueueDanger = 'evicts' | 'forgets';

/** Where findings about the server of the queue are shown. */
export interface JobsHealth {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}
