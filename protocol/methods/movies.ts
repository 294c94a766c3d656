/** Browsing. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
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
      /** Part of a title; small typing errors are forgiven. */
      search: v.optional(ShortText),
      libraryId: v.optional(Id),
      isWatched: v.optional(v.boolean()),
    }),
    output: v.object({ total: Count, movies: v.array(MovieTile) }),
    failures: {},
    http: { method: 'GET', path: '/movies' },
  }),
  get: defineCall({
    id: 61,
    name: 'movies.get',
    since: 1,
    summary: 'One movie with its files.',
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
    summary: 'The rows of the home screen: what to go on watching, and what is new.',
    permission: 'movies:read',
    input: v.object({ limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(50)), 20) }),
    output: v.object({ continueWatching: v.array(MovieTile), recentlyAdded: v.array(MovieTile), movieCount: Count }),
    failures: {},
    http: { method: 'GET', path: '/home' },
  }),
};
