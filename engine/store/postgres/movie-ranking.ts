/** Movies by words, ranked in Postgres, for the browse index. */
import type { MovieRanking } from '#engine/catalogue/ports.ts';
import type { Sql } from './connect.ts';
import { searchMovies } from './movie-search.ts';
import { searchTerms } from './search-terms.ts';

export function createMovieRanking(sql: Sql): MovieRanking {
  return {
    async rank(text, { limit, isHidden = false }) {
      const typed = searchTerms(text);
      if (typed.length === 0) return { ids: [], answeredBy: 'postgres' };
      const { ids } = await searchMovies(sql, {
        typed,
        among: sql`m.deleted_at is null and (m.hidden_at is not null) = ${isHidden}`,
        order: null,
        offset: 0,
        limit,
      });
      return { ids, answeredBy: 'postgres' };
    },
  };
}
