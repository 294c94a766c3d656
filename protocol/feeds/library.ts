import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Library } from '../schema/library.ts';
import { MovieCard } from '../schema/movie.ts';
import { Count, Id } from '../schema/scalar.ts';

export const libraryFeed = defineFeed({
  id: 1,
  name: 'library',
  since: 1,
  summary:
    'Libraries with their scans, how many movies there are, and every movie and collection that comes, changes or goes.',
  permission: 'libraries:read',
  key: null,
  snapshot: v.object({ movieCount: Count, libraries: v.array(Library) }),
  entry: v.variant('kind', [
    /** `null`: the movie is gone. */
    v.object({ kind: v.literal('movie'), id: Id, movie: v.nullable(MovieCard) }),
    v.object({ kind: v.literal('library'), id: Id, library: v.nullable(Library) }),
    /** A collection came, changed or went: look at it again. */
    v.object({ kind: v.literal('collection'), id: Id }),
    v.object({ kind: v.literal('movieCount'), id: v.literal('all'), count: Count }),
  ]),
});
