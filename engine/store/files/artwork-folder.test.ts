import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { artworkFolder } from './artwork-folder.ts';

let base: string;
let library: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'artwork-folder-')));
  library = join(base, 'Movies');
  mkdirSync(join(library, 'Heat'), { recursive: true });
  writeFileSync(join(library, 'Heat/poster.jpg'), 'poster');
  writeFileSync(join(base, 'secret.jpg'), 'secret');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('names in a folder', () => {
  it('are those of its files', async () => {
    mkdirSync(join(library, 'Heat/extras.jpg'));
    expect(await artworkFolder.names(library, 'Heat')).toEqual(['poster.jpg']);
    expect(await artworkFolder.names(library, '')).toEqual([]);
  });

  it('[IMG10] of a folder that went are none, and unknown where the library is not there or empty', async () => {
    expect(await artworkFolder.names(library, 'Alien')).toEqual([]);
    expect(await artworkFolder.names(join(base, 'Unmounted'), 'Heat')).toBeNull();
    mkdirSync(join(base, 'Mount point'));
    expect(await artworkFolder.names(join(base, 'Mount point'), 'Heat')).toBeNull();
  });

  it.each(['..', '../Other', 'Heat/../..', '/etc', 'a\0b'])(
    '[IMG10] nothing outside is looked at: %j',
    async (folder) => {
      expect(await artworkFolder.names(library, folder)).toBeNull();
    },
  );
});

describe('a file', () => {
  it('[IMG10] is told apart from what replaces it', async () => {
    utimesSync(join(library, 'Heat/poster.jpg'), 1_700_000_000, 1_700_000_000.5);
    expect(await artworkFolder.file(library, 'Heat/poster.jpg')).toEqual({
      realPath: join(library, 'Heat/poster.jpg'),
      sizeBytes: 6,
      mtimeUs: 1_700_000_000_500_000,
    });
  });

  it.each(['../secret.jpg', 'Heat/../../secret.jpg', '/etc/passwd', 'gone.jpg', 'Heat', '', 'a\0b'])(
    '[IMG10] is none at %j',
    async (path) => {
      expect(await artworkFolder.file(library, path)).toBeNull();
    },
  );

  it('[IMG10] is none where a link leads out of the library', async () => {
    symlinkSync(join(base, 'secret.jpg'), join(library, 'Heat/fanart.jpg'));
    symlinkSync('/etc/passwd', join(library, 'Heat/logo.png'));
    symlinkSync('loop.jpg', join(library, 'Heat/loop.jpg'));
    execFileSync('mkfifo', [join(library, 'Heat/cover.jpg')]);
    for (const name of ['fanart.jpg', 'logo.png', 'loop.jpg', 'cover.jpg']) {
      expect(await artworkFolder.file(library, `Heat/${name}`), name).toBeNull();
    }
  });

  it('[IMG10] may be a link within, and may lie in a folder that is a link to another disk', async () => {
    symlinkSync('poster.jpg', join(library, 'Heat/folder.jpg'));
    expect(await artworkFolder.file(library, 'Heat/folder.jpg')).toMatchObject({
      realPath: join(library, 'Heat/poster.jpg'),
    });
    mkdirSync(join(base, 'Disk/Alien'), { recursive: true });
    writeFileSync(join(base, 'Disk/Alien/poster.jpg'), 'p');
    symlinkSync(join(base, 'Disk/Alien'), join(library, 'Alien'));
    expect(await artworkFolder.file(library, 'Alien/poster.jpg')).toMatchObject({
      realPath: join(base, 'Disk/Alien/poster.jpg'),
    });
  });
});
