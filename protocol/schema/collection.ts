/** Collections: series of movies as a catalogue knows them, lists that people made, and saved filters. */
import * as v from 'valibot';
import { MOVIE_SORTS, SORT_ORDERS } from './movie-sort.ts';
import { MovieFilter } from './movie-filter.ts';
import { Picture } from './picture.ts';
import { Count, Id, ShortText } from './scalar.ts';

/** `series`: parts of one story, from the catalogue. `manual`: chosen and ordered by people. `smart`: whatever a filter finds. */
export const COLLECTION_KINDS = ['series', 'manual', 'smart'] as const;

export const CollectionCard = v.object({
  id: Id,
  kind: v.picklist(COLLECTION_KINDS),
  name: ShortText,
  poster: Picture,
  backdrop: Picture,
  /** Movies of it that are here. */
  movieCount: Count,
  /** Movies that it has in all; the same but for a series with parts that are missing here. */
  partCount: Count,
  /** By the person who asks. */
  watchedCount: Count,
});
export type CollectionCard = v.InferOutput<typeof CollectionCard>;

/** A saved filter with its order. */
export const SmartQuery = v.object({
  filter: MovieFilter,
  search: v.optional(ShortText),
  sort: v.picklist(MOVIE_SORTS),
  order: v.optional(v.picklist(SORT_ORDERS)),
});
export type SmartQuery = v.InferOutput<typeof SmartQuery>;

export const Collection = v.object({
  ...CollectionCard.entries,
  overview: v.nullable(v.string()),
  tmdbId: v.nullable(Count),
  /** Only of kind `smart`. */
  query: v.nullable(SmartQuery),
  /** Parts of a series that are not here, in order of release. */
  missing: v.array(v.object({ tmdbId: Count, title: ShortText, releaseDate: v.nullable(v.string()), poster: Picture })),
});
export type Collection = v.InferOutput<typeof Collection>;
