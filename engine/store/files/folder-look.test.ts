import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderLook } from './folder-look.ts';

let base: string;
let look: FolderLook;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'folder-')));
  chmodSync(base, 0o755);
  mkdirSync(join(base, 'data/cache'), { recursive: true });
  look = new FolderLook({ dataFolder: join(base, 'data'), extensions: ['mkv'] });
});
afterEach(() => {
  // What a test locked is locked for whoever runs it, too, unless that is root.
  execFileSync('chmod', ['-R', 'u+rwX', base]);
  rmSync(base, { recursive: true, force: true });
});

const folder = (path: string) => {
  mkdirSync(join(base, path), { recursive: true });
  return join(base, path);
};

/** Root may enter everything: what others may not is looked at as nobody. */
async function asNobody<T>(action: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return action();
  process.setegid!(65_534);
  process.seteuid!(65_534);
  try {
    return await action();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}

describe('checking a folder', () => {
  it('[FOLDER1] counts the movies in it, as far as a short look goes', async () => {
    const movies = folder('movies');
    folder('movies/a');
    writeFileSync(join(movies, 'a/x.mkv'), 'x');
    writeFileSync(join(movies, 'y.MKV'), 'x');
    writeFileSync(join(movies, 'notes.txt'), 'x');
    expect(await look.check(`${movies}/`, [])).toEqual({
      path: movies,
      problem: null,
      at: null,
      runsAs: userInfo().username,
      videoFiles: 2,
      isMore: false,
    });
  });

  it('[FOLDER2] names the place where it stops, with owner, group and mode', async () => {
    const owner = userInfo().username;
    const shut = folder('a/shut/movies');
    chmodSync(join(base, 'a/shut'), 0o700);
    const at = { path: join(base, 'a/shut'), owner, group: expect.any(String) as string, mode: 'drwx------' };
    if (process.getuid?.() === 0) {
      expect(await asNobody(() => look.check(shut, []))).toMatchObject({ problem: 'notReachable', at });
      chmodSync(join(base, 'a/shut'), 0o711);
      chmodSync(shut, 0o711);
      expect(await asNobody(() => look.check(shut, []))).toMatchObject({
        problem: 'notReadable',
        at: { path: shut, mode: 'drwx--x--x' },
        runsAs: '65534',
      });
    } else {
      chmodSync(join(base, 'a/shut'), 0o000);
      expect(await look.check(shut, [])).toMatchObject({ problem: 'notReachable', at: { ...at, mode: 'd---------' } });
      chmodSync(join(base, 'a/shut'), 0o700);
      chmodSync(shut, 0o300);
      expect(await look.check(shut, [])).toMatchObject({
        problem: 'notReadable',
        at: { path: shut, mode: 'd-wx------' },
      });
    }
  });

  it('[FOLDER2] tells what is missing, what is no folder, and where a link leads nowhere', async () => {
    writeFileSync(join(base, 'file'), '');
    symlinkSync('nowhere', join(base, 'link'));
    expect(await look.check(join(base, 'gone/deep'), [])).toMatchObject({ problem: 'notFound', at: { path: base } });
    expect(await look.check(join(base, 'file'), [])).toMatchObject({
      problem: 'notADirectory',
      at: { path: join(base, 'file') },
    });
    expect(await look.check(join(base, 'file/deep'), [])).toMatchObject({
      problem: 'notADirectory',
      at: { path: join(base, 'file') },
    });
    expect(await look.check(join(base, 'link/deep'), [])).toMatchObject({
      problem: 'notFound',
      at: { path: join(base, 'link') },
    });
    expect(await look.check('relative/path', [])).toMatchObject({ problem: 'notFound', path: 'relative/path' });
  });

  it('[FOLDER2] takes ~ for the home of the user that the server runs as', async () => {
    expect(await look.check('~', [])).toMatchObject({ path: homedir() });
    expect(await look.check('~/not-there', [])).toMatchObject({
      problem: 'notFound',
      path: join(homedir(), 'not-there'),
    });
    expect(await look.check('~other/x', [])).toMatchObject({ problem: 'notFound', path: '~other/x' });
    expect(await look.browse('~')).toMatchObject({ path: homedir() });
  });

  it('[FOLDER3] refuses what is a library already, by whatever name, and our own folder', async () => {
    const movies = folder('movies');
    folder('movies/inside');
    symlinkSync(movies, join(base, 'alias'));
    expect(await look.check(join(base, 'alias'), [movies])).toMatchObject({ problem: 'alreadyALibrary' });
    expect(await look.check(join(movies, 'inside'), [movies])).toMatchObject({ problem: 'insideALibrary' });
    expect(await look.check(base, [movies])).toMatchObject({ problem: 'insideALibrary' });
    expect(await look.check('/', [movies])).toMatchObject({ problem: 'insideALibrary' });
    expect(await look.check(folder('movies2'), [movies])).toMatchObject({ problem: null });
    expect(await look.check(join(base, 'data/cache'), [])).toMatchObject({ problem: 'insideDataFolder' });
  });
});

describe('browsing', () => {
  it('[FOLDER4] shows folders and links to folders in order, and whether they can be read', async () => {
    for (const name of ['Movies 10', 'Movies 9', '.hidden', 'private']) folder(`b/${name}`);
    writeFileSync(join(base, 'b/file.mkv'), '');
    symlinkSync('Movies 9', join(base, 'b/alias'));
    symlinkSync('nowhere', join(base, 'b/broken'));
    chmodSync(join(base, 'b/private'), 0o000);
    const shown = await asNobody(() => look.browse(join(base, 'b')));
    expect(shown).toEqual({
      path: join(base, 'b'),
      parent: base,
      folders: [
        { name: 'alias', path: join(base, 'b/alias'), isReadable: true },
        { name: 'Movies 9', path: join(base, 'b/Movies 9'), isReadable: true },
        { name: 'Movies 10', path: join(base, 'b/Movies 10'), isReadable: true },
        { name: 'private', path: join(base, 'b/private'), isReadable: false },
      ],
      isMore: false,
    });
  });

  it('[FOLDER4] begins where movies usually are, stops at the top, and knows what is not there', async () => {
    const start = (await look.browse(null))!;
    expect(start.path).toBeNull();
    expect(start.folders.map(({ path }) => path)).toContain('/home');
    expect(await look.browse('/')).toMatchObject({ path: '/', parent: null });
    expect(await look.browse(join(base, 'gone'))).toBeNull();
    expect(await look.browse('relative')).toBeNull();
  });
});
