/** Makes the calls of the `rpc` bench: opens sockets to both sides, and loads one side at a time with as many calls in flight as it may have. */
import { encode } from '#protocol/codec.ts';
import { FRAME, SUBPROTOCOL } from '#protocol/frame.ts';
import { LoadSocket, messageOf } from '../load-socket.ts';
import { processorSeconds } from '../processor-time.ts';
import { answerWith } from '../program.ts';
import { ECHO_INPUT } from './echo-call.ts';

export interface Target {
  readonly pid: number;
  readonly port: number;
  /** `null` for the peer, which knows no sessions and no hello. */
  readonly token: string | null;
  readonly sockets: number;
}

export interface Round {
  readonly pid: number;
  readonly callId: number;
  /** For each socket. */
  readonly inFlight: number;
  readonly warmMs: number;
  readonly measuredMs: number;
}

export interface RoundResult {
  readonly callsPerSecond: number;
  /** Processor time of the server for one call, microseconds. */
  readonly serverMicros: number;
  readonly loadMicros: number;
}

/** From here on msgpack writes a number with five bytes, so that ids can be put in their place in bytes made before. */
const FIRST_ID = 0x1_0000;
const HELLO = messageOf(encode([FRAME.hello, { protocol: [1, 1], client: { name: 'bench', version: '0' } }]));

/** One call, as bytes in which only the id changes. */
interface Template {
  readonly bytes: Buffer;
  readonly idOffset: number;
}

function templateOf(callId: number): Template {
  const bytes = messageOf(encode([FRAME.call, FIRST_ID, callId, ECHO_INPUT, null]));
  return { bytes, idOffset: bytes.indexOf(Buffer.from([0xce, 0x00, 0x01, 0x00, 0x00])) + 1 };
}

/** All sockets to one server. */
class Crowd implements Disposable {
  readonly #target: Target;
  readonly #callers: Caller[] = [];
  readonly problems: string[] = [];
  template: Template | null = null;
  answered = 0;
  inFlight = 0;
  onQuiet: (() => void) | null = null;

  constructor(target: Target) {
    this.#target = target;
  }

  async open(): Promise<void> {
    while (this.#callers.length < this.#target.sockets) this.#callers.push(await Caller.open(this, this.#target));
  }

  async run({ callId, inFlight, warmMs, measuredMs }: Round): Promise<RoundResult> {
    const { pid } = this.#target;
    this.template = templateOf(callId);
    for (const caller of this.#callers) caller.call(inFlight);
    await passed(warmMs);
    const before = { answered: this.answered, atMs: performance.now(), server: processorSeconds(pid) };
    const ownBefore = process.cpuUsage();
    await passed(measuredMs);
    const calls = this.answered - before.answered;
    const seconds = (performance.now() - before.atMs) / 1_000;
    const serverSeconds = processorSeconds(pid) - before.server;
    const own = process.cpuUsage(ownBefore);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.onQuiet = resolve;
    this.template = null;
    await promise;
    this.#assertWell();
    return {
      callsPerSecond: calls / seconds,
      serverMicros: (serverSeconds * 1e6) / calls,
      loadMicros: (own.user + own.system) / calls,
    };
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#callers) socket[Symbol.dispose]();
  }

  #assertWell(): void {
    const [problem] = this.problems;
    if (problem !== undefined) throw new Error(`the round is worth nothing: ${problem}`);
  }
}

class Caller {
  readonly #crowd: Crowd;
  socket!: LoadSocket;
  #nextId = FIRST_ID;
  /** Calls answered in this read. */
  #due = 0;

  private constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  static async open(crowd: Crowd, { port, token }: Target): Promise<Caller> {
    const caller = new Caller(crowd);
    const greeted = Promise.withResolvers<void>();
    caller.socket = await LoadSocket.open({
      port,
      path: token === null ? '/echo' : '/live',
      ...(token === null ? {} : { subprotocol: SUBPROTOCOL, cookie: `matinee_session=${token}` }),
      onMessage: (bytes) => {
        // An array of three that begins with the kind.
        if (bytes[0] === 0x93 && bytes[1] === FRAME.ok) caller.#due++;
        else if (bytes[1] === FRAME.welcome) greeted.resolve();
        else crowd.problems.push(`an answer that is none: ${Buffer.from(bytes).toString('hex')}`);
      },
      onRead: () => caller.#goOn(),
      onLost: (reason) => {
        crowd.problems.push(reason);
        greeted.reject(new Error(reason));
        crowd.onQuiet?.();
      },
    });
    if (token !== null) {
      caller.socket.write(HELLO);
      await greeted.promise;
    }
    return caller;
  }

  call(count: number): void {
    const { template } = this.#crowd;
    if (!template) return;
    const { bytes, idOffset } = template;
    const calls = Buffer.allocUnsafe(bytes.length * count);
    for (let index = 0; index < count; index++) {
      bytes.copy(calls, index * bytes.length);
      calls.writeUInt32BE(this.#nextId++, index * bytes.length + idOffset);
    }
    this.#crowd.inFlight += count;
    this.socket.write(calls);
  }

  #goOn(): void {
    const answered = this.#due;
    if (answered === 0) return;
    this.#due = 0;
    this.#crowd.answered += answered;
    this.#crowd.inFlight -= answered;
    this.call(answered);
    if (this.#crowd.inFlight === 0) this.#crowd.onQuiet?.();
  }
}

const passed = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** By the id of the server's process. */
const crowds = new Map<number, Crowd>();

async function open(target: Target): Promise<void> {
  crowds.get(target.pid)?.[Symbol.dispose]();
  const crowd = new Crowd(target);
  crowds.set(target.pid, crowd);
  await crowd.open();
}

async function run(round: Round): Promise<RoundResult> {
  const crowd = crowds.get(round.pid);
  if (!crowd) throw new Error('open the sockets first');
  return crowd.run(round);
}

const answers = { open, run };
export type LoadProgram = typeof answers;
answerWith(answers);
