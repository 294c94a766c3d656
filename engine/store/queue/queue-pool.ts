/** Connections to Postgres as BullMQ wants them: node-postgres, in a schema of their own. */
import pg from 'pg';
import type { PostgresAddress } from '../postgres/connect.ts';

export const QUEUE_SCHEMA = 'bullmq';

/** Connections that ask, besides those that listen. */
const ASKING = 8;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Also for one that is free: a busy machine is not a server that is away. */
const CONNECT_TIMEOUT_MS = 30_000;

/** `kinds` of work listen on a connection each. `prefer` tries with TLS first, as libpq does. */
export async function openQueuePool(address: PostgresAddress, kinds: number): Promise<pg.Pool> {
  const poolWith = (ssl: PostgresAddress['ssl']): pg.Pool => new QueuePool(poolConfig(address, ssl, kinds + ASKING));
  if (address.ssl !== 'prefer') return poolWith(address.ssl);
  const withTls = poolWith('require');
  try {
    (await withTls.connect()).release();
    return withTls;
  } catch {
    await withTls.end();
    return poolWith(undefined);
  }
}

function poolConfig(address: PostgresAddress, ssl: PostgresAddress['ssl'], max: number): pg.PoolConfig {
  const { host, port, database, user, password } = address;
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: ssl === undefined ? false : { rejectUnauthorized: ssl === 'verify-full' },
    max,
    keepAlive: true,
    application_name: 'matinee queue',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    options: `-c search_path=${QUEUE_SCHEMA}`,
  };
}

/**
 * What a pool rejects with when its server is gone depends on how it is reached and when it went. BullMQ waits before it tries
 * again only where the code is ECONNREFUSED, and otherwise asks again at once, for ever (6.7.0, `isNotConnectionError`).
 */
class QueuePool extends pg.Pool {
  constructor(config: pg.PoolConfig) {
    super(config);
    // Every queue and every worker listens.
    this.setMaxListeners(0);
    // One that is lost while it is lent tells nobody else of it, and an error that nobody hears ends the process. Whoever asks on it is told.
    this.on('connect', (client) => void client.on('error', () => undefined));
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
    if (callback === undefined) return super.connect().catch((error: unknown) => Promise.reject(asRefusal(error)));
    super.connect((error, client, done) => callback(error && asRefusal(error), client, done));
  }
}

type ConnectCallback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

function asRefusal(error: unknown): Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  return Object.assign(new Error(cause.message, { cause }), { code: 'ECONNREFUSED' });
}
