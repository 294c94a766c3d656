/**
 * Counts wrong passwords [ACC7]. Owns: the failures of the last 15 minutes, by (name, address) and by address.
 * Kept in memory: a restart forgives, which costs an attacker more time than it gives.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '#engine/base/clock.ts';

const WINDOW_MS = 15 * 60_000;
const FAILURES_PER_PAIR = 5;
const FAILURES_PER_ADDRESS = 50;
/** Memory bound: an attacker with more addresses than this pushes out their own oldest. */
const MAX_ENTRIES = 20_000;

export class SignInThrottle {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #failures = new LRUCache<string, number[]>({ max: MAX_ENTRIES });

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Milliseconds until this name may be tried again from this address; 0 when it may be now. */
  retryAfterMs(name: string, address: string): number {
    return Math.max(
      this.#lockedForMs(pairKey(name, address), FAILURES_PER_PAIR),
      this.#lockedForMs(addressKey(address), FAILURES_PER_ADDRESS),
    );
  }

  recordFailure(name: string, address: string): void {
    this.#add(pairKey(name, address), FAILURES_PER_PAIR);
    this.#add(addressKey(address), FAILURES_PER_ADDRESS);
  }

  /** A right password clears the pair, not the address: one good account must not shield guesses at others. */
  recordSuccess(name: string, address: string): void {
    this.#failures.delete(pairKey(name, address));
  }

  #lockedForMs(key: string, limit: number): number {
    const recent = this.#recent(key);
    const decisive = recent.at(-limit);
    return decisive === undefined ? 0 : Math.max(0, Math.ceil(decisive + WINDOW_MS - this.#clock.monotonicMs()));
  }

  #add(key: string, limit: number): void {
    this.#failures.set(key, [...this.#recent(key).slice(1 - limit), this.#clock.monotonicMs()]);
  }

  #recent(key: string): number[] {
    const since = this.#clock.monotonicMs() - WINDOW_MS;
    return (this.#failures.get(key) ?? []).filter((at) => at > since);
  }
}

const pairKey = (name: string, address: string): string => `pair ${address} ${name.toLowerCase()}`;
const addressKey = (address: string): string => `address ${address}`;
