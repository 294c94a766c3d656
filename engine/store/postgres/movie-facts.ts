/**
 * Writes what a catalogue or an NFO says of a movie: in one transaction, together with its pictures and the change feed, and never
 * into a field that a person locked. Doing it again changes nothing.
 *
 * Terms, people and series are shared by movies, so two transactions may want the same rows: they are written in order of their
 * keys, and only where something differs.
 */
import type { CreditFact, MovieFacts, SeriesFact, TermFact } from '#engine/metadata/ports.ts';
import type { MovieField } from '#protocol/schema/movie.ts';
import { recordChanges } from './change-feed.ts';
import type { NewChange } from './change-feed.ts';
import type { Sql, TransactionSql } from './connect.ts';
import { offerPictures, offerPortraits } from './picture-offers.ts';
import type { RemoteSizes } from './picture-offers.ts';

export interface FactWriterOptions {
  readonly newId: () => string;
  readonly sizes: RemoteSizes;
}

type TermKind = 'genre' | 'keyword' | 'studio' | 'country';
const KIND_BY_FIELD = { genres: 'genre', keywords: 'keyword', studios: 'studio', countries: 'country' } as const;

/** Facts that are one value, with their columns and the fields by which people lock them. */
const COLUMNS: readonly (readonly [fact: keyof MovieFacts, column: string, lock: MovieField | null])[] = [
  ['title', 'title', 'title'],
  ['originalTitle', 'original_title', 'originalTitle'],
  ['originalLanguage', 'original_language', null],
  ['sortTitle', 'custom_sort_title', 'sortTitle'],
  ['year', 'year', 'year'],
  ['releaseDate', 'release_date', 'releaseDate'],
  ['runtimeMinutes', 'runtime_minutes', null],
  ['tagline', 'tagline', 'tagline'],
  ['overview', 'overview', 'overview'],
  ['certification', 'certification', 'certification'],
  ['rating', 'rating', 'rating'],
  ['voteCount', 'vote_count', 'rating'],
  ['popularity', 'popularity', null],
  ['status', 'status', null],
  ['trailerUrl', 'trailer_url', null],
  ['imdbId', 'imdb_id', null],
];

/** See `MetadataStore.writeFacts`. */
export async function writeFacts(
  sql: Sql,
  options: FactWriterOptions,
  movieId: string,
  tmdbId: number | null,
  facts: MovieFacts,
  isRefreshed: boolean,
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const [movie] = await tx<{ locked: MovieField[]; tmdbId: number | null }[]>`
      select locked_fields as locked, tmdb_id as "tmdbId" from movie where id = ${movieId} for no key update`;
    if (!movie || movie.tmdbId !== tmdbId) return false;
    const isFree = (field: MovieField | null): boolean => field === null || !movie.locked.includes(field);

    const values = COLUMNS.filter(([fact, , lock]) => facts[fact] !== undefined && isFree(lock));
    if (values.length > 0) {
      const row = Object.fromEntries(values.map(([fact, column]) => [column, facts[fact] ?? null]));
      await tx`update movie set ${tx(row as Record<string, string | number | null>)} where id = ${movieId}`;
    }
    for (const [field, kind] of Object.entries(KIND_BY_FIELD) as [keyof typeof KIND_BY_FIELD, TermKind][]) {
      const terms = facts[field];
      if (terms !== undefined && isFree(field)) await writeTerms(tx, movieId, kind, terms);
    }
    const people =
      facts.credits !== undefined && isFree('credits') ? await writeCredits(tx, options, movieId, facts.credits) : [];
    await writeLists(tx, movieId, facts);
    const series = facts.series === undefined ? null : await writeSeries(tx, options, movieId, facts.series);

    const { sizes } = options;
    for (const role of ['poster', 'backdrop', 'logo'] as const) {
      const offers = facts.pictures?.[role];
      if (offers !== undefined) await offerPictures(tx, sizes, { kind: 'movie', id: movieId }, role, offers);
    }
    if (series?.id && facts.series) {
      const { posterPath, backdropPath } = facts.series;
      const owner = { kind: 'collection', id: series.id } as const;
      if (posterPath !== null) await offerPictures(tx, sizes, owner, 'poster', [offerOf(posterPath)]);
      if (backdropPath !== null) await offerPictures(tx, sizes, owner, 'backdrop', [offerOf(backdropPath)]);
    }
    await offerPortraits(
      tx,
      sizes,
      people.map(({ id, portraitPath }) => ({ personId: id, path: portraitPath })),
    );
    if (isRefreshed) await tx`update movie set refreshed_at = now() where id = ${movieId}`;
    await recordChanges(tx, [
      change('movie', movieId),
      ...(series?.changed ?? []).map((collectionId) => change('collection', collectionId)),
    ]);
    return true;
  });
}

const change = (kind: string, entityId: string): NewChange => ({ feed: 'library', audience: null, kind, entityId });

const offerOf = (path: string) => ({ path, widthPx: null, heightPx: null, language: null, vote: null });

async function writeTerms(
  tx: TransactionSql,
  movieId: string,
  kind: TermKind,
  terms: readonly TermFact[],
): Promise<void> {
  const names = terms.map(({ name }) => name);
  const keys = terms.map(({ tmdbKey }) => tmdbKey);
  if (names.length > 0) {
    await tx`
      insert into term (kind, name, tmdb_key)
      select distinct on (fold_text(t.name)) ${kind}, t.name, t.key
      from unnest(${names}::text[], ${keys}::text[]) t(name, key)
      where not exists (select from term known where known.kind = ${kind} and known.name_key = fold_text(t.name))
      order by fold_text(t.name)
      on conflict (kind, name_key) do nothing`;
  }
  await tx`
    with wanted as (
      select k.id as term_id, min(t.place)::int - 1 as position
      from unnest(${names}::text[]) with ordinality t(name, place)
      join term k on k.kind = ${kind} and k.name_key = fold_text(t.name)
      group by k.id),
    gone as (
      delete from movie_term mt using term k
      where mt.movie_id = ${movieId} and k.id = mt.term_id and k.kind = ${kind}
        and mt.term_id not in (select term_id from wanted))
    insert into movie_term (movie_id, term_id, position)
    select ${movieId}::uuid, term_id, position from wanted
    on conflict (movie_id, term_id) do update set position = excluded.position
    where movie_term.position <> excluded.position`;
}

async function writeCredits(
  tx: TransactionSql,
  { newId }: FactWriterOptions,
  movieId: string,
  credits: readonly CreditFact[],
): Promise<{ id: string; portraitPath: string | null }[]> {
  // Numbers tell people apart where there are some, else names do.
  const keyOf = ({ person }: CreditFact): string =>
    person.tmdbId === null ? `name ${person.name}` : `id ${person.tmdbId}`;
  const people = new Map(credits.map((credit) => [keyOf(credit), credit.person]));
  const numbered = [...people.values()]
    .filter(({ tmdbId }) => tmdbId !== null)
    .toSorted((a, b) => a.tmdbId! - b.tmdbId!)
    .map((person) => ({
      id: newId(),
      name: person.name,
      tmdb_id: person.tmdbId,
      known_for: person.knownFor,
      popularity: person.popularity,
    }));
  const named = [...people.values()].filter(({ tmdbId }) => tmdbId === null).map(({ name }) => ({ id: newId(), name }));
  await tx`
    insert into person as p (id, name, tmdb_id, known_for, popularity)
    select id, name, tmdb_id, known_for, popularity
    from jsonb_to_recordset(${tx.json(numbered)}) as g(id uuid, name text, tmdb_id int, known_for text, popularity real)
    order by tmdb_id
    on conflict (tmdb_id) do update set name = excluded.name, known_for = coalesce(excluded.known_for, p.known_for),
      popularity = coalesce(excluded.popularity, p.popularity)
    where (p.name, p.known_for, p.popularity) is distinct from
      (excluded.name, coalesce(excluded.known_for, p.known_for), coalesce(excluded.popularity, p.popularity))`;
  const rows = [
    // By themselves: what another transaction wrote meanwhile is not seen by the statement that ran into it.
    ...(await tx<{ id: string; key: string }[]>`
      select id, 'id ' || tmdb_id as key from person where tmdb_id = any(${numbered.map((person) => person.tmdb_id)}::int[])`),
    ...(await tx<{ id: string; key: string }[]>`
      with given as (select * from jsonb_to_recordset(${tx.json(named)}) as g(id uuid, name text)),
      known as (
        select distinct on (g.name) p.id, g.name from given g join person p on p.tmdb_id is null and p.name = g.name order by g.name, p.id),
      made as (
        insert into person (id, name) select id, name from given where name not in (select name from known) returning id, name)
      select id, 'name ' || name as key from known union all select id, 'name ' || name from made`),
  ];
  const idByKey = new Map(rows.map(({ id, key }) => [key, id]));
  const written = new Map<string, Record<string, unknown>>();
  for (const [position, credit] of credits.entries()) {
    const personId = idByKey.get(keyOf(credit));
    const key = `${credit.kind} ${personId ?? ''} ${credit.role}`;
    if (personId === undefined || written.has(key)) continue;
    const { kind, role, department } = credit;
    written.set(key, { person_id: personId, kind, role, department, position });
  }
  await tx`delete from credit where movie_id = ${movieId}`;
  await tx`
    insert into credit (movie_id, person_id, kind, role, department, position)
    select ${movieId}::uuid, person_id, kind, role, department, position
    from jsonb_to_recordset(${tx.json([...written.values()] as never)})
      as c(person_id uuid, kind text, role text, department text, position int)`;
  return [...people].flatMap(([key, { portraitPath }]) => {
    const id = idByKey.get(key);
    return id === undefined ? [] : [{ id, portraitPath }];
  });
}

async function writeLists(tx: TransactionSql, movieId: string, facts: MovieFacts): Promise<void> {
  const { ratings, releaseDates, similar, alternativeTitles } = facts;
  if (ratings !== undefined) {
    await tx`delete from movie_rating where movie_id = ${movieId}`;
    await tx`
      insert into movie_rating (movie_id, source, value, votes)
      select ${movieId}::uuid, source, value, votes
      from jsonb_to_recordset(${tx.json(ratings)}) as r(source text, value real, votes int)
      on conflict do nothing`;
  }
  if (releaseDates !== undefined) {
    await tx`delete from release_date where movie_id = ${movieId}`;
    await tx`
      insert into release_date (movie_id, country, kind, date, certification)
      select ${movieId}::uuid, country, kind, date, max(certification)
      from jsonb_to_recordset(${tx.json(releaseDates)}) as r(country text, kind smallint, date date, certification text)
      group by country, kind, date`;
  }
  if (similar !== undefined) {
    await tx`delete from similar_movie where movie_id = ${movieId}`;
    await tx`
      insert into similar_movie (movie_id, tmdb_id, position)
      select ${movieId}::uuid, id, place from unnest(${[...similar]}::int[]) with ordinality s(id, place)
      on conflict do nothing`;
  }
  if (alternativeTitles !== undefined) {
    await tx`delete from alternative_title where movie_id = ${movieId}`;
    await tx`
      insert into alternative_title (movie_id, title, country)
      select ${movieId}::uuid, title, country
      from jsonb_to_recordset(${tx.json(alternativeTitles)}) as a(title text, country text)
      on conflict do nothing`;
  }
}

/** Returns the series and every collection whose content changed. */
async function writeSeries(
  tx: TransactionSql,
  { newId }: FactWriterOptions,
  movieId: string,
  series: SeriesFact | null,
): Promise<{ id: string | null; changed: string[] } | null> {
  const left = await tx<{ id: string }[]>`
    delete from collection_movie cm using collection c
    where cm.movie_id = ${movieId} and c.id = cm.collection_id and c.kind = 'series'
      and c.tmdb_id is distinct from ${series?.tmdbId ?? null}
    returning c.id`;
  const changed = left.map(({ id }) => id);
  if (series === null) return { id: null, changed };
  const [row] = await tx<{ id: string }[]>`
    insert into collection as c (id, kind, name, overview, tmdb_id, refreshed_at)
    values (${newId()}, 'series', ${series.name}, ${series.overview}, ${series.tmdbId}, now())
    on conflict (tmdb_id) do update set name = excluded.name, overview = coalesce(excluded.overview, c.overview), refreshed_at = now()
    returning id`;
  const id = row!.id;
  if (series.parts !== null) {
    const parts = series.parts.map((part, position) => ({
      tmdb_id: part.tmdbId,
      title: part.title,
      release_date: part.releaseDate,
      poster_path: part.posterPath,
      position,
    }));
    const given = tx`
      jsonb_to_recordset(${tx.json(parts)})
        as p(tmdb_id int, title text, release_date date, poster_path text, position int)`;
    await tx`
      delete from collection_part where collection_id = ${id} and tmdb_id <> all(${parts.map((part) => part.tmdb_id)}::int[])`;
    await tx`
      insert into collection_part (collection_id, tmdb_id, title, release_date, poster_path, position)
      select distinct on (tmdb_id) ${id}::uuid, tmdb_id, title, release_date, poster_path, position from ${given} order by tmdb_id, position
      on conflict (collection_id, tmdb_id) do update set title = excluded.title, release_date = excluded.release_date,
        poster_path = excluded.poster_path, position = excluded.position`;
  }
  // All parts that are here, in the order of the series; the movie itself also where TMDB forgot it among the parts.
  await tx`
    insert into collection_movie (collection_id, movie_id, position)
    select ${id}::uuid, m.id, coalesce(p.position, 1000)
    from movie m left join collection_part p on p.collection_id = ${id} and p.tmdb_id = m.tmdb_id
    where m.id = ${movieId} or p.tmdb_id is not null
    on conflict (collection_id, movie_id) do update set position = excluded.position`;
  return { id, changed: [...changed, id] };
}
