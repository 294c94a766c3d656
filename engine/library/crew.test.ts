import { describe, expect, it } from 'vitest';
import { Crew } from './crew.ts';
import { Lane } from '#engine/runtime/lane.ts';

describe('Crew', () => {
  it('runs so many at once, and begins the next as soon as one is done', async () => {
    const crew = new Crew(2);
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const starting = (async () => {
      for (const [index, gate] of gates.entries()) {
        await crew.start(async () => {
          begun.push(index);
          await gate.promise;
        });
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([0, 1]);
    gates[1]!.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    await starting;
    await crew.idle();
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('the first failure refuses what comes after it, and is told at the end', async () => {
    const crew = new Crew(2);
    const gate = Promise.withResolvers<void>();
    await crew.start(async () => {
      await gate.promise;
      throw new Error('second');
    });
    await crew.start(() => Promise.reject(new Error('first')));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(crew.start(() => Promise.resolve())).rejects.toThrow('first');
    gate.resolve();
    await crew.settled();
    await expect(crew.idle()).rejects.toThrow('first');
  });
});

describe('Lane', () => {
  it('lets so many through at once, in order, and a failure costs nobody else their place', async () => {
    const lane = new Lane(1);
    const order: string[] = [];
    const run = (name: string, fail = false) =>
      lane.run(async () => {
        order.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} out`);
        if (fail) throw new Error(name);
        return name;
      });
    const results = await Promise.allSettled([run('a', true), run('b'), run('c')]);
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });
});
