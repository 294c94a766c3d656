/**
 * The clients of the `ranges` bench: plain sockets that ask for one range after the other on a connection that stays, as
 * players do, and throw away what comes. All read into one buffer that stays in the processor's cache, because what the
 * clients cost is taken from the server.
 */
import { connect, type Socket } from 'node:net';
import { processorSeconds } from '../processor-time.ts';
import { answerWith } from '../program.ts';

export interface Round {
  readonly serverPid: number;
  readonly port: number;
  readonly path: string;
  readonly fileBytes: number;
  readonly rangeBytes: number;
  readonly clients: number;
  readonly warmMs: number;
  readonly measuredMs: number;
}

export interface RoundResult {
  readonly bytesPerSecond: number;
  /** Processor time of the server, seconds for 10^9 bytes. */
  readonly serverSecondsPerGb: number;
  /** The same with what the clients cost: who copies the bytes differs between servers. */
  readonly secondsPerGb: number;
  /** What the slowest client got, as a share of what each would have got of equal parts. */
  readonly slowestShare: number;
}

const shared = Buffer.allocUnsafeSlow(256 << 10);
const HEAD_END = '\r\n\r\n';

class Reader implements Disposable {
  readonly #round: Round;
  readonly #socket: Socket;
  readonly #onProblem: (problem: string) => void;
  #start: number;
  /** Bytes of the body still to come; `null` while the head is read. */
  #leftBytes: number | null = null;
  #head = '';
  #isOver = false;
  receivedBytes = 0;

  constructor(round: Round, start: number, onProblem: (problem: string) => void) {
    this.#round = round;
    this.#start = start;
    this.#onProblem = onProblem;
    this.#socket = connect({
      port: round.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (readBytes) => {
          this.#read(readBytes);
          return true;
        },
      },
    });
    this.#socket.on('error', ({ message }) => this.#lost(message)).on('close', () => this.#lost('closed'));
    this.#ask();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #ask(): void {
    const { path, port, rangeBytes, fileBytes } = this.#round;
    const end = Math.min(this.#start + rangeBytes, fileBytes);
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nrange: bytes=${this.#start}-${end - 1}\r\n\r\n`,
    );
    this.#start = end === fileBytes ? 0 : end;
  }

  #read(readBytes: number): void {
    let bodyBytes = readBytes;
    if (this.#leftBytes === null) {
      this.#head += shared.toString('latin1', 0, Math.min(readBytes, 4_096));
      const headEnd = this.#head.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1];
      if (!this.#head.startsWith('HTTP/1.1 206 ') || length === undefined) return this.#lost(this.#head.slice(0, 100));
      this.#leftBytes = Number(length);
      bodyBytes -= headEnd + HEAD_END.length;
      this.#head = '';
    }
    this.receivedBytes += bodyBytes;
    this.#leftBytes -= bodyBytes;
    if (this.#leftBytes > 0) return;
    this.#leftBytes = null;
    this.#ask();
  }

  #lost(problem: string): void {
    if (!this.#isOver) this.#onProblem(problem);
    this[Symbol.dispose]();
  }
}

async function read(round: Round): Promise<RoundResult> {
  const problems: string[] = [];
  using stack = new DisposableStack();
  // Each begins elsewhere, on the boundary of a range.
  const ranges = Math.ceil(round.fileBytes / round.rangeBytes);
  const readers = Array.from({ length: round.clients }, (_, index) => {
    const start = Math.floor((index * ranges) / round.clients) * round.rangeBytes;
    return stack.use(new Reader(round, start, (problem) => problems.push(problem)));
  });
  await passed(round.warmMs);
  const startMs = performance.now();
  const serverStart = processorSeconds(round.serverPid);
  const ownStart = process.cpuUsage();
  for (const reader of readers) reader.receivedBytes = 0;
  await passed(round.measuredMs);
  const seconds = (performance.now() - startMs) / 1_000;
  const server = processorSeconds(round.serverPid) - serverStart;
  const own = process.cpuUsage(ownStart);
  const received = readers.map(({ receivedBytes }) => receivedBytes);
  const bytes = received.reduce((sum, one) => sum + one, 0);
  const [problem] = problems;
  if (problem !== undefined) throw new Error(`the round is worth nothing: ${problem}`);
  return {
    bytesPerSecond: bytes / seconds,
    serverSecondsPerGb: server / (bytes / 1e9),
    secondsPerGb: (server + (own.user + own.system) / 1e6) / (bytes / 1e9),
    slowestShare: (Math.min(...received) * round.clients) / bytes,
  };
}

const passed = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

const answers = { read };
export type ReaderProgram = typeof answers;
answerWith(answers);
