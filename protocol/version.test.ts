/** Versions, and the digest that notices when the contract changes without one. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema, type ConversionConfig } from '@valibot/to-json-schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call, Feed, Schema } from './contract.ts';
import { COMMON_FAILURES } from './errors.ts';
import * as frame from './frame.ts';
import { calls, feeds } from './index.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN, VERSIONS, agreeVersion } from './version.ts';

const isRecording = process.env['MATINEE_UPDATE_GOLDEN'] === '1';

/** JSON Schema says all but checks by a function; those are named by their message. */
const shapeOf = (schema: Schema): unknown => ({
  input: toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'ignore',
    overrideAction: nameChecks,
  }),
  output: toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode: 'output',
    errorMode: 'ignore',
    overrideAction: nameChecks,
  }),
});

const nameChecks: NonNullable<ConversionConfig['overrideAction']> = ({ valibotAction, jsonSchema }) =>
  valibotAction.type === 'check' && 'message' in valibotAction
    ? { ...jsonSchema, description: `check: ${String(valibotAction.message)}` }
    : undefined;

const digest = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

const callDigest = ({
  id,
  name,
  since,
  permission,
  http,
  only,
  statusByFailure,
  input,
  output,
  failures,
}: Call): string =>
  digest({
    id,
    name,
    since,
    permission,
    http,
    only,
    statusByFailure,
    input: shapeOf(input),
    output: shapeOf(output),
    failures: Object.entries(failures).map(([code, schema]) => [code, shapeOf(schema)]),
  });

const feedDigest = ({ id, name, since, permission, key, snapshot, entry }: Feed): string =>
  digest({ id, name, since, permission, key, snapshot: shapeOf(snapshot), entry: shapeOf(entry) });

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && 'kind' in value;

/** Everything that both sides must agree on, each part under its own name, so that a failure says what changed. */
const current = {
  calls: Object.fromEntries(calls.map((call) => [call.name, callDigest(call)])),
  feeds: Object.fromEntries(feeds.map((feed) => [feed.name, feedDigest(feed)])),
  frames: Object.fromEntries(
    Object.entries(frame as Record<string, unknown>).flatMap(([name, value]) =>
      isSchema(value) ? [[name, digest(shapeOf(value))]] : [],
    ),
  ),
  failures: Object.fromEntries(
    Object.entries(COMMON_FAILURES).map(([code, schema]) => [code, digest(shapeOf(schema))]),
  ),
};

const WHAT_TO_DO = `
The contract is not the one that was recorded for version ${PROTOCOL_MAX}. Clients and servers of that version are in use, so decide:
  - not meant: change it back;
  - additive (a new call, feed or optional field) and not released yet, or meaning the same on the wire: record it with
      MATINEE_UPDATE_GOLDEN=1 npx vitest run protocol
    and say in the commit why old clients and servers are right with it;
  - additive, and a release with version ${PROTOCOL_MAX} is out: add a line to VERSIONS in protocol/version.ts, mark what is new with
    \`since: ${PROTOCOL_MAX + 1}\`, then record;
  - breaking: the same, and raise PROTOCOL_MIN.
`;

describe('versions', () => {
  it('[CON3] the contract is the one that was recorded', () => {
    const path = join(import.meta.dirname, `golden/v${PROTOCOL_MAX}/digest.json`);
    if (isRecording) writeFileSync(path, `${JSON.stringify(current, null, 2)}\n`);
    expect(existsSync(path), `there is no digest of version ${PROTOCOL_MAX} yet.${WHAT_TO_DO}`).toBe(true);
    expect(current, WHAT_TO_DO).toEqual(JSON.parse(readFileSync(path, 'utf8')));
  });

  it('[CON3] the digest notices what a person might overlook', () => {
    const call = calls.find(({ name }) => name === 'movies.list')!;
    const changes: Partial<Call>[] = [
      { permission: 'self' },
      { since: 2 },
      { input: calls.find(({ name }) => name === 'movies.get')!.input },
      { failures: { gone: call.output } },
      { http: { method: 'POST', path: '/movies' } },
    ];
    for (const change of changes) expect(callDigest({ ...call, ...change })).not.toBe(callDigest(call));
  });

  it('[VER1] the lines of VERSIONS count up to the newest, and nothing is newer than that', () => {
    expect(VERSIONS.map(({ version }) => version)).toEqual(VERSIONS.map((_, index) => index + 1));
    expect(PROTOCOL_MIN).toBeLessThanOrEqual(PROTOCOL_MAX);
    for (const { name, since } of [...calls, ...feeds]) {
      expect([name, since <= PROTOCOL_MAX && since >= 1]).toEqual([name, true]);
    }
  });

  it('[VER1] [VER2] agrees on the highest version that both speak, or says who is outdated', () => {
    const range = fc.tuple(fc.nat(9), fc.nat(9)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    fc.assert(
      fc.property(range, range, (client, server) => {
        const agreed = agreeVersion(client, server);
        const common = Array.from({ length: 10 }, (_, version) => version).filter(
          (version) => version >= client[0] && version <= client[1] && version >= server[0] && version <= server[1],
        );
        if (common.length > 0) expect(agreed).toEqual({ version: common.at(-1) });
        else expect(agreed).toEqual({ outdated: client[1] < server[0] ? 'client' : 'server' });
      }),
    );
  });
});
