/**
 * The Postgres that Matinee brings along: a child process on a cluster in the data folder.
 *
 * - [EPG1] One postmaster per cluster. One left over from an engine that was killed is stopped before ours starts.
 * - [EPG2] A cluster is whole or not there: initdb works aside and the result is renamed into place.
 * - [EPG3] A cluster that we did not make, or of another major version, is refused and not touched.
 * - [EPG4] The postmaster's death is seen at once; it is started again on the same address within a budget,
 *   after which the state is `failed` for good.
 * - [EPG5] Only this process knows the password that the engine signs in with: it is new at every start.
 * - [EPG6] `stop` returns when no process of the cluster is left.
 *
 * States: running → restarting → running | failed; any → stopped.
 */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#engine/base/log.ts';
import { silentLog } from '#engine/base/log.ts';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import type { Account } from './embedded-postgres-account.ts';
import { chooseAccount } from './embedded-postgres-account.ts';
import {
  ADMIN_USER,
  POSTGRES_ENVIRONMENT,
  clusterProcesses,
  identity,
  makeClusterFolder,
  openCluster,
} from './embedded-postgres-cluster.ts';
import type { PostgresProgram } from './embedded-postgres-program.ts';
import { preparePostgresProgram } from './embedded-postgres-program.ts';
import type { PostgresAddress } from './postgres/connect.ts';
import { postgres } from './postgres/driver.ts';

export type EmbeddedPostgresState = 'running' | 'restarting' | 'failed' | 'stopped';

export interface EmbeddedPostgresOptions {
  /** `postgres/` of the data folder; made when missing. */
  readonly folder: string;
  /** Password of the cluster's administrator, kept in the data folder's secrets. */
  readonly password: string;
  readonly log?: Log;
  /** Server settings on top of ours, for tests that need no durability. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly initdbArguments?: readonly string[];
  /** Gives the start up; what it began is ended or put right by the next one. */
  readonly signal?: AbortSignal;
}

type Postmaster = ChildProcessByStdio<null, null, Readable>;

/** Role and database of the engine. */
const NAME = 'matinee';
const SOCKET_PORT = 5432;
/** `sun_path` of Linux holds 108 bytes with the final zero. */
const MAX_SOCKET_PATH_BYTES = 107;
const FAST_STOP_MS = 20_000;
const IMMEDIATE_STOP_MS = 5_000;
const RESTARTS = { max: 5, withinMs: 600_000 };
const LOG_LINES = 40;

/**
 * Sized for a home server that also transcodes: small caches, since the operating system caches the files again, and
 * few, large checkpoints, since a NAS disk minds many small writes more than the minute that recovery may take.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  max_connections: '60',
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  // Acknowledged means on disk.
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  wal_compression: 'pglz',
  min_wal_size: '64MB',
  max_wal_size: '512MB',
  checkpoint_timeout: '15min',
  random_page_cost: '2',
  // Compiling a query costs more than running any of ours.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Failed statements are the caller's to report; with their values they have no place in a log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  log_line_prefix: '',
  logging_collector: 'off',
};

export class EmbeddedPostgres implements AsyncDisposable {
  readonly #options: EmbeddedPostgresOptions;
  readonly #log: Log;
  readonly #program: PostgresProgram;
  readonly #account: Account | null;
  readonly #cluster: string;
  readonly #listeners = new Set<(state: EmbeddedPostgresState) => void>();
  readonly #rolePassword = randomBytes(24).toString('base64url');
  readonly #recentLog: string[] = [];
  #host = '';
  #port = SOCKET_PORT;
  #state: EmbeddedPostgresState = 'stopped';
  #child: Postmaster | undefined;
  #stopping: Promise<void> | undefined;
  #restartedAt: number[] = [];

  private constructor(
    options: EmbeddedPostgresOptions,
    found: { program: PostgresProgram; account: Account | null; cluster: string },
  ) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#program = found.program;
    this.#account = found.account;
    this.#cluster = found.cluster;
  }

  /**
   * Starts the server, making its cluster first if there is none, and returns when it answers.
   * Throws `StartRefusal` when the folder or the system does not allow it.
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    if (process.platform !== 'linux') {
      throw new StartRefusal('The built-in database runs on Linux only. Set DATABASE_URL to a Postgres server.');
    }
    const account = await chooseAccount(options.folder);
    await makeClusterFolder(options.folder, account);
    const program = await preparePostgresProgram(options.folder, account);
    const cluster = await openCluster({
      ...options,
      program,
      account,
      onCreate: () => options.log?.info('creating the database'),
    });
    const server = new EmbeddedPostgres(options, { program, account, cluster });
    await server.#sweep();
    await server.#chooseAddress();
    await server.#launch();
    try {
      await server.#ensureDatabase();
    } catch (error) {
      await server.stop();
      throw error;
    }
    server.#setState('running');
    return server;
  }

  /** Where the engine connects to, with its own role and database. Stays the same over restarts. */
  get address(): PostgresAddress {
    return { host: this.#host, port: this.#port, database: NAME, user: NAME, password: this.#rolePassword };
  }

  /** The administrator's way in, for backups and tests. */
  get adminAddress(): PostgresAddress {
    return { ...this.address, database: 'postgres', user: ADMIN_USER, password: this.#options.password };
  }

  get state(): EmbeddedPostgresState {
    return this.#state;
  }

  /** Process id of the postmaster, `null` while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Tells every change of state. Returns how to end that. */
  onState(listener: (state: EmbeddedPostgresState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all sessions, writes everything out, and returns when the server is gone. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends the server at once, for a process that is about to exit. The next start recovers from the log. */
  abandon(): void {
    this.#stopping ??= Promise.resolve();
    send(this.#child?.pid, 'SIGQUIT');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    // SIGINT is “fast”: open transactions are rolled back, and a checkpoint makes the next start quick.
    await endProcesses(this.#cluster, this.#child?.pid);
    this.#child = undefined;
    this.#setState('stopped');
  }

  #setState(state: EmbeddedPostgresState): void {
    if (this.#state === state || (this.#state === 'stopped' && this.#stopping !== undefined)) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** Stops what an engine that was killed left running, and removes lock files that would name a stranger by now. */
  async #sweep(): Promise<void> {
    const orphans = await clusterProcesses(this.#cluster);
    if (orphans.length > 0) {
      this.#log.warn('stopping a database that an engine which was killed left running');
      const recorded = Number.parseInt(
        await readFile(join(this.#cluster, 'postmaster.pid'), 'utf8').catch(() => ''),
        10,
      );
      await endProcesses(this.#cluster, orphans.includes(recorded) ? recorded : undefined);
    }
    // The process that these name is gone, but its number may live on in another one, which Postgres would believe.
    await rm(join(this.#cluster, 'postmaster.pid'), { force: true });
    for (const name of await readdir(this.#cluster)) {
      if (name.startsWith('.s.PGSQL.')) await rm(join(this.#cluster, name), { force: true });
    }
  }

  async #chooseAddress(): Promise<void> {
    const socket = join(this.#cluster, `.s.PGSQL.${SOCKET_PORT}`);
    const isSocket = Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES;
    this.#host = isSocket ? this.#cluster : '127.0.0.1';
    this.#port = isSocket ? SOCKET_PORT : await freePort();
  }

  /** Starts the postmaster and waits until it takes connections. */
  async #launch(): Promise<void> {
    const isSocket = this.#host.startsWith('/');
    const settings = {
      ...SETTINGS,
      ...this.#options.settings,
      port: String(this.#port),
      listen_addresses: isSocket ? '' : this.#host,
      unix_socket_directories: isSocket ? '.' : '',
      unix_socket_permissions: '0700',
    };
    const child = spawn(
      join(this.#program.binFolder, 'postgres'),
      ['-D', '/proc/self/cwd', ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        cwd: this.#cluster,
        env: POSTGRES_ENVIRONMENT,
        stdio: ['ignore', 'ignore', 'pipe'],
        // A session of its own, so that Ctrl-C in the terminal reaches the engine first and the engine stops Postgres last.
        detached: true,
        ...identity(this.#account),
      },
    );
    this.#child = child;
    this.#recentLog.length = 0;
    this.#readLog(child);
    const exited = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signalName) => resolve(signalName ?? `code ${code ?? 'unknown'}`));
    });
    let ending: string | undefined;
    void exited.then((how) => {
      ending = how;
    });
    for (let waitedMs = 0; !(await this.#isReady(child)); waitedMs += 10) {
      if (ending !== undefined) throw this.#startFailure(ending);
      if (this.#options.signal?.aborted === true) {
        send(child.pid, 'SIGQUIT');
        await exited;
        throw new Error('the start was given up');
      }
      if (waitedMs > 0 && waitedMs % 10_000 === 0) this.#log.info('the database is still recovering');
      await Promise.race([sleep(10), exited]);
    }
    void exited.then((how) => this.#onExit(child, how));
  }

  /** The postmaster writes how far it is into the last line of its lock file. */
  async #isReady(child: Postmaster): Promise<boolean> {
    const lines = (await readFile(join(this.#cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return lines[0] === String(child.pid) && lines[7]?.trim() === 'ready';
  }

  #readLog(child: Postmaster): void {
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#recentLog.push(line);
        if (this.#recentLog.length > LOG_LINES) this.#recentLog.shift();
        if (/^(?:FATAL|PANIC|WARNING):/.test(line)) this.#log.warn('postgres said', { line });
      }
    });
  }

  #startFailure(how: string): StartRefusal {
    const log = this.#recentLog.join('\n');
    if (log.includes('No space left on device')) {
      return new StartRefusal(`The disk that holds ${this.#cluster} is full. Free some space and start again.`);
    }
    return new StartRefusal(`The database in ${this.#cluster} does not start (${how}). Its log ends with:\n${log}`);
  }

  /**
   * Gives the engine's role and database their existence and today's password. Runs at every start, so an interrupted
   * first start needs no repair of its own.
   */
  async #ensureDatabase(): Promise<void> {
    const admin = postgres({ ...this.adminAddress, max: 1, connect_timeout: 10, onnotice: () => {} });
    try {
      const [found] = await admin<{ hasRole: boolean; hasDatabase: boolean }[]>`
        select exists (select from pg_roles where rolname = ${NAME}) as "hasRole",
          exists (select from pg_database where datname = ${NAME}) as "hasDatabase"`;
      // Utility statements take no parameters; both values are ours and contain no quote.
      await admin.unsafe(`${found?.hasRole ? 'alter' : 'create'} role ${NAME} login password '${this.#rolePassword}'`);
      if (!found?.hasDatabase) await admin.unsafe(`create database ${NAME} owner ${NAME}`);
    } catch (error) {
      if ((error as { code?: string }).code !== '28P01') throw error;
      throw new StartRefusal(
        `The database in ${this.#cluster} does not accept the password in the data folder's secrets. The two were not made together: restore secrets/database-password from the backup that the database came from.`,
        { cause: error },
      );
    } finally {
      await admin.end();
    }
  }

  #onExit(child: Postmaster, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (this.#stopping !== undefined) return;
    this.#log.error('the database ended unexpectedly', { how });
    this.#setState('restarting');
    void this.#restart();
  }

  async #restart(): Promise<void> {
    for (let backoffMs = 50; this.#stopping === undefined; backoffMs *= 2) {
      const now = performance.now();
      this.#restartedAt = this.#restartedAt.filter((at) => now - at < RESTARTS.withinMs);
      if (this.#restartedAt.length >= RESTARTS.max) {
        this.#log.error('the database ended too often and stays down', RESTARTS);
        this.#setState('failed');
        return;
      }
      this.#restartedAt.push(now);
      try {
        // Its children outlive a killed postmaster for a moment, and a new one refuses to start beside them.
        await endProcesses(this.#cluster, undefined);
        await this.#sweep();
        if (this.#stopping !== undefined) return;
        await this.#launch();
        this.#log.warn('the database runs again');
        this.#setState('running');
        return;
      } catch (error) {
        this.#log.error('the database could not be started again', { error });
        await sleep(backoffMs);
      }
    }
  }
}

/** Ends every process of a cluster: fast for its postmaster, then immediate, then by force. Returns when none is left. */
async function endProcesses(cluster: string, postmaster: number | undefined): Promise<void> {
  if (postmaster !== undefined) {
    send(postmaster, 'SIGINT');
    if (await isGone(cluster, FAST_STOP_MS)) return;
  }
  for (const name of ['SIGQUIT', 'SIGKILL'] as const) {
    for (const pid of await clusterProcesses(cluster)) send(pid, name);
    if (await isGone(cluster, IMMEDIATE_STOP_MS)) return;
  }
  throw new Error(`processes of the database in ${cluster} do not end`);
}

async function isGone(cluster: string, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= withinMs; waitedMs += 20) {
    if ((await clusterProcesses(cluster)).length === 0) return true;
    await sleep(20);
  }
  return false;
}

function send(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
