/**
 * A process that scans a library and is killed in the middle of it: `killed-scan.host.ts DATABASE_URL LIBRARY_ID ROOT COUNT`. Writes a line
 * when `COUNT` files were probed, and never probes another one.
 */
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { HashPool } from '#engine/hosts/hash-pool.ts';
import { JobBoard } from '#engine/jobs/job-board.ts';
import { runScan } from '#engine/library/scan.ts';
import { VIDEO_EXTENSIONS } from '#engine/media/file-name.ts';
import { TreeWalker } from '#engine/store/files/tree-walker.ts';
import { createCatalogue } from '#engine/store/postgres/catalogue.ts';
import { connectPostgres, parseDatabaseUrl } from '#engine/store/postgres/connect.ts';
import { createJobStore } from '#engine/store/postgres/job-store.ts';
import { mediaInfo } from '../media-info.ts';

const [url = '', libraryId = '', path = '', count = ''] = process.argv.slice(2);
const sql = connectPostgres(parseDatabaseUrl(url), { applicationName: 'killed scan' });
const newId = createUuidFactory(systemClock);
const { scans } = createCatalogue(sql, { newId });
const jobs = new JobBoard({ store: createJobStore(sql), clock: systemClock, newId, log: silentLog });
const hang = new Promise<never>(() => undefined);
let probes = 0;

await jobs.run({ kind: 'scan', subject: 'Movies', libraryId }, async (job) => {
  await runScan(
    {
      walker: new TreeWalker({ extensions: VIDEO_EXTENSIONS, excluded: [] }),
      hashes: new HashPool({ threads: 1 }),
      media: {
        probe: async () => {
          if (++probes > Number(count)) return hang;
          return { ok: true, media: mediaInfo(), keyframesUs: null };
        },
        release: () => Promise.resolve(false),
      },
      store: {
        ...scans,
        // What was probed is committed before anybody is told.
        write: async (id, writes) => {
          const refused = await scans.write(id, writes);
          if (probes >= Number(count)) process.stdout.write('now\n');
          return refused;
        },
      },
      clock: systemClock,
      log: silentLog,
    },
    {
      library: { id: libraryId, path, rootIdentity: null },
      scopes: [''],
      unsettled: 'now',
      signal: job.signal,
      onProgress: () => undefined,
    },
  );
});
