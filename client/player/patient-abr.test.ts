import { describe, expect, it } from 'vitest';
import { isBeingMade } from './patient-abr.ts';

describe('a request that takes long', () => {
  const begun = { loaded: 0, aborted: false, loading: { start: 1_000 } };

  it('[PLAY29] is not given up while the segment is being made', () => {
    expect(isBeingMade(begun, 1_000)).toBe(true);
    expect(isBeingMade(begun, 3_400)).toBe(true);
  });

  it('is judged as soon as something of it has come: the rest is the line', () => {
    expect(isBeingMade({ ...begun, loaded: 1 }, 1_100)).toBe(false);
  });

  it('is judged when the server is too slow for this picture', () => expect(isBeingMade(begun, 3_500)).toBe(false));

  it('is left to hls.js once it was given up', () =>
    expect(isBeingMade({ ...begun, aborted: true }, 1_100)).toBe(false));
});
