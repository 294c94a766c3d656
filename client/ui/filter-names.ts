import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { collections } from '#protocol/methods/collections.ts';
import { movies } from '#protocol/methods/movies.ts';
import { people } from '#protocol/methods/people.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { useCinema } from './house.ts';

/** Where a movie names the terms that a filter knows by number. */
const TERM_LISTS = {
  genreIds: 'genres',
  keywordIds: 'keywords',
  studioIds: 'studios',
  countryIds: 'countries',
  tagIds: 'tags',
} as const;
type TermFilter = keyof typeof TERM_LISTS;
const TERM_FILTERS = Object.keys(TERM_LISTS) as TermFilter[];

/** Names of what a filter asks for by its id, as `chipsOf` wants them. Whoever is not there any more has none. */
export function useFilterNames(filter: MovieFilter): ReadonlyMap<string, string> {
  const { server } = useCinema();
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const { personId, collectionId } = filter;
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
    // Counts name a term only while it is among the most frequent ones; a movie that has it always does.
    for (const name of TERM_FILTERS) {
      for (const termId of filter[name] ?? []) {
        learn(`${name} ${termId}`, async () => {
          const [tile] = (await server.call(movies.list, { [name]: [termId], limit: 1 })).movies;
          if (tile === undefined) return null;
          const { movie } = await server.call(movies.get, { movieId: tile.id });
          return movie[TERM_LISTS[name]].find(({ id }) => id === termId)?.name ?? null;
        });
      }
    }
  }, [personId, collectionId, ...TERM_FILTERS.map((name) => filter[name]?.join())]);
  return names;
}
