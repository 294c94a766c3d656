import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TreeWalker } from './tree-walker.ts';

let root: string;
let walker: TreeWalker;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'walker-'));
  for (let index = 0; index < 1_000; index++) {
    mkdirSync(join(root, String(index % 10)), { recursive: true });
    writeFileSync(join(root, String(index % 10), `${index}.mkv`), '');
  }
  walker = new TreeWalker({ extensions: ['mkv'], excluded: [] });
});
afterAll(() => {
  walker[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

const walk = async (scopes = [''], signal = new AbortController().signal) => {
  const paths: string[] = [];
  for await (const batch of walker.walk(root, scopes, signal)) paths.push(...batch.files.map(({ path }) => path));
  return paths;
};

describe('walking in a thread', () => {
  it('[WALK1] brings every file once, also in several walks at the same time', async () => {
    const [whole, again, part] = await Promise.all([walk(), walk(), walk(['3'])]);
    expect(new Set(whole).size).toBe(1_000);
    expect(again).toEqual(whole);
    expect(part).toHaveLength(100);
  });

  it('[WALK9] stops between two batches, and walks on for others', async () => {
    const abort = new AbortController();
    const batches: number[] = [];
    const stopped = (async () => {
      for await (const batch of walker.walk(root, [''], abort.signal)) {
        batches.push(batch.files.length);
        abort.abort(new Error('enough'));
      }
    })();
    await expect(stopped).rejects.toThrow('enough');
    expect(batches).toHaveLength(1);
    // Whoever loses interest leaves nothing behind either.
    for await (const batch of walker.walk(root, [''], new AbortController().signal)) {
      expect(batch.files.length).toBeGreaterThan(0);
      break;
    }
    expect(await walk()).toHaveLength(1_000);
  });

  it('looks at roots and files while it walks', async () => {
    const walking = walk();
    expect(await walker.look(root)).toMatchObject({ kind: 'there', isEmpty: false });
    expect(await walker.look(join(root, 'gone'))).toEqual({ kind: 'unavailable', code: 'ENOENT' });
    const files = await walker.stat(root, ['1/1.mkv', '1/gone.mkv']);
    expect(files.map((file) => file?.path)).toEqual(['1/1.mkv', undefined]);
    expect(await walker.stat(root, [])).toEqual([]);
    expect(await walking).toHaveLength(1_000);
  });

  it('refuses after its end', async () => {
    const closed = new TreeWalker({ extensions: ['mkv'], excluded: [] });
    await closed.look(root);
    closed[Symbol.dispose]();
    await expect(closed.look(root)).rejects.toThrow('closed');
    await expect(closed.walk(root, [''], new AbortController().signal).next()).rejects.toThrow('closed');
  });
});
