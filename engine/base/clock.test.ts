import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClock, systemClock } from './clock.ts';

describe('FakeClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new FakeClock(1_000);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
    await clock.advance(250);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_250, 250]);
  });

  it('runs timers in order of due time, and in order of creation when due together', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push(`late at ${clock.monotonicMs()}`));
    clock.after(10, () => seen.push(`first at ${clock.monotonicMs()}`));
    clock.after(10, () => seen.push(`second at ${clock.monotonicMs()}`));
    await clock.advance(20);
    expect(seen).toEqual(['first at 10', 'second at 10', 'late at 20']);
  });

  it('runs a timer that another one set, when both fall due', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    clock.after(10, () => clock.after(5, () => seen.push(clock.monotonicMs())));
    await clock.advance(100);
    expect(seen).toEqual([15]);
  });

  it('repeats until disposed', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const timer = clock.every(10, () => seen.push(clock.monotonicMs()));
    await clock.advance(35);
    timer[Symbol.dispose]();
    await clock.advance(100);
    expect(seen).toEqual([10, 20, 30]);
    expect(clock.pendingCount).toBe(0);
  });

  it('keeps durations when the calendar jumps', async () => {
    const clock = new FakeClock(0);
    let hasRun = false;
    clock.after(100, () => (hasRun = true));
    clock.jumpMs(-3_600_000);
    await clock.advance(99);
    expect([hasRun, clock.nowMs()]).toEqual([false, -3_599_901]);
    await clock.advance(1);
    expect(hasRun).toBe(true);
  });

  it('wakes a sleeper early with the reason of the abort, and forgets its timer', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleep = clock.sleep(1_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(sleep).rejects.toThrow('enough');
    await expect(clock.sleep(1_000, abort.signal)).rejects.toThrow('enough');
    expect(clock.pendingCount).toBe(0);
  });
});

describe('systemClock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('holds delays longer than 32 bits instead of firing at once', () => {
    const action = vi.fn();
    const days = 40;
    systemClock.after(days * 86_400_000, action);
    vi.advanceTimersByTime(days * 86_400_000 - 1);
    expect(action).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(action).toHaveBeenCalledOnce();
  });

  it('cancels what is disposed', () => {
    const action = vi.fn();
    systemClock.after(10, action)[Symbol.dispose]();
    systemClock.every(10, action)[Symbol.dispose]();
    vi.advanceTimersByTime(100);
    expect(action).not.toHaveBeenCalled();
  });
});
