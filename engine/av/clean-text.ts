/** Text that a file carries, made safe to store and to show. */

/** `ShortText` of the protocol. */
const MAX_LENGTH = 500;
/** Control characters, and the bidirectional overrides that can make a title display as something else. */
const UNWANTED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** `null` for what is absent or has nothing left in it. */
export function cleanText(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null;
  let clean = text
    .slice(0, MAX_LENGTH * 4)
    .replaceAll(UNWANTED, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
  if (clean.length > MAX_LENGTH) clean = clean.slice(0, MAX_LENGTH).trimEnd();
  clean = clean.toWellFormed();
  return clean === '' ? null : clean;
}
