/** The catalogue on a test's database, as the house puts it together. */
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { Catalogue } from '#engine/catalogue/catalogue.ts';
import type { MovieReader } from '#engine/catalogue/ports.ts';
import { createBrowseStore } from '#engine/store/postgres/browse-store.ts';
import { openChangeLog } from '#engine/store/postgres/change-feed.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { PostgresSearch } from '#engine/store/search/postgres-search.ts';

export async function openBrowsing(
  sql: Sql,
  reader: MovieReader,
  wantPictures: (movieIds: readonly string[]) => void = () => undefined,
): Promise<Catalogue> {
  const changes = await openChangeLog(sql, () => undefined);
  const search = new PostgresSearch({ sql, changes, log: silentLog });
  const catalogue = await Catalogue.start({
    store: createBrowseStore(sql),
    reader,
    ranking: search,
    changes,
    clock: systemClock,
    log: silentLog,
    wantPictures,
  });
  const close = catalogue[Symbol.asyncDispose].bind(catalogue);
  return Object.assign(catalogue, {
    async [Symbol.asyncDispose]() {
      await close();
      await search[Symbol.asyncDispose]();
    },
  });
}
