import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { Supervisor } from './supervisor.ts';
import type { Supervised, SupervisorOptions } from './supervisor.ts';

interface Life extends Supervised {
  readonly number: number;
  end(error?: Error): void;
}

function makeSupervisor(options: Partial<SupervisorOptions> = {}, start?: (life: Life) => Promise<Life>) {
  const clock = new FakeClock();
  const lives: Life[] = [];
  const disposed: number[] = [];
  const waitsMs: number[] = [];
  const onGiveUp = vi.fn();
  const supervisor = new Supervisor<Life>(
    () => {
      const ended = Promise.withResolvers<void>();
      const number = lives.length + 1;
      const life: Life = {
        number,
        ended: ended.promise,
        end: (error) => (error ? ended.reject(error) : ended.resolve()),
        [Symbol.asyncDispose]: () => Promise.resolve(void disposed.push(number)),
      };
      lives.push(life);
      return start ? start(life) : Promise.resolve(life);
    },
    {
      name: 'test',
      clock,
      backoff: { firstMs: 100, maxMs: 400 },
      onRestart: (_, waitMs) => waitsMs.push(waitMs),
      onGiveUp,
      ...options,
    },
  );
  return { supervisor, clock, lives, disposed, waitsMs, onGiveUp };
}

describe('Supervisor', () => {
  it('[SUP1] starts again what ended by itself, after a wait, and releases what ended', async () => {
    const { supervisor, clock, lives, disposed } = makeSupervisor();
    const first = await supervisor.running();
    first.end(new Error('crash'));
    await nextTurn();
    expect([supervisor.state, lives.length, disposed]).toEqual(['waiting', 1, [1]]);
    const second = supervisor.running();
    await clock.advance(100);
    expect([(await second).number, supervisor.state]).toEqual([2, 'running']);
    await supervisor[Symbol.asyncDispose]();
  });

  it('[SUP1] hands out no child that has ended, not even while it is being released', async () => {
    const released = Promise.withResolvers<void>();
    const { supervisor, clock } = makeSupervisor({}, (life) =>
      Promise.resolve({ ...life, [Symbol.asyncDispose]: () => released.promise }),
    );
    (await supervisor.running()).end();
    await nextTurn();
    const next = supervisor.running();
    released.resolve();
    await clock.advance(100);
    expect((await next).number).toBe(2);
    await supervisor[Symbol.asyncDispose]();
  });

  it('[SUP2] waits longer after each end that follows closely', async () => {
    const { supervisor, clock, waitsMs } = makeSupervisor();
    for (let round = 0; round < 4; round++) {
      (await supervisor.running()).end();
      await nextTurn();
      await clock.advance(400);
    }
    const [first, second, third, fourth] = waitsMs.map((waitMs) => Math.ceil(Math.log2(waitMs / 50)));
    expect([first, second, third, fourth]).toEqual([1, 2, 3, 3]); // steps of 100, 200, 400, 400 ms, each at least half
    await supervisor[Symbol.asyncDispose]();
  });

  it('[SUP3] gives up when the budget is spent, says why, and rejects those who wait', async () => {
    const { supervisor, clock, lives, onGiveUp } = makeSupervisor({ maxRestarts: 2 }, () =>
      Promise.reject(new Error('no port')),
    );
    const waiting = expect(supervisor.running()).rejects.toMatchObject({
      code: 'failed',
      cause: { message: 'no port' },
    });
    await clock.advance(10_000);
    await waiting;
    expect([lives.length, supervisor.state]).toEqual([3, 'failed']);
    expect(onGiveUp).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'no port' }));
    await supervisor[Symbol.asyncDispose]();
    expect(supervisor.state).toBe('failed');
  });

  it('[SUP3] ends that are far apart never spend the budget', async () => {
    const { supervisor, clock, lives } = makeSupervisor({ maxRestarts: 1, withinMs: 1_000 });
    for (let round = 0; round < 5; round++) {
      (await supervisor.running()).end();
      await clock.advance(1_000);
    }
    expect([lives.length, supervisor.state]).toEqual([6, 'running']);
    await supervisor[Symbol.asyncDispose]();
  });

  it('[SUP4] disposal stops the child and waits for it', async () => {
    const { supervisor, disposed, clock } = makeSupervisor();
    await supervisor.running();
    await supervisor[Symbol.asyncDispose]();
    expect([disposed, supervisor.state, clock.pendingCount]).toEqual([[1], 'stopped', 0]);
    await expect(supervisor.running()).rejects.toMatchObject({ code: 'stopped' });
  });

  it('[SUP4] disposal during the wait starts nothing any more', async () => {
    const { supervisor, clock, lives } = makeSupervisor();
    (await supervisor.running()).end();
    await nextTurn();
    await supervisor[Symbol.asyncDispose]();
    await clock.advance(10_000);
    expect([lives.length, clock.pendingCount]).toEqual([1, 0]);
  });

  it('[SUP5] a child that comes up after the disposal is released, not used', async () => {
    const gate = Promise.withResolvers<void>();
    const { supervisor, disposed } = makeSupervisor({}, (life) => gate.promise.then(() => life));
    const waiting = expect(supervisor.running()).rejects.toMatchObject({ code: 'stopped' });
    const disposal = supervisor[Symbol.asyncDispose]();
    gate.resolve();
    await Promise.all([disposal, waiting]);
    expect(disposed).toEqual([1]);
  });
});
