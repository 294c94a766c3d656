/** A worker that does on request what a worker may do by accident. */
import { threadId } from 'node:worker_threads';

export const add = ({ a, b }: { a: number; b: number }): number => a + b;

export const thread = (): number => threadId;

export function fail(text: string): never {
  throw new RangeError(text);
}

/** Raises a flag for the test to see, then blocks until the thread is ended. */
export function hang(flag: Int32Array): never {
  Atomics.store(flag, 0, threadId);
  Atomics.notify(flag, 0);
  for (;;);
}

/** Blocks until the test lowers the flag. */
export function hold(flag: Int32Array): number {
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  Atomics.wait(flag, 0, 1);
  return threadId;
}

export function exit(code: number): never {
  return process.exit(code);
}

export function exhaust(): number {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, () => Math.random()));
}
