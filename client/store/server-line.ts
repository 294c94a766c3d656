/** The connection of `client/net` in the words of the stores: one kind of rejection, and a state that people can be told. */
import { signal } from '@preact/signals';
import type { Call, Feed, InputOf, OutputOf } from '#protocol/contract.ts';
import { CLOSE } from '#protocol/close-code.ts';
import { Failure, isFailure } from '#protocol/errors.ts';
import type { Connection, ConnectionState } from '#client/net/connection.ts';
import type { HttpCalls } from '#client/net/http-calls.ts';
import { ConnectionLost } from '#client/net/net-error.ts';
import type { OpenSocket } from '#client/net/socket.ts';
import type { Link, LinkState, Server } from './ports.ts';

/** Codes by which a server says goodbye before it goes: it will be back. */
const GOODBYES: ReadonlySet<number> = new Set([CLOSE.goingAway.code, CLOSE.restart.code]);

/** Listens to how sockets close, which the connection's own state does not tell. */
export class CloseWatch {
  #lastCode = 0;

  get wasGoodbye(): boolean {
    return GOODBYES.has(this.#lastCode);
  }

  watch(open: OpenSocket): OpenSocket {
    return (events) =>
      open({
        ...events,
        onOpen: () => {
          this.#lastCode = 0;
          events.onOpen();
        },
        onClose: (code, reason) => {
          // Attempts while it is away are refused with 1006, and do not change why it went.
          if (code !== 1006 || !this.wasGoodbye) this.#lastCode = code;
          events.onClose(code, reason);
        },
      });
  }
}

/** Whatever a call ends in, as a `Failure`: `disconnected` for a lost line, `mismatch` where the answer was not as the contract says. */
function toFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  if (error instanceof ConnectionLost) return new Failure('disconnected', {}, error.message);
  return new Failure('mismatch', {}, error instanceof Error ? error.message : String(error));
}

async function translated<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw toFailure(error);
  }
}

export interface ServerLineParts {
  readonly connection: Pick<Connection, 'call' | 'follow' | 'onState' | 'serverNowMs' | 'start' | 'stop' | 'check'> & {
    readonly state: ConnectionState;
  };
  readonly http: HttpCalls;
  /** For calls that must outlive the page. */
  readonly keepaliveHttp: HttpCalls;
  readonly closes: Pick<CloseWatch, 'wasGoodbye'>;
}

export function openServerLine({ connection, http, keepaliveHttp, closes }: ServerLineParts): {
  readonly server: Server;
  readonly link: Link;
} {
  const toLink = (state: ConnectionState): LinkState => {
    switch (state.name) {
      case 'stopped':
        return { kind: 'closed' };
      case 'connecting':
      case 'live':
        return { kind: state.name };
      case 'waiting':
        return { kind: 'lost', retryAt: Date.now() + state.delayMs, isRestarting: closes.wasGoodbye };
      case 'signedOut':
      case 'outdated':
      case 'refused':
        return { kind: state.name };
    }
  };
  const state = signal<LinkState>(toLink(connection.state));
  connection.onState((next) => {
    state.value = toLink(next);
  });

  const server: Server = {
    call: (call, input, options) => translated(connection.call(call, input, options)),
    request<C extends Call>(
      call: C,
      input: InputOf<C>,
      options: { readonly signal?: AbortSignal; readonly keepalive?: boolean } = {},
    ): Promise<OutputOf<C>> {
      const way = options.keepalive === true ? keepaliveHttp : http;
      return translated(way.request(call, input, options.signal === undefined ? {} : { signal: options.signal }));
    },
    follow<F extends Feed>(
      feed: F,
      key: string | null,
      handlers: Parameters<typeof connection.follow<F>>[2] & {
        onFailure?(failure: Failure): void;
      },
    ) {
      const following = connection.follow(feed, key, {
        onSnapshot: (snapshot) => handlers.onSnapshot(snapshot),
        onEntries: (entries) => handlers.onEntries(entries),
        onRefused: (error) => handlers.onFailure?.(toFailure(error)),
      });
      return () => following.close();
    },
    now: () => connection.serverNowMs() ?? Date.now(),
  };
  const link: Link = {
    state,
    open() {
      connection.start();
      connection.check();
    },
    close: () => connection.stop(),
  };
  return { server, link };
}
