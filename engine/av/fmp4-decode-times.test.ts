import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTimes, fromTheBeginning } from './fmp4-decode-times.ts';
import type { TimedPacket } from './fmp4-decode-times.ts';

describe('the beginning of a movie [COPY8]', () => {
  const packet = {} as TimedPacket['packet'];
  const times = (ticks: readonly number[], start: number): number[] =>
    fromTheBeginning(
      ticks.map((each) => ({ packet, ticks: each })),
      start,
    ).map((each) => each.ticks);

  it('has the earliest picture, which may not be the first that is decoded, and nothing else is moved', () => {
    expect(times([83, 208, 125, 166], 0)).toEqual([0, 208, 125, 166]);
    expect(times([208, 83, 125, 250], 40)).toEqual([208, 40, 125, 250]);
  });

  it('is left alone where a picture is there already', () => {
    expect(times([0, 125, 42], 0)).toEqual([0, 125, 42]);
    expect(times([42, -42, 0], 0)).toEqual([42, -42, 0]);
  });
});

const inDisplayOrder = (times: readonly number[]): number[] => times.toSorted((a, b) => a - b);

describe('decode times [SEG3]', () => {
  it('are the presentation times in order, less the delay', () => {
    const { decoded, presented } = decodeTimes([0, 3, 1, 2, 6, 4, 5], 2);
    expect(decoded).toEqual([-2, -1, 0, 1, 2, 3, 4]);
    expect(presented).toEqual([0, 3, 1, 2, 6, 4, 5]);
  });

  it('are the same whether a segment is stamped alone or the one before it is known', () => {
    const first = [0, 3, 1, 2];
    const second = [4, 7, 5, 6];
    const together = decodeTimes([...first, ...second], 2).decoded;
    expect([...decodeTimes(first, 2).decoded, ...decodeTimes(second, 2).decoded]).toEqual(together);
  });

  it('yield to a packet that is reordered further than the delay', () => {
    const { decoded } = decodeTimes([0, 50, 40, 30, 20, 10], 10);
    expect(decoded.at(-1)).toBe(10);
    [0, 50, 40, 30, 20, 10].forEach((shown, index) => expect(decoded[index]).toBeLessThanOrEqual(shown));
    expect(decoded).toEqual(inDisplayOrder(decoded));
  });

  it('tell equal presentation times apart', () => {
    expect(decodeTimes([5, 5, 5], 0)).toEqual({ presented: [5, 6, 7], decoded: [5, 6, 7] });
  });

  it('leave no sample that lasts into the next segment, where rounding would make it so', () => {
    // Thirty a second in milliseconds: the last picture shown is decoded before the one that precedes it.
    const shown = [0, 100, 33, 67, 200, 133, 167, 267, 233];
    const { decoded } = decodeTimes(shown, 33, 300);
    shown
      .slice(0, -1)
      .forEach((us, index) => expect(us + decoded[index + 1]! - decoded[index]!).toBeLessThanOrEqual(300));
  });

  it('leave none whatever the times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 2, maxLength: 60 }),
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 1, max: 300 }),
        (shown, delay, gap) => {
          const next = Math.max(...decodeTimes(shown, delay).presented) + gap;
          const { decoded, presented } = decodeTimes(shown, delay, next);
          decoded.forEach((time, index) => {
            expect(time).toBeLessThanOrEqual(presented[index]!);
            if (index === 0) return;
            expect(time).toBeGreaterThan(decoded[index - 1]!);
            expect(presented[index - 1]! + time - decoded[index - 1]!).toBeLessThanOrEqual(next);
          });
        },
      ),
    );
  });

  it('rise and never pass the presentation time, whatever the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 100_000 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 500 }),
        (shown, delay) => {
          const { decoded, presented } = decodeTimes(shown, delay);
          expect(new Set(presented).size).toBe(shown.length);
          decoded.forEach((time, index) => {
            expect(time).toBeLessThanOrEqual(presented[index]!);
            if (index > 0) expect(time).toBeGreaterThan(decoded[index - 1]!);
          });
        },
      ),
    );
  });
});
