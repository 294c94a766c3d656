/**
 * postgres.js, mended while it is loaded. The only place that loads it.
 *
 * What version 3.4.9 does when the server goes away, seen with a killed postmaster and reported to it since 2025
 * (github.com/porsager/postgres, issues 1066, 1133, 1154, 1208, 1216): the rollback of a transaction is written to a socket that is gone,
 * which ends the whole process; a connection that had something to write at that moment never comes back; what a lost
 * transaction still has to say is said on the next connection, inside a stranger's transaction; and the statement after
 * the loss gets the error of the one before.
 *
 * - [LOST1] A transaction whose connection is lost rejects. Nothing else is affected.
 * - [LOST2] What it says afterwards is rejected, and runs nowhere.
 * - [LOST3] The next statement on a new connection is answered for what it is.
 * - [LOST4] Every connection comes back.
 * - [LOST5] The end of a pool does not wait for statements that were lost.
 */
import { registerHooks } from 'node:module';
import type Postgres from 'postgres';

interface Mend {
  /** End of the module's address. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const MENDS: readonly Mend[] = [
  {
    // Nothing is kept for a socket that is gone, and nothing more is taken for it until there is another.
    file: '/postgres/src/connection.js',
    find: `    socket.removeAllListeners()
    socket = null

    if (initial)`,
    replace: `    socket.removeAllListeners()
    socket = null
    chunk = nextWriteTimer = null
    terminated = true

    if (initial)`,
  },
  {
    // Also after an error event, since statements may have come since. And what was said of the lost ones is over.
    file: '/postgres/src/connection.js',
    find: `    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
    replace: `    ;(query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
    query = results = errorResponse = null
    result = new Result()
`,
  },
  {
    file: '/postgres/src/index.js',
    find: `        new Promise((_, reject) => connection.onclose = reject)
      ])`,
    replace: `        new Promise((_, reject) => connection.onclose = error => {
          lost = error
          reject(error)
        })
      ])`,
  },
  {
    file: '/postgres/src/index.js',
    find: `    let savepoints = 0
      , connection
`,
    replace: `    let savepoints = 0
      , lost = null
      , connection
`,
  },
  {
    file: '/postgres/src/index.js',
    find: `        q.catch(e => uncaughtError || (uncaughtError = e))
`,
    replace: `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (lost)
          return q.reject(lost)
`,
  },
];

async function load(): Promise<typeof Postgres> {
  const done = new Set<Mend>();
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const mends = MENDS.filter(({ file }) => url.endsWith(file));
      if (mends.length === 0 || loaded.source == null) return loaded;
      let source =
        typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString();
      for (const mend of mends) {
        if (source.split(mend.find).length !== 2) continue;
        source = source.replace(mend.find, () => mend.replace);
        done.add(mend);
      }
      return { ...loaded, source };
    },
  });
  try {
    const { default: driver } = await import('postgres');
    if (done.size === MENDS.length) return driver;
  } finally {
    hooks.deregister();
  }
  throw new Error(
    'The package postgres is not the version that driver.ts mends, or was loaded by somebody else before. See which of the mends it still needs, and load it from nowhere else.',
  );
}

export const postgres = await load();
