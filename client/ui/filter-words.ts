/** Filters and orders as people read them. */
import { FILTER_FORMS, tidyFilter } from '#client/store/filter-address.ts';
import type { FilterName } from '#client/store/filter-address.ts';
import type { Facet, FacetName, MovieFilter } from '#protocol/schema/movie-filter.ts';
import type { MatchState } from '#protocol/schema/match.ts';
import type { HdrKind } from '#protocol/schema/media.ts';
import type { MovieSort, SortOrder } from '#protocol/schema/movie-sort.ts';
import { codecName, hdrName, languageName, resolutionName } from './wording.ts';

export const SORT_NAMES: Readonly<Record<MovieSort, string>> = {
  title: 'Title',
  added: 'Date added',
  year: 'Year',
  release: 'Release date',
  rating: 'Rating',
  duration: 'Length',
  lastWatched: 'Last watched',
  resolution: 'Resolution',
  random: 'Random',
};

/** The order that suits a sort when nobody says otherwise. */
export const usualOrder = (sort: MovieSort): SortOrder => (sort === 'title' ? 'ascending' : 'descending');

export const FACET_TITLES: Readonly<Record<FacetName, string>> = {
  genreIds: 'Genre',
  decade: 'Decade',
  isWatched: 'Watched',
  tagIds: 'Tag',
  certifications: 'Certification',
  resolutions: 'Resolution',
  hdr: 'Picture',
  languages: 'Original language',
  audioLanguages: 'Spoken language',
  countryIds: 'Country',
  studioIds: 'Studio',
  videoCodecs: 'Video codec',
  libraryId: 'Library',
  match: 'Recognised',
};

/** From what most people ask to what few do. */
export const FACET_ORDER = Object.keys(FACET_TITLES) as readonly FacetName[];

export const MATCH_NAMES: Readonly<Record<MatchState, string>> = {
  waiting: 'Not looked for yet',
  unmatched: 'Not recognised',
  doubtful: 'Doubtful',
  matched: 'Recognised',
  confirmed: 'Confirmed by hand',
};

/** A value of a facet in words; `label` is what the server calls it. */
export function valueName(facet: FacetName, value: string, label: string | null): string {
  if (label !== null) return label;
  switch (facet) {
    case 'decade':
      return `${value}s`;
    case 'resolutions':
      return resolutionName(Number(value)) ?? value;
    case 'hdr':
      return value === 'sdr' ? 'Standard range' : hdrName(value as HdrKind);
    case 'videoCodecs':
      return codecName(value);
    case 'languages':
    case 'audioLanguages':
      return languageName(value) ?? 'Unknown language';
    case 'isWatched':
      return value === 'true' ? 'Watched' : 'Not watched';
    case 'match':
      return (MATCH_NAMES as Readonly<Record<string, string>>)[value] ?? value;
    case 'genreIds':
    case 'tagIds':
    case 'studioIds':
    case 'countryIds':
    case 'certifications':
    case 'libraryId':
      return value;
  }
}

/** Whether a filter holds a value of a facet. */
export function isChosen(filter: MovieFilter, facet: FacetName, value: string): boolean {
  if (facet === 'decade') return filter.yearFrom === Number(value) && filter.yearTo === Number(value) + 9;
  const held = filter[facet];
  return Array.isArray(held) ? held.map(String).includes(value) : held !== undefined && `${held}` === value;
}

/** The filter with a value of a facet chosen, or not chosen any more. */
export function toggled(filter: MovieFilter, facet: FacetName, value: string): MovieFilter {
  const isOff = isChosen(filter, facet, value);
  if (facet === 'decade') {
    const { yearFrom: _from, yearTo: _to, ...rest } = filter;
    return isOff ? rest : { ...rest, yearFrom: Number(value), yearTo: Number(value) + 9 };
  }
  const form = FILTER_FORMS[facet];
  if (form === 'text') return tidyFilter({ ...filter, [facet]: isOff ? undefined : value });
  if (form === 'flag') return tidyFilter({ ...filter, [facet]: isOff ? undefined : value === 'true' });
  const held = (filter[facet] as readonly (string | number)[] | undefined) ?? [];
  const typed = form === 'numbers' ? Number(value) : value;
  return tidyFilter({ ...filter, [facet]: isOff ? held.filter((one) => one !== typed) : [...held, typed] });
}

/** The values of a facet in the order that people look for them; the server gives the largest first. */
export function inOrder({ name, values }: Facet): Facet['values'] {
  return name === 'decade' || name === 'resolutions'
    ? values.toSorted((a, b) => Number(b.value) - Number(a.value))
    : values;
}

export interface Chip {
  readonly key: string;
  readonly text: string;
  /** The filter without it. */
  readonly without: MovieFilter;
}

const without = (filter: MovieFilter, ...names: readonly FilterName[]): MovieFilter =>
  tidyFilter({ ...filter, ...Object.fromEntries(names.map((name) => [name, undefined])) });

/** Facets whose values mean nothing without a label. */
const NUMBERED: ReadonlySet<FilterName> = new Set(['genreIds', 'tagIds', 'studioIds', 'countryIds', 'libraryId']);

function yearsName(from: number | undefined, to: number | undefined): string {
  if (from === undefined) return `until ${to ?? ''}`;
  if (to === undefined) return `from ${from}`;
  if (from % 10 === 0 && to === from + 9) return `${from}s`;
  return from === to ? String(from) : `${from} to ${to}`;
}

/** What a filter holds, one chip for each value. Names of people and collections stand in `names` by their id. */
export function chipsOf(
  filter: MovieFilter,
  facets: readonly Facet[] | null,
  names: ReadonlyMap<string, string> = new Map(),
): readonly Chip[] {
  const labelOf = (facet: FacetName, value: string): string | null =>
    facets?.find(({ name }) => name === facet)?.values.find((one) => one.value === value)?.label ??
    names.get(`${facet} ${value}`) ??
    null;
  const chips: Chip[] = [];
  for (const [property, held] of Object.entries(tidyFilter(filter))) {
    const name = property as FilterName;
    switch (name) {
      case 'yearFrom':
        chips.push({
          key: 'years',
          text: yearsName(filter.yearFrom, filter.yearTo),
          without: without(filter, 'yearFrom', 'yearTo'),
        });
        break;
      case 'yearTo':
        if (filter.yearFrom === undefined) {
          chips.push({ key: 'years', text: yearsName(undefined, filter.yearTo), without: without(filter, 'yearTo') });
        }
        break;
      case 'ratingFrom':
        chips.push({ key: name, text: `Rated ${filter.ratingFrom ?? 0} or more`, without: without(filter, name) });
        break;
      case 'isHidden':
        chips.push({
          key: name,
          text: filter.isHidden === true ? 'Put away' : 'In sight',
          without: without(filter, name),
        });
        break;
      case 'personId':
      case 'collectionId':
        chips.push({
          key: name,
          text: names.get(String(held)) ?? (name === 'personId' ? 'One person' : 'One collection'),
          without: without(filter, name),
        });
        break;
      case 'keywordIds':
        for (const id of filter.keywordIds ?? []) {
          chips.push({
            key: `${name} ${id}`,
            text: names.get(`${name} ${id}`) ?? 'One keyword',
            without: tidyFilter({ ...filter, keywordIds: filter.keywordIds?.filter((one) => one !== id) }),
          });
        }
        break;
      default:
        for (const one of Array.isArray(held) ? held : [held]) {
          const value = String(one);
          const label = labelOf(name, value);
          chips.push({
            key: `${name} ${value}`,
            // Until the server has said what number 7 is.
            text: label === null && NUMBERED.has(name) ? FACET_TITLES[name] : valueName(name, value, label),
            without: toggled(filter, name, value),
          });
        }
    }
  }
  return chips;
}
