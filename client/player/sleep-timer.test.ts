import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SleepTimer } from './sleep-timer.ts';

describe('the sleep timer', () => {
  let positionMs: number;
  let pauses: number;
  let timer: SleepTimer;
  const chapterEnds = [60_000, 120_000];

  beforeEach(() => {
    vi.useFakeTimers();
    positionMs = 0;
    pauses = 0;
    timer = new SleepTimer({
      positionMs: () => positionMs,
      rate: () => 1,
      chapterEndMs: (ms) => chapterEnds.find((end) => end > ms) ?? null,
      pause: () => {
        pauses += 1;
      },
      now: () => Date.now(),
    });
  });
  afterEach(() => {
    timer.dispose();
    vi.useRealTimers();
  });

  it('[PLAY93] pauses after its minutes, with the sound fading out first, and is off then', () => {
    timer.choose({ kind: 'after', minutes: 15 });
    vi.advanceTimersByTime(15 * 60_000 - 8_500);
    expect(timer.loudness.value).toBe(1);
    vi.advanceTimersByTime(4_500);
    expect(timer.loudness.value).toBeCloseTo(0.5);
    expect(pauses).toBe(0);
    vi.advanceTimersByTime(4_000);
    expect(pauses).toBe(1);
    expect(timer.choice.value).toBeNull();
    expect(timer.loudness.value).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(pauses).toBe(1);
  });

  it('[PLAY93] chosen anew while it fades it begins anew, as loud as before', () => {
    timer.choose({ kind: 'after', minutes: 15 });
    vi.advanceTimersByTime(15 * 60_000 - 2_000);
    expect(timer.loudness.value).toBeLessThan(1);
    timer.choose({ kind: 'after', minutes: 15 });
    expect(timer.loudness.value).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(pauses).toBe(0);
  });

  it('[PLAY93] pauses at the end of the chapter; who seeks out of it means the one they are in', () => {
    timer.choose({ kind: 'chapter' });
    positionMs = 59_900;
    vi.advanceTimersByTime(250);
    expect(pauses).toBe(0);
    expect(timer.loudness.value).toBeLessThan(0.1);
    positionMs = 100_000;
    vi.advanceTimersByTime(250);
    expect(timer.loudness.value).toBe(1);
    positionMs = 119_950;
    vi.advanceTimersByTime(250);
    expect(pauses).toBe(0);
    positionMs = 120_200;
    vi.advanceTimersByTime(250);
    expect(pauses).toBe(1);
  });

  it('[PLAY93] who goes to the next chapter by its key hears that one, and one that is begun anew is heard whole', () => {
    timer.choose({ kind: 'chapter' });
    positionMs = 60_000;
    vi.advanceTimersByTime(250);
    expect([pauses, timer.loudness.value]).toEqual([0, 1]);
    for (positionMs = 60_250; positionMs < 62_000; positionMs += 250) vi.advanceTimersByTime(250);
    expect(pauses).toBe(0);
    positionMs = 0;
    vi.advanceTimersByTime(250);
    positionMs = 59_900;
    vi.advanceTimersByTime(250);
    expect(timer.loudness.value).toBeLessThan(0.1);
    // The clock of a page in the background is slow, and what played meanwhile was not sought.
    positionMs = 63_000;
    vi.setSystemTime(Date.now() + 3_000);
    vi.advanceTimersByTime(250);
    expect(pauses).toBe(1);
  });

  it('[PLAY93] until the end of the movie it waits for that, and pauses nothing', () => {
    timer.choose({ kind: 'end' });
    positionMs = 500_000;
    vi.advanceTimersByTime(3_600_000);
    expect(pauses).toBe(0);
    expect(timer.choice.value).toEqual({ kind: 'end' });
  });
});
