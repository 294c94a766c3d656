/** Series, lists that people made, and saved filters. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Collection, CollectionCard, COLLECTION_KINDS, SmartQuery } from '../schema/collection.ts';
import { MovieTile } from '../schema/movie.ts';
import { Count, Id, ShortText } from '../schema/scalar.ts';

const Name = v.pipe(ShortText, v.trim(), v.minLength(1));
const Overview = v.pipe(v.string(), v.trim(), v.maxLength(10_000));

export const collections = {
  list: defineCall({
    id: 160,
    name: 'collections.list',
    since: 1,
    summary: 'A window of the collections, by name; series of which only one movie is here are left out.',
    permission: 'movies:read',
    input: v.object({
      offset: v.optional(Count, 0),
      limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(200)), 50),
      kind: v.optional(v.picklist(COLLECTION_KINDS)),
    }),
    output: v.object({ total: Count, collections: v.array(CollectionCard) }),
    failures: {},
    http: { method: 'GET', path: '/collections' },
  }),
  get: defineCall({
    id: 161,
    name: 'collections.get',
    since: 1,
    summary: 'A collection with the first 500 of its movies in its order.',
    permission: 'movies:read',
    input: v.object({ collectionId: Id }),
    output: v.object({ collection: Collection, movies: v.array(MovieTile) }),
    failures: {},
    http: { method: 'GET', path: '/collections/{collectionId}' },
  }),
  create: defineCall({
    id: 162,
    name: 'collections.create',
    since: 1,
    summary: 'Makes a list of movies, or saves a filter when `query` is given.',
    permission: 'movies:edit',
    input: v.object({
      name: Name,
      overview: v.optional(Overview),
      movieIds: v.optional(v.pipe(v.array(Id), v.maxLength(5_000))),
      query: v.optional(SmartQuery),
    }),
    output: v.object({ collection: Collection }),
    failures: {},
    http: { method: 'POST', path: '/collections' },
  }),
  update: defineCall({
    id: 163,
    name: 'collections.update',
    since: 1,
    summary:
      'Changes a collection. `movieIds` is the whole new order of a list; `posterOf` takes a movie’s poster for its own.',
    permission: 'movies:edit',
    input: v.object({
      collectionId: Id,
      name: v.optional(Name),
      overview: v.optional(v.nullable(Overview)),
      movieIds: v.optional(v.pipe(v.array(Id), v.maxLength(5_000))),
      query: v.optional(SmartQuery),
      posterOf: v.optional(v.nullable(Id)),
    }),
    output: v.object({ collection: Collection }),
    failures: {
      /** A series has no order of ours, a saved filter no list, a list no filter. */
      wrongKind: v.object({ kind: v.picklist(COLLECTION_KINDS) }),
    },
    http: { method: 'PATCH', path: '/collections/{collectionId}' },
  }),
  remove: defineCall({
    id: 164,
    name: 'collections.remove',
    since: 1,
    summary: 'Removes a list or a saved filter; its movies stay. A series comes back with its metadata.',
    permission: 'movies:edit',
    input: v.object({ collectionId: Id }),
    output: v.object({}),
    failures: {},
    http: { method: 'DELETE', path: '/collections/{collectionId}' },
  }),
};
