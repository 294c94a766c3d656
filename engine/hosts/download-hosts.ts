import { systemClock } from '#engine/base/clock.ts';
import type { Clock, Timer } from '#engine/base/clock.ts';
import { ProcessHost } from '#engine/runtime/process-host.ts';
import type { HostExit, ProcessHostLimits } from '#engine/runtime/process-host.ts';
import type { Refusal } from './call-hosts.ts';
import type { DownloadCalls, DownloadEvent, DownloadSpec } from './download.port.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';
import { MAX_DEATHS } from './quarantine.ts';
import type { Quarantine } from './quarantine.ts';

/**
 * One host process for each file that is made to be taken along, behind everything that somebody watches. Its rules are DOWN1 to DOWN5
 * of SPEC.md.
 *
 * A host that dies is replaced, and goes on from the segments that are there; one that dies again without having made any more is not.
 */
export class DownloadHosts implements AsyncDisposable {
  readonly #options: DownloadHostsOptions;
  readonly #clock: Clock;
  readonly #downloads = new Map<number, Download>();
  readonly #watch: Timer;
  #started = 0;
  #isStopped = false;

  constructor(options: DownloadHostsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watch = this.#clock.every(options.watchMs ?? 5_000, () => this.#checkAll());
  }

  get count(): number {
    return this.#downloads.size;
  }

  /** Begins to make a file under an id of the caller's. `null` when it has begun. */
  open(id: number, spec: DownloadSpec): Refusal | null {
    if (this.#isStopped) return { refusal: 'stopped' };
    const download: Download = { id, spec, host: null, isHeld: false, deaths: 0, doneUs: 0, lastEventMs: 0 };
    this.#downloads.set(id, download);
    void this.#begin(download);
    return null;
  }

  hold(id: number, isHeld: boolean): void {
    const download = this.#downloads.get(id);
    if (!download || download.isHeld === isHeld) return;
    download.isHeld = isHeld;
    download.lastEventMs = this.#clock.monotonicMs();
    this.#send(download, isHeld ? 'hold' : 'goOn', []);
  }

  /** Ends it at once: what is half made is nobody's concern [DOWN3]. */
  async close(id: number): Promise<void> {
    const download = this.#downloads.get(id);
    this.#downloads.delete(id);
    const host = download?.host;
    if (!host) return;
    host.kill('stopped');
    await host.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#watch[Symbol.dispose]();
    await Promise.all([...this.#downloads.keys()].map((id) => this.close(id)));
  }

  async #begin(download: Download): Promise<void> {
    if (await this.#options.quarantine.has(download.spec.path)) {
      return this.#fail(download, 'sourceDamaged', 'quarantined earlier');
    }
    if (this.#downloads.get(download.id) !== download) return;
    const host: Host = new ProcessHost<DownloadCalls, DownloadEvent>({
      ...this.#options.limits,
      name: `download host ${++this.#started}`,
      entry: this.#options.entry,
      stopWithinMs: 300,
      onEvent: (event) => this.#hear(download, host, event),
      clock: this.#clock,
    });
    download.host = host;
    download.lastEventMs = this.#clock.monotonicMs();
    void host.exited.then((exit) => this.#bury(download, host, exit));
    this.#send(download, 'make', [download.spec]);
    if (download.isHeld) this.#send(download, 'hold', []);
  }

  #send<Name extends keyof DownloadCalls>(download: Download, name: Name, args: Parameters<DownloadCalls[Name]>): void {
    const { host } = download;
    host?.call(name, args as never, this.#options.hangLimitMs ?? 60_000).catch((error: unknown) => {
      if (host.exit || !(error instanceof Error)) return;
      const fault = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.message;
      this.#options.onReport({
        kind: 'hostFault',
        host: host.name,
        call: name,
        path: download.spec.path,
        error: fault,
      });
      this.#fail(download, 'trouble', `${name} failed`);
    });
  }

  #hear(download: Download, host: Host, event: DownloadEvent): void {
    if (download.host !== host || this.#downloads.get(download.id) !== download) return;
    download.lastEventMs = this.#clock.monotonicMs();
    if (event.kind === 'hardwareFailed') download.spec = { ...download.spec, hardware: null };
    if (event.kind === 'progress') {
      // Whatever it died of before, this time it came further.
      if (event.doneUs > download.doneUs) download.deaths = 0;
      download.doneUs = Math.max(download.doneUs, event.doneUs);
    }
    if (event.kind === 'finished' || event.kind === 'failed') this.#end(download, event);
    else this.#options.onEvent(download.id, event);
  }

  async #bury(download: Download, host: Host, exit: HostExit): Promise<void> {
    if (download.host !== host || this.#downloads.get(download.id) !== download || this.#isStopped) return;
    download.host = null;
    const { spec } = download;
    this.#options.onReport({
      kind: 'hostEnded',
      host: host.name,
      reason: exit.reason,
      path: spec.path,
      stderr: exit.stderr,
    });
    if (exit.wasReady && spec.hardware) {
      // A driver may end its process. Not the file's fault, until the processor dies of it as well.
      download.spec = { ...spec, hardware: null };
      const verdict = exit.reason === 'timeLimit' ? 'timedOut' : 'crashed';
      const event = { kind: 'hardwareFailed', hardware: spec.hardware.kind, verdict, detail: exit.signal } as const;
      this.#options.onEvent(download.id, event);
      return await this.#begin(download);
    }
    download.deaths += 1;
    if (download.deaths >= MAX_DEATHS) {
      const isItsFault = exit.wasReady && exit.wasBusy;
      if (isItsFault) await this.#options.quarantine.add(spec.path, exit.reason);
      return this.#fail(download, exit.wasBusy ? 'sourceDamaged' : 'sourceGone', `${host.name} ended: ${exit.reason}`);
    }
    await this.#begin(download);
  }

  #fail(download: Download, trouble: Extract<DownloadEvent, { kind: 'failed' }>['trouble'], detail: string): void {
    if (this.#downloads.get(download.id) === download) this.#end(download, { kind: 'failed', trouble, detail });
  }

  #end(download: Download, event: DownloadEvent): void {
    void this.close(download.id);
    this.#options.onEvent(download.id, event);
  }

  #checkAll(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const download of this.#downloads.values()) {
      const { host, isHeld } = download;
      if (!host || host.exit) continue;
      if (!host.isReady || isHeld) download.lastEventMs = nowMs;
      else if (nowMs - download.lastEventMs > (this.#options.stallLimitMs ?? 300_000)) host.kill('timeLimit');
      if (host.isReady && host.inFlight === 0) host.ping(this.#options.hangLimitMs ?? 60_000).catch(() => undefined);
    }
  }
}

export interface DownloadHostsOptions {
  readonly entry: URL;
  readonly quarantine: Quarantine;
  readonly onEvent: (id: number, event: DownloadEvent) => void;
  readonly onReport: (report: MediaHostsReport) => void;
  readonly limits?: ProcessHostLimits;
  /** How long a host may go without coming up for air. */
  readonly hangLimitMs?: number;
  /** How long one at work may go without an event. */
  readonly stallLimitMs?: number;
  readonly watchMs?: number;
  readonly clock?: Clock;
}

type Host = ProcessHost<DownloadCalls, DownloadEvent>;

interface Download {
  readonly id: number;
  /** Without its hardware once that has failed. */
  spec: DownloadSpec;
  host: Host | null;
  isHeld: boolean;
  /** In a row, since it last came further. */
  deaths: number;
  doneUs: number;
  lastEventMs: number;
}
