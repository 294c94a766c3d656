/**
 * The process behind `postgres.ts`: an embedded Postgres for the tests of one checkout.
 *
 * A test process holds one connection to it while it lives. When that ends, its databases are dropped; when the last
 * has been gone for a while, the server and its folder go too.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, statfs } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterProcesses } from '#engine/store/embedded-postgres-cluster.ts';
import { EmbeddedPostgres } from '#engine/store/embedded-postgres.ts';
import { connectPostgres } from '#engine/store/postgres/connect.ts';
import type { TestServer } from './postgres.ts';
import { controlPath } from './postgres.ts';

const IDLE_MS = 15_000;
/** Copying a template makes 360 files: 20 ms in memory, 250 ms on a disk. Containers often have only 64 MiB there. */
const MEMORY_FOLDER = '/dev/shm';
const MIN_MEMORY_BYTES = 2 ** 30;
const FOLDER_PREFIX = 'matinee-test-pg-';

const control = createServer();
const sockets = new Set<Socket>();
let idle: NodeJS.Timeout | undefined;
let clients = 0;

control.on('error', () => {
  // Another one was quicker; whoever started us will find it.
  process.exit(0);
});
control.listen(controlPath, () => void main());

async function main(): Promise<void> {
  const starting = start();
  control.on('connection', (socket) => void greet(socket, starting));
  armIdle(starting);
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => void end(starting));
}

interface Running {
  readonly server: EmbeddedPostgres;
  readonly folder: string;
}

async function start(): Promise<Running> {
  await sweepFolders();
  const folder = await mkdtemp(join(await baseFolder(), `${FOLDER_PREFIX}${process.pid}-`));
  const server = await EmbeddedPostgres.start({
    folder: join(folder, 'postgres'),
    password: randomBytes(12).toString('hex'),
    initdbArguments: ['--no-sync'],
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      // Each copy of a template writes all its pages; a checkpoint in the middle of a run would only cost time.
      max_wal_size: '2GB',
      checkpoint_timeout: '1h',
      max_connections: '200',
      shared_buffers: '64MB',
    },
  });
  return { server, folder };
}

async function baseFolder(): Promise<string> {
  const memory = await statfs(MEMORY_FOLDER).catch(() => null);
  return memory !== null && memory.bavail * memory.bsize >= MIN_MEMORY_BYTES ? MEMORY_FOLDER : tmpdir();
}

/** Folders of servers that were killed, with the Postgres that runs on in them. */
async function sweepFolders(): Promise<void> {
  const parents = [tmpdir(), MEMORY_FOLDER];
  const lists = await Promise.all(parents.map((parent) => readdir(parent).catch(() => [])));
  const folders = lists.flatMap((names, index) => names.map((name) => ({ name, path: join(parents[index]!, name) })));
  for (const { name, path } of folders) {
    if (!name.startsWith(FOLDER_PREFIX)) continue;
    const owner = Number.parseInt(name.slice(FOLDER_PREFIX.length), 10);
    const command = await readFile(`/proc/${owner}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('postgres.host.ts')) continue;
    for (const pid of await clusterProcesses(join(path, 'postgres', '18'))) process.kill(pid, 'SIGKILL');
    // Another user's folder is that user's to remove.
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function greet(socket: Socket, starting: Promise<Running>): Promise<void> {
  clients += 1;
  const prefix = `test_${clients}_`;
  sockets.add(socket);
  clearTimeout(idle);
  socket.resume().on('error', () => {});
  socket.once('close', () => {
    sockets.delete(socket);
    void dropDatabases(starting, prefix);
    armIdle(starting);
  });
  try {
    const { server } = await starting;
    const { address, adminAddress } = server;
    socket.write(`${JSON.stringify({ address, adminAddress, prefix } satisfies TestServer)}\n`);
  } catch (error) {
    socket.end(`${JSON.stringify({ error: (error as Error).message })}\n`);
  }
}

async function dropDatabases(starting: Promise<Running>, prefix: string): Promise<void> {
  const running = await starting.catch(() => null);
  if (running === null || running.server.state !== 'running') return;
  const admin = connectPostgres(running.server.adminAddress, { applicationName: 'test sweep', max: 1 });
  try {
    const left = await admin<
      { name: string }[]
    >`select datname as name from pg_database where starts_with(datname, ${prefix})`;
    for (const { name } of left) await admin.unsafe(`drop database if exists ${name} with (force)`);
  } catch {
    // The server is on its way down, and its databases with it.
  } finally {
    await admin.end({ timeout: 1 });
  }
}

function armIdle(starting: Promise<Running>): void {
  clearTimeout(idle);
  if (sockets.size === 0) idle = setTimeout(() => void end(starting), IDLE_MS);
}

async function end(starting: Promise<Running>): Promise<void> {
  // From here on nobody is let in: a newcomer starts a server of its own.
  control.close();
  for (const socket of sockets) socket.destroy();
  const running = await starting.catch(() => null);
  await running?.server.stop();
  if (running) await rm(running.folder, { recursive: true, force: true });
  process.exit(0);
}
