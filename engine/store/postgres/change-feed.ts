/**
 * The change feed: one line for everything durable that screens show, written in the transaction of the change itself.
 *
 * - [CHANGE1] Sequence order is commit order: the numbers are given out under an advisory lock that the transaction holds until
 *   it is over. Whoever has seen number n has therefore seen everything before it. The lock is taken last, so that it is
 *   held for a moment only, and one transaction records once.
 * - [CHANGE2] A change that was rolled back leaves a gap in the numbers and nothing else.
 * - [CHANGE3] The notification travels with the commit. It only says “look”: what was sent while the listening connection was
 *   down is gone, so every reconnect looks again.
 * - [CHANGE4] Pruning removes the oldest, never the newest: the sequence does not seem to begin anew.
 */
import type { Change, ChangeLog } from '#engine/feeds/ports.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { listenForChanges } from './listen.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';

export type NewChange = Omit<Change, 'seq'>;

const CHANNEL = 'change';

/**
 * Records what this transaction changed, in the order given. The last statement of the transaction: between it and the
 * commit every other recorder waits.
 */
export async function recordChanges(tx: TransactionSql, changes: readonly NewChange[]): Promise<void> {
  if (changes.length === 0) return;
  const column = <K extends keyof NewChange>(key: K) => changes.map((change) => change[key]);
  // Sent together, answered in order: the numbers are drawn by the second statement, after the first has the lock.
  await Promise.all([
    tx`select pg_advisory_xact_lock(${ADVISORY_LOCK.changeFeed})`,
    tx`
      with added as (
        insert into change (feed, audience, kind, entity_id)
        select * from unnest(${column('feed')}::text[], ${column('audience')}::uuid[], ${column('kind')}::text[],
          ${column('entityId')}::text[])
        returning seq)
      select pg_notify(${CHANNEL}, max(seq)::text) from added`,
  ]);
}

export interface PostgresChangeLog extends ChangeLog {
  /** Removes changes older than `ageMs` but the newest; returns how many. */
  prune(ageMs: number): Promise<number>;
}

/** Reads the change feed. `onError` is told when a look after a notification fails; it is repeated. */
export async function openChangeLog(sql: Sql, onError: (error: unknown) => void): Promise<PostgresChangeLog> {
  const [fact] = await sql<{ epoch: string }[]>`select value as epoch from server_fact where name = 'changeEpoch'`;
  if (!fact) throw new Error('the table server_fact lacks changeEpoch, which the first migration writes');
  const columns = sql`seq, feed, audience, kind, entity_id as "entityId"`;

  return {
    epoch: fact.epoch,
    async latestSeq() {
      const [row] = await sql<{ seq: number }[]>`select coalesce(max(seq), 0) as seq from change`;
      return row?.seq ?? 0;
    },
    async oldestSeq() {
      // Nothing before the oldest line is known, so a reader must have seen at least the one before it. Gaps that a
      // rollback left there cost a reader a snapshot it did not need, nothing more.
      const [row] = await sql<{ seq: number }[]>`select coalesce(min(seq) - 1, 0) as seq from change`;
      return row?.seq ?? 0;
    },
    async changesAfter(seq, limit) {
      return [...(await sql<Change[]>`select ${columns} from change where seq > ${seq} order by seq limit ${limit}`)];
    },
    async onChange(listener) {
      const listening = await listenForChanges(
        sql,
        CHANNEL,
        () => {
          listener();
          return Promise.resolve();
        },
        onError,
      );
      return () => listening.stop();
    },
    async prune(ageMs) {
      const { count } = await sql`
        delete from change
        where at < now() - ${ageMs}::double precision * interval '1 millisecond' and seq < (select max(seq) from change)`;
      return count;
    },
  };
}
