import { systemClock } from '#engine/base/clock.ts';
import type { Clock, Timer } from '#engine/base/clock.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import { ProcessHost } from '#engine/runtime/process-host.ts';
import type { HostExit, ProcessHostOptions } from '#engine/runtime/process-host.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';
import type { Refusal } from './call-hosts.ts';
import type { Quarantine } from './quarantine.ts';
import type { RenditionCalls, RenditionEvent, RenditionSpec, SegmentRange } from './rendition.port.ts';

/**
 * One host process for each open rendition, and a few spare ones that wait warm, because loading FFmpeg takes as long as making
 * a copied segment. Its rules are REND1 to REND7 of SPEC.md.
 *
 * A host that dies is replaced and goes on with the segment it had in hand; at the second death its file is quarantined
 * and the range fails. One that does not come up for air, or makes nothing for too long, is killed and counts as dead.
 */
export class RenditionHosts implements AsyncDisposable {
  readonly #options: RenditionHostsOptions;
  readonly #clock: Clock;
  readonly #renditions = new Map<number, Rendition>();
  readonly #spares = new Set<Host>();
  readonly #watch: Timer;
  #refill: Timer | undefined;
  #started = 0;
  #isStopped = false;

  constructor(options: RenditionHostsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watch = this.#clock.every(options.watchMs ?? 5_000, () => this.#checkAll());
    this.#refillLater();
  }

  get count(): number {
    return this.#renditions.size;
  }

  get transcodeCount(): number {
    return [...this.#renditions.values()].filter(({ spec }) => isTranscode(spec)).length;
  }

  get spareCount(): number {
    return this.#spares.size;
  }

  /** Opens a rendition under an id of the caller's, with a host right away. `null` when it is open. */
  open(id: number, spec: RenditionSpec): Refusal | null {
    if (this.#isStopped) return { refusal: 'stopped' };
    if (isTranscode(spec) && this.transcodeCount >= this.#options.maxTranscodes) return { refusal: 'atCapacity' };
    const rendition: Rendition = { id, spec, next: 0, produceId: 0, hasInit: false, lastEventMs: 0 };
    this.#renditions.set(id, rendition);
    this.#attach(rendition);
    this.#refillLater();
    return null;
  }

  async produce(id: number, range: SegmentRange): Promise<void> {
    const rendition = this.#renditions.get(id);
    if (!rendition) return;
    rendition.range = range;
    rendition.next = range.from;
    rendition.lastEventMs = this.#clock.monotonicMs();
    const isQuarantined = await this.#options.quarantine.has(rendition.spec.path);
    if (isQuarantined) return this.#fail(rendition, 'quarantined', 'quarantined earlier');
    // While that was looked up, the rendition may have been closed, or a newer range has come.
    if (rendition.range === range) this.#produce(rendition, range);
  }

  pause(id: number): void {
    const rendition = this.#renditions.get(id);
    if (rendition?.range) this.#send(rendition, 'pause', []);
  }

  async close(id: number): Promise<void> {
    const rendition = this.#renditions.get(id);
    this.#renditions.delete(id);
    await rendition?.host?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#watch[Symbol.dispose]();
    this.#refill?.[Symbol.dispose]();
    const hosts = [...this.#spares, ...[...this.#renditions.values()].flatMap(({ host }) => host ?? [])];
    this.#renditions.clear();
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  }

  #attach(rendition: Rendition): Host {
    const host = this.#takeSpare() ?? this.#startHost();
    rendition.host = host;
    this.#send(rendition, 'open', [rendition.spec]);
    return host;
  }

  #takeSpare(): Host | undefined {
    const spare = [...this.#spares].find(({ exit }) => !exit);
    if (spare) this.#spares.delete(spare);
    return spare;
  }

  #startHost(): Host {
    const host: Host = new ProcessHost<RenditionCalls, RenditionEvent>({
      ...this.#options.limits,
      name: `rendition host ${++this.#started}`,
      entry: this.#options.entry,
      stopWithinMs: 300,
      onEvent: (event, callId) => this.#hear(host, event, callId),
      clock: this.#clock,
    });
    void host.exited.then((exit) => this.#bury(host, exit));
    return host;
  }

  /** Brings the spares up to number after a while: not now, when the host just taken needs the processor. */
  #refillLater(): void {
    if (this.#isStopped || this.#refill) return;
    this.#refill = this.#clock.after(this.#options.spareDelayMs ?? 2_000, () => {
      this.#refill = undefined;
      while (this.#spares.size < this.#options.spares) this.#spares.add(this.#startHost());
    });
  }

  /** Sends a call whose answer says nothing; what fails is told by the end of the host. */
  #send<Name extends keyof RenditionCalls>(
    rendition: Rendition,
    name: Name,
    args: Parameters<RenditionCalls[Name]>,
  ): void {
    const host = rendition.host ?? this.#attach(rendition);
    host.call(name, args as never, this.#options.hangLimitMs ?? 30_000).catch((error: unknown) => {
      if (host.exit || !(error instanceof Error)) return;
      const fault = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.message;
      this.#options.onReport({
        kind: 'hostFault',
        host: host.name,
        call: name,
        path: rendition.spec.path,
        error: fault,
      });
      this.#fail(rendition, 'internal', `${name} failed`);
    });
  }

  #produce(rendition: Rendition, range: SegmentRange): void {
    this.#send(rendition, 'produce', [range]);
    rendition.produceId = rendition.host?.lastCallId ?? 0;
  }

  #hear(host: Host, event: RenditionEvent, callId: number): void {
    const rendition = this.#renditionOf(host);
    if (!rendition) return;
    rendition.lastEventMs = this.#clock.monotonicMs();
    if (event.kind === 'init') {
      if (rendition.hasInit) return; // a replacement wrote the same bytes again
      rendition.hasInit = true;
    } else if (event.kind === 'segment') {
      if (event.index === rendition.next) rendition.next++;
      this.#options.quarantine.clear(rendition.spec.path);
    } else if (event.kind === 'hardwareFailed') {
      rendition.spec = { ...rendition.spec, hardware: null };
    } else {
      if (callId < rendition.produceId) return; // the end of a range that a newer one has replaced
      delete rendition.range;
    }
    this.#options.onEvent(rendition.id, event);
  }

  #fail(rendition: Rendition, failure: Extract<RenditionEvent, { kind: 'failed' }>['failure'], detail: string): void {
    if (!rendition.range || !this.#renditions.has(rendition.id)) return;
    delete rendition.range;
    this.#options.onEvent(rendition.id, { kind: 'failed', failure, index: rendition.next, detail });
  }

  async #bury(host: Host, exit: HostExit): Promise<void> {
    if (this.#spares.delete(host)) return this.#buried(host, exit, null);
    const rendition = this.#renditionOf(host);
    if (!rendition || this.#isStopped) return;
    delete rendition.host;
    this.#buried(host, exit, rendition.spec.path);
    const { range } = rendition;
    if (!range) return; // at rest: the next range starts another
    const detail = `${host.name} ended: ${exit.reason}`;
    if (exit.wasReady && rendition.spec.hardware) return this.#goOnInSoftware(rendition, range, exit);
    if (!exit.wasBusy) return this.#fail(rendition, 'timeout', detail);
    if (!exit.wasReady) return this.#fail(rendition, 'internal', detail);
    const isQuarantined = await this.#options.quarantine.blame(rendition.spec.path, exit.reason);
    if (isQuarantined) return this.#fail(rendition, 'quarantined', detail);
    if (rendition.range !== range || !this.#renditions.has(rendition.id)) return;
    rendition.lastEventMs = this.#clock.monotonicMs();
    this.#produce(rendition, { from: rendition.next, until: range.until });
  }

  /** A driver may end its process, or never answer. Not the file's fault, until the processor dies of it as well [REND8]. */
  #goOnInSoftware(rendition: Rendition, range: SegmentRange, exit: HostExit): void {
    const { hardware, ...spec } = rendition.spec;
    rendition.spec = spec;
    rendition.lastEventMs = this.#clock.monotonicMs();
    this.#produce(rendition, { from: rendition.next, until: range.until });
    if (!hardware) return;
    this.#options.onEvent(rendition.id, {
      kind: 'hardwareFailed',
      hardware: hardware.kind,
      verdict: exit.reason === 'timeLimit' ? 'timedOut' : 'crashed',
      detail: exit.signal,
      index: rendition.next,
    });
  }

  #buried(host: Host, { reason, stderr }: HostExit, path: string | null): void {
    if (reason !== 'stopped') this.#options.onReport({ kind: 'hostEnded', host: host.name, reason, path, stderr });
  }

  #checkAll(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const rendition of this.#renditions.values()) {
      const { range, host } = rendition;
      if (!range || !host || host.exit) continue;
      if (!host.isReady) rendition.lastEventMs = nowMs; // getting ready has a limit of its own
      else if (nowMs - rendition.lastEventMs > (this.#options.stallLimitMs ?? 120_000)) host.kill('timeLimit');
      else if (host.inFlight === 0) host.ping(this.#options.hangLimitMs ?? 30_000).catch(() => undefined);
    }
  }

  #renditionOf(host: Host): Rendition | undefined {
    return [...this.#renditions.values()].find((rendition) => rendition.host === host);
  }
}

const isTranscode = (spec: RenditionSpec): boolean => isEncodedPicture(spec.output);

export interface RenditionHostsOptions {
  readonly entry: URL;
  /** Most open renditions that encode pictures. Sound and copies cost too little to count. */
  readonly maxTranscodes: number;
  /** Hosts that wait warm. */
  readonly spares: number;
  readonly quarantine: Quarantine;
  readonly onEvent: (id: number, event: RenditionEvent) => void;
  readonly onReport: (report: MediaHostsReport) => void;
  readonly limits?: Partial<
    Pick<ProcessHostOptions, 'memoryLimitBytes' | 'readyWithinMs' | 'niceness' | 'heapLimitMiB'>
  >;
  /** How long a host at work may go without coming up for air. */
  readonly hangLimitMs?: number;
  /** How long a host at work may go without an event: longer than the slowest machine needs for one segment. */
  readonly stallLimitMs?: number;
  readonly watchMs?: number;
  readonly spareDelayMs?: number;
  readonly clock?: Clock;
}

type Host = ProcessHost<RenditionCalls, RenditionEvent>;

interface Rendition {
  readonly id: number;
  /** Without its hardware once that has failed. */
  spec: RenditionSpec;
  host?: Host;
  /** What the host works on, absent at rest. */
  range?: SegmentRange;
  /** The segment it has in hand. */
  next: number;
  /** The call that began `range`. */
  produceId: number;
  hasInit: boolean;
  lastEventMs: number;
}
