import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createLog } from '#engine/base/log.ts';
import { Secret } from '#engine/base/secret.ts';
import { startGateway } from '#test/support/gateway.ts';
import { radarrMessages } from '#test/support/radarr-messages.ts';
import { rawHttp } from '#test/support/raw-http.ts';
import type { WebhookMessage } from './replies.ts';
import { WEBHOOK_PATH, webhookRoutes } from './webhook.ts';

const SECRET = 'a-secret-of-forty-three-letters-in-base64ur';
let gateway: Awaited<ReturnType<typeof startGateway>>;
let secret: Secret | null;
let kept: WebhookMessage[];
let keep: (message: WebhookMessage) => Promise<boolean>;
let log = '';

beforeAll(async () => {
  const routes = webhookRoutes({
    secret: () => secret,
    keep: (message) => keep(message),
    clock: systemClock,
    log: createLog({ level: 'debug', write: (line) => (log += line) }),
  });
  gateway = await startGateway({ routes, log: createLog({ level: 'debug', write: (line) => (log += line) }) });
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => {
  secret = new Secret(SECRET);
  kept = [];
  keep = async (message) => kept.push(message) > 0;
});

const basic = (password: string, user = 'radarr'): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`, 'latin1').toString('base64')}`,
});

async function send(
  headers: Record<string, string>,
  body: unknown = radarrMessages.Download,
  how: { readonly method?: string; readonly query?: string } = {},
): Promise<number> {
  const { status } = await rawHttp({
    port: gateway.port,
    method: how.method ?? 'POST',
    path: WEBHOOK_PATH + (how.query ?? ''),
    headers: { 'content-type': 'application/json', 'user-agent': 'Radarr/6.1.0.10320 (alpine 3.22.1)', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body, null, 2),
  });
  return status;
}

describe('[HOOK1] who may send', () => {
  it.each<[string, Record<string, string>]>([
    ['Basic', basic(SECRET)],
    ['Basic with any name', basic(SECRET, '')],
    ['Bearer', { authorization: `Bearer ${SECRET}` }],
    ['X-Api-Key', { 'x-api-key': SECRET }],
  ])('who knows the secret, by %s, with POST and PUT', async (_name, headers) => {
    expect([await send(headers), await send(headers, radarrMessages.Download, { method: 'PUT' })]).toEqual([202, 202]);
    expect(kept.map(({ eventType }) => eventType)).toEqual(['Download', 'Download']);
  });

  it.each<[string, Record<string, string>, string?]>([
    ['nothing', {}],
    ['another password', basic('wrong')],
    ['a password in front of the colon', basic('', SECRET)],
    ['a password that is not ASCII', basic('pässwörd')],
    ['Basic without a colon', { authorization: `Basic ${Buffer.from(SECRET).toString('base64')}` }],
    ['another scheme', { authorization: `Digest ${SECRET}` }],
    ['another bearer', { authorization: `Bearer ${SECRET}x` }],
    ['another header', { 'x-api-key': SECRET.slice(1) }],
    ['an empty header', { 'x-api-key': '' }],
    ['the right secret in the query', {}, `?apikey=${SECRET}`],
    ['the wrong secret in the query', {}, '?apikey=wrong'],
  ])('nobody else: %s', async (_name, headers, query) => {
    expect(await send(headers, radarrMessages.Download, query === undefined ? {} : { query })).toBe(401);
    expect(kept).toEqual([]);
  });

  it('is told how in the answer', async () => {
    const reply = await rawHttp({ port: gateway.port, method: 'POST', path: WEBHOOK_PATH, body: '{}' });
    expect(reply.headers['www-authenticate']).toMatch(/^Basic /);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('nobody, where there is no secret', async () => {
    secret = null;
    expect([await send({}), await send(basic('')), await send(basic(SECRET))]).toEqual([404, 404, 404]);
    expect(kept).toEqual([]);
  });

  it('no page of another origin', async () => {
    expect(await send({ ...basic(SECRET), origin: 'https://elsewhere.test' })).toBe(403);
    expect(kept).toEqual([]);
  });

  it('nothing of the secret is written down', async () => {
    await send(basic(SECRET));
    await send(basic('wrong'), radarrMessages.Download, { query: `?apikey=${SECRET}` });
    expect(log).toContain('it lacks the secret');
    expect(log).not.toContain(SECRET);
    expect(log).not.toContain(Buffer.from(`radarr:${SECRET}`).toString('base64'));
  });
});

describe('[HOOK2] what is taken', () => {
  it.each(Object.entries(radarrMessages))('a message of the kind %s', async (kind, message) => {
    expect(await send(basic(SECRET), message)).toBe(202);
    expect(kept).toMatchObject([{ eventType: kind }]);
  });

  it('[EVENT6] a kind that is not known, and keys that are not', async () => {
    expect(await send(basic(SECRET), { eventType: 'MovieImproved', novelty: [{}], movie: { id: 3, more: 1 } })).toBe(
      202,
    );
    expect(kept).toMatchObject([{ eventType: 'MovieImproved', movie: { id: 3 } }]);
  });

  it.each([
    ['', 'nothing'],
    ['not JSON', 'text'],
    ['null', 'null'],
    ['[]', 'a list'],
    ['{}', 'no kind'],
    ['{"eventType":17}', 'a kind that is a number'],
    ['{"eventType":""}', 'an empty kind'],
    ['\xff\xfe\0', 'bytes'],
    ['{"eventType":"Download"', 'half a message'],
  ])('%j is no message: %s', async (body) => {
    expect(await send(basic(SECRET), body)).toBe(400);
    expect(kept).toEqual([]);
  });

  it('values of another type than expected are as if they were not there', async () => {
    const hostile = {
      eventType: 'Download',
      instanceName: { toString: 'x' },
      movie: {
        id: 'x',
        tmdbId: -1,
        title: ['a'],
        folderPath: { a: 1 },
        year: '1995',
        imdbId: "tt1'; drop table movie",
      },
      movieFile: 'x',
      renamedMovieFiles: 'x',
      deletedFiles: 17,
      isUpgrade: 'yes',
      __proto__: { polluted: true },
    };
    expect(await send(basic(SECRET), hostile)).toBe(202);
    expect(kept).toEqual([
      {
        eventType: 'Download',
        instanceName: null,
        movie: { id: null, tmdbId: null, imdbId: null, title: null, year: null, folderPath: null },
        movieFile: null,
        renamedMovieFiles: [],
        deletedFiles: [],
        isUpgrade: false,
        message: null,
      },
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('what is too large is refused without being read, and text is cut', async () => {
    expect(await send(basic(SECRET), { eventType: 'Health', message: 'x'.repeat(2_000_000) })).toBe(413);
    expect(await send(basic(SECRET), { eventType: 'y'.repeat(500), message: 'x'.repeat(10_000) })).toBe(202);
    expect(kept.map(({ eventType, message }) => [eventType.length, message?.length])).toEqual([[100, 500]]);
  });

  it('nesting without end ends in a refusal or a message, and not in the process', async () => {
    const deep = `{"eventType":"Health","message":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect([202, 400]).toContain(await send(basic(SECRET), deep));
    expect(await send(basic(SECRET))).toBe(202);
  });
});

describe('[HOOK3] what cannot be kept', () => {
  it('is told to Radarr', async () => {
    keep = async () => false;
    expect(await send(basic(SECRET))).toBe(503);
    keep = async () => {
      throw new Error('the database is away');
    };
    expect(await send(basic(SECRET))).toBe(500);
  });
});
