/**
 * A catalogue of movies that never were, with the skew of a real one: few genres on most movies, many keywords on few, most movies young,
 * most in one language. The same seed makes the same catalogue. Written by COPY, with the tables that browsing reads.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';

export interface GeneratedCatalogue {
  readonly userId: string;
  readonly libraryIds: readonly string[];
  readonly movieIds: readonly string[];
  /** Numbers of the first terms of each kind, the most frequent first. */
  readonly termIds: Readonly<Record<string, readonly number[]>>;
  readonly personIds: readonly string[];
}

const TERM_COUNTS = { genre: 20, keyword: 20_000, studio: 12_000, country: 70, tag: 150 } as const;
const LANGUAGES = [
  'en',
  'fr',
  'ja',
  'es',
  'de',
  'it',
  'ko',
  'zh',
  'hi',
  'ru',
  'pt',
  'sv',
  'da',
  'pl',
  'tr',
  'nl',
  'fi',
  'no',
  'cs',
  'hu',
];
const CERTIFICATIONS = ['R', 'PG-13', 'PG', 'NR', 'G', 'NC-17', '12', '16', '18', '6', '0'];
const WORDS =
  'night of the last king dead love house city man woman girl dark blue red return secret lost river blood moon star war story life death heart fire water road black white summer winter street dream world time game hunter ghost island mountain stranger child mother father brother king queen killer paradise shadow silence'.split(
    ' ',
  );

/** Mulberry32: small, fast, and always the same. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export async function generateCatalogue(sql: Sql, count: number, seed = 1): Promise<GeneratedCatalogue> {
  const random = seededRandom(seed);
  const newId = createUuidFactory(systemClock);
  /** Small numbers far more often than large ones. */
  const skewed = (size: number, exponent = 2.2): number => Math.floor(size * random() ** exponent);
  const pick = <T>(values: readonly T[], exponent?: number): T => values[skewed(values.length, exponent)]!;
  const pickSome = (size: number, most: number, exponent: number): number[] => [
    ...new Set(Array.from({ length: 1 + Math.floor(random() * most) }, () => skewed(size, exponent))),
  ];

  const userId = newId();
  await sql`insert into app_user (id, name, role, password_hash) values (${userId}, 'bench', 'admin', '')`;
  const libraryIds = [newId(), newId(), newId()];
  for (const [index, id] of libraryIds.entries()) {
    await sql`insert into library (id, name, path) values (${id}, ${`Library ${index}`}, ${`/bench/${index}`})`;
  }
  const termIds: Record<string, number[]> = {};
  for (const [kind, size] of Object.entries(TERM_COUNTS)) {
    const rows = await sql<{ id: number }[]>`
      insert into term (kind, name) select ${kind}, ${kind} || ' ' || n from generate_series(1, ${size}::int) n returning id`;
    termIds[kind] = rows.map(({ id }) => id);
  }
  const personIds = Array.from({ length: Math.round(count * 0.6) }, newId);
  await copy(sql, 'person (id, name)', personIds, (id, index) => [id, `Person ${index}`]);

  const movieIds = Array.from({ length: count }, newId);
  const now = Date.now();
  await copy(
    sql,
    `movie (id, title, year, match, duration_ms, resolution, hdr, is_playable, library_ids, added_at, tmdb_id, original_language,
      release_date, rating, vote_count, certification, audio_languages, video_codec, overview)`,
    movieIds,
    (id, index) => {
      const year = random() < 0.02 ? null : 2026 - skewed(100, 2.5);
      const isKnown = random() < 0.93;
      const language = pick(LANGUAGES, 3);
      const resolution = pick([1080, 2160, 720, 480, 576], 1.6);
      const title = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(WORDS, 1.2)).join(' ');
      return [
        id,
        `${random() < 0.3 ? 'The ' : ''}${title} ${index % 7 === 0 ? '' : (index % 900) + 1}`.trim(),
        year,
        isKnown ? 'matched' : 'unmatched',
        Math.round((60 + random() * 90) * 60_000),
        resolution,
        resolution === 2160 && random() < 0.7 ? pick(['hdr10', 'dolbyVision', 'hdr10plus', 'hlg'], 2) : null,
        't',
        `{${random() < 0.8 ? libraryIds[0]! : libraryIds[1 + skewed(2)]!}}`,
        new Date(now - Math.floor(random() * 4 * 365) * 86_400_000 - index).toISOString(),
        isKnown ? index + 1 : null,
        isKnown ? language : null,
        isKnown && year !== null ? `${year}-${1 + Math.floor(random() * 12)}-${1 + Math.floor(random() * 28)}` : null,
        isKnown ? Math.round((3 + random() * 3 + random() * 3) * 10) / 10 : null,
        isKnown ? skewed(20_000, 5) : null,
        isKnown && random() < 0.8 ? pick(CERTIFICATIONS, 1.8) : null,
        `{${[...new Set([language, ...(random() < 0.4 ? ['en'] : []), ...(random() < 0.2 ? ['de'] : [])])].join(',')}}`,
        pick(['h264', 'hevc', 'av1', 'mpeg4', 'vc1', 'mpeg2video'], 1.8),
        'An overview of some length, as they are: what happens to whom, and a little of why it should be seen by anybody.',
      ];
    },
  );
  await copy(sql, 'movie_term (movie_id, term_id, position)', movieIds, function* (id) {
    if (random() > 0.93) return;
    let position = 0;
    const rows = (kind: keyof typeof TERM_COUNTS, most: number, exponent: number) =>
      pickSome(TERM_COUNTS[kind], most, exponent).map((index) => [id, termIds[kind]![index]!, position++]);
    yield* rows('genre', 4, 1.6);
    yield* rows('keyword', 14, 3);
    yield* rows('studio', 4, 4);
    yield* rows('country', 2, 4);
    if (random() < 0.1) yield* rows('tag', 2, 2);
  });
  await copy(sql, 'credit (movie_id, person_id, kind, role, position)', movieIds, function* (id) {
    const people = pickSome(personIds.length, 10, 1.8);
    for (const [position, index] of people.entries()) {
      yield [id, personIds[index]!, position === 0 ? 'crew' : 'cast', position === 0 ? 'Director' : '', position];
    }
  });
  const watched = movieIds.filter(() => random() < 0.03);
  await copy(sql, 'progress (user_id, movie_id, position_ms, duration_ms, is_watched, observed_at)', watched, (id) => [
    userId,
    id,
    0,
    6_000_000,
    't',
    new Date(now - Math.floor(random() * 4e10)).toISOString(),
  ]);
  await sql.unsafe('analyze');
  return { userId, libraryIds, movieIds, termIds, personIds };
}

type Cell = string | number | null;

/** Writes the rows that `toRows` makes of each item: one, or several. */
async function copy<T>(
  sql: Sql,
  target: string,
  items: readonly T[],
  toRows: (item: T, index: number) => readonly Cell[] | Iterable<readonly Cell[]>,
): Promise<void> {
  const stream: Writable = await sql.unsafe(`copy ${target} from stdin`).writable();
  const done = finished(stream);
  // Told at the end, wherever it happened.
  done.catch(() => undefined);
  const line = (row: readonly Cell[]): string => `${row.map((cell) => cell ?? '\\N').join('\t')}\n`;
  let text = '';
  for (const [index, item] of items.entries()) {
    const rows = toRows(item, index);
    if (Array.isArray(rows)) text += line(rows as readonly Cell[]);
    else for (const row of rows as Iterable<readonly Cell[]>) text += line(row);
    if (text.length < 1 << 16) continue;
    if (!stream.write(text)) await Promise.race([once(stream, 'drain'), done]);
    text = '';
  }
  stream.end(text);
  await done;
}
