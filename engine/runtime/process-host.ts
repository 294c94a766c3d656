import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#engine/base/clock.ts';
import type { Clock, Timer } from '#engine/base/clock.ts';
import { ORPHAN_WATCH, PING } from './host-wire.ts';
import type { CallArgs, CallName, CallResult, FromHost, ToHost } from './host-wire.ts';

/**
 * One life of one child process that runs dangerous code for us. Its rules are HOST1 to HOST10 of SPEC.md.
 *
 * States: starting → ready → stopping → exited, and from each of them straight to exited. It does not restart: whoever
 * owns it knows what to repeat and what not, and starts another.
 */
export class ProcessHost<Calls extends object, Event = never> implements AsyncDisposable {
  readonly name: string;
  readonly pid: number | undefined;
  /** Resolves when the child has loaded and hears calls. Rejects when it ends before that. */
  readonly ready: Promise<void>;
  /** Resolves, never rejects, when the process is gone and everything it sent has been heard. */
  readonly exited: Promise<HostExit>;

  readonly #options: Required<ProcessHostOptions<Event>>;
  readonly #child: ChildProcess;
  readonly #whenReady = Promise.withResolvers<void>();
  readonly #whenExited = Promise.withResolvers<HostExit>();
  /** Calls sent and not answered, oldest first. The first is the one that the child has in hand, or will have next. */
  readonly #calls = new Map<number, PendingCall>();
  /** The newest call of which is known that the child took it in hand. */
  #begunId = 0;
  readonly #timers: Timer[];
  #limit: Timer | undefined;
  #nextId = 1;
  #isReady = false;
  #end: HostEnd | undefined;
  #exit: HostExit | undefined;
  #stderr = '';
  #wasBusy = true;
  #eventsThisSecond = 0;

  constructor(options: ProcessHostOptions<Event>) {
    this.#options = { ...DEFAULTS, onEvent: () => undefined, ...options };
    this.name = options.name;
    this.ready = this.#whenReady.promise;
    this.exited = this.#whenExited.promise;
    this.ready.catch(() => undefined); // whoever waits for it sees the rejection, and nobody has to wait

    this.#child = fork(fileURLToPath(options.entry), [], {
      execPath: process.execPath,
      execArgv: [`--max-old-space-size=${this.#options.heapLimitMiB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: hostEnvironment(this.#options.codeCacheFolder),
    });
    this.pid = this.#child.pid;
    living.add(this.#child);
    if (this.pid !== undefined && this.#options.niceness > 0) setNiceness(this.pid, this.#options.niceness);

    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL_LENGTH);
    });
    this.#child.on('message', (message: FromHost<Event>) => this.#hear(message));
    // Not `exit`: replies written just before it are still to be read, and they decide which call is to blame [HOST3].
    this.#child.on('close', (exitCode, signal) => this.#conclude(exitCode, signal));
    // A spawn that failed has no process and so no `close`; a failed send or kill is followed by one.
    this.#child.on('error', (error) => {
      this.#stderr ||= String(error);
      if (this.pid === undefined) this.#conclude(null, null);
    });

    const { clock, readyWithinMs, memoryCheckMs } = this.#options;
    this.#limit = clock.after(readyWithinMs, () => this.kill('notReady'));
    this.#timers = [
      clock.every(1_000, () => (this.#eventsThisSecond = 0)),
      clock.every(memoryCheckMs, () => void this.#checkMemory()),
    ];
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Calls sent and not answered yet. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** The newest call that was sent. Ids rise by one with each call. */
  get lastCallId(): number {
    return this.#nextId - 1;
  }

  /** How the process ended; `null` while it lives. */
  get exit(): HostExit | null {
    return this.#exit ?? null;
  }

  /**
   * Sends a call and waits for its answer. The time limit runs from the moment the child takes the call in hand, so a call
   * may be sent while others are still being worked on.
   *
   * Rejects with a HostError: `overloaded` (too many sent already), `failed` (the call threw; its error is the cause),
   * `lost` (the process ended before this call was in hand: repeating it is safe), or how the process ended.
   */
  call<Name extends CallName<Calls>>(
    name: Name,
    args: CallArgs<Calls, Name>,
    timeLimitMs: number,
  ): Promise<CallResult<Calls, Name>> {
    return this.#request(name, args, timeLimitMs) as Promise<CallResult<Calls, Name>>;
  }

  /** Resolves when the child comes up for air: for hosts that work behind their calls. Ends it if that takes too long. */
  ping(timeLimitMs: number): Promise<void> {
    return this.#request(PING, [], timeLimitMs) as Promise<void>;
  }

  /** Ends the process now. The first reason given is the one that counts. */
  kill(reason: HostEnd): void {
    this.#end ??= reason;
    this.#limit?.[Symbol.dispose]();
    this.#child.kill('SIGKILL');
  }

  /** Asks the process to end, kills it after the grace period, and resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#end && !this.#exit) {
      this.#end = 'stopped';
      this.#limit?.[Symbol.dispose]();
      this.#send({ kind: 'stop' });
      this.#timers.push(this.#options.clock.after(this.#options.stopWithinMs, () => this.#child.kill('SIGKILL')));
    }
    await this.exited;
  }

  #request(name: string, args: readonly unknown[], timeLimitMs: number): Promise<unknown> {
    if (this.#exit) return Promise.reject(new HostError('lost', this.name, this.#exit));
    if (this.#calls.size >= this.#options.maxInFlight) return Promise.reject(new HostError('overloaded', this.name));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = this.#nextId++;
    this.#calls.set(id, { timeLimitMs, resolve, reject });
    if (this.#calls.size === 1) this.#watchHead();
    this.#send({ kind: 'call', id, name, args });
    return promise;
  }

  #hear(message: FromHost<Event>): void {
    if (message.kind === 'event') {
      // Only events: replies are as many as calls.
      if (++this.#eventsThisSecond > this.#options.maxEventsPerSecond) return this.kill('flooded');
      return this.#options.onEvent(message.event, message.callId);
    }
    if (message.kind === 'ready') {
      this.#isReady = true;
      this.#watchHead();
      return this.#whenReady.resolve();
    }
    if (message.kind === 'begun') {
      this.#begunId = message.id;
      return;
    }
    if (message.isBusy) this.#begunId = message.id + 1;
    const call = this.#calls.get(message.id);
    if (!call) return;
    this.#calls.delete(message.id);
    this.#watchHead();
    if (message.kind === 'reply') call.resolve(message.result);
    else call.reject(new HostError('failed', this.name, undefined, message.error));
  }

  #conclude(exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exit) return;
    living.delete(this.#child);
    // A call sent to a process that has ended unnoticed is not to blame; one that a living process did not take in time is.
    const hadCall = this.#calls.has(this.#begunId) || (this.#end === 'timeLimit' && this.#calls.size > 0);
    this.#exit = {
      reason: this.#end ?? 'crashed',
      exitCode,
      signal,
      wasReady: this.#isReady,
      wasBusy: this.#wasBusy,
      hadCall,
      stderr: this.#stderr,
    };
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#limit?.[Symbol.dispose]();
    let code: HostError['code'] = hadCall ? this.#exit.reason : 'lost';
    for (const { reject } of this.#calls.values()) {
      reject(new HostError(code, this.name, this.#exit));
      code = 'lost';
    }
    this.#calls.clear();
    this.#whenReady.reject(new HostError(this.#exit.reason, this.name, this.#exit));
    this.#whenExited.resolve(this.#exit);
  }

  /** Restarts the time limit for the call that the child now has in hand. */
  #watchHead(): void {
    if (!this.#isReady || this.#end) return;
    this.#limit?.[Symbol.dispose]();
    const head = this.#calls.values().next().value;
    if (!head) return;
    this.#limit = this.#options.clock.after(head.timeLimitMs, () => this.#onLimit());
  }

  /**
   * Before a late child is killed, it is watched for a moment: one that computes is stuck in the file, one that sleeps waits
   * for a disk, and that is not the file's fault. An answer in that moment saves it.
   */
  #onLimit(): void {
    let samples = 0;
    let busy = 0;
    this.#limit = this.#options.clock.every(SAMPLE_MS, () => {
      if (isComputing(this.pid)) busy++;
      if (++samples < SAMPLES) return;
      this.#wasBusy = busy * 2 > SAMPLES;
      this.kill('timeLimit');
    });
  }

  async #checkMemory(): Promise<void> {
    if (this.pid === undefined) return;
    const sizeBytes = await residentBytes(this.pid);
    if (sizeBytes > this.#options.memoryLimitBytes) this.kill('memoryLimit');
  }

  #send(message: ToHost): void {
    // A closed channel means that the process has ended: `close` follows and settles every call.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

export interface ProcessHostOptions<Event = never> {
  /** For people, in errors and logs: `probe host 2`. */
  readonly name: string;
  /** The child's entry, a `.ts` file that calls `serveHost`. */
  readonly entry: URL;
  /** `callId` is the newest call that the child had begun by then; compare with `lastCallId`. */
  readonly onEvent?: (event: Event, callId: number) => void;
  /** Largest resident size. Read from /proc, so it holds on Linux only. */
  readonly memoryLimitBytes?: number;
  readonly memoryCheckMs?: number;
  /** JavaScript heap of the child; what native code takes counts against `memoryLimitBytes` alone. */
  readonly heapLimitMiB?: number;
  /** Long by itself: a child that a busy machine only keeps waiting would begin from nothing again. */
  readonly readyWithinMs?: number;
  /** Grace between the request to stop and SIGKILL. */
  readonly stopWithinMs?: number;
  /** Most calls sent and not answered. */
  readonly maxInFlight?: number;
  readonly maxEventsPerSecond?: number;
  /** 0 to 19: how far the process steps back when the processor is wanted by others (nice(2)). */
  readonly niceness?: number;
  /** Where Node keeps what it made of our code, which saves two thirds of a start: 370 ms of processor without, 110 ms with it. */
  readonly codeCacheFolder?: string | null;
  readonly clock?: Clock;
}

/** What whoever starts hosts may leave to its caller. */
export type ProcessHostLimits = Partial<
  Pick<ProcessHostOptions, 'memoryLimitBytes' | 'readyWithinMs' | 'niceness' | 'heapLimitMiB' | 'codeCacheFolder'>
>;

const DEFAULTS = {
  memoryLimitBytes: 1024 ** 3,
  memoryCheckMs: 500,
  heapLimitMiB: 256,
  readyWithinMs: 120_000,
  stopWithinMs: 2_000,
  maxInFlight: 64,
  maxEventsPerSecond: 5_000,
  niceness: 0,
  codeCacheFolder: null,
  clock: systemClock,
} as const;

const STDERR_TAIL_LENGTH = 4_096;
const SAMPLE_MS = 60;
const SAMPLES = 5;

/** Children of this thread. One that is stuck does not notice that its channel closed, so they end with the thread by force. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/**
 * How a host ended. `stopped`: we asked for it. `crashed`: by itself, with any exit code or signal. The others are limits
 * that it broke, and SIGKILL was the answer.
 */
export const HOST_ENDS = ['stopped', 'crashed', 'timeLimit', 'memoryLimit', 'flooded', 'notReady'] as const;
export type HostEnd = (typeof HOST_ENDS)[number];

export interface HostExit {
  readonly reason: HostEnd;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `false` when it never came to hear calls. */
  readonly wasReady: boolean;
  /** `false` when it was killed for its time limit while it waited for a disk rather than computed. */
  readonly wasBusy: boolean;
  /** Whether it had a call in hand. */
  readonly hadCall: boolean;
  /** The last 4 KiB of what it wrote to stderr. For logs only: may name files. */
  readonly stderr: string;
}

export class HostError extends Error {
  readonly code: HostEnd | 'lost' | 'failed' | 'overloaded';
  /** How the process ended, when that is why the call failed. */
  readonly exit: HostExit | undefined;

  constructor(code: HostError['code'], host: string, exit?: HostExit, cause?: Error) {
    super(`${host}: ${code}${exit ? ` (exit code ${exit.exitCode ?? 'none'}, signal ${exit.signal ?? 'none'})` : ''}`, {
      cause,
    });
    this.name = 'HostError';
    this.code = code;
    this.exit = exit;
  }
}

interface PendingCall {
  readonly timeLimitMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: HostError) => void;
}

/**
 * Our environment holds secrets (DATABASE_URL, the admin's password), so a host, which a file may take over, gets only what
 * it needs to run. Who sets NODE_COMPILE_CACHE decides where that lies.
 */
function hostEnvironment(codeCacheFolder: string | null): NodeJS.ProcessEnv {
  const names = [
    'PATH',
    'HOME',
    'LANG',
    'LC_ALL',
    'TZ',
    'TMPDIR',
    'NODE_COMPILE_CACHE',
    'LD_LIBRARY_PATH',
    'FONTCONFIG_PATH',
    'FONTCONFIG_FILE',
    // Which driver of a graphics chip is used, and where it lies.
    'LIBVA_DRIVER_NAME',
    'LIBVA_DRIVERS_PATH',
    'VK_DRIVER_FILES',
    'VK_ICD_FILENAMES',
    'OCL_ICD_VENDORS',
    'ONEVPL_SEARCH_PATH',
    'CUDA_VISIBLE_DEVICES',
  ];
  const given = Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return codeCacheFolder === null ? given : { NODE_COMPILE_CACHE: codeCacheFolder, ...given };
}

function setNiceness(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // The process has ended already: its exit is reported in its own way.
  }
}

/** Resident size of a process, 0 when it is gone or the system does not say. */
async function residentBytes(pid: number): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/**
 * Whether a thread of the process runs or waits for a processor, so the load of the machine makes no difference (proc(5),
 * state `R` behind the name in parentheses). Where the system does not say, the process counts as computing.
 */
function isComputing(pid: number | undefined): boolean {
  try {
    const tasks = `/proc/${pid ?? 0}/task`;
    const states = readdirSync(tasks).map((task) => readFileSync(`${tasks}/${task}/stat`, 'latin1'));
    return states.some((state) => / \(.*\) R /.test(state) && !state.includes(`(${ORPHAN_WATCH})`));
  } catch {
    return true;
  }
}
