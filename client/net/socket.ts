/** The WebSocket below a connection, as little of it as a connection needs: a simulation can stand in for it. */
import { SUBPROTOCOL } from '#protocol/frame.ts';

export interface Socket {
  /** What is sent while the socket closes is lost. */
  send(bytes: Uint8Array): void;
  /** `code` is 1000 or one of 3000 to 4999: browsers throw at others. */
  close(code: number, reason: string): void;
}

export interface SocketEvents {
  onOpen(): void;
  onMessage(bytes: Uint8Array): void;
  /** Comes once, also where the socket never opened. `code` is 1006 where the line dropped. */
  onClose(code: number, reason: string): void;
}

/** Begins to open a socket. Never throws: what goes wrong is an `onClose`. */
export type OpenSocket = (events: SocketEvents) => Socket;

/**
 * Opens sockets to `url` (`ws://host/live`) by the platform's own WebSocket. `headers` are for Node, whose WebSocket
 * takes them in place of the protocol; in a browser the cookie goes along by itself, and nothing else can.
 */
export function webSocketOpener(url: string, headers?: () => Readonly<Record<string, string>>): OpenSocket {
  return (events) => {
    // The type is the browser's, which does not know of Node's second form.
    const options = (headers ? { protocols: SUBPROTOCOL, headers: headers() } : SUBPROTOCOL) as string;
    const socket = new WebSocket(url, options);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => events.onOpen();
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      // A text message is not ours; empty bytes are no frame either, and are refused as such.
      events.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0));
    };
    socket.onclose = ({ code, reason }) => events.onClose(code, reason);
    return {
      send: (bytes) => {
        // While it closes, nothing leaves any more; the platform would only complain. `onClose` is under way.
        if (socket.readyState !== WebSocket.OPEN) return;
        // The DOM's types want a buffer that is known not to be shared; the codec's never is.
        socket.send(bytes as Uint8Array<ArrayBuffer>);
      },
      close: (code, reason) => socket.close(code, reason),
    };
  };
}

/** `https://host/` → `wss://host/live`. */
export function liveUrl(serverUrl: string): string {
  const url = new URL('/live', serverUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
