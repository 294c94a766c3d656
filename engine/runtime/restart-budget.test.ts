import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RestartBudget } from './restart-budget.ts';

it('RestartBudget grants at most maxRestarts in any span of withinMs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 400 }), { maxLength: 100 }),
      fc.integer({ min: 0, max: 5 }),
      (waitsMs, maxRestarts) => {
        let nowMs = 0;
        const budget = new RestartBudget({ maxRestarts, withinMs: 1_000 }, { monotonicMs: () => nowMs });
        const grantedAtMs = waitsMs.flatMap((waitMs) => {
          nowMs += waitMs;
          return budget.spend() ? [nowMs] : [];
        });
        for (const fromMs of grantedAtMs) {
          const granted = grantedAtMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000);
          expect(granted.length).toBeLessThanOrEqual(maxRestarts);
        }
        nowMs += 1_000;
        expect([budget.recent, budget.spend()]).toEqual([0, maxRestarts > 0]);
      },
    ),
  );
});
