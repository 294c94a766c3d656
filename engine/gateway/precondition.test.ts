import { describe, expect, it } from 'vitest';
import { allowsRange, judgePreconditions, parseHttpDate } from './precondition.ts';

const modifiedMs = Date.UTC(2026, 4, 6, 7, 8, 9, 250);
const current = { etag: '"now"', modifiedMs };
const date = 'Wed, 06 May 2026 07:08:09 GMT';
const before = 'Wed, 06 May 2026 07:08:08 GMT';
const after = 'Wed, 06 May 2026 07:08:10 GMT';

describe('preconditions (RFC 9110, section 13)', () => {
  it.each<[Record<string, string>, 304 | 412 | null]>([
    [{}, null],
    [{ 'if-match': '"now"' }, null],
    [{ 'if-match': '*' }, null],
    [{ 'if-match': '"a", "now"' }, null],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-match': 'W/"now"' }, 412],
    [{ 'if-match': '' }, 412],
    [{ 'if-unmodified-since': date }, null],
    [{ 'if-unmodified-since': after }, null],
    [{ 'if-unmodified-since': before }, 412],
    [{ 'if-unmodified-since': 'yesterday' }, null],
    [{ 'if-match': '"now"', 'if-unmodified-since': before }, null],
    [{ 'if-none-match': '"now"' }, 304],
    [{ 'if-none-match': 'W/"now"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"a" , W/"b","now"' }, 304],
    [{ 'if-none-match': '"other"' }, null],
    [{ 'if-none-match': 'now' }, null],
    [{ 'if-modified-since': date }, 304],
    [{ 'if-modified-since': after }, 304],
    [{ 'if-modified-since': before }, null],
    [{ 'if-modified-since': 'never' }, null],
    [{ 'if-none-match': '"other"', 'if-modified-since': after }, null],
    [{ 'if-match': '"other"', 'if-none-match': '"now"' }, 412],
    [{ 'if-unmodified-since': before, 'if-none-match': '"now"' }, 412],
    [{ 'if-match': '"now"', 'if-none-match': '"now"' }, 304],
  ])('[RANGE5] %j', (headers, expected) => {
    expect(judgePreconditions(headers, current)).toBe(expected);
  });

  it.each<[string | undefined, boolean]>([
    [undefined, true],
    ['"now"', true],
    ['"other"', false],
    ['W/"now"', false],
    ['"now", "other"', false],
    [date, true],
    [before, false],
    [after, false],
    ['Sat, 01 Jan 2000 00:00:00 GMT', false],
    ['now', false],
  ])('[RANGE6] If-Range %s', (header, expected) => {
    expect(allowsRange(header, current, modifiedMs + 10_000)).toBe(expected);
  });

  it('[RANGE6] a date proves nothing while the file may still change within the same second', () => {
    expect(allowsRange(date, current, modifiedMs + 500)).toBe(false);
  });

  it('reads all three forms of a date (section 5.6.7)', () => {
    const expected = Date.UTC(1994, 10, 6, 8, 49, 37);
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(expected);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBe(expected);
    expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).toBe(expected);
    for (const text of ['', '1994-11-06', 'Sun, 06 Xxx 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 08:49:37 CET']) {
      expect(parseHttpDate(text)).toBeNull();
    }
  });
});
