/**
 * Connections to Postgres, for the embedded server and for one reached by `DATABASE_URL` alike.
 *
 * Rows come as the SQL names them: there is no renaming between `snake_case` and `camelCase`, so a statement says
 * `size_bytes as "sizeBytes"` and what it returns can be read from it, found by search and checked by `describe`.
 */
import { Socket } from 'node:net';
import type Postgres from 'postgres';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import { postgres } from './driver.ts';

/** A pool. `bigint` columns are numbers: sizes and sequence numbers stay far below 2^53. */
export type Sql = Postgres.Sql<{ bigint: number }>;
/** A transaction of `Sql.begin`, for functions that must run inside one. */
export type TransactionSql = Postgres.TransactionSql<{ bigint: number }>;

export interface PostgresAddress {
  /** A host name or address, or the folder of a Unix socket, which starts with `/`. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** How to speak TLS; absent means not at all. */
  readonly ssl?: 'prefer' | 'require' | 'verify-full';
}

export interface ConnectionOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Most connections at once. */
  readonly max?: number;
  /** A statement that runs longer is ended by the server; 0 never. */
  readonly statementTimeoutMs?: number;
  /** Notices and warnings of the server, one text each. */
  readonly onNotice?: (message: string) => void;
}

const SSL_MODES: Readonly<Record<string, PostgresAddress['ssl'] | null>> = {
  disable: null,
  allow: null,
  prefer: 'prefer',
  require: 'require',
  'verify-ca': 'verify-full',
  'verify-full': 'verify-full',
};

/**
 * Reads a connection URI as libpq does (https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING-URIS):
 * `postgres://user:password@host:5432/database?sslmode=require`, or `postgres:///database?host=/run/postgresql` for a
 * Unix socket. Throws an `Error` that says what is wrong without repeating the URI, which holds a password.
 */
export function parseDatabaseUrl(text: string): PostgresAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text.trim());
  if (!match) throw new Error('it is not of the form postgres://user:password@host:5432/database');
  const [, identity = '', authority = '', path = '', queryText = ''] = match;
  const query = new URLSearchParams(queryText);
  const [, name = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority) ?? [];
  const port = Number(query.get('port') ?? (portText || 5432));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('its port is not a number from 1 to 65535');
  const [user = '', ...password] = identity.split(':');
  const host = query.get('host') ?? decode(name.replace(/^\[(.*)\]$/, '$1'));
  if (host.includes(',')) throw new Error('it names several hosts; give one');
  const database = query.get('dbname') ?? decode(path);
  const sslMode = query.get('sslmode') ?? 'disable';
  if (!Object.hasOwn(SSL_MODES, sslMode)) {
    throw new Error(`its sslmode is none of ${Object.keys(SSL_MODES).join(', ')}`);
  }
  const unknown = [...query.keys()].find((key) => !URL_PARAMETERS.includes(key));
  if (unknown !== undefined) throw new Error(`its parameter “${unknown}” is none of ${URL_PARAMETERS.join(', ')}`);
  const userName = query.get('user') ?? decode(user);
  if (userName === '') throw new Error('it names no user');
  if (database === '') throw new Error('it names no database');
  const ssl = SSL_MODES[sslMode];
  return {
    host: host === '' ? 'localhost' : host,
    port,
    database,
    user: userName,
    password: query.get('password') ?? decode(password.join(':')),
    ...(ssl ? { ssl } : {}),
  };
}

const URL_PARAMETERS = ['host', 'port', 'dbname', 'user', 'password', 'sslmode'];

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new Error('it has a % that is not followed by two hexadecimal digits', { cause: error });
  }
}

const STATEMENT_TIMEOUT_MS = 30_000;
/** A transaction that holds its locks while nobody speaks to it would block everyone else. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Opens a pool. Nothing is connected until the first statement; a lost connection comes back by itself.
 */
export function connectPostgres(address: PostgresAddress, options: ConnectionOptions): Sql {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  // `socket` is missing from the package's types.
  const settings: Postgres.Options<{ bigint: Postgres.PostgresType<number> }> & { socket: () => Socket } = {
    socket: () => openSocket(address),
    max: options.max ?? 10,
    connect_timeout: 10,
    // A restarted server must be met again soon, and five pools must not hammer it.
    backoff: (attempts) => Math.min(0.1 * 2 ** attempts, 2) * (0.75 + Math.random() / 2),
    connection: {
      application_name: options.applicationName,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
    types: { bigint: { to: 20, from: [20], serialize: String, parse: parseBigint } },
    onnotice: (notice) => options.onNotice?.(`${notice['severity'] ?? 'NOTICE'}: ${notice['message'] ?? ''}`),
  };
  return postgres({ ...address, ...settings });
}

/**
 * Ends so that postgres.js (3.4.9) answers every statement:
 *
 * - A session that breaks ends without an error event, which has it reject everything that was sent. With one, a statement
 *   sent between the events `error` and `close` is never answered, so the first retry would hang forever.
 * - A connection that ends before it is a session ends with an error event. Without one it would try again forever, at once.
 */
class AnsweringSocket extends Socket {
  #isSession = false;

  constructor() {
    super();
    const watch = (chunk: Buffer): void => {
      if (!READY_FOR_QUERY.equals(chunk.subarray(-6, -1))) return;
      this.#isSession = true;
      this.off('data', watch);
    };
    this.on('data', watch);
  }

  override destroy(error?: Error): this {
    return super.destroy(this.#isSession ? undefined : (error ?? hungUp()));
  }
}

function hungUp(): Error {
  return Object.assign(new Error('the server closed the connection'), { code: 'CONNECTION_CLOSED' });
}

/** The message that ends the server's greeting, without its last byte, the state of the transaction. */
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5]);

function openSocket({ host, port }: PostgresAddress): Socket {
  // The package's own messages say where the connection was to go.
  const socket = Object.assign(new AnsweringSocket(), { host, port });
  // What is written before the connection stands is kept until it does.
  return host.startsWith('/') ? socket.connect(`${host}/.s.PGSQL.${port}`) : socket.connect(port, host);
}

function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number exactly`);
  return value;
}

/** The oldest server whose SQL the migrations use. */
const MIN_SERVER_VERSION = 15;
const EXTENSIONS = ['pg_trgm', 'unaccent'];

/**
 * Refuses a database that the migrations could not use: too old, not UTF-8, extensions that are neither there nor
 * creatable, or no right to create tables. Creates the extensions.
 */
export async function checkServer(sql: Sql): Promise<void> {
  const [server] = await sql<
    { version: number; encoding: string; canCreate: boolean; who: string; database: string }[]
  >`
    select current_setting('server_version_num')::int / 10000 as version, current_setting('server_encoding') as encoding,
      coalesce(has_schema_privilege(current_schema(), 'create'), false) as "canCreate",
      current_user::text as who, current_database()::text as database`;
  if (!server) throw new Error('the server answered without a row');
  const { version, encoding, canCreate, who, database } = server;
  if (version < MIN_SERVER_VERSION) {
    throw new StartRefusal(
      `The database server is Postgres ${version}. Matinee needs Postgres ${MIN_SERVER_VERSION} or newer: upgrade it, or leave DATABASE_URL out to use the built-in one.`,
    );
  }
  if (encoding !== 'UTF8') {
    throw new StartRefusal(
      `Database “${database}” stores text as ${encoding}. Matinee needs UTF8: create it again with “create database ${database} encoding 'UTF8' template template0”.`,
    );
  }
  if (!canCreate) {
    throw new StartRefusal(
      `User “${who}” may not create tables in database “${database}”. Let its owner run: grant create on schema public to ${who};`,
    );
  }
  for (const extension of EXTENSIONS) await createExtension(sql, extension, database);
}

async function createExtension(sql: Sql, extension: string, database: string): Promise<void> {
  const [found] = await sql<{ isInstalled: boolean }[]>`
    select installed_version is not null as "isInstalled" from pg_available_extensions where name = ${extension}`;
  if (found?.isInstalled === true) return;
  if (found === undefined) {
    throw new StartRefusal(
      `The database server lacks the extension ${extension}. Install the package that brings it (Debian and Ubuntu: postgresql-contrib) on that server.`,
    );
  }
  try {
    await sql`create extension if not exists ${sql(extension)}`;
  } catch (error) {
    throw new StartRefusal(
      `The extension ${extension} could not be created (${(error as Error).message}). Let an administrator run in database “${database}”: create extension ${extension};`,
      { cause: error },
    );
  }
}
