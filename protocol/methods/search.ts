/** Finding by a few typed letters. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { CollectionCard } from '../schema/collection.ts';
import { Facet, MOVIE_FILTERS } from '../schema/movie-filter.ts';
import { MovieTile } from '../schema/movie.ts';
import { PersonCard } from '../schema/person.ts';
import { Picture } from '../schema/picture.ts';
import { Count, Id, ShortText } from '../schema/scalar.ts';

const Query = v.pipe(ShortText, v.trim(), v.minLength(1));

export const search = {
  suggest: defineCall({
    id: 200,
    name: 'search.suggest',
    since: 1,
    summary: 'While somebody types: the few movies, people and collections that they most likely mean.',
    permission: 'movies:read',
    input: v.object({ query: Query, limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(20)), 8) }),
    output: v.object({
      suggestions: v.array(
        v.object({
          kind: v.picklist(['movie', 'person', 'collection']),
          id: Id,
          text: ShortText,
          /** What tells it from others of that name: the year, what the person is known for. */
          detail: v.nullable(ShortText),
          picture: Picture,
        }),
      ),
    }),
    failures: {},
    http: { method: 'GET', path: '/search/suggestions' },
  }),
  find: defineCall({
    id: 201,
    name: 'search.find',
    since: 1,
    summary:
      'Movies, the best answers first, with people and collections of that name, and what the answers can be narrowed to.',
    permission: 'movies:read',
    input: v.object({
      query: Query,
      offset: v.optional(Count, 0),
      limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(200)), 50),
      ...MOVIE_FILTERS,
    }),
    output: v.object({
      total: Count,
      movies: v.array(MovieTile),
      facets: v.array(Facet),
      people: v.array(PersonCard),
      collections: v.array(CollectionCard),
      /** Who answered: the search server, or the database because there is none or it is away. */
      answeredBy: v.picklist(['typesense', 'postgres']),
    }),
    failures: {},
    http: { method: 'GET', path: '/search' },
  }),
  reindex: defineCall({
    id: 202,
    name: 'search.reindex',
    since: 1,
    summary: 'Builds the search index anew beside the one in use, and then takes its place.',
    permission: 'server:manage',
    input: v.object({}),
    output: v.object({ jobId: v.nullable(Id) }),
    failures: {},
    http: { method: 'POST', path: '/search/reindex' },
  }),
};
