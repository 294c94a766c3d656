/** What the engine's side of a call looks like: types only, so that a missing handler or an undeclared failure does not compile. */
import type * as v from 'valibot';
import type { Call, FailureSchemas, OutputOf, ParsedInputOf } from './contract.ts';
import type { CommonFailureCode, CommonFailureData } from './errors.ts';
import type { Viewer } from './schema/account.ts';

type FailureData<F extends FailureSchemas, Code extends string> = Code extends keyof F
  ? v.InferOutput<F[Code]>
  : Code extends CommonFailureCode
    ? CommonFailureData<Code>
    : never;

/** Who calls, from where, and until when the answer is wanted. */
export interface CallContext<C extends Call = Call> {
  /** `null` only in calls whose permission is `public`. */
  readonly viewer: Viewer | null;
  readonly sessionId: string | null;
  /** Aborted by a cancel frame, a dropped connection or the deadline. */
  readonly signal: AbortSignal;
  /** The client's address as text, after trusted proxies have been taken into account. */
  readonly address: string;
  /** What the client called itself (`User-Agent`, or the hello's client), at most 200 characters. */
  readonly agent: string;
  /** True where the client reached us by TLS, itself or through a trusted proxy. */
  readonly isSecure: boolean;
  /** Sets or (with `null`) clears the session cookie of the reply. Only calls marked `only: 'http'` may. */
  setSessionToken(token: string | null): void;
  /** Ends the call with a failure that its contract declares, or a common one. */
  fail<Code extends (keyof C['failures'] & string) | CommonFailureCode>(
    this: void,
    code: Code,
    data: FailureData<C['failures'], Code>,
    message?: string,
  ): never;
}

/** A context in which someone is signed in: what handlers of every call that is not public receive. */
export interface SignedInContext<C extends Call = Call> extends CallContext<C> {
  readonly viewer: Viewer;
  readonly sessionId: string;
}

export type Handler<C extends Call> = (
  input: ParsedInputOf<C>,
  context: C['permission'] extends 'public' ? CallContext<C> : SignedInContext<C>,
) => Promise<OutputOf<C>> | OutputOf<C>;

/** One handler for each call of a group. */
export type Handlers<Group extends Readonly<Record<string, Call>>> = {
  readonly [Name in keyof Group]: Handler<Group[Name]>;
};
