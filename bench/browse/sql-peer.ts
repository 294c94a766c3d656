/** The peer of the `browse` bench: the same questions as somebody would write them in SQL, with an index for each order. */
import type postgres from 'postgres';
import type { Sql } from '#engine/store/postgres/connect.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { MovieSort } from '#protocol/schema/movie-sort.ts';

type Fragment = postgres.PendingQuery<postgres.Row[]>;

interface Query extends MovieFilter {
  readonly sort?: MovieSort | undefined;
  readonly order?: 'ascending' | 'descending' | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** Conditions by the facet that they belong to. */
function conditionsOf(sql: Sql, userId: string, filter: MovieFilter): Map<string, Fragment> {
  const found = new Map<string, Fragment>();
  const terms = { genreIds: filter.genreIds, studioIds: filter.studioIds, tagIds: filter.tagIds };
  for (const [name, ids] of Object.entries(terms)) {
    if (!ids) continue;
    const has = sql`exists (select from movie_term t where t.movie_id = m.id and t.term_id = any(${ids}::int[]))`;
    found.set(name, has);
  }
  const { yearFrom, yearTo = 2200 } = filter;
  if (yearFrom !== undefined) found.set('decade', sql`m.year between ${yearFrom} and ${yearTo}`);
  if (filter.resolutions) found.set('resolutions', sql`m.resolution = any(${filter.resolutions}::int[])`);
  if (filter.hdr) found.set('hdr', sql`coalesce(m.hdr, 'sdr') = any(${filter.hdr}::text[])`);
  if (filter.videoCodecs) found.set('videoCodecs', sql`m.video_codec = any(${filter.videoCodecs}::text[])`);
  if (filter.languages) found.set('languages', sql`m.original_language = any(${filter.languages}::text[])`);
  if (filter.certifications) found.set('certifications', sql`m.certification = any(${filter.certifications}::text[])`);
  if (filter.ratingFrom !== undefined) found.set('rating', sql`m.rating >= ${filter.ratingFrom}`);
  if (filter.libraryId) found.set('libraryId', sql`m.library_ids @> array[${filter.libraryId}]::uuid[]`);
  if (filter.personId) {
    found.set('person', sql`m.id in (select movie_id from credit where person_id = ${filter.personId})`);
  }
  if (filter.isWatched !== undefined) {
    const watched = sql`(select movie_id from progress where user_id = ${userId} and is_watched)`;
    found.set('isWatched', filter.isWatched ? sql`m.id in ${watched}` : sql`m.id not in ${watched}`);
  }
  return found;
}

const all = (sql: Sql, conditions: Iterable<Fragment>): Fragment =>
  [...conditions].reduce((left, right) => sql`${left} and ${right}`, sql`m.deleted_at is null and m.hidden_at is null`);

export async function windowByHand(sql: Sql, userId: string, query: Query): Promise<void> {
  const { sort = 'title', order, offset = 0, limit = 60, ...filter } = query;
  const where = all(sql, conditionsOf(sql, userId, filter).values());
  const isUp = (order ?? (sort === 'title' ? 'ascending' : 'descending')) === 'ascending';
  const key = {
    title: sql`m.sort_title`,
    year: sql`m.year`,
    added: sql`m.added_at`,
    release: sql`m.release_date`,
    rating: sql`m.rating`,
    duration: sql`m.duration_ms`,
    resolution: sql`m.resolution`,
    lastWatched: sql`(select w.updated_at from progress w where w.movie_id = m.id and w.user_id = ${userId})`,
    random: sql`hashtext(m.id::text)`,
  }[sort];
  await Promise.all([
    sql`
      with page as materialized (
        select m.id from movie m where ${where}
        order by ${key} ${isUp ? sql`asc` : sql`desc`} nulls last, m.sort_title, m.id offset ${offset} limit ${limit})
      select m.id, m.title, m.year, m.duration_ms, m.artwork, m.resolution, m.hdr, m.rating, m.is_playable, m.added_at, p.*
      from page join movie m on m.id = page.id left join progress p on p.movie_id = m.id and p.user_id = ${userId}`,
    sql`select count(*) from movie m where ${where}`,
  ]);
}

/** One statement for each facet, all of them sent at once. */
export async function facetsByHand(sql: Sql, userId: string, filter: MovieFilter): Promise<void> {
  const conditions = conditionsOf(sql, userId, filter);
  const without = (name: string): Fragment =>
    all(
      sql,
      [...conditions].filter(([facet]) => facet !== name).map(([, condition]) => condition),
    );
  const byColumn = (name: string, column: Fragment) =>
    sql`select ${column} as value, count(*) from movie m where ${without(name)} group by 1 order by 2 desc limit 100`;
  const byTerm = (name: string, kind: string) => sql`
    select t.id, t.name, count(*) from movie m join movie_term o on o.movie_id = m.id join term t on t.id = o.term_id
    where t.kind = ${kind} and ${without(name)} group by 1, 2 order by 3 desc limit 100`;
  await Promise.all([
    byTerm('genreIds', 'genre'),
    byTerm('tagIds', 'tag'),
    byTerm('studioIds', 'studio'),
    byTerm('countryIds', 'country'),
    byColumn('decade', sql`m.year / 10 * 10`),
    byColumn('resolutions', sql`m.resolution`),
    byColumn('hdr', sql`coalesce(m.hdr, 'sdr')`),
    byColumn('videoCodecs', sql`m.video_codec`),
    byColumn('languages', sql`m.original_language`),
    byColumn('certifications', sql`m.certification`),
    byColumn('match', sql`m.match`),
    byColumn('audioLanguages', sql`unnest(m.audio_languages)`),
    byColumn('libraryId', sql`unnest(m.library_ids)`),
    byColumn(
      'isWatched',
      sql`exists (select from progress p where p.movie_id = m.id and p.user_id = ${userId} and p.is_watched)`,
    ),
    sql`select count(*) from movie m where ${all(sql, conditions.values())}`,
  ]);
}
