import { describe, expect, it } from 'vitest';
import { SharedWork } from './shared-work.ts';

const never = new AbortController().signal;

describe('shared work', () => {
  it('[IMG6] is done once for all who ask at the same time, and anew for who asks later', async () => {
    const shared = new SharedWork<number>({ atOnce: 2, capacity: 10 });
    const gate = Promise.withResolvers<number>();
    let runs = 0;
    const work = () => {
      runs++;
      return gate.promise;
    };
    const asked = [shared.ask('a', never, work), shared.ask('a', never, work), shared.ask('a', never, work)];
    gate.resolve(7);
    expect(await Promise.all(asked)).toEqual([7, 7, 7]);
    expect(runs).toBe(1);
    await shared.ask('a', never, work);
    expect(runs).toBe(2);
  });

  it('[IMG6] fails for all who wait, and is tried again by who asks later', async () => {
    const shared = new SharedWork<number>({ atOnce: 2, capacity: 10 });
    const fail = () => Promise.reject(new Error('no'));
    const outcomes = await Promise.allSettled([shared.ask('a', never, fail), shared.ask('a', never, fail)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await shared.ask('a', never, () => Promise.resolve(1))).toBe(1);
  });

  it('[IMG6] what nobody waits for any more does not begin, and who asks again gets it', async () => {
    const shared = new SharedWork<string>({ atOnce: 1, capacity: 10 });
    const gate = Promise.withResolvers<string>();
    const begun: string[] = [];
    const work = (name: string) => () => {
      begun.push(name);
      return name === 'first' ? gate.promise : Promise.resolve(name);
    };
    const first = shared.ask('first', never, work('first'));
    const gone = new AbortController();
    const left = shared.ask('second', gone.signal, work('second'));
    const third = shared.ask('third', never, work('third'));
    gone.abort(new Error('scrolled away'));
    await expect(left).rejects.toThrow('scrolled away');
    gate.resolve('first');
    expect(await Promise.all([first, third])).toEqual(['first', 'third']);
    expect(begun).toEqual(['first', 'third']);
    expect(await shared.ask('second', never, work('second'))).toBe('second');
  });

  it('[IMG6] what has begun is finished, also for nobody', async () => {
    const shared = new SharedWork<string>({ atOnce: 1, capacity: 10 });
    const gate = Promise.withResolvers<string>();
    const gone = new AbortController();
    let isDone = false;
    const asked = shared.ask('a', gone.signal, async () => {
      const result = await gate.promise;
      isDone = true;
      return result;
    });
    await Promise.resolve();
    await Promise.resolve();
    gone.abort(new Error('away'));
    await expect(asked).rejects.toThrow('away');
    const next = shared.ask('b', never, () => Promise.resolve('b'));
    gate.resolve('a');
    expect(await next).toBe('b');
    expect(isDone).toBe(true);
  });

  it('[IMG6] takes so much and no more', async () => {
    const shared = new SharedWork<number>({ atOnce: 1, capacity: 2 });
    const gate = Promise.withResolvers<number>();
    const asked = [shared.ask('a', never, () => gate.promise), shared.ask('b', never, () => gate.promise)];
    expect(await shared.ask('c', never, () => gate.promise)).toBeNull();
    gate.resolve(1);
    expect(await Promise.all(asked)).toEqual([1, 1]);
  });
});
