/**
 * The OpenAPI 3.1 document of the JSON bridge. Everything in it is read off the contract; nothing is written by hand, so it
 * can't be wrong about a call. Building it takes some ten milliseconds: it is done once, when it is first asked for.
 */
import { toJsonSchema, toJsonSchemaDefs, type ConversionConfig } from '@valibot/to-json-schema';
import type { Call, Schema } from '#protocol/contract.ts';
import { COMMON_FAILURES, HTTP_STATUS_BY_FAILURE, type CommonFailureCode } from '#protocol/errors.ts';
import * as account from '#protocol/schema/account.ts';
import * as health from '#protocol/schema/health.ts';
import * as job from '#protocol/schema/job.ts';
import * as library from '#protocol/schema/library.ts';
import * as media from '#protocol/schema/media.ts';
import * as movie from '#protocol/schema/movie.ts';
import * as playback from '#protocol/schema/playback.ts';
import * as progress from '#protocol/schema/progress.ts';
import * as scalar from '#protocol/schema/scalar.ts';
import { API_PREFIX } from './bridge.ts';

type Json = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema';

/** The shared nouns, under the names that they are exported by; of several names for one schema, the first. */
const NOUNS: Readonly<Record<string, Schema>> = Object.fromEntries(
  [scalar, account, health, job, library, media, progress, movie, playback]
    .flatMap((module) => Object.entries(module as Readonly<Record<string, unknown>>))
    .filter((entry): entry is [string, Schema] => isSchema(entry[1]))
    .filter(([, schema], index, all) => all.findIndex(([, other]) => other === schema) === index),
);

const config = (typeMode: 'input' | 'output'): ConversionConfig => ({
  target: 'draft-2020-12',
  typeMode,
  // What JSON Schema can't say (a check by a function) is left out: it still holds, and its failure says so.
  errorMode: 'ignore',
  definitions: NOUNS,
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
});

/** A schema without the definitions that it refers to, which stand in `components`. */
function schemaOf(schema: Schema, typeMode: 'input' | 'output'): Json {
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema, config(typeMode)) as Json;
  return rest;
}

/** `serverVersion` stands in the document; `calls` are those that the bridge offers. */
export function openApiDocument(calls: readonly Call[], serverVersion: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const call of calls) {
    if (!call.http || call.only === 'socket') continue;
    (paths[call.http.path] ??= {})[call.http.method.toLowerCase()] = operation(call);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Matinee',
      version: serverVersion,
      summary: 'The calls of the socket, as JSON by HTTP.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
    },
    servers: [{ url: API_PREFIX }],
    security: [{ cookie: [] }, { bearer: [] }],
    tags: [...new Set(calls.filter(({ http }) => http).map(groupOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: {
        ...(toJsonSchemaDefs(NOUNS as NonNullable<ConversionConfig['definitions']>, config('output')) as Json),
        Problem: PROBLEM,
      },
      responses: commonResponses(),
      securitySchemes: {
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: 'matinee_session',
          description:
            'Set by `session.create`; behind TLS its name begins with `__Host-`. Requests that change something must come from a page of this server.',
        },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same token, for scripts.' },
      },
    },
  };
}

const groupOf = (call: Call): string => call.name.split('.')[0]!;

function operation(call: Call): Json {
  const { method, path } = call.http!;
  const input = schemaOf(call.input, 'input') as { properties?: Record<string, Json>; required?: readonly string[] };
  const inPath = new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!));
  const others = Object.entries(input.properties ?? {}).filter(([name]) => !inPath.has(name));
  const required = new Set(input.required);
  const isInQuery = method === 'GET' || method === 'DELETE';
  return {
    operationId: call.name,
    summary: call.summary,
    tags: [groupOf(call)],
    description: `Permission: \`${call.permission}\`.`,
    ...(call.permission === 'public' ? { security: [] } : {}),
    parameters: [
      ...[...inPath].map((name) => ({
        name,
        in: 'path',
        required: true,
        schema: input.properties?.[name] ?? { type: 'string' },
      })),
      ...(isInQuery
        ? others.map(([name, schema]) => ({ name, in: 'query', required: required.has(name), schema }))
        : []),
    ],
    ...(isInQuery || others.length === 0
      ? {}
      : {
          requestBody: {
            required: others.some(([name]) => required.has(name)),
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  properties: Object.fromEntries(others),
                  required: others.map(([name]) => name).filter((name) => required.has(name)),
                },
              },
            },
          },
        }),
    responses: responses(call),
  };
}

function responses(call: Call): Json {
  const own = Map.groupBy(Object.entries(call.failures), ([code]) => String(call.statusByFailure?.[code] ?? 409));
  return {
    200: { description: 'Done.', content: { 'application/json': { schema: schemaOf(call.output, 'output') } } },
    ...Object.fromEntries(
      [...own].map(([status, failures]) => [
        status,
        problemResponse(
          failures.map(([code]) => `\`${code}\``).join(' or '),
          failures.map(([code, schema]) => ({ code, data: schemaOf(schema, 'output') })),
        ),
      ]),
    ),
    ...Object.fromEntries(
      [...COMMON_BY_STATUS.keys()]
        .filter(
          (status) => !own.has(status) && (call.permission !== 'public' || (status !== '401' && status !== '403')),
        )
        .map((status) => [status, { $ref: `#/components/responses/${status}` }]),
    ),
  };
}

/** `cancelled` never reaches anyone by HTTP: who cancels is gone. */
const COMMON_BY_STATUS = Map.groupBy(
  (Object.keys(COMMON_FAILURES) as CommonFailureCode[]).filter((code) => code !== 'cancelled'),
  (code) => String(HTTP_STATUS_BY_FAILURE[code]),
);

const commonResponses = (): Json =>
  Object.fromEntries(
    [...COMMON_BY_STATUS].map(([status, codes]) => [
      status,
      problemResponse(
        codes.map((code) => `\`${code}\``).join(' or '),
        codes.map((code) => ({ code, data: schemaOf(COMMON_FAILURES[code], 'output') })),
      ),
    ]),
  );

/** RFC 9457, with what a failure carries on the socket as `code` and `data`. */
const PROBLEM: Json = {
  type: 'object',
  description: 'Problem details (RFC 9457). `type` is `urn:matinee:problem:` and the code.',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: {
      type: 'string',
      format: 'uri',
      description: 'The request’s id, also in `X-Request-Id` and in the log.',
    },
    code: { type: 'string' },
    data: { type: 'object' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
};

function problemResponse(description: string, failures: readonly { code: string; data: Json }[]): Json {
  const variants = failures.map(({ code, data }) => ({
    allOf: [{ $ref: '#/components/schemas/Problem' }],
    type: 'object',
    properties: { code: { const: code }, data },
  }));
  return {
    description,
    content: { 'application/problem+json': { schema: variants.length === 1 ? variants[0] : { oneOf: variants } } },
  };
}
