/** Search, put together: the built-in one, and Typesense before it where one is configured. A part of the composition root. */
import type { Clock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Config } from './config.ts';
import type { ShutdownSequence } from './runtime/shutdown.ts';
import { KeptSearch } from './search/kept-search.ts';
import { IndexKeeper } from './search/index-keeper.ts';
import type { ChangeFeedPort, HealthPort, SearchPort, WorkQueuePort } from './search/ports.ts';
import { SearchEngine } from './search/search-engine.ts';
import type { PostgresAddress, Sql } from './store/postgres/connect.ts';
import { createFactStore } from './store/postgres/fact-store.ts';
import { createSearchDocuments } from './store/search/search-documents.ts';
import { SearchThread } from './store/search/search-thread.ts';
import { createTypesenseSearch } from './store/search/typesense-search.ts';

export interface SearchSetup {
  readonly config: Pick<Config, 'typesenseUrl' | 'typesenseApiKey'>;
  readonly sql: Sql;
  /** Where `sql` leads: the thread that searches has connections of its own. */
  readonly address: PostgresAddress;
  readonly changes: ChangeFeedPort;
  readonly queue: WorkQueuePort;
  readonly health: HealthPort;
  readonly clock: Clock;
  readonly closing: ShutdownSequence;
  readonly log: Log;
}

/** Before the queue starts. */
export async function openSearch(setup: SearchSetup): Promise<SearchPort> {
  const { config, sql, address, changes, queue, health, clock, closing, log } = setup;
  const database = closing.use(
    'search',
    new KeptSearch({ start: () => SearchThread.start({ address, log }), health, clock, log }),
  );
  if (config.typesenseUrl === null || config.typesenseApiKey === null) {
    if (config.typesenseUrl !== null) {
      health.set({
        id: 'typesense',
        severity: 'warning',
        title: 'Typesense is not used: its address is set, and its key is not.',
        action: 'Set MATINEE_TYPESENSE_API_KEY too and start again. Until then the built-in search answers.',
      });
    }
    queue.handle('reindex', { concurrency: 1, attempts: 3, title: 'Building the search index' }, async () => {
      await database.reindex();
      return { kind: 'done' };
    });
    // Ordered by a start with Typesense, and kept by the queue since.
    queue.handle('index', { concurrency: 1, title: 'Bringing the search up to date' }, () =>
      Promise.resolve({ kind: 'done' }),
    );
    return database;
  }
  const server = createTypesenseSearch({
    url: config.typesenseUrl.reveal(),
    apiKey: config.typesenseApiKey.reveal(),
  });
  const documents = createSearchDocuments(sql);
  const keeper = new IndexKeeper({ server, documents, changes, facts: createFactStore(sql), queue, log });
  const engine = new SearchEngine({
    database,
    server,
    isCurrent: () => keeper.isCurrent(),
    health,
    clock,
    log,
    onBack: () => keeper.look(),
  });
  closing.use('search index', keeper);
  closing.add('search engine', () => engine[Symbol.dispose]());
  await keeper.start();
  return engine;
}
