/** A real Redis for one test file: its own process, port and folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './running-engine.ts';

const PLACES = ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/usr/bin/valkey-server'];

export interface TestRedis extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port with what it had written, where it does not run. */
  start(): Promise<void>;
}

export async function openRedis(): Promise<TestRedis> {
  const program = process.env['REDIS_SERVER'] ?? PLACES.find((path) => existsSync(path));
  if (program === undefined) {
    throw new Error(
      'This test needs a Redis server. Install it: apt-get install -y redis-server (or name one in REDIS_SERVER).',
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'matinee-redis-'));
  const port = await freePort();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--daemonize', 'no'];
  const launch = async () => {
    const child = spawn(program, [...args, ...durable], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    const ready = Promise.withResolvers<void>();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Ready to accept connections')) ready.resolve();
    });
    child.once('error', ready.reject);
    child.once('exit', () => ready.reject(new Error(`Redis ended before it was ready:\n${output}`)));
    await ready.promise;
    return child;
  };
  let child = await launch();
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const kill = async (): Promise<void> => {
    if (hasEnded()) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    async start() {
      if (hasEnded()) child = await launch();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
