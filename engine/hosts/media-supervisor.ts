import { availableParallelism } from 'node:os';
import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import type { HardwareRow } from '#protocol/schema/hardware.ts';
import { CallHosts } from './call-hosts.ts';
import type { CallOptions, FileFailure, Refusal } from './call-hosts.ts';
import { DownloadHosts } from './download-hosts.ts';
import type { DownloadEvent, DownloadSpec } from './download.port.ts';
import { HardwareHosts } from './hardware-hosts.ts';
import type { HardwareLook, HardwareSessions, HardwareTrial } from './hardware.port.ts';
import type { MediaHostsReport, MediaHostsStatus, MediaPriority, QuarantinedFile } from './media-supervisor.port.ts';
import { ENTRY_POINTS_LIMIT_MS, KEYFRAMES_LIMIT_MS, PICTURE_LIMIT_MS, SUBTITLE_LIMIT_MS } from './probe.port.ts';
import type {
  EntryPointsRequest,
  EntryPointsResult,
  KeyframesResult,
  PictureRequest,
  PictureResult,
  ProbePort,
  ProbeResult,
  SubtitleRequest,
  SubtitleResult,
} from './probe.port.ts';
import { Quarantine } from './quarantine.ts';
import {
  COMMON_SOUNDS_LIMIT_MS,
  DARK_PAUSES_LIMIT_MS,
  PREVIEW_SHEET_LIMIT_MS,
  SOUND_PRINT_LIMIT_MS,
} from './study.port.ts';
import type {
  CommonSoundsRequest,
  CommonSoundsResult,
  DarkPausesRequest,
  DarkPausesResult,
  PreviewSheetRequest,
  PreviewSheetResult,
  SoundPrintRequest,
  SoundPrintResult,
  StudyPort,
} from './study.port.ts';
import { RenditionHosts } from './rendition-hosts.ts';
import type { RenditionEvent, RenditionSpec, SegmentRange } from './rendition.port.ts';

/**
 * Owns every media host process. Lives in a thread of its own (media-supervisor.worker.ts), so that starting processes and
 * reading from them never holds up the main loop. Errors lose their codes on the way between threads, so it answers with
 * values only: outcomes, file failures and refusals.
 */
export class MediaSupervisor {
  readonly #quarantine: Quarantine;
  readonly #probes: CallHosts<ProbePort>;
  /** For calls that may read a whole file: a probe that somebody waits for must not stand behind them. */
  readonly #readers: CallHosts<ProbePort>;
  /** For sheets of previews that somebody waits for. */
  readonly #looks: CallHosts<StudyPort>;
  /** For what nobody waits for: behind everything else that the machine does. */
  readonly #studies: CallHosts<StudyPort>;
  /** Subtitles of a large file may take minutes: one for whom nobody waits, one for somebody. */
  readonly #subtitles: CallHosts<ProbePort>;
  readonly #renditions: RenditionHosts;
  readonly #downloads: DownloadHosts;
  readonly #hardware: HardwareHosts;
  readonly #maxTranscodes: number;
  /** Calls that can still be withdrawn, by the caller's id. */
  readonly #withdrawals = new Map<number, AbortController>();

  constructor(
    settings: MediaSupervisorSettings,
    onEvent: (id: number, event: RenditionEvent) => void,
    onReport: (report: MediaHostsReport) => void,
    onDownload: (id: number, event: DownloadEvent) => void,
  ) {
    this.#quarantine = new Quarantine(settings.quarantined ?? [], (files) => onReport({ kind: 'quarantine', files }));
    this.#maxTranscodes = settings.maxTranscodes ?? Math.max(2, availableParallelism());
    const shared = { quarantine: this.#quarantine, onReport };
    const codeCacheFolder = settings.codeCacheFolder ?? null;
    const probing = {
      ...shared,
      entry: new URL(settings.probeEntry),
      limits: { codeCacheFolder, memoryLimitBytes: 1024 ** 3, niceness: 5 },
    };
    const count = settings.probeHosts ?? Math.min(4, availableParallelism());
    this.#probes = new CallHosts({ ...probing, name: 'probe host', count });
    this.#readers = new CallHosts({ ...probing, name: 'reading host', count: Math.ceil(count / 2) });
    // A comfort that kills its host is left out; the movie plays on [MEDIA5].
    const quarantine = new Quarantine(settings.quarantined ?? [], () => undefined);
    const studying = { ...shared, quarantine, entry: new URL(settings.studyEntry), count: 1 };
    const memoryLimitBytes = 1024 ** 3;
    // Both have lesser rights to the processor than what somebody watches [PLAY63]; a seek must not wait for pictures to seek by.
    this.#looks = new CallHosts({
      ...studying,
      name: 'preview host',
      limits: { codeCacheFolder, memoryLimitBytes, niceness: 10 },
    });
    this.#studies = new CallHosts({
      ...studying,
      name: 'study host',
      limits: { codeCacheFolder, memoryLimitBytes, niceness: 15 },
    });
    this.#hardware = new HardwareHosts({
      entry: new URL(settings.hardwareEntry),
      onReport,
      limits: { codeCacheFolder, memoryLimitBytes: 2 * 1024 ** 3, niceness: 5 },
    });
    this.#subtitles = new CallHosts({ ...probing, name: 'subtitle host', count: 2 });
    this.#downloads = new DownloadHosts({
      ...{ onReport, quarantine },
      entry: new URL(settings.downloadEntry),
      onEvent: onDownload,
      limits: { codeCacheFolder, memoryLimitBytes: settings.renditionMemoryBytes ?? 2 * 1024 ** 3, niceness: 10 },
    });
    this.#renditions = new RenditionHosts({
      ...shared,
      entry: new URL(settings.renditionEntry),
      maxTranscodes: this.#maxTranscodes,
      spares: settings.spareHosts ?? 2,
      onEvent,
      limits: { codeCacheFolder, memoryLimitBytes: settings.renditionMemoryBytes ?? 2 * 1024 ** 3, niceness: 5 },
    });
  }

  probe(id: number, path: string, priority: MediaPriority): Promise<ProbeResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: PROBE_LIMIT_MS, isHeavy: false };
    return this.#run(id, path, priority, (about) => this.#probes.run('probe', [path], { ...about, ...limits }));
  }

  picture(
    id: number,
    path: string,
    request: PictureRequest,
    priority: MediaPriority,
  ): Promise<PictureResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: PICTURE_LIMIT_MS + MARGIN_MS, isHeavy: true };
    return this.#run(id, path, priority, (about) =>
      this.#probes.run('picture', [path, request], { ...about, ...limits }),
    );
  }

  keyframes(
    id: number,
    path: string,
    trackIndex: number,
    priority: MediaPriority,
  ): Promise<KeyframesResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: KEYFRAMES_LIMIT_MS + MARGIN_MS, isHeavy: true };
    return this.#run(id, path, priority, (about) =>
      this.#readers.run('keyframes', [path, trackIndex], { ...about, ...limits }),
    );
  }

  subtitle(
    id: number,
    path: string,
    request: SubtitleRequest,
    priority: MediaPriority,
  ): Promise<SubtitleResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: SUBTITLE_LIMIT_MS + MARGIN_MS, isHeavy: true };
    return this.#run(id, path, priority, (about) =>
      this.#subtitles.run('subtitle', [path, request], { ...about, ...limits }),
    );
  }

  entryPoints(
    id: number,
    path: string,
    request: EntryPointsRequest,
    priority: MediaPriority,
  ): Promise<EntryPointsResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: ENTRY_POINTS_LIMIT_MS + MARGIN_MS, isHeavy: false };
    return this.#run(id, path, priority, (about) =>
      this.#probes.run('entryPoints', [path, request], { ...about, ...limits }),
    );
  }

  previewSheet(
    id: number,
    path: string,
    request: PreviewSheetRequest,
    priority: MediaPriority,
  ): Promise<PreviewSheetResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: PREVIEW_SHEET_LIMIT_MS + MARGIN_MS, isHeavy: true };
    const hosts = priority === 'interactive' ? this.#looks : this.#studies;
    return this.#run(id, path, priority, (about) =>
      hosts.run('previewSheet', [path, request], { ...about, ...limits }),
    );
  }

  soundPrint(
    id: number,
    path: string,
    request: SoundPrintRequest,
    priority: MediaPriority,
  ): Promise<SoundPrintResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: SOUND_PRINT_LIMIT_MS + MARGIN_MS, isHeavy: true };
    return this.#run(id, path, priority, (about) =>
      this.#studies.run('soundPrint', [path, request], { ...about, ...limits }),
    );
  }

  commonSounds(
    id: number,
    path: string,
    request: CommonSoundsRequest,
    priority: MediaPriority,
  ): Promise<CommonSoundsResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: COMMON_SOUNDS_LIMIT_MS, isHeavy: true };
    return this.#run(id, path, priority, (about) =>
      this.#studies.run('commonSounds', [path, request], { ...about, ...limits }),
    );
  }

  darkPauses(
    id: number,
    path: string,
    request: DarkPausesRequest,
    priority: MediaPriority,
  ): Promise<DarkPausesResult | FileFailure | Refusal> {
    const limits = { timeLimitMs: DARK_PAUSES_LIMIT_MS + MARGIN_MS, isHeavy: true };
    return this.#run(id, path, priority, (about) =>
      this.#studies.run('darkPauses', [path, request], { ...about, ...limits }),
    );
  }

  withdraw(id: number): void {
    this.#withdrawals.get(id)?.abort();
  }

  openRendition(id: number, spec: RenditionSpec): Refusal | null {
    return this.#renditions.open(id, spec);
  }

  produce(id: number, range: SegmentRange): Promise<void> {
    return this.#renditions.produce(id, range);
  }

  pause(id: number): void {
    this.#renditions.pause(id);
  }

  closeRendition(id: number): Promise<void> {
    return this.#renditions.close(id);
  }

  openDownload(id: number, spec: DownloadSpec): Refusal | null {
    return this.#downloads.open(id, spec);
  }

  holdDownload(id: number, isHeld: boolean): void {
    this.#downloads.hold(id, isHeld);
  }

  closeDownload(id: number): Promise<void> {
    return this.#downloads.close(id);
  }

  lookForHardware(wish: HardwareWish): Promise<HardwareLook | null> {
    return this.#hardware.look(wish);
  }

  tryHardware(trial: HardwareTrial): Promise<HardwareRow> {
    return this.#hardware.tryOut(trial);
  }

  countHardwareSessions(sessions: HardwareSessions): Promise<number | null> {
    return this.#hardware.countSessions(sessions);
  }

  endHardwareHosts(): Promise<void> {
    return this.#hardware.end();
  }

  quarantined(): readonly QuarantinedFile[] {
    return this.#quarantine.list();
  }

  release(path: string): boolean {
    return this.#quarantine.release(path);
  }

  status(): MediaHostsStatus {
    return {
      probeHosts: this.#probes.hostCount + this.#readers.hostCount + this.#subtitles.hostCount,
      calls: this.#callHosts.reduce((sum, hosts) => sum + hosts.callCount, 0),
      renditions: this.#renditions.count,
      transcodes: this.#renditions.transcodeCount,
      maxTranscodes: this.#maxTranscodes,
      downloads: this.#downloads.count,
      spareHosts: this.#renditions.spareCount,
      quarantinedFiles: this.#quarantine.list().length,
    };
  }

  /** Ends every host. Nothing is answered but with refusals from here on. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#callHosts, this.#renditions, this.#downloads, this.#hardware].map((hosts) =>
        hosts[Symbol.asyncDispose](),
      ),
    );
  }

  get #callHosts(): readonly (CallHosts<ProbePort> | CallHosts<StudyPort>)[] {
    return [this.#probes, this.#readers, this.#looks, this.#studies, this.#subtitles];
  }

  async #run<Outcome>(
    id: number,
    path: string,
    priority: MediaPriority,
    call: (about: Pick<CallOptions, 'path' | 'level' | 'signal'>) => Promise<Outcome>,
  ): Promise<Outcome> {
    const abort = new AbortController();
    this.#withdrawals.set(id, abort);
    try {
      return await call({ path, level: priority === 'interactive' ? 0 : 1, signal: abort.signal });
    } finally {
      this.#withdrawals.delete(id);
    }
  }
}

const PROBE_LIMIT_MS = 30_000;
/** Over what a call allows itself: one that passes this is stuck in native code. */
const MARGIN_MS = 20_000;

/** Plain data: crosses into the thread. */
export interface MediaSupervisorSettings {
  readonly probeEntry: string;
  readonly renditionEntry: string;
  readonly hardwareEntry: string;
  readonly studyEntry: string;
  readonly downloadEntry: string;
  readonly probeHosts?: number | undefined;
  readonly maxTranscodes?: number | undefined;
  readonly spareHosts?: number | undefined;
  readonly renditionMemoryBytes?: number | undefined;
  readonly codeCacheFolder?: string | undefined;
  readonly quarantined?: readonly QuarantinedFile[] | undefined;
}
