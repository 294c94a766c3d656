/** Bodies that a route takes as they come, through the front door. */
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway, viewerOf, type RunningGateway } from '#test/support/gateway.ts';
import { rawHttp } from '#test/support/raw-http.ts';
import type { HttpRoute } from './http.ts';

const LIMIT_BYTES = 20 << 20;

let running: RunningGateway | null = null;
afterEach(async () => running?.[Symbol.asyncDispose]());

/** Counts what comes, in its own time. `ends`: what became of the bodies. */
async function start(ends: (bytes: number | Error) => void, before: () => Promise<unknown> = () => Promise.resolve()) {
  const route: HttpRoute = {
    method: 'POST',
    path: '/trial-stream',
    access: 'session',
    bodyLimitBytes: LIMIT_BYTES,
    streamsBody: true,
    async handle({ body, stream }, response) {
      expect(body).toHaveLength(0);
      await before();
      let sizeBytes = 0;
      try {
        for await (const chunk of stream) sizeBytes += chunk.byteLength;
      } catch (error) {
        ends(error as Error);
        throw error;
      }
      ends(sizeBytes);
      response.send(200, { 'content-type': 'text/plain' }, String(sizeBytes));
    },
  };
  running = await startGateway({ routes: [route] });
  const { token } = running.sessions.open(viewerOf('user'));
  return { port: running.port, authorization: `Bearer ${token}` };
}

describe('a body that is streamed', () => {
  it('reaches its route as a whole, also when the route begins late, and so does one without any', async () => {
    const began = Promise.withResolvers<void>();
    const { port, authorization } = await start(
      () => undefined,
      () => began.promise,
    );
    const headers = { authorization };
    const large = rawHttp({ port, method: 'POST', path: '/trial-stream', headers, body: 'x'.repeat(LIMIT_BYTES) });
    began.resolve();
    expect((await large).body.toString()).toBe(String(LIMIT_BYTES));
    const none = await rawHttp({ port, method: 'POST', path: '/trial-stream', headers });
    expect(none.body.toString()).toBe('0');
  });

  it('[HTTP3] is let in by its session only', async () => {
    const { port } = await start(() => undefined);
    expect((await rawHttp({ port, method: 'POST', path: '/trial-stream', body: 'x' })).status).toBe(401);
  });

  it('is cut off at the limit where no length was announced, and where its client goes away', async () => {
    const ended = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()];
    let count = 0;
    const { port, authorization } = await start((end) => ended[count++]?.resolve(end));
    const begin = (): ReturnType<typeof connect> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        `POST /trial-stream HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ntransfer-encoding: chunked\r\n\r\n`,
      );
      return socket;
    };
    const greedy = begin();
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
    for (let sent = 0; sent < 40 && greedy.writable; sent++) greedy.write(chunk);
    expect(await ended[0]!.promise).toMatchObject({ fault: 'tooLarge' });
    greedy.destroy();
    const leaving = begin();
    leaving.write(`1\r\nx\r\n`, () => leaving.destroy());
    expect(await ended[1]!.promise).toMatchObject({ fault: 'gone' });
  });
});
