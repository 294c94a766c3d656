import { describe, expect, it } from 'vitest';
import type { HttpRoute } from './http.ts';
import { inputReader } from './query-input.ts';
import { Router } from './router.ts';
import * as v from 'valibot';

const route = (method: HttpRoute['method'], path: `/${string}`): HttpRoute => ({
  method,
  path,
  access: 'public',
  handle: () => undefined,
});

const router = new Router([
  route('GET', '/'),
  route('GET', '/movies'),
  route('GET', '/movies/{id}'),
  route('DELETE', '/movies/{id}'),
  route('GET', '/movies/latest'),
  route('POST', '/movies/{id}/play'),
  route('GET', '/media/{token}/{file*}'),
]);

const found = (method: string, path: string): unknown => {
  const match = router.find(method, path);
  return match.kind === 'found'
    ? [match.route.path, match.params]
    : match.kind === 'otherMethod'
      ? match.allowed
      : null;
};

describe('router', () => {
  it.each<[string, string, unknown]>([
    ['GET', '/', ['/', {}]],
    ['HEAD', '/movies', ['/movies', {}]],
    ['GET', '/movies/1', ['/movies/{id}', { id: '1' }]],
    ['GET', '/movies/a%20b', ['/movies/{id}', { id: 'a b' }]],
    ['GET', '/movies/latest', ['/movies/latest', {}]],
    ['POST', '/movies/latest/play', ['/movies/{id}/play', { id: 'latest' }]],
    ['GET', '/media/t/a/b.m4s', ['/media/{token}/{file*}', { token: 't', file: 'a/b.m4s' }]],
    ['POST', '/movies/1', ['GET', 'HEAD', 'DELETE', 'OPTIONS']],
    ['GET', '/movies/1/play', ['POST', 'OPTIONS']],
    ['GET', '/movies/', null],
    ['GET', '/movies/1/', null],
    ['GET', '//movies', null],
    ['GET', '/movies/..', null],
    ['GET', '/movies/%2e%2e', null],
    ['GET', '/movies/a%2Fb', null],
    ['GET', '/movies/a%5cb', null],
    ['GET', '/movies/a%00', null],
    ['GET', '/movies/a%0ab', null],
    ['GET', '/movies/%', null],
    ['GET', '/movies/%c3%28', null],
    ['GET', '/media/t/../../etc/passwd', null],
    ['GET', '/media/t/a/%2e%2e/b', null],
    ['GET', '/media/t/', null],
    ['GET', 'http://elsewhere/movies', null],
  ])('[BRIDGE5] %s %s', (method, path, expected) => {
    expect(found(method, path)).toEqual(expected);
  });

  it('[HTTP3] refuses two routes in one place', () => {
    expect(() => new Router([route('GET', '/a'), route('GET', '/a')])).toThrow(/there twice/);
    expect(() => new Router([route('GET', '/a/{x}'), route('PUT', '/a/{y}')])).toThrow(/use one name/);
    expect(() => new Router([route('GET', '/a/{x*}/b')])).toThrow(/must be the last/);
  });
});

describe('query input', () => {
  const read = inputReader(
    v.object({
      count: v.pipe(v.number(), v.integer()),
      many: v.optional(v.array(v.number())),
      flag: v.optional(v.boolean(), false),
      maybe: v.nullable(v.number()),
      one: v.picklist(['1', '2']),
      mark: v.optional(v.literal(7)),
      text: v.optional(v.pipe(v.string(), v.maxLength(3))),
    }),
  );

  it.each<[string, unknown]>([
    ['count=5', { count: 5 }],
    ['count=-5.5e1', { count: -55 }],
    ['count=', { count: '' }],
    ['count=%205', { count: ' 5' }],
    ['count=1_000', { count: '1_000' }],
    ['count=1&count=2', { count: 2 }],
    ['many=1&many=2', { many: [1, 2] }],
    ['flag=true', { flag: true }],
    ['flag=TRUE', { flag: 'TRUE' }],
    ['maybe=null', { maybe: null }],
    ['maybe=1', { maybe: 1 }],
    ['one=1', { one: '1' }],
    ['mark=7', { mark: 7 }],
    ['text=123', { text: '123' }],
    ['unknown=1&__proto__=1&constructor=1', {}],
  ])('[BRIDGE2] %s', (query, expected) => {
    expect(read(new URLSearchParams(query))).toEqual(expected);
  });
});
