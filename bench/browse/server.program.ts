/** The server of the `browse` bench: the catalogue on a database, its calls, and how long its loop was held. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parse } from 'valibot';
import { createUuidFactory } from '#engine/base/ids.ts';
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { Catalogue } from '#engine/catalogue/catalogue.ts';
import { REMOTE_SIZES } from '#engine/images/remote-pictures.ts';
import { createBrowseStore } from '#engine/store/postgres/browse-store.ts';
import { openChangeLog } from '#engine/store/postgres/change-feed.ts';
import { createCollectionStore } from '#engine/store/postgres/collection-store.ts';
import { connectPostgres } from '#engine/store/postgres/connect.ts';
import type { PostgresAddress } from '#engine/store/postgres/connect.ts';
import { createEditStore } from '#engine/store/postgres/edit-store.ts';
import { createMovieStore } from '#engine/store/postgres/movie-store.ts';
import { createPersonStore } from '#engine/store/postgres/person-store.ts';
import { createPictureStore } from '#engine/store/postgres/picture-store.ts';
import type { InputOf } from '#protocol/contract.ts';
import { movies } from '#protocol/index.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { answerWith } from '../program.ts';

export type Ask =
  | { readonly call: 'list'; readonly input: InputOf<typeof movies.list> }
  | { readonly call: 'facets'; readonly input: InputOf<typeof movies.facets> };

let catalogue: Catalogue | undefined;
let userId = '';
const delay = monitorEventLoopDelay({ resolution: 1 });

/** All that is in use, typed arrays too, after everything that can go has gone. */
function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const answers = {
  async open(input: { readonly address: PostgresAddress; readonly userId: string }) {
    const sql = connectPostgres(input.address, { applicationName: 'bench browse', max: 8 });
    userId = input.userId;
    const before = usedBytes();
    const startedMs = performance.now();
    delay.enable();
    const newId = createUuidFactory(systemClock);
    catalogue = await Catalogue.start({
      store: createBrowseStore(sql),
      reader: createMovieStore(sql),
      edits: createEditStore(sql, { newId }),
      people: createPersonStore(sql),
      collections: createCollectionStore(sql, { newId }),
      pictures: createPictureStore(sql, { sizes: REMOTE_SIZES }),
      // Words are the search bench’s; its index would be read beside this one.
      ranking: { rank: () => Promise.reject(new Error('this bench asks for no words')) },
      changes: await openChangeLog(sql, () => undefined),
      clock: systemClock,
      log: silentLog,
      wantPictures: () => undefined,
    });
    await catalogue.index.fresh();
    delay.disable();
    const tookMs = performance.now() - startedMs;
    await catalogue.index.list(userId, {
      filter: {},
      search: null,
      sort: 'title',
      order: null,
      seed: 0,
      offset: 0,
      limit: 1,
    });
    const loop = { maxMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 };
    return { tookMs, bytes: usedBytes() - before, loop };
  },
  /** Each after the other; how long each took, and how long the loop was held meanwhile. */
  async ask(asks: readonly Ask[]) {
    const { handlers } = catalogue!;
    const context = testContext({ viewer: testViewer(userId, 'admin') });
    const tookMs: number[] = [];
    const processor = process.cpuUsage();
    delay.reset();
    delay.enable();
    for (const { call, input } of asks) {
      const startedMs = performance.now();
      if (call === 'list') await handlers.movies.list(parse(movies.list.input, input), context);
      else await handlers.movies.facets(parse(movies.facets.input, input), context);
      tookMs.push(performance.now() - startedMs);
    }
    delay.disable();
    const { user, system } = process.cpuUsage(processor);
    const processorMs = (user + system) / 1_000 / asks.length;
    return { tookMs, processorMs, loop: { maxMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 } };
  },
  /** The loop while nobody asks anything. */
  async rest(ms: number) {
    delay.reset();
    delay.enable();
    await systemClock.sleep(ms);
    delay.disable();
    return { maxMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 };
  },
};
export type ServerProgram = typeof answers;
answerWith(answers);
