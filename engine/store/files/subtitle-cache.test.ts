import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SubtitleCache } from './subtitle-cache.ts';

const key = (digit: number): string => String(digit).repeat(32);
let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'matinee-subtitle-cache-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

async function fill(cache: SubtitleCache, digit: number, usedMs: number): Promise<void> {
  const folder = await cache.folder(key(digit));
  await writeFile(join(folder, 't1.vtt'), Buffer.alloc(100));
  await utimes(folder, usedMs / 1_000, usedMs / 1_000);
}

describe('the cache of subtitles', () => {
  it('[PLAY52] stays through restarts, and makes room by what was not used for longest, but for what is being read', async () => {
    const cache = await SubtitleCache.open(root, 250);
    for (const digit of [1, 2, 3]) await fill(cache, digit, digit * 1_000_000);
    await cache.trim(new Set([key(1)]));
    expect((await readdir(root)).toSorted()).toEqual([key(1), key(3)]);
    await writeFile(join(root, 'stray'), '');
    const again = await SubtitleCache.open(root, 250);
    expect((await readdir(root)).toSorted()).toEqual([key(1), key(3)]);
    expect(await again.find(key(3), 't1.vtt')).toBe(join(root, key(3), 't1.vtt'));
    expect(await again.find(key(2), 't1.vtt')).toBeNull();
  });

  it('[PLAY53] a file that was opened is read on after another was put in its place', async () => {
    const cache = await SubtitleCache.open(root, 1_000);
    const folder = await cache.folder(key(1));
    expect(await cache.open(key(1), 't1.vtt')).toBeNull();
    await writeFile(join(folder, 't1.vtt'), 'one');
    const file = (await cache.open(key(1), 't1.vtt'))!;
    expect(Buffer.from(await file.read(0, 10)).toString()).toBe('one');
    await writeFile(join(folder, 't1.vtt'), ' two', { flag: 'a' });
    expect(Buffer.from(await file.read(3, 10)).toString()).toBe(' two');
    expect(await file.read(7, 10)).toHaveLength(0);
    await file.close();
  });

  it.each(['../x', '', 'a/b', '.hidden', 't1.vtt/..', 'T1.vtt'])('[PLAY5] takes no name such as %j', async (name) => {
    const cache = await SubtitleCache.open(root, 1_000);
    await expect(cache.find(key(1), name)).rejects.toThrow(RangeError);
    await expect(cache.folder(name)).rejects.toThrow(RangeError);
  });
});
