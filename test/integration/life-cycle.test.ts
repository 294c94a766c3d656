/** A whole engine from its first second to its last: what it answers while it starts, how it ends, and why it does not start. */
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADVISORY_LOCK } from '#engine/store/postgres/advisory-lock.ts';
import { FRAME } from '#protocol/frame.ts';
import { account, playback, session } from '#protocol/index.ts';
import { clip, clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { ADMIN, Person, adminEnvironment } from '#test/support/person.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { descendants, isAlive } from '#test/support/processes.ts';
import { rawHttp } from '#test/support/raw-http.ts';
import { RawSocket } from '#test/support/raw-socket.ts';
import { freePort, launchEngine, startEngine } from '#test/support/running-engine.ts';
import type { EngineStart, LaunchedEngine } from '#test/support/running-engine.ts';

const PROBES = ['/healthz', '/readyz', '/startupz'];

let base = '';
let engine: LaunchedEngine | undefined;

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee life ')));
  await putMovie(join(base, 'Films/Heat (1995).mp4'), await clips.h264Mp4());
  await putMovie(
    join(base, 'Films/Old Tape (1996).avi'),
    await clip({
      name: 'old-tape.avi',
      args: [
        ...['-f', 'lavfi', '-i', 'testsrc2=s=640x360:r=24:d=24', '-f', 'lavfi', '-i', 'sine=440:r=48000:d=24'],
        ...['-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3'],
      ],
    }),
  );
});
afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine?.output());
});

const statuses = async (port: number): Promise<number[]> =>
  await Promise.all(PROBES.map(async (path) => (await rawHttp({ port, path })).status));

/** Waits until somebody listens there. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await sleep(5);
  }
}

/** Keeps an engine that starts on this database from going on. */
async function holdMigrations({ sql }: TestDatabase): Promise<Disposable & { letGo(): Promise<void> }> {
  const held = await sql.reserve();
  await held`select pg_advisory_lock(${ADVISORY_LOCK.migrations})`;
  return {
    letGo: async () => void (await held`select pg_advisory_unlock_all()`),
    [Symbol.dispose]: () => held.release(),
  };
}

describe('a first start, unattended', () => {
  it('[HEALTH1] [HEALTH2] [HEALTH3] can be watched from outside', async () => {
    await using database = await createTestDatabase();
    // Somebody else is migrating this database: the start waits for them, as long as it takes to look at it.
    using holder = await holdMigrations(database);
    const port = await freePort();
    await using held = await launchEngine({
      dataFolder: join(base, 'held'),
      port,
      environment: { ...adminEnvironment, DATABASE_URL: database.url },
    });
    await listening(port);
    expect(await statuses(port)).toEqual([200, 503, 503]);
    for (const path of ['/', '/api/v1/server', '/api/v1/movies', '/media/x/file']) {
      const { status, headers } = await rawHttp({ port, path });
      expect([path, status, headers['retry-after']]).toEqual([path, 503, '2']);
    }
    using early = await RawSocket.open({ port });
    expect((await early.ended).code).toBe(1012);
    await holder.letGo();
    await held.ready;
    expect(await statuses(port)).toEqual([200, 200, 200]);
  });

  it('[ACC6] has its admin from the environment, and no setup code', async () => {
    const passwordFile = join(base, 'password');
    await writeFile(passwordFile, `${ADMIN.password}\n`);
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'Films')],
      environment: { MATINEE_ADMIN_NAME: ADMIN.name, MATINEE_ADMIN_PASSWORD_FILE: passwordFile },
    });
    expect(engine.output()).not.toContain('Setup code');
    using ada = await Person.signIn(engine.url);
    await ada.inState('live');
    const setUp = await rawHttp({
      port: engine.port,
      method: 'POST',
      path: '/api/v1/setup',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: '0000-0000', name: 'Eve', password: 'let me in please' }),
    });
    expect([setUp.status, JSON.parse(setUp.body.toString())]).toMatchObject([409, { code: 'alreadySetUp' }]);
  });
});

describe('SIGTERM', () => {
  it('[CLOSE4] [HEALTH2] lets what is in flight finish, and leaves nothing behind', async () => {
    const { port, url } = engine!;
    const ada = await Person.signIn(url);
    await ada.scan();
    // Work in every kind of process: a transcode with its hosts.
    const tape = await ada.movie('Old Tape');
    const opened = await ada.call(playback.open, { movieId: tape.id });
    expect((await fetch(new URL('v0/0.m4s', new URL(opened.url, url)))).status).toBe(200);

    const idle = await RawSocket.open({ port, token: ada.token });
    await idle.greet();
    const busy = await RawSocket.open({ port, token: ada.token });
    await busy.greet();
    // Kept open, as browsers keep them.
    const kept = connect(port, '127.0.0.1');
    let answers = '';
    kept.setEncoding('utf8').on('data', (text: string) => (answers += text));
    // What it asks too late is answered with a reset.
    kept.once('error', () => undefined);
    const keptEnded = new Promise<void>((resolve) => void kept.once('close', () => resolve()));
    const askKept = (): boolean => kept.write(`GET /readyz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
    askKept();
    await expect.poll(() => answers).toContain('"ready"');

    // Passwords take their time: some of these are answered, some are in flight when the signal comes.
    const signIns = Array.from({ length: 16 }, () =>
      rawHttp({
        port,
        method: 'POST',
        path: '/api/v1/session',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ADMIN),
      }),
    );
    const change = { currentPassword: ADMIN.password, newPassword: ADMIN.password };
    busy.send([FRAME.call, 1, account.changePassword.id, change, null]);
    // A password takes far longer than reading what was sent: with the third answer all of them have arrived.
    let answered = 0;
    const third = Promise.withResolvers<void>();
    for (const one of signIns) {
      one.then(() => {
        answered += 1;
        if (answered === 3) third.resolve();
      }, third.reject);
    }
    await third.promise;
    const below = descendants(engine!.pid);
    process.kill(engine!.pid, 'SIGTERM');
    expect((await idle.ended).code).toBe(1012);
    askKept();

    expect((await Promise.all(signIns)).map(({ status }) => status)).toEqual(signIns.map(() => 200));
    expect((await busy.next()).slice(0, 2)).toEqual([FRAME.ok, 1]);
    expect((await busy.ended).code).toBe(1012);
    await keptEnded;
    const last = answers.slice(answers.lastIndexOf('HTTP/1.1'));
    // Either it was told, or the connection had been closed before it asked.
    if (last !== answers) expect(last).toMatch(/^HTTP\/1\.1 503 [\s\S]*"draining"/);
    expect(await engine!.ended).toEqual({ code: 0, signal: null });
    expect(below.length).toBeGreaterThan(5);
    await expect.poll(() => below.filter(isAlive).map(({ command }) => command)).toEqual([]);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    ada[Symbol.dispose]();
  });

  it('[ACC6] another password in the environment changes nothing at the next start', async () => {
    engine = await startEngine({
      dataFolder: join(base, 'data'),
      port: engine!.port,
      environment: { MATINEE_ADMIN_NAME: ADMIN.name, MATINEE_ADMIN_PASSWORD: 'quite another one' },
    });
    using ada = await Person.signIn(engine.url);
    expect((await ada.request(session.list, {})).sessions.length).toBeGreaterThan(0);
    await expect(Person.signIn(engine.url, { name: ADMIN.name, password: 'quite another one' })).rejects.toMatchObject({
      code: 'wrongCredentials',
    });
  });

  it('during the start ends it as well, with nothing left running', async () => {
    const other = await launchEngine({ dataFolder: join(base, 'never ready'), environment: adminEnvironment });
    await listening(other.port);
    const below = descendants(other.pid);
    expect(await other.stop()).toEqual({ code: 0, signal: null });
    await expect.poll(() => below.filter(isAlive).map(({ command }) => command)).toEqual([]);
  });
});

describe('a start that cannot be', () => {
  /** Runs it to its end. */
  async function refused(start: Partial<EngineStart>): Promise<{ code: number | null; text: string }> {
    await using other = await launchEngine({ dataFolder: join(base, 'unused'), ...start });
    const { code } = await other.ended;
    return { code, text: other.output() };
  }

  it.each<[string, Partial<EngineStart>, RegExp]>([
    ['an unknown flag', { flags: ['--libary', '/x'] }, /^There is no flag --libary\. Did you mean --library\?\n$/],
    ['an unknown variable', { environment: { MATINEE_PROT: '1' } }, /MATINEE_PROT\. Did you mean MATINEE_PORT\?/],
    ['a bad value', { environment: { MATINEE_SCRATCH_QUOTA: 'plenty' } }, /MATINEE_SCRATCH_QUOTA.*“plenty”/],
    ['half an admin', { environment: { MATINEE_ADMIN_NAME: 'ada' } }, /set both or none/],
    ['a database of another kind', { environment: { DATABASE_URL: 'mysql://ada:sesame@db/films' } }, /DATABASE_URL/],
    [
      'no database there',
      { environment: { DATABASE_URL: 'postgres://ada:sesame@127.0.0.1:9/films' } },
      /127\.0\.0\.1, port 9/,
    ],
  ])('says why, and ends with 1: %s', async (_, start, text) => {
    const outcome = await refused(start);
    expect(outcome).toEqual({ code: 1, text: expect.stringMatching(text) });
    expect(outcome.text).not.toContain('sesame');
    expect(outcome.text).not.toMatch(/\n\s+at /);
  });

  it('says why where folders or ports are in the way', async () => {
    const strange = join(base, 'strange');
    await mkdir(strange);
    await writeFile(join(strange, 'thesis.txt'), 'years of work');
    expect(await refused({ dataFolder: strange })).toEqual({
      code: 1,
      text: expect.stringMatching(/not empty.*thesis\.txt/),
    });
    const films = join(base, 'Films');
    expect(await refused({ dataFolder: join(films, 'data'), libraries: [films] })).toEqual({
      code: 1,
      text: expect.stringMatching(/lies inside the library/),
    });
    expect(await refused({ port: engine!.port })).toEqual({ code: 1, text: expect.stringMatching(/can't be opened/) });
    const settings = join(base, 'settings.json');
    await writeFile(settings, '{"maxTranscode": 2}');
    expect(await refused({ flags: ['--config', settings] })).toEqual({
      code: 1,
      text: expect.stringMatching(/maxTranscode.*Did you mean maxTranscodes\?/),
    });
    // The one that runs was not disturbed by any of them.
    expect(await statuses(engine!.port)).toEqual([200, 200, 200]);
  });
});
