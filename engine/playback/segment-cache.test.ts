import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SegmentCache } from './segment-cache.ts';

function create(quotaBytes: number): { cache: SegmentCache; removed: string[] } {
  const removed: string[] = [];
  const cache = new SegmentCache({ quotaBytes, remove: (rendition, index) => removed.push(`${rendition}${index}`) });
  return { cache, removed };
}

describe('the segment cache', () => {
  it('[PLAY16] lets the least recently used go first', () => {
    const { cache, removed } = create(30);
    for (const index of [0, 1, 2]) cache.add('a', index, 10);
    cache.touch('a', 0);
    cache.add('b', 0, 10);
    expect(removed).toEqual(['a1']);
    expect([cache.has('a', 0), cache.has('a', 1), cache.has('b', 0)]).toEqual([true, false, true]);
    expect(cache.sizeBytes).toBe(30);
  });

  it('[PLAY16] keeps what a viewer is about to ask for, whatever its age', () => {
    const { cache, removed } = create(30);
    for (const index of [0, 1, 2]) cache.add('a', index, 10);
    cache.protect('a', [{ from: 0, until: 1 }]);
    cache.add('b', 0, 10);
    cache.add('b', 1, 10);
    expect(removed).toEqual(['a2', 'b0']);
  });

  it('[PLAY16] counts as full when everything in it is needed, and as free again when something is not', () => {
    const { cache, removed } = create(20);
    cache.protect('a', [{ from: 0, until: 9 }]);
    for (const index of [0, 1, 2]) cache.add('a', index, 10);
    expect([cache.hasRoom, cache.sizeBytes, removed]).toEqual([false, 30, []]);
    cache.protect('a', [{ from: 2, until: 9 }]);
    expect([cache.sizeBytes, removed]).toEqual([20, ['a0']]);
  });

  it('replaces a segment that was made again', () => {
    const { cache, removed } = create(100);
    cache.add('a', 0, 10);
    cache.add('a', 0, 12);
    expect([cache.sizeBytes, removed]).toEqual([12, []]);
  });

  it('forgets a rendition as a whole', () => {
    const { cache, removed } = create(100);
    cache.add('a', 0, 10);
    cache.add('b', 0, 10);
    cache.drop('a');
    expect([cache.sizeBytes, cache.has('a', 0), cache.has('b', 0), removed]).toEqual([10, false, true, []]);
  });

  it('never holds more than its quota plus what is needed, and never loses count', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add'),
        rendition: fc.constantFrom('a', 'b'),
        index: fc.nat({ max: 9 }),
        size: fc.integer({ min: 1, max: 40 }),
      }),
      fc.record({ kind: fc.constant('touch'), rendition: fc.constantFrom('a', 'b'), index: fc.nat({ max: 9 }) }),
      fc.record({
        kind: fc.constant('protect'),
        rendition: fc.constantFrom('a', 'b'),
        from: fc.nat({ max: 9 }),
        count: fc.nat({ max: 3 }),
      }),
      fc.record({ kind: fc.constant('drop'), rendition: fc.constantFrom('a', 'b') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const model = new Map<string, number>();
        const guarded = new Map<string, { from: number; until: number }>();
        const cache = new SegmentCache({
          quotaBytes: 100,
          remove: (rendition, index) => {
            const range = guarded.get(rendition);
            expect(range !== undefined && index >= range.from && index <= range.until).toBe(false);
            expect(model.delete(`${rendition}${index}`)).toBe(true);
          },
        });
        for (const each of steps) {
          if ('size' in each) {
            model.set(`${each.rendition}${each.index}`, each.size);
            cache.add(each.rendition, each.index, each.size);
          } else if ('count' in each) {
            guarded.set(each.rendition, { from: each.from, until: each.from + each.count });
            cache.protect(each.rendition, [guarded.get(each.rendition)!]);
          } else if ('index' in each) {
            cache.touch(each.rendition, each.index);
          } else {
            for (const name of [...model.keys()]) if (name.startsWith(each.rendition)) model.delete(name);
            guarded.delete(each.rendition);
            cache.drop(each.rendition);
          }
          const sum = [...model.values()].reduce((total, size) => total + size, 0);
          expect(cache.sizeBytes).toBe(sum);
          const needed = [...model].filter(([name]) => {
            const range = guarded.get(name[0]!);
            return range && Number(name.slice(1)) >= range.from && Number(name.slice(1)) <= range.until;
          });
          const neededBytes = needed.reduce((total, [, size]) => total + size, 0);
          expect(cache.sizeBytes).toBeLessThanOrEqual(Math.max(100, neededBytes + 40));
        }
      }),
    );
  });
});
