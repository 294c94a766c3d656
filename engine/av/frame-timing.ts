/** Frame rate from the times of a few pictures. */
import type { Ratio } from '#protocol/schema/media.ts';
import { isVariable } from './mp4-samples.ts';

/**
 * Pictures at either end of a window whose neighbours may lie outside it: packets come in decoding order, and B pictures
 * reach a few pictures back and ahead.
 */
const REORDER_MARGIN = 4;
const STANDARD_RATES: readonly Ratio[] = [
  { num: 24000, den: 1001 },
  { num: 24, den: 1 },
  { num: 25, den: 1 },
  { num: 30000, den: 1001 },
  { num: 30, den: 1 },
  { num: 48000, den: 1001 },
  { num: 48, den: 1 },
  { num: 50, den: 1 },
  { num: 60000, den: 1001 },
  { num: 60, den: 1 },
  { num: 15, den: 1 },
  { num: 12, den: 1 },
  { num: 10, den: 1 },
  { num: 100, den: 1 },
  { num: 120000, den: 1001 },
  { num: 120, den: 1 },
];

export interface FrameTiming {
  /** `null`: too few pictures. */
  readonly framesPerSecond: number | null;
  readonly isVariable: boolean;
}

/** `windows` hold times of pictures that follow each other, in any order and any unit of which `ticksPerSecond` make a second. */
export function frameTiming(windows: readonly (readonly number[])[], ticksPerSecond: number): FrameTiming {
  const counts = new Map<number, number>();
  let total = 0;
  let span = 0;
  const windowRates: number[] = [];
  for (const window of windows) {
    const sorted = [...new Set(window)].toSorted((a, b) => a - b);
    const margin = sorted.length >= 4 * REORDER_MARGIN ? REORDER_MARGIN : 0;
    const times = sorted.slice(margin, sorted.length - margin);
    const [first, last] = [times[0], times.at(-1)];
    if (first === undefined || last === undefined || times.length < 4) continue;
    for (let i = 1; i < times.length; i += 1) {
      const duration = (times[i] ?? 0) - (times[i - 1] ?? 0);
      counts.set(duration, (counts.get(duration) ?? 0) + 1);
    }
    total += times.length - 1;
    span += last - first;
    windowRates.push((times.length - 1) / (last - first));
  }
  if (total === 0 || span === 0) return { framesPerSecond: null, isVariable: false };
  const differs = Math.max(...windowRates) > Math.min(...windowRates) * 1.1;
  return { framesPerSecond: (total / span) * ticksPerSecond, isVariable: differs || isVariable(counts, total, 1) };
}

/** The standard rate within a hundredth, else thousandths of a frame per second. */
export function toFrameRate(framesPerSecond: number): Ratio | null {
  if (!Number.isFinite(framesPerSecond) || framesPerSecond <= 0 || framesPerSecond > 1000) return null;
  let best: Ratio | null = null;
  let bestError = 0.01;
  for (const rate of STANDARD_RATES) {
    const error = Math.abs(framesPerSecond / (rate.num / rate.den) - 1);
    if (error < bestError) [best, bestError] = [rate, error];
  }
  return best ?? { num: Math.round(framesPerSecond * 1000), den: 1000 };
}
