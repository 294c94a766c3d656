/** What the browse index reads. Arrays come as text: taking them apart costs a third of what the driver's own parser does. */
import type { BrowseRow, BrowseStore, CollectionRow, SavedQuery, TermRow, WatchRow } from '#engine/catalogue/ports.ts';
import type { Sql } from './connect.ts';

interface Row extends Omit<BrowseRow, 'libraryIds' | 'audioLanguages' | 'termIds' | 'collectionIds'> {
  readonly libraryIds: string;
  readonly audioLanguages: string;
  readonly termIds: string;
  readonly collectionIds: string;
}

/** SmartQuery of the protocol. It was parsed when it came; a later version may have forgotten some of it. */
export type StoredQuery = Partial<Omit<SavedQuery, 'search' | 'order'>> & {
  readonly search?: string;
  readonly order?: 'ascending' | 'descending';
};

export const toSavedQuery = ({ filter = {}, search, sort = 'title', order }: StoredQuery): SavedQuery => ({
  filter,
  search: search ?? null,
  sort,
  order: order ?? null,
});

export function createBrowseStore(sql: Sql): BrowseStore {
  const columns = sql`
    m.id, m.sort_title as "sortTitle", m.year, (extract(epoch from m.added_at) * 1000)::float8 as "addedAtMs",
    m.release_date - date '1970-01-01' as "releaseDay", m.rating, m.vote_count as "voteCount", m.duration_ms as "durationMs",
    m.resolution, m.hdr, m.video_codec as "videoCodec", m.original_language as language, m.certification, m.match,
    m.hidden_at is not null as "isHidden", m.is_playable as "isPlayable", array_to_string(m.library_ids, ' ') as "libraryIds",
    array_to_string(m.audio_languages, ' ') as "audioLanguages",
    coalesce((select string_agg(t.term_id::text, ' ') from movie_term t where t.movie_id = m.id), '') as "termIds",
    coalesce((select string_agg(c.collection_id::text, ' ') from collection_movie c where c.movie_id = m.id), '') as "collectionIds"`;
  const split = (text: string): string[] => (text === '' ? [] : text.split(' '));
  const toRow = (row: Row): BrowseRow => ({
    ...row,
    libraryIds: split(row.libraryIds),
    audioLanguages: split(row.audioLanguages),
    termIds: split(row.termIds).map(Number),
    collectionIds: split(row.collectionIds),
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
    async collections(collectionIds) {
      const rows = await sql<(Omit<CollectionRow, 'query'> & { query: StoredQuery | null })[]>`
        select id, kind, name_text as "sortName", query from collection
        where ${collectionIds === null ? sql`true` : sql`id = any(${[...collectionIds]}::uuid[])`}`;
      return rows.map(({ query, ...row }) => ({ ...row, query: query && toSavedQuery(query) }));
    },
  };
}
