import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileScratch } from './scratch.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scratch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the scratch space', () => {
  it('[PLAY17] is emptied when it is opened, without following links out of it', async () => {
    const root = join(folder, 'scratch');
    await mkdir(join(root, 'old', 'deep'), { recursive: true });
    await writeFile(join(root, 'old', 'deep', '0.m4s'), 'x');
    await writeFile(join(folder, 'precious'), 'x');
    await mkdir(join(folder, 'movies'));
    await writeFile(join(folder, 'movies', 'heat.mkv'), 'x');
    await symlink(join(folder, 'precious'), join(root, 'link'));
    await symlink(join(folder, 'movies'), join(root, 'old', 'movies'));
    await FileScratch.open(root);
    expect(await readdir(root)).toEqual([]);
    expect([existsSync(join(folder, 'precious')), existsSync(join(folder, 'movies', 'heat.mkv'))]).toEqual([
      true,
      true,
    ]);
  });

  it('is nobody else’s to read', async () => {
    const root = join(folder, 'new', 'scratch');
    const scratch = await FileScratch.open(root);
    await scratch.createFolder('a');
    await scratch.writeFile('a', 'b.vtt', Buffer.from('x'));
    const modes = await Promise.all(
      [root, scratch.pathOf('a'), scratch.pathOf('a', 'b.vtt')].map((path) => stat(path)),
    );
    expect(modes.map(({ mode }) => mode & 0o077)).toEqual([0, 0, 0]);
  });

  it('makes folders empty, writes files whole, and removes both', async () => {
    const scratch = await FileScratch.open(folder);
    await scratch.createFolder('a');
    await scratch.writeFile('a', 'one', Buffer.from('1'));
    await scratch.writeFile('a', 'one', Buffer.from('2'));
    expect(await readFile(scratch.pathOf('a', 'one'), 'utf8')).toBe('2');
    expect(await readdir(scratch.pathOf('a'))).toEqual(['one']);
    await scratch.removeFile('a', 'one');
    await scratch.removeFile('a', 'one');
    await scratch.writeFile('a', 'two', Buffer.from('2'));
    await scratch.createFolder('a');
    expect(await readdir(scratch.pathOf('a'))).toEqual([]);
    await scratch.removeFolder('a');
    await scratch.removeFolder('a');
    expect(await readdir(folder)).toEqual([]);
    await expect(scratch.writeFile('a', 'one', Buffer.from('1'))).rejects.toThrow('ENOENT');
  });

  it.each(['..', '.', '', 'a/b', '/etc', 'a\0', '.hidden', 'a\\b', 'x'.repeat(200)])(
    '[PLAY5] has no place for the name %j',
    async (name) => {
      const scratch = await FileScratch.open(folder);
      expect(() => scratch.pathOf(name)).toThrow(RangeError);
      expect(() => scratch.pathOf('a', name)).toThrow(RangeError);
      await expect(scratch.removeFolder(name)).rejects.toThrow(RangeError);
    },
  );
});
