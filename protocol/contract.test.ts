/** What must hold for the contract as a whole, whatever calls it has. */
import { readFileSync, globSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { CLOSE } from './close-code.ts';
import type { Call } from './contract.ts';
import { COMMON_FAILURES, HTTP_STATUS_BY_FAILURE, commonFailure } from './errors.ts';
import { FRAME } from './frame.ts';
import { calls, contract, feeds } from './index.ts';
import { PERMISSIONS } from './permission.ts';

const duplicates = (values: readonly unknown[]): unknown[] =>
  values.filter((value, index) => values.indexOf(value) !== index);

/** The properties that an object schema names. */
const entriesOf = (schema: unknown): Record<string, v.GenericSchema> =>
  (schema as { entries?: Record<string, v.GenericSchema> }).entries ?? {};

describe('contract', () => {
  it('[CON1] ids and names are unique', () => {
    expect(duplicates(calls.map(({ id }) => id))).toEqual([]);
    expect(duplicates(calls.map(({ name }) => name))).toEqual([]);
    expect(duplicates(feeds.map(({ id }) => id))).toEqual([]);
    expect(duplicates(feeds.map(({ name }) => name))).toEqual([]);
    expect(duplicates(Object.values(FRAME))).toEqual([]);
    expect(duplicates(Object.values(CLOSE).map(({ code }) => code))).toEqual([]);
  });

  it('[CON1] a call is named after its place in the contract', () => {
    for (const [group, groupCalls] of Object.entries(contract)) {
      for (const [verb, call] of Object.entries<Call>(groupCalls)) expect(call.name).toBe(`${group}.${verb}`);
    }
  });

  it('[CON2] every permission is one of the closed set', () => {
    for (const { name, permission } of [...calls, ...feeds]) {
      expect([name, PERMISSIONS.includes(permission)]).toEqual([name, true]);
    }
  });

  it('[CON4] every input is an object, so that it can grow, and every path parameter is one of its properties', () => {
    for (const { name, input, http } of calls) {
      expect([name, input.type]).toEqual([name, 'object']);
      for (const [, param] of http?.path.matchAll(/\{(\w+)\}/g) ?? []) {
        expect([name, Object.keys(entriesOf(input)).includes(param!)]).toEqual([name, true]);
      }
    }
  });

  it('[CON1] no two calls share an address by HTTP', () => {
    const addresses = calls.flatMap(({ http }) =>
      http ? [`${http.method} ${http.path.replaceAll(/\{\w+\}/g, '{}')}`] : [],
    );
    expect(duplicates(addresses)).toEqual([]);
  });

  it('[ERR1] [ERR2] no call declares a failure under a common code, and statuses belong to failures that exist', () => {
    for (const call of calls) {
      for (const code of Object.keys(call.failures)) {
        expect([call.name, code in COMMON_FAILURES]).toEqual([call.name, false]);
      }
      for (const code of Object.keys(call.statusByFailure ?? {})) {
        expect([call.name, code in call.failures]).toEqual([call.name, true]);
      }
    }
    expect(Object.keys(HTTP_STATUS_BY_FAILURE).toSorted()).toEqual(Object.keys(COMMON_FAILURES).toSorted());
  });

  it('[ERR2] a common failure carries what its schema says', () => {
    const failure = commonFailure('rateLimited', { retryAfterMs: 5 }, 'Wait.');
    expect(failure).toMatchObject({
      name: 'Failure',
      code: 'rateLimited',
      data: { retryAfterMs: 5 },
      message: 'Wait.',
    });
    expect(v.is(COMMON_FAILURES.rateLimited, failure.data)).toBe(true);
  });

  it('[CLOSE3] [ERR4] codes are ours or registered, and each has a policy', () => {
    for (const [name, { code, reason }] of Object.entries(CLOSE)) {
      expect([name, (code >= 4000 && code <= 4999) || [1000, 1001, 1012, 1013].includes(code)]).toEqual([name, true]);
      expect(reason).toMatch(/^[\x20-\x7e]{1,90}$/);
    }
  });

  it('[FEED5] every entry of a feed has a kind and an id', () => {
    for (const { name, entry } of feeds) {
      const { options = [] } = entry as { options?: readonly unknown[] };
      for (const option of options) {
        expect([name, Object.keys(entriesOf(option))]).toEqual([name, expect.arrayContaining(['kind', 'id'])]);
      }
      expect(options.length).toBeGreaterThan(0);
    }
  });

  it('every rule of SPEC.md is quoted by a test, and every quoted rule exists', () => {
    const root = join(import.meta.dirname, '..');
    const rules = new Set(
      [...readFileSync(join(root, 'protocol/SPEC.md'), 'utf8').matchAll(/^- \[([A-Z]+\d+)\]/gm)].map(
        ([, rule]) => rule!,
      ),
    );
    const families = new Set([...rules].map((rule) => rule.replace(/\d+$/, '')));
    const quoted = new Set(
      globSync('{protocol,engine/gateway,client/net}/**/*.test.ts', { cwd: root }).flatMap((file) =>
        [...readFileSync(join(root, file), 'utf8').matchAll(/\[([A-Z]+\d+)\]/g)].map(([, rule]) => rule!),
      ),
    );
    expect(
      [...rules].filter((rule) => !quoted.has(rule)),
      'rules that no test quotes',
    ).toEqual([]);
    const unknown = [...quoted].filter((rule) => families.has(rule.replace(/\d+$/, '')) && !rules.has(rule));
    expect(unknown, 'quoted rules that SPEC.md does not have').toEqual([]);
  });
});
