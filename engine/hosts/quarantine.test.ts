import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Quarantine } from './quarantine.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-quarantine-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'a.mkv');
const MODIFIED_S = 1_700_000_000;

beforeEach(() => {
  writeFileSync(path, 'content');
  utimesSync(path, MODIFIED_S, MODIFIED_S);
});

const entry = { path, sizeBytes: 7, modifiedMs: MODIFIED_S * 1_000, reason: 'timeLimit' };

describe('Quarantine', () => {
  it('[QUAR1] has what was added, with how its last host ended', async () => {
    const quarantine = new Quarantine([], () => undefined);
    expect(await quarantine.has(path)).toBe(false);
    await quarantine.add(path, 'crashed');
    await quarantine.add(path, 'timeLimit');
    expect(await quarantine.has(path)).toBe(true);
    expect(quarantine.list()).toEqual([entry]);
  });

  it('[QUAR1] has a path where nothing can be seen, too', async () => {
    const quarantine = new Quarantine([], () => undefined);
    const missing = join(folder, 'missing.mkv');
    await quarantine.add(missing, 'crashed');
    expect(await quarantine.has(missing)).toBe(true);
  });

  it.each([
    ['its size', () => writeFileSync(path, 'longer content')],
    ['its time', () => utimesSync(path, MODIFIED_S + 1, MODIFIED_S + 1)],
    ['its being there', () => rmSync(path)],
  ])('[QUAR2] starts afresh when the file changed %s', async (_, change) => {
    const onChange = vi.fn();
    const quarantine = new Quarantine([{ ...entry, reason: 'timeLimit' }], onChange);
    expect(await quarantine.has(path)).toBe(true);
    change();
    expect(await quarantine.has(path)).toBe(false);
    expect(onChange).toHaveBeenCalledExactlyOnceWith([]);
  });

  it('[QUAR3] a release gives another chance', async () => {
    const quarantine = new Quarantine([{ ...entry, reason: 'timeLimit' }], () => undefined);
    expect([quarantine.release(path), quarantine.release(path), await quarantine.has(path)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('[QUAR4] tells each change with the whole list', async () => {
    const onChange = vi.fn();
    const other = { ...entry, path: join(folder, 'other.mkv'), reason: 'crashed' as const };
    const quarantine = new Quarantine([other], onChange);
    await quarantine.add(path, 'timeLimit');
    expect(onChange).toHaveBeenLastCalledWith([other, entry]);
    quarantine.release(other.path);
    expect(onChange).toHaveBeenLastCalledWith([entry]);
  });
});
