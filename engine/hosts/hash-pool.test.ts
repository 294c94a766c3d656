import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { xxhash3 } from 'hash-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HashPool } from './hash-pool.ts';

const KIB = 1024;
const folder = mkdtempSync(join(tmpdir(), 'matinee-hash-'));
let pool: HashPool;
beforeAll(() => void (pool = new HashPool({ threads: 2 })));
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Bytes without a pattern, the same for the same seed. */
function noise(sizeBytes: number, seed: number = 1): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed;
  for (let index = 0; index < sizeBytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

function write(name: string, content: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function sizePrefix(sizeBytes: number): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(sizeBytes));
  return prefix;
}

describe('HashPool.identify', () => {
  it('hashes size, head, middle and tail', async () => {
    const content = noise(1_000_003);
    const middle = Math.floor((content.length - 64 * KIB) / 2);
    const parts = [
      sizePrefix(content.length),
      content.subarray(0, 64 * KIB),
      content.subarray(middle, middle + 64 * KIB),
      content.subarray(-64 * KIB),
    ];
    await expect(pool.identify([write('large', content)])).resolves.toEqual([
      { hash: await xxhash3(Buffer.concat(parts)) },
    ]);
  });

  it.each([0, 1, 64 * KIB, 192 * KIB - 1])('hashes the size and all of a file of %i bytes', async (sizeBytes) => {
    const content = noise(sizeBytes);
    const hash = await xxhash3(Buffer.concat([sizePrefix(sizeBytes), content]));
    await expect(pool.identify([write(`small-${sizeBytes}`, content)])).resolves.toEqual([{ hash }]);
  });

  it('finds a moved file again, and tells apart files that differ in size, head, middle or tail alone', async () => {
    const content = noise(900 * KIB);
    const variants = [0, 450 * KIB, 900 * KIB - 1].map((place) => {
      const variant = Buffer.from(content);
      variant[place]! ^= 1;
      return variant;
    });
    const original = write('original', content);
    const [before] = await pool.identify([original]);
    renameSync(original, join(folder, 'moved'));
    const outcomes = await pool.identify([
      join(folder, 'moved'),
      ...variants.map((variant, index) => write(`variant-${index}`, variant)),
      write('longer', Buffer.concat([content, Buffer.alloc(1)])),
    ]);
    expect(outcomes[0]).toEqual(before);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(outcomes.length);
  });

  it('answers for each path in order, whatever is wrong with the others', async () => {
    mkdirSync(join(folder, 'folder'));
    symlinkSync('nowhere', join(folder, 'dangling'));
    symlinkSync('loop', join(folder, 'loop'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const good = write('good', noise(10));
    const [expected] = await pool.identify([good]);
    const outcomes = await pool.identify(
      ['good', 'missing', 'folder', 'pipe', 'good/below', 'dangling', 'loop', 'good'].map((name) => join(folder, name)),
    );
    expect(outcomes).toEqual([
      expected,
      { failure: 'notFound' },
      { failure: 'notAFile' },
      { failure: 'notAFile' },
      { failure: 'notFound' },
      { failure: 'notFound' },
      { failure: 'notFound' },
      expected,
    ]);
  });

  it('keeps the order over many batches, and answers nothing for nothing', async () => {
    const names = Array.from({ length: 200 }, (_, index) => write(`many-${index}`, noise(20, index)));
    const together = await pool.identify(names);
    const apart = await Promise.all(names.map(async (name) => (await pool.identify([name]))[0]));
    expect(together).toEqual(apart);
    await expect(pool.identify([])).resolves.toEqual([]);
  });
});

describe('HashPool.whole', () => {
  it('hashes every byte, over more than one chunk', async () => {
    const content = noise(2_500_000);
    await expect(pool.whole(write('whole', content))).resolves.toEqual({ hash: await xxhash3(content) });
    await expect(pool.whole(join(folder, 'missing-whole'))).resolves.toEqual({ failure: 'notFound' });
  });

  it('can be cancelled while it runs, and works on', async () => {
    const endless = join(folder, 'sparse');
    writeFileSync(endless, '');
    truncateSync(endless, 8 * 1024 ** 4); // 8 TiB without a block on disk: would take an hour to hash
    const abort = new AbortController();
    const run = pool.whole(endless, abort.signal).catch((error: unknown) => error);
    await pool.identify([endless]); // the thread for whole files has had time to start; either way the abort must hold
    abort.abort('enough');
    await expect(run).resolves.toBe('enough');
    await expect(pool.whole(write('next', noise(5)))).resolves.toEqual({ hash: await xxhash3(noise(5)) });
  });
});
