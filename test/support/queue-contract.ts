/**
 * What the engine asks of a server that keeps durable work, whichever it is. Every implementation of `QueueServer` runs it, with
 * `DurableWork` on top, because the promises (SPEC.md of jobs, WORK…) are made by the two together.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { DurableWork } from '#engine/jobs/durable-work.ts';
import type { QueueServer, WorkOptions, WorkOutcome } from '#engine/jobs/ports.ts';

export interface ContractServerOptions {
  readonly lockMs?: number;
}

const DONE: WorkOutcome = { kind: 'done' };
const OPTIONS: WorkOptions = { title: 'Looking for movies', concurrency: 1 };

export function queueContract(name: string, open: (options: ContractServerOptions) => Promise<QueueServer>): void {
  describe(`durable work on ${name}`, () => {
    const opened: DurableWork[] = [];
    afterEach(async () => {
      for (const work of opened.splice(0)) {
        for (const kind of ['match', 'image'] as const) {
          await work.cancel(kind);
          await work.forget(kind, null);
        }
        await work[Symbol.asyncDispose]();
      }
    });

    async function openWork(options: ContractServerOptions = {}): Promise<DurableWork> {
      const work = new DurableWork({
        server: await open(options),
        health: { set: () => {}, clear: () => {} },
        clock: systemClock,
        newId: createUuidFactory(systemClock),
        log: silentLog,
        // Half of the longest wait, which is the shortest.
        random: () => 0,
      });
      opened.push(work);
      return work;
    }

    /** Work that is there before anybody does it, then done, in the order in which it is handed out. */
    async function orderOfWork(work: DurableWork, count: number): Promise<unknown[]> {
      const { promise, resolve } = Promise.withResolvers<unknown[]>();
      const seen: unknown[] = [];
      work.handle('match', OPTIONS, async (payload) => {
        seen.push((payload as { n: unknown }).n);
        if (seen.length === count) resolve(seen);
        return DONE;
      });
      work.start();
      return await promise;
    }

    it('[WORK2] a click overtakes what has not begun, and within an urgency the first comes first', async () => {
      const work = await openWork();
      const n = (value: number, urgency?: 'click' | 'bulk') => ({
        kind: 'match' as const,
        payload: { n: value },
        ...(urgency && { urgency }),
      });
      await work.order([n(1, 'bulk'), n(2, 'bulk'), n(3)]);
      await work.order([n(4), n(5, 'click')]);
      await work.order([n(6, 'click')]);
      expect(await work.waiting('match')).toBe(6);
      expect(await orderOfWork(work, 6)).toEqual([5, 6, 3, 4, 1, 2]);
      await expect.poll(() => work.waiting('match')).toBe(0);
    });

    it('[WORK3] orders with one key that have not begun are one, with the higher urgency', async () => {
      const work = await openWork();
      const order = (key: string, urgency: 'click' | 'bulk') => ({
        kind: 'match' as const,
        payload: { n: key },
        key,
        urgency,
      });
      await work.order([order('a', 'bulk'), order('b', 'bulk'), order('a', 'bulk')]);
      await work.order([order('b', 'click'), order('a', 'bulk')]);
      expect(await work.waiting('match')).toBe(2);
      expect(await orderOfWork(work, 2)).toEqual(['b', 'a']);
      await expect.poll(() => work.waiting('match')).toBe(0);
    });

    it('[WORK3] a key that is running is ordered anew', async () => {
      const work = await openWork();
      const begun = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      let runs = 0;
      work.handle('match', OPTIONS, async () => {
        runs += 1;
        begun.resolve();
        await go.promise;
        return DONE;
      });
      work.start();
      const order = { kind: 'match' as const, payload: {}, key: 'movie 1' };
      await work.order([order]);
      await begun.promise;
      await work.order([order, order]);
      await work.order([order]);
      expect(await work.waiting('match')).toBe(2);
      go.resolve();
      await expect.poll(() => work.waiting('match')).toBe(0);
      expect(runs).toBe(2);
    });

    it('[WORK3] an order for later is done at once when it is ordered again without delay', async () => {
      const work = await openWork();
      const order = { kind: 'match' as const, payload: { n: 1 }, key: 'movie 1' };
      await work.order([{ ...order, delayMs: 3_600_000, urgency: 'bulk' }]);
      await work.order([{ ...order, delayMs: 7_200_000 }]);
      expect(await work.counts('match')).toMatchObject({ waiting: 0, delayed: 1 });
      await work.order([order]);
      expect(await work.counts('match')).toMatchObject({ waiting: 1, delayed: 0 });
      expect(await orderOfWork(work, 1)).toEqual([1]);
    });
  });
}
