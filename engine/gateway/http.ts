/** What a handler of an HTTP route sees. No uWebSockets.js here, so that a test needs none. */
import type { SignedIn } from './ports.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Names in lower case; several fields of one name are joined with a comma. */
export type RequestHeaders = Readonly<Record<string, string | undefined>>;
/** Names in lower case. */
export type ReplyHeaders = Readonly<Record<string, string>>;

export interface HttpRequest {
  /** Stands in the reply as `X-Request-Id`, and in the log. */
  readonly id: string;
  readonly method: HttpMethod;
  /** As it was sent, percent-encoded, without the query. */
  readonly path: string;
  /** What the route's `{names}` stand for, decoded. Never empty, never `.` or `..`, without slashes and control characters; `{name*}` keeps the slashes between its segments. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: RequestHeaders;
  /** The whole body, at most the route's `bodyLimitBytes`; empty where there is none. */
  readonly body: Uint8Array;
  /** The same of a route that streams it: as it comes, to be gone through once. Throws where the body does not come to its end. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** The client's address as text, after trusted proxies have been taken into account. */
  readonly address: string;
  /** The host that the client asked for, with its port where that is not the scheme's own. */
  readonly host: string;
  /** True where the client reached us by TLS, through a trusted proxy. */
  readonly isSecure: boolean;
  /** Never `null` on a route whose access is `session`, always `null` on any other. */
  readonly signedIn: SignedIn | null;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** A file to send: with validators, conditions and ranges as RFC 9110 has them. */
export interface FileReply {
  /** Absolute path of a regular file. Never made from what a client sent. */
  readonly path: string;
  readonly contentType: string;
  readonly cacheControl: string;
  /** Strong entity tag with its quotes; from size, time and inode when absent. */
  readonly etag?: string;
  readonly headers?: ReplyHeaders;
}

/** The reply to one request. Exactly one of its methods is called, once; what is sent to a client that has gone is dropped. */
export interface HttpResponse {
  readonly isGone: boolean;
  send(status: number, headers: ReplyHeaders, body?: string | Uint8Array): void;
  /** Sends what comes, as fast as the client reads. A source that throws ends the connection: the status has been sent already. */
  stream(status: number, headers: ReplyHeaders, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Resolves when the last byte was sent or the client has gone. Throws a `notFound` failure where there is no such file. */
  file(file: FileReply): Promise<void>;
}

/**
 * Who may call a route. `public`: anyone. `session`: who is signed in. `signedUrl`: the handler proves the signature that
 * is part of the path; such paths are written to the log as their pattern only.
 */
export type RouteAccess = 'public' | 'session' | 'signedUrl';

export interface HttpRoute {
  /** `GET` answers `HEAD` too. */
  readonly method: Exclude<HttpMethod, 'HEAD'>;
  /** `/media/{token}/{file}`; a last `{name*}` takes the rest, slashes included. */
  readonly path: `/${string}`;
  /** No default: nothing is open because someone forgot. */
  readonly access: RouteAccess;
  /** Largest body it takes; 0 when absent. */
  readonly bodyLimitBytes?: number;
  /** Its bodies are not held in memory: they come as `stream`, and `body` is empty. */
  readonly streamsBody?: boolean;
  handle(request: HttpRequest, response: HttpResponse): Promise<void> | void;
}
