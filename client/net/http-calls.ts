/** Calls of the contract by HTTP: for those that set or clear the session, and for what runs before there is a socket. */
import type { Call, InputOf, OutputOf } from '#protocol/contract.ts';
import { Failure } from '#protocol/errors.ts';
import { ConnectionLost, ContractBreach, failureOf, outputOf } from './net-error.ts';

export interface HttpCallsOptions {
  /** `https://films.example`; in a browser `location.origin`. */
  readonly serverUrl: string;
  /** Sent with every request: the bearer token of a script. Browsers send the cookie by themselves. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** The platform's own unless told. */
  readonly fetch?: typeof fetch;
}

export interface HttpCalls {
  /** Rejects with a `Failure` of the contract, a `ConnectionLost`, or a `ContractBreach`. */
  request<C extends Call>(call: C, input: InputOf<C>, options?: { signal?: AbortSignal }): Promise<OutputOf<C>>;
}

const API_PREFIX = '/api/v1';

export function createHttpCalls({ serverUrl, headers, fetch: send = fetch }: HttpCallsOptions): HttpCalls {
  return {
    async request<C extends Call>(
      call: C,
      input: InputOf<C>,
      { signal }: { signal?: AbortSignal } = {},
    ): Promise<OutputOf<C>> {
      if (!call.http) throw new Failure('unknownMethod', { method: call.name }, `${call.name} is not offered by HTTP.`);
      const { method, path } = call.http;
      const rest = new Map(
        Object.entries((input ?? {}) as Record<string, unknown>).filter(([, value]) => value !== undefined),
      );
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const value = rest.get(name);
        rest.delete(name);
        return encodeURIComponent(String(value));
      });
      const url = new URL(`${API_PREFIX}${filled}`, serverUrl);
      const isInQuery = method === 'GET' || method === 'DELETE';
      if (isInQuery) {
        for (const [name, value] of rest) {
          for (const item of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(item));
        }
      }
      let response: Response;
      let text: string;
      try {
        response = await send(url, {
          method,
          headers: {
            accept: 'application/json',
            ...(isInQuery ? {} : { 'content-type': 'application/json' }),
            ...headers?.(),
          },
          ...(isInQuery ? {} : { body: JSON.stringify(Object.fromEntries(rest)) }),
          credentials: 'same-origin',
          cache: 'no-store',
          redirect: 'error',
          ...(signal ? { signal } : {}),
        });
        text = await response.text();
      } catch (error) {
        if (signal?.aborted) throw new Failure('cancelled', {}, 'Cancelled.');
        throw new ConnectionLost(0, true, `${url.origin} can't be reached: ${reasonOf(error)}`);
      }
      const reply = parseJson(text);
      if (response.ok && reply !== undefined) return outputOf(call, reply);
      if (isProblem(reply)) throw failureOf(call, reply.code, reply.data ?? {}, reply.detail);
      throw new ContractBreach(
        `${call.name} was answered with ${response.status} and no problem of ours: is ${url.origin} a Matinee?`,
      );
    },
  };
}

/** Node's fetch says only “fetch failed”; what happened stands in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const isProblem = (value: unknown): value is { code: string; detail: string; data?: unknown } =>
  typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string';
