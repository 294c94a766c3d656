import { describe, expect, it } from 'vitest';
import { MAX_CHAPTERS, toChapters } from './chapters.ts';
import { cleanText } from './clean-text.ts';
import { frameTiming, toFrameRate } from './frame-timing.ts';

describe('text from files', () => {
  it('loses control characters, overrides and what is too long', () => {
    expect(cleanText('a\u0000b\u001b[31mc\n\td')).toBe('a b [31mc d');
    expect(cleanText('safe \u202egpj.exe')).toBe('safe gpj.exe');
    expect(cleanText('x'.repeat(10_000))).toHaveLength(500);
    expect(cleanText(`${'x'.repeat(499)}😀`)?.isWellFormed()).toBe(true);
    expect(cleanText(' \u0007 ')).toBeNull();
    expect(cleanText(undefined)).toBeNull();
  });
});

describe('chapters', () => {
  const raw = (startUs: number, endUs: number | null = null, title: string | null = null) => ({
    startUs,
    endUs,
    title,
  });

  it("are ordered, ended by the next one or the movie, and moved to the movie's beginning", () => {
    const chapters = toChapters([raw(7e6), raw(1e6, null, 'One'), raw(3e6, 4e6)], { startUs: 1e6, durationMs: 10_000 });
    expect(chapters).toEqual([
      { startMs: 0, endMs: 2000, title: 'One' },
      { startMs: 2000, endMs: 3000, title: null },
      { startMs: 6000, endMs: 10_000, title: null },
    ]);
  });

  it('drop false claims', () => {
    const frame = { startUs: 0, durationMs: 1000 };
    expect(toChapters([raw(5e6), raw(Number.NaN), raw(Infinity)], frame)).toEqual([]);
    expect(toChapters([raw(500_000, 1e15)], frame)).toEqual([{ startMs: 500, endMs: 1000, title: null }]);
    const many = Array.from({ length: 5000 }, (_, i) => raw(i * 1000));
    expect(toChapters(many, { startUs: 0, durationMs: null })).toHaveLength(MAX_CHAPTERS);
  });
});

describe('frame timing', () => {
  const times = (count: number, step: (i: number) => number): number[] => {
    const list = [0];
    for (let i = 1; i < count; i += 1) list.push((list[i - 1] ?? 0) + step(i));
    return list;
  };

  it('takes milliseconds of 23.976 for constant, in any order', () => {
    const list = Array.from({ length: 60 }, (_, i) => Math.round((i * 1001) / 24));
    const timing = frameTiming([list.toReversed()], 1000);
    expect(timing.isVariable).toBe(false);
    expect(toFrameRate(timing.framesPerSecond ?? 0)).toEqual({ num: 24000, den: 1001 });
  });

  it('sees rates that change within a window or between two', () => {
    expect(frameTiming([times(60, (i) => (i % 10 < 5 ? 33 : 83))], 1000).isVariable).toBe(true);
    expect(frameTiming([times(40, () => 33), times(40, () => 42)], 1000).isVariable).toBe(true);
    expect(frameTiming([times(40, () => 33), times(40, () => 34)], 1000).isVariable).toBe(false);
  });

  it('forgives one gap and says nothing about too few pictures', () => {
    expect(frameTiming([times(60, (i) => (i === 30 ? 500 : 40))], 1000).isVariable).toBe(false);
    expect(frameTiming([[0, 40]], 1000)).toEqual({ framesPerSecond: null, isVariable: false });
  });

  it('names standard rates exactly and keeps others', () => {
    expect(toFrameRate(29.969)).toEqual({ num: 30000, den: 1001 });
    expect(toFrameRate(21.14)).toEqual({ num: 21_140, den: 1000 });
    expect(toFrameRate(0)).toBeNull();
    expect(toFrameRate(Infinity)).toBeNull();
    expect(toFrameRate(1e9)).toBeNull();
  });
});
