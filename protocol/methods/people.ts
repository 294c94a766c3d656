/** People who made movies. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { MovieTile } from '../schema/movie.ts';
import { Person } from '../schema/person.ts';
import { Id, ShortText } from '../schema/scalar.ts';

export const people = {
  get: defineCall({
    id: 180,
    name: 'people.get',
    since: 1,
    summary: 'A person with the movies that are here, the latest first.',
    permission: 'movies:read',
    input: v.object({ personId: Id }),
    output: v.object({
      person: Person,
      /** What they did in it: characters, then jobs. */
      movies: v.array(v.object({ movie: MovieTile, roles: v.array(ShortText) })),
    }),
    failures: {},
    http: { method: 'GET', path: '/people/{personId}' },
  }),
};
