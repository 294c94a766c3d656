import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lookInto } from './refusal.ts';

async function answering(status: number, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v0/3.m4s`;
}

const problem = (code: string): string => JSON.stringify({ title: 'No', code });

describe('a part that was refused', () => {
  it.each([
    ['can’t be made of this file', 422, problem('corrupt'), 'undecodable', 'corrupt'],
    ['its file has gone', 422, problem('notFound'), 'undecodable', 'notFound'],
    ['the server has found out since that its file has gone', 410, problem('gone'), 'expired', 'gone'],
    ['the session has ended since', 401, problem('unauthenticated'), 'expired', 'unauthenticated'],
    ['it is there by now', 200, 'picture', 'unreachable', null],
    ['the server is busy by now', 503, problem('overloaded'), 'unreachable', 'overloaded'],
    ['something on the way refused it', 403, '<h1>Forbidden</h1>', 'unreachable', null],
    ['an answer of no known form', 404, 'null', 'unreachable', null],
  ])('%s', async (_, status, body, expected, code) => {
    expect(await lookInto(await answering(status, body))).toEqual({ problem: expected, code });
  });

  it('nobody answers any more', async () => {
    expect(await lookInto('http://127.0.0.1:9/v0/3.m4s')).toEqual({ problem: 'unreachable', code: null });
  });
});
