import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FLASH_MS, FlashBoard } from './flash-board.ts';

describe('what was just done', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('[PLAY90] jumps in one direction add up while they are shown', () => {
    const board = new FlashBoard();
    board.sayJump(10_000);
    board.sayJump(10_000);
    board.sayJump(10_000);
    expect(board.flash.value).toMatchObject({ text: '+30 s', side: 'end' });
    board.sayJump(-10_000);
    expect(board.flash.value).toMatchObject({ text: '−10 s', side: 'start' });
    vi.advanceTimersByTime(FLASH_MS);
    expect(board.flash.value).toBeNull();
    board.sayJump(-5_000);
    expect(board.flash.value).toMatchObject({ text: '−5 s' });
  });

  it('a word in between begins the count anew, and each is drawn anew', () => {
    const board = new FlashBoard();
    board.sayJump(10_000);
    const first = board.flash.value!.id;
    board.say('Muted');
    board.sayJump(10_000);
    expect(board.flash.value).toMatchObject({ text: '+10 s' });
    expect(board.flash.value!.id).toBeGreaterThan(first);
  });
});
