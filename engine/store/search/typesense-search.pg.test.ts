/** The adapter with the real client against a stand-in that holds every request to the documented API; with `TYPESENSE_URL` also against a real server. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { IndexKeeper } from '#engine/search/index-keeper.ts';
import type { DocumentPort, WorkQueuePort } from '#engine/search/ports.ts';
import { SearchEngine } from '#engine/search/search-engine.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import { changeMovie, writeMovie } from '#test/support/movie-writer.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { describeSearch } from '#test/support/search-contract.ts';
import { STAND_IN_KEY, TypesenseStandIn } from '#test/support/typesense-stand-in.ts';
import { openChangeLog } from '../postgres/change-feed.ts';
import type { Sql } from '../postgres/connect.ts';
import { createFactStore } from '../postgres/fact-store.ts';
import { PostgresSearch } from './postgres-search.ts';
import { createSearchDocuments } from './search-documents.ts';
import { createTypesenseSearch } from './typesense-search.ts';
import type { TypesenseOptions } from './typesense-search.ts';

/** How long to wait for what must come. */
const LIMIT_MS = 25_000;

/** A queue that works at once, in this process, and like the real one does of each kind one at a time. */
class InstantQueue implements WorkQueuePort {
  readonly #works = new Map<string, Parameters<WorkQueuePort['handle']>[2]>();
  readonly #waiting = new Set<string>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly ran: string[] = [];
  isStopped = false;

  handle(kind: string, _options: unknown, work: Parameters<WorkQueuePort['handle']>[2]): void {
    this.#works.set(kind, work);
  }

  order(orders: Parameters<WorkQueuePort['order']>[0]): Promise<void> {
    for (const { kind } of orders) this.#run(kind, 0);
    return Promise.resolve();
  }

  #run(kind: string, afterMs: number): void {
    if (this.#waiting.has(kind) || this.isStopped) return;
    this.#waiting.add(kind);
    setTimeout(() => {
      const turn = (this.#turns.get(kind) ?? Promise.resolve()).then(() => this.#take(kind));
      this.#turns.set(kind, turn);
    }, afterMs);
  }

  async #take(kind: string): Promise<void> {
    this.#waiting.delete(kind);
    if (this.isStopped) return;
    const job = { signal: new AbortController().signal, progress: () => undefined };
    const outcome = await this.#works.get(kind)!({}, job);
    this.ran.push(`${kind} ${outcome.kind}`);
    if (outcome.kind === 'later') this.#run(kind, outcome.afterMs);
  }
}

async function openTypesense(
  sql: Sql,
  options: TypesenseOptions,
  documents: DocumentPort = createSearchDocuments(sql),
) {
  const changes = await openChangeLog(sql, () => undefined);
  const health = new Map<string, Omit<HealthItem, 'since'>>();
  const database = new PostgresSearch({ sql, changes, log: silentLog });
  const server = createTypesenseSearch({ timeoutMs: 5_000, ...options });
  const queue = new InstantQueue();
  const facts = createFactStore(sql);
  const keeper = new IndexKeeper({
    ...{ server, changes, facts, queue, log: silentLog, laterMs: 30 },
    documents,
  });
  const engine = new SearchEngine({
    ...{ database, server, clock: systemClock, log: silentLog, restMs: 50 },
    // Longer than in a house: a busy machine is no server that is away.
    ...{ suggestWithinMs: 2_000, rankWithinMs: 4_000 },
    isCurrent: () => keeper.isCurrent(),
    health: { set: (item) => void health.set(item.id, item), clear: (id) => void health.delete(id) },
    onBack: () => keeper.look(),
  });
  await keeper.start();
  return {
    ...{ engine, keeper, health, queue, server },
    async caughtUp(): Promise<void> {
      await database.caughtUp();
      const latest = await changes.latestSeq();
      await vi.waitFor(
        async () => {
          expect(keeper.isCurrent()).toBe(true);
          expect(((await facts.read('typesenseIndex')) as { seq: number }).seq).toBeGreaterThanOrEqual(latest);
        },
        { timeout: LIMIT_MS, interval: 10 },
      );
    },
    async [Symbol.asyncDispose]() {
      queue.isStopped = true;
      engine[Symbol.dispose]();
      await keeper[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

describeSearch('Typesense, as documented', async ({ sql }) => {
  const stand = await TypesenseStandIn.start();
  const opened = await openTypesense(sql, { url: stand.url, apiKey: STAND_IN_KEY });
  return {
    search: opened.engine,
    answeredBy: 'typesense',
    caughtUp: opened.caughtUp,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await stand[Symbol.asyncDispose]();
      expect(stand.faults).toEqual([]);
    },
  };
});

const realUrl = process.env['TYPESENSE_URL'];
if (realUrl !== undefined) {
  describeSearch('Typesense', async ({ sql }) => {
    const name = `matinee_test_${process.pid}`;
    const opened = await openTypesense(sql, { url: realUrl, apiKey: process.env['TYPESENSE_API_KEY'] ?? '', name });
    return { ...opened, search: opened.engine, answeredBy: 'typesense' };
  });
}

describe('Typesense', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).toReversed()) await clean();
  });

  async function open(movies: readonly string[]) {
    const database = await createTestDatabase({ max: 6 });
    cleanups.push(() => database.drop());
    for (const title of movies) await writeMovie(database.sql, { title });
    const stand = await TypesenseStandIn.start();
    cleanups.push(() => stand[Symbol.asyncDispose]());
    const opened = await openTypesense(database.sql, { url: stand.url, apiKey: STAND_IN_KEY });
    cleanups.push(() => opened[Symbol.asyncDispose]());
    return { ...opened, sql: database.sql, stand };
  }
  const answer = async ({ engine }: Awaited<ReturnType<typeof open>>, text: string) => {
    const { ids, answeredBy } = await engine.rank(text, { limit: 1_000 });
    return `${ids.length} by ${answeredBy}`;
  };

  it('gives more than one page holds', async () => {
    const opened = await open(Array.from({ length: 620 }, (_, at) => `Star ${at}`));
    await opened.caughtUp();
    expect(await answer(opened, 'star')).toBe('620 by typesense');
    expect((await opened.engine.rank('star', { limit: 300 })).ids).toHaveLength(300);
    expect(opened.stand.faults).toEqual([]);
  });

  it.each(['down', 'hung', 'garbled'] as const)(
    '[SEARCH5] [SEARCH6] %s: the database answers, health says so, and it comes back by itself with what changed',
    async (mode) => {
      const opened = await open(['Solaris']);
      const { stand, sql, health } = opened;
      await opened.caughtUp();
      expect(await answer(opened, 'solaris')).toBe('1 by typesense');
      stand.mode = mode;
      expect(await answer(opened, 'solaris')).toBe('1 by postgres');
      expect(await opened.engine.suggest('sol', 3)).toHaveLength(1);
      await vi.waitFor(() => expect(health.get('typesense')?.severity).toBe('warning'), { timeout: LIMIT_MS });
      const id = await writeMovie(sql, { title: 'Stalker' });
      expect(await answer(opened, 'stalker')).toBe('1 by postgres');
      stand.mode = 'well';
      await vi.waitFor(() => expect(health.size).toBe(0), { timeout: LIMIT_MS });
      await opened.caughtUp();
      await vi.waitFor(async () => expect(await answer(opened, 'stalker')).toBe('1 by typesense'), {
        timeout: LIMIT_MS,
      });
      expect(stand.index('matinee_movies')!.documents.has(id)).toBe(true);
      expect(stand.faults).toEqual([]);
    },
  );

  it('[SEARCH7] a reindex is built beside the one in use, which answers and follows meanwhile; then nothing of the old one is left', async () => {
    const opened = await open(['Solaris', 'Stalker']);
    const { stand, sql, queue } = opened;
    await opened.caughtUp();
    const before = stand.aliases.get('matinee_movies');
    const late = await writeMovie(sql, { title: 'Mirror' });
    await queue.order([{ kind: 'reindex', payload: {} }]);
    const answers = new Set<string>();
    await vi.waitFor(async () => {
      answers.add(await answer(opened, 'solaris'));
      expect(stand.aliases.get('matinee_movies')).not.toBe(before);
    }, LIMIT_MS);
    expect([...answers]).toEqual(['1 by typesense']);
    await opened.caughtUp();
    await vi.waitFor(() => expect([...stand.indexes.keys()]).toEqual([stand.aliases.get('matinee_movies')]), LIMIT_MS);
    expect(stand.index('matinee_movies')!.documents.has(late)).toBe(true);
    expect(stand.index('matinee_movies')!.documents.size).toBe(3);
  });

  it('[SEARCH7] while a new index is filled the one in use follows what changes', async () => {
    await using database = await createTestDatabase({ max: 6 });
    const { sql } = database;
    await writeMovie(sql, { title: 'Solaris' });
    await using stand = await TypesenseStandIn.start();
    const real = createSearchDocuments(sql);
    let isFilling = false;
    let seen: string | null = null;
    const documents: DocumentPort = {
      ...real,
      async documentsAfter(movieId, limit) {
        if (isFilling) {
          isFilling = false;
          const id = await writeMovie(sql, { title: 'Mirror' });
          const inUse = stand.index('matinee_movies')!;
          await vi.waitFor(() => expect(inUse.documents.has(id)).toBe(true), { timeout: LIMIT_MS });
          seen = id;
        }
        return real.documentsAfter(movieId, limit);
      },
    };
    await using opened = await openTypesense(sql, { url: stand.url, apiKey: STAND_IN_KEY }, documents);
    await opened.caughtUp();
    const before = stand.aliases.get('matinee_movies');
    isFilling = true;
    await opened.queue.order([{ kind: 'reindex', payload: {} }]);
    await vi.waitFor(() => expect(stand.aliases.get('matinee_movies')).not.toBe(before), { timeout: LIMIT_MS });
    expect(stand.index('matinee_movies')!.documents.has(seen!)).toBe(true);
  });

  it('[SEARCH6] after a restart it goes on from its place; an index that is gone is built anew', async () => {
    const opened = await open(['Solaris']);
    const { stand, sql } = opened;
    await opened.caughtUp();
    await opened[Symbol.asyncDispose]();
    const id = await writeMovie(sql, { title: 'Stalker' });
    const asked = stand.asked.length;
    const again = await openTypesense(sql, { url: stand.url, apiKey: STAND_IN_KEY });
    cleanups.push(() => again[Symbol.asyncDispose]());
    await again.caughtUp();
    expect(stand.asked.slice(asked)).not.toContain('POST /collections');
    expect(stand.index('matinee_movies')!.documents.has(id)).toBe(true);
    stand.indexes.clear();
    stand.aliases.clear();
    again.keeper.look();
    await vi.waitFor(() => expect(stand.index('matinee_movies')?.documents.size).toBe(2), { timeout: LIMIT_MS });
  });

  it('a movie that the server will not take is left out, and all the others are there', async () => {
    const opened = await open(['Solaris']);
    const { stand, sql } = opened;
    await opened.caughtUp();
    stand.refusedTitle = 'Refused';
    const refused = await writeMovie(sql, { title: 'Refused' });
    const taken = await writeMovie(sql, { title: 'Mirror' });
    await changeMovie(sql, refused, { title: 'Refused Again' });
    await opened.caughtUp();
    const { documents } = stand.index('matinee_movies')!;
    expect([documents.has(refused), documents.has(taken)]).toEqual([false, true]);
    const [document] = await createSearchDocuments(sql).documentsOf([refused]);
    expect(await opened.server.put(stand.aliases.get('matinee_movies')!, [document!])).toEqual([
      { id: refused, error: 'Could not be indexed.' },
    ]);
  });

  it('says so where the key is wrong, and searches in the database', async () => {
    await using database = await createTestDatabase();
    await writeMovie(database.sql, { title: 'Solaris' });
    await using stand = await TypesenseStandIn.start();
    await using opened = await openTypesense(database.sql, { url: stand.url, apiKey: 'another' });
    await expect(opened.server.indexInUse()).rejects.toThrow(/401|key/i);
    expect((await opened.engine.rank('solaris', { limit: 5 })).answeredBy).toBe('postgres');
    await vi.waitFor(() => expect(opened.health.get('typesense')?.action).toContain('key'), { timeout: LIMIT_MS });
  });
});
