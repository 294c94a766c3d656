import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import type * as tasks from '#test/support/workers/unruly.worker.ts';
import { WorkerPool } from './worker-pool.ts';
import type { WorkerPoolOptions } from './worker-pool.ts';

const entry = new URL('../../test/support/workers/unruly.worker.ts', import.meta.url);
const LONG = { timeLimitMs: 60_000 };

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function startPool(options: Partial<WorkerPoolOptions> = {}) {
  return stack.use(new WorkerPool<typeof tasks>({ name: 'test pool', entry, threads: 1, ...options }));
}

/** A flag that a worker raises when it has begun. */
function makeFlag() {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const raised = async (): Promise<void> => {
    const { async, value } = Atomics.waitAsync(flag, 0, 0);
    if (async) await value;
  };
  const lower = (): void => {
    Atomics.store(flag, 0, 0);
    Atomics.notify(flag, 0);
  };
  return { flag, raised, lower };
}

describe('WorkerPool', () => {
  it('[POOL1] runs the named task, and brings back its result or its error', async () => {
    const pool = startPool();
    await expect(pool.run('add', { a: 2, b: 3 }, LONG)).resolves.toBe(5);
    await expect(pool.run('fail', 'out of range', LONG)).rejects.toMatchObject({
      code: 'failed',
      cause: { name: 'RangeError', message: 'out of range' },
    });
  });

  it('[POOL2] refuses when a level is full, and lets level 0 go first', async () => {
    const pool = startPool({ capacity: 1 });
    const { flag, raised, lower } = makeFlag();
    const order: string[] = [];
    const held = pool.run('hold', flag, LONG);
    await raised();
    const background = pool.run('thread', undefined, { ...LONG, level: 1 }).then(() => order.push('background'));
    const urgent = pool.run('thread', undefined, LONG).then(() => order.push('urgent'));
    await expect(pool.run('thread', undefined, LONG)).rejects.toMatchObject({ code: 'overloaded' });
    lower();
    await Promise.all([held, background, urgent]);
    expect(order).toEqual(['urgent', 'background']);
  });

  it('[POOL3] ends a task that runs past its limit, and goes on with the next in a new thread', async () => {
    const clock = new FakeClock();
    const pool = startPool({ clock });
    const { flag, raised } = makeFlag();
    const hang = pool.run('hang', flag, { timeLimitMs: 1_000 });
    const next = pool.run('thread', undefined, { timeLimitMs: 500 }); // waits longer than its own limit
    await raised();
    const ended = expect(hang).rejects.toMatchObject({ code: 'timeLimit' });
    await clock.advance(1_000);
    await ended;
    await expect(next).resolves.not.toBe(flag[0]);
  });

  it('[POOL3] an abort ends a running task, and withdraws a waiting one', async () => {
    const pool = startPool();
    const { flag, raised } = makeFlag();
    const [running, waiting] = [new AbortController(), new AbortController()];
    const results = [
      pool.run('hang', flag, { ...LONG, signal: running.signal }),
      pool.run('add', { a: 1, b: 1 }, { ...LONG, signal: waiting.signal }),
    ].map((run) => run.catch((error: unknown) => error));
    const last = pool.run('add', { a: 1, b: 2 }, LONG);
    await raised();
    waiting.abort('withdrawn');
    await expect(results[1]).resolves.toBe('withdrawn');
    running.abort('ended');
    await expect(results[0]).resolves.toBe('ended');
    await expect(last).resolves.toBe(3);
    await expect(pool.run('add', { a: 1, b: 2 }, { ...LONG, signal: running.signal })).rejects.toBe('ended');
  });

  it('[POOL4] a thread that ends fails the task it ran and no other', async () => {
    const pool = startPool({ threads: 2 });
    const { flag, raised, lower } = makeFlag();
    const held = pool.run('hold', flag, LONG);
    await raised();
    const exit = pool.run('exit', 3, LONG);
    const after = pool.run('add', { a: 1, b: 2 }, LONG);
    await expect(exit).rejects.toMatchObject({ code: 'failed' });
    await expect(after).resolves.toBe(3);
    lower();
    await expect(held).resolves.toBeGreaterThan(0);
  });

  it('[POOL4] a thread that outgrows its heap fails its task, not the process', async () => {
    const pool = startPool({ heapLimitMiB: 32 });
    await expect(pool.run('exhaust', undefined, LONG)).rejects.toMatchObject({
      code: 'failed',
      cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' },
    });
    await expect(pool.run('add', { a: 1, b: 2 }, LONG)).resolves.toBe(3);
  });

  it('[POOL4] an entry that cannot be loaded fails its tasks instead of leaving them waiting', async () => {
    const pool = startPool({ entry: new URL('./no-such.worker.ts', import.meta.url) });
    await expect(pool.run('add', { a: 1, b: 2 }, LONG)).rejects.toMatchObject({ code: 'failed' });
  });

  it('[POOL5] disposal refuses what waits and ends what runs', async () => {
    const pool = startPool();
    const { flag, raised } = makeFlag();
    const runs = [pool.run('hang', flag, LONG), pool.run('add', { a: 1, b: 1 }, LONG)];
    const refused = Promise.all(runs.map((run) => expect(run).rejects.toMatchObject({ code: 'stopped' })));
    await raised();
    await pool[Symbol.asyncDispose]();
    await refused;
    expect(pool.size).toBe(0);
    await expect(pool.run('add', { a: 1, b: 1 }, LONG)).rejects.toMatchObject({ code: 'stopped' });
  });
});
