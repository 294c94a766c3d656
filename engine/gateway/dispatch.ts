/**
 * From a call's number to its handler: permission, then parsing, then the handler, the same for socket and HTTP. Handlers
 * are bound to the contract by type, so one that is missing, or answers something else, does not compile.
 */
import * as v from 'valibot';
import type { Call } from '#protocol/contract.ts';
import { Failure, commonFailure, defaultMessage } from '#protocol/errors.ts';
import type { CallContext, Handlers } from '#protocol/handler.ts';
import type { Permission } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { plainTestOf, type PlainTest } from './plain-input.ts';

/** A call with the engine's side of it. */
export interface BoundCall {
  readonly call: Call;
  readonly handle: (input: unknown, context: CallContext) => unknown;
  /** Tells input that need not be parsed; `null` where all must be. */
  readonly isPlain: PlainTest | null;
}

/** Groups of calls by name, as `contract` is. */
export type Groups = Readonly<Record<string, Readonly<Record<string, Call>>>>;
export type HandlersOf<G extends Groups> = { readonly [Name in keyof G]: Handlers<G[Name]> };

/** Puts calls and handlers together. Throws where two calls share an id or a name. */
export function bindHandlers<G extends Groups>(groups: G, handlers: HandlersOf<G>): BoundCall[] {
  const bound = Object.entries(groups).flatMap(([group, groupCalls]) =>
    Object.entries(groupCalls).map(([verb, call]): BoundCall => {
      const own = (handlers as Record<string, Record<string, BoundCall['handle']> | undefined>)[group];
      const handle = own?.[verb];
      if (!handle) throw new Error(`the call ${call.name} has no handler: ${group}.${verb}`);
      // Bound to its group, so that handlers may be methods.
      return { call, handle: handle.bind(own), isPlain: plainTestOf(call.input) };
    }),
  );
  assertUnique(bound);
  return bound;
}

function assertUnique(calls: readonly BoundCall[]): void {
  const seen = new Set<string | number>();
  for (const { call } of calls) {
    for (const mark of [call.id, call.name]) {
      if (seen.has(mark)) throw new Error(`two calls are called ${mark}: ids and names are never shared [CON1]`);
      seen.add(mark);
    }
  }
}

export interface Caller {
  readonly viewer: Viewer | null;
  readonly sessionId: string | null;
  /** What the viewer may do, as a set: it is asked for with every call. */
  readonly permissions: ReadonlySet<Permission>;
  readonly address: string;
  readonly agent: string;
  readonly isSecure: boolean;
}

/** `self` belongs to every session, `public` to everyone. */
export function isAllowed(permission: Permission, caller: Pick<Caller, 'viewer' | 'permissions'>): boolean {
  if (permission === 'public') return true;
  return caller.viewer !== null && (permission === 'self' || caller.permissions.has(permission));
}

/** One call on its way: what its handler gets as context, and how it is stopped. The signal is made when first asked for. */
export class CallScope implements CallContext {
  readonly #caller: Caller;
  #abort: AbortController | null = null;
  #stopped: Error | null = null;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get viewer(): Viewer | null {
    return this.#caller.viewer;
  }

  get sessionId(): string | null {
    return this.#caller.sessionId;
  }

  get address(): string {
    return this.#caller.address;
  }

  get agent(): string {
    return this.#caller.agent;
  }

  get isSecure(): boolean {
    return this.#caller.isSecure;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#stopped) this.#abort.abort(this.#stopped);
    }
    return this.#abort.signal;
  }

  /** The signal, if the call was stopped: what failure-map.ts asks for, without making one for every call. */
  get abortedSignal(): AbortSignal | undefined {
    return this.#stopped ? this.signal : undefined;
  }

  stop(reason: Error): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    this.#abort?.abort(reason);
  }

  readonly fail: CallContext['fail'] = failNow;

  /** A socket carries no cookies; the bridge overrides this. */
  setSessionToken(_token: string | null): void {
    throw new Error('only calls by HTTP can set the session cookie: mark the call `only: "http"`');
  }
}

/** Without `this`, so that a handler may take it out of its context. */
const failNow = ((code: string, data: unknown, message?: string): never => {
  throw new Failure(code, data, message ?? defaultMessage(code, data));
}) as CallContext['fail'];

/**
 * Calls the handler with parsed input. Throws, or rejects with, whatever the handler does, and `unauthenticated`,
 * `forbidden` or `badRequest` before it. The result is a promise only where the handler's is.
 */
export function invoke(
  { call, handle, isPlain }: BoundCall,
  rawInput: unknown,
  caller: Caller,
  scope: CallScope,
): unknown {
  if (!isAllowed(call.permission, caller)) {
    throw caller.viewer === null
      ? commonFailure('unauthenticated', {}, 'Sign in first.')
      : commonFailure('forbidden', { permission: call.permission }, `This needs the permission ${call.permission}.`);
  }
  if (isPlain?.(rawInput)) return handle(rawInput, scope);
  const parsed = v.safeParse(call.input, rawInput, { abortPipeEarly: true });
  if (!parsed.success) throw badRequest(parsed.issues);
  return handle(parsed.output, scope);
}

/** How long a call may take: what its contract says, or less where the caller wants less [WIRE8]. */
export function deadlineMsOf(call: Call, wantedMs: number | null): number {
  const own = call.deadlineMs ?? DEFAULT_DEADLINE_MS;
  return wantedMs === null ? own : Math.min(own, Math.max(1, wantedMs));
}

const DEFAULT_DEADLINE_MS = 15_000;
const MAX_ISSUES = 20;

/** The first 20 issues, each with a JSON pointer into the input (RFC 6901). */
export function badRequest(issues: readonly v.BaseIssue<unknown>[]): Failure {
  return commonFailure(
    'badRequest',
    { issues: issues.slice(0, MAX_ISSUES).map((issue) => ({ path: pointerOf(issue), message: issue.message })) },
    'The input is not what this call takes.',
  );
}

function pointerOf(issue: v.BaseIssue<unknown>): string {
  return (issue.path ?? []).map(({ key }) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
