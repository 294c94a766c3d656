/**
 * One call on a socket: what its handler gets as context, and what its connection has to know of it until the handler has
 * settled. One object for all of that, because one is made for every call there is.
 */
import type { Expiring } from './call-deadlines.ts';
import { CallScope, type BoundCall, type Caller } from './dispatch.ts';
import type { Subscriptions } from './subscriptions.ts';

export class SocketCall extends CallScope implements Expiring {
  readonly id: number;
  readonly bound: BoundCall;
  /** The calls about feeds find the connection's subscriptions through this. */
  readonly subscriptions: Subscriptions;
  readonly #onExpired: (call: SocketCall) => void;
  /** Run right after the reply was sent. */
  afterReply: (() => void) | null = null;
  /** True where the deadline came first. The handler still counts as running [LIM3]. */
  isAnswered = false;
  /** What it may take; 0 before it has turned out to take any time. */
  deadlineMs = 0;
  /** Place in `CallsInFlight`. */
  slot = -1;
  previousDue: Expiring | null = null;
  nextDue: Expiring | null = null;
  dueTimer: Disposable | null = null;

  constructor(
    id: number,
    bound: BoundCall,
    caller: Caller,
    subscriptions: Subscriptions,
    onExpired: (call: SocketCall) => void,
  ) {
    super(caller);
    this.id = id;
    this.bound = bound;
    this.subscriptions = subscriptions;
    this.#onExpired = onExpired;
  }

  expire(): void {
    this.#onExpired(this);
  }
}

/** The calls of one connection whose handlers have not settled: a few, that come and go all the time. */
export class CallsInFlight {
  readonly #calls: SocketCall[] = [];

  get size(): number {
    return this.#calls.length;
  }

  /** `undefined` where none has that id any more. */
  find(id: number): SocketCall | undefined {
    return this.#calls.find((call) => call.id === id);
  }

  add(call: SocketCall): void {
    call.slot = this.#calls.length;
    this.#calls.push(call);
  }

  /** Does nothing where it was removed before. */
  remove(call: SocketCall): void {
    const { slot } = call;
    const last = this.#calls.at(-1);
    if (slot < 0 || !last) return;
    call.slot = -1;
    this.#calls.pop();
    if (last === call) return;
    this.#calls[slot] = last;
    last.slot = slot;
  }

  /** Removes all and returns them. */
  clear(): SocketCall[] {
    const calls = this.#calls.splice(0);
    for (const call of calls) call.slot = -1;
    return calls;
  }
}
