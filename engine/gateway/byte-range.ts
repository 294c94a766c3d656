/** Which bytes of a file a `Range` header asks for (RFC 9110, section 14). Pure. */

/** Both ends included, as in `Content-Range`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type RangeRequest =
  /** No range, one in another unit, one that can't be read, or more than anyone needs: the whole file [RANGE2]. */
  | { readonly kind: 'whole' }
  /** One or more ranges, none empty, in the order asked for, joined where they touch [RANGE4]. */
  | { readonly kind: 'ranges'; readonly ranges: readonly ByteRange[] }
  /** Understood, but nothing of the file lies inside [RANGE3]. */
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeRequest = { kind: 'whole' };

/** More than this many ranges in one header is no reader but an attack (section 14.2), and gets the whole file. */
const MAX_RANGES = 16;
/** Joined when the bytes between two ranges are fewer than the head of another part would cost (section 15.3.7). */
const GAP_BYTES = 80;

/** Reads the value of a `Range` header for a file of `sizeBytes`. */
export function parseRange(header: string | undefined, sizeBytes: number): RangeRequest {
  const set = /^\s*bytes\s*=(.*)$/is.exec(header ?? '')?.[1];
  if (set === undefined || set.length > 1_024) return WHOLE;
  const specs = set.split(',').map((spec) => spec.trim());
  if (specs.length > MAX_RANGES) return WHOLE;

  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    // An empty element between commas is allowed by the list syntax (section 5.6.1.2).
    if (spec === '' && specs.length > 1) continue;
    const match = /^(\d*)-(\d*)$/.exec(spec);
    if (!match || (match[1] === '' && match[2] === '')) return WHOLE;
    const [, first = '', last = ''] = match;
    // Numbers beyond 2^53 lose digits, but stay larger than any file, which is all that counts.
    if (first !== '' && last !== '' && Number(last) < Number(first)) return WHOLE;
    const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
    const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
    if (start <= end) ranges.push({ start, end });
  }
  return ranges.length > 0 ? { kind: 'ranges', ranges: coalesce(ranges) } : { kind: 'unsatisfiable' };
}

/** Joins ranges that overlap or nearly touch. Ranges that are far apart keep the order in which they were asked for. */
function coalesce(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const joined: ByteRange[] = [];
  for (let range of ranges) {
    for (let index = joined.length - 1; index >= 0; index--) {
      const other = joined[index]!;
      if (range.start > other.end + GAP_BYTES || other.start > range.end + GAP_BYTES) continue;
      range = { start: Math.min(range.start, other.start), end: Math.max(range.end, other.end) };
      joined.splice(index, 1);
      // What grew may touch one that was passed already.
      index = joined.length;
    }
    joined.push(range);
  }
  return joined;
}
