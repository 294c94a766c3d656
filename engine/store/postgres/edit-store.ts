/**
 * Edits of people, in Postgres. What a field was is noted before anything is changed and what it is afterwards, by the same
 * statement, so that an edit can be taken back field by field where nobody has changed it since. Rules EDIT1 to EDIT8 of
 * engine/catalogue/SPEC.md.
 *
 * An edit of many movies takes the lock of all movies first: a scan that writes the same rows in another order would wait for
 * it and it for the scan. It writes by one statement for each field, so 5,000 movies hold up a scan for about a second.
 */
import type {
  EditOutcome,
  EditStore,
  MovieChanges,
  TermChange,
  TermKind,
  UndoOutcome,
} from '#engine/catalogue/ports.ts';
import type { MovieField } from '#protocol/schema/movie.ts';
import type { PictureRole } from '#protocol/schema/picture.ts';
import type postgres from 'postgres';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { choosePicture } from './picture-store.ts';
import { lockMovies } from './scan-store.ts';

type Fragment = postgres.PendingQuery<postgres.Row[]>;

/** Columns of fields that are one value, with how they are read from JSON text. */
const COLUMNS = {
  title: ['title', 'text'],
  originalTitle: ['original_title', 'text'],
  sortTitle: ['custom_sort_title', 'text'],
  year: ['year', 'integer'],
  releaseDate: ['release_date', 'date'],
  tagline: ['tagline', 'text'],
  overview: ['overview', 'text'],
  certification: ['certification', 'text'],
} as const;
type ValueField = keyof typeof COLUMNS;
const VALUE_FIELDS = Object.keys(COLUMNS) as ValueField[];

const KIND_BY_TERM_FIELD = {
  genres: 'genre',
  keywords: 'keyword',
  studios: 'studio',
  countries: 'country',
  tags: 'tag',
} as const satisfies Record<string, TermKind>;
type TermField = keyof typeof KIND_BY_TERM_FIELD;
const TERM_FIELDS = Object.keys(KIND_BY_TERM_FIELD) as TermField[];

/** How long an edit can be taken back. */
const KEPT_DAYS = 90;

export function createEditStore(sql: Sql, { newId }: { readonly newId: () => string }): EditStore {
  return {
    edit: (userId, movieIds, changes) => sql.begin((tx) => edit(tx, newId(), userId, movieIds, changes)),
    undo: (editId) => sql.begin((tx) => undo(tx, editId)),
  };
}

async function edit(
  tx: TransactionSql,
  editId: string,
  userId: string,
  movieIds: readonly string[],
  changes: MovieChanges,
): Promise<EditOutcome> {
  if (movieIds.length > 1 || changes.addToCollection !== undefined || changes.removeFromCollection !== undefined) {
    await lockMovies(tx);
  }
  const rows = await tx<{ id: string }[]>`
    select id from movie where id = any(${[...movieIds]}::uuid[]) and deleted_at is null order by id for no key update`;
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return { kind: 'notFound', what: 'movie' };
  const collections = [changes.addToCollection, changes.removeFromCollection].filter((id) => id !== undefined);
  for (const collectionId of collections) {
    const [found] =
      await tx`select id from collection where id = ${collectionId} and kind = 'manual' for no key update`;
    if (!found) return { kind: 'notFound', what: 'collection' };
  }
  const { picture } = changes;
  const fields = fieldsOf(changes);
  if (fields.length === 0) return { kind: 'done', editId: null, changed: 0 };

  await tx`insert into edit (id, user_id) values (${editId}, ${userId})`;
  await note(tx, editId, ids, fields);
  await writeMovies(tx, ids, changes);
  for (const field of TERM_FIELDS) {
    const change = changes.terms?.[field];
    if (change) await writeTerms(tx, ids, KIND_BY_TERM_FIELD[field], change);
  }
  if (changes.addToCollection !== undefined) await addTo(tx, changes.addToCollection, movieIds);
  if (changes.removeFromCollection !== undefined) {
    await tx`
      delete from collection_movie where collection_id = ${changes.removeFromCollection} and movie_id = any(${ids}::uuid[])`;
  }
  if (picture && !(await choosePicture(tx, ids[0]!, picture.role, picture.pictureId))) {
    await tx`delete from edit where id = ${editId}`;
    return { kind: 'notFound', what: 'picture' };
  }

  await tx`
    update edit_change c set after = now_is.value from (${valuesOf(tx, ids, fields)}) now_is
    where c.edit_id = ${editId} and c.movie_id = now_is.movie_id and c.field = now_is.field`;
  await tx`delete from edit_change where edit_id = ${editId} and before is not distinct from after`;
  const changed = await tx<{ id: string }[]>`select distinct movie_id as id from edit_change where edit_id = ${editId}`;
  if (changed.length === 0) await tx`delete from edit where id = ${editId}`;
  await tx`delete from edit where made_at < now() - ${KEPT_DAYS} * interval '1 day'`;
  await record(
    tx,
    changed.map(({ id }) => id),
    collections,
  );
  return { kind: 'done', editId: changed.length === 0 ? null : editId, changed: changed.length };
}

async function undo(tx: TransactionSql, editId: string): Promise<UndoOutcome> {
  await lockMovies(tx);
  const [found] = await tx<{ isUndone: boolean }[]>`
    select undone_at is not null as "isUndone" from edit where id = ${editId} for update`;
  if (!found) return { kind: 'notFound' };
  if (found.isUndone) return { kind: 'alreadyUndone' };
  const rows = await tx<{ id: string }[]>`
    select id from movie where id in (select movie_id from edit_change where edit_id = ${editId})
    order by id for no key update`;
  const ids = rows.map(({ id }) => id);
  const named = await tx<{ field: string }[]>`select distinct field from edit_change where edit_id = ${editId}`;
  const fields = named.map(({ field }) => field);

  // What is still as the edit left it goes back; everything else is somebody’s later word.
  const same =
    ids.length === 0
      ? []
      : await tx<{ movieId: string; field: string; before: unknown }[]>`
    select c.movie_id as "movieId", c.field, c.before from edit_change c
    join (${valuesOf(tx, ids, fields)}) now_is on now_is.movie_id = c.movie_id and now_is.field = c.field
    where c.edit_id = ${editId} and c.after is not distinct from now_is.value
    order by c.movie_id`;
  const collections = new Set<string>();
  for (const [field, group] of Map.groupBy(same, (row) => row.field)) {
    const collectionId = await putBack(tx, field, group);
    if (collectionId !== null) collections.add(collectionId);
  }
  await tx`update edit set undone_at = now() where id = ${editId}`;
  const [all] = await tx<{ count: number }[]>`select count(*) as count from edit_change where edit_id = ${editId}`;
  const changed = [...new Set(same.map(({ movieId }) => movieId))];
  await record(tx, changed, [...collections]);
  return { kind: 'done', changed: changed.length, kept: (all?.count ?? 0) - same.length };
}

/** Names of everything that these changes may change. */
function fieldsOf(changes: MovieChanges): string[] {
  const { values = {}, terms = {}, lock = [], unlock = [], addToCollection, removeFromCollection, picture } = changes;
  return [
    ...VALUE_FIELDS.filter((field) => values[field] !== undefined),
    ...TERM_FIELDS.filter((field) => terms[field] !== undefined),
    ...new Set([...lock, ...unlock].map((field) => `lock/${field}`)),
    ...(changes.isHidden === undefined ? [] : ['isHidden']),
    ...new Set([addToCollection, removeFromCollection].flatMap((id) => (id === undefined ? [] : [`collection/${id}`]))),
    ...(picture ? [`picture/${picture.role}`] : []),
  ];
}

/** The value that a field has now, as JSON, of the row `m`. */
function valueOf(tx: TransactionSql, field: string): Fragment {
  const [kind = '', name = ''] = field.split('/');
  if (kind === 'lock') return tx`to_jsonb(${name} = any(m.locked_fields))`;
  if (kind === 'isHidden') return tx`to_jsonb(m.hidden_at is not null)`;
  if (kind === 'collection') {
    return tx`to_jsonb(exists (select from collection_movie o where o.collection_id = ${name}::uuid and o.movie_id = m.id))`;
  }
  if (kind === 'picture') {
    return tx`(select to_jsonb(p.id) from picture p where p.owner_id = m.id and p.role = ${name} and p.is_chosen)`;
  }
  if (isOneOf(VALUE_FIELDS, kind)) return tx`to_jsonb(m.${tx(COLUMNS[kind][0])})`;
  if (isOneOf(TERM_FIELDS, kind)) {
    return tx`(
      select coalesce(jsonb_agg(t.name order by o.position, t.id), '[]') from movie_term o join term t on t.id = o.term_id
      where o.movie_id = m.id and t.kind = ${KIND_BY_TERM_FIELD[kind]})`;
  }
  throw new Error(`there is no field ${field} of a movie`);
}

/** Rows of movie, field and value. */
function valuesOf(tx: TransactionSql, ids: readonly string[], fields: readonly string[]): Fragment {
  return fields
    .map(
      (field) => tx`
        select m.id as movie_id, ${field}::text as field, ${valueOf(tx, field)} as value from movie m
        where m.id = any(${[...ids]}::uuid[])`,
    )
    .reduce((all, one) => tx`${all} union all ${one}`);
}

async function note(
  tx: TransactionSql,
  editId: string,
  ids: readonly string[],
  fields: readonly string[],
): Promise<void> {
  if (fields.length === 0) return;
  await tx`
    insert into edit_change (edit_id, movie_id, field, before)
    select ${editId}, movie_id, field, value from (${valuesOf(tx, ids, fields)}) was`;
}

/** One statement for all that stands in the row itself: each would write every row, and most of its indexes, anew. */
async function writeMovies(tx: TransactionSql, ids: readonly string[], changes: MovieChanges): Promise<void> {
  const { values = {}, lock = [], unlock = [], isHidden } = changes;
  const set: Fragment[] = VALUE_FIELDS.flatMap((field) => {
    const value = values[field];
    return value === undefined ? [] : [tx`${tx(COLUMNS[field][0])} = ${value}`];
  });
  if (lock.length + unlock.length > 0) set.push(tx`locked_fields = ${lockedBy(tx, lock, unlock)}`);
  if (isHidden !== undefined) set.push(tx`hidden_at = case when ${isHidden} then coalesce(hidden_at, now()) end`);
  if (set.length === 0) return;
  await tx`
    update movie set ${set.reduce((all, one) => tx`${all}, ${one}`)} where id = any(${[...ids]}::uuid[])`;
}

const lockedBy = (tx: TransactionSql, lock: readonly MovieField[], unlock: readonly MovieField[]): Fragment => tx`array(
  select distinct field from unnest(locked_fields || ${[...lock]}::text[]) field
  where field <> all(${unlock.filter((field) => !lock.includes(field))}::text[]) order by field)`;

async function writeLocks(
  tx: TransactionSql,
  ids: readonly string[],
  lock: readonly MovieField[],
  unlock: readonly MovieField[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx`update movie set locked_fields = ${lockedBy(tx, lock, unlock)} where id = any(${[...ids]}::uuid[])`;
}

/** Terms by these names, made where they are new. */
async function makeTerms(tx: TransactionSql, kind: TermKind, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await tx`
    insert into term (kind, name) select distinct on (fold_text(name)) ${kind}, name from unnest(${[...names]}::text[]) name
    on conflict (kind, name_key) do nothing`;
}

async function writeTerms(
  tx: TransactionSql,
  ids: readonly string[],
  kind: TermKind,
  { set, add = [], remove = [] }: TermChange,
): Promise<void> {
  const given = set ?? add;
  await makeTerms(tx, kind, given);
  if (set !== undefined || remove.length > 0) {
    const gone =
      set === undefined
        ? tx`t.name_key in (select fold_text(name) from unnest(${[...remove]}::text[]) name)`
        : tx`true`;
    await tx`
      delete from movie_term o using term t
      where t.id = o.term_id and t.kind = ${kind} and o.movie_id = any(${[...ids]}::uuid[]) and ${gone}`;
  }
  if (given.length === 0) return;
  // What is added stands behind what is there.
  await tx`
    insert into movie_term (movie_id, term_id, position)
    select m.id, t.id, given.place + coalesce((select max(o.position) from movie_term o join term x on x.id = o.term_id
      where o.movie_id = m.id and x.kind = ${kind}), -1)
    from unnest(${[...ids]}::uuid[]) m(id)
    cross join (
      select fold_text(name) as name_key, min(place)::int as place from unnest(${[...given]}::text[]) with ordinality as n(name, place)
      group by 1) given
    join term t on t.kind = ${kind} and t.name_key = given.name_key
    on conflict (movie_id, term_id) do nothing`;
}

/** Behind what is in it already, in the order given. */
export async function addTo(tx: TransactionSql, collectionId: string, movieIds: readonly string[]): Promise<void> {
  await tx`
    insert into collection_movie (collection_id, movie_id, position)
    select ${collectionId}, m.id, given.place + coalesce((select max(position) from collection_movie where collection_id = ${collectionId}), -1)
    from unnest(${[...movieIds]}::uuid[]) with ordinality as given(id, place) join movie m on m.id = given.id
    where m.deleted_at is null
    on conflict (collection_id, movie_id) do nothing`;
}

type Before = readonly { readonly movieId: string; readonly before: unknown }[];

/** Gives these movies back what they had; the collection that is concerned, if one is. */
async function putBack(tx: TransactionSql, field: string, rows: Before): Promise<string | null> {
  const ids = rows.map(({ movieId }) => movieId);
  const [kind = '', name = ''] = field.split('/');
  const those = (wanted: boolean): string[] =>
    rows.flatMap(({ movieId, before }) => (before === wanted ? [movieId] : []));
  if (kind === 'lock') {
    await writeLocks(tx, those(true), [name as MovieField], []);
    await writeLocks(tx, those(false), [], [name as MovieField]);
  } else if (kind === 'isHidden') {
    await tx`update movie set hidden_at = now() where id = any(${those(true)}::uuid[])`;
    await tx`update movie set hidden_at = null where id = any(${those(false)}::uuid[])`;
  } else if (kind === 'collection') {
    const [found] = await tx`select id from collection where id = ${name} and kind = 'manual'`;
    if (!found) return null;
    await addTo(tx, name, those(true));
    await tx`delete from collection_movie where collection_id = ${name} and movie_id = any(${those(false)}::uuid[])`;
    return name;
  } else if (kind === 'picture') {
    for (const { movieId, before } of rows) {
      await choosePicture(tx, movieId, name as PictureRole, before as string | null);
    }
  } else if (isOneOf(VALUE_FIELDS, kind)) {
    const [column, type] = COLUMNS[kind];
    const values = rows.map(({ before }) => (before === null ? null : String(before as string | number)));
    await tx`
      update movie m set ${tx(column)} = ${type === 'integer' ? tx`was.value::integer` : type === 'date' ? tx`was.value::date` : tx`was.value`}
      from unnest(${ids}::uuid[], ${values}::text[]) was(id, value) where m.id = was.id`;
  } else if (isOneOf(TERM_FIELDS, kind)) {
    const term = KIND_BY_TERM_FIELD[kind];
    const pairs = rows.flatMap(({ movieId, before }) =>
      (before as string[]).map((text, place) => ({ movieId, text, place })),
    );
    await writeTerms(tx, ids, term, { set: [] });
    await makeTerms(
      tx,
      term,
      pairs.map(({ text }) => text),
    );
    await tx`
      insert into movie_term (movie_id, term_id, position)
      select was.id, t.id, was.place
      from unnest(${pairs.map(({ movieId }) => movieId)}::uuid[], ${pairs.map(({ text }) => text)}::text[],
        ${pairs.map(({ place }) => place)}::int[]) was(id, name, place)
      join term t on t.kind = ${term} and t.name_key = fold_text(was.name)
      on conflict (movie_id, term_id) do nothing`;
  }
  return null;
}

async function record(
  tx: TransactionSql,
  movieIds: readonly string[],
  collectionIds: readonly string[],
): Promise<void> {
  if (movieIds.length === 0) return;
  const change = { feed: 'library', audience: null };
  await recordChanges(tx, [
    ...movieIds.map((entityId): NewChange => ({ ...change, kind: 'movie', entityId })),
    ...[...new Set(collectionIds)].map((entityId): NewChange => ({ ...change, kind: 'collection', entityId })),
  ]);
}

const isOneOf = <T extends string>(set: readonly T[], value: string): value is T =>
  (set as readonly string[]).includes(value);
