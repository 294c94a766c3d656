/**
 * Suggestions while somebody types, in a catalogue of 100,000 movies and 300,000 people. Ours: the handler of `search.suggest` with
 * everything behind it, pictures included: what the main thread does, and the thread that has the index. Peer: what one would write by hand
 * in SQL with trigram indexes on both names, on the same database; and the same with a plain `ilike`, which needs no index.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { createSearchHandlers } from '#engine/search/handlers.ts';
import { KeptSearch } from '#engine/search/kept-search.ts';
import { recordChanges } from '#engine/store/postgres/change-feed.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { connectPostgres } from '#engine/store/postgres/connect.ts';
import { createNameCards } from '#engine/store/search/name-cards.ts';
import { SearchThread } from '#engine/store/search/search-thread.ts';
import { testContext } from '#test/support/call-context.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { quantile } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';
import { fillCatalogue, makeQueries } from './search/catalogue.ts';
import type { MadeCatalogue } from './search/catalogue.ts';

const SIZE = { movies: 100_000, people: 300_000, creditsPerMovie: 15 };
const QUERIES_EACH = 120;
/** A hand-written query of this many of each kind is enough to know it. */
const PEER_QUERIES_EACH = 4;
const LIMIT = 8;
const WRITES_PER_SECOND = 300;

type Ask = (text: string) => Promise<unknown>;

/** Milliseconds of each; `processor`: those of them in which this thread ran, whatever else the machine did meanwhile. */
interface Times {
  readonly took: number[];
  readonly processor: number[];
}

async function timed(ask: Ask, texts: readonly string[]): Promise<Times> {
  const times: Times = { took: [], processor: [] };
  for (const text of texts) {
    const startedAt = performance.now();
    const usedBefore = process.threadCpuUsage();
    await ask(text);
    const { user, system } = process.threadCpuUsage(usedBefore);
    times.took.push(performance.now() - startedAt);
    times.processor.push((user + system) / 1_000);
  }
  return times;
}

/** By hand: names that hold the text, then names like it. */
function trigramPeer(sql: Sql): Ask {
  const half = (table: 'movie' | 'person', text: string) => {
    const name = table === 'movie' ? sql`fold_text(title)` : sql`fold_text(name)`;
    return sql`
      (select id, ${name} as name, similarity(${name}, ${text}) as nearness from ${sql(table)}
       where ${name} like ${`%${text}%`} or ${name} %> ${text}
       order by (${name} like ${`${text}%`}) desc, nearness desc limit ${LIMIT})`;
  };
  return (text) => sql`${half('movie', text)} union all ${half('person', text)} order by nearness desc limit ${LIMIT}`;
}

function plainPeer(sql: Sql): Ask {
  return (text) => sql`
    (select id, title as name from movie where title ilike ${`%${text}%`} order by vote_count desc nulls last limit ${LIMIT})
    union all (select id, name from person where name ilike ${`%${text}%`} order by popularity desc nulls last limit ${LIMIT})`;
}

/** Changes titles as a scan or a refresh would, in transactions of 30, until the signal ends it. Returns how many it wrote. */
async function write(sql: Sql, { movieIds }: MadeCatalogue, signal: AbortSignal): Promise<number> {
  let written = 0;
  const startedAt = performance.now();
  while (!signal.aborted) {
    const ids = Array.from({ length: 30 }, (_, at) => movieIds[(written + at * 37) % movieIds.length]!);
    await sql.begin(async (tx) => {
      await tx`update movie set title = title || ' ' || ${String(written)} where id = any(${ids}::uuid[]) and length(title) < 80`;
      await recordChanges(
        tx,
        ids.map((entityId) => ({ feed: 'library', audience: null, kind: 'movie', entityId })),
      );
    });
    written += ids.length;
    const aheadMs = (written / WRITES_PER_SECOND) * 1_000 - (performance.now() - startedAt);
    if (aheadMs > 0) await sleep(aheadMs);
  }
  return written;
}

async function run(report: BenchReport): Promise<void> {
  await using database = await createTestDatabase({ max: 6 });
  const { sql } = database;
  const made = await fillCatalogue(sql, SIZE);
  const queries = makeQueries(made, QUERIES_EACH);
  report.note(`made ${SIZE.movies} movies, ${SIZE.people} people`);

  const before = memory();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedAt = performance.now();
  const usedBefore = process.threadCpuUsage();
  await using search = new KeptSearch({
    start: () => SearchThread.start({ address: database.address, log: silentLog }),
    health: { set: ({ title }) => report.note(title), clear: () => undefined },
    clock: systemClock,
    log: silentLog,
  });
  await search.caughtUp();
  const { user, system } = process.threadCpuUsage(usedBefore);
  report.row({ metric: 'our main thread meanwhile', unit: 'ms', ours: (user + system) / 1_000, better: 'less' });
  report.row({
    metric: 'reading everything at the start',
    unit: 's',
    ours: (performance.now() - startedAt) / 1_000,
    better: 'less',
  });
  report.row({ metric: 'longest turn of the main loop meanwhile', unit: 'ms', ours: delay.max / 1e6, better: 'less' });
  report.row({
    metric: 'memory of the process, more than before',
    unit: 'MB',
    ours: (memory() - before) / 1e6,
    better: 'less',
  });

  const handlers = createSearchHandlers({
    engine: search,
    names: createNameCards(sql),
    browse: { list: refuse, facets: refuse },
    tiles: { tiles: refuse },
    queue: { order: refuse },
  });
  const ours: Ask = async (query) => handlers.suggest({ query, limit: LIMIT }, testContext());

  await using peerPool = disposable(connectPostgres(database.address, { applicationName: 'peer', max: 1 }));
  await peerPool.sql`create index peer_title on movie using gin (fold_text(title) gin_trgm_ops)`;
  await peerPool.sql`create index peer_name on person using gin (fold_text(name) gin_trgm_ops)`;
  const trigram = trigramPeer(peerPool.sql);
  const plain = plainPeer(peerPool.sql);
  const few = (texts: readonly string[]): readonly string[] => texts.slice(0, PEER_QUERIES_EACH);

  await timed(
    ours,
    Object.values(queries).flatMap((texts) => texts.slice(0, 20)),
  );
  const all: Times = { took: [], processor: [] };
  const allPeer: number[] = [];
  for (const [kind, texts] of Object.entries(queries)) {
    const { took, processor } = await timed(ours, texts);
    const { took: peer } = await timed(trigram, few(texts));
    all.took.push(...took);
    all.processor.push(...processor);
    allPeer.push(...peer);
    report.row({
      ...{ metric: `${kind}, p95`, unit: 'ms', ours: quantile(took, 0.95), peer: quantile(peer, 0.95) },
      ...{ peerName: 'pg_trgm by hand', better: 'less' },
    });
    report.row({
      ...{ metric: `${kind}, our main thread, p95`, unit: 'ms', ours: quantile(processor, 0.95), better: 'less' },
    });
  }
  const { took: plainTook } = await timed(
    plain,
    Object.values(queries).flatMap((texts) => texts.slice(0, 5)),
  );
  for (const [share, name] of [
    [0.5, 'p50'],
    [0.95, 'p95'],
    [0.99, 'p99'],
  ] as const) {
    report.row({
      ...{
        metric: `all of these, ${name}`,
        unit: 'ms',
        ours: quantile(all.took, share),
        peer: quantile(allPeer, share),
      },
      ...{ peerName: 'pg_trgm by hand', better: 'less' },
    });
  }
  report.row({
    ...{ metric: 'all of these, p95', unit: 'ms', ours: quantile(all.took, 0.95), peer: quantile(plainTook, 0.95) },
    ...{ peerName: 'plain ilike', better: 'less' },
  });

  report.row({
    ...{
      metric: 'all of these, our main thread, p95',
      unit: 'ms',
      ours: quantile(all.processor, 0.95),
      better: 'less',
    },
  });

  const names = Object.values(queries).flatMap((texts) => texts.slice(0, 60));
  const { took: ranked } = await timed((text) => search.rank(text, { limit: 5_000 }), names);
  report.row({ metric: 'the whole ranking, p95', unit: 'ms', ours: quantile(ranked, 0.95), better: 'less' });

  // The same while somebody writes.
  await peerPool.sql`drop index peer_title, peer_name`;
  const stop = new AbortController();
  const writer = disposable(connectPostgres(database.address, { applicationName: 'writer', max: 1 }));
  await using _ = writer;
  const writing = write(writer.sql, made, stop.signal);
  delay.reset();
  const startedWritingAt = performance.now();
  const shuffled = Object.values(queries)
    .flat()
    .toSorted((a, b) => (a.slice(-1) < b.slice(-1) ? -1 : 1));
  const busy: Times = { took: [], processor: [] };
  for (let at = 0; performance.now() - startedWritingAt < 8_000; at += 50) {
    const { took, processor } = await timed(ours, shuffled.slice(at % shuffled.length).slice(0, 50));
    busy.took.push(...took);
    busy.processor.push(...processor);
  }
  stop.abort();
  const written = await writing;
  report.row({
    metric: 'all of these while 300 movies/s change, p95',
    unit: 'ms',
    ours: quantile(busy.took, 0.95),
    better: 'less',
  });
  report.row({ metric: 'longest turn of the main loop meanwhile', unit: 'ms', ours: delay.max / 1e6, better: 'less' });
  const lagFrom = performance.now();
  await search.caughtUp();
  report.note(
    `${busy.took.length} suggestions while ${written} movies changed; the rest was read ${(performance.now() - lagFrom).toFixed(0)} ms later`,
  );
}

function memory(): number {
  global.gc?.();
  return process.memoryUsage.rss();
}

function disposable(sql: Sql): AsyncDisposable & { readonly sql: Sql } {
  return { sql, [Symbol.asyncDispose]: () => sql.end() };
}

const refuse = (): Promise<never> => Promise.reject(new Error('the bench asks for suggestions only'));

export const bench: Bench = {
  name: 'search',
  about:
    'suggestions while typing in 100,000 movies and 300,000 people, beside trigram indexes by hand, and while a writer writes',
  run,
};
