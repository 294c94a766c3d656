import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { lookAtRoot, statFile, walkTree } from './tree-walk.ts';

const rules = { extensions: ['mkv', 'mp4', 'ts'], excluded: [] as string[] };
const roots: string[] = [];
let root: string;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'walk-'));
  // Others must be able to come here: one test walks as another user.
  chmodSync(folder, 0o755);
  roots.push(folder);
  root = join(folder, 'library');
  mkdirSync(root);
});
afterAll(() => {
  for (const folder of roots) rmSync(folder, { recursive: true, force: true });
});

function put(path: string, content = 'x'): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function walk(scopes = [''], withRules = rules) {
  const batches = [...walkTree(root, scopes, withRules)];
  const files = batches.flatMap((batch) => batch.files);
  return {
    batches,
    files,
    paths: files.map(({ path }) => path),
    issues: batches.flatMap((batch) => batch.issues),
    unseen: batches.flatMap((batch) => batch.unseen),
  };
}

/** Root may read everything, so what others may not read is walked as nobody. */
function asNobody<T>(action: () => T): T {
  if (process.geteuid?.() !== 0) return action();
  process.setegid!(65_534);
  process.seteuid!(65_534);
  try {
    return action();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}

describe('what is seen', () => {
  it('[WALK1] movie files at any depth, each once, with size, time and inode', () => {
    put('b/c/2.mp4', '22');
    put('a.mkv');
    put('b/1.MKV');
    put('notes.txt');
    put('b/poster.jpg');
    utimesSync(join(root, 'a.mkv'), 1_700_000_000, 1_700_000_000.25);
    const { files, paths, issues } = walk();
    expect(paths).toEqual(['a.mkv', 'b/1.MKV', 'b/c/2.mp4']);
    expect(files[0]).toEqual({
      path: 'a.mkv',
      sizeBytes: 1,
      mtimeUs: 1_700_000_000_250_000,
      inode: expect.stringMatching(/^\d+$/) as string,
    });
    expect(files[2]!.sizeBytes).toBe(2);
    expect(issues).toEqual([]);
    expect(statFile(root, 'a.mkv')).toEqual(files[0]);
  });

  it('[WALK1] links to files and folders outside, and what lies behind them', () => {
    const outside = join(dirname(root), 'outside');
    mkdirSync(join(outside, 'deep'), { recursive: true });
    writeFileSync(join(outside, 'deep', 'x.mkv'), 'x');
    symlinkSync(outside, join(root, 'folder'));
    symlinkSync(join(outside, 'deep', 'x.mkv'), join(root, 'file.mkv'));
    expect(walk().paths).toEqual(['file.mkv', 'folder/deep/x.mkv']);
  });

  it('[WALK1] a folder that a link leads to as well is walked once, by its own name', () => {
    put('z-real/x.mkv');
    symlinkSync('z-real', join(root, 'a-link'));
    mkdirSync(join(root, 'm'));
    symlinkSync(join(root, 'z-real'), join(root, 'm', 'again'));
    expect(walk().paths).toEqual(['z-real/x.mkv']);
    expect(walk(['m', 'a-link']).paths).toEqual([]);
  });

  it('[WALK1] two names of one file are two files', () => {
    put('a.mkv');
    linkSync(join(root, 'a.mkv'), join(root, 'b.mkv'));
    expect(walk().paths).toEqual(['a.mkv', 'b.mkv']);
  });

  it('[WALK2] a link that leads back is told, and loses nothing', () => {
    put('a/x.mkv');
    symlinkSync('..', join(root, 'a', 'loop'));
    symlinkSync(root, join(root, 'a', 'whole'));
    symlinkSync('self.mkv', join(root, 'self.mkv'));
    // Above the library there are other things that nobody asked for.
    symlinkSync('../..', join(root, 'a', 'outside'));
    symlinkSync('/', join(root, 'everything'));
    const { paths, issues } = walk();
    expect(paths).toEqual(['a/x.mkv']);
    expect(issues.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'a/loop', reason: 'symlinkLoop' },
      { path: 'a/outside', reason: 'symlinkLoop' },
      { path: 'a/whole', reason: 'symlinkLoop' },
      { path: 'everything', reason: 'symlinkLoop' },
      { path: 'self.mkv', reason: 'symlinkLoop' },
    ]);
  });

  it('[WALK3] pipes, sockets and folders named like movies do not hold it up', async () => {
    execFileSync('mkfifo', [join(root, 'pipe.mkv')]);
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket.mkv'), resolve));
    symlinkSync('pipe.mkv', join(root, 'link-to-pipe.mkv'));
    put('folder.mkv/inside.mkv');
    expect(walk()).toMatchObject({ paths: ['folder.mkv/inside.mkv'], issues: [], unseen: [] });
    server.close();
  });

  it('[WALK4] names that are no text are told, and do not open another file', () => {
    const name = Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff]), Buffer.from('-name.mkv')]);
    writeFileSync(name, 'x');
    mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xc3, 0x28])]));
    put('really-\ufffd.mkv');
    const { paths, issues } = walk();
    expect(paths).toEqual(['really-\ufffd.mkv']);
    expect(issues.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: String.raw`\xc3(`, reason: 'nameNotUtf8' },
      { path: String.raw`bad-\xff-name.mkv`, reason: 'nameNotUtf8' },
    ]);
  });

  it('[WALK4] what may not be read is told and is neither there nor gone', () => {
    put('open/x.mkv');
    put('shut/x.mkv');
    chmodSync(join(root, 'shut'), 0o000);
    const { paths, issues, unseen } = asNobody(() => walk());
    chmodSync(join(root, 'shut'), 0o755);
    expect(paths).toEqual(['open/x.mkv']);
    expect(issues).toEqual([{ path: 'shut', reason: 'notReadable' }]);
    expect(unseen).toEqual(['shut']);
  });

  it('[WALK4] paths too long for the database, and links to nothing, are told', () => {
    const long = Array.from({ length: 9 }, () => 'l'.repeat(250)).join('/');
    put(`${long}/x.mkv`);
    put('x.mkv');
    symlinkSync('nowhere', join(root, 'gone.mkv'));
    symlinkSync('nowhere', join(root, 'gone.txt'));
    const { paths, issues } = walk();
    expect(paths).toEqual(['x.mkv']);
    expect(issues).toEqual([
      { path: 'gone.mkv', reason: 'notFound' },
      { path: `${'l'.repeat(250)}…`, reason: 'pathTooLong' },
    ]);
  });

  it('[WALK5] hidden files, system folders and what is marked are left out', () => {
    for (const path of [
      '.hidden.mkv',
      '._x.mkv',
      '.Trash-1000/x.mkv',
      '$RECYCLE.BIN/x.mkv',
      '@eaDir/x.mkv',
      'nomedia/deep/x.mkv',
      'ignored/x.mkv',
      'some/a.mkv',
      'some/Draft 1.mkv',
      'some/deep/draft 2.mkv',
      'some/keep.mkv',
      '..two dots.mkv',
    ]) {
      put(path);
    }
    put('nomedia/.nomedia', '');
    put('ignored/.ignore', '\n');
    put('some/.ignore', '# drafts\ndraft ?.mkv\n/a*\n');
    expect(walk().paths).toEqual(['..two dots.mkv', 'some/keep.mkv']);
  });

  it('[WALK5] a pattern made to take long does not', () => {
    put('.ignore', `${'*a'.repeat(40)}b\n`);
    put(`${'a'.repeat(240)}.mkv`);
    expect(walk().paths).toHaveLength(1);
  });

  it('[WALK6] a file without an extension is seen where it begins like a movie', () => {
    put('matroska', '\x1a');
    writeFileSync(join(root, 'matroska'), Buffer.from('1a45dfa3000000000000000000000000', 'hex'));
    writeFileSync(join(root, 'mp4 (2023)'), Buffer.from('0000002066747970697d6f6d00000000', 'hex'));
    put('README', 'a text that is long enough to be read');
    put('short', 'x');
    expect(walk().paths).toEqual(['matroska', 'mp4 (2023)']);
  });

  it('[WALK8] never enters what is excluded, by whatever name', () => {
    put('data/cache/x.mkv');
    put('y.mkv');
    const excluded = [join(root, 'data'), '/does/not/exist'];
    symlinkSync(join(root, 'data'), join(dirname(root), 'other-name'));
    symlinkSync(join(dirname(root), 'other-name'), join(root, 'link'));
    expect(walk([''], { ...rules, excluded }).paths).toEqual(['y.mkv']);
  });

  it('takes sizes beyond 4 GiB and times beyond all calendars', () => {
    put('big.mkv');
    truncateSync(join(root, 'big.mkv'), 5 * 1024 ** 3);
    put('old.mkv');
    execFileSync('touch', ['-d', '1950-01-01', join(root, 'old.mkv')]);
    const { files } = walk();
    expect(files.map(({ sizeBytes, mtimeUs }) => [sizeBytes, mtimeUs < 0])).toEqual([
      [5 * 1024 ** 3, false],
      [1, true],
    ]);
  });
});

describe('scopes', () => {
  it('[WALK7] sees exactly what the walk of the whole sees there', () => {
    put('a/b/x.mkv');
    put('a/y.mkv');
    put('a/.ignore', 'secret*');
    put('a/secret/z.mkv');
    put('a/secret.mkv');
    put('c/w.mkv');
    put('c/.nomedia', '');
    const whole = walk().paths;
    for (const scope of [
      'a',
      'a/b',
      'a/y.mkv',
      'a/secret',
      'a/secret.mkv',
      'c',
      'c/w.mkv',
      'gone',
      'a/gone/deep',
      '.hidden',
    ]) {
      const inScope = whole.filter((path) => path === scope || path.startsWith(`${scope}/`));
      expect(walk([scope]), scope).toMatchObject({ paths: inScope, issues: [], unseen: [] });
    }
    expect(walk(['a', 'a/b']).paths.toSorted()).toEqual(['a/b/x.mkv', 'a/y.mkv']);
  });

  it('[WALK4] says so where it cannot come to a scope', () => {
    put('shut/deep/x.mkv');
    chmodSync(join(root, 'shut'), 0o000);
    const { paths, unseen } = asNobody(() => walk(['shut/deep']));
    chmodSync(join(root, 'shut'), 0o755);
    expect({ paths, unseen }).toEqual({ paths: [], unseen: ['shut/deep'] });
  });
});

describe('batches', () => {
  it('[WALK9] are bounded, in one folder as in many', () => {
    for (let index = 0; index < 700; index++) put(`flat/${index}.mkv`);
    for (let index = 0; index < 600; index++) mkdirSync(join(root, 'empty', String(index)), { recursive: true });
    const { batches, files } = walk();
    expect(files).toHaveLength(700);
    expect(Math.max(...batches.map((batch) => batch.files.length))).toBe(256);
    expect(batches.length).toBeGreaterThanOrEqual(5);
  });
});

describe('the root', () => {
  it('is there, empty, or unavailable with the system’s word for it', () => {
    expect(lookAtRoot(root)).toMatchObject({ kind: 'there', isEmpty: true });
    put('lost+found/x.mkv');
    put('.hidden');
    expect(lookAtRoot(root)).toMatchObject({ kind: 'there', isEmpty: true });
    put('x.mkv');
    const before = lookAtRoot(root);
    expect(before).toMatchObject({ kind: 'there', isEmpty: false });
    renameSync(root, `${root}-moved`);
    expect(lookAtRoot(root)).toEqual({ kind: 'unavailable', code: 'ENOENT' });
    mkdirSync(root);
    const after = lookAtRoot(root);
    expect(after.kind === 'there' && before.kind === 'there' && after.identity !== before.identity).toBe(true);
    writeFileSync(join(root, 'file'), '');
    expect(lookAtRoot(join(root, 'file'))).toEqual({ kind: 'unavailable', code: 'ENOTDIR' });
  });
});
