/** What a call can end in beside a failure of the contract: the connection itself. */
import * as v from 'valibot';
import type { Call } from '#protocol/contract.ts';
import { COMMON_FAILURES, Failure, type CommonFailureCode } from '#protocol/errors.ts';

/**
 * The connection ended before the answer came, or there is none to be had. Whether the server did what was asked is not
 * known where `wasSent` is true. `code` is a close code, 0 where no connection was ever open.
 */
export class ConnectionLost extends Error {
  readonly code: number;
  readonly wasSent: boolean;
  constructor(code: number, wasSent: boolean, message: string) {
    super(message);
    this.name = 'ConnectionLost';
    this.code = code;
    this.wasSent = wasSent;
  }
}

/** What came from the server is not what the contract says: one of the two is broken, or a proxy is between them. */
export class ContractBreach extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ContractBreach';
  }
}

/** Rebuilds the failure that a server sent for `call`. A code that is not known here, from a newer server, passes with its data as it is. */
export function failureOf(call: Call, code: string, data: unknown, message: string): Error {
  const schema = Object.hasOwn(call.failures, code)
    ? call.failures[code]!
    : Object.hasOwn(COMMON_FAILURES, code)
      ? COMMON_FAILURES[code as CommonFailureCode]
      : null;
  if (schema === null) return new Failure(code, data, message);
  const parsed = v.safeParse(schema, data);
  return parsed.success
    ? new Failure(code, parsed.output, message)
    : new ContractBreach(`${call.name} failed with ${code}, but its data is not as the contract says`);
}

/** The output as the contract says it is, or a `ContractBreach`. */
export function outputOf(call: Call, value: unknown): unknown {
  const parsed = v.safeParse(call.output, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new ContractBreach(
    `the reply to ${call.name} is not as the contract says: ${v.getDotPath(issue) ?? 'it'}: ${issue.message}`,
  );
}
