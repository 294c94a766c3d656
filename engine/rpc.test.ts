import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HandlersOf } from '#engine/gateway/dispatch.ts';
import type { contract } from '#protocol/index.ts';
import { PERMISSIONS_BY_ROLE } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { MemorySessions, jobsFeed, startGateway, unreachedCalls, type RunningGateway } from '#test/support/gateway.ts';
import { runRpc } from './rpc.ts';

const open = new Set<AsyncDisposable>();
afterEach(async () => {
  for (const thing of open) await thing[Symbol.asyncDispose]();
  open.clear();
});

const viewer: Viewer = {
  id: '0190f3a2-0000-7000-8000-000000000001',
  name: 'Ada',
  role: 'admin',
  permissions: [...PERMISSIONS_BY_ROLE.admin],
};

/** A server whose one account is Ada’s, with the calls that the command needs. */
async function start(): Promise<RunningGateway & { openTokens: Set<string> }> {
  const sessions = new MemorySessions();
  const openTokens = new Set<string>();
  const answered: Partial<Record<string, unknown>> = {
    'server.info': () => ({ name: 'Test', version: '0', protocol: { min: 1, max: 1 }, isSetUp: true, serverTime: 1 }),
    'session.create': (({ name, password }, context) => {
      if (name !== 'Ada' || password !== 'correct horse') return context.fail('wrongCredentials', {});
      const { token } = sessions.open(viewer);
      openTokens.add(token);
      context.setSessionToken(token);
      return { viewer };
    }) satisfies HandlersOf<typeof contract>['session']['create'],
    'session.end': ((_, context) => {
      for (const token of openTokens) sessions.end(token);
      openTokens.clear();
      context.setSessionToken(null);
      return {};
    }) satisfies HandlersOf<typeof contract>['session']['end'],
    'movies.list': (({ limit }) => ({ total: limit, movies: [] })) satisfies HandlersOf<
      typeof contract
    >['movies']['list'],
  };
  const calls = unreachedCalls().map((bound) => {
    const handle = answered[bound.call.name] as typeof bound.handle | undefined;
    return handle ? { ...bound, handle } : bound;
  });
  const running = await startGateway({ calls, sessions });
  open.add(running);
  return Object.assign(running, { openTokens });
}

async function rpc(
  running: { url: string },
  args: readonly string[],
  environment: Record<string, string> = { MATINEE_NAME: 'Ada', MATINEE_PASSWORD: 'correct horse' },
): Promise<{ code: number; lines: unknown[] }> {
  const lines: unknown[] = [];
  const code = await runRpc({
    args,
    environment: { MATINEE_URL: running.url, ...environment },
    version: '0',
    print: (line) => lines.push(JSON.parse(line)),
    signal: AbortSignal.timeout(50_000),
  });
  return { code, lines };
}

describe('rpc', () => {
  it('prints the reply, and leaves no session behind', async () => {
    const running = await start();
    expect(await rpc(running, ['movies.list', '{"limit":5}'])).toEqual({ code: 0, lines: [{ total: 5, movies: [] }] });
    expect(await rpc(running, ['movies.list'])).toEqual({ code: 0, lines: [{ total: 50, movies: [] }] });
    expect(running.openTokens.size).toBe(0);
  });

  it('needs nobody for what is public, and HTTP for what is only there', async () => {
    const running = await start();
    expect(await rpc(running, ['server.info'], {})).toMatchObject({ code: 0, lines: [{ name: 'Test' }] });
    expect(await rpc(running, ['session.create', '{"name":"Ada","password":"correct horse"}'], {})).toMatchObject({
      code: 0,
      lines: [{ viewer: { name: 'Ada' } }],
    });
    expect(await rpc(running, ['session.end'])).toEqual({ code: 0, lines: [{}] });
    expect(running.openTokens.size).toBe(0);
  });

  it.each<[string[], Record<string, string> | undefined, string, RegExp]>([
    [['movies.list', '{"limit":5000}'], undefined, 'badRequest', /not what this call takes/],
    [['movies.get', '{"movieId":"0190f3a2-0000-7000-8000-000000000001"}'], undefined, 'notFound', /./],
    [['movies.list', '{limit:5}'], undefined, 'badRequest', /not JSON/],
    [['movies.list', '[5]'], undefined, 'badRequest', /JSON object/],
    [['movie.list'], undefined, 'unknownMethod', /The nearest: movies\.list/],
    [['libraries.scna'], undefined, 'unknownMethod', /libraries\.scan/],
    [['--watch', 'libary'], undefined, 'unknownFeed', /The nearest: library/],
    [['--watch', 'movie'], undefined, 'badRequest', /write movie\/ID/],
    [['--watch', 'jobs/1'], undefined, 'badRequest', /without a key/],
    [['--watch', 'library'], undefined, 'unknownFeed', /unknownFeed/],
    [[], undefined, 'usage', /rpc CALL \[JSON\]/],
    [['movies.list'], {}, 'unauthenticated', /Set MATINEE_NAME and MATINEE_PASSWORD/],
    [['movies.list'], { MATINEE_NAME: 'Ada', MATINEE_PASSWORD: 'wrong' }, 'wrongCredentials', /./],
    [['server.info'], { MATINEE_URL: 'films.example' }, 'badRequest', /MATINEE_URL is “films.example”/],
    [['server.info'], { MATINEE_URL: 'http://127.0.0.1:1' }, 'connectionLost', /127\.0\.0\.1:1 can't be reached/],
  ])('%j ends with the failure as JSON', async (args, environment, code, message) => {
    const running = await start();
    const outcome = await rpc(running, args, environment);
    expect(outcome).toMatchObject({ code: 1, lines: [{ code, message: expect.stringMatching(message) as string }] });
    expect(outcome.lines).toHaveLength(1);
    expect(running.openTokens.size).toBe(0);
  });

  it('as a program: watches a feed until it is interrupted, then signs out', async () => {
    const running = await start();
    const jobsOf = running.feeds.add('jobs', jobsFeed());
    const job = {
      id: '0190f3a2-0000-7000-8000-000000000009',
      kind: 'scan',
      state: 'running',
      subject: 'Movies',
      libraryId: null,
      done: 1,
      total: null,
      note: null,
      createdAt: 0,
      startedAt: null,
      endedAt: null,
    };
    const child = spawn(process.execPath, [join(import.meta.dirname, 'rpc.ts'), '--watch', 'jobs'], {
      env: { ...process.env, MATINEE_URL: running.url, MATINEE_NAME: 'Ada', MATINEE_PASSWORD: 'correct horse' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    const line = async (): Promise<unknown> => {
      while (!text.includes('\n')) {
        text += await new Promise<string>((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes))));
      }
      const [first = ''] = text.split('\n', 1);
      text = text.slice(first.length + 1);
      return JSON.parse(first);
    };
    expect(await line()).toEqual({ snapshot: { jobs: [] } });
    jobsOf.publish({ kind: 'job', id: job.id, job } as { kind: string; id: string });
    expect(await line()).toEqual({ entries: [{ kind: 'job', id: job.id, job }] });
    expect(running.openTokens.size).toBe(1);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(running.openTokens.size).toBe(0);
  });

  it('as a program: one call, nothing but JSON on standard output, 1 for a failure', async () => {
    const running = await start();
    const run = async (...args: string[]): Promise<[unknown, unknown]> => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'rpc.ts'), ...args], {
        env: { ...process.env, MATINEE_URL: running.url, MATINEE_NAME: 'Ada', MATINEE_PASSWORD: 'correct horse' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (bytes) => (text += String(bytes)));
      const code = await new Promise((resolve) => child.once('close', resolve));
      return [code, JSON.parse(text)];
    };
    expect(await run('movies.list', '{"limit":2}')).toEqual([0, { total: 2, movies: [] }]);
    expect(await run('movies.lst')).toMatchObject([1, { code: 'unknownMethod' }]);
  });
});
