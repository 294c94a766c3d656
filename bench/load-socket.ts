/**
 * A WebSocket client for loads: it counts more than it understands, because what it costs is taken from the server that is
 * measured, on a machine with few processors. Messages in are views into one buffer that all sockets share; messages out
 * are masked with zeroes, which a server unmasks like any other (RFC 6455, section 5.3), so that they are made once.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface LoadSocketOptions {
  readonly port: number;
  readonly path: string;
  readonly subprotocol?: string;
  readonly cookie?: string;
  /** One whole message. The bytes are gone after the call. */
  readonly onMessage: (bytes: Uint8Array) => void;
  /** All messages of one read were told. */
  readonly onRead?: () => void;
  /** The connection ended, though nobody here ended it. */
  readonly onLost: (reason: string) => void;
}

const OPCODE_BINARY = 2;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;

/** Where every socket of this process reads into: each read is done with before the next. */
const shared = Buffer.allocUnsafeSlow(256 << 10);
const NOTHING = new Uint8Array(0);

export class LoadSocket implements Disposable {
  readonly #options: LoadSocketOptions;
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<void>();
  #isOpen = false;
  #isOurEnd = false;
  /** The beginning of a message whose end has not come. */
  #rest: Uint8Array = NOTHING;

  private constructor(options: LoadSocketOptions) {
    this.#options = options;
    const { port, path, subprotocol, cookie } = options;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (readBytes) => {
          this.#read(shared.subarray(0, readBytes));
          return true;
        },
      },
    });
    const lost = (reason: string): void => {
      this.#opened.reject(new Error(reason));
      if (!this.#isOurEnd) options.onLost(reason);
    };
    this.#socket
      .on('error', ({ message }) => lost(message))
      .on('close', () => lost('the server closed the connection'));
    const lines = [
      `GET ${path} HTTP/1.1`,
      `host: 127.0.0.1:${port}`,
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
      ...(subprotocol === undefined ? [] : [`sec-websocket-protocol: ${subprotocol}`]),
      ...(cookie === undefined ? [] : [`cookie: ${cookie}`]),
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Resolves when the upgrade went through. */
  static async open(options: LoadSocketOptions): Promise<LoadSocket> {
    const socket = new LoadSocket(options);
    await socket.#opened.promise;
    return socket;
  }

  /** Writes what `messageOf` made, one or several of them. */
  write(messages: Uint8Array): void {
    this.#socket.write(messages);
  }

  [Symbol.dispose](): void {
    this.#isOurEnd = true;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes: Uint8Array = chunk;
    if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, chunk]);
      this.#rest = NOTHING;
    }
    let position = 0;
    if (!this.#isOpen) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd >= 0) {
        position = headEnd + 4;
        this.#isOpen = true;
        if (text.startsWith('HTTP/1.1 101 ')) this.#opened.resolve();
        else this.#opened.reject(new Error(`the upgrade was refused: ${text.slice(0, text.indexOf('\r\n'))}`));
      }
    }
    while (this.#isOpen && position + 2 <= bytes.length) {
      const { headBytes, sizeBytes } = readHead(bytes, position);
      const end = position + headBytes + sizeBytes;
      if (headBytes === 0 || end > bytes.length) break;
      this.#take(bytes[position]! & 0x0f, bytes.subarray(position + headBytes, end));
      position = end;
    }
    if (position < bytes.length) this.#rest = Uint8Array.from(bytes.subarray(position));
    this.#options.onRead?.();
  }

  #take(opcode: number, payload: Uint8Array): void {
    if (opcode === OPCODE_BINARY) return this.#options.onMessage(payload);
    if (opcode === OPCODE_PING) return this.write(messageOf(payload, OPCODE_PONG));
    if (opcode !== OPCODE_CLOSE || this.#isOurEnd) return;
    const text = Buffer.from(payload);
    this.#options.onLost(
      `closed with ${text.length < 2 ? 'no code' : text.readUInt16BE(0)} ${text.toString('utf8', 2)}`,
    );
    this[Symbol.dispose]();
  }
}

/** Size of a message's head and of what it holds; a head of 0 where it is not whole yet. */
function readHead(bytes: Uint8Array, position: number): { headBytes: number; sizeBytes: number } {
  const size = bytes[position + 1]! & 0x7f;
  if (size < 126) return { headBytes: 2, sizeBytes: size };
  const lengthBytes = size === 126 ? 2 : 8;
  if (position + 2 + lengthBytes > bytes.length) return { headBytes: 0, sizeBytes: 0 };
  let sizeBytes = 0;
  for (let index = 0; index < lengthBytes; index++) sizeBytes = sizeBytes * 256 + bytes[position + 2 + index]!;
  return { headBytes: 2 + lengthBytes, sizeBytes };
}

/** One message, ready to be written: head, a mask of zeroes, payload. */
export function messageOf(payload: Uint8Array, opcode: number = OPCODE_BINARY): Buffer {
  if (payload.length > 0xffff) throw new RangeError('messages of loads have at most 65,535 bytes');
  const isShort = payload.length < 126;
  const headBytes = isShort ? 2 : 4;
  const whole = Buffer.alloc(headBytes + 4 + payload.length);
  whole[0] = 0x80 | opcode;
  whole[1] = 0x80 | (isShort ? payload.length : 126);
  if (!isShort) whole.writeUInt16BE(payload.length, 2);
  whole.set(payload, headBytes + 4);
  return whole;
}
