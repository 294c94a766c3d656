/** The calls of `people`. */
import type { Handlers } from '#protocol/handler.ts';
import type { people } from '#protocol/index.ts';
import type { MovieReader, PersonStore } from './ports.ts';

export function createPeopleHandlers({
  people: store,
  reader,
}: {
  readonly people: PersonStore;
  readonly reader: Pick<MovieReader, 'tiles'>;
}): Handlers<typeof people> {
  return {
    async get({ personId }, { viewer, fail }) {
      const [person, credits] = await Promise.all([store.person(personId), store.credits(personId)]);
      if (!person) return fail('notFound', { what: 'person', id: personId });
      const tiles = await reader.tiles(
        viewer.id,
        credits.map(({ movieId }) => movieId),
      );
      const rolesByMovieId = new Map(credits.map(({ movieId, roles }) => [movieId, roles]));
      return { person, movies: tiles.map((movie) => ({ movie, roles: rolesByMovieId.get(movie.id) ?? [] })) };
    },
  };
}
