/** Who may do what, asked of the whole engine: without a session, as an ordinary person, and with what has ended or was forged. */
import { readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveUrl, webSocketOpener } from '#client/net/socket.ts';
import { GrantSigner } from '#engine/playback/media-grant.ts';
import type { MediaGrant } from '#engine/playback/media-grant.ts';
import { connectPostgres } from '#engine/store/postgres/connect.ts';
import type { Call } from '#protocol/contract.ts';
import { isFailure } from '#protocol/errors.ts';
import {
  everyonesDownloadsFeed,
  feeds,
  healthFeed,
  jobsFeed,
  radarrFeed,
  libraryFeed,
  movieFeed,
  progressFeed,
} from '#protocol/feeds.ts';
import { account, calls, libraries, moments, movies, playback, progress, session, users } from '#protocol/index.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { ADMIN, Person, adminEnvironment } from '#test/support/person.ts';
import { rawHttp } from '#test/support/raw-http.ts';
import { RawSocket } from '#test/support/raw-socket.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** Anyone may call these: a line more is a decision. */
const PUBLIC_CALLS = ['server.info', 'setup.createAdmin', 'session.create'];
/** An ordinary person may not call these. */
const ADMIN_CALLS = [
  'server.health',
  'users.list',
  'users.create',
  'users.remove',
  'libraries.browse',
  'libraries.check',
  'libraries.add',
  'libraries.remove',
  'libraries.scan',
  'libraries.issues',
  'libraries.retryFile',
  'movies.edit',
  'movies.editMany',
  'movies.undo',
  'movies.hide',
  'movies.pictures',
  'movies.choosePicture',
  'moments.setMarker',
  'moments.removeMarker',
  'moments.resetMarker',
  'hardware.state',
  'hardware.test',
  'jobs.list',
  'jobs.cancel',
  'jobs.failures',
  'jobs.retry',
  'jobs.dismiss',
  'metadata.settings',
  'metadata.configure',
  'metadata.review',
  'metadata.search',
  'metadata.match',
  'metadata.unmatch',
  'metadata.refresh',
  'metadata.merge',
  'metadata.split',
  'metadata.writeNfo',
  'collections.create',
  'collections.update',
  'collections.remove',
  'search.reindex',
  'radarr.status',
  'radarr.configure',
  'radarr.check',
  'radarr.openWebhook',
  'radarr.closeWebhook',
  'radarr.sync',
  'radarr.events',
  'downloads.everyones',
  'downloads.drop',
];
/** Addresses that are no calls and answer anyone. */
const PUBLIC_PAGES = ['/healthz', '/readyz', '/startupz', '/api/v1/openapi.json', '/api/v1/docs'];
const SOME_ID = '0190f3a2-0000-7000-8000-000000000001';
const BOB = { name: 'Bob', password: 'an early morning' };

let base = '';
let films = '';
let engine: RunningEngine;
let ada: Person;
let bob: Person;
/** What must never be in a log. */
const secrets: string[] = [ADMIN.password, BOB.password];

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'matinee access ')));
  films = join(base, 'Films');
  await putMovie(join(films, 'Hidden Shelf/Heat (1995).mp4'), await clips.h264Mp4());
  await putMovie(join(films, 'Hidden Shelf/Ronin (1998).mkv'), await clips.subtitlesMkv());
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    libraries: [films],
    environment: adminEnvironment,
    flags: ['--log-level', 'debug', '--log-format', 'json'],
  });
  ada = await Person.signIn(engine.url);
  await ada.scan();
  await ada.call(users.create, { ...BOB, role: 'user' });
  bob = await Person.signIn(engine.url, BOB);
  secrets.push(ada.token, bob.token);
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  bob?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine.output().slice(-20_000));
});

/** Asks a call by HTTP with any headers. */
async function ask(
  { http }: Call,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; code: unknown }> {
  const path = http!.path.replaceAll(/\{\w+\}/g, SOME_ID);
  const hasBody = http!.method !== 'GET' && http!.method !== 'DELETE';
  const response = await fetch(`${engine.url}/api/v1${path}`, {
    method: http!.method,
    headers: { ...headers, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
    ...(hasBody ? { body: '{}' } : {}),
  });
  const text = await response.text();
  return { status: response.status, code: (JSON.parse(text) as { code?: unknown }).code };
}

/** What a socket is closed with that says nothing. */
function closeCode(headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve) => {
    const ignore = (): void => undefined;
    webSocketOpener(liveUrl(engine.url), () => headers)({ onOpen: ignore, onMessage: ignore, onClose: resolve });
  });
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'ok',
    (error: unknown) => (isFailure(error) ? error.code : error),
  );

describe('without a session', () => {
  const nobodies = {
    'no session': {},
    'a made-up cookie': { cookie: `matinee_session=${'a'.repeat(43)}` },
    'a made-up token': { authorization: `Bearer ${'a'.repeat(43)}` },
    'a token of another form': { authorization: 'Bearer x' },
  };

  it.each(Object.entries(nobodies))(
    '[HTTP3] every call is refused, but for the public ones: %s',
    async (_, headers) => {
      const open: string[] = [];
      for (const call of calls.filter(({ http, only }) => http && only !== 'socket')) {
        const { status, code } = await ask(call, headers);
        if (PUBLIC_CALLS.includes(call.name)) open.push(call.name);
        else expect([call.name, status, code]).toEqual([call.name, 401, 'unauthenticated']);
        expect([call.name, status]).not.toEqual([call.name, 500]);
      }
      expect(open).toEqual(PUBLIC_CALLS);
      // And the call that is none of these: a second admin by the setup.
      expect(
        (
          await ask(
            calls.find(({ name }) => name === 'setup.createAdmin')!,
            headers,
          )
        ).status,
      ).not.toBe(200);
    },
  );

  it('[HTTP3] every other address is refused as well', async () => {
    const picture = (await pictureOf(ada)).url;
    for (const headers of Object.values(nobodies)) {
      for (const path of [picture, `/images/${SOME_ID}/${'a'.repeat(22)}`]) {
        expect([path, (await fetch(engine.url + path, { headers })).status]).toEqual([path, 401]);
      }
      const handedIn = `/subtitles/${SOME_ID}?name=a.srt`;
      const sent = await fetch(engine.url + handedIn, { method: 'POST', headers, body: '1' });
      expect([handedIn, sent.status]).toEqual([handedIn, 401]);
      for (const path of ['/media/x/file', '/media/x/v0/0.m4s', '/media/x/t2.vtt']) {
        expect([path, (await fetch(engine.url + path, { headers })).status]).toEqual([path, 403]);
      }
    }
    for (const path of PUBLIC_PAGES) expect([path, (await fetch(engine.url + path)).status]).toEqual([path, 200]);
    expect((await fetch(`${engine.url}/api/v1/nothing`)).status).toBe(404);
    expect((await fetch(`${engine.url}/live`)).status).toBe(426);
  });

  it('[CLOSE1] a socket is closed with signIn', async () => {
    for (const headers of Object.values(nobodies)) expect(await closeCode(headers)).toBe(4401);
  });
});

/**
 * What each call that takes a movie or a file, and that an ordinary person may make, is asked with besides. A call that is not in here
 * fails the test: say what it is asked with, or why it may tell of a movie that was put away.
 */
type Asked = Readonly<Record<string, unknown>>;
const ASKED_WITH: Readonly<Record<string, Asked | ((fileId: string) => Asked) | 'own'>> = {
  'movies.get': {},
  'movies.similar': {},
  'playback.open': {},
  'playback.link': { kind: 'file' },
  'preferences.chooseTracks': { subtitle: null },
  'preferences.learn': {
    form: {
      ...{ method: 'directPlay', container: 'mp4', videoCodec: 'h264', audioCodec: 'aac' },
      ...{ videoBitDepth: 8, videoBoxPx: 720 },
    },
    deviceId: SOME_ID,
    device: 'x',
    browser: 'x',
  },
  'subtitles.list': {},
  'subtitles.setOffset': { subtitleId: 't2', offsetMs: 50 },
  'moments.markers': {},
  'downloads.options': {},
  'downloads.request': { quality: 'copy' },
  'downloads.requestParts': (fileId) => ({ parts: [{ fileId, quality: 'copy' }] }),
  'downloads.original': {},
  // Their own history, which tells nothing that they did not say.
  'progress.report': 'own',
  'progress.setWatched': 'own',
  'progress.clear': 'own',
  // By id only: which of their own to forget.
  'preferences.forget': 'own',
};

describe('an ordinary person', () => {
  it('[HIDE2] meets nothing of a movie that was put away, whichever call names it or its file', async () => {
    const movie = await ada.movie('Ronin');
    const ids = { movieId: movie.id, fileId: movie.files[0]!.id };
    const naming = calls.filter(({ name, input, http }) => {
      const fields = Object.keys((input as { entries?: object }).entries ?? {});
      return http && !ADMIN_CALLS.includes(name) && ['movieId', 'fileId', 'movieIds'].some((id) => fields.includes(id));
    });
    expect(naming.map(({ name }) => name).toSorted()).toEqual(Object.keys(ASKED_WITH).toSorted());
    const refused = async (): Promise<[string, unknown][]> => {
      const codes: [string, unknown][] = [];
      for (const call of naming) {
        const asked = ASKED_WITH[call.name]!;
        if (asked === 'own') continue;
        const more = typeof asked === 'function' ? asked(ids.fileId) : asked;
        const fields = Object.keys((call.input as unknown as { entries: object }).entries);
        const named = Object.fromEntries(Object.entries(ids).filter(([id]) => fields.includes(id)));
        codes.push([call.name, await codeOf(bob.call(call as typeof movies.get, { ...named, ...more } as never))]);
      }
      return codes;
    };
    for (const [name, code] of await refused()) {
      expect([name, ['notFound', 'badRequest'].includes(code as string)]).toEqual([name, false]);
    }
    await ada.call(movies.hide, { movieId: movie.id, isHidden: true });
    try {
      for (const [name, code] of await refused()) expect([name, code]).toEqual([name, 'notFound']);
      const handedIn = await fetch(`${engine.url}/subtitles/${ids.fileId}?name=a.srt`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bob.token}` },
        body: '1\n00:00:01,000 --> 00:00:02,000\nHello\n',
      });
      expect(handedIn.status).toBe(404);
      expect((await ada.call(moments.markers, { fileId: ids.fileId })).markers).toEqual([]);
    } finally {
      await ada.call(movies.hide, { movieId: movie.id, isHidden: false });
    }
  });

  it('[CON2] is refused every call of an admin, by socket and by HTTP', async () => {
    const refused = new Set<string>();
    const headers = { authorization: `Bearer ${bob.token}` };
    for (const call of calls.filter(({ only }) => only !== 'http')) {
      // An input that fits none of those that would do something.
      const input: object = { feed: 'none', keepCurrent: 'neither' };
      if ((await codeOf(bob.call(call, input))) === 'forbidden') refused.add(call.name);
    }
    expect([...refused]).toEqual(ADMIN_CALLS);
    for (const call of calls.filter(({ name }) => ADMIN_CALLS.includes(name))) {
      expect([call.name, await ask(call, headers)]).toEqual([call.name, { status: 403, code: 'forbidden' }]);
    }
    expect(await ada.call(users.list, {})).toMatchObject({ users: [{}, {}] });
  });

  it('[HUB8] is refused the feeds of an admin', async () => {
    const refused = await Promise.all(
      feeds.map(async (feed) => {
        using followed = bob.follow(feed, feed.key === null ? null : SOME_ID);
        await followed.until(() => followed.refusal !== null || followed.snapshots.length > 0, 'an answer');
        return followed.refusal === null ? [] : [feed.name];
      }),
    );
    expect(refused.flat()).toEqual([...[jobsFeed.name, healthFeed.name, radarrFeed.name, everyonesDownloadsFeed.name]]);
  });

  it('[CAT1] is never told where anything lies on the server', async () => {
    const told: unknown[] = [];
    const note = async (reply: Promise<unknown>): Promise<void> =>
      void told.push(await reply.catch((error: unknown) => ({ ...(error as object), text: String(error) })));
    using library = bob.follow(libraryFeed);
    await library.until(() => library.snapshots.length > 0, 'a snapshot');
    for (const { id } of await bob.movies()) {
      using movie = bob.follow(movieFeed, id);
      await movie.until(() => movie.snapshots.length > 0, 'a snapshot');
      await note(bob.call(movies.get, { movieId: id }));
      await note(bob.call(playback.open, { movieId: id }));
      await note(bob.call(playback.open, { movieId: id, without: ['directPlay', 'remux', 'transcode'] }));
      await note(bob.call(playback.open, { movieId: id, fileId: SOME_ID }));
      told.push(movie.snapshots);
    }
    for (const call of calls.filter(({ http }) => http?.method === 'GET')) {
      await note(bob.call(call, {}));
      await note(bob.request(call, { movieId: SOME_ID, libraryId: SOME_ID, fileId: SOME_ID }));
    }
    await putMovie(join(films, 'Hidden Shelf/Newcomer (2020).mp4'), await clips.h264Mp4());
    await library.until(
      () => library.entries.some((entry) => entry.kind === 'movie' && entry.movie?.title === 'Newcomer'),
      'a movie that came',
    );
    told.push(library.snapshots, library.entries);
    const text = JSON.stringify(told);
    expect(text).toContain('Newcomer');
    // Media addresses carry their content in base64.
    const grants = [...text.matchAll(/\/media\/([\w-]+)\./g)].map(([, part]) =>
      Buffer.from(part!, 'base64url').toString(),
    );
    expect(grants.length).toBeGreaterThan(1);
    for (const place of [films, base, 'Hidden Shelf']) {
      expect(text).not.toContain(place);
      expect(grants.join()).not.toContain(place);
    }
    // Who manages libraries is told.
    expect(JSON.stringify(await ada.call(libraries.list, {}))).toContain(films);
    expect((await ada.movie('Heat')).files[0]!.path).toBe('Hidden Shelf/Heat (1995).mp4');
  });

  it('neither sees nor ends what belongs to somebody else', async () => {
    using seen = bob.follow(progressFeed);
    await seen.until(() => seen.snapshots.length > 0, 'a snapshot');
    const { id } = await ada.movie('Heat');
    await ada.call(progress.report, { movieId: id, positionMs: 4_000 });
    const { sessions } = await ada.call(session.list, {});
    expect(await codeOf(bob.call(session.endOne, { sessionId: sessions[0]!.id }))).toBe('notFound');
    expect((await bob.call(session.list, {})).sessions.map((one) => one.id)).not.toContain(sessions[0]!.id);
    await bob.call(progress.report, { movieId: id, positionMs: 1_000 });
    await seen.until(() => seen.entries.length > 0, 'their own progress');
    expect(seen.entries.map((entry) => entry.progress.positionMs)).toEqual([1_000]);
    expect((await ada.call(movies.get, { movieId: id })).progress?.positionMs).toBe(4_000);
    expect(await ada.troubles()).toEqual([]);
  });
});

async function pictureOf(person: Person): Promise<{ url: string }> {
  using library = person.follow(libraryFeed);
  for (;;) {
    const picture = (await person.movies()).find((movie) => movie.picture)?.picture;
    if (picture) return picture;
    const before = library.entries.length;
    await library.until(() => library.entries.length > before, 'a picture');
  }
}

/** Everything that one session has opened: signed in apart from all others, so that it can end alone. */
async function openEverything(credentials: { name: string; password: string }) {
  const person = await Person.signIn(engine.url, credentials);
  const socket = await RawSocket.open({ port: engine.port, token: person.token });
  await socket.greet();
  const heat = (await person.movie('Heat')).id;
  const direct = (await person.call(playback.open, { movieId: heat })).url;
  const hls = await person.call(playback.open, { movieId: heat, without: ['directPlay'] });
  expect(hls.kind).toBe('hls');
  const picture = (await pictureOf(person)).url;
  const segment = new URL('v0/0.m4s', new URL(hls.url, engine.url)).pathname;
  const { session: own } = await person.call(session.current, {});
  secrets.push(person.token, ...[direct, hls.url].map((url) => url.split('/')[2]!));
  const statuses = async () => ({
    file: (await fetch(engine.url + direct, { headers: { range: 'bytes=0-9' } })).status,
    segment: (await fetch(engine.url + segment)).status,
    playlist: (await fetch(engine.url + hls.url)).status,
    picture: (await person.get(picture)).status,
    call: (await person.get('/api/v1/session')).status,
  });
  return {
    person,
    socket,
    sessionId: own.id,
    statuses,
    [Symbol.dispose]: () => (socket[Symbol.dispose](), person[Symbol.dispose]()),
  };
}

const WORKS = { file: 206, segment: 200, playlist: 200, picture: 200, call: 200 };
const ENDED = { file: 401, segment: 401, playlist: 401, picture: 401, call: 401 };

describe('a session that ends', () => {
  const ways: Record<string, (victim: { person: Person; sessionId: string }) => Promise<unknown>> = {
    'signing out': ({ person }) => person.request(session.end, {}),
    'signing out everywhere': ({ person }) => person.call(session.endAll, {}).catch(() => undefined),
    'signing it out from elsewhere': async ({ sessionId }) => {
      using other = await Person.signIn(engine.url, BOB);
      secrets.push(other.token);
      await other.call(session.endOne, { sessionId });
    },
    'a new password': async () => {
      using other = await Person.signIn(engine.url, BOB);
      secrets.push(other.token, 'a late night');
      await other.call(account.changePassword, { currentPassword: BOB.password, newPassword: 'a late night' });
      expect((await other.get('/api/v1/session')).status).toBe(200);
      await other.call(account.changePassword, { currentPassword: 'a late night', newPassword: BOB.password });
    },
    'the removal of the person': async ({ person }) => {
      const { viewer } = await person.call(session.current, {});
      await ada.call(users.remove, { userId: viewer.id });
    },
  };

  it.each(Object.keys(ways))(
    '[ACC10] [PLAY4] [CLOSE2] by %s takes everything along that it had opened',
    async (way) => {
      using victim = await openEverything(BOB);
      expect(await victim.statuses()).toEqual(WORKS);
      await ways[way]!(victim);
      expect(await victim.statuses()).toEqual(ENDED);
      expect((await victim.socket.ended).code).toBe(4401);
      await victim.person.inState('signedOut');
      expect(await codeOf(victim.person.call(movies.list, {}))).toBe('unauthenticated');
      // Nobody else has lost anything.
      expect((await ada.get('/api/v1/session')).status).toBe(200);
      expect(ada.states.map(({ name }) => name)).toEqual(['connecting', 'live']);
    },
  );

  it('[ACC9] ends at its time', async () => {
    const late = await openEverything(ADMIN);
    late[Symbol.dispose]();
    const cluster = join(base, 'data/postgres/18');
    const password = readFileSync(join(base, 'data/secrets/database-password'), 'utf8').trim();
    const sql = connectPostgres(
      { host: cluster, port: 5432, database: 'matinee', user: 'postgres', password },
      { applicationName: 'test', max: 1 },
    );
    using fresh = await Person.signIn(engine.url);
    secrets.push(fresh.token);
    fresh[Symbol.dispose]();
    // Signed in and never used, so that nobody remembers it.
    const response = await fetch(`${engine.url}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ADMIN),
    });
    const token = /matinee_session=([\w-]+)/.exec(response.headers.getSetCookie()[0]!)![1]!;
    secrets.push(token);
    await sql`update session set expires_at = now() - interval '1 second' where id = (select max(id::text)::uuid from session)`;
    await sql.end();
    const { status } = await fetch(`${engine.url}/api/v1/session`, { headers: { authorization: `Bearer ${token}` } });
    expect(status).toBe(401);
    expect(await closeCode({ authorization: `Bearer ${token}` })).toBe(4401);
  });
});

describe('a media address', () => {
  it('[PLAY2] [PLAY3] that was changed, made elsewhere, or has expired opens nothing', async () => {
    const { id } = await ada.movie('Heat');
    const { url } = await ada.call(playback.open, { movieId: id });
    const grant = url.split('/')[2]!;
    secrets.push(grant);
    const status = async (token: string) => (await fetch(`${engine.url}/media/${token}/file`)).status;
    expect(await status(grant)).toBe(200);
    const [payload = '', mac = ''] = grant.split('.');
    const flipped = (text: string, at: number): string =>
      `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    const forged = [
      ...[0, 10, payload.length - 1].map((at) => `${flipped(payload, at)}.${mac}`),
      ...[0, 20, mac.length - 1].map((at) => `${payload}.${flipped(mac, at)}`),
      `${payload}.`,
      `.${mac}`,
      payload,
      `${grant}A`,
      `${grant}=`,
      'x'.repeat(10_000),
    ];
    for (const token of forged) expect([token.slice(0, 60), await status(token)]).toEqual([token.slice(0, 60), 403]);

    const key = Buffer.from(readFileSync(join(base, 'data/secrets/url-key'), 'utf8').trim(), 'base64url');
    const own = new GrantSigner(key).open(grant, Date.now()) as MediaGrant;
    const made = (signer: GrantSigner, change: Partial<MediaGrant>) => signer.sign({ ...own, ...change });
    // The test can make good ones, so the refusals below are about what was changed in them.
    expect(await status(made(new GrantSigner(key), { viewerId: 'AAAAAAAA' }))).toBe(200);
    expect(await status(made(new GrantSigner(key), { expiresAtMs: Date.now() - 1 }))).toBe(410);
    expect(await status(made(new GrantSigner(key), { sizeBytes: own.sizeBytes + 1 }))).toBe(410);
    expect(await status(made(new GrantSigner(key), { fileId: SOME_ID }))).toBe(410);
    expect(await status(made(new GrantSigner(key), { sessionId: SOME_ID }))).toBe(401);
    expect(await status(made(new GrantSigner(Buffer.alloc(32, 7)), {}))).toBe(403);
  });

  it('[PLAY5] names nothing but what is there', async () => {
    const { id } = await ada.movie('Heat');
    const { url } = await ada.call(playback.open, { movieId: id });
    const root = url.slice(0, url.lastIndexOf('/'));
    for (const name of [
      'v0/0.m4s',
      'v0/init.mp4',
      't0.vtt',
      'index.m3u8',
      '..%2f..%2fsecrets%2furl-key',
      '%2e%2e/%2e%2e/secrets/url-key',
      '..%5c..%5csecrets%5curl-key',
      'file%00.mp4',
      'file/..',
      '../../secrets/url-key',
      'FILE',
      '%20file',
    ]) {
      // By hand: whoever sends such a path does not tidy it up first.
      const { status } = await rawHttp({ port: engine.port, path: `${root}/${name}` });
      expect([name, status]).toEqual([name, 404]);
    }
  });
});

it('[HTTP8] nothing of all that opens something is in the log', () => {
  const log = engine.output();
  expect(log).toContain('/media/');
  expect(secrets.length).toBeGreaterThan(15);
  expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
});
