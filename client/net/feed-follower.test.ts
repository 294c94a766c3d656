import { describe, expect, it } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { healthFeed } from '#protocol/feeds.ts';
import { EVENT } from '#protocol/frame.ts';
import { FeedFollower, type Cursor, type FeedListener } from './feed-follower.ts';

const item = (id: string) => ({ id, severity: 'info' as const, title: 't', action: 'a', since: 0 });
const entry = (id: string) => ({ kind: 'health' as const, id, item: item(id) });

function follow() {
  const asked: (Cursor | null)[] = [];
  const acked: number[] = [];
  const seen: string[] = [];
  const timers: { delayMs: number; action: () => void }[] = [];
  let answer: { ok: (reply: { epoch: string; isResumed: boolean }) => void; fail: (error: unknown) => void };
  const follower = new FeedFollower(healthFeed, {
    ask: (cursor, ok, fail) => {
      asked.push(cursor);
      answer = { ok, fail };
    },
    ack: (seq) => acked.push(seq),
    after: (delayMs, action) => {
      const timer = { delayMs, action };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
  });
  const listener: FeedListener<typeof healthFeed> = {
    onSnapshot: ({ items }) => seen.push(`snapshot ${items.map(({ id }) => id).join()}`),
    onEntries: (entries) => seen.push(`entries ${entries.map(({ id }) => id).join()}`),
    onRefused: (error) => seen.push(`refused ${String(error)}`),
  };
  follower.add(listener);
  return {
    follower,
    asked,
    acked,
    seen,
    timers,
    reply: (isResumed: boolean, epoch: string = 'e') => answer.ok({ epoch, isResumed }),
    fail: (error: unknown) => answer.fail(error),
    snapshot: (seq: number, ...ids: string[]) => follower.receive(EVENT.snapshot, seq, seq, { items: ids.map(item) }),
    delta: (prev: number, seq: number, ...ids: string[]) => follower.receive(EVENT.delta, prev, seq, ids.map(entry)),
  };
}

/** Connected, with a snapshot at 5. */
function following() {
  const all = follow();
  all.follower.connected();
  all.reply(false);
  all.snapshot(5, 'a');
  return all;
}

describe('feed follower', () => {
  it('[FEED1] begins with a snapshot and goes on with deltas', () => {
    const { asked, seen, delta, follower } = following();
    delta(5, 7, 'b', 'c');
    expect(asked).toEqual([null]);
    expect(seen).toEqual(['snapshot a', 'entries b,c']);
    expect(follower.cursor).toEqual({ epoch: 'e', seq: 7 });
  });

  it('[FEED2] an event that was applied already is dropped', () => {
    const { asked, seen, delta } = following();
    delta(5, 6, 'b');
    delta(5, 6, 'b');
    delta(4, 5, 'a');
    expect(seen).toEqual(['snapshot a', 'entries b']);
    expect(asked).toHaveLength(1);
  });

  it('[FEED3] a gap asks again from the last place, and what comes meanwhile is not looked at', () => {
    const { asked, seen, delta, reply } = following();
    delta(6, 7, 'lost one');
    expect(asked).toEqual([null, { epoch: 'e', seq: 5 }]);
    delta(7, 8, 'of the old subscription');
    reply(true);
    delta(5, 8, 'merged');
    expect(seen).toEqual(['snapshot a', 'entries merged']);
  });

  it('[FEED3] a second gap in a row begins anew', () => {
    const { asked, delta, reply } = following();
    delta(6, 7);
    reply(true);
    delta(6, 7);
    expect(asked).toEqual([null, { epoch: 'e', seq: 5 }, null]);
  });

  it('[FEED4] a reconnect continues from the cursor, in the same epoch only', () => {
    const { asked, seen, reply, follower, snapshot } = following();
    follower.disconnected();
    follower.connected();
    expect(asked.at(-1)).toEqual({ epoch: 'e', seq: 5 });
    reply(false, 'f');
    expect(follower.cursor).toBeNull();
    snapshot(1, 'x');
    expect(seen.at(-1)).toBe('snapshot x');
    expect(follower.cursor).toEqual({ epoch: 'f', seq: 1 });
  });

  it('[FEED4] a reply that comes after the connection it was for is not looked at', () => {
    const { asked, seen, reply, follower, delta } = following();
    follower.disconnected();
    reply(true);
    delta(5, 6, 'b');
    expect(seen).toEqual(['snapshot a']);
    expect(asked).toHaveLength(1);
  });

  it('[FEED2] acknowledges what it applied: soon, or after many', () => {
    const { acked, delta, timers } = following();
    expect(timers).toHaveLength(1);
    timers[0]!.action();
    expect(acked).toEqual([5]);
    for (let seq = 6; seq < 6 + 64; seq++) delta(seq - 1, seq, 'a');
    expect(acked).toEqual([5, 69]);
    expect(timers).toHaveLength(0);
  });

  it('leaves out entries of a kind it does not know, and keeps its place', () => {
    const { follower, seen, asked } = following();
    follower.receive(EVENT.delta, 5, 6, [{ kind: 'novelty', id: 'n' }, entry('b')]);
    expect(seen.at(-1)).toBe('entries b');
    follower.receive(EVENT.delta, 6, 7, 'not a list');
    expect(asked.at(-1)).toEqual({ epoch: 'e', seq: 6 });
  });

  it('tells of a refusal, and asks again where it may pass', () => {
    const { follower, seen, fail, timers, asked } = follow();
    follower.connected();
    fail(new Failure('overloaded', { retryAfterMs: 1 }));
    expect(seen).toEqual([]);
    timers[0]!.action();
    expect(asked).toHaveLength(2);
    fail(new Failure('forbidden', { permission: 'server:manage' }));
    expect(seen).toEqual(['refused Failure: forbidden']);
    follower.disconnected();
    follower.connected();
    expect(asked).toHaveLength(3);
  });
});
