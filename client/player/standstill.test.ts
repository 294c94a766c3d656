import { describe, expect, it } from 'vitest';
import { Standstill } from './standstill.ts';
import type { StandstillStep } from './standstill.ts';

/** Looks once a second for so long, and tells which step was due when, in seconds. */
function watch(
  lengthS: number,
  at: (second: number) => { isWaiting?: boolean; arrivedBytes?: number; nowMs?: number },
): [number, StandstillStep][] {
  const standstill = new Standstill();
  const steps: [number, StandstillStep][] = [];
  for (let second = 0; second <= lengthS; second++) {
    const { isWaiting = true, arrivedBytes = 0, nowMs = second * 1_000 } = at(second);
    const step = standstill.add({ nowMs, isWaiting, arrivedBytes });
    if (step !== null) steps.push([second, step]);
  }
  return steps;
}

describe('a movie that stands still', () => {
  it('[PLAY35] is helped step by step, and at last given up', () => {
    expect(watch(200, () => ({}))).toEqual([
      [15, 'restart'],
      [32, 'reopen'],
      [50, 'soften'],
      [75, 'giveUp'],
    ]);
  });

  it('[PLAY35] is left alone while it plays', () => {
    expect(watch(200, () => ({ isWaiting: false }))).toEqual([]);
    expect(watch(200, (second) => ({ isWaiting: second % 14 !== 13 }))).toEqual([]);
  });

  it('[PLAY35] begins anew when it has played in between', () => {
    expect(watch(60, (second) => ({ isWaiting: second !== 20 }))).toEqual([
      [15, 'restart'],
      [35, 'restart'],
      [52, 'reopen'],
    ]);
  });

  it('[PLAY35] has more time while something arrives, and yet not for ever', () => {
    const slow = watch(400, (second) => ({ arrivedBytes: second * 10_000 }));
    expect(slow.map(([, step]) => step)).toEqual(['restart', 'reopen', 'soften', 'giveUp']);
    expect(slow.map(([second]) => second)).toEqual([45, 96, 150, 225]);
  });

  it('[PLAY35] is not helped by a few bytes of what was opened anew', () => {
    // Each attempt brings the same beginning, and no more.
    const again = watch(120, (second) => ({ arrivedBytes: second < 32 ? 500 : second < 50 ? 600 : 700 }));
    expect(again.map(([, step]) => step)).toEqual(['restart', 'reopen', 'soften', 'giveUp']);
  });

  it('[PLAY35] does not count the time in which the page slept', () => {
    expect(watch(10, (second) => ({ nowMs: second < 5 ? second * 1_000 : 3_600_000 + second * 1_000 }))).toEqual([]);
  });
});
