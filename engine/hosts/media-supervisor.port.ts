import type { HostEnd } from '#engine/runtime/process-host.ts';
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
import type { DownloadEvent, DownloadSpec } from './download.port.ts';
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

/** Whether somebody waits for the answer. Background work never goes first and has a queue of its own. */
export type MediaPriority = 'interactive' | 'background';

export interface MediaCallOptions {
  /** `interactive` unless told. */
  readonly priority?: MediaPriority;
  /**
   * Withdraws the call. The caller is told at once, but where a host writes files: then, when it writes no more. A short call that a host
   * has in hand is finished for nobody.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a domain may ask of the media hosts. What is wrong with a file is an outcome, `{ ok: false, failure }`. Calls reject
 * with the signal's reason or with a MediaHostsError, neither of which says anything about the file.
 */
export interface MediaHostsPort {
  probe(path: string, options?: MediaCallOptions): Promise<ProbeResult>;
  keyframes(path: string, trackIndex: number, options?: MediaCallOptions): Promise<KeyframesResult>;
  picture(path: string, request: PictureRequest, options?: MediaCallOptions): Promise<PictureResult>;
  subtitle(path: string, request: SubtitleRequest, options?: MediaCallOptions): Promise<SubtitleResult>;
  entryPoints(path: string, request: EntryPointsRequest, options?: MediaCallOptions): Promise<EntryPointsResult>;
  /** Background calls stand behind everything else that the machine does, and never before one that is interactive. */
  previewSheet(path: string, request: PreviewSheetRequest, options?: MediaCallOptions): Promise<PreviewSheetResult>;
  soundPrint(path: string, request: SoundPrintRequest, options?: MediaCallOptions): Promise<SoundPrintResult>;
  commonSounds(path: string, request: CommonSoundsRequest, options?: MediaCallOptions): Promise<CommonSoundsResult>;
  darkPauses(path: string, request: DarkPausesRequest, options?: MediaCallOptions): Promise<DarkPausesResult>;
  /**
   * Gives a rendition a host of its own. Rejects with `atCapacity` when `maxTranscodes` are open already: close one that
   * nobody watches, or say so. `onEvent` hears what RenditionEvent says; a host that died is replaced without an event.
   */
  openRendition(spec: RenditionSpec, onEvent: (event: RenditionEvent) => void): Promise<RenditionHandle>;
  /** Makes one file for somebody to take along, in a host of its own behind everything else. `onEvent` hears of it, to its end. */
  openDownload(spec: DownloadSpec, onEvent: (event: DownloadEvent) => void): Promise<DownloadHandle>;
  /** Files that ended their host twice and are left alone. */
  quarantined(): Promise<readonly QuarantinedFile[]>;
  /** Gives a quarantined file another chance. `false` when it is not quarantined. */
  release(path: string): Promise<boolean>;
  status(): Promise<MediaHostsStatus>;
}

/** One open rendition. Everything is sent in order and nothing is waited for: what comes of it arrives as events. */
export interface RenditionHandle extends AsyncDisposable {
  produce(range: SegmentRange): void;
  pause(): void;
  /** Ends the host. No event comes after this has been called. */
  close(): Promise<void>;
}

/** One file that is being made. */
export interface DownloadHandle extends AsyncDisposable {
  /** Makes it rest, or go on. */
  hold(isHeld: boolean): void;
  /** Ends the host. No event comes after this has been called. */
  close(): Promise<void>;
}

export interface QuarantinedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Modification time, whole milliseconds since 1970. */
  readonly modifiedMs: number;
  /** How the second host ended. */
  readonly reason: HostEnd;
}

/** Numbers for the health page. */
export interface MediaHostsStatus {
  readonly probeHosts: number;
  /** Calls that wait or are worked on. */
  readonly calls: number;
  readonly renditions: number;
  readonly transcodes: number;
  readonly maxTranscodes: number;
  readonly downloads: number;
  readonly spareHosts: number;
  readonly quarantinedFiles: number;
}

/** Something that the person who operates the server should find in the log. */
export type MediaHostsReport =
  | {
      readonly kind: 'hostEnded';
      readonly host: string;
      readonly reason: HostEnd;
      readonly path: string | null;
      readonly stderr: string;
    }
  | {
      readonly kind: 'hostFault';
      readonly host: string;
      readonly call: string;
      readonly path: string;
      readonly error: string;
    }
  | { readonly kind: 'hostsUnavailable'; readonly detail: string }
  | { readonly kind: 'quarantine'; readonly files: readonly QuarantinedFile[] };

/**
 * - `overloaded`: too many calls wait
 * - `atCapacity`: as many transcodes as allowed are open
 * - `unavailable`: the hosts do not start, or their supervisor just ended; later calls may work again
 * - `stopped`: the media hosts were closed
 */
export const MEDIA_HOSTS_REFUSALS = ['overloaded', 'atCapacity', 'unavailable', 'stopped'] as const;
export type MediaHostsRefusal = (typeof MEDIA_HOSTS_REFUSALS)[number];

/** Why the media hosts did not do it; nothing of it is about the file. */
export class MediaHostsError extends Error {
  readonly code: MediaHostsRefusal;

  constructor(code: MediaHostsRefusal, cause?: unknown) {
    super(`media hosts: ${code}`, { cause });
    this.name = 'MediaHostsError';
    this.code = code;
  }
}
