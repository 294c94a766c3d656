/**
 * The data folder: everything that the server keeps, in one place.
 *
 * ```
 * matinee-data.json   says that the folder is ours, and in which layout
 * matinee.json        settings, written by the person (optional)
 * lock, owner.json    who uses it now
 * postgres/           the embedded database
 * secrets/            passwords and keys, 0600 in 0700
 * scratch/            segments of running transcodes; may be deleted while stopped
 * cache/              what can be made again
 * ```
 *
 * - [DATA1] One server at a time. The lock is the kernel's: it ends with the process, however that ends, and no stale
 *   file or reused process number can stand in for it.
 * - [DATA2] A folder that holds other things than ours is refused before anything is written to it.
 * - [DATA3] It never lies inside a library nor a library inside it.
 * - [DATA4] Secrets are readable by their owner only; a damaged one is refused, never replaced.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  access,
  chmod,
  constants,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  statfs,
} from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartRefusal } from '#engine/base/start-refusal.ts';

/** Shown to whoever tries to start a second server here. */
export interface DataFolderOwner {
  readonly pid: number;
  readonly startedAt: string;
  /** Where it listens; `null` until it does. */
  readonly url: string | null;
  readonly isDraining: boolean;
}

export interface DataFolderOptions {
  readonly path: string;
  /** Folders of movies, which must not overlap. */
  readonly libraries: readonly string[];
  /** How long to wait for a server that is about to end. */
  readonly patienceMs?: { readonly running: number; readonly draining: number };
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

const FORMAT = 1;
const MARK = 'matinee-data.json';
export const CONFIG_FILE_NAME = 'matinee.json';
/** What may lie in a folder before the first start: settings that the person wrote, and what a fresh disk has. */
const HARMLESS_NAMES = new Set([CONFIG_FILE_NAME, 'lost+found']);
const MIN_FREE_BYTES = 64 * 2 ** 20;
/**
 * A server whose parent was killed takes a moment to notice, and one that drains a while longer. A script that kills
 * and starts again should not have to guess how long.
 */
const PATIENCE_MS = { running: 3_000, draining: 30_000 };
const RETRY_MS = 100;
const SECRET_BYTES = 32;
const SECRET_FORM = /^[\w-]{43}$/;

export class DataFolder implements Disposable {
  readonly path: string;
  readonly postgresFolder: string;
  readonly scratchFolder: string;
  readonly cacheFolder: string;
  readonly #secretsFolder: string;
  readonly #lock: DatabaseSync;
  #owner: DataFolderOwner;

  private constructor(path: string, lock: DatabaseSync) {
    this.path = path;
    this.postgresFolder = join(path, 'postgres');
    this.scratchFolder = join(path, 'scratch');
    this.cacheFolder = join(path, 'cache');
    this.#secretsFolder = join(path, 'secrets');
    this.#lock = lock;
    this.#owner = { pid: process.pid, startedAt: new Date().toISOString(), url: null, isDraining: false };
  }

  /** Makes the folder if it is missing and takes it for this process. Throws `StartRefusal` where it may not. */
  static async open(options: DataFolderOptions): Promise<DataFolder> {
    const path = await makeFolder(options.path);
    await refuseOverlap(path, options.libraries);
    try {
      await refuseStrange(path);
      await access(path, constants.W_OK);
      await refuseFull(path);
      const lock = await takeLock(path, options.patienceMs ?? PATIENCE_MS, options.signal);
      const folder = new DataFolder(path, lock);
      try {
        await folder.#layOut();
      } catch (error) {
        lock.close();
        throw error;
      }
      return folder;
    } catch (error) {
      throw explain(error, path);
    }
  }

  /**
   * 32 random bytes as base64url text, made when first asked for and the same ever after. Losing one has consequences
   * for people, so a file that is not what we wrote is refused.
   */
  async secret(name: string): Promise<string> {
    const path = join(this.#secretsFolder, name);
    try {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null) {
        const fresh = randomBytes(SECRET_BYTES).toString('base64url');
        await writeDurably(path, `${fresh}\n`, 0o600);
        return fresh;
      }
      await chmod(path, 0o600);
      if (SECRET_FORM.test(text.trim())) return text.trim();
      throw new StartRefusal(`The secret ${path} is damaged. Restore it from a backup of the data folder.`);
    } catch (error) {
      throw explain(error, path);
    }
  }

  /** Says where the server listens, or that it is about to end. */
  async announce(changes: Partial<Pick<DataFolderOwner, 'url' | 'isDraining'>>): Promise<void> {
    this.#owner = { ...this.#owner, ...changes };
    await writeDurably(join(this.path, 'owner.json'), `${JSON.stringify(this.#owner)}\n`, 0o644);
  }

  /** Gives the folder free. */
  [Symbol.dispose](): void {
    if (this.#lock.isOpen) this.#lock.close();
  }

  async #layOut(): Promise<void> {
    const mark = join(this.path, MARK);
    const isMarked = await stat(mark).then(
      () => true,
      () => false,
    );
    if (!isMarked) {
      const text = `${JSON.stringify({ format: FORMAT, id: randomUUID(), madeAt: new Date().toISOString() }, null, 2)}\n`;
      await writeDurably(mark, text, 0o644);
    }
    for (const folder of [this.#secretsFolder, this.scratchFolder, this.cacheFolder]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
    }
    await this.announce({});
  }
}

/** Returns the real path. A new folder is private; root's may be walked through, since root's Postgres is another user. */
async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    const isNew = await mkdir(path, { mode: 0o700 }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (isNew && process.getuid?.() === 0) await chmod(path, 0o711);
    if (!(await stat(path)).isDirectory()) {
      throw new StartRefusal(`The data folder ${path} is a file. Give another one with --data DIR.`);
    }
    return await realpath(path);
  } catch (error) {
    throw explain(error, path);
  }
}

async function refuseOverlap(path: string, libraries: readonly string[]): Promise<void> {
  for (const library of libraries) {
    const real = await realpath(library).catch(() => resolve(library));
    if (isInside(path, real)) {
      throw new StartRefusal(
        `The data folder ${path} lies inside the library ${library}, where its own files would be taken for movies. Give another one with --data DIR.`,
      );
    }
    if (isInside(real, path)) {
      throw new StartRefusal(
        `The library ${library} lies inside the data folder ${path}. Move the movies elsewhere, or give another data folder with --data DIR.`,
      );
    }
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

async function refuseStrange(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(MARK)) {
    const mark: unknown = await readFile(join(path, MARK), 'utf8')
      .then((text): unknown => JSON.parse(text))
      .catch(() => null);
    const format = typeof mark === 'object' && mark !== null && 'format' in mark ? mark.format : null;
    if (format === FORMAT) return;
    throw new StartRefusal(
      typeof format === 'number' && format > FORMAT
        ? `The data folder ${path} was laid out by a newer Matinee. Start that version again.`
        : `${join(path, MARK)} is damaged. Restore it from a backup of the data folder.`,
    );
  }
  if (names.includes('PG_VERSION')) {
    throw new StartRefusal(
      `${path} is the data directory of a Postgres server. Give a folder of its own with --data DIR, or reach that server through DATABASE_URL.`,
    );
  }
  const strange = names.filter((name) => !HARMLESS_NAMES.has(name) && !isLeftover(name));
  if (strange.length === 0) return;
  throw new StartRefusal(
    `${path} is not empty and not a data folder of Matinee (it holds “${strange.slice(0, 3).join('”, “')}”${strange.length > 3 ? ' …' : ''}). Give an empty or new folder with --data DIR.`,
  );
}

/** What a first start that was killed may leave before the mark is written. */
function isLeftover(name: string): boolean {
  return name === 'lock' || name === 'lock-journal' || (name.startsWith(MARK) && name.endsWith('.draft'));
}

async function refuseFull(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize >= MIN_FREE_BYTES) return;
  throw new StartRefusal(
    `The disk that holds the data folder ${path} is full (${Math.floor((bavail * bsize) / 2 ** 20)} MiB free). Free at least ${MIN_FREE_BYTES / 2 ** 20} MiB.`,
  );
}

/**
 * SQLite takes the kernel's record lock, which Node itself has no call for. Nobody else in this process may open and
 * close the file: POSIX gives a lock up with the first handle that is closed (fcntl(2)).
 */
async function takeLock(
  path: string,
  patienceMs: { running: number; draining: number },
  signal: AbortSignal | undefined,
): Promise<DatabaseSync> {
  const startedAt = performance.now();
  for (;;) {
    const lock = new DatabaseSync(join(path, 'lock'));
    try {
      lock.exec('pragma locking_mode = exclusive; begin exclusive');
      await chmod(join(path, 'lock'), 0o600);
      return lock;
    } catch (error) {
      lock.close();
      if (!isBusy(error)) throw error;
    }
    const owner = await readOwner(path);
    const patience = owner?.isDraining === true ? patienceMs.draining : patienceMs.running;
    if (performance.now() - startedAt >= patience) throw alreadyRunning(path, owner);
    await sleep(RETRY_MS, undefined, signal ? { signal } : {});
  }
}

/** SQLITE_BUSY, and its extended codes. */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' && (code & 0xff) === 5;
}

async function readOwner(path: string): Promise<DataFolderOwner | null> {
  try {
    return JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')) as DataFolderOwner;
  } catch {
    return null;
  }
}

function alreadyRunning(path: string, owner: DataFolderOwner | null): StartRefusal {
  const who =
    owner === null ? '' : ` (process ${owner.pid}, since ${owner.startedAt}${owner.url ? `, at ${owner.url}` : ''})`;
  return new StartRefusal(
    `Matinee is already running on the data folder ${path}${who}. Stop that one first, or give this one a folder of its own with --data DIR.`,
  );
}

/** Written aside, flushed and renamed: after a crash it is the old content or the new. */
async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await rm(draft, { force: true });
  {
    await using file = await open(draft, 'wx', mode);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(draft, path);
  await using folder = await open(dirname(path));
  await folder.sync();
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there. Change its owner (chown), or give another one with --data DIR',
  EPERM: 'this user may not write there. Change its owner (chown), or give another one with --data DIR',
  ENOENT: 'it cannot be made there. Give another one with --data DIR',
  EROFS: 'it is on a file system that is mounted read-only. Give another one with --data DIR',
  ENOSPC: 'its disk is full. Free some space, or give another one with --data DIR',
  EDQUOT: 'the disk quota of this user is used up. Free some space, or give another one with --data DIR',
  ENOTDIR: 'a part of its path is a file. Give another one with --data DIR',
  ENAMETOOLONG: 'its path is too long. Give another one with --data DIR',
  ELOOP: 'its path has a loop of links. Give another one with --data DIR',
};

function explain(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const explanation = EXPLANATIONS[code];
  if (explanation !== undefined) {
    return new StartRefusal(`The data folder cannot be used: ${path}: ${explanation}.`, { cause: error });
  }
  if (code === 'ERR_SQLITE_ERROR') {
    return new StartRefusal(
      `The data folder's lock ${join(path, 'lock')} cannot be taken (${(error as Error).message}). Network folders often lack locks: give a folder on a local disk with --data DIR.`,
      { cause: error },
    );
  }
  return error;
}
