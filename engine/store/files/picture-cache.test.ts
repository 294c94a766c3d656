import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PictureCache } from './picture-cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pictures-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const named = (name: string) => `${name.padEnd(22, '0')}-320.webp`;
const bytes = (size: number) => new Uint8Array(size).fill(7);
const isThere = async (cache: PictureCache, name: string) => (await cache.find(named(name))) !== null;

describe('the cache of pictures', () => {
  it('[PIC5] gives back what was put, also after a restart', async () => {
    const cache = await PictureCache.open(folder, 1_000);
    await cache.put(named('a'), bytes(10));
    const path = (await cache.find(named('a')))!;
    expect(readFileSync(path)).toEqual(Buffer.from(bytes(10)));
    const again = await PictureCache.open(folder, 1_000);
    expect(await isThere(again, 'a')).toBe(true);
    expect(again.totalBytes).toBe(10);
    expect(await again.find('unknown-unknown-unknown.webp')).toBeNull();
  });

  it('[PIC6] removes the longest unused when the quota is passed, and never the newest', async () => {
    const cache = await PictureCache.open(folder, 100);
    for (const name of ['a', 'b', 'c']) await cache.put(named(name), bytes(30));
    await cache.find(named('a'));
    await cache.put(named('d'), bytes(30));
    expect([
      await isThere(cache, 'a'),
      await isThere(cache, 'b'),
      await isThere(cache, 'c'),
      await isThere(cache, 'd'),
    ]).toEqual([true, false, true, true]);
    await cache.put(named('e'), bytes(500));
    expect(await isThere(cache, 'e')).toBe(true);
    expect(cache.totalBytes).toBe(500);
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.webp'))).toHaveLength(1);
  });

  it('[PIC6] keeps the order of use over a restart, and holds a smaller quota at once', async () => {
    const cache = await PictureCache.open(folder, 1_000);
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      await cache.put(named(name), bytes(30));
      const path = (await cache.find(named(name)))!;
      utimesSync(path, 1_000 + index, 1_000 + index);
    }
    const before = await PictureCache.open(folder, 1_000);
    await before.find(named('a'));
    const after = await PictureCache.open(folder, 60);
    expect([await isThere(after, 'a'), await isThere(after, 'b'), await isThere(after, 'c')]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('[PIC5] removes half-written files, and notices that somebody deleted one', async () => {
    mkdirSync(join(folder, 'aa'));
    writeFileSync(join(folder, 'aa', `${named('aa')}.99-1`), 'half');
    const cache = await PictureCache.open(folder, 1_000);
    expect(existsSync(join(folder, 'aa', `${named('aa')}.99-1`))).toBe(false);
    await cache.put(named('b'), bytes(10));
    rmSync((await cache.find(named('b')))!);
    expect(await isThere(cache, 'b')).toBe(false);
    expect(cache.totalBytes).toBe(0);
  });

  it('[PIC5] forgets what turned out to be no good', async () => {
    const cache = await PictureCache.open(folder, 1_000);
    await cache.put(`${'a'.repeat(22)}.source`, bytes(10));
    await cache.remove(`${'a'.repeat(22)}.source`);
    await cache.remove(`${'a'.repeat(22)}.source`);
    expect(cache.totalBytes).toBe(0);
    expect((await PictureCache.open(folder, 1_000)).totalBytes).toBe(0);
  });

  it('[PIC5] holds whole pictures only, whenever its process was killed', async () => {
    const host = fileURLToPath(new URL('../../../test/support/hosts/killed-pictures.host.ts', import.meta.url));
    const child = fork(host, [folder], { execArgv: [] });
    await once(child, 'message');
    const names = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    // Those that are being written have other names.
    await expect.poll(() => names().filter(({ name }) => name.endsWith('-full.webp')).length).toBeGreaterThan(4);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const cache = await PictureCache.open(folder, 1e9);
    const kept = names();
    expect(kept.length).toBeGreaterThan(3);
    for (const { name, parentPath } of kept) {
      expect(name).toMatch(/^\d{22}-full\.webp$/);
      expect(statSync(join(parentPath, name)).size).toBe(4e6);
    }
    expect(cache.totalBytes).toBe(kept.length * 4e6);
  });

  it('[PIC4] takes no name that could be a path', async () => {
    const cache = await PictureCache.open(folder, 1_000);
    for (const name of ['../../../etc/passwd/xxx.webp', `${'a'.repeat(22)}.html`, `${'a'.repeat(22)}.webp/x`]) {
      await expect(cache.put(name, bytes(1)), name).rejects.toThrow('no name');
    }
    expect(await cache.find('../../../etc/passwd')).toBeNull();
  });
});
