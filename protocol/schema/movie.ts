/** Movies and their files, as screens show them. */
import * as v from 'valibot';
import { Match } from './match.ts';
import { Container, HdrKind, MediaInfo } from './media.ts';
import { CastMember, CrewMember } from './person.ts';
import { Picture } from './picture.ts';
import { Progress } from './progress.ts';
import { Count, Id, LanguageTag, Milliseconds, ShortText, Timestamp } from './scalar.ts';

/** One tile of a grid: everything a tile shows and nothing else. */
export const MovieCard = v.object({
  id: Id,
  title: ShortText,
  year: v.nullable(Count),
  /** Length of the best file. */
  durationMs: v.nullable(Milliseconds),
  /** Upright, about 2:3. */
  poster: Picture,
  /** Wide, about 16:9: artwork where there is some, else a frame of the movie. */
  picture: Picture,
  /** Short side of the best file's picture as people name it: 2160, 1080, 720, 576, 480 … */
  resolution: v.nullable(Count),
  hdr: v.nullable(HdrKind),
  /** 0 to 10, by the catalogue; `null` where nobody rated it. */
  rating: v.nullable(v.number()),
  /** False where every file is missing or unplayable; the movie page says why. */
  isPlayable: v.boolean(),
  addedAt: Timestamp,
});
export type MovieCard = v.InferOutput<typeof MovieCard>;

/** A tile with the viewer's own progress, `null` where they never played it. */
export const MovieTile = v.object({ ...MovieCard.entries, progress: v.nullable(Progress) });
export type MovieTile = v.InferOutput<typeof MovieTile>;

export const FILE_STATES = ['playable', 'unplayable', 'missing'] as const;

/** What a file is to its movie, when it is not the movie. */
export const EXTRA_KINDS = [
  'trailer',
  'behindTheScenes',
  'deletedScene',
  'interview',
  'scene',
  'featurette',
  'short',
  'clip',
  'sample',
  'other',
] as const;
export type ExtraKind = (typeof EXTRA_KINDS)[number];

/** Subtitles in a file of their own beside a movie's file. */
export const Sidecar = v.object({
  id: Id,
  name: v.string(),
  /** `srt`, `ass`, `vtt`, `sub`, `sup` … */
  format: v.string(),
  language: LanguageTag,
  isForced: v.boolean(),
  isDefault: v.boolean(),
  isHearingImpaired: v.boolean(),
});
export type Sidecar = v.InferOutput<typeof Sidecar>;

export const MovieFile = v.object({
  id: Id,
  /** The file's name without its folders. */
  name: v.string(),
  /** Path below the library's folder; only people with `libraries:manage` are told. */
  path: v.nullable(v.string()),
  libraryId: Id,
  sizeBytes: Count,
  state: v.picklist(FILE_STATES),
  /** A `MediaFailure` code where the state is `unplayable`. */
  failure: v.nullable(v.string()),
  container: v.nullable(Container),
  media: v.nullable(MediaInfo),
  /** `Director’s Cut`, `Extended` …, as its name says. */
  edition: v.nullable(ShortText),
  /** Number of this file in a movie that is cut into several. */
  part: v.nullable(Count),
  /** `null`: the movie itself. An extra whose name says nothing but what it is has an empty title. */
  extra: v.nullable(v.object({ kind: v.picklist(EXTRA_KINDS), title: ShortText })),
  sidecars: v.array(Sidecar),
  addedAt: Timestamp,
});
export type MovieFile = v.InferOutput<typeof MovieFile>;

/** A genre, keyword, studio, country or tag. */
export const Term = v.object({ id: Count, name: ShortText });
export type Term = v.InferOutput<typeof Term>;

/** What a person may set, and lock against everything but people. */
export const MOVIE_FIELDS = [
  'title',
  'originalTitle',
  'sortTitle',
  'year',
  'releaseDate',
  'tagline',
  'overview',
  'certification',
  'rating',
  'genres',
  'keywords',
  'studios',
  'countries',
  'credits',
  'poster',
  'backdrop',
  'logo',
] as const;
export type MovieField = (typeof MOVIE_FIELDS)[number];

export const Movie = v.object({
  ...MovieCard.entries,
  sortTitle: v.string(),
  originalTitle: v.nullable(ShortText),
  originalLanguage: LanguageTag,
  tagline: v.nullable(v.string()),
  overview: v.nullable(v.string()),
  /** `YYYY-MM-DD`, in the country of the server's preference where it is known. */
  releaseDate: v.nullable(v.string()),
  /** As the country of the server's preference has it: `PG-13`, `FSK 12`. */
  certification: v.nullable(ShortText),
  /** Artwork without letters, as wide as the screen. */
  backdrop: Picture,
  /** The title as a picture with a transparent background. */
  logo: Picture,
  ratings: v.array(v.object({ source: ShortText, value: v.number(), votes: v.nullable(Count) })),
  genres: v.array(Term),
  keywords: v.array(Term),
  studios: v.array(Term),
  countries: v.array(Term),
  tags: v.array(Term),
  /** The first in the order of the catalogue, at most 30; crew: directors, writers, and who else counts, at most 30. */
  cast: v.array(CastMember),
  crew: v.array(CrewMember),
  collections: v.array(v.object({ id: Id, name: ShortText })),
  /** Where a trailer can be seen, on a site of others. */
  trailerUrl: v.nullable(v.string()),
  match: Match,
  lockedFields: v.array(v.picklist(MOVIE_FIELDS)),
  /** Put away: in no list, until somebody takes it out again. */
  isHidden: v.boolean(),
  /** The movie's own files, the best first, then its extras. */
  files: v.array(MovieFile),
});
export type Movie = v.InferOutput<typeof Movie>;
