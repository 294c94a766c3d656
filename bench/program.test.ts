import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Program } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-bench-program-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'sums.program.ts');
writeFileSync(
  file,
  `import { answerWith } from ${JSON.stringify(join(import.meta.dirname, 'program.ts'))};
   answerWith({
     sum: (numbers) => numbers.reduce((a, b) => a + b),
     later: async (bytes) => bytes,
     fail: () => { throw new RangeError('no such thing'); },
     end: () => process.exit(3),
     pid: () => process.pid,
   });`,
);
type Sums = {
  sum: (numbers: bigint[]) => bigint;
  later: (bytes: Uint8Array) => Promise<Uint8Array>;
  fail: (input: null) => void;
  end: (input: null) => void;
  pid: (input: null) => number;
};
const start = (): Promise<Program<Sums>> => Program.start<Sums>(file);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('answers in a process of its own, and ends with its bench', async () => {
  let pid = 0;
  {
    await using program = await start();
    const [sum, bytes] = await Promise.all([program.ask('sum', [1n, 2n]), program.ask('later', Uint8Array.of(1, 2))]);
    expect(sum).toBe(3n);
    expect([...bytes]).toEqual([1, 2]);
    pid = await program.ask('pid', null);
    expect(pid).toBe(program.pid);
    expect(pid).not.toBe(process.pid);
  }
  expect(isAlive(pid)).toBe(false);
});

it('says what failed in it', async () => {
  await using program = await start();
  await expect(program.ask('fail', null)).rejects.toThrow('RangeError: no such thing');
  expect(await program.ask('sum', [2n])).toBe(2n);
});

it('leaves nobody waiting when it ends by itself, or never came up', async () => {
  await using program = await start();
  await expect(program.ask('end', null)).rejects.toThrow('ended with code 3 before it answered');
  await expect(Program.start(join(folder, 'missing.program.ts'))).rejects.toThrow('ended with code 1');
});
