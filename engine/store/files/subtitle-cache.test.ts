import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SubtitleCache } from './subtitle-cache.ts';
import { FileSubtitleVault } from './subtitle-vault.ts';

const key = (digit: number): string => String(digit).repeat(32);
const SUBTITLE = '01890000-0000-7000-8000-000000000001';
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

describe('the vault of subtitles', () => {
  it('[PLAY57] keeps files by their ids, and removes those that nobody knows any more', async () => {
    const vault = await FileSubtitleVault.open(join(root, 'vault'));
    await vault.write(SUBTITLE, Buffer.from('hello'));
    await writeFile(join(root, 'vault', 'half.part'), '');
    await vault.sweep(() => Promise.resolve(new Set([SUBTITLE])));
    expect(await readdir(join(root, 'vault'))).toEqual([SUBTITLE]);
    await vault.remove(SUBTITLE);
    expect(await readdir(join(root, 'vault'))).toEqual([]);
    expect(() => vault.pathOf('../../etc/passwd')).toThrow(RangeError);
  });

  it('[PLAY57] removes nothing that comes in meanwhile, and nothing by the word of a database that knows of none', async () => {
    const vault = await FileSubtitleVault.open(join(root, 'vault'));
    await vault.sweep(async () => {
      await vault.write(SUBTITLE, Buffer.from('hello'));
      return new Set(['00000000-0000-4000-8000-0000000000ff']);
    });
    await vault.sweep(() => Promise.resolve(new Set()));
    expect(await readdir(join(root, 'vault'))).toEqual([SUBTITLE]);
  });
});
