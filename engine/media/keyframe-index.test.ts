import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKeyframeBytes, decodeKeyframes, encodeKeyframes } from './keyframe-index.ts';

describe('the stored keyframe index', () => {
  it('comes back as it went in: sorted, each time once', () => {
    const times = fc.array(fc.oneof(fc.nat({ max: 2_000_000 }), fc.maxSafeNat()), { maxLength: 300 });
    fc.assert(
      fc.property(times, (timesUs) => {
        const expected = [...new Set(timesUs)].toSorted((a, b) => a - b);
        expect([...decodeKeyframes(encodeKeyframes(timesUs))]).toEqual(expected);
      }),
    );
  });

  it.each<[string, number[], number[]]>([
    ['nothing', [], []],
    ['only the start', [0], [0]],
    ['a first keyframe after the start', [83_333], [83_333]],
    ['times before the start, which become the start', [-500_000, -1, 0, 40_000], [0, 40_000]],
    ['fractions of a microsecond', [0, 41_708.33, 83_416.67], [0, 41_708, 83_417]],
  ])('stores %s', (_what, timesUs, expected) => {
    expect([...decodeKeyframes(encodeKeyframes(timesUs))]).toEqual(expected);
  });

  it('takes three to four bytes for a keyframe every two seconds', () => {
    const bytes = encodeKeyframes(Float64Array.from({ length: 3_600 }, (_, index) => index * 2_002_000));
    expect(bytes.length).toBe(1 + 3_599 * 3);
  });

  it.each<[string, number[]]>([
    ['not a number', [Number.NaN]],
    ['endless', [Number.POSITIVE_INFINITY]],
    ['beyond 2^53', [2 ** 60]],
  ])('refuses a time that is %s', (_what, timesUs) => {
    expect(() => encodeKeyframes(timesUs)).toThrow(RangeError);
  });

  it('refuses more times than a movie can have', () => {
    expect(() => encodeKeyframes({ length: 6_000_000 })).toThrow('more than a movie has');
  });

  it.each<[string, number[]]>([
    ['cut off', [0x00, 0x80]],
    ['of endless length', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['that repeats a time', [0x05, 0x00]],
    ['beyond 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('refuses stored bytes with a time %s', (_what, bytes) => {
    expect(() => decodeKeyframes(Uint8Array.from(bytes))).toThrow(RangeError);
  });

  it('never fails in any other way on foreign bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        let timesUs: number[];
        try {
          timesUs = [...decodeKeyframes(bytes)];
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(timesUs).toEqual(timesUs.toSorted((a, b) => a - b));
      }),
    );
  });

  it('keeps how many bytes follow each, with its time', () => {
    const entries = fc.array(fc.tuple(fc.nat({ max: 10_000_000 }), fc.nat({ max: 2 ** 40 })), { maxLength: 200 });
    fc.assert(
      fc.property(entries, (pairs) => {
        const packed = encodeKeyframes(
          pairs.map(([timeUs]) => timeUs),
          pairs.map(([, size]) => size),
        );
        const byTime = new Map<number, number>();
        for (const [timeUs, size] of pairs) byTime.set(timeUs, (byTime.get(timeUs) ?? 0) + size);
        const expected = [...byTime].toSorted(([a], [b]) => a - b);
        const sizes = decodeKeyframeBytes(packed)!;
        expect([...decodeKeyframes(packed)].map((timeUs, index) => [timeUs, sizes[index]])).toEqual(expected);
      }),
    );
  });

  it('knows no sizes where none were stored, or where they do not belong to the times', () => {
    expect(decodeKeyframeBytes(encodeKeyframes([0, 40_000]))).toBeNull();
    expect(decodeKeyframeBytes(encodeKeyframes([0, 40_000], [7]))).toBeNull();
  });

  it('refuses sizes that are not as many as the times', () => {
    const packed = encodeKeyframes([0, 40_000], [7, 8]);
    expect(() => decodeKeyframes(packed.subarray(0, -1))).toThrow('not as many as their times');
    expect(() => encodeKeyframes([0], [-1])).toThrow(RangeError);
  });
});
