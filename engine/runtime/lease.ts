import { systemClock } from '#engine/base/clock.ts';
import type { Clock } from '#engine/base/clock.ts';

/**
 * Ownership of something for a limited time. The epoch grows with every change of owner, so that an owner that was
 * away (a paused process, a late answer) can be told from the present one.
 */
export interface Lease {
  readonly key: string;
  readonly holder: string;
  readonly epoch: number;
}

/** Hands out leases. Its rules are LEASE1 to LEASE4 of SPEC.md; every implementation passes `describeLeases`. */
export interface Leases {
  /** Takes the lease, or renews it when `holder` has it already. `null` when somebody else has it. */
  acquire(key: string, holder: string, ttlMs: number): Promise<Lease | null>;
  /** Prolongs the lease. `false` when it is no longer this one: stop at once, another may own it. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Gives the lease back before its time. Nothing happens when it is no longer this one. */
  release(lease: Lease): Promise<void>;
}

/** Leases of one process. */
export class MemoryLeases implements Leases {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #held = new Map<string, { readonly lease: Lease; untilMs: number }>();
  /** One counter for all keys: a key that was forgotten still never sees an epoch twice. */
  #lastEpoch = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.#clock = clock;
  }

  acquire(key: string, holder: string, ttlMs: number): Promise<Lease | null> {
    this.#forgetExpired();
    const untilMs = this.#clock.monotonicMs() + ttlMs;
    const held = this.#held.get(key);
    if (held && held.lease.holder !== holder) return Promise.resolve(null);
    const lease = held?.lease ?? { key, holder, epoch: ++this.#lastEpoch };
    this.#held.set(key, { lease, untilMs });
    return Promise.resolve(lease);
  }

  renew(lease: Lease, ttlMs: number): Promise<boolean> {
    this.#forgetExpired();
    const held = this.#held.get(lease.key);
    if (held?.lease.epoch !== lease.epoch) return Promise.resolve(false);
    held.untilMs = this.#clock.monotonicMs() + ttlMs;
    return Promise.resolve(true);
  }

  release(lease: Lease): Promise<void> {
    if (this.#held.get(lease.key)?.lease.epoch === lease.epoch) this.#held.delete(lease.key);
    return Promise.resolve();
  }

  #forgetExpired(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { untilMs }] of this.#held) if (untilMs <= nowMs) this.#held.delete(key);
  }
}

/**
 * Stands before the thing that a lease protects and lets through only the newest owner: once an epoch has been seen, older
 * ones are refused. A lease alone cannot promise that, because its holder may be paused between looking and acting.
 */
export class EpochFence {
  #newest = 0;

  /** `false` for a stale epoch: drop what it brings. */
  admit(epoch: number): boolean {
    if (epoch < this.#newest) return false;
    this.#newest = epoch;
    return true;
  }
}
