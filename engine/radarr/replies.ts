/**
 * What Radarr answers and sends, as far as it is of use here. Read leniently: keys that are not known are left out, a value of
 * another type than expected is as if it were not there, and only what makes a thing that thing must be right.
 */
import * as v from 'valibot';

const MAX_INT = 2_147_483_647;
const MAX_TEXT = 500;
const MAX_PATH = 4_096;
const MAX_FILES = 200;

/** Text that the database takes: whole characters, no NUL, bounded. */
const cleanText = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.transform((text) => text.slice(0, maxLength).toWellFormed().replaceAll('\0', '')),
  );
/** A path is never cut: half of one is another one. */
const Path = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PATH));
/** Numbers in Radarr's database begin at 1; 0 means none. */
const Key = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_INT));
const Bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const ImdbId = v.pipe(v.string(), v.regex(/^tt\d{5,12}$/));
const Year = v.pipe(v.number(), v.integer(), v.minValue(1870), v.maxValue(2200));

const orNull = <S extends v.GenericSchema>(schema: S) => v.fallback(v.optional(v.nullable(schema), null), null);
const orFalse = v.fallback(v.optional(v.boolean(), false), false);
/** What of a list can be read; a list of anything else is empty. */
const listOf = <S extends v.GenericSchema>(schema: S) =>
  v.fallback(
    v.pipe(
      v.optional(v.array(v.unknown()), []),
      v.transform((items) =>
        items.slice(0, MAX_FILES).flatMap((item): v.InferOutput<S>[] => {
          const result = v.safeParse(schema, item);
          return result.success ? [result.output] : [];
        }),
      ),
    ),
    [],
  );

export const SystemStatus = v.object({
  appName: v.pipe(v.string(), v.maxLength(100)),
  instanceName: orNull(cleanText(100)),
  version: v.pipe(cleanText(50), v.regex(/^\d+\.\d+/)),
});
export type SystemStatus = v.InferOutput<typeof SystemStatus>;

/** A movie as the API has it. */
export const MovieResource = v.object({
  id: Key,
  /** 0 for the few that Radarr could not find. */
  tmdbId: orNull(Key),
  imdbId: orNull(ImdbId),
  title: orNull(cleanText(MAX_TEXT)),
  year: orNull(Year),
  path: orNull(Path),
  movieFile: orNull(
    v.object({
      id: orNull(Key),
      path: orNull(Path),
      relativePath: orNull(Path),
      size: orNull(Bytes),
      quality: orNull(v.object({ quality: orNull(v.object({ name: orNull(cleanText(100)) })) })),
    }),
  ),
});
export type MovieResource = v.InferOutput<typeof MovieResource>;

export const MovieFileResource = v.object({
  id: Key,
  movieId: Key,
  path: orNull(Path),
  relativePath: orNull(Path),
  size: orNull(Bytes),
  quality: orNull(v.object({ quality: orNull(v.object({ name: orNull(cleanText(100)) })) })),
});
export type MovieFileResource = v.InferOutput<typeof MovieFileResource>;

export const QualityProfile = v.object({ id: Key, name: cleanText(MAX_TEXT), upgradeAllowed: orFalse });
export type QualityProfile = v.InferOutput<typeof QualityProfile>;

export const RootFolder = v.object({ path: Path, accessible: orFalse });
export type RootFolder = v.InferOutput<typeof RootFolder>;

export const Collection = v.object({
  tmdbId: orNull(Key),
  title: orNull(cleanText(MAX_TEXT)),
  movies: listOf(v.object({ tmdbId: Key, title: orNull(cleanText(MAX_TEXT)), year: orNull(Year) })),
});
export type Collection = v.InferOutput<typeof Collection>;

export const COMMAND_STATES = ['queued', 'started', 'completed', 'failed', 'aborted', 'cancelled', 'orphaned'] as const;
export const Command = v.object({ id: Key, name: orNull(cleanText(100)), status: v.picklist(COMMAND_STATES) });
export type Command = v.InferOutput<typeof Command>;

/** Everything in a list that can be read. */
export function parseList<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S>[] | null {
  if (!Array.isArray(value)) return null;
  return value.flatMap((item): v.InferOutput<S>[] => {
    const result = v.safeParse(schema, item);
    return result.success ? [result.output] : [];
  });
}

const EventFile = v.object({
  id: orNull(Key),
  path: orNull(Path),
  relativePath: orNull(Path),
  previousPath: orNull(Path),
  previousRelativePath: orNull(Path),
  size: orNull(Bytes),
  quality: orNull(cleanText(100)),
});

/** A message of a webhook. Everything but its kind may be missing: each kind has its own, and versions differ. */
export const WebhookMessage = v.object({
  eventType: v.pipe(
    v.string(),
    v.minLength(1),
    v.transform((text) => text.slice(0, 100).toWellFormed().replaceAll('\0', '')),
  ),
  instanceName: orNull(cleanText(100)),
  movie: orNull(
    v.object({
      id: orNull(Key),
      tmdbId: orNull(Key),
      imdbId: orNull(ImdbId),
      title: orNull(cleanText(MAX_TEXT)),
      year: orNull(Year),
      folderPath: orNull(Path),
    }),
  ),
  movieFile: orNull(EventFile),
  renamedMovieFiles: listOf(EventFile),
  /** Files in a Download, a boolean in a MovieDelete. */
  deletedFiles: v.fallback(v.union([v.boolean(), listOf(EventFile)]), false),
  isUpgrade: orFalse,
  message: orNull(cleanText(MAX_TEXT)),
});
export type WebhookMessage = v.InferOutput<typeof WebhookMessage>;
