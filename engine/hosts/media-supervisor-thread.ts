import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { proxy, wrap } from 'comlink';
import type { Remote } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { systemClock } from '#engine/base/clock.ts';
import type { Supervised } from '#engine/runtime/supervisor.ts';
import type { DownloadEvent } from './download.port.ts';
import { MediaHostsError } from './media-supervisor.port.ts';
import type { MediaHostsRefusal, MediaHostsReport } from './media-supervisor.port.ts';
import type { MediaSupervisor, MediaSupervisorSettings } from './media-supervisor.ts';
import type { RenditionEvent } from './rendition.port.ts';

/** One life of the supervisor thread. comlink leaves calls waiting for ever when a thread ends, so they are counted here. */
export class MediaSupervisorThread implements Supervised {
  readonly remote: Remote<MediaSupervisor>;
  readonly ended: Promise<number>;
  readonly #worker: Worker;
  readonly #asking = new Set<(error: MediaHostsError) => void>();
  #end: MediaHostsRefusal | undefined;

  static async start(
    entry: URL,
    settings: MediaSupervisorSettings,
    onEvent: (id: number, event: RenditionEvent) => void,
    onReport: (report: MediaHostsReport) => void,
    onDownload: (id: number, event: DownloadEvent) => void,
  ): Promise<MediaSupervisorThread> {
    const worker = new Worker(entry, { name: 'media supervisor' });
    const ended = threadEnd(worker);
    const endedEarly = ended.then((code) =>
      Promise.reject(new Error(`the thread ended while it started, with ${code}`)),
    );
    const RemoteSupervisor = wrap<typeof MediaSupervisor>(nodeEndpoint(worker));
    try {
      const listeners = [proxy(onEvent), proxy(onReport), proxy(onDownload)] as const;
      const remote = await Promise.race([new RemoteSupervisor(settings, ...listeners), endedEarly]);
      return new MediaSupervisorThread(worker, remote, ended);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  private constructor(worker: Worker, remote: Remote<MediaSupervisor>, ended: Promise<number>) {
    this.remote = remote;
    this.#worker = worker;
    this.ended = ended;
    void ended.catch(() => undefined).then(() => this.#refuse('unavailable'));
  }

  /** Sends a call, and waits for the answer or for the end of the thread. */
  ask<T>(send: (remote: Remote<MediaSupervisor>) => Promise<T>): Promise<T> {
    if (this.#end) return Promise.reject(new MediaHostsError(this.#end));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#asking.add(reject);
    send(this.remote)
      .then(resolve, reject)
      .finally(() => this.#asking.delete(reject));
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#end) {
      using _timer = systemClock.after(STOP_LIMIT_MS, () => this.#refuse('stopped'));
      await this.ask((remote) => remote.stop()).catch(() => undefined);
    }
    this.#refuse('stopped');
    await this.#worker.terminate();
  }

  #refuse(code: MediaHostsRefusal): void {
    this.#end ??= code;
    for (const reject of this.#asking) reject(new MediaHostsError(this.#end));
    this.#asking.clear();
  }
}

/** Longer than the grace that hosts get. */
const STOP_LIMIT_MS = 4_000;

async function threadEnd(worker: Worker): Promise<number> {
  const [code] = (await once(worker, 'exit')) as [number];
  return code; // `once` rejects with the error that ended the thread
}
