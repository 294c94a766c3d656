/** HTTP as it meets the front door: what is let in, what is refused and how, what is written down. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '#engine/base/log.ts';
import { defineCall } from '#protocol/contract.ts';
import { calls } from '#protocol/index.ts';
import { startGateway, unreachedCalls, viewerOf, type RunningGateway } from '#test/support/gateway.ts';
import { rawHttp, type RawReply, type RawRequest } from '#test/support/raw-http.ts';
import { RawSocket } from '#test/support/raw-socket.ts';
import { bindHandlers } from './dispatch.ts';
import type { GatewayOptions } from './gateway.ts';
import type { HttpRoute } from './http.ts';

const open = new Set<AsyncDisposable>();
afterEach(async () => {
  for (const thing of open) await thing[Symbol.asyncDispose]();
  open.clear();
});

const trial = {
  read: defineCall({
    id: 9001,
    name: 'trial.read',
    since: 1,
    summary: 'Answers its input.',
    permission: 'self',
    input: v.object({
      id: v.string(),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.maxValue(200)), 50),
      isWatched: v.optional(v.boolean()),
      kinds: v.optional(v.array(v.picklist(['a', 'b']))),
      rotation: v.optional(v.picklist([0, 90])),
      libraryId: v.optional(v.nullable(v.string())),
      text: v.optional(v.string()),
    }),
    output: v.unknown(),
    failures: {},
    http: { method: 'GET', path: '/trial/{id}' },
  }),
  change: defineCall({
    id: 9002,
    name: 'trial.change',
    since: 1,
    summary: 'Answers its input, or fails as told.',
    permission: 'self',
    input: v.object({ id: v.string(), fail: v.optional(v.string()), padding: v.optional(v.string()) }),
    output: v.unknown(),
    failures: { taken: v.object({ by: v.string() }), locked: v.object({ retryAfterMs: v.number() }) },
    statusByFailure: { locked: 423 },
    http: { method: 'PUT', path: '/trial/{id}' },
    deadlineMs: 40,
  }),
  signIn: defineCall({
    id: 9003,
    name: 'trial.signIn',
    since: 1,
    summary: 'Sets the cookie.',
    permission: 'public',
    input: v.object({ token: v.nullable(v.string()) }),
    output: v.object({ isSecure: v.boolean(), address: v.string() }),
    failures: {},
    http: { method: 'POST', path: '/trial' },
    only: 'http',
  }),
  admin: defineCall({
    id: 9004,
    name: 'trial.admin',
    since: 1,
    summary: 'For admins.',
    permission: 'server:manage',
    input: v.object({}),
    output: v.object({}),
    failures: {},
    http: { method: 'POST', path: '/trial-admin' },
  }),
};

const trialCalls = () =>
  bindHandlers(
    { trial },
    {
      trial: {
        read: (input) => input,
        change: async (input, { fail, signal }) => {
          if (input.fail === 'taken') fail('taken', { by: 'someone' });
          if (input.fail === 'locked') fail('locked', { retryAfterMs: 1_500 });
          if (input.fail === 'defect') throw new Error('secret');
          if (input.fail === 'slow') {
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          }
          return { id: input.id };
        },
        signIn: ({ token }, context) => {
          context.setSessionToken(token);
          return { isSecure: context.isSecure, address: context.address };
        },
        admin: () => ({}),
      },
    },
  );

async function start(options: Partial<GatewayOptions> = {}): Promise<RunningGateway & { ask: Ask; lines: string[] }> {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => void lines.push(line) });
  const running = await startGateway({ calls: [...unreachedCalls(), ...trialCalls()], log, ...options });
  open.add(running);
  return Object.assign(running, {
    lines,
    ask: (method: string, path: string, request: Partial<RawRequest> = {}) =>
      rawHttp({ port: running.port, method, path, ...request }),
  });
}
type Ask = (method: string, path: string, request?: Partial<RawRequest>) => Promise<RawReply>;

const json = (reply: RawReply): Record<string, unknown> => JSON.parse(reply.body.toString()) as Record<string, unknown>;

function expectProblem(reply: RawReply, status: number, code: string): Record<string, unknown> {
  expect([reply.status, reply.headers['content-type']]).toEqual([status, 'application/problem+json']);
  const problem = json(reply);
  expect(problem).toMatchObject({ type: `urn:matinee:problem:${code}`, status, code });
  expect(typeof problem['title']).toBe('string');
  expect(problem['instance']).toBe(`urn:uuid:${reply.headers['x-request-id']}`);
  return problem;
}

describe('the bridge', () => {
  it('[BRIDGE1] path and query become the input that the schema wants', async () => {
    const { ask, sessions } = await start();
    const { token } = sessions.open(viewerOf('user'));
    const headers = { authorization: `Bearer ${token}` };
    const query =
      'limit=7&isWatched=false&kinds=a&kinds=b&rotation=90&libraryId=null&text=12%20%26%20more&unknown=1&id=other';
    const reply = await ask('GET', `/api/v1/trial/a%20b?${query}`, { headers });
    expect(reply.status).toBe(200);
    expect(json(reply)).toEqual({
      id: 'a b',
      limit: 7,
      isWatched: false,
      kinds: ['a', 'b'],
      rotation: 90,
      libraryId: null,
      text: '12 & more',
    });
    expect(json(await ask('GET', '/api/v1/trial/x', { headers }))).toEqual({ id: 'x', limit: 50 });
  });

  it('[BRIDGE2] what does not fit is a badRequest with pointers', async () => {
    const { ask, sessions } = await start();
    const headers = { authorization: `Bearer ${sessions.open(viewerOf('user')).token}` };
    for (const query of ['limit=many', 'limit=', 'limit=0x10', 'limit=1e999', 'limit=201', 'limit=1.5']) {
      const problem = expectProblem(await ask('GET', `/api/v1/trial/x?${query}`, { headers }), 400, 'badRequest');
      expect(problem['errors']).toMatchObject([{ pointer: '#/limit' }]);
    }
    expectProblem(await ask('GET', '/api/v1/trial/x?isWatched=yes', { headers }), 400, 'badRequest');
  });

  it('[BRIDGE3] bodies are JSON objects of bounded size, and say so', async () => {
    const { ask, sessions } = await start();
    const auth = { authorization: `Bearer ${sessions.open(viewerOf('user')).token}` };
    const type = { ...auth, 'content-type': 'application/json; charset=utf-8' };
    expect((await ask('PUT', '/api/v1/trial/x', { headers: type, body: '{"id":"ignored"}' })).status).toBe(200);
    expect(json(await ask('PUT', '/api/v1/trial/x', { headers: type, body: '{"id":"ignored"}' }))).toEqual({ id: 'x' });
    expect((await ask('PUT', '/api/v1/trial/x', { headers: auth })).status).toBe(200);
    for (const body of ['{', '[]', '1', 'null', '"x"', Buffer.from([0x7b, 0xff, 0x7d])]) {
      expectProblem(await ask('PUT', '/api/v1/trial/x', { headers: type, body }), 400, 'badRequest');
    }
    expectProblem(
      await ask('PUT', '/api/v1/trial/x', { headers: { ...auth, 'content-type': 'text/plain' }, body: '{}' }),
      415,
      'unsupportedMediaType',
    );
    expectProblem(await ask('PUT', '/api/v1/trial/x', { headers: auth, body: '{}' }), 415, 'unsupportedMediaType');
    const claimed = await ask('PUT', '/api/v1/trial/x', { headers: { ...type, 'content-length': '2000000' } });
    expectProblem(claimed, 413, 'bodyTooLarge');
    expect(claimed.headers['connection']).toBe('close');
    expectProblem(
      await ask('PUT', '/api/v1/trial/x', { headers: type, body: JSON.stringify({ padding: 'x'.repeat(1 << 20) }) }),
      413,
      'bodyTooLarge',
    );
    expectProblem(await ask('GET', '/api/v1/trial/x', { headers: type, body: '{}' }), 413, 'bodyTooLarge');
  });

  it('[BRIDGE3] a body without an announced length is cut off at the limit', async () => {
    const { port, sessions } = await start();
    const { token } = sessions.open(viewerOf('user'));
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `PUT /api/v1/trial/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < 100 && socket.writable; sent++) socket.write(chunk);
    const head = await new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())));
    expect(head).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('[BRIDGE4] failures keep code and data, with the status of the table, of the call, or 409', async () => {
    const { ask, sessions, lines } = await start();
    const headers = {
      authorization: `Bearer ${sessions.open(viewerOf('user')).token}`,
      'content-type': 'application/json',
    };
    const change = (fail: string): Promise<RawReply> =>
      ask('PUT', '/api/v1/trial/x', { headers, body: JSON.stringify({ fail }) });
    expect(expectProblem(await change('taken'), 409, 'taken')['data']).toEqual({ by: 'someone' });
    const locked = await change('locked');
    expectProblem(locked, 423, 'locked');
    expect(locked.headers['retry-after']).toBe('2');
    expectProblem(await change('slow'), 504, 'timeout');
    const defect = expectProblem(await change('defect'), 500, 'internal');
    const { errorId } = defect['data'] as { errorId: string };
    expect(JSON.stringify(defect)).not.toContain('secret');
    expect(lines.filter((line) => line.includes(errorId))).toHaveLength(1);
    expectProblem(await ask('POST', '/api/v1/trial-admin', { headers }), 403, 'forbidden');
  });

  it('[BRIDGE5] an unknown path is 404, another method 405 with Allow', async () => {
    const { ask } = await start();
    expectProblem(await ask('GET', '/api/v1/nothing'), 404, 'notFound');
    expectProblem(await ask('POST', '/api/v1/nothing'), 404, 'notFound');
    expectProblem(await ask('GET', '/api'), 404, 'notFound');
    const reply = await ask('POST', '/api/v1/trial/x');
    expectProblem(reply, 405, 'methodNotAllowed');
    expect(reply.headers['allow']).toBe('GET, HEAD, PUT, OPTIONS');
    const options = await ask('OPTIONS', '/api/v1/trial/x');
    expect([options.status, options.headers['allow']]).toEqual([204, 'GET, HEAD, PUT, OPTIONS']);
    expectProblem(await ask('BREW', '/api/v1/trial/x'), 405, 'methodNotAllowed');
    expectProblem(await ask('GET', '/api/v1/trial/%ff'), 404, 'notFound');
    for (const path of ['..', '%2e%2e', 'a%2fb', 'a%00b', 'a%5cb', '']) {
      expectProblem(await ask('GET', `/api/v1/trial/${path}`), 404, 'notFound');
    }
  });

  it('[BRIDGE6] more calls than the budget are 429 with Retry-After', async () => {
    const { ask, sessions } = await start({ limits: { callsPerSecond: 1 } });
    const headers = { authorization: `Bearer ${sessions.open(viewerOf('user')).token}` };
    const statuses: number[] = [];
    for (let index = 0; index < 12; index++) statuses.push((await ask('GET', '/api/v1/trial/x', { headers })).status);
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429]);
    const refused = await ask('GET', '/api/v1/trial/x', { headers });
    expect(expectProblem(refused, 429, 'rateLimited')).toBeTruthy();
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const other = { authorization: `Bearer ${sessions.open(viewerOf('user')).token}` };
    expect((await ask('GET', '/api/v1/trial/x', { headers: other })).status).toBe(200);
  });

  it('[BRIDGE1] HEAD answers where GET does, without a body', async () => {
    const { ask, sessions } = await start();
    const headers = { authorization: `Bearer ${sessions.open(viewerOf('user')).token}` };
    const [get, head] = [
      await ask('GET', '/api/v1/trial/x', { headers }),
      await ask('HEAD', '/api/v1/trial/x', { headers }),
    ];
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
  });
});

describe('who may', () => {
  it('[HTTP3] no session, a wrong one, or one that ended is 401 and says how to do better', async () => {
    const { ask, sessions } = await start();
    const { token } = sessions.open(viewerOf('user'));
    expect(
      (await ask('GET', '/api/v1/trial/x', { headers: { cookie: `a=b; matinee_session=${token}; c=d` } })).status,
    ).toBe(200);
    sessions.end(token);
    for (const headers of [
      {},
      { cookie: `matinee_session=${token}` },
      { cookie: 'matinee_session=' },
      { cookie: `__Host-matinee_session=${sessions.open(viewerOf('user')).token}` },
      { authorization: 'Bearer nobody-has-this-token' },
      { authorization: `Basic ${token}` },
    ]) {
      const reply = await ask('GET', '/api/v1/trial/x', { headers });
      expectProblem(reply, 401, 'unauthenticated');
      expect(reply.headers['www-authenticate']).toContain('Bearer');
    }
  });

  it('[HTTP4] a changing request with the cookie must come from a page of ours', async () => {
    const { ask, sessions, port } = await start({ allowedOrigins: ['https://films.example'] });
    const cookie = `matinee_session=${sessions.open(viewerOf('user')).token}`;
    const put = (headers: Record<string, string>): Promise<RawReply> => ask('PUT', '/api/v1/trial/x', { headers });
    const own = `http://127.0.0.1:${port}`;
    expect((await put({ cookie, origin: own })).status).toBe(200);
    expect((await put({ cookie, origin: 'https://films.example' })).status).toBe(200);
    expect((await put({ cookie, 'sec-fetch-site': 'same-origin', origin: 'http://proxy.changed.it' })).status).toBe(
      200,
    );
    // A script: no browser leaves both out.
    expect((await put({ cookie })).status).toBe(200);
    for (const headers of [
      { cookie, origin: 'https://evil.example' },
      { cookie, origin: 'null' },
      { cookie, 'sec-fetch-site': 'cross-site' },
      { cookie, 'sec-fetch-site': 'same-site' },
      { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    ]) {
      expectProblem(await put(headers), 403, 'foreignOrigin');
    }
    const bearer = { authorization: `Bearer ${sessions.open(viewerOf('user')).token}` };
    expect((await put(bearer)).status).toBe(200);
    expect((await ask('GET', '/api/v1/trial/x', { headers: { cookie, origin: 'https://evil.example' } })).status).toBe(
      200,
    );
  });

  it('[HTTP4] a foreign page can’t sign anyone in either', async () => {
    const { ask } = await start();
    const body = JSON.stringify({ token: null });
    const headers = { 'content-type': 'application/json' };
    expect((await ask('POST', '/api/v1/trial', { headers, body })).status).toBe(200);
    expectProblem(
      await ask('POST', '/api/v1/trial', { headers: { ...headers, origin: 'https://evil.example' }, body }),
      403,
      'foreignOrigin',
    );
  });

  it('[HTTP5] the cookie is for the server alone, and behind TLS for this host alone', async () => {
    const { ask } = await start({ trustedProxies: ['127.0.0.1'] });
    const set = (token: string | null, headers: Record<string, string> = {}): Promise<RawReply> =>
      ask('POST', '/api/v1/trial', {
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ token }),
      });
    expect((await set('abc')).headers['set-cookie']).toBe(
      'matinee_session=abc; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict',
    );
    expect((await set(null)).headers['set-cookie']).toBe(
      'matinee_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
    );
    const secure = await set('abc', { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9, 127.0.0.1' });
    expect(secure.headers['set-cookie']).toBe(
      '__Host-matinee_session=abc; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure',
    );
    expect(secure.headers['strict-transport-security']).toContain('max-age=');
    expect(json(secure)).toEqual({ isSecure: true, address: '203.0.113.9' });
  });

  it('[HTTP6] forwarded headers of someone who is no trusted proxy are ignored', async () => {
    const { ask } = await start({ trustedProxies: ['10.0.0.0/8'] });
    const reply = await ask('POST', '/api/v1/trial', {
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' },
      body: '{"token":null}',
    });
    expect(json(reply)).toEqual({ isSecure: false, address: '127.0.0.1' });
  });
});

describe('routes', () => {
  const route = (
    path: `/${string}`,
    handle: HttpRoute['handle'],
    access: HttpRoute['access'] = 'public',
  ): HttpRoute => ({
    method: 'GET',
    path,
    access,
    handle,
  });

  it('[HTTP1] a handler that throws, sends twice or forgets to answer costs one request', async () => {
    const { ask, lines } = await start({
      routes: [
        route('/throws', () => {
          throw new Error('sync');
        }),
        route('/rejects', async () => {
          await Promise.resolve();
          throw new Error('async');
        }),
        route('/forgets', () => undefined),
        route('/twice', (_, response) => {
          response.send(200, {}, 'once');
          response.send(200, {}, 'twice');
        }),
        route('/odd-header', (_, response) => response.send(200, { 'x-odd': 'a\r\nset-cookie: x=1' }, 'ok')),
        route('/late', async (_, response) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          response.send(200, {}, 'late');
        }),
      ],
    });
    for (const path of ['/throws', '/rejects', '/forgets']) expectProblem(await ask('GET', path), 500, 'internal');
    expect((await ask('GET', '/twice')).body.toString()).toBe('once');
    expect((await ask('GET', '/odd-header')).headers['set-cookie']).toBeUndefined();
    expect(lines.filter((line) => line.includes('defect')).length).toBeGreaterThanOrEqual(3);
  });

  it('[HTTP1] a client that leaves before the answer costs nothing', async () => {
    const left = Promise.withResolvers<void>();
    const sent = Promise.withResolvers<void>();
    const running = await start({
      routes: [
        route('/late', async ({ signal }, response) => {
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          left.resolve();
          expect(response.isGone).toBe(true);
          response.send(200, {}, 'to nobody');
          sent.resolve();
        }),
      ],
    });
    const socket = connect(running.port, '127.0.0.1');
    socket.write('GET /late HTTP/1.1\r\nhost: x\r\n\r\n');
    while (running.gateway.openRequests === 0) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await left.promise;
    await sent.promise;
    expect((await running.ask('GET', '/healthz')).status).toBe(200);
  });

  it('[HTTP1] a stream goes as fast as its reader, and one that breaks ends the connection', async () => {
    const { ask } = await start({
      routes: [
        route('/stream', (_, response) =>
          response.stream(
            200,
            { 'content-type': 'text/plain' },
            (async function* () {
              for (let index = 0; index < 200; index++) yield Buffer.alloc(50_000, 97 + (index % 26));
            })(),
          ),
        ),
        route('/breaks', (_, response) =>
          response.stream(
            200,
            {},
            (async function* () {
              yield Buffer.from('half');
              await Promise.resolve();
              throw new Error('the source broke');
            })(),
          ),
        ),
      ],
    });
    const reply = await ask('GET', '/stream');
    expect([reply.status, reply.body.length, reply.isCut]).toEqual([200, 10_000_000, false]);
    expect((await ask('HEAD', '/stream')).status).toBe(200);
    await expect(
      ask('GET', '/breaks').then(
        ({ isCut }) => isCut,
        () => true,
      ),
    ).resolves.toBe(true);
    expect((await ask('GET', '/healthz')).status).toBe(200);
  });

  it('[HTTP2] every reply carries the security headers', async () => {
    const { ask } = await start();
    for (const path of ['/healthz', '/api/v1/server', '/nothing', '/api/v1/docs', '/api/v1/openapi.json']) {
      const { headers } = await ask('GET', path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('[HTTP8] neither queries nor signed paths are written to the log', async () => {
    const { ask, lines } = await start({
      routes: [route('/media/{token}/{file}', (_, response) => response.send(200, {}, 'film'), 'signedUrl')],
    });
    await ask('GET', '/media/short-secret/film.mp4');
    await ask('POST', '/media/short-secret/film.mp4');
    await ask('GET', '/media/short-secret/film/of/no/route');
    await ask('GET', '/api/v1/trial/x?text=query-secret', {
      headers: { authorization: 'Bearer header-secret-of-20', cookie: 'a=cookie-secret' },
    });
    const text = lines.join('');
    expect(text).toContain('/media/{token}/{file}');
    expect(text).toContain('/api/v1/trial/x');
    expect(text).not.toMatch(/short-secret|query-secret|header-secret|cookie-secret/);
  });

  it('[HTTP7] two requests on one connection are answered in order', async () => {
    const { port } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /startupz HTTP/1.1\r\nhost: x\r\n\r\n');
    let text = '';
    while (!/alive[\s\S]*started/.test(text)) {
      text += await new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())));
    }
    socket.destroy();
  });

  it('[HTTP9] a plain request to the socket’s address is told what it speaks', async () => {
    const { ask } = await start();
    const reply = await ask('GET', '/live');
    expectProblem(reply, 426, 'notAWebSocket');
    expect(reply.headers['upgrade']).toBe('websocket');
  });
});

describe('probes', () => {
  it('[HEALTH1] [HEALTH2] [HEALTH3] alive, ready and started are three things', async () => {
    let isUp = true;
    const health = { phase: 'starting' as GatewayOptions['health']['phase'], isDatabaseUp: async () => isUp };
    const { ask, gateway } = await start({ health });
    const statuses = async (): Promise<number[]> => [
      (await ask('GET', '/healthz')).status,
      (await ask('GET', '/readyz')).status,
      (await ask('GET', '/startupz')).status,
    ];
    expect(await statuses()).toEqual([200, 503, 503]);
    expectProblem(await ask('GET', '/api/v1/server'), 503, 'starting');
    health.phase = 'ready';
    expect(await statuses()).toEqual([200, 200, 200]);
    expect((await ask('HEAD', '/readyz')).status).toBe(200);
    isUp = false;
    await expect.poll(statuses).toEqual([200, 503, 200]);
    health.phase = 'draining';
    expect(await statuses()).toEqual([200, 503, 200]);
    void gateway;
  });

  it('[HEALTH2] a database that does not answer is a database that is down', async () => {
    const { ask } = await start({ health: { phase: 'ready', isDatabaseUp: () => new Promise(() => undefined) } });
    expect((await ask('GET', '/readyz')).status).toBe(503);
  });
});

describe('drain', () => {
  it('[CLOSE4] a request in flight is answered, then everything is closed', async () => {
    const go = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const running = await start({
      routes: [
        {
          method: 'GET',
          path: '/late',
          access: 'public',
          handle: async (_, response) => {
            reached.resolve();
            await go.promise;
            response.send(200, {}, 'answered');
          },
        },
      ],
    });
    const pending = running.ask('GET', '/late');
    await reached.promise;
    const drained = running.gateway.drain(5_000);
    await expect(RawSocket.open({ port: running.port })).rejects.toThrow();
    go.resolve();
    const reply = await pending;
    expect([reply.status, reply.headers['connection']]).toEqual([200, 'close']);
    await drained;
    expect(running.gateway.openRequests).toBe(0);
  });
});

describe('pages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'matinee-pages-'));
  mkdirSync(join(folder, 'assets'));
  const script = 'console.log("hello");\n'.repeat(500);
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Matinee</title>');
  writeFileSync(join(folder, 'assets/index-Ab12Cd34.js'), script);
  writeFileSync(join(folder, 'robots.txt'), 'User-agent: *\nDisallow: /\n');
  writeFileSync(join(folder, '.secret'), 'x');
  open.add({ [Symbol.asyncDispose]: async () => undefined });

  it('[PAGE1] [PAGE2] the page, its files, and a screen’s own address', async () => {
    const { ask } = await start({ clientFolder: folder });
    for (const path of ['/', '/movies/0190f3a2-0000-7000-8000-000000000001', '/settings']) {
      const reply = await ask('GET', path, { headers: { accept: 'text/html,*/*' } });
      expect([reply.status, reply.headers['content-type'], reply.headers['cache-control']]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-cache',
      ]);
      expect(reply.body.toString()).toContain('<title>Matinee');
      expect(reply.headers['content-security-policy']).toMatch(/script-src 'self';.*connect-src 'self' ws:\/\/127/);
      expect(reply.headers['content-security-policy']).not.toMatch(/unsafe/);
    }
    const asset = await ask('GET', '/assets/index-Ab12Cd34.js');
    expect([asset.headers['cache-control'], asset.headers['content-type']]).toEqual([
      'public, max-age=31536000, immutable',
      'text/javascript; charset=utf-8',
    ]);
    expect((await ask('GET', '/robots.txt')).headers['cache-control']).toBe('no-cache');
    for (const path of [
      '/assets/missing.js',
      '/.secret',
      '/../package.json',
      '/assets/..%2findex.html',
      '/api/v2/x',
      '/media/x',
      '/images/x.jpg',
    ]) {
      expectProblem(await ask('GET', path, { headers: { accept: 'text/html' } }), 404, 'notFound');
    }
    expectProblem(await ask('POST', '/settings'), 404, 'notFound');
  });

  it('[PAGE3] text is compressed as the client takes it, each form with its own tag', async () => {
    const { ask } = await start({ clientFolder: folder });
    const get = (encoding: string, more: Record<string, string> = {}): Promise<RawReply> =>
      ask('GET', '/assets/index-Ab12Cd34.js', { headers: { 'accept-encoding': encoding, ...more } });
    const [plain, br, gzip] = [await get('identity'), await get('gzip, deflate, br'), await get('br;q=0, gzip')];
    expect(plain.body.toString()).toBe(script);
    expect([br.headers['content-encoding'], brotliDecompressSync(br.body).toString()]).toEqual(['br', script]);
    expect([gzip.headers['content-encoding'], gunzipSync(gzip.body).toString()]).toEqual(['gzip', script]);
    expect(new Set([plain, br, gzip].map(({ headers }) => headers['etag'])).size).toBe(3);
    expect(br.headers['vary']).toBe('accept-encoding');
    expect((await get('br', { 'if-none-match': br.headers['etag']! })).status).toBe(304);
    expect((await get('gzip', { 'if-none-match': br.headers['etag']! })).status).toBe(200);
  });

  it('[PAGE4] without a built client a page says what to do', async () => {
    const { ask } = await start({ clientFolder: join(folder, 'nowhere') });
    const reply = await ask('GET', '/');
    expect(reply.status).toBe(503);
    expect(reply.body.toString()).toContain('npm start');
  });

  it('[BRIDGE7] the document of the API names every call that the bridge has, and its page comes from here', async () => {
    const { ask } = await start({ calls: unreachedCalls() });
    const document = json(await ask('GET', '/api/v1/openapi.json'));
    expect(document['openapi']).toBe('3.1.0');
    const operations = Object.values(
      document['paths'] as Record<string, Record<string, { operationId: string }>>,
    ).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
    const bridged = calls.filter(({ http, only }) => http && only !== 'socket').map(({ name }) => name);
    expect(operations.toSorted()).toEqual(bridged.toSorted());
    const text = JSON.stringify(document);
    const known = Object.keys((document['components'] as { schemas: object }).schemas);
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) expect(known).toContain(name);
    expect(text).not.toContain('#/$defs');
    const page = (await ask('GET', '/api/v1/docs')).body.toString();
    for (const [, path] of page.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect((await ask('GET', path!)).status).toBe(200);
    }
    expect(page).not.toMatch(/https?:\/\//);
    rmSync(folder, { recursive: true, force: true });
  });
});
