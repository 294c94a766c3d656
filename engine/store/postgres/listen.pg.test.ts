import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { listenForChanges } from './listen.ts';

/** How long to wait for what must come. */
const LIMIT_MS = 25_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

const unexpected = (error: unknown): void => expect.fail(String(error));

describe('listening for changes', () => {
  it('refetches at the start, after a notification, and after the connection was lost', async () => {
    const { sql } = database;
    let count = 0;
    const listening = await listenForChanges(
      sql,
      'changes',
      async () => {
        count += 1;
      },
      unexpected,
    );
    await vi.waitFor(() => expect(count).toBe(1), LIMIT_MS);
    await sql.notify('changes', '');
    await vi.waitFor(() => expect(count).toBe(2), LIMIT_MS);
    const [killed] = await sql<{ killed: number }[]>`
      select count(pg_terminate_backend(pid))::int as killed from pg_stat_activity where query ilike 'listen "changes"%'`;
    expect(killed).toEqual({ killed: 1 });
    await vi.waitFor(() => expect(count).toBe(3), LIMIT_MS);
    await sql.notify('changes', '');
    await vi.waitFor(() => expect(count).toBe(4), LIMIT_MS);
    await listening.stop();
    await sql.notify('changes', '');
    await sql`select 1`;
    expect(count).toBe(4);
  });

  it('never runs two refetches at once, and merges what comes meanwhile', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const listening = await listenForChanges(
      database.sql,
      'busy',
      () => {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        return gate.promise;
      },
      unexpected,
    );
    await vi.waitFor(() => expect(gates).toHaveLength(1), LIMIT_MS);
    const heard = Promise.withResolvers<void>();
    const probe = await database.sql.listen('busy', (payload) => payload === 'last' && heard.resolve());
    for (const payload of ['1', '2', 'last']) await database.sql.notify('busy', payload);
    await heard.promise;
    expect(gates).toHaveLength(1);
    gates[0]?.resolve();
    await vi.waitFor(() => expect(gates).toHaveLength(2), LIMIT_MS);
    gates[1]?.resolve();
    await probe.unlisten();
    await listening.stop();
    expect(gates).toHaveLength(2);
  });

  it('tells a refetch that failed, and tries it again', async () => {
    const errors: unknown[] = [];
    let count = 0;
    const listening = await listenForChanges(
      database.sql,
      'failing',
      async () => {
        count += 1;
        if (count === 1) throw new Error('not now');
      },
      (error) => errors.push(error),
    );
    await vi.waitFor(() => expect(count).toBe(2), LIMIT_MS);
    expect(errors).toEqual([new Error('not now')]);
    await listening.stop();
  });
});
