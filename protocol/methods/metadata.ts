/** Which movie a file is, and what a catalogue of movies says of it. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { MatchCandidate, ReviewItem } from '../schema/match.ts';
import { Movie } from '../schema/movie.ts';
import { Count, Id, ShortText, Timestamp } from '../schema/scalar.ts';

/** ISO 639-1, with a country where it matters: `de`, `pt-BR`. */
const Language = v.pipe(v.string(), v.regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'must look like de or pt-BR'));
/** ISO 3166-1. */
const Country = v.pipe(v.string(), v.regex(/^[A-Z]{2}$/, 'must be two capital letters, like DE'));
const TmdbId = v.pipe(Count, v.minValue(1), v.maxValue(2_147_483_647));

export const MetadataSettings = v.object({
  /** `noKey`: nothing is asked. `badKey`: TMDB refuses it. `away`: it does not answer; asked again at `retryAt`. */
  state: v.picklist(['ready', 'noKey', 'badKey', 'away']),
  retryAt: v.nullable(Timestamp),
  /** Where the key is from; it is never told. One of the environment cannot be changed here. */
  keyFrom: v.nullable(v.picklist(['environment', 'settings'])),
  language: Language,
  /** Asked for where the first has no text. */
  fallbackLanguage: v.nullable(Language),
  country: Country,
  /** Whether a person, or the browser that set the server up, has said so. */
  isLanguageChosen: v.boolean(),
  /** Whether NFO files may be written beside the movies; else they go to the data folder. */
  writesNfoBesideMovies: v.boolean(),
  /** Movies that wait for being looked for, and for a person. */
  waiting: Count,
  toReview: Count,
});
export type MetadataSettings = v.InferOutput<typeof MetadataSettings>;

export const metadata = {
  settings: defineCall({
    id: 140,
    name: 'metadata.settings',
    since: 1,
    summary: 'How metadata is fetched, and whether it can be.',
    permission: 'server:manage',
    input: v.object({}),
    output: MetadataSettings,
    failures: {},
    http: { method: 'GET', path: '/metadata/settings' },
  }),
  configure: defineCall({
    id: 141,
    name: 'metadata.configure',
    since: 1,
    summary: 'Changes how metadata is fetched. A key is tried before it is kept; `null` forgets it.',
    permission: 'server:manage',
    input: v.object({
      apiKey: v.optional(v.nullable(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1_000)))),
      language: v.optional(Language),
      fallbackLanguage: v.optional(v.nullable(Language)),
      country: v.optional(Country),
      writesNfoBesideMovies: v.optional(v.boolean()),
    }),
    output: MetadataSettings,
    failures: {
      keyRefused: v.object({}),
      /** TMDB could not be asked whether the key is right. */
      notReachable: v.object({}),
      setByEnvironment: v.object({}),
    },
    http: { method: 'PATCH', path: '/metadata/settings' },
    deadlineMs: 30_000,
  }),
  review: defineCall({
    id: 142,
    name: 'metadata.review',
    since: 1,
    summary: 'Movies that were not found, or not for certain, with what they may be.',
    permission: 'movies:edit',
    input: v.object({
      offset: v.optional(Count, 0),
      limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(100)), 25),
      state: v.optional(v.picklist(['unmatched', 'doubtful'])),
    }),
    output: v.object({ total: Count, unmatched: Count, doubtful: Count, items: v.array(ReviewItem) }),
    failures: {},
    http: { method: 'GET', path: '/metadata/review' },
  }),
  search: defineCall({
    id: 143,
    name: 'metadata.search',
    since: 1,
    summary: 'Looks for a movie in the catalogue by hand: by a title, a TMDB or IMDb number, or an address of either.',
    permission: 'movies:edit',
    input: v.object({ query: v.pipe(ShortText, v.trim(), v.minLength(1)), year: v.optional(Count) }),
    output: v.object({ candidates: v.array(MatchCandidate) }),
    failures: { notReachable: v.object({ reason: v.picklist(['noKey', 'badKey', 'away']) }) },
    http: { method: 'GET', path: '/metadata/search' },
    deadlineMs: 30_000,
  }),
  match: defineCall({
    id: 144,
    name: 'metadata.match',
    since: 1,
    summary: 'Says which movies these are. A person’s word is never overwritten.',
    permission: 'movies:edit',
    input: v.object({
      choices: v.pipe(v.array(v.object({ movieId: Id, tmdbId: TmdbId })), v.minLength(1), v.maxLength(200)),
    }),
    output: v.object({
      /** The movies as they are called now: one that was here already takes the files of the other. */
      movieIds: v.array(Id),
    }),
    failures: {
      notReachable: v.object({ reason: v.picklist(['noKey', 'badKey', 'away']) }),
      unknownMovie: v.object({ tmdbId: Count }),
    },
    http: { method: 'POST', path: '/metadata/match' },
    deadlineMs: 60_000,
  }),
  unmatch: defineCall({
    id: 145,
    name: 'metadata.unmatch',
    since: 1,
    summary:
      'Says that a movie is in no catalogue, or not the one that was found: it is called as its files are, and is not looked for again.',
    permission: 'movies:edit',
    input: v.object({ movieId: Id }),
    output: v.object({ movie: Movie }),
    failures: {},
    http: { method: 'POST', path: '/metadata/unmatch' },
  }),
  refresh: defineCall({
    id: 146,
    name: 'metadata.refresh',
    since: 1,
    summary:
      'Fetches metadata anew: of one movie before everything else, or of all. Looks again for what was not found.',
    permission: 'movies:edit',
    input: v.object({ movieId: v.optional(Id) }),
    output: v.object({ queued: Count }),
    failures: { notReachable: v.object({ reason: v.picklist(['noKey', 'badKey', 'away']) }) },
    http: { method: 'POST', path: '/metadata/refresh' },
  }),
  merge: defineCall({
    id: 147,
    name: 'metadata.merge',
    since: 1,
    summary: 'Says that these are one movie: the first takes the files of the others, and what people did in them.',
    permission: 'movies:edit',
    input: v.object({ movieIds: v.pipe(v.array(Id), v.minLength(2), v.maxLength(50)) }),
    output: v.object({ movie: Movie }),
    failures: {},
    http: { method: 'POST', path: '/metadata/merge' },
  }),
  split: defineCall({
    id: 148,
    name: 'metadata.split',
    since: 1,
    summary: 'Says that these files are another movie. What people did is kept in both.',
    permission: 'movies:edit',
    input: v.object({ movieId: Id, fileIds: v.pipe(v.array(Id), v.minLength(1), v.maxLength(500)) }),
    output: v.object({ movie: Movie }),
    failures: {
      /** All of its files: then it would be the same movie again. */
      nothingLeft: v.object({}),
    },
    http: { method: 'POST', path: '/metadata/split' },
  }),
  writeNfo: defineCall({
    id: 149,
    name: 'metadata.writeNfo',
    since: 1,
    summary:
      'Writes what is known of a movie as a Kodi NFO, to the data folder unless the owner lets it lie beside the movie.',
    permission: 'libraries:manage',
    input: v.object({ movieId: Id }),
    output: v.object({ paths: v.array(v.string()) }),
    failures: { notWritable: v.object({ path: v.string() }) },
    http: { method: 'POST', path: '/metadata/nfo' },
  }),
};
