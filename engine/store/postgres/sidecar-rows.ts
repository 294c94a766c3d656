/** Rows of subtitles that lie in files of their own. */
import type { KnownSidecar, SidecarChange, VideoPlace } from '#engine/library/ports.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { inScope } from './path-scope.ts';

/** Videos that lie in these folders now. */
export async function videosIn(sql: Sql, libraryId: string, folders: readonly string[]): Promise<VideoPlace[]> {
  if (folders.length === 0) return [];
  return [
    ...(await sql<VideoPlace[]>`
      select id, path, extra_kind is not null as "isExtra" from movie_file
      where library_id = ${libraryId} and folder = any(${[...folders]}::text[]) and state <> 'missing' order by path`),
  ];
}

/** Those at or below `scopes` and those at `paths`, none of them twice. */
export async function knownSidecars(
  sql: Sql,
  libraryId: string,
  scopes: readonly string[],
  paths: readonly string[],
): Promise<KnownSidecar[]> {
  const found = new Map<string, KnownSidecar>();
  for (const where of [...scopes.map((scope) => inScope(sql, scope)), sql`path = any(${[...paths]}::text[])`]) {
    const rows = await sql<KnownSidecar[]>`
      select id, file_id as "fileId", path, size_bytes as "sizeBytes", mtime_us as "mtimeUs" from (
        select s.* from sidecar s join movie_file f on f.id = s.file_id where f.library_id = ${libraryId}
      ) s where ${where}`;
    for (const row of rows) found.set(row.id, row);
  }
  return [...found.values()];
}

/** Writes and removes; returns the movies that this is seen of. */
export async function writeSidecars(
  tx: TransactionSql,
  libraryId: string,
  { put, gone }: SidecarChange,
  newId: () => string,
): Promise<string[]> {
  const removed = await tx<{ fileId: string }[]>`
    delete from sidecar where id = any(${[...gone]}::uuid[]) returning file_id as "fileId"`;
  const rows = put.map((sidecar) => ({ ...sidecar, id: newId() }));
  const written = await tx<{ fileId: string }[]>`
    insert into sidecar (id, file_id, path, format, language, is_forced, is_default, is_hearing_impaired, size_bytes, mtime_us)
    select r.id, r."fileId", r.path, r.format, r.language, r."isForced", r."isDefault", r."isHearingImpaired", r."sizeBytes", r."mtimeUs"
    from jsonb_to_recordset(${tx.json(rows)}) as r(id uuid, "fileId" uuid, path text, format text, language text, "isForced" boolean,
      "isDefault" boolean, "isHearingImpaired" boolean, "sizeBytes" bigint, "mtimeUs" bigint)
    -- The video may have gone with its library meanwhile.
    join movie_file f on f.id = r."fileId" and f.library_id = ${libraryId}
    on conflict (file_id, path) do update set format = excluded.format, language = excluded.language,
      is_forced = excluded.is_forced, is_default = excluded.is_default, is_hearing_impaired = excluded.is_hearing_impaired,
      size_bytes = excluded.size_bytes, mtime_us = excluded.mtime_us
    returning file_id as "fileId"`;
  const fileIds = [...removed, ...written].map(({ fileId }) => fileId);
  const movies = await tx<{ movieId: string }[]>`
    select distinct movie_id as "movieId" from movie_file where id = any(${fileIds}::uuid[])`;
  return movies.map(({ movieId }) => movieId);
}

/**
 * [PLAY57] What people handed in for files that are about to be forgotten goes to the files that have taken their place, with what was
 * set of it; where there is none, it waits for one with the movie. What was for an extra goes with it.
 */
export async function handOnSubtitles(tx: TransactionSql, graceMs: number): Promise<void> {
  const isForgotten = tx`gone.missing_since <= now() - ${graceMs}::double precision * interval '1 millisecond'`;
  const moved = await tx<{ id: string; fileId: string | null }[]>`
    update uploaded_subtitle up set movie_id = gone.movie_id, file_id = (
      select heir.id from movie_file heir
      where heir.movie_id = gone.movie_id and heir.state <> 'missing' and heir.extra_kind is null
        and heir.part is not distinct from gone.part
      order by heir.size_bytes desc, heir.id limit 1)
    from movie_file gone
    where gone.id = up.file_id and ${isForgotten} and gone.extra_kind is null
    returning up.id, up.file_id as "fileId"`;
  await tx`
    delete from uploaded_subtitle up using movie_file gone where gone.id = up.file_id and ${isForgotten}`;
  for (const { id, fileId } of moved) {
    if (fileId === null) continue;
    await tx`
      insert into subtitle_offset (user_id, file_id, subtitle_id, offset_ms)
      select user_id, ${fileId}, subtitle_id, offset_ms from subtitle_offset
      where subtitle_id = ${`s${id}`} and file_id <> ${fileId}
      on conflict do nothing`;
  }
}
