import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lateCache } from './late-cache.ts';
import { PictureCache } from './picture-cache.ts';

const NAME = `${'a'.repeat(32)}-0.webp`;

it('[PLAY61] who asks before it is open waits for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-late-'));
  const { promise, resolve } = Promise.withResolvers<PictureCache>();
  const cache = lateCache(promise);
  const put = cache.put(NAME, new Uint8Array(10));
  expect(cache.totalBytes).toBe(0);
  resolve(await PictureCache.open(folder, 1_000));
  await put;
  expect(await cache.find(NAME)).toContain(NAME);
  expect(cache.totalBytes).toBe(10);
  await rm(folder, { recursive: true });
});

it('[PLAY61] one that does not open answers so, and takes nothing with it', async () => {
  const cache = lateCache(Promise.reject(new Error('no such disk')));
  await expect(cache.find(NAME)).rejects.toThrow('no such disk');
  expect(cache.totalBytes).toBe(0);
});
