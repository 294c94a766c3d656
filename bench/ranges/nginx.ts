/** nginx as it is best at sending files: one worker, sendfile, nothing logged. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';

/** What is said where nginx is not installed. */
export const NGINX_MISSING =
  'nginx is not installed, so there is nothing to compare with: apt-get install -y nginx-light';

/** `null` where it is not installed. */
export function findNginx(): string | null {
  // Debian keeps it where only root's path leads.
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    '/opt/homebrew/bin',
  ];
  for (const folder of folders) {
    const path = join(folder, 'nginx');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

export class Nginx implements AsyncDisposable {
  readonly port: number;
  /** The process that does the work; the one that was started only watches over it. */
  readonly workerPid: number;
  readonly #master: ChildProcess;

  private constructor(master: ChildProcess, port: number, workerPid: number) {
    this.#master = master;
    this.port = port;
    this.workerPid = workerPid;
  }

  /** Serves the files of `folder` under `/`. `scratchFolder` takes what nginx writes. */
  static async start(program: string, folder: string, scratchFolder: string): Promise<Nginx> {
    const port = await freePort();
    mkdirSync(scratchFolder, { recursive: true });
    // Started by root, its worker is another user.
    for (const path of [folder, scratchFolder]) chmodSync(path, 0o755);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${join(scratchFolder, kind)};`,
    );
    const configPath = join(scratchFolder, 'nginx.conf');
    writeFileSync(
      configPath,
      `daemon off; worker_processes 1; pid ${join(scratchFolder, 'nginx.pid')}; error_log stderr crit;
events { worker_connections 512; }
http {
  ${temporary.join(' ')}
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type video/mp4;
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`,
    );
    const master = spawn(program, ['-e', 'stderr', '-p', scratchFolder, '-c', configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    master.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const ended = once(master, 'exit');
    for (;;) {
      if (master.exitCode !== null) throw new Error(`nginx did not start: ${complaint.trim()}`);
      if (master.pid !== undefined && (await isListening(port))) break;
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    const children = readFileSync(`/proc/${master.pid}/task/${master.pid}/children`, 'latin1').trim().split(' ');
    return new Nginx(master, port, Number(children[0]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#master.exitCode !== null || this.#master.signalCode !== null) return;
    const ended = once(this.#master, 'exit');
    this.#master.kill('SIGTERM');
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
