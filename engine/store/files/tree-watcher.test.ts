import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TreeWatch, WatchNews } from '#engine/library/ports.ts';
import { mountTypeOf, networkFileSystem } from './mount-type.ts';
import { WatchedTree } from './tree-watch.ts';
import { TreeWatcher } from './tree-watcher.ts';

let root: string;
let watched: TreeWatch | undefined;
let news: WatchNews[];
let wake: PromiseWithResolvers<void>;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'watch-'));
  news = [];
  wake = Promise.withResolvers();
});
afterEach(async () => {
  await watched?.[Symbol.asyncDispose]();
  watched = undefined;
  rmSync(root, { recursive: true, force: true });
});

async function start(mode: 'auto' | 'events' | 'poll', pollIntervalMs = 60_000): Promise<TreeWatch> {
  const watcher = new TreeWatcher({ pollIntervalMs, extensions: ['mkv'] });
  watched = await watcher.watch(root, mode, (message) => {
    news.push(message);
    wake.resolve();
    wake = Promise.withResolvers();
  });
  return watched;
}

const places = () => new Set(news.flatMap((message) => (message.kind === 'changed' ? message.paths : [])));

/** Waits until each of these places was told, itself or by a folder above it. */
async function told(...paths: string[]): Promise<void> {
  const isTold = (path: string) =>
    [...places()].some((place) => place === '' || path === place || path.startsWith(`${place}/`));
  while (!paths.every(isTold)) await wake.promise;
}

const put = (path: string, content = 'x') => writeFileSync(join(root, path), content);

describe('watching by events', () => {
  it('[WATCH1] tells where a movie came, changed, moved and went', async () => {
    mkdirSync(join(root, 'a'));
    mkdirSync(join(root, 'b'));
    expect((await start('events')).mode).toBe('events');
    put('a/x.mkv');
    await told('a/x.mkv');
    news.length = 0;
    put('a/x.mkv', 'more');
    await told('a/x.mkv');
    news.length = 0;
    renameSync(join(root, 'a/x.mkv'), join(root, 'b/y.mkv'));
    await told('a/x.mkv', 'b/y.mkv');
    news.length = 0;
    rmSync(join(root, 'b/y.mkv'));
    await told('b/y.mkv');
  });

  it('[WATCH2] a folder that comes is watched with all below it', async () => {
    await start('events');
    mkdirSync(join(root, 'new/deep/deeper'), { recursive: true });
    await told('new');
    news.length = 0;
    put('new/deep/deeper/x.mkv');
    await told('new/deep/deeper/x.mkv');
  });

  it('[WATCH2] a folder that was renamed, or replaced under its name, is watched as it is now', async () => {
    mkdirSync(join(root, 'old/deep'), { recursive: true });
    await start('events');
    renameSync(join(root, 'old'), join(root, 'new'));
    await told('old', 'new');
    news.length = 0;
    put('new/deep/x.mkv');
    await told('new/deep/x.mkv');
    expect([...places()].filter((place) => place.startsWith('old'))).toEqual([]);
    rmSync(join(root, 'new'), { recursive: true });
    mkdirSync(join(root, 'new'));
    await told('new');
    news.length = 0;
    put('new/y.mkv');
    await told('new/y.mkv');
  });

  it('[WATCH3] says nothing of what is no movie, and something of marks', async () => {
    mkdirSync(join(root, 'a'));
    await start('events');
    put('a/poster.jpg');
    put('a/.hidden.mkv');
    put('a/x.mkv');
    await told('a/x.mkv');
    expect(places()).toEqual(new Set(['a/x.mkv']));
    put('a/.ignore', '');
    await told('a');
  });

  it('[WATCH4] a link that leads back does not lead it round', async () => {
    mkdirSync(join(root, 'a'));
    symlinkSync('..', join(root, 'a', 'loop'));
    await start('events');
    put('a/x.mkv');
    await told('a/x.mkv');
    expect([...places()].filter((place) => place.includes('loop'))).toEqual([]);
  });

  it('[WATCH4] a link to a folder above the library leads to nothing', async () => {
    const above = root;
    root = join(above, 'library');
    mkdirSync(root);
    mkdirSync(join(above, 'other'));
    symlinkSync('..', join(root, 'up'));
    await start('events');
    writeFileSync(join(above, 'other/y.mkv'), 'x');
    put('x.mkv');
    await told('x.mkv');
    expect(places()).toEqual(new Set(['x.mkv']));
    root = above;
  });

  it('refuses a folder that cannot be listed', async () => {
    rmSync(root, { recursive: true });
    await expect(start('events')).rejects.toThrow('ENOENT');
  });
});

describe('watching by polling', () => {
  it('[WATCH5] finds what came, moved and went by the times of folders', async () => {
    mkdirSync(join(root, 'a'));
    expect((await start('poll', 20)).mode).toBe('polling');
    put('a/x.mkv');
    await told('a');
    mkdirSync(join(root, 'new/deep'), { recursive: true });
    await told('new');
    news.length = 0;
    put('new/deep/y.mkv');
    await told('new/deep');
    news.length = 0;
    rmSync(join(root, 'new'), { recursive: true });
    await told('new');
  });
});

describe('the kernel’s limits', () => {
  it.each([
    ['ENOSPC', 'watches'],
    ['EMFILE', 'instances'],
  ])(
    '[WATCH6] reached (%s): it polls instead, and says which limit and how many folders there are',
    async (code, limit) => {
      for (let index = 0; index < 20; index++) mkdirSync(join(root, String(index)));
      let left = 10;
      const few = ((...args: Parameters<typeof watch>) => {
        if (left-- > 0) return watch(...args);
        throw Object.assign(new Error(code), { code });
      }) as typeof watch;
      const settings = { root, mode: 'events', pollIntervalMs: 20, extensions: ['mkv'] } as const;
      using _tree = new WatchedTree(
        settings,
        (message) => {
          if (message.kind === 'ready') return;
          news.push(message);
          wake.resolve();
          wake = Promise.withResolvers();
        },
        few,
      );
      expect(news).toEqual([{ kind: 'limit', limit, allowed: expect.any(Number) as number, folders: 21 }]);
      put('7/x.mkv');
      await told('7/x.mkv');
    },
  );
});

describe('network folders', () => {
  const mountinfo = [
    '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '36 21 0:31 / /mnt/nas rw shared:2 - nfs4 nas:/films rw',
    String.raw`37 21 0:32 / /mnt/with\040space rw shared:3 - cifs //nas/films rw`,
    '38 36 8:2 / /mnt/nas/local rw - xfs /dev/sdb1 rw',
    '39 21 0:33 / /mnt/over rw - nfs nas:/x rw',
    '40 21 8:3 / /mnt/over rw - btrfs /dev/sdc1 rw',
    'nonsense',
  ].join('\n');
  it.each([
    ['/home/films', 'ext4'],
    ['/mnt/nas', 'nfs4'],
    ['/mnt/nas/a/b', 'nfs4'],
    ['/mnt/nasty', 'ext4'],
    ['/mnt/nas/local/x', 'xfs'],
    ['/mnt/with space/x', 'cifs'],
    ['/mnt/over', 'btrfs'],
  ])('[WATCH7] %s lies on %s', (path, type) => {
    expect(mountTypeOf(path, mountinfo)).toBe(type);
  });

  it('[WATCH7] a local folder is none, nor is one that is not there', async () => {
    expect(await networkFileSystem(root)).toBeNull();
    expect(await networkFileSystem('/does/not/exist')).toBeNull();
  });
});
