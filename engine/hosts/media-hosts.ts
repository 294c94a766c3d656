import type { Remote } from 'comlink';
import type { Log } from '#engine/base/log.ts';
import { Supervisor } from '#engine/runtime/supervisor.ts';
import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import type { HardwareRow } from '#protocol/schema/hardware.ts';
import type { FileFailure, Refusal } from './call-hosts.ts';
import type { HardwareLook, HardwareSessions, HardwareTrial } from './hardware.port.ts';
import { MediaSupervisorThread } from './media-supervisor-thread.ts';
import type { MediaSupervisor } from './media-supervisor.ts';
import { MediaHostsError } from './media-supervisor.port.ts';
import type { DownloadEvent, DownloadSpec } from './download.port.ts';
import type {
  DownloadHandle,
  MediaCallOptions,
  MediaHostsPort,
  MediaHostsReport,
  MediaHostsStatus,
  QuarantinedFile,
  RenditionHandle,
} from './media-supervisor.port.ts';
import type {
  EntryPointsRequest,
  EntryPointsResult,
  KeyframesResult,
  PictureRequest,
  PictureResult,
  ProbeResult,
  SubtitleRequest,
  SubtitleResult,
} from './probe.port.ts';
import type { RenditionEvent, RenditionSpec, SegmentRange } from './rendition.port.ts';
import type {
  CommonSoundsRequest,
  CommonSoundsResult,
  DarkPausesRequest,
  DarkPausesResult,
  PreviewSheetRequest,
  PreviewSheetResult,
  SoundPrintRequest,
  SoundPrintResult,
} from './study.port.ts';

/**
 * The main thread's face of the media hosts: what a domain calls. The work is done in host processes, they are owned by a
 * supervisor thread, and this class owns that thread. Should the thread end, it is started again: calls in flight are
 * refused as `unavailable`, open renditions fail, and the quarantine is carried over. Its rules are MEDIA1 to MEDIA4 of SPEC.md.
 */
export class MediaHosts implements MediaHostsPort, AsyncDisposable {
  readonly #options: MediaHostsOptions;
  readonly #log: Log;
  readonly #supervisor: Supervisor<MediaSupervisorThread>;
  readonly #renditions = new Map<number, OpenRendition>();
  readonly #downloads = new Map<number, (event: DownloadEvent) => void>();
  #quarantined: readonly QuarantinedFile[];
  #lastId = 0;

  constructor(options: MediaHostsOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#quarantined = options.quarantined ?? [];
    this.#supervisor = new Supervisor(() => this.#startThread(), {
      name: 'media supervisor',
      onRestart: (error, waitMs) =>
        this.#log.error('the media supervisor ended and is started again', { error, waitMs }),
      onGiveUp: (error) =>
        this.#log.error('the media supervisor ends again and again: nothing can be probed or transcoded', { error }),
    });
  }

  probe(path: string, { priority = 'interactive', signal }: MediaCallOptions = {}): Promise<ProbeResult> {
    return this.#call(signal, (remote, id) => remote.probe(id, path, priority));
  }

  keyframes(path: string, trackIndex: number, options: MediaCallOptions = {}): Promise<KeyframesResult> {
    const { priority = 'interactive', signal } = options;
    return this.#call(signal, (remote, id) => remote.keyframes(id, path, trackIndex, priority));
  }

  picture(path: string, request: PictureRequest, options: MediaCallOptions = {}): Promise<PictureResult> {
    const { priority = 'interactive', signal } = options;
    return this.#call(signal, (remote, id) => remote.picture(id, path, request, priority));
  }

  subtitle(path: string, request: SubtitleRequest, options: MediaCallOptions = {}): Promise<SubtitleResult> {
    const { priority = 'interactive', signal } = options;
    return this.#call(signal, (remote, id) => remote.subtitle(id, path, request, priority), { isEndAwaited: true });
  }

  entryPoints(path: string, request: EntryPointsRequest, options: MediaCallOptions = {}): Promise<EntryPointsResult> {
    const { priority = 'interactive', signal } = options;
    return this.#call(signal, (remote, id) => remote.entryPoints(id, path, request, priority));
  }

  previewSheet(
    path: string,
    request: PreviewSheetRequest,
    options: MediaCallOptions = {},
  ): Promise<PreviewSheetResult> {
    const { priority = 'interactive', signal } = options;
    return this.#call(signal, (remote, id) => remote.previewSheet(id, path, request, priority));
  }

  soundPrint(path: string, request: SoundPrintRequest, options: MediaCallOptions = {}): Promise<SoundPrintResult> {
    const { priority = 'background', signal } = options;
    return this.#call(signal, (remote, id) => remote.soundPrint(id, path, request, priority));
  }

  async commonSounds(
    path: string,
    request: CommonSoundsRequest,
    options: MediaCallOptions = {},
  ): Promise<CommonSoundsResult> {
    const { priority = 'background', signal } = options;
    const none = request.others.map(() => null);
    const result = await this.#call(signal, (remote, id) => remote.commonSounds(id, path, request, priority));
    return result.ok ? result : { ok: true, common: none };
  }

  darkPauses(path: string, request: DarkPausesRequest, options: MediaCallOptions = {}): Promise<DarkPausesResult> {
    const { priority = 'background', signal } = options;
    return this.#call(signal, (remote, id) => remote.darkPauses(id, path, request, priority));
  }

  async openRendition(spec: RenditionSpec, onEvent: (event: RenditionEvent) => void): Promise<RenditionHandle> {
    const thread = await this.#running();
    const id = ++this.#lastId;
    const rendition: OpenRendition = { onEvent, from: 0 };
    this.#renditions.set(id, rendition);
    try {
      accept(await thread.ask((remote) => remote.openRendition(id, spec)));
    } catch (error) {
      this.#renditions.delete(id);
      throw error;
    }
    const tell = (send: (remote: Remote<MediaSupervisor>) => Promise<unknown>): void => {
      if (!this.#renditions.has(id)) return;
      thread.ask(send).catch(() => this.#failRendition(id));
    };
    const close = async (): Promise<void> => {
      if (!this.#renditions.delete(id)) return;
      await thread.ask((remote) => remote.closeRendition(id)).catch(() => undefined); // ended with its thread
    };
    return {
      produce: (range: SegmentRange) => {
        rendition.from = range.from;
        tell((remote) => remote.produce(id, range));
      },
      pause: () => tell((remote) => remote.pause(id)),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async openDownload(spec: DownloadSpec, onEvent: (event: DownloadEvent) => void): Promise<DownloadHandle> {
    const thread = await this.#running();
    const id = ++this.#lastId;
    this.#downloads.set(id, onEvent);
    try {
      accept(await thread.ask((remote) => remote.openDownload(id, spec)));
    } catch (error) {
      this.#downloads.delete(id);
      throw error;
    }
    const close = async (): Promise<void> => {
      if (!this.#downloads.delete(id)) return;
      await thread.ask((remote) => remote.closeDownload(id)).catch(() => undefined); // ended with its thread
    };
    return {
      hold: (isHeld) => {
        // Where the thread has ended, its end is told otherwise.
        if (this.#downloads.has(id)) thread.ask((remote) => remote.holdDownload(id, isHeld)).catch(() => undefined);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** Which hardware is there, as files tell it; `null` where its host does not start. */
  async lookForHardware(wish: HardwareWish): Promise<HardwareLook | null> {
    const thread = await this.#running();
    return await thread.ask((remote) => remote.lookForHardware(wish));
  }

  /** Tries one thing with one kind of hardware. A driver that ends its process is a verdict. */
  async tryHardware(trial: HardwareTrial): Promise<HardwareRow> {
    const thread = await this.#running();
    return await thread.ask((remote) => remote.tryHardware(trial));
  }

  async countHardwareSessions(sessions: HardwareSessions): Promise<number | null> {
    const thread = await this.#running();
    return await thread.ask((remote) => remote.countHardwareSessions(sessions));
  }

  /** Ends what trials have started. */
  async endHardwareHosts(): Promise<void> {
    const thread = await this.#running();
    await thread.ask((remote) => remote.endHardwareHosts());
  }

  async quarantined(): Promise<readonly QuarantinedFile[]> {
    const thread = await this.#running();
    return await thread.ask((remote) => remote.quarantined());
  }

  async release(path: string): Promise<boolean> {
    const thread = await this.#running();
    return await thread.ask((remote) => remote.release(path));
  }

  async status(): Promise<MediaHostsStatus> {
    const thread = await this.#running();
    return await thread.ask((remote) => remote.status());
  }

  /** Ends every host and the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor[Symbol.asyncDispose]();
    this.#renditions.clear();
    this.#downloads.clear();
  }

  async #call<Outcome>(
    signal: AbortSignal | undefined,
    send: (remote: Remote<MediaSupervisor>, id: number) => Promise<Outcome | FileFailure | Refusal>,
    { isEndAwaited = false } = {},
  ): Promise<Outcome | FileFailure> {
    signal?.throwIfAborted();
    const thread = await this.#running();
    // Withdrawn while the thread was starting: nobody would hear it.
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => {
      if (!isEndAwaited) aborted.reject(signal?.reason);
      void thread.remote.withdraw(id);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const outcome = await Promise.race([thread.ask((remote) => send(remote, id)), aborted.promise]);
      signal?.throwIfAborted();
      return accept(outcome);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #running(): Promise<MediaSupervisorThread> {
    try {
      return await this.#supervisor.running();
    } catch (error) {
      throw new MediaHostsError(this.#supervisor.state === 'stopped' ? 'stopped' : 'unavailable', error);
    }
  }

  async #startThread(): Promise<MediaSupervisorThread> {
    const thread = await MediaSupervisorThread.start(
      this.#options.supervisorEntry ?? new URL('./media-supervisor.worker.ts', import.meta.url),
      {
        probeEntry: (this.#options.probeEntry ?? new URL('./probe.host.ts', import.meta.url)).href,
        hardwareEntry: (this.#options.hardwareEntry ?? new URL('./hardware.host.ts', import.meta.url)).href,
        renditionEntry: (this.#options.renditionEntry ?? new URL('./rendition.host.ts', import.meta.url)).href,
        studyEntry: (this.#options.studyEntry ?? new URL('./study.host.ts', import.meta.url)).href,
        downloadEntry: (this.#options.downloadEntry ?? new URL('./download.host.ts', import.meta.url)).href,
        probeHosts: this.#options.probeHosts,
        maxTranscodes: this.#options.maxTranscodes,
        renditionMemoryBytes: this.#options.renditionMemoryBytes,
        spareHosts: this.#options.spareHosts,
        codeCacheFolder: this.#options.codeCacheFolder,
        quarantined: this.#quarantined,
      },
      (id, event) => this.#tellRendition(id, event),
      (report) => this.#hear(report),
      (id, event) => this.#tellDownload(id, event),
    );
    void thread.ended
      .catch(() => undefined)
      .then(() => {
        for (const id of this.#renditions.keys()) this.#failRendition(id);
        const event = { kind: 'failed', trouble: 'trouble', detail: 'the media supervisor ended' } as const;
        for (const id of this.#downloads.keys()) this.#tellDownload(id, event);
      });
    return thread;
  }

  #tellRendition(id: number, event: RenditionEvent): void {
    try {
      this.#renditions.get(id)?.onEvent(event);
    } catch (error) {
      this.#log.error('a listener for rendition events threw', { error, event });
    }
  }

  #tellDownload(id: number, event: DownloadEvent): void {
    try {
      this.#downloads.get(id)?.(event);
    } catch (error) {
      this.#log.error('a listener for the events of a download threw', { error, event });
    }
  }

  #failRendition(id: number): void {
    const index = this.#renditions.get(id)?.from ?? 0;
    this.#tellRendition(id, { kind: 'failed', failure: 'internal', index, detail: 'the media supervisor ended' });
    this.#renditions.delete(id);
  }

  #hear(report: MediaHostsReport): void {
    const { kind, ...fields } = report;
    if (kind === 'hostEnded') this.#log.warn('a media host ended', fields);
    else if (kind === 'hostFault') this.#log.error('a media host answered with a fault of its own', fields);
    else if (kind === 'hostsUnavailable') this.#log.error('media hosts do not start', fields);
    else {
      this.#quarantined = report.files;
      this.#log.warn('the files in quarantine changed', { count: report.files.length });
      this.#options.onQuarantine?.(report.files);
    }
  }
}

export interface MediaHostsOptions {
  readonly log: Log;
  /** Probe processes at most; as many as processors, up to 4, unless told. */
  readonly probeHosts?: number;
  /** Open renditions that encode pictures at most; as many as processors, but 2 at least, unless told: most of them rest most of the time. */
  readonly maxTranscodes?: number;
  /** Most resident memory of a rendition host; 2 GiB unless told. */
  readonly renditionMemoryBytes?: number;
  /** Rendition hosts that wait warm; 2 unless told, because a play opens one for the picture and one for the sound. */
  readonly spareHosts?: number;
  /** Where hosts keep what Node made of their code, so that the next ones start in a third of the time. */
  readonly codeCacheFolder?: string;
  /** Quarantine of an earlier run. */
  readonly quarantined?: readonly QuarantinedFile[];
  /** The whole quarantine, whenever it changes: to be kept and handed to the next run. */
  readonly onQuarantine?: (files: readonly QuarantinedFile[]) => void;
  /** Other entries, for tests. */
  readonly probeEntry?: URL;
  readonly renditionEntry?: URL;
  readonly studyEntry?: URL;
  readonly downloadEntry?: URL;
  readonly hardwareEntry?: URL;
  readonly supervisorEntry?: URL;
}

interface OpenRendition {
  readonly onEvent: (event: RenditionEvent) => void;
  /** Begin of the newest range, to say what failed when the thread cannot. */
  from: number;
}

function accept<Outcome>(outcome: Outcome | Refusal): Outcome {
  if (typeof outcome === 'object' && outcome !== null && 'refusal' in outcome) {
    throw new MediaHostsError(outcome.refusal);
  }
  return outcome;
}
