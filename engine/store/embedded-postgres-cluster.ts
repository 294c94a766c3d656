/**
 * The cluster: the folder that Postgres calls its data directory. Made once, recognised at every start.
 *
 * Postgres gets it as its working folder, `-D /proc/self/cwd`, never by its path. So it works where the account that
 * runs Postgres could not walk to it (below root's home folder), and however long or odd the path is.
 */
import { spawn } from 'node:child_process';
import {
  chown,
  chmod,
  mkdir,
  open,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import type { Account } from './embedded-postgres-account.ts';
import type { PostgresProgram } from './embedded-postgres-program.ts';

export const ADMIN_USER = 'postgres';
/** Written into a cluster by us and by nobody else. */
const MARK = 'matinee-cluster.json';

/** What a Postgres process gets, whatever the shell that started us had set: `PGDATA` or a locale would change it. */
export const POSTGRES_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

export interface ClusterOptions {
  /** `postgres/` of the data folder, made by `makeClusterFolder`. */
  readonly folder: string;
  readonly program: PostgresProgram;
  readonly account: Account | null;
  /** Of the administrator that initdb creates. */
  readonly password: string;
  /** More arguments for initdb. */
  readonly initdbArguments?: readonly string[];
  readonly onCreate?: () => void;
  /** Ends initdb. */
  readonly signal?: AbortSignal;
}

/** Makes the folder around clusters, private to the account that runs them. */
export async function makeClusterFolder(folder: string, account: Account | null): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await giveTo(folder, account);
}

/** Returns the path of a cluster that this program can run, making it first if there is none. */
export async function openCluster(options: ClusterOptions): Promise<string> {
  const { folder, program } = options;
  const cluster = join(folder, String(program.major));
  const names = await readdir(folder);
  await refuseForeign(folder, names, program.major);
  if (names.includes(String(program.major))) {
    await checkCluster(cluster, program.major);
    return realpath(cluster);
  }
  for (const name of names.filter((candidate) => candidate.startsWith('draft-'))) {
    await removeDraft(join(folder, name));
  }
  options.onCreate?.();
  const draft = join(folder, `draft-${process.pid}`);
  try {
    await initialise(draft, options);
    await rename(draft, cluster);
    await syncFolder(folder);
  } catch (error) {
    await removeDraft(draft);
    throw error;
  }
  return realpath(cluster);
}

/** Left by an initdb that was interrupted, and that may run on although its engine was killed. */
async function removeDraft(draft: string): Promise<void> {
  const real = await realpath(draft).catch(() => draft);
  for (const pid of await clusterProcesses(real)) process.kill(pid, 'SIGKILL');
  // What was just killed may still be writing.
  await rm(draft, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

async function refuseForeign(folder: string, names: readonly string[], major: number): Promise<void> {
  if (names.includes('PG_VERSION')) {
    throw new StartRefusal(
      `${folder} is the data directory of another Postgres, not one that Matinee made. Choose another data folder (--data DIR), or reach that server through DATABASE_URL.`,
    );
  }
  const others = names.filter((name) => /^\d+$/.test(name) && Number(name) !== major).map(Number);
  const newest = Math.max(0, ...others);
  if (newest > major) {
    throw new StartRefusal(
      `${join(folder, String(newest))} was made by Postgres ${newest}; this Matinee brings Postgres ${major}. Start the newer Matinee again: a database cannot go back.`,
    );
  }
  if (newest > 0 && !names.includes(String(major))) {
    throw new StartRefusal(
      `${join(folder, String(newest))} was made by Postgres ${newest}; this Matinee brings Postgres ${major} and cannot read it. Start the older Matinee, export, and import here.`,
    );
  }
}

async function checkCluster(cluster: string, major: number): Promise<void> {
  const [version, mark] = await Promise.all(
    ['PG_VERSION', MARK].map((name) => readFile(join(cluster, name), 'utf8').catch(readFailure(cluster))),
  );
  if (version === undefined || mark === undefined) {
    throw new StartRefusal(
      `${cluster} is not a database that Matinee made${version === undefined ? ' (no PG_VERSION in it)' : ''}. Move it away to start with an empty one, restore it from a backup, or choose another data folder (--data DIR).`,
    );
  }
  if (version.trim() !== String(major)) {
    throw new StartRefusal(
      `${cluster} was made by Postgres ${version.trim()}; this Matinee brings Postgres ${major}. Start the version that made it.`,
    );
  }
}

const readFailure = (cluster: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') return undefined;
  throw new StartRefusal(
    `The database in ${cluster} cannot be read (${error.code ?? error.message}). Start as the user that made it, or as root.`,
    { cause: error },
  );
};

async function initialise(draft: string, options: ClusterOptions): Promise<void> {
  const { account, password, program } = options;
  await mkdir(draft, { mode: 0o700 });
  const passwordFile = `${draft}-password`;
  try {
    await giveTo(draft, account);
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await giveTo(passwordFile, account);
    await runInitdb(draft, options);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writeFile(join(draft, MARK), `${JSON.stringify({ madeBy: 'matinee', postgres: program.major })}\n`, {
    mode: 0o600,
  });
  await giveTo(join(draft, MARK), account);
}

async function runInitdb(draft: string, { account, program, initdbArguments, signal }: ClusterOptions): Promise<void> {
  const child = spawn(
    join(program.binFolder, 'initdb'),
    [
      '-D',
      '/proc/self/cwd',
      `--pwfile=../${basename(draft)}-password`,
      `--username=${ADMIN_USER}`,
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      // Trigrams take the letters from the C library: with its plain "C", pg_trgm drops every letter outside ASCII.
      '--locale=C.UTF-8',
      '--data-checksums',
      '--auth=scram-sha-256',
      '--no-instructions',
      ...(initdbArguments ?? []),
    ],
    {
      cwd: draft,
      env: POSTGRES_ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
      // Ctrl-C in the terminal is for the engine, which then ends this.
      detached: true,
      ...identity(account),
      ...(signal ? { signal } : {}),
    },
  );
  let errorText = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errorText = `${errorText}${chunk.toString()}`.slice(-4_000);
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signalName) => resolve(exitCode ?? signalName ?? 'unknown'));
  });
  if (code === 0) return;
  if (errorText.includes('No space left on device')) {
    throw new StartRefusal(`The disk that holds ${draft} is full. Free 200 MB, or move the data folder (--data DIR).`);
  }
  throw new StartRefusal(
    `The database could not be created in ${draft} (initdb ended with ${code}): ${errorText.trim()}`,
  );
}

/** Spawn options that make a child run as `account`. */
export function identity(account: Account | null): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

async function giveTo(path: string, account: Account | null): Promise<void> {
  if (account !== null) await chown(path, account.uid, account.gid);
  if (!path.endsWith('.json') && !path.endsWith('-password')) await chmod(path, 0o700);
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

/** Processes of Postgres whose working folder is this cluster: a postmaster and what it forked, or initdb. */
export async function clusterProcesses(cluster: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const isOurs = await Promise.all(
    pids.map(async (pid) => {
      // Unreadable means another user's process, which cannot be ours; gone means gone.
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => null);
      if (folder !== cluster) return false;
      const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
      return ['postgres', 'initdb'].includes(basename(program.replace(/ \(deleted\)$/, '')));
    }),
  );
  return pids.filter((_, index) => isOurs[index]).map(Number);
}
