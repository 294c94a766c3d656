/**
 * What a grid may be narrowed to. Flat, so that the same names stand in a call's input, in a query of the HTTP bridge, in the
 * address of a screen that somebody shares, and in a smart collection.
 *
 * Different properties narrow together (and); several values of one property widen (or).
 */
import * as v from 'valibot';
import { HDR_KINDS } from './media.ts';
import { MATCH_STATES } from './match.ts';
import { Id, ShortText } from './scalar.ts';

/** A genre, keyword, studio, country or tag by its number in this server's database. */
export const TermId = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(2_147_483_647));

const few = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(50));
const Year = v.pipe(v.number(), v.integer(), v.minValue(1870), v.maxValue(2200));

export const MOVIE_FILTERS = {
  libraryId: v.optional(Id),
  genreIds: v.optional(few(TermId)),
  keywordIds: v.optional(few(TermId)),
  studioIds: v.optional(few(TermId)),
  countryIds: v.optional(few(TermId)),
  tagIds: v.optional(few(TermId)),
  yearFrom: v.optional(Year),
  yearTo: v.optional(Year),
  /** Short side of the best file's picture as people name it: 2160, 1080 … */
  resolutions: v.optional(few(v.pipe(v.number(), v.integer(), v.minValue(1)))),
  hdr: v.optional(few(v.picklist(['sdr', ...HDR_KINDS]))),
  videoCodecs: v.optional(few(ShortText)),
  /** The language that the movie was made in: BCP 47. */
  languages: v.optional(few(ShortText)),
  /** Languages that can be heard in one of its files: BCP 47. */
  audioLanguages: v.optional(few(ShortText)),
  certifications: v.optional(few(ShortText)),
  /** At least this, 0 to 10. */
  ratingFrom: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(10))),
  personId: v.optional(Id),
  collectionId: v.optional(Id),
  /** By the person who asks. */
  isWatched: v.optional(v.boolean()),
  match: v.optional(few(v.picklist(MATCH_STATES))),
  /** Movies that were put away (`movies.hide`): left out unless this asks for them alone. */
  isHidden: v.optional(v.boolean()),
} as const;

export const MovieFilter = v.object(MOVIE_FILTERS);
export type MovieFilter = v.InferOutput<typeof MovieFilter>;

/** Properties that are counted beside a grid. */
export const FACETS = [
  'genreIds',
  'tagIds',
  'decade',
  'resolutions',
  'hdr',
  'videoCodecs',
  'languages',
  'audioLanguages',
  'certifications',
  'studioIds',
  'countryIds',
  'isWatched',
  'match',
  'libraryId',
] as const;
export type FacetName = (typeof FACETS)[number];

/**
 * How many movies each value of a property would leave, all other filters kept: what a person sees before they choose it. The largest
 * first, at most 100.
 */
export const Facet = v.object({
  name: v.picklist(FACETS),
  values: v.array(
    v.object({
      /** As the filter wants it, written as text: a number, a code, `true`. A decade is its first year. */
      value: v.string(),
      /** For people, where the value says nothing to them: the name of a genre. `null`: the client words it. */
      label: v.nullable(v.string()),
      count: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    }),
  ),
});
export type Facet = v.InferOutput<typeof Facet>;
