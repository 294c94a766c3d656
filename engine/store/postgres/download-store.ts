/** Downloads and the copies that were prepared for them, in Postgres. */
import type {
  DownloadChoice,
  DownloadFile,
  DownloadStore,
  StoredCopy,
  StoredDownload,
} from '#engine/downloads/ports.ts';
import { toPicture } from './artwork.ts';
import type { Artwork } from './artwork.ts';
import type { Sql, TransactionSql } from './connect.ts';

type CopyRow = { readonly [Key in keyof StoredCopy as `copy${Capitalize<Key>}`]: StoredCopy[Key] };
interface Row extends Omit<StoredDownload, 'poster' | 'copy'>, CopyRow {
  readonly artwork: Artwork | null;
  readonly hasCopy: boolean;
}

/** More than anybody looks through. */
const PERSONS_DOWNLOADS = 500;

export function createDownloadStore(sql: Sql): DownloadStore {
  const partCount = sql`
    coalesce((select max(other.part) from movie_file other
      where other.movie_id = file.movie_id and other.edition is not distinct from file.edition), 0)`;
  const fileColumns = sql`
    file.id, file.movie_id as "movieId", movie.title, movie.year, library.path || '/' || file.path as path,
    file.size_bytes as "sizeBytes", file.mtime_us as "mtimeUs", file.extra_kind as extra, file.part,
    ${partCount} as "partCount", file.edition, file.state, file.media`;
  const seen = sql`movie.hidden_at is null and movie.deleted_at is null`;
  const copyColumns = sql`
    copy.id as "copyId", copy.file_id as "copyFileId", copy.source_bytes as "copySourceBytes",
    copy.source_mtime_us as "copySourceMtimeUs", copy.state as "copyState", copy.size_bytes as "copySizeBytes",
    (extract(epoch from copy.ordered_at) * 1000)::bigint as "copyOrderedAtMs", (extract(epoch from copy.ready_at) * 1000)::bigint as "copyReadyAtMs", (extract(epoch from copy.used_at) * 1000)::bigint as "copyUsedAtMs"`;
  const downloads = (condition: ReturnType<typeof sql>, limit: number) => sql<Row[]>`
    select d.id, d.user_id as "userId", app_user.name as "userName", d.file_id as "fileId", file.movie_id as "movieId",
      movie.title, movie.year, movie.artwork, file.edition, file.part, ${partCount} as "partCount", d.quality,
      d.audio_tracks as "audioTracks", d.subtitles, d.burned_subtitle as "burnedSubtitle", d.name, d.size_bytes as "sizeBytes", d.ended, d.failure,
      (extract(epoch from d.created_at) * 1000)::bigint as "createdAtMs", copy.id is not null as "hasCopy", ${copyColumns}
    from download d
      join app_user on app_user.id = d.user_id
      join movie_file file on file.id = d.file_id
      join movie on movie.id = file.movie_id
      left join prepared_copy copy on copy.id = d.copy_id
    where ${seen} and ${condition} order by d.created_at desc, d.id desc limit ${limit}`;

  /** The copy of a file that is there for the same, or a new one. */
  async function copyFor(
    tx: TransactionSql,
    file: Pick<DownloadFile, 'id' | 'sizeBytes' | 'mtimeUs'>,
    copy: { readonly copyId: string; readonly digest: string; readonly sizeBytes: number },
  ): Promise<string> {
    const [row] = await tx<{ id: string }[]>`
      insert into prepared_copy (id, file_id, source_bytes, source_mtime_us, digest, state, size_bytes)
      values (${copy.copyId}, ${file.id}, ${file.sizeBytes}, ${file.mtimeUs}, ${copy.digest}, 'queued', ${copy.sizeBytes})
      on conflict (file_id, source_bytes, source_mtime_us, digest) do update set digest = excluded.digest
      returning id`;
    return row!.id;
  }

  return {
    async filesOf(movieId) {
      const rows = await sql<({ hasFile: boolean } & DownloadFile)[]>`
        select file.id is not null as "hasFile", ${fileColumns}
        from movie named
          join movie on movie.id = coalesce(named.merged_into, named.id)
          left join movie_file file on file.movie_id = movie.id
          left join library on library.id = file.library_id
        where named.id = ${movieId} and ${seen} order by file.part, file.added_at, file.id`;
      return rows.length === 0 ? null : rows.flatMap(({ hasFile, ...file }) => (hasFile ? [file] : []));
    },
    async file(fileId) {
      const [row] = await sql<DownloadFile[]>`
        select ${fileColumns}
        from movie_file file join movie on movie.id = file.movie_id join library on library.id = file.library_id
        where file.id = ${fileId} and ${seen}`;
      return row ?? null;
    },
    async keyframes(fileId) {
      const [row] = await sql<{ keyframes: Uint8Array | null }[]>`
        select keyframes from movie_file where id = ${fileId}`;
      return row?.keyframes ?? null;
    },
    async list(limit) {
      return (await downloads(sql`true`, limit)).map(toDownload);
    },
    async ofUser(userId) {
      return (await downloads(sql`d.user_id = ${userId}`, PERSONS_DOWNLOADS)).map(toDownload);
    },
    async find(downloadId) {
      const [row] = await downloads(sql`d.id = ${downloadId}`, 1);
      return row ? toDownload(row) : null;
    },
    async findByKey(userId, key) {
      const [row] = await downloads(sql`d.user_id = ${userId} and d.request_key = ${key}`, 1);
      return row ? toDownload(row) : null;
    },
    async add(file, download) {
      const { id, userId, key, quality, audioTracks, subtitles, burnedSubtitle, name, sizeBytes } = download;
      return await sql.begin(async (tx) => {
        const copyId = await copyFor(tx, file, download);
        const [row] = await tx<{ id: string }[]>`
          insert into download (id, user_id, file_id, request_key, quality, audio_tracks, subtitles, burned_subtitle, name,
            size_bytes, copy_id)
          values (${id}, ${userId}, ${file.id}, ${key}, ${quality}, ${[...audioTracks]}, ${[...subtitles]}, ${burnedSubtitle}, ${name},
            ${sizeBytes}, ${copyId})
          on conflict (copy_id, user_id) where copy_id is not null do update set name = download.name returning id`;
        return row!.id;
      });
    },
    async revive(downloadId, file, copy) {
      await sql.begin(async (tx) => {
        const copyId = await copyFor(tx, file, copy);
        // Where the person has asked for the same anew meanwhile, this one is the same again.
        await tx`
          delete from download other using download d
          where d.id = ${downloadId} and other.copy_id = ${copyId} and other.user_id = d.user_id and other.id <> d.id`;
        await tx`
          update download set copy_id = ${copyId}, ended = null, failure = null, size_bytes = ${copy.sizeBytes}
          where id = ${downloadId}`;
      });
    },
    // Both in one statement: whoever cancels waits for one answer of the database, not for five, before the process ends.
    async end(downloadId, ended) {
      const [gone] = await sql<{ id: string }[]>`
        with before as (
          select id, copy_id from download where id = ${downloadId} and copy_id is not null for update
        ), changed as (
          update download d set copy_id = null, ended = ${ended} from before where d.id = before.id returning before.copy_id
        )
        delete from prepared_copy copy using changed
        where copy.id = changed.copy_id
          and not exists (select from download d where d.copy_id = copy.id and d.id <> ${downloadId})
        returning copy.id`;
      return gone?.id ?? null;
    },
    async remove(downloadId) {
      const [gone] = await sql<{ id: string }[]>`
        with removed as (delete from download where id = ${downloadId} returning copy_id)
        delete from prepared_copy copy using removed
        where copy.id = removed.copy_id
          and not exists (select from download d where d.copy_id = copy.id and d.id <> ${downloadId})
        returning copy.id`;
      return gone?.id ?? null;
    },
    async copies() {
      const rows = await sql<
        CopyRow[]
      >`select ${copyColumns} from prepared_copy copy order by copy.ordered_at, copy.id`;
      return rows.map(toCopy);
    },
    async copy(copyId) {
      const [row] = await sql<CopyRow[]>`select ${copyColumns} from prepared_copy copy where copy.id = ${copyId}`;
      return row ? toCopy(row) : null;
    },
    async choiceOf(copyId) {
      const [row] = await sql<DownloadChoice[]>`
        select quality, audio_tracks as "audioTracks", subtitles, burned_subtitle as "burnedSubtitle" from download where copy_id = ${copyId}
        order by created_at limit 1`;
      return row ?? null;
    },
    async requeue() {
      await sql`update prepared_copy set state = 'queued' where state = 'preparing'`;
    },
    async setState(copyId, state) {
      const { count } = await sql`update prepared_copy set state = ${state} where id = ${copyId} and state <> 'ready'`;
      return count > 0;
    },
    async setReady(copyId, sizeBytes) {
      return await sql.begin(async (tx) => {
        const { count } = await tx`
          update prepared_copy set state = 'ready', size_bytes = ${sizeBytes}, ready_at = now() where id = ${copyId}`;
        await tx`update download set size_bytes = ${sizeBytes} where copy_id = ${copyId}`;
        return count > 0;
      });
    },
    async setUsed(copyId) {
      await sql`update prepared_copy set used_at = now() where id = ${copyId}`;
    },
    async drop(copyId, ended, failure) {
      await sql.begin(async (tx) => {
        await tx`
          update download set copy_id = null, ended = ${ended}, failure = ${failure} where copy_id = ${copyId}`;
        await tx`delete from prepared_copy where id = ${copyId}`;
      });
    },
    async prune(olderThanMs) {
      await sql`
        delete from download
        where copy_id is null and created_at < now() - ${olderThanMs}::double precision * interval '1 millisecond'`;
    },
  };
}

function toDownload({ artwork, hasCopy, ...row }: Row): StoredDownload {
  const {
    copyId: _id,
    copyFileId: _fileId,
    copySourceBytes: _bytes,
    copySourceMtimeUs: _mtime,
    copyState: _state,
    copySizeBytes: _size,
    copyOrderedAtMs: _ordered,
    copyReadyAtMs: _ready,
    copyUsedAtMs: _used,
    ...download
  } = row;
  return { ...download, poster: toPicture(artwork?.poster), copy: hasCopy ? toCopy(row) : null };
}

function toCopy(row: CopyRow): StoredCopy {
  return {
    id: row.copyId,
    fileId: row.copyFileId,
    sourceBytes: row.copySourceBytes,
    sourceMtimeUs: row.copySourceMtimeUs,
    state: row.copyState,
    sizeBytes: row.copySizeBytes,
    orderedAtMs: row.copyOrderedAtMs,
    readyAtMs: row.copyReadyAtMs,
    usedAtMs: row.copyUsedAtMs,
  };
}
