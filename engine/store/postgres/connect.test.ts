import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { connectPostgres, parseDatabaseUrl } from './connect.ts';

describe('a database URL', () => {
  it.each([
    [
      'postgres://ada:pw@db.example/films',
      { host: 'db.example', port: 5432, user: 'ada', password: 'pw', database: 'films' },
    ],
    ['postgresql://ada@db:6000/films', { host: 'db', port: 6000, user: 'ada', password: '', database: 'films' }],
    [
      'postgres://a%40b:p%3A%2F%3F@[::1]:5433/my%20films',
      { host: '::1', port: 5433, user: 'a@b', password: 'p:/?', database: 'my films' },
    ],
    ['postgres://ada:a:b@db/films', { host: 'db', port: 5432, user: 'ada', password: 'a:b', database: 'films' }],
    [
      'postgres:///films?host=/run/postgresql&user=ada',
      { host: '/run/postgresql', port: 5432, user: 'ada', password: '', database: 'films' },
    ],
    ['postgres://ada@%2Frun%2Fpg/films', { host: '/run/pg', port: 5432, user: 'ada', password: '', database: 'films' }],
    ['postgres://ada@/films', { host: 'localhost', port: 5432, user: 'ada', password: '', database: 'films' }],
    [
      'postgres://ada@db/films?sslmode=verify-full',
      { host: 'db', port: 5432, user: 'ada', password: '', database: 'films', ssl: 'verify-full' },
    ],
  ])('%s', (url, address) => {
    expect(parseDatabaseUrl(url)).toEqual(address);
  });

  it.each([
    ['mysql://ada:sesame@db/films', /not of the form/],
    ['postgres://ada:sesame@db', /names no database/],
    ['postgres://db/films', /names no user/],
    ['postgres://ada:sesame@db:0/films', /port/],
    ['postgres://ada:sesame@db:port/films', /port/],
    ['postgres://ada:sesame@a,b/films', /several hosts/],
    ['postgres://ada:sesame@db/films?sslmode=maybe', /sslmode is none of/],
    ['postgres://ada:sesame@db/films?pool=3', /parameter “pool”/],
    ['postgres://ada:sesame%@db/films', /%/],
  ])('%s is refused without being repeated', (url, message) => {
    const parse = () => parseDatabaseUrl(url);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(/sesame/);
  });
});

describe('a server that is none', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    ['hangs up', (socket) => socket.end(), 'CONNECTION_CLOSED'],
    ['resets', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['greets and hangs up', (socket) => socket.end(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0])), 'CONNECTION_CLOSED'],
  ])('and %s gets every statement an error, also the one that tries again', async (_, greet, code) => {
    const server = createServer((socket) => greet(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const address = { host: '127.0.0.1', port, database: 'd', user: 'u', password: 'p' };
    const sql = connectPostgres(address, { applicationName: 'test', max: 1 });
    for (let attempt = 0; attempt < 3; attempt += 1) await expect(sql`select 1`).rejects.toMatchObject({ code });
    await sql.end({ timeout: 1 });
    server.close();
  });
});
