import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MovieFilePlace } from '#engine/metadata/ports.ts';
import { createNfoFolder } from './nfo-folder.ts';

let root: string;
let library: string;
const nfo = () => createNfoFolder(join(root, 'nfo'), (text) => text.includes('OURS'));
const file = (path: string, isAloneInFolder = true): MovieFilePlace => ({
  libraryPath: library,
  path,
  isAloneInFolder,
});
const textOf = async (place: MovieFilePlace): Promise<string | null> => {
  const bytes = await nfo().read(place);
  return bytes && Buffer.from(bytes).toString();
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'matinee-nfo-'));
  library = join(root, 'movies');
  await mkdir(join(library, 'Orbit (2012)'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));
const put = (path: string, text: string) => writeFile(join(library, path), text);

describe('NFO files', () => {
  it('[NFOF2] reads the one of the file, and movie.nfo only where the folder is the movie’s own', async () => {
    await put('Orbit (2012)/movie.nfo', 'folder');
    expect(await textOf(file('Orbit (2012)/orbit.mkv'))).toBe('folder');
    expect(await textOf(file('Orbit (2012)/orbit.mkv', false))).toBeNull();
    await put('Orbit (2012)/orbit.nfo', 'file');
    expect(await textOf(file('Orbit (2012)/orbit.mkv'))).toBe('file');
    expect(await textOf(file('elsewhere/orbit.mkv'))).toBeNull();
  });

  it('[NFOF1] reads nothing outside, nothing large, nothing but files', async () => {
    await writeFile(join(root, 'secret'), 'secret');
    await symlink(join(root, 'secret'), join(library, 'a.nfo'));
    await put('b.nfo', 'x'.repeat(1_000_001));
    await mkdir(join(library, 'c.nfo'));
    execFileSync('mkfifo', [join(library, 'd.nfo')]);
    for (const name of ['a', 'b', 'c', 'd', '../secret', '../../etc/passwd']) {
      expect(await textOf(file(`${name}.mkv`, false))).toBeNull();
    }
    await put('real.nfo', 'inside');
    await symlink(join(library, 'real.nfo'), join(library, 'Orbit (2012)/linked.nfo'));
    expect(await textOf(file('Orbit (2012)/linked.mkv'))).toBe('inside');
  });

  it('[NFOF3] writes ours again, leaves others alone, and leaves no drafts', async () => {
    const place = { kind: 'beside', file: file('Orbit (2012)/orbit.mkv') } as const;
    const path = join(library, 'Orbit (2012)/orbit.nfo');
    expect(await nfo().write(place, 'OURS 1')).toEqual({ kind: 'written', path });
    expect(await nfo().write(place, 'OURS 2')).toEqual({ kind: 'written', path });
    expect(await readFile(path, 'utf8')).toBe('OURS 2');
    await writeFile(path, '<movie>theirs</movie>');
    expect(await nfo().write(place, 'OURS 3')).toEqual({ kind: 'foreign', path });
    expect(await readFile(path, 'utf8')).toBe('<movie>theirs</movie>');
    await rm(path);
    await symlink(join(root, 'nothing'), path);
    expect((await nfo().write(place, 'OURS 4')).kind).toBe('foreign');
    expect(await readdir(join(library, 'Orbit (2012)'))).toEqual(['orbit.nfo']);
  });

  it('writes to the data folder, in a folder of the movie’s own', async () => {
    const place = { kind: 'dataFolder', movieId: '0190-x', file: file('Orbit (2012)/orbit.part.1.mkv') } as const;
    const path = join(root, 'nfo/0190-x/orbit.part.1.nfo');
    expect(await nfo().write(place, 'OURS')).toEqual({ kind: 'written', path });
    expect(await readFile(path, 'utf8')).toBe('OURS');
    expect(await nfo().write({ kind: 'beside', file: file('gone/x.mkv') }, 'OURS')).toMatchObject({ kind: 'failed' });
  });
});
