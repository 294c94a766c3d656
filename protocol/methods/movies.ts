/** Browsing, and putting right what is known of a movie. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Facet, MOVIE_FILTERS } from '../schema/movie-filter.ts';
import { MOVIE_FIELDS, Movie, MovieTile } from '../schema/movie.ts';
import { MOVIE_SORTS, SORT_ORDERS } from '../schema/movie-sort.ts';
import { PICTURE_ROLES, PICTURE_SOURCES, Picture } from '../schema/picture.ts';
import { Progress } from '../schema/progress.ts';
import { Count, Id, ShortText } from '../schema/scalar.ts';

/** A text that a person set: trimmed, and not empty. */
const Text = v.pipe(ShortText, v.trim(), v.minLength(1));
const LongText = v.pipe(v.string(), v.trim(), v.maxLength(10_000));
const Names = v.pipe(v.array(Text), v.maxLength(100));
const MovieIds = v.pipe(v.array(Id), v.minLength(1), v.maxLength(5_000));

/** What a person sets; absent: as it was, `null`: nothing. Whatever is set is locked, unless `unlock` names it. */
const MovieChanges = v.object({
  title: v.optional(Text),
  originalTitle: v.optional(v.nullable(Text)),
  /** `null`: made from the title again. */
  sortTitle: v.optional(v.nullable(Text)),
  year: v.optional(v.nullable(v.pipe(Count, v.minValue(1870), v.maxValue(2200)))),
  releaseDate: v.optional(v.nullable(v.pipe(v.string(), v.isoDate()))),
  tagline: v.optional(v.nullable(LongText)),
  overview: v.optional(v.nullable(LongText)),
  certification: v.optional(v.nullable(Text)),
  genres: v.optional(Names),
  keywords: v.optional(Names),
  studios: v.optional(Names),
  countries: v.optional(Names),
  tags: v.optional(Names),
  lock: v.optional(v.array(v.picklist(MOVIE_FIELDS))),
  unlock: v.optional(v.array(v.picklist(MOVIE_FIELDS))),
});

/** An edit that `movies.undo` takes back; `changed` is how many movies it changed. */
const Edit = v.object({ editId: v.nullable(Id), changed: Count });

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
    summary:
      'The rows of the home screen: what to go on watching, what is new, what is best, and something else each day.',
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
  edit: defineCall({
    id: 65,
    name: 'movies.edit',
    since: 1,
    summary: 'Sets what is known of a movie, and locks what was set.',
    permission: 'movies:edit',
    input: v.object({ movieId: Id, ...MovieChanges.entries }),
    output: v.object({ movie: Movie, ...Edit.entries }),
    failures: {},
    http: { method: 'PATCH', path: '/movies/{movieId}' },
  }),
  editMany: defineCall({
    id: 66,
    name: 'movies.editMany',
    since: 1,
    summary: 'Changes many movies at once: tags, genres, certification, locks, place in a collection.',
    permission: 'movies:edit',
    input: v.object({
      movieIds: MovieIds,
      addTags: v.optional(Names),
      removeTags: v.optional(Names),
      addGenres: v.optional(Names),
      removeGenres: v.optional(Names),
      certification: v.optional(v.nullable(Text)),
      addToCollection: v.optional(Id),
      removeFromCollection: v.optional(Id),
      lock: v.optional(v.array(v.picklist(MOVIE_FIELDS))),
      unlock: v.optional(v.array(v.picklist(MOVIE_FIELDS))),
      isHidden: v.optional(v.boolean()),
    }),
    output: Edit,
    failures: {},
    http: { method: 'POST', path: '/movies/edit' },
    deadlineMs: 60_000,
  }),
  undo: defineCall({
    id: 67,
    name: 'movies.undo',
    since: 1,
    summary: 'Takes an edit back. What was changed again since then stays as it is now.',
    permission: 'movies:edit',
    input: v.object({ editId: Id }),
    output: v.object({ changed: Count, kept: Count }),
    failures: { alreadyUndone: v.object({}) },
    http: { method: 'POST', path: '/edits/{editId}/undo' },
    deadlineMs: 60_000,
  }),
  hide: defineCall({
    id: 68,
    name: 'movies.hide',
    since: 1,
    summary: 'Puts a movie away, or takes it out again. Its files stay where they are; what people watched is kept.',
    permission: 'movies:edit',
    input: v.object({ movieId: Id, isHidden: v.optional(v.boolean(), true) }),
    output: Edit,
    failures: {},
    http: { method: 'POST', path: '/movies/{movieId}/hide' },
  }),
  pictures: defineCall({
    id: 69,
    name: 'movies.pictures',
    since: 1,
    summary: 'The pictures that a movie could be shown by, the present one first.',
    permission: 'movies:edit',
    input: v.object({ movieId: Id, role: v.picklist(PICTURE_ROLES) }),
    output: v.object({
      pictures: v.array(
        v.object({
          pictureId: Id,
          picture: Picture,
          source: v.picklist(PICTURE_SOURCES),
          language: v.nullable(v.string()),
          isChosen: v.boolean(),
        }),
      ),
    }),
    failures: {},
    http: { method: 'GET', path: '/movies/{movieId}/pictures' },
  }),
  choosePicture: defineCall({
    id: 70,
    name: 'movies.choosePicture',
    since: 1,
    summary: 'Shows a movie by another of its pictures, and locks the choice; without one, the best is chosen again.',
    permission: 'movies:edit',
    input: v.object({ movieId: Id, role: v.picklist(PICTURE_ROLES), pictureId: v.optional(v.nullable(Id)) }),
    output: Edit,
    failures: {},
    http: { method: 'POST', path: '/movies/{movieId}/pictures' },
  }),
  tags: defineCall({
    id: 71,
    name: 'movies.tags',
    since: 1,
    summary: 'Names that movies are tagged with, for a person who types one.',
    permission: 'movies:read',
    input: v.object({}),
    output: v.object({ tags: v.array(v.object({ id: Count, name: ShortText, movieCount: Count })) }),
    failures: {},
    http: { method: 'GET', path: '/tags' },
  }),
};
