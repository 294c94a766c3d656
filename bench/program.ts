/**
 * A part of a bench in a process of its own, so that a server, its peer and their load share no event loop, and the
 * processor time of each can be told apart. The bench asks and the program answers, over Node's IPC channel. A program ends
 * with its bench, also with one that was killed: then the channel closes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}
interface Answer {
  readonly id: number;
  readonly output?: unknown;
  readonly error?: string;
}

/** What a program can be asked. */
export type Answers = Readonly<Record<string, (input: never) => unknown>>;

/** The id of the message by which a program says that it is up. */
const READY = 0;

export class Program<A extends Answers> implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = READY;

  private constructor(file: string, child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    child.on('message', (message) => {
      const { id, output, error } = message as Answer;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(output);
      else waiting?.reject(new Error(error));
    });
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`${file} ended with ${signal ?? `code ${code ?? 0}`} before it answered`));
      }
    });
  }

  /** Starts the file and waits until it calls `answerWith`. `flags` are Node's own, `--cpu-prof` for one. */
  static async start<A extends Answers>(file: string, flags: readonly string[] = []): Promise<Program<A>> {
    const child = fork(file, { execArgv: [...flags], serialization: 'advanced' });
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw error;
    }
    const program = new Program<A>(file, child, child.pid);
    const ready = Promise.withResolvers<unknown>();
    program.#waiting.set(READY, ready);
    await ready.promise;
    return program;
  }

  async ask<Name extends keyof A & string>(
    name: Name,
    input: Parameters<A[Name]>[0],
  ): Promise<Awaited<ReturnType<A[Name]>>> {
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answered);
    this.#child.send({ id, name, input } satisfies Question);
    return (await answered.promise) as Awaited<ReturnType<A[Name]>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

/** The program's own side: called once, when it is up. It ends when its bench is done with it. */
export function answerWith(answers: Answers): void {
  if (!process.send) throw new Error('this is a part of a bench: start the bench itself, npm run bench');
  process.on('message', async (message) => {
    const { id, name, input } = message as Question;
    try {
      tell({ id, output: await answers[name]?.(input as never) });
    } catch (error) {
      tell({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  tell({ id: READY });
}

function tell(message: Answer): void {
  if (process.connected) process.send?.(message);
}
