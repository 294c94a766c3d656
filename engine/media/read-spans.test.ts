import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TO_THE_END_MS, areRead, inReadingOrder, parseReadSpans, printReadSpans } from './read-spans.ts';
import type { ReadSpan } from './read-spans.ts';

describe('how far subtitles were read', () => {
  it('is one span after the other, whatever their order', () => {
    const spans: ReadSpan[] = [
      [50_000, TO_THE_END_MS],
      [0, 20_000],
    ];
    expect(areRead(spans, 60_000, 62_000)).toBe(true);
    expect(areRead(spans, 49_999, 50_001)).toBe(false);
    expect(areRead(spans, 0, 20_000)).toBe(true);
    expect(areRead(spans, 19_000, 20_001)).toBe(false);
    expect(areRead([...spans, [20_000, 50_000]], 0, 90_000)).toBe(true);
    expect(areRead([], 0, 0)).toBe(false);
    expect(areRead([[0, 0]], 0, 0)).toBe(false);
  });

  it('says of each moment what the spans say', () => {
    const span = fc.tuple(fc.nat(50), fc.nat(50)).map(([a, b]): ReadSpan => [Math.min(a, b), Math.max(a, b)]);
    fc.assert(
      fc.property(fc.array(span), fc.nat(50), fc.integer({ min: 1, max: 20 }), (spans, from, length) => {
        const moments = Array.from({ length }, (_, at) => from + at);
        const isEach = moments.every((at) => spans.some(([a, b]) => a <= at && at < b));
        expect(areRead(spans, from, from + length)).toBe(isEach);
      }),
    );
  });

  it('is written and read as text, and nothing else is taken for it', () => {
    const spans: ReadSpan[] = [
      [0, 10],
      [20, TO_THE_END_MS],
    ];
    expect(parseReadSpans(printReadSpans(spans))).toEqual(spans);
    for (const text of ['', '[', '{}', '[[1]]', '[["a","b"]]', '[[1,null]]']) expect(parseReadSpans(text)).toEqual([]);
  });
});

describe('the order of reading', () => {
  const at = (timeTicks: number, durationTicks: number | null = 5) => ({ timeTicks, durationTicks });
  const places = [at(0, 100), at(10), at(20, null), at(38), at(40), at(50)];

  it('[PLAY53] begins where somebody watches, and with what began before and still shows', () => {
    const { first, later } = inReadingOrder(places, 40, true);
    expect(first.map(({ timeTicks }) => timeTicks)).toEqual([0, 38, 40, 50]);
    expect(later.map(({ timeTicks }) => timeTicks)).toEqual([10, 20]);
  });

  it('[PLAY53] is that of time where nothing shows for long, or one watches from the beginning', () => {
    expect(inReadingOrder(places, 40, false).first.map(({ timeTicks }) => timeTicks)).toEqual([40, 50]);
    expect(inReadingOrder(places, 0, true)).toEqual({ first: places, later: [] });
  });
});
