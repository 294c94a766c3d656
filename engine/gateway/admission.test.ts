/** Who a request comes from, and whether it may: addresses, origins, cookies, budgets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallBudget } from './call-budget.ts';
import { TrustedProxies } from './client-address.ts';
import { OriginPolicy } from './origin.ts';
import { credentialsOf, setCookieHeader } from './session-cookie.ts';

describe('client address', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '::1', 'fd00::/8']);
  const addressOf = (connected: string, forwarded?: string): string =>
    proxies.peerOf(connected, { host: 'h', ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }) })
      .address;

  it.each<[string, string | undefined, string]>([
    ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
    ['10.1.1.1', '1.2.3.4', '1.2.3.4'],
    ['10.1.1.1', undefined, '10.1.1.1'],
    ['10.1.1.1', '9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['10.1.1.1', '9.9.9.9, 1.2.3.4, 10.2.2.2', '1.2.3.4'],
    ['10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['10.1.1.1', 'unknown', '10.1.1.1'],
    ['10.1.1.1', '1.2.3.4, garbage', '10.1.1.1'],
    ['10.1.1.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', '1.2.3.4', '1.2.3.4'],
    ['0000:0000:0000:0000:0000:ffff:0a01:0101', '1.2.3.4', '1.2.3.4'],
    ['0000:0000:0000:0000:0000:ffff:cb00:7109', '1.2.3.4', '203.0.113.9'],
    ['::ffff:10.1.1.1', '::ffff:1.2.3.4', '1.2.3.4'],
    ['fd12:3456::1', '1.2.3.4', '1.2.3.4'],
  ])('[HTTP6] %s forwarding for %s is %s', (connected, forwarded, expected) => {
    expect(addressOf(connected, forwarded)).toBe(expected);
  });

  it('[HTTP6] scheme and host come from the nearest proxy', () => {
    const headers = {
      host: 'inside:8420',
      'x-forwarded-proto': 'http, https',
      'x-forwarded-host': 'evil.example, Films.Example',
    };
    expect(proxies.peerOf('10.1.1.1', headers)).toEqual({ address: '10.1.1.1', isSecure: true, host: 'films.example' });
    expect(proxies.peerOf('1.2.3.4', headers)).toEqual({ address: '1.2.3.4', isSecure: false, host: 'inside:8420' });
  });

  it.each(['proxy', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0/8', ''])('refuses "%s" at the start', (network) => {
    expect(() => new TrustedProxies([network])).toThrow(/is not the address of a proxy/);
  });
});

describe('origin', () => {
  const policy = new OriginPolicy(['https://films.example/', 'http://localhost:5173']);

  it.each<[string, string, boolean]>([
    ['http://192.168.1.5:8420', '192.168.1.5:8420', true],
    ['https://films.example', 'inside:8420', true],
    ['https://home.example', 'home.example', true],
    ['https://home.example', 'home.example:443', true],
    ['http://home.example', 'home.example:80', true],
    ['http://localhost:5173', 'localhost:8420', true],
    ['http://[::1]:8420', '[::1]:8420', true],
    ['http://192.168.1.5', '192.168.1.5:8420', false],
    ['http://192.168.1.5:8421', '192.168.1.5:8420', false],
    ['https://films.example.evil.net', 'films.example', false],
    ['https://evil.net/films.example', 'films.example', false],
    ['null', 'home.example', false],
    ['', 'home.example', false],
    ['file://', '', false],
    ['chrome-extension://home.example', 'home.example', false],
  ])('[CLOSE1] [HTTP4] %s for a server asked as %s: %s', (origin, host, expected) => {
    expect(policy.isOurs(origin, { host })).toBe(expected);
  });

  it('refuses what is no origin at the start', () => {
    for (const text of ['films.example', 'ftp://films.example', '*']) {
      expect(() => new OriginPolicy([text])).toThrow(/not an origin/);
    }
  });
});

describe('session cookie', () => {
  const token = 'a-token-of-more-than-16-characters';

  it('[HTTP5] is found among others, by the name that fits the line', () => {
    expect(credentialsOf({ cookie: `x=1; matinee_session=${token}; y=2` }, false)).toEqual({ token, by: 'cookie' });
    expect(credentialsOf({ cookie: `matinee_session=${token}` }, true)).toBeNull();
    expect(credentialsOf({ cookie: `__Host-matinee_session=${token}` }, true)).toEqual({ token, by: 'cookie' });
    expect(credentialsOf({ cookie: `xmatinee_session=${token}` }, false)).toBeNull();
    expect(credentialsOf({}, false)).toBeNull();
  });

  it('[HTTP4] a bearer token goes before the cookie, also when it is none', () => {
    const cookie = `matinee_session=${token}`;
    expect(credentialsOf({ cookie, authorization: `Bearer ${token}x` }, false)).toEqual({
      token: `${token}x`,
      by: 'bearer',
    });
    expect(credentialsOf({ cookie, authorization: 'Bearer short' }, false)).toBeNull();
    expect(credentialsOf({ cookie, authorization: 'Basic abc' }, false)).toEqual({ token, by: 'cookie' });
  });

  it('[HTTP5] takes nothing that is no token', () => {
    for (const value of ['', 'short', 'with space in the middle of it', `"${token}"`, 'x'.repeat(600)]) {
      expect(credentialsOf({ cookie: `matinee_session=${value}` }, false)).toBeNull();
    }
  });

  it('[HTTP5] is read back as it was set', () => {
    for (const isSecure of [true, false]) {
      const [pair] = setCookieHeader(token, isSecure).split(';');
      expect(credentialsOf({ cookie: pair! }, isSecure)?.token).toBe(token);
    }
  });
});

describe('call budget', () => {
  it('[LIM4] lets a burst of ten seconds through, then the steady rate', () => {
    const budget = new CallBudget(5, 0);
    for (let call = 0; call < 50; call++) expect(budget.spend(0)).toBe(0);
    const waitMs = budget.spend(0);
    expect(waitMs).toBe(200);
    expect(budget.spend(400)).toBe(0);
  });

  it('[LIM4] who waits as told gets through', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(50), (perSecond, extra) => {
        const budget = new CallBudget(perSecond, 0);
        let waitMs = 0;
        for (let call = 0; call <= perSecond * 10 + Math.min(extra, perSecond); call++) waitMs = budget.spend(0);
        expect(budget.spend(waitMs + 1_000 / perSecond)).toBe(0);
      }),
    );
  });

  it('[LIM4] who does not wait is cut off in the end', () => {
    const budget = new CallBudget(1, 0);
    const outcomes = Array.from({ length: 30 }, () => budget.spend(0));
    expect(outcomes.filter((waitMs) => waitMs === 0)).toHaveLength(10);
    expect(outcomes.at(-1)).toBe(Infinity);
    expect(budget.isFull(60_000)).toBe(true);
    expect(budget.isFull(1_000)).toBe(false);
  });
});
