/** Writes as a scan with matching does: batches of movies whose files changed, and movies whose metadata came, at a given pace. */
import { systemClock } from '#engine/base/clock.ts';
import { recordChanges } from '#engine/store/postgres/change-feed.ts';
import { connectPostgres } from '#engine/store/postgres/connect.ts';
import type { PostgresAddress } from '#engine/store/postgres/connect.ts';
import { answerWith } from '../program.ts';
import { seededRandom } from './generated-catalogue.ts';

const BATCH = 10;
let running: { stop: boolean; done: Promise<number> } | undefined;

interface Work {
  readonly address: PostgresAddress;
  readonly movieIds: readonly string[];
  readonly genreIds: readonly number[];
  readonly perSecond: number;
}

async function write({ address, movieIds, genreIds, perSecond }: Work, state: { stop: boolean }): Promise<number> {
  const sql = connectPostgres(address, { applicationName: 'bench writer', max: 1 });
  const random = seededRandom(7);
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const startedMs = performance.now();
  let written = 0;
  while (!state.stop) {
    const ids = [...new Set(Array.from({ length: BATCH }, () => one(movieIds)))];
    const isMetadata = random() < 0.5;
    await sql.begin(async (tx) => {
      if (isMetadata) {
        await tx`
          update movie set title = title || ' ' || ${Math.floor(random() * 9)}::text, rating = ${Math.round(random() * 100) / 10},
            year = ${1950 + Math.floor(random() * 76)}, refreshed_at = now() where id = any(${ids}::uuid[])`;
        await tx`
          insert into movie_term (movie_id, term_id) select id, ${one(genreIds)}::int from unnest(${ids}::uuid[]) id
          on conflict do nothing`;
      } else {
        await tx`
          update movie set duration_ms = ${Math.floor(random() * 9e6)}, resolution = ${one([480, 720, 1080, 2160])},
            is_playable = true where id = any(${ids}::uuid[])`;
      }
      await recordChanges(
        tx,
        ids.map((entityId) => ({ feed: 'library', audience: null, kind: 'movie', entityId })),
      );
    });
    written += ids.length;
    const aheadMs = (written / perSecond) * 1_000 - (performance.now() - startedMs);
    if (aheadMs > 0) await systemClock.sleep(aheadMs);
  }
  await sql.end();
  return written / ((performance.now() - startedMs) / 1_000);
}

const answers = {
  start(work: Work) {
    const state = { stop: false, done: Promise.resolve(0) };
    state.done = write(work, state);
    running = state;
  },
  /** Movies a second. */
  async stop(_: null) {
    running!.stop = true;
    return await running!.done;
  },
};
export type WriterProgram = typeof answers;
answerWith(answers);
