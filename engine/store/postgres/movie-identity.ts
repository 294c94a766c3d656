/**
 * Which movie a movie is: found, said by a person, made one with another, taken apart. Everything runs under the lock of all
 * movies, as a scan does, so that no file moves between two of them at once.
 *
 * - [ONE1] Two movies of ours are never the same one of the catalogue: who comes later gives its files to who was there.
 * - [ONE2] What people did goes along: of two places in one movie the one observed last counts, watched stays watched, of two choices of tracks the later one counts, and tags, lists, locked fields and chosen pictures are joined.
 * - [ONE3] The id of a movie that gave its files away leads to the one that has them.
 * - [ONE4] What a person took apart, no machine makes one again.
 * - [ONE5] Taking apart takes nothing away: what people did is in both.
 */
import type { Identity } from '#engine/metadata/ports.ts';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { LOCKED_TERMS, collectionChange, forgetFacts } from './forgotten-facts.ts';
import { moveTrackChoices } from './preference-store.ts';
import { lockMovies, refreshMovies } from './scan-store.ts';

/** See `MetadataStore.identify`. */
export async function identify(
  sql: Sql,
  movieId: string,
  identity: Identity,
): Promise<{ movieId: string } | 'apart' | null> {
  return sql.begin(async (tx) => {
    await lockMovies(tx);
    const [movie] = await tx<{ match: string; tmdbId: number | null }[]>`
      select match, tmdb_id as "tmdbId" from movie where id = ${movieId} and merged_into is null for no key update`;
    if (!movie) return null;
    const isPerson = identity.state === 'confirmed';
    if (movie.match === 'confirmed' && !isPerson) return { movieId };
    const [holder] =
      identity.tmdbId === null
        ? []
        : await tx<{ id: string; isConfirmed: boolean }[]>`
            select id, match = 'confirmed' as "isConfirmed" from movie where tmdb_id = ${identity.tmdbId} and id <> ${movieId}`;
    if (!holder) {
      await write(tx, movieId, identity);
      await refreshMovies(tx, new Set([movieId]));
      return { movieId };
    }
    if (!isPerson && (await isApart(tx, movieId, holder.id))) return 'apart';
    const changes = await join(tx, holder.id, [movieId]);
    if (isPerson || !holder.isConfirmed) await write(tx, holder.id, identity);
    await refreshMovies(tx, new Set([holder.id, movieId]), changes);
    return { movieId: holder.id };
  });
}

async function write(tx: TransactionSql, movieId: string, identity: Identity): Promise<void> {
  const { tmdbId, imdbId, state, score, reasons } = identity;
  await tx`
    update movie set match = ${state}, match_score = ${score}, match_reasons = ${[...reasons]}, matched_at = now(),
      refreshed_at = case when tmdb_id is not distinct from ${tmdbId}::int then refreshed_at end,
      imdb_id = case when tmdb_id is not distinct from ${tmdbId}::int then coalesce(${imdbId}, imdb_id) else ${imdbId} end,
      tmdb_id = ${tmdbId}
    where id = ${movieId}`;
  await tx`delete from match_candidate where movie_id = ${movieId}`;
}

const pair = (a: string, b: string): [string, string] => (a < b ? [a, b] : [b, a]);

async function isApart(tx: TransactionSql, a: string, b: string): Promise<boolean> {
  const [first, second] = pair(a, b);
  const rows = await tx`select from movie_apart where movie_id = ${first} and other_id = ${second}`;
  return rows.length > 0;
}

/** See `MetadataStore.merge`. */
export async function merge(sql: Sql, movieIds: readonly string[]): Promise<boolean> {
  return sql.begin(async (tx) => {
    await lockMovies(tx);
    const [winner, ...others] = [...new Set(movieIds)];
    const rows = await tx`
      select from movie where id = any(${[...new Set(movieIds)]}::uuid[]) and merged_into is null and deleted_at is null`;
    if (winner === undefined || rows.length !== others.length + 1) return false;
    // The one that is known to the catalogue says what they are, unless the first one is itself.
    const [known] = await tx<{ id: string }[]>`
      select id from movie where id = any(${others}::uuid[]) and tmdb_id is not null
        and not exists (select from movie w where w.id = ${winner} and (w.tmdb_id is not null or w.match = 'confirmed'))
      order by match = 'confirmed' desc, array_position(${others}::uuid[], id) limit 1`;
    if (known) await takeIdentity(tx, winner, known.id);
    const changes = await join(tx, winner, others);
    await refreshMovies(tx, new Set([winner, ...others]), changes);
    return true;
  });
}

/** The number in the catalogue goes from one to the other, which is looked up anew. */
async function takeIdentity(tx: TransactionSql, to: string, from: string): Promise<void> {
  const [row] = await tx<{ tmdbId: number; imdbId: string | null; match: string }[]>`
    select tmdb_id as "tmdbId", imdb_id as "imdbId", match from movie where id = ${from}`;
  await tx`update movie set tmdb_id = null where id = ${from}`;
  await tx`
    update movie set tmdb_id = ${row!.tmdbId}, imdb_id = ${row!.imdbId}, match = ${row!.match}, refreshed_at = null
    where id = ${to}`;
}

/** All files of `others`, and what people did there, go to `winner`. Returns the changes of others than movies. */
async function join(tx: TransactionSql, winner: string, others: readonly string[]): Promise<NewChange[]> {
  const ids = [...others];
  await tx`update movie_file set movie_id = ${winner} where movie_id = any(${ids}::uuid[])`;
  const watchers = await tx<{ userId: string }[]>`
    with moved as (delete from progress where movie_id = any(${ids}::uuid[]) returning *),
    latest as (
      select distinct on (user_id) user_id, position_ms, duration_ms, observed_at, updated_at,
        bool_or(is_watched) over (partition by user_id) as is_watched,
        max(watch_count) over (partition by user_id) as watch_count
      from moved order by user_id, observed_at desc, position_ms desc)
    insert into progress as p (user_id, movie_id, position_ms, duration_ms, is_watched, watch_count, observed_at, updated_at)
    select user_id, ${winner}::uuid, position_ms, duration_ms, is_watched, watch_count, observed_at, updated_at from latest
    on conflict (user_id, movie_id) do update set
      position_ms = case when (excluded.observed_at, excluded.position_ms) > (p.observed_at, p.position_ms) then excluded.position_ms else p.position_ms end,
      duration_ms = case when (excluded.observed_at, excluded.position_ms) > (p.observed_at, p.position_ms) then excluded.duration_ms else p.duration_ms end,
      is_watched = p.is_watched or excluded.is_watched,
      watch_count = greatest(p.watch_count, excluded.watch_count),
      observed_at = greatest(p.observed_at, excluded.observed_at),
      updated_at = greatest(p.updated_at, excluded.updated_at)
    returning user_id as "userId"`;
  await moveTrackChoices(tx, ids, winner);
  await tx`
    insert into movie_term (movie_id, term_id, position)
    select ${winner}::uuid, mt.term_id, min(mt.position) from movie_term mt join term t on t.id = mt.term_id and t.kind = 'tag'
    where mt.movie_id = any(${ids}::uuid[]) group by mt.term_id
    on conflict do nothing`;
  const lists = await tx<{ id: string }[]>`
    insert into collection_movie (collection_id, movie_id, position)
    select cm.collection_id, ${winner}::uuid, min(cm.position)
    from collection_movie cm join collection c on c.id = cm.collection_id and c.kind = 'manual'
    where cm.movie_id = any(${ids}::uuid[]) group by cm.collection_id
    on conflict (collection_id, movie_id) do update set position = collection_movie.position
    returning collection_id as id`;
  for (const other of ids) await takeLocked(tx, winner, other);
  await takeChosenPictures(tx, winner, ids);
  const left = await tx<{ id: string }[]>`
    delete from collection_movie where movie_id = any(${ids}::uuid[]) returning collection_id as id`;
  await tx`update collection set poster_movie_id = ${winner} where poster_movie_id = any(${ids}::uuid[])`;
  await tx`delete from match_candidate where movie_id = any(${[winner, ...ids]}::uuid[])`;
  await tx`delete from movie_apart where movie_id = any(${ids}::uuid[]) and other_id = ${winner} or other_id = any(${ids}::uuid[]) and movie_id = ${winner}`;
  await tx`update movie set merged_into = ${winner} where merged_into = any(${ids}::uuid[])`;
  await tx`
    update movie set merged_into = ${winner}, tmdb_id = null, match = 'unmatched'
    where id = any(${ids}::uuid[])`;
  await tx`
    update movie w set added_at = least(w.added_at, (select min(o.added_at) from movie o where o.id = any(${ids}::uuid[])))
    where w.id = ${winner}`;
  return [
    ...watchers.map(({ userId }): NewChange => ({
      feed: 'progress',
      audience: userId,
      kind: 'progress',
      entityId: winner,
    })),
    ...[...new Set([...lists, ...left].map(({ id }) => id))].map(collectionChange),
  ];
}

/** Fields that are one value, by the name under which they are locked. */
const LOCKED_COLUMNS: Readonly<Record<string, string>> = {
  title: 'title',
  originalTitle: 'original_title',
  sortTitle: 'custom_sort_title',
  year: 'year',
  releaseDate: 'release_date',
  tagline: 'tagline',
  overview: 'overview',
  certification: 'certification',
  rating: 'rating',
};

/** What a person set in one and nobody in the other is theirs in the other too [ONE2]. */
async function takeLocked(tx: TransactionSql, to: string, from: string): Promise<void> {
  const [row] = await tx<{ mine: string[]; theirs: string[] }[]>`
    select w.locked_fields as mine, o.locked_fields as theirs from movie w, movie o where w.id = ${to} and o.id = ${from}`;
  if (!row) return;
  const fields = row.theirs.filter(
    (field) => !row.mine.includes(field) && (field in LOCKED_COLUMNS || field in LOCKED_TERMS),
  );
  if (fields.length === 0) return;
  for (const field of fields) {
    const column = LOCKED_COLUMNS[field];
    const kind = LOCKED_TERMS[field];
    if (column !== undefined) {
      await tx`update movie w set ${tx(column)} = o.${tx(column)} from movie o where w.id = ${to} and o.id = ${from}`;
    }
    if (kind === undefined) continue;
    await tx`delete from movie_term mt using term t where t.id = mt.term_id and mt.movie_id = ${to} and t.kind = ${kind}`;
    await tx`
      insert into movie_term (movie_id, term_id, position)
      select ${to}::uuid, mt.term_id, mt.position from movie_term mt join term t on t.id = mt.term_id
      where mt.movie_id = ${from} and t.kind = ${kind}`;
  }
  await tx`update movie set locked_fields = ${[...row.mine, ...fields]} where id = ${to}`;
}

/** A picture that a person chose in one, where nobody chose another for the winner, is shown [ONE2]. A copy: a picture keeps its owner. */
async function takeChosenPictures(tx: TransactionSql, winner: string, ids: readonly string[]): Promise<void> {
  const wanted = tx`
    select distinct on (role) * from picture o
    where o.owner_id = any(${[...ids]}::uuid[]) and o.is_chosen and o.failure is null
      and not exists (select from picture w where w.owner_id = ${winner} and w.role = o.role and w.is_chosen)
    order by role, array_position(${[...ids]}::uuid[], o.owner_id)`;
  await tx`
    insert into picture (movie_id, role, source, location, library_id, version, width, height, placeholder, language, vote, position)
    select ${winner}::uuid, role, source, location, library_id, version, width, height, placeholder, language, vote, position
    from (${wanted}) chosen
    on conflict do nothing`;
  await tx`
    update picture w set is_chosen = true from (${wanted}) chosen
    where w.owner_id = ${winner} and w.role = chosen.role and w.source = chosen.source and w.location = chosen.location
      and w.library_id is not distinct from chosen.library_id`;
}

/** See `MetadataStore.split`. */
export async function split(
  sql: Sql,
  newId: () => string,
  movieId: string,
  fileIds: readonly string[],
  nameOf: (path: string) => { readonly title: string; readonly year: number | null },
): Promise<{ movieId: string } | 'nothingLeft' | null> {
  return sql.begin(async (tx) => {
    await lockMovies(tx);
    const [movie] = await tx`select from movie where id = ${movieId} and deleted_at is null for no key update`;
    if (!movie) return null;
    const files = await tx<{ id: string; path: string; isChosen: boolean }[]>`
      select f.id, f.path, f.id = any(${[...fileIds]}::uuid[]) as "isChosen" from movie_file f
      where f.movie_id = ${movieId} and f.state <> 'missing'
      order by (f.extra_kind is null) desc, (f.state = 'playable') desc, f.resolution desc nulls last, f.path`;
    const chosen = files.filter((file) => file.isChosen);
    if (chosen.length === 0 || chosen.length !== new Set(fileIds).size) return null;
    if (chosen.length === files.length) return 'nothingLeft';
    const { title, year } = nameOf(chosen[0]!.path);
    const id = newId();
    await tx`
      insert into movie (id, title, year, file_title, file_year, match) values (${id}, ${title}, ${year}, ${title}, ${year}, 'waiting')`;
    await tx`update movie_file set movie_id = ${id} where id = any(${chosen.map((file) => file.id)}::uuid[])`;
    const watchers = await tx<{ userId: string }[]>`
      insert into progress (user_id, movie_id, position_ms, duration_ms, is_watched, watch_count, observed_at, updated_at)
      select user_id, ${id}::uuid, position_ms, duration_ms, is_watched, watch_count, observed_at, updated_at
      from progress where movie_id = ${movieId}
      returning user_id as "userId"`;
    await tx`
      insert into track_choice (user_id, movie_id, audio, subtitle, updated_at)
      select user_id, ${id}::uuid, audio, subtitle, updated_at from track_choice where movie_id = ${movieId}`;
    await tx`
      insert into movie_term (movie_id, term_id, position)
      select ${id}::uuid, mt.term_id, mt.position from movie_term mt join term t on t.id = mt.term_id and t.kind = 'tag'
      where mt.movie_id = ${movieId}`;
    const lists = await tx<{ id: string }[]>`
      insert into collection_movie (collection_id, movie_id, position)
      select cm.collection_id, ${id}::uuid, cm.position from collection_movie cm
      join collection c on c.id = cm.collection_id and c.kind = 'manual' where cm.movie_id = ${movieId}
      returning collection_id as id`;
    const [first, second] = pair(movieId, id);
    await tx`insert into movie_apart (movie_id, other_id) values (${first}, ${second})`;
    await refreshMovies(tx, new Set([movieId, id]), [
      ...watchers.map(({ userId }): NewChange => ({
        feed: 'progress',
        audience: userId,
        kind: 'progress',
        entityId: id,
      })),
      ...lists.map((list) => collectionChange(list.id)),
    ]);
    return { movieId: id };
  });
}

/** See `MetadataStore.unmatch`. */
export async function unmatch(sql: Sql, movieId: string): Promise<boolean> {
  return sql.begin(async (tx) => {
    await lockMovies(tx);
    const { count } = await tx`
      update movie set match = 'confirmed', match_score = null, match_reasons = '{chosenByPerson}', matched_at = now(), tmdb_id = null
      where id = ${movieId} and deleted_at is null`;
    if (count === 0) return false;
    await tx`delete from match_candidate where movie_id = ${movieId}`;
    const changes = await forgetFacts(tx, movieId);
    await recordChanges(tx, [{ feed: 'library', audience: null, kind: 'movie', entityId: movieId }, ...changes]);
    return true;
  });
}
