import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { LocalDisks } from './local-disks.ts';

/** What coreutils calls them, independently of our table. */
const LOCAL_NAMES = /^(ext|xfs|btrfs|zfs|bcachefs|f2fs|exfat|msdos|tmpfs)/;
const nameOf = (path: string): string => execFileSync('stat', ['-f', '-c', '%T', path]).toString().trim();

describe('local disks', () => {
  it.each([tmpdir(), '/dev/shm', import.meta.dirname])(
    'knows whether %s is on one, once it has asked',
    async (path) => {
      const disks = new LocalDisks();
      const { dev } = statSync(path);
      expect(disks.isLocal(dev, path), 'not before it has been asked').toBe(false);
      const isLocal = LOCAL_NAMES.test(nameOf(path));
      if (isLocal) await expect.poll(() => disks.isLocal(dev, path)).toBe(true);
    },
  );

  it('does not trust what it does not know', async () => {
    const disks = new LocalDisks();
    for (const path of ['/proc', '/sys', '/nowhere']) disks.isLocal(path.length, path);
    const { dev } = statSync('/dev/shm');
    await expect.poll(() => disks.isLocal(dev, '/dev/shm')).toBe(true);
    for (const path of ['/proc', '/sys', '/nowhere']) expect(disks.isLocal(path.length, path), path).toBe(false);
  });

  it('asks again after a minute, and goes on with the last answer meanwhile', async () => {
    let nowMs = 0;
    const disks = new LocalDisks(() => nowMs);
    disks.isLocal(7, '/dev/shm');
    await expect.poll(() => disks.isLocal(7, '/dev/shm')).toBe(true);
    nowMs = 61_000;
    expect(disks.isLocal(7, '/proc')).toBe(true);
    await expect.poll(() => disks.isLocal(7, '/proc')).toBe(false);
  });
});
