/**
 * Brings the database to the shape that this code expects.
 *
 * A migration is a file `NNNN_name.sql`. Files run in order, each once, each in its own transaction together with its
 * line in the ledger `schema_migration`, so that a crash leaves a migration done or not begun. A file whose first line
 * is `-- no-transaction` runs outside one (`create index concurrently`); it must be safe to run twice.
 * Two servers that start at once wait for each other on an advisory lock.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import type { Sql } from './connect.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';

const FILE_NAME = /^\d{4}_[a-z0-9]+(?:_[a-z0-9]+)*\.sql$/;

export interface Migration {
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

interface LedgerLine {
  readonly name: string;
  readonly sha256: string;
}

/** Reads the migration files of a folder in order. Throws when a name is malformed or a number is used twice. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  const numbers = new Map<string, string>();
  for (const name of names) {
    if (!FILE_NAME.test(name)) throw new StartRefusal(`Migration “${name}” is not named NNNN_name.sql (a–z, 0–9, _).`);
    const other = numbers.get(name.slice(0, 4));
    if (other !== undefined) throw new StartRefusal(`Migrations “${other}” and “${name}” have the same number.`);
    numbers.set(name.slice(0, 4), name);
  }
  return Promise.all(
    names.map(async (name) => {
      // A checkout with Windows line ends is the same migration.
      const text = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
      return { name, text, sha256: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

/**
 * The migrations that are still to run. Refuses when what was applied is not the beginning of what is there: a file
 * edited or removed after it ran, one slipped in before the newest that ran, or a database that newer code has changed.
 */
export function pendingMigrations(files: readonly Migration[], ledger: readonly LedgerLine[]): Migration[] {
  const filesByName = new Map(files.map((file) => [file.name, file]));
  const appliedNames = new Set(ledger.map((line) => line.name));
  const newestFile = files.at(-1)?.name ?? '';
  const newestApplied = ledger.reduce((newest, line) => (line.name > newest ? line.name : newest), '');
  for (const { name, sha256 } of ledger) {
    const file = filesByName.get(name);
    if (file === undefined) {
      throw new StartRefusal(
        name > newestFile
          ? `The database was changed by a newer Matinee (migration ${name}; this one knows up to ${newestFile || 'none'}). Start the newer version again, or restore the backup from before the upgrade.`
          : `Migration ${name} ran on this database but its file is gone. Restore the file; applied migrations are never removed.`,
      );
    }
    if (file.sha256 !== sha256) {
      throw new StartRefusal(
        `Migration ${name} was edited after it ran on this database. Restore the file as it was, and put the change into a new migration.`,
      );
    }
  }
  const pending = files.filter((file) => !appliedNames.has(file.name));
  const late = pending.find((file) => file.name < newestApplied);
  if (late !== undefined) {
    throw new StartRefusal(
      `Migration ${late.name} comes before ${newestApplied}, which has already run on this database. Give it the next free number.`,
    );
  }
  return pending;
}

/** Runs what is pending in `folder` and returns the names that ran. `onApply` is told each before it runs. */
export async function migrate(sql: Sql, folder: string, onApply?: (name: string) => void): Promise<string[]> {
  const files = await readMigrations(folder);
  // The lock belongs to a session, so everything runs on this one connection.
  const session = await sql.reserve();
  try {
    await session`set statement_timeout = 0`;
    await session`select pg_advisory_lock(${ADVISORY_LOCK.migrations})`;
    const [found] = await session<
      { isThere: boolean }[]
    >`select to_regclass('schema_migration') is not null as "isThere"`;
    if (found?.isThere !== true) {
      await session`create table schema_migration (
        name text primary key, sha256 text not null, applied_at timestamptz not null default now())`;
    }
    const ledger = await session<LedgerLine[]>`select name, sha256 from schema_migration order by name`;
    const pending = pendingMigrations(files, ledger);
    for (const migration of pending) {
      onApply?.(migration.name);
      await apply(session, migration);
    }
    return pending.map((migration) => migration.name);
  } finally {
    // A session that died took its lock and settings with it.
    await session`select pg_advisory_unlock(${ADVISORY_LOCK.migrations})`.catch(() => {});
    await session`reset statement_timeout`.catch(() => {});
    session.release();
  }
}

async function apply(
  session: postgres.ReservedSql<{ bigint: number }>,
  { name, text, sha256 }: Migration,
): Promise<void> {
  const isTransaction = !text.startsWith('-- no-transaction');
  try {
    if (isTransaction) await session`begin`;
    await session.unsafe(text).simple();
    await session`insert into schema_migration (name, sha256) values (${name}, ${sha256})`;
    if (isTransaction) await session`commit`;
  } catch (error) {
    if (isTransaction) await session`rollback`.catch(() => {});
    throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error });
  }
}
