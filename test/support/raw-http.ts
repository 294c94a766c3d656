/** HTTP by hand, over a plain TCP socket: exact bytes out, exact bytes in. */
import { connect } from 'node:net';

export interface RawReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** True when the connection ended before the announced length. */
  readonly isCut: boolean;
  /** True when the server closed the connection after the reply. */
  readonly isClosed: boolean;
}

export interface RawRequest {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Sends one request on a connection of its own and reads one reply. */
export async function rawHttp(request: RawRequest): Promise<RawReply> {
  const { port, method = 'GET', path, headers = {}, body } = request;
  const bytes = body === undefined ? null : Buffer.from(body);
  const fields: Record<string, string> = {
    host: `127.0.0.1:${port}`,
    ...(bytes ? { 'content-length': String(bytes.length) } : {}),
    ...headers,
  };
  const socket = connect(port, '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<RawReply>();
  let received: Buffer = Buffer.alloc(0);
  const parse = (isClosed: boolean): RawReply | null => {
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
    const replyHeaders = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const status = Number(statusLine.split(' ')[1]);
    const rest = received.subarray(headEnd + 4);
    const isBodiless = method === 'HEAD' || status === 204 || status === 304;
    const announced = replyHeaders['content-length'];
    const lengthBytes = isBodiless ? 0 : announced === undefined ? null : Number(announced);
    if (lengthBytes === null && !isClosed && !rest.toString('latin1').endsWith('0\r\n\r\n')) return null;
    if (lengthBytes !== null && rest.length < lengthBytes && !isClosed) return null;
    const isChunked = replyHeaders['transfer-encoding'] === 'chunked';
    return {
      status,
      headers: replyHeaders,
      body: isChunked && !isBodiless ? unchunk(rest) : rest,
      isCut:
        lengthBytes === null ? isChunked && !rest.toString('latin1').endsWith('0\r\n\r\n') : rest.length < lengthBytes,
      isClosed,
    };
  };
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    const reply = parse(false);
    if (reply) resolve(reply);
  });
  socket.on('error', (error) => (received.length === 0 ? reject(error) : undefined));
  socket.on('close', () => {
    const reply = parse(true);
    if (reply) resolve(reply);
    else reject(new Error(`the connection closed without a reply: ${received.toString('latin1', 0, 200)}`));
  });
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  if (bytes) socket.write(bytes);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const sizeBytes = lineEnd < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!sizeBytes) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + sizeBytes));
    at = lineEnd + 2 + sizeBytes + 2;
  }
}
