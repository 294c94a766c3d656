import { expect, it } from 'vitest';
import { processorSeconds } from './processor-time.ts';

it('counts what Node counts for its own process', () => {
  const ownSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const start = { linux: processorSeconds(process.pid), own: ownSeconds() };
  for (let sum = 0; ownSeconds() - start.own < 0.3; sum++) Math.sqrt(sum);
  const linux = processorSeconds(process.pid) - start.linux;
  // The kernel counts in hundredths; both count everything this process does, on all its threads.
  expect(Math.abs(linux - (ownSeconds() - start.own))).toBeLessThan(0.1);
});

it('of a process that is gone is an error', () => {
  expect(() => processorSeconds(2 ** 22 + 1)).toThrow('ENOENT');
});
