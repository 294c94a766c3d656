/** The engine as a person starts it: a process of its own, a data folder of its own, a port that is free. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(MATINEE_|npm_|DATABASE_URL|NODE_OPTIONS|VITEST)/.test(name)),
);

export interface EngineStart {
  readonly dataFolder: string;
  readonly libraries?: readonly string[];
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RunningEngine extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What it printed when it was ready: `null` where there is an admin already. */
  readonly setupCode: string | null;
  /** Everything it wrote so far, for messages of failing tests. */
  output(): string;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/** Starts it and waits until it says that it is ready. */
export async function startEngine({
  dataFolder,
  libraries = [],
  port,
  environment: extra,
}: EngineStart): Promise<RunningEngine> {
  const chosen = port ?? (await freePort());
  const flags = ['--data', dataFolder, '--host', '127.0.0.1', '--port', String(chosen)];
  const child = spawn(
    process.execPath,
    [join(root, 'engine/main.ts'), ...flags, ...libraries.flatMap((folder) => ['--library', folder])],
    { cwd: root, env: { ...environment, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // The code, where there is one, is printed together with the address, and an empty line ends both.
      if (/Matinee is ready: \S+\n(?:.+\n)*(?:\nSetup code: .+\n.+\n)?\n/.test(output)) ready.resolve();
    });
  }
  const ended = once(child, 'close');
  void ended.then(() => ready.reject(new Error(`The engine ended before it was ready:\n${output}`)));
  await ready.promise;
  return {
    url: `http://127.0.0.1:${chosen}`,
    port: chosen,
    setupCode: /Setup code: (\S+)/.exec(output)?.[1] ?? null,
    output: () => output,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    [Symbol.asyncDispose]: () => stop(child, ended),
  };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
