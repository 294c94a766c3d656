import { describe, expect, it } from 'vitest';
import type { Leases } from '#engine/runtime/lease.ts';

/** What every implementation of `Leases` keeps. `passMs` lets time go by for the implementation under test. */
export function describeLeases(
  name: string,
  open: () => Promise<{ readonly leases: Leases; readonly passMs: (ms: number) => Promise<void> }>,
): void {
  describe(name, () => {
    it('[LEASE1] one holder at a time; asking again renews and keeps the epoch', async () => {
      const { leases, passMs } = await open();
      const first = await leases.acquire('room', 'a', 1_000);
      await passMs(600);
      expect(await leases.acquire('room', 'b', 1_000)).toBeNull();
      expect(await leases.acquire('room', 'a', 1_000)).toEqual(first);
      await passMs(600);
      expect(await leases.acquire('room', 'b', 1_000)).toBeNull();
      expect(await leases.acquire('other room', 'b', 1_000)).not.toBeNull();
    });

    it('[LEASE2] a lease that was not renewed is free, and the next owner has a higher epoch', async () => {
      const { leases, passMs } = await open();
      const first = await leases.acquire('room', 'a', 1_000);
      await passMs(1_000);
      const second = await leases.acquire('room', 'b', 1_000);
      expect(second!.epoch).toBeGreaterThan(first!.epoch);
      expect(await leases.renew(first!, 1_000)).toBe(false);
      expect(await leases.renew(second!, 1_000)).toBe(true);
    });

    it('[LEASE2] the same holder gets a new epoch after its lease ran out', async () => {
      const { leases, passMs } = await open();
      const first = await leases.acquire('room', 'a', 1_000);
      await passMs(1_000);
      const second = await leases.acquire('room', 'a', 1_000);
      expect(second!.epoch).toBeGreaterThan(first!.epoch);
      expect(await leases.renew(first!, 1_000)).toBe(false);
    });

    it('[LEASE3] a released lease is free at once; releasing a stale one changes nothing', async () => {
      const { leases } = await open();
      const first = await leases.acquire('room', 'a', 1_000);
      await leases.release(first!);
      const second = await leases.acquire('room', 'b', 1_000);
      expect(second!.epoch).toBeGreaterThan(first!.epoch);
      await leases.release(first!);
      expect(await leases.acquire('room', 'c', 1_000)).toBeNull();
    });
  });
}
