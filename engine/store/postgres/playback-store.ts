/** What playback reads of movies and their files, in Postgres. */
import type { MovieTitle, PlaybackStore, StoredFile } from '#engine/playback/ports.ts';
import type { Sql } from './connect.ts';

export function createPlaybackStore(sql: Sql): PlaybackStore {
  const columns = sql`
    file.id, file.movie_id as "movieId", library.path || '/' || file.path as path, file.size_bytes as "sizeBytes",
    file.mtime_us as "mtimeUs", file.extra_kind is not null as "isExtra", file.part, file.edition, file.state, file.failure, file.media`;

  return {
    async filesOf(movieId, { withHidden }) {
      // One row for a movie without files, with nothing in it but the movie.
      const rows = await sql<({ hasFile: boolean } & StoredFile)[]>`
        select file.id is not null as "hasFile", ${columns}
        from movie named
          join movie on movie.id = coalesce(named.merged_into, named.id)
          left join movie_file file on file.movie_id = movie.id
          left join library on library.id = file.library_id
        where named.id = ${movieId} and (movie.hidden_at is null or ${withHidden}) order by file.added_at, file.id`;
      if (rows.length === 0) return null;
      return rows.flatMap(({ hasFile, ...file }) => (hasFile ? [file] : []));
    },
    async titleOf(movieId) {
      const [row] = await sql<MovieTitle[]>`
        select title, year from movie where id = (select coalesce(merged_into, id) from movie where id = ${movieId})`;
      return row ?? null;
    },
    async file(fileId, sight = { withHidden: true }) {
      const [row] = await sql<StoredFile[]>`
        select ${columns} from movie_file file join library on library.id = file.library_id
          join movie on movie.id = file.movie_id
        where file.id = ${fileId} and (movie.hidden_at is null or ${sight.withHidden})`;
      return row ?? null;
    },
    async keyframes(fileId) {
      const [row] = await sql<{ keyframes: Uint8Array | null }[]>`
        select keyframes from movie_file where id = ${fileId}`;
      return row?.keyframes ?? null;
    },
    async saveKeyframes({ id, sizeBytes, mtimeUs }, keyframes) {
      await sql`
        update movie_file set keyframes = ${keyframes}
        where id = ${id} and size_bytes = ${sizeBytes} and mtime_us = ${mtimeUs}`;
    },
  };
}
