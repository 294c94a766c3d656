/**
 * Pictures and what is known of them. Which one stands for a movie is decided by the database (`artwork_of`), in the transaction
 * of whatever changed; here a change of what is shown becomes a line of the change feed [IMG11].
 */
import type {
  KnownPicture,
  LocalPicture,
  MovieFolder,
  MoviePictures,
  PictureChoice,
  PictureOwner,
  Pictureless,
  PictureSize,
  PictureStore,
} from '#engine/images/ports.ts';
import type { PictureRole, PictureSource } from '#protocol/schema/picture.ts';
import { toMoviePictures, toPicture } from './artwork.ts';
import type { Artwork, StoredPicture } from './artwork.ts';
import { recordChanges } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { offerPaths, offerPictures, offerPortraits } from './picture-offers.ts';
import type { RemoteSizes } from './picture-offers.ts';

/** `sizes`: how large pictures come from TMDB's host. */
export function createPictureStore(sql: Sql, { sizes }: { readonly sizes: RemoteSizes }): PictureStore {
  async function choices(tx: Sql | TransactionSql, movieId: string, role: PictureRole) {
    return await tx<
      (StoredPicture & { source: PictureSource; language: string | null; isFailed: boolean; isSet: boolean })[]
    >`
      select id, version, width, height, placeholder, source, language, failure is not null as "isFailed", is_chosen as "isSet"
      from picture where owner_id = ${movieId} and role = ${role}
      order by is_chosen desc, case source when 'local' then 0 when 'tmdb' then 1 else 2 end, position, id`;
  }

  async function ownerOf(pictureId: string): Promise<PictureOwner | null> {
    const [row] = await sql<{ kind: PictureOwner['kind']; id: string | null }[]>`
      select case when movie_id is not null then 'movie' when person_id is not null then 'person' else 'collection' end as kind,
        owner_id as id
      from picture where id = ${pictureId}`;
    return row?.id == null ? null : { kind: row.kind, id: row.id };
  }

  return {
    async picturesOf(movieIds) {
      const rows = await sql<{ id: string; artwork: Artwork }[]>`
        select id, artwork from movie where id = any(${[...movieIds]}::uuid[])`;
      return new Map<string, MoviePictures>(rows.map(({ id, artwork }) => [id, toMoviePictures(artwork)]));
    },
    async offer(owner, role, offers) {
      await changing(sql, owner, (tx) => offerPictures(tx, sizes, owner, role, offers));
    },
    offerPortraits: (portraits) => offerPortraits(sql, sizes, portraits),
    offerPaths: (paths, role) => offerPaths(sql, sizes, paths, role),
    async list(movieId, role) {
      const [movie] = await sql`select id from movie where id = ${movieId} and deleted_at is null`;
      if (!movie) return null;
      const rows = (await choices(sql, movieId, role)).filter(({ isFailed }) => !isFailed);
      return rows.map((row, place): PictureChoice => {
        return {
          pictureId: row.id,
          picture: toPicture(row)!,
          source: row.source,
          language: row.language,
          isChosen: place === 0,
        };
      });
    },
    choose: (movieId, role, pictureId) =>
      changing(sql, { kind: 'movie', id: movieId }, (tx) => choosePicture(tx, movieId, role, pictureId)),

    async find(pictureId) {
      const [row] = await sql<KnownPicture[]>`
        select p.id, p.version, p.movie_id as "movieId", p.role, p.source, p.location, p.library_id as "libraryId", p.width as "widthPx", p.height as "heightPx", p.failure,
          p.placeholder is not null as "hasPlaceholder", own.path as "libraryPath", l.path || '/' || f.path as "moviePath"
        from picture p left join library own on own.id = p.library_id
        left join movie m on m.id = p.movie_id and p.source = 'frame'
        left join movie_file f on f.state = 'playable' and f.id = coalesce(m.best_file_id, m.picture_file_id)
        left join library l on l.id = f.library_id
        where p.id = ${pictureId}`;
      return row ?? null;
    },
    async noteSeen(pictureId, version, { size, placeholder }) {
      const owner = await ownerOf(pictureId);
      await sql.begin(async (tx) => {
        // The owner first, as everywhere: two that take the same rows in another order would wait for each other for ever.
        if (owner) await tx`select id from ${tx(owner.kind)} where id = ${owner.id} for no key update`;
        await tx`
        update picture set width = ${size.widthPx}, height = ${size.heightPx}, placeholder = coalesce(${placeholder}, placeholder)
        where id = ${pictureId} and version = ${version}
          and (width <> ${size.widthPx} or height <> ${size.heightPx} or (placeholder is null and ${placeholder}::text is not null))`;
      });
    },
    async noteFailure(pictureId, version, failure) {
      const owner = await ownerOf(pictureId);
      const note = async (tx: Sql | TransactionSql): Promise<void> => {
        await tx`
          update picture set failure = ${failure}, failed_at = now(), placeholder = null
          where id = ${pictureId} and version = ${version} and failure is null`;
      };
      await (owner ? changing(sql, owner, note) : note(sql));
    },

    async forgetNameless() {
      await sql`
        delete from picture p
        where p.owner_id is null and p.created_at < now() - interval '30 days'
          and not exists (select from match_candidate c where c.poster_path = p.location)
          and not exists (select from collection_part c where c.poster_path = p.location)`;
    },

    async pictureless(limit, { among, except }) {
      return [
        ...(await sql<Pictureless[]>`
          select m.id as "movieId", m.best_file_id as "fileId", l.path || '/' || f.path as path
          from movie m join movie_file f on f.id = m.best_file_id join library l on l.id = f.library_id
          where m.deleted_at is null and m.is_playable and not m.has_backdrop
            and m.picture_file_id is distinct from m.best_file_id
            and ${among === null ? sql`true` : sql`m.id = any(${[...among]}::uuid[])`}
            and m.id <> all(${[...except]}::uuid[])
          order by m.added_at desc, m.id desc limit ${limit}`),
      ];
    },
    async picturelessCount() {
      const [row] = await sql<{ count: number }[]>`
        select count(*) as count from movie m where m.deleted_at is null and m.is_playable and not m.has_backdrop
          and m.picture_file_id is distinct from m.best_file_id`;
      return row?.count ?? 0;
    },
    async setFrame(movieId, fileId, frame) {
      await changing(sql, { kind: 'movie', id: movieId }, async (tx) => {
        const { count } = await tx`update movie set picture_file_id = ${fileId} where id = ${movieId}`;
        if (count === 0 || frame === null) return;
        await tx`
          delete from picture where owner_id = ${movieId} and role = 'backdrop' and source = 'frame' and location <> ${fileId}`;
        const { version, size } = frame;
        await tx`
          insert into picture (movie_id, role, source, location, version, width, height)
          values (${movieId}, 'backdrop', 'frame', ${fileId}, ${version}, ${size.widthPx}, ${size.heightPx})
          on conflict (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), role, source, location,
            coalesce(library_id, '00000000-0000-0000-0000-000000000000'))
          do update set version = excluded.version, width = excluded.width, height = excluded.height, placeholder = null,
            failure = null, failed_at = null`;
      });
    },

    async unlooked(limit) {
      const rows = await sql<{ id: string }[]>`
        select id from movie where deleted_at is null and artwork_looked_at is null limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async moviesOf(libraryId, afterId, limit) {
      const rows = await sql<{ id: string }[]>`
        select m.id from movie m where m.deleted_at is null and m.library_ids @> array[${libraryId}]::uuid[]
          and ${afterId === null ? sql`true` : sql`m.id > ${afterId}`}
        order by m.id limit ${limit}`;
      return rows.map(({ id }) => id);
    },
    async moviesIn(libraryId, folders) {
      const rows = await sql<{ id: string }[]>`
        select distinct movie_id as id from movie_file where library_id = ${libraryId} and folder = any(${[...folders]}::text[])`;
      return rows.map(({ id }) => id);
    },
    async foldersOf(movieIds) {
      return [
        ...(await sql<MovieFolder[]>`
          select f.movie_id as "movieId", f.library_id as "libraryId", l.path as "libraryPath", f.folder,
            array_agg(regexp_replace(f.path, '^.*/', '') order by f.path) as "fileNames",
            not exists (
              select from movie_file other where other.library_id = f.library_id and other.folder = f.folder
                and other.movie_id <> f.movie_id and other.extra_kind is null and other.state <> 'missing') as "isOwn"
          from movie_file f join library l on l.id = f.library_id
          where f.movie_id = any(${[...movieIds]}::uuid[]) and f.extra_kind is null and f.state <> 'missing'
          group by f.movie_id, f.library_id, l.path, f.folder order by f.movie_id, f.library_id, f.folder`),
      ];
    },
    async localOf(movieIds) {
      const rows = await sql<(Omit<LocalPicture, 'size'> & PictureSize & { movieId: string })[]>`
        select movie_id as "movieId", role, library_id as "libraryId", location as path, version, width as "widthPx",
          height as "heightPx", position
        from picture where movie_id = any(${[...movieIds]}::uuid[]) and source = 'local'`;
      const byMovie = new Map<string, LocalPicture[]>();
      for (const { movieId, widthPx, heightPx, ...row } of rows) {
        const known = byMovie.get(movieId) ?? [];
        known.push({ ...row, size: { widthPx, heightPx } });
        byMovie.set(movieId, known);
      }
      return byMovie;
    },
    async noteLooked(movieIds) {
      if (movieIds.length === 0) return;
      await sql`
        update movie set artwork_looked_at = now() where id = any(${[...movieIds]}::uuid[]) and artwork_looked_at is null`;
    },
    async replaceLocal(movieId, libraryIds, found) {
      const rows = found.map(({ role, libraryId, path, version, size, position }) => ({
        ...{ role, library: libraryId, location: path, version, position },
        ...{ width: size.widthPx, height: size.heightPx },
      }));
      await changing(sql, { kind: 'movie', id: movieId }, async (tx) => {
        // A library that was removed meanwhile takes its pictures along.
        const here = tx`jsonb_to_recordset(${tx.json(rows)}) as o (role text, library uuid, location text, version text,
          position integer, width integer, height integer)`;
        await tx`
          delete from picture p where p.movie_id = ${movieId} and p.source = 'local' and p.library_id = any(${[...libraryIds]}::uuid[])
            and not exists (select from ${here} where o.role = p.role and o.library = p.library_id and o.location = p.location)`;
        await tx`
          insert into picture as p (movie_id, role, source, location, library_id, version, width, height, position)
          select ${movieId}, o.role, 'local', o.location, l.id, o.version, o.width, o.height, o.position
          from ${here} join library l on l.id = o.library where exists (select from movie where id = ${movieId})
          on conflict (coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), role, source, location,
            coalesce(library_id, '00000000-0000-0000-0000-000000000000'))
          do update set position = excluded.position, version = excluded.version, width = excluded.width, height = excluded.height,
            placeholder = case when p.version = excluded.version then p.placeholder end,
            failure = case when p.version = excluded.version then p.failure end,
            failed_at = case when p.version = excluded.version then p.failed_at end
          where (p.position, p.version) is distinct from (excluded.position, excluded.version)`;
        await tx`update movie set artwork_looked_at = now() where id = ${movieId}`;
      });
    },
  };
}

/** See `PictureStore.choose`. Takes a transaction, so that an edit is written as a whole, and locks the movie's row; the caller records the change. */
export async function choosePicture(
  tx: TransactionSql,
  movieId: string,
  role: PictureRole,
  pictureId: string | null,
): Promise<{ readonly before: string | null } | null> {
  const [movie] = await tx`select id from movie where id = ${movieId} and deleted_at is null for no key update`;
  if (!movie) return null;
  if (pictureId !== null) {
    const [picture] = await tx`
      select id from picture where id = ${pictureId} and movie_id = ${movieId} and role = ${role} and failure is null`;
    if (!picture) return null;
  }
  const [before] = await tx<{ id: string }[]>`
    select id from picture where owner_id = ${movieId} and role = ${role} and is_chosen`;
  if (before?.id !== pictureId) {
    await tx`update picture set is_chosen = false where owner_id = ${movieId} and role = ${role} and is_chosen`;
    if (pictureId !== null) await tx`update picture set is_chosen = true where id = ${pictureId}`;
  }
  return { before: before?.id ?? null };
}

const FEED_KINDS = { movie: 'movie', collection: 'collection', person: null } as const;

/**
 * Runs a change of somebody's pictures and records it where another picture is shown afterwards. A placeholder is no such change. People have no feed.
 */
async function changing<T>(sql: Sql, owner: PictureOwner, change: (tx: TransactionSql) => Promise<T>): Promise<T> {
  return (await sql.begin(async (tx) => {
    // One after the other for one owner.
    const [before] = await tx<{ artwork: Artwork }[]>`
      select artwork from ${tx(owner.kind)} where id = ${owner.id} for no key update`;
    const result = await change(tx);
    const kind = FEED_KINDS[owner.kind];
    if (kind === null || !before) return result;
    const [after] = await tx<{ artwork: Artwork }[]>`select artwork from ${tx(owner.kind)} where id = ${owner.id}`;
    if (after && shownIn(after.artwork) !== shownIn(before.artwork)) {
      await recordChanges(tx, [{ feed: 'library', audience: null, kind, entityId: owner.id }]);
    }
    return result;
  })) as T;
}

const ROLES: readonly PictureRole[] = ['poster', 'backdrop', 'logo', 'portrait'];

const shownIn = (artwork: Artwork): string =>
  ROLES.map((role) => `${artwork[role]?.id ?? ''}/${artwork[role]?.version ?? ''}`).join(' ');
