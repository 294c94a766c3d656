/** What the edit form of a movie holds, and what of it was changed. */
import type { MovieField } from '#protocol/schema/movie.ts';
import type { MovieChanges } from '#client/store/edits.ts';
import type { MovieDetail } from '#client/store/movie.ts';

/** As it is typed. */
export interface Draft {
  readonly title: string;
  readonly originalTitle: string;
  readonly sortTitle: string;
  readonly year: string;
  readonly releaseDate: string;
  readonly certification: string;
  readonly tagline: string;
  readonly overview: string;
  readonly genres: readonly string[];
  readonly keywords: readonly string[];
  readonly studios: readonly string[];
  readonly countries: readonly string[];
  readonly tags: readonly string[];
}

export const TEXTS = [
  'title',
  'originalTitle',
  'sortTitle',
  'releaseDate',
  'certification',
  'tagline',
  'overview',
] as const;
export const LISTS = ['genres', 'keywords', 'studios', 'countries', 'tags'] as const;

const names = (terms: readonly { readonly name: string }[]): string[] => terms.map(({ name }) => name);

type Known = Pick<MovieDetail, keyof Draft>;

export function draftOf(movie: Known): Draft {
  return {
    title: movie.title,
    originalTitle: movie.originalTitle ?? '',
    sortTitle: movie.sortTitle,
    year: movie.year === null ? '' : String(movie.year),
    releaseDate: movie.releaseDate ?? '',
    certification: movie.certification ?? '',
    tagline: movie.tagline ?? '',
    overview: movie.overview ?? '',
    genres: names(movie.genres),
    keywords: names(movie.keywords),
    studios: names(movie.studios),
    countries: names(movie.countries),
    tags: names(movie.tags),
  };
}

/** What was changed, and nothing else: the rest stays open to what is learnt later. */
export function changesOf(
  before: Draft,
  after: Draft,
  wasLocked: ReadonlySet<MovieField>,
  isLocked: ReadonlySet<MovieField>,
): MovieChanges {
  const changes: Record<string, unknown> = {};
  for (const name of TEXTS) {
    const text = after[name].trim();
    if (text !== before[name].trim()) changes[name] = text === '' ? null : text;
  }
  if (after.year.trim() !== before.year) changes['year'] = after.year.trim() === '' ? null : Number(after.year);
  for (const name of LISTS) {
    if (after[name].join('\n') !== before[name].join('\n')) changes[name] = [...after[name]];
  }
  const setHere = Object.keys(changes).filter((name): name is MovieField => name !== 'tags');
  const lock = [...isLocked].filter((field) => !wasLocked.has(field) && !setHere.includes(field));
  // The server locks whatever is set, unless it is told otherwise.
  const unlock = [...new Set([...wasLocked, ...setHere])].filter((field) => !isLocked.has(field));
  return { ...changes, ...(lock.length > 0 && { lock }), ...(unlock.length > 0 && { unlock }) };
}
