/** What the feeds need from the rest of the engine. */
import type { AnyFeed } from '#protocol/feeds.ts';
import type { FeedEntry } from '#protocol/contract.ts';
import type { Viewer } from '#protocol/schema/account.ts';

/** One line of the change feed in the database. */
export interface Change {
  readonly seq: number;
  readonly feed: string;
  /** A user's id where the change concerns one person only. */
  readonly audience: string | null;
  readonly kind: string;
  readonly entityId: string;
}

/** The change feed, in commit order. */
export interface ChangeLog {
  /** Names this history of changes; another database has another. */
  readonly epoch: string;
  latestSeq(): Promise<number>;
  /** The lowest seq after which nothing has been pruned. */
  oldestSeq(): Promise<number>;
  /** Changes after `seq`, in order, at most `limit`. */
  changesAfter(seq: number, limit: number): Promise<readonly Change[]>;
  /** Calls back when there may be something new, also after the connection for notifications came back. */
  onChange(listener: () => void): Promise<() => Promise<void>>;
}

/** A group of viewers who see the same of a feed: `all`, `manager`, a user's id. */
export type Audience = string;

interface Source {
  readonly feed: AnyFeed;
  /** Which group this viewer belongs to. */
  audienceOf(viewer: Viewer): Audience;
  /** The whole state as that group sees it, in the shape of the feed's snapshot schema. */
  snapshot(audience: Audience, key: string | null): Promise<unknown>;
}

/** A feed whose changes are in the change feed. */
export interface DurableSource extends Source {
  readonly isDurable: true;
  /** Whether a change belongs into this channel. */
  concerns(change: Change, audience: Audience, key: string | null): boolean;
  /** The present state of what changed, as entries. */
  entries(changes: readonly Change[], audience: Audience, key: string | null): Promise<readonly FeedEntry[]>;
}

/** A feed whose state lives in this process only: running jobs, health. */
export interface LiveSource extends Source {
  readonly isDurable: false;
  /** Calls back with entries whenever something changes, and with the group that may see them where not all may. Returns how to stop. */
  onEntries(listener: (entries: readonly FeedEntry[], audience?: Audience) => void): () => void;
}

export type FeedSource = DurableSource | LiveSource;
