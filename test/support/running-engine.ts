/** The engine as a person starts it: a process of its own, a data folder of its own, a port that is free. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** What the shell that runs the tests has set must not decide what a test sees. */
export const cleanEnvironment: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(MATINEE_|npm_|DATABASE_URL|REDIS_URL|NODE_OPTIONS|VITEST)/.test(name),
  ),
);

export interface EngineStart {
  readonly dataFolder: string;
  readonly libraries?: readonly string[];
  readonly port?: number;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A program, with its arguments, that the engine is started through. */
  readonly wrapper?: readonly string[];
}

export interface EngineEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface LaunchedEngine extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  readonly port: number;
  /** Resolves when it says that it is ready; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended and everything that it wrote was read. */
  readonly ended: Promise<EngineEnd>;
  /** Everything it wrote so far, for messages of failing tests. */
  output(): string;
  /** Asks it to end, and waits until it has. */
  stop(): Promise<EngineEnd>;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

export interface RunningEngine extends LaunchedEngine {
  /** What it printed when it was ready: `null` where there is an admin already. */
  readonly setupCode: string | null;
}

/** Starts it and waits until it says that it is ready. */
export async function startEngine(start: EngineStart): Promise<RunningEngine> {
  const engine = await launchEngine(start);
  await engine.ready;
  return { ...engine, setupCode: /Setup code: (\S+)/.exec(engine.output())?.[1] ?? null };
}

/** Starts it and returns at once. */
export async function launchEngine(start: EngineStart): Promise<LaunchedEngine> {
  const { dataFolder, libraries = [], flags = [], wrapper = [] } = start;
  const port = start.port ?? (await freePort());
  const [program = process.execPath, ...args] = [
    ...wrapper,
    process.execPath,
    join(root, 'engine/main.ts'),
    ...['--data', dataFolder, '--host', '127.0.0.1', '--port', String(port)],
    ...libraries.flatMap((folder) => ['--library', folder]),
    ...flags,
  ];
  const child = spawn(program, args, {
    cwd: root,
    env: { ...cleanEnvironment, ...start.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // The code, where there is one, is printed together with the address, and an empty line ends both.
      if (/Matinee is ready: \S+\n(?:.+\n)*(?:\nSetup code: .+\n.+\n)?\n/.test(output)) ready.resolve();
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }));
  void ended.then(() => ready.reject(new Error(`The engine ended before it was ready:\n${output}`)));
  // Whoever waits for it sees the rejection, and nobody has to wait.
  ready.promise.catch(() => undefined);
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<EngineEnd> => {
    if (!isOver()) child.kill('SIGTERM');
    return await ended;
  };
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    port,
    ready: ready.promise,
    ended,
    output: () => output,
    stop,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Below those that a kernel gives to anybody who asks for any (ip(7), ip_local_port_range), each test process in a part of its own. */
const [FIRST_PORT, PARTS, PART_SIZE] = [20_000, 120, 100];
let nextPort = FIRST_PORT + (process.pid % PARTS) * PART_SIZE;

/** Where nobody listens, and nobody will before the engine does, also when it is started there again. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PARTS * PART_SIZE; tries++) {
    const port = nextPort;
    nextPort = port + 1 < FIRST_PORT + PARTS * PART_SIZE ? port + 1 : FIRST_PORT;
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (!isFree) continue;
    await once(server, 'close');
    return port;
  }
  throw new Error(`no port from ${FIRST_PORT} on is free`);
}
