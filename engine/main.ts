/**
 * The composition root: configuration → data folder → Postgres → domains → listen, and back down in the opposite order.
 *
 * Every step may be the last one before a kill -9: whatever it leaves is found and put right by the same step of the next
 * start, and nothing here needs to have run for the data to be safe.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Announcement } from './announcement.ts';
import type { Log } from './base/log.ts';
import { createLog } from './base/log.ts';
import { StartRefusal } from './base/start-refusal.ts';
import { helpText } from './config-text.ts';
import type { Config } from './config.ts';
import { configSources, parseFlags, readConfig } from './config.ts';
import { createDoor } from './gateway/gateway.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { HealthState } from './gateway/health-routes.ts';
import { loadUws } from './gateway/uws.ts';
import { buildHouse } from './house.ts';
import { ShutdownSequence } from './runtime/shutdown.ts';
import { EmbeddedPostgres } from './store/embedded-postgres.ts';
import { DataFolder } from './store/files/data-folder.ts';
import type { PostgresAddress, Sql } from './store/postgres/connect.ts';
import { checkServer, connectPostgres, parseDatabaseUrl } from './store/postgres/connect.ts';
import { migrate } from './store/postgres/migrate.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
/** What is in flight may finish within this. Streams are cut at its end; players ask again. */
const DRAIN_MS = 8_000;
/** A service manager that sends SIGTERM usually follows with SIGKILL after 10 s (Docker) or 90 s (systemd). */
const FORCE_AFTER_MS = 1_000;

export interface Engine {
  /** Ends with the reason when something that the engine cannot do without is gone for good. */
  readonly failed: Promise<Error>;
  /** The port that it listens on. */
  readonly port: number;
  /** Drains and closes everything. Never rejects. */
  stop(): Promise<void>;
  /** Leaves at once; what is cut off is recovered at the next start. */
  abandon(): void;
}

/**
 * Opens everything that the configuration asks for. Throws `StartRefusal` where it must not start, and anything at all once
 * `signal` is aborted; then nothing stays open.
 * `write` gets what the person who started it is to read: the addresses, and the setup code.
 */
export async function startEngine(
  config: Config,
  log: Log,
  write: (text: string) => void = () => undefined,
  signal: AbortSignal = new AbortController().signal,
): Promise<Engine> {
  const closing = new ShutdownSequence({
    onStep: ({ name, outcome, tookMs, error }) =>
      outcome === 'closed'
        ? log.debug('closed', { name, tookMs })
        : log.warn('did not close', { name, outcome, error }),
  });
  const failed = Promise.withResolvers<Error>();
  const children: { abandon(): void }[] = [];
  // What waits for something, a database that does not answer, gets an error when it is closed.
  const giveUp = (): void => void closing.run();
  signal.addEventListener('abort', giveUp);
  try {
    const folder = await DataFolder.open({ path: config.dataFolder, libraries: config.libraries, signal });
    closing.add('data folder', () => folder[Symbol.dispose]());
    const health: HealthState = { phase: 'starting', isDatabaseUp: () => Promise.resolve(false) };
    const gateway = closing.use('gateway', await openGateway(config, folder, health, log));
    const { port } = await gateway.listen(config.host, config.port);
    const address = await openDatabase(config, folder, { closing, failed, children, log, signal });
    const sql = await openPool(address, { closing, log });
    health.isDatabaseUp = () => sql`select 1`.then(() => true);
    const announcement = new Announcement({ host: config.host, port, publicUrl: config.publicUrl, write });
    const printSetupCode = (code: string): void => announcement.setupCode(code);
    const printFolderProblem = (check: FolderCheck): void => announcement.folderProblem(check);
    gateway.open(
      await buildHouse({ config, folder, sql, address, closing, log, version, printSetupCode, printFolderProblem }),
    );
    health.phase = 'ready';
    await folder.announce({ url: announcement.url });
    log.info('ready', { dataFolder: folder.path, database: config.databaseUrl === null ? 'built-in' : address.host });
    announcement.ready();
    // From here on an end is a drain.
    signal.removeEventListener('abort', giveUp);
    signal.throwIfAborted();

    return {
      failed: failed.promise,
      port,
      async stop() {
        await folder.announce({ isDraining: true }).catch(() => {});
        await gateway.drain(DRAIN_MS);
        await closing.run();
      },
      abandon: () => children.forEach((child) => child.abandon()),
    };
  } catch (error) {
    await closing.run();
    throw error;
  }
}

interface Parts {
  readonly closing: ShutdownSequence;
  readonly log: Log;
}

/** The front door comes first, so that a start can be watched from outside; until the house is built it says that we are starting. */
async function openGateway(config: Config, folder: DataFolder, health: HealthState, log: Log): Promise<Gateway> {
  return await createDoor({
    uws: loadUws(join(folder.cacheFolder, 'uws')),
    health,
    server: { version, startedAt: Date.now() },
    log: log.child({ part: 'gateway' }),
    clientFolder: join(root, 'client', 'dist'),
    allowedOrigins: [...(config.publicUrl === null ? [] : [config.publicUrl]), ...config.allowedOrigins],
    trustedProxies: config.trustedProxies,
  });
}

interface DatabaseParts extends Parts {
  readonly failed: PromiseWithResolvers<Error>;
  readonly children: { abandon(): void }[];
  readonly signal: AbortSignal;
}

async function openDatabase(
  config: Config,
  folder: DataFolder,
  { closing, log, failed, children, signal }: DatabaseParts,
): Promise<PostgresAddress> {
  if (config.databaseUrl !== null) return parseDatabaseUrl(config.databaseUrl.reveal());
  const server = await EmbeddedPostgres.start({
    folder: folder.postgresFolder,
    password: await folder.secret('database-password'),
    log: log.child({ part: 'postgres' }),
    signal,
  });
  if (closing.isRunning) {
    await server.stop();
    throw new Error('the start was given up');
  }
  children.push(server);
  // Its own limits end it by force; this one only has to be longer than those.
  closing.use('database server', server, 40_000);
  server.onState((state) => {
    if (state === 'failed') failed.resolve(new Error('the database stays down'));
  });
  return server.address;
}

async function openPool(address: PostgresAddress, { closing, log }: Parts): Promise<Sql> {
  const sql = connectPostgres(address, {
    applicationName: 'matinee',
    max: 20,
    onNotice: (message) => log.debug('postgres noticed', { notice: message }),
  });
  closing.add('database connections', () => sql.end({ timeout: 5 }), 6_000);
  try {
    await checkServer(sql);
  } catch (error) {
    if (error instanceof StartRefusal) throw error;
    throw new StartRefusal(
      `The database at ${address.host}, port ${address.port}, cannot be used: ${(error as Error).message}.`,
      { cause: error },
    );
  }
  await migrate(sql, join(root, 'migrations'), (name) => log.info('migrating', { name }));
  return sql;
}

/** Runs until a signal, and returns the exit code. */
async function run(flags: readonly string[]): Promise<number> {
  if (parseFlags(flags).asks === 'help') {
    process.stdout.write(helpText());
    return 0;
  }
  // What is written is for this user alone, unless a line says otherwise.
  process.umask(0o077);
  const ending = listenForEnd();
  const giveUp = new AbortController();
  try {
    const { config } = readConfig(configSources(flags));
    const log = createLog({ level: config.logLevel, format: logFormat(config) });
    void ending.asked.then(() => giveUp.abort());
    const engine = await startEngine(config, log, (text) => process.stdout.write(text), giveUp.signal);
    ending.onImpatience = () => engine.abandon();
    process.on('uncaughtException', (error) => {
      log.error('a defect ended the engine', { error });
      engine.abandon();
      process.exit(1);
    });
    const reason = await Promise.race([ending.asked, engine.failed]);
    if (typeof reason === 'string') log.info('stopping', { reason });
    else log.error('stopping', { error: reason });
    await engine.stop();
    return typeof reason === 'string' ? 0 : 1;
  } catch (error) {
    if (giveUp.signal.aborted) return 0;
    if (!(error instanceof StartRefusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function logFormat({ logFormat: format }: Config): 'json' | 'text' {
  if (format !== 'auto') return format;
  return process.stdout.isTTY ? 'text' : 'json';
}

interface Ending {
  /** Resolves with the reason. */
  readonly asked: Promise<string>;
  onImpatience: () => void;
}

/**
 * The first signal drains, one that comes a second later or more leaves at once. Ctrl-C reaches this process up to three
 * times within a moment: from the terminal, from npm, and from the launcher.
 */
function listenForEnd(): Ending {
  const asked = Promise.withResolvers<string>();
  const ending: Ending = { asked: asked.promise, onImpatience: () => {} };
  let firstAtMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstAtMs ??= performance.now();
      asked.resolve(signal);
      if (performance.now() - firstAtMs < FORCE_AFTER_MS) return;
      ending.onImpatience();
      process.exit(1);
    });
  }
  // The launcher is gone, and with it whoever would pass a signal on.
  process.once('disconnect', () => asked.resolve('the launcher ended'));
  return ending;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // Explicit, because a connection that somebody forgot must not keep a drained server alive.
  process.exit(await run(process.argv.slice(2)));
}
