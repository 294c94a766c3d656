import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';
import { RestartBudget } from './restart-budget.ts';

/**
 * An actor owns one piece of state and handles one message at a time, in order of arrival. Nothing else touches that
 * state, so nothing needs a lock. Its rules are ACT1 to ACT7 of SPEC.md.
 *
 * A behavior is the state together with its handler: it is made when the first message arrives, and made afresh after a
 * throw. States of the actor: idle (no message) ⇄ busy → stopped, the last for good.
 */
export class Actor<Message> implements AsyncDisposable {
  readonly name: string;
  readonly #create: () => Behavior<Message>;
  readonly #onFailure: ActorOptions['onFailure'];
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #budget: RestartBudget;
  readonly #abort = new AbortController();
  readonly #mailbox: Envelope<Message>[] = [];
  /** Refuses the answers that the state still owes to messages it has handled. */
  readonly #owed = new Set<(error: unknown) => void>();
  #behavior: Behavior<Message> | undefined;
  #loop: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(create: () => Behavior<Message>, options: ActorOptions) {
    this.name = options.name;
    this.#create = create;
    this.#onFailure = options.onFailure;
    this.#capacity = options.capacity ?? 256;
    this.#clock = options.clock ?? systemClock;
    this.#budget = new RestartBudget(
      { maxRestarts: options.maxRestarts ?? 5, withinMs: options.withinMs ?? 60_000 },
      this.#clock,
    );
  }

  get isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Sends without waiting. Throws an ActorError: `mailboxFull` or `stopped`. */
  tell(message: Message): void {
    this.#enqueue({ message });
  }

  /**
   * Sends a message that carries a reply slot, and waits for the answer. Rejects with what the handler threw or rejected, or
   * with an ActorError: `mailboxFull`, `stopped`, `restarted` (the state that owed the answer is gone), `timeout`. An
   * actor never awaits an `ask` to one that may ask it back: both would wait until the time limit.
   */
  async ask<R>(build: (reply: Reply<R>) => Message, timeoutMs: number = 5_000): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const envelope: Envelope<Message> = { message: build({ resolve, reject }), reject };
    this.#enqueue(envelope);
    using _timer = this.#clock.after(timeoutMs, () => reject(this.#error('timeout')));
    try {
      return await promise;
    } finally {
      envelope.reject = undefined;
      this.#owed.delete(reject);
    }
  }

  /** Stops for good. Never awaited by the actor's own handler, which is what it waits for. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return (this.#stopped ??= Promise.resolve(this.#loop).then(() => this.#drop('stopped')));
  }

  #enqueue(envelope: Envelope<Message>): void {
    if (this.isStopped) throw this.#error('stopped');
    if (this.#mailbox.length >= this.#capacity) throw this.#error('mailboxFull');
    this.#mailbox.push(envelope);
    this.#loop ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // never handle a message inside its sender's stack
    for (let next = this.#mailbox.shift(); next; next = this.#mailbox.shift()) {
      if (next.reject) this.#owed.add(next.reject);
      try {
        this.#behavior ??= this.#create();
        await this.#behavior.onMessage(next.message, this.#abort.signal);
      } catch (error) {
        next.reject?.(this.isStopped ? this.#error('stopped') : error);
        await this.#drop('restarted');
        this.#countFailure(error);
      }
    }
    this.#loop = undefined;
  }

  #countFailure(error: unknown): void {
    if (this.isStopped) return; // a throw while stopping is the stop itself
    const isFatal = !this.#budget.spend();
    if (isFatal) this.#close();
    this.#onFailure(error, isFatal);
  }

  #close(): void {
    this.#abort.abort();
    for (const { reject } of this.#mailbox.splice(0)) reject?.(this.#error('stopped'));
  }

  /** Releases the state, and refuses the answers that nobody can give any more. */
  async #drop(code: 'restarted' | 'stopped'): Promise<void> {
    for (const reject of this.#owed) reject(this.#error(code));
    this.#owed.clear();
    const dropped = this.#behavior;
    this.#behavior = undefined;
    try {
      await dropped?.onStop?.();
    } catch (error) {
      this.#onFailure(error, false); // a failed cleanup must not wedge the mailbox
    }
  }

  #error(code: ActorError['code']): ActorError {
    return new ActorError(code, this.name);
  }
}

export interface Behavior<Message> {
  /** `signal` is aborted when the actor stops: a handler that waits for something passes it on. */
  onMessage(message: Message, signal: AbortSignal): Promise<void> | void;
  /** The last call on this state: releases what it owns. A throw here is only reported. */
  onStop?(): Promise<void> | void;
}

export interface ActorOptions {
  readonly name: string;
  /** Every throw of a handler is reported here once. `isFatal` means that the actor has stopped for good. */
  readonly onFailure: (error: unknown, isFatal: boolean) => void;
  /** Most messages waiting, 256 unless told. */
  readonly capacity?: number;
  /** Throws that are survived within `withinMs`, 5 in a minute unless told. */
  readonly maxRestarts?: number;
  readonly withinMs?: number;
  readonly clock?: Clock;
}

/** Where the answer to an ask goes. The first call counts; later ones do nothing. */
export interface Reply<R> {
  resolve(this: void, value: R): void;
  reject(this: void, error: unknown): void;
}

interface Envelope<Message> {
  readonly message: Message;
  /** Refuses the ask, `undefined` for a tell and once the ask is settled. */
  reject?: ((error: unknown) => void) | undefined;
}

export class ActorError extends Error {
  readonly code: 'mailboxFull' | 'stopped' | 'restarted' | 'timeout';

  constructor(code: ActorError['code'], actor: string) {
    super(`${actor}: ${code}`);
    this.name = 'ActorError';
    this.code = code;
  }
}
