#!/usr/bin/env node
// The one entry that the Node.js of the machine runs, so it is plain JavaScript without anything newer than Node 18 parses,
// and imports only what Node brings. It installs the packages when they are missing or stale, builds the client when its
// sources changed, and goes on under the Node 24 that npm installed, or in this process where that is new enough.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const MIN_NODE = 20;
const ENGINE_NODE = 24;
const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const modules = join(root, 'node_modules');

/** What each command runs. `needs`: everything in the lock file, or what running needs. */
const COMMANDS = {
  start: { file: 'engine/main.ts', needs: 'runtime', hasClient: true },
  test: { file: 'test/run.ts', needs: 'all', hasClient: true },
  rpc: { file: 'engine/rpc.ts', needs: 'runtime' },
  bench: { file: 'bench/run.ts', needs: 'all' },
  score: { file: 'bench/score.ts', needs: 'all' },
  config: { file: 'engine/print-config.ts', needs: 'runtime' },
};

/** Programs that tests drive and npm does not ship. */
const TEST_PROGRAMS = [
  { names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'], debianPackage: 'chromium' },
  { names: ['ffmpeg'], debianPackage: 'ffmpeg' },
  { names: ['redis-server', 'valkey-server'], debianPackage: 'redis-server' },
];

class LaunchFailure extends Error {}

async function launch({ file, needs, hasClient = false }, name, userArgs) {
  const version = Number(process.versions.node.split('.')[0]);
  if (version < MIN_NODE) {
    throw new LaunchFailure(
      `Node.js ${MIN_NODE} or newer is needed to install (this is ${process.version}, ${process.execPath}). See https://nodejs.org/en/download.`,
    );
  }
  await ensureInstalled(needs);
  const node = findEngineNode(version);
  if (hasClient) await ensureClient(node);
  const path = join(root, file);
  if (!existsSync(path)) throw new LaunchFailure(`“${name}” is not part of this checkout (${file} is missing).`);
  const missing = name === 'test' ? missingPrograms() : [];
  const code = await run(node, path, userArgs, name);
  if (missing.length === 0) return code;
  console.error(
    `matinee: tests that need ${missing.join(' and ')} cannot pass. Install: apt-get install -y ${missing.join(' ')}`,
  );
  return code || 1;
}

// ---------------------------------------------------------------------------------------------- packages

async function ensureInstalled(needs) {
  const lockText = readLock();
  if (isInstalled(lockText, needs)) return;
  await alone('installing the packages', async () => {
    // Another start may have done it while this one waited.
    if (!isInstalled(lockText, needs)) await install();
  });
  if (!isInstalled(lockText, needs)) {
    throw new LaunchFailure(
      'the packages are still incomplete after npm ci. Packages for this system may be excluded by npm settings (npm config get omit, os, cpu, libc).',
    );
  }
}

function readLock() {
  try {
    return readFileSync(join(root, 'package-lock.json'), 'utf8');
  } catch (error) {
    throw new LaunchFailure(`package-lock.json cannot be read (${error.code}). Clone the repository again.`);
  }
}

/**
 * Compares the lock file with the one that npm keeps inside node_modules and writes last. So packages that npm, an image
 * build or a person installed count as well, and an installation that was interrupted does not.
 */
function isInstalled(lockText, needs) {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
  } catch {
    return false;
  }
  const isAsLocked = Object.entries(JSON.parse(lockText).packages).every(([path, wanted]) => {
    if (path === '' || wanted.link) return true;
    const found = installed[path];
    if (found) return found.version === wanted.version && found.integrity === wanted.integrity;
    return Boolean(wanted.optional || wanted.devOptional || wanted.peer || (wanted.dev && needs === 'runtime'));
  });
  return isAsLocked && (Number(process.versions.node.split('.')[0]) >= ENGINE_NODE || existsSync(npmNode()));
}

/** Runs `task` while no other launcher of this checkout runs the same. */
async function alone(what, task) {
  // Held as a socket without a file: it ends with its process, so nothing stale can block the next start.
  const door =
    process.platform === 'linux'
      ? await openDoor(`\0matinee-${digest(`${modules} ${what}`).slice(0, 24)}`, what)
      : null;
  try {
    await task();
  } finally {
    if (door) closeDoor(door);
  }
}

async function openDoor(name, what) {
  for (let isFirst = true; ; isFirst = false) {
    const waiting = new Set();
    const server = createServer((socket) => waiting.add(socket.unref()));
    const isMine = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(name, () => resolve(true));
    });
    if (isMine) return { server: server.unref(), waiting };
    if (isFirst) console.error(`matinee: waiting for another start that is ${what} …`);
    await new Promise((resolve) => {
      const other = connect(name);
      other.resume();
      other.once('error', () => setTimeout(resolve, 200));
      other.once('close', resolve);
    });
  }
}

/** Lets those in who wait: their connections end, which the end of this process would do as well. */
function closeDoor({ server, waiting }) {
  server.close();
  for (const socket of waiting) socket.destroy();
}

async function install() {
  if (!isWritable(root)) {
    throw new LaunchFailure(
      `the packages are missing or out of date and ${root} is not writable. Run “npm ci” there as the user who owns it.`,
    );
  }
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  console.error('matinee: installing the packages from the npm registry, about 1 GB on disk; this takes a minute …');
  const progress = setInterval(() => console.error(`matinee: still installing (${seconds()} s) …`), 10_000);
  const flags = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev', '--include=optional'];
  const { file, prefix } = findNpm();
  // stdout belongs to the command that is to run: `npm run rpc` prints JSON there.
  const npm = spawn(file, [...prefix, ...flags], {
    cwd: root,
    env: npmEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stopForwarding = forwardSignals(npm);
  let tail = '';
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on('data', (chunk) => {
      tail = `${tail}${chunk}`.slice(-8000);
      process.stderr.write(chunk);
    });
  }
  const code = await ending(npm);
  clearInterval(progress);
  stopForwarding();
  if (code !== 0) throw new LaunchFailure(installProblem(code, tail));
  console.error(`matinee: packages installed in ${seconds()} s`);
}

function installProblem(code, output) {
  const network =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/.exec(
      output,
    );
  if (network) {
    return `the npm registry cannot be reached (${network[1]}). Check the connection and the proxy (npm config get proxy, npm config get registry), then start again.`;
  }
  if (/CERT|self.signed/i.test(output)) {
    return 'the certificate of the npm registry is not trusted. Give npm your proxy’s certificate (npm config set cafile FILE), then start again.';
  }
  if (/ENOSPC|EDQUOT/.test(output)) return `the disk that holds ${root} is full. Free 1 GB, then start again.`;
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return `${modules} cannot be written by this user. Give it to this user (chown -R), then start again.`;
  }
  if (code === 'ENOENT') return 'npm was not found. Install it with Node.js, then start again.';
  return `npm ci failed (${code}); its messages are above.`;
}

/**
 * npm and the Node.js that runs it, but not the Node.js in node_modules: npm ci deletes that first.
 */
function findNpm() {
  const script = process.env.npm_execpath;
  const candidates = [process.env.npm_node_execpath, ...searchPath('node'), process.execPath];
  const node = candidates.find((path) => path && existsSync(path) && !realpathSync(path).startsWith(modules));
  if (node && script && script.endsWith('npm-cli.js')) return { file: node, prefix: [script] };
  const [npm] = searchPath('npm');
  return { file: npm || 'npm', prefix: [] };
}

/** Everything in PATH with that name, except what lies in node_modules. */
function searchPath(name) {
  return outerPath()
    .map((folder) => join(folder, name))
    .filter((path) => existsSync(path));
}

function outerPath() {
  return (process.env.PATH || '').split(delimiter).filter((folder) => folder && !folder.startsWith(modules));
}

function npmEnvironment() {
  const environment = { ...process.env, PATH: outerPath().join(delimiter) };
  // With it npm would leave out what builds the client.
  delete environment.NODE_ENV;
  return environment;
}

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

// ------------------------------------------------------------------------------------------------ client

/** Builds the client when what it is made of has changed. A failure is told and the engine starts without a new one. */
async function ensureClient(node) {
  const source = join(root, 'client');
  const stamp = join(source, 'dist', '.sources');
  if (!existsSync(join(source, 'vite.config.ts'))) return;
  const wanted = clientDigest();
  const built = () => (existsSync(stamp) ? readFileSync(stamp, 'utf8') : null);
  if (built() === wanted) return;
  await alone('building the client', async () => {
    if (built() === wanted) return;
    const consequence =
      built() === null ? 'The server starts without its screens.' : 'The server starts with the screens built before.';
    const failure = await buildClient(node, source);
    if (failure === null) writeFileSync(stamp, wanted);
    else console.error(`matinee: the client could not be built: ${failure}. ${consequence}`);
  });
}

/** Returns why it failed, or `null`. */
async function buildClient(node, source) {
  const vite = join(modules, 'vite', 'bin', 'vite.js');
  if (!existsSync(vite)) return 'vite is not installed (npm ci --include=dev)';
  if (!isWritable(source)) return `${source} is not writable`;
  console.error('matinee: building the client …');
  const builder = spawn(node, [vite, 'build', source, '--logLevel', 'warn'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stopForwarding = forwardSignals(builder);
  for (const stream of [builder.stdout, builder.stderr]) stream.pipe(process.stderr, { end: false });
  const code = await ending(builder);
  stopForwarding();
  return code === 0 ? null : `vite ended with ${code}; its messages are above`;
}

function clientDigest() {
  const hash = createHash('sha256');
  for (const path of ['client', 'protocol'].flatMap((folder) => filesBelow(join(root, folder)))) {
    hash.update(`${path}\0${digest(readFileSync(join(root, path)))}\0`);
  }
  return hash.update(readLock()).digest('hex');
}

/** Paths from the root, in a fixed order, without what is built and what only tests read. */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return path === join(root, 'client', 'dist') ? [] : filesBelow(path);
      return entry.isFile() && !/\.test\.tsx?$/.test(entry.name) ? [path.slice(root.length + 1)] : [];
    });
}

// --------------------------------------------------------------------------------------------------- run

function npmNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return join(modules, `node-${platform}-${process.arch}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

function findEngineNode(version) {
  if (version >= ENGINE_NODE) return process.execPath;
  if (existsSync(npmNode())) return npmNode();
  throw new LaunchFailure(
    `Node.js ${ENGINE_NODE} is needed (this is ${process.version}), and npm has none for ${process.platform}-${process.arch}. Install Node.js ${ENGINE_NODE} or newer.`,
  );
}

async function run(node, path, argv, name) {
  if (node === process.execPath && name !== 'test') {
    watchNpm(name, () => process.kill(process.pid, 'SIGTERM'));
    process.argv.splice(1, process.argv.length, path, ...argv);
    await import(pathToFileURL(path).href);
    return process.exitCode ?? 0;
  }
  // Over the channel the engine notices that this process was killed, which a signal handler here could not tell it.
  const isEngine = name === 'start';
  const child = spawn(node, [path, ...argv], {
    cwd: name === 'test' ? root : process.cwd(),
    stdio: ['inherit', 'inherit', 'inherit', ...(isEngine ? ['ipc'] : [])],
  });
  watchNpm(name, () => child.kill('SIGTERM'));
  forwardSignals(child);
  const code = await ending(child);
  if (typeof code === 'number') return code;
  // Ends the way its child did, so that a shell or service manager sees the same.
  for (const signal of FORWARDED) process.removeAllListeners(signal);
  process.kill(process.pid, code);
  return new Promise((resolve) => {
    setTimeout(() => resolve(1), 1000);
  });
}

/**
 * Ends the server when the npm that started it was killed: npm cannot pass SIGKILL on, and a server that nobody sees any more
 * would hold the data folder against the next start.
 */
function watchNpm(name, end) {
  if (name !== 'start' || process.env.npm_lifecycle_event === undefined || process.ppid <= 1) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  }, 500);
  timer.unref();
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

function forwardSignals(child) {
  const handlers = FORWARDED.map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/** The exit code, the name of the signal, or the code of the error that kept it from starting. */
function ending(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.code || 'error'));
    child.once('close', (code, signal) => resolve(signal || (code === null ? 1 : code)));
  });
}

function missingPrograms() {
  const isThere = (name) =>
    (process.env.PATH || '').split(delimiter).some((folder) => {
      try {
        return statSync(join(folder, name)).isFile();
      } catch {
        return false;
      }
    });
  return TEST_PROGRAMS.filter(({ names }) => !names.some(isThere)).map(({ debianPackage }) => debianPackage);
}

function digest(text) {
  return createHash('sha256').update(text).digest('hex');
}

const [first = 'start'] = process.argv.slice(2);
const command = Object.keys(COMMANDS).includes(first) ? first : 'start';
const args = process.argv.slice(command === first && process.argv.length > 2 ? 3 : 2);

try {
  process.exitCode = await launch(COMMANDS[command], command, args);
} catch (error) {
  if (!(error instanceof LaunchFailure)) throw error;
  console.error(`matinee: ${error.message}`);
  process.exitCode = 1;
}
