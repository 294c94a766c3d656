/** Takes from a movie what a catalogue said of another one. */
import type { NewChange } from './change-feed.ts';
import type { TransactionSql } from './connect.ts';

/** Kinds of terms, by the name of the field under which they are locked. */
export const LOCKED_TERMS: Readonly<Record<string, string>> = {
  genres: 'genre',
  keywords: 'keyword',
  studios: 'studio',
  countries: 'country',
};

export const collectionChange = (entityId: string): NewChange => ({
  feed: 'library',
  audience: null,
  kind: 'collection',
  entityId,
});

/** Called as its files are, without anything that a catalogue said but what a person locked. Returns the changes of others than the movie. */
export async function forgetFacts(tx: TransactionSql, movieId: string): Promise<NewChange[]> {
  const [movie] = await tx<{ locked: string[] }[]>`
    select locked_fields as locked from movie where id = ${movieId} for no key update`;
  if (!movie) return [];
  const isFree = (field: string): boolean => !movie.locked.includes(field);
  const free = (field: string, column: string, value: ReturnType<typeof tx> | null) =>
    isFree(field) ? (value ?? tx`null`) : tx`${tx(column)}`;
  await tx`
    update movie set imdb_id = null, refreshed_at = null, original_language = null, runtime_minutes = null, popularity = null,
      status = null, trailer_url = null,
      title = ${free('title', 'title', tx`coalesce(file_title, title)`)}, year = ${free('year', 'year', tx`file_year`)},
      original_title = ${free('originalTitle', 'original_title', null)},
      custom_sort_title = ${free('sortTitle', 'custom_sort_title', null)},
      release_date = ${free('releaseDate', 'release_date', null)}, tagline = ${free('tagline', 'tagline', null)},
      overview = ${free('overview', 'overview', null)}, certification = ${free('certification', 'certification', null)},
      rating = ${free('rating', 'rating', null)}, vote_count = ${free('rating', 'vote_count', null)}
    where id = ${movieId}`;
  const kinds = Object.entries(LOCKED_TERMS).flatMap(([field, kind]) => (isFree(field) ? [kind] : []));
  await tx`delete from movie_term mt using term t where t.id = mt.term_id and mt.movie_id = ${movieId} and t.kind = any(${kinds})`;
  if (isFree('credits')) await tx`delete from credit where movie_id = ${movieId}`;
  for (const table of ['movie_rating', 'release_date', 'similar_movie', 'alternative_title']) {
    await tx`delete from ${tx(table)} where movie_id = ${movieId}`;
  }
  const left = await tx<{ id: string }[]>`
    delete from collection_movie cm using collection c
    where cm.movie_id = ${movieId} and c.id = cm.collection_id and c.kind = 'series' returning c.id`;
  await tx`
    delete from picture where owner_id = ${movieId} and role in ('poster', 'backdrop', 'logo') and source = 'tmdb' and not is_chosen`;
  return left.map(({ id }) => collectionChange(id));
}
