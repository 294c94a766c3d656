/** What the hardware's part needs from the rest of the engine. `house.ts` hands the implementations in; their types match by shape. */
import type { HardwareLook, HardwareSessions, HardwareTrial } from '#engine/hosts/hardware.port.ts';
import type { RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import type { RenditionEvent, RenditionSpec } from '#engine/hosts/rendition.port.ts';
import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import type { HardwareRow } from '#protocol/schema/hardware.ts';
import type { HealthItem } from '#protocol/schema/health.ts';

export interface HardwareTrialPort {
  lookForHardware(wish: HardwareWish): Promise<HardwareLook | null>;
  tryHardware(trial: HardwareTrial): Promise<HardwareRow>;
  countHardwareSessions(sessions: HardwareSessions): Promise<number | null>;
  endHardwareHosts(): Promise<void>;
}

export interface RenditionPort {
  openRendition(spec: RenditionSpec, onEvent: (event: RenditionEvent) => void): Promise<RenditionHandle>;
}

/** `FactStore` of engine/store. */
export interface FactPort {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
}

export interface HealthPort {
  set(finding: Omit<HealthItem, 'since'>): void;
  clear(id: string): void;
}

export interface RunningJob {
  readonly id: string;
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number; readonly note?: string | null }): void;
}

export interface JobPort {
  run(
    spec: { readonly kind: 'hardware'; readonly subject: string; readonly libraryId: null },
    work: (job: RunningJob) => Promise<void>,
  ): Promise<{ readonly job: { readonly id: string }; readonly ended: Promise<unknown> }>;
}
