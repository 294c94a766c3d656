/**
 * Which movie of a catalogue a movie of a folder is, judged by what its files say: title, year, length. Pure.
 *
 * The score is 60 % title, 40 % year, and a small bonus for what many people know; the verdict is not the score alone. A wrong
 * match costs a person more than a question, so whatever could be two movies, or is only likely, is doubtful. The
 * thresholds are from `npm run score -- matching` (docs/metadata.md has the numbers).
 */
import type { MatchReason } from '#protocol/schema/match.ts';
import { titleKey, titleSimilarity } from './title-likeness.ts';

/** What is known of the movie without a catalogue. */
export interface MatchClue {
  readonly title: string;
  /** Other names that it may go by: the original title of an NFO, a second title in the file's name. */
  readonly otherTitles?: readonly string[];
  readonly year: number | null;
  /** Of its best file, `null` where there is none or it is in parts. */
  readonly durationMs: number | null;
}

/** A movie of the catalogue. */
export interface MatchOption {
  readonly tmdbId: number;
  readonly title: string;
  readonly originalTitle: string | null;
  /** Alternative and translated titles, `null` where they were not asked for. */
  readonly otherTitles: readonly string[] | null;
  readonly year: number | null;
  readonly popularity: number;
  readonly voteCount: number;
  /** `null`: the catalogue does not know; `undefined`: not asked for. */
  readonly runtimeMinutes?: number | null;
}

export interface RankedOption<O extends MatchOption = MatchOption> {
  readonly option: O;
  /** 0 to 1. */
  readonly score: number;
  readonly reasons: readonly MatchReason[];
  readonly titleScore: number;
  readonly yearScore: number;
  readonly duration: 'near' | 'differs' | 'unknown';
}

export interface MatchVerdict<O extends MatchOption = MatchOption> {
  readonly state: 'matched' | 'doubtful' | 'unmatched';
  /** The likeliest first; the first one is the match where there is one. */
  readonly ranked: readonly RankedOption<O>[];
}

const TITLE_SHARE = 0.6;
const YEAR_SHARE = 0.4;
const MAX_BONUS = 0.02;
/** A title with a typing mistake or two; under it a likeness is no match without a person. */
const SURE_SIMILARITY = 0.9;
/** Short titles are one letter from each other: “Her”, “Hero”. */
const SURE_LENGTH = 7;
/** Titles this long were given once. */
const UNIQUE_LENGTH = 20;
/** How far the second must be behind, where nothing else tells the two apart. */
const SURE_LEAD = 0.12;
const DOUBTFUL_SCORE = 0.62;
/** How much better known one of two of the same name must be to be the one that is meant. */
const DOMINANCE = { popularity: 10, votes: 20, leastVotes: 100 };
/** Cuts and credits: a file may be this much shorter or longer than its movie. */
const DURATION_SLACK = { share: 0.12, ms: 4 * 60_000 };
const FAR_DURATION_SHARE = 0.35;

export function judgeMatch<O extends MatchOption>(clue: MatchClue, options: readonly O[]): MatchVerdict<O> {
  const ranked = options
    .map((option) => rankOption(clue, option))
    .toSorted(
      (a, b) => b.score - a.score || b.option.popularity - a.option.popularity || a.option.tmdbId - b.option.tmdbId,
    );
  const sure = sureOption(clue, ranked);
  if (sure !== null) {
    const others = ranked.filter(({ option }) => option.tmdbId !== sure.option.tmdbId);
    return { state: 'matched', ranked: [sure, ...others] };
  }
  const [first] = ranked;
  const isLikely =
    first !== undefined && (first.titleScore === 1 || (first.score >= DOUBTFUL_SCORE && first.titleScore >= 0.5));
  return { state: isLikely ? 'doubtful' : 'unmatched', ranked: markAlike(ranked) };
}

/** One option by itself. */
export function rankOption<O extends MatchOption>(clue: MatchClue, option: O): RankedOption<O> {
  const title = bestTitle(clue, option);
  const year = yearScore(clue.year, option.year);
  const duration = compareDuration(clue.durationMs, option.runtimeMinutes ?? null);
  const bonus = MAX_BONUS * Math.min(1, Math.log10(1 + Math.max(0, option.popularity)) / 2);
  const score = Math.min(1, TITLE_SHARE * title.score + YEAR_SHARE * year.score + (title.score > 0.5 ? bonus : 0));
  const reasons: MatchReason[] = [title.reason, year.reason];
  if (option.popularity >= 10) reasons.push('popular');
  if (duration !== 'unknown') reasons.push(duration === 'near' ? 'durationNear' : 'durationDiffers');
  return {
    option,
    score: Math.round(score * 1_000) / 1_000,
    reasons,
    titleScore: title.score,
    yearScore: year.score,
    duration,
  };
}

function bestTitle(clue: MatchClue, option: MatchOption): { score: number; reason: MatchReason } {
  const names = [clue.title, ...(clue.otherTitles ?? [])];
  const keys = names.map(titleKey);
  const isExact = (title: string | null): boolean => title !== null && keys.includes(titleKey(title));
  if (isExact(option.title)) return { score: 1, reason: 'titleExact' };
  if (isExact(option.originalTitle)) return { score: 1, reason: 'originalTitleExact' };
  if (option.otherTitles?.some(isExact) === true) return { score: 1, reason: 'alternativeTitleExact' };
  const titles = [option.title, option.originalTitle ?? '', ...(option.otherTitles ?? [])].filter(
    (text) => text !== '',
  );
  const score = Math.max(0, ...names.flatMap((name) => titles.map((title) => titleSimilarity(name, title))));
  return { score, reason: score >= 0.75 ? 'titleSimilar' : 'titleDiffers' };
}

function yearScore(asked: number | null, has: number | null): { score: number; reason: MatchReason } {
  if (asked === null || has === null) return { score: 0.5, reason: 'yearUnknown' };
  const apart = Math.abs(asked - has);
  if (apart === 0) return { score: 1, reason: 'yearExact' };
  // First shown at a festival at the end of a year, released in the next one.
  if (apart === 1) return { score: 0.8, reason: 'yearNear' };
  return { score: apart === 2 ? 0.3 : 0, reason: 'yearDiffers' };
}

function compareDuration(durationMs: number | null, runtimeMinutes: number | null): RankedOption['duration'] {
  if (durationMs === null || durationMs <= 0 || runtimeMinutes === null || runtimeMinutes <= 0) return 'unknown';
  const runtimeMs = runtimeMinutes * 60_000;
  const apartMs = Math.abs(durationMs - runtimeMs);
  if (apartMs <= Math.max(DURATION_SLACK.ms, runtimeMs * DURATION_SLACK.share)) return 'near';
  return apartMs > runtimeMs * FAR_DURATION_SHARE ? 'differs' : 'unknown';
}

/** The one that it is beyond doubt, or `null`. */
function sureOption<O extends MatchOption>(
  clue: MatchClue,
  ranked: readonly RankedOption<O>[],
): RankedOption<O> | null {
  const exact = ranked.filter(({ titleScore }) => titleScore === 1);
  const ofYear = exact.filter(({ yearScore: score }) => score === 1);
  if (clue.year !== null && ofYear.length > 0) return only(ofYear) ?? outstanding(ofYear);
  if (exact.length > 0) return sureOfName(clue, exact, ranked);
  const [first, second] = ranked;
  if (first === undefined || first.yearScore < 1 || first.duration === 'differs') return null;
  const isAhead = second === undefined || first.titleScore - second.titleScore >= SURE_LEAD || second.yearScore < 1;
  const isLong = titleKey(clue.title).length >= SURE_LENGTH;
  if (isAhead && isLong && first.titleScore >= SURE_SIMILARITY) return first;
  // The beginning of a longer title, of the same year and length, with nothing like it beside.
  return isAhead && first.titleScore >= 0.8 && first.duration === 'near' ? first : null;
}

/** The same title, but without a year, or with another one. */
function sureOfName<O extends MatchOption>(
  clue: MatchClue,
  exact: readonly RankedOption<O>[],
  ranked: readonly RankedOption<O>[],
): RankedOption<O> | null {
  if (clue.year === null) {
    const found = only(exact) ?? outstanding(exact);
    // A name without a year is that of any remake: only its length tells them apart, or a name so long that nobody used it twice.
    const isTelling = found?.duration === 'near' || titleKey(clue.title).length >= UNIQUE_LENGTH;
    return found !== null && found.duration !== 'differs' && isTelling ? found : null;
  }
  const near = exact.filter(({ yearScore: score }) => score === 0.8);
  const found = only(near) ?? outstanding(near);
  if (found === null || found.duration === 'differs') return null;
  // Something else of the very year that is nearly called so may be what is meant.
  const rival = ranked.some(
    (other) => other.option.tmdbId !== found.option.tmdbId && other.yearScore === 1 && other.titleScore >= 0.75,
  );
  return rival ? null : found;
}

const only = <T>(list: readonly T[]): T | null => (list.length === 1 ? list[0]! : null);

/** Of several that are called alike: the only one of the right length, or the one that everybody means. */
function outstanding<O extends MatchOption>(alike: readonly RankedOption<O>[]): RankedOption<O> | null {
  if (alike.length < 2) return null;
  const near = alike.filter(({ duration }) => duration === 'near');
  const isKnownOf = ({ option }: RankedOption<O>): boolean => (option.runtimeMinutes ?? 0) > 0;
  if (near.length === 1 && alike.every(isKnownOf)) return near[0]!;
  const [first, second] = alike.toSorted((a, b) => b.option.popularity - a.option.popularity);
  const isKnown =
    first!.option.voteCount >= DOMINANCE.leastVotes &&
    first!.option.popularity >= DOMINANCE.popularity * second!.option.popularity &&
    first!.option.voteCount >=
      DOMINANCE.votes * Math.max(...alike.filter((other) => other !== first).map(({ option }) => option.voteCount));
  return isKnown && first!.duration !== 'differs' ? first! : null;
}

/** Says of the first ones that they cannot be told apart, where that is so. */
function markAlike<O extends MatchOption>(ranked: readonly RankedOption<O>[]): RankedOption<O>[] {
  const [first, second] = ranked;
  if (first === undefined || second === undefined || first.score - second.score >= 0.05) return [...ranked];
  return ranked.map((other) =>
    first.score - other.score < 0.05 ? { ...other, reasons: [...other.reasons, 'severalAlike'] } : other,
  );
}
