/**
 * The calls of the contract as JSON by HTTP, below /api/v1: nothing here knows any one of them. Rules BRIDGE1 to BRIDGE6 of
 * SPEC.md.
 */
import type { Clock } from '#engine/base/clock.ts';
import { commonFailure } from '#protocol/errors.ts';
import type { Permission } from '#protocol/permission.ts';
import { LIMITS } from '#protocol/frame.ts';
import { CallBudget } from './call-budget.ts';
import { CallScope, deadlineMsOf, invoke, type BoundCall, type Caller } from './dispatch.ts';
import type { FailureMap } from './failure-map.ts';
import type { HttpRequest, HttpRoute } from './http.ts';
import { failureProblem, problem } from './problem.ts';
import { inputReader } from './query-input.ts';
import { setCookieHeader } from './session-cookie.ts';

export const API_PREFIX = '/api/v1';
/** Bodies are as large as frames may be. */
const BODY_LIMIT_BYTES = LIMITS.frameBytes;
const NO_PERMISSIONS: ReadonlySet<Permission> = new Set();

export interface BridgeOptions {
  readonly calls: readonly BoundCall[];
  readonly failures: FailureMap;
  readonly clock: Clock;
  /** Calls per second for each session, or for each address without one. */
  readonly callsPerSecond: number;
}

export function bridgeRoutes(options: BridgeOptions): HttpRoute[] {
  const budgets = new Budgets(options.clock, options.callsPerSecond);
  return options.calls
    .filter(({ call }) => call.http !== undefined && call.only !== 'socket')
    .map((bound) => bridgeRoute(bound, options, budgets));
}

function bridgeRoute(bound: BoundCall, { failures, clock }: BridgeOptions, budgets: Budgets): HttpRoute {
  const { call } = bound;
  const { method, path } = call.http!;
  const readTexts = inputReader(call.input);
  const isInQuery = method === 'GET' || method === 'DELETE';

  /** The input as its schema wants it, or `null` for a body that is not JSON. Path parameters go before anything else. */
  const inputOf = (request: HttpRequest): Record<string, unknown> | null => {
    const params = readTexts(Object.entries(request.params));
    if (isInQuery) return { ...readTexts(request.query), ...params };
    const body = request.body.length === 0 ? {} : parseJson(request.body);
    return isObject(body) ? { ...body, ...params } : null;
  };

  return {
    method,
    path: `${API_PREFIX}${path}`,
    access: call.permission === 'public' ? 'public' : 'session',
    bodyLimitBytes: isInQuery ? 0 : BODY_LIMIT_BYTES,
    async handle(request, response) {
      const send = (reply: ReturnType<typeof problem>): void => response.send(reply.status, reply.headers, reply.body);
      if (
        request.body.length > 0 &&
        !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')
      ) {
        return send(problem('unsupportedMediaType', request.id, { accept: 'application/json' }));
      }
      const { signedIn } = request;
      const caller: Caller = {
        viewer: signedIn?.viewer ?? null,
        sessionId: signedIn?.sessionId ?? null,
        permissions: signedIn ? new Set(signedIn.viewer.permissions) : NO_PERMISSIONS,
        address: request.address,
        agent: (request.headers['user-agent'] ?? '').slice(0, 200),
        isSecure: request.isSecure,
      };
      const scope = new HttpScope(caller, request.isSecure, call.only === 'http');
      const leave = (): void => scope.stop(commonFailure('cancelled', {}));
      request.signal.addEventListener('abort', leave, { once: true });
      try {
        const waitMs = budgets.spend(signedIn?.sessionId ?? request.address);
        if (waitMs > 0) {
          throw commonFailure(
            'rateLimited',
            { retryAfterMs: Math.min(waitMs, 60_000) },
            'More calls than the limits allow.',
          );
        }
        const input = inputOf(request);
        if (input === null) return send(problem('badRequest', request.id, {}, 'The body is not a JSON object.'));
        const output = await withDeadline(
          () => invoke(bound, input, caller, scope),
          scope,
          deadlineMsOf(call, null),
          clock,
        );
        const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', ...scope.replyHeaders };
        response.send(200, headers, JSON.stringify(output));
      } catch (error) {
        if (!response.isGone) {
          send(failureProblem(failures.explain(error, call, scope.abortedSignal), call, request.id));
        }
      } finally {
        request.signal.removeEventListener('abort', leave);
      }
    },
  };
}

class HttpScope extends CallScope {
  readonly replyHeaders: Record<string, string> = {};
  readonly #isSecure: boolean;
  readonly #maySet: boolean;

  constructor(caller: Caller, isSecure: boolean, maySet: boolean) {
    super(caller);
    this.#isSecure = isSecure;
    this.#maySet = maySet;
  }

  override setSessionToken(token: string | null): void {
    if (!this.#maySet) return super.setSessionToken(token);
    this.replyHeaders['set-cookie'] = setCookieHeader(token, this.#isSecure);
  }
}

/** Runs `work`; rejects with `timeout` when it takes longer, and stops its scope. */
async function withDeadline(work: () => unknown, scope: CallScope, deadlineMs: number, clock: Clock): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>();
  using _timer = clock.after(deadlineMs, () => {
    const timeout = commonFailure('timeout', { afterMs: deadlineMs }, `The call took longer than ${deadlineMs} ms.`);
    scope.stop(timeout);
    reject(timeout);
  });
  return await Promise.race([(async () => await work())(), promise]);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MAX_BUDGETS = 10_000;

/** One budget for each session or address. Full ones are forgotten when there are many: they hold nothing to remember. */
class Budgets {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #byCaller = new Map<string, CallBudget>();

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  spend(caller: string): number {
    const nowMs = this.#clock.monotonicMs();
    let budget = this.#byCaller.get(caller);
    if (!budget) {
      if (this.#byCaller.size >= MAX_BUDGETS) this.#forgetFull(nowMs);
      this.#byCaller.set(caller, (budget = new CallBudget(this.#perSecond, nowMs)));
    }
    return budget.spend(nowMs);
  }

  #forgetFull(nowMs: number): void {
    for (const [caller, budget] of this.#byCaller) if (budget.isFull(nowMs)) this.#byCaller.delete(caller);
    // All of them in use: the oldest goes. Memory is bounded before fairness is perfect.
    if (this.#byCaller.size >= MAX_BUDGETS) this.#byCaller.delete(this.#byCaller.keys().next().value!);
  }
}
