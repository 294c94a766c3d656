/**
 * Finds a Postgres program that the chosen account can run: the one in node_modules, or a copy of it.
 */
import { chmod, cp, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import type { Account } from './embedded-postgres-account.ts';
import { isReachable } from './embedded-postgres-account.ts';

export interface PostgresProgram {
  /** The folder with `postgres`, `initdb` and `pg_ctl`. */
  readonly binFolder: string;
  /** Major version, which names the cluster's folder. */
  readonly major: number;
}

/** As in the package's `pg-symlinks.json`: npm packages carry no links, the package's install script makes them. */
interface MissingLink {
  readonly source: string;
  readonly target: string;
}

/** A root process whose data folder nobody else can enter keeps the copy here. */
const SYSTEM_CACHE = '/var/cache/matinee';

/**
 * Returns a program that `account` can run. Uses node_modules in place where that is readable; otherwise (a checkout
 * under a private home folder, a read-only checkout whose install scripts were blocked) a copy in `copyFolder`, which
 * must exist and belong to the account.
 */
export async function preparePostgresProgram(
  copyFolder: string,
  account: Account | null,
  packageFolder?: string,
): Promise<PostgresProgram> {
  const root = packageFolder ?? findPackage();
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const major = Number.parseInt(version, 10);
  const links = await readLinks(root);
  const isComplete = (await missingLinks(root, links)).length === 0 || (await makeLinks(root, links));
  if (isComplete && (await isRunnable(root, account))) return { binFolder: join(root, 'native/bin'), major };

  for (const parent of [copyFolder, SYSTEM_CACHE]) {
    if (parent === SYSTEM_CACHE && account === null) break;
    if (parent === SYSTEM_CACHE) await makeReadableFolder(parent);
    if (!(await isReachable(parent, account))) continue;
    const copy = join(parent, `program-${version}-${process.arch}`);
    await copyProgram(root, copy, links);
    if (await isRunnable(copy, account)) return { binFolder: join(copy, 'native/bin'), major };
  }
  throw new StartRefusal(
    `User “${account?.name ?? 'this one'}”, which runs the database, can read neither ${root} nor ${copyFolder}. Move the data folder (--data DIR) to a place that this user may enter, or start as an ordinary user.`,
  );
}

/** Of the Postgres for this system. */
export function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform package is a dependency of the wrapper, so it is looked up from there.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..');
  } catch (error) {
    throw new StartRefusal(
      `The built-in database has no program for ${process.platform}-${process.arch} (package ${name} is not installed). Install again without --omit=optional, or set DATABASE_URL to a Postgres server of your own.`,
      { cause: error },
    );
  }
}

async function readLinks(root: string): Promise<MissingLink[]> {
  return JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')) as MissingLink[];
}

async function missingLinks(root: string, links: readonly MissingLink[]): Promise<MissingLink[]> {
  const isThere = await Promise.all(
    links.map(({ target }) =>
      stat(join(root, target)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return links.filter((_, index) => isThere[index] !== true);
}

/** False when the folder is not ours to write. */
async function makeLinks(root: string, links: readonly MissingLink[]): Promise<boolean> {
  try {
    for (const { source, target } of await missingLinks(root, links)) {
      await symlink(relative(dirname(target), source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
    return (await missingLinks(root, links)).length === 0;
  } catch {
    return false;
  }
}

async function isRunnable(root: string, account: Account | null): Promise<boolean> {
  const parts = ['bin/postgres', 'lib/libpq.so.5', 'lib/libicuuc.so.60', 'share/postgresql/postgres.bki'];
  const results = await Promise.all(
    parts.map(async (part) => {
      const path = join(root, 'native', part);
      // Only the folders above need the right to enter; a plain file must be readable.
      return account === null
        ? stat(path).then(
            () => true,
            () => false,
          )
        : isFileReadable(path, account);
    }),
  );
  return results.every(Boolean);
}

async function isFileReadable(path: string, { uid, gid }: Account): Promise<boolean> {
  const entry = await stat(path).catch(() => null);
  if (entry === null || !(await isReachable(dirname(path), { name: '', uid, gid }))) return false;
  const shift = entry.uid === uid ? 6 : entry.gid === gid ? 3 : 0;
  return ((entry.mode >> shift) & 0o4) === 0o4;
}

/** Copies what running needs (45 MB). Made aside and renamed, so that a copy with the right name is a whole one. */
async function copyProgram(root: string, copy: string, links: readonly MissingLink[]): Promise<void> {
  const isThere = await stat(copy).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const parent = dirname(copy);
  await removeOtherCopies(parent, basename(copy));
  const draft = `${copy}.${process.pid}.draft`;
  const native = join(root, 'native');
  const isLink = new Set(links.map(({ target }) => join(root, target)));
  await mkdir(draft);
  await cp(native, join(draft, 'native'), {
    recursive: true,
    // Static libraries serve only programs that are compiled against Postgres.
    filter: (source) => !source.endsWith('.a') && !isLink.has(source) && !source.includes(`${sep}pkgconfig`),
  });
  for (const { source, target } of links) {
    await symlink(relative(dirname(target), source), join(draft, target));
  }
  await makeReadable(draft);
  await rename(draft, copy).catch(async (error: NodeJS.ErrnoException) => {
    await rm(draft, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

/** Whatever this process's umask says. */
async function makeReadableFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
}

async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o755);
    else if (entry.isFile()) await chmod(path, entry.parentPath.endsWith(`${sep}bin`) ? 0o755 : 0o644);
  }
}

/** Drafts that a crash left behind, and the program of the version before. */
async function removeOtherCopies(parent: string, keep: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.startsWith('program-') && name !== keep) await rm(join(parent, name), { recursive: true, force: true });
  }
}
