/** Pictures that TMDB has, as rows. Takes a transaction, so that metadata is written together with its pictures. */
import { createHash } from 'node:crypto';
import type { PictureOffer, PictureOwner, PictureSize } from '#engine/images/ports.ts';
import type { Picture, PictureRole } from '#protocol/schema/picture.ts';
import { toPicture } from './artwork.ts';
import type { StoredPicture } from './artwork.ts';
import type { Sql, TransactionSql } from './connect.ts';

/** As many as a person looks through. Some movies have hundreds, and a library has many movies. */
const MAX_OFFERS = 20;
/** A picture that could not be had may be there later. */
const FORGIVE_AFTER = '7 days';
const TMDB_PATH = /^\/[\w-]{1,100}\.(?:jpe?g|png|webp|svg)$/i;
/** Part of every version: another number where the same picture is made in another way. */
const RECIPE = 1;

/** How large TMDB's host gives them (`remote-pictures.ts` asks for these), and what they are taken to be where it does not say. */
export interface RemoteSizes {
  readonly usual: Readonly<Record<PictureRole, PictureSize>>;
  served(role: PictureRole, size: PictureSize): PictureSize;
}

export const isTmdbPath = (path: string): boolean => TMDB_PATH.test(path);

function versionOf(role: PictureRole, path: string): string {
  return createHash('sha256').update(`${RECIPE} tmdb ${role} ${path}`).digest('base64url').slice(0, 22);
}

interface OfferRow {
  readonly location: string;
  readonly version: string;
  readonly width: number;
  readonly height: number;
  readonly language: string | null;
  readonly vote: number | null;
  readonly position: number;
}

function toRows(role: PictureRole, offers: readonly PictureOffer[], sizes: RemoteSizes): OfferRow[] {
  const rows = new Map<string, OfferRow>();
  for (const { path, widthPx, heightPx, language, vote } of offers) {
    if (rows.size >= MAX_OFFERS) break;
    if (!isTmdbPath(path) || rows.has(path)) continue;
    const isSized = widthPx !== null && heightPx !== null && widthPx > 0 && heightPx > 0;
    const { widthPx: width, heightPx: height } = isSized
      ? sizes.served(role, { widthPx, heightPx })
      : sizes.usual[role];
    rows.set(path, {
      location: path,
      version: versionOf(role, path),
      width,
      height,
      language,
      vote,
      position: rows.size,
    });
  }
  return [...rows.values()];
}

const NOBODY = { movie: null, person: null, collection: null } as const;

/**
 * See `PictureStore.offer`. The owner's row is locked and its `artwork` is right afterwards; whether it changed in what is shown
 * is for the caller to record.
 */
export async function offerPictures(
  tx: TransactionSql,
  sizes: RemoteSizes,
  owner: PictureOwner,
  role: PictureRole,
  offers: readonly PictureOffer[],
): Promise<void> {
  const [found] = await tx`select id from ${tx(owner.kind)} where id = ${owner.id} for no key update`;
  if (!found) return;
  const rows = toRows(role, offers, sizes);
  await tx`
    delete from picture where owner_id = ${owner.id} and role = ${role} and source = 'tmdb' and not is_chosen
      and location <> all(${rows.map(({ location }) => location)}::text[])`;
  if (rows.length === 0) return;
  const of = { ...NOBODY, [owner.kind]: owner.id };
  await tx`
    insert into picture as p (movie_id, person_id, collection_id, role, source, location, version, width, height, language, vote, position)
    select ${of.movie}::uuid, ${of.person}::uuid, ${of.collection}::uuid, ${role}, 'tmdb', o.location, o.version, o.width, o.height,
      o.language, o.vote, o.position
    from jsonb_to_recordset(${tx.json(rows as never)}) as o (location text, version text, width integer, height integer,
      language text, vote real, position integer)
    on conflict (${conflictKey(tx)}) do update set position = excluded.position, language = excluded.language, vote = excluded.vote,
      version = excluded.version,
      width = case when p.placeholder is null or p.version <> excluded.version then excluded.width else p.width end,
      height = case when p.placeholder is null or p.version <> excluded.version then excluded.height else p.height end,
      placeholder = case when p.version = excluded.version then p.placeholder end,
      failure = case when p.version = excluded.version and p.failed_at > now() - ${FORGIVE_AFTER}::interval then p.failure end,
      failed_at = case when p.version = excluded.version and p.failed_at > now() - ${FORGIVE_AFTER}::interval then p.failed_at end`;
}

/** See `PictureStore.offerPortraits`. Most are known: one look, and a write only for those that are new. People have no feed. */
export async function offerPortraits(
  sql: Sql | TransactionSql,
  sizes: RemoteSizes,
  portraits: readonly { readonly personId: string; readonly path: string | null }[],
): Promise<void> {
  const { widthPx, heightPx } = sizes.usual.portrait;
  const paths = new Map<string, string>();
  for (const { personId, path } of portraits) if (path !== null && isTmdbPath(path)) paths.set(personId, path);
  const known = await sql<{ personId: string; path: string }[]>`
    select person_id as "personId", location as path from picture
    where person_id = any(${[...paths.keys()]}::uuid[]) and role = 'portrait' and source = 'tmdb'`;
  for (const { personId, path } of known) if (paths.get(personId) === path) paths.delete(personId);
  if (paths.size === 0) return;
  // In one order for all who write, so that none waits for another in a circle.
  const rows = [...paths].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const personIds = rows.map(([personId]) => personId);
  const write = async (tx: TransactionSql): Promise<void> => {
    await tx`select id from person where id = any(${personIds}::uuid[]) order by id for no key update`;
    await tx`delete from picture where person_id = any(${personIds}::uuid[]) and role = 'portrait' and source = 'tmdb'`;
    await tx`
      insert into picture (person_id, role, source, location, version, width, height)
      select o.id, 'portrait', 'tmdb', o.path, o.version, ${widthPx}, ${heightPx}
      from unnest(${personIds}::uuid[], ${rows.map(([, path]) => path)}::text[],
        ${rows.map(([, path]) => versionOf('portrait', path))}::text[]) as o (id, path, version)
      where exists (select from person where id = o.id)
      on conflict do nothing`;
  };
  await ('begin' in sql ? sql.begin(write) : write(sql));
}

/** See `PictureStore.offerPaths`. Most are known: one look, and a write only for those that are new. */
export async function offerPaths(
  sql: Sql | TransactionSql,
  sizes: RemoteSizes,
  paths: readonly string[],
  role: PictureRole,
): Promise<Map<string, NonNullable<Picture>>> {
  const wanted = [...new Set(paths.filter(isTmdbPath))];
  if (wanted.length === 0) return new Map();
  type Row = StoredPicture & { readonly location: string; readonly failure: string | null };
  const columns = sql`id, version, width, height, placeholder, location, failure`;
  const look = (among: readonly string[]) => sql<Row[]>`
    select ${columns} from picture
    where coalesce(owner_id, '00000000-0000-0000-0000-000000000000') = '00000000-0000-0000-0000-000000000000'
      and owner_id is null and role = ${role} and source = 'tmdb' and location = any(${[...among]}::text[])`;
  const known: Row[] = [...(await look(wanted))];
  const seen = new Set(known.map(({ location }) => location));
  const novel = wanted.filter((path) => !seen.has(path));
  if (novel.length > 0) {
    const offers = novel.map((path) => ({ path, widthPx: null, heightPx: null, language: null, vote: null }));
    const rows = offers.flatMap((offer) => toRows(role, [offer], sizes));
    await sql`
      insert into picture (role, source, location, version, width, height)
      select ${role}, 'tmdb', o.location, o.version, o.width, o.height
      from jsonb_to_recordset(${sql.json(rows as never)}) as o (location text, version text, width integer, height integer)
      on conflict do nothing`;
    known.push(...(await look(novel)));
  }
  return new Map(known.filter(({ failure }) => failure === null).map((row) => [row.location, toPicture(row)!]));
}

const conflictKey = (sql: Sql | TransactionSql) => sql`
  coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), role, source, location,
  coalesce(library_id, '00000000-0000-0000-0000-000000000000')`;
