/** Files by HTTP, on a real listening gateway: every range case, conditions, and what may happen to a file meanwhile. */
import { createHash, randomBytes } from 'node:crypto';
import {
  truncateSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
  ftruncateSync,
  closeSync,
  readdirSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type RunningGateway } from '#test/support/gateway.ts';
import { rawHttp, type RawReply } from '#test/support/raw-http.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-send-file-'));
const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const large = randomBytes(12 << 20);
const past = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
const pastText = past.toUTCString();

let running: RunningGateway;

function write(name: string, bytes: Uint8Array): void {
  writeFileSync(join(folder, name), bytes);
  utimesSync(join(folder, name), past, past);
}

beforeAll(async () => {
  write('1000', content);
  write('empty', new Uint8Array(0));
  write('large', large);
  const sparse = openSync(join(folder, 'sparse'), 'w');
  ftruncateSync(sparse, 5 * 2 ** 30);
  writeSync(sparse, 'beyond four gigabytes', 2 ** 32);
  closeSync(sparse);
  running = await startGateway({
    limits: { stallMs: 1_000 },
    routes: [
      {
        method: 'GET',
        path: '/file/{name}',
        access: 'public',
        handle: (request, response) =>
          response.file({
            path: join(folder, request.params['name']!),
            contentType: 'video/mp4',
            cacheControl: 'private, no-cache',
          }),
      },
    ],
  });
});

afterAll(async () => {
  await running[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const get = (name: string, headers: Record<string, string> = {}, method: string = 'GET'): Promise<RawReply> =>
  rawHttp({ port: running.port, path: `/file/${name}`, headers, method });

interface Case {
  readonly name: string;
  readonly file?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly range?: string;
  /** First byte and one past the last of what the body must be; absent: no body. */
  readonly body?: readonly [number, number];
}

/** What each header asks for. `{etag}` stands for the file's own tag. */
const CASES: readonly Case[] = [
  { name: 'no range', status: 200, body: [0, 1000] },
  { name: 'first half', headers: { range: 'bytes=0-499' }, status: 206, range: 'bytes 0-499/1000', body: [0, 500] },
  { name: 'open end', headers: { range: 'bytes=500-' }, status: 206, range: 'bytes 500-999/1000', body: [500, 1000] },
  { name: 'suffix', headers: { range: 'bytes=-500' }, status: 206, range: 'bytes 500-999/1000', body: [500, 1000] },
  {
    name: 'suffix longer than the file',
    headers: { range: 'bytes=-5000' },
    status: 206,
    range: 'bytes 0-999/1000',
    body: [0, 1000],
  },
  { name: 'one byte', headers: { range: 'bytes=0-0' }, status: 206, range: 'bytes 0-0/1000', body: [0, 1] },
  {
    name: 'the last byte',
    headers: { range: 'bytes=999-999' },
    status: 206,
    range: 'bytes 999-999/1000',
    body: [999, 1000],
  },
  {
    name: 'last past the end',
    headers: { range: 'bytes=900-5000' },
    status: 206,
    range: 'bytes 900-999/1000',
    body: [900, 1000],
  },
  { name: 'first past the end', headers: { range: 'bytes=1000-' }, status: 416, range: 'bytes */1000' },
  { name: 'suffix of nothing', headers: { range: 'bytes=-0' }, status: 416, range: 'bytes */1000' },
  { name: 'only a dash', headers: { range: 'bytes=-' }, status: 200, body: [0, 1000] },
  { name: 'negative', headers: { range: 'bytes=--5' }, status: 200, body: [0, 1000] },
  { name: 'another unit', headers: { range: 'items=0-5' }, status: 200, body: [0, 1000] },
  { name: 'the unit in capitals', headers: { range: 'Bytes=0-4' }, status: 206, range: 'bytes 0-4/1000', body: [0, 5] },
  { name: 'a space', headers: { range: 'bytes= 0-4' }, status: 206, range: 'bytes 0-4/1000', body: [0, 5] },
  {
    name: 'two that nearly touch',
    headers: { range: 'bytes=0-9,20-29' },
    status: 206,
    range: 'bytes 0-29/1000',
    body: [0, 30],
  },
  { name: 'too many', headers: { range: `bytes=${'0-0,'.repeat(40)}1-1` }, status: 200, body: [0, 1000] },
  { name: 'a range on HEAD', method: 'HEAD', headers: { range: 'bytes=0-499' }, status: 200 },
  { name: 'HEAD', method: 'HEAD', status: 200 },
  {
    name: 'If-Range with the tag',
    headers: { range: 'bytes=0-9', 'if-range': '{etag}' },
    status: 206,
    range: 'bytes 0-9/1000',
    body: [0, 10],
  },
  {
    name: 'If-Range with another tag',
    headers: { range: 'bytes=0-9', 'if-range': '"other"' },
    status: 200,
    body: [0, 1000],
  },
  {
    name: 'If-Range with the tag made weak',
    headers: { range: 'bytes=0-9', 'if-range': 'W/{etag}' },
    status: 200,
    body: [0, 1000],
  },
  {
    name: 'If-Range with the date',
    headers: { range: 'bytes=0-9', 'if-range': pastText },
    status: 206,
    range: 'bytes 0-9/1000',
    body: [0, 10],
  },
  {
    name: 'If-Range with an old date',
    headers: { range: 'bytes=0-9', 'if-range': 'Sat, 01 Jan 2000 00:00:00 GMT' },
    status: 200,
    body: [0, 1000],
  },
  { name: 'If-None-Match with the tag', headers: { range: 'bytes=0-9', 'if-none-match': '{etag}' }, status: 304 },
  { name: 'If-Match with another tag', headers: { range: 'bytes=0-9', 'if-match': '"other"' }, status: 412 },
  { name: 'If-Modified-Since, unchanged', headers: { 'if-modified-since': pastText }, status: 304 },
  {
    name: 'If-Unmodified-Since, changed',
    headers: { 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
    status: 412,
  },
  {
    name: 'compression asked for',
    headers: { range: 'bytes=0-9', 'accept-encoding': 'gzip, br' },
    status: 206,
    range: 'bytes 0-9/1000',
    body: [0, 10],
  },
  { name: 'an empty file', file: 'empty', status: 200, body: [0, 0] },
  { name: 'a range of an empty file', file: 'empty', headers: { range: 'bytes=0-' }, status: 416, range: 'bytes */0' },
  { name: 'no such file', file: 'missing', status: 404 },
];

describe('files', () => {
  it.each(CASES)(
    '[RANGE1] [RANGE2] [RANGE3] [RANGE5] [RANGE6] $name',
    async ({ file = '1000', method, headers = {}, status, range, body }) => {
      const { etag = '' } = (await get(file)).headers;
      const filled = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value.replace('{etag}', etag)]),
      );
      const reply = await get(file, filled, method);
      expect(reply.status).toBe(status);
      expect(reply.headers['content-range']).toBe(range);
      if (status !== 404) {
        expect(reply.headers['accept-ranges']).toBe('bytes');
        expect(reply.headers['etag']).toMatch(/^"[\w-]+"$/);
        expect(reply.headers['last-modified']).toBe(pastText);
        expect(reply.headers['cache-control']).toBe('private, no-cache');
      } else {
        expect(reply.headers['content-type']).toBe('application/problem+json');
      }
      expect(reply.headers['content-encoding']).toBeUndefined();
      if (method === 'HEAD') expect(reply.headers['content-length']).toBe('1000');
      if (status === 304) expect(reply.headers['content-length']).toBeUndefined();
      if (body) {
        expect(reply.headers['content-type']).toBe('video/mp4');
        expect(reply.headers['content-length']).toBe(String(body[1] - body[0]));
        expect(reply.body.equals(content.subarray(...body))).toBe(true);
      } else if (status !== 404) {
        expect(reply.body).toHaveLength(0);
      }
    },
  );

  it('[RANGE4] several ranges come as parts, each with its place', async () => {
    const reply = await get('1000', { range: 'bytes=0-9,500-509,-10' });
    expect(reply.status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(reply.headers['content-type']!)![1]!;
    expect(reply.headers['content-length']).toBe(String(reply.body.length));
    const parts = reply.body.toString('latin1').split(`\r\n--${boundary}`);
    expect(parts.at(0)).toBe('');
    expect(parts.at(-1)).toBe('--\r\n');
    const places = parts.slice(1, -1).map((part) => {
      const [head, body] = part.split('\r\n\r\n') as [string, string];
      expect(head).toContain('content-type: video/mp4');
      const [, start, end] = /content-range: bytes (\d+)-(\d+)\/1000/.exec(head)!;
      expect(body).toBe(content.toString('latin1', Number(start), Number(end) + 1));
      return [Number(start), Number(end)];
    });
    expect(places).toEqual([
      [0, 9],
      [500, 509],
      [990, 999],
    ]);
  });

  it('[RANGE1] a file larger than any buffer arrives whole', async () => {
    const reply = await get('large');
    expect(createHash('sha1').update(reply.body).digest('hex')).toBe(createHash('sha1').update(large).digest('hex'));
    const part = await get('large', { range: 'bytes=300000-9000000' });
    expect(part.body.equals(large.subarray(300_000, 9_000_001))).toBe(true);
  });

  it('[RANGE3] beyond 4 GiB', async () => {
    const reply = await get('sparse', { range: 'bytes=4294967296-4294967316' });
    expect(reply.headers['content-range']).toBe('bytes 4294967296-4294967316/5368709120');
    expect(reply.body.toString()).toBe('beyond four gigabytes');
    expect((await get('sparse', {}, 'HEAD')).headers['content-length']).toBe('5368709120');
  });

  it('[RANGE7] a file that was replaced has another tag, and If-Range falls back to the whole', async () => {
    write('replaced', content);
    const { etag } = (await get('replaced')).headers;
    write('new', content.toReversed());
    renameSync(join(folder, 'new'), join(folder, 'replaced'));
    const reply = await get('replaced', { range: 'bytes=0-9', 'if-range': etag! });
    expect(reply.status).toBe(200);
    expect(reply.headers['etag']).not.toBe(etag);
  });

  it.each<[string, (path: string) => void]>([
    ['truncated', (path) => truncateSync(path, 100_000)],
    ['written over', (path) => writeFileSync(path, randomBytes(32 << 20))],
  ])('[RANGE7] a file that is %s while it is sent ends the connection, and nothing is mixed', async (how, change) => {
    const name = how.replace(' ', '-');
    const bytes = randomBytes(32 << 20);
    write(name, bytes);
    const received: Buffer[] = [];
    const socket = connect(running.port, '127.0.0.1');
    socket.write(`GET /file/${name} HTTP/1.1\r\nhost: x\r\n\r\n`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    socket.once('data', () => {
      socket.pause();
      resolve();
    });
    socket.prependListener('data', (chunk) => received.push(chunk));
    socket.on('close', () => ended.resolve());
    await promise;
    change(join(folder, name));
    socket.resume();
    await ended.promise;
    const all = Buffer.concat(received);
    const body = all.subarray(all.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBeLessThan(bytes.length);
    expect(body.length).toBeGreaterThan(10_000);
    expect(body.equals(bytes.subarray(0, body.length)), 'every byte is of the file as it was').toBe(true);
  });

  it('[RANGE8] a client that reads nothing for too long is cut off; its file is closed', async () => {
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    const before = openFiles();
    const socket = connect(running.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /file/sparse HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.once('data', () => socket.pause());
    while (running.gateway.openRequests === 0) await new Promise((resolve) => setImmediate(resolve));
    while (running.gateway.openRequests > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    while (openFiles() > before) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('[RANGE8] a client that leaves in the middle costs nothing afterwards', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round++) {
      const socket = connect(running.port, '127.0.0.1');
      socket.write('GET /file/sparse HTTP/1.1\r\nhost: x\r\n\r\n');
      await new Promise<void>((resolve) => socket.once('data', () => resolve()));
      socket.destroy();
    }
    while (running.gateway.openRequests > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    while (readdirSync('/proc/self/fd').length > before) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('a folder, a pipe and a device are no files', async () => {
    expect(statSync(folder).isDirectory()).toBe(true);
    const odd = await startGateway({
      routes: ['/dev/zero', folder, '/proc/self/fd/0'].map((path, index) => ({
        method: 'GET',
        path: `/odd/${index}`,
        access: 'public',
        handle: (_, response) => response.file({ path, contentType: 'video/mp4', cacheControl: 'no-store' }),
      })),
    });
    for (const index of [0, 1, 2]) expect((await rawHttp({ port: odd.port, path: `/odd/${index}` })).status).toBe(404);
    await odd[Symbol.asyncDispose]();
  });
});
