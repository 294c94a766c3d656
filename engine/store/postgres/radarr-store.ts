/** What Radarr says of its movies, and its messages, in Postgres. */
import type { RadarrStore, WaitingEvent } from '#engine/radarr/ports.ts';
import type { RadarrEvent } from '#protocol/schema/radarr.ts';
import type { Sql } from './connect.ts';

export function createRadarrStore(sql: Sql): RadarrStore {
  const eventColumns = sql`
    id, (extract(epoch from received_at) * 1000)::bigint as at, kind, subject, is_upgrade as "isUpgrade", outcome, path`;
  const fromMs = (ms: number) => sql`to_timestamp(${ms}::double precision / 1000)`;

  return {
    async putMovies(movies, atMs) {
      if (movies.length === 0) return;
      const rows = movies.map((movie) => ({
        instance: movie.instance,
        radarr_id: movie.radarrId,
        tmdb_id: movie.tmdbId,
        imdb_id: movie.imdbId,
        title: movie.title,
        year: movie.year,
        folder_path: movie.folderPath,
        file_path: movie.filePath,
        library_id: movie.libraryId,
        path: movie.path,
        radarr_file_id: movie.radarrFileId,
        quality: movie.quality,
        size_bytes: movie.sizeBytes,
      }));
      // A library that was removed meanwhile must not cost the others. What was stated later than this stays.
      await sql`
        insert into radarr_movie (instance, radarr_id, tmdb_id, imdb_id, title, year, folder_path, file_path, library_id, path,
          radarr_file_id, quality, size_bytes, synced_at)
        select distinct on (r.instance, r.radarr_id) r.instance, r.radarr_id, r.tmdb_id, r.imdb_id, r.title, r.year,
          r.folder_path, r.file_path, l.id, case when l.id is null then null else r.path end, r.radarr_file_id, r.quality,
          r.size_bytes, ${fromMs(atMs)}
        from jsonb_to_recordset(${sql.json(rows)}) as r(instance text, radarr_id int, tmdb_id int, imdb_id text, title text,
          year int, folder_path text, file_path text, library_id uuid, path text, radarr_file_id int, quality text,
          size_bytes bigint)
        left join library l on l.id = r.library_id
        on conflict (instance, radarr_id) do update set tmdb_id = excluded.tmdb_id, imdb_id = excluded.imdb_id,
          title = excluded.title, year = excluded.year, folder_path = excluded.folder_path, file_path = excluded.file_path,
          library_id = excluded.library_id, path = excluded.path, radarr_file_id = excluded.radarr_file_id,
          quality = excluded.quality, size_bytes = excluded.size_bytes, synced_at = excluded.synced_at, gone_at = null
        where radarr_movie.synced_at <= excluded.synced_at`;
    },
    async markGone(instance, radarrId) {
      await sql`
        update radarr_movie set gone_at = coalesce(gone_at, now())
        where instance = ${instance} and radarr_id = ${radarrId}`;
    },
    async markGoneBefore(instance, beforeMs) {
      await sql`
        update radarr_movie set gone_at = now()
        where instance = ${instance} and gone_at is null and synced_at < ${fromMs(beforeMs)}`;
    },
    async pruneMovies(ageMs) {
      await sql`
        delete from radarr_movie where gone_at < now() - ${ageMs}::double precision * interval '1 millisecond'`;
    },
    async counts(instance) {
      const [row] = await sql<{ files: number; known: number; unplaced: number }[]>`
        select count(*)::int as files, count(f.id)::int as known, count(*) filter (where r.library_id is null)::int as unplaced
        from radarr_movie r
        left join movie_file f on f.library_id = r.library_id and f.path = r.path and f.state <> 'missing'
        where r.instance = ${instance} and r.gone_at is null and r.radarr_file_id is not null`;
      return row ?? { files: 0, known: 0, unplaced: 0 };
    },
    async mistaken(instance, radarrId) {
      const rows = await sql<{ movieId: string }[]>`
        select distinct m.id as "movieId"
        from radarr_movie r
        join movie_file f on f.library_id = r.library_id and f.path = r.path and f.state <> 'missing' and f.extra_kind is null
        join movie m on m.id = f.movie_id
        where r.instance = ${instance} and r.gone_at is null and r.tmdb_id is not null
          and (${radarrId}::int is null or r.radarr_id = ${radarrId})
          and m.match <> 'confirmed' and m.tmdb_id is distinct from r.tmdb_id
          and not (m.match = 'matched' and m.match_reasons && array['idInName', 'idInNfo'])`;
      return rows.map(({ movieId }) => movieId);
    },
    async unseen(instance, limit) {
      return [
        ...(await sql<{ libraryId: string; path: string }[]>`
          select r.library_id as "libraryId", r.path from radarr_movie r
          where r.instance = ${instance} and r.gone_at is null and r.library_id is not null and r.path <> ''
            and not exists (select 1 from movie_file f
              where f.library_id = r.library_id and f.path = r.path and f.state <> 'missing')
          order by r.library_id, r.path limit ${limit}`),
      ];
    },
    async foldersNamed(names, limit) {
      const rows = await sql<{ folder: string }[]>`
        select distinct rtrim(l.path, '/') || '/' || f.folder as folder
        from movie_file f join library l on l.id = f.library_id
        where f.folder <> '' and regexp_replace(f.folder, '^.*/', '') = any(${[...names]}::text[])
        limit ${limit}`;
      return rows.map(({ folder }) => folder);
    },

    async addEvent(event) {
      const added = await sql`
        insert into radarr_event (id, kind, subject_key, subject, is_upgrade, digest, facts)
        values (${event.id}, ${event.kind}, ${event.subjectKey}, ${event.subject}, ${event.isUpgrade}, ${event.digest},
          ${sql.json(event.facts as never)})
        on conflict (digest) where outcome is null do nothing`;
      return added.count > 0;
    },
    async waitingEvents(subjectKey, limit) {
      return [
        ...(await sql<WaitingEvent[]>`
          select id, kind, facts from radarr_event where subject_key = ${subjectKey} and outcome is null
          order by seq limit ${limit}`),
      ];
    },
    async waitingSubjects() {
      const rows = await sql<{ key: string }[]>`
        select subject_key as key from radarr_event where outcome is null group by subject_key order by min(seq)`;
      return rows.map(({ key }) => key);
    },
    async waitingCount() {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from radarr_event where outcome is null`;
      return row?.count ?? 0;
    },
    async endEvent(eventId, outcome, path) {
      await sql`
        update radarr_event set outcome = ${outcome}, path = ${path}, handled_at = now(), facts = null
        where id = ${eventId} and outcome is null`;
    },
    async events(limit) {
      return [...(await sql<RadarrEvent[]>`select ${eventColumns} from radarr_event order by seq desc limit ${limit}`)];
    },
    async event(eventId) {
      const [row] = await sql<RadarrEvent[]>`select ${eventColumns} from radarr_event where id = ${eventId}`;
      return row ?? null;
    },
    async pruneEvents(keep) {
      await sql`
        delete from radarr_event where outcome is not null
          and seq <= (select seq from radarr_event where outcome is not null order by seq desc offset ${keep} limit 1)`;
    },
  };
}

/**
 * What Radarr says that a movie of ours is, from each of its files: by the file itself, else by the folder it lies in, if that is the folder of
 * one movie of Radarr's only. Several where its files are several movies there. Movies that Radarr dropped count where nothing else does.
 */
export async function radarrHints(
  sql: Sql,
  movieId: string,
): Promise<{ readonly tmdbId: number | null; readonly imdbId: string | null }[]> {
  return [
    ...(await sql<{ tmdbId: number | null; imdbId: string | null }[]>`
      select distinct h.tmdb_id as "tmdbId", h.imdb_id as "imdbId"
      from movie_file f
      join library l on l.id = f.library_id
      cross join lateral (
        select * from (
          (select 1 as rank, r.tmdb_id, r.imdb_id from radarr_movie r
            where r.library_id = f.library_id and r.path = f.path and (r.tmdb_id is not null or r.imdb_id is not null)
            order by r.gone_at desc nulls first, r.synced_at desc limit 1)
          union all
          (select 2, max(r.tmdb_id), max(r.imdb_id) from radarr_movie r
            where f.folder <> '' and r.folder_path = (rtrim(l.path, '/') || '/' || f.folder) collate "C"
              and r.tmdb_id is not null and r.gone_at is null
            having count(distinct r.tmdb_id) = 1)
        ) found order by rank limit 1
      ) h
      where f.movie_id = ${movieId} and f.state <> 'missing' and f.extra_kind is null limit 10`),
  ];
}
