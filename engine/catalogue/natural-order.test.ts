import { describe, expect, it } from 'vitest';
import { naturalKey } from './natural-order.ts';

const inOrder = (titles: readonly string[]): string[] =>
  titles.toSorted((a, b) => (naturalKey(a) < naturalKey(b) ? -1 : naturalKey(a) > naturalKey(b) ? 1 : 0));

describe('the order of titles', () => {
  it.each([
    [['rocky', 'rocky 2', 'rocky 2 uncut', 'rocky 10']],
    [['ocean 8', 'ocean 11', 'ocean 13']],
    [['8 mile', '9', '12 angry men', '300', '2001']],
    [['scene 7 take 9', 'scene 007 take 10', 'scene 7 take 11']],
  ])('counts as people do: %j', (titles) => {
    expect(inOrder(titles.toReversed())).toEqual(titles);
  });

  it('leaves a row of digits that is no number anybody counts in as it is', () => {
    expect(naturalKey('pi 3.14159265358979')).toBe('pi 000000003.14159265358979');
  });
});
