import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PriorityQueue } from './priority-queue.ts';

describe('PriorityQueue', () => {
  it('behaves like a stable sort by level of what was accepted', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push'), level: fc.nat({ max: 2 }) }),
      fc.record({ kind: fc.constant('shift') }),
      fc.record({ kind: fc.constant('remove'), pick: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new PriorityQueue<{ id: number }>({ levels: 3, capacity: 4 });
        const model: { id: number; level: number }[] = [];
        const next = () => model.toSorted((a, b) => a.level - b.level || a.id - b.id)[0];
        for (const [id, taken] of steps.entries()) {
          if ('level' in taken) {
            const element = { id, level: taken.level };
            const hasRoom = model.filter(({ level }) => level === taken.level).length < 4;
            expect(queue.push(element, taken.level)).toBe(hasRoom);
            if (hasRoom) model.push(element);
          } else if ('pick' in taken) {
            const element = model[taken.pick % Math.max(1, model.length)] ?? { id: -1 };
            expect(queue.remove(element)).toBe(element.id >= 0);
            if ('level' in element) model.splice(model.indexOf(element), 1);
          } else {
            const expected = next();
            expect(queue.shift()).toBe(expected);
            if (expected) model.splice(model.indexOf(expected), 1);
          }
          expect(queue.size).toBe(model.length);
        }
        expect(queue.drain()).toEqual(model.toSorted((a, b) => a.level - b.level || a.id - b.id));
        expect(queue.size).toBe(0);
      }),
    );
  });

  it('refuses a full level without touching the others', () => {
    const queue = new PriorityQueue<string>({ levels: 2, capacity: 1 });
    expect([queue.push('scan', 1), queue.push('scan', 1), queue.push('viewer', 0)]).toEqual([true, false, true]);
    expect(queue.drain()).toEqual(['viewer', 'scan']);
  });

  it('puts back before the others, even when the level is full', () => {
    const queue = new PriorityQueue<string>({ levels: 1, capacity: 2 });
    queue.push('a', 0);
    queue.push('b', 0);
    const taken = queue.shift()!;
    queue.push('c', 0);
    queue.unshift(taken, 0);
    expect(queue.drain()).toEqual(['a', 'b', 'c']);
  });

  it('refuses a level that does not exist', () => {
    expect(() => new PriorityQueue({ levels: 2, capacity: 1 }).push('x', 2)).toThrow('levels are 0 to 1');
  });

  it('moves a hundred thousand elements without a search for each', () => {
    const queue = new PriorityQueue<number>({ levels: 1, capacity: 100_000 });
    for (let id = 0; id < 100_000; id++) queue.push(id, 0);
    for (let id = 0; id < 100_000; id++) if (queue.shift() !== id) expect.fail(`${id} left out of order`);
    expect(queue.size).toBe(0);
  });
});
