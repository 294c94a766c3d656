import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSubtitleVault } from './subtitle-vault.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [ONE, TWO, THREE] = [id(1), id(2), id(3)];

let folder: string;
let vault: FileSubtitleVault;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'matinee-vault-'));
  vault = await FileSubtitleVault.open(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}
const knowing =
  (...ids: string[]) =>
  (): Promise<ReadonlySet<string>> =>
    Promise.resolve(new Set(ids));

describe('files of subtitles that people hand in', () => {
  it('[PLAY57] lie on the disk as they come, under their id once they are kept, and are gone where they are not', async () => {
    {
      await using one = await vault.receive(ONE, pieces('he', 'llo'));
      expect([one.sizeBytes, await readFile(one.path, 'utf8')]).toEqual([5, 'hello']);
      expect(await readdir(folder)).toEqual([`${ONE}.part`]);
      await one.keep();
    }
    expect(await readdir(folder)).toEqual([ONE]);
    {
      await using _two = await vault.receive(TWO, pieces('x'));
    }
    expect(await readdir(folder)).toEqual([ONE]);
    await vault.remove(ONE);
    expect(await readdir(folder)).toEqual([]);
    expect(() => vault.pathOf('../x')).toThrow(RangeError);
  });

  it('[PLAY57] leave nothing where the client goes in the middle', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* pieces('x');
      throw new Error('gone');
    }
    await expect(vault.receive(ONE, broken())).rejects.toThrow('gone');
    expect(await readdir(folder)).toEqual([]);
  });

  it('[PLAY57] are swept of what nobody knows, and of what an earlier life was receiving', async () => {
    for (const name of [ONE, TWO, `${TWO}.part`, `${THREE}.part`]) await writeFile(join(folder, name), name);
    await rm(join(folder, TWO));
    const coming = vault.receive(id(4), pieces('mine'));
    await vault.sweep(knowing(ONE, TWO));
    await using kept = await coming;
    // The second had come as a whole, and only its name was missing.
    expect((await readdir(folder)).toSorted()).toEqual([ONE, TWO, `${id(4)}.part`]);
    await kept.keep();
    await vault.sweep(knowing());
    expect(await readdir(folder)).toHaveLength(3);
    await writeFile(join(folder, `${THREE}.part`), 'half');
    await vault.sweep(knowing());
    expect(await readdir(folder)).not.toContain(`${THREE}.part`);
  });

  it('[PLAY57] stay where they come in while others are swept, and by the word of a database that knows of none', async () => {
    await vault.sweep(async () => {
      await using one = await vault.receive(ONE, pieces('x'));
      await one.keep();
      return new Set([TWO]);
    });
    await vault.sweep(knowing());
    expect(await readdir(folder)).toEqual([ONE]);
  });

  it('[PLAY57] a process that is killed while it receives leaves nothing but what the next one sweeps', async () => {
    const script = `
      import { FileSubtitleVault } from ${JSON.stringify(join(import.meta.dirname, 'subtitle-vault.ts'))};
      const vault = await FileSubtitleVault.open(${JSON.stringify(folder)});
      await vault.receive('${ONE}', (async function* () { yield Buffer.from('half'); console.log('begun'); await new Promise(() => setInterval(() => {}, 1000)); })());`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(await readdir(folder)).toEqual([`${ONE}.part`]);
    await (await FileSubtitleVault.open(folder)).sweep(knowing());
    expect(await readdir(folder)).toEqual([]);
  });
});
