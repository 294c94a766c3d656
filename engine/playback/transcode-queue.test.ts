import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { ASK_MS, LEFT_AFTER_MS, TURN_MS, TranscodeQueue } from './transcode-queue.ts';

let clock: FakeClock;
let free: number;
let queue: TranscodeQueue;
beforeEach(() => {
  clock = new FakeClock();
  free = 0;
  queue = new TranscodeQueue(clock, () => free > 0);
});

const never = new AbortController().signal;
/** Asks again and again, as a client does, and keeps what it was told. */
function client(session: string): { told: (number | null)[]; stop: () => void } {
  const abort = new AbortController();
  const told: (number | null)[] = [];
  void (async () => {
    let place: number | null = queue.enter(session);
    told.push(place);
    while (place !== null && place > 0) {
      place = await queue.ask(session, place, abort.signal);
      told.push(place);
    }
  })().catch(() => undefined);
  return { told, stop: () => abort.abort() };
}

describe('the line for a transcode', () => {
  it('[PLAY30] lets in at once while there is room and nobody waits', () => {
    free = 1;
    expect([queue.enter('a'), queue.length]).toEqual([0, 0]);
  });

  it('[PLAY30] gives turns in order of arrival, and tells each place as it changes', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((session) => client(session));
    expect([a!.told, b!.told, c!.told]).toEqual([[1], [2], [3]]);
    free = 1;
    await clock.advance(500);
    expect(a!.told).toEqual([1, 0]);
    // Who comes now, or asks again, gets no turn before those who wait.
    expect(queue.enter('d')).toBe(4);
    expect(queue.enter('b')).toBe(2);
    expect(queue.enter('a')).toBe(0);
    free = 0;
    await clock.advance(500);
    expect([b!.told, c!.told]).toEqual([
      [2, 1],
      [3, 2],
    ]);
    free = 1;
    await clock.advance(500);
    expect(b!.told.at(-1)).toBe(0);
    expect(c!.told.at(-1)).toBe(2);
  });

  it('[PLAY31] forgets who leaves, and who has stopped asking', async () => {
    const [a, b] = ['a', 'b'].map((session) => client(session));
    const c = client('c');
    queue.leave('b');
    await clock.advance(0);
    expect([b!.told.at(-1), c.told.at(-1)]).toEqual([null, 2]);
    a!.stop();
    await clock.advance(LEFT_AFTER_MS + 1_000);
    expect(c.told.at(-1)).toBe(1);
    expect(await queue.ask('a', 1, never)).toBeNull();
  });

  it('[PLAY31] passes a turn on that nobody takes', async () => {
    const [, b] = ['a', 'b'].map((session) => client(session));
    free = 1;
    await clock.advance(500);
    await clock.advance(TURN_MS);
    expect(b!.told.at(-1)).toBe(0);
  });

  it('[PLAY31] answers after a while even when nothing changes, and keeps the place', async () => {
    queue.enter('a');
    const answer = queue.ask('a', 1, never);
    await clock.advance(ASK_MS);
    expect(await answer).toBe(1);
    expect(queue.length).toBe(1);
  });

  it('looks after nobody when nobody waits', async () => {
    queue.enter('a');
    queue.leave('a');
    await clock.advance(60_000);
    expect(queue.length).toBe(0);
  });
});
