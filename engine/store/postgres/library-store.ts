/** Libraries in Postgres: the folders, how much is in them, and what could not be read. */
import type { KnownFile, LibraryCounts, LibraryRow, LibraryStore } from '#engine/library/ports.ts';
import type { LibraryIssue } from '#protocol/schema/library.ts';
import { recordChanges } from './change-feed.ts';
import type { Sql } from './connect.ts';
import type { Remembered } from './remembered.ts';
import { KNOWN_FILE_COLUMNS, libraryChange, lockMovies, refreshMovies } from './scan-store.ts';
import type { CatalogueOptions } from './scan-store.ts';

/** Files forgotten in one transaction when a library is removed. */
const REMOVE_BATCH = 2_000;

export interface LibraryStoreOptions extends Pick<CatalogueOptions, 'onWrite'> {
  /** How much is in the libraries. */
  readonly counts: Remembered<ReadonlyMap<string, LibraryCounts>>;
}

export function createLibraryStore(sql: Sql, { onWrite, counts }: LibraryStoreOptions): LibraryStore {
  const columns = sql`
    id, name, path, root_identity as "rootIdentity", (extract(epoch from last_scan_at) * 1000)::bigint as "lastScanAtMs"`;

  async function count(): Promise<ReadonlyMap<string, LibraryCounts>> {
    const rows = await sql<(LibraryCounts & { id: string })[]>`
      select l.id, (select count(*) from movie m
          where m.deleted_at is null and m.hidden_at is null and m.library_ids @> array[l.id]) as "movieCount",
        coalesce(f.present, 0) as "fileCount", coalesce(f.unplayable, 0) + coalesce(i.count, 0) as "issueCount"
      from library l
      left join (
        select library_id as id, count(*) filter (where state <> 'missing') as present,
          count(*) filter (where state = 'unplayable') as unplayable
        from movie_file group by 1
      ) f on f.id = l.id
      left join (select library_id as id, count(*) from library_issue group by 1) i on i.id = l.id`;
    return new Map(rows.map(({ id, ...numbers }) => [id, numbers]));
  }

  return {
    async list() {
      return [...(await sql<LibraryRow[]>`select ${columns} from library order by lower(name), id`)];
    },
    counts: () => counts.get('', count),
    async add({ id, name, path }) {
      const row = await sql.begin(async (tx) => {
        const [added] = await tx<LibraryRow[]>`
          insert into library (id, name, path) values (${id}, ${name}, ${path}) on conflict (path) do nothing returning ${columns}`;
        if (added) await recordChanges(tx, [libraryChange(id)]);
        return added ?? null;
      });
      onWrite();
      return row;
    },
    async remove(libraryId) {
      for (let isMore = true; isMore;) {
        isMore = await sql.begin(async (tx) => {
          await lockMovies(tx);
          const rows = await tx<{ movieId: string }[]>`
            delete from movie_file
            where id in (select id from movie_file where library_id = ${libraryId} limit ${REMOVE_BATCH})
            returning movie_id as "movieId"`;
          await refreshMovies(tx, new Set(rows.map(({ movieId }) => movieId)));
          return rows.length === REMOVE_BATCH;
        });
        onWrite();
      }
      await sql.begin(async (tx) => {
        await tx`delete from library where id = ${libraryId}`;
        await recordChanges(tx, [libraryChange(libraryId)]);
      });
      onWrite();
    },
    async issues({ libraryId, offset, limit }) {
      const inLibrary = libraryId === null ? sql`true` : sql`library_id = ${libraryId}`;
      const all = sql`
        select library_id, path, coalesce(failure, 'internal') as reason, coalesce(probed_at, added_at) as seen_at, id as file_id
        from movie_file where state = 'unplayable' and ${inLibrary}
        union all
        select library_id, path, reason, seen_at, null from library_issue where ${inLibrary}`;
      const [[total], issues] = await Promise.all([
        sql<{ count: number }[]>`select count(*) as count from (${all}) a`,
        sql<LibraryIssue[]>`
          select coalesce(file_id::text, library_id::text || '/' || md5(path)) as id, library_id as "libraryId", path, reason,
            (extract(epoch from seen_at) * 1000)::bigint as "seenAt", file_id as "fileId"
          from (${all}) a order by library_id, path, reason limit ${limit} offset ${offset}`,
      ]);
      return { total: total?.count ?? 0, issues: [...issues] };
    },
    async file(fileId) {
      const [row] = await sql<(KnownFile & { libraryPath: string })[]>`
        select ${KNOWN_FILE_COLUMNS(sql)}, l.path as "libraryPath"
        from movie_file f join library l on l.id = f.library_id where f.id = ${fileId}`;
      return row ?? null;
    },
    async touch(libraryId) {
      await sql.begin((tx) => recordChanges(tx, [libraryChange(libraryId)]));
    },
  };
}
