import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange, type RangeRequest } from './byte-range.ts';

const whole: RangeRequest = { kind: 'whole' };
const none: RangeRequest = { kind: 'unsatisfiable' };
const ranges = (...pairs: [number, number][]): RangeRequest => ({
  kind: 'ranges',
  ranges: pairs.map(([start, end]) => ({ start, end })),
});

describe('Range (RFC 9110, section 14)', () => {
  it.each<[string | undefined, RangeRequest]>([
    [undefined, whole],
    ['', whole],
    ['bytes=0-0', ranges([0, 0])],
    ['bytes=0-499', ranges([0, 499])],
    ['bytes=500-', ranges([500, 999])],
    ['bytes=-500', ranges([500, 999])],
    ['bytes=-1', ranges([999, 999])],
    ['bytes=999-', ranges([999, 999])],
    ['bytes=900-5000', ranges([900, 999])],
    ['bytes=-5000', ranges([0, 999])],
    ['bytes=0-18446744073709551616', ranges([0, 999])],
    ['bytes=000-0009', ranges([0, 9])],
    ['Bytes=0-4', ranges([0, 4])],
    ['BYTES=0-4', ranges([0, 4])],
    ['bytes= 0-4', ranges([0, 4])],
    ['bytes=0-4 ', ranges([0, 4])],
    ['bytes =0-4', ranges([0, 4])],
    ['bytes=0-4,', ranges([0, 4])],
    ['bytes=,0-4', ranges([0, 4])],
  ])('[RANGE1] %s', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it.each([
    'bytes=-',
    'bytes=--5',
    'bytes=5',
    'bytes=a-b',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=4-2',
    'bytes=0-4,4-2',
    'bytes=0-4;5-9',
    'bytes=+1-2',
    'bytes=0 - 4',
    'items=0-5',
    'bytes',
    'bytes 0-4',
    `bytes=${'0-1,'.repeat(300)}0-1`,
    `bytes=${Array.from({ length: 17 }, (_, i) => `${i * 50}-${i * 50}`).join(',')}`,
  ])('[RANGE2] %s is not understood, so the whole file is sent', (header) => {
    expect(parseRange(header, 1000)).toEqual(whole);
  });

  it.each(['bytes=1000-', 'bytes=1000-2000', 'bytes=-0', 'bytes=5000-6000,-0'])(
    '[RANGE3] %s lies outside',
    (header) => {
      expect(parseRange(header, 1000)).toEqual(none);
    },
  );

  it.each(['bytes=0-', 'bytes=0-0', 'bytes=-1'])('[RANGE3] %s of an empty file', (header) => {
    expect(parseRange(header, 0)).toEqual(none);
  });

  it.each<[string, RangeRequest]>([
    ['bytes=0-9,500-509', ranges([0, 9], [500, 509])],
    ['bytes=500-509,0-9', ranges([500, 509], [0, 9])],
    ['bytes=0-9,20-29', ranges([0, 29])],
    ['bytes=0-9,5-14', ranges([0, 14])],
    ['bytes=0-99,50-59', ranges([0, 99])],
    ['bytes=0-9,1000-,500-509', ranges([0, 9], [500, 509])],
    ['bytes=0-9,400-409,200-209,90-320', ranges([0, 9], [90, 409])],
    ['bytes=0-,0-,0-,0-', ranges([0, 999])],
    ['bytes=-1,0-0', ranges([999, 999], [0, 0])],
  ])('[RANGE4] %s', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it('[RANGE3] beyond 4 GiB', () => {
    expect(parseRange('bytes=4294967296-', 5 * 2 ** 30)).toEqual(ranges([2 ** 32, 5 * 2 ** 30 - 1]));
  });

  it('[RANGE4] never leaves the file, never overlaps, never sends more than the file', () => {
    const spec = fc.tuple(fc.option(fc.nat(3000)), fc.option(fc.nat(3000))).map(([a, b]) => `${a ?? ''}-${b ?? ''}`);
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 18 }), fc.nat(2000), (specs, size) => {
        const asked = parseRange(`bytes=${specs.join(',')}`, size);
        if (asked.kind !== 'ranges') return;
        const sorted = asked.ranges.toSorted((a, b) => a.start - b.start);
        for (const [index, { start, end }] of sorted.entries()) {
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBeLessThan(size);
          if (index > 0) expect(start).toBeGreaterThan(sorted[index - 1]!.end);
        }
      }),
    );
  });
});
