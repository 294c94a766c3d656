import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createUuidFactory } from './ids.ts';

const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

describe('createUuidFactory', () => {
  it('carries the time, version 7 and the variant of RFC 9562', () => {
    const id = createUuidFactory({ nowMs: () => 0x017f22e279b0 })(); // the time of the example in appendix A.6
    expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('sorts by the order of making, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 41 }), { minLength: 2 }), (timesMs) => {
        let now = 0;
        const makeId = createUuidFactory({ nowMs: () => now });
        const ids = timesMs.flatMap((timeMs) => {
          now = timeMs;
          return [makeId(), makeId(), makeId()];
        });
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it('never claims to be older than the clock says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 47 }), (nowMs) => {
        expect(timeOf(createUuidFactory({ nowMs: () => nowMs })())).toBe(nowMs);
      }),
    );
  });

  it('keeps a million ids of one millisecond in order and apart', () => {
    const makeId = createUuidFactory({ nowMs: () => 1_000 });
    let last = '';
    for (let count = 0; count < 1_000_000; count++) {
      const id = makeId();
      if (id <= last) expect.fail(`${id} came after ${last}`);
      last = id;
    }
    expect(timeOf(last)).toBe(1_000);
  });

  it('keeps the factories of two processes apart at the same moment', () => {
    const factories = [createUuidFactory({ nowMs: () => 5 }), createUuidFactory({ nowMs: () => 5 })];
    const ids = Array.from({ length: 1_000 }, () => factories.map((makeId) => makeId())).flat();
    expect(new Set(ids).size).toBe(2_000);
  });
});
