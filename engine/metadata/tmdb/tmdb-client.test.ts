import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createDispatcher } from '#engine/base/http-json.ts';
import { silentLog } from '#engine/base/log.ts';
import { Secret } from '#engine/base/secret.ts';
import { HOSTILE_TEXT, TmdbStandIn } from '#test/support/tmdb-stand-in.ts';
import type { Misbehaviour } from '#test/support/tmdb-stand-in.ts';
import type { ReplyCache } from '../ports.ts';
import { LONGEST_KEPT_MS, TmdbClient, TmdbFailure } from './tmdb-client.ts';
import type { TmdbOptions, TmdbTiming } from './tmdb-client.ts';

const KEY = '0123456789abcdef0123456789abcdef';
const ENGLISH = { language: 'en-US', fallback: null };
const BULK = { urgency: 'bulk' } as const;
const CLICK = { urgency: 'click' } as const;
const FAST: Partial<TmdbTiming> = {
  maxPerSecond: 10_000,
  timeoutMs: 400,
  firstWaitMs: 5,
  breakMs: 40,
  longestBreakMs: 80,
  maxBytes: 1_000_000,
};

/** Keeps replies in memory; `ageMs` makes all of them older. */
class MemoryReplies implements ReplyCache {
  readonly kept = new Map<string, { reply: unknown; keptAtMs: number }>();
  read(name: string) {
    return Promise.resolve(this.kept.get(name) ?? null);
  }
  write(name: string, reply: unknown) {
    this.kept.set(name, { reply, keptAtMs: Date.now() });
    return Promise.resolve();
  }
  prune() {
    return Promise.resolve();
  }
  age(byMs: number): void {
    for (const [name, { reply, keptAtMs }] of this.kept) this.kept.set(name, { reply, keptAtMs: keptAtMs - byMs });
  }
}

let standIn: TmdbStandIn;
let replies: MemoryReplies;
const clients: TmdbClient[] = [];
beforeEach(async () => {
  standIn = await TmdbStandIn.open();
  replies = new MemoryReplies();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client[Symbol.dispose]();
  await standIn[Symbol.asyncDispose]();
});

function openClient(
  timing: Partial<TmdbTiming> = {},
  more: Partial<TmdbOptions> = {},
  key: string | null = KEY,
): TmdbClient {
  const client = new TmdbClient({
    baseUrl: standIn.url,
    clock: systemClock,
    replies,
    log: silentLog,
    timing: { ...FAST, ...timing },
    ...more,
  });
  client.setKey(key === null ? null : new Secret(key));
  clients.push(client);
  return client;
}

const failure = async (promise: Promise<unknown>): Promise<TmdbFailure> => {
  const error: unknown = await promise.then(
    (value) => new Error(`answered with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof TmdbFailure)) throw error;
  return error;
};

describe('TMDB', () => {
  it('[TMDB1] sends a key as a parameter and a token in the header, and keeps both out of everything else', async () => {
    await openClient().search('Orbit', null, ENGLISH, CLICK);
    expect(standIn.requests[0]!.params.get('api_key')).toBe(KEY);
    expect(standIn.requests[0]!.headers.authorization).toBeUndefined();
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl';
    await openClient({}, {}, token).search('Wolf', null, ENGLISH, CLICK);
    expect(replies.kept.size).toBe(2);
    expect(standIn.requests[1]!.params.get('api_key')).toBeNull();
    expect(standIn.requests[1]!.headers.authorization).toBe(`Bearer ${token}`);
    expect([...replies.kept.keys()].join()).not.toMatch(new RegExp(`${KEY}|${token}`));
    standIn.misbehave(() => ({ kind: 'html' }));
    const lines: string[] = [];
    const error = await failure(
      openClient({}, { log: { ...silentLog, warn: (...line) => void lines.push(JSON.stringify(line)) } }).details(
        1,
        ENGLISH,
        BULK,
      ),
    );
    expect(`${error.message}${error.stack}${lines.join('')}`).not.toContain(KEY);
  });

  it('[TMDB2] begins no more requests in a second than it may, and what a person waits for first', async () => {
    const client = openClient({ maxPerSecond: 5, connections: 1 });
    const order: string[] = [];
    const startedMs = performance.now();
    const ask = async (name: string, urgency: 'bulk' | 'click') => {
      await client.search(name, null, ENGLISH, { urgency });
      order.push(name);
    };
    await Promise.all([...[1, 2, 3, 4, 5, 6].map((n) => ask(`bulk ${n}`, 'bulk')), ask('person', 'click')]);
    expect(order.indexOf('person')).toBeLessThan(3);
    // Seven requests at five a second: the sixth begins when the first is a second old.
    expect(performance.now() - startedMs).toBeGreaterThan(950);
  });

  it('[TMDB3] waits as long as Retry-After says, for all requests, and then goes on', async () => {
    const client = openClient();
    let refused = 0;
    const stop = standIn.misbehave(() => {
      refused++;
      return { kind: 'status', status: 429, headers: { 'retry-after': '1' } };
    });
    const startedMs = performance.now();
    const asked = client.search('Orbit', null, ENGLISH, BULK);
    await expect.poll(() => refused).toBe(1);
    stop();
    const other = client.search('Wolf', null, ENGLISH, BULK);
    expect((await asked).length).toBeGreaterThan(0);
    expect((await other).length).toBeGreaterThan(0);
    expect(performance.now() - startedMs).toBeGreaterThan(950);
    expect(client.state.kind).toBe('ready');
  });

  it('[TMDB3] backs off by itself without Retry-After, and gives up for now after a while', async () => {
    standIn.misbehave(() => ({ kind: 'status', status: 429 }));
    const error = await failure(openClient().search('Orbit', null, ENGLISH, BULK));
    expect(error.kind).toBe('away');
    expect(standIn.requests.length).toBe(6);
    const long = standIn.misbehave(() => ({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }));
    expect(await failure(openClient().search('Wolf', null, ENGLISH, BULK))).toMatchObject({ kind: 'away' });
    long();
  });

  it.each<[string, Misbehaviour]>([
    ['hang', { kind: 'hang' }],
    ['half a reply', { kind: 'half' }],
    ['200 MB', { kind: 'huge', bytes: 200_000_000 }],
    ['HTML', { kind: 'html' }],
    ['a redirect', { kind: 'redirect', to: 'http://127.0.0.1:1/steal' }],
    ['a connection that ends', { kind: 'reset' }],
    ['503', { kind: 'status', status: 503 }],
    ['a list that is none', { kind: 'status', status: 200, body: { results: 'many' } }],
    ['null', { kind: 'status', status: 200, body: null }],
  ])('[TMDB4] %s is a failure after some attempts, and costs no memory', async (_, wrong) => {
    const client = openClient();
    const before = process.memoryUsage().rss;
    const stop = standIn.misbehave(() => wrong);
    expect((await failure(client.search('Orbit', null, ENGLISH, BULK))).kind).toBe('nonsense');
    expect(standIn.requests).toHaveLength(3);
    expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000);
    stop();
    expect((await client.search('Orbit', null, ENGLISH, BULK)).length).toBeGreaterThan(0);
  });

  it('[TMDB5] asks nothing while TMDB is away, and comes back by itself', async () => {
    const client = openClient();
    const states: string[] = [];
    client.onState((state) => states.push(state.kind));
    const stop = standIn.misbehave(() => ({ kind: 'reset' }));
    await failure(client.search('Orbit', null, ENGLISH, BULK));
    const error = await failure(client.search('Wolf', null, ENGLISH, BULK));
    expect(error.kind).toBe('away');
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(client.state).toMatchObject({ kind: 'away', retryAtMs: expect.any(Number) });
    const asked = standIn.requests.length;
    expect(asked).toBe(5);
    await failure(client.search('Nine', null, ENGLISH, BULK));
    expect(standIn.requests.length - asked).toBeLessThanOrEqual(1);
    stop();
    await expect
      .poll(() =>
        client.search('Wolf', null, ENGLISH, BULK).then(
          (found) => found.length > 0,
          () => false,
        ),
      )
      .toBe(true);
    expect(client.state.kind).toBe('ready');
    expect(states).toEqual(['away', 'ready']);
  });

  it('[TMDB6] asks nothing with a key that is refused, until there is another one', async () => {
    standIn.key = 'fedcba9876543210fedcba9876543210';
    const client = openClient();
    expect((await failure(client.search('Orbit', null, ENGLISH, BULK))).kind).toBe('badKey');
    expect((await failure(client.search('Orbit', null, ENGLISH, BULK))).kind).toBe('badKey');
    expect(standIn.requests).toHaveLength(1);
    expect(client.state.kind).toBe('badKey');
    expect(await client.tryKey(new Secret(KEY))).toBe('refused');
    expect(await client.tryKey(new Secret(standIn.key))).toBe('taken');
    client.setKey(new Secret(standIn.key));
    expect((await client.search('Orbit', null, ENGLISH, BULK)).length).toBeGreaterThan(0);
    standIn.misbehave(() => ({ kind: 'html' }));
    expect(await client.tryKey(new Secret(KEY))).toBe('notReachable');
    expect((await failure(openClient({}, {}, null).details(900_101, ENGLISH, BULK))).kind).toBe('noKey');
  });

  it('[TMDB7] answers from what was kept while that is fresh, and while TMDB is away, for half a year', async () => {
    const client = openClient();
    const first = await client.search('Orbit', 2012, ENGLISH, CLICK);
    await client.search('Orbit', 2012, ENGLISH, CLICK);
    expect(standIn.requests).toHaveLength(1);
    replies.age(2 * 86_400_000);
    await client.search('Orbit', 2012, ENGLISH, CLICK);
    expect(standIn.requests).toHaveLength(2);
    standIn.misbehave(() => ({ kind: 'reset' }));
    replies.age(30 * 86_400_000);
    expect(await client.search('Orbit', 2012, ENGLISH, CLICK)).toEqual(first);
    expect(await openClient({}, {}, null).search('Orbit', 2012, ENGLISH, CLICK)).toEqual(first);
    replies.age(LONGEST_KEPT_MS);
    await failure(client.search('Orbit', 2012, ENGLISH, CLICK));
  });

  it('takes what makes sense of a reply with wrong types, and text without what breaks a database or a screen', async () => {
    const client = openClient();
    const stop = standIn.misbehave(({ path }) => (path.startsWith('/movie/') ? { kind: 'wrongTypes' } : null));
    const details = await client.details(900_101, ENGLISH, BULK);
    expect(details).toMatchObject({
      id: 900_101,
      title: 'The Glass Garden',
      runtime: 101,
      genres: [],
      credits: { cast: [], crew: [] },
    });
    stop();
    standIn.misbehave(() => ({ kind: 'hostile' }));
    const hostile = await client.details(900_102, ENGLISH, BULK);
    expect(hostile!.title).toContain(HOSTILE_TEXT.slice(0, 20));
    // oxlint-disable-next-line no-control-regex -- they must not be there
    expect(JSON.stringify(hostile)).not.toMatch(/\\u0000|\\ud800|\u202e/);
    expect(hostile).toMatchObject({ poster_path: null, videos: [], images: { posters: [], backdrops: [], logos: [] } });
  });

  it('costs a bad entry itself and nothing else', async () => {
    const cast = [
      { id: 1, name: 'Ada' },
      7,
      null,
      { id: 'x', name: 'Bo' },
      { id: 2 },
      { id: 3, name: 'Cleo', character: 9, profile_path: 'https://evil/x.jpg' },
    ];
    standIn.misbehave(() => ({
      kind: 'status',
      status: 200,
      body: { id: 5, title: 'X', credits: { cast, crew: 'none' } },
    }));
    expect((await openClient().details(5, ENGLISH, BULK))!.credits).toMatchObject({
      cast: [
        { id: 1, name: 'Ada', character: null },
        { id: 3, name: 'Cleo', character: null, profile_path: null },
      ],
      crew: [],
    });
  });

  it('refuses an answer about another movie', async () => {
    standIn.misbehave(() => ({ kind: 'status', status: 200, body: { id: 6, title: 'X' } }));
    expect((await failure(openClient().details(5, ENGLISH, BULK))).message).toContain('answered with 6');
  });

  it('knows that a deleted movie is none, and finds one by its number at IMDb', async () => {
    const client = openClient();
    expect(await client.details(123, ENGLISH, BULK)).toBeNull();
    expect(await client.findByImdb('tt9900106', ENGLISH, BULK)).toMatchObject({ tmdbId: 900_106, title: 'Orbit' });
    expect(await client.findByImdb('tt0000000', ENGLISH, BULK)).toBeNull();
  });

  it('asks for pictures and videos in the languages of preference, and those without words', async () => {
    await openClient().details(900_101, { language: 'de-DE', fallback: 'fr' }, BULK);
    expect(Object.fromEntries(standIn.requests[0]!.params)).toMatchObject({
      language: 'de-DE',
      include_image_language: 'de,fr,en,null',
      include_video_language: 'de,fr,en,null',
    });
  });

  it('stops when it is told to', async () => {
    standIn.misbehave(() => ({ kind: 'hang' }));
    const stop = new AbortController();
    const asked = openClient({ timeoutMs: 60_000 }).search('Orbit', null, ENGLISH, {
      urgency: 'bulk',
      signal: stop.signal,
    });
    await expect.poll(() => standIn.requests.length).toBe(1);
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('goes through a proxy', async () => {
    let forwarded = 0;
    // A proxy gets the whole address of a plain request, and passes it on.
    const proxy = createServer((incoming, response) => {
      forwarded++;
      const onward = request(incoming.url ?? '', { headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const dispatcher = createDispatcher({ proxyUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect((await openClient({}, { dispatcher }).search('Orbit', null, ENGLISH, BULK)).length).toBeGreaterThan(0);
    expect(forwarded).toBe(1);
    expect(standIn.requests).toHaveLength(1);
    await dispatcher.close();
    proxy.close();
  });
});
