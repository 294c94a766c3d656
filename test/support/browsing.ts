/** The catalogue on a test's database, as the house puts it together. */
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { Catalogue } from '#engine/catalogue/catalogue.ts';
import type { MovieReader } from '#engine/catalogue/ports.ts';
import { createBrowseStore } from '#engine/store/postgres/browse-store.ts';
import { openChangeLog } from '#engine/store/postgres/change-feed.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';
import { createMovieRanking } from '#engine/store/postgres/movie-ranking.ts';

export async function openBrowsing(
  sql: Sql,
  reader: MovieReader,
  wantPictures: (movieIds: readonly string[]) => void = () => undefined,
): Promise<Catalogue> {
  return await Catalogue.start({
    store: createBrowseStore(sql),
    reader,
    ranking: createMovieRanking(sql),
    changes: await openChangeLog(sql, () => undefined),
    clock: systemClock,
    log: silentLog,
    wantPictures,
  });
}
