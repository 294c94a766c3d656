/**
 * Which system user runs the embedded Postgres, which refuses to run as root.
 */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { StartRefusal } from '#engine/base/start-refusal.ts';

const run = promisify(execFile);

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order: ours, then the one of a Postgres that the system already has. */
const PREFERRED_NAMES = ['matinee', 'postgres'];

/**
 * The account to become, or `null` when this process is an ordinary user and stays itself.
 * A folder that already holds a database keeps its owner. Without one the user `matinee` is created when neither it nor
 * `postgres` exists.
 */
export async function chooseAccount(folder: string): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const accounts = await readAccounts();
  const owner = await stat(folder).then(
    ({ uid }) => uid,
    () => 0,
  );
  if (owner !== 0) {
    const account = accounts.find(({ uid }) => uid === owner);
    if (account) return account;
    // initdb and Postgres look their own user up, so a number alone does not do.
    throw new StartRefusal(
      `${folder} belongs to user number ${owner}, which this system does not know. Start as that user, or give the folder to another one: chown -R matinee ${folder}`,
    );
  }
  for (const name of PREFERRED_NAMES) {
    const account = accounts.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (account) return account;
  }
  return createAccount();
}

async function readAccounts(): Promise<Account[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const [name = '', , uid, gid] = line.split(':');
    return name === '' || uid === undefined || gid === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

async function createAccount(): Promise<Account> {
  const name = 'matinee';
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
  } catch (error) {
    throw new StartRefusal(
      `Postgres does not run as root, and the system user “${name}” could not be created (${(error as Error).message.trim()}). Create it (useradd --system ${name}), start as an ordinary user, or set DATABASE_URL.`,
      { cause: error },
    );
  }
  const account = (await readAccounts()).find((candidate) => candidate.name === name);
  if (!account) throw new StartRefusal(`The system user “${name}” was created but is not in /etc/passwd.`);
  return account;
}

/** Whether the mode bits let `account` read (and for folders enter) `path` and enter every folder above it. */
export async function isReachable(path: string, account: Account | null): Promise<boolean> {
  if (account === null) return true;
  if (!(await allows(path, account, 0o5))) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!(await allows(folder, account, 0o1))) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function allows(path: string, { uid, gid }: Account, wanted: number): Promise<boolean> {
  const entry = await stat(path).catch(() => null);
  if (entry === null) return false;
  const shift = entry.uid === uid ? 6 : entry.gid === gid ? 3 : 0;
  return ((entry.mode >> shift) & wanted) === wanted;
}
