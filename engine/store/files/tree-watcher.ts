/** Watches libraries, each in a thread of its own, so that neither a tree of 100,000 folders nor a share that hangs holds up anyone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { TreeWatch, TreeWatchPort, WatchNews } from '#engine/library/ports.ts';
import { networkFileSystem } from './mount-type.ts';
import type { TreeWatchMessage, TreeWatchSettings } from './tree-watch.ts';

const CLOSE_LIMIT_MS = 2_000;

export interface TreeWatcherOptions {
  readonly pollIntervalMs: number;
  readonly extensions: readonly string[];
}

export class TreeWatcher implements TreeWatchPort {
  readonly #options: TreeWatcherOptions;

  constructor(options: TreeWatcherOptions) {
    this.#options = options;
  }

  async watch(root: string, mode: 'auto' | 'events' | 'poll', listener: (news: WatchNews) => void): Promise<TreeWatch> {
    const isPolled = mode === 'poll' || (mode === 'auto' && (await networkFileSystem(root)) !== null);
    const settings: TreeWatchSettings = { root, mode: isPolled ? 'polling' : 'events', ...this.#options };
    const watched = new WatchThread(settings, listener);
    await watched.ready;
    return watched;
  }
}

class WatchThread implements TreeWatch {
  readonly ready: Promise<void>;
  readonly #settings: TreeWatchSettings;
  readonly #listener: (news: WatchNews) => void;
  #worker: Worker;
  #mode: TreeWatchSettings['mode'];
  #isClosed = false;

  constructor(settings: TreeWatchSettings, listener: (news: WatchNews) => void) {
    this.#settings = settings;
    this.#listener = listener;
    this.#mode = settings.mode;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#worker = this.#start(settings, resolve, reject);
  }

  get mode(): TreeWatch['mode'] {
    return this.#mode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    // A thread that hangs in the kernel ends when the kernel lets it; nobody waits for that.
    await Promise.race([this.#worker.terminate(), sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]);
  }

  #start(settings: TreeWatchSettings, onReady: () => void, onFailure: (error: Error) => void): Worker {
    const worker = new Worker(new URL('./tree-watch.worker.ts', import.meta.url), {
      name: 'tree watch',
      workerData: settings,
    });
    let isReady = false;
    worker.on('message', (message: TreeWatchMessage) => {
      if (this.#isClosed) return;
      if (message.kind === 'ready') {
        isReady = true;
        worker.unref();
        onReady();
        return;
      }
      if (message.kind !== 'changed') this.#mode = 'polling';
      this.#listener(message);
    });
    worker.on('error', (error: Error) => {
      if (this.#isClosed) return;
      if (!isReady) return onFailure(error);
      // Out of memory, most likely: fewer kernel watches, and times only.
      this.#mode = 'polling';
      this.#listener({ kind: 'failed', error });
      const ignore = (): void => undefined;
      this.#worker = this.#start({ ...this.#settings, mode: 'polling' }, ignore, ignore);
    });
    return worker;
  }
}
