/**
 * A database of its own for every test file, in milliseconds, on a real Postgres.
 *
 * The server is the embedded one, started by the first test that asks and shared by all that follow, also those of
 * other vitest runs of this checkout. It ends by itself when nobody has used it for a while (`postgres.host.ts`), and
 * drops the databases of a test process that died.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresAddress, Sql } from '#engine/store/postgres/connect.ts';
import { checkServer, connectPostgres, parseDatabaseUrl } from '#engine/store/postgres/connect.ts';
import { migrate, readMigrations } from '#engine/store/postgres/migrate.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly name: string;
  readonly address: PostgresAddress;
  /** The same as `postgres://…`, for what is configured by `DATABASE_URL`. */
  readonly url: string;
  /** A pool on it, signed in as the role that owns it, which is no superuser. */
  readonly sql: Sql;
  /** Closes the pool and drops the database. */
  drop(): Promise<void>;
}

export interface TestServer {
  readonly adminAddress: PostgresAddress;
  readonly address: PostgresAddress;
  /** Databases named so are dropped when this process ends, however it ends. */
  readonly prefix: string;
}

const migrationsFolder = join(import.meta.dirname, '../../migrations');
const STATEMENT_TIMEOUT_MS = 20_000;

/** The server's door: an abstract socket, one per user and checkout, which vanishes with the process behind it. */
export const controlPath = `\0matinee-test-postgres-${createHash('sha256')
  .update(`${process.getuid?.() ?? 0} ${import.meta.dirname}`)
  .digest('hex')
  .slice(0, 16)}`;

let server: Promise<TestServer> | undefined;
let admin: Sql | undefined;
let template: Promise<string> | undefined;

/** A fresh database: migrated to the newest schema, or empty. */
export async function createTestDatabase(options: { isEmpty?: boolean; max?: number } = {}): Promise<TestDatabase> {
  const { address, adminAddress, prefix } = await (server ??= openServer());
  const adminSql = (admin ??= connectPostgres(adminAddress, { applicationName: 'test admin', max: 2 }));
  const source = options.isEmpty === true ? 'template1' : await (template ??= ensureTemplate(adminSql, address));
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  // Copying files beats logging every page here, since this server never waits for the disk.
  await adminSql.unsafe(`create database ${name} template ${source} strategy file_copy owner ${address.user}`);
  const own = { ...address, database: name };
  const sql = connectPostgres(own, {
    applicationName: 'test',
    max: options.max ?? 4,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  async function drop(): Promise<void> {
    await sql.end({ timeout: 1 });
    await adminSql.unsafe(`drop database if exists ${name} with (force)`);
  }
  return {
    name,
    address: own,
    url: `postgres://${own.user}:${own.password}@/${name}?host=${encodeURIComponent(own.host)}&port=${own.port}`,
    sql,
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/**
 * Connects to the shared server, starting it when nobody answers. `TEST_DATABASE_URL`, signed in as an administrator, takes
 * another server instead, such as the oldest version that `DATABASE_URL` may name. There nobody tidies up after a test that died.
 */
async function openServer(): Promise<TestServer> {
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return openForeignServer(parseDatabaseUrl(url));
  for (let attempt = 0; ; attempt += 1) {
    const socket = connect(controlPath);
    try {
      await once(socket, 'connect');
    } catch (error) {
      // Half a minute and more: a process takes its time to start on a machine that has other things to do.
      if (attempt >= 800) throw error;
      if (attempt % 200 === 0) {
        const host = join(import.meta.dirname, 'postgres.host.ts');
        spawn(process.execPath, [host], { detached: true, stdio: 'ignore' }).unref();
      }
      await sleep(50);
      continue;
    }
    const greeting = await firstLine(socket);
    // It was just about to end for want of use.
    if (greeting === undefined) continue;
    const answer = JSON.parse(greeting) as TestServer | { error: string };
    if ('error' in answer) throw new Error(`The test database server does not start: ${answer.error}`);
    socket.unref();
    return answer;
  }
}

async function openForeignServer(adminAddress: PostgresAddress): Promise<TestServer> {
  // One for all test processes: what a template holds belongs to it.
  const role = 'matinee_test';
  const sql = connectPostgres(adminAddress, { applicationName: 'test role', max: 1 });
  await sql.unsafe(`create role ${role} login password '${role}'`).catch((error: { code?: string }) => {
    // duplicate_object, or unique_violation where two create it at once.
    if (error.code !== '42710' && error.code !== '23505') throw error;
  });
  await sql.end();
  return { address: { ...adminAddress, user: role, password: role }, adminAddress, prefix: `test_${process.pid}_` };
}

async function firstLine(socket: Socket): Promise<string | undefined> {
  const lines = createInterface({ input: socket });
  return new Promise((resolve) => {
    lines.once('line', resolve);
    socket.once('close', () => resolve(undefined));
    socket.on('error', () => {});
  });
}

/** The migrated database that others are copied from: one for each state of the migrations folder. */
async function ensureTemplate(adminSql: Sql, address: PostgresAddress): Promise<string> {
  const migrations = await readMigrations(migrationsFolder);
  const digest = createHash('sha256')
    .update(migrations.map(({ sha256 }) => sha256).join())
    .digest('hex');
  const name = `template_${digest.slice(0, 16)}`;
  const session = await adminSql.reserve();
  try {
    await session`select pg_advisory_lock(hashtext(${name}))`;
    const [found] = await session`select from pg_database where datname = ${name}`;
    if (found) return name;
    const draft = `draft_${digest.slice(0, 16)}`;
    await session.unsafe(`drop database if exists ${draft} with (force)`);
    await session.unsafe(`create database ${draft} owner ${address.user}`);
    const sql = connectPostgres({ ...address, database: draft }, { applicationName: 'test template', max: 1 });
    try {
      await checkServer(sql);
      await migrate(sql, migrationsFolder);
    } finally {
      await sql.end();
    }
    await session.unsafe(`alter database ${draft} rename to ${name}`);
    return name;
  } finally {
    await session`select pg_advisory_unlock(hashtext(${name}))`;
    session.release();
  }
}
