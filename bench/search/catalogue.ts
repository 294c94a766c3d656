/** A catalogue as large as wished, always the same for one seed: titles and names with the few words that are everywhere and the many that are rare. */
import { createUuidFactory } from '#engine/base/ids.ts';
import { systemClock } from '#engine/base/clock.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';

export interface MadeCatalogue {
  readonly titles: readonly string[];
  readonly names: readonly string[];
  readonly movieIds: readonly string[];
}

const COMMON =
  'the of a and in to man love night my on for life day girl dead last world house black woman time one death is from blue me story big war with city white boy little red king you ' +
  'dark at no secret return american heart killer two dream blood it lost christmas family home road game star road space summer water fire good bad wild moon sun street island escape ' +
  'paris london angel devil ghost monster legend hero journey stranger mother father brother sister daughter son doctor detective mystery murder the the the of of a a in and';
const ONSETS =
  'b bl br c ch cl cr d dr f fl fr g gl gr h j k kl kr l m n p ph pl pr qu r s sc sh sk sl sm sn sp st str t th tr v w z'.split(
    ' ',
  );
const VOWELS = 'a e i o u ai au ea ee ei ia ie io oa oo ou ue y á é ö ø'.split(' ');
const CODAS = ['', '', '', 'l', 'm', 'n', 'r', 's', 't', 'x', 'ck', 'ld', 'nd', 'ng', 'rd', 'rt', 'st', 'th'];
const KANJI = '東京物語千尋神隠山海空風花火人生世界夜明星雪月影森城戦国姫愛涙夢道';
const CYRILLIC = 'аеиоубвгдзклмнпрст';

export function randomFrom(seed: number): () => number {
  // mulberry32 by Tommy Ettinger: small, and good enough to draw words with.
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function makeWords(random: () => number, count: number): string[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const words = new Set<string>();
  while (words.size < count) {
    const syllables = 1 + Math.floor(random() * 2.6);
    words.add(Array.from({ length: syllables }, () => pick(ONSETS) + pick(VOWELS) + pick(CODAS)).join(''));
  }
  return [...words];
}

const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

function makeTitle(random: () => number, rare: readonly string[], common: readonly string[]): string {
  const kind = random();
  const run = (letters: string, length: number): string =>
    Array.from({ length }, () => letters[Math.floor(random() * letters.length)]!).join('');
  if (kind < 0.03) return run(KANJI, 2 + Math.floor(random() * 5));
  if (kind < 0.045) return capital(run(CYRILLIC, 4 + Math.floor(random() * 5)));
  const length = 1 + Math.floor(random() * random() * 6);
  const words = Array.from({ length }, () => {
    // Zipf: the first of the rare words is drawn hundreds of times, the last hardly ever.
    const isCommon = random() < 0.45 && length > 1;
    return isCommon ? common[Math.floor(random() * common.length)]! : rare[Math.floor(rare.length * random() ** 3)]!;
  });
  const sequel = random() < 0.07 ? ` ${random() < 0.5 ? 'II' : String(2 + Math.floor(random() * 3))}` : '';
  return words.map(capital).join(' ') + sequel;
}

export function makeNames(
  random: () => number,
  size: { readonly movies: number; readonly people: number },
): { readonly titles: string[]; readonly names: string[] } {
  const rare = makeWords(random, 40_000);
  const common = COMMON.split(' ');
  const given = makeWords(random, 2_500).map(capital);
  const family = makeWords(random, 60_000).map(capital);
  const drawn = (list: readonly string[]): string => list[Math.floor(list.length * random() ** 2)]!;
  return {
    titles: Array.from({ length: size.movies }, () => makeTitle(random, rare, common)),
    names: Array.from({ length: size.people }, () => `${drawn(given)} ${drawn(family)}`),
  };
}

/** Fills an empty database. */
export async function fillCatalogue(
  sql: Sql,
  size: { readonly movies: number; readonly people: number; readonly creditsPerMovie: number },
): Promise<MadeCatalogue> {
  const random = randomFrom(1);
  const newId = createUuidFactory(systemClock);
  const { titles, names } = makeNames(random, size);
  const movieIds = titles.map(() => newId());
  const personIds = names.map(() => newId());
  const slices = <T>(list: readonly T[], length: number): T[][] =>
    Array.from({ length: Math.ceil(list.length / length) }, (_, at) => list.slice(at * length, (at + 1) * length));
  for (const ids of slices(movieIds, 5_000)) {
    const from = movieIds.indexOf(ids[0]!);
    await sql`
      insert into movie (id, title, original_title, year, vote_count, popularity, match, is_playable)
      select *, 'matched', true from unnest(${ids}::uuid[], ${titles.slice(from, from + ids.length)}::text[],
        ${ids.map((_, at) => (random() < 0.1 ? titles[(from + at * 7) % titles.length]! : null))}::text[],
        ${ids.map(() => 1930 + Math.floor(random() * 95))}::int[], ${ids.map(() => Math.floor(20_000 * random() ** 4))}::int[],
        ${ids.map(() => 300 * random() ** 5)}::real[])`;
  }
  for (const ids of slices(personIds, 10_000)) {
    const from = personIds.indexOf(ids[0]!);
    await sql`
      insert into person (id, name, known_for, popularity)
      select id, name, 'Acting', popularity from unnest(${ids}::uuid[], ${names.slice(from, from + ids.length)}::text[],
        ${ids.map(() => 80 * random() ** 5)}::real[]) t(id, name, popularity)`;
  }
  for (const ids of slices(movieIds, 2_000)) {
    const movies = ids.flatMap((id) => Array.from({ length: size.creditsPerMovie }, () => id));
    const people = movies.map(() => personIds[Math.floor(personIds.length * random() ** 2)]!);
    await sql`
      insert into credit (movie_id, person_id, kind, position)
      select m, p, 'cast', 0 from unnest(${movies}::uuid[], ${people}::uuid[]) t(m, p) on conflict do nothing`;
  }
  await sql`analyze movie, person, credit`;
  return { titles, names, movieIds };
}

/** What people type into such a catalogue, by kind: the beginnings of titles, letter by letter, and everything else. */
export function makeQueries(
  { titles, names }: MadeCatalogue,
  each: number,
): Readonly<Record<string, readonly string[]>> {
  const random = randomFrom(2);
  const pick = (list: readonly string[], fits: (text: string) => boolean): string => {
    for (;;) {
      const found = list[Math.floor(random() * list.length)]!;
      if (fits(found)) return found;
    }
  };
  const isLatin = (text: string): boolean => /^[a-z]/i.test(text);
  const many = (make: () => string): string[] => Array.from({ length: each }, make);
  const swap = (text: string): string => {
    const at = 1 + Math.floor(random() * (text.length - 2));
    return text.slice(0, at) + text[at + 1]! + text[at]! + text.slice(at + 2);
  };
  return {
    '1 letter': many(() => pick(titles, isLatin).slice(0, 1).toLowerCase()),
    '2 letters': many(() => pick(titles, isLatin).slice(0, 2).toLowerCase()),
    '3 to 6 letters': many(() =>
      pick(titles, isLatin)
        .slice(0, 3 + Math.floor(random() * 4))
        .toLowerCase(),
    ),
    'several words': many(() => {
      const title = pick(titles, (text) => text.split(' ').length > 2).toLowerCase();
      return title.slice(0, Math.max(6, Math.floor(title.length * (0.5 + random() / 2))));
    }),
    'a typing error': many(() => swap(pick(titles, (text) => isLatin(text) && text.length > 6).toLowerCase())),
    people: many(() => {
      const name = pick(names, () => true).toLowerCase();
      return name.slice(0, Math.max(4, Math.floor(name.length * (0.5 + random() / 2))));
    }),
    'Chinese and Japanese': many(() =>
      pick(titles, (text) => !/^[\p{Script=Latin}\p{Script=Cyrillic}]/u.test(text)).slice(0, 2),
    ),
    nothing: many(() => `${pick(titles, isLatin).slice(0, 3)}qxzvj`),
  };
}
