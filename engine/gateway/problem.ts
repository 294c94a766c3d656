/** Errors by HTTP: problem details (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import type { Call } from '#protocol/contract.ts';
import type { CommonFailureCode, CommonFailureData, Failure } from '#protocol/errors.ts';
import { httpStatusOf } from './failure-map.ts';
import type { ReplyHeaders } from './http.ts';

/** Problems of HTTP itself, beside the failures of the contract. Closed; each is a `code` and the end of a `type`. */
export const HTTP_PROBLEMS = {
  notFound: { status: 404, detail: 'There is nothing at this address.' },
  methodNotAllowed: { status: 405, detail: 'This address does not take this method; `Allow` names those it takes.' },
  requestTimeout: { status: 408, detail: 'The body did not arrive in time.' },
  bodyTooLarge: { status: 413, detail: 'The body is larger than this address takes.' },
  unsupportedMediaType: { status: 415, detail: 'Send the body as application/json.' },
  notAWebSocket: { status: 426, detail: 'This address speaks WebSocket only, with the subprotocol matinee.msgpack.' },
  badRequest: { status: 400, detail: 'The request can’t be understood.' },
  unauthenticated: { status: 401, detail: 'Sign in first.' },
  foreignOrigin: {
    status: 403,
    detail:
      'A request that changes something must not come from a page of another origin. Add that origin to the allowed ones if it is yours.',
  },
  starting: { status: 503, detail: 'The server is starting.' },
} as const;
export type HttpProblem = keyof typeof HTTP_PROBLEMS;

const COMMON_DATA = {
  notFound: { what: 'address', id: '' },
  badRequest: { issues: [] },
  unauthenticated: {},
} as const satisfies { [Code in CommonFailureCode]?: CommonFailureData<Code> };

export interface ProblemReply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: string;
}

/** `instance` is the request's id: what to look for in the log. */
export function problem(
  name: HttpProblem,
  requestId: string,
  headers: ReplyHeaders = {},
  detail?: string,
): ProblemReply {
  const { status, detail: usual } = HTTP_PROBLEMS[name];
  return reply(
    status,
    name,
    detail ?? usual,
    requestId,
    // Where the code is one of the contract's, so is the data: a client reads both kinds of reply the same way.
    Object.hasOwn(COMMON_DATA, name) ? { data: COMMON_DATA[name as keyof typeof COMMON_DATA] } : {},
    status === 401 ? { ...AUTHENTICATE, ...headers } : headers,
  );
}

/** The same failure that a socket would carry: `code` and `data` stand in it as extension members. */
export function failureProblem(failure: Failure, call: Call | null, requestId: string): ProblemReply {
  const status = httpStatusOf(failure, call);
  const data = (typeof failure.data === 'object' && failure.data !== null ? failure.data : {}) as {
    retryAfterMs?: unknown;
    issues?: unknown;
  };
  const headers: Record<string, string> = status === 401 ? { ...AUTHENTICATE } : {};
  if (typeof data.retryAfterMs === 'number') {
    headers['retry-after'] = String(Math.max(1, Math.ceil(data.retryAfterMs / 1_000)));
  }
  const errors =
    Array.isArray(data.issues) && failure.code === 'badRequest' ? { errors: data.issues.map(toPointer) } : {};
  return reply(status, failure.code, failure.message, requestId, { data: failure.data, ...errors }, headers);
}

/** RFC 9110, section 15.5.2: a 401 says how to do better. */
const AUTHENTICATE = { 'www-authenticate': 'Bearer realm="matinee"' } as const;

function toPointer(issue: unknown): { pointer: string; detail: string } {
  const { path, message } = issue as { path: string; message: string };
  return { pointer: `#${path}`, detail: message };
}

function reply(
  status: number,
  code: string,
  detail: string,
  requestId: string,
  members: Readonly<Record<string, unknown>>,
  headers: ReplyHeaders,
): ProblemReply {
  const body = {
    type: `urn:matinee:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    instance: `urn:uuid:${requestId}`,
    code,
    ...members,
  };
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}
