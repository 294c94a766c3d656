import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { collections } from '#protocol/methods/collections.ts';
import { people } from '#protocol/methods/people.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { useCinema } from '../../house.ts';

/** Names of the person and the collection that a filter asks for, by their id. Whoever is not there any more has none. */
export function useFilterNames({ personId, collectionId }: MovieFilter): ReadonlyMap<string, string> {
  const { server } = useCinema();
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    const learn = (id: string | undefined, ask: (id: string) => Promise<string>): void => {
      if (id === undefined || names.has(id)) return;
      ask(id).then(
        (name) => setNames((known) => new Map(known).set(id, name)),
        (error: unknown) => {
          if (!isFailure(error)) throw error;
        },
      );
    };
    learn(personId, async (id) => (await server.call(people.get, { personId: id })).person.name);
    learn(collectionId, async (id) => (await server.call(collections.get, { collectionId: id })).collection.name);
  }, [personId, collectionId]);
  return names;
}
