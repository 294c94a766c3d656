import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Migration } from './migrate.ts';
import { pendingMigrations, readMigrations } from './migrate.ts';

const base = mkdtempSync(join(tmpdir(), 'matinee-migrations-'));
afterAll(() => rmSync(base, { recursive: true }));

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(base, 'f'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const file = (name: string, sha256: string = name): Migration => ({ name, text: '', sha256 });

describe('migration files', () => {
  it('come in order, and their line ends make no difference', async () => {
    const unix = await readMigrations(folderWith({ '0002_b.sql': 'b', '0001_a.sql': 'a\nb', 'README.md': '' }));
    const windows = await readMigrations(folderWith({ '0001_a.sql': 'a\r\nb' }));
    expect(unix.map(({ name }) => name)).toEqual(['0001_a.sql', '0002_b.sql']);
    expect(windows[0]?.sha256).toBe(unix[0]?.sha256);
  });

  it('need a well-formed name and a number of their own', async () => {
    await expect(readMigrations(folderWith({ '1_a.sql': '' }))).rejects.toThrow(/“1_a.sql” is not named NNNN_name.sql/);
    await expect(readMigrations(folderWith({ '0001_a.sql': '', '0001_b.sql': '' }))).rejects.toThrow(
      /have the same number/,
    );
  });
});

describe('what is pending', () => {
  it('is what the ledger lacks', () => {
    const files = [file('0001_a.sql'), file('0002_b.sql'), file('0003_c.sql')];
    expect(pendingMigrations(files, files.slice(0, 1))).toEqual(files.slice(1));
    expect(pendingMigrations(files, files)).toEqual([]);
  });

  it.each([
    ['edited', [file('0001_a.sql', 'new')], [file('0001_a.sql', 'old')], /0001_a.sql was edited after it ran/],
    [
      'gone',
      [file('0002_b.sql')],
      [file('0001_a.sql'), file('0002_b.sql')],
      /0001_a.sql ran on this database but its file is gone/,
    ],
    [
      'slipped in',
      [file('0001_a.sql'), file('0002_b.sql')],
      [file('0002_b.sql')],
      /0001_a.sql comes before 0002_b.sql/,
    ],
    [
      'from newer code',
      [file('0001_a.sql')],
      [file('0001_a.sql'), file('0002_b.sql')],
      /changed by a newer Matinee \(migration 0002_b.sql; this one knows up to 0001_a.sql\)/,
    ],
    ['from newer code, none here', [], [file('0001_a.sql')], /knows up to none/],
  ])('is refused where a migration is %s', (_, files, ledger, message) => {
    expect(() => pendingMigrations(files, ledger)).toThrow(message);
  });
});
