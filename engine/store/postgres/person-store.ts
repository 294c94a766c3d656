/** People who made movies, as screens read them. */
import type { PersonStore } from '#engine/catalogue/ports.ts';
import type { Person } from '#protocol/schema/person.ts';
import { toPicture } from './artwork.ts';
import type { Artwork } from './artwork.ts';
import type { Sql } from './connect.ts';

export function createPersonStore(sql: Sql): PersonStore {
  return {
    async person(personId) {
      const [row] = await sql<(Omit<Person, 'portrait'> & { artwork: Artwork })[]>`
        select id, name, tmdb_id as "tmdbId", known_for as "knownFor", biography, born_on::text as "bornOn",
          died_on::text as "diedOn", birthplace, artwork
        from person where id = ${personId}`;
      if (!row) return null;
      const { artwork, ...person } = row;
      return { ...person, portrait: toPicture(artwork.portrait) };
    },
    async credits(personId) {
      return [
        ...(await sql<{ movieId: string; roles: string[] }[]>`
          select m.id as "movieId",
            coalesce(array_agg(c.role order by c.kind, c.position) filter (where c.role <> ''), '{}') as roles
          from credit c join movie m on m.id = c.movie_id and m.deleted_at is null and m.hidden_at is null
          where c.person_id = ${personId}
          group by m.id order by m.release_date desc nulls last, m.year desc nulls last, m.sort_title, m.id`),
      ];
    },
  };
}
