import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpFailure, createDispatcher, fetchBytes, fetchJson, fetchJsonList } from './http-json.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const limits = { timeoutMs: 5_000, maxBytes: 10_000 };

async function failureOf(work: Promise<unknown>): Promise<HttpFailure> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HttpFailure);
  return error as HttpFailure;
}

describe('JSON over HTTP', () => {
  it('sends method, headers and body, and gives status, headers and JSON', async () => {
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.setHeader('X-Seen', `${request.method} ${request.headers['x-api-key']} ${request.headers.accept}`);
        response.statusCode = 201;
        response.end(JSON.stringify({ got: JSON.parse(body) as unknown }));
      });
    });
    const reply = await fetchJson(`${url}/x`, {
      ...limits,
      method: 'POST',
      headers: { 'x-api-key': 'k' },
      body: { a: 1 },
    });
    expect(reply).toMatchObject({ status: 201, json: { got: { a: 1 } } });
    expect(reply.headers['x-seen']).toBe('POST k application/json');
  });

  it('does not follow a redirect', async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url!);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await fetchJson(`${url}/here`, limits)).toMatchObject({ status: 302, json: null });
    expect(asked).toEqual(['/here']);
  });

  it('tells an error page by its status, and something that is no JSON under a good status as such', async () => {
    const url = await serve((request, response) => {
      response.statusCode = request.url === '/bad' ? 502 : 200;
      response.end('<html>no</html>');
    });
    expect(await fetchJson(`${url}/bad`, limits)).toMatchObject({ status: 502, json: null });
    expect((await failureOf(fetchJson(`${url}/good`, limits))).kind).toBe('notJson');
  });

  it('stops at the limit, announced or not, packed or not', async () => {
    let sent = 0;
    const url = await serve((request, response) => {
      if (request.url === '/announced') response.setHeader('content-length', 200_000_000);
      if (request.url === '/packed') {
        return void response.setHeader('content-encoding', 'gzip').end(gzipSync(JSON.stringify('x'.repeat(1_000_000))));
      }
      const more = (): void => {
        while (!response.destroyed && sent < 200_000_000) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, 0x20))) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    for (const path of ['/announced', '/packed', '/endless']) {
      expect((await failureOf(fetchJson(`${url}${path}`, limits))).kind).toBe('tooLarge');
    }
    expect(sent).toBeLessThan(100_000_000);
  });

  it('ends at its time, whether nothing comes or only the end is missing', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/half') response.writeHead(200, { 'content-length': 100 }).write('{"a":');
    });
    for (const path of ['/none', '/half']) {
      const failure = await failureOf(fetchJson(`${url}${path}`, { ...limits, timeoutMs: 100 }));
      expect(failure.kind).toBe('timeout');
    }
  });

  it('calls a reply that breaks off, and a server that is not there, failures of the network', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"a":');
      setImmediate(() => response.destroy());
    });
    expect((await failureOf(fetchJson(url, limits))).kind).toBe('network');
    const left = await serve(() => {});
    await opened.pop()![Symbol.asyncDispose]();
    const gone = await failureOf(fetchJson(left, { ...limits, dispatcher: createDispatcher({}) }));
    expect(gone).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' });
    expect((await failureOf(fetchJson('http://no.such.host.invalid/', limits))).kind).toBe('network');
  });

  it('is called off by its signal', async () => {
    const arrived = Promise.withResolvers<void>();
    const url = await serve(() => arrived.resolve());
    const abort = new AbortController();
    const asked = failureOf(fetchJson(url, { ...limits, signal: abort.signal }));
    await arrived.promise;
    abort.abort();
    expect((await asked).kind).toBe('aborted');
  });

  it('names the host in its failures, and neither user, password nor query', async () => {
    const failure = await failureOf(fetchJson('http://127.0.0.1:1/?apikey=hidden', limits));
    expect(failure.message).toContain('127.0.0.1');
    expect(JSON.stringify([failure.message, failure])).not.toContain('hidden');
    const withUser = await failureOf(fetchJson('http://me:hidden@127.0.0.1:1/', limits));
    expect(withUser.message).not.toContain('hidden');
  });

  it('fetches bytes', async () => {
    const url = await serve(
      (_, response) => void response.setHeader('content-type', 'image/png').end(Buffer.from([1, 2])),
    );
    const reply = await fetchBytes(url, limits);
    expect([...reply.bytes]).toEqual([1, 2]);
    expect(reply.headers['content-type']).toBe('image/png');
  });

  it('reads a list one by one', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/401') response.statusCode = 401;
      response.end(request.url === '/html' ? '<html></html>' : '[{"a":1},{bad},2]');
    });
    const seen: unknown[] = [];
    const options = { ...limits, maxItemBytes: 100 };
    const reply = await fetchJsonList(`${url}/ok`, options, (item) => void seen.push(item));
    expect(reply).toMatchObject({ status: 200, read: 2, skipped: 1 });
    expect(seen).toEqual([{ a: 1 }, 2]);
    expect(await fetchJsonList(`${url}/401`, options, (item) => void seen.push(item))).toMatchObject({
      status: 401,
      read: 0,
    });
    expect((await failureOf(fetchJsonList(`${url}/html`, options, () => {}))).kind).toBe('notJson');
    await expect(
      fetchJsonList(`${url}/ok`, options, () => {
        throw new RangeError('mine');
      }),
    ).rejects.toThrow('mine');
  });
});
