import type { DownloadSpec, DownloadTrouble } from '#engine/media/download-spec.ts';
import type { HardwareKind, HardwareVerdict } from '#protocol/schema/hardware.ts';

export type { DownloadSpec, DownloadTrouble } from '#engine/media/download-spec.ts';

/** What a download host does for its parent: it makes one file and ends with it. All calls answer at once; the rest comes as events. */
export interface DownloadCalls {
  /** Once in a host's life. */
  make(spec: DownloadSpec): void;
  /** Comes to rest within a packet or so, holding what it has. */
  hold(): void;
  goOn(): void;
}

/** `finished` or `failed` is the last. `detail` is for the log. */
export type DownloadEvent =
  | { readonly kind: 'progress'; readonly doneUs: number; readonly sizeBytes: number }
  | { readonly kind: 'joining'; readonly share: number }
  | {
      readonly kind: 'hardwareFailed';
      readonly hardware: HardwareKind;
      readonly verdict: HardwareVerdict;
      readonly detail: string | null;
    }
  | { readonly kind: 'finished'; readonly sizeBytes: number }
  | { readonly kind: 'failed'; readonly trouble: DownloadTrouble; readonly detail: string };
