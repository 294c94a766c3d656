/** Collections in Postgres: what they are and which movies are in them, in order. */
import type {
  CollectionKind,
  CollectionStore,
  MissingPart,
  SavedQuery,
  StoredCollection,
} from '#engine/catalogue/ports.ts';
import { toMoviePictures, toPicture } from './artwork.ts';
import type { Artwork } from './artwork.ts';
import type { StoredQuery } from './browse-store.ts';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { addTo } from './edit-store.ts';
import { lockMovies } from './scan-store.ts';

type Row = Omit<StoredCollection, 'poster' | 'backdrop'> & {
  readonly artwork: Artwork;
  readonly coverArtwork: Artwork | null;
};

export function createCollectionStore(sql: Sql, { newId }: { readonly newId: () => string }): CollectionStore {
  const toCollection = ({ artwork, coverArtwork, ...row }: Row): StoredCollection => {
    const cover = toMoviePictures(coverArtwork ?? {});
    // What a person chose, then its own, then the first movie’s.
    const own = toPicture(artwork.poster);
    return {
      ...row,
      poster: row.hasChosenCover ? (cover.poster ?? own) : (own ?? cover.poster),
      backdrop: toPicture(artwork.backdrop) ?? cover.backdrop,
    };
  };

  return {
    async collections(collectionIds) {
      const rows = await sql<Row[]>`
        select c.id, c.kind, c.name, c.overview, c.tmdb_id as "tmdbId", c.artwork, cover.artwork as "coverArtwork",
          cover.id as "coverMovieId", coalesce(cover.id = c.poster_movie_id, false) as "hasChosenCover",
          (select count(*) from collection_part p where p.collection_id = c.id) as "partCount"
        from collection c
        left join lateral (
          select m.id, m.artwork from (
            select c.poster_movie_id as id, -1 as position where c.poster_movie_id is not null
            union all select o.movie_id, o.position from collection_movie o where o.collection_id = c.id
          ) o join movie m on m.id = o.id and m.deleted_at is null and m.hidden_at is null
          order by o.position, m.id limit 1
        ) cover on true
        where c.id = any(${[...collectionIds]}::uuid[])`;
      return new Map(rows.map((row) => [row.id, toCollection(row)]));
    },
    async movieIds(collectionId, limit) {
      const rows = await sql<{ id: string }[]>`
        select m.id from collection_movie o join movie m on m.id = o.movie_id
        where o.collection_id = ${collectionId} and m.deleted_at is null and m.hidden_at is null
        order by o.position, m.id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async missing(collectionId) {
      return [
        ...(await sql<MissingPart[]>`
          select p.tmdb_id as "tmdbId", p.title, p.release_date::text as "releaseDate", p.poster_path as "posterPath"
          from collection_part p
          where p.collection_id = ${collectionId}
            and not exists (select from movie m where m.tmdb_id = p.tmdb_id and m.deleted_at is null)
          order by p.release_date nulls last, p.position`),
      ];
    },
    async create(userId, { name, overview, movieIds, query }) {
      const id = newId();
      await sql.begin(async (tx) => {
        if (movieIds.length > 0) await lockMovies(tx);
        await tx`
          insert into collection (id, kind, name, overview, query, created_by)
          values (${id}, ${query === null ? 'manual' : 'smart'}, ${name}, ${overview}, ${query && tx.json(toStored(query))}, ${userId})`;
        if (query === null) await addTo(tx, id, movieIds);
        await record(tx, id, await membersOf(tx, id));
      });
      return id;
    },
    async update(collectionId, { name, overview, movieIds, query, coverMovieId }) {
      return await sql.begin(async (tx) => {
        if (movieIds) await lockMovies(tx);
        const [found] = await tx<{ kind: CollectionKind }[]>`
          select kind from collection where id = ${collectionId} for no key update`;
        if (!found) return 'notFound';
        const { kind } = found;
        if ((movieIds && kind !== 'manual') || (query && kind !== 'smart')) return { wrongKind: kind };
        if (coverMovieId) {
          const [movie] = await tx`select id from movie where id = ${coverMovieId} and deleted_at is null`;
          if (!movie) return 'notFound';
        }
        const set = {
          ...(name !== undefined && { name }),
          ...(overview !== undefined && { overview }),
          ...(query && { query: tx.json(toStored(query)) }),
          ...(coverMovieId !== undefined && { poster_movie_id: coverMovieId }),
        };
        if (Object.keys(set).length > 0) await tx`update collection set ${tx(set)} where id = ${collectionId}`;
        const before = await membersOf(tx, collectionId);
        if (movieIds) {
          // Hidden movies are in no list that a person sees, so one that is not named stays where it is, behind the others.
          await tx`
            delete from collection_movie o using movie m
            where o.collection_id = ${collectionId} and m.id = o.movie_id and m.hidden_at is null and m.deleted_at is null`;
          await tx`update collection_movie set position = position + ${movieIds.length} where collection_id = ${collectionId}`;
          await tx`
            insert into collection_movie (collection_id, movie_id, position)
            select ${collectionId}, m.id, min(given.place) from unnest(${[...movieIds]}::uuid[]) with ordinality as given(id, place)
            join movie m on m.id = given.id and m.deleted_at is null group by m.id
            on conflict (collection_id, movie_id) do update set position = excluded.position`;
        }
        const after = movieIds ? await membersOf(tx, collectionId) : before;
        const [was, is] = [new Set(before), new Set(after)];
        const isStill = (id: string): boolean => name === undefined && was.has(id) && is.has(id);
        await record(
          tx,
          collectionId,
          [...new Set([...before, ...after])].filter((id) => !isStill(id)),
        );
        return 'done';
      });
    },
    async remove(collectionId) {
      return await sql.begin(async (tx) => {
        const members = await membersOf(tx, collectionId);
        const { count } = await tx`delete from collection where id = ${collectionId}`;
        if (count === 0) return false;
        await record(tx, collectionId, members);
        return true;
      });
    },
  };
}

async function membersOf(tx: TransactionSql, collectionId: string): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    select movie_id as id from collection_movie where collection_id = ${collectionId} order by movie_id`;
  return rows.map(({ id }) => id);
}

const toStored = ({ filter, search, sort, order }: SavedQuery): StoredQuery => ({
  filter,
  sort,
  ...(search !== null && { search }),
  ...(order !== null && { order }),
});

/** The movies too: their pages say which collections they are in, and the browse index which movies a collection has. */
async function record(tx: TransactionSql, collectionId: string, movieIds: readonly string[]): Promise<void> {
  const change = { feed: 'library', audience: null };
  await recordChanges(tx, [
    ...movieIds.map((entityId): NewChange => ({ ...change, kind: 'movie', entityId })),
    { ...change, kind: 'collection', entityId: collectionId },
  ]);
}
