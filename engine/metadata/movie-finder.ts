/**
 * Finds a movie in the catalogue: an exact id where one is known, else searches, from the most telling to the vaguest, until one
 * answer is beyond doubt. Names in other languages and lengths are asked for only where they could decide. Holds no state.
 */
import { judgeMatch } from '#engine/media/movie-match.ts';
import type { MatchClue, MatchOption, MatchVerdict, RankedOption } from '#engine/media/movie-match.ts';
import { titleKey, titleWords } from '#engine/media/title-likeness.ts';
import type { MatchReason } from '#protocol/schema/match.ts';
import type { DetailsReply, ShortMovie } from './tmdb/reply.ts';
import type { AskOptions, Languages } from './tmdb/tmdb-client.ts';

/** The part of the TMDB client that finding needs. */
export interface MovieSource {
  search(query: string, year: number | null, languages: Languages, ask: AskOptions): Promise<ShortMovie[]>;
  findByImdb(imdbId: string, languages: Languages, ask: AskOptions): Promise<ShortMovie | null>;
  brief(tmdbId: number, languages: Languages, ask: AskOptions): Promise<DetailsReply | null>;
}

export interface IdHint {
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly reason: Extract<MatchReason, 'idInName' | 'idInNfo' | 'idFromRadarr'>;
}

export interface FinderOption extends MatchOption, Pick<ShortMovie, 'overview' | 'posterPath'> {}

export type Found =
  | {
      readonly kind: 'byId';
      readonly option: FinderOption;
      readonly imdbId: string | null;
      readonly reason: IdHint['reason'];
    }
  | { readonly kind: 'judged'; readonly verdict: MatchVerdict<FinderOption> };

/** Searches for one movie, at most. */
const MAX_SEARCHES = 7;
/** Candidates whose other names and length are asked for. */
const MAX_BRIEFS = 4;
const MAX_OPTIONS = 60;

export async function findMovie(
  source: MovieSource,
  clue: MatchClue,
  hints: readonly IdHint[],
  /** Movies that a person said it is not. */
  except: readonly number[],
  languages: Languages,
  ask: AskOptions,
): Promise<Found> {
  for (const hint of hints) {
    const found = await byId(source, hint, languages, ask);
    if (found?.kind === 'byId' && !except.includes(found.option.tmdbId)) return found;
  }
  const options = new Map<number, FinderOption>();
  let verdict = judgeMatch<FinderOption>(clue, []);
  for (const { query, year } of searchesFor(clue)) {
    const known = options.size;
    for (const movie of await source.search(query, year, languages, ask)) {
      if (options.size < MAX_OPTIONS && !options.has(movie.tmdbId) && !except.includes(movie.tmdbId)) {
        options.set(movie.tmdbId, { ...movie, otherTitles: null });
      }
    }
    if (options.size === known) continue;
    verdict = judgeMatch(clue, [...options.values()]);
    if (verdict.state !== 'matched') verdict = await askCloser(source, clue, verdict, options, languages, ask);
    else if (needsLength(verdict.ranked)) verdict = await askCloser(source, clue, verdict, options, languages, ask);
    if (verdict.state === 'matched') break;
  }
  return { kind: 'judged', verdict };
}

async function byId(source: MovieSource, hint: IdHint, languages: Languages, ask: AskOptions): Promise<Found | null> {
  if (hint.tmdbId !== null) {
    const brief = await source.brief(hint.tmdbId, languages, ask);
    if (brief !== null) {
      return { kind: 'byId', option: withBrief(null, brief), imdbId: brief.imdb_id, reason: hint.reason };
    }
  }
  if (hint.imdbId === null) return null;
  const short = await source.findByImdb(hint.imdbId, languages, ask);
  return short && { kind: 'byId', option: { ...short, otherTitles: null }, imdbId: hint.imdbId, reason: hint.reason };
}

/** From the most telling to the vaguest. */
function searchesFor(clue: MatchClue): { query: string; year: number | null }[] {
  const { title, year } = clue;
  const names = [title, ...(clue.otherTitles ?? [])].slice(0, 3);
  const queries: { query: string; year: number | null }[] = [];
  const add = (query: string, inYear: number | null): void => {
    const tidy = query.trim();
    const isNew = !queries.some((known) => known.year === inYear && known.query.toLowerCase() === tidy.toLowerCase());
    if (tidy !== '' && isNew && queries.length < MAX_SEARCHES) queries.push({ query: tidy, year: inYear });
  };
  for (const name of names) if (year !== null) add(name, year);
  for (const name of names) add(name, null);
  const main = title.split(/:|\s[-–—|]\s|\(/)[0] ?? '';
  if (titleKey(main).length > 2) add(main, year);
  // “Part II” of a file is “Part 2” in a catalogue, and the other way round.
  const words = titleWords(title);
  add(words.join(' '), year);
  // A word that is spelled wrong finds nothing, so the longest ones are tried alone.
  if (year !== null && words.length > 1) {
    for (const word of words
      .filter((each) => each.length > 2)
      .toSorted((a, b) => b.length - a.length)
      .slice(0, 2)) {
      add(word, year);
    }
  }
  return queries;
}

/** A match whose year does not say the same is worth a look at its length. */
function needsLength(ranked: readonly RankedOption<FinderOption>[]): boolean {
  const [first] = ranked;
  return (
    first !== undefined && (first.titleScore < 1 || first.yearScore < 1) && first.option.runtimeMinutes === undefined
  );
}

/** Asks for the other names and the lengths of the likeliest, and judges again. */
async function askCloser(
  source: MovieSource,
  clue: MatchClue,
  verdict: MatchVerdict<FinderOption>,
  options: Map<number, FinderOption>,
  languages: Languages,
  ask: AskOptions,
): Promise<MatchVerdict<FinderOption>> {
  const { ranked } = verdict;
  const isExactYear = ({ yearScore }: RankedOption<FinderOption>): boolean => yearScore === 1;
  const worth = [
    ...ranked.filter(({ score }) => score >= 0.6).slice(0, MAX_BRIEFS),
    // What is called quite differently may have that name in another language: the first ones of the search's own order.
    ...[...options.values()]
      .slice(0, 3)
      .flatMap((option) =>
        ranked.filter((other) => other.option === option && (clue.year === null || isExactYear(other))),
      ),
  ];
  const unknown = [...new Map(worth.map(({ option }) => [option.tmdbId, option])).values()]
    .filter((option) => option.otherTitles === null)
    .slice(0, MAX_BRIEFS);
  if (unknown.length === 0) return verdict;
  await Promise.all(
    unknown.map(async (option) => {
      const brief = await source.brief(option.tmdbId, languages, ask);
      options.set(
        option.tmdbId,
        brief === null ? { ...option, otherTitles: [], runtimeMinutes: null } : withBrief(option, brief),
      );
    }),
  );
  return judgeMatch(clue, [...options.values()]);
}

function withBrief(option: FinderOption | null, brief: DetailsReply): FinderOption {
  const titles = [
    ...brief.alternative_titles.map(({ title }) => title),
    ...brief.translations.flatMap(({ data }) => data.title ?? []),
  ];
  return {
    tmdbId: brief.id,
    title: option?.title ?? brief.title ?? brief.original_title ?? '',
    originalTitle: brief.original_title,
    otherTitles: [...new Set(titles)],
    year: brief.release_date === null ? (option?.year ?? null) : Number(brief.release_date.slice(0, 4)),
    popularity: brief.popularity ?? option?.popularity ?? 0,
    voteCount: brief.vote_count ?? option?.voteCount ?? 0,
    runtimeMinutes: brief.runtime,
    overview: option?.overview ?? brief.overview,
    posterPath: option?.posterPath ?? brief.poster_path,
  };
}
