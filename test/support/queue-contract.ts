/**
 * What the engine asks of a server that keeps durable work, whichever it is. Every implementation of `QueueServer` runs it, with
 * `DurableWork` on top, because the promises (SPEC.md of jobs, WORK…) are made by the two together.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { silentLog } from '#engine/base/log.ts';
import { DurableWork } from '#engine/jobs/durable-work.ts';
import { JobFailure } from '#engine/jobs/job-board.ts';
import type { QueueItem, QueueServer, RunningWork, WorkOptions, WorkOutcome } from '#engine/jobs/ports.ts';
import { openQueueServer } from '#engine/store/queue/queue-server.ts';
import type { QueueServerOptions } from '#engine/store/queue/queue-server.ts';
import { Cable } from './cable.ts';
import type { DurableWorkHostStart } from './hosts/durable-work.host.ts';

export interface QueueUnderTest {
  readonly name: string;
  /** Where it listens. */
  readonly target: () => NetConnectOpts;
  /** How it is opened, straight or through a port of this machine that leads there. */
  readonly address: (port: number | null) => Pick<QueueServerOptions, 'redisUrl' | 'postgres'>;
}

const DONE: WorkOutcome = { kind: 'done' };
const OPTIONS: WorkOptions = { title: 'Looking for movies', concurrency: 1 };
const KINDS = ['match', 'image'] as const;

export function queueContract(tested: QueueUnderTest): void {
  describe(`durable work on ${tested.name}`, () => {
    const opened = new Set<DurableWork>();
    const findings = new Map<string, string>();
    afterEach(async () => {
      for (const work of opened) await work[Symbol.asyncDispose]();
      opened.clear();
      findings.clear();
      const sweeper = await openWork();
      for (const kind of KINDS) {
        await sweeper.cancel(kind);
        await sweeper.forget(kind, null);
      }
      await close(sweeper);
    });

    async function openWork(options: { port?: number; lockMs?: number; server?: QueueServer; clock?: Clock } = {}) {
      // The look after work without a sign of life rests this long on Redis, whoever asks next.
      const { port, lockMs = 2_000 } = options;
      const work = new DurableWork({
        server: options.server ?? (await openQueueServer({ ...tested.address(port ?? null), log: silentLog, lockMs })),
        health: {
          set: ({ id, title }) => void findings.set(id, title),
          clear: (id) => void findings.delete(id),
        },
        clock: options.clock ?? systemClock,
        newId: createUuidFactory(systemClock),
        log: silentLog,
        retry: { firstMs: 20, maxMs: 20 },
      });
      opened.add(work);
      return work;
    }

    async function close(work: DurableWork): Promise<void> {
      opened.delete(work);
      await work[Symbol.asyncDispose]();
    }

    const order = (n: number, rest: Partial<Parameters<DurableWork['order']>[0][number]> = {}) => ({
      kind: 'match' as const,
      payload: { n },
      ...rest,
    });
    const numberOf = (payload: unknown): number => (payload as { n: number }).n;
    const isEmpty = (work: DurableWork) => expect.poll(() => work.waiting('match')).toBe(0);

    /** Begins to work, and resolves with what was handed out, in that order, when it has this many. */
    async function begin(work: DurableWork, count: number, does?: (n: number) => Promise<WorkOutcome>) {
      const { promise, resolve } = Promise.withResolvers<number[]>();
      const seen: number[] = [];
      work.handle('match', OPTIONS, async (payload) => {
        seen.push(numberOf(payload));
        if (seen.length === count) resolve(seen);
        return (await does?.(numberOf(payload))) ?? DONE;
      });
      work.start();
      return await promise;
    }

    /** Work that has begun and goes on until its signal is aborted. */
    function held(work: DurableWork) {
      const begun = Promise.withResolvers<RunningWork>();
      const seen: number[] = [];
      work.handle('match', OPTIONS, async (payload, job) => {
        seen.push(numberOf(payload));
        begun.resolve(job);
        const { promise, reject } = Promise.withResolvers<never>();
        job.signal.addEventListener('abort', () => reject(new Error('cut short')));
        return await promise;
      });
      return { begun: begun.promise, seen };
    }

    it('[WORK2] a click overtakes what has not begun, and within an urgency the first comes first', async () => {
      const work = await openWork();
      await work.order([order(1, { urgency: 'bulk' }), order(2, { urgency: 'bulk' }), order(3)]);
      await work.order([order(4), order(5, { urgency: 'click' })]);
      await work.order([order(6, { urgency: 'click' })]);
      expect(await work.waiting('match')).toBe(6);
      expect(await begin(work, 6)).toEqual([5, 6, 3, 4, 1, 2]);
      await isEmpty(work);
    });

    it('[WORK2] a click goes next while thousands wait', async () => {
      const work = await openWork();
      await work.order(Array.from({ length: 3_000 }, (_, n) => order(n, { urgency: 'bulk', key: `movie ${n}` })));
      expect(await work.waiting('match')).toBe(3_000);
      const first = Promise.withResolvers<void>();
      const clicked = Promise.withResolvers<void>();
      const isSeen = Promise.withResolvers<void>();
      const seen: number[] = [];
      work.handle('match', OPTIONS, async (payload) => {
        seen.push(numberOf(payload));
        first.resolve();
        await clicked.promise;
        if (numberOf(payload) === 2_999) isSeen.resolve();
        return DONE;
      });
      work.start();
      await first.promise;
      await work.order([order(2_999, { urgency: 'click', key: 'movie 2999' })]);
      clicked.resolve();
      await isSeen.promise;
      expect(seen.indexOf(2_999)).toBe(1);
    });

    it('[WORK3] orders with one key that have not begun are one, with the higher urgency', async () => {
      const work = await openWork();
      await work.order([
        order(1, { key: 'a', urgency: 'bulk' }),
        order(2, { key: 'b', urgency: 'bulk' }),
        order(1, { key: 'a', urgency: 'bulk' }),
      ]);
      await work.order([order(2, { key: 'b', urgency: 'click' }), order(1, { key: 'a', urgency: 'bulk' })]);
      expect(await work.waiting('match')).toBe(2);
      expect(await begin(work, 2)).toEqual([2, 1]);
      await isEmpty(work);
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
      await work.order([order(1, { key: 'a' })]);
      await begun.promise;
      await work.order([order(1, { key: 'a' }), order(1, { key: 'a' })]);
      await work.order([order(1, { key: 'a' })]);
      expect(await work.waiting('match')).toBe(2);
      go.resolve();
      await isEmpty(work);
      expect(runs).toBe(2);
    });

    it('[WORK3] an order for later is done at once when it is ordered again without delay', async () => {
      const work = await openWork();
      await work.order([order(1, { key: 'a', delayMs: 3_600_000, urgency: 'bulk' })]);
      await work.order([order(1, { key: 'a', delayMs: 7_200_000 })]);
      expect(await work.counts('match')).toMatchObject({ waiting: 0, delayed: 1 });
      await work.order([order(1, { key: 'a' })]);
      expect(await work.counts('match')).toMatchObject({ waiting: 1, delayed: 0 });
      expect(await begin(work, 1)).toEqual([1]);
    });

    it('[WORK4] `later` comes again, as the attempt that it was, and is one with what was ordered meanwhile', async () => {
      const work = await openWork();
      const attempts: number[] = [];
      work.handle('match', OPTIONS, async (_payload, job) => {
        attempts.push(job.attempt);
        if (attempts.length === 1) await work.order([order(1, { key: 'a', delayMs: 3_600_000 })]);
        return attempts.length < 4 ? { kind: 'later', afterMs: 5, why: 'TMDB is away' } : DONE;
      });
      work.start();
      await work.order([order(1, { key: 'a' })]);
      await expect.poll(() => attempts).toEqual([1, 1, 1, 1]);
      await isEmpty(work);
      expect(await work.failures('match', 10)).toEqual([]);
    });

    it('[WORK5] what runs when the server stops is put back, with what waited behind it, and done by the next', async () => {
      const work = await openWork();
      const { begun, seen } = held(work);
      work.start();
      await work.order([order(1, { urgency: 'bulk' }), order(2, { urgency: 'bulk' })]);
      expect((await begun).attempt).toBe(1);
      await close(work);
      expect(seen).toEqual([1]);
      const next = await openWork();
      expect(await next.counts('match')).toMatchObject({ waiting: 2, running: 0, failed: 0 });
      const attempts: number[] = [];
      next.handle('match', OPTIONS, async (payload, job) => {
        attempts.push(job.attempt);
        return (seen.push(numberOf(payload)), DONE);
      });
      next.start();
      await expect.poll(() => seen).toEqual([1, 1, 2]);
      expect(attempts).toEqual([1, 1]);
    });

    it('[WORK5] work that does not listen is left behind after a while, and done again', async () => {
      const clock = new FakeClock();
      const lockMs = 300;
      const work = await openWork({ clock, lockMs });
      const begun = Promise.withResolvers<void>();
      const never = Promise.withResolvers<WorkOutcome>();
      work.handle('match', OPTIONS, () => {
        begun.resolve();
        return never.promise;
      });
      work.start();
      await work.order([order(1)]);
      await begun.promise;
      const closing = close(work);
      await expect.poll(() => clock.advance(1_000).then(() => clock.monotonicMs())).toBeGreaterThan(8_000);
      await closing;
      const next = await openWork({ lockMs });
      expect(await begin(next, 1)).toEqual([1]);
      // Its late end is nobody’s business any more.
      never.resolve(DONE);
      await isEmpty(next);
      expect(await next.failures('match', 10)).toEqual([]);
    });

    it('[WORK6] cancelling a kind removes what waits and ends what runs; others and its keys stay usable', async () => {
      const work = await openWork();
      const { begun, seen } = held(work);
      work.start();
      await work.order([order(1, { key: 'a' }), order(2, { key: 'b' }), order(3, { key: 'c', delayMs: 3_600_000 })]);
      await work.order([{ kind: 'image', payload: {} }]);
      await begun;
      await work.cancel('match');
      await isEmpty(work);
      expect(await work.waiting('image')).toBe(1);
      expect(seen).toEqual([1]);
      expect(await work.failures('match', 10)).toEqual([]);
      await work.order([order(2, { key: 'b' }), order(3, { key: 'c' })]);
      expect(await work.waiting('match')).toBe(2);
    });

    it('[WORK7] a throw is tried again, then failed with a reason that hides what happened; it can be ordered again', async () => {
      const work = await openWork();
      const attempts: number[] = [];
      let isMended = false;
      work.handle('match', { ...OPTIONS, attempts: 3 }, async (_payload, job) => {
        attempts.push(job.attempt);
        if (!isMended) throw new TypeError('secret detail');
        return DONE;
      });
      work.start();
      await work.order([order(1, { subject: 'The Matrix', key: 'a' })]);
      await expect.poll(() => work.failures('match', 10)).toHaveLength(1);
      expect(attempts).toEqual([1, 2, 3]);
      const [failed] = await work.failures('match', 10);
      expect(failed).toMatchObject({ subject: 'The Matrix', kind: 'match', attempts: 3 });
      expect(failed!.reason).toMatch(/error [0-9a-f-]{36}/);
      expect(failed!.reason).not.toContain('secret');
      expect(Math.abs(Date.now() - failed!.failedAtMs)).toBeLessThan(60_000);
      isMended = true;
      expect(await work.retry('match', new Set(['somebody else']))).toBe(0);
      expect(await work.retry('match', new Set([failed!.id]))).toBe(1);
      await expect.poll(() => attempts).toEqual([1, 2, 3, 1]);
      await isEmpty(work);
      expect(await work.failures('match', 10)).toEqual([]);
    });

    it('[WORK7] a JobFailure and a payload that the schema does not take fail at once, and can be forgotten', async () => {
      const work = await openWork();
      let runs = 0;
      const Payload = v.object({ n: v.pipe(v.number(), v.maxValue(10)) });
      work.handle('match', OPTIONS, async (payload) => {
        runs += 1;
        const { n } = v.parse(Payload, payload);
        throw new JobFailure(`The folder ${n} is gone.`);
      });
      work.start();
      await work.order([order(1)]);
      await expect.poll(() => work.failures('match', 10)).toHaveLength(1);
      await work.order([order(11)]);
      await expect.poll(() => work.failures('match', 10)).toHaveLength(2);
      expect((await work.failures('match', 10)).map(({ reason }) => reason)).toEqual([
        'It is from another version, and this one cannot read it.',
        'The folder 1 is gone.',
      ]);
      expect(runs).toBe(2);
      await work.forget('match', null);
      expect(await work.counts('match')).toMatchObject({ failed: 0 });
    });

    it('[WORK7] orders that somebody else put there are failed, and the next is done', async () => {
      const server = await openQueueServer({ ...tested.address(null), log: silentLog });
      const hostile: unknown[] = [{}, { payload: 'text' }, { payload: { n: 1 }, urgency: 'now' }, [], 'text'];
      const items = hostile.map((content) => ({ content, urgency: 'normal', key: null, delayMs: 0 }) as QueueItem);
      await server.add('match', items);
      const work = await openWork({ server });
      await work.order([order(7)]);
      expect(await begin(work, 1)).toEqual([7]);
      expect((await work.failures('match', 10)).map(({ reason }) => reason)).toEqual(
        hostile.map(() => 'It is not an order that this version knows.'),
      );
      expect(await work.retry('match', null)).toBe(0);
    });

    it('[WORK7] what failed is kept within bounds, and what is done is not kept', async () => {
      const work = await openWork();
      let left = 1_050;
      work.handle('match', { ...OPTIONS, concurrency: 8 }, async (payload) => {
        left -= 1;
        if (numberOf(payload) % 2 === 0) return DONE;
        throw new JobFailure('It is odd.');
      });
      await work.order(Array.from({ length: left }, (_, n) => order(n % 40 === 0 ? 0 : 1)));
      work.start();
      await expect.poll(() => left, { timeout: 60_000 }).toBe(0);
      await isEmpty(work);
      const { failed, ...open } = await work.counts('match');
      expect(open).toEqual({ waiting: 0, delayed: 0, running: 0 });
      // Those that fail at the same moment do not see each other.
      expect(failed).toBeGreaterThanOrEqual(1_000);
      expect(failed).toBeLessThanOrEqual(1_010);
    });

    it('an order that is too large or no JSON is refused and not kept', async () => {
      const work = await openWork();
      await expect(work.order([order(1, { payload: { text: 'x'.repeat(20_000) } })])).rejects.toThrow(/order ids/);
      await expect(work.order([order(1, { payload: { n: 1n } })])).rejects.toThrow(TypeError);
      expect(await work.waiting('match')).toBe(0);
    });

    it('[WORK1][WORK5] what a killed process ran is done again, and everything once in effect', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'matinee-work-'));
      const lockMs = 1_000;
      const work = await openWork({ lockMs });
      const hangs = [3, 5, 7];
      const all = Array.from({ length: 12 }, (_, n) => n);
      await work.order(all.map((n) => order(n, { payload: { n, hangs: hangs.includes(n) }, key: `movie ${n}` })));
      const host = startHost({ server: { ...tested.address(null), lockMs }, folder, concurrency: 3 });
      const begun = new Set<number>();
      for await (const [{ began }] of host.messages) {
        begun.add(began);
        if (hangs.every((n) => begun.has(n))) break;
      }
      await host.kill();
      const again: number[] = [];
      work.handle('match', OPTIONS, async (payload) => (again.push(numberOf(payload)), DONE));
      work.start();
      await isEmpty(work);
      // On a machine that stands still for a moment even this process may lose its lock, and begin something twice.
      expect([...new Set(again)].toSorted((a, b) => a - b)).toEqual(
        all.filter((n) => !begun.has(n) || hangs.includes(n)),
      );
      expect((await readdir(folder)).map(Number).toSorted((a, b) => a - b)).toEqual(
        [...begun].toSorted((a, b) => a - b),
      );
      expect(await work.failures('match', 10)).toEqual([]);
      await rm(folder, { recursive: true });
    });

    it('[WORK7] work that takes the process with it every time is not begun for ever', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'matinee-work-'));
      const lockMs = 150;
      const work = await openWork();
      await work.order([order(1, { payload: { n: 1, dies: true }, subject: 'A hostile file' })]);
      let deaths = 0;
      while ((await work.counts('match')).failed === 0) {
        const host = startHost({ server: { ...tested.address(null), lockMs }, folder, concurrency: 1 });
        const outcome = await Promise.race([
          host.ended.then(() => 'died' as const),
          untilFailed(work).then(() => 'failed' as const),
        ]);
        await host.kill();
        if (outcome === 'died') deaths += 1;
        expect(deaths).toBeLessThan(6);
      }
      // Where the machine stood still for longer than the lock lasts, that counts as an end of the process too.
      expect(deaths).toBeGreaterThanOrEqual(2);
      expect(deaths).toBeLessThanOrEqual(4);
      const [failed] = await work.failures('match', 1);
      expect(failed).toMatchObject({
        subject: 'A hostile file',
        reason: 'The server ended every time while it ran.',
      });
      await rm(folder, { recursive: true });
    });

    it('[WORK8] while the server is away orders are refused and it is told; then everything goes on by itself', async () => {
      await using cable = await Cable.to(tested.target());
      const work = await openWork({ port: cable.port });
      const seen: number[] = [];
      const begun = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      work.handle('match', OPTIONS, async (payload) => {
        begun.resolve();
        await go.promise;
        return (seen.push(numberOf(payload)), DONE);
      });
      let returns = 0;
      work.onReturn(() => (returns += 1));
      work.start();
      await work.order([order(1, { key: 'a' }), order(2, { key: 'b' })]);
      await begun.promise;
      await cable.cut();
      await expect.poll(() => findings.get('queue')).toMatch(/cannot be reached/);
      await expect(work.order([order(3, { key: 'c' })])).rejects.toThrow(/cannot be reached.*not ordered/);
      // What runs goes on, and its end is written when the server is back.
      go.resolve();
      await expect.poll(() => seen).toEqual([1]);
      await cable.mend();
      await expect.poll(() => returns).toBe(1);
      expect(findings.has('queue')).toBe(false);
      await work.order([order(3, { key: 'c' })]);
      await expect.poll(() => seen.filter((n) => n !== 1)).toEqual([2, 3]);
      await isEmpty(work);
      expect(await work.failures('match', 10)).toEqual([]);
    });

    it('[WORK8] a server that is away when the engine stops does not keep it', async () => {
      await using cable = await Cable.to(tested.target());
      const work = await openWork({ port: cable.port });
      held(work);
      work.start();
      await work.order([order(1)]);
      await cable.cut();
      await expect.poll(() => findings.has('queue')).toBe(true);
      await close(work);
    });
  });
}

async function untilFailed(work: DurableWork): Promise<void> {
  await expect.poll(async () => (await work.counts('match')).failed, { timeout: 80_000 }).toBe(1);
}

function startHost(start: DurableWorkHostStart) {
  const child = fork(join(import.meta.dirname, 'hosts/durable-work.host.ts'), {
    env: { ...process.env, MATINEE_TEST_QUEUE: JSON.stringify(start) },
    execArgv: [],
  });
  const ended = once(child, 'exit');
  const queue: [{ began: number }][] = [];
  let wake = Promise.withResolvers<void>();
  child.on('message', (message) => {
    queue.push([message as { began: number }]);
    wake.resolve();
  });
  async function* messages(): AsyncGenerator<[{ began: number }]> {
    for (;;) {
      while (queue.length > 0) yield queue.shift()!;
      await wake.promise;
      wake = Promise.withResolvers();
    }
  }
  return {
    messages: messages(),
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
