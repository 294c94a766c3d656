/** Whether a conditional request goes on, and how (RFC 9110, section 13). Pure. */

export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

type Headers = Readonly<Record<string, string | undefined>>;

/**
 * What the conditions of a GET or HEAD come to, in the order of section 13.2.2: 412, 304, or `null` to go on. Dates that
 * can't be read are ignored, as are the date conditions where an entity tag stands beside them.
 */
export function judgePreconditions(headers: Headers, current: Validators): 304 | 412 | null {
  const ifMatch = headers['if-match'];
  const ifUnmodifiedSince = parseHttpDate(headers['if-unmodified-since']);
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, current.etag, 'strong')) return 412;
  } else if (ifUnmodifiedSince !== null && wholeSecondsMs(current.modifiedMs) > ifUnmodifiedSince) {
    return 412;
  }
  const ifNoneMatch = headers['if-none-match'];
  const ifModifiedSince = parseHttpDate(headers['if-modified-since']);
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, current.etag, 'weak')) return 304;
  } else if (ifModifiedSince !== null && wholeSecondsMs(current.modifiedMs) <= ifModifiedSince) {
    return 304;
  }
  return null;
}

/**
 * Whether a `Range` may be honoured: no `If-Range`, or one that proves the client's bytes are of this very file (section
 * 13.1.5). A weak tag never does; a date does when it is exactly ours and at least a second old, since two changes inside
 * one second share a date.
 */
export function allowsRange(ifRange: string | undefined, current: Validators, nowMs: number): boolean {
  if (ifRange === undefined) return true;
  const text = ifRange.trim();
  if (text.startsWith('"') || text.startsWith('W/')) return text === current.etag;
  const date = parseHttpDate(text);
  return date !== null && date === wholeSecondsMs(current.modifiedMs) && nowMs - current.modifiedMs >= 1_000;
}

/** `*`, or a list of tags. Strong comparison never matches a weak tag; weak comparison looks at the quoted part only. */
function matches(list: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  for (const [, weak, tag] of list.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag === etag && (weak === undefined || comparison === 'weak')) return true;
  }
  return false;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** All three forms that a date may have (section 5.6.7), as milliseconds since 1970; `null` for anything else. */
export function parseHttpDate(text: string | undefined): number | null {
  if (text === undefined) return null;
  const current = /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/.exec(text);
  if (current) return toMs(current[3]!, current[2]!, current[1]!, current.slice(4));
  const rfc850 = /^\w{6,9}, (\d\d)-(\w{3})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/.exec(text);
  if (rfc850) {
    // Two digits of a year lie at most 50 years ahead.
    const century = Math.floor(new Date().getUTCFullYear() / 100) * 100;
    const year = century + Number(rfc850[3]);
    return toMs(
      String(year > new Date().getUTCFullYear() + 50 ? year - 100 : year),
      rfc850[2]!,
      rfc850[1]!,
      rfc850.slice(4),
    );
  }
  const asctime = /^\w{3} (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/.exec(text);
  return asctime ? toMs(asctime[6]!, asctime[1]!, asctime[2]!, asctime.slice(3, 6)) : null;
}

function toMs(year: string, month: string, day: string, time: readonly string[]): number | null {
  const monthIndex = MONTHS.indexOf(month);
  if (monthIndex < 0) return null;
  const [hours = 0, minutes = 0, seconds = 0] = time.map(Number);
  return Date.UTC(Number(year), monthIndex, Number(day), hours, minutes, seconds);
}

const wholeSecondsMs = (ms: number): number => Math.floor(ms / 1_000) * 1_000;
