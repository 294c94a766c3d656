import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Movie } from '../schema/movie.ts';
import { Id } from '../schema/scalar.ts';

export const movieFeed = defineFeed({
  id: 2,
  name: 'movie',
  since: 1,
  summary: 'One movie with its files.',
  permission: 'movies:read',
  key: 'movieId',
  snapshot: v.object({ movie: v.nullable(Movie) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('movie'), id: Id, movie: v.nullable(Movie) })]),
});
