import { describe, expect, it } from 'vitest';
import { menuStep } from './menu-keys.ts';

describe('the keys of a menu', () => {
  it('go round at both ends', () => {
    expect([menuStep('ArrowDown', 2, 3), menuStep('ArrowUp', 0, 3)]).toEqual([0, 2]);
    expect([menuStep('ArrowDown', 0, 3), menuStep('ArrowUp', 2, 3)]).toEqual([1, 1]);
  });

  it('begin at an end where nothing has the focus', () => {
    expect([menuStep('ArrowDown', -1, 3), menuStep('ArrowUp', -1, 3)]).toEqual([0, 2]);
  });

  it('go to the ends, and leave every other key and every empty menu alone', () => {
    expect([menuStep('Home', 2, 3), menuStep('End', 0, 3)]).toEqual([0, 2]);
    expect([menuStep('Enter', 0, 3), menuStep('ArrowDown', -1, 0)]).toEqual([null, null]);
  });
});
