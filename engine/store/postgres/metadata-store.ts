/** What metadata needs to know of movies, and what was found out about them, in Postgres. */
import type { Candidate, KnownMovie, MetadataStore, ReplyCache, ReviewRow } from '#engine/metadata/ports.ts';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql } from './connect.ts';
import { forgetFacts } from './forgotten-facts.ts';
import { writeFacts } from './movie-facts.ts';
import { identify, merge, split, unmatch } from './movie-identity.ts';
import type { RemoteSizes } from './picture-offers.ts';
import { radarrHints } from './radarr-store.ts';

const MAX_FILE_NAMES = 20;

export function createMetadataStore(
  sql: Sql,
  options: { readonly newId: () => string; readonly sizes: RemoteSizes },
): MetadataStore {
  const waits = (isUnread: boolean) =>
    sql`m.match = 'waiting' and m.deleted_at is null ${isUnread ? sql`and m.matched_at is null` : sql``}`;
  const epochMs = (column: string) => sql`(extract(epoch from m.${sql(column)}) * 1000)::bigint`;

  return {
    async waiting({ after, limit, isUnread }) {
      const rows = await sql<{ id: string }[]>`
        select m.id from movie m where ${waits(isUnread)}
          and ${after === null ? sql`true` : sql`(m.added_at, m.id) < (select a.added_at, a.id from movie a where a.id = ${after})`}
        order by m.added_at desc, m.id desc limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async waitingAmong(movieIds, isUnread) {
      const rows = await sql<{ id: string }[]>`
        select m.id from movie m where m.id = any(${[...movieIds]}::uuid[]) and ${waits(isUnread)}`;
      return rows.map(({ id }) => id);
    },
    async stale(ageMs, limit) {
      const rows = await sql<{ id: string }[]>`
        select id from movie where tmdb_id is not null and deleted_at is null
          and (refreshed_at is null or refreshed_at < now() - ${ageMs}::double precision * interval '1 millisecond')
        order by refreshed_at nulls first, id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async identified(after, limit) {
      const rows = await sql<{ id: string }[]>`
        select id from movie where tmdb_id is not null and deleted_at is null and ${after === null ? sql`true` : sql`id > ${after}`}
        order by id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async identifiedCount() {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from movie where tmdb_id is not null and deleted_at is null`;
      return row?.count ?? 0;
    },
    async counts() {
      // Each is a look into a small partial index.
      const [row] = await sql<{ waiting: number; unmatched: number; doubtful: number }[]>`
        select (select count(*)::int from movie where match = 'waiting' and deleted_at is null) as waiting,
          (select count(*)::int from movie where match = 'unmatched' and deleted_at is null and hidden_at is null and is_playable) as unmatched,
          (select count(*)::int from movie where match = 'doubtful' and deleted_at is null and hidden_at is null and is_playable) as doubtful`;
      return row ?? { waiting: 0, unmatched: 0, doubtful: 0 };
    },
    async movie(movieId) {
      const [row] = await sql<Omit<KnownMovie, 'hints' | 'files' | 'apartFrom'>[]>`
        select m.id, m.match, coalesce(m.file_title, m.title) as "fileTitle",
          case when m.file_title is null then m.year else m.file_year end as "fileYear",
          case when b.part is null then m.duration_ms end as "durationMs", m.tmdb_id as "tmdbId", m.imdb_id as "imdbId",
          m.locked_fields as "lockedFields", ${epochMs('refreshed_at')} as "refreshedAtMs",
          (select jsonb_build_object('name', c.name, 'tmdbId', c.tmdb_id) from collection_movie cm
            join collection c on c.id = cm.collection_id and c.kind = 'series' and c.tmdb_id is not null
            where cm.movie_id = m.id limit 1) as series
        from movie m left join movie_file b on b.id = m.best_file_id
        where m.id = ${movieId} and m.deleted_at is null`;
      if (!row) return null;
      const [files, radarr, apart] = await Promise.all([
        sql<KnownMovie['files'][number][]>`
          select l.path as "libraryPath", f.path, not exists (
            select from movie_file o where o.library_id = f.library_id and o.folder = f.folder and o.movie_id <> f.movie_id
              and o.state <> 'missing') as "isAloneInFolder"
          from movie_file f join library l on l.id = f.library_id join movie m on m.id = f.movie_id
          where f.movie_id = ${movieId} and f.state <> 'missing' and f.extra_kind is null
          order by (f.id = m.best_file_id) desc nulls last, f.part nulls first, f.path limit 50`,
        radarrHints(sql, movieId),
        sql<{ tmdbId: number }[]>`
          select o.tmdb_id as "tmdbId" from movie_apart a
          join movie o on o.id = case when a.movie_id = ${movieId} then a.other_id else a.movie_id end
          where (a.movie_id = ${movieId} or a.other_id = ${movieId}) and o.tmdb_id is not null`,
      ]);
      return {
        ...row,
        files,
        // Two of Radarr's movies in one of ours say nothing.
        hints: radarr.length === 1 ? radarr.map((hint) => ({ source: 'radarr' as const, ...hint })) : [],
        apartFrom: apart.map(({ tmdbId }) => tmdbId),
      };
    },
    async noteSearch(movieId, { state, score, reasons, candidates }) {
      await sql.begin(async (tx) => {
        const [movie] = await tx<{ wasFound: boolean }[]>`
          update movie set match = ${state}, match_score = ${score}, match_reasons = ${[...reasons]}, matched_at = now()
          where id = ${movieId} and match in ('waiting', 'unmatched', 'doubtful') and tmdb_id is null and merged_into is null
          returning refreshed_at is not null as "wasFound"`;
        if (!movie) return;
        // It was taken for another one before its files were renamed: nothing of that is true any more.
        const changes = movie.wasFound ? await forgetFacts(tx, movieId) : [];
        await tx`delete from match_candidate where movie_id = ${movieId}`;
        const rows = candidates.map((candidate, position) => ({
          position,
          tmdb_id: candidate.tmdbId,
          title: candidate.title,
          original_title: candidate.originalTitle,
          year: candidate.year,
          overview: candidate.overview,
          poster_path: candidate.posterPath,
          score: candidate.score,
          reasons: candidate.reasons,
        }));
        await tx`
          insert into match_candidate (movie_id, position, tmdb_id, title, original_title, year, overview, poster_path, score, reasons)
          select ${movieId}::uuid, position, tmdb_id, title, original_title, year, overview, poster_path, score,
            array(select jsonb_array_elements_text(reasons))
          from jsonb_to_recordset(${tx.json(rows)}) as c(position int, tmdb_id int, title text, original_title text, year int,
            overview text, poster_path text, score real, reasons jsonb)`;
        await recordChanges(tx, [movieChange(movieId), ...changes]);
      });
    },
    async noteRead(movieIds) {
      await sql`update movie set matched_at = now() where id = any(${[...movieIds]}::uuid[]) and match = 'waiting'`;
    },
    identify: (movieId, identity) => identify(sql, movieId, identity),
    writeFacts: (movieId, tmdbId, facts, isRefreshed) => writeFacts(sql, options, movieId, tmdbId, facts, isRefreshed),
    async noteGone(movieId, tmdbId) {
      await sql.begin(async (tx) => {
        const { count } = await tx`
          update movie set tmdb_id = null, imdb_id = null, match = 'unmatched', match_score = null, match_reasons = '{}'
          where id = ${movieId} and tmdb_id = ${tmdbId} and refreshed_at is null and match = 'matched'`;
        if (count > 0) return recordChanges(tx, [movieChange(movieId)]);
        // It was there once: what it said stays, and is not asked for before its time.
        await tx`update movie set refreshed_at = now() where id = ${movieId} and tmdb_id = ${tmdbId}`;
      });
    },
    async lookAgain(which) {
      return sql.begin(async (tx) => {
        const rows = await tx<{ id: string }[]>`
          update movie set match = 'waiting', matched_at = null
          where deleted_at is null and ${which === 'unmatched' ? tx`match = 'unmatched'` : tx`id = ${which.movieId} and match in ('unmatched', 'doubtful')`}
          returning id`;
        await recordChanges(
          tx,
          rows.map(({ id }) => movieChange(id)),
        );
        return rows.map(({ id }) => id);
      });
    },
    unmatch: (movieId) => unmatch(sql, movieId),
    merge: (movieIds) => merge(sql, movieIds),
    split: (movieId, fileIds, nameOf) => split(sql, options.newId, movieId, fileIds, nameOf),
    async chooseCountry(country) {
      await sql.begin(async (tx) => {
        const rows = await tx<{ id: string }[]>`
          with found as (
            select m.id,
              (select r.certification from release_date r where r.movie_id = m.id and r.country = ${country} and r.certification is not null
                order by (r.kind = 3) desc, r.date, r.kind limit 1) as certification,
              (select r.date from release_date r where r.movie_id = m.id and r.country = ${country}
                order by (r.kind = 3) desc, (r.kind in (2, 4)) desc, r.date limit 1) as date
            from movie m where m.tmdb_id is not null)
          update movie m set
            certification = case when 'certification' = any(m.locked_fields) then m.certification else found.certification end,
            release_date = case when 'releaseDate' = any(m.locked_fields) then m.release_date else coalesce(found.date, m.release_date) end
          from found where found.id = m.id and (m.certification, m.release_date) is distinct from (
            case when 'certification' = any(m.locked_fields) then m.certification else found.certification end,
            case when 'releaseDate' = any(m.locked_fields) then m.release_date else coalesce(found.date, m.release_date) end)
          returning m.id`;
        await recordChanges(
          tx,
          rows.map(({ id }) => movieChange(id)),
        );
      });
    },
    async stalePerson(personId, ageMs) {
      const [row] = await sql<{ tmdbId: number }[]>`
        select tmdb_id as "tmdbId" from person where id = ${personId} and tmdb_id is not null
          and (refreshed_at is null or refreshed_at < now() - ${ageMs}::double precision * interval '1 millisecond')`;
      return row?.tmdbId ?? null;
    },
    async writePerson(personId, facts) {
      const { biography = null, bornOn = null, diedOn = null, birthplace = null } = facts ?? {};
      await sql`
        update person set refreshed_at = now() ${
          facts === null
            ? sql``
            : sql`, biography = ${biography}, born_on = ${bornOn}, died_on = ${diedOn}, birthplace = ${birthplace}`
        } where id = ${personId}`;
    },
    async review({ offset, limit, state }) {
      const rows = await sql<(Omit<ReviewRow, 'candidates'> & { candidates: Candidate[] | null })[]>`
        select m.id as "movieId", m.title, m.year, m.match as state, m.match_score as score, m.match_reasons as reasons,
          m.tmdb_id as "tmdbId", m.imdb_id as "imdbId", ${epochMs('refreshed_at')} as "refreshedAtMs",
          array(select regexp_replace(f.path, '^.*/', '') from movie_file f
            where f.movie_id = m.id and f.state <> 'missing' and f.extra_kind is null order by f.path limit ${MAX_FILE_NAMES}) as "fileNames",
          (select jsonb_agg(jsonb_build_object('tmdbId', c.tmdb_id, 'title', c.title, 'originalTitle', c.original_title, 'year', c.year,
              'overview', c.overview, 'posterPath', c.poster_path, 'score', round(c.score::numeric, 3), 'reasons', to_jsonb(c.reasons)) order by c.position)
            from match_candidate c where c.movie_id = m.id) as candidates
        from movie m
        where m.deleted_at is null and m.hidden_at is null and m.is_playable and ${state === null ? sql`m.match in ('unmatched', 'doubtful')` : sql`m.match = ${state}`}
        order by m.match, m.sort_title, m.id offset ${offset} limit ${limit}`;
      return rows.map((row) => ({ ...row, candidates: row.candidates ?? [] }));
    },
  };
}

const movieChange = (entityId: string): NewChange => ({ feed: 'library', audience: null, kind: 'movie', entityId });

/** Replies of TMDB, each under what was asked. */
export function createReplyCache(sql: Sql): ReplyCache {
  return {
    async read(name) {
      const [row] = await sql<{ reply: unknown; keptAtMs: number }[]>`
        select reply, (extract(epoch from kept_at) * 1000)::bigint as "keptAtMs" from tmdb_reply where name = ${name}`;
      return row ?? null;
    },
    async write(name, reply) {
      // Text with a NUL or half a character, which JSON may carry and jsonb does not take, is asked for again instead.
      await sql`
        insert into tmdb_reply (name, reply) values (${name}, ${reply === null ? null : sql.json(reply as never)})
        on conflict (name) do update set reply = excluded.reply, kept_at = now()`.catch((error: unknown) => {
        if (!isRefusedText(error)) throw error;
      });
    },
    async prune(ageMs, most) {
      await sql`
        delete from tmdb_reply where kept_at < now() - ${ageMs}::double precision * interval '1 millisecond'
          or kept_at < (select kept_at from tmdb_reply order by kept_at desc offset ${most} limit 1)`;
    },
  };
}

const isRefusedText = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('22');
