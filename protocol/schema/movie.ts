/** Movies and their files, as screens show them. */
import * as v from 'valibot';
import { Container, HdrKind, MediaInfo } from './media.ts';
import { Progress } from './progress.ts';
import { Count, Id, Milliseconds, ShortText, Timestamp } from './scalar.ts';

/** `/images/…`: immutable, needs a session. `null` until there is a picture. */
export const Picture = v.nullable(v.object({ url: v.string(), width: Count, height: Count }));
export type Picture = v.InferOutput<typeof Picture>;

/** How a movie came by its title: only from its name so far, or matched with a catalogue. */
export const MATCH_STATES = ['unmatched', 'matched'] as const;

/** One tile of a grid: everything a tile shows and nothing else. */
export const MovieCard = v.object({
  id: Id,
  title: ShortText,
  year: v.nullable(Count),
  /** Length of the best file. */
  durationMs: v.nullable(Milliseconds),
  picture: Picture,
  /** Short side of the best file's picture as people name it: 2160, 1080, 720, 576, 480 … */
  resolution: v.nullable(Count),
  hdr: v.nullable(HdrKind),
  /** False where every file is missing or unplayable; the movie page says why. */
  isPlayable: v.boolean(),
  addedAt: Timestamp,
});
export type MovieCard = v.InferOutput<typeof MovieCard>;

/** A tile with the viewer's own progress, `null` where they never played it. */
export const MovieTile = v.object({ ...MovieCard.entries, progress: v.nullable(Progress) });
export type MovieTile = v.InferOutput<typeof MovieTile>;

export const FILE_STATES = ['playable', 'unplayable', 'missing'] as const;

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
  addedAt: Timestamp,
});
export type MovieFile = v.InferOutput<typeof MovieFile>;

export const Movie = v.object({
  ...MovieCard.entries,
  sortTitle: v.string(),
  match: v.picklist(MATCH_STATES),
  files: v.array(MovieFile),
});
export type Movie = v.InferOutput<typeof Movie>;

export const MOVIE_SORTS = ['title', 'year', 'added', 'duration', 'resolution'] as const;
export const SORT_ORDERS = ['ascending', 'descending'] as const;
