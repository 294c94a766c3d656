/** Failures that any call may end in. A call's own failures stand in its contract; the four kinds of error are in SPEC.md, section 6. */
import * as v from 'valibot';
import { Count } from './schema/scalar.ts';

export const COMMON_FAILURES = {
  /** The input does not match the call's schema. `path` is a JSON pointer into the input. */
  badRequest: v.object({ issues: v.array(v.object({ path: v.string(), message: v.string() })) }),
  /** No session, or the session has ended. */
  unauthenticated: v.object({}),
  /** Signed in, but without the permission. */
  forbidden: v.object({ permission: v.string() }),
  /** The named thing does not exist, or this person may not know of it: the two are not told apart. */
  notFound: v.object({ what: v.string(), id: v.string() }),
  unknownMethod: v.object({ method: v.union([v.string(), v.number()]) }),
  /** The server has too much to do; nothing was changed. */
  overloaded: v.object({ retryAfterMs: Count }),
  rateLimited: v.object({ retryAfterMs: Count }),
  timeout: v.object({ afterMs: Count }),
  cancelled: v.object({}),
  /** A defect. `errorId` finds it in the server's log. */
  internal: v.object({ errorId: v.string() }),
} as const;

export type CommonFailureCode = keyof typeof COMMON_FAILURES;
export type CommonFailureData<C extends CommonFailureCode> = v.InferOutput<(typeof COMMON_FAILURES)[C]>;

/** HTTP status of a failure on the bridge (RFC 9110). Codes that are not listed here are a call's own and answer 409, unless the call says otherwise. */
export const HTTP_STATUS_BY_FAILURE: Readonly<Record<CommonFailureCode, number>> = {
  badRequest: 400,
  unauthenticated: 401,
  forbidden: 403,
  notFound: 404,
  unknownMethod: 404,
  overloaded: 503,
  rateLimited: 429,
  timeout: 504,
  cancelled: 499,
  internal: 500,
};

/**
 * A failure on its way to a caller: thrown by handlers, rebuilt by the client. `message` is English for logs and scripts;
 * what a person reads is chosen by the client from `code` and `data`.
 */
export class Failure<Code extends string = string, Data = unknown> extends Error {
  readonly code: Code;
  readonly data: Data;
  constructor(code: Code, data: Data, message?: string) {
    super(message ?? code);
    this.name = 'Failure';
    this.code = code;
    this.data = data;
  }
}

/** What a common failure says in logs and scripts where nobody says it better. */
const COMMON_MESSAGES: { readonly [C in CommonFailureCode]: (data: CommonFailureData<C>) => string } = {
  badRequest: ({ issues }) =>
    `The input does not fit: ${issues.map(({ path, message }) => `${path || '/'} ${message}`).join('; ')}.`,
  unauthenticated: () => 'Nobody is signed in here: sign in first.',
  forbidden: ({ permission }) => `This needs the permission ${permission}.`,
  notFound: ({ what, id }) => `There is no ${what} ${id}.`,
  unknownMethod: ({ method }) => `There is no call ${method}.`,
  overloaded: ({ retryAfterMs }) =>
    `The server has too much to do. Try again in ${retryAfterMs} ms; nothing was changed.`,
  rateLimited: ({ retryAfterMs }) => `Too many calls. Try again in ${retryAfterMs} ms.`,
  timeout: ({ afterMs }) => `There was no answer within ${afterMs} ms.`,
  cancelled: () => 'The call was cancelled.',
  internal: ({ errorId }) => `Something went wrong in the server. Its log says more under ${errorId}.`,
};

/** Makes a common failure with the data its schema asks for. */
export function commonFailure<C extends CommonFailureCode>(
  code: C,
  data: CommonFailureData<C>,
  message: string = defaultMessage(code, data),
): Failure<C, CommonFailureData<C>> {
  return new Failure(code, data, message);
}

/** What a failure says where its handler says nothing: a common one its own sentence, any other its code. */
export function defaultMessage(code: string, data: unknown): string {
  return isCommonFailureCode(code) ? COMMON_MESSAGES[code](data as never) : code;
}

const isCommonFailureCode = (code: string): code is CommonFailureCode => Object.hasOwn(COMMON_FAILURES, code);

export function isFailure(error: unknown): error is Failure {
  return error instanceof Failure;
}
