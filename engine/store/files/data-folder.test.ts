import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DataFolder } from './data-folder.ts';

const base = mkdtempSync(join(tmpdir(), 'matinee data '));
afterAll(() => rmSync(base, { recursive: true }));

let count = 0;
const fresh = (): string => join(base, `folder ${(count += 1)}`);
const open = (path: string, libraries: string[] = []) =>
  DataFolder.open({ path, libraries, patienceMs: { running: 0, draining: 0 } });
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** A process that holds a data folder until it is killed. */
async function holder(path: string): Promise<ReturnType<typeof spawn>> {
  const code = `
    import { DataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))};
    const folder = await DataFolder.open({ path: ${JSON.stringify(path)}, libraries: [] });
    await folder.announce({ url: 'http://here:8420' });
    console.log('held');
    setInterval(() => folder, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('a data folder', () => {
  it('is laid out with safe modes, and again with the same secrets', async () => {
    const path = fresh();
    const first = await open(path);
    const secret = await first.secret('signing-key');
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(await first.secret('other-key')).not.toBe(secret);
    first[Symbol.dispose]();
    expect(mode(join(path, 'secrets'))).toBe('700');
    expect(mode(join(path, 'scratch'))).toBe('700');
    expect(mode(join(path, 'secrets/signing-key'))).toBe('600');
    expect(mode(path)).toBe(process.getuid?.() === 0 ? '711' : '700');

    chmodSync(join(path, 'secrets/signing-key'), 0o644);
    using second = await open(path);
    expect(await second.secret('signing-key')).toBe(secret);
    expect(mode(join(path, 'secrets/signing-key'))).toBe('600');
  });

  it('[DATA1] is refused to a second one, also in the same process', async () => {
    const path = fresh();
    const first = await open(path);
    await expect(open(path)).rejects.toThrow(/already running on the data folder .* Stop that one first/);
    first[Symbol.dispose]();
    using second = await open(path);
    expect(second.path).toBe(path);
  });

  it('[DATA1] names who holds it, and is free the moment that one is killed', async () => {
    const path = fresh();
    const child = await holder(path);
    await expect(open(path)).rejects.toThrow(new RegExp(`process ${String(child.pid)}, since .*, at http://here:8420`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    using second = await open(path);
    expect(second.path).toBe(path);
  });

  it('[DATA1] is waited for while the one that holds it drains', async () => {
    const path = fresh();
    const first = await open(path);
    await first.announce({ isDraining: true });
    const waiting = DataFolder.open({ path, libraries: [], patienceMs: { running: 0, draining: 60_000 } });
    first[Symbol.dispose]();
    using second = await waiting;
    expect(second.path).toBe(path);
  });

  it.each([
    ['somebody’s documents', (path: string) => writeFileSync(join(path, 'thesis.odt'), ''), /holds “thesis.odt”/],
    [
      'a Postgres of others',
      (path: string) => writeFileSync(join(path, 'PG_VERSION'), '16'),
      /data directory of a Postgres server/,
    ],
    [
      'a newer layout',
      (path: string) => writeFileSync(join(path, 'matinee-data.json'), '{"format":99}'),
      /laid out by a newer Matinee/,
    ],
    ['a damaged mark', (path: string) => writeFileSync(join(path, 'matinee-data.json'), '{'), /is damaged/],
  ])('[DATA2] with %s is refused and left as it is', async (_, prepare, message) => {
    const path = fresh();
    mkdirSync(path);
    prepare(path);
    await expect(open(path)).rejects.toThrow(message);
    expect(existsSync(join(path, 'lock'))).toBe(false);
  });

  it('[DATA2] with nothing but settings in it is taken', async () => {
    const path = fresh();
    mkdirSync(path);
    writeFileSync(join(path, 'matinee.json'), '{}');
    using folder = await open(path);
    expect(folder.path).toBe(path);
  });

  it('[DATA3] does not overlap a library, whatever the paths are called', async () => {
    const library = fresh();
    mkdirSync(join(library, 'inside'), { recursive: true });
    const link = fresh();
    symlinkSync(library, link);
    await expect(open(join(link, 'inside'), [library])).rejects.toThrow(/lies inside the library/);
    await expect(open(library, [join(link, 'inside')])).rejects.toThrow(/lies inside the data folder/);
    await expect(open(library, [library])).rejects.toThrow(/lies inside the library/);
    // A name that only begins the same is another folder.
    using folder = await open(`${library}-data`, [library]);
    expect(folder.path).toBe(`${library}-data`);
  });

  it('[DATA4] with a damaged secret is refused, and the secret kept', async () => {
    const path = fresh();
    using folder = await open(path);
    const file = join(path, 'secrets/signing-key');
    writeFileSync(file, 'short');
    await expect(folder.secret('signing-key')).rejects.toThrow(/signing-key is damaged. Restore it/);
    expect(readFileSync(file, 'utf8')).toBe('short');
  });

  it('that is a file, or below one, is refused', async () => {
    const path = fresh();
    writeFileSync(path, '');
    await expect(open(path)).rejects.toThrow(/is a file/);
    await expect(open(join(path, 'x/y'))).rejects.toThrow(/a part of its path is a file|is a file/);
  });

  it('that cannot be made is refused by name', async () => {
    const path = '/proc/matinee';
    await expect(open(path)).rejects.toThrow(/The data folder cannot be used: \/proc\/matinee/);
  });
});
