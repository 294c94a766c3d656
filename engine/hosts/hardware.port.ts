import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import type { HardwareKind, HardwareRow, HardwareTest } from '#protocol/schema/hardware.ts';
import type { HardwareLook } from './hardware-look.ts';

export type { HardwareCandidate, HardwareLook } from './hardware-look.ts';

export interface HardwareTrial {
  /** `null`: the processor, to compare with. */
  readonly kind: HardwareKind | null;
  readonly device: string | null;
  readonly test: HardwareTest;
  /** What the processor needs for the same, `null` where that is not known. */
  readonly softwareMs: number | null;
}

export interface HardwareSessions {
  readonly kind: HardwareKind;
  readonly device: string | null;
  readonly way: string;
}

/** What a hardware host does for its parent: what a driver may answer by ending the process. One kind for each host. */
export interface HardwareCalls {
  look(wish: HardwareWish): HardwareLook;
  tryOut(trial: HardwareTrial): HardwareRow;
  /** Encoders that can be open at once; `null` where as many as anybody needs. */
  countSessions(sessions: HardwareSessions): number | null;
}
