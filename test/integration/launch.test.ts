/** The launcher and the engine as a person starts them: processes, signals, exit codes, in a checkout with spaces in its path. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterProcesses } from '#engine/store/embedded-postgres-cluster.ts';

const source = join(import.meta.dirname, '../..');
const base = mkdtempSync(join(tmpdir(), 'matinee launch '));
const root = join(base, 'my checkout');
const launcher = join(root, 'engine/launch.mjs');

beforeAll(() => {
  mkdirSync(root);
  // Without the client, which is built elsewhere and takes its time.
  for (const name of ['engine', 'protocol', 'migrations', 'package.json', 'package-lock.json']) {
    cpSync(join(source, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(source, 'node_modules'), join(root, 'node_modules'));
});

interface Started {
  readonly child: ChildProcess;
  /** Resolves with everything written so far once a line matches; rejects when the process ends before. */
  said(pattern: RegExp): Promise<string>;
  readonly ended: Promise<{ code: number | null; signal: string | null; output: string }>;
}

const started: Started[] = [];
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  }
});
afterAll(() => rmSync(base, { recursive: true, maxRetries: 20, retryDelay: 100 }));

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(MATINEE_|npm_|DATABASE_URL)/.test(name)),
);

function start(args: string[], options: { node?: string; env?: Record<string, string> } = {}): Started {
  const child = spawn(options.node ?? process.execPath, [launcher, ...args], {
    cwd: base,
    env: { ...environment, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`;
      for (const check of waiting) check();
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    output,
  }));
  const self: Started = {
    child,
    ended,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(output)) return;
          waiting.delete(check);
          resolve(output);
        };
        waiting.add(check);
        void ended.then(() => reject(new Error(`ended without saying ${String(pattern)}:\n${output}`)));
        check();
      }),
  };
  started.push(self);
  return self;
}

const READY = /"message":"ready"/;
const serve = (data: string, options?: Parameters<typeof start>[1]): Started =>
  start(['--data', data, '--port', '0', '--log-format', 'json', '--log-level', 'info'], options);
const cluster = (data: string): string => join(data, 'postgres/18');

describe('starting', () => {
  it('answers a problem with one text and exit code 1, and leaves nothing behind', async () => {
    const data = join(base, 'never');
    const { code, output } = await start(['start', '--data', data, '--prot', '1']).ended;
    expect({ code, output }).toEqual({ code: 1, output: 'There is no flag --prot. Did you mean --port?\n' });
    expect(existsSync(data)).toBe(false);
  });

  it('prints the effective configuration without secrets', async () => {
    const env = { MATINEE_ADMIN_NAME: 'ada', MATINEE_ADMIN_PASSWORD: 'sesame-street', HOME: '/home/ada' };
    const { code, output } = await start(['config', '--port', '99'], { env }).ended;
    expect(code).toBe(0);
    expect(output).toMatch(/^port +99 +\(--port\)$/m);
    expect(output).toMatch(/^adminPassword +«redacted» +\(MATINEE_ADMIN_PASSWORD\)$/m);
    expect(output).not.toContain('sesame');
  });

  it('prints its help', async () => {
    const { code, output } = await start(['--help']).ended;
    expect(code).toBe(0);
    expect(output).toContain('--library DIR');
  });

  it('says so where a command is not part of the checkout', async () => {
    const { code, output } = await start(['bench']).ended;
    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringContaining('“bench” is not part of this checkout'),
    });
  });
});

describe('running', () => {
  it('drains on SIGTERM with exit code 0, and takes its Postgres along', async () => {
    const data = join(base, 'drained');
    const engine = serve(data);
    await engine.said(READY);
    expect((await clusterProcesses(cluster(data))).length).toBeGreaterThan(0);
    engine.child.kill('SIGTERM');
    expect(await engine.ended).toMatchObject({ code: 0 });
    expect(await clusterProcesses(cluster(data))).toEqual([]);
  });

  it('refuses a second start on the same data folder, naming the first', async () => {
    const data = join(base, 'shared');
    const engine = serve(data);
    await engine.said(READY);
    const { code, output } = await serve(data).ended;
    expect(code).toBe(1);
    expect(output).toMatch(/^Matinee is already running on the data folder .*shared \(process \d+, since /);
    expect((await clusterProcesses(cluster(data))).length).toBeGreaterThan(0);
  });

  it('starts again after a kill -9 at any point', async () => {
    const data = join(base, 'killed');
    // While the folder is laid out, while initdb runs, while it migrates, when it serves.
    for (const moment of [/./, /creating the database/, /migrating/, READY]) {
      const engine = serve(data);
      if (moment.source === '.') await once(engine.child, 'spawn');
      else await Promise.race([engine.said(moment), engine.said(READY)]);
      engine.child.kill('SIGKILL');
      await engine.ended;
    }
    const engine = serve(data);
    await engine.said(READY);
    engine.child.kill('SIGTERM');
    expect(await engine.ended).toMatchObject({ code: 0 });
  });
});

/** A Node.js of the machine that is older than the engine wants, as on Debian and Ubuntu. */
const olderNode = (environment['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((path) => {
    const version = existsSync(path) ? spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout : '';
    const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
    return major >= 20 && major < 24;
  });

// Where the machine's own Node.js is new enough there is no second process to speak of.
describe.runIf(olderNode !== undefined)('under an older Node.js', () => {
  const node = olderNode ?? '';

  it('hands signals on and exits as the engine does', async () => {
    const engine = serve(join(base, 'older'), { node });
    await engine.said(READY);
    engine.child.kill('SIGINT');
    expect(await engine.ended).toMatchObject({ code: 0 });
    const { code } = await start(['--prot'], { node }).ended;
    expect(code).toBe(1);
  });

  it('the engine ends when the launcher is killed', async () => {
    const data = join(base, 'abandoned');
    const engine = serve(data, { node });
    await engine.said(READY);
    const owner = JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { pid: number };
    expect(owner.pid).not.toBe(engine.child.pid);
    engine.child.kill('SIGKILL');
    // Its output ends when the engine has ended too.
    await engine.ended;
    expect(await clusterProcesses(cluster(data))).toEqual([]);
  });
});

describe('installing', () => {
  it('says what is wrong when the registry cannot be reached', async () => {
    const bare = join(base, 'bare checkout');
    mkdirSync(join(bare, 'engine'), { recursive: true });
    cpSync(join(source, 'engine/launch.mjs'), join(bare, 'engine/launch.mjs'));
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(source, name), join(bare, name));
    writeFileSync(
      join(bare, '.npmrc'),
      `registry=http://127.0.0.1:9/\nfetch-retries=0\ncache=${join(base, 'npm cache')}\n`,
    );
    const child = spawn(process.execPath, [join(bare, 'engine/launch.mjs')], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errorText = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errorText += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(errorText).toMatch(/the npm registry cannot be reached \(ECONNREFUSED\)/);
  });
});
