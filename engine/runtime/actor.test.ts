import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { Actor } from './actor.ts';
import type { ActorOptions, Behavior, Reply } from './actor.ts';

type Message =
  | { readonly kind: 'add'; readonly value: number }
  | { readonly kind: 'sum'; readonly reply: Reply<number> }
  | { readonly kind: 'never'; readonly reply: Reply<number> }
  | { readonly kind: 'fail'; readonly error: Error }
  | { readonly kind: 'wait'; readonly until: Promise<unknown> }
  | { readonly kind: 'waitForStop'; readonly reply: Reply<number> };

/** An actor that adds up, with a way to make it wait, fail, or owe an answer. */
function makeAdder(options: Partial<ActorOptions> = {}, hooks: { onStop?: () => Promise<void> | void } = {}) {
  const failures: [error: unknown, isFatal: boolean][] = [];
  const states: number[] = [];
  const create = (): Behavior<Message> => {
    let sum = 0;
    states.push(states.length);
    return {
      async onMessage(message, signal) {
        if (message.kind === 'add') sum += message.value;
        else if (message.kind === 'sum') message.reply.resolve(sum);
        else if (message.kind === 'fail') throw message.error;
        else if (message.kind === 'wait') await message.until;
        else if (message.kind === 'waitForStop') {
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        }
      },
      onStop: () => hooks.onStop?.(),
    };
  };
  const actor = new Actor(create, { name: 'adder', onFailure: (...failure) => failures.push(failure), ...options });
  const sum = () => actor.ask<number>((reply) => ({ kind: 'sum', reply }));
  return { actor, failures, states, sum };
}

const fail = (text: string): Message => ({ kind: 'fail', error: new Error(text) });

describe('Actor', () => {
  it('[ACT1] handles one message at a time, in order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { maxLength: 50 }), async (turns) => {
        const events: string[] = [];
        const actor = new Actor<{ id: number; turns: number }>(
          () => ({
            async onMessage({ id, turns: left }) {
              events.push(`begin ${id}`);
              for (let turn = 0; turn < left; turn++) await Promise.resolve();
              events.push(`end ${id}`);
            },
          }),
          { name: 'recorder', onFailure: (error) => expect.unreachable(String(error)) },
        );
        for (const [id, count] of turns.entries()) actor.tell({ id, turns: count });
        await nextTurn();
        expect(events).toEqual(turns.flatMap((_, id) => [`begin ${id}`, `end ${id}`]));
      }),
      { numRuns: 30 },
    );
  });

  it('[ACT1] never handles a message inside the call that sent it', async () => {
    const { actor, states, sum } = makeAdder();
    actor.tell({ kind: 'add', value: 2 });
    expect(states).toEqual([]);
    await expect(sum()).resolves.toBe(2);
  });

  it('[ACT2] refuses when its mailbox is full, and takes messages again afterwards', async () => {
    const { actor, sum } = makeAdder({ capacity: 2 });
    const gate = Promise.withResolvers<void>();
    actor.tell({ kind: 'wait', until: gate.promise });
    await nextTurn(); // now in hand, no longer in the mailbox
    actor.tell({ kind: 'add', value: 1 });
    actor.tell({ kind: 'add', value: 1 });
    expect(() => actor.tell({ kind: 'add', value: 1 })).toThrow('adder: mailboxFull');
    await expect(sum()).rejects.toMatchObject({ code: 'mailboxFull' });
    gate.resolve();
    await nextTurn();
    await expect(sum()).resolves.toBe(2);
  });

  it('[ACT3] a throw is reported, drops the state, and leaves the later messages to a fresh one', async () => {
    const onStop = vi.fn();
    const { actor, failures, states, sum } = makeAdder({}, { onStop });
    actor.tell({ kind: 'add', value: 5 });
    actor.tell(fail('boom'));
    actor.tell({ kind: 'add', value: 1 });
    await expect(sum()).resolves.toBe(1);
    expect(states).toHaveLength(2);
    expect(onStop).toHaveBeenCalledOnce();
    expect(failures).toEqual([[expect.objectContaining({ message: 'boom' }), false]]);
  });

  it('[ACT3] a throw while the state is made counts like one in a handler', async () => {
    const onFailure = vi.fn();
    let attempts = 0;
    const create = (): Behavior<string> => {
      if (++attempts === 1) throw new Error('no state');
      return { onMessage: () => undefined };
    };
    const actor = new Actor(create, { name: 'late', onFailure });
    actor.tell('a');
    actor.tell('b');
    await nextTurn();
    expect([attempts, onFailure.mock.calls.length]).toEqual([2, 1]);
  });

  it('[ACT3] rejects the asker whose message threw, with what was thrown', async () => {
    const { actor } = makeAdder();
    await expect(actor.ask(() => fail('boom'))).rejects.toThrow('boom');
  });

  it('[ACT4] stops for good after more throws than its budget has', async () => {
    const clock = new FakeClock();
    const { actor, failures } = makeAdder({ maxRestarts: 2, withinMs: 1_000, clock });
    for (const text of ['1', '2', '3', '4']) actor.tell(fail(text));
    await nextTurn();
    expect(failures.map(([, isFatal]) => isFatal)).toEqual([false, false, true]);
    expect(() => actor.tell(fail('5'))).toThrow('adder: stopped');
  });

  it('[ACT4] forgets throws that are long ago', async () => {
    const clock = new FakeClock();
    const { actor, failures } = makeAdder({ maxRestarts: 1, withinMs: 1_000, clock });
    for (let round = 0; round < 5; round++) {
      actor.tell(fail('now and then'));
      await clock.advance(1_000);
    }
    expect(failures.map(([, isFatal]) => isFatal)).toEqual([false, false, false, false, false]);
  });

  it('[ACT5] disposal aborts the message in hand, refuses the rest, releases the state once', async () => {
    const onStop = vi.fn();
    const { actor, failures, sum } = makeAdder({}, { onStop });
    const inHand = actor.ask<number>((reply) => ({ kind: 'waitForStop', reply }));
    const waiting = sum();
    const settled = Promise.allSettled([inHand, waiting]);
    await nextTurn();
    await Promise.all([actor[Symbol.asyncDispose](), actor[Symbol.asyncDispose]()]);
    expect(await settled).toMatchObject([{ reason: { code: 'stopped' } }, { reason: { code: 'stopped' } }]);
    expect(onStop).toHaveBeenCalledOnce();
    expect(failures).toEqual([]);
    await expect(sum()).rejects.toMatchObject({ code: 'stopped' });
  });

  it('[ACT5] waits for a slow release, also when disposed twice', async () => {
    const gate = Promise.withResolvers<void>();
    const { actor, sum } = makeAdder({}, { onStop: () => gate.promise });
    await sum();
    const seen: string[] = [];
    const disposals = [actor, actor].map((each) => each[Symbol.asyncDispose]().then(() => seen.push('disposed')));
    await nextTurn();
    seen.push('released');
    gate.resolve();
    await Promise.all(disposals);
    expect(seen).toEqual(['released', 'disposed', 'disposed']);
  });

  it('[ACT5] a throw while releasing is reported and nothing more', async () => {
    const { actor, failures, sum } = makeAdder({}, { onStop: () => Promise.reject(new Error('stuck file')) });
    await sum();
    await actor[Symbol.asyncDispose]();
    expect(failures).toEqual([[expect.objectContaining({ message: 'stuck file' }), false]]);
  });

  it('[ACT6] an ask gives up after its time limit; the message is handled all the same', async () => {
    const clock = new FakeClock();
    const { actor, sum } = makeAdder({ clock });
    const gate = Promise.withResolvers<void>();
    actor.tell({ kind: 'wait', until: gate.promise });
    const late = actor.ask<number>(() => ({ kind: 'add', value: 3 }), 100);
    const settled = expect(late).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(100);
    await settled;
    gate.resolve();
    await expect(sum()).resolves.toBe(3);
    expect(clock.pendingCount).toBe(0);
  });

  it('[ACT7] an answer that is owed is refused when the state that owes it is gone', async () => {
    const { actor } = makeAdder();
    const owed = actor.ask<number>((reply) => ({ kind: 'never', reply }), 60_000);
    actor.tell(fail('boom'));
    await expect(owed).rejects.toMatchObject({ code: 'restarted' });
    const owedAgain = expect(actor.ask<number>((reply) => ({ kind: 'never', reply }), 60_000)).rejects.toMatchObject({
      code: 'stopped',
    });
    await nextTurn();
    await actor[Symbol.asyncDispose]();
    await owedAgain;
  });
});
