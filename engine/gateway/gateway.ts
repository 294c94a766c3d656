/**
 * The front door: one uWebSockets.js app on the main thread, with the socket at /live, the JSON bridge and its document,
 * the probes, the client's files, and whatever routes main.ts adds. Owns the listening socket and everything behind it.
 *
 * States: created → listening → draining → closed. Rules of the wire: protocol/SPEC.md; of HTTP: SPEC.md beside this file.
 */
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import type { Log } from '#engine/base/log.ts';
import { StartRefusal } from '#engine/base/start-refusal.ts';
import { feed } from '#protocol/methods/feeds.ts';
import { LIMITS } from '#protocol/frame.ts';
import { apiPageRoutes } from './api-page.ts';
import { bridgeRoutes } from './bridge.ts';
import { TrustedProxies } from './client-address.ts';
import { CallDeadlines } from './call-deadlines.ts';
import { bindHandlers, type BoundCall } from './dispatch.ts';
import { FailureMap } from './failure-map.ts';
import { feedCalls } from './feed-calls.ts';
import { StallWatch } from './file-stream.ts';
import { healthRoutes, type HealthState } from './health-routes.ts';
import { HttpFront } from './http-front.ts';
import type { HttpRoute } from './http.ts';
import type { LiveLimits } from './live-connection.ts';
import { LiveServer } from './live-server.ts';
import { OriginPolicy } from './origin.ts';
import type { FeedPort, SessionPort } from './ports.ts';
import { problem } from './problem.ts';
import { clientPages } from './static-files.ts';
import type { Uws } from './uws.ts';

/** What the door needs to stand there and say that the server is starting. */
export interface DoorOptions {
  /** What `loadUws` returned. */
  readonly uws: typeof Uws;
  readonly health: HealthState;
  readonly server: { readonly version: string; readonly startedAt: number };
  readonly log: Log;
  /** Where the built client is; without it the server has no pages. */
  readonly clientFolder?: string;
  /** Origins besides the server's own: the public URL, and what else may talk to it. */
  readonly allowedOrigins?: readonly string[];
  readonly trustedProxies?: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  readonly clock?: Clock;
}

/** What there is behind the door, once it is there. */
export interface HouseOptions {
  /** The domains' calls, from `bindHandlers`. Those about feeds are the gateway's own and are not among them. */
  readonly calls: readonly BoundCall[];
  readonly sessions: SessionPort;
  readonly feeds: FeedPort;
  /** Media, images and the like. */
  readonly routes?: readonly HttpRoute[];
}

export type GatewayOptions = DoorOptions & HouseOptions;

export interface GatewayLimits extends LiveLimits {
  readonly connections: number;
  /** How long a client of a file may read nothing. */
  readonly stallMs: number;
}

const DEFAULT_LIMITS: GatewayLimits = { ...LIMITS, connections: 10_000, stallMs: 10 * 60_000 };

export interface Gateway extends AsyncDisposable {
  /** Starts to listen; port 0 takes any that is free. Throws `StartRefusal` where the address is taken. */
  listen(host: string, port: number): Promise<{ port: number }>;
  /**
   * Takes nothing new, lets what is in flight finish for `graceMs`, then closes the rest [CLOSE4]. Streams of media are
   * cut at the end of it: players ask again.
   */
  drain(graceMs?: number): Promise<void>;
  /** Puts what is behind the door in place. Before that the probes answer, and everything else is told that the server is starting. */
  open(house: HouseOptions): void;
  /** How much is open, for tests and for those who watch. */
  readonly openSockets: number;
  readonly openRequests: number;
  /** Every route with who may use it: what the census test reads. */
  readonly routes: readonly HttpRoute[];
  readonly calls: readonly BoundCall[];
}

/** uWebSockets.js takes the option together with a host too; its types forgot. */
interface ExclusiveListener {
  listen(host: string, port: number, options: number, onListening: (socket: ListenSocket | false) => void): void;
}
type ListenSocket = Parameters<typeof Uws.us_listen_socket_close>[0];
/** `LIBUS_LISTEN_EXCLUSIVE_PORT`. */
const LISTEN_EXCLUSIVELY = 1;

/** A gateway with everything in place at once. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = await createDoor(options);
  gateway.open(options);
  return gateway;
}

const EMPTY_HOUSE: HouseOptions = {
  calls: [],
  sessions: { authenticate: () => Promise.resolve(null), onEnd: () => () => undefined },
  feeds: { subscribe: () => Promise.resolve(null) },
};

/** A gateway that can listen before the rest of the server is there, so that a start can be watched from outside. */
export async function createDoor(options: DoorOptions): Promise<Gateway> {
  const { uws, health, log, clock = systemClock } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const createId = createUuidFactory(clock);
  const proxies = new TrustedProxies(options.trustedProxies ?? []);
  const origins = new OriginPolicy(options.allowedOrigins ?? []);
  const failures = new FailureMap(log, createId);
  const stalls = new StallWatch(clock, limits.stallMs);
  const client = options.clientFolder === undefined ? null : await clientPages(options.clientFolder);

  const furnish = ({ calls: domainCalls, sessions, feeds, routes: domainRoutes = [] }: HouseOptions) => {
    const calls = [...domainCalls, ...bindHandlers({ feed }, { feed: feedCalls })];
    const routes: readonly HttpRoute[] = [
      ...healthRoutes(health, clock),
      ...bridgeRoutes({ calls, failures, clock, callsPerSecond: limits.callsPerSecond }),
      ...apiPageRoutes(
        calls.map(({ call }) => call),
        options.server.version,
      ),
      {
        method: 'GET',
        path: '/live',
        access: 'public',
        handle: (request, response) => {
          const { status, headers, body } = problem('notAWebSocket', request.id, {
            upgrade: 'websocket',
            connection: 'upgrade',
          });
          response.send(status, headers, body);
        },
      },
      ...domainRoutes,
      ...(client?.routes ?? []),
    ];
    const fallback = client?.fallback ?? null;
    const front = new HttpFront({
      routes,
      fallback,
      sessions,
      origins,
      proxies,
      failures,
      stalls,
      clock,
      log,
      createId,
      health,
    });
    const live = new LiveServer({
      sessions,
      origins,
      proxies,
      maxConnections: limits.connections,
      createId,
      context: {
        callsById: new Map(calls.map((bound) => [bound.call.id, bound])),
        feeds,
        failures,
        limits,
        clock,
        deadlines: new CallDeadlines(clock),
        log,
        server: options.server,
        phase: () => health.phase,
      },
    });
    return { calls, routes, front, live, behavior: live.behavior };
  };

  let house = furnish(EMPTY_HOUSE);
  // uWebSockets.js is told once what to do with sockets; what is behind that may be exchanged.
  const app = uws
    .App()
    .ws('/live', {
      ...house.behavior,
      upgrade: (res, req, context) => house.behavior.upgrade?.(res, req, context),
      open: (ws) => house.behavior.open?.(ws),
      message: (ws, message, isBinary) => house.behavior.message?.(ws, message, isBinary),
      drain: (ws) => house.behavior.drain?.(ws),
      pong: (ws, message) => house.behavior.pong?.(ws, message),
      close: (ws, code, message) => house.behavior.close?.(ws, code, message),
    })
    .any('/*', (res, req) => house.front.handle(res, req));
  let listening: ListenSocket | null = null;
  let drained: Promise<void> | null = null;

  const stopListening = (): void => {
    if (listening) uws.us_listen_socket_close(listening);
    listening = null;
  };
  const drain = async (graceMs: number): Promise<void> => {
    health.phase = 'draining';
    stopListening();
    const { promise: expired, resolve } = Promise.withResolvers<void>();
    using _timer = clock.after(graceMs, resolve);
    await Promise.race([Promise.all([house.live.drain(), house.front.idle()]), expired]);
    house.live[Symbol.dispose]();
    app.close();
  };

  return {
    get routes() {
      return house.routes;
    },
    get calls() {
      return house.calls;
    },
    get openSockets() {
      return house.live.openCount;
    },
    get openRequests() {
      return house.front.openCount;
    },
    open(parts) {
      const empty = house;
      house = furnish(parts);
      empty.live[Symbol.dispose]();
    },
    listen(host, port) {
      const { promise, resolve, reject } = Promise.withResolvers<{ port: number }>();
      // Without this option a second server on the same port would get half of the connections and nobody would know.
      (app as unknown as ExclusiveListener).listen(host, port, LISTEN_EXCLUSIVELY, (socket) => {
        if (!socket) {
          reject(
            new StartRefusal(
              `Port ${port} on ${host} can't be opened. Another program may be using it, or this user may not. Choose another with --port.`,
            ),
          );
          return;
        }
        listening = socket;
        resolve({ port: uws.us_socket_local_port(socket) });
      });
      return promise;
    },
    drain: (graceMs = 10_000) => (drained ??= drain(graceMs)),
    [Symbol.asyncDispose]: () => (drained ??= drain(0)),
  };
}
