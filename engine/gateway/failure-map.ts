/**
 * The one place where what was thrown becomes what the caller is told. Declared and common failures pass, if their data is
 * what their schema says; everything else is a defect: it is logged here, once, with an id that the caller gets instead.
 */
import * as v from 'valibot';
import { ActorError } from '#engine/runtime/actor.ts';
import type { Log } from '#engine/base/log.ts';
import type { Call, Schema } from '#protocol/contract.ts';
import { COMMON_FAILURES, HTTP_STATUS_BY_FAILURE, commonFailure, isFailure } from '#protocol/errors.ts';
import type { CommonFailureCode, Failure } from '#protocol/errors.ts';

export class FailureMap {
  readonly #log: Log;
  readonly #createId: () => string;

  constructor(log: Log, createId: () => string) {
    this.#log = log;
    this.#createId = createId;
  }

  /** `call` is `null` outside of calls. `signal`: what stopped the work; a failure that only follows from that is not a defect. */
  explain(error: unknown, call: Call | null, signal?: AbortSignal): Failure {
    if (isFailure(error)) {
      const schema = schemaOf(error.code, call);
      if (schema !== null && v.is(schema, error.data)) return error;
      return this.#defect(
        new Error(`the failure "${error.code}" is not declared, or its data is not as declared`, { cause: error }),
        call,
      );
    }
    // What the handler threw because it was told to stop says nothing beyond that.
    if (signal?.aborted) return isFailure(signal.reason) ? signal.reason : commonFailure('cancelled', {});
    if (error instanceof ActorError) {
      if (error.code === 'timeout') return commonFailure('timeout', { afterMs: 0 }, error.message);
      return commonFailure('overloaded', { retryAfterMs: 1_000 }, error.message);
    }
    return this.#defect(error, call);
  }

  #defect(error: unknown, call: Call | null): Failure {
    const errorId = this.#createId();
    this.#log.error('a call ended in a defect', { errorId, call: call?.name ?? null, error });
    return commonFailure(
      'internal',
      { errorId },
      'Something went wrong on the server. Its log has the details under this id.',
    );
  }
}

function schemaOf(code: string, call: Call | null): Schema | null {
  if (call && Object.hasOwn(call.failures, code)) return call.failures[code]!;
  return Object.hasOwn(COMMON_FAILURES, code) ? COMMON_FAILURES[code as CommonFailureCode] : null;
}

/** Status of a failure by HTTP: the common table, then what the call says, then 409. */
export function httpStatusOf(failure: Failure, call: Call | null): number {
  const own = call?.statusByFailure?.[failure.code];
  if (own !== undefined) return own;
  return Object.hasOwn(HTTP_STATUS_BY_FAILURE, failure.code)
    ? HTTP_STATUS_BY_FAILURE[failure.code as CommonFailureCode]
    : 409;
}
