/** A WebSocket client by hand, over a plain TCP socket: it can send what a proper one refuses to. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { SERVER_FRAME_LIMITS, decode, encode } from '#protocol/codec.ts';
import { SUBPROTOCOL } from '#protocol/frame.ts';

export interface UpgradeOptions {
  readonly port: number;
  readonly token?: string;
  /** Header fields beside those of the handshake; `null` leaves one of those out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly path?: string;
}

/** How a connection ended: with a close frame, or without one (`code` is then 1006, as browsers say). */
export interface End {
  readonly code: number;
  readonly reason: string;
}

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export class RawSocket implements Disposable {
  readonly socket: Socket;
  /** Status of the reply to the upgrade, 101 when it went through. */
  readonly status: number;
  readonly responseHead: string;
  /** Resolves when the other end has closed. */
  readonly ended: Promise<End>;
  /** Answer pings of the server, as every WebSocket does by itself. */
  answersPings = true;
  readonly #frames: unknown[] = [];
  readonly #waiting: ((frame: unknown) => void)[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #end: End | null = null;

  private constructor(socket: Socket, status: number, responseHead: string, rest: Buffer) {
    this.socket = socket;
    this.status = status;
    this.responseHead = responseHead;
    const { promise, resolve } = Promise.withResolvers<End>();
    this.ended = promise;
    const finish = (): void => {
      this.#end ??= { code: 1006, reason: '' };
      resolve(this.#end);
    };
    socket.on('close', finish).on('end', finish).on('error', finish);
    if (status !== 101) return;
    socket.on('data', (chunk) => this.#take(chunk));
    this.#take(rest);
  }

  /** Sends the handshake and waits for its answer, whatever that is. */
  static async open(options: UpgradeOptions): Promise<RawSocket> {
    const socket = connect(options.port, '127.0.0.1');
    const fields: Record<string, string | null> = {
      host: `127.0.0.1:${options.port}`,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      'sec-websocket-protocol': SUBPROTOCOL,
      ...(options.token === undefined ? {} : { cookie: `matinee_session=${options.token}` }),
      ...options.headers,
    };
    const lines = Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
    socket.write(`GET ${options.path ?? '/live'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    let received = Buffer.alloc(0);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd >= 0) resolve(headEnd + 4);
    };
    socket
      .on('data', onData)
      .on('error', reject)
      .on('close', () => reject(new Error('closed during the handshake')));
    const bodyStart = await promise;
    socket.off('data', onData);
    const head = received.toString('latin1', 0, bodyStart);
    return new RawSocket(socket, Number(head.split(' ')[1]), head, received.subarray(bodyStart));
  }

  /** A frame of ours in one binary message. */
  send(frame: unknown): void {
    this.sendBytes(encode(frame));
  }

  sendBytes(payload: Uint8Array, opcode: number = OPCODE.binary): void {
    this.socket.write(messageBytes(payload, opcode));
  }

  /** The next frame that the server sent, decoded. Rejects when the connection ends before one came. */
  async next(): Promise<unknown[]> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame as unknown[];
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.push(resolve);
    const ended = this.ended.then(({ code, reason }) => {
      throw new Error(`the connection ended with ${code} ${reason}`);
    });
    return (await Promise.race([promise, ended])) as unknown[];
  }

  /** Says hello and returns the welcome. */
  async greet(protocol: readonly [number, number] = [1, 1]): Promise<unknown[]> {
    this.send([0, { protocol, client: { name: 'test', version: '0' } }]);
    return await this.next();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const message = readMessage(this.#buffer);
      if (!message) return;
      this.#buffer = this.#buffer.subarray(message.sizeBytes);
      if (message.opcode === OPCODE.close) {
        this.#end = {
          code: message.payload.length >= 2 ? message.payload.readUInt16BE(0) : 1005,
          reason: message.payload.toString('utf8', 2),
        };
      } else if (message.opcode === OPCODE.ping) {
        if (this.answersPings) this.sendBytes(message.payload, OPCODE.pong);
      } else if (message.opcode === OPCODE.binary) {
        const frame = decode(Uint8Array.from(message.payload), SERVER_FRAME_LIMITS);
        const waiting = this.#waiting.shift();
        if (waiting) waiting(frame);
        else this.#frames.push(frame);
      }
    }
  }
}

/** A masked message as RFC 6455 section 5.2 has it. */
export function messageBytes(payload: Uint8Array, opcode: number = OPCODE.binary, isFinal: boolean = true): Buffer {
  const head = messageHead(payload.length, opcode, isFinal);
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let index = 0; index < masked.length; index++) masked[index]! ^= mask[index & 3]!;
  return Buffer.concat([head, mask, masked]);
}

/** The head of a masked message, without its mask: for claims that are not followed by what they claim. */
export function messageHead(sizeBytes: number, opcode: number = OPCODE.binary, isFinal: boolean = true): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode;
  if (sizeBytes < 126) return Buffer.from([first, 0x80 | sizeBytes]);
  const head = Buffer.alloc(sizeBytes < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = 0x80 | (sizeBytes < 65_536 ? 126 : 127);
  if (sizeBytes < 65_536) head.writeUInt16BE(sizeBytes, 2);
  else head.writeBigUInt64BE(BigInt(sizeBytes), 2);
  return head;
}

function readMessage(buffer: Buffer): { opcode: number; payload: Buffer; sizeBytes: number } | null {
  if (buffer.length < 2) return null;
  let length = buffer[1]! & 0x7f;
  let at = 2;
  if (length === 126) {
    if (buffer.length < 4) return null;
    length = buffer.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buffer.length < 10) return null;
    length = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  if (buffer.length < at + length) return null;
  return { opcode: buffer[0]! & 0x0f, payload: buffer.subarray(at, at + length), sizeBytes: at + length };
}
