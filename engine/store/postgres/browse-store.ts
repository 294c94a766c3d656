/** What the browse index reads. Arrays come as text: taking them apart costs a third of what the driver's own parser does. */
import type { BrowseRow, BrowseStore, SavedQuery, TermRow, WatchRow } from '#engine/catalogue/ports.ts';
import type { Sql } from './connect.ts';

interface Row extends Omit<BrowseRow, 'libraryIds' | 'audioLanguages' | 'termIds'> {
  readonly libraryIds: string;
  readonly audioLanguages: string;
  readonly termIds: string;
}

export function createBrowseStore(sql: Sql): BrowseStore {
  const columns = sql`
    m.id, m.sort_title as "sortTitle", m.year, (extract(epoch from m.added_at) * 1000)::float8 as "addedAtMs",
    m.release_date - date '1970-01-01' as "releaseDay", m.rating, m.vote_count as "voteCount", m.duration_ms as "durationMs",
    m.resolution, m.hdr, m.video_codec as "videoCodec", m.original_language as language, m.certification, m.match,
    m.hidden_at is not null as "isHidden", array_to_string(m.library_ids, ' ') as "libraryIds",
    array_to_string(m.audio_languages, ' ') as "audioLanguages",
    coalesce((select string_agg(t.term_id::text, ' ') from movie_term t where t.movie_id = m.id), '') as "termIds"`;
  const split = (text: string): string[] => (text === '' ? [] : text.split(' '));
  const toRow = (row: Row): BrowseRow => ({
    ...row,
    libraryIds: split(row.libraryIds),
    audioLanguages: split(row.audioLanguages),
    termIds: split(row.termIds).map(Number),
  });

  return {
    async rowsAfter(movieId, limit) {
      const rows = await sql<Row[]>`
        select ${columns} from movie m
        where m.deleted_at is null and ${movieId === null ? sql`true` : sql`m.id > ${movieId}`}
        order by m.id limit ${limit}`;
      return rows.map(toRow);
    },
    async rowsOf(movieIds) {
      const rows = await sql<Row[]>`
        select ${columns} from movie m where m.id = any(${[...movieIds]}::uuid[]) and m.deleted_at is null`;
      return rows.map(toRow);
    },
    async terms(termIds) {
      return [...(await sql<TermRow[]>`select id, kind, name from term where id = any(${[...termIds]}::int[])`)];
    },
    async watched(userId, movieIds) {
      return [
        ...(await sql<WatchRow[]>`
          select movie_id as "movieId", is_watched as "isWatched", (extract(epoch from updated_at) * 1000)::float8 as "atMs"
          from progress where user_id = ${userId}
            and ${movieIds === null ? sql`true` : sql`movie_id = any(${[...movieIds]}::uuid[])`}`),
      ];
    },
    async moviesOfPerson(personId) {
      const rows = await sql<{ id: string }[]>`
        select distinct movie_id as id from credit where person_id = ${personId}`;
      return rows.map(({ id }) => id);
    },
    async membersOf(collectionId) {
      const [row] = await sql<{ query: Partial<SavedQuery> | null; movieIds: string[] }[]>`
        select c.query, array(select cm.movie_id from collection_movie cm where cm.collection_id = c.id
          order by cm.position, cm.movie_id) as "movieIds"
        from collection c where c.id = ${collectionId}`;
      if (!row) return null;
      if (row.query === null) return { movieIds: row.movieIds };
      const { filter = {}, search, sort = 'title', order } = row.query;
      return { query: { filter, search: search ?? null, sort, order: order ?? null } };
    },
  };
}
