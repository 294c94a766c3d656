/**
 * `npm run score -- matching FIXTURES.json`: which movies of a catalogue are found by names that people give to files.
 *
 * FIXTURES.json holds `movies` (and `collections`) in TMDB's shapes; a stand-in serves them and the real client asks it. Each movie's
 * name is disturbed in every way below, and looked for twice: once as it is, and once in a catalogue that lacks it, where
 * whatever is taken for certain is wrong. `right`: found for certain, or for `absent` nothing is. `missing`: left to a
 * person, who would find it among the candidates (`asked`) or not (`lost`). `wrong`: something else was taken for certain.
 */
import { systemClock } from '#engine/base/clock.ts';
import { createLog } from '#engine/base/log.ts';
import { Secret } from '#engine/base/secret.ts';
import { findMovie } from '#engine/metadata/movie-finder.ts';
import type { Found } from '#engine/metadata/movie-finder.ts';
import { TmdbClient } from '#engine/metadata/tmdb/tmdb-client.ts';
import type { MatchClue } from '#engine/media/movie-match.ts';
import type { StandInMovie } from '#test/support/tmdb-movies.ts';
import { TmdbStandIn } from '#test/support/tmdb-stand-in.ts';
import { readFileSync } from 'node:fs';
import { Tally } from './score-row.ts';
import type { ScoreRow } from './score-row.ts';

const LANGUAGES = { language: 'en-US', fallback: null };

export async function scoreMatching(file: string): Promise<ScoreRow[]> {
  const { movies } = JSON.parse(readFileSync(file, 'utf8')) as { movies: StandInMovie[] };
  await using standIn = await TmdbStandIn.open({ file });
  using client = openClient(standIn);
  const tally = new Tally('matching');
  let asked = 0;
  for (const movie of movies) {
    for (const { key, clue } of disturbed(movie)) {
      const found = await findMovie(client, clue, [], [], LANGUAGES, { urgency: 'bulk' });
      asked += report(tally, { key, movie, clue, found }) ? 1 : 0;
      standIn.forget(movie.id);
      const absent = await findMovie(client, clue, [], [], LANGUAGES, { urgency: 'bulk' });
      standIn.remember(movie.id);
      const taken = takenOf(absent);
      tally.count(`absent: ${key}`, taken === null ? 'right' : 'wrong');
      if (taken !== null) {
        console.error(`absent, ${key}: ${nameOf(clue)} was taken for ${taken.title} (${taken.year ?? '?'})`);
      }
    }
  }
  console.error(`${asked} that were left to a person have the right one first`);
  return tally.rows();
}

function openClient(standIn: TmdbStandIn): TmdbClient {
  const client = new TmdbClient({
    baseUrl: standIn.url,
    clock: systemClock,
    log: createLog({ level: 'warn', write: (line) => process.stderr.write(line) }),
    // What is kept would hide that a movie was taken out.
    replies: { read: () => Promise.resolve(null), write: () => Promise.resolve(), prune: () => Promise.resolve() },
    timing: { maxPerSecond: 100_000 },
  });
  client.setKey(new Secret('0123456789abcdef0123456789abcdef'));
  return client;
}

const nameOf = ({ title, year }: MatchClue): string => `${title} (${year ?? 'no year'})`;

const takenOf = (found: Found) =>
  found.kind === 'byId' ? found.option : found.verdict.state === 'matched' ? found.verdict.ranked[0]!.option : null;

/** Counts one; true where a person is asked and sees the right one first. */
function report(
  tally: Tally,
  { key, movie, clue, found }: { key: string; movie: StandInMovie; clue: MatchClue; found: Found },
): boolean {
  const taken = takenOf(found);
  if (taken !== null) {
    tally.count(key, taken.tmdbId === movie.id ? 'right' : 'wrong');
    if (taken.tmdbId !== movie.id) {
      console.error(`${key}: ${nameOf(clue)} was taken for ${taken.title} (${taken.year ?? '?'})`);
    }
    return false;
  }
  tally.count(key, 'missing');
  const first = found.kind === 'judged' ? found.verdict.ranked[0] : undefined;
  const isFirst = first?.option.tmdbId === movie.id;
  const said = first === undefined ? 'nothing' : `${first.option.title} ${first.score} ${first.reasons.join(' ')}`;
  console.error(
    `${key}: ${nameOf(clue)} is left to a person (${found.kind === 'judged' ? found.verdict.state : ''}, ${said})`,
  );
  return isFirst;
}

/** The same movie under names that files have. */
export function disturbed(movie: StandInMovie): { key: string; clue: MatchClue }[] {
  const title = movie.title;
  const year = movie.release_date === '' ? null : Number(movie.release_date.slice(0, 4));
  const durationMs = movie.runtime === null ? null : movie.runtime * 60_000 - 20_000;
  const names: Record<string, string> = {
    exact: title,
    'no marks': title.normalize('NFKD').replace(/[\u0300-\u036f]/g, ''),
    'no punctuation': title.replace(/[^\p{L}\p{N}]+/gu, ' ').trim(),
    'lower case': title.toLowerCase(),
    'article behind': title.replace(/^(The|A|An|Der|Die|Das|Le|La) (.+)$/u, '$2, $1'),
    'no article': title.replace(/^(The|A|An|Der|Die|Das|Le|La) (?=.)/u, ''),
    'and for &': title.includes('&') ? title.replaceAll('&', 'and') : title.replace(/ and /iu, ' & '),
    'other numerals': swapNumerals(title),
    'no subtitle': title.split(/: | - /u)[0]!,
    'typo: two letters swapped': typo(
      title,
      (word, at) => word.slice(0, at) + word[at + 1]! + word[at]! + word.slice(at + 2),
    ),
    'typo: a letter missing': typo(title, (word, at) => word.slice(0, at) + word.slice(at + 1)),
    'typo: a letter doubled': typo(title, (word, at) => word.slice(0, at) + word[at]! + word.slice(at)),
    'original title': movie.original_title,
    'alternative title': movie.alternative_titles.titles[0]?.title ?? title,
    'words in another order': title.includes(', ') ? title : title.split(' ').reverse().join(' '),
  };
  const clues = Object.entries(names)
    .filter(([key, name]) => key === 'exact' || name !== title)
    .map(([key, name]) => ({ key, clue: { title: name === '' ? title : name, year, durationMs } }));
  const exact = { title, year, durationMs };
  return [
    ...clues,
    { key: 'year after', clue: { ...exact, year: year === null ? null : year + 1 } },
    { key: 'year before', clue: { ...exact, year: year === null ? null : year - 1 } },
    { key: 'year far off', clue: { ...exact, year: year === null ? null : year - 13 } },
    { key: 'no year', clue: { ...exact, year: null } },
    { key: 'no year, no length', clue: { title, year: null, durationMs: null } },
    { key: 'no length', clue: { ...exact, durationMs: null } },
    { key: 'another length', clue: { ...exact, durationMs: (durationMs ?? 0) + 2 * 3_600_000 } },
  ];
}

const ROMAN = ['', 'I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X'];

function swapNumerals(title: string): string {
  return title.replace(/(?<= )([2-9]|I{2,3}|IV|VI{0,3}|IX)(?=$|:| )/gu, (found) =>
    /\d/u.test(found) ? ROMAN[Number(found)]! : String(ROMAN.indexOf(found)),
  );
}

/** A mistake in the middle of the longest word. */
function typo(title: string, make: (word: string, at: number) => string): string {
  const words = title.split(' ');
  const longest = words.toSorted((a, b) => b.length - a.length)[0]!;
  if (longest.length < 4) return title;
  return words.map((word) => (word === longest ? make(word, word.length >> 1) : word)).join(' ');
}
