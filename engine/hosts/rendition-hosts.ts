import { systemClock } from '#engine/base/clock.ts';
import type { Clock, Timer } from '#engine/base/clock.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import { ProcessHost } from '#engine/runtime/process-host.ts';
import type { HostExit, ProcessHostLimits } from '#engine/runtime/process-host.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';
import type { Refusal } from './call-hosts.ts';
import { MAX_DEATHS } from './quarantine.ts';
import type { Quarantine } from './quarantine.ts';
import type {
  RenditionCalls,
  RenditionEvent,
  RenditionHostEvent,
  RenditionSpec,
  SegmentRange,
} from './rendition.port.ts';

/**
 * One host process for each open rendition, and a few spare ones that wait warm, because loading FFmpeg takes as long as making
 * a copied segment. Encoded pictures of one track that are near each other have one together, which decodes them once. Its rules
 * are REND1 to REND9 of SPEC.md.
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

  /** Processes at work or warm. */
  get hostCount(): number {
    return this.#spares.size + this.#hosts().size;
  }

  /** Opens a rendition under an id of the caller's. `null` when it is open. */
  open(id: number, spec: RenditionSpec): Refusal | null {
    if (this.#isStopped) return { refusal: 'stopped' };
    if (isTranscode(spec) && this.transcodeCount >= this.#options.maxTranscodes) return { refusal: 'atCapacity' };
    const rendition: Rendition = { id, spec, next: 0, produceId: 0, deaths: 0, hasInit: false, lastEventMs: 0 };
    this.#renditions.set(id, rendition);
    // Where an encoded picture is wanted decides which host it gets [REND9].
    if (!isTranscode(spec)) this.#attach(rendition);
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
    if (rendition?.range) this.#send(rendition, 'pause', [rendition.id]);
  }

  async close(id: number): Promise<void> {
    const rendition = this.#renditions.get(id);
    this.#renditions.delete(id);
    const host = rendition?.host;
    if (!host) return;
    if (this.#renditionsOf(host).length > 0) {
      this.#send(rendition, 'close', [id]);
      return;
    }
    // At work it may be deep in FFmpeg: asking takes as long as that, and what it has begun is for nobody [REND7].
    if (rendition.range) host.kill('stopped');
    await host[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#watch[Symbol.dispose]();
    this.#refill?.[Symbol.dispose]();
    const hosts = [...this.#spares, ...this.#hosts()];
    this.#renditions.clear();
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  }

  #attach(rendition: Rendition): Host {
    const host = this.#neighbour(rendition)?.host ?? this.#takeSpare() ?? this.#startHost();
    rendition.host = host;
    this.#send(rendition, 'open', [rendition.id, rendition.spec]);
    return host;
  }

  /** Another picture of the same track that is made near enough to be decoded together sooner or later [REND9]. */
  #neighbour(rendition: Rendition): Rendition | undefined {
    if (!isTranscode(rendition.spec)) return undefined;
    return [...this.#renditions.values()].find(
      (other) =>
        other !== rendition &&
        other.host !== undefined &&
        other.host.exit === null &&
        isSameTrack(other.spec, rendition.spec) &&
        Math.abs(startUs(other) - startUs(rendition)) <= NEAR_US &&
        this.#renditionsOf(other.host).length < MAX_TOGETHER,
    );
  }

  #takeSpare(): Host | undefined {
    const spare = [...this.#spares].find(({ exit }) => !exit);
    if (spare) this.#spares.delete(spare);
    this.#refillLater();
    return spare;
  }

  #startHost(): Host {
    const host: Host = new ProcessHost<RenditionCalls, RenditionHostEvent>({
      ...this.#options.limits,
      name: `rendition host ${++this.#started}`,
      entry: this.#options.entry,
      stopWithinMs: 300,
      onEvent: (told, callId) => this.#hear(host, told, callId),
      clock: this.#clock,
    });
    void host.exited.then((exit) => this.#bury(host, exit));
    return host;
  }

  /**
   * Brings the spares up to number after a while, one by one: not now, when the host just taken needs the processor. Starting one costs as
   * much as encoding half a second of 720p.
   */
  #refillLater(): void {
    if (this.#isStopped || this.#refill || this.#spares.size >= this.#options.spares) return;
    this.#refill = this.#clock.after(this.#options.spareDelayMs ?? 3_000, () => {
      this.#refill = undefined;
      this.#spares.add(this.#startHost());
      this.#refillLater();
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
    this.#send(rendition, 'produce', [rendition.id, range]);
    rendition.produceId = rendition.host?.lastCallId ?? 0;
  }

  #hear(host: Host, { id, event }: RenditionHostEvent, callId: number): void {
    const rendition = this.#renditions.get(id);
    if (rendition?.host !== host) return;
    rendition.lastEventMs = this.#clock.monotonicMs();
    if (event.kind === 'waiting') return; // it lives, which is all that this says
    if (event.kind === 'init') {
      if (rendition.hasInit) return; // a replacement wrote the same bytes again
      rendition.hasInit = true;
    } else if (event.kind === 'segment') {
      if (event.index === rendition.next) rendition.next++;
      rendition.deaths = 0;
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
    const renditions = this.#renditionsOf(host);
    const [first] = renditions;
    if (!first || this.#isStopped) return;
    for (const rendition of renditions) delete rendition.host;
    this.#buried(host, exit, first.spec.path);
    // Of those at rest the next range starts another.
    const interrupted = renditions.flatMap((rendition) =>
      rendition.range ? [{ rendition, range: rendition.range }] : [],
    );
    const detail = `${host.name} ended: ${exit.reason}`;
    const inSoftware = interrupted.filter(({ rendition }) => exit.wasReady && rendition.spec.hardware);
    for (const { rendition, range } of inSoftware) this.#goOnInSoftware(rendition, range, exit);
    const atFault = interrupted.filter((each) => !inSoftware.includes(each));
    if (atFault.length === 0) return;
    if (!exit.wasBusy || !exit.wasReady) {
      for (const { rendition } of atFault) this.#fail(rendition, exit.wasBusy ? 'internal' : 'timeout', detail);
      return;
    }
    for (const { rendition } of atFault) rendition.deaths++;
    // They are all of one file.
    const isQuarantined = atFault.some(({ rendition }) => rendition.deaths >= MAX_DEATHS);
    if (isQuarantined) await this.#options.quarantine.add(first.spec.path, exit.reason);
    for (const { rendition, range } of atFault) {
      if (isQuarantined) {
        rendition.deaths = 0;
        this.#fail(rendition, 'quarantined', detail);
      } else {
        rendition.lastEventMs = this.#clock.monotonicMs();
        this.#produce(rendition, { from: rendition.next, until: range.until });
      }
    }
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

  #renditionsOf(host: Host): Rendition[] {
    return [...this.#renditions.values()].filter((rendition) => rendition.host === host);
  }

  #hosts(): Set<Host> {
    return new Set([...this.#renditions.values()].flatMap(({ host }) => host ?? []));
  }
}

/** Farther apart than this, two pictures of a track are not at one place soon: each has a process, and the processors, for itself. */
const NEAR_US = 60_000_000;
/** As many as a ladder has; what one process holds dies together. */
const MAX_TOGETHER = 6;

/** Where in the movie a rendition is made. */
const startUs = ({ spec, next }: Rendition): number =>
  spec.boundariesUs[Math.min(next, spec.boundariesUs.length - 1)] ?? 0;

/** Whether two encoded pictures can be made of the same decoded ones. */
function isSameTrack(a: RenditionSpec, b: RenditionSpec): boolean {
  return (
    isTranscode(a) &&
    a.path === b.path &&
    a.trackIndex === b.trackIndex &&
    a.startUs === b.startUs &&
    a.hardware?.kind === b.hardware?.kind &&
    a.boundariesUs.length === b.boundariesUs.length &&
    a.boundariesUs.every((us, index) => us === b.boundariesUs[index])
  );
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
  readonly limits?: ProcessHostLimits;
  /** How long a host at work may go without coming up for air. */
  readonly hangLimitMs?: number;
  /** How long a host at work may go without an event: longer than the slowest machine needs for one segment. */
  readonly stallLimitMs?: number;
  readonly watchMs?: number;
  readonly spareDelayMs?: number;
  readonly clock?: Clock;
}

type Host = ProcessHost<RenditionCalls, RenditionHostEvent>;

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
  /** In a row, since its last segment. */
  deaths: number;
  hasInit: boolean;
  lastEventMs: number;
}
