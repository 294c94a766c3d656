/**
 * Walks of libraries, each in a thread of its own; short questions about a library go to another thread of that library. Owns:
 * the threads, of which one is kept for the next walk, since starting one costs 40 ms.
 *
 * A network share that is gone may hold up a system call for ever, and its thread with it: such a call is given up after
 * a time, and the thread is left behind.
 */
import { Worker } from 'node:worker_threads';
import type { RootLook, SeenFile, TreeWalkPort, WalkBatch } from '#engine/library/ports.ts';
import type { WalkRules } from './tree-walk.ts';
import type { WalkAnswer, WalkCall } from './tree-walk.worker.ts';

const LOOK_LIMIT_MS = 30_000;
/** One batch: 256 files or folders, also on a disk that has to spin up or a share behind a slow line. */
const BATCH_LIMIT_MS = 120_000;

class SystemTimeout extends Error {
  readonly code = 'ETIMEDOUT';
  constructor() {
    super('the file system did not answer');
    this.name = 'SystemTimeout';
  }
}

/** Threads for questions end after so long without one. */
const ASK_IDLE_MS = 30_000;

/** One call at a time. */
class WalkThread {
  readonly #worker = new Worker(new URL('./tree-walk.worker.ts', import.meta.url), { name: 'tree walk' });
  #end: Error | undefined;
  #pending: { resolve(value: unknown): void; reject(error: Error): void } | undefined;

  constructor() {
    // Nobody's process stays alive for a thread that waits.
    this.#worker.unref();
    this.#worker.on('message', (answer: WalkAnswer) => {
      const pending = this.#take();
      if ('error' in answer) pending?.reject(answer.error);
      else pending?.resolve(answer.value);
    });
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that walks libraries ended')));
  }

  get isAlive(): boolean {
    return this.#end === undefined;
  }

  get isUsable(): boolean {
    return this.#end === undefined && this.#pending === undefined;
  }

  async call(call: WalkCall, limitMs: number): Promise<unknown> {
    if (this.#end) throw this.#end;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending = { resolve, reject };
    this.#worker.postMessage(call);
    const timer = setTimeout(() => this.#fail(new SystemTimeout()), limitMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Not waited for: a thread that hangs in the kernel ends when the kernel lets it. */
  close(): void {
    this.#fail(new Error('closed'));
    void this.#worker.terminate();
  }

  #take() {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#take()?.reject(this.#end);
  }
}

interface Asked {
  readonly thread: WalkThread;
  last: Promise<void>;
  idle: NodeJS.Timeout | undefined;
}

export class TreeWalker implements TreeWalkPort, Disposable {
  readonly #rules: WalkRules;
  readonly #all = new Set<WalkThread>();
  readonly #asked = new Map<string, Asked>();
  #idle: WalkThread | undefined;
  #isClosed = false;

  constructor(rules: WalkRules) {
    this.#rules = rules;
  }

  async look(root: string): Promise<RootLook> {
    try {
      return (await this.#ask(root, { kind: 'look', root })) as RootLook;
    } catch (error) {
      if (error instanceof SystemTimeout) return { kind: 'unavailable', code: error.code };
      throw error;
    }
  }

  async stat(root: string, paths: readonly string[]): Promise<(SeenFile | null)[]> {
    if (paths.length === 0) return [];
    return (await this.#ask(root, { kind: 'stat', root, paths })) as (SeenFile | null)[];
  }

  async *walk(root: string, scopes: readonly string[], signal: AbortSignal): AsyncGenerator<WalkBatch> {
    signal.throwIfAborted();
    const thread = this.#take();
    try {
      await thread.call({ kind: 'open', root, scopes, rules: this.#rules }, LOOK_LIMIT_MS);
      const ask = () => thread.call({ kind: 'next' }, BATCH_LIMIT_MS) as Promise<WalkBatch | null>;
      let next = ask();
      for (;;) {
        const batch = await next;
        signal.throwIfAborted();
        if (!batch) return;
        // The next one is walked while this one is worked on.
        next = ask();
        next.catch(() => undefined);
        yield batch;
        signal.throwIfAborted();
      }
    } finally {
      this.#giveBack(thread);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { idle } of this.#asked.values()) clearTimeout(idle);
    for (const thread of this.#all) thread.close();
    this.#all.clear();
  }

  /** Questions about one library are answered one after the other; a disk that hangs holds up those about itself only. */
  async #ask(root: string, call: WalkCall): Promise<unknown> {
    if (this.#isClosed) throw new Error('the tree walker was closed');
    let asked = this.#asked.get(root);
    if (!asked || !asked.thread.isAlive) {
      asked = { thread: new WalkThread(), last: Promise.resolve(), idle: undefined };
      this.#asked.set(root, asked);
      this.#all.add(asked.thread);
    }
    const { thread } = asked;
    clearTimeout(asked.idle);
    const answer = asked.last.then(() => thread.call(call, LOOK_LIMIT_MS));
    const settled = answer.then(
      () => undefined,
      () => undefined,
    );
    asked.last = settled;
    try {
      return await answer;
    } finally {
      if (asked.last === settled) asked.idle = setTimeout(() => this.#endAsked(root, thread), ASK_IDLE_MS).unref();
    }
  }

  #endAsked(root: string, thread: WalkThread): void {
    if (this.#asked.get(root)?.thread === thread) this.#asked.delete(root);
    this.#all.delete(thread);
    thread.close();
  }

  #take(): WalkThread {
    if (this.#isClosed) throw new Error('the tree walker was closed');
    const thread = this.#idle ?? new WalkThread();
    this.#idle = undefined;
    this.#all.add(thread);
    return thread;
  }

  /** A thread with a call under way (the batch that a stopped walk no longer wants) is not for others. */
  #giveBack(thread: WalkThread): void {
    if (thread.isUsable && !this.#idle && !this.#isClosed) {
      this.#idle = thread;
      return;
    }
    this.#all.delete(thread);
    thread.close();
  }
}
