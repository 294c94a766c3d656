/**
 * Every HTTP request comes through here, and only here: found, let in or refused, handed to its route, answered whatever
 * happens, and written to the log without secrets. Rules HTTP1 to HTTP9 of SPEC.md.
 *
 * A handler that throws where uWebSockets.js can see it, or returns having neither answered nor listened for the client's
 * going, ends the whole process. `handle` is the one function that is given to it, and can do neither.
 */
import type { HttpRequest as UwsRequest, HttpResponse as UwsResponse } from 'uWebSockets.js';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import { BodyError } from './body-stream.ts';
import type { BodyStream } from './body-stream.ts';
import type { Peer, TrustedProxies } from './client-address.ts';
import { Exchange } from './exchange.ts';
import type { FailureMap } from './failure-map.ts';
import type { HealthState } from './health-routes.ts';
import type { StallWatch } from './file-stream.ts';
import type { HttpMethod, HttpRequest, HttpRoute, RequestHeaders } from './http.ts';
import type { OriginPolicy } from './origin.ts';
import type { SessionPort, SignedIn } from './ports.ts';
import { failureProblem, problem, type ProblemReply } from './problem.ts';
import { Router } from './router.ts';
import { securityHeaders } from './security-headers.ts';
import { credentialsOf } from './session-cookie.ts';

export interface HttpFrontOptions {
  readonly routes: readonly HttpRoute[];
  /** Answers GET where no route does; public. */
  readonly fallback: HttpRoute['handle'] | null;
  readonly sessions: SessionPort;
  readonly origins: OriginPolicy;
  readonly proxies: TrustedProxies;
  readonly failures: FailureMap;
  readonly stalls: StallWatch;
  readonly clock: Clock;
  readonly log: Log;
  readonly createId: () => string;
  readonly health: Pick<HealthState, 'phase'>;
}

const METHODS: ReadonlySet<string> = new Set<HttpMethod>(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';
/** What is answered before the server has come up [HEALTH2]. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/startupz']);
/** A body that has not arrived after this long holds memory for nobody. */
const BODY_MS = 30_000;
const NO_BODY = new Uint8Array(0);
/** Of a request without a body, or of a route that takes it as a whole. */
async function* noChunks(): AsyncGenerator<Uint8Array> {}

/** What is copied from a request in the turn in which it comes: later it is gone. */
interface Arrival {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  readonly peer: Peer;
  /** What of the path goes to the log: a path that carries a signature is a key, and is known by its pattern [HTTP8]. */
  loggedPath: string;
}

export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #router: Router;
  readonly #fallback: HttpRoute | null;
  /** First segments of the paths that carry a signature. */
  readonly #signedRoots: ReadonlySet<string>;
  readonly #open = new Set<Exchange>();
  #onIdle: (() => void) | null = null;

  constructor(options: HttpFrontOptions) {
    this.#options = options;
    this.#router = new Router(options.routes);
    this.#signedRoots = new Set(
      options.routes.filter(({ access }) => access === 'signedUrl').map(({ path }) => rootOf(path)),
    );
    const { fallback } = options;
    this.#fallback = fallback && { method: 'GET', path: '/', access: 'public', handle: fallback };
  }

  /** Requests that are not answered in full. */
  get openCount(): number {
    return this.#open.size;
  }

  readonly handle = (res: UwsResponse, req: UwsRequest): void => {
    let exchange: Exchange | null = null;
    try {
      const arrival = this.#read(res, req);
      exchange = this.#begin(res, arrival);
      this.#route(exchange, arrival);
    } catch (error) {
      // A defect of the front itself. The exchange listens for the client's going; without one, nothing does.
      this.#options.log.error('a request could not be taken', { error });
      if (exchange) exchange.break();
      else res.close();
    }
  };

  /** Resolves when no request is open. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    return promise;
  }

  #read(res: UwsResponse, req: UwsRequest): Arrival {
    const headers: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
    req.forEach((name, value) => {
      const earlier = headers[name];
      headers[name] = earlier === undefined ? value : `${earlier}${name === 'cookie' ? '; ' : ', '}${value}`;
    });
    const peer = this.#options.proxies.peerOf(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'), headers);
    const path = req.getUrl();
    return {
      id: this.#options.createId(),
      method: req.getCaseSensitiveMethod(),
      path,
      query: req.getQuery(),
      headers,
      peer,
      loggedPath: this.#signedRoots.has(rootOf(path)) ? `${rootOf(path)}/…` : path,
    };
  }

  #begin(res: UwsResponse, arrival: Arrival): Exchange {
    const { clock, log, stalls, health } = this.#options;
    const startedMs = clock.monotonicMs();
    const exchange: Exchange = new Exchange({
      res,
      method: arrival.method as HttpMethod,
      headers: arrival.headers,
      baseHeaders: { ...securityHeaders(arrival.peer.isSecure), 'x-request-id': arrival.id },
      stalls,
      isDraining: () => health.phase === 'draining',
      onOver: (status, sentBytes, isComplete) => {
        this.#open.delete(exchange);
        if (this.#open.size === 0) this.#onIdle?.();
        log.debug('request', {
          requestId: arrival.id,
          method: arrival.method,
          path: arrival.loggedPath,
          status,
          sentBytes,
          isComplete,
          tookMs: Math.round(clock.monotonicMs() - startedMs),
          address: arrival.peer.address,
        });
      },
    });
    this.#open.add(exchange);
    return exchange;
  }

  #route(exchange: Exchange, arrival: Arrival): void {
    if (this.#options.health.phase === 'starting' && !PROBES.has(arrival.path)) {
      return answer(exchange, problem('starting', arrival.id, { 'retry-after': '2' }));
    }
    const match = this.#router.find(arrival.method, arrival.path);
    if (match.kind === 'notFound') {
      if (this.#fallback && isReading(arrival.method)) {
        void this.#serve(exchange, arrival, this.#fallback, {}, null);
        return;
      }
      return answer(exchange, problem('notFound', arrival.id));
    }
    if (match.kind === 'otherMethod') {
      const allow = { allow: match.allowed.join(', ') };
      if (arrival.method === 'OPTIONS') return exchange.send(204, allow);
      return answer(exchange, problem('methodNotAllowed', arrival.id, allow));
    }
    if (!METHODS.has(arrival.method)) return answer(exchange, problem('methodNotAllowed', arrival.id));
    const { route, params } = match;
    if (route.access === 'signedUrl') arrival.loggedPath = route.path;
    const limitBytes = route.bodyLimitBytes ?? 0;
    const announced = arrival.headers['content-length'];
    if (announced !== undefined && Number(announced) > limitBytes) {
      // Not read at all: the connection ends with the answer.
      void exchange.readBody(0);
      return answer(exchange, problem('bodyTooLarge', arrival.id));
    }
    const hasBody =
      announced !== undefined ? Number(announced) > 0 : arrival.headers['transfer-encoding'] !== undefined;
    if (hasBody && route.streamsBody === true) {
      void this.#serve(exchange, arrival, route, params, null, exchange.streamBody(limitBytes));
      return;
    }
    const body = hasBody ? exchange.readBody(limitBytes) : null;
    void this.#serve(exchange, arrival, route, params, body);
  }

  /** Never rejects. */
  async #serve(
    exchange: Exchange,
    arrival: Arrival,
    route: HttpRoute,
    params: Readonly<Record<string, string>>,
    body: ReturnType<Exchange['readBody']> | null,
    stream: BodyStream | null = null,
  ): Promise<void> {
    using _watch = stream && this.#watchBody(stream);
    try {
      const admitted = await this.#admit(arrival, route);
      if ('body' in admitted) return answer(exchange, admitted);
      let bytes: Uint8Array = NO_BODY;
      if (body) {
        using _timer = this.#options.clock.after(BODY_MS, () =>
          answer(exchange, problem('requestTimeout', arrival.id)),
        );
        const result = await body;
        if (result.kind === 'tooLarge') return answer(exchange, problem('bodyTooLarge', arrival.id));
        if (result.kind === 'gone') return;
        bytes = result.bytes;
      }
      const request: HttpRequest = {
        id: arrival.id,
        method: arrival.method as HttpMethod,
        path: arrival.path,
        params,
        query: new URLSearchParams(arrival.query),
        headers: arrival.headers,
        body: bytes,
        stream: stream?.chunks() ?? noChunks(),
        address: arrival.peer.address,
        host: arrival.peer.host,
        isSecure: arrival.peer.isSecure,
        signedIn: admitted.signedIn,
        get signal() {
          return exchange.signal;
        },
      };
      await route.handle(request, exchange);
      if (!exchange.isAnswered) {
        throw new Error(`the handler of ${route.method} ${route.path} returned without an answer`);
      }
    } catch (error) {
      this.#fail(exchange, arrival, error);
    }
  }

  /** Who is asking, or why they may not [HTTP3] [HTTP4]. */
  async #admit(arrival: Arrival, route: HttpRoute): Promise<{ signedIn: SignedIn | null } | ProblemReply> {
    const { origins, sessions } = this.#options;
    const isChanging = !isReading(arrival.method);
    if (route.access !== 'session') {
      // No session is looked up: a probe must be answered without a database. A foreign page may still not sign anyone in.
      const isForeign = isChanging && !origins.mayUseCookie(arrival.headers, arrival.peer);
      return isForeign ? problem('foreignOrigin', arrival.id) : { signedIn: null };
    }
    const credentials = credentialsOf(arrival.headers, arrival.peer.isSecure);
    if (!credentials) return problem('unauthenticated', arrival.id);
    if (isChanging && credentials.by === 'cookie' && !origins.mayUseCookie(arrival.headers, arrival.peer)) {
      return problem('foreignOrigin', arrival.id);
    }
    const signedIn = await sessions.authenticate(credentials.token);
    return signedIn === null ? problem('unauthenticated', arrival.id) : { signedIn };
  }

  /** A body may take as long as its line needs, but not stand still. */
  #watchBody(stream: BodyStream): Disposable {
    let beforeBytes = -1;
    return this.#options.clock.every(BODY_MS, () => {
      if (stream.sizeBytes === beforeBytes) stream.fail('late');
      beforeBytes = stream.sizeBytes;
    });
  }

  #fail(exchange: Exchange, arrival: Arrival, error: unknown): void {
    try {
      if (exchange.isGone) return;
      if (error instanceof BodyError && !exchange.isAnswered) {
        return answer(exchange, problem(error.fault === 'tooLarge' ? 'bodyTooLarge' : 'requestTimeout', arrival.id));
      }
      const failure = this.#options.failures.explain(error, null);
      if (exchange.isAnswered) exchange.break();
      else answer(exchange, failureProblem(failure, null, arrival.id));
    } catch (second) {
      this.#options.log.error('a request could not be answered', { requestId: arrival.id, error: second });
      exchange.break();
    }
  }
}

/** `/media/token/file` → `/media`. */
function rootOf(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path : path.slice(0, end);
}

function answer(exchange: Exchange, reply: ProblemReply): void {
  if (!exchange.isAnswered) exchange.send(reply.status, reply.headers, reply.body);
}
