/** The thread that searches, seen from outside: it starts, it is asked by message, and whoever waits hears of its end. */
import { once } from 'node:events';
import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Log } from '#engine/base/log.ts';
import type { SearchIndexPort, SearchLife } from '#engine/search/ports.ts';
import type { PostgresAddress } from '../postgres/connect.ts';
import type { SearchNews, SearchOrder, SearchThreadSettings } from './search.worker.ts';

export interface SearchThreadOptions {
  /** The thread has a few connections of its own. */
  readonly address: PostgresAddress;
  readonly log: Log;
  /** For tests. */
  readonly entry?: URL;
  readonly stopWithinMs?: number;
}

const STOP_WITHIN_MS = 3_000;

/**
 * A ceiling, not a wish: about 250 MB for 100,000 movies with 300,000 people, and that twice while everything is read anew. Only what is
 * mad should reach it, and then end this thread and not the process.
 */
function memoryLimitMb(): number {
  const machineMb = Math.min(totalmem(), process.constrainedMemory() || Infinity) / 2 ** 20;
  return Math.round(Math.min(8_192, Math.max(1_024, machineMb / 2)));
}

/** It ended before it answered. */
class SearchLifeEnd extends Error {
  constructor(cause?: unknown) {
    super('the thread that searches ended', { cause });
    this.name = 'SearchLifeEnd';
  }
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

export class SearchThread implements SearchLife {
  readonly ended: Promise<unknown>;
  readonly #options: SearchThreadOptions;
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  readonly #heard = Promise.withResolvers<void>();
  #end: SearchLifeEnd | undefined;
  #lastId = 0;

  /** Resolves when it can be asked; it begins to read by itself. */
  static async start(options: SearchThreadOptions): Promise<SearchThread> {
    const thread = new SearchThread(options);
    await thread.#heard.promise;
    return thread;
  }

  private constructor(options: SearchThreadOptions) {
    this.#options = options;
    const settings: SearchThreadSettings = { address: options.address };
    this.#worker = new Worker(options.entry ?? new URL('./search.worker.ts', import.meta.url), {
      name: 'search',
      workerData: settings,
      resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb() },
    });
    this.#worker.on('message', (news: SearchNews) => this.#hear(news));
    // `once` rejects with the error that ended the thread.
    this.ended = once(this.#worker, 'exit').then(
      ([code]: unknown[]) => {
        this.#refuse(new SearchLifeEnd(`exit code ${String(code)}`));
        return code;
      },
      (error: unknown) => {
        this.#refuse(new SearchLifeEnd(error));
        throw error;
      },
    );
    this.ended.catch(() => undefined);
  }

  ask<Name extends keyof SearchIndexPort>(
    name: Name,
    args: Parameters<SearchIndexPort[Name]>,
    signal: AbortSignal,
  ): ReturnType<SearchIndexPort[Name]> {
    return this.#ask({ name, args }, signal) as ReturnType<SearchIndexPort[Name]>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end === undefined) {
      this.#send({ kind: 'stop' });
      const within = this.#options.stopWithinMs ?? STOP_WITHIN_MS;
      await Promise.race([this.ended.catch(() => undefined), sleep(within, undefined, { ref: false })]);
    }
    await this.#worker.terminate();
  }

  async #ask(question: Pick<Extract<SearchOrder, { kind: 'ask' }>, 'name' | 'args'>, signal: AbortSignal) {
    signal.throwIfAborted();
    if (this.#end) throw this.#end;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#asked.set(id, { resolve, reject });
    const onAbort = (): void => {
      this.#send({ kind: 'withdraw', id });
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#send({ kind: 'ask', id, ...question });
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#asked.delete(id);
    }
  }

  #send(order: SearchOrder): void {
    this.#worker.postMessage(order);
  }

  #hear(news: SearchNews): void {
    switch (news.kind) {
      case 'ready':
        return this.#heard.resolve();
      case 'answer':
        return this.#asked.get(news.id)?.resolve(news.value);
      case 'refusal':
        return this.#asked.get(news.id)?.reject(new Error(`search could not answer: ${news.reason}`));
      case 'log':
        return this.#options.log[news.level](news.message, news.fields);
    }
  }

  #refuse(end: SearchLifeEnd): void {
    this.#end ??= end;
    this.#heard.reject(this.#end);
    for (const { reject } of this.#asked.values()) reject(this.#end);
    this.#asked.clear();
  }
}
