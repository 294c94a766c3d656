/** How a movie of a folder came by its entry in a catalogue of movies. */
import * as v from 'valibot';
import { Picture } from './picture.ts';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';

/**
 * `waiting`: not looked for yet, or there is nobody to ask. `unmatched`: looked for in vain. `doubtful`: a likely one was found and waits for a
 * person; nothing of it is shown. `matched`: found. `confirmed`: a person said so; no machine changes it.
 */
export const MATCH_STATES = ['waiting', 'unmatched', 'doubtful', 'matched', 'confirmed'] as const;
export type MatchState = (typeof MATCH_STATES)[number];

/** Why a candidate was scored as it was; the client words them. */
export const MATCH_REASONS = [
  'idInName',
  'idInNfo',
  'idFromRadarr',
  'titleExact',
  'originalTitleExact',
  'alternativeTitleExact',
  'titleSimilar',
  'titleDiffers',
  'yearExact',
  'yearNear',
  'yearDiffers',
  'yearUnknown',
  'popular',
  'severalAlike',
  'durationNear',
  'durationDiffers',
  'chosenByPerson',
] as const;
export type MatchReason = (typeof MATCH_REASONS)[number];

/** A movie of the catalogue that a movie of a folder may be. */
export const MatchCandidate = v.object({
  tmdbId: Count,
  title: ShortText,
  originalTitle: v.nullable(ShortText),
  year: v.nullable(Count),
  overview: v.nullable(v.string()),
  poster: Picture,
  /** 0 to 1; `null` in an answer to a search by hand. */
  score: v.nullable(v.number()),
  reasons: v.array(v.picklist(MATCH_REASONS)),
});
export type MatchCandidate = v.InferOutput<typeof MatchCandidate>;

/** What is known of a movie's match. */
export const Match = v.object({
  state: v.picklist(MATCH_STATES),
  score: v.nullable(v.number()),
  reasons: v.array(v.picklist(MATCH_REASONS)),
  tmdbId: v.nullable(Count),
  imdbId: v.nullable(v.string()),
  /** When its metadata was last fetched. */
  refreshedAt: v.nullable(Timestamp),
});
export type Match = v.InferOutput<typeof Match>;

/** A movie on the review screen, with what it may be. */
export const ReviewItem = v.object({
  movieId: Id,
  title: ShortText,
  year: v.nullable(Count),
  picture: Picture,
  match: Match,
  /** Names of its files, without their folders. */
  fileNames: v.array(v.string()),
  candidates: v.array(MatchCandidate),
});
export type ReviewItem = v.InferOutput<typeof ReviewItem>;
