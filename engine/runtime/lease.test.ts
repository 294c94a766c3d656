import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { describeLeases } from '#test/support/lease-contract.ts';
import { EpochFence, MemoryLeases } from './lease.ts';

describeLeases('MemoryLeases', () => {
  const clock = new FakeClock();
  return Promise.resolve({ leases: new MemoryLeases(clock), passMs: (ms) => clock.advance(ms) });
});

it('[LEASE4] EpochFence refuses whoever is older than the newest it has seen', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 })), (epochs) => {
      const fence = new EpochFence();
      for (const [index, epoch] of epochs.entries()) {
        expect(fence.admit(epoch)).toBe(epoch >= Math.max(0, ...epochs.slice(0, index)));
      }
    }),
  );
});
