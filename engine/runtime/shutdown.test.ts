import { describe, expect, it, vi } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { ShutdownSequence } from './shutdown.ts';

describe('ShutdownSequence', () => {
  it('[DOWN1] closes in the opposite order of opening, one after the other', async () => {
    const events: string[] = [];
    const sequence = new ShutdownSequence();
    for (const name of ['database', 'actors', 'listener']) {
      sequence.add(name, async () => {
        events.push(`closing ${name}`);
        await Promise.resolve();
        events.push(`closed ${name}`);
      });
    }
    await sequence.run();
    expect(events).toEqual(['listener', 'actors', 'database'].flatMap((name) => [`closing ${name}`, `closed ${name}`]));
  });

  it('[DOWN2] goes on after a step that fails, throws at once, or never ends', async () => {
    const clock = new FakeClock();
    const onStep = vi.fn();
    const sequence = new ShutdownSequence({ clock, onStep });
    const database = vi.fn();
    let wasAborted = false;
    sequence.add('database', database);
    sequence.add('rejects', () => Promise.reject(new Error('no')));
    sequence.add('throws', () => {
      throw new Error('at once');
    });
    sequence.add(
      'hangs',
      (signal) => {
        signal.addEventListener('abort', () => (wasAborted = true));
        return new Promise(() => undefined);
      },
      300,
    );
    const run = sequence.run();
    await clock.advance(299);
    expect(onStep).not.toHaveBeenCalled();
    await clock.advance(1);
    const steps = await run;
    expect(steps.map(({ name, outcome, tookMs }) => [name, outcome, tookMs])).toEqual([
      ['hangs', 'outOfTime', 300],
      ['throws', 'failed', 0],
      ['rejects', 'failed', 0],
      ['database', 'closed', 0],
    ]);
    expect([wasAborted, database.mock.calls.length, clock.pendingCount]).toEqual([true, 1, 0]);
  });

  it('[DOWN3] runs once, however often it is asked for', async () => {
    const close = vi.fn();
    const sequence = new ShutdownSequence();
    sequence.add('database', close);
    const [first, second] = await Promise.all([sequence.run(), sequence.run()]);
    expect(first).toBe(second);
    expect(close).toHaveBeenCalledOnce();
  });

  it('[DOWN4] refuses what is opened after it has begun', async () => {
    const sequence = new ShutdownSequence();
    await sequence.run();
    expect(() => sequence.add('late', () => undefined)).toThrow('late was opened while shutting down');
  });

  it('disposes what it was given to use', async () => {
    const resource = { [Symbol.asyncDispose]: vi.fn(() => Promise.resolve()) };
    const sequence = new ShutdownSequence();
    expect(sequence.use('pool', resource)).toBe(resource);
    await sequence.run();
    expect(resource[Symbol.asyncDispose]).toHaveBeenCalledOnce();
  });
});
