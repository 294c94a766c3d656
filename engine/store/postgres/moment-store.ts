/** Marks of files, what was learned about them, and what follows what, in Postgres. */
import type { Kin, MomentFile, MomentStore, StoredMarker, Study } from '#engine/moments/ports.ts';
import type { NextMovie } from '#protocol/schema/moments.ts';
import { recordChanges } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';

export function createMomentStore(sql: Sql): MomentStore {
  const columns = sql`
    file.id, file.movie_id as "movieId", library.path || '/' || file.path as path, file.size_bytes as "sizeBytes",
    file.mtime_us as "mtimeUs", file.extra_kind is not null as "isExtra", file.state, file.media`;
  const isMain = sql`file.state = 'playable' and file.extra_kind is null`;

  /** Changes marks of a file under its lock and tells whoever has its movie open. False where there is no such file. */
  async function change(fileId: string, work: (tx: TransactionSql) => Promise<boolean>): Promise<boolean> {
    return await sql.begin(async (tx) => {
      const [file] = await tx<{ movieId: string }[]>`
        select movie_id as "movieId" from movie_file where id = ${fileId} for key share`;
      if (!file) return false;
      if (await work(tx)) {
        await recordChanges(tx, [{ feed: 'moments', audience: null, kind: 'markers', entityId: file.movieId }]);
      }
      return true;
    });
  }

  return {
    async file(fileId, { withHidden }) {
      const [row] = await sql<MomentFile[]>`
        select ${columns} from movie_file file join library on library.id = file.library_id
          join movie on movie.id = file.movie_id
        where file.id = ${fileId} and (movie.hidden_at is null or ${withHidden})`;
      return row ?? null;
    },
    async filesOf(movieId, { withHidden }) {
      return [
        ...(await sql<MomentFile[]>`
          select ${columns} from movie_file file join library on library.id = file.library_id
            join movie on movie.id = file.movie_id
          where file.movie_id = ${movieId} and (movie.hidden_at is null or ${withHidden})
          order by file.added_at, file.id`),
      ];
    },
    async markers(fileIds) {
      const rows = await sql<
        (Omit<StoredMarker, 'span'> & { fileId: string; startMs: number | null; endMs: number | null })[]
      >`
        select file_id as "fileId", kind, source, start_ms as "startMs", end_ms as "endMs", confidence
        from file_marker where file_id = any(${[...fileIds]}::uuid[])`;
      const markers = rows.map(({ fileId, startMs, endMs, ...rest }) => {
        const span = startMs === null || endMs === null ? null : { startMs, endMs };
        return { fileId, marker: { ...rest, span } satisfies StoredMarker };
      });
      const byFile = Map.groupBy(markers, ({ fileId }) => fileId);
      return new Map([...byFile].map(([fileId, all]) => [fileId, all.map(({ marker }) => marker)]));
    },
    async setByPerson(fileId, userId, { kind, span }) {
      return await change(fileId, async (tx) => {
        await tx`
          insert into file_marker (file_id, kind, source, start_ms, end_ms, confidence, set_by)
          values (${fileId}, ${kind}, 'person', ${span?.startMs ?? null}, ${span?.endMs ?? null}, 100, ${userId})
          on conflict (file_id, kind, source) do update set start_ms = excluded.start_ms, end_ms = excluded.end_ms,
            confidence = 100, set_by = excluded.set_by, updated_at = now()`;
        return true;
      });
    },
    async forgetPerson(fileId, kind) {
      return await change(fileId, async (tx) => {
        const { count } = await tx`
          delete from file_marker where file_id = ${fileId} and kind = ${kind} and source = 'person'`;
        return count > 0;
      });
    },
    async setDetected(fileId, kind, marker) {
      await change(fileId, async (tx) => {
        if (marker === null) {
          const { count } = await tx`
            delete from file_marker where file_id = ${fileId} and kind = ${kind} and source = 'detected'`;
          return count > 0;
        }
        const { startMs, endMs, confidence } = marker;
        const { count } = await tx`
          insert into file_marker (file_id, kind, source, start_ms, end_ms, confidence)
          values (${fileId}, ${kind}, 'detected', ${startMs}, ${endMs}, ${confidence})
          on conflict (file_id, kind, source) do update set start_ms = excluded.start_ms, end_ms = excluded.end_ms,
            confidence = excluded.confidence, updated_at = now()
          where (file_marker.start_ms, file_marker.end_ms, file_marker.confidence)
            is distinct from (excluded.start_ms, excluded.end_ms, excluded.confidence)`;
        return count > 0;
      });
    },
    async study({ id, sizeBytes, mtimeUs }, rules) {
      const [row] = await sql<{ soundPrint: Uint8Array | null; failure: string | null }[]>`
        select sound_print as "soundPrint", failure from file_study
        where file_id = ${id} and size_bytes = ${sizeBytes} and mtime_us = ${mtimeUs} and rules = ${rules}`;
      return row ? ({ soundPrint: toWords(row.soundPrint), failure: row.failure } satisfies Study) : null;
    },
    async saveStudy({ id, sizeBytes, mtimeUs }, rules, { soundPrint, failure }) {
      const bytes = soundPrint && toBytes(soundPrint);
      await sql`
        insert into file_study (file_id, size_bytes, mtime_us, rules, sound_print, failure)
        select id, ${sizeBytes}, ${mtimeUs}, ${rules}, ${bytes}, ${failure} from movie_file where id = ${id}
        on conflict (file_id) do update set size_bytes = excluded.size_bytes, mtime_us = excluded.mtime_us,
          rules = excluded.rules, studied_at = now(), sound_print = excluded.sound_print, failure = excluded.failure`;
    },
    async kinOf(fileId, limit) {
      // A file in the library's own folder has no kin by folder, and neither has one whose folder holds one movie only.
      const rows = await sql<{ fileId: string; soundPrint: Uint8Array | null }[]>`
        with own as (
          select file.id, file.movie_id, file.library_id, file.folder from movie_file file where file.id = ${fileId}
        ), kin as (
          select file.id, 'folder' as way from own join movie_file file
            on file.library_id = own.library_id and file.folder = own.folder and own.folder <> ''
              and file.movie_id <> own.movie_id
          where ${isMain}
          union
          select file.id, other.collection_id::text from own
            join collection_movie mine on mine.movie_id = own.movie_id
            join collection on collection.id = mine.collection_id and collection.kind = 'series'
            join collection_movie other on other.collection_id = mine.collection_id and other.movie_id <> own.movie_id
            join movie on movie.id = other.movie_id and movie.deleted_at is null
            join movie_file file on file.id = movie.best_file_id
          where ${isMain}
        )
        select kin.id as "fileId", study.sound_print as "soundPrint"
        from (select distinct id from (select id, count(*) over (partition by way) as size from kin) way where size <= ${limit}) kin
        left join file_study study on study.file_id = kin.id order by kin.id limit ${limit}`;
      return rows.map(({ fileId: id, soundPrint }): Kin => ({ fileId: id, soundPrint: toWords(soundPrint) }));
    },
    async saveShared(fileId, pairs) {
      await sql.begin(async (tx) => {
        await tx`delete from shared_sound where file_id = ${fileId} or other_id = ${fileId}`;
        if (pairs.length === 0) return;
        const rows = pairs.flatMap(({ otherId, startMs, otherStartMs, lengthMs }) => [
          { file_id: fileId, other_id: otherId, start_ms: startMs, length_ms: lengthMs },
          { file_id: otherId, other_id: fileId, start_ms: otherStartMs, length_ms: lengthMs },
        ]);
        // A file that went meanwhile must not cost the others.
        await tx`
          insert into shared_sound (file_id, other_id, start_ms, length_ms)
          select r.file_id, r.other_id, r.start_ms, r.length_ms
          from jsonb_to_recordset(${tx.json(rows)}) as r(file_id uuid, other_id uuid, start_ms bigint, length_ms bigint)
          join movie_file a on a.id = r.file_id join movie_file b on b.id = r.other_id
          on conflict do nothing`;
      });
    },
    async shared(fileId) {
      return [
        ...(await sql<{ startMs: number; lengthMs: number }[]>`
          select start_ms as "startMs", length_ms as "lengthMs" from shared_sound where file_id = ${fileId}`),
      ];
    },
    async unstudied(rules, limit) {
      const rows = await sql<{ id: string }[]>`
        select file.id from movie_file file
        left join file_study study on study.file_id = file.id and study.rules = ${rules}
          and study.size_bytes = file.size_bytes and study.mtime_us = file.mtime_us
        where ${isMain} and file.media is not null and study.file_id is null
        order by file.added_at desc, file.id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async likelyNext(limit) {
      const rows = await sql<{ id: string }[]>`
        select file.id from (
          select movie.best_file_id as id, 0 as turn, max(progress.updated_at) as at
          from progress join movie on movie.id = progress.movie_id
          where progress.resume_ms > 0 and not progress.is_watched and movie.deleted_at is null and movie.hidden_at is null
            and progress.updated_at > now() - interval '90 days'
          group by movie.best_file_id
          union all
          (select best_file_id, 1, added_at from movie
          where deleted_at is null and hidden_at is null and is_playable order by added_at desc, id desc limit ${limit})
        ) likely join movie_file file on file.id = likely.id
        where ${isMain}
        group by file.id order by min(likely.turn), max(likely.at) desc, file.id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async nextOf(userId, movieId) {
      const [next] = await sql<NextMovie[]>`
        select movie.id as "movieId", movie.title, movie.year
        from collection_movie mine
        join collection on collection.id = mine.collection_id and collection.kind in ('series', 'manual')
        join collection_movie later on later.collection_id = mine.collection_id
          and (later.position, later.movie_id) > (mine.position, mine.movie_id)
        join movie on movie.id = later.movie_id and movie.is_playable and movie.deleted_at is null and movie.hidden_at is null
        where mine.movie_id = ${movieId} and not exists (
          select from progress where progress.user_id = ${userId} and progress.movie_id = movie.id and progress.is_watched)
        order by collection.kind = 'manual', collection.id, later.position, later.movie_id limit 1`;
      return next ?? null;
    },
  };
}

function toWords(bytes: Uint8Array | null): Uint32Array | null {
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getUint32(i * 4, true));
}

function toBytes(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
  return bytes;
}
