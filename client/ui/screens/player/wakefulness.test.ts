import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IDLE_MS, Wakefulness } from './wakefulness.ts';

describe('the controls', () => {
  let isBusy: boolean;
  let isUsed: boolean;
  let controls: Wakefulness;

  beforeEach(() => {
    vi.useFakeTimers();
    isBusy = false;
    isUsed = false;
    controls = new Wakefulness({ isBusy: () => isBusy, isUsed: () => isUsed });
    controls.wake();
  });
  afterEach(() => {
    controls.dispose();
    vi.useRealTimers();
  });

  it('[PLAY98] leave a moment after the last movement', () => {
    vi.advanceTimersByTime(IDLE_MS - 100);
    controls.wake();
    vi.advanceTimersByTime(IDLE_MS - 100);
    expect(controls.isAwake.value).toBe(true);
    vi.advanceTimersByTime(100);
    expect(controls.isAwake.value).toBe(false);
  });

  it('[PLAY98] stay while the movie stands still or a menu is open, however long and whatever the pointer does', () => {
    isBusy = true;
    vi.advanceTimersByTime(IDLE_MS * 10);
    controls.rest();
    expect(controls.isAwake.value).toBe(true);
    isBusy = false;
    controls.wake();
    vi.advanceTimersByTime(IDLE_MS);
    expect(controls.isAwake.value).toBe(false);
  });

  it('[PLAY98] stay while a button has the keyboard’s focus, and leave once it has not', () => {
    isUsed = true;
    vi.advanceTimersByTime(IDLE_MS * 3);
    expect(controls.isAwake.value).toBe(true);
    isUsed = false;
    vi.advanceTimersByTime(IDLE_MS);
    expect(controls.isAwake.value).toBe(false);
  });
});
