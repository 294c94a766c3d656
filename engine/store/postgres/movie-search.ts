/**
 * Finding movies by their titles [CAT6]. First what holds every word, by `like` on the trigram index; only where that is nothing,
 * what shares enough trigrams is fetched and judged by its typing errors: trigrams alone find “alein” no nearer to
 * “Alien” (0.33) than to many other titles.
 */
import type postgres from 'postgres';
import type { Sql } from './connect.ts';
import { typingErrors } from './search-terms.ts';
import type { SearchTerm } from './search-terms.ts';

export type Fragment = postgres.PendingQuery<postgres.Row[]>;

export interface MovieSearch {
  readonly typed: readonly SearchTerm[];
  /** Conditions beside the text, on the alias `m`. */
  readonly among: Fragment;
  /** Columns of the alias `m`; `null`: the nearest first. */
  readonly order: Fragment | null;
  readonly offset: number;
  readonly limit: number;
}

export interface FoundMovies {
  readonly total: number;
  /** Of the window, in order. */
  readonly ids: readonly string[];
}

/** “pyscho” and “psycho” share this much; below it everything is alike. */
const SIMILARITY_THRESHOLD = 0.25;
const MAX_ALIKE = 300;

interface Words {
  /** Folded, in the order of the terms. */
  readonly texts: readonly string[];
  readonly whole: string;
  readonly key: string;
}

export async function searchMovies(sql: Sql, search: MovieSearch): Promise<FoundMovies> {
  const words = await fold(sql, search.typed);
  const exact = await findExact(sql, search, words);
  return exact.total > 0 ? exact : findAlike(sql, search, words);
}

/** Folded once and not for each row: Postgres evaluates a function of a parameter anew wherever it stands. */
async function fold(sql: Sql, typed: readonly SearchTerm[]): Promise<Words> {
  const [row] = await sql<{ texts: string[]; key: string }[]>`
    select array(
        select fold_text(word) from unnest(${typed.map(({ text }) => text)}::text[]) with ordinality t(word, place) order by place
      ) as texts, name_key(${typed.map(({ text }) => text).join(' ')}) as key`;
  const texts = row?.texts ?? [];
  return { texts, whole: texts.join(' '), key: row?.key ?? '' };
}

async function findExact(
  sql: Sql,
  { typed, among, order, offset, limit }: MovieSearch,
  words: Words,
): Promise<FoundMovies> {
  const { texts, whole, key } = words;
  const holds = texts
    .map((text, index) =>
      typed[index]?.place === 'wordStart'
        ? sql`(m.search_text like ${`${text}%`} or m.search_text like ${`% ${text}%`})`
        : sql`m.search_text like ${`%${text}%`}`,
    )
    .reduce((left, right) => sql`${left} and ${right}`);
  const nearest = sql`
    (m.name_key = ${key}) desc, (m.search_text like ${`${whole}%`} or m.sort_title like ${`${whole}%`}) desc,
    (m.search_text like ${`% ${whole}%`}) desc, m.sort_title, m.id`;
  const rows = await sql<{ id: string; total: number }[]>`
    select m.id, count(*) over () as total from movie m where ${holds} and ${among}
    order by ${order ?? nearest} limit ${limit} offset ${offset}`;
  const [first] = rows;
  if (first || offset === 0) return { total: first?.total ?? 0, ids: rows.map(({ id }) => id) };
  // The window lies behind the last one: the size is asked for by itself.
  const [hits] = await sql<{ count: number }[]>`select count(*) as count from movie m where ${holds} and ${among}`;
  return { total: hits?.count ?? 0, ids: [] };
}

async function findAlike(
  sql: Sql,
  { among, order, offset, limit }: MovieSearch,
  { texts, whole }: Words,
): Promise<FoundMovies> {
  const like = texts
    .map((text) => (text.length < 4 ? sql`m.search_text like ${`%${text}%`}` : sql`m.search_text %> ${text}`))
    .reduce((left, right) => sql`${left} and ${right}`);
  const likeness = texts
    .map((text) => sql`word_similarity(${text}, m.search_text)`)
    .reduce((left, right) => sql`${left} + ${right}`);
  const rows = await sql.begin('read only', async (tx) => {
    await tx`select set_config('pg_trgm.word_similarity_threshold', ${String(SIMILARITY_THRESHOLD)}, true)`;
    return tx<{ id: string; text: string; nearness: number }[]>`
      with near as materialized (
        select m.id, m.search_text as text, ${likeness} as likeness from movie m where ${like} and ${among}
        order by likeness desc, m.id limit ${MAX_ALIKE})
      select id, text, likeness + similarity(${whole}, text) as nearness from near`;
  });
  const found = rows
    .map(({ id, text, nearness }) => ({ id, nearness, errors: typingErrors(texts, text) }))
    .filter((row): row is { id: string; nearness: number; errors: number } => row.errors !== null)
    .toSorted((a, b) => a.errors - b.errors || b.nearness - a.nearness || (a.id < b.id ? -1 : 1));
  const ids = found.map(({ id }) => id);
  if (order === null || ids.length === 0) return { total: ids.length, ids: ids.slice(offset, offset + limit) };
  const window = await sql<{ id: string }[]>`
    select m.id from movie m where m.id = any(${ids}::uuid[]) order by ${order} limit ${limit} offset ${offset}`;
  return { total: ids.length, ids: window.map(({ id }) => id) };
}
