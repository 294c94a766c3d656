/** Movies as a search server gets them, read from the tables. */
import type { DocumentPort, SearchDocument } from '#engine/search/ports.ts';
import type { Sql } from '../postgres/connect.ts';
import { titleTerms } from './search-words.ts';

interface DocumentRow {
  readonly id: string;
  readonly title: string;
  readonly originalTitle: string | null;
  readonly titles: string[];
  readonly overview: string | null;
  readonly year: number | null;
  readonly genres: string[];
  readonly cast: string[];
  readonly directors: string[];
  readonly status: string | null;
  readonly resolution: number | null;
  readonly hasFile: boolean;
  readonly isHidden: boolean;
  readonly rating: number | null;
  readonly votes: number | null;
  readonly releaseDay: number | null;
  readonly addedAt: number;
}

const CAST = 40;
const OTHER_TITLES = 40;

export function createSearchDocuments(sql: Sql): DocumentPort {
  const people = (where: ReturnType<Sql>) => sql`
    array(select p.name from credit c join person p on p.id = c.person_id
      where c.movie_id = m.id and ${where} group by p.id, p.name order by min(c.position) limit ${CAST})`;
  const read = async (where: ReturnType<Sql>): Promise<SearchDocument[]> => {
    const rows = await sql<DocumentRow[]>`
      select m.id, m.title, m.original_title as "originalTitle", m.overview, m.year, m.status, m.resolution,
        m.is_playable as "hasFile", m.hidden_at is not null as "isHidden", m.rating, m.vote_count as votes,
        (m.release_date - date '1970-01-01') as "releaseDay", extract(epoch from m.added_at)::bigint as "addedAt",
        array(select a.title from alternative_title a where a.movie_id = m.id limit ${OTHER_TITLES})
          || case when m.file_title is null then '{}' else array[m.file_title] end as titles,
        array(select t.name from movie_term mt join term t on t.id = mt.term_id
          where mt.movie_id = m.id and t.kind = 'genre' order by mt.position) as genres,
        ${people(sql`c.kind = 'cast'`)} as cast, ${people(sql`c.kind = 'crew' and c.role = 'Director'`)} as directors
      from movie m where m.deleted_at is null and ${where}`;
    return rows.map(toDocument);
  };
  return {
    documentsAfter: (movieId, limit) =>
      read(sql`m.id > ${movieId ?? '00000000-0000-0000-0000-000000000000'} order by m.id limit ${limit}`),
    documentsOf: (movieIds) => read(sql`m.id = any(${[...movieIds]}::uuid[])`),
    async count() {
      const [row] = await sql<{ count: number }[]>`select count(*) as count from movie where deleted_at is null`;
      return row?.count ?? 0;
    },
  };
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

function toDocument(row: DocumentRow): SearchDocument {
  const originalTitle = row.originalTitle ?? row.title;
  const own = [row.title, originalTitle].map(titleTerms);
  const all = [...own, ...row.titles.map(titleTerms)];
  const names = [...row.cast, ...row.directors].map(titleTerms);
  const keys = own.flatMap((terms) => terms.keys);
  return {
    id: row.id,
    title: row.title,
    original_title: originalTitle,
    titles: row.titles,
    keys: unique([...keys, ...(row.year === null ? [] : keys.map((key) => `${key} ${row.year ?? ''}`))]),
    words: unique([...all.flatMap(({ words }) => words), ...(row.year === null ? [] : [String(row.year)])]),
    name_words: unique(names.flatMap(({ words }) => words)),
    overview: row.overview ?? '',
    year: row.year ?? 0,
    genres: row.genres,
    cast: row.cast,
    directors: row.directors,
    status: row.status ?? '',
    resolution: row.resolution ?? 0,
    has_file: row.hasFile,
    hidden: row.isHidden,
    rating: row.rating ?? 0,
    popularity: Math.log2(1 + (row.votes ?? 0)),
    release_date: row.releaseDay ?? 0,
    added_at: row.addedAt,
  };
}
