import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import type { NewChange, PostgresChangeLog } from './change-feed.ts';
import { openChangeLog, recordChanges } from './change-feed.ts';

let database: TestDatabase;
let log: PostgresChangeLog;
const errors: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ max: 12 });
  log = await openChangeLog(database.sql, (error) => errors.push(error));
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate change restart identity`;
});

const change = (entityId: string): NewChange => ({ feed: 'library', audience: null, kind: 'movie', entityId });
const record = (...ids: string[]) => database.sql.begin((tx) => recordChanges(tx, ids.map(change)));
const idsAfter = async (seq: number) => (await log.changesAfter(seq, 1_000)).map(({ entityId }) => entityId);

describe('recording', () => {
  it('keeps order, audience and kind', async () => {
    const user = randomUUID();
    await database.sql.begin((tx) =>
      recordChanges(tx, [change('a'), { feed: 'progress', audience: user, kind: 'progress', entityId: 'b' }]),
    );
    expect(await log.changesAfter(0, 10)).toEqual([
      { seq: 1, feed: 'library', audience: null, kind: 'movie', entityId: 'a' },
      { seq: 2, feed: 'progress', audience: user, kind: 'progress', entityId: 'b' },
    ]);
    expect(await log.latestSeq()).toBe(2);
    expect(await log.changesAfter(1, 10)).toHaveLength(1);
    expect(await log.changesAfter(0, 1)).toHaveLength(1);
  });

  it('writes nothing for nothing', async () => {
    await database.sql.begin((tx) => recordChanges(tx, []));
    expect(await log.latestSeq()).toBe(0);
  });

  it('[CHANGE1] a reader who has seen n has seen everything before it, however transactions overlap', async () => {
    const writers = Array.from({ length: 8 }, (_, writer) =>
      (async () => {
        for (let round = 0; round < 12; round++) {
          await database.sql.begin(async (tx) => {
            await tx`select pg_sleep(${Math.random() * 0.004})`;
            await recordChanges(tx, [change(`${writer}/${round}`), change(`${writer}/${round}b`)]);
            await tx`select pg_sleep(${Math.random() * 0.004})`;
          });
        }
      })(),
    );
    let isWriting = true;
    const read: string[] = [];
    const reader = (async () => {
      let seq = 0;
      for (let isLast = false; !isLast;) {
        isLast = !isWriting;
        const changes = await log.changesAfter(seq, 7);
        read.push(...changes.map(({ entityId }) => entityId));
        seq = changes.at(-1)?.seq ?? seq;
        if (changes.length > 0) isLast = false;
      }
    })();
    await Promise.all(writers);
    isWriting = false;
    await reader;
    expect(read).toHaveLength(8 * 12 * 2);
    expect(read).toEqual(await idsAfter(0));
  });

  it('[CHANGE2] leaves a gap and nothing else for what was rolled back', async () => {
    await record('a');
    await expect(
      database.sql.begin(async (tx) => {
        await recordChanges(tx, [change('lost')]);
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await record('b');
    expect(await idsAfter(0)).toEqual(['a', 'b']);
    expect(await log.latestSeq()).toBe(3);
  });
});

describe('listening', () => {
  it('[CHANGE3] says “look” with each commit, and after the connection came back', async () => {
    let wake = Promise.withResolvers<void>();
    let seen = 0;
    /** Waits until a look finds `count` changes. */
    const until = async (count: number) => {
      while ((await log.changesAfter(0, 100)).length < count) {
        await wake.promise;
      }
    };
    const stop = await log.onChange(() => {
      seen++;
      wake.resolve();
      wake = Promise.withResolvers();
    });
    await record('a');
    await until(1);
    const before = seen;
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()`;
    // Sent to nobody: what counts is the look after the reconnect.
    await record('b');
    while (seen === before) await wake.promise;
    await until(2);
    await stop();
    expect(errors).toEqual([]);
  });
});

describe('pruning', () => {
  it('[CHANGE4] removes what is old, keeps the newest, and says from where on the rest is whole', async () => {
    await record('a', 'b', 'c');
    await database.sql`update change set at = now() - interval '2 days'`;
    expect(await log.prune(86_400_000)).toBe(2);
    expect(await log.latestSeq()).toBe(3);
    expect(await log.oldestSeq()).toBe(2);
    await record('d');
    expect(await idsAfter(await log.oldestSeq())).toEqual(['c', 'd']);
  });

  it('[CHANGE4] has nothing to say about an empty feed', async () => {
    expect(await log.prune(0)).toBe(0);
    expect(await log.oldestSeq()).toBe(0);
  });
});
