/** The small pieces that every other schema is made of. */
import * as v from 'valibot';

/** A UUID in its canonical lower-case form. Matinee makes version 7 only (RFC 9562), so ids sort by age. */
export const Id = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'must be a UUID'),
);
export type Id = v.InferOutput<typeof Id>;

/** A whole number from 0 to 2^53 - 1: the range that JSON and JavaScript carry without loss. */
export const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A length of time or a position in a movie, in whole milliseconds. */
export const Milliseconds = Count;

/** An instant as milliseconds since 1970-01-01T00:00:00Z, by the server's clock. */
export const Timestamp = Count;

/** Text that a person typed or a file carried: bounded, otherwise free. */
export const ShortText = v.pipe(v.string(), v.maxLength(500));

/** A BCP 47 language tag such as `en` or `pt-BR`; `null` where a track does not say. */
export const LanguageTag = v.nullable(v.pipe(v.string(), v.maxLength(35)));
