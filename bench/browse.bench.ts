/**
 * Browsing 100,000 movies: windows in any order and place, filters combined, counts of all facets, each as the handler of its call
 * answers it with everything the screen shows. Peers: the same questions as a person would write them in SQL, on the same
 * Postgres. All of it again while another process changes 300 movies a second.
 */
import { join } from 'node:path';
import { connectPostgres } from '#engine/store/postgres/connect.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { MOVIE_SORTS } from '#protocol/schema/movie-sort.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import { generateCatalogue, seededRandom } from './browse/generated-catalogue.ts';
import type { GeneratedCatalogue } from './browse/generated-catalogue.ts';
import { facetsByHand, windowByHand } from './browse/sql-peer.ts';
import type { Ask, ServerProgram } from './browse/server.program.ts';
import type { WriterProgram } from './browse/writer.program.ts';
import { Program } from './program.ts';
import { median, quantile } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

const MOVIE_COUNT = Number(process.env['BENCH_MOVIES'] ?? 100_000);
const ASKS = 300;
/** The peer is slow: fewer of the same questions say the same. */
const PEER_ASKS = 10;
const WRITES_PER_SECOND = 300;
const PEER = 'SQL by hand';

type List = Extract<Ask, { call: 'list' }>;

async function run(report: BenchReport): Promise<void> {
  await using database = await createTestDatabase({ max: 4 });
  const { address } = database;
  // A hundred thousand movies are one statement.
  const sql = connectPostgres(address, { applicationName: 'bench', max: 8, statementTimeoutMs: 0 });
  await using _pool = { [Symbol.asyncDispose]: () => sql.end() };
  await giveIndexes(sql);
  const startedMs = performance.now();
  const made = await generateCatalogue(sql, MOVIE_COUNT);
  report.note(`${MOVIE_COUNT} movies were made in ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);

  await using server = await Program.start<ServerProgram>(join(import.meta.dirname, 'browse/server.program.ts'), [
    '--expose-gc',
  ]);
  await using writer = await Program.start<WriterProgram>(join(import.meta.dirname, 'browse/writer.program.ts'));
  const opened = await server.ask('open', { address, userId: made.userId });
  report.row({ metric: 'reading the index', unit: 'ms', ours: opened.tookMs, better: 'less' });
  report.row({
    metric: 'memory for 100,000 movies',
    unit: 'MiB',
    ours: (opened.bytes / 2 ** 20) * (100_000 / MOVIE_COUNT),
    better: 'less',
  });
  report.note(`the loop while it was read: ${pauses(opened.loop)}`);
  report.note(`the loop at rest: ${pauses(await server.ask('rest', 1_000))}`);

  const questions = questionsOf(made);
  for (const [name, asks] of questions) {
    // Once to warm up what runs for the first time, here and in the database.
    await server.ask('ask', asks.slice(0, 50));
    const ours = await server.ask('ask', asks);
    const theirs = await timed(sql, made.userId, asks.slice(0, PEER_ASKS));
    tell(report, name, ours, theirs);
    report.note(`the loop during ${name}: ${pauses(ours.loop)}`);
  }
  const { movieIds, termIds } = made;
  const work = { address, movieIds, genreIds: termIds['genre']!, perSecond: WRITES_PER_SECOND };
  for (const [name, asks] of questions) {
    await writer.ask('start', work);
    await server.ask('ask', asks.slice(0, 50));
    const ours = await server.ask('ask', asks);
    const theirs = await timed(sql, made.userId, asks.slice(0, PEER_ASKS));
    const pace = await writer.ask('stop', null);
    tell(report, `${name}, while written to`, ours, theirs);
    report.note(`the loop during ${name}, with ${pace.toFixed(0)} changes a second: ${pauses(ours.loop)}`);
  }
}

/** What somebody who asks by hand would have: the schema has none of them, for the browse index needs none. */
async function giveIndexes(sql: Sql): Promise<void> {
  const orders = ['sort_title', 'year desc nulls last', 'added_at desc', 'release_date desc nulls last'];
  orders.push('rating desc nulls last', 'duration_ms desc nulls last', 'resolution desc nulls last');
  for (const [place, order] of orders.entries()) {
    await sql.unsafe(`create index bench_${place} on movie (${order}, id) where deleted_at is null`);
  }
}

const pauses = ({ maxMs, p99Ms }: { maxMs: number; p99Ms: number }): string =>
  `99 of 100 looks after ${p99Ms.toFixed(1)} ms, the latest after ${maxMs.toFixed(1)} ms (1 ms is the clock itself)`;

interface Answered {
  readonly tookMs: readonly number[];
  readonly processorMs: number;
}

function tell(report: BenchReport, name: string, { tookMs, processorMs }: Answered, theirs: readonly number[]): void {
  const row = (label: string, of: (values: readonly number[]) => number): void =>
    report.row({
      metric: `${name}, ${label}`,
      unit: 'ms',
      ours: of(tookMs),
      peer: of(theirs),
      peerName: PEER,
      better: 'less',
    });
  row('p50', median);
  row('p95', (values) => quantile(values, 0.95));
  // What it costs does not depend on who else was given the processor. While it is written to, following is part of it.
  report.row({ metric: `${name}, our processor`, unit: 'ms', ours: processorMs, better: 'less' });
}

async function timed(sql: Sql, userId: string, asks: readonly Ask[]): Promise<number[]> {
  const tookMs: number[] = [];
  for (const ask of asks) {
    const startedMs = performance.now();
    if (ask.call === 'list') await windowByHand(sql, userId, ask.input);
    else await facetsByHand(sql, userId, ask.input);
    tookMs.push(performance.now() - startedMs);
  }
  return tookMs;
}

/** Questions by name, the same ones in every run. */
function questionsOf(made: GeneratedCatalogue): Map<string, Ask[]> {
  const random = seededRandom(42);
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  /** The frequent ones more often, as people ask. */
  const frequent = <T>(values: readonly T[]): T => values[Math.floor(values.length * random() ** 2)]!;
  const choices: (() => MovieFilter)[] = [
    () => ({ genreIds: [frequent(made.termIds['genre']!)] }),
    () => ({ genreIds: [one(made.termIds['genre']!), one(made.termIds['genre']!)] }),
    () => ({ yearFrom: 1980 + Math.floor(random() * 4) * 10, yearTo: 2026 }),
    () => ({ resolutions: [one([2160, 1080, 720])] }),
    () => ({ hdr: [one(['sdr', 'hdr10', 'dolbyVision'] as const)] }),
    () => ({ videoCodecs: [one(['h264', 'hevc', 'av1'])] }),
    () => ({ languages: [one(['en', 'fr', 'ja'])] }),
    () => ({ certifications: [one(['R', 'PG-13', 'PG'])] }),
    () => ({ ratingFrom: 5 + Math.floor(random() * 3) }),
    () => ({ isWatched: random() < 0.3 }),
    () => ({ libraryId: one(made.libraryIds) }),
    () => ({ studioIds: [frequent(made.termIds['studio']!.slice(0, 200))] }),
    () => ({ tagIds: [frequent(made.termIds['tag']!)] }),
    () => ({ personId: frequent(made.personIds.slice(0, 1_000)) }),
  ];
  const filter = (): MovieFilter =>
    Object.assign({}, ...Array.from({ length: 1 + Math.floor(random() * 3) }, () => one(choices)())) as MovieFilter;
  const list = (narrowed: MovieFilter, depth: number): List => ({
    call: 'list',
    input: {
      ...narrowed,
      sort: one(MOVIE_SORTS),
      ...(random() < 0.5 && { order: one(['ascending', 'descending'] as const) }),
      offset: Math.floor(random() * depth),
      limit: 60,
    },
  });
  const many = (make: () => Ask): Ask[] => Array.from({ length: ASKS }, make);
  return new Map([
    ['any window of all', many(() => list({}, MOVIE_COUNT))],
    ['a window of a filter', many(() => list(filter(), 500))],
    ['facets of all', many(() => ({ call: 'facets', input: {} }))],
    ['facets of a filter', many(() => ({ call: 'facets', input: filter() }))],
  ]);
}

export const bench: Bench = {
  name: 'browse',
  about: '100,000 movies: any window, filter and facet count, also while they are written to; beside SQL by hand',
  run,
};
