import { describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { KeptSearch } from './kept-search.ts';
import type { SearchLife } from './ports.ts';

const health = { set: () => undefined, clear: () => undefined };

describe('KeptSearch', () => {
  it('[SEARCH8] a question waits for a thread that does not start, but not for ever', async () => {
    const clock = new FakeClock();
    await using search = new KeptSearch({
      start: () => Promise.reject(new Error('no thread today')),
      ...{ health, clock, log: silentLog },
    });
    const asked = search.rank('alien', { limit: 5 }).catch((error: unknown) => (error as Error).message);
    await clock.advance(15_000);
    expect(await asked).toMatch(/did not answer within 15000 ms/);
  });

  it('[SEARCH8] a thread that does not start is tried again for ever, less and less often', async () => {
    const clock = new FakeClock();
    let starts = 0;
    await using _search = new KeptSearch({
      start: () => {
        starts += 1;
        return Promise.reject(new Error('no thread today'));
      },
      ...{ health, clock, log: silentLog },
    });
    await clock.advance(60_000);
    const inTheFirst = starts;
    await clock.advance(3_600_000);
    expect(inTheFirst).toBeGreaterThan(3);
    expect(starts).toBeGreaterThan(inTheFirst + 40);
    expect(starts).toBeLessThan(inTheFirst + 200);
  });

  it('[SEARCH8] what waits when it is closed gets an error at once', async () => {
    const never: SearchLife = {
      ended: new Promise(() => undefined),
      // No answer is of every type.
      ask: ((_name, _args, signal) =>
        new Promise<never>((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        )) as SearchLife['ask'],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const clock = new FakeClock();
    const search = new KeptSearch({ start: () => Promise.resolve(never), ...{ health, clock, log: silentLog } });
    const asked = expect(search.suggest('al', 5)).rejects.toThrow('search was closed');
    await search[Symbol.asyncDispose]();
    await asked;
    await expect(search.suggest('al', 5)).rejects.toThrow('search was closed');
    expect(clock.pendingCount).toBe(0);
  });
});
