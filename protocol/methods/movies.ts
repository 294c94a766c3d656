/** Browsing. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Facet, MOVIE_FILTERS } from '../schema/movie-filter.ts';
import { Movie, MovieTile } from '../schema/movie.ts';
import { MOVIE_SORTS, SORT_ORDERS } from '../schema/movie-sort.ts';
import { Progress } from '../schema/progress.ts';
import { Count, Id, ShortText } from '../schema/scalar.ts';

export const movies = {
  list: defineCall({
    id: 60,
    name: 'movies.list',
    since: 1,
    summary: 'A window of the movies that match, in order; `total` is the size of the whole.',
    permission: 'movies:read',
    input: v.object({
      offset: v.optional(Count, 0),
      limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(200)), 50),
      sort: v.optional(v.picklist(MOVIE_SORTS), 'title'),
      /** Absent: the order that suits the sort (titles upwards, everything else newest or largest first). */
      order: v.optional(v.picklist(SORT_ORDERS)),
      /** For `random`: the same number gives the same order. */
      seed: v.optional(v.pipe(Count, v.maxValue(4_294_967_295)), 0),
      /** Words of titles and names; typing errors are forgiven. By `title` without an order, the best answers come first. */
      search: v.optional(ShortText),
      ...MOVIE_FILTERS,
    }),
    output: v.object({ total: Count, movies: v.array(MovieTile) }),
    failures: {},
    http: { method: 'GET', path: '/movies' },
  }),
  get: defineCall({
    id: 61,
    name: 'movies.get',
    since: 1,
    summary: 'One movie with its files, its people and where it is from.',
    permission: 'movies:read',
    input: v.object({ movieId: Id }),
    output: v.object({ movie: Movie, progress: v.nullable(Progress) }),
    failures: {},
    http: { method: 'GET', path: '/movies/{movieId}' },
  }),
  home: defineCall({
    id: 62,
    name: 'movies.home',
    since: 1,
    summary: 'The rows of the home screen: what to go on watching, what is new, what is best, and something else each day.',
    permission: 'movies:read',
    input: v.object({ limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(50)), 20) }),
    output: v.object({
      continueWatching: v.array(MovieTile),
      recentlyAdded: v.array(MovieTile),
      topRated: v.array(MovieTile),
      random: v.array(MovieTile),
      /** One row for each decade that has movies, the latest first. */
      decades: v.array(v.object({ year: Count, count: Count })),
      movieCount: Count,
    }),
    failures: {},
    http: { method: 'GET', path: '/home' },
  }),
  facets: defineCall({
    id: 63,
    name: 'movies.facets',
    since: 1,
    summary: 'What a grid can be narrowed to, and how many movies each choice would leave.',
    permission: 'movies:read',
    input: v.object({ search: v.optional(ShortText), ...MOVIE_FILTERS }),
    output: v.object({ total: Count, facets: v.array(Facet) }),
    failures: {},
    http: { method: 'GET', path: '/facets' },
  }),
  similar: defineCall({
    id: 64,
    name: 'movies.similar',
    since: 1,
    summary: 'Movies that are here and like this one, the likest first.',
    permission: 'movies:read',
    input: v.object({ movieId: Id, limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(50)), 20) }),
    output: v.object({ movies: v.array(MovieTile) }),
    failures: {},
    http: { method: 'GET', path: '/movies/{movieId}/similar' },
  }),
};
