import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingBuffer } from './ring-buffer.ts';

describe('RingBuffer', () => {
  it('is the tail of everything pushed, and hands back the rest in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer()), (capacity, pushed) => {
        const ring = new RingBuffer<number>(capacity);
        const evicted = pushed.map((element) => ring.push(element)).filter((element) => element !== undefined);
        expect([...ring]).toEqual(pushed.slice(-capacity));
        expect([...evicted, ...ring]).toEqual(pushed);
        expect(ring.size).toBe(Math.min(capacity, pushed.length));
      }),
    );
  });

  it('reads from both ends like an array', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 12 }), fc.integer({ min: -15, max: 15 }), (pushed, index) => {
        const ring = new RingBuffer<number>(5);
        for (const element of pushed) ring.push(element);
        expect(ring.at(index)).toBe(pushed.slice(-5).at(index));
      }),
    );
  });

  it('is empty after clear', () => {
    const ring = new RingBuffer<number>(3);
    for (const element of [1, 2, 3, 4]) ring.push(element);
    ring.clear();
    expect([...ring, ring.size]).toEqual([0]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a capacity of %d', (capacity) => {
    expect(() => new RingBuffer(capacity)).toThrow('at least 1 element');
  });
});
