/** What stands beside a name that was found: read when it is shown, so that an index that lags behind shows nothing that is gone [SEARCH4]. */
import type { NameCardPort, Suggestion } from '#engine/search/ports.ts';
import type { CollectionCard } from '#protocol/schema/collection.ts';
import type { Picture } from '#protocol/schema/picture.ts';
import type { Artwork } from '../postgres/artwork.ts';
import { toPicture } from '../postgres/artwork.ts';
import type { Sql } from '../postgres/connect.ts';

interface CollectionRow {
  readonly id: string;
  readonly kind: CollectionCard['kind'];
  readonly name: string;
  readonly artwork: Artwork;
  readonly movieArtwork: Artwork | null;
  readonly movieCount: number;
  readonly partCount: number;
  readonly watchedCount: number;
}

export function createNameCards(sql: Sql): NameCardPort {
  const isShown = sql`m.deleted_at is null and m.hidden_at is null`;
  const hasMovie = sql`exists (
    select from credit c join movie m on m.id = c.movie_id where c.person_id = p.id and ${isShown})`;
  // The movie that somebody chose, else the first of it that has a poster.
  const movieArtwork = sql`coalesce(
    (select m.artwork from movie m where m.id = c.poster_movie_id and ${isShown} and m.artwork ? 'poster'),
    (select m.artwork from collection_movie cm join movie m on m.id = cm.movie_id
      where cm.collection_id = c.id and ${isShown} and m.artwork ? 'poster' order by cm.position limit 1))`;

  return {
    async pictures(suggestions) {
      const idsOf = (kind: Suggestion['kind']): string[] =>
        suggestions.filter((suggestion) => suggestion.kind === kind).map(({ id }) => id);
      if (suggestions.length === 0) return new Map();
      const rows = await sql<{ id: string; kind: Suggestion['kind']; artwork: Artwork | null }[]>`
        select m.id, 'movie' as kind, m.artwork from movie m where m.id = any(${idsOf('movie')}::uuid[]) and ${isShown}
        union all
        select p.id, 'person', p.artwork from person p where p.id = any(${idsOf('person')}::uuid[]) and ${hasMovie}
        union all
        select c.id, 'collection', case when c.artwork ? 'poster' then c.artwork else ${movieArtwork} end
        from collection c where c.id = any(${idsOf('collection')}::uuid[]) and (c.kind <> 'series' or exists (
          select from collection_movie cm join movie m on m.id = cm.movie_id where cm.collection_id = c.id and ${isShown}))`;
      return new Map<string, Picture>(
        rows.map(({ id, kind, artwork }) => {
          const picture = kind === 'person' ? artwork?.portrait : (artwork?.poster ?? artwork?.backdrop);
          return [id, toPicture(picture)];
        }),
      );
    },
    async people(personIds) {
      if (personIds.length === 0) return [];
      const rows = await sql<{ id: string; name: string; artwork: Artwork }[]>`
        select p.id, p.name, p.artwork from person p where p.id = any(${[...personIds]}::uuid[]) and ${hasMovie}`;
      const byId = new Map(rows.map((row) => [row.id, row]));
      return personIds.flatMap((id) => {
        const row = byId.get(id);
        return row ? [{ id, name: row.name, portrait: toPicture(row.artwork.portrait) }] : [];
      });
    },
    async collections(userId, collectionIds) {
      if (collectionIds.length === 0) return [];
      const rows = await sql<CollectionRow[]>`
        select c.id, c.kind, c.name, c.artwork, ${movieArtwork} as "movieArtwork",
          count(m.id) as "movieCount", count(m.id) filter (where pr.is_watched) as "watchedCount",
          greatest(count(m.id), (select count(*) from collection_part part where part.collection_id = c.id)) as "partCount"
        from collection c
          left join collection_movie cm on cm.collection_id = c.id
          left join movie m on m.id = cm.movie_id and ${isShown}
          left join progress pr on pr.movie_id = m.id and pr.user_id = ${userId}
        where c.id = any(${[...collectionIds]}::uuid[])
        group by c.id`;
      const byId = new Map(rows.map((row) => [row.id, row]));
      return collectionIds.flatMap((id): CollectionCard[] => {
        const row = byId.get(id);
        // A series of which nothing is here any more.
        if (!row || (row.kind === 'series' && row.movieCount === 0)) return [];
        const { artwork, movieArtwork: ofMovie, ...card } = row;
        return [
          {
            ...card,
            poster: toPicture(artwork.poster ?? ofMovie?.poster),
            backdrop: toPicture(artwork.backdrop ?? ofMovie?.backdrop),
          },
        ];
      });
    },
  };
}
