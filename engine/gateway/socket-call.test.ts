import { describe, expect, it } from 'vitest';
import type { BoundCall, Caller } from './dispatch.ts';
import { CallsInFlight, SocketCall } from './socket-call.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Only the id matters here. */
const call = (id: number): SocketCall =>
  new SocketCall(id, {} as BoundCall, {} as Caller, {} as Subscriptions, () => undefined);

describe('the calls in flight of a connection', () => {
  it('[WIRE7] are found by id as long as they run, in whatever order they end', () => {
    const inFlight = new CallsInFlight();
    const calls = [1, 2, 3, 4, 5].map(call);
    for (const one of calls) inFlight.add(one);
    const left = new Set(calls);
    for (const index of [1, 4, 0, 3, 2]) {
      const ended = calls[index]!;
      inFlight.remove(ended);
      inFlight.remove(ended);
      left.delete(ended);
      expect(inFlight.size).toBe(left.size);
      for (const one of calls) expect(inFlight.find(one.id)).toBe(left.has(one) ? one : undefined);
    }
  });

  it('[WIRE9] are all handed over when the connection ends, and may settle afterwards', () => {
    const inFlight = new CallsInFlight();
    const calls = [1, 2, 3].map(call);
    for (const one of calls) inFlight.add(one);
    expect(inFlight.clear()).toEqual(calls);
    const later = call(4);
    inFlight.add(later);
    for (const one of calls) inFlight.remove(one);
    expect(inFlight.size).toBe(1);
    expect(inFlight.find(4)).toBe(later);
  });
});
