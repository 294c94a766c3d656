import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from './embedded-postgres-account.ts';
import { isReachable } from './embedded-postgres-account.ts';
import { findPackage, preparePostgresProgram } from './embedded-postgres-program.ts';

const base = mkdtempSync(join(tmpdir(), 'matinee program '));
/** The package as npm unpacks it when its install script may not run: without links. */
const source = join(base, 'private', 'package');
/** Somebody else, to whom only the bits for others apply. */
const stranger: Account = { name: 'stranger', uid: 54_321, gid: 54_321 };

beforeAll(() => {
  chmodSync(base, 0o755);
  cpSync(findPackage(), source, {
    recursive: true,
    filter: (path) => !path.endsWith('.a') && !lstatSync(path).isSymbolicLink(),
  });
});
afterAll(() => rmSync(base, { recursive: true }));

const links = (root: string): string[] =>
  readdirSync(join(root, 'native/lib')).filter((name) => lstatSync(join(root, 'native/lib', name)).isSymbolicLink());

describe('the Postgres program', () => {
  it('runs in place, with the links that the install script would have made', async () => {
    expect(links(source)).toEqual([]);
    const { binFolder } = await preparePostgresProgram(join(base, 'unused'), null, source);
    expect(binFolder).toBe(join(source, 'native/bin'));
    expect(links(source).length).toBeGreaterThan(10);
    expect(execFileSync(join(binFolder, 'initdb'), ['--version'], { encoding: 'utf8' })).toMatch(/18/);
  });

  it('is copied, with its links, for an account that cannot read the packages', async () => {
    chmodSync(join(base, 'private'), 0o700);
    const copyFolder = join(base, 'copies');
    mkdirSync(join(copyFolder, 'program-1.0.0-x64'), { recursive: true });
    writeFileSync(join(copyFolder, 'other'), '');
    const { binFolder, major } = await preparePostgresProgram(copyFolder, stranger, source);
    expect(major).toBe(18);
    expect(binFolder.startsWith(copyFolder)).toBe(true);
    expect(await isReachable(binFolder, stranger)).toBe(true);
    expect(links(join(binFolder, '../..')).length).toBeGreaterThan(10);
    expect(execFileSync(join(binFolder, 'postgres'), ['--version'], { encoding: 'utf8' })).toMatch(
      /^postgres \(PostgreSQL\) 18/,
    );
    // The copy of the version before is gone, drafts are gone, and what is not ours stays.
    expect(readdirSync(copyFolder)).toEqual(['other', expect.stringMatching(/^program-18/)]);
    expect(await preparePostgresProgram(copyFolder, stranger, source)).toEqual({ binFolder, major });
  });
});
