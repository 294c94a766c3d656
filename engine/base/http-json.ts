/**
 * Asking other programs over HTTP, with bounds: every request ends within its time, no reply takes more memory than was
 * allowed, and no redirect is followed (it could lead to another host, with our key in the headers). What goes wrong is one
 * of five kinds, and its message names the host and nothing that could be secret.
 */
import { Agent, ProxyAgent, fetch } from 'undici';
import type { Dispatcher, Response } from 'undici';
import { splitJsonList } from './json-list.ts';

export type { Dispatcher } from 'undici';

/**
 * `timeout`: not complete within the time. `tooLarge`: the reply is larger than allowed. `notJson`: a good status with something else than JSON.
 * `network`: no connection, or one that broke; `code` has the system's word. `aborted`: the caller's signal.
 */
export const HTTP_FAILURES = ['timeout', 'tooLarge', 'notJson', 'network', 'aborted'] as const;
export type HttpFailureKind = (typeof HTTP_FAILURES)[number];

export class HttpFailure extends Error {
  readonly kind: HttpFailureKind;
  /** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED` …; `null` where there is none. */
  readonly code: string | null;

  constructor(kind: HttpFailureKind, message: string, code: string | null = null) {
    super(message);
    this.name = 'HttpFailure';
    this.kind = kind;
    this.code = code;
  }
}

/** Of a list, read in one turn: about a millisecond. */
const TURN_BYTES = 128 << 10;

export interface HttpOptions {
  /** `GET` unless told. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** For all of it, the last byte of the reply included. */
  readonly timeoutMs: number;
  /** Of the reply, unpacked. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** How connections are made; undici's own pool when absent. */
  readonly dispatcher?: Dispatcher;
}

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Fetches JSON. Where the status is not 2xx, `json` is `null` if the reply is something else, cut off or too large: the status says enough. */
export async function fetchJson(url: URL | string, options: HttpOptions): Promise<HttpReply & { json: unknown }> {
  return await ask(url, options, 'application/json', async (response) => {
    const reply = replyOf(response);
    try {
      return { ...reply, json: parse(await readAll(response, options.maxBytes, url), url) };
    } catch (error) {
      if (response.ok || !(error instanceof HttpFailure)) throw error;
      return { ...reply, json: null };
    }
  });
}

/** Fetches bytes: pictures, for example. */
export async function fetchBytes(
  url: URL | string,
  options: HttpOptions & { readonly accept?: string },
): Promise<HttpReply & { bytes: Uint8Array }> {
  return await ask(url, options, options.accept ?? '*/*', async (response) => ({
    ...replyOf(response),
    bytes: await readAll(response, options.maxBytes, url),
  }));
}

/**
 * Fetches a JSON array of any length without ever holding it: `onItem` gets each element as soon as it is there, and the next one is read when it
 * has settled. Elements over `maxItemBytes`, and those that are no JSON by themselves, are counted and left out. With another status than 2xx nothing is read.
 * Throws `notJson` where the reply is no array.
 */
export async function fetchJsonList(
  url: URL | string,
  options: HttpOptions & { readonly maxItemBytes: number },
  onItem: (item: unknown) => void | Promise<void>,
): Promise<HttpReply & { read: number; skipped: number }> {
  return await ask(url, options, 'application/json', async (response) => {
    const reply = replyOf(response);
    let read = 0;
    let skipped = 0;
    if (!response.ok) {
      await response.body?.cancel();
      return { ...reply, read, skipped };
    }
    const chunks = inTurns(chunksOf(response, options.maxBytes, url));
    for await (const item of splitJsonList(chunks, options.maxItemBytes)) {
      if (item.kind === 'notAList') {
        throw new HttpFailure('notJson', `${hostOf(url)} answered with something that is not a JSON list`);
      }
      if (item.kind === 'skipped') skipped++;
      else {
        read++;
        await onItem(item.value);
      }
    }
    return { ...reply, read, skipped };
  });
}

/** A pool of connections of one's own: through a proxy where there is one. Close it when it is not needed any more. */
export function createDispatcher(options: {
  readonly proxyUrl?: string | null;
  readonly connectTimeoutMs?: number;
}): Dispatcher {
  const connect = { timeout: options.connectTimeoutMs ?? 10_000 };
  return options.proxyUrl === undefined || options.proxyUrl === null
    ? new Agent({ connect })
    : new ProxyAgent({ uri: options.proxyUrl, connect });
}

async function ask<T>(
  url: URL | string,
  options: HttpOptions,
  accept: string,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), options.timeoutMs);
  const { signal = new AbortController().signal } = options;
  try {
    const response = await fetch(url, {
      method: options.method ?? 'GET',
      headers: {
        accept,
        'user-agent': 'Matinee',
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      redirect: 'manual',
      signal: AbortSignal.any([limit.signal, signal]),
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.dispatcher === undefined ? {} : { dispatcher: options.dispatcher }),
    });
    return await read(response);
  } catch (error) {
    if (error instanceof HttpFailure) throw error;
    if (signal.aborted) throw new HttpFailure('aborted', `asking ${hostOf(url)} was called off`);
    if (limit.signal.aborted) {
      throw new HttpFailure('timeout', `${hostOf(url)} did not answer in full within ${options.timeoutMs} ms`);
    }
    const code = networkCode(error);
    // What the caller does with the reply may fail as well, and that is not the network's fault.
    if (code === null) throw error;
    throw new HttpFailure('network', `${hostOf(url)} could not be reached (${code})`, code);
  } finally {
    clearTimeout(timer);
    // Whatever has not been read by now never will be: frees the connection.
    limit.abort();
  }
}

const replyOf = (response: Response): HttpReply => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
});

async function* chunksOf(response: Response, maxBytes: number, url: URL | string): AsyncGenerator<Uint8Array> {
  const tooLarge = (): HttpFailure =>
    new HttpFailure('tooLarge', `${hostOf(url)} answered with more than ${maxBytes} bytes`);
  // Says how many bytes come over the wire: packed ones become more, never fewer.
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  if (response.body === null) return;
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    yield chunk;
  }
}

/** Lets others go first now and then: what has arrived already would be read in one go. */
async function* inTurns(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sinceTurn = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += TURN_BYTES) {
      const part = chunk.subarray(at, at + TURN_BYTES);
      sinceTurn += part.length;
      yield part;
      if (sinceTurn < TURN_BYTES) continue;
      sinceTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function readAll(response: Response, maxBytes: number, url: URL | string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(response, maxBytes, url)) {
    chunks.push(chunk);
    size += chunk.byteLength;
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function parse(bytes: Uint8Array, url: URL | string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    throw new HttpFailure('notJson', `${hostOf(url)} answered with something that is not JSON`);
  }
}

/** The system's or undici's word for it, from the error or what caused it; `null` where it is an error of another kind. */
function networkCode(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
    if (at instanceof AggregateError && at.errors.length > 0) {
      const inner = networkCode(at.errors[0]);
      if (inner !== null) return inner;
    }
  }
  // fetch has no code for a URL that it does not take, a port that it does not ask, or a connection that ended within a reply.
  return error instanceof TypeError && /fetch failed|terminated|URL/.test(error.message) ? 'FAILED' : null;
}

/** Host and port: no path, no query, no user, no password. */
function hostOf(url: URL | string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'an address that is none';
  }
}
