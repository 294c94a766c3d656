/** The census: every route and every call without a session. What is open is written down here, and nowhere else. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { webhookRoutes } from '#engine/radarr/webhook.ts';
import { FRAME } from '#protocol/frame.ts';
import { calls } from '#protocol/index.ts';
import { startGateway, unreachedCalls, viewerOf } from '#test/support/gateway.ts';
import { rawHttp } from '#test/support/raw-http.ts';
import { RawSocket } from '#test/support/raw-socket.ts';

/** Anyone may call these. A line more is a decision, with its reason beside it. */
const PUBLIC_CALLS = [
  // Whether this is a Matinee, and whether it has been set up: asked before anyone can sign in.
  'server.info',
  // Guarded by the setup code.
  'setup.createAdmin',
  // Guarded by name and password.
  'session.create',
];
const PUBLIC_ROUTES = [
  'GET /healthz',
  'GET /readyz',
  'GET /startupz',
  'GET /api/v1/server',
  'POST /api/v1/setup',
  'POST /api/v1/session',
  // The document says what calls there are, not what they answer.
  'GET /api/v1/openapi.json',
  'GET /api/v1/docs',
  'GET /api/v1/docs/start.js',
  'GET /api/v1/docs/swagger-ui.css',
  'GET /api/v1/docs/swagger-ui-bundle.js',
  // Says that it speaks WebSocket; the socket itself wants a session.
  'GET /live',
  // Guarded by a secret of its own, and not there without one.
  'POST /api/v1/webhooks/radarr',
  'PUT /api/v1/webhooks/radarr',
];
/** Routes of the domains that are open. */
const domainRoutes = webhookRoutes({
  secret: () => null,
  keep: () => Promise.resolve(false),
  clock: systemClock,
  log: silentLog,
});

describe('census', () => {
  it('[CON2] [HTTP3] the public calls are the ones that are written down', () => {
    const open = calls.filter(({ permission }) => permission === 'public').map(({ name }) => name);
    expect(open).toEqual(PUBLIC_CALLS);
  });

  it('[HTTP3] every route is refused without a session, but for those that are written down', async () => {
    const reached: string[] = [];
    await using running = await startGateway({
      calls: unreachedCalls((name) => reached.push(name)),
      routes: domainRoutes,
    });
    const open: string[] = [];
    for (const route of running.gateway.routes) {
      const path = route.path.replaceAll(/\{\w+\*?\}/g, '0190f3a2-0000-7000-8000-000000000001');
      const name = `${route.method} ${route.path}`;
      if (route.access === 'public') {
        open.push(name);
        continue;
      }
      reached.length = 0;
      for (const headers of [
        {},
        { cookie: 'matinee_session=0123456789abcdef0123456789' },
        { authorization: 'Bearer 0123456789abcdef' },
      ]) {
        const { status } = await rawHttp({ port: running.port, method: route.method, path, headers });
        expect([name, status]).toEqual([name, headers === undefined ? 401 : status]);
        expect([name, [401, 403].includes(status), reached]).toEqual([name, true, []]);
      }
    }
    expect(open.toSorted()).toEqual(PUBLIC_ROUTES.toSorted());
  });

  it('[CON2] by socket, a user reaches only what a user may', async () => {
    const reached: string[] = [];
    await using running = await startGateway({ calls: unreachedCalls((name) => reached.push(name)) });
    const viewer = viewerOf('user');
    using socket = await RawSocket.open({ port: running.port, token: running.sessions.open(viewer).token });
    await socket.greet();
    for (const [index, call] of calls.entries()) {
      reached.length = 0;
      socket.send([FRAME.call, index + 1, call.id, {}, null]);
      const [, , code] = await socket.next();
      const may =
        call.permission === 'public' || call.permission === 'self' || viewer.permissions.includes(call.permission);
      if (call.only === 'http') expect([call.name, code]).toEqual([call.name, 'unknownMethod']);
      else if (!may) expect([call.name, code, reached]).toEqual([call.name, 'forbidden', []]);
      else expect(['notFound', 'badRequest']).toContain(code);
    }
  });

  it('[CON2] the calls of the contract and the handlers of the gateway are the same set', async () => {
    await using running = await startGateway();
    expect(running.gateway.calls.map(({ call }) => call.name).toSorted()).toEqual(
      calls.map(({ name }) => name).toSorted(),
    );
  });
});
