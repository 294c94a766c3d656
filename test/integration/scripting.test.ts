/** The command line of the contract, as a script runs it, against a whole engine. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { session } from '#protocol/index.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { ADMIN, Person, adminEnvironment } from '#test/support/person.ts';
import { cleanEnvironment, freePort, startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const root = join(import.meta.dirname, '../..');

let base = '';
let engine: RunningEngine;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee scripting ')));
  await putMovie(join(base, 'Films/Heat (1995).mp4'), await clips.h264Mp4());
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [join(base, 'Films')],
    environment: adminEnvironment,
  });
  using ada = await Person.signIn(engine.url);
  await ada.scan();
  await ada.request(session.endAll, {});
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output());
});

const credentials = (): Record<string, string> => ({
  MATINEE_URL: engine.url,
  MATINEE_NAME: ADMIN.name,
  MATINEE_PASSWORD: ADMIN.password,
});

/** What `npm run rpc` runs. */
function start(args: readonly string[], environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join(root, 'engine/launch.mjs'), 'rpc', ...args], {
    cwd: root,
    env: { ...cleanEnvironment, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function rpc(
  args: readonly string[],
  environment: Record<string, string> = credentials(),
): Promise<{ code: unknown; reply: unknown; errors: string }> {
  const child = start(args, environment);
  let [text, errors] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  // One reply, on one line, and nothing else.
  expect(text).toMatch(/^[^\n]+\n$/);
  return { code, reply: JSON.parse(text) as unknown, errors };
}

describe('rpc', () => {
  it('prints the reply as JSON and ends with 0', async () => {
    expect(await rpc(['movies.list', '{"limit":5}'])).toMatchObject({
      code: 0,
      errors: '',
      reply: { total: 1, movies: [{ title: 'Heat', year: 1995 }] },
    });
  });

  it('plays a movie without any screen', async () => {
    const { reply } = await rpc(['movies.list']);
    const [movie] = (reply as { movies: { id: string }[] }).movies;
    const opened = await rpc(['playback.open', JSON.stringify({ movieId: movie!.id })]);
    expect(opened).toMatchObject({ code: 0, reply: { method: 'directPlay', reasons: [], kind: 'file' } });
    // Its session ended with the command, and the address with the session.
    const { url } = opened.reply as { url: string };
    expect((await fetch(engine.url + url)).status).toBe(401);
    expect(await rpc(['progress.report', JSON.stringify({ movieId: movie!.id, positionMs: 2_000 })])).toMatchObject({
      code: 0,
      reply: { progress: { positionMs: 2_000, durationMs: 8_000 } },
    });
  });

  it('needs no account for what is public', async () => {
    expect(await rpc(['server.info'], { MATINEE_URL: engine.url })).toMatchObject({
      code: 0,
      reply: { name: 'Matinee', isSetUp: true },
    });
  });

  it.each<[string, string[], Record<string, string>, object]>([
    [
      'a failure of the call',
      ['movies.get', '{"movieId":"0190f3a2-0000-7000-8000-000000000001"}'],
      {},
      { code: 'notFound' },
    ],
    [
      'an input that does not fit',
      ['movies.list', '{"limit":0}'],
      {},
      { code: 'badRequest', data: { issues: [{ path: '/limit' }] } },
    ],
    ['an input that is no JSON', ['movies.list', '{limit:5}'], {}, { code: 'badRequest' }],
    [
      'a name that does not exist',
      ['movie.list'],
      {},
      { code: 'unknownMethod', message: expect.stringContaining('movies.list') },
    ],
    [
      'a feed that does not exist',
      ['--watch', 'libary'],
      {},
      { code: 'unknownFeed', message: expect.stringContaining('library') },
    ],
    ['a wrong password', ['movies.list'], { MATINEE_PASSWORD: 'not this one' }, { code: 'wrongCredentials' }],
    ['no password', ['movies.list'], { MATINEE_PASSWORD: '' }, { code: 'unauthenticated' }],
    ['no call at all', [], {}, { code: 'usage' }],
  ])('says what went wrong as JSON, and ends with 1: %s', async (_, args, environment, expected) => {
    expect(await rpc(args, { ...credentials(), ...environment })).toMatchObject({ code: 1, reply: expected });
  });

  it('says where no server answers', async () => {
    const port = await freePort();
    expect(await rpc(['server.info'], { MATINEE_URL: `http://127.0.0.1:${port}` })).toMatchObject({
      code: 1,
      reply: { code: 'connectionLost', message: expect.stringContaining(String(port)) },
    });
  });
});

describe('rpc --watch', () => {
  it('prints a snapshot, then every change, one a line, until it is interrupted', async () => {
    const child = start(['--watch', 'library'], credentials());
    const ended = once(child, 'close');
    const lines: {
      snapshot?: { movieCount: number };
      entries?: { kind: string; movie?: { title: string } | null }[];
    }[] = [];
    let wake = Promise.withResolvers<void>();
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(JSON.parse(line) as (typeof lines)[number]);
      wake.resolve();
      wake = Promise.withResolvers();
    });
    const until = async (look: () => boolean): Promise<void> => {
      while (!look()) {
        const outcome = await Promise.race([wake.promise, ended]);
        if (outcome !== undefined) throw new Error(`it ended after ${JSON.stringify(lines)}`);
      }
    };
    await until(() => lines.length > 0);
    expect(lines[0]).toMatchObject({ snapshot: { movieCount: 1 } });
    await putMovie(join(base, 'Films/Ronin (1998).mp4'), await clips.h264Mp4());
    await until(() => lines.some(({ entries }) => entries?.some(({ movie }) => movie?.title === 'Ronin')));
    expect(lines.slice(1).every(({ entries }) => Array.isArray(entries))).toBe(true);
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });

  it('of a feed with a key, prints that one', async () => {
    const { reply } = await rpc(['movies.list', '{"search":"heat"}']);
    const [movie] = (reply as { movies: { id: string }[] }).movies;
    const child = start(['--watch', `movie/${movie!.id}`], credentials());
    const ended = once(child, 'close');
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    expect(JSON.parse(line)).toMatchObject({ snapshot: { movie: { title: 'Heat' } } });
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('and no command leaves a session behind', async () => {
    using ada = await Person.signIn(engine.url);
    expect((await ada.request(session.list, {})).sessions).toHaveLength(1);
  });
});
