/**
 * A filter as the query of an address, under the names that it has everywhere else: `genreIds=3&genreIds=7&isWatched=false`.
 * What makes no sense is left out, one property at a time: a shared link must never break a screen.
 */
import * as v from 'valibot';
import { MOVIE_FILTERS } from '#protocol/schema/movie-filter.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';

export type FilterName = keyof MovieFilter;

type Form = 'text' | 'number' | 'flag' | 'texts' | 'numbers';

/** How each property is written. */
export const FILTER_FORMS = {
  libraryId: 'text',
  genreIds: 'numbers',
  keywordIds: 'numbers',
  studioIds: 'numbers',
  countryIds: 'numbers',
  tagIds: 'numbers',
  yearFrom: 'number',
  yearTo: 'number',
  resolutions: 'numbers',
  hdr: 'texts',
  videoCodecs: 'texts',
  languages: 'texts',
  audioLanguages: 'texts',
  certifications: 'texts',
  ratingFrom: 'number',
  personId: 'text',
  collectionId: 'text',
  isWatched: 'flag',
  match: 'texts',
  isHidden: 'flag',
} as const satisfies Readonly<Record<FilterName, Form>>;

export const FILTER_NAMES = Object.keys(FILTER_FORMS) as readonly FilterName[];

function fromTexts(texts: readonly string[], form: Form): unknown {
  switch (form) {
    case 'text':
      return texts[0];
    case 'number':
      return texts[0] === '' ? null : Number(texts[0]);
    case 'flag':
      return texts[0] === 'true' ? true : texts[0] === 'false' ? false : null;
    case 'texts':
      return [...new Set(texts)];
    case 'numbers':
      return [...new Set(texts)].map((text) => (text === '' ? null : Number(text)));
  }
}

export function readFilter(params: URLSearchParams): MovieFilter {
  const filter: Record<string, unknown> = {};
  for (const name of FILTER_NAMES) {
    const texts = params.getAll(name);
    if (texts.length === 0) continue;
    const parsed = v.safeParse(MOVIE_FILTERS[name], fromTexts(texts, FILTER_FORMS[name]));
    if (parsed.success) filter[name] = parsed.output;
  }
  return filter;
}

export function writeFilter(filter: MovieFilter, params: URLSearchParams): void {
  for (const name of FILTER_NAMES) {
    const value = filter[name];
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
}

/** The same filter without properties that say nothing: an empty list is no limit. */
export function tidyFilter(filter: MovieFilter): MovieFilter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}

export const isUnlimited = (filter: MovieFilter): boolean => Object.keys(tidyFilter(filter)).length === 0;
