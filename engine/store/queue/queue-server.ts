/**
 * The one place that chooses where durable work is kept: Redis where it is configured, Postgres otherwise. BullMQ speaks to
 * both; the rest of the engine sees `QueueServer` only.
 */
import { Queue, Worker, createPostgresBackend, isPgPool, runMigrations, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { QueueDanger, QueueServer } from '#engine/jobs/ports.ts';
import type { Log } from '#engine/base/log.ts';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import type { PostgresAddress } from '../postgres/connect.ts';
import { BullQueueServer } from './bull-queue-server.ts';
import { QUEUE_SCHEMA, openQueuePool } from './queue-pool.ts';

export interface QueueServerOptions {
  /** `redis://…`, `rediss://…` or the path of a Unix socket; `null` keeps everything in Postgres. */
  readonly redisUrl: string | null;
  readonly postgres: PostgresAddress;
  readonly log: Log;
  /** Of work, 16 where nothing is said; on Postgres each listens on a connection of its own. */
  readonly kinds?: number;
  /** How long work may go without a sign of life before somebody else does it; for tests. */
  readonly lockMs?: number;
}

/** How long to wait for Redis at the start. Then the engine starts without, and says so. */
const FIRST_CONTACT_MS = 3_000;
/** Together in one slot of a Redis cluster, which scripts over several keys ask for. */
const REDIS_PREFIX = '{matinee}';
const INSUFFICIENT_PRIVILEGE = '42501';

export function openQueueServer(options: QueueServerOptions): Promise<QueueServer> {
  return options.redisUrl === null ? openOnPostgres(options) : openOnRedis(options, options.redisUrl);
}

async function openOnPostgres({ postgres, log, kinds = 16, lockMs }: QueueServerOptions): Promise<QueueServer> {
  const pool = await openQueuePool(postgres, kinds);
  try {
    const client = await pool.connect();
    try {
      await runMigrations(client, QUEUE_SCHEMA);
    } finally {
      client.release();
    }
  } catch (error) {
    await pool.end();
    throw (error as { code?: unknown }).code === INSUFFICIENT_PRIVILEGE ? mayNotCreate(postgres, error) : error;
  }
  // BullMQ's own idea of a pool, which the types of node-postgres do not spell alike.
  if (!isPgPool(pool)) throw new Error('BullMQ does not know a pool of node-postgres when it sees one');
  const classes = withBackend(createBackend);
  return new BullQueueServer({
    name: 'Postgres',
    log,
    lockMs,
    queue: (name, rest) => new classes.Queue(name, { ...rest, connection: pool }),
    worker: (name, run, rest) => new classes.Worker(name, run, { ...rest, connection: pool }),
    probe: async () => void (await pool.query('select 1')),
    // A transaction that is committed is on the disk, whatever comes.
    dangers: () => Promise.resolve([]),
    onLoss: (listener) => void pool.on('error', listener),
    close: () => pool.end(),
    isThere: true,
  });
}

/** Parts of BullMQ that keep the answer to whether they are ready. */
interface Readiness {
  waitUntilReady(): Promise<void>;
  readyPromise: Promise<void> | undefined;
}

/**
 * BullMQ asks once whether its schema is there and keeps the answer, also where the server did not give one (6.7.0): a queue that is
 * first asked for while the server is away, or slow, would never work again. Here it asks again.
 */
const createBackend: typeof createPostgresBackend = (name, options, more) => {
  const backend = createPostgresBackend(name, options, more);
  const { connection } = backend as unknown as { connection: Readiness };
  for (const part of [connection, backend as unknown as Readiness]) {
    const ask = part.waitUntilReady.bind(part);
    part.waitUntilReady = () => {
      const answer = ask();
      const kept = part.readyPromise;
      return answer.catch((error: unknown) => {
        if (part.readyPromise === kept) part.readyPromise = undefined;
        throw error;
      });
    };
  }
  return backend;
};

async function openOnRedis({ log, lockMs }: QueueServerOptions, url: string): Promise<QueueServer> {
  const redis = new Redis(url, {
    // BullMQ asks for it: what a worker waits for is asked again and again until the server is back.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 2_000) * (0.75 + Math.random() / 2),
    connectTimeout: 5_000,
    connectionName: 'matinee',
  });
  redis.setMaxListeners(0);
  const { host = 'localhost', port = 6379, path } = redis.options;
  const isThere = await firstContact(redis);
  return new BullQueueServer({
    name: `Redis at ${path ?? `${host}:${port}`}`,
    log,
    lockMs,
    queue: (name, rest) => new Queue(name, { ...rest, connection: redis, prefix: REDIS_PREFIX }),
    worker: (name, run, rest) => new Worker(name, run, { ...rest, connection: redis, prefix: REDIS_PREFIX }),
    probe: async () => {
      if (redis.status !== 'ready') throw new Error('not connected');
      await redis.ping();
    },
    dangers: async () => dangersIn(await redis.info('memory', 'persistence')),
    onLoss(listener) {
      redis.on('error', listener);
      redis.on('close', () => listener(new Error('the connection was closed')));
    },
    close: async () => redis.disconnect(),
    isThere,
  });
}

/** From `INFO`, which hosted servers answer too, while they refuse `CONFIG`. */
export function dangersIn(info: string): QueueDanger[] {
  const facts = new Map(info.split(/\r?\n/).map((line) => line.split(':', 2) as [string, string | undefined]));
  const policy = facts.get('maxmemory_policy');
  const dangers: QueueDanger[] = [];
  // Without a limit nothing is thrown away, whatever the policy.
  if (policy !== undefined && policy !== 'noeviction' && facts.get('maxmemory') !== '0') dangers.push('evicts');
  if (facts.get('aof_enabled') === '0') dangers.push('forgets');
  return dangers;
}

function mayNotCreate({ user, database }: PostgresAddress, cause: unknown): StartRefusal {
  return new StartRefusal(
    `User “${user}” may not create the schema ${QUEUE_SCHEMA} in database “${database}”, where the queue of background work is kept. Let an administrator run: grant create on database ${database} to ${user};`,
    { cause },
  );
}

function firstContact(redis: Redis): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), FIRST_CONTACT_MS);
  redis.once('ready', () => resolve(true));
  // Without a listener every attempt would be written to the console.
  redis.on('error', () => {});
  return promise.finally(() => clearTimeout(timer));
}
