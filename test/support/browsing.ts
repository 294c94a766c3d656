/** The catalogue on a test's database, as the house puts it together. */
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { Catalogue } from '#engine/catalogue/catalogue.ts';
import type { MovieReader } from '#engine/catalogue/ports.ts';
import { createBrowseStore } from '#engine/store/postgres/browse-store.ts';
import { REMOTE_SIZES } from '#engine/images/remote-pictures.ts';
import { openChangeLog } from '#engine/store/postgres/change-feed.ts';
import { createCollectionStore } from '#engine/store/postgres/collection-store.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { createEditStore } from '#engine/store/postgres/edit-store.ts';
import { createPersonStore } from '#engine/store/postgres/person-store.ts';
import { createPictureStore } from '#engine/store/postgres/picture-store.ts';
import { PostgresSearch } from '#engine/store/search/postgres-search.ts';

const newId = createUuidFactory(systemClock);

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
    edits: createEditStore(sql, { newId }),
    people: createPersonStore(sql),
    collections: createCollectionStore(sql, { newId }),
    pictures: createPictureStore(sql, { sizes: REMOTE_SIZES }),
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
