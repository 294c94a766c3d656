/**
 * The WebSocket at /live: who may open one, and all that are open. Owns: every connection, by session too, and the sweep
 * that ends the silent ones. What a connection does is in live-connection.ts.
 *
 * A browser's page can't read why an upgrade was refused. So only what no page of ours can cause (a foreign origin, a
 * missing subprotocol) is refused by HTTP; everything else is let in and closed with a code that says why [CLOSE1].
 */
import { STATUS_CODES } from 'node:http';
import type {
  HttpRequest as UwsRequest,
  HttpResponse as UwsResponse,
  WebSocket as UwsSocket,
  WebSocketBehavior,
  us_socket_context_t as UwsContext,
} from 'uWebSockets.js';
import { CLOSE, type CloseName } from '#protocol/close-code.ts';
import { SUBPROTOCOL } from '#protocol/frame.ts';
import type { TrustedProxies } from './client-address.ts';
import { LiveConnection, type LiveContext, type LivePeer, type Wire } from './live-connection.ts';
import type { OriginPolicy } from './origin.ts';
import type { SessionPort } from './ports.ts';
import { problem, type ProblemReply } from './problem.ts';
import { securityHeaders } from './security-headers.ts';
import { credentialsOf } from './session-cookie.ts';

export interface LiveServerOptions {
  readonly sessions: SessionPort;
  readonly origins: OriginPolicy;
  readonly proxies: TrustedProxies;
  readonly context: LiveContext;
  readonly maxConnections: number;
  readonly createId: () => string;
}

/** What uWebSockets.js keeps with a socket: who it is, or why it is closed as soon as it is open. */
interface SocketState {
  readonly peer: LivePeer | CloseName;
  connection: LiveConnection | null;
  isClosed: boolean;
}

/** Queued bytes for one socket above which uWebSockets.js drops what is sent; a connection ends then [LIM8]. */
const MAX_QUEUED_BYTES = 8 << 20;
const SWEEP_MS = 5_000;

export class LiveServer implements Disposable {
  readonly #options: LiveServerOptions;
  readonly #connections = new Set<LiveConnection>();
  readonly #bySession = new Map<string, Set<LiveConnection>>();
  readonly #sweep: Disposable;
  readonly #stopListening: () => void;
  #onEmpty: (() => void) | null = null;

  constructor(options: LiveServerOptions) {
    this.#options = options;
    const { clock, limits } = options.context;
    this.#sweep = clock
      .every(Math.min(SWEEP_MS, limits.idleMs / 4), () => {
        for (const connection of [...this.#connections]) connection.checkAlive();
      })
      .unref();
    this.#stopListening = options.sessions.onEnd((sessionIds) => {
      for (const id of sessionIds) {
        for (const connection of [...(this.#bySession.get(id) ?? [])]) connection.close('signIn');
      }
    });
  }

  get openCount(): number {
    return this.#connections.size;
  }

  /** What uWebSockets.js is told about sockets, and what it tells. */
  get behavior(): WebSocketBehavior<SocketState> {
    return {
      // One frame may be up to twice the limit, so that it can be answered with the right close code. A larger one is cut
      // off at its head: to answer it in order would mean to read it [LIM1].
      maxPayloadLength: this.#options.context.limits.frameBytes * 2,
      maxBackpressure: MAX_QUEUED_BYTES,
      closeOnBackpressureLimit: false,
      compression: 0,
      sendPingsAutomatically: false,
      // Behind our own sweep: what it closed but the other end never acknowledged ends here.
      idleTimeout: 120,
      upgrade: (res, req, context) => this.#upgrade(res, req, context),
      open: (ws) => this.#open(ws),
      message: (ws, message, isBinary) => ws.getUserData().connection?.receive(new Uint8Array(message), isBinary),
      drain: (ws) => ws.getUserData().connection?.drained(),
      pong: (ws) => ws.getUserData().connection?.heard(),
      close: (ws) => {
        const state = ws.getUserData();
        state.isClosed = true;
        this.#forget(state.connection);
      },
    };
  }

  /** Ends every connection: at once where it is idle, else with its last reply [CLOSE4]. Resolves when none is left. */
  async drain(): Promise<void> {
    for (const connection of [...this.#connections]) connection.endWhenIdle();
    if (this.#connections.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    return promise;
  }

  [Symbol.dispose](): void {
    this.#stopListening();
    this.#sweep[Symbol.dispose]();
    for (const connection of [...this.#connections]) connection.close('restart');
    this.#options.context.deadlines[Symbol.dispose]();
  }

  #upgrade(res: UwsResponse, req: UwsRequest, context: UwsContext): void {
    try {
      this.#judgeUpgrade(res, req, context);
    } catch (error) {
      // A throw that reaches uWebSockets.js would end the process.
      this.#options.context.log.error('an upgrade could not be taken', { error });
      res.close();
    }
  }

  #judgeUpgrade(res: UwsResponse, req: UwsRequest, context: UwsContext): void {
    let isGone = false;
    res.onAborted(() => {
      isGone = true;
    });
    const headers: Record<string, string> = {};
    req.forEach((name, value) => {
      headers[name] = value;
    });
    const peer = this.#options.proxies.peerOf(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'), headers);
    const requestId = this.#options.createId();
    const refuse = (reply: ProblemReply): void => {
      res.cork(() => {
        res.writeStatus(`${reply.status} ${STATUS_CODES[reply.status] ?? ''}`);
        const all = { ...securityHeaders(peer.isSecure), ...reply.headers, 'x-request-id': requestId };
        for (const [name, value] of Object.entries(all)) res.writeHeader(name, value);
        res.end(reply.body, true);
      });
    };
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    // Every browser sends `Origin`; who sends none is no browser, and has no cookie that a page could use.
    const origin = headers['origin'];
    if (origin !== undefined && !this.#options.origins.isOurs(origin, peer)) {
      return refuse(problem('foreignOrigin', requestId));
    }
    if (!offered.includes(SUBPROTOCOL)) return refuse(problem('notAWebSocket', requestId));

    void this.#admit(headers, peer.isSecure).then((admitted) => {
      if (isGone) return;
      const state: SocketState = {
        peer:
          typeof admitted === 'string'
            ? admitted
            : {
                signedIn: admitted,
                address: peer.address,
                agent: (headers['user-agent'] ?? '').slice(0, 200),
                isSecure: peer.isSecure,
              },
        connection: null,
        isClosed: false,
      };
      res.cork(() => {
        res.upgrade(
          state,
          headers['sec-websocket-key'] ?? '',
          SUBPROTOCOL,
          headers['sec-websocket-extensions'] ?? '',
          context,
        );
      });
    });
  }

  /** Never rejects. */
  async #admit(
    headers: Readonly<Record<string, string>>,
    isSecure: boolean,
  ): Promise<LivePeer['signedIn'] | CloseName> {
    const { sessions, context, maxConnections } = this.#options;
    const phase = context.phase();
    // One that starts is there in a moment: whoever waits for it must not be told to stay away for long [CLOSE6].
    if (phase !== 'ready') return 'restart';
    if (this.#connections.size >= maxConnections) return 'tryLater';
    const credentials = credentialsOf(headers, isSecure);
    if (!credentials) return 'signIn';
    try {
      return (await sessions.authenticate(credentials.token)) ?? 'signIn';
    } catch (error) {
      context.log.error('a session could not be looked up', { error });
      return 'restart';
    }
  }

  #open(ws: UwsSocket<SocketState>): void {
    const state = ws.getUserData();
    if (typeof state.peer === 'string') {
      const { code, reason } = CLOSE[state.peer];
      // Not from in here: where the upgrade came after a wait, what is sent now would lie in a buffer for 16 s (measured).
      setImmediate(() => {
        if (!state.isClosed) ws.end(code, reason);
      });
      return;
    }
    const connection = new LiveConnection(new SocketWire(ws), state.peer, this.#options.context);
    state.connection = connection;
    this.#connections.add(connection);
    const ofSession = this.#bySession.get(connection.sessionId);
    if (ofSession) ofSession.add(connection);
    else this.#bySession.set(connection.sessionId, new Set([connection]));
  }

  #forget(connection: LiveConnection | null): void {
    if (!connection) return;
    connection.lost();
    this.#connections.delete(connection);
    const ofSession = this.#bySession.get(connection.sessionId);
    ofSession?.delete(connection);
    if (ofSession?.size === 0) this.#bySession.delete(connection.sessionId);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

/** uWebSockets.js answers 1 for sent, 0 for queued, 2 for dropped. */
const OUTCOMES = ['queued', 'sent', 'dropped'] as const;

class SocketWire implements Wire {
  readonly #ws: UwsSocket<SocketState>;

  constructor(ws: UwsSocket<SocketState>) {
    this.#ws = ws;
  }

  send(frame: Uint8Array): 'sent' | 'queued' | 'dropped' {
    return OUTCOMES[this.#ws.send(frame, true, false)] ?? 'dropped';
  }

  queuedBytes(): number {
    return this.#ws.getBufferedAmount();
  }

  end(code: number, reason: string): void {
    this.#ws.end(code, reason);
  }

  ping(): void {
    this.#ws.ping();
  }
}
