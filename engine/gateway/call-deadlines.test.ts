import { describe, expect, it } from 'vitest';
import { FakeClock, type Clock } from '#engine/base/clock.ts';
import { CallDeadlines, type Expiring } from './call-deadlines.ts';

function start(clock: FakeClock = new FakeClock(), seen: Clock = clock) {
  const deadlines = new CallDeadlines(seen);
  const ended: [name: string, atMs: number][] = [];
  const add = (name: string, durationMs: number, onDue = () => {}): Expiring => {
    const call: Expiring = {
      expire() {
        ended.push([name, clock.monotonicMs()]);
        onDue();
      },
      previousDue: null,
      nextDue: null,
      dueTimer: null,
    };
    deadlines.add(call, durationMs, seen.monotonicMs());
    return call;
  };
  return { clock, deadlines, ended, add, names: () => ended.map(([name]) => name) };
}

describe('deadlines of calls [WIRE8]', () => {
  it('end never early, short ones to the millisecond, long ones within two tenths of a second', async () => {
    const { clock, ended, add, names } = start();
    await clock.advance(37);
    const beganMs = new Map<string, number>();
    for (const durationMs of [1, 20, 999, 1_000, 1_001, 1_063, 15_000, 90_000]) {
      beganMs.set(String(durationMs), clock.monotonicMs());
      add(String(durationMs), durationMs);
      await clock.advance(13);
    }
    await clock.advance(100_000);
    expect(names()).toEqual(['1', '20', '999', '1000', '1001', '1063', '15000', '90000']);
    for (const [name, atMs] of ended) {
      const lateMs = atMs - beganMs.get(name)! - Number(name);
      expect(lateMs, name).toBeGreaterThanOrEqual(0);
      expect(lateMs, name).toBeLessThanOrEqual(Number(name) < 1_000 ? 0 : 200);
    }
  });

  it.each([20, 5_000])('of %i ms that were removed never end, wherever they stand among others', async (durationMs) => {
    const { clock, deadlines, add, names } = start();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => add(name, durationMs));
    for (const index of [0, 2, 4, 4]) deadlines.remove(all[index]!);
    await clock.advance(6_000);
    expect(names()).toEqual(['b', 'd']);
    deadlines.remove(all[1]!);
  });

  it('may be removed and added while one ends', async () => {
    const { clock, deadlines, add, names } = start();
    add('a', 2_000, () => {
      deadlines.remove(b);
      add('c', 1_000);
    });
    const b = add('b', 2_000);
    await clock.advance(4_000);
    expect(names()).toEqual(['a', 'c']);
  });

  it('are late, not lost, where the process stood still', async () => {
    const clock = new FakeClock();
    let stoodStillMs = 0;
    const behind = Object.create(clock, {
      monotonicMs: { value: () => clock.monotonicMs() + stoodStillMs },
      every: { value: clock.every.bind(clock) },
    }) as Clock;
    const { add, names } = start(clock, behind);
    add('a', 1_500);
    add('b', 30_000);
    add('c', 90_000);
    stoodStillMs = 60_000;
    await clock.advance(100);
    expect(names()).toEqual(['a', 'b']);
    await clock.advance(30_200);
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  it('leave no timer behind', async () => {
    const { clock, deadlines, add } = start();
    for (let index = 0; index < 1_000; index++) deadlines.remove(add('a', 15_000));
    expect(clock.pendingCount).toBe(1);
    await clock.advance(16_000);
    expect(clock.pendingCount).toBe(0);
    add('b', 15_000);
    deadlines[Symbol.dispose]();
    expect(clock.pendingCount).toBe(0);
  });
});
