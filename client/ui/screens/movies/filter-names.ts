import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { collections } from '#protocol/methods/collections.ts';
import { movies } from '#protocol/methods/movies.ts';
import { people } from '#protocol/methods/people.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { useCinema } from '../../house.ts';

/** Names of the person, the collection and the keywords that a filter asks for, as `chipsOf` wants them. Whoever is not there any more has none. */
export function useFilterNames({ personId, collectionId, keywordIds }: MovieFilter): ReadonlyMap<string, string> {
  const { server } = useCinema();
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    const learn = (id: string | undefined, ask: (id: string) => Promise<string | null>): void => {
      if (id === undefined || names.has(id)) return;
      ask(id).then(
        (name) => {
          if (name !== null) setNames((known) => new Map(known).set(id, name));
        },
        (error: unknown) => {
          if (!isFailure(error)) throw error;
        },
      );
    };
    learn(personId, async (id) => (await server.call(people.get, { personId: id })).person.name);
    learn(collectionId, async (id) => (await server.call(collections.get, { collectionId: id })).collection.name);
    // Keywords are not counted beside the grid: a movie that has it knows its name.
    for (const keywordId of keywordIds ?? []) {
      learn(`keywordIds ${keywordId}`, async () => {
        const [tile] = (await server.call(movies.list, { keywordIds: [keywordId], limit: 1 })).movies;
        if (tile === undefined) return null;
        const { movie } = await server.call(movies.get, { movieId: tile.id });
        return movie.keywords.find(({ id }) => id === keywordId)?.name ?? null;
      });
    }
  }, [personId, collectionId, keywordIds?.join()]);
  return names;
}
